"""Where a page ended, opaque to clients."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from domain.shared.errors import InvalidField

C = TypeVar("C")


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
