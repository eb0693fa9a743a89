"""Packing the day: bounded, and only what the phone does not have yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec

from codes.token import TokenKeys, issue_token
from domain.document.canonical import canonical
from domain.inspection.answers.content import list_text
from domain.inspection.answers.model import ChecklistLine
from domain.inspection.package import store
from domain.inspection.package.events import LeaseFacts, NumbersLeased
from domain.inspection.package.model import (
    LeaseAnswer,
    LeaseOrder,
    NumberBlock,
    Package,
    PackageEntry,
    PackedInspection,
    PackedList,
)
from domain.selection.sealing import derive_list_iv, seal_list, token_digest
from domain.shared.errors import NotFound
from domain.shared.numbers import NumberKind, lease_numbers
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

MOST_INSPECTIONS: Final = 60
MOST_BYTES: Final = 3 * 1024 * 1024
"""A package is bounded: what does not fit comes with the next request."""
_AHEAD = timedelta(days=1)
_VERSION_BYTES: Final = 8
_PACKED = frozenset(PackedInspection.__struct_fields__) & frozenset(store.DayRow.__struct_fields__)


async def pack_day(
    connection: Connection,
    officer_id: UUID,
    today: date,
    keys: TokenKeys,
    *,
    have: Collection[str],
    numbers: Sequence[NumberBlock],
) -> Package:
    """当日任务包 of an officer: what is open today or begins tomorrow, by due date. Nothing is written.

    `have` are the versions that the phone holds; those come without content.
    """
    rows = await store.DAY.all(connection, officer_id=officer_id, until=today + _AHEAD, limit=MOST_INSPECTIONS)
    tokens = [None if row.code_id is None else issue_token(keys, row.code_id, row.key_version) for row in rows]
    versions = [_version(row, token) for row, token in zip(rows, tokens, strict=True)]
    new = [row.id for row, version in zip(rows, versions, strict=True) if version not in have and row.list_digest]
    lines = await _lines_of(connection, new)
    entries: list[PackageEntry] = []
    room = MOST_BYTES
    is_whole = len(rows) < MOST_INSPECTIONS
    for row, token, version in zip(rows, tokens, versions, strict=True):
        if version in have:
            entries.append(PackageEntry(id=row.id, version=version))
            continue
        packed = _pack(row, token, lines.get(row.id, []))
        room -= len(msgspec.json.encode(packed))
        if room < 0 and entries:
            is_whole = False
            break
        entries.append(PackageEntry(id=row.id, version=version, inspection=packed))
    return Package(day=today, entries=entries, is_whole=is_whole, numbers=list(numbers))


async def _lines_of(connection: Connection, inspections: Sequence[UUID]) -> dict[UUID, list[ChecklistLine]]:
    if not inspections:
        return {}
    rows = await store.LINES_OF_MANY.all(connection, inspections=inspections)
    return {key: list(lines) for key, lines in groupby(rows, key=lambda line: line.inspection_id)}


def _version(row: store.DayRow, token: str | None) -> str:
    """Names the content: a new code at the door, another officer or another position makes another version."""
    told = msgspec.to_builtins(row) | {"token": None if token is None else token_digest(token).hex()}
    return hashlib.sha256(canonical(told)).digest()[:_VERSION_BYTES].hex()


def _pack(row: store.DayRow, token: str | None, lines: Sequence[ChecklistLine]) -> PackedInspection:
    return PackedInspection(
        **{name: getattr(row, name) for name in _PACKED},  # type: ignore[arg-type] - the same fields by the same names
        manuals=[],
        sealed_list=_seal(row, token, lines),
    )


def _seal(row: store.DayRow, token: str | None, lines: Sequence[ChecklistLine]) -> PackedList | None:
    """The list under the token at the door; without a valid code the server alone can open it."""
    if token is None or row.nonce is None or row.list_digest is None:
        return None
    text = list_text([_plain(line) for line in lines])
    sealed = seal_list(token, row.nonce, row.id, text, derive_list_iv(token, row.nonce, row.id, text))
    return PackedList(
        nonce=row.nonce.hex(),
        iv=sealed.iv.hex(),
        ciphertext=sealed.ciphertext.hex(),
        token_digest=sealed.token_digest.hex(),
        list_digest=row.list_digest.hex(),
        items=len(lines),
    )


def _plain(line: ChecklistLine) -> ChecklistLine:
    return ChecklistLine(**{name: getattr(line, name) for name in ChecklistLine.__struct_fields__})


async def held_numbers(connection: Connection, department_id: UUID, device_id: UUID) -> list[NumberBlock]:
    """The numbers that the device may still use offline, for papers of that department."""
    code = await _code_of(connection, department_id)
    held = await store.HELD_NUMBERS.all(connection, department_code=code, device_id=device_id)
    series = groupby(held, key=lambda each: (each.kind, each.year))
    return [
        NumberBlock(kind=kind, year=year, sequences=[each.sequence for each in numbers])
        for (kind, year), numbers in series
    ]


async def _code_of(connection: Connection, department_id: UUID) -> str:
    found = await store.DEPARTMENT_CODE.first(connection, department_id=department_id)
    if found is None:
        raise NotFound("没有该部门。")
    return found.code


async def lease_block(tx: Transaction, department_id: UUID, order: LeaseOrder) -> Outcome[LeaseAnswer]:
    """文号预领: numbers of 责令改正通知书 for a device to use where there is no network; each is used or voided.

    Raises `NotFound`.
    """
    code = await _code_of(tx.connection, department_id)
    issued = await lease_numbers(tx.connection, code, NumberKind.RECTIFICATION, order.device_id, order.count, tx.now)
    block = NumberBlock(
        kind=NumberKind.RECTIFICATION, year=issued[0].year, sequences=[each.sequence for each in issued]
    )
    event = NumbersLeased(
        subject_id=order.device_id,
        department_id=department_id,
        after=LeaseFacts(department_code=code, kind=block.kind, year=block.year, sequences=block.sequences),
    )
    return Outcome(answer=LeaseAnswer(device_id=order.device_id, block=block), events=(event,))
