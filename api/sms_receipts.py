"""回执 of SMS: the address to which each comes, what proves that it is one of ours, and what providers say in it.

Kannel calls an address that we handed out with the message: it holds the try's id and a MAC over it, so that whoever
sent nothing for us cannot report anything, and whoever did can report on that message alone. The others call one
address for all messages; it holds a secret that was agreed with them.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from api.settings import Settings
from api.wiring import Parts
from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.sql import Query
from notifications.sms import kannel, zhiguitong
from notifications.sms.access import AliyunAccess, KannelAccess, SmsAccess, ZhiguitongSmsAccess
from notifications.sms.drivers import providers_of
from notifications.sms.exchange import sms_client
from notifications.sms.port import ReceiptNote, ReceiptState, SmsProvider
from notifications.tables import message_attempt

KANNEL_PATH: Final = "/api/v1/message-receipts/kannel"
MOST_RECEIPTS: Final = 5_000
"""Of one call."""
_MAC_BYTES: Final = 16
_OLDEST: Final = timedelta(days=30)
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_WORD: Final = 40
_STAT: Final = re.compile(r"\bstat:([A-Z]{1,10})\b")
_ERR: Final = re.compile(r"\berr:([0-9A-Za-z]{1,10})\b")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9_./:-]+")


class ReceiptUnreadable(Exception):
    """What came is no receipt of that provider."""


# ---- the addresses


def receipt_mac(key: bytes, reference: UUID) -> str:
    """What the address of a try's receipt holds beside its id."""
    mac = HMAC(key, hashes.SM3())
    mac.update(b"yima/receipt/kannel\x00" + reference.bytes)
    return urlsafe_b64encode(mac.finalize()[:_MAC_BYTES]).decode().rstrip("=")


def receipt_urls(keys: KeyRing, base: str) -> Callable[[UUID], str]:
    """Gives the address for a try's receipts below `base` (scheme and host)."""
    _, key = keys.current(KeyPurpose.RECEIPT)

    def address(reference: UUID) -> str:
        query = urlencode({"reference": str(reference), "mac": receipt_mac(key, reference)})
        return f"{base.rstrip('/')}{KANNEL_PATH}?{query}"

    return address


def proven_reference(keys: KeyRing, reference: str, mac: str) -> UUID | None:
    """The try that `reference` names, if `mac` was made for it by a key that still verifies.

    Every wrong MAC takes equally long.
    """
    attempt_id = _reference(reference)
    if attempt_id is None:
        return None
    given = mac.encode("utf-8", "replace")
    is_ours = keys.verify(KeyPurpose.RECEIPT, given, lambda key: receipt_mac(key, attempt_id).encode())
    return attempt_id if is_ours else None


def is_receipt_secret(access: SmsAccess | None, provider: str, secret: str) -> bool:
    """Whether `secret` is the one agreed with that provider, and it is set up at all."""
    found = None if access is None else access.of(provider)
    if not isinstance(found, AliyunAccess | ZhiguitongSmsAccess):
        return False
    return hmac.compare_digest(found.receipt_secret.encode(), secret.encode("utf-8", "replace"))


def open_providers(settings: Settings, keys: KeyRing) -> tuple[SmsProvider, ...]:
    """The installation's drivers over one client of their own, in fail-over order; none where none is set up."""
    if settings.sms is None:
        return ()
    base = settings.sms.receipt_base or settings.public_url
    return providers_of(settings.sms, sms_client(), receipt_urls(keys, base))


def rates_of(settings: Settings) -> Mapping[str, float]:
    """How many messages a second each provider takes, by its name."""
    return {} if settings.sms is None else {each.name: each.per_second for each in settings.sms.providers}


# ---- what they say


class _Try(msgspec.Struct, frozen=True):
    state: str


_STATE_OF_TRY = Query(sa.select(message_attempt.c.state).where(message_attempt.c.id == sa.bindparam("id")), _Try)


async def state_of_try(parts: Parts, attempt_id: UUID) -> str | None:
    """Where that try stands; None when it is not ours."""
    async with parts.work.reading() as connection:
        found = await _STATE_OF_TRY.first(connection, id=attempt_id)
    return None if found is None else found.state


