"""The one code's token: what verifies, what is refused and why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes.token import (
    InvalidPublicUrl,
    InvalidToken,
    InvalidTokenKeys,
    InvalidTokenReason,
    TokenKeys,
    code_url,
    decode_token,
    issue_token,
    token_from_scan,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEYS = TokenKeys({1: b"\x01" * 32, 2: b"\x02" * 32}, current=2)
CODE_ID = bytes(range(8))
TOKEN = issue_token(KEYS, CODE_ID)

awkward = st.sampled_from(ALPHABET + "ilou-/ \n\0ıſ０٣码\u200b")  # quicker than all of Unicode
few = settings(max_examples=60, deadline=None)


def reason(text: str, keys: TokenKeys = KEYS) -> InvalidTokenReason:
    with pytest.raises(InvalidToken) as refused:
        decode_token(keys, text)
    return refused.value.reason


@few
@given(st.binary(min_size=8, max_size=8), st.sampled_from([1, 2]))
def test_what_was_issued_decodes_in_either_case(code_id: bytes, key_id: int) -> None:
    keys = TokenKeys({1: b"\x01" * 32, 2: b"\x02" * 32}, current=key_id)
    token = issue_token(keys, code_id)
    assert len(token) == 31
    assert set(token) <= set(ALPHABET)
    for text in (token, token.lower()):
        decoded = decode_token(KEYS, text)
        assert (decoded.code_id, decoded.key_id) == (code_id, key_id)


def test_a_token_is_the_same_on_every_machine() -> None:
    # Stickers hang for years: this spelling may never change.
    assert issue_token(TokenKeys({3: b"sixteen byte key"}, current=3), b"\x00" * 8) == "2C0000000000001NNFR15NQH3SG46SG"


@few
@given(st.integers(0, 30), st.sampled_from(ALPHABET))
def test_a_token_with_one_changed_character_is_refused(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    if changed == TOKEN:
        assert decode_token(KEYS, changed).code_id == CODE_ID
    else:
        assert reason(changed) in set(InvalidTokenReason) - {
            InvalidTokenReason.LENGTH,
            InvalidTokenReason.ALPHABET,
        }


@few
@given(st.text(awkward, max_size=40))
def test_any_text_is_refused_without_another_error(text: str) -> None:
    assert reason(text) in InvalidTokenReason


@pytest.mark.parametrize("text", ["", TOKEN[:-1], TOKEN + "0", TOKEN + "\n", " " + TOKEN, TOKEN[:8] + "-" + TOKEN[8:]])
def test_a_token_has_exactly_31_characters(text: str) -> None:
    assert reason(text) is InvalidTokenReason.LENGTH


@pytest.mark.parametrize("character", [*"ILOUilou", "-", " ", "\n", "ı", "ſ", "\u212a", "Ａ", "０", "٣"])
def test_look_alikes_and_foreign_characters_are_not_read_as_ours(character: str) -> None:
    assert reason(TOKEN[:5] + character + TOKEN[6:]) is InvalidTokenReason.ALPHABET


def test_a_letter_that_becomes_ascii_in_upper_case_is_refused() -> None:
    keys = TokenKeys({0: b"k" * 16}, current=0)
    token = next(t for n in range(99) if "S" in (t := issue_token(keys, n.to_bytes(8, "big"))))
    assert token.replace("S", "ſ").upper() == token  # what a careless decoder would accept
    assert reason(token.replace("S", "ſ"), keys) is InvalidTokenReason.ALPHABET


def test_a_second_spelling_of_the_same_bytes_is_refused() -> None:
    neighbours = [ALPHABET[ALPHABET.index(TOKEN[-1]) + step] for step in range(1, 8)]
    assert {reason(TOKEN[:-1] + last) for last in neighbours} == {InvalidTokenReason.PADDING_BITS}


def test_another_format_version_is_refused() -> None:
    assert reason("4" + TOKEN[1:]) is InvalidTokenReason.VERSION


def test_a_retired_key_no_longer_verifies_and_an_old_one_still_does() -> None:
    rolled = TokenKeys({2: b"\x02" * 32, 3: b"\x03" * 32}, current=3)
    assert decode_token(rolled, TOKEN).key_id == 2
    retired = TokenKeys({3: b"\x03" * 32}, current=3)
    assert reason(TOKEN, retired) is InvalidTokenReason.KEY


def test_a_sticker_made_under_an_older_key_can_be_printed_again() -> None:
    rolled = TokenKeys({2: b"\x02" * 32, 3: b"\x03" * 32}, current=3)
    assert issue_token(rolled, CODE_ID, key_id=2) == TOKEN
    assert decode_token(rolled, issue_token(rolled, CODE_ID)).key_id == 3


@pytest.mark.parametrize("key_id", [1, 0, 16, -1, 257])
def test_no_token_is_made_under_a_key_that_is_retired_or_cannot_be(key_id: int) -> None:
    with pytest.raises(KeyError):
        issue_token(TokenKeys({2: b"\x02" * 32, 3: b"\x03" * 32}, current=3), CODE_ID, key_id=key_id)


def test_a_token_made_with_another_key_of_the_same_id_is_refused() -> None:
    assert reason(TOKEN, TokenKeys({2: b"\x09" * 32}, current=2)) is InvalidTokenReason.TAG


@pytest.mark.parametrize(("keys", "current"), [({}, 0), ({1: b"k" * 16}, 2), ({16: b"k" * 16}, 16), ({1: b"short"}, 1)])
def test_keys_that_cannot_work_are_refused(keys: dict[int, bytes], current: int) -> None:
    with pytest.raises(InvalidTokenKeys):
        TokenKeys(keys, current=current)


def test_keys_do_not_show_themselves() -> None:
    assert repr(TokenKeys({4: b"secret secret secret"}, current=4)) == "TokenKeys(ids=[4], current=4)"


def test_a_code_id_has_eight_bytes() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        issue_token(KEYS, b"\x00" * 7)


def test_the_url_of_a_code_is_all_upper_case() -> None:
    assert code_url("https://ym.gxzf.gov.cn/", TOKEN) == f"HTTPS://YM.GXZF.GOV.CN/C/{TOKEN}"
    assert code_url("http://192.168.1.5:8000", TOKEN.lower()) == f"HTTP://192.168.1.5:8000/C/{TOKEN}"


@pytest.mark.parametrize(
    "address",
    [
        "ym.gxzf.gov.cn",
        "ftp://ym.cn",
        "https://",
        "https://ym.cn/app",
        "https://ym.cn?x=1",
        "https://u@ym.cn",
        "https://一码.cn",
    ],
)
def test_a_public_address_is_an_ascii_origin_and_nothing_more(address: str) -> None:
    with pytest.raises(InvalidPublicUrl):
        code_url(address, TOKEN)


@pytest.mark.parametrize(
    "scanned",
    [
        "{token}",
        "  {token}\r\n",
        "HTTPS://YM.GXZF.GOV.CN/C/{token}",
        "https://ym.gxzf.gov.cn/c/{token}/",
        "http://localhost:8000/c/{token}?from=wechat",
        "Https://ym.cn/C/{token}/?a=1&b=2#top",
    ],
)
def test_a_scanner_may_read_our_url_in_any_case_or_the_bare_token(scanned: str) -> None:
    for token in (TOKEN, TOKEN.lower()):
        assert token_from_scan(scanned.format(token=token)) == TOKEN


@pytest.mark.parametrize(
    "scanned",
    [
        "",
        TOKEN[:-1],
        TOKEN + "0",
        f"https://ym.cn/{TOKEN}",
        f"https://ym.cn/C/{TOKEN}/more",
        f"https://ym.cn/C/{TOKEN[:-1]}ſ",
        f"see https://ym.cn/C/{TOKEN}",
        "https://www.gsxt.gov.cn/index.html?uniscid=914501001234567890",
    ],
)
def test_what_is_not_our_code_gives_none(scanned: str) -> None:
    assert token_from_scan(scanned) is None
