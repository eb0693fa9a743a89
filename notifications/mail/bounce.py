"""退信: what a mail server reports of a mail that it could not deliver, or did (RFC 3464), out of its raw message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from typing import Final

import msgspec

from notifications.sms.port import ReceiptState

LARGEST: Final = 1024 * 1024
"""Bytes of a report; it holds the headers of what it is about, or the whole of a small mail."""
_READ: Final = 64 * 1024
"""So much of it is read: what a report says stands before the mail that it gives back. Anybody may write to a bounce
address, and the library's parser takes a minute over a megabyte of semicolons."""
_MOST_ADDRESSES: Final = 20
_MOST_PARTS: Final = 50
_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_PERMANENT: Final = "5"
_STATES: Final = {
    "failed": ReceiptState.FAILED,
    "delivered": ReceiptState.DELIVERED,
    "relayed": ReceiptState.TAKEN,
    "expanded": ReceiptState.TAKEN,
}
_MAILBOX_STANDS: Final = re.compile(r"5\.(?:2\.[234]|3\.[0-9]+|5\.[1-9]|6\.[0-9]+|7\.[0-9]+)")
"""The mailbox exists, but is full, or the mail is too large, or refused for what it is."""


class BounceReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report: to which addresses it came (one of them ours, with a reference), and what it says.

    `state` is None when it says nothing final: a delay, or an answer written by a machine. `is_no_address`: the mailbox
    does not exist, nothing more is to be sent to it.
    """

    sent_to: tuple[str, ...]
    state: ReceiptState | None
    status: str = ""
    is_no_address: bool = False


def read_report(raw: bytes) -> BounceReport | None:
    """The report in `raw`; None for what is no mail at all. Hostile input ends here, too."""
    try:
        message = BytesParser(policy=compat32).parsebytes(raw[:_READ])
        if not message.keys():
            return None
        sent_to = tuple(_addresses(message))
        for fields in _recipient_fields(message):
            state = _STATES.get(_word(fields.get("Action")))
            if state is not None:
                return _report(sent_to, state, str(fields.get("Status", "")))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # what the parser lets through
        return None
    return BounceReport(sent_to=sent_to, state=None)


def _report(sent_to: tuple[str, ...], state: ReceiptState, told: str) -> BounceReport:
    found = _STATUS.match(told)
    status = found[1] if found is not None else ""
    gone = state is ReceiptState.FAILED and status.startswith(_PERMANENT) and not _MAILBOX_STANDS.fullmatch(status)
    return BounceReport(sent_to=sent_to, state=state, status=status, is_no_address=gone)


def _addresses(message: Message) -> Iterator[str]:
    told = [str(value) for name in _TO for value in message.get_all(name, [])]
    for _, address in getaddresses(told)[:_MOST_ADDRESSES]:
        if address:
            yield address


def _recipient_fields(message: Message) -> Iterator[Message]:
    """The fields of each recipient in the part for machines; its first group is about the mail itself."""
    if message.get_content_type() != "multipart/report":
        return
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            return
        if part.get_content_type() == "message/delivery-status":
            groups = part.get_payload()
            for group in groups if isinstance(groups, list) else []:
                if isinstance(group, Message) and group.get("Final-Recipient") is not None:
                    yield group


def _word(value: object) -> str:
    return str(value).split("(", 1)[0].strip().lower() if value is not None else ""
