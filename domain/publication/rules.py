"""Rules of publication: when, what, and who may stop it for which reason (POST-06, D10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Final

import msgspec

from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.publication.model import (
    KIND_LABELS,
    OUTCOME_LABELS,
    Correction,
    PendingPublication,
    Publication,
    PublicationState,
    PublicReply,
    PublicResult,
    StoredReply,
    StoredResult,
    WithholdingReason,
)
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import DomainError
from domain.shared.fields import require_text
from domain.shared.working_days import add_working_days

REPLY_LENGTH: Final = range(2, 501)
_FEBRUARY_29: Final = (2, 29)
_OF_OBJECTION: Final = frozenset({WithholdingReason.OBJECTION, WithholdingReason.OBJECTION_UPHELD})


class PublicationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of publication. `source` says where a figure comes from; 待核 until a department has checked it."""

    latest_working_days: int = 20
    years: int = 3
    years_source: str = "待核"


DEFAULT_POLICY: Final = PublicationPolicy()


class AlreadyPublished(DomainError):
    """The result is public: it can be withdrawn, or marked as contested, but not held back."""


class AlreadyWithdrawn(DomainError):
    """The publication was withdrawn; what was public once is not changed any more."""


class ObjectionDecides(DomainError):
    """An objection holds it back, or held it back for good: what becomes of it is decided there, not by hand."""


class NotWithheld(DomainError):
    """Nothing holds the publication back."""


class NotPublished(DomainError):
    """The result is not public."""


class ObjectionTermOver(DomainError):
    """An objection does not hold a publication back beyond the 20th working day after completion."""


class ReplyInForce(DomainError):
    """The enterprise has a reply there already: it withdraws that one first."""


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, WORKING_ZONE)


def latest_at(completed_at: datetime, policy: PublicationPolicy = DEFAULT_POLICY) -> datetime:
    """From when no objection holds a result back: the start of the 20th working day after completion (D10)."""
    return _start_of(add_working_days(local_date(completed_at), policy.latest_working_days))


def due_at(completed_at: datetime, embargo_working_days: int, policy: PublicationPolicy = DEFAULT_POLICY) -> datetime:
    """From when a result is public: the start of the working day after the embargo, at completion where it is 0."""
    if embargo_working_days == 0:
        return completed_at
    day = add_working_days(local_date(completed_at), embargo_working_days + 1)
    return min(_start_of(day), latest_at(completed_at, policy))


def ends_on(published_on: date, policy: PublicationPolicy = DEFAULT_POLICY) -> date:
    """The last day of a publication."""
    year = published_on.year + policy.years
    if (published_on.month, published_on.day) == _FEBRUARY_29:
        return date(year, 2, 28)
    return published_on.replace(year=year)


def may_see(principal: Principal, publication: Publication) -> bool:
    """A manager sees what their department took part in, a lead the region's, an enterprise its own (D8)."""
    match principal.role:
        case Role.DEPARTMENT_MANAGER:
            return principal.department_id in publication.departments
        case Role.LEAD:
            return within_region(principal, publication.region)
        case Role.ENTERPRISE:
            return acts_for(principal, publication.enterprise_id, publication.site_id)
        case Role.INSPECTOR | Role.ADMINISTRATOR:
            return False


# ---- how a publication changes


def publish(publication: Publication, now: datetime, policy: PublicationPolicy = DEFAULT_POLICY) -> Publication:
    """公示. What an objection held back until its term ran out is published as contested (异议处理中)."""
    return msgspec.structs.replace(
        publication,
        state=PublicationState.PUBLISHED,
        published_at=now,
        ends_on=ends_on(local_date(now), policy),
        is_contested=publication.withheld_reason is WithholdingReason.OBJECTION,
        withheld_at=None,
        withheld_reason=None,
        withheld_note=None,
    )


def withhold(publication: Publication, reason: WithholdingReason, note: str, now: datetime) -> Publication:
    """暂不公示. An objection to what is public already marks it as contested and hides nothing.

    Raises `AlreadyWithdrawn`, `AlreadyPublished` or `ObjectionTermOver`.
    """
    if publication.state is PublicationState.WITHDRAWN:
        raise AlreadyWithdrawn("该公示已撤下。")
    is_objection = reason is WithholdingReason.OBJECTION
    if publication.state is PublicationState.PUBLISHED:
        if not is_objection:
            raise AlreadyPublished("该结果已公示，如不应公示请撤下并说明原因。")
        return msgspec.structs.replace(publication, is_contested=True)
    if is_objection and now >= publication.latest_at:
        raise ObjectionTermOver("异议处理不得使公示超过20个工作日。", field="reason")
    return msgspec.structs.replace(
        publication,
        state=PublicationState.WITHHELD,
        withheld_at=now,
        withheld_reason=reason,
        withheld_note=note,
    )


def release(publication: Publication, now: datetime) -> Publication:
    """恢复公示: public at once when its time has come, else pending again; a contested one is contested no more.

    Raises `AlreadyWithdrawn` or `NotWithheld`.
    """
    if publication.state is PublicationState.WITHDRAWN:
        raise AlreadyWithdrawn("该公示已撤下。")
    if publication.is_contested:
        return msgspec.structs.replace(publication, is_contested=False)
    if publication.state is not PublicationState.WITHHELD:
        raise NotWithheld("该公示未被暂缓。")
    freed = msgspec.structs.replace(
        publication, state=PublicationState.PENDING, withheld_at=None, withheld_reason=None, withheld_note=None
    )
    return publish(freed, now) if freed.due_at <= now else freed


