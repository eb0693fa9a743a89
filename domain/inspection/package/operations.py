"""Packing the day: bounded, and only what the phone does not have yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from codes.token import TokenKeys, issue_token
from domain.inspection.answers.content import list_text
from domain.inspection.answers.model import DrawnItem
from domain.inspection.package import rules, store
from domain.inspection.package.events import LeaseFacts, NumbersLeased
from domain.inspection.package.model import (
    HeldNumber,
    InspectionOfDay,
    LeaseAnswer,
    LeaseOrder,
    NumberBlock,
    PackageEntry,
    PackedInspection,
    PackedList,
)
from domain.selection.sealing import derive_list_iv, seal_list, token_digest
from domain.shared.errors import NotFound
from domain.shared.numbers import NumberKind, lease_numbers, paper_number
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

MOST_INSPECTIONS: Final = 60
MOST_BYTES: Final = 3 * 1024 * 1024
"""A package is bounded: what does not fit comes with the next request."""
_AHEAD = timedelta(days=1)
_VERSION_BYTES: Final = 8


class Start(NamedTuple):
    """After which inspection a package goes on."""

    due_on: date
    id: UUID


FIRST: Final = Start(date.min, UUID(int=0))


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that fit, and after which one to go on; None at the end."""

    entries: list[PackageEntry]
    last: Start | None


async def pack_day(
    connection: Connection,
    officer_id: UUID,
    today: date,
    keys: TokenKeys,
    *,
    have: Collection[str],
    start: Start = FIRST,
) -> Packed:
    """当日任务包 of an officer: what is open today or begins tomorrow, by due date. Nothing is written.

    `have` are the versions that the phone holds; those come without content.
    """
    rows = await store.DAY.all(
        connection,
        officer_id=officer_id,
        until=today + _AHEAD,
        after_due_on=start.due_on,
        after_id=start.id,
        limit=MOST_INSPECTIONS + 1,
    )
    is_more = len(rows) > MOST_INSPECTIONS
    rows = rows[:MOST_INSPECTIONS]
    tokens = [None if row.code_id is None else issue_token(keys, row.code_id, row.key_version) for row in rows]
    versions = [_version(row, token) for row, token in zip(rows, tokens, strict=True)]
    new = [row.id for row, version in zip(rows, versions, strict=True) if version not in have and row.list_digest]
    lines = await _lines_of(connection, new)
    entries: list[PackageEntry] = []
    room = MOST_BYTES
    last: Start | None = None
    for row, token, version in zip(rows, tokens, versions, strict=True):
        entry = PackageEntry(id=row.id, version=version)
        if version not in have:
            packed = _pack(row, token, lines.get(row.id, []))
            room -= len(msgspec.json.encode(packed))
            if room < 0 and entries:
                return Packed(entries=entries, last=last)
            entry = msgspec.structs.replace(entry, inspection=packed)
        entries.append(entry)
        last = Start(row.due_on, row.id)
    return Packed(entries=entries, last=last if is_more else None)


async def _lines_of(connection: Connection, inspections: Sequence[UUID]) -> dict[UUID, list[DrawnItem]]:
    if not inspections:
        return {}
    rows = await store.LINES_OF_MANY.all(connection, inspections=inspections)
    return {key: list(lines) for key, lines in groupby(rows, key=lambda line: line.inspection_id)}


def _version(row: store.DayRow, token: str | None) -> str:
    """Names the content: a new code at the door, another officer or another position makes another version."""
    told = msgspec.to_builtins(row) | {"token": None if token is None else token_digest(token).hex()}
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).digest()[:_VERSION_BYTES].hex()


def _pack(row: store.DayRow, token: str | None, lines: Sequence[DrawnItem]) -> PackedInspection:
    return PackedInspection(
        **{name: getattr(row, name) for name in InspectionOfDay.__struct_fields__},
        manuals=row.manuals,
        sealed_list=_seal(row, token, lines),
    )


def _seal(row: store.DayRow, token: str | None, lines: Sequence[DrawnItem]) -> PackedList | None:
    """The list under the token at the door; without a valid code the server alone can open it."""
    if token is None or row.nonce is None or row.list_digest is None:
        return None
    text = list_text(lines)
    sealed = seal_list(token, row.nonce, row.id, text, derive_list_iv(token, row.nonce, row.id, text))
    return PackedList(
        nonce=row.nonce.hex(),
        iv=sealed.iv.hex(),
        ciphertext=sealed.ciphertext.hex(),
        token_digest=sealed.token_digest.hex(),
        list_digest=row.list_digest.hex(),
        items=len(lines),
    )


async def held_numbers(connection: Connection, department_id: UUID, device_id: UUID) -> list[NumberBlock]:
    """The numbers that the device may still use offline, for papers of that department."""
    series = await _series_of(connection, department_id)
    held = await store.HELD_NUMBERS.all(connection, department_code=series.code, device_id=device_id)
    grouped = groupby(held, key=lambda each: (each.kind, each.year))
    return [_block(series, kind, year, [each.sequence for each in numbers]) for (kind, year), numbers in grouped]


def _block(series: store.NumberSeries, kind: NumberKind, year: int, sequences: Sequence[int]) -> NumberBlock:
    return NumberBlock(
        kind=kind,
        year=year,
        numbers=[
            HeldNumber(sequence=each, text=paper_number(series.paper_word, series.code, kind, year, each))
            for each in sequences
        ],
    )


async def _series_of(connection: Connection, department_id: UUID) -> store.NumberSeries:
    found = await store.SERIES_OF_DEPARTMENT.first(connection, department_id=department_id)
    if found is None:
        raise NotFound("没有该部门。")
    return found


async def lease_block(tx: Transaction, department_id: UUID, order: LeaseOrder) -> Outcome[LeaseAnswer]:
    """文号预领: numbers of 责令改正通知书 for a device to use where there is no network; each is used or voided.

    Raises `NotFound`, or `NumbersStillHeld` when the device would hold more than it could use in a day.
    """
    series = await _series_of(tx.connection, department_id)
    held = await store.HELD_NUMBERS.all(tx.connection, department_code=series.code, device_id=order.device_id)
    rules.require_room_for(order.count, len(held))
    kind = NumberKind.RECTIFICATION
    issued = await lease_numbers(tx.connection, series.code, kind, order.device_id, order.count, tx.now)
    sequences = [each.sequence for each in issued]
    event = NumbersLeased(
        subject_id=order.device_id,
        department_id=department_id,
        after=LeaseFacts(department_code=series.code, kind=kind, year=issued[0].year, sequences=sequences),
    )
    block = _block(series, kind, issued[0].year, sequences)
    return Outcome(answer=LeaseAnswer(device_id=order.device_id, block=block), events=(event,))
