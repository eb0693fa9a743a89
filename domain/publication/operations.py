"""公示, step by step: opened at completion, published when due, withheld, released, withdrawn, replied to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.identity.model import Principal, Role
from domain.publication import rules, store
from domain.publication.events import (
    PublicationEvent,
    PublicationOpened,
    PublicationReleased,
    PublicationWithdrawn,
    PublicationWithheld,
    PublicReplySubmitted,
    PublicReplyWithdrawn,
    ReplyFacts,
    ResultPublished,
    standing_of,
)
from domain.publication.model import (
    Publication,
    PublicationAnswer,
    PublicationState,
    ReplyAnswer,
    StoredReply,
    WithholdingOrder,
)
from domain.publication.objection.store import OPEN_OF_PUBLICATION
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.transaction import Outcome, Transaction

_OWN_WISH = "企业自行撤回"


async def open_publication(
    tx: Transaction,
    *,
    inspection_id: UUID,
    enterprise_id: UUID,
    site_id: UUID,
    region: str,
    department_id: UUID,
    completed_at: datetime,
    embargo_working_days: int,
) -> tuple[Event, ...]:
    """登记公示 of an inspection that is being completed, in the same transaction; without embargo public at once."""
    due_at = rules.due_at(completed_at, embargo_working_days)
    opened = Publication(
        id=tx.new_id(),
        inspection_id=inspection_id,
        enterprise_id=enterprise_id,
        site_id=site_id,
        region=region,
        department_id=department_id,
        departments=[],
        state=PublicationState.PENDING,
        due_at=due_at,
        latest_at=rules.latest_at(completed_at),
        ends_on=rules.ends_on(local_date(due_at)),
        published_at=None,
        withheld_at=None,
        withheld_reason=None,
        withheld_note=None,
        is_contested=False,
        withdrawn_at=None,
        withdrawn_reason=None,
    )
    is_public = embargo_working_days == 0
    stored = rules.publish(opened, tx.now) if is_public else opened
    await store.INSERT_PUBLICATION.run(tx.connection, **msgspec.structs.asdict(stored))
    return (_event(ResultPublished if is_public else PublicationOpened, None, stored),)


async def publish_due(tx: Transaction, limit: int) -> Outcome[int]:
    """公示到期的结果: what is due by now, `limit` at most, and what an objection held back for all of its term.

    Answers how many; as many as `limit` means that there may be more. Rows that another worker holds are left to it.
    """
    due = await store.LOCK_DUE.all(tx.connection, now=tx.now, limit=limit)
    published = [rules.publish(each, tx.now) for each in due]
    if published:
        await store.UPDATE_PUBLICATION.run_many(tx.connection, [_changes(each) for each in published])
    events = tuple(_event(ResultPublished, before, after) for before, after in zip(due, published, strict=True))
    return Outcome(answer=len(published), events=events)


async def withhold(
    tx: Transaction, principal: Principal, publication_id: UUID, order: WithholdingOrder
) -> Outcome[PublicationAnswer]:
    """暂不公示 for a lawful reason; an objection has its own way in `domain/publication/objection`.

    Raises `NotFound`, `ReasonMissing`, `ObjectionDecides`, `AlreadyWithdrawn` or `AlreadyPublished`.
    """
    note = require_reason(order.note, "note")
    before = await lock_publication(tx, principal, publication_id)
    rules.require_by_hand(before, order.reason)
    after = rules.withhold(before, order.reason, note, tx.now)
    return await _save(tx, PublicationWithheld, before, after)


async def release(tx: Transaction, principal: Principal, publication_id: UUID) -> Outcome[PublicationAnswer]:
    """恢复公示. Raises `NotFound`, `ObjectionDecides`, `AlreadyWithdrawn` or `NotWithheld`."""
    before = await lock_publication(tx, principal, publication_id)
    open_objection = await OPEN_OF_PUBLICATION.first(tx.connection, publication_id=publication_id)
    rules.require_releasable(before, has_open_objection=open_objection is not None)
    return await _save(tx, PublicationReleased, before, rules.release(before, tx.now))


async def withdraw(
    tx: Transaction, principal: Principal, publication_id: UUID, reason: str
) -> Outcome[PublicationAnswer]:
    """撤下公示. Raises `NotFound`, `ReasonMissing`, `AlreadyWithdrawn` or `NotPublished`."""
    why = require_reason(reason, "reason")
    before = await lock_publication(tx, principal, publication_id)
    return await _save(tx, PublicationWithdrawn, before, rules.withdraw(before, why, tx.now))


async def submit_reply(tx: Transaction, principal: Principal, publication_id: UUID, text: str) -> Outcome[ReplyAnswer]:
    """企业回应 beside the result. Raises `NotFound`, `AlreadyWithdrawn`, `ReplyInForce` or `InvalidField`."""
    found = await lock_publication(tx, principal, publication_id)
    former = await store.REPLY_IN_FORCE.first(tx.connection, publication_id=publication_id)
    words = rules.require_reply(found, former, text)
    reply = StoredReply(id=tx.new_id(), text=words, submitted_at=tx.now)
    await store.INSERT_REPLY.run(
        tx.connection,
        **msgspec.structs.asdict(reply),
        publication_id=publication_id,
        submitted_by=principal.account_id,
    )
    event = PublicReplySubmitted(**_about(found), after=_reply_facts(reply))
    answer = ReplyAnswer(id=reply.id, publication_id=publication_id, submitted_at=tx.now)
    return Outcome(answer=answer, events=(event,))


async def withdraw_reply(
    tx: Transaction, principal: Principal, publication_id: UUID, reply_id: UUID, reason: str | None
) -> Outcome[ReplyAnswer]:
    """撤回企业回应: by the enterprise at will, by the department with a reason. Raises `NotFound`, `ReasonMissing`."""
    found = await lock_publication(tx, principal, publication_id)
    reply = await store.REPLY_IN_FORCE.first(tx.connection, publication_id=publication_id)
    if reply is None or reply.id != reply_id:
        raise NotFound("没有该回应，或已撤回。")
    is_own_wish = principal.role is Role.ENTERPRISE and not reason
    why = _OWN_WISH if is_own_wish else require_reason(reason, "reason")
    await store.WITHDRAW_REPLY.run(tx.connection, reply_id=reply_id, now=tx.now, reason=why)
    event = PublicReplyWithdrawn(**_about(found), before=_reply_facts(reply), after=_reply_facts(reply, why))
    answer = ReplyAnswer(
        id=reply_id, publication_id=publication_id, submitted_at=reply.submitted_at, withdrawn_at=tx.now
    )
    return Outcome(answer=answer, events=(event,))


async def lock_publication(tx: Transaction, principal: Principal, publication_id: UUID) -> Publication:
    """The publication, locked, if `principal` may see it. Raises `NotFound`."""
    found = await store.LOCK_PUBLICATION.first(tx.connection, publication_id=publication_id)
    if found is None or not rules.may_see(principal, found):
        raise NotFound("没有该公示。")
    return found


async def _save(
    tx: Transaction, kind: Callable[..., PublicationEvent], before: Publication, after: Publication
) -> Outcome[PublicationAnswer]:
    event = await save_publication(tx, kind, before, after)
    answer = PublicationAnswer(
        id=after.id,
        state=after.state,
        due_at=after.due_at,
        published_at=after.published_at,
        is_contested=after.is_contested,
    )
    return Outcome(answer=answer, events=(event,))


async def save_publication(
    tx: Transaction, kind: Callable[..., PublicationEvent], before: Publication, after: Publication
) -> PublicationEvent:
    """Store what a publication became; gives the event of it."""
    await store.UPDATE_PUBLICATION.run(tx.connection, **_changes(after))
    return _event(kind, before, after)


def _changes(publication: Publication) -> dict[str, object]:
    return {**msgspec.structs.asdict(publication), "of_publication": publication.id}


def _about(publication: Publication) -> dict[str, Any]:
    return {
        "subject_id": publication.id,
        "department_id": publication.department_id,
        "region": publication.region,
        "site_id": publication.site_id,
        "enterprise_id": publication.enterprise_id,
    }


def _event(kind: Callable[..., PublicationEvent], before: Publication | None, after: Publication) -> PublicationEvent:
    return kind(**_about(after), before=None if before is None else standing_of(before), after=standing_of(after))


def _reply_facts(reply: StoredReply, reason: str | None = None) -> ReplyFacts:
    digest = hashlib.sha256(reply.text.encode()).hexdigest()
    return ReplyFacts(reply_id=reply.id, text_digest=digest, reason=reason)
