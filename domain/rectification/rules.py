"""Rules of orders to rectify: values in, values or a refusal out (one-code.md "Rectification", D7, X9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.identity.model import Principal
from domain.inspection.model import AssignedOfficer
from domain.inspection.rules import NotAssigned, SecondOfficerRequired
from domain.membership.rules import acts_for
from domain.officer.rules import certificate_is_valid, require_certificate
from domain.rectification.acts import ItemDemand, ItemFeedback, ItemResult, ReInspect
from domain.rectification.model import AnsweredItem, Order, OrderedItem, OrderMark, OrderState, ReInspectionResult
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound
from domain.shared.working_days import add_working_days


class Term(msgspec.Struct, frozen=True):
    """A term in natural days with its source, which is 待核 until somebody has read it in an official text."""

    days: int
    source: str
    verified: bool = False


SUGGESTED_TERM: Final = Term(15, "D7；一般知识，待核")
"""What is suggested for an item that neither the law nor the item gives a term; never for a severe hazard."""
RE_INSPECTION_TERM: Final = Term(10, "one-code.md；一般知识，待核")
"""整改复查 is due so long after the feedback or the expiry."""
ANNOUNCEMENT_TERM: Final = Term(30, "民事诉讼法公告送达期限；一般知识，待核")
"""公告 is deemed served so long after its first day."""
LONGEST_TERM: Final = Term(180, "本系统上限")
"""No order runs longer, extension included."""
DUE_SOON_WORKING_DAYS: Final = 3
ORDERING_MEASURES: Final = frozenset({"rectify_within", "corrected_on_spot"})
TRANSFER_MEASURE: Final = "transfer_for_penalty"
_SEVERE: Final = "severe"


class ItemNotOrderable(DomainError):
    """The item is not the department's own, has no problem, or no measure that orders anything."""


class ItemAlreadyOrdered(DomainError):
    """An unrevoked order names the item already."""


class OrderAlreadyClosed(DomainError):
    """The order is rectified, transferred or revoked."""


class NumberNotLeased(DomainError):
    """The number is not of a block that the caller holds, or it is used or voided."""


class ExtensionAlreadyRequested(DomainError):
    """More time is asked for once in the life of an order (D7)."""


class ExtensionAlreadyDecided(DomainError):
    """The request was decided, or there is none."""


class TermAlreadyOver(DomainError):
    """More time is asked for before the term is over."""


class TermStillRuns(DomainError):
    """Another round is ordered only after the first has run out or was answered."""


class FurtherRoundNotApproved(DomainError):
    """Another round needs who approved it, why, and a new date."""


class PenaltyItemsRemain(DomainError):
    """Items marked `penalty_if_overdue` are not given another round: they go to transfer."""


class ResultContradictsItems(DomainError):
    """The result of the re-inspection does not follow from its items."""


class TransferNotIndicated(DomainError):
    """No answer of the department carries the measure 转行政处罚."""


class TransferAlreadyOpened(DomainError):
    """The department has opened a transfer for this inspection."""


class TransferAlreadyHandedOver(DomainError):
    """The file was handed over."""


def suggested_due_on(severity: str, on: date) -> date | None:
    """A date to propose for an item; none for a severe hazard, whose term the officer gives with a reason (D7)."""
    return None if severity == _SEVERE else on + timedelta(days=SUGGESTED_TERM.days)


def re_inspection_due_on(basis: date) -> date:
    """The day by which 整改复查 is due, counted from the feedback or the expiry."""
    return basis + timedelta(days=RE_INSPECTION_TERM.days)


def mark_of(state: OrderState, due_on: date, served_on: date | None, today: date) -> OrderMark:
    """Where the order stands on `today`. A paper that was served after its own date sets no term by it."""
    if not state.is_open:
        return OrderMark.CLOSED
    if served_on is None or served_on > today or served_on > due_on:
        return OrderMark.NOT_SERVED
    if due_on < today:
        return OrderMark.OVERDUE
    return OrderMark.DUE_SOON if due_on <= add_working_days(today, DUE_SOON_WORKING_DAYS) else OrderMark.ON_TIME


def require_version_7(given: UUID) -> UUID:
    """Raises `InvalidField` for an id that a phone did not make as agreed."""
    if given.version != 7:  # noqa: PLR2004 - UUIDv7 is what it is called
        raise InvalidField("编号应为 UUIDv7。", field="id")
    return given


