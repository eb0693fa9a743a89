"""Rules of what an enterprise says of itself: fields as they are kept, and whose turn it is to change them."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from codes.phone import parse_phone
from domain.enterprise.profile.model import EnterpriseWords, SiteWords
from domain.shared.errors import DomainError, InvalidField
from domain.shared.fields import tidied

_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class ProfileConflict(DomainError):
    """Somebody else changed it meanwhile: `version` in the facts is the one to read and to change."""


def require_version(stands: int, given: int) -> None:
    """Raises `ProfileConflict`."""
    if stands != given:
        raise ProfileConflict("信息已被修改，请刷新后再保存。", field="If-Match", version=stands)


def _line(said: str | None, field: str) -> str | None:
    words = tidied(said, field)
    if words is not None and "\n" in words:
        raise InvalidField("请填写在一行内。", field=field)
    return words


def _phone(said: str | None, field: str) -> str | None:
    words = _line(said, field)
    if words is None:
        return None
    phone = parse_phone(words)
    if phone is None:
        raise InvalidField("请填写手机号码，或带区号的固定电话。", field=field)
    return f"{phone.number}-{phone.extension}" if phone.extension else phone.number


def _email(said: str | None, field: str) -> str | None:
    words = _line(said, field)
    if words is not None and not _EMAIL.fullmatch(words):
        raise InvalidField("邮箱地址有误。", field=field)
    return words


def enterprise_words(said: EnterpriseWords) -> EnterpriseWords:
    """The words as they are kept. Raises `InvalidField`."""
    return EnterpriseWords(
        liaison_name=_line(said.liaison_name, "liaison_name"),
        liaison_phone=_phone(said.liaison_phone, "liaison_phone"),
        email=_email(said.email, "email"),
        brand_name=_line(said.brand_name, "brand_name"),
    )


def site_words(said: SiteWords) -> SiteWords:
    """The words as they are kept. Raises `InvalidField`."""
    kept = SiteWords(
        opening_hours=_line(said.opening_hours, "opening_hours"),
        business_phone=_phone(said.business_phone, "business_phone"),
        is_phone_public=said.is_phone_public,
        contact_name=_line(said.contact_name, "contact_name"),
        contact_phone=_phone(said.contact_phone, "contact_phone"),
    )
    if kept.is_phone_public and kept.business_phone is None:
        raise InvalidField("请先填写要公开的营业电话。", field="business_phone")
    return kept


def changed_fields(before: msgspec.Struct, after: msgspec.Struct) -> list[str]:
    """The names of what differs."""
    return [name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name)]
