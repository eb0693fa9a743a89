"""Visit ratings on the wire."""

from __future__ import annotations

from uuid import UUID

import msgspec

from api.schemas.cursor import LAST_ID
from domain.rating.model import InvitationCard, MisconductMark, RatingBatch, ReleasedRating


class InvitationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some invitations, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[InvitationCard]
    next_cursor: str | None


class BatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some batches, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[RatingBatch]
    next_cursor: str | None


class BatchDetail(RatingBatch, frozen=True, kw_only=True):
    """A batch with its ratings, in an order that says nothing."""

    items: list[ReleasedRating]


class MarkLine(MisconductMark, frozen=True, kw_only=True):
    """五个严禁 that raters of a batch marked, in words."""

    prohibition_label: str


class MisconductPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some marks, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[MarkLine]
    next_cursor: str | None


class MarkCursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of marks ended."""

    batch_id: UUID
    prohibition: str


NEWEST_MARK = MarkCursor(LAST_ID, "")


def to_mark(mark: MisconductMark) -> MarkLine:
    """A list line."""
    return MarkLine(**msgspec.structs.asdict(mark), prohibition_label=mark.prohibition.label)
