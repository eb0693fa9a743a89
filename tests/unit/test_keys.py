"""The root key, the keys derived from it, and the register that recognises them."""

import os
import stat
from pathlib import Path

import pytest

from domain.shared.keys import (
    KeyPurpose,
    KeyRing,
    KeysMissing,
    KeyState,
    KeyVersion,
    UnknownKey,
    WrongKeys,
    check_value,
    derive_key,
    first_version,
    make_root_key,
    next_version,
    read_root_key,
)

ROOT = bytes(range(32))


def fixed(count: int) -> bytes:
    """Randomness that is none."""
    return ROOT[:count]


def in_state(version: KeyVersion, state: KeyState) -> KeyVersion:
    return KeyVersion(purpose=version.purpose, version=version.version, state=state, check_value=version.check_value)


def two_session_keys() -> list[KeyVersion]:
    return [
        in_state(first_version(ROOT, KeyPurpose.SESSION), KeyState.VERIFYING),
        next_version(ROOT, KeyPurpose.SESSION, 1),
    ]


# The file


def test_a_made_key_is_read_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    assert make_root_key(folder, fixed) == ROOT
    assert read_root_key(folder) == ROOT
    assert stat.S_IMODE((folder / "root.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_existing_key_is_never_replaced(tmp_path: Path) -> None:
    make_root_key(tmp_path, fixed)
    with pytest.raises(FileExistsError):
        make_root_key(tmp_path, os.urandom)
    assert read_root_key(tmp_path) == ROOT


def test_no_file_is_told_from_a_file_that_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match=r"root\.key is not there"):
        read_root_key(tmp_path)


@pytest.mark.parametrize("content", ["", "00" * 31, "00" * 33, "0" * 63, "zz" * 32, "密钥"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "root.key").write_text(content, "utf-8")
    with pytest.raises(WrongKeys):
        read_root_key(tmp_path)


# What is derived


def test_every_purpose_and_version_has_a_key_of_its_own() -> None:
    keys = {
        derive_key(root, purpose, version)
        for root in (ROOT, ROOT[::-1])
        for purpose in KeyPurpose
        for version in (1, 2, 12)
    }
    assert len(keys) == 2 * len(KeyPurpose) * 3
    assert {len(key) for key in keys} == {32}


def test_a_derived_key_is_the_same_for_ever() -> None:
    # Every sticker at every door depends on this figure: a change of the derivation voids them all.
    assert (
        derive_key(ROOT, KeyPurpose.CODE, 1).hex() == "9dd9d01ef686245f63ceb464458787a8025d57170d9f9bc3f70d6e726d5b4493"
    )


def test_a_check_value_does_not_hold_the_key() -> None:
    key = derive_key(ROOT, KeyPurpose.VAULT, 1)
    assert len(check_value(key)) == 16
    assert check_value(key) not in key
    assert check_value(key) != check_value(derive_key(ROOT, KeyPurpose.VAULT, 2))


# The ring


def test_the_current_version_seals_and_the_former_still_opens() -> None:
    ring = KeyRing(ROOT, two_session_keys())
    assert ring.current(KeyPurpose.SESSION) == (2, derive_key(ROOT, KeyPurpose.SESSION, 2))
    assert ring.find(KeyPurpose.SESSION, 1) == derive_key(ROOT, KeyPurpose.SESSION, 1)
    assert set(ring.all(KeyPurpose.SESSION)) == {1, 2}


def test_a_retired_version_opens_nothing() -> None:
    former, current = two_session_keys()
    ring = KeyRing(ROOT, [in_state(former, KeyState.RETIRED), current])
    assert set(ring.all(KeyPurpose.SESSION)) == {2}
    with pytest.raises(UnknownKey, match="session key 1"):
        ring.find(KeyPurpose.SESSION, 1)


def test_a_purpose_without_a_current_key_seals_nothing() -> None:
    former, _ = two_session_keys()
    with pytest.raises(UnknownKey, match="No current key for session"):
        KeyRing(ROOT, [former]).current(KeyPurpose.SESSION)


@pytest.mark.parametrize("state", list(KeyState))
def test_another_root_is_recognised_even_by_a_retired_version(state: KeyState) -> None:
    version = in_state(first_version(ROOT, KeyPurpose.TRACE), state)
    with pytest.raises(WrongKeys, match="trace key 1"):
        KeyRing(bytes(32), [version])
