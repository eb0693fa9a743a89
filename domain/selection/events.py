"""What happens to a draw after it was held."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class DrawVoidFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which draw was voided and why; `times` counts the voided draws of this subject, this one included."""

    draw_subject_id: UUID
    reason: str
    times: int
    approved_by: str | None


class DrawVoided(Event, frozen=True, kw_only=True):
    """作废抽取: the draw stays, and counts."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "随机抽取"
    duty: ClassVar[str] = "抽取作废"
    action: ClassVar[str] = "draw.voided"
    subject: ClassVar[str] = "draw"

    before: None = None
    after: DrawVoidFacts
