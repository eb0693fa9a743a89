"""统一身份认证 The port to the identity provider (UTL-01, 8.1): whom a token stands for, and how asking can fail."""

from __future__ import annotations

from typing import Protocol

from domain.membership.model import ZhiguitongUser
from domain.shared.errors import DomainError


class IdentityTokenInvalid(DomainError):
    """The provider does not know the token, or its time is over."""


class IdentityProviderAway(DomainError):
    """The provider does not answer, or not as agreed; ask again after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        """Keep how long to wait among the facts."""
        super().__init__(detail, retry_after=retry_after)


class IdentityProvider(Protocol):
    """Tells whose a token is."""

    async def user_of(self, token: str) -> ZhiguitongUser:
        """The user of `token`. Raises `IdentityTokenInvalid` or `IdentityProviderAway`."""
        ...


class NoIdentityProvider:
    """An installation that is not joined to one: nobody enters this way."""

    async def user_of(self, token: str) -> ZhiguitongUser:
        """Raises `IdentityProviderAway`."""
        del token
        raise IdentityProviderAway("本系统尚未接入智桂通统一身份认证，请使用用户名和密码登录。", 3600)
