"""Sealed blobs: opened as a stream, and only whole, in order, under their own name."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence.sealing import CHUNK_BYTES, Sealer, sealed_size
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, UnknownKey, first_version, next_version
from domain.shared.vault import SealBroken

ROOT = bytes(range(32))
KEY = "originals/ab"
HEADER = 20
SEALED_CHUNK = CHUNK_BYTES + 16
SIZES = [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]


def sealer(root: bytes = ROOT) -> Sealer:
    return Sealer(KeyRing(root, [first_version(root, purpose) for purpose in KeyPurpose]), os.urandom)


def rolled(former: KeyState) -> Sealer:
    """A sealer whose first vault key is `former` and whose second seals."""
    others = [first_version(ROOT, purpose) for purpose in KeyPurpose if purpose is not KeyPurpose.VAULT]
    first = first_version(ROOT, KeyPurpose.VAULT)
    old = KeyVersion(purpose=first.purpose, version=1, state=former, check_value=first.check_value)
    return Sealer(KeyRing(ROOT, [*others, old, next_version(ROOT, KeyPurpose.VAULT, 1)]), os.urandom)


def chunks_of(sealed: bytes) -> list[bytes]:
    return [sealed[at : at + SEALED_CHUNK] for at in range(HEADER, len(sealed), SEALED_CHUNK)]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_again_and_its_size_is_known(size: int) -> None:
    content = os.urandom(size)
    sealed = sealer().seal(KEY, content)
    assert sealer().open(KEY, sealed) == content
    assert len(sealed) == sealed_size(size)


@given(st.lists(st.binary(max_size=90_000), max_size=6), st.integers(1, 100_000))
def test_the_cut_of_the_pieces_changes_nothing(pieces: list[bytes], step: int) -> None:
    box = sealer()
    sealing = box.sealing(KEY)
    sealed = b"".join(sealing.update(piece) for piece in pieces) + sealing.finish()
    opening = box.opening(KEY)
    opened = b"".join(opening.update(sealed[at : at + step]) for at in range(0, len(sealed), step)) + opening.finish()
    assert opened == b"".join(pieces)


@given(st.data())
def test_a_change_of_any_bit_is_noticed(data: st.DataObject) -> None:
    box = sealer()
    sealed = bytearray(box.seal(KEY, bytes(70_000)))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((SealBroken, UnknownKey)):
        box.open(KEY, bytes(sealed))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_cut_short_does_not_open(size: int) -> None:
    sealed = sealer().seal(KEY, bytes(size))
    ends = {0, HEADER - 1, HEADER, len(sealed) - 1, *(HEADER + n * SEALED_CHUNK for n in range(size // CHUNK_BYTES))}
    for end in ends - {len(sealed)}:
        with pytest.raises(SealBroken):
            sealer().open(KEY, sealed[:end])


def test_swapped_repeated_and_added_chunks_do_not_open() -> None:
    sealed = sealer().seal(KEY, os.urandom(3 * CHUNK_BYTES))
    header, (one, two, three) = sealed[:HEADER], chunks_of(sealed)
    for wrong in ([two, one, three], [one, one, two, three], [one, two, three, three], [one, three], [two, three]):
        with pytest.raises(SealBroken):
            sealer().open(KEY, header + b"".join(wrong))


def test_a_chunk_of_another_blob_does_not_open() -> None:
    first, second = (sealer().seal(KEY, bytes(2 * CHUNK_BYTES)) for _ in range(2))
    with pytest.raises(SealBroken):
        sealer().open(KEY, first[: HEADER + SEALED_CHUNK] + second[HEADER + SEALED_CHUNK :])


def test_a_blob_under_another_name_does_not_open() -> None:
    with pytest.raises(SealBroken, match="originals/cd"):
        sealer().open("originals/cd", sealer().seal(KEY, b"photo"))


def test_a_blob_of_another_installation_does_not_open() -> None:
    with pytest.raises(SealBroken):
        sealer(bytes(32)).open(KEY, sealer().seal(KEY, b"photo"))


def test_equal_files_are_sealed_differently() -> None:
    assert sealer().seal(KEY, b"photo") != sealer().seal(KEY, b"photo")


def test_a_rolled_key_opens_what_it_sealed_until_it_is_retired() -> None:
    sealed = sealer().seal(KEY, b"photo")
    assert rolled(KeyState.VERIFYING).open(KEY, sealed) == b"photo"
    with pytest.raises(UnknownKey):
        rolled(KeyState.RETIRED).open(KEY, sealed)
