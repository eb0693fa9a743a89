"""What happens to sessions."""

from __future__ import annotations

from typing import ClassVar

from domain.shared.events import Event


class _SessionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "用户管理"
    power: ClassVar[str] = "系统登录"
    duty: ClassVar[str] = "身份核验"
    subject: ClassVar[str] = "session"

    before: None = None
    after: None = None


class SignedIn(_SessionEvent, frozen=True, kw_only=True):
    """登录."""

    action: ClassVar[str] = "session.started"


class SignedOut(_SessionEvent, frozen=True, kw_only=True):
    """退出登录."""

    action: ClassVar[str] = "session.ended"


class LogInWasLocked(Event, frozen=True, kw_only=True):
    """登录锁定: too many failures of one account's name (SEC-02)."""

    business: ClassVar[str] = "用户管理"
    power: ClassVar[str] = "系统登录"
    duty: ClassVar[str] = "登录失败锁定"
    action: ClassVar[str] = "account.log_in_locked"
    subject: ClassVar[str] = "account"

    before: None = None
    after: None = None
