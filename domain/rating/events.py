"""What of ratings stands in the trace: that a token was drawn, that a batch was released, and never a rating."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from domain.shared.events import Event


class DrawFacts(msgspec.Struct, frozen=True, kw_only=True):
    """That an invitation was used."""

    is_used: bool


class RatingTokenDrawn(Event, frozen=True, kw_only=True):
    """领取评价令牌. It names neither department nor region: nobody who was rated sees it live."""

    business: ClassVar[str] = "入企评价"
    power: ClassVar[str] = "企业评价"
    duty: ClassVar[str] = "评价令牌领取"
    action: ClassVar[str] = "rating.token_drawn"
    subject: ClassVar[str] = "rating_invitation"

    before: DrawFacts
    after: DrawFacts


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How many ratings of which months were released together."""

    ratings: int
    period_from: date
    period_to: date


class RatingsReleased(Event, frozen=True, kw_only=True):
    """评价汇总: a batch reaches the department."""

    business: ClassVar[str] = "入企评价"
    power: ClassVar[str] = "企业评价"
    duty: ClassVar[str] = "评价汇总"
    action: ClassVar[str] = "rating.released"
    subject: ClassVar[str] = "rating_batch"

    before: None = None
    after: BatchFacts
