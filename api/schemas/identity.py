"""Sessions on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from domain.identity.model import EnterprisePost, Role


class LogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """登录: name and password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Refresh(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The refresh token of the last answer; it stays good until its successor is first used."""

    refresh_token: Annotated[str, msgspec.Meta(min_length=10, max_length=200)]


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in account as its owner sees it; without `site_ids` it acts for every site of its enterprise."""

    account_id: UUID
    name: str
    role: Role
    role_label: str
    post: str
    department_id: UUID | None
    officer_id: UUID | None
    enterprise_id: UUID | None
    enterprise_post: EnterprisePost | None
    site_ids: tuple[UUID, ...] | None


class SessionTokensAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a session; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    account: WhoAmI
