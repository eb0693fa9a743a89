"""场景 The 35 thematic scenes, one topical database each (catalogue TOP-01)."""

import csv
from functools import cache
from importlib import resources

import msgspec


class Scene(msgspec.Struct, frozen=True):
    """A scene 场景: its code `S01` to `S35` in the order of TOP-01, and its Chinese name."""

    code: str
    name: str


@cache
def scenes() -> tuple[Scene, ...]:
    """All scenes in the order of TOP-01."""
    table = resources.files("domain.scene").joinpath("scenes.csv").read_text(encoding="utf-8")
    return tuple(Scene(code=row["code"], name=row["name"]) for row in csv.DictReader(table.splitlines()))
