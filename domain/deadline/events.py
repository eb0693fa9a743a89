"""What happens to deadlines, supervision orders and the calendar."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.deadline.model import CalendarDay, DeadlineKind, DeadlineStage, SupervisionOrder, SupervisionState
from domain.shared.events import Event


class StageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A stage as trace and live feed tell it: of which matter, how grave (4 blue to 1 red), what was overtaken."""

    kind: DeadlineKind
    subject_id: UUID
    due_on: date
    stage: DeadlineStage
    level: int
    skipped: list[DeadlineStage]


class Addressees(msgspec.Struct, frozen=True, kw_only=True):
    """Whom messages go to: officers by name, else the department's leads; `*_accounts` are leads reached by SMS.

    An `enterprise_id` says that the enterprise itself has to act, at `site_id` where the matter is one site's.
    """

    department_id: UUID
    department_name: str
    hotline: str | None
    enterprise_id: UUID | None = None
    site_id: UUID | None = None
    officers: tuple[UUID, ...] = ()
    account_id: UUID | None = None
    department_accounts: tuple[UUID, ...] = ()
    superior_id: UUID | None = None
    superior_accounts: tuple[UUID, ...] = ()


class DeadlineWarned(Event, frozen=True, kw_only=True):
    """期限预警 (D4): a matter is due soon, or late, or its 督办单 was not answered."""

    business: ClassVar[str] = "期限督办"
    power: ClassVar[str] = "监督管理"
    duty: ClassVar[str] = "办理期限预警"
    action: ClassVar[str] = "deadline.warned"
    subject: ClassVar[str] = "deadline"

    before: None = None
    after: StageFacts
    to: Addressees


class SupervisionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """督办单 as the trace tells it: words by their digest (SHA-256, hexadecimal)."""

    deadline_id: UUID
    matter: DeadlineKind
    subject_id: UUID
    source: str
    state: SupervisionState
    due_on: date
    superior_id: UUID
    words_digest: str | None = None


class SupervisionEvent(Event, frozen=True, kw_only=True):
    """What all events of a 督办单 share; `to` are both sides of it."""

    business: ClassVar[str] = "期限督办"
    power: ClassVar[str] = "监督管理"
    subject: ClassVar[str] = "supervision_order"

    before: SupervisionStanding | None = None
    after: SupervisionStanding
    to: Addressees


class SupervisionOrderIssued(SupervisionEvent, frozen=True, kw_only=True):
    """督办单 issued, by the second warning or by hand."""

    duty: ClassVar[str] = "督办"
    action: ClassVar[str] = "supervision.issued"


class SupervisionOrderAnswered(SupervisionEvent, frozen=True, kw_only=True):
    """督办反馈."""

    duty: ClassVar[str] = "督办反馈"
    action: ClassVar[str] = "supervision.answered"


class SupervisionAnswerReturned(SupervisionEvent, frozen=True, kw_only=True):
    """督办反馈退回: it is to be answered anew."""

    duty: ClassVar[str] = "督办反馈审核"
    action: ClassVar[str] = "supervision.returned"


class SupervisionAnswerAccepted(SupervisionEvent, frozen=True, kw_only=True):
    """督办反馈通过."""

    duty: ClassVar[str] = "督办反馈审核"
    action: ClassVar[str] = "supervision.accepted"


class SupervisionOrderSettled(SupervisionEvent, frozen=True, kw_only=True):
    """事项已办结: what it urged is done, so nobody need answer."""

    duty: ClassVar[str] = "督办办结"
    action: ClassVar[str] = "supervision.settled"


def supervision_standing(
    order: SupervisionOrder, matter: DeadlineKind, subject_id: UUID, words_digest: str | None = None
) -> SupervisionStanding:
    """How it stands."""
    return SupervisionStanding(
        deadline_id=order.deadline_id,
        matter=matter,
        subject_id=subject_id,
        source=order.source.value,
        state=order.state,
        due_on=order.due_on,
        superior_id=order.superior_id,
        words_digest=words_digest,
    )


class CalendarFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which days were laid down, as of which edition."""

    edition: int
    days: list[CalendarDay]


class CalendarChanged(Event, frozen=True, kw_only=True):
    """工作日历调整: terms that are set from now on are counted by it, stages that wait are planned anew."""

    business: ClassVar[str] = "期限督办"
    power: ClassVar[str] = "系统管理"
    duty: ClassVar[str] = "工作日历维护"
    action: ClassVar[str] = "calendar.changed"
    subject: ClassVar[str] = "calendar"

    before: None = None
    after: CalendarFacts
