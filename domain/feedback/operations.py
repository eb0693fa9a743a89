"""信息反馈: given by a citizen or an enterprise, answered by the department, read by its code."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.feedback import rules, store
from domain.feedback.events import FeedbackAnswered, FeedbackFacts, FeedbackGiven
from domain.feedback.model import (
    About,
    Feedback,
    FeedbackAnswer,
    FeedbackGivenAnswer,
    FeedbackOrder,
    FeedbackState,
    FeedbackStatus,
    Subject,
)
from domain.identity.model import Principal
from domain.shared.errors import InvalidField, NotFound
from domain.shared.fields import require_text
from domain.shared.query_code import query_code_of
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault


async def find_subject(connection: Connection, about: About, about_id: UUID, item_code: str | None) -> Subject:
    """What anybody may give feedback on. Raises `NotFound`, or `InvalidField` for an item that is not in it."""
    statement = store.ENABLED_CHECKLIST if about is About.CHECKLIST else store.PUBLISHED_MANUAL
    found = await statement.first(connection, about_id=about_id, item_code=item_code)
    if found is None:
        raise NotFound("没有该检查单或手册，或已停用。", field="about_id")
    if item_code is not None and not found.has_item:
        raise InvalidField("其中没有该项。", field="item_code")
    return found


async def give_feedback(
    tx: Transaction, order: FeedbackOrder, enterprise_id: UUID | None = None
) -> Outcome[FeedbackGivenAnswer]:
    """提交反馈; what is written may name people, so it is sealed. Raises `NotFound` or `InvalidField`."""
    text = require_text(order.text, rules.TEXT_LENGTH, "text")
    subject = await find_subject(tx.connection, order.about, order.about_id, order.item_code)
    given = Feedback(
        id=tx.new_id(),
        kind=order.kind,
        about=order.about,
        about_id=order.about_id,
        about_name=subject.name,
        item_code=order.item_code,
        department_id=subject.department_id,
        text_sealed=tx.vault.seal(rules.TEXT_LABEL, text),
        enterprise_id=enterprise_id,
        state=FeedbackState.OPEN,
        given_at=tx.now,
    )
    index = tx.vault.blind_index(rules.INDEX_LABEL, query_code(tx.vault, given.id))
    await store.INSERT_FEEDBACK.run(tx.connection, **msgspec.structs.asdict(given), code_index=index)
    event = FeedbackGiven(
        subject_id=given.id, department_id=given.department_id, region=subject.region, after=_facts(given)
    )
    return Outcome(answer=FeedbackGivenAnswer(id=given.id, given_at=tx.now), events=(event,))


def query_code(vault: Vault, feedback_id: UUID) -> str:
    """The 查询码 of a feedback."""
    return query_code_of(vault.blind_index(rules.CODE_LABEL, str(feedback_id)))


async def answer_feedback(
    tx: Transaction, principal: Principal, feedback_id: UUID, text: str
) -> Outcome[FeedbackAnswer]:
    """答复. Raises `NotFound`, `Forbidden`, `FeedbackAlreadyAnswered` or `InvalidField`."""
    words = require_text(text, rules.TEXT_LENGTH, "text")
    before = rules.require_open(principal, await store.LOCK_FEEDBACK.first(tx.connection, feedback_id=feedback_id))
    after = msgspec.structs.replace(
        before, state=FeedbackState.ANSWERED, answer=words, answered_by=principal.account_id, answered_at=tx.now
    )
    await store.SAVE_ANSWER.run(
        tx.connection,
        of_feedback=after.id,
        state=after.state,
        answer=words,
        answered_by=principal.account_id,
        answered_at=tx.now,
    )
    event = FeedbackAnswered(
        subject_id=after.id, department_id=after.department_id, before=_facts(before), after=_facts(after)
    )
    return Outcome(answer=FeedbackAnswer(id=after.id, state=after.state, answered_at=tx.now), events=(event,))


async def read_status(connection: Connection, vault: Vault, typed: str) -> FeedbackStatus:
    """进度查询 by 查询码. Raises `NotFound`."""
    index = vault.blind_index(rules.INDEX_LABEL, rules.require_query_code(typed))
    found = await store.STATUS_BY_CODE.first(connection, code_index=index)
    if found is None:
        raise NotFound("没有该查询码。", field="code")
    return msgspec.structs.replace(found, state_label=found.state.label)


def _facts(feedback: Feedback) -> FeedbackFacts:
    return FeedbackFacts(
        kind=feedback.kind,
        about=feedback.about,
        about_id=feedback.about_id,
        item_code=feedback.item_code,
        state=feedback.state,
    )
