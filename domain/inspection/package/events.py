"""What happens to numbers that a device takes along."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.shared.events import Event


class LeaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which numbers."""

    department_code: str
    kind: str
    year: int
    sequences: list[int]


class NumbersLeased(Event, frozen=True, kw_only=True):
    """文号预领 for offline use; `subject_id` is the device's."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "文号预领"
    action: ClassVar[str] = "number.leased"
    subject: ClassVar[str] = "device"

    before: None = None
    after: LeaseFacts
