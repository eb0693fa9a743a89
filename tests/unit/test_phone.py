"""Telephone numbers as they stand in registers and on forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes.phone import Phone, PhoneKind, mask_phone, normalise_mobile, parse_phone

few = settings(max_examples=60, deadline=None)
mobiles = st.from_regex(r"\A1[3-9][0-9]{9}\Z")


@pytest.mark.parametrize(
    "typed",
    [
        "13800005678",
        " 138 0000 5678 ",
        "138-0000-5678",
        "１３８００００５６７８",
        "+8613800005678",
        "+86 138 0000 5678",
        "0086-138-0000-5678",
        "8613800005678",
        "（+86）13800005678",
        "\u202a13800005678\u202c",
        "13800005678.0",
        "1380000-5678",
        "013800005678",
    ],
)
def test_a_mobile_is_recognised_however_it_was_typed(typed: str) -> None:
    assert normalise_mobile(typed) == "13800005678"
    assert mask_phone(typed) == "138****5678"


@few
@given(mobiles)
def test_a_normalised_mobile_stays_as_it_is(mobile: str) -> None:
    assert normalise_mobile(mobile) == mobile


@few
@given(mobiles)
def test_a_masked_mobile_hides_four_digits(mobile: str) -> None:
    masked = mask_phone(mobile)
    assert masked.replace("****", mobile[3:7]) == mobile
    assert masked.count("*") == 4


@pytest.mark.parametrize(
    ("typed", "number", "extension"),
    [
        ("0771-5812345", "0771-5812345", ""),
        ("07715812345", "0771-5812345", ""),
        ("（0771）581 2345", "0771-5812345", ""),
        ("+86 771 5812345", "0771-5812345", ""),
        ("0771-5812345-801", "0771-5812345", "801"),
        ("0771-5812345转801", "0771-5812345", "801"),
        ("０７７１－５８１２３４５－８０１", "0771-5812345", "801"),
        ("0771-5812345 ext. 801", "0771-5812345", "801"),
        ("010-65551234", "010-65551234", ""),
        ("+86 10 65551234", "010-65551234", ""),
        ("020 8765 4321", "020-87654321", ""),
    ],
)
def test_a_landline_is_recognised_with_area_code_and_extension(typed: str, number: str, extension: str) -> None:
    assert parse_phone(typed) == Phone(PhoneKind.LANDLINE, number, extension)
    assert normalise_mobile(typed) is None


def test_a_masked_landline_shows_the_area_and_three_digits() -> None:
    assert mask_phone("0771-5812345转801") == "0771-****345"
    assert mask_phone("01065551234") == "010-*****234"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "5812345",
        "12800005678",
        "1380000567",
        "138000056789",
        "1.38E+10",
        "138٠٠٠٠٥٦٧٨",
        "无",
        "13800005678/13900001234",
    ],
)
def test_anything_else_is_no_number_and_is_hidden_entirely(typed: str) -> None:
    assert parse_phone(typed) is None
    assert mask_phone(typed) == "*" * len(typed)
