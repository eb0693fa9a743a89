"""One mail as it goes over the wire (RFC 5322): text and HTML, attachments, and headers into which nothing can be put.

Everything is of seven bits, so that no server on the way has anything to change.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import urlsplit

from notifications.mail.access import MailAccess
from notifications.mail.port import Attachment, OutgoingMail
from notifications.outcome import Reason, Refused

_POLICY: Final = SMTP.clone(cte_type="7bit")
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_MEDIA_TYPE: Final = re.compile(r"([a-z0-9][a-z0-9.+-]*)/([a-z0-9][a-z0-9.+-]*)")
_UNFIT_IN_HEADER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/\\]+")
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254
_LONGEST_URL: Final = 900


def mailbox(address: str) -> str:
    """The address as the wire wants it, its domain in ASCII. Raises `Refused` (BAD_ADDRESS) for what is none."""
    local, _, host = address.strip().rpartition("@")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError as broken:
        raise Refused(Reason.BAD_ADDRESS, "the domain is none") from broken
    if len(local) > _LONGEST_LOCAL or _LOCAL.fullmatch(local) is None or _HOST.fullmatch(host) is None:
        raise Refused(Reason.BAD_ADDRESS, "no address of the form name@domain")
    if len(local) + len(host) >= _LONGEST:
        raise Refused(Reason.BAD_ADDRESS, "the address is too long")
    return f"{local}@{host}"


def write_letter(mail: OutgoingMail, access: MailAccess, *, recipient: str, now: datetime) -> bytes:
    """The whole mail to `recipient`, which `mailbox` has checked. Raises `Refused` for what no mail can hold."""
    try:
        return _written(mail, access, recipient, now)
    except ValueError as unfit:  # half a surrogate pair, for one
        raise Refused(Reason.CONTENT_REFUSED, "not to be written as a mail") from unfit


def _written(mail: OutgoingMail, access: MailAccess, recipient: str, now: datetime) -> bytes:
    letter = EmailMessage(policy=_POLICY)
    sender, _, domain = access.sender.rpartition("@")
    letter["From"] = Address(_one_line(access.sender_name), sender, domain)
    letter["To"] = Address(addr_spec=recipient)
    letter["Subject"] = _one_line(mail.subject)
    letter["Date"] = now
    letter["Message-ID"] = f"<{mail.reference}@{access.domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["Content-Language"] = "zh-CN"
    if mail.unsubscribe is not None:
        letter["List-Unsubscribe"] = f"<{_web(mail.unsubscribe)}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.set_content(mail.text, cte="base64")
    letter.add_alternative(mail.html, subtype="html", cte="base64")
    for attachment in mail.attachments:
        _attach(letter, attachment)
    return letter.as_bytes()


def _attach(letter: EmailMessage, attachment: Attachment) -> None:
    known = _MEDIA_TYPE.fullmatch(attachment.media_type)
    main, sub = (known[1], known[2]) if known is not None else ("application", "octet-stream")
    if main in {"text", "message", "multipart"}:  # bytes are attached as they are, never taken apart
        main, sub = "application", "octet-stream"
    name = _UNFIT.sub("_", attachment.name).strip() or "attachment"
    letter.add_attachment(attachment.content, maintype=main, subtype=sub, filename=name)


def _one_line(text: str) -> str:
    return " ".join(_UNFIT_IN_HEADER.sub(" ", text).split())


def _web(address: str) -> str:
    """An address that may stand in a header. Raises `Refused` for any other: it would be a defect of ours."""
    parts = urlsplit(address)
    printable = address.isascii() and address.isprintable() and not set(address) & set(" <>\"'")
    if not printable or len(address) > _LONGEST_URL or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Refused(Reason.TEMPLATE_MISMATCH, "the address that ends the subscription is none")
    return address
