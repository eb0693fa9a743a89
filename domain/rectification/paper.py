"""责令改正通知书 as a paper: the values that fill its template, and its table of what to put right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from domain.document.model import Block, DocumentKind, Finding, Findings, NumberColumns, Paper
from domain.document.templates import TemplateBody, chinese_date, fill
from domain.inspection.model import AssignedOfficer, InspectionKind
from domain.officer.rules import certificate_is_valid
from domain.rectification.acts import Contact, IssueOrder
from domain.rectification.model import OrderedItem
from domain.shared.clock import local_date
from domain.shared.errors import InvalidField

NOT_KNOWN: Final = "／"
AT_ONCE: Final = "立即"
DEMANDS_SECTION: Final = "改正事项"
COURT_FIELD: Final = "管辖法院"
REVIEW_FIELD: Final = "复议机关"
_HEADINGS: Final = ("序号", "检查内容及违反的规定", "改正要求", "期限")
_KINDS: Final = {
    InspectionKind.ROUTINE: "日常检查",
    InspectionKind.SPECIAL: "专项检查",
    InspectionKind.CASE: "个案检查",
}


class PaperHead(NumberColumns, frozen=True, kw_only=True):
    """Who orders, whom, after which inspection; the number is that of the 检查通知书."""

    authority: str
    short_name: str
    department_code: str
    hotline: str | None
    party: str
    uscc: str
    representative: str | None
    address: str | None
    inspection_name: str
    inspection_kind: InspectionKind
    inspection_basis: str


def contact_of(head: PaperHead, officer: AssignedOfficer) -> Contact:
    """Whom to propose as contact: the officer, at the department's own line."""
    return Contact(name=officer.name, phone=head.hotline or NOT_KNOWN)


def automatic_values(
    head: PaperHead,
    officers: Sequence[AssignedOfficer],
    items: Sequence[OrderedItem],
    *,
    contact: Contact,
    arrived_at: datetime,
    issued_on: date,
    due_on: date,
) -> dict[str, str]:
    """自动填充值 of an order's template, all that the document room promises for this kind."""
    certified = [each for each in officers if certificate_is_valid(each, issued_on)]
    return {
        "authority": head.authority,
        "party": head.party,
        "uscc": head.uscc,
        "representative": head.representative or NOT_KNOWN,
        "address": head.address or NOT_KNOWN,
        "inspection_name": head.inspection_name,
        "inspection_kind": _KINDS[head.inspection_kind],
        "inspection_basis": head.inspection_basis,
        "officers": "、".join(f"{each.name}（{each.certificate_number}）" for each in certified),
        "issued_on": issued_on.isoformat(),
        "contact_person": contact.name,
        "contact_phone": contact.phone,
        "authority_address": NOT_KNOWN,
        "inspected_on": local_date(arrived_at).isoformat(),
        "notice_number": head.number or NOT_KNOWN,
        "facts": _numbered([item.facts for item in items]),
        "clauses": _clauses(items),
        "demands": _numbered([f"{item.demand.rstrip('。')}，{term_of(item, due_on)}改正。" for item in items]),
        "term": AT_ONCE if due_on == issued_on else f"于{chinese_date(due_on)}前",
    }


def term_of(item: OrderedItem, due_on: date) -> str:
    """期限 of one item: at once, or by its date."""
    if item.due_on is None:
        return AT_ONCE
    return f"于{chinese_date(min(item.due_on, due_on))}前"


def demands_table(items: Sequence[OrderedItem], due_on: date) -> Findings:
    """改正事项, item by item."""
    return Findings(
        rows=[
            Finding(
                place=number,
                title=item.title,
                text=item.demand,
                verdict=f"{term_of(item, due_on)}改正",
                basis=item.clauses,
            )
            for number, item in enumerate(items, start=1)
        ],
        headings=_HEADINGS,
    )


def edits_of(asked: IssueOrder) -> dict[str, str]:
    """What the officer wrote into marked fields; court and review authority are fields, too.

    Raises `InvalidField` when both ways name different ones.
    """
    edits = dict(asked.fields)
    for field, name, value in (
        ("court", COURT_FIELD, asked.court),
        ("review_authority", REVIEW_FIELD, asked.review_authority),
    ):
        if value is None:
            continue
        if edits.setdefault(name, value) != value:
            raise InvalidField(f"“{name}”填写了两种内容。", field=field)
    return edits


def order_paper(
    body: TemplateBody,
    automatic: dict[str, str],
    edits: dict[str, str],
    items: Sequence[OrderedItem],
    due_on: date,
) -> Paper:
    """The paper as it is frozen. Raises `FieldNotEditable`, `InvalidField`, `ValueMissing` or `TemplateBroken`."""
    inserts: dict[str, list[Block]] = {DEMANDS_SECTION: [demands_table(items, due_on)]}
    return Paper(
        kind=DocumentKind.RECTIFICATION_ORDER,
        title=body.title,
        authority=automatic["authority"],
        issued_on=date.fromisoformat(automatic["issued_on"]),
        blocks=fill(body, automatic, edits, inserts),
    )


def _numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}．{' '.join(line.split())}" for number, line in enumerate(lines, start=1))


def _clauses(items: Sequence[OrderedItem]) -> str:
    each_once = dict.fromkeys(clause for item in items for clause in item.clauses.split("；") if clause)
    return "\n".join(each_once) or NOT_KNOWN
