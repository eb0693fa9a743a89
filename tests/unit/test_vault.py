"""Personal values: sealed, opened, found by exact value, and erased by destroying one key."""

import os
from itertools import count

import pytest

from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, UnknownKey, first_version, next_version
from domain.shared.random import Random
from domain.shared.vault import SealBroken, Vault

ROOT = bytes(range(32))
PHONE = "13800138000"


def versions(root: bytes = ROOT) -> list[KeyVersion]:
    return [first_version(root, purpose) for purpose in KeyPurpose]


def vault(root: bytes = ROOT, random: Random = os.urandom) -> Vault:
    return Vault(KeyRing(root, versions(root)), random)


def after_a_roll(former: KeyState) -> Vault:
    """A vault whose first sealing key is `former` and whose second is current."""
    others = [version for version in versions() if version.purpose is not KeyPurpose.VAULT]
    first = first_version(ROOT, KeyPurpose.VAULT)
    rolled = KeyVersion(purpose=first.purpose, version=1, state=former, check_value=first.check_value)
    return Vault(KeyRing(ROOT, [*others, rolled, next_version(ROOT, KeyPurpose.VAULT, 1)]), os.urandom)


@pytest.mark.parametrize("text", ["", PHONE, "欧阳娜娜", "a" * 10_000])
def test_what_was_sealed_opens_again_and_is_not_readable(text: str) -> None:
    sealed = vault().seal("officer.phone", text)
    assert vault().open("officer.phone", sealed) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16
    assert not text or text.encode() not in sealed


def test_equal_values_are_sealed_differently() -> None:
    box = vault()
    assert box.seal("officer.phone", PHONE) != box.seal("officer.phone", PHONE)


def test_every_sealing_asks_for_a_nonce_of_its_own() -> None:
    numbers = count(1)
    box = vault(random=lambda size: next(numbers).to_bytes(size, "big"))
    nonces = {box.seal("a", "same")[1:13] for _ in range(5)}
    assert nonces == {number.to_bytes(12, "big") for number in range(1, 6)}


def test_a_sealed_value_moved_to_another_column_does_not_open() -> None:
    sealed = vault().seal("officer.phone", PHONE)
    with pytest.raises(SealBroken, match=r"enterprise\.liaison_phone"):
        vault().open("enterprise.liaison_phone", sealed)


def test_a_change_of_any_byte_is_noticed() -> None:
    box = vault()
    sealed = box.seal("officer.phone", PHONE)
    for place in range(1, len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            box.open("officer.phone", bytes(changed))
    with pytest.raises(UnknownKey):
        box.open("officer.phone", b"\x09" + sealed[1:])


def test_what_is_too_short_is_no_sealed_value() -> None:
    box = vault()
    sealed = box.seal("officer.phone", "")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            box.open("officer.phone", sealed[:length])


def test_another_installation_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        vault(bytes(32)).open("officer.phone", vault().seal("officer.phone", PHONE))


def test_after_a_roll_old_values_open_and_new_ones_name_the_new_key() -> None:
    old = vault().seal("officer.phone", PHONE)
    rolled = after_a_roll(KeyState.VERIFYING)
    assert rolled.open("officer.phone", old) == PHONE
    assert (old[0], rolled.seal("officer.phone", PHONE)[0]) == (1, 2)


def test_a_retired_key_opens_nothing_any_more() -> None:
    old = vault().seal("officer.phone", PHONE)
    with pytest.raises(UnknownKey):
        after_a_roll(KeyState.RETIRED).open("officer.phone", old)


# The blind index


def test_equal_values_of_one_label_have_one_index() -> None:
    assert vault().blind_index("officer.phone", PHONE) == vault().blind_index("officer.phone", PHONE)
    assert len(vault().blind_index("officer.phone", PHONE)) == 32


def test_the_index_tells_values_labels_and_installations_apart() -> None:
    indexes = {
        vault().blind_index("officer.phone", PHONE),
        vault().blind_index("officer.phone", PHONE[:-1]),
        vault().blind_index("enterprise.phone", PHONE),
        vault().blind_index("officer.phon", "e" + PHONE),
        vault(bytes(32)).blind_index("officer.phone", PHONE),
    }
    assert len(indexes) == 5


# One person's values in the trace


def test_a_persons_value_opens_with_that_persons_key_only() -> None:
    box = vault()
    hers, his = box.new_subject_key("person-1"), box.new_subject_key("person-2")
    sealed = box.seal_for_subject(hers, "person-1", "欧阳娜娜")
    assert box.open_for_subject(hers, "person-1", sealed) == "欧阳娜娜"
    with pytest.raises(SealBroken):
        box.open_for_subject(his, "person-2", sealed)
    with pytest.raises(SealBroken):
        box.open_for_subject(hers, "person-2", sealed)


@pytest.mark.parametrize("sealed", ["", "00", "no hexadecimal", "欧阳"])
def test_a_text_that_was_never_sealed_does_not_open(sealed: str) -> None:
    box = vault()
    with pytest.raises(SealBroken):
        box.open_for_subject(box.new_subject_key("person-1"), "person-1", sealed)
