"""交办任务 on the enterprise's side: answered row by row, and submitted once (PUB-17, ENT-05)."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.identity.model import Principal
from domain.membership.rules import acts_for
from domain.self_inspection.assigned import rules, store
from domain.self_inspection.assigned.events import SubmissionFacts, TaskAnswersSubmitted, TaskRowAnswered
from domain.self_inspection.assigned.model import ObjectSubmitted, RowAnswer, TaskObject
from domain.self_inspection.events import SelfAnswerFacts
from domain.self_inspection.model import SelfAnswer, SelfAnswerOrder
from domain.self_inspection.photos import hold_photos, keep_photos
from domain.self_inspection.rules import believed, digest_of, require_version, require_whole
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Query
from domain.shared.transaction import Outcome, Transaction


async def answer_row(
    tx: Transaction, principal: Principal, object_id: UUID, row_id: UUID, order: SelfAnswerOrder, expected: int
) -> Outcome[RowAnswer]:
    """填写任务反馈 of one row; `expected` is the version that the caller saw, 0 for none.

    Raises `NotFound`, `TaskAlreadyAnswered`, `TaskNotBegun`, `SelfAnswerConflict`, `InvalidField`,
    `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    whole = require_whole(order)
    found = await _own(tx, principal, store.SHARE_OBJECT, object_id)
    rules.require_answerable(found, local_date(tx.now))
    where = {"object_id": object_id, "row_id": row_id}
    row = await store.ANSWERED_ROW.first(tx.connection, **where, task_id=found.task_id)
    if row is None:
        raise NotFound("该行不在本任务内。", field="row_id")
    rules.require_photo(row, whole)
    former = row.answer
    require_version(former, expected, whole)
    await hold_photos(tx, object_id, former, whole)
    others = await store.PHOTOS_OF_OTHER_ROWS.all(tx.connection, **where)
    photos = await keep_photos(tx, principal, object_id, former, whole, [other.photo for other in others])
    answer = RowAnswer(
        row_id=row_id,
        version=expected + 1,
        value=whole.value,
        reason=whole.reason,
        remark=whole.remark,
        photos=whole.photos,
        answered_at=believed(tx.done_at, tx.now),
        received_at=tx.now,
    )
    saved = await store.SAVE_ANSWER.first(
        tx.connection,
        **(msgspec.structs.asdict(answer) | {"photos": photos}),
        object_id=object_id,
        answered_by=principal.account_id,
        expected=expected,
    )
    if saved is None:
        row = await store.ANSWERED_ROW.one(tx.connection, **where, task_id=found.task_id)
        require_version(row.answer, expected, whole)
    event = TaskRowAnswered(
        subject_id=object_id,
        before=None if former is None else _answer_facts(row_id, former),
        after=_answer_facts(row_id, answer),
    )
    return Outcome(answer=answer, events=(event,))


async def submit_answers(tx: Transaction, principal: Principal, object_id: UUID) -> Outcome[ObjectSubmitted]:
    """提交任务反馈, once all rows are answered; after the task's last day it is marked as late.

    Raises `NotFound`, `TaskAlreadyAnswered`, `TaskNotBegun` or `TaskIncomplete`.
    """
    found = await _own(tx, principal, store.LOCK_OBJECT, object_id)
    today = local_date(tx.now)  # of the receipt: nobody is in time by a clock set back
    rules.require_answerable(found, today)
    rows = await store.ANSWERED_ROWS.all(tx.connection, object_id=object_id, task_id=found.task_id)
    answer = ObjectSubmitted(
        id=object_id,
        task_id=found.task_id,
        submitted_at=tx.now,
        is_late=today > found.ends_on,
        problem_count=rules.problems_among(rows),
    )
    await store.MARK_SUBMITTED.run(
        tx.connection,
        of_object=object_id,
        problems=answer.problem_count,
        account_id=principal.account_id,
        now=tx.now,
        late=answer.is_late,
    )
    # Last, because every object of the task counts up the same row.
    await store.COUNT_ANSWERED.run(tx.connection, of_task=found.task_id, late=int(answer.is_late))
    facts = SubmissionFacts(
        task_id=found.task_id,
        is_late=answer.is_late,
        problems=answer.problem_count,
        digest=digest_of([(row.id, row.answer) for row in rows]),
    )
    return Outcome(answer=answer, events=(TaskAnswersSubmitted(subject_id=object_id, after=facts),))


async def _own(tx: Transaction, principal: Principal, query: Query[TaskObject], object_id: UUID) -> TaskObject:
    found = await query.first(tx.connection, object_id=object_id)
    if found is None or not acts_for(principal, found.enterprise_id, found.site_id):
        raise NotFound("没有该任务。")
    return found


def _answer_facts(row_id: UUID, answer: SelfAnswer) -> SelfAnswerFacts:
    said = (answer.value, answer.reason, answer.remark, answer.photos)
    return SelfAnswerFacts(item_id=row_id, version=answer.version, digest=digest_of(said))
