"""What a mail server's refusal means to us: its code (RFC 5321), its enhanced code (RFC 3463), and when it came."""

from __future__ import annotations

import enum
import re
from typing import Final

from notifications.outcome import Reason, Refused

_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS: Final = re.compile(r"[^\s<>]+@[^\s<>]+")
_TRANSIENT: Final = 4
_CLOSING: Final = 421
_WAIT: Final = 60.0
_GREYLISTED: Final = 300.0
_MAILBOX: Final = "2"
_ADDRESSING: Final = "1"
_NETWORK: Final = "4"
_POLICY: Final = "7"
_TOLD: Final = 200


class Stage(enum.Enum):
    """Where in the talk a refusal came."""

    GREETING = "greeting"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


def refusal(stage: Stage, code: int, words: str) -> Refused:
    """The server's answer as a `Refused`; what it said goes along without the address."""
    found = _ENHANCED.match(words)
    subject = found[1].split(".")[1] if found is not None else None
    detail = f"{code} {_ADDRESS.sub('…', words)}"[:_TOLD].strip()
    if code == _CLOSING:
        return Refused(Reason.PROVIDER_AWAY, detail, retry_after=_WAIT)
    if code // 100 == _TRANSIENT:
        return _transient(stage, subject, detail)
    return Refused(_permanent(stage, code, subject), detail)


def _transient(stage: Stage, subject: str | None, detail: str) -> Refused:
    if stage is Stage.GREETING:
        return Refused(Reason.PROVIDER_AWAY, detail, retry_after=_WAIT)
    if stage is Stage.RECIPIENT and subject in {_ADDRESSING, _MAILBOX, _NETWORK}:
        return Refused(Reason.UNREACHABLE, detail, retry_after=_GREYLISTED)
    return Refused(Reason.THROTTLED, detail, retry_after=_GREYLISTED if stage is Stage.RECIPIENT else _WAIT)


_NO_LOG_IN: Final = frozenset({454, 530, 534, 535, 538})
_SYNTAX: Final = frozenset({500, 501, 502, 503, 504})
_FULL: Final = 552


def _permanent(stage: Stage, code: int, subject: str | None) -> Reason:
    if code in _NO_LOG_IN:
        return Reason.UNAUTHORISED
    match stage:
        case Stage.GREETING:
            return Reason.PROVIDER_AWAY
        case Stage.SENDER:
            return Reason.CONTENT_REFUSED if code == _FULL else Reason.UNAUTHORISED
        case Stage.RECIPIENT:
            return _of_recipient(code, subject)
        case Stage.CONTENT:
            return {_ADDRESSING: Reason.BAD_ADDRESS, _MAILBOX: Reason.UNREACHABLE}.get(
                subject or "", Reason.CONTENT_REFUSED
            )


def _of_recipient(code: int, subject: str | None) -> Reason:
    """A full or closed mailbox may open again; a policy is about us, not about them."""
    if subject == _POLICY:
        return Reason.CONTENT_REFUSED
    if subject == _MAILBOX or (subject is None and code == _FULL):
        return Reason.UNREACHABLE
    return Reason.CONTENT_REFUSED if code in _SYNTAX and subject != _ADDRESSING else Reason.BAD_ADDRESS
