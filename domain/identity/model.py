"""Roles and principals."""

from __future__ import annotations

import enum
from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.shared.events import Operator


class Role(enum.StrEnum):
    """What an account may be; a later issue adds finer permissions beneath these."""

    INSPECTOR = "inspector"
    DEPARTMENT_MANAGER = "department_manager"
    LEAD = "lead"
    ENTERPRISE = "enterprise"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _LABELS[self]


_LABELS = {
    Role.INSPECTOR: "执法人员",
    Role.DEPARTMENT_MANAGER: "部门管理员",
    Role.LEAD: "牵头部门领导",
    Role.ENTERPRISE: "企业",
    Role.ADMINISTRATOR: "系统管理员",
}


class EnterprisePost(enum.StrEnum):
    """企业岗位: what somebody may do for their enterprise (ENT-01)."""

    MANAGER = "manager"
    CLERK = "clerk"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _POSTS[self]

    @property
    def may_write(self) -> bool:
        """Whether they act for the enterprise; a viewer only reads."""
        return self is not EnterprisePost.VIEWER


_POSTS = {
    EnterprisePost.MANAGER: "企业管理员",
    EnterprisePost.CLERK: "经办人",
    EnterprisePost.VIEWER: "仅查看",
}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, as the access token says: judged by the server when the session was started or refreshed.

    `region` is the ltree path of the region whose subtree the account may see. An enterprise's own people have an
    `enterprise_post`; those of a branch act for its `site_ids` alone, None being every site.
    """

    account_id: UUID
    session_id: UUID
    name: str
    role: Role
    post: str
    department_id: UUID | None = None
    region: str | None = None
    officer_id: UUID | None = None
    enterprise_id: UUID | None = None
    enterprise_post: EnterprisePost | None = None
    site_ids: tuple[UUID, ...] | None = None

    @property
    def operator(self) -> Operator:
        """操作人 as the trace names them."""
        return Operator(id=self.account_id, name=self.name, post=self.post)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A stored account with its password hash."""

    id: UUID
    login: str
    name: str
    role: Role
    post: str
    password_hash: str
    department_id: UUID | None
    region: str | None
    officer_id: UUID | None
    enterprise_id: UUID | None
    enterprise_post: EnterprisePost | None
    site_ids: tuple[UUID, ...] | None
    disabled_at: datetime | None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A stored session: `generation` is the latest refresh token that was used."""

    id: UUID
    account_id: UUID
    generation: int
    expires_at: datetime
    ended_at: datetime | None


class LogInFailures(msgspec.Struct, frozen=True, kw_only=True):
    """How often logging in by one name failed of late; `locked_until` once that was too often (SEC-02)."""

    failures: int
    since: datetime
    locked_until: datetime | None


class RegionRow(msgspec.Struct, frozen=True, kw_only=True):
    """行政区划: one region of the tree."""

    code: str
    name: str
    level: str
    parent_code: str | None
    path: str
    valid_from: date | None
    valid_to: date | None
    successor_code: str | None


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """监管部门: `code` numbers its acts, `paper_word` (机关代字) its papers, `path` places it among departments."""

    id: UUID
    code: str
    name: str
    short_name: str
    parent_id: UUID | None
    path: str
    region_code: str
    region: str
    hotline: str | None
    paper_word: str | None = None
