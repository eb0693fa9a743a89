"""搜索: what typed words become, which entries were meant, what is marked."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.search import rules
from domain.search.model import Candidate, EntryKind, SearchFilters
from domain.shared.errors import InvalidField


def an_entry(title: str, excerpt: str = "", *, number: int = 1, dated_on: date | None = None) -> Candidate:
    return Candidate(
        kind=EntryKind.ENTERPRISE,
        id=UUID(int=number),
        target="",
        title=title,
        excerpt=excerpt,
        authority=None,
        dated_on=dated_on,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("老友 餐饮", ("老友", "餐饮")),
        ("老友，餐饮。", ("老友", "餐饮")),
        ("ＫＦＣ　餐厅", ("kfc", "餐厅")),
        ("《食品安全法》第55条", ("食品安全法", "第55条")),
        ("老友 老友", ("老友",)),
        (" ，。", ()),
    ],
)
def test_words_are_parted_by_punctuation_and_read_in_one_width_and_case(text: str, words: tuple[str, ...]) -> None:
    assert rules.words_of(text) == words


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("老友粉", ("老友", "友粉")),
        ("老", ("t:老",)),
        ("kfc", ("kf", "fc")),
        ("91450100MA5XXXXXX1", ("91450100ma5xxxxxx1",)),
    ],
)
def test_what_must_be_there_are_bigrams(text: str, exact: tuple[str, ...]) -> None:
    assert rules.read_words(text).exact == exact


@pytest.mark.parametrize("text", ["", "  ", "，", "a", "长" * 61])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        rules.read_words(text)


def test_one_wrong_character_of_a_short_phrase_leaves_an_alternative() -> None:
    near = rules.read_words("老友餐饮").near
    assert ("t:老", "t:餐", "t:饮") in near
    assert len(near) == 4
    assert rules.read_words("老友").near == ()


def test_one_wrong_character_of_a_long_phrase_or_latin_word_leaves_a_piece() -> None:
    assert ("有限", "限公", "公司") in rules.read_words("南宁老友餐饮有限公司").near
    assert rules.read_words("huawai").near == (("hu", "ua"), ("wa", "ai"))


@given(st.text(min_size=1, max_size=60))
def test_whatever_is_typed_there_are_never_more_alternatives_than_places(text: str) -> None:
    try:
        words = rules.read_words(text)
    except InvalidField:
        return
    places = rules.near_places(words, ["k:result"])
    assert len(places) == rules.NEAR_PLACES
    assert all(places.values())


def test_filters_are_terms_too() -> None:
    filters = SearchFilters(kind=EntryKind.RESULT, business_type="餐饮服务", region_code="450103")
    assert rules.filter_terms(filters) == ["k:result", "r:450103", "b:餐饮服务"]
    assert rules.filter_terms(SearchFilters()) == []


def test_whole_titles_come_before_parts_and_titles_before_texts() -> None:
    words = rules.read_words("老友")
    whole, part, text = an_entry("老友"), an_entry("南宁老友餐饮", number=2), an_entry("餐饮店", "在老友街", number=3)
    assert rules.rank(words, [text, part, whole], []) == [whole, part, text]


def test_of_equals_the_newer_comes_first() -> None:
    words = rules.read_words("老友")
    old, new = an_entry("老友一", dated_on=date(2020, 1, 1)), an_entry("老友二", number=2, dated_on=date(2026, 1, 1))
    assert rules.rank(words, [old, new], []) == [new, old]


def test_what_is_only_near_must_share_two_characters_that_stand_together() -> None:
    words = rules.read_words("老有餐饮")
    meant, other = an_entry("老友餐饮"), an_entry("饮老餐", number=2)
    assert rules.rank(words, [], [other, meant]) == [meant]


@pytest.mark.parametrize(
    ("q", "text", "marked"),
    [
        ("老友", "南宁老友餐饮，老友粉", ["老友", "老友"]),
        ("kfc", "ＫＦＣ餐厅", ["ＫＦＣ"]),
        ("老有餐饮", "老友餐饮", ["餐饮"]),
        ("老友", "别的", []),
        ("友餐 老友", "老友餐", ["老友餐"]),
    ],
)
def test_the_words_are_marked_where_they_stand(q: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in rules.marks(rules.read_words(q), text)] == marked


@given(st.text(max_size=80))
def test_marks_never_reach_beyond_the_text(text: str) -> None:
    ranges = rules.marks(rules.read_words("老友餐饮"), text)
    assert all(0 <= start < end <= len(text) for start, end in ranges)
