"""企业自查, step by step: begun, answered item by item, submitted or discarded; and the quarter's reminders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from domain.checklist.model import EnabledChecklist
from domain.checklist.store import ENABLED_CHECKLIST
from domain.identity.model import Principal
from domain.membership.rules import acts_for
from domain.self_inspection import rounds, rules, store
from domain.self_inspection.events import (
    ReminderFacts,
    SelfAnswerFacts,
    SelfCheckAnswered,
    SelfInspectionBegun,
    SelfInspectionFacts,
    SelfInspectionGivenUp,
    SelfInspectionHandedIn,
    SelfInspectionsReminded,
)
from domain.self_inspection.hazard.model import Hazard
from domain.self_inspection.hazard.operations import record_found
from domain.self_inspection.model import (
    FoundHazard,
    ItemAnswer,
    SelfAnswer,
    SelfAnswerOrder,
    SelfCheckLine,
    SelfInspection,
    SelfInspectionDiscarded,
    SelfInspectionStarted,
    SelfInspectionState,
    SelfInspectionSubmitted,
    StartOrder,
)
from domain.self_inspection.photos import hold_photos, keep_photos
from domain.shared.clock import local_date, month_and_day
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection, Query
from domain.shared.transaction import Outcome, Transaction

PAGE = 500
"""Enterprises that one transaction reminds."""


async def start_self_inspection(
    tx: Transaction, principal: Principal, order: StartOrder
) -> Outcome[SelfInspectionStarted]:
    """开始自查 by the list in force, whose version is kept (D11).

    Raises `NotFound`, `InvalidField`, `NoSelfCheckList` or `SelfInspectionUnderWay`.
    """
    site = await store.SITE_TO_CHECK.first(tx.connection, site_id=order.site_id)
    if site is None or not acts_for(principal, site.enterprise_id, site.id):
        raise NotFound("没有该经营场所。", field="site_id")
    if order.business_type not in site.business_types:
        raise InvalidField("该场所没有登记此业态。", field="business_type", business_types=site.business_types)
    checklist, items = await _list_in_force(tx, order.business_type, site)
    made = SelfInspectionStarted(
        id=tx.new_id(),
        site_id=site.id,
        business_type=order.business_type,
        checklist_version_id=checklist.version_id,
        item_count=items,
        started_at=rules.believed(tx.done_at, tx.now),
    )
    inserted = await store.INSERT_SELF_INSPECTION.run(
        tx.connection,
        **msgspec.structs.asdict(made),
        enterprise_id=site.enterprise_id,
        state=SelfInspectionState.DRAFT,
        problem_count=0,
        started_by=principal.account_id,
    )
    if not inserted:
        raise await _under_way(tx, order)
    facts = SelfInspectionFacts(
        state=SelfInspectionState.DRAFT,
        business_type=made.business_type,
        checklist_version_id=made.checklist_version_id,
        items=items,
    )
    event = SelfInspectionBegun(subject_id=made.id, after=facts)
    return Outcome(answer=made, events=(event,), location=f"/api/v1/self-inspections/{made.id}")


async def _list_in_force(tx: Transaction, business_type: str, site: store.CheckedSite) -> tuple[EnabledChecklist, int]:
    found = await ENABLED_CHECKLIST.first(
        tx.connection, business_type=business_type, region=site.region, department_id=site.regulator_id
    )
    if found is not None:
        counted = await store.COUNT_SELF_CHECK_ITEMS.one(tx.connection, version_id=found.version_id)
        if counted.items:
            return found, counted.items
    raise rules.NoSelfCheckList("该业态目前没有可用于自查的检查单。", field="business_type")


async def _under_way(tx: Transaction, order: StartOrder) -> rules.SelfInspectionUnderWay:
    draft = await store.DRAFT_OF_SITE.first(tx.connection, site_id=order.site_id, business_type=order.business_type)
    return rules.SelfInspectionUnderWay(
        "该场所有未提交的自查，请继续填写或先放弃。", id=None if draft is None else str(draft.id)
    )


async def answer_item(
    tx: Transaction,
    principal: Principal,
    self_inspection_id: UUID,
    item_id: UUID,
    order: SelfAnswerOrder,
    expected: int,
) -> Outcome[ItemAnswer]:
    """填写自查结果 of one item; `expected` is the version that the caller saw, 0 for none.

    Raises `NotFound`, `SelfInspectionClosed`, `SelfAnswerConflict`, `InvalidField`, `AttachmentMissing` or
    `AttachmentQuotaReached`.
    """
    whole = rules.require_whole(order)
    found = rules.require_draft(await _own(tx, principal, store.SHARE_SELF_INSPECTION, self_inspection_id))
    where = {"self_inspection_id": self_inspection_id, "item_id": item_id}
    line = await store.LINE.first(tx.connection, **where, version_id=found.checklist_version_id)
    if line is None:
        raise NotFound("该项不在本次自查内。", field="item_id")
    former = line.answer
    rules.require_version(former, expected, whole)
    await hold_photos(tx, self_inspection_id, former, whole)
    others = await store.PHOTOS_OF_OTHER_ITEMS.all(tx.connection, **where)
    photos = await keep_photos(tx, principal, self_inspection_id, former, whole, [other.photo for other in others])
    answer = ItemAnswer(
        item_id=item_id,
        version=expected + 1,
        value=whole.value,
        reason=whole.reason,
        remark=whole.remark,
        photos=whole.photos,
        answered_at=rules.believed(tx.done_at, tx.now),
        received_at=tx.now,
    )
    saved = await store.SAVE_ANSWER.first(
        tx.connection,
        **(msgspec.structs.asdict(answer) | {"photos": photos}),
        self_inspection_id=self_inspection_id,
        answered_by=principal.account_id,
        expected=expected,
    )
    if saved is None:
        line = await store.LINE.one(tx.connection, **where, version_id=found.checklist_version_id)
        rules.require_version(line.answer, expected, whole)
    event = SelfCheckAnswered(
        subject_id=self_inspection_id,
        before=None if former is None else _answer_facts(item_id, former),
        after=_answer_facts(item_id, answer),
    )
    return Outcome(answer=answer, events=(event,))


async def submit_self_inspection(
    tx: Transaction, principal: Principal, self_inspection_id: UUID
) -> Outcome[SelfInspectionSubmitted]:
    """提交自查: each problem becomes a hazard with the severity of its item and the term suggested for it.

    Raises `NotFound`, `SelfInspectionClosed` or `SelfInspectionIncomplete`.
    """
    found = rules.require_draft(await _own(tx, principal, store.LOCK_SELF_INSPECTION, self_inspection_id))
    lines = await read_lines(tx.connection, found)
    problems = rules.require_all_answered(lines)
    quarter = rules.quarter_of(local_date(tx.now))
    await store.MARK_SUBMITTED.run(
        tx.connection,
        of_self_inspection=found.id,
        new_quarter=quarter,
        problems=len(problems),
        account_id=principal.account_id,
        now=tx.now,
    )
    hazards, events = await record_found(tx, principal, found, problems)
    digest = rules.digest_of([(line.item_id, line.answer) for line in lines])
    after = _facts(found, state=SelfInspectionState.SUBMITTED, quarter=quarter, digest=digest)
    event = SelfInspectionHandedIn(subject_id=found.id, before=_facts(found), after=after)
    answer = SelfInspectionSubmitted(
        id=found.id,
        quarter=quarter,
        submitted_at=tx.now,
        hazards=[_found_hazard(*each) for each in zip(problems, hazards, strict=True)],
    )
    return Outcome(answer=answer, events=(event, *events))


async def discard_self_inspection(
    tx: Transaction, principal: Principal, self_inspection_id: UUID
) -> Outcome[SelfInspectionDiscarded]:
    """放弃自查 that was not submitted. Raises `NotFound` or `SelfInspectionClosed`."""
    found = rules.require_draft(await _own(tx, principal, store.LOCK_SELF_INSPECTION, self_inspection_id))
    await store.MARK_DISCARDED.run(tx.connection, of_self_inspection=found.id)
    state = SelfInspectionState.DISCARDED
    event = SelfInspectionGivenUp(subject_id=found.id, before=_facts(found), after=_facts(found, state=state))
    return Outcome(answer=SelfInspectionDiscarded(id=found.id, state=state), events=(event,))


async def read_lines(connection: Connection, found: SelfInspection) -> list[SelfCheckLine]:
    """The items of a self-inspection in their order, with the answers so far."""
    return await store.LINES.all(connection, self_inspection_id=found.id, version_id=found.checklist_version_id)


async def remind_of_quarter(tx: Transaction) -> Outcome[bool]:
    """季度自查提醒 to one page of enterprises; answers whether there are more.

    One row says how far the quarter has come. It moves on with the messages, in one transaction: nobody is told twice,
    and whoever takes it up goes on from there. A row that another worker holds is left to it.
    """
    today = local_date(tx.now)
    quarter = rules.quarter_of(today)
    if not rules.is_time_to_remind(today):
        return Outcome(answer=False)
    await rounds.BEGIN_ROUND.run(tx.connection, quarter=quarter, now=tx.now)
    standing = await rounds.LOCK_ROUND.first(tx.connection, quarter=quarter)
    if standing is None:
        return Outcome(answer=False)
    page = await store.ENTERPRISES_TO_REMIND.all(
        tx.connection, after_id=standing.after_enterprise_id, limit=PAGE, quarter=quarter
    )
    due = [each.id for each in page if each.is_due]
    has_more = len(page) == PAGE
    await rounds.ADVANCE_ROUND.run(
        tx.connection,
        of_quarter=quarter,
        after_id=page[-1].id if page else standing.after_enterprise_id,
        told=len(due),
        ended_at=None if has_more else tx.now,
    )
    return Outcome(answer=has_more, events=(_reminded(tx, quarter, due),) if due else ())


def _reminded(tx: Transaction, quarter: str, due: list[UUID]) -> SelfInspectionsReminded:
    return SelfInspectionsReminded(
        subject_id=tx.new_id(),
        after=ReminderFacts(quarter=quarter, enterprises=len(due)),
        enterprises=due,
        quarter=quarter,
        due=month_and_day(rules.last_day_of(quarter)),
    )


async def _own(
    tx: Transaction, principal: Principal, query: Query[SelfInspection], self_inspection_id: UUID
) -> SelfInspection:
    found = await query.first(tx.connection, self_inspection_id=self_inspection_id)
    if found is None or not acts_for(principal, found.enterprise_id, found.site_id):
        raise NotFound("没有该自查记录。")
    return found


def _found_hazard(line: SelfCheckLine, hazard: Hazard) -> FoundHazard:
    return FoundHazard(id=hazard.id, item_id=line.item_id, severity=hazard.severity, due_on=hazard.due_on)


def _facts(found: SelfInspection, **changes: Any) -> SelfInspectionFacts:
    facts = SelfInspectionFacts(
        state=found.state,
        business_type=found.business_type,
        checklist_version_id=found.checklist_version_id,
        items=found.item_count,
    )
    return msgspec.structs.replace(facts, **changes)


def _answer_facts(item_id: UUID, answer: SelfAnswer) -> SelfAnswerFacts:
    said = (answer.value, answer.reason, answer.remark, answer.photos)
    return SelfAnswerFacts(item_id=item_id, version=answer.version, digest=rules.digest_of(said))
