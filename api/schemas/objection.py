"""Objections and the preview of a publication on the wire."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.evidence.attachments import AttachmentCard
from domain.publication.model import Publication, PublicationState, PublicResult, StoredResult
from domain.publication.objection.model import Objection, ObjectionSummary
from domain.publication.objection.operations import REASONS_LABEL
from domain.publication.rules import as_published, ends_on, public_from
from domain.shared.clock import local_date
from domain.shared.vault import Vault

NEVER_PUBLIC = (
    "执法人员的姓名、执法证件号码",
    "现场照片、视频和其他证据材料",
    "现场检查笔录和检查单的逐项内容",
    "责令改正通知书全文",
    "风险等级和信用等级",
    "举报，以及投诉人的身份",
    "联系人、电话、身份证件号码和住址",
    "结果异议的内容和材料",
    "尚未公示或者依法不予公开的结果",
)
"""What of an inspection and its enterprise is never shown to the public, by name."""


class PublicationPreview(msgspec.Struct, frozen=True, kw_only=True):
    """公示预览 (D10): `result` is, byte for byte, what anybody will read, with the reply as it stands beside it.

    `is_final`: nothing is to come any more. Null `result`: nobody reads anything of it, for its outcome is not
    published, or a lawful reason holds it back; then it has no `public_from` either.
    """

    publication_id: UUID
    state: PublicationState
    is_final: bool
    public_from: datetime | None
    ends_on: date | None
    result: PublicResult | None
    never_public: list[str]


class ObjectionLine(ObjectionSummary, frozen=True, kw_only=True):
    """异议 in a list."""

    state_label: str
    is_overdue: bool


class ObjectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[ObjectionLine]
    next_cursor: str | None


class ObjectionDetail(ObjectionLine, frozen=True, kw_only=True):
    """异议 whole: the reasons, the files, and the decision with its reason."""

    reasons: str
    decision: str | None
    attachments: list[AttachmentCard]


def to_preview(found: Publication, stored: StoredResult, now: datetime) -> PublicationPreview:
    """What will be public of it, and from when."""
    is_over = found.state in {PublicationState.PUBLISHED, PublicationState.WITHDRAWN}
    begins = public_from(found)
    if begins is not None and not is_over:
        begins = max(begins, now)
    return PublicationPreview(
        publication_id=found.id,
        state=found.state,
        is_final=is_over,
        public_from=begins,
        ends_on=None if begins is None else found.ends_on if is_over else ends_on(local_date(begins)),
        result=as_published(stored, found, now),
        never_public=list(NEVER_PUBLIC),
    )


def to_line(summary: ObjectionSummary, now: datetime) -> ObjectionLine:
    """A list line of now."""
    return ObjectionLine(
        **msgspec.structs.asdict(summary),
        state_label=summary.state.label,
        is_overdue=summary.ended_at is None and summary.due_at <= now,
    )


def to_detail(
    summary: ObjectionSummary, stored: Objection, attachments: list[AttachmentCard], vault: Vault, now: datetime
) -> ObjectionDetail:
    """The whole of it."""
    return ObjectionDetail(
        **msgspec.structs.asdict(to_line(summary, now)),
        reasons=vault.open(REASONS_LABEL, stored.reasons_sealed),
        decision=stored.decision,
        attachments=attachments,
    )
