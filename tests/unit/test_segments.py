"""An SMS is counted as carriers count it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.sms.segments import measure

GSM = st.text(alphabet="abcXYZ 0123@£$¥èéΔ_ΦΓ{}[]~|€^\\", max_size=500)
CHINESE = st.text(alphabet="甲乙丙丁，。【】abc1😀𠮷", max_size=300).filter(lambda text: not text.isascii())


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("a" + "€" * 80, "gsm7", 161, 2),
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "gsm7", 44, 1),
        ("^{}\\[~]|€\f", "gsm7", 20, 1),
        ("中" * 70, "ucs2", 70, 1),
        ("中" * 71, "ucs2", 71, 2),
        ("中" * 134, "ucs2", 134, 2),
        ("中" * 135, "ucs2", 135, 3),
        ("a" * 69 + "中", "ucs2", 70, 1),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        ("`", "ucs2", 1, 1),
        ("ç", "ucs2", 1, 1),
        ("\t", "ucs2", 1, 1),
    ],
)
def test_encoding_units_and_segments(text: str, encoding: str, units: int, segments: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.segments) == (encoding, units, segments)


def test_a_surrogate_pair_is_not_parted() -> None:
    assert (
        measure("中" * 66 + "😀" + "中" * 66).segments == 3
    )  # 134 units, yet each part but the last ends before a pair
    assert measure("中" * 67 + "😀" + "中" * 65).segments == 2


def test_a_character_of_two_septets_is_not_parted() -> None:
    assert measure("a" * 152 + "€" + "a" * 152).segments == 3  # 306 septets
    assert measure("a" * 153 + "€" + "a" * 151).segments == 2


@given(st.one_of(GSM, CHINESE))
def test_there_is_room_for_every_unit_and_no_segment_too_many(text: str) -> None:
    measured = measure(text)
    single, part = (160, 153) if measured.encoding == "gsm7" else (70, 67)
    if measured.units <= single:
        assert measured.segments == 1
    else:
        assert measured.segments >= -(-measured.units // part)
        assert measured.segments <= -(-measured.units // (part - 1))


@given(CHINESE)
def test_units_of_ucs2_are_those_of_utf_16(text: str) -> None:
    assert measure(text).units == len(text.encode("utf-16-be")) // 2


@given(st.one_of(GSM, CHINESE), st.sampled_from("a中"))
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    shorter, longer = measure(text), measure(text + more)
    assert longer.segments >= shorter.segments or longer.encoding != shorter.encoding
