"""口令 Passwords at rest: Argon2id, with the second of the settings that the OWASP cheat sheet recommends.

One hash takes some 20 ms of a core and 19 MiB, on purpose: call these from a thread, one for each core.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Of a random text that nobody kept. A constant: making one would cost every process that imports this.
DUMMY_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$6+yaBx2XeJIRdqLlQaA67A$4cf4GquL3lXpszKcnysL4yj+JjlLLIpGKr4pD7GeBHE"
"""Verified against for a log-in name that does not exist: the answer takes as long as for one that does."""


def hash_password(text: str) -> str:
    """The hash to store: algorithm, parameters and salt stand in it. Equal passwords hash differently."""
    return _HASHER.hash(text)


def verify_password(hashed: str, text: str) -> bool:
    """Whether `text` is the password; False also for a stored text that is no hash."""
    try:
        return _HASHER.verify(hashed, text)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with other parameters than today's: hash again at the next log-in."""
    return _HASHER.check_needs_rehash(hashed)
