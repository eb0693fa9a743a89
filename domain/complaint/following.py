"""查询进度 by query code: how it stands, more material, withdrawing, and having it reopened once."""

from __future__ import annotations

import hmac
import math
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.complaint import course, rules
from domain.complaint.events import GrievanceMerged, GrievanceReopened, GrievanceSupplemented, GrievanceWithdrawn
from domain.complaint.filing import query_code_index
from domain.complaint.grievance_store import STORES, GrievanceStore
from domain.complaint.keeping import Change, history, open_person, reply_of, save
from domain.complaint.model import (
    TO_COMPLAINANT,
    Grievance,
    GrievanceAnswer,
    GrievanceKind,
    GrievanceState,
    GrievanceType,
    HistoryKind,
)
from domain.complaint.rules import DEFAULT_POLICY
from domain.complaint.store import PLACE_BY_ID
from domain.evidence.attachments import attach
from domain.shared.clock import local_date
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from domain.visitor.model import CitizenPass

_MOST_SUPPLEMENTS: Final = 10


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What a query code leads to."""

    kind: GrievanceKind
    id: UUID


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the digits were right; after too many wrong ones, in how many seconds one may try again."""

    is_right: bool
    retry_after: int | None = None


class FollowUpEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history as the complainant reads it."""

    at: datetime
    label: str
    text: str | None


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """办理进度: what the complainant is told, and what they can still do."""

    kind: GrievanceKind
    number: str
    type: GrievanceType
    type_label: str
    state: GrievanceState
    state_label: str
    site_name: str
    enterprise_name: str
    department: str
    hotline: str | None
    filed_at: datetime
    term_label: str | None
    due_on: date | None
    entries: list[FollowUpEntry]
    can_supplement: bool
    can_withdraw: bool
    can_reopen: bool
    reopen_until: date | None


async def seek(connection: Connection, vault: Vault, typed: str) -> Sought:
    """What the code leads to: a 投诉 or a 举报. Raises `InvalidField` or `NotFound`."""
    code = rules.require_query_code(typed)
    for kind, store in STORES.items():
        found = await store.by_query_code.first(connection, query_code_index=query_code_index(vault, kind, code))
        if found is not None:
            return Sought(kind=kind, id=found.id)
    raise NotFound("没有查到该查询码对应的投诉或举报，请核对回执。", field="query_code")


async def try_tail(tx: Transaction, sought: Sought, typed: str | None) -> Outcome[Tried]:
    """核对手机号后4位: wrong ones are counted, also many at once, so this is no refusal but an answer that is kept.

    Raises `InvalidField` for what are no four digits.
    """
    store = STORES[sought.kind]
    tail = rules.read_tail(typed)
    tries = await store.lock_tries.one(tx.connection, grievance_id=sought.id)
    person = open_person(tx.vault, store, tries.person_sealed)
    if person is None:
        return Outcome(answer=Tried(is_right=True))
    since = tx.now - DEFAULT_POLICY.tail_wait
    if tries.tried_at is not None and tries.tried_at > since and tries.failed_tries >= DEFAULT_POLICY.tail_tries:
        return Outcome(answer=Tried(is_right=False, retry_after=math.ceil((tries.tried_at - since).total_seconds())))
    if tail is None:
        return Outcome(answer=Tried(is_right=False))
    if hmac.compare_digest(tail, person.phone[-len(tail) :]):
        return Outcome(answer=Tried(is_right=True))
    await store.count_try.run(tx.connection, of_grievance=sought.id, since=since, now=tx.now)
    return Outcome(answer=Tried(is_right=False))


def require_right(tried: Tried) -> None:
    """Raises `TooManyTries` or `PhoneTailRequired`."""
    if tried.retry_after is not None:
        raise rules.TooManyTries("手机号后4位多次不符，请稍后再试。", retry_after=tried.retry_after)
    if not tried.is_right:
        raise rules.PhoneTailRequired("请填写提交时所用手机号的后4位。", field="phone_tail")


async def read_follow_up(connection: Connection, vault: Vault, sought: Sought, now: datetime) -> FollowUp:
    """办理进度 as it stands now."""
    store = STORES[sought.kind]
    found = await store.by_id.one(connection, grievance_id=sought.id)
    number = await store.number.one(connection, grievance_id=sought.id)
    place = await PLACE_BY_ID.one(connection, site_id=found.site_id)
    lines = await history(connection, vault, store, found.id)
    can_reopen = course.may_reopen(store.kind, found, now)
    return FollowUp(
        kind=store.kind,
        number=number.number,
        type=found.type,
        type_label=found.type.label,
        state=found.state,
        state_label=found.state.label,
        site_name=place.site_name,
        enterprise_name=place.enterprise_name,
        department=found.department_name,
        hotline=found.hotline,
        filed_at=found.filed_at,
        term_label=found.term.label if found.is_open else None,
        due_on=found.due_on if found.is_open else None,
        entries=[
            FollowUpEntry(at=entry.at, label=entry.kind.label, text=text)
            for entry, text in lines
            if entry.kind in TO_COMPLAINANT
        ],
        can_supplement=found.is_open,
        can_withdraw=found.is_open,
        can_reopen=can_reopen,
        reopen_until=_reopen_until(found) if can_reopen else None,
    )


def _reopen_until(found: Grievance) -> date | None:
    if found.answered_at is None:
        return None
    return local_date(found.answered_at) + timedelta(days=DEFAULT_POLICY.reopening_days)


async def supplement(
    tx: Transaction, citizen: CitizenPass, sought: Sought, text: str, attachments: list[str]
) -> Outcome[GrievanceAnswer]:
    """补充材料 while it is open. Raises `InvalidField`, `StepNotPossible`, `AttachmentMissing` or its quota's error."""
    store, before = await _lock(tx, sought)
    words = rules.require_words(text)
    course.require_supplementable(before)
    said = await store.count_entries.one(tx.connection, grievance_id=before.id, kind=HistoryKind.SUPPLEMENTED.value)
    if said.count >= _MOST_SUPPLEMENTS:
        raise InvalidField(f"最多补充{_MOST_SUPPLEMENTS}次。", field="text")
    digests = [bytes.fromhex(each) for each in attachments]
    await attach(tx, uploader_id=citizen.id, folder_id=before.id, digests=digests, field="attachments")
    change = Change(
        before=before, after=before, entry=HistoryKind.SUPPLEMENTED, text=words, event=GrievanceSupplemented
    )
    return Outcome(answer=reply_of(before), events=await save(tx, store, [change], None))


