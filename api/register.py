"""What every installation has, demo or not: the administrative divisions and the scenes.

It is laid down at every start, so that a new version brings its new divisions along; rows that say the same
already are left alone, and then nothing is written at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import UUID

from api.wiring import Parts
from codes.divisions import guangxi_divisions, ltree_path
from domain.identity.model import RegionRow
from domain.identity.store import ALL_REGIONS, SAVE_REGION
from domain.scene.catalogue import scenes
from domain.scene.store import ALL_SCENES, SAVE_SCENE, SceneRow
from domain.shared.events import Operator
from domain.shared.sql import Command, Query
from domain.shared.transaction import Outcome, Transaction

INSTALLATION: Final = Operator(id=UUID(int=0), name="系统", post="系统安装")
"""Who acts when the system sets itself up."""

Row = TypeVar("Row", RegionRow, SceneRow)


async def load_register(parts: Parts) -> None:
    """Lay down regions (CFG-05) and scenes (TOP-01) in one transaction; a second time changes nothing."""

    async def load(tx: Transaction) -> Outcome[None]:
        await _save_changed(tx, _regions(), ALL_REGIONS, SAVE_REGION)
        await _save_changed(tx, _scenes(), ALL_SCENES, SAVE_SCENE)
        return Outcome(answer=None)

    await parts.work.run(INSTALLATION, load)


async def _save_changed(tx: Transaction, wanted: Sequence[Row], stored: Query[Row], save: Command) -> None:
    known = {row.code: row for row in await stored.all(tx.connection)}
    changed = [row for row in wanted if known.get(row.code) != row]
    if changed:
        await save.run_many(tx.connection, [_fields(row) for row in changed])


def _fields(row: RegionRow | SceneRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _regions() -> list[RegionRow]:
    """Parents first: a region refers to the one above it."""
    rows = [
        RegionRow(
            code=division.code,
            name=division.name,
            level=division.level.value,
            parent_code=division.parent_code,
            path=ltree_path(division.code),
            valid_from=division.valid_from,
            valid_to=division.valid_to,
            successor_code=division.successor_code,
        )
        for division in guangxi_divisions()
    ]
    return sorted(rows, key=lambda row: (row.path.count("."), row.code))


def _scenes() -> list[SceneRow]:
    return [SceneRow(code=scene.code, name=scene.name, place=place) for place, scene in enumerate(scenes(), start=1)]
