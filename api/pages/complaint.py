"""The forms for 投诉 and 举报, their receipt and the follow-up: readable, fillable and printable without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from api import pages
from api.schemas.complaint import FilingReceipt
from domain.complaint.following import FollowUp
from domain.complaint.model import CONSENT_VERSION, GrievanceKind, GrievanceType
from domain.complaint.store import Place
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import DomainError

_FIELDS = (
    "type",
    "description",
    "happened_on",
    "place",
    "wish",
    "name",
    "phone",
    "verification",
    "consent_version",
)
_FOLLOW_UP_FIELDS = ("query_code", "phone_tail", "text", "reason")
_GROUP = 4


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and in which field."""

    field: str | None
    text: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A form's hidden fields and what was typed, kept while it is mended."""

    pass_: str
    key: str
    values: Mapping[str, str] = {}
    digests: Sequence[str] = ()
    is_verified: bool = False


def fault_of(error: DomainError) -> Fault:
    """The error as the page tells it."""
    field = "photos" if error.field == "attachments" else error.field  # as the page names them
    return Fault(field, error.detail or "请核对后重新提交。")


def render_form(
    kind: GrievanceKind,
    place: Place,
    action: str,
    sent: Sent,
    *,
    fault: Fault | None = None,
    note: str | None = None,
    alike: int = 0,
    link: str | None = None,
) -> bytes:
    """投诉 or 举报, empty or to be mended."""
    return pages.render(
        "complaint_form.html",
        kind=kind,
        place=place,
        action=action,
        key=sent.key,
        value={name: sent.values.get(name, "") for name in _FIELDS},
        digests=sent.digests,
        is_verified=sent.is_verified,
        is_named=kind is GrievanceKind.COMPLAINT,
        types=list(GrievanceType),
        consent=CONSENT_VERSION,
        errors=[] if fault is None else [fault],
        faults={} if fault is None or fault.field is None else {fault.field: fault.text},
        note=note,
        alike=alike,
        link=link,
        pass_token=sent.pass_,
    )


def render_receipt(filed: FilingReceipt, place: Place, address: str) -> bytes:
    """回执 with the query code in groups of four."""
    code = filed.query_code
    return pages.render(
        "complaint_receipt.html",
        filed=filed,
        place=place,
        address=address,
        filed_at=_when(filed.filed_at),
        spaced=" ".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)),
    )


def render_follow_up(
    sent: Sent, found: FollowUp | None = None, *, fault: Fault | None = None, note: str | None = None
) -> bytes:
    """进度, or the form that asks for the query code."""
    return pages.render(
        "complaint_follow_up.html",
        found=found,
        key=sent.key,
        value={name: sent.values.get(name, "") for name in _FOLLOW_UP_FIELDS},
        digests=sent.digests,
        errors=[] if fault is None else [fault],
        note=note,
        when=_when,
        pass_token=sent.pass_,
    )


def _when(at: datetime) -> str:
    return at.astimezone(WORKING_ZONE).strftime("%Y-%m-%d %H:%M")
