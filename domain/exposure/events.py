"""What happens to an exposure."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.exposure.model import Exposure
from domain.shared.events import Event


class ExposureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An exposure as the trace tells it: its text stands in its row, here its digest (SHA-256, hexadecimal)."""

    state: str
    title: str
    text_digest: str
    publication_id: UUID | None
    ends_on: date
    reason: str | None


def facts_of(exposure: Exposure) -> ExposureFacts:
    """How the exposure stands."""
    return ExposureFacts(
        state=exposure.state,
        title=exposure.title,
        text_digest=hashlib.sha256(exposure.text.encode()).hexdigest(),
        publication_id=exposure.publication_id,
        ends_on=exposure.ends_on,
        reason=exposure.withdrawn_reason,
    )


class ExposureEvent(Event, frozen=True, kw_only=True):
    """What all events of an exposure share."""

    business: ClassVar[str] = "监管曝光"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "曝光信息编制"
    subject: ClassVar[str] = "exposure"

    before: ExposureFacts | None = None
    after: ExposureFacts


class ExposureDrafted(ExposureEvent, frozen=True, kw_only=True):
    """起草."""

    action: ClassVar[str] = "exposure.drafted"


class ExposureEdited(ExposureEvent, frozen=True, kw_only=True):
    """修改草稿."""

    action: ClassVar[str] = "exposure.edited"


class ExposurePublished(ExposureEvent, frozen=True, kw_only=True):
    """发布, by a second person."""

    duty: ClassVar[str] = "曝光信息发布"
    action: ClassVar[str] = "exposure.published"


class ExposureWithdrawn(ExposureEvent, frozen=True, kw_only=True):
    """撤下, with its reason: by the department, or because the result it rests on was withdrawn."""

    duty: ClassVar[str] = "曝光信息撤下"
    action: ClassVar[str] = "exposure.withdrawn"
