"""Values of exposures."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec


class ExposureState(enum.StrEnum):
    """草稿, 已发布, 已撤下."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class ExposureOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a department wants to expose: 信息标题, text, until when, where, and, where it is about an enterprise, which
    published result it rests on. `region_code` is the department's own region or one below it.
    """

    title: Annotated[str, msgspec.Meta(max_length=200)]
    text: Annotated[str, msgspec.Meta(max_length=10_000)]
    ends_on: date
    region_code: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    publication_id: UUID | None = None


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """曝光 as an operation works on it. `authors` wrote or changed it; somebody else publishes it."""

    id: UUID
    department_id: UUID
    region: str
    state: ExposureState
    title: str
    text: str
    publication_id: UUID | None
    ends_on: date
    authors: list[UUID]
    created_at: datetime
    published_at: datetime | None = None
    published_by: UUID | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None


class ExposureSummary(msgspec.Struct, frozen=True, kw_only=True):
    """曝光 in the department's list."""

    id: UUID
    state: ExposureState
    title: str
    department: str
    ends_on: date
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None


class PublicExposure(msgspec.Struct, frozen=True, kw_only=True):
    """曝光 as anybody reads it: 信息标题, 发布者, when; whole, also its text; the enterprise where it is about one."""

    id: UUID
    title: str
    department: str
    region_name: str
    published_at: datetime
    ends_on: date
    text: str | None = None
    enterprise_name: str | None = None
    uscc: str | None = None


class ExposureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an exposure stands after an act."""

    id: UUID
    state: ExposureState
    published_at: datetime | None
    withdrawn_at: datetime | None
