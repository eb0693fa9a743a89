"""Rules of the one code's life."""

from __future__ import annotations

from domain.enterprise.model import CodeState
from domain.shared.errors import DomainError

_REASON_LENGTH = range(2, 201)


class CodeWasReplaced(DomainError):
    """The code at the door was replaced by a newer one."""


class CodeWasRevoked(DomainError):
    """The code at the door is no longer valid."""


class CodeAlreadyIssued(DomainError):
    """The site has a valid code: reissue it instead."""


class NoCodeIssued(DomainError):
    """The site has no valid code."""


class ReasonMissing(DomainError):
    """The act needs a reason of 2 to 200 characters."""


def require_valid(state: CodeState) -> None:
    """Raises `CodeWasReplaced` or `CodeWasRevoked` for a code that is not valid any more."""
    if state is CodeState.REPLACED:
        raise CodeWasReplaced("该企业码已更换，请扫描新码。", field="code")
    if state is CodeState.REVOKED:
        raise CodeWasRevoked("该企业码已停用。", field="code")


def require_reason(reason: str | None, field: str) -> str:
    """The reason without surrounding blanks. Raises `ReasonMissing`."""
    text = (reason or "").strip()
    if len(text) not in _REASON_LENGTH:
        raise ReasonMissing("请填写2至200字的原因。", field=field)
    return text
