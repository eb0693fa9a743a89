"""What happens to a list and its answers."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.inspection.answers.model import Measure
from domain.shared.events import Event


class _AnswerEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "inspection"


class AnswerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as the trace keeps it."""

    item_id: UUID
    version: int
    value: str
    measures: list[Measure]
    reason: str | None
    remark: str | None
    photos: list[str]
    flags: list[str]
    excuse: str | None = None
    excuse_note: str | None = None


class AnswerRecorded(_AnswerEvent, frozen=True, kw_only=True):
    """现场检查结果录入 (TASK-12): a first answer, or a changed one with what it was before."""

    duty: ClassVar[str] = "检查结果录入"
    action: ClassVar[str] = "inspection.answer_recorded"

    before: AnswerFacts | None
    after: AnswerFacts


class BulkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of which 检查领域 one tap marked."""

    area: str
    items: list[UUID]
    flags: list[str]


class AnswersMarkedInBulk(_AnswerEvent, frozen=True, kw_only=True):
    """一键未发现问题."""

    duty: ClassVar[str] = "检查结果批量录入"
    action: ClassVar[str] = "inspection.answers_marked_in_bulk"

    before: None = None
    after: BulkFacts


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why a list was opened without the scan."""

    reason: str


class ListReleased(_AnswerEvent, frozen=True, kw_only=True):
    """检查单解封: the sticker is damaged, so the server opens the list, with the reason."""

    duty: ClassVar[str] = "检查单解封"
    action: ClassVar[str] = "inspection.list_released"

    before: None = None
    after: ReleaseFacts
