"""Likeness of texts by keyed sketches: repeats are found, others are not, and a sketch tells nothing."""

from __future__ import annotations

import hashlib

import pytest

from domain.complaint.likeness import SKETCH_SIZE, Sketched, count_alike, likeness, shingles, sketch_of

FLY = "八月三日中午在店里吃老友粉，汤里有一只苍蝇，服务员不肯退款。"
SAME = [
    "8月3日中午在店里吃老友粉，汤里有苍蝇，服务员不退款！",
    "中午在店里吃老友粉汤里有一只苍蝇，找服务员，服务员不肯退款",
    "老友粉汤里有一只苍蝇，服务员不肯退款。太恶心了。",
]
OTHERS = [
    "门口停车收费没有明码标价，一小时要了二十元。",
    "店里厨师没有健康证，后厨卫生很差，地上都是水。",
    "办了会员卡，现在店关门了，不退余额。",
]


def keyed(pair: str, key: bytes = b"one") -> bytes:
    return hashlib.blake2b(pair.encode(), key=key, digest_size=32).digest()


def sketch(text: str, key: bytes = b"one") -> list[int]:
    return sketch_of(text, lambda pair: keyed(pair, key))


@pytest.mark.parametrize("text", SAME)
def test_a_repeat_in_other_words_is_found(text: str) -> None:
    assert count_alike("food_safety", sketch(text), [Sketched(type="food_safety", sketch=sketch(FLY))]) == 1


@pytest.mark.parametrize("text", OTHERS)
def test_another_matter_is_not(text: str) -> None:
    assert count_alike("food_safety", sketch(text), [Sketched(type="food_safety", sketch=sketch(FLY))]) == 0


def test_of_another_type_it_must_be_nearly_the_same() -> None:
    filed = [Sketched(type="price", sketch=sketch(FLY))]
    assert count_alike("food_safety", sketch(FLY), filed) == 1
    assert count_alike("food_safety", sketch(SAME[0]), filed) == 0


def test_punctuation_and_width_do_not_count() -> None:
    assert shingles("ＡＢ，c！") == shingles("ab c") == ["ab", "bc"]
    assert likeness(sketch("老友粉，有苍蝇"), sketch("老友粉 有苍蝇！！")) == 1
    assert sketch("！？，。") == []
    assert likeness([], sketch(FLY)) == 0
    assert shingles("粉") == ["粉"]


def test_a_sketch_is_bounded_and_its_key_is_needed_to_compare() -> None:
    long = "".join(chr(0x4E00 + place) for place in range(3000))
    assert len(sketch(long)) == SKETCH_SIZE
    assert likeness(sketch(FLY, b"one"), sketch(FLY, b"another")) == 0
    assert all(-(2**63) <= number < 2**63 for number in sketch(long))
