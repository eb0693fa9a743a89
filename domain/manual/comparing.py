"""版本比较 How two versions of a manual differ, element by element and word by word (MAN-05). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from domain.manual.model import (
    Element,
    ElementChange,
    ElementKind,
    FieldChange,
    ManualComparison,
    PartKind,
    TextPart,
)

_WORD: Final = re.compile(r"[A-Za-z0-9.]+|\s+|.", re.DOTALL)
_CLAUSE: Final = re.compile(r"[^，。；：、！？\n]*[，。；：、！？\n]?")
_MOST_PAIRS: Final = 250_000
"""Pairs of words beyond which two texts are compared clause by clause, and beyond as many clauses not at all."""
_FEW_PAIRS: Final = 2_500
_MOST_IN_ALL: Final = 5_000_000
"""Beyond it, over all that changed, `_FEW_PAIRS` is the most of each: nobody waits for a comparison."""


def compare_versions(before: Sequence[Element], after: Sequence[Element]) -> ManualComparison:
    """What `after` added, took away and changed; elements are the same where kind and code are.

    An element is moved where it stands under another heading, or where elements of one heading changed their order.
    """
    former, latter = _by_name(before), _by_name(after)
    moved = _moved(before, after)
    both = {name: _fields(former[name], new) for name, new in latter.items() if name in former}
    effort = sum(len(was) * len(now) for fields in both.values() for _, was, now in fields)
    most = _MOST_PAIRS if effort <= _MOST_IN_ALL else _FEW_PAIRS
    changes = [
        ElementChange(
            kind=latter[name].kind,
            code=latter[name].code,
            text=latter[name].text,
            is_moved=name in moved,
            fields=[FieldChange(field=field, parts=compare_texts(was, now, most)) for field, was, now in fields],
        )
        for name, fields in both.items()
        if fields or name in moved
    ]
    return ManualComparison(
        added=[element for name, element in latter.items() if name not in former],
        removed=[element for name, element in former.items() if name not in latter],
        changed=changes,
        unchanged_count=len(both) - len(changes),
    )


_Name = tuple[ElementKind, str]


def _by_name(elements: Iterable[Element]) -> dict[_Name, Element]:
    return {(element.kind, element.code): element for element in elements}


def _moved(before: Sequence[Element], after: Sequence[Element]) -> set[_Name]:
    was, now = _children(before), _children(after)
    home = {name: heading for heading, names in was.items() for name in names}
    moved: set[_Name] = set()
    for heading, names in now.items():
        stayed = [name for name in names if home.get(name) == heading]
        moved |= {name for name in names if name in home and home[name] != heading}
        order = [name for name in was.get(heading, []) if name in set(stayed)]
        kept = SequenceMatcher(None, order, stayed, autojunk=False).get_matching_blocks()
        in_place = {name for block in kept for name in stayed[block.b : block.b + block.size]}
        moved |= set(stayed) - in_place
    return moved


def _children(elements: Sequence[Element]) -> Mapping[_Name | None, list[_Name]]:
    """What stands under each heading, in order; chapters stand under none."""
    found: dict[_Name | None, list[_Name]] = {}
    chapter: _Name | None = None
    heading: _Name | None = None
    for element in elements:
        name = (element.kind, element.code)
        match element.kind:
            case ElementKind.CHAPTER:
                found.setdefault(None, []).append(name)
                chapter = heading = name
            case ElementKind.SECTION:
                found.setdefault(chapter, []).append(name)
                heading = name
            case ElementKind.REQUIREMENT:
                found.setdefault(heading, []).append(name)
    return found


def _fields(before: Element, after: Element) -> list[tuple[str, str, str]]:
    """The fields that read differently, each as it read before and after."""
    read = (
        ("text", before.text, after.text),
        ("hint", before.hint or "", after.hint or ""),
        ("legal_basis", _bases(before), _bases(after)),
        ("item_codes", "、".join(before.item_codes), "、".join(after.item_codes)),
    )
    return [(name, was, now) for name, was, now in read if was != now]


def _bases(element: Element) -> str:
    return "；".join(basis.text for basis in element.legal_basis)


def compare_texts(before: str, after: str, most_pairs: int = _MOST_PAIRS) -> list[TextPart]:
    """The runs of words that stayed, went and came; a Han character counts as a word, a number or Latin word whole.

    Texts of more than `most_pairs` pairs of words are compared clause by clause, and if that is too many, as wholes.
    """
    old, new = next(
        (old, new)
        for old, new in (
            (_WORD.findall(before), _WORD.findall(after)),
            (_CLAUSE.findall(before), _CLAUSE.findall(after)),
            ([before], [after]),
        )
        if len(old) * len(new) <= most_pairs
    )
    parts: list[TextPart] = []
    for _, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        was, now = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        if was == now:
            parts.append(TextPart(kind=PartKind.SAME, text=was))
            continue
        parts += [
            TextPart(kind=kind, text=text) for kind, text in ((PartKind.REMOVED, was), (PartKind.ADDED, now)) if text
        ]
    return parts
