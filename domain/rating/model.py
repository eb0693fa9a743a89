"""Values of visit ratings (入企评价)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from domain.inspection.conduct import Prohibition

Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]
Secret = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""32 bytes in hexadecimal."""


class DrawOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """领取评价令牌: the SHA-256 of a token of 32 random bytes that the enterprise's own device made and keeps.

    So the server never holds the token before it is spent, and a lost answer loses nothing.
    """

    commitment: Secret


class RatingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """评价 as it is sent with the token alone: 文明礼貌, 依法规范 and 高效便民 in stars, and what was seen."""

    token: Secret
    courtesy: Stars
    lawfulness: Stars
    efficiency: Stars
    certificates_shown: bool
    prohibitions: Annotated[list[Prohibition], msgspec.Meta(max_length=5)] = []
    comment: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """评价邀请 as an operation works on it."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID
    department_id: UUID
    period: date
    ends_on: date
    is_used: bool


class InvitationCard(msgspec.Struct, frozen=True, kw_only=True):
    """评价邀请 in the enterprise's list. Used means drawn; whether a rating followed, nobody can tell."""

    id: UUID
    site_id: UUID
    inspection_id: UUID
    department_name: str
    visited_on: date
    ends_on: date
    is_used: bool


class DrawAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The token counts from now on; it is for the department named by the invitation."""

    invitation_id: UUID
    is_used: bool


class RatingTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The rating was taken, and waits in the pool. Nothing more is said, so that nothing more is kept."""

    is_taken: bool = True


class DrawnToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token stands for: a department and a month, and neither visit nor enterprise."""

    department_id: UUID
    period: date


class PooledRating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating that waits for its batch."""

    period: date
    courtesy: int
    lawfulness: int
    efficiency: int
    certificates_shown: bool
    prohibitions: list[str]
    comment: str | None


class RatingBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A released batch in a list: how many, of which months, and the means of the stars."""

    id: UUID
    department_id: UUID
    department_name: str
    period_from: date
    period_to: date
    released_on: date
    ratings: int
    courtesy: float
    lawfulness: float
    efficiency: float
    certificates_shown: int


class ReleasedRating(msgspec.Struct, frozen=True, kw_only=True):
    """One rating of a batch. Its id is random, and their order says nothing."""

    id: UUID
    courtesy: int
    lawfulness: int
    efficiency: int
    certificates_shown: bool
    comment: str | None


class MisconductMark(msgspec.Struct, frozen=True, kw_only=True):
    """How many raters of a batch marked one of 五个严禁."""

    batch_id: UUID
    department_id: UUID
    department_name: str
    period_from: date
    period_to: date
    prohibition: Prohibition
    marks: int
