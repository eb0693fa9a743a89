"""Exposures on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.exposure.model import Exposure, ExposureState, ExposureSummary, PublicExposure


class ExposurePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the department's, the newest first; no cursor means the end."""

    items: list[ExposureSummary]
    next_cursor: str | None


class ExposureDetail(msgspec.Struct, frozen=True, kw_only=True):
    """曝光 whole, as its department sees it. `may_publish`: the caller neither wrote nor changed it."""

    id: UUID
    state: ExposureState
    title: str
    text: str
    region_code: str
    publication_id: UUID | None
    ends_on: date
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    may_publish: bool


class ExposureWithdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an exposure is withdrawn."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


class PublicExposurePage(msgspec.Struct, frozen=True, kw_only=True):
    """曝光 as anybody reads them, the newest first, without their texts; no cursor means the end."""

    items: list[PublicExposure]
    next_cursor: str | None


def to_detail(exposure: Exposure, reader: UUID) -> ExposureDetail:
    """The whole of it for somebody of the department."""
    return ExposureDetail(
        id=exposure.id,
        state=exposure.state,
        title=exposure.title,
        text=exposure.text,
        region_code=exposure.region.rpartition(".")[2],
        publication_id=exposure.publication_id,
        ends_on=exposure.ends_on,
        created_at=exposure.created_at,
        published_at=exposure.published_at,
        withdrawn_at=exposure.withdrawn_at,
        withdrawn_reason=exposure.withdrawn_reason,
        may_publish=exposure.state is ExposureState.DRAFT and reader not in exposure.authors,
    )
