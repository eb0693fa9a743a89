"""Draws over a real database: kept as the very text that was digested, voided with a reason, verified by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from api.draw_commands import draw_group
from api.wiring import Parts
from domain.selection import store
from domain.selection.model import DrawRecord, ItemCandidate
from domain.selection.operations import DrawAlreadyVoided, SuperiorRequired, keep_draw, void_draw
from domain.selection.rules import draw_items
from domain.selection.verification import digest_of, read_record, verify
from domain.shared.errors import NotFound
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.database import Database
from tests.support.factories import INSTALLATION, NOW

ITEMS = [
    ItemCandidate(id=uuid4(), is_mandatory=number < 4, grades=frozenset("ABCD"), severity="general")
    for number in range(20)
]


def a_record(subject: UUID) -> DrawRecord:
    return draw_items(ITEMS, 2, b"s" * 32, uuid4(), inspection_id=subject, credit=None, drawn_at=NOW).record


async def kept(parts: Parts, record: DrawRecord) -> bytes:
    async def operation(tx: Transaction) -> Outcome[bytes]:
        return Outcome(answer=await keep_draw(tx, record))

    return await parts.work.run(INSTALLATION, operation)


async def voided(parts: Parts, draw: UUID, approved_by: str | None = None) -> int:
    return await parts.work.run(INSTALLATION, lambda tx: void_draw(tx, draw, "名录有误", approved_by=approved_by))


async def draws_of(parts: Parts, subject: UUID) -> list[store.StoredDraw]:
    async with borrow(parts.pool) as connection:
        return await store.DRAWS_OF_SUBJECT.all(connection, subject_id=subject)


async def test_a_kept_draw_is_read_back_as_the_text_that_was_digested(parts: Parts) -> None:
    subject = uuid4()
    record = a_record(subject)
    digest = await kept(parts, record)

    (found,) = await draws_of(parts, subject)
    assert (found.id, found.digest) == (record.draw_id, digest)
    assert digest_of(found.record) == digest
    assert read_record(found.record.encode()) == record
    assert verify(read_record(found.record.encode())) == []


async def test_a_voided_draw_stays_and_the_second_void_names_the_superior(parts: Parts) -> None:
    subject = uuid4()
    first = a_record(subject)
    second = draw_items(
        ITEMS, 2, b"t" * 32, uuid4(), inspection_id=subject, credit=None, drawn_at=NOW + timedelta(hours=1)
    ).record
    await kept(parts, first)
    assert await voided(parts, first.draw_id) == 1
    with pytest.raises(DrawAlreadyVoided):
        await voided(parts, first.draw_id)
    await kept(parts, second)
    with pytest.raises(SuperiorRequired):
        await voided(parts, second.draw_id)
    assert await voided(parts, second.draw_id, "莫局长") == 2

    found = await draws_of(parts, subject)
    assert [(each.id, each.void_reason) for each in found] == [
        (second.draw_id, "名录有误"),
        (first.draw_id, "名录有误"),
    ]
    async with borrow(parts.pool) as connection:
        traced = await connection.fetch("SELECT after FROM trace WHERE action = 'draw.voided' ORDER BY n")
    facts = [json.loads(row["after"]) for row in traced]
    assert [(each["times"], each["approved_by"]) for each in facts] == [(1, None), (2, "莫局长")]


async def test_the_command_hands_out_what_the_other_verifies(
    parts: Parts, database: Database, keys_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = uuid4()
    record = a_record(subject)
    await kept(parts, record)
    monkeypatch.setenv("DATABASE_URL", database.dsn)
    monkeypatch.setenv("YIMA_KEYS", str(keys_folder))
    monkeypatch.setenv("YIMA_VAR", str(tmp_path))

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, draw_group, list(arguments))

    by_subject, by_draw = await run("export", str(subject)), await run("export", str(record.draw_id))
    assert by_subject.exit_code == 0, by_subject.output
    assert by_subject.output == by_draw.output
    file = tmp_path / "draw.json"
    file.write_text(by_subject.output, "utf-8")
    verified = await run("verify", str(file))
    assert (verified.exit_code, verified.output.splitlines()[-1]) == (0, "一致")
    assert (await run("export", str(uuid4()))).exit_code == 1


async def test_a_draw_that_is_not_there_is_not_found(parts: Parts) -> None:
    with pytest.raises(NotFound):
        await voided(parts, uuid4())
