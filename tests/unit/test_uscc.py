"""Unified social credit codes as people type, scan and import them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes.uscc import (
    InvalidUscc,
    UsccFault,
    UsccOutcome,
    check_uscc,
    make_uscc,
    normalise_uscc,
    uscc_from_scan,
)

LAWFUL = "91110000600037341L"  # the example of python-stdnum
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

awkward = st.sampled_from("0123456789AEILXYZaexz+.-０９Ｘ٣ßſı \u200b\u3000码")
few = settings(max_examples=60, deadline=None)
bodies = st.from_regex(r"\A9[1-3][0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}\Z")


@pytest.mark.parametrize(
    "typed",
    [
        LAWFUL,
        LAWFUL.lower(),
        " 91110000 6000 37341L\r\n",
        "９１１１００００６０００３７３４１Ｌ",
        "91110000-600037341-L",
        "\ufeff911100006\u200b00037341L\u3000",
        "91110000\u2014600037341\u00a0L",
    ],
)
def test_a_code_is_recognised_however_it_was_typed(typed: str) -> None:
    verdict = check_uscc(typed)
    assert (verdict.uscc, verdict.outcome, verdict.is_usable) == (LAWFUL, UsccOutcome.OK, True)


@few
@given(bodies)
def test_a_made_code_passes_its_own_check(body: str) -> None:
    assert check_uscc(make_uscc(body)).outcome is UsccOutcome.OK


@few
@given(bodies, st.integers(8, 16), st.sampled_from(ALPHABET))
def test_one_changed_character_shows_in_the_check_digit(body: str, place: int, character: str) -> None:
    code = make_uscc(body)
    changed = code[:place] + character + code[place + 1 :]
    assert (check_uscc(changed).outcome is UsccOutcome.OK) == (changed == code)


@few
@given(st.text(awkward, max_size=24))
def test_normalising_twice_changes_nothing_and_checking_never_raises(text: str) -> None:
    once = normalise_uscc(text)
    assert normalise_uscc(once) == once
    assert check_uscc(text).uscc == once


def test_a_wrong_check_digit_is_a_warning_only() -> None:
    verdict = check_uscc(LAWFUL[:-1] + "M")
    assert verdict.outcome is UsccOutcome.BAD_CHECK_DIGIT
    assert verdict.fault is None
    assert verdict.is_usable


def test_a_rural_collective_begins_with_a_letter() -> None:
    assert check_uscc(make_uscc("N2450123MF1234567")).outcome is UsccOutcome.OK


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", UsccFault.LENGTH),
        (LAWFUL[:-1], UsccFault.LENGTH),
        (LAWFUL + "1", UsccFault.LENGTH),
        ("A1110000600037341O", UsccFault.CHARACTERS),
        ("91A10000600037341L", UsccFault.CHARACTERS),
        ("9111000060003734ſL", UsccFault.CHARACTERS),
        ("91110000600037341٣", UsccFault.CHARACTERS),
    ],
)
def test_a_malformed_code_says_why(text: str, fault: UsccFault) -> None:
    verdict = check_uscc(text)
    assert (verdict.outcome, verdict.fault, verdict.is_usable) == (UsccOutcome.MALFORMED, fault, False)


@pytest.mark.parametrize(
    "cell",
    [
        "9.14501E+17",
        "9.1450100567E17",
        "9e17",
        "914501000000000000",
        "914501056789012000",
        "914501056789012000.0",
        str(int(float("914501056789012000"))),
        str(float("914501056789012345")),
    ],
)
def test_a_code_that_a_spreadsheet_took_for_a_number_is_called_mangled(cell: str) -> None:
    assert check_uscc(cell).fault is UsccFault.MANGLED


def test_a_code_that_lawfully_ends_in_zeros_is_not_called_mangled() -> None:
    codes = (make_uscc(f"914501{n:08}000") for n in range(1, 200))
    code = next(code for code in codes if code.endswith("0000"))
    assert check_uscc(code).outcome is UsccOutcome.OK


def test_an_all_digit_code_with_a_typing_error_is_a_warning_not_mangled() -> None:
    code = next(code for n in range(99) if (code := make_uscc(f"914501056789012{n:02}")).isdigit())
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert check_uscc(wrong).outcome is UsccOutcome.BAD_CHECK_DIGIT


@pytest.mark.parametrize(
    "body", ["", LAWFUL, "91110000600037341l"[:17].lower() + "x", "O1110000600037341", "9111000060003734I"]
)
def test_no_code_is_made_of_an_unlawful_body(body: str) -> None:
    with pytest.raises(InvalidUscc):
        make_uscc(body)


@pytest.mark.parametrize(
    "scanned",
    [
        LAWFUL,
        f"http://www.gsxt.gov.cn/index.html?uniscid={LAWFUL}",
        f"https://gx.gsxt.gov.cn/%7Bid%3D{LAWFUL.lower()}%7D",
        f"统一社会信用代码：{LAWFUL}；名称：某公司；注册号：450102000012345678",
        f"注册号450102000012345678，{LAWFUL}",
    ],
)
def test_a_business_licence_is_read_from_text_or_url(scanned: str) -> None:
    assert uscc_from_scan(scanned) == LAWFUL


def test_a_licence_whose_code_fails_its_check_digit_is_still_read() -> None:
    assert uscc_from_scan(f"uniscid={LAWFUL[:-1]}M") == LAWFUL[:-1] + "M"


@pytest.mark.parametrize("scanned", ["", "https://example.cn/", f"A{LAWFUL}", f"{LAWFUL}0", "9" * 40])
def test_what_is_no_licence_gives_none(scanned: str) -> None:
    assert uscc_from_scan(scanned) is None
