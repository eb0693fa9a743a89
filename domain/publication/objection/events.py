"""What happens to an objection."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class ObjectionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """An objection as the trace tells it: reasons and decision by their digests (SHA-256, hexadecimal)."""

    publication_id: UUID
    inspection_id: UUID
    state: str
    due_at: datetime
    reasons_digest: str | None = None
    decision_digest: str | None = None
    attachments: list[str] = []


class _ObjectionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "结果公示"
    subject: ClassVar[str] = "objection"

    before: ObjectionStanding | None = None
    after: ObjectionStanding
    enterprise_id: UUID


class ObjectionFiled(_ObjectionEvent, frozen=True, kw_only=True):
    """企业提出结果异议."""

    power: ClassVar[str] = "企业异议"
    duty: ClassVar[str] = "异议提出"
    action: ClassVar[str] = "objection.filed"


class ObjectionDecided(_ObjectionEvent, frozen=True, kw_only=True):
    """异议处理, by somebody who was not there."""

    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "异议处理"
    action: ClassVar[str] = "objection.decided"


class ObjectionWithdrawn(_ObjectionEvent, frozen=True, kw_only=True):
    """企业撤回异议."""

    power: ClassVar[str] = "企业异议"
    duty: ClassVar[str] = "异议撤回"
    action: ClassVar[str] = "objection.withdrawn"
