"""What happened, told once: an event becomes a trace row, and reactions and the live feed read it."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """行权留痕 of one act (SUP-08), as an operation returns it.

    A concrete event names its `business` 业务, `power` 权力, `duty` 责任 and `action` once, for all. `before` and
    `after` are the original and the changed values of the subject; they hold no personal data in clear.
    `region` is the ltree path and `department_id` the department whose people may see it live.
    """

    business: ClassVar[str]
    power: ClassVar[str]
    duty: ClassVar[str]
    action: ClassVar[str]
    subject: ClassVar[str]

    subject_id: UUID
    department_id: UUID | None = None
    region: str | None = None
    site_id: UUID | None = None
    before: msgspec.Struct | None
    after: msgspec.Struct | None


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """操作人: who acted, and in which 岗位 (post)."""

    id: UUID
    name: str
    post: str


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """How an act reached us: the request, the phone's own time and place (both only claimed)."""

    request_id: UUID
    device_at: str | None = None
    longitude: float | None = None
    latitude: float | None = None
