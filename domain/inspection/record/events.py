"""What happens to a record."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _RecordEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "inspection"


class RecordVersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the record by its digest: what it says names people, and so stays out of the trace."""

    version: int
    record_digest: str


class RecordFactsRecorded(_RecordEvent, frozen=True, kw_only=True):
    """检查笔录填写: what the officers added by hand."""

    duty: ClassVar[str] = "检查笔录填写"
    action: ClassVar[str] = "inspection.record_facts_recorded"

    before: RecordVersionFacts | None
    after: RecordVersionFacts


class SignedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed which record, and how."""

    signature_id: UUID
    role: str
    means: str
    officer_id: UUID | None
    record_digest: str
    images: list[str]
    reason: str | None


class RecordSigned(_RecordEvent, frozen=True, kw_only=True):
    """检查签字 (MOB-13)."""

    duty: ClassVar[str] = "检查笔录签字"
    action: ClassVar[str] = "inspection.record_signed"

    before: None = None
    after: SignedFacts


class ReopeningFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which record was opened again, how many signatures that voided, and why."""

    record_digest: str
    signatures_voided: int
    reason: str


class RecordReopened(_RecordEvent, frozen=True, kw_only=True):
    """笔录重新打开: its signatures are voided and stay on file."""

    duty: ClassVar[str] = "检查笔录更正"
    action: ClassVar[str] = "inspection.record_reopened"

    before: None = None
    after: ReopeningFacts