async def withdraw(tx: Transaction, sought: Sought) -> Outcome[GrievanceAnswer]:
    """撤回. Those that were merged into it go on by themselves, the oldest leading. Raises `StepNotPossible`."""
    store, before = await _lock(tx, sought)
    after = course.withdraw(before, tx.now)
    change = Change(before=before, after=after, entry=HistoryKind.WITHDRAWN, event=GrievanceWithdrawn)
    locked = await store.lock_followers.all(tx.connection, ids=[before.id])
    followers = sorted(locked, key=lambda each: (each.filed_at, each.id))
    freed = [
        Change(before=each, after=heir, entry=HistoryKind.MERGED, event=GrievanceMerged)
        for each, heir in zip(followers, _heirs(followers), strict=True)
    ]
    return Outcome(answer=reply_of(after), events=await save(tx, store, [change, *freed], None))


def _heirs(followers: list[Grievance]) -> list[Grievance]:
    """The first leads from now on, the others follow it."""
    return [
        msgspec.structs.replace(each, leading_id=None if each is followers[0] else followers[0].id)
        for each in followers
    ]


async def reopen(tx: Transaction, sought: Sought, reason: str) -> Outcome[GrievanceAnswer]:
    """申请重新办理, once. Raises `InvalidField`, `StepNotPossible`, `AlreadyReopened` or `ReopeningTermOver`."""
    store, before = await _lock(tx, sought)
    words = rules.require_words(reason, "reason")
    after = course.reopen(store.kind, before, tx.now)
    change = Change(before=before, after=after, entry=HistoryKind.REOPENED, text=words, event=GrievanceReopened)
    return Outcome(answer=reply_of(after), events=await save(tx, store, [change], None))


async def _lock(tx: Transaction, sought: Sought) -> tuple[GrievanceStore, Grievance]:
    store = STORES[sought.kind]
    return store, await store.lock.one(tx.connection, grievance_id=sought.id)
