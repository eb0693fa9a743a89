"""Poster batches on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from codes.poster import PosterSize
from domain.enterprise.posters.model import BatchState, PosterBatch, PosterPart


class PosterBatchOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """海报批次 wanted: of which region, with all beneath it, and on which paper."""

    region_code: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
    size: PosterSize = PosterSize.A4


class PosterBatchCard(msgspec.Struct, frozen=True, kw_only=True):
    """海报批次 and how far it is. `retired` sites have a code of a retired key and need a new one first."""

    id: UUID
    region_code: str
    size: PosterSize
    state: BatchState
    site_count: int
    sites_done: int
    parts_done: int
    retired: int
    created_at: datetime
    ended_at: datetime | None


class PosterBatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own batches, the newest first, and the cursor of the next page."""

    items: list[PosterBatchCard]
    next_cursor: str | None


class PosterPartCard(msgspec.Struct, frozen=True, kw_only=True):
    """One PDF; `digest` is its SHA-256, hexadecimal."""

    number: int
    pages: int
    digest: str
    byte_count: int
    drawn_at: datetime


class PosterPartPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some parts in their order, and the cursor of the next."""

    items: list[PosterPartCard]
    next_cursor: str | None


class PartCursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of parts ended."""

    number: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


FIRST_PART = PartCursor(0)


def to_card(batch: PosterBatch) -> PosterBatchCard:
    """A batch as its region's managers see it."""
    return PosterBatchCard(**{name: getattr(batch, name) for name in PosterBatchCard.__struct_fields__})


def to_part(part: PosterPart) -> PosterPartCard:
    """A part in a list."""
    return PosterPartCard(
        number=part.number,
        pages=part.pages,
        digest=part.digest.hex(),
        byte_count=part.byte_count,
        drawn_at=part.drawn_at,
    )
