"""Rules of 送达: what each lawful kind of service needs, when it counts, and what consents to the electronic one."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from codes.phone import is_landline, normalise_mobile
from domain.rectification.acts import Attendant, GiveConsent, RecordService
from domain.rectification.model import ConsentMeans, ServiceMeans
from domain.rectification.rules import ANNOUNCEMENT_TERM
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import DomainError, InvalidField

_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LABELS: Final = {
    "receiver": "请填写签收人姓名和身份。",
    "witness": "留置送达须有见证人，或照片、录像。",
    "tracking_number": "请填写邮寄单号。",
    "body": "请填写受委托的机关。",
    "place": "请填写公告的载体。",
    "evidence": "请上传送达回证的照片或扫描件。",
    "note": "请填写拒收的情形。",
}


class ServiceConsentMissing(DomainError):
    """Electronic service is lawful only with the party's consent on file."""


class NoServiceConsent(DomainError):
    """No consent is in force."""


class ServedPeople(msgspec.Struct, frozen=True):
    """Who received the paper and who witnessed it, as sealed with the record."""

    receiver: Attendant | None
    witness: Attendant | None


class Addresses(msgspec.Struct, frozen=True):
    """送达地址, as sealed with the consent."""

    phone: str | None
    email: str | None


def require_service(asked: RecordService, issued_on: date, today: date) -> date:
    """The day on which the service counts; of an announcement thirty days after its first.

    Raises `InvalidField` naming what the kind of service lacks, or for a day before the issue or in the future.
    """
    if not issued_on <= asked.served_on <= today:
        raise InvalidField("送达日期应在签发之日与今日之间。", field="served_on")
    for name in _lacking(asked):
        raise InvalidField(_LABELS[name], field=name)
    if asked.means is ServiceMeans.ANNOUNCEMENT:
        return asked.served_on + timedelta(days=ANNOUNCEMENT_TERM.days)
    return asked.served_on


def _lacking(asked: RecordService) -> list[str]:
    given = {
        "receiver": asked.receiver is not None,
        "witness": asked.witness is not None or bool(asked.evidence),
        "tracking_number": asked.tracking_number is not None,
        "body": asked.body is not None,
        "place": asked.place is not None,
        "evidence": bool(asked.evidence),
        "note": asked.note is not None,
    }
    return [name for name in _NEEDED[asked.means] if not given[name]]


_NEEDED: Final = {
    ServiceMeans.DIRECT: ("receiver", "evidence"),
    ServiceMeans.LIEN: ("witness", "note"),
    ServiceMeans.POST: ("tracking_number",),
    ServiceMeans.ENTRUSTED: ("body", "evidence"),
    ServiceMeans.ANNOUNCEMENT: ("place",),
    ServiceMeans.ELECTRONIC: (),
}


def note_of(asked: RecordService) -> str | None:
    """What is kept in words: the body entrusted, the place of the announcement, the remark."""
    parts = [
        f"受托机关：{asked.body}" if asked.body else None,
        f"公告载体：{asked.place}；自{asked.served_on.isoformat()}起" if asked.place else None,
        asked.note,
    ]
    return "；".join(part for part in parts if part) or None


def receipt_note(means: str, delivered_at: datetime) -> str:
    """What is kept in words of a service that a receipt proves."""
    at = delivered_at.astimezone(WORKING_ZONE).strftime("%Y-%m-%d %H:%M:%S")
    return f"{means}送达，运营方回执时间{at}；由系统按送达地址确认书登记"


def require_addresses(asked: GiveConsent) -> Addresses:
    """The addresses, of the usual form, one for each means. Raises `InvalidField`."""
    means: Collection[ConsentMeans] = set(asked.means)
    phone = normalise_mobile(asked.phone) if asked.phone else None
    if ConsentMeans.SMS in means and asked.phone and is_landline(asked.phone):
        raise InvalidField("固定电话不能接收短信，请填写手机号码。", field="phone")
    if ConsentMeans.SMS in means and phone is None:
        raise InvalidField("请填写接收短信的手机号码。", field="phone")
    email = (asked.email or "").strip() or None
    if ConsentMeans.EMAIL in means and (email is None or not _EMAIL.fullmatch(email)):
        raise InvalidField("请填写接收邮件的电子邮箱。", field="email")
    return Addresses(
        phone=phone if ConsentMeans.SMS in means else None, email=email if ConsentMeans.EMAIL in means else None
    )
