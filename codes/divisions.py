"""行政区划 Administrative divisions of Guangxi: 14 cities, 111 counties, and the codes that these replaced.

Current names and codes are those of the China-wide list `china-division` 2.7.0; validity days are the days
of approval. A note of 待核 marks a day that has not been seen in the approval itself. Old codes live on in
credit codes, identity numbers and imported files, and therefore still resolve (decisions: regions).
"""

import csv
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec


class DivisionLevel(StrEnum):
    """How high a division stands."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


class Division(msgspec.Struct, frozen=True):
    """An administrative division 行政区划 under its six-digit code.

    In force from `valid_from` (None: since before 2003, or not recorded) until the day before `valid_to`
    (None: to this day). `successor_code` is the division that took its place; where it was divided, the one
    that took most of it, and the note names the rest.
    """

    code: str
    name: str
    level: DivisionLevel
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None
    successor_code: str | None
    note: str

    def in_force(self, on: date) -> bool:
        """Whether the code was the lawful one on that day."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_to is None or on < self.valid_to)


class UnknownDivision(LookupError):
    """A code that no division of Guangxi has or had."""


@cache
def guangxi_divisions() -> tuple[Division, ...]:
    """Every division, current and past, in the order of the codes."""
    table = resources.files("codes").joinpath("divisions_guangxi.csv").read_text(encoding="utf-8")
    return tuple(_division(row) for row in csv.DictReader(table.splitlines()))


def resolve_division(code: str, on: date | None = None) -> Division | None:
    """The division that a code names, also when it has been replaced since: it keeps its name and successor.

    With a day given, None also for a code that came into force only after it. None for an unknown code.
    """
    division = _by_code().get(code)
    if division and on and division.valid_from and on < division.valid_from:
        return None
    return division


def current_division(code: str) -> Division | None:
    """The division in force today that a code, current or past, leads to; None for an unknown code."""
    division = _by_code().get(code)
    while division and division.successor_code:
        division = _by_code()[division.successor_code]
    return division


def ltree_path(code: str) -> str:
    """The path from the province down, `450000.450100.450103`, as PostgreSQL's ltree takes it.

    An old code keeps its own path. Raises `UnknownDivision`.
    """
    division = _by_code().get(code)
    if division is None:
        raise UnknownDivision(f"no division of Guangxi has the code {code!r}")
    return f"{ltree_path(division.parent_code)}.{code}" if division.parent_code else code


@cache
def _by_code() -> dict[str, Division]:
    return {division.code: division for division in guangxi_divisions()}


def _division(row: dict[str, str]) -> Division:
    # An empty cell is a missing value everywhere but in the note; the types are the struct's own.
    present = {column: text or None for column, text in row.items()}
    return msgspec.convert({**present, "note": row["note"]}, Division)
