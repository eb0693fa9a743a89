"""Unmistakable words in every column that is nobody's business, so that a leak is seen wherever it comes out.

A word is `MARK_<table>_<column>_<state>`. Rows that the world has are marked in place; of every other table a row is
made for each state that its column allows, hanging on the world's site, enterprise, department and inspection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from tests.support.factories import NOW, World

PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    "enterprise": frozenset(
        {
            "uscc",
            "name",
            "object_type",
            "industry_type",
            "legal_representative",
            "capital_currency",
            "domicile",
            "business_scope",
            "registration_authority",
            "region_code",
            "brand_name",
        }
    ),
    "site": frozenset({"name", "address", "region_code"}),
    "licence": frozenset({"number", "name", "authority", "content"}),
    "department": frozenset({"code", "name", "short_name", "hotline", "region_code", "paper_word"}),
    "public_reply": frozenset({"text"}),
    "checklist": frozenset({"code", "name", "business_type", "scene_code", "note"}),
    "checklist_item": frozenset(
        {"code", "area", "matter", "sub_matter", "content", "method", "department_code", "mode", "severity"}
    ),
}
"""Text columns that the public register, a publication or a published list shows: they stay as they are."""
_IN_PLACE: Final = (
    "account",
    "answer",
    "checklist",
    "checklist_item",
    "checklist_version",
    "department",
    "enterprise",
    "inspection",
    "licence",
    "officer",
    "public_reply",
    "publication",
    "site",
)
_IN_PLACE_TOO: Final = ("notice_link", "subscription", "subscription_digest")
"""Of these rows that a test has made are marked in place, and one of each state is made beside them."""
_LEFT_OUT: Final = re.compile(
    r"alembic|key_version|trace|idempotency|chore|message|pgqueuer|region$|scene|number|subject_key|search_entry|session"
    r"|open_data|import_batch|site_code|inspection_party|inspection_officer"
)
_STATE: Final = "state"
_ORDER: Final = UUID(int=77)
_ENUM: Final = re.compile(r"'([^']+)'::text")
_ENUMERATES: Final = re.compile(r"CHECK \(\((\w+) = ANY \(ARRAY\[[^\]]*\]\)\)\)")


async def mark_everything(database_dsn: str, world: World) -> int:
    """Plant the words; gives how many columns bear one now."""
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # foreign keys wait
        await _drop_other_checks(connection)
        allowed = await _allowed_values(connection)
        columns = await _columns(connection)
        marked = 0
        for table, described in columns.items():
            if _LEFT_OUT.search(table):
                continue
            if table in (*_IN_PLACE, *_IN_PLACE_TOO):
                marked += await _mark_in_place(connection, table, described, allowed)
            if table not in _IN_PLACE:
                marked += await _make_rows(connection, table, described, allowed, world)
        await connection.execute("UPDATE site SET longitude = 111.101101, latitude = 23.202202")
        await connection.execute("UPDATE enterprise SET risk_level = 'high', credit_grade = 'D'")
        await connection.execute("SELECT search_keep_sites(ARRAY(SELECT id FROM site))")
        return marked
    finally:
        await connection.close()


async def _columns(connection: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    rows = await connection.fetch(
        "SELECT table_name, column_name, udt_name, is_nullable = 'YES' AS nullable, "
        "column_default IS NOT NULL OR is_identity = 'YES' AS filled FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    )
    described: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        described.setdefault(row["table_name"], []).append(row)
    return described


async def _allowed_values(connection: asyncpg.Connection) -> dict[tuple[str, str], list[str]]:
    """What the checks that enumerate allow in a column."""
    rows = await connection.fetch(
        "SELECT conrelid::regclass::text AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint "
        "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    allowed: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        found = _ENUMERATES.fullmatch(row["text"])
        values = _ENUM.findall(row["text"])
        if found and values:
            allowed[row["name"], found[1]] = values
    return allowed


async def _drop_other_checks(connection: asyncpg.Connection) -> None:
    """Rows of every state are made without their stories: only what a column may hold is still checked."""
    rows = await connection.fetch(
        "SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS text FROM pg_constraint "
        "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    for row in rows:
        if not _ENUMERATES.fullmatch(row["text"]):
            await connection.execute(f'ALTER TABLE {row["name"]} DROP CONSTRAINT "{row["conname"]}"')


async def _mark_in_place(
    connection: asyncpg.Connection,
    table: str,
    described: list[asyncpg.Record],
    allowed: Mapping[tuple[str, str], list[str]],
) -> int:
    names = [
        row["column_name"]
        for row in described
        if row["udt_name"] == "text"
        and (table, row["column_name"]) not in allowed
        and row["column_name"] not in PUBLIC.get(table, frozenset())
        and not row["column_name"].endswith("_code")
    ]
    for name in names:
        await connection.execute(f"UPDATE {table} SET {name} = 'MARK_{table}_{name}_' || left(md5(random()::text), 6)")  # noqa: S608
    return len(names)


async def _make_rows(
    connection: asyncpg.Connection,
    table: str,
    described: list[asyncpg.Record],
    allowed: Mapping[tuple[str, str], list[str]],
    world: World,
) -> int:
    states = allowed.get((table, _STATE), [""])
    made = 0
    for state in states:
        values = {
            row["column_name"]: _value(table, row, state, allowed, world)
            for row in described
            if not row["filled"] or row["udt_name"] == "text"
        }
        names = ", ".join(f'"{name}"' for name in values)
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        casts = {row["column_name"]: row["udt_name"] for row in described}
        places = ", ".join(
            f"${place}::text::ltree" if casts[name] == "ltree" else f"${place}"
            for place, name in enumerate(values, start=1)
        )
        try:
            async with connection.transaction():
                await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *values.values())  # noqa: S608
        except asyncpg.UniqueViolationError:
            continue
        made += sum("MARK_" in str(value) for value in values.values())
    return made


def _value(
    table: str,
    row: asyncpg.Record,
    state: str,
    allowed: Mapping[tuple[str, str], list[str]],
    world: World,
) -> Any:
    name, kind = row["column_name"], row["udt_name"]
    if (table, name) in allowed:
        return state if name == _STATE else allowed[table, name][0]
    if kind == "text":
        return "450103" if name == "region_code" else f"MARK_{table}_{name}_{state}"
    if (table, name, state) == ("rectification_order", "id", "to_rectify"):
        return _ORDER
    if kind == "uuid":
        return _ids(world).get(name, uuid4())
    if row["nullable"] and name not in {"published_at", "accepted_at", "filed_at", "submitted_at"}:
        return None
    return {
        "timestamptz": NOW,
        "date": date(2028, 1, 1),
        "bool": False,
        "bytea": uuid4().bytes,
        "ltree": world.site.region,
        "jsonb": "[]",
        "json": "[]",
        "float8": 0.0,
        "numeric": 0,
    }.get(kind, [] if kind.startswith("_") else 1)


def _ids(world: World) -> dict[str, UUID]:
    return {
        "site_id": world.site.id,
        "enterprise_id": world.enterprise.id,
        "department_id": world.market.id,
        "lead_department_id": world.market.id,
        "inspection_id": world.inspection,
        "order_id": _ORDER,
        "officer_id": world.officer.id,
        "account_id": world.enterprise_user.account_id,
    }
