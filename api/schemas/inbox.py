"""站内消息 and 待办 on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.inbox import Counts, closes_by_hand
from notifications.inbox import MOST_COUNTED, InboxMessage, LevelCount
from notifications.message import Purpose
from notifications.templates import InAppText

LEVEL_LABELS = {4: "蓝色", 3: "黄色", 2: "橙色", 1: "红色"}
"""预警等级 (D13)."""


class InboxLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `subject` and `subject_id` say what it is about; `level` 4 to 1 is blue to red.

    `closes_by_hand`: an open to-do that `closeToDo` takes; any other closes when what it is about is dealt with.
    """

    id: UUID
    created_at: datetime
    purpose: Purpose
    template: str
    title: str
    text: str
    level: int | None
    level_label: str | None
    subject: str | None
    subject_id: UUID | None
    is_read: bool
    is_to_do: bool
    closed_at: datetime | None
    closes_by_hand: bool


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[InboxLine]
    next_cursor: str | None


class InboxLevel(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits of one level."""

    level: int
    label: str
    unread: int
    to_dos: int


class InboxCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits. Counting stops at 1000, which stands for that or more; levels are of what was counted."""

    unread: int
    to_dos: int
    levels: list[InboxLevel]


class ReadingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """全部已读 up to this message: the newest that was shown."""

    up_to: Annotated[UUID, msgspec.Meta(description="The id of the newest message that was shown.")]


def to_inbox_line(message: InboxMessage, told: InAppText) -> InboxLine:
    """A line."""
    return InboxLine(
        id=message.id,
        created_at=message.created_at,
        purpose=message.purpose,
        template=message.template,
        title=told.title,
        text=told.text,
        level=message.level,
        level_label=None if message.level is None else LEVEL_LABELS[message.level],
        subject=message.subject,
        subject_id=message.subject_id,
        is_read=message.is_read,
        is_to_do=message.is_to_do,
        closed_at=message.closed_at,
        closes_by_hand=closes_by_hand(message),
    )


def to_counts(counts: Counts) -> InboxCounts:
    """The counts, from red to blue."""
    return InboxCounts(
        unread=_sum(counts.unread),
        to_dos=_sum(counts.to_dos),
        levels=[
            InboxLevel(level=level, label=LEVEL_LABELS[level], unread=_of(counts.unread, level), to_dos=open_ones)
            for level in sorted(LEVEL_LABELS)
            if (open_ones := _of(counts.to_dos, level)) or _of(counts.unread, level)
        ],
    )


def _sum(counted: Sequence[LevelCount]) -> int:
    return min(sum(each.count for each in counted), MOST_COUNTED)


def _of(counted: Sequence[LevelCount], level: int) -> int:
    return sum(each.count for each in counted if each.level == level)
