"""再次告知 (MOB-12): an officer sends the message of an order again, or by another way."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.identity.tables import department
from domain.rectification import rules, service_store
from domain.rectification.acts import OrderToldAgain
from domain.rectification.events import RectificationOrderToldAgain, TellingFacts
from domain.rectification.model import ConsentMeans, Order
from domain.rectification.operations import place_of
from domain.rectification.service_rules import ServiceConsentMissing
from domain.shared.errors import DomainError
from domain.shared.sql import Connection, Query
from domain.shared.transaction import Outcome, Transaction

TOLD_AT_MOST: Final = 3
TOLD_WITHIN: Final = timedelta(hours=24)
"""So often an order is told of by one way, the first time included: legal notices are not capped, so this is."""


class OrderToldTooOften(DomainError):
    """The enterprise was told of the order by that way as often as it may be within a day."""


class _Desk(msgspec.Struct, frozen=True):
    short_name: str
    hotline: str | None


_DESK = Query(
    sa.select(department.c.short_name, department.c.hotline).where(department.c.id == sa.bindparam("department_id")),
    _Desk,
)


async def telling_of(connection: Connection, order: Order, means: ConsentMeans) -> RectificationOrderToldAgain:
    """What would be told by that way now: under consent the paper's own message, else a reminder of it.

    Raises `OrderAlreadyClosed`, or `ServiceConsentMissing` for a mail to who did not agree to be served by mail.
    """
    rules.require_open(order)
    desk = await _DESK.one(connection, department_id=order.department_id)
    consent = await service_store.CONSENT_IN_FORCE.first(connection, enterprise_id=order.enterprise_id)
    agreed = consent is not None and means in consent.means
    if means is ConsentMeans.EMAIL and not agreed:
        raise ServiceConsentMissing("该单位没有同意以电子邮件接收文书，不能邮箱送达。", field="means")
    return RectificationOrderToldAgain(
        **place_of(order),
        after=TellingFacts(means=means, has_consent=agreed, issued_at=order.issued_at),
        department_name=desk.short_name,
        hotline=desk.hotline,
        due_on=order.due_on,
    )


async def tell_again(
    tx: Transaction, department_id: UUID | None, order: Order, means: ConsentMeans, told: int
) -> Outcome[OrderToldAgain]:
    """再次告知 of a locked order, of which `told` messages went by that way within `TOLD_WITHIN`.

    Raises `Forbidden`, `OrderAlreadyClosed`, `ServiceConsentMissing` or `OrderToldTooOften`.
    """
    rules.require_own(order, department_id)
    event = await telling_of(tx.connection, order, means)
    if told >= TOLD_AT_MOST:
        raise OrderToldTooOften(f"24小时内以该方式最多发送{TOLD_AT_MOST}次。", field="means")
    answer = OrderToldAgain(id=order.id, means=means, is_notice=event.after.has_consent, told_at=tx.now)
    return Outcome(answer=answer, events=(event,))
