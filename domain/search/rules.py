"""Rules of the search: what typed words become, which of the candidates were meant, and what of them is marked.

Pure. The index holds the bigrams of every word, and the single characters of titles with a mark (`search_terms` in
the database splits as `words_of` does here). pg_trgm is not used: it takes a run of Chinese characters for one word
and finds no two of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from domain.search.model import Candidate, SearchFilters, SearchHit, SearchWords
from domain.shared.errors import InvalidField

MOST_CHARACTERS: Final = 60
NEAR_PLACES: Final = 8
"""How many alternatives a mistyped word may have."""
_SEPARATORS = re.compile(r"[\s!-/:-@\[-`{-~、。《》〈〉「」『』【】“”‘’—·…]+")
_LONG_CODE = re.compile(r"[a-z0-9]{13,}")
_LATIN = re.compile(r"[a-z0-9]+")
_PIECES: Final = 3
_SHORTEST_MISTYPED: Final = 3
_SHORTEST_LATIN: Final = 6
_IMPOSSIBLE: Final = "~"
"""A term of no entry."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text`, each once: width and case are one, punctuation parts them."""
    readable = unicodedata.normalize("NFKC", text).lower()
    return tuple(dict.fromkeys(word for word in _SEPARATORS.split(readable) if word))


def read_words(text: str) -> SearchWords:
    """The terms to look for. Raises `InvalidField` where `text` says nothing that could be found."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidField(f"搜索内容不超过{MOST_CHARACTERS}字。", field="q")
    words = words_of(text)
    exact = tuple(dict.fromkeys(term for word in words for term in _terms_of(word)))
    if not exact:
        raise InvalidField("请输入要搜索的内容。", field="q")
    return SearchWords(words=words, exact=exact, near=_near(words))


def _bigrams(word: str) -> list[str]:
    return [word[place : place + 2] for place in range(len(word) - 1)]


def _terms_of(word: str) -> list[str]:
    if _LONG_CODE.fullmatch(word):
        return [word]
    if len(word) == 1:
        return [] if _LATIN.fullmatch(word) else [f"t:{word}"]
    return _bigrams(word)


def _near(words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Alternatives that hold for an entry where one character was mistyped, left out or put in.

    A short Chinese phrase: all of its characters but one stand in the title. A longer one, or a Latin word: one of
    its pieces is without fault.
    """
    phrase = "".join(word for word in words if not _LATIN.fullmatch(word))
    latin = [word for word in words if _LATIN.fullmatch(word) and len(word) >= _SHORTEST_LATIN]
    places = _pieces(phrase) if len(phrase) > NEAR_PLACES else _all_but_one(phrase)
    for word in latin:
        half = len(word) // 2
        places += [_bigrams(word[:half]), _bigrams(word[half:])]
    return tuple(tuple(place) for place in places[:NEAR_PLACES] if place)


def _all_but_one(phrase: str) -> list[list[str]]:
    letters = list(dict.fromkeys(phrase))
    if len(letters) < _SHORTEST_MISTYPED:
        return []
    return [[f"t:{other}" for other in letters if other != letter] for letter in letters]


def _pieces(phrase: str) -> list[list[str]]:
    cuts = [len(phrase) * piece // _PIECES for piece in range(_PIECES + 1)]
    return [_bigrams(phrase[start:end]) for start, end in pairwise(cuts)]


def filter_terms(filters: SearchFilters) -> list[str]:
    """What the index knows of kind, region and 业态."""
    given = (("k", filters.kind), ("r", filters.region_code), ("b", filters.business_type))
    return [f"{mark}:{value}" for mark, value in given if value]


def near_places(words: SearchWords, always: Iterable[str]) -> dict[str, list[str]]:
    """The arguments `near_0` … of the statement: each alternative with what holds always, the rest impossible."""
    fixed = list(always)
    found = [[*alternative, *fixed] for alternative in words.near]
    padded = found + [[_IMPOSSIBLE]] * (NEAR_PLACES - len(found))
    return {f"near_{place}": terms for place, terms in enumerate(padded)}


# ---- which were meant


def rank(words: SearchWords, exact: Sequence[Candidate], near: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, the likeliest first; of those that are only near, what shares too little with the words is left.

    Whole title, words in the title, words in the text, share of the bigrams in the title; then the newest.
    """
    wanted = frozenset(pair for word in words.words for pair in _bigrams(word))
    known = {(each.kind, each.id) for each in exact}
    meant = [
        each
        for each in near
        if (each.kind, each.id) not in known and _share(wanted, _run(each.title + each.excerpt)) > 0
    ]
    return sorted([*exact, *meant], key=lambda each: (*_distance(words, wanted, each), each.kind, each.id.int))


def _distance(words: SearchWords, wanted: frozenset[str], candidate: Candidate) -> tuple[int, float, int]:
    title = _run(candidate.title)
    phrase = "".join(words.words)
    if title == phrase:
        tier = 0
    elif all(word in title for word in words.words):
        tier = 1
    elif phrase in _run(candidate.excerpt):
        tier = 2
    else:
        tier = 3
    newest = candidate.dated_on.toordinal() if candidate.dated_on else 0
    return tier, -_share(wanted, title), -newest


def _run(text: str) -> str:
    """The words of `text` without what parts them."""
    return "".join(words_of(text))


def _share(wanted: frozenset[str], run: str) -> float:
    """Which part of the `wanted` bigrams stands in `run`."""
    return sum(pair in run for pair in wanted) / len(wanted) if wanted else 0.0


# ---- what is marked


def to_hit(words: SearchWords, found: Candidate) -> SearchHit:
    """The candidate as it is shown."""
    return SearchHit(
        kind=found.kind,
        id=found.id,
        target=found.target,
        title=found.title,
        excerpt=found.excerpt,
        authority=found.authority,
        dated_on=found.dated_on,
        kind_label=found.kind.label,
        title_marks=marks(words, found.title),
        excerpt_marks=marks(words, found.excerpt),
    )


def marks(words: SearchWords, text: str) -> list[tuple[int, int]]:
    """The ranges [start, end) of `text` that the words, or at least pairs of their characters, cover."""
    readable, places = _readable(text)
    covered: set[int] = set()
    for word in words.words:
        sought = [word] if word in readable else _bigrams(word)
        for part in sought:
            start = readable.find(part)
            while start >= 0:
                covered.update(places[start : start + len(part)])
                start = readable.find(part, start + 1)
    return _ranges(sorted(covered))


def _readable(text: str) -> tuple[str, list[int]]:
    """The text in one width and case, and for each of its characters the place where it came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        same = unicodedata.normalize("NFKC", letter).lower()
        letters.append(same)
        places += [place] * len(same)
    return "".join(letters), places


def _ranges(covered: Sequence[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for place in covered:
        if ranges and ranges[-1][1] == place:
            ranges[-1] = (ranges[-1][0], place + 1)
        else:
            ranges.append((place, place + 1))
    return ranges
