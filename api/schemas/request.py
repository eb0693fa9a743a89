"""Enterprise requests on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from codes.phone import mask_phone
from domain.evidence.attachments import AttachmentCard
from domain.request.model import EnterpriseRequest, RequestState, RequestStep, RequestSummary, StoredStep
from domain.request.operations import CONTACT_LABEL, DESCRIPTION_LABEL, SUBMITTER_LABEL, WORDS_LABEL
from domain.request.rules import is_overdue
from domain.shared.vault import Vault


class RequestLine(RequestSummary, frozen=True, kw_only=True):
    """诉求 in a list, with its labels and whether it is overdue today."""

    state_label: str
    category_label: str
    urgency_label: str
    is_overdue: bool


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[RequestLine]
    next_cursor: str | None


class StepCard(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the 办理经过; of officials it names the department and nobody."""

    step: RequestStep
    label: str
    state: RequestState
    department_name: str
    words: str | None
    done_at: datetime


class RequestDetail(RequestLine, frozen=True, kw_only=True):
    """诉求 whole. Name and number are masked to who need not call back."""

    submitter: str
    contact: str
    description: str
    steps: list[StepCard]
    attachments: list[AttachmentCard]


def to_line(summary: RequestSummary, today: date) -> RequestLine:
    """A list line of today."""
    return RequestLine(
        **msgspec.structs.asdict(summary),
        state_label=summary.state.label,
        category_label=summary.category.label,
        urgency_label=summary.urgency.label,
        is_overdue=is_overdue(summary.state, summary.due_on, today),
    )


def to_detail(
    summary: RequestSummary,
    stored: EnterpriseRequest,
    steps: Sequence[StoredStep],
    attachments: list[AttachmentCard],
    vault: Vault,
    today: date,
    *,
    in_full: bool,
) -> RequestDetail:
    """The whole of it; `in_full` for the enterprise and the department that handles it."""
    submitter = vault.open(SUBMITTER_LABEL, stored.submitter_sealed)
    contact = vault.open(CONTACT_LABEL, stored.contact_sealed)
    return RequestDetail(
        **msgspec.structs.asdict(to_line(summary, today)),
        submitter=submitter if in_full else f"{submitter[:1]}**",
        contact=contact if in_full else mask_phone(contact),
        description=vault.open(DESCRIPTION_LABEL, stored.description_sealed),
        steps=[_step(each, vault) for each in steps],
        attachments=attachments,
    )


def _step(each: StoredStep, vault: Vault) -> StepCard:
    return StepCard(
        step=each.step,
        label=each.step.label,
        state=each.state,
        department_name=each.department_name,
        words=None if each.words_sealed is None else vault.open(WORDS_LABEL, each.words_sealed),
        done_at=each.done_at,
    )
