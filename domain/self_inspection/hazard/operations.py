"""隐患, step by step: recorded, planned, closed; reminded of when overdue; the severe one told to the regulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.checklist.model import Severity
from domain.evidence.attachments import attach
from domain.identity.model import Principal
from domain.membership.rules import acts_for
from domain.self_inspection.hazard import rules, store
from domain.self_inspection.hazard.events import (
    HazardClosed,
    HazardEscalated,
    HazardEvent,
    HazardFacts,
    HazardOverdue,
    HazardPlanned,
    HazardRecorded,
)
from domain.self_inspection.hazard.model import (
    ClosingOrder,
    HandlingOrder,
    Hazard,
    HazardAnswer,
    HazardReport,
    HazardState,
)
from domain.self_inspection.model import SelfCheckLine, SelfInspection
from domain.self_inspection.rules import believed, digest_of
from domain.self_inspection.store import SITE_TO_CHECK
from domain.shared.clock import local_date
from domain.shared.errors import InvalidField, NotFound
from domain.shared.events import Event
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

_RESPONSIBLE = "hazard.responsible"
_MOST_PHOTOS = 18
"""9 of before and 9 of afterwards."""


def folder_of(hazard: Hazard, photo: bytes) -> UUID:
    """Where a photo lies: what the self-inspection showed lies with that one, everything else with the hazard."""
    return hazard.id if photo not in hazard.photos_before else hazard.self_inspection_id or hazard.id


def open_responsible(vault: Vault, hazard: Hazard) -> str | None:
    """责任人 as the enterprise wrote it."""
    return None if hazard.responsible_sealed is None else vault.open(_RESPONSIBLE, hazard.responsible_sealed)


async def record_found(
    tx: Transaction, principal: Principal, found: SelfInspection, lines: Sequence[SelfCheckLine]
) -> tuple[list[Hazard], tuple[Event, ...]]:
    """登记隐患 of a self-inspection that is being submitted: one for each line, which bears its answer."""
    hazards = [_of_line(tx, principal, found, line) for line in lines]
    if hazards:
        await store.INSERT_HAZARD.run_many(tx.connection, [msgspec.structs.asdict(each) for each in hazards])
    return hazards, tuple(_event(HazardRecorded, None, each) for each in hazards)


def _of_line(tx: Transaction, principal: Principal, found: SelfInspection, line: SelfCheckLine) -> Hazard:
    answer = line.answer
    return _new(
        tx,
        principal,
        enterprise_id=found.enterprise_id,
        site_id=found.site_id,
        region=found.region,
        self_inspection_id=found.id,
        item_id=line.item_id,
        title=line.content,
        description=None if answer is None else answer.remark,
        severity=line.severity,
        photos_before=[] if answer is None else [bytes.fromhex(photo) for photo in answer.photos],
    )


def _new(tx: Transaction, principal: Principal, **fields: Any) -> Hazard:
    found_at = believed(tx.done_at, tx.now)
    blank: dict[str, Any] = dict.fromkeys(Hazard.__struct_fields__) | {
        "id": tx.new_id(),
        "state": HazardState.OPEN,
        "version": 1,
        "found_at": found_at,
        "found_by": principal.account_id,
        # From the receipt on: what is entered late does not begin overdue.
        "due_on": rules.suggested_due_on(fields["severity"], local_date(tx.now)),
        "photos_after": [],
        "reminders": 0,
    }
    return Hazard(**{**blank, **fields})


async def report_hazard(tx: Transaction, principal: Principal, order: HazardReport) -> Outcome[HazardAnswer]:
    """登记隐患 that was found outside of a self-inspection.

    Raises `NotFound`, `InvalidField`, `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    site = await SITE_TO_CHECK.first(tx.connection, site_id=order.site_id)
    if site is None or not acts_for(principal, site.enterprise_id, site.id):
        raise NotFound("没有该经营场所。", field="site_id")
    if len(set(order.photos)) != len(order.photos):
        raise InvalidField("同一张照片只附一次。", field="photos")
    photos = [bytes.fromhex(photo) for photo in order.photos]
    hazard = _new(
        tx,
        principal,
        enterprise_id=site.enterprise_id,
        site_id=site.id,
        region=site.region,
        title=rules.require_words(order.title, "title"),
        description=(order.description or "").strip() or None,
        severity=order.severity,
        photos_before=photos,
    )
    if order.due_on is not None:
        due_on = rules.require_term(hazard.severity, local_date(hazard.found_at), order.due_on)
        hazard = msgspec.structs.replace(hazard, due_on=due_on)
    await store.INSERT_HAZARD.run(tx.connection, **msgspec.structs.asdict(hazard))
    await attach(tx, uploader_id=principal.account_id, folder_id=hazard.id, digests=photos, field="photos")
    return Outcome(
        answer=_answer(hazard),
        events=(_event(HazardRecorded, None, hazard),),
        location=f"/api/v1/hazards/{hazard.id}",
    )


async def plan_handling(
    tx: Transaction, principal: Principal, hazard_id: UUID, order: HandlingOrder, expected: int
) -> Outcome[HazardAnswer]:
    """隐患治理; `expected` is the version that the caller saw.

    Raises `NotFound`, `HazardAlreadyClosed`, `HazardChanged` or `InvalidField`.
    """
    before = await _lock(tx, principal, hazard_id)
    sealed = tx.vault.seal(_RESPONSIBLE, rules.require_words(order.responsible, "responsible"))
    after = rules.plan(before, order, sealed, local_date(before.found_at), expected)
    return await _save(tx, HazardPlanned, before, after)


async def close_hazard(
    tx: Transaction, principal: Principal, hazard_id: UUID, order: ClosingOrder
) -> Outcome[HazardAnswer]:
    """隐患销号.

    Raises `NotFound`, `HazardAlreadyClosed`, `InvalidField`, `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    before = await _lock(tx, principal, hazard_id)
    after = rules.close(before, order, principal.account_id, tx.now)
    fresh = [photo for photo in after.photos_after if folder_of(before, photo) == hazard_id]
    await attach(
        tx, uploader_id=principal.account_id, folder_id=hazard_id, digests=fresh, field="photos", most=_MOST_PHOTOS
    )
    return await _save(tx, HazardClosed, before, after)


