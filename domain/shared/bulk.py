"""Many rows in one statement: one array per column, `unnest` side by side, and an upsert that writes only changes.

An array per column needs no temporary table, hence no right to make one and no growth of the catalogue, and lets one
round trip store a thousand rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from domain.shared.sql import Ltree

Types = Mapping[str, sa.types.TypeEngine[Any]]


def types_of(table: sa.Table, names: Iterable[str]) -> dict[str, sa.types.TypeEngine[Any]]:
    """How the values of these columns travel; an ltree travels as text."""
    return {
        name: sa.Text() if isinstance(table.c[name].type, Ltree) else table.c[name].type  # type: ignore[reportUnknownMemberType]
        for name in names
    }


def given_rows(types: Types) -> Any:
    """The rows that arrays of these names and types give side by side: a FROM clause of the name `given`."""
    arrays = [sa.bindparam(name, type_=sa.ARRAY(kind)) for name, kind in types.items()]
    columns = [sa.column(name, kind) for name, kind in types.items()]
    return sa.func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def arrays_of(rows: Sequence[Mapping[str, Any]], types: Types) -> dict[str, list[Any]]:
    """The rows turned into the arrays that `given_rows` asks for."""
    return {name: [row[name] for row in rows] for name in types}


def said_or_kept(table: sa.Table, said: Any, names: Iterable[str]) -> dict[str, Any]:
    """For each column what the row says, and where it says nothing, what is stored."""
    return {name: sa.func.coalesce(said[name], table.c[name]) for name in names}


def sealed_or_kept(table: sa.Table, said: Any, names: Iterable[str]) -> dict[str, Any]:
    """For each sealed value the new one only where its blind index differs: sealing twice is no change."""

    def chosen(name: str) -> Any:
        stored = table.c[f"{name}_index"]
        same = sa.func.coalesce(said[f"{name}_index"], stored).is_not_distinct_from(stored)
        return sa.case((same, table.c[f"{name}_sealed"]), else_=said[f"{name}_sealed"])

    return {f"{name}_sealed": chosen(name) for name in names}


def differs(table: sa.Table, after: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    """Whether any of the columns would change."""
    return sa.or_(*[value.is_distinct_from(table.c[name]) for name, value in after.items()])
