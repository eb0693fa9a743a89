"""What happens at the citizen's gate."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from domain.shared.events import Event


class CodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a code is good; to whom it went, the trace does not tell."""

    expires_at: datetime


class PhoneCodeSent(Event, frozen=True, kw_only=True):
    """验证码发送: a code is on its way to a citizen's phone."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "公众参与"
    duty: ClassVar[str] = "手机号码验证"
    action: ClassVar[str] = "visitor.phone_code_sent"
    subject: ClassVar[str] = "phone_verification"

    before: None = None
    after: CodeFacts


class ProvenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """When it was proven."""

    proven_at: datetime


class PhoneProven(Event, frozen=True, kw_only=True):
    """手机号码已验证: whoever asked holds the phone."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "公众参与"
    duty: ClassVar[str] = "手机号码验证"
    action: ClassVar[str] = "visitor.phone_proven"
    subject: ClassVar[str] = "phone_verification"

    before: None = None
    after: ProvenFacts
