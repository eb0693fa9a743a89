"""Statements on scenes."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.scene.tables import scene
from domain.shared.sql import Command, Query


class SceneRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scene as stored; `place` is its place in the order of TOP-01, from 1."""

    code: str
    name: str
    place: int


ALL_SCENES = Query(sa.select(*[scene.c[name] for name in SceneRow.__struct_fields__]).order_by(scene.c.place), SceneRow)

_scene = upsert(scene)
SAVE_SCENE = Command(
    _scene.on_conflict_do_update(
        index_elements=["code"], set_={"name": _scene.excluded.name, "place": _scene.excluded.place}
    )
)
