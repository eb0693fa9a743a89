"""Which texts are alike, without keeping any text: a keyed sketch of each, made when it is filed.

A text becomes the set of its pairs of neighbouring characters, each pair a keyed number (HMAC-SM3, a key of its own
for each site), and the smallest 64 of these are kept. Two sketches tell the share of pairs that two texts have in
common; without the key they tell nothing of the words, and nothing across sites.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

KeyedHash = Callable[[str], bytes]
"""A label's keyed hash, of at least 8 bytes."""

SKETCH_SIZE: Final = 64
_READ: Final = 800
"""Characters of a text that are looked at."""
_NUMBER_BYTES: Final = 8


class LikenessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """From which share of common pairs two texts count as likely the same matter, and how far back one looks."""

    same_type: float = 0.3
    other_type: float = 0.6
    days: int = 30
    looked_at: int = 200


DEFAULT_LIKENESS: Final = LikenessPolicy()


def shingles(text: str) -> list[str]:
    """Its distinct pairs of neighbouring characters, without punctuation and blanks, in order of appearance."""
    folded = unicodedata.normalize("NFKC", text[:_READ]).casefold()
    kept = [each for each in folded if each.isalnum()]
    if len(kept) == 1:
        return kept
    return list(dict.fromkeys(left + right for left, right in pairwise(kept)))


def sketch_of(text: str, keyed: KeyedHash) -> list[int]:
    """The smallest keyed numbers of its pairs, ascending; none for a text without letters."""
    numbers = {int.from_bytes(keyed(each)[:_NUMBER_BYTES], "big", signed=True) for each in shingles(text)}
    return sorted(numbers)[:SKETCH_SIZE]


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """The estimated share of pairs in common (Jaccard), 0 to 1."""
    if not one or not other:
        return 0.0
    smallest = sorted({*one, *other})[:SKETCH_SIZE]
    common = {*one} & {*other}
    return sum(each in common for each in smallest) / len(smallest)


class Sketched(msgspec.Struct, frozen=True, kw_only=True):
    """A filed text as it is compared."""

    type: str
    sketch: list[int]


def count_alike(
    type_: str, sketch: Sequence[int], filed: Iterable[Sketched], policy: LikenessPolicy = DEFAULT_LIKENESS
) -> int:
    """How many of those filed are likely about the same matter."""
    return sum(
        likeness(sketch, each.sketch) >= (policy.same_type if each.type == type_ else policy.other_type)
        for each in filed
    )
