"""How one is kept: words and author sealed, each change saved with a line of its history and told as an event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.complaint.events import standing_of
from domain.complaint.grievance_store import GrievanceStore
from domain.complaint.model import (
    Entry,
    Grievance,
    GrievanceAnswer,
    GrievanceKind,
    GrievanceState,
    HistoryKind,
    Narrative,
    Person,
)
from domain.shared.events import Event
from domain.shared.sql import Connection
from domain.shared.transaction import Transaction
from domain.shared.vault import Vault


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an act makes of one: the line of its history, its words, and the event's class (None: told elsewhere)."""

    before: Grievance
    after: Grievance
    entry: HistoryKind
    text: str | None = None
    event: Callable[..., Event] | None = None


def digest_of(text: str | None) -> str | None:
    """SHA-256, hexadecimal: what the trace keeps of words that may name people."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def seal_narrative(vault: Vault, store: GrievanceStore, narrative: Narrative) -> bytes:
    """What happened, sealed."""
    return vault.seal(f"{store.name}.content", msgspec.json.encode(narrative).decode())


def open_narrative(vault: Vault, store: GrievanceStore, grievance: Grievance) -> Narrative:
    """What happened."""
    return msgspec.json.decode(vault.open(f"{store.name}.content", grievance.content_sealed), type=Narrative)


def seal_person(vault: Vault, store: GrievanceStore, person: Person) -> bytes:
    """Who complains, sealed."""
    return vault.seal(f"{store.name}.person", msgspec.json.encode(person).decode())


def open_person(vault: Vault, store: GrievanceStore, sealed: bytes | None) -> Person | None:
    """Who complains; None for an anonymous 举报."""
    if sealed is None:
        return None
    return msgspec.json.decode(vault.open(f"{store.name}.person", sealed), type=Person)


def seal_words(vault: Vault, store: GrievanceStore, text: str) -> bytes:
    """Other words about it, sealed."""
    return vault.seal(f"{store.name}.words", text)


def open_words(vault: Vault, store: GrievanceStore, sealed: bytes | None) -> str | None:
    """Other words about it."""
    return None if sealed is None else vault.open(f"{store.name}.words", sealed)


def told(
    event: Callable[..., Event],
    kind: GrievanceKind,
    before: Grievance | None,
    after: Grievance,
    text: str | None = None,
) -> Event:
    """The event of an act. It names the site only where its public page changes: with what is concluded of 投诉."""
    closed = GrievanceState.CLOSED in {after.state, None if before is None else before.state}
    return event(
        subject_id=after.id,
        department_id=after.department_id,
        region=after.region,
        site_id=after.site_id if closed and kind is GrievanceKind.COMPLAINT else None,
        before=None if before is None else standing_of(kind, before),
        after=standing_of(kind, after, digest_of(text)),
        department_name=after.department_name,
        is_named=after.person_sealed is not None,
    )


async def save(
    tx: Transaction, store: GrievanceStore, changes: Sequence[Change], account_id: UUID | None
) -> tuple[Event, ...]:
    """Save every change with its line of history; gives their events."""
    if not changes:
        return ()
    await store.update.run_many(tx.connection, [columns_of(each.after) for each in changes])
    await store.insert_entry.run_many(
        tx.connection,
        [
            msgspec.structs.asdict(
                Entry(
                    id=tx.new_id(),
                    grievance_id=each.after.id,
                    kind=each.entry,
                    at=tx.now,
                    text_sealed=None if each.text is None else seal_words(tx.vault, store, each.text),
                    account_id=account_id,
                )
            )
            for each in changes
        ],
    )
    return tuple(
        told(each.event, store.kind, each.before, each.after, each.text) for each in changes if each.event is not None
    )


async def history(
    connection: Connection, vault: Vault, store: GrievanceStore, of: UUID
) -> list[tuple[Entry, str | None]]:
    """Its history with the words opened, the oldest first."""
    entries = await store.entries.all(connection, grievance_id=of)
    return [(each, open_words(vault, store, each.text_sealed)) for each in entries]


def columns_of(grievance: Grievance) -> dict[str, Any]:
    """What its row is updated with."""
    return {**msgspec.structs.asdict(grievance), "of_grievance": grievance.id}


def reply_of(grievance: Grievance) -> GrievanceAnswer:
    """How it stands after an act."""
    return GrievanceAnswer(
        id=grievance.id,
        state=grievance.state,
        term=grievance.term,
        due_on=grievance.due_on,
        handler_id=grievance.handler_id,
        leading_id=grievance.leading_id,
        inspection_id=grievance.inspection_id,
    )
