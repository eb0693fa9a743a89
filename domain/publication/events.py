"""What happens to a publication."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.publication.model import Publication
from domain.shared.events import Event


class PublicationStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A publication as the trace tells it."""

    inspection_id: UUID
    state: str
    due_at: datetime
    ends_on: date
    published_at: datetime | None
    reason: str | None
    note: str | None
    is_contested: bool


def standing_of(publication: Publication) -> PublicationStanding:
    """How the publication stands."""
    return PublicationStanding(
        inspection_id=publication.inspection_id,
        state=publication.state,
        due_at=publication.due_at,
        ends_on=publication.ends_on,
        published_at=publication.published_at,
        reason=publication.withdrawn_reason or publication.withheld_reason,
        note=publication.withheld_note,
        is_contested=publication.is_contested,
    )


class PublicationEvent(Event, frozen=True, kw_only=True):
    """What all events of a publication share. `enterprise_id` is whose result it is."""

    business: ClassVar[str] = "结果公示"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "publication"

    before: PublicationStanding | None = None
    after: PublicationStanding
    enterprise_id: UUID


class PublicationOpened(PublicationEvent, frozen=True, kw_only=True):
    """待公示: an inspection was completed, its result becomes public when the embargo is over."""

    duty: ClassVar[str] = "结果公示登记"
    action: ClassVar[str] = "publication.opened"


class ResultPublished(PublicationEvent, frozen=True, kw_only=True):
    """公示: anybody sees the result behind the code."""

    duty: ClassVar[str] = "检查结果公示"
    action: ClassVar[str] = "publication.published"


class PublicationWithheld(PublicationEvent, frozen=True, kw_only=True):
    """暂不公示 for a lawful reason."""

    duty: ClassVar[str] = "暂缓公示"
    action: ClassVar[str] = "publication.withheld"


class ResultContested(PublicationEvent, frozen=True, kw_only=True):
    """异议处理中: a public result is marked, and stays public."""

    duty: ClassVar[str] = "异议标注"
    action: ClassVar[str] = "publication.contested"


class PublicationReleased(PublicationEvent, frozen=True, kw_only=True):
    """恢复公示: nothing holds it back any more, or the objection is decided."""

    duty: ClassVar[str] = "恢复公示"
    action: ClassVar[str] = "publication.released"


class PublicationWithdrawn(PublicationEvent, frozen=True, kw_only=True):
    """撤下公示, with its reason; a tombstone remains."""

    duty: ClassVar[str] = "撤下公示"
    action: ClassVar[str] = "publication.withdrawn"


class ReplyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """企业回应 in the trace: the text is in its row, here its digest (SHA-256, hexadecimal)."""

    reply_id: UUID
    text_digest: str
    reason: str | None = None


class _ReplyEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "结果公示"
    power: ClassVar[str] = "企业回应"
    subject: ClassVar[str] = "publication"

    before: ReplyFacts | None = None
    after: ReplyFacts | None
    enterprise_id: UUID


class PublicReplySubmitted(_ReplyEvent, frozen=True, kw_only=True):
    """企业提交回应."""

    duty: ClassVar[str] = "企业回应提交"
    action: ClassVar[str] = "publication.reply_submitted"

    after: ReplyFacts


class PublicReplyWithdrawn(_ReplyEvent, frozen=True, kw_only=True):
    """撤回企业回应, by the enterprise or, with a reason, by the department."""

    duty: ClassVar[str] = "企业回应撤回"
    action: ClassVar[str] = "publication.reply_withdrawn"

    after: ReplyFacts
