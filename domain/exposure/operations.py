"""曝光: drafted, changed, published by a second person, withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.exposure import rules, store
from domain.exposure.events import (
    ExposureDrafted,
    ExposureEdited,
    ExposureEvent,
    ExposurePublished,
    ExposureWithdrawn,
    facts_of,
)
from domain.exposure.model import Exposure, ExposureAnswer, ExposureOrder, ExposureState
from domain.identity.model import Principal
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.transaction import Outcome, Transaction

_GROUND_GONE = "所依据的检查结果公示已撤下"


async def draft_exposure(tx: Transaction, principal: Principal, order: ExposureOrder) -> Outcome[ExposureAnswer]:
    """起草 for the caller's department. Raises `Forbidden`, `InvalidField` or `ResultNotPublic`."""
    department_id = rules.department_of(principal)
    title, text = rules.require_words(order, local_date(tx.now))
    await _require_ground(tx, department_id, order.publication_id, order.ends_on)
    drafted = Exposure(
        id=tx.new_id(),
        department_id=department_id,
        region=await _region(tx, department_id, order),
        state=ExposureState.DRAFT,
        title=title,
        text=text,
        publication_id=order.publication_id,
        ends_on=order.ends_on,
        authors=[principal.account_id],
        created_at=tx.now,
    )
    await store.INSERT_EXPOSURE.run(tx.connection, **msgspec.structs.asdict(drafted))
    return _outcome(ExposureDrafted, None, drafted)


async def edit_exposure(
    tx: Transaction, principal: Principal, exposure_id: UUID, order: ExposureOrder
) -> Outcome[ExposureAnswer]:
    """修改草稿. Raises `NotFound`, `Forbidden`, `ExposureNotDraft`, `InvalidField` or `ResultNotPublic`."""
    before = await _lock(tx, principal, exposure_id)
    rules.require_draft(before)
    title, text = rules.require_words(order, local_date(tx.now))
    await _require_ground(tx, before.department_id, order.publication_id, order.ends_on)
    after = msgspec.structs.replace(
        before,
        region=await _region(tx, before.department_id, order),
        title=title,
        text=text,
        publication_id=order.publication_id,
        ends_on=order.ends_on,
        authors=list(dict.fromkeys([*before.authors, principal.account_id])),
    )
    return await _save(tx, ExposureEdited, before, after)


async def publish_exposure(tx: Transaction, principal: Principal, exposure_id: UUID) -> Outcome[ExposureAnswer]:
    """发布 what somebody else of the department wrote.

    Raises `NotFound`, `Forbidden`, `ExposureNotDraft`, `PublisherIsAuthor`, `InvalidField` or `ResultNotPublic`.
    """
    before = await _lock(tx, principal, exposure_id)
    after = rules.publish(before, principal.account_id, tx.now, local_date(tx.now))
    await _require_ground(tx, before.department_id, before.publication_id, before.ends_on)
    return await _save(tx, ExposurePublished, before, after)


async def withdraw_exposure(
    tx: Transaction, principal: Principal, exposure_id: UUID, reason: str
) -> Outcome[ExposureAnswer]:
    """撤下. Raises `NotFound`, `Forbidden`, `ReasonMissing` or `ExposureNotPublished`."""
    why = require_reason(reason, "reason")
    before = await _lock(tx, principal, exposure_id)
    return await _save(tx, ExposureWithdrawn, before, rules.withdraw(before, why, tx.now))


async def withdraw_resting_on(tx: Transaction, publication_id: UUID) -> tuple[Event, ...]:
    """撤下 what rests on a result that is public no more, in the transaction that withdraws that result."""
    events: list[Event] = []
    for before in await store.LOCK_OF_PUBLICATION.all(tx.connection, publication_id=publication_id):
        outcome = await _save(tx, ExposureWithdrawn, before, rules.withdraw(before, _GROUND_GONE, tx.now))
        events.extend(outcome.events)
    return tuple(events)


async def _lock(tx: Transaction, principal: Principal, exposure_id: UUID) -> Exposure:
    department_id = rules.department_of(principal)
    found = await store.LOCK_EXPOSURE.first(tx.connection, exposure_id=exposure_id)
    if found is None or found.department_id != department_id:
        raise NotFound("没有该曝光信息。")
    return found


async def _region(tx: Transaction, department_id: UUID, order: ExposureOrder) -> str:
    own = await store.REGION_OF_DEPARTMENT.one(tx.connection, department_id=department_id)
    return rules.region_of(order.region_code, own.region)


async def _require_ground(tx: Transaction, department_id: UUID, publication_id: UUID | None, ends_on: date) -> None:
    """An enterprise is named no longer than the result is public that it is named for."""
    if publication_id is None:
        return
    found = await store.PUBLIC_RESULT.first(
        tx.connection, publication_id=publication_id, department_id=department_id, through=ends_on
    )
    if found is None:
        raise rules.ResultNotPublic(
            "只能依据本部门已公示的检查结果曝光企业，且截止日期不晚于该结果的公示期。", field="publication_id"
        )


async def _save(
    tx: Transaction, kind: Callable[..., ExposureEvent], before: Exposure, after: Exposure
) -> Outcome[ExposureAnswer]:
    await store.UPDATE_EXPOSURE.run(tx.connection, **msgspec.structs.asdict(after), of_exposure=after.id)
    return _outcome(kind, before, after)


def _outcome(kind: Callable[..., ExposureEvent], before: Exposure | None, after: Exposure) -> Outcome[ExposureAnswer]:
    event = kind(
        subject_id=after.id,
        department_id=after.department_id,
        region=after.region,
        before=None if before is None else facts_of(before),
        after=facts_of(after),
    )
    answer = ExposureAnswer(
        id=after.id, state=after.state, published_at=after.published_at, withdrawn_at=after.withdrawn_at
    )
    return Outcome(answer=answer, events=(event,))
