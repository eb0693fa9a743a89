"""查询码 and other codes that people type: made, and read however they were typed."""

from __future__ import annotations

import pytest

from codes.crockford import read_typed, spell
from domain.shared.query_code import query_code_of, read_query_code


def test_a_query_code_is_read_however_it_was_typed() -> None:
    code = query_code_of(bytes(range(1, 33)))
    assert len(code) == 12
    assert read_query_code(f" {code[:4].lower()}-{code[4:8]}\u3000{code[8:]}\n") == code
    assert read_query_code("OIL000000000") == "011000000000"


@pytest.mark.parametrize("typed", ["", "ABC", "U" * 12, "0" * 11, "0" * 13, "测" * 12, "ſ" * 12])
def test_what_is_no_query_code_is_none(typed: str) -> None:
    assert read_query_code(typed) is None


def test_query_codes_use_all_of_their_sixty_bits() -> None:
    assert query_code_of(b"\xff" * 32) == "Z" * 12
    assert query_code_of(bytes(32)) == "0" * 12
    assert len({query_code_of(bytes([0] * place + [1] + [0] * 31)) for place in range(8)}) == 8


def test_a_code_is_spelled_from_its_highest_bits() -> None:
    assert spell(1, 3) == "001"
    assert spell(31 << 10, 3) == "Z00"
    assert read_typed("z00", 3) == "Z00"
