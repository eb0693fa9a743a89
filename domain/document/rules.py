"""Rules of papers: their codes, their seals, and how long a revocation's reason must be."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from codes.crockford import read_typed, spell
from domain.document.model import Document, DocumentState, Seal, VerificationState, Verified
from domain.shared.errors import DomainError
from domain.shared.random import Random

CODE_LENGTH: Final = 16
_CODE_BYTES: Final = 10
_SHORTEST_REASON: Final = 2
_LONGEST_REASON: Final = 200


class PaperNotReady(DomainError):
    """The worker has not made the PDF yet; ask again shortly."""


class PaperFailed(DomainError):
    """The PDF could not be made; the worker goes on trying, and someone should look."""


class PaperAlreadyRevoked(DomainError):
    """The paper was revoked before."""


class PaperAlreadySealed(DomainError):
    """Another scan of the sealed paper is on file already."""


class RevocationReasonRequired(DomainError):
    """A revocation needs a reason of 2 to 200 characters."""


def make_verification_code(random: Random) -> str:
    """16 characters of Crockford's base 32 out of 80 random bits: they cannot be guessed or counted through."""
    return spell(int.from_bytes(random(_CODE_BYTES), "big"), CODE_LENGTH)


def read_verification_code(text: str) -> str:
    """The code as stored of what somebody typed, with O, I and L read as the digits they resemble; '' for none."""
    return read_typed(text, CODE_LENGTH) or ""


def spaced(code: str) -> str:
    """The code in groups of four, as it is printed."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def verification_url(public_url: str, code: str) -> str:
    """`HTTPS://<HOST>/V/<CODE>` in upper case, so that the QR stays coarse."""
    origin = urlsplit(public_url)
    return f"{origin.scheme}://{origin.netloc}/V/{code}".upper()


def verification_state(verified: Verified) -> VerificationState:
    """真实, 未盖章 or 已撤销."""
    if verified.revoked_at is not None:
        return VerificationState.REVOKED
    if verified.seal is Seal.NONE and verified.kind.bears_seal:
        return VerificationState.UNSEALED
    return VerificationState.GENUINE


def require_rendered(document: Document) -> bytes:
    """The digest of the PDF. Raises `PaperNotReady` or `PaperFailed`."""
    if document.state is DocumentState.FAILED:
        raise PaperFailed("文书生成失败，系统仍在重试；如久未生成，请联系系统管理员。")
    if document.pdf_digest is None:
        raise PaperNotReady("文书正在生成，请稍后再取。")
    return document.pdf_digest


def require_revocable(document: Document, reason: str) -> str:
    """The reason as it is kept. Raises `PaperAlreadyRevoked` or `RevocationReasonRequired`."""
    if document.revoked_at is not None:
        raise PaperAlreadyRevoked("该文书已撤销。")
    kept = reason.strip()
    if not _SHORTEST_REASON <= len(kept) <= _LONGEST_REASON:
        raise RevocationReasonRequired("请填写撤销原因（2至200字）。", field="reason")
    return kept


def require_sealable(document: Document, digest: bytes) -> bool:
    """Whether the scan is still to be noted; False when the same one is on file.

    Raises `PaperAlreadyRevoked` or `PaperAlreadySealed`.
    """
    if document.revoked_at is not None:
        raise PaperAlreadyRevoked("该文书已撤销。")
    if document.seal is Seal.NONE:
        return True
    if document.sealed_copy != digest:
        raise PaperAlreadySealed("该文书已登记盖章。")
    return False
