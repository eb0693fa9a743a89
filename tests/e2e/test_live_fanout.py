"""Many leads on two real server processes: each gets every event of its own region, once, in order, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.wiring import Parts
from benchmarks.live_fanout import measure
from tests.support.database import Database

pytestmark = pytest.mark.slow

EVENTS_A_SECOND, SECONDS = 30, 3
LEADS = 50 + 3 * 13 + 2


async def test_everybody_gets_exactly_their_own(parts: Parts, database: Database, keys_folder: Path) -> None:
    """Fifty see the whole region, thirteen each of three counties, two a place where nothing happens."""
    assert parts.keys, "the keys of this database lie in the folder"
    figures = await measure(database.dsn, keys_folder, leads=LEADS, seconds=SECONDS, rate=EVENTS_A_SECOND)
    assert figures["wrong"] == {}
    assert figures["events"] == EVENTS_A_SECOND * SECONDS
    assert figures["deliveries"] == EVENTS_A_SECOND * SECONDS * (50 + 13)
    assert figures["p50_ms"] < 2000
