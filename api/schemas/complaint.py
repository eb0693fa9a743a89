"""Complaints and tip-offs on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from codes.person_name import mask_name
from codes.phone import mask_phone
from domain.complaint.grievance_store import GrievanceStore
from domain.complaint.keeping import open_narrative, open_person, open_words
from domain.complaint.model import (
    OPEN,
    AcceptedComplaint,
    Entry,
    Grievance,
    GrievanceFiled,
    GrievanceKind,
    GrievanceState,
    GrievanceStepOrder,
    GrievanceSummary,
    GrievanceTerm,
    GrievanceType,
    HistoryKind,
    Narrative,
)
from domain.complaint.rules import last_day_due_soon, masked_text
from domain.complaint.store import AcceptedRow
from domain.evidence.attachments import AttachmentCard
from domain.inspection.model import DueMark
from domain.shared.clock import local_date
from domain.shared.vault import Vault

_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Reason = Annotated[str, msgspec.Meta(max_length=1000)]
_QueryCode = Annotated[str, msgspec.Meta(max_length=40)]
_Tail = Annotated[str, msgspec.Meta(max_length=10)]


# ---- citizens


class FilingReceipt(GrievanceFiled, frozen=True, kw_only=True):
    """回执: the number, and the query code, which is shown here and nowhere else. `national_link`: 全国12315."""

    number: str
    query_code: str
    terms: list[str]
    national_link: str | None


class LikenessQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one is about to file, before it is sent."""

    type: GrievanceType
    description: Annotated[str, msgspec.Meta(max_length=6000)]
    code: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    site_id: UUID | None = None


class LikenessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many 投诉 of the last 30 days are likely about the same matter: the number, never a word of them."""

    likely_duplicates: int


class FollowUpQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """查询码, and of what was filed under one's name the last four digits of the phone."""

    query_code: _QueryCode
    phone_tail: _Tail | None = None


