"""What happens to sessions."""

from __future__ import annotations

from typing import ClassVar

from domain.shared.events import Event


class SignedIn(Event, frozen=True, kw_only=True):
    """登录."""

    business: ClassVar[str] = "用户管理"
    power: ClassVar[str] = "系统登录"
    duty: ClassVar[str] = "身份核验"
    action: ClassVar[str] = "session.started"
    subject: ClassVar[str] = "session"


class SignedOut(Event, frozen=True, kw_only=True):
    """退出登录."""

    business: ClassVar[str] = "用户管理"
    power: ClassVar[str] = "系统登录"
    duty: ClassVar[str] = "身份核验"
    action: ClassVar[str] = "session.ended"
    subject: ClassVar[str] = "session"