async def escalate_hazard(tx: Transaction, principal: Principal, hazard_id: UUID) -> Outcome[HazardAnswer]:
    """重大隐患上报 by the enterprise itself, before anybody asks.

    Raises `NotFound`, `HazardAlreadyClosed`, `HazardNotSevere` or `HazardAlreadyEscalated`.
    """
    before = rules.require_open(await _lock(tx, principal, hazard_id))
    site = await SITE_TO_CHECK.one(tx.connection, site_id=before.site_id)
    return await _save(tx, HazardEscalated, before, rules.escalate(before, site.regulator_id, tx.now))


async def remind_overdue(tx: Transaction, limit: int) -> Outcome[int]:
    """隐患逾期提醒: once a day after the term, once a week after; 重大隐患 then goes to the regulator as well.

    Answers how many; as many as `limit` means that there may be more. Rows that another worker holds are left to it.
    """
    today = local_date(tx.now)
    first, last = rules.DEFAULT_POLICY.remind_after_days
    due = await store.LOCK_TO_REMIND.all(
        tx.connection,
        first_due_on=today - timedelta(days=first),
        last_due_on=today - timedelta(days=last),
        limit=limit,
    )
    events: list[Event] = []
    changed: list[Hazard] = []
    for before in due:
        after = msgspec.structs.replace(before, reminders=rules.reminders_due(before, today))
        days = (today - before.due_on).days
        told = {"of_site_id": before.site_id, "days": days, "is_last": after.reminders > 1}
        events.append(_event(HazardOverdue, before, after, **told))
        if before.severity is Severity.SEVERE and before.escalated_at is None:
            site = await SITE_TO_CHECK.one(tx.connection, site_id=before.site_id)
            after = rules.escalate(after, site.regulator_id, tx.now)
            events.append(_event(HazardEscalated, before, after))
        changed.append(after)
    if changed:
        await store.UPDATE_HAZARD.run_many(tx.connection, [_changes(each) for each in changed])
    return Outcome(answer=len(due), events=tuple(events))


async def _lock(tx: Transaction, principal: Principal, hazard_id: UUID) -> Hazard:
    found = await store.LOCK_HAZARD.first(tx.connection, hazard_id=hazard_id)
    if found is None or not acts_for(principal, found.enterprise_id, found.site_id):
        raise NotFound("没有该隐患。")
    return found


async def _save(
    tx: Transaction, kind: Callable[..., HazardEvent], before: Hazard, after: Hazard
) -> Outcome[HazardAnswer]:
    await store.UPDATE_HAZARD.run(tx.connection, **_changes(after))
    return Outcome(answer=_answer(after), events=(_event(kind, before, after),))


def _changes(hazard: Hazard) -> dict[str, object]:
    return {**msgspec.structs.asdict(hazard), "of_hazard": hazard.id}


def _answer(hazard: Hazard) -> HazardAnswer:
    return HazardAnswer(**{name: getattr(hazard, name) for name in HazardAnswer.__struct_fields__})


def _event(kind: Callable[..., HazardEvent], before: Hazard | None, after: Hazard, **more: Any) -> HazardEvent:
    where: dict[str, Any] = {}
    if after.escalated_at is not None:  # before that it is nobody else's
        where = {"region": after.region, "department_id": after.escalated_to, "site_id": after.site_id}
    return kind(
        subject_id=after.id,
        enterprise_id=after.enterprise_id,
        before=None if before is None else _facts(before),
        after=_facts(after),
        **where,
        **more,
    )


def _facts(hazard: Hazard) -> HazardFacts:
    written = (hazard.title, hazard.description, hazard.severity, hazard.measures, hazard.closing_note)
    return HazardFacts(state=hazard.state, version=hazard.version, due_on=hazard.due_on, digest=digest_of(written))
