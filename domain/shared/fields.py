"""A text field of a request as it is kept."""

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