def withdraw(publication: Publication, reason: str, now: datetime) -> Publication:
    """撤下公示: what was public leaves a tombstone. Raises `AlreadyWithdrawn` or `NotPublished`."""
    if publication.state is PublicationState.WITHDRAWN:
        raise AlreadyWithdrawn("该公示已撤下。")
    if publication.state is not PublicationState.PUBLISHED:
        raise NotPublished("该结果尚未公示，可暂缓公示。")
    return msgspec.structs.replace(
        publication,
        state=PublicationState.WITHDRAWN,
        withdrawn_at=now,
        withdrawn_reason=reason,
        is_contested=False,
    )


def require_by_hand(publication: Publication, reason: WithholdingReason) -> None:
    """Raises `ObjectionDecides`: an objection is filed by the enterprise, and its end is not changed afterwards."""
    if reason in _OF_OBJECTION:
        raise ObjectionDecides("结果异议由企业提出，不能人工设置。", field="reason")
    if publication.withheld_reason is WithholdingReason.OBJECTION_UPHELD:
        raise ObjectionDecides("结果异议已成立，该结果不再公示。")


def require_releasable(publication: Publication, *, has_open_objection: bool) -> None:
    """Raises `ObjectionDecides`: what an objection holds back or marks is freed by its decision alone."""
    if has_open_objection or publication.withheld_reason is WithholdingReason.OBJECTION_UPHELD:
        raise ObjectionDecides("该公示有结果异议，请在异议处理中办理。")


def as_published(stored: StoredResult, publication: Publication, now: datetime) -> PublicResult | None:
    """Word for word what anybody will read once it is public (D10), or reads now; None where nobody reads anything.

    What is still to come is shown as of its day: `due_at`, or the end of an objection's term.
    """
    if stored.state in {PublicationState.PUBLISHED, PublicationState.WITHDRAWN}:
        return public_result(stored)
    begins = public_from(publication)
    if begins is None:
        return None
    future = publish(publication, max(begins, now))
    return public_result(
        msgspec.structs.replace(
            stored, state=future.state, published_at=future.published_at, is_contested=future.is_contested
        )
    )


def public_from(publication: Publication) -> datetime | None:
    """From when it is public, as it stands now; an objection holds it back for its whole term at most.

    None while another lawful reason holds it back, which has no term.
    """
    if publication.published_at is not None:
        return publication.published_at
    if publication.state is not PublicationState.WITHHELD:
        return publication.due_at
    return publication.latest_at if publication.withheld_reason is WithholdingReason.OBJECTION else None


def require_reply(publication: Publication, former: StoredReply | None, text: str) -> str:
    """The reply without surrounding blanks. Raises `AlreadyWithdrawn`, `ReplyInForce` or `InvalidField`."""
    if publication.state is PublicationState.WITHDRAWN:
        raise AlreadyWithdrawn("该公示已撤下。")
    if former is not None:
        raise ReplyInForce("已有一份回应，请先撤回再提交。")
    return require_text(text, REPLY_LENGTH, "text", "回应应为2至500字。")


# ---- what the public sees


def correction_of(orders: Iterable[str]) -> Correction:
    """整改情况 out of the states of an inspection's orders: what is still open decides, then what was transferred."""
    counting = {state for state in orders if state != "revoked"}
    if counting & {"to_rectify", "fed_back"}:
        return Correction.PENDING
    if "transferred" in counting:
        return Correction.TRANSFERRED
    return Correction.DONE if counting else Correction.NOT_REQUIRED


def public_result(stored: StoredResult) -> PublicResult | None:
    """What anybody may know of a result; None for an inspection that has none to show."""
    label = OUTCOME_LABELS.get(stored.outcome or "")
    if stored.completed_at is None or label is None:
        return None
    shown = PublicResult(
        id=stored.id,
        authorities=stored.authorities,
        kind=stored.kind,
        kind_label=KIND_LABELS[stored.kind],
        completed_on=local_date(stored.completed_at),
        published_on=None if stored.published_at is None else local_date(stored.published_at),
        withdrawn_on=None if stored.withdrawn_at is None else local_date(stored.withdrawn_at),
    )
    if stored.state is PublicationState.WITHDRAWN:
        return shown
    correction = correction_of(stored.orders)
    reply = stored.reply
    return msgspec.structs.replace(
        shown,
        outcome=stored.outcome,
        outcome_label=label,
        unchecked_items=stored.unchecked_items,
        correction=correction,
        correction_label=correction.label,
        is_contested=stored.is_contested,
        reply=None if reply is None else PublicReply(text=reply.text, submitted_on=local_date(reply.submitted_at)),
    )


def public_results(stored: Sequence[StoredResult], today: date) -> list[PublicResult]:
    """The results that are public today, in the order given."""
    shown = {PublicationState.PUBLISHED, PublicationState.WITHDRAWN}
    found = [public_result(each) for each in stored if each.state in shown and each.ends_on >= today]
    return [each for each in found if each is not None]


def pending_publications(stored: Sequence[StoredResult]) -> list[PendingPublication]:
    """What is not public yet, with what will be, for the enterprise's own eyes."""
    waiting = {PublicationState.PENDING, PublicationState.WITHHELD}
    return [
        PendingPublication(id=each.id, state=each.state, due_at=each.due_at, result=result)
        for each in stored
        if each.state in waiting and (result := public_result(each)) is not None
    ]
