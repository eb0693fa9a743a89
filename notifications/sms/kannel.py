"""Kannel: `sendsms` of its smsbox over HTTP, with a delivery report to an address that holds our reference."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from typing import ClassVar, Final
from uuid import UUID

import httpx

from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.access import KannelAccess
from notifications.sms.exchange import Answer, Exchange, exchange, refusal_of
from notifications.sms.port import OutgoingSms, ReceiptState, SmsProvider
from notifications.sms.segments import measure

_EVERY_REPORT: Final = "31"  # 1 delivered, 2 not delivered, 4 waits at the carrier, 8 at the carrier, 16 refused there
_ESCAPES: Final = "&status=%d&at=%T&told=%A"
"""What Kannel fills into the address: the report's kind, its time in seconds since 1970, and the carrier's words."""
_ACCEPTED: Final = 202
_CODINGS: Final = {"gsm7": "0", "ucs2": "2"}
_TAKEN: Final = frozenset({b"0: Accepted for delivery", b"3: Queued for later delivery"})
_REASONS: Final = {
    (400, b"Number(s) has/have been denied by white- and/or black-lists."): Reason.BAD_ADDRESS,
    (400, b"Empty receiver number not allowed, rejected"): Reason.BAD_ADDRESS,
    (400, b"Missing receiver number, rejected"): Reason.BAD_ADDRESS,
    (400, b"Missing receiver(s) number(s), rejected"): Reason.BAD_ADDRESS,
    (400, b"Charset or body misformed, rejected"): Reason.CONTENT_REFUSED,
    (400, b"Sender missing and no global set, rejected"): Reason.UNAUTHORISED,
    (403, b"Authorization failed for sendsms"): Reason.UNAUTHORISED,
    (403, b"Not routable. Do not try again."): Reason.UNREACHABLE,  # by this gateway; another one may have a way
    (503, b"Temporal failure, try again later."): Reason.THROTTLED,  # its queue is full
}
RECEIPT_STATES: Final = {
    "1": ReceiptState.DELIVERED,
    "2": ReceiptState.FAILED,
    "4": ReceiptState.TAKEN,
    "8": ReceiptState.TAKEN,
    "16": ReceiptState.FAILED,
}
"""Kannel's kinds of delivery report."""
REFUSAL: Final = "16"
"""Of these, what Kannel also reports of a message that it refused at once, often before that answer has been read."""


class Kannel(SmsProvider):
    """The port over Kannel. It keeps no register by our reference, so that it cannot be asked whether it has taken one.

    `receipt_url` gives the authenticated address of a reference, to which the report's escapes are joined.
    """

    name: ClassVar[str] = KannelAccess.name

    def __init__(self, access: KannelAccess, client: httpx.AsyncClient, receipt_url: Callable[[UUID], str]) -> None:
        """Call the smsbox that `access` names by `client`."""
        self._access = access
        self._client = client
        self._receipt_url = receipt_url

    async def close(self) -> None:
        """Let go of the client, which the drivers of a process share."""
        await self._client.aclose()

    async def _hand_over(self, sms: OutgoingSms) -> Accepted:
        if not sms.text:
            raise Refused(Reason.CONTENT_REFUSED, "no text")  # Kannel would take it
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": self._access.username,
            "X-Kannel-Password": self._access.password,
            "X-Kannel-To": sms.number,
            "X-Kannel-Coding": _CODINGS[measure(sms.text).encoding],
            "X-Kannel-DLR-Mask": _EVERY_REPORT,
            "X-Kannel-DLR-Url": self._receipt_url(sms.reference) + _ESCAPES,
        }
        if self._access.sender is not None:
            headers["X-Kannel-From"] = self._access.sender
        # A POST: in an address, number, text and password would come into the logs of whatever lies between.
        asked = Exchange(method="POST", url=self._access.url, headers=headers, content=sms.text.encode())
        answer = await exchange(self._client, asked)
        if answer.status == _ACCEPTED and answer.body.strip() in _TAKEN:
            return Accepted()
        raise _refusal(answer)


def _refusal(answer: Answer) -> Refused:
    told = answer.body.strip()
    reason = _REASONS.get((answer.status, told))
    if reason is None:
        return refusal_of(answer)
    return Refused(reason, f"HTTP {answer.status} {told.decode()}", retry_after=answer.retry_after)


def incoming_text(content_type: str, body: bytes) -> str:
    """What a phone sent, out of a request to a `post-url`: Chinese comes as UTF-16BE, and Kannel converts nothing."""
    told = Message()
    told["Content-Type"] = content_type or "text/plain"
    try:
        return body.decode(told.get_content_charset("utf-8"), errors="replace")
    except (LookupError, ValueError):  # letters that nobody knows are no word that ends anything
        return ""
