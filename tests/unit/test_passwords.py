"""Passwords at rest."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from domain.identity.passwords import DUMMY_HASH, hash_password, needs_rehash, verify_password

PASSWORD = "正确的马 battery staple"


def test_the_right_password_verifies_and_no_other() -> None:
    hashed = hash_password(PASSWORD)
    assert verify_password(hashed, PASSWORD)
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1]):
        assert not verify_password(hashed, wrong)


def test_equal_passwords_have_different_hashes() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


@pytest.mark.parametrize("stored", ["", "plain text", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA", DUMMY_HASH[:-4]])
def test_what_is_stored_but_is_no_hash_verifies_nothing(stored: str) -> None:
    assert not verify_password(stored, PASSWORD)


def test_the_dummy_costs_what_a_real_one_costs_and_matches_nothing() -> None:
    assert extract_parameters(DUMMY_HASH) == extract_parameters(hash_password(PASSWORD))
    assert not verify_password(DUMMY_HASH, PASSWORD)


def test_the_parameters_are_those_of_the_owasp_cheat_sheet() -> None:
    parameters = extract_parameters(hash_password(PASSWORD))
    found = (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism)
    assert found == (Type.ID, 19_456, 2, 1)


def test_a_hash_of_other_parameters_is_to_be_made_again() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    assert verify_password(weaker, PASSWORD)
    assert needs_rehash(weaker)
    assert not needs_rehash(hash_password(PASSWORD))
