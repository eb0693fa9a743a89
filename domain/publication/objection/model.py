"""Values of objections (结果异议)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

from domain.publication.model import PublicationState

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of a file, in hexadecimal."""


class ObjectionState(enum.StrEnum):
    """待处理, 成立, 部分成立, 不成立, 已撤回."""

    OPEN = "open"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]


_STATES: Final = {
    ObjectionState.OPEN: "处理中",
    ObjectionState.UPHELD: "异议成立",
    ObjectionState.PARTLY_UPHELD: "异议部分成立",
    ObjectionState.REJECTED: "异议不成立",
    ObjectionState.WITHDRAWN: "已撤回",
}


class Decision(enum.StrEnum):
    """异议处理结论."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"


class NewObjection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """异议 as the enterprise files it."""

    reasons: Annotated[str, msgspec.Meta(max_length=8000)]
    attachments: Annotated[list[Digest], msgspec.Meta(max_length=9)] = []


class DecisionOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided, and why, in words that the enterprise reads."""

    decision: Decision
    reason: Annotated[str, msgspec.Meta(max_length=4000)]


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """异议 as an operation works on it."""

    id: UUID
    publication_id: UUID
    inspection_id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    department_id: UUID
    state: ObjectionState
    reasons_sealed: bytes
    filed_by: UUID
    filed_at: datetime
    due_at: datetime
    decided_by: UUID | None
    decision: str | None
    ended_at: datetime | None


class ObjectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """异议 in a list."""

    id: UUID
    number: str | None
    publication_id: UUID
    publication_state: PublicationState
    inspection_id: UUID
    inspection_name: str
    enterprise_id: UUID
    enterprise_name: str
    site_id: UUID
    site_name: str
    department_id: UUID
    state: ObjectionState
    filed_at: datetime
    due_at: datetime
    ended_at: datetime | None


class Attendance(msgspec.Struct, frozen=True, kw_only=True):
    """Who had a hand in the inspection: officers by their ids, and accounts by what the trace says they did."""

    officers: list[UUID]
    accounts: list[UUID]


class ObjectionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an objection stands, and the publication with it."""

    id: UUID
    publication_id: UUID
    state: ObjectionState
    due_at: datetime
    publication_state: PublicationState
    is_contested: bool
