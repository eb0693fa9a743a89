"""Rules of complaints and tip-offs: who may, what follows what, and by when (COG-05, COG-06, section 5.5)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from codes.person_name import mask_name
from codes.phone import mask_phone
from codes.resident_id import mask_resident_id
from domain.complaint.model import (
    CONSENT_VERSION,
    Grievance,
    GrievanceKind,
    Narrative,
    NewGrievance,
)
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.shared.clock import local_date
from domain.shared.errors import DomainError, InvalidField
from domain.shared.fields import optional_text, require_text
from domain.shared.numbers import NumberKind
from domain.shared.query_code import read_query_code
from domain.shared.working_days import add_working_days

_DESCRIPTION: Final = range(10, 2001)
_TEXT: Final = range(2, 1001)
_PLACE: Final = range(2, 201)
_NAME: Final = range(2, 31)
_TAIL: Final = 4
_OLDEST: Final = timedelta(days=3 * 366)
_A_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_A_RESIDENT = re.compile(r"(?<!\d)\d{17}[0-9Xx](?!\d)")
_NUMBER = re.compile(r"([0-9A-Z]{1,20})-([0-9]{4})-([A-Z]{2})-([0-9]{6,9})")


class GrievancePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of handling (decisions, "complaints"). `source` says where a figure comes from; 待核 until checked."""

    complaint_decision_working_days: int = 7
    complaint_answer_days: int = 45
    tip_off_decision_working_days: int = 15
    tip_off_extension_working_days: int = 15
    tip_off_answer_working_days: int = 5
    reopening_days: int = 15
    due_soon_working_days: int = 3
    tail_tries: int = 5
    tail_wait: timedelta = timedelta(minutes=15)
    source: str = "待核"


DEFAULT_POLICY: Final = GrievancePolicy()


class NoHandlingDepartment(DomainError):
    """The register names no department for the site: nobody here could handle it."""


class ConsentMissing(DomainError):
    """The citizen did not agree to the text in force."""


class StepNotPossible(DomainError):
    """Its state does not allow that step."""


class FollowsAnother(DomainError):
    """It was merged: what is done to the leading one counts for it too."""


class NotTheHandler(DomainError):
    """Only who handles it may see who complains."""


class NobodyNamed(DomainError):
    """An anonymous tip-off has nobody to show."""


class AlreadyExtended(DomainError):
    """The term was extended once already."""


class AlreadyReopened(DomainError):
    """It was reopened once already."""


class ReopeningTermOver(DomainError):
    """More than 15 days have passed since the answer."""


class NotTheSameMatter(DomainError):
    """They are not about one site, or one of them is not open: they cannot be taken together."""


class PhoneTailRequired(DomainError):
    """The last four digits of the phone are missing or wrong."""


class TooManyTries(DomainError):
    """Wrong digits came too often; `retry_after` tells in how many seconds one may try again."""


class OfficersUnfit(DomainError):
    """An officer is not of the handling department."""


# ---- what is handed in


def require_narrative(new: NewGrievance, now: datetime) -> Narrative:
    """What happened, trimmed and within bounds. Raises `InvalidField` or `ConsentMissing`."""
    if new.consent_version != CONSENT_VERSION:
        raise ConsentMissing("请阅读并同意告知事项后再提交。", field="consent_version", version=CONSENT_VERSION)
    if (new.code is None) == (new.site_id is None):
        raise InvalidField("请扫描企业码或选择一个经营场所。", field="site_id")
    today = local_date(now)
    if new.happened_on is not None and not today - _OLDEST <= new.happened_on <= today:
        raise InvalidField("发生日期应在近三年内，且不晚于今天。", field="happened_on")
    return Narrative(
        description=require_text(new.description, _DESCRIPTION, "description", "请写明经过，10至2000字。"),
        happened_on=new.happened_on,
        place=optional_text(new.place, _PLACE, "place", "地点应为2至200字。"),
        wish=optional_text(new.wish, _TEXT, "wish", "诉求应为2至1000字。"),
    )


def require_name(kind: GrievanceKind, name: str | None) -> str | None:
    """Who complains; a 举报 may leave it out. Raises `InvalidField`."""
    if kind is GrievanceKind.TIP_OFF:
        return optional_text(name, _NAME, "name", "姓名应为2至30字。")
    return require_text(name, _NAME, "name", "投诉须填写真实姓名，2至30字。")


