"""诉求上报, step by step: submitted, accepted, answered or sent back, and ended."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.enterprise.store import SITE_BY_ID, SiteRow
from domain.evidence.attachments import attach
from domain.identity.model import Principal
from domain.membership.rules import acts_for
from domain.request import rules, store
from domain.request.events import RequestMoved, RequestStanding, RequestSubmitted
from domain.request.model import (
    EnterpriseRequest,
    NewRequest,
    RequestAnswer,
    RequestState,
    RequestStep,
    StepOrder,
)
from domain.shared.errors import InvalidField, NotFound
from domain.shared.fields import require_text
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

SUBMITTER_LABEL = "enterprise_request.submitter"
CONTACT_LABEL = "enterprise_request.contact"
DESCRIPTION_LABEL = "enterprise_request.description"
WORDS_LABEL = "request_step.words"


async def submit_request(tx: Transaction, principal: Principal, order: NewRequest) -> Outcome[RequestAnswer]:
    """诉求提交 (PUB-16, ENT-04): to the department named, or to the site's regulator.

    Raises `NotFound`, `InvalidField`, `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    site = await _own_site(tx.connection, principal, order.site_id)
    desk = await _desk(tx.connection, order.department_id or site.regulator_id)
    description = require_text(order.description, rules.WORDS_LENGTH, "description")
    submitter = require_text(order.submitter, rules.NAME_LENGTH, "submitter")
    request = EnterpriseRequest(
        id=tx.new_id(),
        enterprise_id=site.enterprise_id,
        site_id=site.id,
        region=site.region,
        department_id=desk.id,
        state=RequestState.SUBMITTED,
        title=require_text(order.title, rules.TITLE_LENGTH, "title"),
        category=order.category,
        urgency=order.urgency,
        submitter_sealed=tx.vault.seal(SUBMITTER_LABEL, submitter),
        contact_sealed=tx.vault.seal(CONTACT_LABEL, rules.require_contact(order.contact)),
        description_sealed=tx.vault.seal(DESCRIPTION_LABEL, description),
        submitted_by=principal.account_id,
        submitted_at=tx.now,
        due_on=rules.due_on(tx.now),
        answered_at=None,
        ended_at=None,
    )
    await store.INSERT_REQUEST.run(tx.connection, **msgspec.structs.asdict(request))
    await _attach(tx, principal, request.id, order.attachments)
    await _insert_step(tx, principal, request, RequestStep.SUBMIT, None)
    event = RequestSubmitted(
        subject_id=request.id,
        department_id=desk.id,
        region=site.region,
        after=_standing(request, description, order.attachments),
        enterprise_id=site.enterprise_id,
    )
    number = NumberRequest(department_code=desk.code, kind=NumberKind.REQUEST, subject_id=request.id)
    return Outcome(answer=_answer(request), events=(event,), numbers=(number,), location=_location(request.id))


async def take_step(
    tx: Transaction, principal: Principal, request_id: UUID, order: StepOrder
) -> Outcome[RequestAnswer]:
    """One step of either side: 受理, 答复, 退回补充, 转办, 办结; 补充, 确认办结, 撤回.

    Raises `NotFound`, `Forbidden`, `RequestStepNotPossible`, `AttachmentMissing`, `AttachmentQuotaReached` or
    `InvalidField`.
    """
    before = await store.LOCK_REQUEST.first(tx.connection, request_id=request_id)
    if before is None or not rules.may_see(principal, before):
        raise NotFound("没有该诉求。")
    state = rules.require_step(principal, before, order.step)
    words = rules.require_words(order.step, order.words)
    after = await _moved(tx, before, state, order)
    await store.MOVE_REQUEST.run(tx.connection, **msgspec.structs.asdict(after), of_request=after.id)
    await _attach(tx, principal, after.id, order.attachments)
    await _insert_step(tx, principal, after, order.step, words)
    event = RequestMoved(
        subject_id=after.id,
        department_id=after.department_id,
        region=after.region,
        before=_standing(before, None, ()),
        after=_standing(after, words, order.attachments),
        enterprise_id=after.enterprise_id,
        of_site_id=after.site_id,
        step=order.step,
    )
    return Outcome(answer=_answer(after), events=(event,), location=_location(after.id))


async def _moved(
    tx: Transaction, before: EnterpriseRequest, state: RequestState, order: StepOrder
) -> EnterpriseRequest:
    """The request after the step; a transfer or a supplement gives the department its term anew."""
    after = msgspec.structs.replace(before, state=state, ended_at=tx.now if rules.ends(state) else None)
    if order.step is RequestStep.ANSWER:
        return msgspec.structs.replace(after, answered_at=tx.now)
    if order.step is RequestStep.SUPPLEMENT:
        return msgspec.structs.replace(after, due_on=rules.due_on(tx.now))
    if order.step is RequestStep.TRANSFER:
        desk = await _desk(tx.connection, order.department_id)
        if desk.id == before.department_id:
            raise InvalidField("该诉求已由本部门办理。", field="department_id")
        return msgspec.structs.replace(after, department_id=desk.id, due_on=rules.due_on(tx.now))
    return after


async def _own_site(connection: Connection, principal: Principal, site_id: UUID) -> SiteRow:
    site = await SITE_BY_ID.first(connection, site_id=site_id)
    if site is None or not acts_for(principal, site.enterprise_id, site_id):
        raise NotFound("没有该经营场所。", field="site_id")
    return site


async def _desk(connection: Connection, department_id: UUID | None) -> store.Desk:
    found = None if department_id is None else await store.DESK.first(connection, department_id=department_id)
    if found is None:
        raise InvalidField("请选择受理部门。", field="department_id")
    return found


async def _attach(tx: Transaction, principal: Principal, request_id: UUID, digests: Sequence[str]) -> None:
    await attach(
        tx,
        uploader_id=principal.account_id,
        folder_id=request_id,
        digests=[bytes.fromhex(each) for each in digests],
        field="attachments",
        most=rules.MOST_ATTACHMENTS,
    )


async def _insert_step(
    tx: Transaction, principal: Principal, request: EnterpriseRequest, step: RequestStep, words: str | None
) -> None:
    await store.INSERT_STEP.run(
        tx.connection,
        id=tx.new_id(),
        request_id=request.id,
        step=step,
        state=request.state,
        department_id=request.department_id,
        words_sealed=None if words is None else tx.vault.seal(WORDS_LABEL, words),
        done_by=principal.account_id,
        done_at=tx.now,
    )


def _standing(request: EnterpriseRequest, words: str | None, attachments: Sequence[str]) -> RequestStanding:
    return RequestStanding(
        state=request.state,
        department_id=request.department_id,
        due_on=request.due_on,
        words_digest=None if words is None else hashlib.sha256(words.encode()).hexdigest(),
        attachments=list(attachments),
    )


def _answer(request: EnterpriseRequest) -> RequestAnswer:
    return RequestAnswer(id=request.id, state=request.state, department_id=request.department_id, due_on=request.due_on)


def _location(request_id: UUID) -> str:
    return f"/api/v1/enterprise-requests/{request_id}"
