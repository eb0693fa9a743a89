"""Resident identity numbers: checked, never shown in full."""

import re
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codes.resident_id import ResidentIdFault, check_resident_id, mask_resident_id, normalise_resident_id

LAWFUL = "11010519491231002X"  # the example of GB 11643
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

awkward = st.sampled_from("0123456789AEILXYZaexz+.-０９Ｘ٣ßſı \u200b\u3000码")
few = settings(max_examples=60, deadline=None)


def with_check_digit(body: str) -> str:
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


@pytest.mark.parametrize(
    "typed",
    [
        LAWFUL,
        LAWFUL.lower(),
        " 110105 19491231 002x ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105\u200b19491231-002X",
    ],
)
def test_a_number_is_recognised_however_it_was_typed(typed: str) -> None:
    verdict = check_resident_id(typed)
    assert (verdict.resident_id, verdict.born_on) == (LAWFUL, date(1949, 12, 31))
    assert verdict.is_valid


@few
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_the_birth_date_is_the_one_in_the_number(born_on: date, order: int) -> None:
    assert check_resident_id(with_check_digit(f"450102{born_on:%Y%m%d}{order:03}")).born_on == born_on


def test_somebody_older_than_the_county_code_is_accepted() -> None:
    # 兴宁区 has this code since 1983; whoever was born before got it with the first identity cards.
    assert check_resident_id(with_check_digit("45010219700101001")).is_valid


@few
@given(st.integers(0, 17), st.sampled_from("0123456789"))
def test_a_number_with_one_changed_digit_is_refused(place: int, digit: str) -> None:
    changed = LAWFUL[:place] + digit + LAWFUL[place + 1 :]
    assert check_resident_id(changed).is_valid == (changed == LAWFUL)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ResidentIdFault.LENGTH),
        ("110105491231002", ResidentIdFault.LENGTH),
        ("11010519491231X02", ResidentIdFault.LENGTH),
        ("1101051949123100XX", ResidentIdFault.CHARACTERS),
        ("01010519491231002X", ResidentIdFault.CHARACTERS),
        ("11010519491231002٣", ResidentIdFault.CHARACTERS),
        ("110105194912310021", ResidentIdFault.CHECK_DIGIT),
        (with_check_digit("11010519490230002"), ResidentIdFault.BIRTH_DATE),
        (with_check_digit("11010500010101002"), ResidentIdFault.BIRTH_DATE),
        ("4.50102E+17", ResidentIdFault.MANGLED),
        ("450102199001011000", ResidentIdFault.MANGLED),
        (str(int(float("450102199001011000"))), ResidentIdFault.MANGLED),
        ("450102199001011000.0", ResidentIdFault.MANGLED),
    ],
)
def test_a_wrong_number_says_why(text: str, fault: ResidentIdFault) -> None:
    verdict = check_resident_id(text)
    assert (verdict.fault, verdict.born_on, verdict.is_valid) == (fault, None, False)


def test_a_masked_number_shows_the_city_and_two_characters() -> None:
    assert mask_resident_id("110105 19491231 002x") == "1101************2X"


@few
@given(st.text(awkward, max_size=24))
def test_what_is_no_number_is_hidden_entirely(text: str) -> None:
    assume(not re.fullmatch("[1-9][0-9]{16}[0-9X]", normalise_resident_id(text)))
    assert mask_resident_id(text) == "*" * len(normalise_resident_id(text))