class GrievanceSupplement(FollowUpQuestion, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """补充材料."""

    text: Annotated[str, msgspec.Meta(max_length=6000)]
    attachments: Annotated[list[_Digest], msgspec.Meta(max_length=9)] = []


class GrievanceReopening(FollowUpQuestion, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """申请重新办理."""

    reason: Annotated[str, msgspec.Meta(max_length=6000)]


# ---- the office


class GrievanceLine(GrievanceSummary, frozen=True, kw_only=True):
    """投诉 or 举报 in the office's list, with its 预警 of today."""

    kind: GrievanceKind
    type_label: str
    state_label: str
    due_mark: DueMark


class GrievancePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[GrievanceLine]
    next_cursor: str | None


class Complainant(msgspec.Struct, frozen=True, kw_only=True):
    """Who complains, masked: 王**, 138****1234."""

    name: str
    phone: str


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history."""

    kind: HistoryKind
    label: str
    at: datetime
    text: str | None
    account_id: UUID | None


class GrievanceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """投诉 or 举报 whole, as the office reads it: the complainant masked, also within their own words.

    `follower_ids` were merged into it, `filings_of_phone` counts what came from the same phone, `likely_duplicates`
    what is likely the same matter.
    """

    id: UUID
    kind: GrievanceKind
    number: str
    type: GrievanceType
    type_label: str
    state: GrievanceState
    state_label: str
    term: GrievanceTerm
    due_on: date
    filed_at: datetime
    accepted_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    is_reopened: bool
    is_extended: bool
    is_abusive: bool
    site_id: UUID
    site_name: str
    enterprise_name: str
    handler_id: UUID | None
    leading_id: UUID | None
    follower_ids: list[UUID]
    inspection_id: UUID | None
    narrative: Narrative
    released_text: str | None
    complainant: Complainant | None
    attachments: list[AttachmentCard]
    entries: list[HistoryLine]
    filings_of_phone: int
    likely_duplicates: int


class GrievanceStepsOrder(GrievanceStepOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same step on up to 100."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=100)]


class MergeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """并案: which ones follow."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=50)]


class AbuseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """疑似滥用标记, or its end."""

    is_suspected: bool
    reason: _Reason


class ComplainantViewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the handler has to know who complains."""

    reason: _Reason


class ComplainantShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who complains, and in which words."""

    id: UUID
    viewed_at: datetime
    name: str
    phone: str
    narrative: Narrative


# ---- the enterprise


class ComplaintLine(AcceptedComplaint, frozen=True, kw_only=True):
    """An accepted 投诉 about the enterprise, in words."""

    type_label: str
    state_label: str


class ComplaintPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[ComplaintLine]
    next_cursor: str | None


class ComplaintView(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted 投诉 as the enterprise reads it: what the handler released of it, and the enterprise's own words."""

    id: UUID
    number: str
    type: GrievanceType
    type_label: str
    state: GrievanceState
    state_label: str
    site_id: UUID
    site_name: str
    filed_on: date
    accepted_on: date
    due_on: date
    department: str
    hotline: str | None
    text: str | None
    statements: list[HistoryLine]


class ComplaintStatementOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """企业说明."""

    text: Annotated[str, msgspec.Meta(max_length=6000)]


# ---- how they are made


def due_mark_of(*, is_open: bool, due_on: date, today: date) -> DueMark:
    """预警状态 of today; what owes nothing is on time."""
    if not is_open or due_on > last_day_due_soon(today):
        return DueMark.ON_TIME
    return DueMark.OVERDUE if due_on < today else DueMark.DUE_SOON


def to_line(summary: GrievanceSummary, kind: GrievanceKind, today: date) -> GrievanceLine:
    """A list line."""
    return GrievanceLine(
        **msgspec.structs.asdict(summary),
        kind=kind,
        type_label=summary.type.label,
        state_label=summary.state.label,
        due_mark=due_mark_of(is_open=summary.state in OPEN, due_on=summary.due_on, today=today),
    )


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What a detail tells beside the row itself."""

    number: str
    site_name: str
    enterprise_name: str
    attachments: list[AttachmentCard]
    entries: list[tuple[Entry, str | None]]
    follower_ids: list[UUID]
    filings_of_phone: int
    likely_duplicates: int


def to_detail(vault: Vault, store: GrievanceStore, found: Grievance, beside: Beside) -> GrievanceDetail:
    """The whole of it, the complainant masked."""
    person = open_person(vault, store, found.person_sealed)
    name = None if person is None else person.name
    return GrievanceDetail(
        id=found.id,
        kind=store.kind,
        number=beside.number,
        type=found.type,
        type_label=found.type.label,
        state=found.state,
        state_label=found.state.label,
        term=found.term,
        due_on=found.due_on,
        filed_at=found.filed_at,
        accepted_at=found.accepted_at,
        answered_at=found.answered_at,
        closed_at=found.closed_at,
        is_reopened=found.is_reopened,
        is_extended=found.is_extended,
        is_abusive=found.is_abusive,
        site_id=found.site_id,
        site_name=beside.site_name,
        enterprise_name=beside.enterprise_name,
        handler_id=found.handler_id,
        leading_id=found.leading_id,
        follower_ids=beside.follower_ids,
        inspection_id=found.inspection_id,
        narrative=_masked(open_narrative(vault, store, found), name),
        released_text=open_words(vault, store, found.released_sealed),
        complainant=None
        if person is None
        else Complainant(name=mask_name(person.name), phone=mask_phone(person.phone)),
        attachments=beside.attachments,
        entries=[_entry_line(entry, _hidden(text, name)) for entry, text in beside.entries],
        filings_of_phone=beside.filings_of_phone,
        likely_duplicates=beside.likely_duplicates,
    )


def _hidden(text: str | None, name: str | None) -> str | None:
    return None if text is None else masked_text(text, name)


def _masked(narrative: Narrative, name: str | None) -> Narrative:
    return msgspec.structs.replace(
        narrative,
        description=masked_text(narrative.description, name),
        place=_hidden(narrative.place, name),
        wish=_hidden(narrative.wish, name),
    )


def _entry_line(entry: Entry, text: str | None) -> HistoryLine:
    return HistoryLine(kind=entry.kind, label=entry.kind.label, at=entry.at, text=text, account_id=entry.account_id)


def to_complaint_line(row: AcceptedRow) -> ComplaintLine:
    """A list line for the enterprise."""
    fields = {name: getattr(row, name) for name in AcceptedComplaint.__struct_fields__}
    return ComplaintLine(**fields, type_label=row.type.label, state_label=row.state.label)


def to_complaint_view(
    vault: Vault, store: GrievanceStore, found: Grievance, beside: Beside, accepted_at: datetime
) -> ComplaintView:
    """What the enterprise reads of an accepted 投诉."""
    return ComplaintView(
        id=found.id,
        number=beside.number,
        type=found.type,
        type_label=found.type.label,
        state=found.state,
        state_label=found.state.label,
        site_id=found.site_id,
        site_name=beside.site_name,
        filed_on=local_date(found.filed_at),
        accepted_on=local_date(accepted_at),
        due_on=found.due_on,
        department=found.department_name,
        hotline=found.hotline,
        text=open_words(vault, store, found.released_sealed),
        statements=[_entry_line(entry, text) for entry, text in beside.entries if entry.kind is HistoryKind.STATED],
    )
