"""One root key, many data keys by purpose and version.

A data key is derived (HKDF over SM3) from the root, so that one small file is all that must be kept; the database
keeps only a check value of each, by which a wrong root is recognised before it can do harm. Keys roll by adding a
version; older versions keep opening what they sealed until they are retired.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.shared.random import Random

ROOT_BYTES = 32
_CHECK_BYTES = 16


class KeyPurpose(enum.StrEnum):
    """What a data key is for; no key serves two purposes."""

    CODE = "code"
    TRACE = "trace"
    VAULT = "vault"
    INDEX = "index"
    SESSION = "session"
    PASS = "pass"  # noqa: S105 - a purpose, no password
    BADGE = "badge"
    LINK = "link"
    RECEIPT = "receipt"


class KeyState(enum.StrEnum):
    """`current` seals and opens, `verifying` only opens, `retired` does neither."""

    CURRENT = "current"
    VERIFYING = "verifying"
    RETIRED = "retired"


class KeyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the register of keys: which key, in which state, and its check value."""

    purpose: KeyPurpose
    version: int
    state: KeyState
    check_value: bytes


class KeysMissing(Exception):
    """The database expects keys and the key folder has none."""


class WrongKeys(Exception):
    """The root key in the folder is not the one that this database was made with."""


class UnknownKey(Exception):
    """No usable key of that purpose and version."""


def make_root_key(folder: Path, random: Random) -> bytes:
    """Create `folder` (0700) and `root.key` (0600) in it, whole or not at all; an existing key is never replaced.

    Raises FileExistsError when a key is there already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = random(ROOT_BYTES)
    beside = folder / f".root.key.{random(4).hex()}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(root.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, folder / "root.key")  # unlike a rename, this never takes the place of a key
    finally:
        beside.unlink()
    _flush_folder(folder)
    return root


def _flush_folder(folder: Path) -> None:
    """See the new name onto the disk: codes will be at doors that only this file can prove."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_root_key(folder: Path) -> bytes:
    """The root key of `folder`. Raises `KeysMissing` when there is none, `WrongKeys` when it is not a key."""
    try:
        root = bytes.fromhex((folder / "root.key").read_text("ascii"))
    except FileNotFoundError as missing:
        raise KeysMissing(f"{folder / 'root.key'} is not there.") from missing
    except ValueError as broken:
        raise WrongKeys(f"{folder / 'root.key'} is not a key.") from broken
    if len(root) != ROOT_BYTES:
        raise WrongKeys(f"{folder / 'root.key'} has {len(root)} bytes, not {ROOT_BYTES}.")
    return root


def derive_key(root: bytes, purpose: KeyPurpose, version: int) -> bytes:
    """The 32-byte data key of `purpose` and `version`."""
    info = f"yima/{purpose.value}/{version}".encode()
    return HKDF(algorithm=hashes.SM3(), length=32, salt=None, info=info).derive(root)


def check_value(key: bytes) -> bytes:
    """16 bytes that recognise a key without telling it."""
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(b"yima/key check")
    return mac.finalize()[:_CHECK_BYTES]


def first_version(root: bytes, purpose: KeyPurpose) -> KeyVersion:
    """The register's first row of `purpose`."""
    return next_version(root, purpose, 0)


def next_version(root: bytes, purpose: KeyPurpose, latest: int) -> KeyVersion:
    """The register's row that follows version `latest` of `purpose`."""
    key = derive_key(root, purpose, latest + 1)
    return KeyVersion(purpose=purpose, version=latest + 1, state=KeyState.CURRENT, check_value=check_value(key))


class KeyRing:
    """The usable data keys of one installation, checked against the register when it is built."""

    def __init__(self, root: bytes, versions: Iterable[KeyVersion]) -> None:
        """Derive and check each version. Raises `WrongKeys` naming the first that does not fit."""
        self._keys: dict[KeyPurpose, dict[int, bytes]] = {purpose: {} for purpose in KeyPurpose}
        self._current: dict[KeyPurpose, int] = {}
        for version in versions:
            key = derive_key(root, version.purpose, version.version)
            if check_value(key) != version.check_value:
                raise WrongKeys(f"The root key does not give this database's {version.purpose} key {version.version}.")
            if version.state is KeyState.RETIRED:
                continue
            self._keys[version.purpose][version.version] = key
            if version.state is KeyState.CURRENT:
                self._current[version.purpose] = version.version

    def current(self, purpose: KeyPurpose) -> tuple[int, bytes]:
        """Version and key that seal today. Raises `UnknownKey` when the purpose has none."""
        try:
            version = self._current[purpose]
        except KeyError as missing:
            raise UnknownKey(f"No current key for {purpose}.") from missing
        return version, self._keys[purpose][version]

    def find(self, purpose: KeyPurpose, version: int) -> bytes:
        """The key that opens what `version` sealed. Raises `UnknownKey`."""
        try:
            return self._keys[purpose][version]
        except KeyError as missing:
            raise UnknownKey(f"No usable {purpose} key {version}.") from missing

    def all(self, purpose: KeyPurpose) -> Mapping[int, bytes]:
        """Every key of `purpose` that still verifies, by version."""
        return self._keys[purpose]

    def verify(self, purpose: KeyPurpose, given: bytes, mac_of: Callable[[bytes], bytes]) -> bool:
        """Whether `given` is what `mac_of` makes of any key of `purpose` that still verifies.

        Each key is tried, and compared in constant time: every wrong one takes equally long.
        """
        return any([compare_digest(mac_of(key), given) for key in self._keys[purpose].values()])  # noqa: C419 - all, always
