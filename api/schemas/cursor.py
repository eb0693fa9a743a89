"""Lists in pages: how many rows a page holds, and where it ended, opaque to clients."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from domain.shared.errors import InvalidField

C = TypeVar("C")
R = TypeVar("R")

CursorText = Annotated[str | None, QueryParameter(description="next_cursor of the page before", max_length=200)]
PageLimit = Annotated[int, QueryParameter(ge=1, le=100)]

FIRST_ID = UUID(int=0)
"""Less than every id: where a list by ids begins that goes from the oldest to the newest."""
LAST_ID = UUID(int=2**128 - 1)
"""Greater than every id: where one begins that goes from the newest to the oldest."""


class DueCursor(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Where a page by due dates ended."""

    due_on: date
    id: UUID


class TimeCursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page by times ended."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID


EARLIEST = TimeCursor(datetime(1, 1, 1, tzinfo=UTC), FIRST_ID)
"""Where a list begins that goes from the earliest time to the latest."""
LATEST = TimeCursor(datetime(9999, 12, 31, tzinfo=UTC), LAST_ID)
"""Where one begins that goes from the latest to the earliest."""


def first_due(due_on: date = date.min) -> DueCursor:
    """The cursor before everything that is due on that day or later."""
    return DueCursor(due_on, FIRST_ID)


def write_cursor(cursor: object) -> str:
    """A text for a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str | None, start: C) -> C:
    """The cursor, of the type of `start`, which stands for none. Raises `InvalidField` for a text that is none."""
    if text is None:
        return start
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=type(start))
    except (binascii.Error, ValueError, msgspec.DecodeError) as broken:
        raise InvalidField("翻页游标无效，请从第一页重新开始。", field="cursor") from broken


def cut(rows: Sequence[R], limit: int, end_of: Callable[[R], object]) -> tuple[list[R], str | None]:
    """A page of `rows`, of which one more than `limit` was read, and the cursor of the next: None at the end.

    `end_of` tells where a page ends that ends with a row.
    """
    shown = list(rows[:limit])
    return shown, write_cursor(end_of(shown[-1])) if len(rows) > limit else None
