"""Citizens without an account as values: passes, verified phones, proofs of work, and how often one may write."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

PASS_LIFETIME = timedelta(minutes=30)
CODE_MINUTES = 5
CODE_LIFETIME = timedelta(minutes=CODE_MINUTES)
CODE_TRIES = 5
"""Wrong codes after which a verification is over."""
RESEND_AFTER = timedelta(seconds=60)
"""Between two codes to one phone."""
VERIFICATIONS_KEPT = timedelta(days=1)
"""A verification is of use for as long as a pass made of it; what was filed keeps its own copy of the number."""
COUNTS_KEPT = timedelta(days=3)
"""Longer than two windows of any limit."""


class CitizenPass(msgspec.Struct, frozen=True, kw_only=True):
    """通行凭证: lets a citizen write without an account. With a verified phone it names the verification."""

    id: UUID
    expires_at: datetime
    verification_id: UUID | None = None
    phone_index: bytes | None = None


class LimitKind(enum.StrEnum):
    """What is counted together."""

    PHONE_CODE = "phone_code"
    PHONE_PROOF = "phone_proof"
    ATTACHMENT = "attachment"
    FORM = "form"
    COMPLAINT = "complaint"
    TIP_OFF = "tip_off"
    SUPPLEMENT = "supplement"
    LIKENESS = "likeness"
    FOLLOW_UP = "follow_up"
    FEEDBACK = "feedback"
    SUBSCRIPTION = "subscription"


class LimitScope(enum.StrEnum):
    """By what a write is counted; each is a blind index, never the address or number itself."""

    ADDRESS = "address"
    DEVICE = "device"
    PHONE = "phone"


class Limit(msgspec.Struct, frozen=True):
    """`free` writes in any `window` cost nothing, each further one a proof of work; beyond `most` there are none."""

    window: timedelta
    free: int
    most: int


class LimitPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one kind of write. The scope that is exceeded furthest decides."""

    address: Limit
    device: Limit
    phone: Limit

    def of(self, scope: LimitScope) -> Limit:
        """The limit of that scope."""
        return {LimitScope.ADDRESS: self.address, LimitScope.DEVICE: self.device, LimitScope.PHONE: self.phone}[scope]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whence a write comes, as blind indexes: network address, device (a random id that it keeps), phone."""

    address: bytes | None = None
    device: bytes | None = None
    phone_index: bytes | None = None


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Writes counted in the running window, this one included, and in the one before."""

    scope: LimitScope
    current: int
    previous: int


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A solved challenge: `id` can be spent once, `cost` is how much work it took."""

    id: bytes
    cost: int
    expires_at: datetime


class PhoneVerification(msgspec.Struct, frozen=True, kw_only=True):
    """验证码已发送: to which phone it went is known to the one who asked."""

    id: UUID
    expires_at: datetime
    resend_after: datetime


class StoredVerification(msgspec.Struct, frozen=True, kw_only=True):
    """A verification as it is kept; the code is forgotten once it is proven."""

    id: UUID
    phone_sealed: bytes
    phone_index: bytes
    code_sealed: bytes | None
    requested_at: datetime
    expires_at: datetime
    tries: int
    voided_at: datetime | None
    proven_at: datetime | None


class CodeTried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a code that was typed: proven, or wrong with so many tries left."""

    verification_id: UUID
    phone_index: bytes
    is_proven: bool
    tries_left: int
