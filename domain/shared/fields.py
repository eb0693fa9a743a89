"""Text fields of a request as they are kept."""

from __future__ import annotations

from typing import Literal, overload

from domain.shared.cells import CellFault, tidy
from domain.shared.errors import InvalidField


@overload
def tidied(said: str | None, field: str, *, needed: Literal[True]) -> str: ...
@overload
def tidied(said: str | None, field: str, *, needed: bool = False) -> str | None: ...
def tidied(said: str | None, field: str, *, needed: bool = False) -> str | None:
    """The text trimmed, its lines ended alike; None where it says nothing. Raises `InvalidField` naming `field`."""
    try:
        text = None if said is None else tidy(said)
    except CellFault as fault:
        raise InvalidField(f"{fault}。", field=field) from fault
    if text is None and needed:
        raise InvalidField("必填，不能为空。", field=field)
    return text


def require_text(said: str | None, length: range, field: str, refusal: str | None = None) -> str:
    """The text without surrounding blanks. Raises `InvalidField` for one that is not of that length."""
    text = (said or "").strip()
    if len(text) not in length:
        raise InvalidField(refusal or f"应为{length.start}至{length.stop - 1}字。", field=field)
    return text


def optional_text(said: str | None, length: range, field: str, refusal: str | None = None) -> str | None:
    """As `require_text`; None where nothing is said."""
    return require_text(said, length, field, refusal) if (said or "").strip() else None
