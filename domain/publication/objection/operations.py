"""结果异议, step by step: filed by the enterprise, decided by somebody who was not there, or withdrawn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.evidence.attachments import attach
from domain.identity.model import Principal
from domain.publication import operations as publications
from domain.publication import store as publication_store
from domain.publication.events import (
    PublicationEvent,
    PublicationReleased,
    PublicationWithdrawn,
    PublicationWithheld,
    ResultContested,
)
from domain.publication.model import Publication, PublicationState
from domain.publication.objection import rules, store
from domain.publication.objection.events import (
    ObjectionDecided,
    ObjectionFiled,
    ObjectionStanding,
    ObjectionWithdrawn,
)
from domain.publication.objection.model import (
    Decision,
    DecisionOrder,
    NewObjection,
    Objection,
    ObjectionAnswer,
    ObjectionState,
)
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction

REASONS_LABEL: Final = "objection.reasons"


async def file_objection(
    tx: Transaction, principal: Principal, publication_id: UUID, order: NewObjection
) -> Outcome[ObjectionAnswer]:
    """提出异议: the result is held back, or marked where it is public, until it is decided or the term is over.

    Raises `NotFound`, `AlreadyWithdrawn`, `ObjectionTermOver`, `ObjectionOpen`, `ObjectionClosed`,
    `AttachmentMissing`, `AttachmentQuotaReached` or `InvalidField`.
    """
    before = await publications.lock_publication(tx, principal, publication_id)
    reasons = rules.require_filing(before, order.reasons, tx.now)
    if await store.OPEN_OF_PUBLICATION.first(tx.connection, publication_id=publication_id) is not None:
        raise rules.ObjectionOpen("该结果已有一份异议在处理中。")
    filed = Objection(
        id=tx.new_id(),
        publication_id=publication_id,
        inspection_id=before.inspection_id,
        enterprise_id=before.enterprise_id,
        site_id=before.site_id,
        region=before.region,
        department_id=before.department_id,
        state=ObjectionState.OPEN,
        reasons_sealed=tx.vault.seal(REASONS_LABEL, reasons),
        filed_by=principal.account_id,
        filed_at=tx.now,
        due_at=before.latest_at,
        decided_by=None,
        decision=None,
        ended_at=None,
    )
    await store.INSERT_OBJECTION.run(tx.connection, **msgspec.structs.asdict(filed))
    await _attach(tx, principal, filed.id, order.attachments)
    after = rules.held_back(before, tx.now)
    facts = _standing(filed, reasons=reasons, attachments=order.attachments)
    events = (ObjectionFiled(**_about(filed), after=facts), *await _save(tx, before, after))
    desk = await store.CODE_OF_DEPARTMENT.one(tx.connection, department_id=filed.department_id)
    number = NumberRequest(department_code=desk.code, kind=NumberKind.OBJECTION, subject_id=filed.id)
    location = f"/api/v1/objections/{filed.id}"
    return Outcome(answer=_answer(filed, after), events=events, numbers=(number,), location=location)


async def decide_objection(
    tx: Transaction, principal: Principal, objection_id: UUID, order: DecisionOrder
) -> Outcome[ObjectionAnswer]:
    """异议处理. Upheld, even in part, the result is public no more or never; rejected, it is freed.

    Raises `NotFound`, `Forbidden`, `DeciderWasThere`, `ObjectionClosed` or `InvalidField`.
    """
    objection, before = await _lock(tx, principal, objection_id)
    attendance = await store.ATTENDANCE.one(tx.connection, inspection_id=objection.inspection_id)
    rules.require_decider(principal, objection, attendance)
    rules.require_open(objection)
    reason = rules.require_decision(order.reason)
    decided = msgspec.structs.replace(
        objection,
        state=ObjectionState(order.decision.value),
        decided_by=principal.account_id,
        decision=reason,
        ended_at=tx.now,
    )
    after = rules.after_decision(before, Decision(order.decision), tx.now)
    return await _end(tx, ObjectionDecided, objection, decided, before, after)


async def withdraw_objection(tx: Transaction, principal: Principal, objection_id: UUID) -> Outcome[ObjectionAnswer]:
    """撤回异议: the result goes on as if there had been none. Raises `NotFound` or `ObjectionClosed`."""
    objection, before = await _lock(tx, principal, objection_id)
    rules.require_open(objection)
    withdrawn = msgspec.structs.replace(objection, state=ObjectionState.WITHDRAWN, ended_at=tx.now)
    return await _end(tx, ObjectionWithdrawn, objection, withdrawn, before, rules.freed(before, tx.now))


async def _end(
    tx: Transaction,
    kind: Callable[..., Event],
    objection: Objection,
    ended: Objection,
    before: Publication,
    after: Publication,
) -> Outcome[ObjectionAnswer]:
    await store.END_OBJECTION.run(
        tx.connection,
        of_objection=ended.id,
        state=ended.state,
        decided_by=ended.decided_by,
        decision=ended.decision,
        ended_at=ended.ended_at,
    )
    event = kind(**_about(ended), before=_standing(objection), after=_standing(ended))
    return Outcome(answer=_answer(ended, after), events=(event, *await _save(tx, before, after)))


async def _lock(tx: Transaction, principal: Principal, objection_id: UUID) -> tuple[Objection, Publication]:
    """Both, the publication first, in the order in which filing takes them. Raises `NotFound`."""
    known = await store.OBJECTION_BY_ID.first(tx.connection, objection_id=objection_id)
    if known is None:
        raise NotFound("没有该异议。")
    publication = await publication_store.LOCK_PUBLICATION.first(tx.connection, publication_id=known.publication_id)
    objection = await store.LOCK_OBJECTION.first(tx.connection, objection_id=objection_id)
    if publication is None or objection is None or not rules.may_see(principal, objection, publication.departments):
        raise NotFound("没有该异议。")
    return objection, publication


async def _save(tx: Transaction, before: Publication, after: Publication) -> tuple[PublicationEvent, ...]:
    """What became of the publication, if anything did."""
    if after == before:
        return ()
    return (await publications.save_publication(tx, _kind_of(before, after), before, after),)


def _kind_of(before: Publication, after: Publication) -> Callable[..., PublicationEvent]:
    if after.state is PublicationState.WITHDRAWN:
        return PublicationWithdrawn
    if after.state is PublicationState.WITHHELD:
        return PublicationWithheld
    if after.is_contested and not before.is_contested:
        return ResultContested
    return PublicationReleased


async def _attach(tx: Transaction, principal: Principal, objection_id: UUID, digests: Sequence[str]) -> None:
    await attach(
        tx,
        uploader_id=principal.account_id,
        folder_id=objection_id,
        digests=[bytes.fromhex(each) for each in digests],
        field="attachments",
    )


def _about(objection: Objection) -> dict[str, Any]:
    return {
        "subject_id": objection.id,
        "department_id": objection.department_id,
        "region": objection.region,
        "site_id": objection.site_id,
        "enterprise_id": objection.enterprise_id,
    }


def _standing(
    objection: Objection, *, reasons: str | None = None, attachments: Sequence[str] = ()
) -> ObjectionStanding:
    return ObjectionStanding(
        publication_id=objection.publication_id,
        inspection_id=objection.inspection_id,
        state=objection.state,
        due_at=objection.due_at,
        reasons_digest=_digest(reasons),
        decision_digest=_digest(objection.decision),
        attachments=list(attachments),
    )


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _answer(objection: Objection, publication: Publication) -> ObjectionAnswer:
    return ObjectionAnswer(
        id=objection.id,
        publication_id=objection.publication_id,
        state=objection.state,
        due_at=objection.due_at,
        publication_state=publication.state,
        is_contested=publication.is_contested,
    )
