"""The same world again and again, and a picture of what an inspection left in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from domain.document.model import Paper
from domain.document.operations import CONTENT_LABEL
from domain.inspection.record.operations import open_canonical, open_facts
from domain.inspection.record.store import PARTS
from domain.shared.sql import borrow
from tests.support.client import Api
from tests.support.database import Database, empty_tables

_KEPT_BY_EMPTYING = ("alembic_version", "key_version", "trace_cursor")


@asynccontextmanager
async def _connected(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def keep_world(database: Database) -> None:
    """Put a copy of every row aside, in place of the copy before."""
    async with _connected(database) as connection:
        await connection.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        for table in await _tables(connection):
            await connection.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')


async def begin_again(api: Api, database: Database) -> None:
    """The world as it was when it was put aside; ids are the same, so digests may be compared."""
    await empty_tables(database)
    async with _connected(database) as connection:
        await connection.execute("SET session_replication_role = replica")  # rows come in no order of their own
        for table in await _tables(connection):
            await connection.execute(
                f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE SELECT * FROM kept."{table}"'  # noqa: S608 - our own tables
            )
        await connection.execute("SELECT setval(pg_get_serial_sequence('trace', 'n'), max(n)) FROM trace")
    api.forget()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [name for (name,) in rows if name not in _KEPT_BY_EMPTYING]


_DIFFERS_HONESTLY = {
    "inspection": "",
    "visit": "id opened_by",
    "check_in": "id visit_id received_at",
    "identification": "id check_in_id received_at person_name_sealed",
    "answer": "received_at",
    "signature": "id received_at person_sealed",
    "rectification_order": "document_id closed_at fed_back_at re_inspection_due_on",
    "rectification_item": "",
    "rectification_feedback": "id received_at",
    "re_inspection": "received_at",
    "publication": "id due_at latest_at ends_on",
    "evidence": "received_at referenced_at",
    "evidence_file": "stored_at",
}
"""Columns that tell when something reached us, or that the server made up; a party's feedback is dated by our clock."""
_COUNTED = {
    "trace": "action, operator_id, department_id, subject, device_at",
    "document": "kind, department_id, title, issued_on, encode(record_digest, 'hex'), state",
    "issued_number": "department_code, kind, year, voided_at",
    "chore": "kind, state",
    "message": "template, channel, recipient_id",
    "idempotency": "principal_id, key, encode(fingerprint, 'hex'), status",
    "subject_key": "1",
}
_NEWS = "arrival"
"""Announced only while it is news: an arrival that reaches us days later is not."""


async def picture(api: Api) -> dict[str, Any]:
    """All that the inspections of this world left, but for what honestly differs when it comes late."""
    taken: dict[str, Any] = {}
    async with borrow(api.parts.pool) as connection:
        for table, dropped in _DIFFERS_HONESTLY.items():
            found = await connection.fetch(
                f"SELECT to_jsonb(t) - $1::text[] AS row FROM {table} t",  # noqa: S608 - our own tables
                dropped.split(),
            )
            taken[table] = _sorted(_without_late(row["row"]) for row in found)
        for table, columns in _COUNTED.items():
            found = await connection.fetch(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own tables
            taken[table] = Counter(str(tuple(row)) for row in found if _NEWS not in row.values())
        taken["paper"] = await _papers(api, connection)
        taken["record"] = await _records(api, connection)
        found = await connection.fetch("SELECT encode(digest, 'hex') FROM evidence WHERE referenced_at IS NOT NULL")
        taken["referenced"] = sorted(digest for (digest,) in found)
    return taken


def _without_late(row: Any) -> Any:
    plain = msgspec.json.decode(row) if isinstance(row, str) else row
    return {
        name: [each for each in told if each != "late"] if name == "flags" else told for name, told in plain.items()
    }


def _sorted(rows: Iterable[Any]) -> list[str]:
    return sorted(msgspec.json.encode(row, order="deterministic").decode() for row in rows)


async def _papers(api: Api, connection: Any) -> list[str]:
    """What the papers say; their numbers are put in when they are rendered."""
    found = await connection.fetch("SELECT content_sealed FROM document")
    papers = (
        msgspec.json.decode(api.parts.vault.open(CONTENT_LABEL, bytes(sealed)), type=Paper) for (sealed,) in found
    )
    return sorted(msgspec.json.encode(each, order="deterministic").decode() for each in papers)


async def _records(api: Api, connection: Any) -> list[Any]:
    """The signed text of each department, its digest, and what was added by hand."""
    told: list[Any] = []
    for (inspection,) in await connection.fetch("SELECT id FROM inspection"):
        for part in await PARTS.all(connection, inspection_id=inspection):
            digest = None if part.digest is None else part.digest.hex()
            text = open_canonical(api.parts.vault, part)
            told.append((str(part.department_id), part.version, digest, text, open_facts(api.parts.vault, part)))
    return sorted(told, key=str)