def require_certified_pair(assigned: Sequence[AssignedOfficer], officer_id: UUID, on: date) -> AssignedOfficer:
    """The acting officer, certified on that day, with at least one other of the same department who is too.

    Raises `NotAssigned`, `CertificateInvalid` or `SecondOfficerRequired`.
    """
    first = next((officer for officer in assigned if officer.id == officer_id), None)
    if first is None:
        raise NotAssigned("你不是该检查任务的执法人员。")
    require_certificate(first, on, "officer")
    others = (each for each in assigned if each.id != first.id and each.acts_for == first.acts_for)
    if not any(certificate_is_valid(each, on) for each in others):
        raise SecondOfficerRequired("本任务须有同一部门两名以上持有效证件的执法人员。")
    return first


def require_term(due_on: date, issued_on: date, field: str) -> date:
    """Raises `InvalidField` for a date before the day of issue, or more than 180 days after it."""
    if due_on < issued_on:
        raise InvalidField("整改期限早于签发日期。", field=field)
    if (due_on - issued_on).days > LONGEST_TERM.days:
        raise InvalidField(f"整改期限最长{LONGEST_TERM.days}日。", field=field)
    return due_on


def ordered_items(
    demands: Sequence[ItemDemand],
    answered: Mapping[UUID, AnsweredItem],
    department_id: UUID,
    issued_on: date,
    due_on: date,
) -> list[OrderedItem]:
    """The items of an order, in the list's order, each checked: own department, problem, measure, term, facts.

    Raises `ItemNotOrderable`, `ItemAlreadyOrdered`, `ReasonMissing` or `InvalidField`.
    """
    if len({demand.item_id for demand in demands}) != len(demands):
        raise InvalidField("同一检查内容重复。", field="items")
    items = [
        _ordered(demand, answered.get(demand.item_id), department_id, issued_on, due_on, f"items[{place}]")
        for place, demand in enumerate(demands)
    ]
    return sorted(items, key=lambda item: item.place)


def _ordered(
    demand: ItemDemand, item: AnsweredItem | None, department_id: UUID, issued_on: date, due_on: date, field: str
) -> OrderedItem:
    if item is None or item.department_id != department_id:
        raise ItemNotOrderable("该检查内容不属于本部门的检查单。", field=field, item_id=str(demand.item_id))
    if item.value != "problem" or not item.kinds & ORDERING_MEASURES:
        raise ItemNotOrderable(
            "该检查内容未记录为发现问题，或未选择当场改正、限期改正。", field=field, item_id=str(item.item_id)
        )
    if item.order_id is not None:
        raise ItemAlreadyOrdered("该检查内容已在另一份责令改正通知书中。", field=field, order_id=str(item.order_id))
    if demand.due_on is not None:
        _require_item_term(demand.due_on, issued_on, due_on, field)
        if item.severity == _SEVERE:
            require_reason(demand.term_reason, f"{field}.term_reason")
    facts = (demand.facts or item.remark or "").strip()
    if not facts:
        raise InvalidField("请填写违法事实。", field=f"{field}.facts")
    return OrderedItem(
        item_id=item.item_id,
        place=item.place,
        title=item.content,
        facts=facts,
        clauses=clauses_of(item.legal_basis),
        demand=demand.demand.strip(),
        due_on=demand.due_on,
        penalty_if_overdue=item.penalty_if_overdue,
    )


def _require_item_term(item_due_on: date, issued_on: date, due_on: date, field: str) -> None:
    require_term(item_due_on, issued_on, f"{field}.due_on")
    if item_due_on > due_on:
        raise InvalidField("该项期限晚于通知书的整改期限。", field=f"{field}.due_on")


def clauses_of(legal_basis: Sequence[Mapping[str, Any]]) -> str:
    """The clauses as the paper names them; what nobody has checked yet says so."""
    return "；".join(
        f"《{str(each['law']).strip('《》')}》{each['article']}{'' if each.get('verified') else '（待核）'}"
        for each in legal_basis
    )


def require_open(order: Order) -> None:
    """Raises `OrderAlreadyClosed`."""
    if not order.state.is_open:
        raise OrderAlreadyClosed("该责令改正通知书已办结或撤销。", state=order.state)


