"""Publications on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.publication.model import (
    Publication,
    PublicationState,
    PublicationSummary,
    PublicResult,
    WithholdingReason,
)
from domain.publication.store import ReplyRow


class PublicationLine(PublicationSummary, frozen=True, kw_only=True):
    """公示 in a list, with the reason it is held back for in words."""

    withheld_label: str | None


class PublicationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[PublicationLine]
    next_cursor: str | None


class OwnReply(msgspec.Struct, frozen=True, kw_only=True):
    """企业回应 in force."""

    id: UUID
    text: str
    submitted_at: datetime


class PublicationDetail(msgspec.Struct, frozen=True, kw_only=True):
    """公示 whole. `result` is, word for word, what anybody sees or will see; notes are shown to officials only."""

    id: UUID
    inspection_id: UUID
    enterprise_id: UUID
    site_id: UUID
    state: PublicationState
    due_at: datetime
    ends_on: date
    published_at: datetime | None
    withheld_reason: WithholdingReason | None
    withheld_label: str | None
    withheld_note: str | None
    is_contested: bool
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    result: PublicResult | None
    reply: OwnReply | None


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a publication is withdrawn."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


class ReplyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """企业回应, 2 to 500 characters."""

    text: Annotated[str, msgspec.Meta(max_length=2000)]


class ReplyWithdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a reply is withdrawn; an enterprise need not say."""

    reason: Annotated[str, msgspec.Meta(max_length=400)] | None = None


def to_line(summary: PublicationSummary) -> PublicationLine:
    """A list line."""
    reason = summary.withheld_reason
    return PublicationLine(**msgspec.structs.asdict(summary), withheld_label=None if reason is None else reason.label)


def to_detail(
    found: Publication, result: PublicResult | None, reply: ReplyRow | None, *, is_official: bool
) -> PublicationDetail:
    """The whole of it, as officials or the enterprise may see it."""
    reason = found.withheld_reason
    return PublicationDetail(
        id=found.id,
        inspection_id=found.inspection_id,
        enterprise_id=found.enterprise_id,
        site_id=found.site_id,
        state=found.state,
        due_at=found.due_at,
        ends_on=found.ends_on,
        published_at=found.published_at,
        withheld_reason=reason,
        withheld_label=None if reason is None else reason.label,
        withheld_note=found.withheld_note if is_official else None,
        is_contested=found.is_contested,
        withdrawn_at=found.withdrawn_at,
        withdrawn_reason=found.withdrawn_reason if is_official else None,
        result=result,
        reply=None if reply is None else OwnReply(id=reply.id, text=reply.text, submitted_at=reply.submitted_at),
    )
