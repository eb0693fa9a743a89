"""Badges, live codes and what a badge tells, on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from codes.live_code import BADGE_LIFETIME, SLOT
from domain.inspection.door_model import BadgeOfficer, OrderAtDoor
from domain.officer.model import CertifiedOfficer
from domain.officer.rules import certificate_is_valid

NO_PHOTO = "登记库中没有执法人员照片，请核对执法证件原件上的照片。"
ASSIGNED = "该执法人员有你单位的检查任务。"
NOT_ASSIGNED = "该执法人员没有在你单位的检查任务，可以拒绝检查，并拨打监督电话核实。"
CITIZEN = "仅核验执法人员身份；检查任务只向被检查单位显示。"


class ShortLivedCode(msgspec.Struct, frozen=True, kw_only=True):
    """亮证码 or 企业实时码 for a screen: the text that the QR holds, the drawing, and when to ask for the next."""

    url: str
    svg: str
    expires_at: datetime
    lifetime_seconds: int


class ScannedBadge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was scanned off the officer's phone."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class OrderCard(OrderAtDoor, frozen=True, kw_only=True):
    """检查任务 at the caller's own site, and whether its notice was served before: `announced_on` null means not."""

    was_announced: bool
    announced_on: date | None


class VerifiedBadge(msgspec.Struct, frozen=True, kw_only=True):
    """核验结果. `orders` is null for who does not represent an enterprise; empty means: not assigned here."""

    officer: BadgeOfficer
    certificate_is_valid: bool
    photo: str | None
    photo_note: str
    is_assigned: bool | None
    orders: list[OrderCard] | None
    words: str


def to_code(url: str, svg: str, expires_at: datetime, *, is_badge: bool) -> ShortLivedCode:
    """A code for a screen."""
    lifetime = BADGE_LIFETIME if is_badge else SLOT
    return ShortLivedCode(url=url, svg=svg, expires_at=expires_at, lifetime_seconds=int(lifetime.total_seconds()))


def to_verified(
    officer: BadgeOfficer, orders: list[OrderAtDoor] | None, served: Mapping[UUID, date], today: date
) -> VerifiedBadge:
    """What the caller is told of the badge."""
    certified = CertifiedOfficer(
        id=officer.id,
        name=officer.name,
        department_id=officer.department_id,
        certificate_number=officer.certificate_number,
        certificate_valid_from=officer.certificate_valid_from,
        certificate_valid_to=officer.certificate_valid_to,
    )
    told = CITIZEN
    if orders is not None:
        told = ASSIGNED if orders else NOT_ASSIGNED
    return VerifiedBadge(
        officer=officer,
        certificate_is_valid=certificate_is_valid(certified, today),
        photo=None,
        photo_note=NO_PHOTO,
        is_assigned=None if orders is None else bool(orders),
        orders=None if orders is None else [_order(each, served) for each in orders],
        words=told,
    )


def _order(order: OrderAtDoor, served: Mapping[UUID, date]) -> OrderCard:
    on = served.get(order.inspection_id)
    return OrderCard(**msgspec.structs.asdict(order), was_announced=on is not None, announced_on=on)