def require_words(text: str | None, field: str = "text") -> str:
    """Words of 2 to 1,000 characters. Raises `InvalidField`."""
    return require_text(text, _TEXT, field, "请填写2至1000字。")


def masked_text(text: str, name: str | None = None) -> str:
    """A citizen's words with phone and identity numbers hidden, and the complainant's own name."""
    hidden = _A_RESIDENT.sub(lambda found: mask_resident_id(found[0]), text)
    hidden = _A_MOBILE.sub(lambda found: mask_phone(found[0]), hidden)
    return hidden if name is None else hidden.replace(name, mask_name(name))


class ReadNumber(msgspec.Struct, frozen=True, kw_only=True):
    """编号, taken apart."""

    department_code: str
    number_kind: str
    year: int
    sequence: int


def read_number(text: str, kind: NumberKind) -> ReadNumber | None:
    """编号 as people type it; None for what is no number of that kind."""
    found = _NUMBER.fullmatch(text.strip().upper())
    if found is None or found[3] != kind.value:
        return None
    return ReadNumber(department_code=found[1], number_kind=found[3], year=int(found[2]), sequence=int(found[4]))


# ---- the query code


def require_query_code(typed: str) -> str:
    """The code however it was typed. Raises `InvalidField`."""
    code = read_query_code(typed)
    if code is None:
        raise InvalidField("查询码应为12位字母和数字，请核对回执。", field="query_code")
    return code


def read_tail(text: str | None) -> str | None:
    """The last four digits of a phone, as typed. Raises `InvalidField`."""
    digits = (text or "").strip()
    if not digits:
        return None
    if len(digits) != _TAIL or not digits.isascii() or not digits.isdigit():
        raise InvalidField("请填写手机号后4位。", field="phone_tail")
    return digits


# ---- terms


def decision_due(kind: GrievanceKind, filed_at: datetime, policy: GrievancePolicy = DEFAULT_POLICY) -> date:
    """The last day to accept or decline; of a 举报: to decide."""
    days = (
        policy.complaint_decision_working_days
        if kind is GrievanceKind.COMPLAINT
        else policy.tip_off_decision_working_days
    )
    return add_working_days(local_date(filed_at), days)


def answer_due(kind: GrievanceKind, decided_at: datetime, policy: GrievancePolicy = DEFAULT_POLICY) -> date:
    """The last day to answer: 45 days after a 投诉 was accepted, 5 working days after a 举报 was decided."""
    decided_on = local_date(decided_at)
    if kind is GrievanceKind.COMPLAINT:
        return decided_on + timedelta(days=policy.complaint_answer_days)
    return add_working_days(decided_on, policy.tip_off_answer_working_days)


def reopened_due(kind: GrievanceKind, reopened_at: datetime, policy: GrievancePolicy = DEFAULT_POLICY) -> date:
    """The last day to answer again: the term of an accepted 投诉, the decision's term of a 举报."""
    if kind is GrievanceKind.COMPLAINT:
        return answer_due(kind, reopened_at, policy)
    return decision_due(kind, reopened_at, policy)


def last_day_due_soon(today: date, policy: GrievancePolicy = DEFAULT_POLICY) -> date:
    """What is due up to this day is due soon (D4)."""
    return add_working_days(today, policy.due_soon_working_days)


# ---- who may


def may_read(principal: Principal, grievance: Grievance) -> bool:
    """A lead of the department or of the region; a manager of the department (COG-05, D8). Nobody else."""
    match principal.role:
        case Role.LEAD:
            is_own = principal.department_id is not None and principal.department_id == grievance.department_id
            return is_own or within_region(principal, grievance.region)
        case Role.DEPARTMENT_MANAGER:
            return principal.department_id == grievance.department_id
        case Role.INSPECTOR | Role.ENTERPRISE | Role.ADMINISTRATOR:
            return False


def may_handle(principal: Principal, grievance: Grievance) -> bool:
    """Leads handle, managers read."""
    return principal.role is Role.LEAD and may_read(principal, grievance)


def concerns(principal: Principal, grievance: Grievance) -> bool:
    """Whether it is an accepted 投诉 about the principal's own enterprise and a site they act for."""
    return grievance.accepted_at is not None and acts_for(principal, grievance.enterprise_id, grievance.site_id)