def require_own(order: Order, department_id: UUID | None) -> None:
    """Raises `Forbidden`: only the department that issued an order acts on it."""
    if order.department_id != department_id:
        raise Forbidden("该责令改正通知书由其他部门签发。")


def require_party(order: Order | None, principal: Principal) -> Order:
    """The order that is addressed to the caller's enterprise, for a site that is theirs. Raises `NotFound`."""
    if order is None or not acts_for(principal, order.enterprise_id, order.site_id):
        raise NotFound("没有该责令改正通知书。")
    return order


def require_known_items(given: Collection[UUID], ordered: Collection[UUID]) -> None:
    """Raises `InvalidField` for an item that comes twice, or that the order does not name."""
    if len(set(given)) != len(given) or not set(given) <= set(ordered):
        raise InvalidField("整改事项重复，或不在该通知书中。", field="items")


def photos_of(items: Sequence[ItemFeedback]) -> list[str]:
    """Every photo that a feedback refers to."""
    return [digest for item in items for digest in (*item.before, *item.after)]


def require_extendable(order: Order, days: int, today: date) -> date:
    """The date that the extension would give. Raises `OrderAlreadyClosed`, `TermAlreadyOver` or `InvalidField`."""
    require_open(order)
    if today > order.due_on:
        raise TermAlreadyOver("整改期限已过，不能再申请延期。", due_on=order.due_on.isoformat())
    return extended(order.due_on, days)


def extended(due_on: date, days: int) -> date:
    """The date that lies `days` natural days later."""
    return due_on + timedelta(days=days)


def require_re_inspection(order: Order, items: Mapping[UUID, OrderedItem], asked: ReInspect, on: date) -> None:
    """Whether the result follows from the items, and what it asks for is there.

    Raises `InvalidField`, `ResultContradictsItems`, `TermStillRuns`, `PenaltyItemsRemain` or
    `FurtherRoundNotApproved`.
    """
    require_known_items([each.item_id for each in asked.items], items.keys())
    if len(asked.items) != len(items):
        raise InvalidField("请逐项填写复查结果。", field="items")
    failed = [each for each in asked.items if not each.is_corrected]
    if asked.result is not ReInspectionResult.TRANSFER_CONDITIONS_MET:
        _require_no_penalty(items, failed)
    match asked.result:
        case ReInspectionResult.NO_PROBLEM if failed:
            raise ResultContradictsItems("仍有未改正的事项，不能认定未发现问题。", field="result")
        case ReInspectionResult.ORDER_TO_RECTIFY:
            _require_further_round(order, asked, failed, on)
        case ReInspectionResult.TRANSFER_CONDITIONS_MET if asked.receiving_body is None:
            raise InvalidField("请填写接收移交的机关。", field="receiving_body")
        case _:
            return


def _require_no_penalty(items: Mapping[UUID, OrderedItem], failed: Sequence[ItemResult]) -> None:
    penal = [str(each.item_id) for each in failed if items[each.item_id].penalty_if_overdue]
    if penal:
        raise PenaltyItemsRemain("逾期应处罚的事项未改正，应移交执法。", field="result", items=penal)


def _require_further_round(order: Order, asked: ReInspect, failed: Sequence[ItemResult], on: date) -> None:
    if not failed:
        raise ResultContradictsItems("各项均已改正，不能再次责令改正。", field="result")
    if order.state is not OrderState.FED_BACK and on <= order.due_on:
        raise TermStillRuns("整改期限未届满且企业未反馈，不能再次责令改正。", due_on=order.due_on.isoformat())
    if asked.approved_by is None or not (asked.approval_reason or "").strip() or asked.next_due_on is None:
        raise FurtherRoundNotApproved("再次责令改正须经批准：请填写批准人、理由和新的期限。", field="approved_by")
    require_term(asked.next_due_on, on, "next_due_on")


STATE_AFTER: Final[Mapping[ReInspectionResult, OrderState]] = {
    ReInspectionResult.NO_PROBLEM: OrderState.RECTIFIED,
    ReInspectionResult.ADMINISTRATIVE_GUIDANCE: OrderState.RECTIFIED,
    ReInspectionResult.ORDER_TO_RECTIFY: OrderState.TO_RECTIFY,
    ReInspectionResult.TRANSFER_CONDITIONS_MET: OrderState.TRANSFERRED,
}
"""What a re-inspection makes of its order (X9)."""
