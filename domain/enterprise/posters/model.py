"""Values of poster batches."""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID

import msgspec

from codes.poster import PosterSize


class BatchState(enum.StrEnum):
    """绘制中 / 已取消 / 已完成 / 已过期."""

    DRAWING = "drawing"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    EXPIRED = "expired"


class PosterBatch(msgspec.Struct, frozen=True, kw_only=True):
    """海报批次 of a region. The next part begins behind (`after_region`, `after_site`)."""

    id: UUID
    region_code: str
    region: str
    size: PosterSize
    state: BatchState
    site_count: int
    sites_done: int
    parts_done: int
    retired: int
    after_region: str
    after_site: UUID
    requested_by: UUID
    created_at: datetime
    ended_at: datetime | None


class PosterPart(msgspec.Struct, frozen=True, kw_only=True):
    """One PDF of a batch."""

    batch_id: UUID
    number: int
    pages: int
    digest: bytes
    byte_count: int
    drawn_at: datetime


class DrawnPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a drawing brings in: sites read, the PDF of those that have a code, and where the next part begins."""

    sites: int
    retired: int
    next_region: str
    next_site: UUID
    is_last: bool
    pages: int = 0
    digest: bytes = b""
    byte_count: int = 0


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch stands after an act."""

    id: UUID
    region_code: str
    size: PosterSize
    state: BatchState
    site_count: int
    sites_done: int
    parts_done: int
