"""Challenges of the proof of work (工作量证明): made and checked by altcha, nothing of them kept until one is spent.

The one who solves looks for the counter below `work` whose SHA-256 begins as the challenge says: half of `work` hashes
on average. Checking takes one. Time and work stand in the signed `data`, so that the clock stays an argument.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import altcha
import msgspec

from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.random import Random
from domain.visitor.model import Proof
from domain.visitor.rules import ProofRefused

LIFETIME: Final = timedelta(minutes=20)
"""Long enough for a slow phone and a long complaint."""
_ALGORITHM: Final = "SHA-256"
_MOST_TEXT: Final = 4096


class _Terms(msgspec.Struct, frozen=True):
    """What the signature covers beside the puzzle itself."""

    until: int
    work: int
    key: int


class _Given(msgspec.Struct, frozen=True):
    parameters: dict[str, Any]
    signature: str


class _Solution(msgspec.Struct, frozen=True, rename="camel"):
    counter: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    derived_key: Annotated[str, msgspec.Meta(max_length=128)]


class _Solved(msgspec.Struct, frozen=True):
    challenge: _Given
    solution: _Solution


class Challenges:
    """Makes challenges and checks their solutions."""

    def __init__(self, keys: KeyRing, random: Random) -> None:
        """Use the pass keys of `keys`, and `random` for what is to be found."""
        self._version, _ = keys.current(KeyPurpose.PASS)
        self._secrets = {version: b"yima/challenge\x00" + key for version, key in keys.all(KeyPurpose.PASS).items()}
        self._random = random

    def make(self, work: int, now: datetime) -> dict[str, Any]:
        """A challenge of at most `work` hashes, as altcha's clients read it."""
        terms = _Terms(until=int((now + LIFETIME).timestamp()), work=work, key=self._version)
        made = altcha.create_challenge(
            _ALGORITHM,
            1,
            counter=int.from_bytes(self._random(8), "big") % work,
            data=msgspec.to_builtins(terms),
            hmac_secret=self._secrets[self._version],
        )
        return made.to_dict()

    def check(self, solved: str, now: datetime) -> Proof:
        """What a solved challenge proves. Raises `ProofRefused`."""
        try:
            if len(solved) > _MOST_TEXT:
                raise _refused()
            given = msgspec.json.decode(b64decode(solved.strip(), validate=True), type=_Solved)
            terms = msgspec.convert(given.challenge.parameters.get("data"), _Terms)
            payload = altcha.Payload.from_dict(msgspec.to_builtins(given))
        except (ValueError, KeyError, TypeError, RecursionError) as broken:  # msgspec's errors are ValueErrors
            raise _refused() from broken
        secret = self._secrets.get(terms.key)
        if secret is None or not altcha.verify_solution(payload, secret).verified:
            raise _refused()
        if terms.until <= now.timestamp():
            raise _refused()
        return Proof(
            id=hashlib.sha256(given.challenge.signature.encode()).digest(),
            cost=terms.work,
            expires_at=datetime.fromtimestamp(terms.until, UTC),
        )


def _refused() -> ProofRefused:
    return ProofRefused("验证未通过或已过期，请重新验证。")
