"""What happens to open data."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from domain.search.open_data.model import Dump
from domain.shared.events import Event


class DumpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A dump as the trace tells it; the digest is its SHA-256, hexadecimal."""

    made_on: date
    results: int
    withdrawn: int
    digest: str


class ResultsDumped(Event, frozen=True, kw_only=True):
    """全量数据生成."""

    business: ClassVar[str] = "结果公示"
    power: ClassVar[str] = "数据开放"
    duty: ClassVar[str] = "全量数据生成"
    action: ClassVar[str] = "open_data.dumped"
    subject: ClassVar[str] = "open_data_dump"

    before: None = None
    after: DumpFacts


def dumped(dump: Dump) -> ResultsDumped:
    """The event of a finished dump."""
    facts = DumpFacts(made_on=dump.made_on, results=dump.results, withdrawn=dump.withdrawn, digest=dump.digest.hex())
    return ResultsDumped(subject_id=dump.id, after=facts)
