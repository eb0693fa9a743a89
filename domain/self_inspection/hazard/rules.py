"""Rules of hazards: terms, reminders, and the one kind that escalates (D24, D7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.checklist.model import Severity
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.self_inspection.hazard.model import ClosingOrder, HandlingOrder, Hazard, HazardState
from domain.shared.errors import DomainError, InvalidField
from domain.shared.fields import require_text

_TEXT: Final = range(2, 2001)


class HazardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of hazards in days. `source` says where they come from; 待核 until a department has checked them."""

    suggested_days: Mapping[Severity, int]
    longest_days: Mapping[Severity, int]
    remind_after_days: tuple[int, int] = (1, 7)
    source: str = "待核"


DEFAULT_POLICY: Final = HazardPolicy(
    suggested_days={Severity.MINOR: 30, Severity.GENERAL: 15, Severity.SEVERE: 3},
    longest_days={Severity.MINOR: 180, Severity.GENERAL: 90, Severity.SEVERE: 15},
)


class HazardAlreadyClosed(DomainError):
    """The hazard was closed; it does not change any more."""


class HazardChanged(DomainError):
    """A colleague changed the hazard meanwhile: read it again, nothing is overwritten."""


class HazardNotSevere(DomainError):
    """Only 重大隐患 goes to the regulator; any other is the enterprise's own matter."""


class HazardAlreadyEscalated(DomainError):
    """The regulator knows of it already."""


def may_see(principal: Principal, hazard: Hazard) -> bool:
    """Its enterprise; officials only what escalated: the department told, or a lead of the region."""
    match principal.role:
        case Role.ENTERPRISE:
            return acts_for(principal, hazard.enterprise_id, hazard.site_id)
        case Role.DEPARTMENT_MANAGER:
            return hazard.escalated_at is not None and principal.department_id == hazard.escalated_to
        case Role.LEAD:
            return hazard.escalated_at is not None and within_region(principal, hazard.region)
        case Role.INSPECTOR | Role.ADMINISTRATOR:
            return False


def suggested_due_on(severity: Severity, found_on: date, policy: HazardPolicy = DEFAULT_POLICY) -> date:
    """The term suggested for a hazard found on that day."""
    return found_on + timedelta(days=policy.suggested_days[severity])


def require_term(severity: Severity, found_on: date, due_on: date, policy: HazardPolicy = DEFAULT_POLICY) -> date:
    """The term, neither before the day found nor beyond the longest. Raises `InvalidField`."""
    latest = found_on + timedelta(days=policy.longest_days[severity])
    if not found_on <= due_on <= latest:
        raise InvalidField(f"整改期限应在发现之日起至{latest.isoformat()}之间。", field="due_on")
    return due_on


def require_open(hazard: Hazard) -> Hazard:
    """Raises `HazardAlreadyClosed`."""
    if hazard.state is HazardState.CLOSED:
        raise HazardAlreadyClosed("该隐患已处理完毕。")
    return hazard


def require_words(text: str, field: str) -> str:
    """The text without surrounding blanks. Raises `InvalidField` for fewer than 2 characters."""
    return require_text(text, _TEXT, field, "请填写2字以上的说明。")


def plan(hazard: Hazard, order: HandlingOrder, sealed: bytes, found_on: date, expected: int) -> Hazard:
    """隐患治理 is planned or planned anew; another term is reminded of anew.

    Raises `HazardAlreadyClosed`, `HazardChanged` or `InvalidField`.
    """
    require_open(hazard)
    if hazard.version != expected:
        raise HazardChanged("该隐患已被修改，请刷新后重新填写。", field="If-Match", version=hazard.version)
    due_on = require_term(hazard.severity, found_on, order.due_on)
    return msgspec.structs.replace(
        hazard,
        measures=require_words(order.measures, "measures"),
        responsible_sealed=sealed,
        due_on=due_on,
        reminders=hazard.reminders if due_on == hazard.due_on else 0,
        version=hazard.version + 1,
    )


def close(hazard: Hazard, order: ClosingOrder, by: UUID, now: datetime) -> Hazard:
    """隐患销号. 重大隐患 is closed with a photo. Raises `HazardAlreadyClosed` or `InvalidField`."""
    require_open(hazard)
    if len(set(order.photos)) != len(order.photos):
        raise InvalidField("同一张照片只附一次。", field="photos")
    if hazard.severity is Severity.SEVERE and not order.photos:
        raise InvalidField("重大隐患处理后请附照片。", field="photos")
    return msgspec.structs.replace(
        hazard,
        state=HazardState.CLOSED,
        closing_note=require_words(order.note, "note"),
        photos_after=[bytes.fromhex(photo) for photo in order.photos],
        closed_at=now,
        closed_by=by,
        version=hazard.version + 1,
    )


def escalate(hazard: Hazard, department_id: UUID | None, now: datetime) -> Hazard:
    """上报监管部门. Raises `HazardNotSevere` or `HazardAlreadyEscalated`."""
    if hazard.severity is not Severity.SEVERE:
        raise HazardNotSevere("只有重大隐患需要上报监管部门。")
    if hazard.escalated_at is not None:
        raise HazardAlreadyEscalated("该隐患已上报。")
    return msgspec.structs.replace(hazard, escalated_at=now, escalated_to=department_id, version=hazard.version + 1)


def reminders_due(hazard: Hazard, today: date, policy: HazardPolicy = DEFAULT_POLICY) -> int:
    """How many reminders of it are due by today: more than were sent, and one goes out for all."""
    overdue = (today - hazard.due_on).days
    return sum(overdue >= after for after in policy.remind_after_days)