def read_kannel(reference: UUID, *, status: str, at: str, told: str, now: datetime) -> ReceiptNote:
    """One delivery report of Kannel. Raises `ReceiptUnreadable`."""
    state = kannel.RECEIPT_STATES.get(status)
    if state is None or not (at.isascii() and at.isdigit() and len(at) <= 12):  # noqa: PLR2004 - seconds of any century
        raise ReceiptUnreadable
    return ReceiptNote(
        attempt_id=reference,
        provider=KannelAccess.name,
        provider_reference=None,
        state=state,
        provider_status=f"{status} {_carriers_words(told)}".strip(),
        at=_within(datetime.fromtimestamp(int(at), UTC), now) if int(at) < 2**33 else now,
    )


def _carriers_words(told: str) -> str:
    """The carrier's state and code. An SMPP report repeats the text's beginning, too: that is left out."""
    stat, err = _STAT.search(told), _ERR.search(told)
    if stat is not None:
        return f"{stat[1]} {err[1]}" if err is not None else stat[1]
    if "text:" in told.lower():
        return ""
    return _PLAIN.sub(" ", told)[:_WORD].strip()


_Word = Annotated[str, msgspec.Meta(max_length=200)]
_Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""JSON knows numbers of thousands of digits; no index takes one."""


class _OfAliyun(msgspec.Struct, frozen=True, kw_only=True):
    success: bool
    biz_id: _Word
    out_id: _Word | None = None
    err_code: _Word = ""
    report_time: _Word = ""


class _OfZhiguitong(msgspec.Struct, frozen=True, kw_only=True):
    """待核: the shape follows 8.1's manner."""

    status: _Word | _Number
    msgId: _Word | _Number | None = None  # noqa: N815 - the provider's names
    extendId: _Word | None = None  # noqa: N815
    errCode: _Word | _Number | None = None  # noqa: N815
    receiveTime: _Word = ""  # noqa: N815


_ALIYUN: Final = msgspec.json.Decoder(Annotated[list[_OfAliyun], msgspec.Meta(max_length=MOST_RECEIPTS)])
_ZHIGUITONG: Final = msgspec.json.Decoder(Annotated[list[_OfZhiguitong], msgspec.Meta(max_length=MOST_RECEIPTS)])


def read_aliyun(body: bytes, now: datetime) -> Sequence[ReceiptNote]:
    """短信状态报告 as the vendor pushes them (SmsReport). Raises `ReceiptUnreadable`."""
    try:
        reports = _ALIYUN.decode(body)
    except (msgspec.DecodeError, RecursionError) as broken:
        raise ReceiptUnreadable from broken
    return [
        ReceiptNote(
            attempt_id=_reference(report.out_id),
            provider=AliyunAccess.name,
            provider_reference=report.biz_id or None,
            state=ReceiptState.DELIVERED if report.success else ReceiptState.FAILED,
            provider_status=_PLAIN.sub(" ", report.err_code)[:_WORD].strip(),
            at=_china_time(report.report_time, now),
        )
        for report in reports
    ]


def read_zhiguitong(body: bytes, now: datetime) -> Sequence[ReceiptNote]:
    """Receipts of 智桂通 (待核). Raises `ReceiptUnreadable`, also for a `status` that is not known."""
    try:
        reports = _ZHIGUITONG.decode(body)
    except (msgspec.DecodeError, RecursionError) as broken:
        raise ReceiptUnreadable from broken
    return [_of_zhiguitong(report, now) for report in reports]


def _of_zhiguitong(report: _OfZhiguitong, now: datetime) -> ReceiptNote:
    state = zhiguitong.RECEIPT_STATES.get(str(report.status))
    if state is None:
        raise ReceiptUnreadable
    code = "" if report.errCode is None else _PLAIN.sub(" ", str(report.errCode))[:_WORD].strip()
    return ReceiptNote(
        attempt_id=_reference(report.extendId),
        provider=ZhiguitongSmsAccess.name,
        provider_reference=None if report.msgId is None else str(report.msgId) or None,
        state=state,
        provider_status=f"{report.status} {code}".strip(),
        at=_china_time(report.receiveTime, now),
    )


def _reference(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _china_time(text: str, now: datetime) -> datetime:
    try:
        told = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
    except ValueError:
        return now
    return _within(told.astimezone(UTC), now)


def _within(told: datetime, now: datetime) -> datetime:
    """The provider's time, unless its clock runs ahead or tells of another year: then the time of arrival."""
    return told if now - _OLDEST <= told <= now else now
