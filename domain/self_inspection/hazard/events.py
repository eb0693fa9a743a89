"""What happens to a hazard. Until it escalates no event of it names a region or a department: it is nobody else's."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class HazardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A hazard in the trace; `digest` is the SHA-256 of what was written of it."""

    state: str
    version: int
    due_on: date
    digest: str


class HazardEvent(Event, frozen=True, kw_only=True):
    """What all events of a hazard share. `enterprise_id` is whose it is."""

    business: ClassVar[str] = "企业自查"
    power: ClassVar[str] = "企业自查"
    subject: ClassVar[str] = "hazard"

    before: HazardFacts | None = None
    after: HazardFacts
    enterprise_id: UUID


class HazardRecorded(HazardEvent, frozen=True, kw_only=True):
    """登记隐患, out of a self-inspection or by itself."""

    duty: ClassVar[str] = "隐患登记"
    action: ClassVar[str] = "hazard.recorded"


class HazardPlanned(HazardEvent, frozen=True, kw_only=True):
    """隐患治理: measures, who is responsible, and until when."""

    duty: ClassVar[str] = "隐患治理"
    action: ClassVar[str] = "hazard.planned"


class HazardClosed(HazardEvent, frozen=True, kw_only=True):
    """隐患销号."""

    duty: ClassVar[str] = "隐患销号"
    action: ClassVar[str] = "hazard.closed"


class HazardOverdue(HazardEvent, frozen=True, kw_only=True):
    """隐患逾期提醒: the first or the last one, `days` after the term."""

    duty: ClassVar[str] = "隐患逾期提醒"
    action: ClassVar[str] = "hazard.overdue"

    of_site_id: UUID
    days: int
    is_last: bool


class HazardEscalated(HazardEvent, frozen=True, kw_only=True):
    """重大隐患上报: the regulator's leads learn of it."""

    duty: ClassVar[str] = "重大隐患上报"
    action: ClassVar[str] = "hazard.escalated"
