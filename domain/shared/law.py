"""法律依据 What a demand rests on: a law and its article, without its words, and how a file writes it."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

from domain.shared.cells import Cell, CellFault, tidy, written
from domain.shared.errors import InvalidField
from domain.shared.fields import tidied

MOST_BASES: Final = 10
"""How many laws one demand may name."""
_WRITTEN: Final = re.compile(r"《([^《》]+)》(.*?)(?:[（(](待核|已核)[）)])?", re.DOTALL)
_LONGEST_LAW: Final = 100
_LONGEST_ARTICLE: Final = 60
_MARKS: Final = ("（待核）", "（已核）", "(待核)", "(已核)")


class LegalBasis(msgspec.Struct, frozen=True, kw_only=True):
    """法律依据 by law and article, without its words; 待核 until `verified` against an official text.

    An empty article names the law as a whole.
    """

    law: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^《》；;\r\n]*$")]
    article: Annotated[str, msgspec.Meta(max_length=60, pattern=r"^[^《》；;\r\n]*$")] = ""
    verified: bool = False

    @property
    def text(self) -> str:
        """As a file and a paper show it: 《law》article, and whether it was checked."""
        return f"《{self.law}》{self.article}（{'已核' if self.verified else '待核'}）"


def read_bases(cell: Cell) -> list[LegalBasis]:
    """《law》article, several parted by ； or lines; 待核 unless （已核） stands behind it. Raises `CellFault`."""
    parts = [part.strip() for part in re.split(r"[；;\n]", tidy(written(cell)) or "")]
    found = [_basis(part) for part in parts if part]
    if len(found) > MOST_BASES:
        raise CellFault(f"超过{MOST_BASES}条")
    return found


def _basis(said: str) -> LegalBasis:
    match = _WRITTEN.fullmatch(said)
    if match is None:
        raise CellFault("应如《中华人民共和国食品安全法》第三十三条，多条以；分隔")
    law, article = match[1].strip(), match[2].strip()
    if not law or len(law) > _LONGEST_LAW or len(article) > _LONGEST_ARTICLE or set(article) & set("《》"):
        raise CellFault("法律名称或条款为空、过长，或书名号不成对")
    return LegalBasis(law=law, article=article, verified=match[3] == "已核")


def settle_basis(basis: LegalBasis, field: str) -> LegalBasis:
    """The basis as it is kept, its texts tidied. Raises `InvalidField` naming the part of `field` at fault."""
    article = tidied(basis.article, f"{field}.article") or ""
    if article.endswith(_MARKS):
        raise InvalidField("条款中不写是否核实。", field=f"{field}.article")
    law = tidied(basis.law, f"{field}.law", needed=True)
    return LegalBasis(law=law, article=article, verified=basis.verified)
