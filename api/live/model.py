"""What the live feed carries: rows as they are read, what each is about, and the frames as they are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.shared.errors import DomainError

WATCHED: Final = frozenset(
    {"inspection", "rectification_order", "enforcement_transfer", "publication", "deadline", "supervision_order"}
)
"""An inspection and what follows from one; and what is due, when it is not done in time."""


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A placed trace row, as much of it as the feed needs."""

    position: int
    id: UUID
    action: str
    at: datetime
    subject: str
    subject_id: UUID
    department_id: UUID | None
    region: str | None
    site_id: UUID | None
    operator_name: str
    after: str | None


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an event concerns: the inspection that it is about, its scene, who takes part and who is assigned."""

    region: str | None = None
    departments: frozenset[UUID] = frozenset()
    officers: frozenset[UUID] = frozenset()
    scene: str | None = None
    inspection_id: UUID | None = None


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen receives. Keep `position`: it is where to go on from after a break.

    `region` is the path of the region's codes from the province down, `scene` the scene of the inspection that the
    event is about.
    """

    position: int
    action: str
    at: datetime
    subject: str
    subject_id: UUID
    inspection_id: UUID | None
    scene: str | None
    region: str | None
    department_id: UUID | None
    site_id: UUID | None
    operator: str
    facts: msgspec.Raw


class Placed(msgspec.Struct, frozen=True):
    """An event as it is fanned out: whom it concerns, and the frame that each of them gets, encoded once."""

    position: int
    reach: Reach
    text: str


class Quiet(msgspec.Struct, frozen=True):
    """Nothing happened for a while; `position` is the newest that this process has seen."""

    position: int


class Ready(msgspec.Struct, frozen=True, tag_field="type", tag="ready"):
    """The first frame: the position from which the feed goes on."""

    position: int


class EventFrame(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    """One event; keep its position."""

    event: FeedEvent


class Heartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Sent when nothing happened for 20 s; `position` is the newest that this server has seen."""

    position: int


class Closing(msgspec.Struct, frozen=True, tag_field="type", tag="closing"):
    """The last frame of an event stream: what a WebSocket tells by its close code."""

    code: int
    reason: str


class TooManyConnections(DomainError):
    """The account watches in as many places as one may."""


class FeedEnded(Exception):
    """The feed does not go on for this reader, who may come again with its last position."""


class SlowConsumer(FeedEnded):
    """The consumer let more than its queue pile up."""


class ServerLeaves(FeedEnded):
    """The process is about to stop."""


def to_event(row: FeedRow, reach: Reach) -> FeedEvent:
    """The row as it is sent."""
    return FeedEvent(
        position=row.position,
        action=row.action,
        at=row.at,
        subject=row.subject,
        subject_id=row.subject_id,
        inspection_id=reach.inspection_id,
        scene=reach.scene,
        region=row.region,
        department_id=row.department_id,
        site_id=row.site_id,
        operator=row.operator_name,
        facts=msgspec.Raw((row.after or "null").encode()),
    )


def to_placed(row: FeedRow, reach: Reach) -> Placed:
    """The row with whom it concerns, encoded for all of them at once."""
    return Placed(row.position, reach, msgspec.json.encode(EventFrame(to_event(row, reach))).decode())
