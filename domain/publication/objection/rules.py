"""Rules of objections: who may file one and until when, who may decide it, and what becomes of the publication."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.publication.model import Publication, PublicationState, WithholdingReason
from domain.publication.objection.model import Attendance, Decision, Objection, ObjectionState
from domain.publication.rules import AlreadyWithdrawn, ObjectionTermOver, release, withdraw, withhold
from domain.shared.errors import DomainError, Forbidden
from domain.shared.fields import require_text

REASONS_LENGTH: Final = range(10, 2001)
DECISION_LENGTH: Final = range(5, 1001)
HELD_NOTE: Final = "企业提出结果异议，处理期间暂不公示。"
UPHELD_NOTE: Final = "结果异议成立，原结果不予公示。"


class ObjectionOpen(DomainError):
    """There is an open objection to that publication; it is decided or withdrawn first."""


class ObjectionClosed(DomainError):
    """The objection was decided or withdrawn."""


class DeciderWasThere(DomainError):
    """Whoever was assigned to, checked in at, signed or completed the inspection does not decide on it."""


def require_filing(publication: Publication, reasons: str, now: datetime) -> str:
    """The reasons without surrounding blanks.

    Raises `AlreadyWithdrawn`, `ObjectionTermOver` or `InvalidField`: what comes after the 20th working day cannot be
    decided within the ceiling any more (D10), and goes the way of 行政复议.
    """
    if publication.state is PublicationState.WITHDRAWN:
        raise AlreadyWithdrawn("该公示已撤下。")
    if publication.withheld_reason is WithholdingReason.OBJECTION_UPHELD:
        raise ObjectionClosed("该结果的异议已成立，不再公示。")
    if now >= publication.latest_at:
        raise ObjectionTermOver("已超过检查完成后20个工作日的异议期限，可依法申请行政复议或提交公开回应。")
    return require_text(reasons, REASONS_LENGTH, "reasons", "请写明异议理由，10至2000字。")


def held_back(publication: Publication, now: datetime) -> Publication:
    """The publication while the objection is open: held back, or marked where it is public already.

    What is withheld for another lawful reason stays so: an objection must not end that.
    """
    if publication.state is PublicationState.WITHHELD:
        return publication
    return withhold(publication, WithholdingReason.OBJECTION, HELD_NOTE, now)


def may_see(principal: Principal, objection: Objection, departments: Iterable[object]) -> bool:
    """Officers and managers of a department taking part, a lead of the region, the enterprise its own."""
    match principal.role:
        case Role.INSPECTOR | Role.DEPARTMENT_MANAGER:
            return principal.department_id in departments
        case Role.LEAD:
            return within_region(principal, objection.region)
        case Role.ENTERPRISE:
            return acts_for(principal, objection.enterprise_id, objection.site_id)
        case Role.ADMINISTRATOR:
            return False


def require_decider(principal: Principal, objection: Objection, attendance: Attendance) -> None:
    """Of the lead department, or a lead over it, and not there. Raises `Forbidden` or `DeciderWasThere`."""
    if principal.role is not Role.LEAD and principal.department_id != objection.department_id:
        raise Forbidden("该异议由牵头检查的部门处理。")
    if principal.account_id in attendance.accounts or principal.officer_id in attendance.officers:
        raise DeciderWasThere("参加过该次检查的人员不得处理对其结果的异议。")


def require_open(objection: Objection) -> None:
    """Raises `ObjectionClosed`."""
    if objection.state is not ObjectionState.OPEN:
        raise ObjectionClosed(f"该异议{objection.state.label}，不能再次处理。", state=objection.state)


def require_decision(reason: str) -> str:
    """The reason without surrounding blanks. Raises `InvalidField`."""
    return require_text(reason, DECISION_LENGTH, "reason", "请写明处理理由，5至1000字。")


def after_decision(publication: Publication, decision: Decision, now: datetime) -> Publication:
    """What becomes of the publication: a result found wrong, even in part, is not public as it stands."""
    if decision is Decision.REJECTED:
        return freed(publication, now)
    if publication.state is PublicationState.PUBLISHED:
        return withdraw(publication, UPHELD_NOTE, now)
    if publication.state is PublicationState.WITHDRAWN:
        return publication
    return msgspec.structs.replace(
        publication,
        state=PublicationState.WITHHELD,
        withheld_at=now,
        withheld_reason=WithholdingReason.OBJECTION_UPHELD,
        withheld_note=UPHELD_NOTE,
    )


def freed(publication: Publication, now: datetime) -> Publication:
    """The publication without the objection; one that other reasons hold back, or none, stays as it is."""
    held = publication.withheld_reason is WithholdingReason.OBJECTION
    return release(publication, now) if held or publication.is_contested else publication
