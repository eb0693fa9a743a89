"""The citizen's gate on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec


class PhoneOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """手机验证: the mobile to which a code is to be sent."""

    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class CodeProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The six digits of the message."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class PassAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """通行凭证: goes with every write in `Yima-Pass`, until it is over. `is_verified`: for a verified phone."""

    pass_: Annotated[str, msgspec.Meta(description="Keep it in memory only.")] = msgspec.field(name="pass")
    expires_at: datetime
    is_verified: bool


class ChallengeParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What altcha's clients solve: the `counter` whose SHA-256(salt, nonce, counter) begins with `keyPrefix`."""

    algorithm: str
    cost: int
    key_length: int = msgspec.field(name="keyLength")
    key_prefix: str = msgspec.field(name="keyPrefix")
    nonce: str
    salt: str
    data: dict[str, int]


class ChallengeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """工作量证明. Solved, `{challenge, solution: {counter, derivedKey}}` goes in base64 in `Yima-Proof`."""

    parameters: ChallengeParameters
    signature: str


def to_challenge(made: dict[str, Any]) -> ChallengeAnswer:
    """A challenge as the library made it."""
    return msgspec.convert(made, ChallengeAnswer)
