"""区划编码 in a query: a region of the register, as the path of its tree."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

from codes.divisions import UnknownDivision, ltree_path
from domain.shared.errors import InvalidField

RegionCode = Annotated[
    str | None, QueryParameter(description="区划编码, with all that lies below it", pattern="^[0-9]{6,12}$")
]


def region_path(code: str | None) -> str | None:
    """The path of that region; None where none is asked for. Raises `InvalidField`."""
    if code is None:
        return None
    try:
        return ltree_path(code)
    except UnknownDivision as unknown:
        raise InvalidField("没有该行政区划。", field="region") from unknown
