"""搜索: look for words, and keep what is found in step with every act that makes something public or takes it away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from domain.checklist import events as checklists
from domain.exposure import events as exposures
from domain.manual import events as manuals
from domain.publication import events as publications
from domain.search import rules, store
from domain.search.model import Candidate, EntryKind, SearchFilters, SearchWords
from domain.search.open_data.operations import forget_dumps_with
from domain.shared.events import Event
from domain.shared.sql import Command, Connection
from domain.shared.transaction import Transaction

_ENOUGH: Final = 10
"""With so many entries that have the words as they were typed, nothing that is only near is looked for."""
_KEPT: Final[Mapping[type[Event], tuple[EntryKind, Command]]] = {
    **dict.fromkeys(
        (
            checklists.ChecklistPublished,
            checklists.ChecklistEdited,
            checklists.ChecklistStateChanged,
            checklists.ChecklistDeleted,
        ),
        (EntryKind.CHECKLIST, store.KEEP_CHECKLIST),
    ),
    **dict.fromkeys(
        (manuals.ManualPublished, manuals.ManualEdited, manuals.ManualDisabled), (EntryKind.MANUAL, store.KEEP_MANUAL)
    ),
    **dict.fromkeys(
        (
            publications.ResultPublished,
            publications.PublicationReleased,
            publications.PublicationWithheld,
            publications.PublicationWithdrawn,
        ),
        (EntryKind.RESULT, store.KEEP_RESULT),
    ),
    **dict.fromkeys(
        (exposures.ExposurePublished, exposures.ExposureWithdrawn), (EntryKind.EXPOSURE, store.KEEP_EXPOSURE)
    ),
}


async def keep_findable(tx: Transaction, event: Event) -> None:
    """What is found of the event's subject, as it stands after it: put in anew if it is public, else forgotten.

    What is withdrawn is taken out of the dumps, too.
    """
    kept = _KEPT.get(type(event))
    if kept is None:
        return
    kind, keep = kept
    await store.FORGET.run(tx.connection, kind=kind, entry_id=event.subject_id)
    await keep.run(tx.connection, entry_id=event.subject_id)
    if isinstance(event, publications.PublicationWithdrawn):
        await forget_dumps_with(tx, event.subject_id)


async def find(connection: Connection, words: SearchWords, filters: SearchFilters, today: date) -> list[Candidate]:
    """模糊搜索 (PUB-03): at most 600 entries, the likeliest first; near ones only where few have the very words."""
    always = rules.filter_terms(filters)
    given = {
        "word": words.words[0],
        "date_from": filters.date_from,
        "date_to": filters.date_to,
        "today": today,
    }
    exact = await store.ENTRIES_WITH.all(connection, terms=[*words.exact, *always], **given)
    near: list[Candidate] = []
    if len(exact) < _ENOUGH and words.near:
        near = await store.ENTRIES_NEAR.all(connection, **rules.near_places(words, always), **given)
    return rules.rank(words, exact, near)
