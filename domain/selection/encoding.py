"""The bytes under a draw: commitments, the frame's digest, the seed and the candidates' keys.

Every part is preceded by its length, so that no two different inputs read alike. `model.ENCODING` says the same in
words, in every record.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from uuid import UUID

from cryptography.hazmat.primitives import hashes, hmac

from domain.selection.model import DrawPlan, DrawPurpose, FrameEntry, PublicValue

_UUID_LENGTH = struct.pack(">I", 16)


def framed(*parts: bytes) -> bytes:
    """The parts, each after its length in 4 bytes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def sm3(data: bytes) -> bytes:
    """SM3, 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def _hmac_sm3(key: bytes, data: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(data)
    return mac.finalize()


def _number(value: int | None) -> bytes:
    return b"" if value is None else struct.pack(">I", value)


def commit_secret(draw_id: UUID, secret: bytes) -> bytes:
    """The commitment to publish before the frame is frozen."""
    return sm3(framed(b"yima/draw/1 secret", draw_id.bytes, secret))


def commit_nonce(draw_id: UUID, department_id: UUID, nonce: bytes) -> bytes:
    """A department's commitment to its nonce."""
    return sm3(framed(b"yima/draw/1 nonce", draw_id.bytes, department_id.bytes, nonce))


class FrameDigest:
    """SM3 of the frame, entry by entry, so that a register of any size needs no memory."""

    def __init__(self, plan: DrawPlan) -> None:
        """Begin with what the plan fixes."""
        self._digest = hashes.Hash(hashes.SM3())
        head = (plan.purpose.encode(), plan.draw_id.bytes, plan.subject_id.bytes, _number(plan.cap))
        self._digest.update(framed(b"yima/draw/1 frame", *head, _number(len(plan.strata))))
        for rule in sorted(plan.strata, key=lambda each: each.name.encode()):
            self._digest.update(framed(rule.name.encode(), _number(rule.ratio), _number(rule.count)))
        self._tails: dict[tuple[str, int, str | None], bytes] = {}

    def add(self, entry: FrameEntry) -> None:
        """The next entry, by ascending id."""
        kind = (entry.stratum, entry.tier, entry.excluded)
        tail = self._tails.get(kind)
        if tail is None:
            tail = framed(entry.stratum.encode(), _number(entry.tier), (entry.excluded or "").encode())
            self._tails[kind] = tail
        self._digest.update(_UUID_LENGTH + entry.id.bytes + tail)

    def finish(self) -> bytes:
        """The digest; nothing can be added afterwards."""
        return self._digest.finalize()


def seed_of(
    secret: bytes,
    frame_digest: bytes,
    commitments: Sequence[bytes],
    nonces: Sequence[bytes],
    public_value: PublicValue | None,
) -> bytes:
    """The seed; `commitments` begins with the secret's own."""
    own, *departments = commitments
    public = b""
    if public_value is not None:
        public = framed(public_value.name.encode(), public_value.on.isoformat().encode(), public_value.value.encode())
    joined = (frame_digest, framed(own, *sorted(departments)), framed(*sorted(nonces)), public)
    return _hmac_sm3(secret, framed(b"yima/draw/1 seed", *joined))


class CandidateKeys:
    """HMAC-SM3 of each candidate under one seed; what all share is hashed once."""

    def __init__(self, seed: bytes, purpose: DrawPurpose, draw_id: UUID) -> None:
        """Keep the MAC as it stands before the candidate's id."""
        self._begun = hmac.HMAC(seed, hashes.SM3())
        self._begun.update(framed(b"yima/draw/1 key", purpose.encode(), draw_id.bytes) + _UUID_LENGTH)

    def of(self, candidate: UUID) -> bytes:
        """The candidate's key, 32 bytes."""
        mac = self._begun.copy()
        mac.update(candidate.bytes)
        return mac.finalize()
