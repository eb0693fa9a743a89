"""Values of who acts for an enterprise: what 智桂通 tells of somebody, and how they stand with an enterprise."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

from domain.identity.model import Account, EnterprisePost


class UserType(enum.StrEnum):
    """自然人 or 法人: the kinds of account that 智桂通 knows."""

    PERSON = "person"
    LEGAL_PERSON = "legal_person"


class ZhiguitongUser(msgspec.Struct, frozen=True, kw_only=True):
    """智桂通用户 as told for one token (8.1), under the house's names; what was not told is None.

    `number` is the resident id of a person and the credit code of a legal person; `representative` and
    `representative_number` are a legal person's 法定代表人 and their resident id. `level` is 实名等级 (0 none).
    """

    user_type: UserType
    user_id_code: str | None
    name: str
    number: str | None = None
    mobile: str | None = None
    representative: str | None = None
    representative_number: str | None = None
    is_frozen: bool = False
    level: int | None = None
    provider_time: str | None = None

    def __repr__(self) -> str:
        """Its kind alone: what else it holds must not come into a log."""
        return f"ZhiguitongUser({self.user_type})"


class StoredUser(msgspec.Struct, frozen=True, kw_only=True):
    """智桂通用户 as kept, as far as finding them again goes."""

    id: UUID
    user_id_code: str | None
    number_index: bytes | None
    mobile_index: bytes | None
    provider_time: str | None


class MembershipBasis(enum.StrEnum):
    """认领, 邀请, or set up with the installation."""

    CLAIM = "claim"
    INVITATION = "invitation"
    INSTALLATION = "installation"


class MembershipState(enum.StrEnum):
    """已邀请, 有效, 待核, 已终止."""

    INVITED = "invited"
    ACTIVE = "active"
    DOUBTED = "doubted"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]


_STATES: Final = {
    MembershipState.INVITED: "已邀请",
    MembershipState.ACTIVE: "有效",
    MembershipState.DOUBTED: "待核",
    MembershipState.ENDED: "已终止",
}


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """企业人员 as an operation works on it. `site_ids` are those of a branch; None is every site."""

    id: UUID
    enterprise_id: UUID
    account_id: UUID | None
    user_id: UUID | None
    basis: MembershipBasis
    state: MembershipState
    post: EnterprisePost
    site_ids: tuple[UUID, ...] | None
    representative: str | None
    representative_index: bytes | None
    phone_index: bytes | None
    created_at: datetime
    joined_at: datetime | None = None
    doubted_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None

    @property
    def post_in_force(self) -> EnterprisePost:
        """What they may do today: while 待核 they read and no more."""
        return EnterprisePost.VIEWER if self.state is MembershipState.DOUBTED else self.post


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """企业人员 in the manager's list; the sealed name and phone are opened for it."""

    id: UUID
    basis: MembershipBasis
    state: MembershipState
    post: EnterprisePost
    site_ids: tuple[UUID, ...] | None
    name_sealed: bytes | None
    phone_sealed: bytes | None
    representative: str | None
    account_name: str | None
    created_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None


class EnterpriseOption(msgspec.Struct, frozen=True, kw_only=True):
    """An enterprise that the caller may act for."""

    enterprise_id: UUID
    enterprise_name: str
    uscc: str
    post: EnterprisePost
    state: MembershipState


class MembershipChoice(EnterpriseOption, frozen=True, kw_only=True):
    """The same with what it takes to enter."""

    account_id: UUID
    basis: MembershipBasis
    representative_index: bytes | None


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token brought: the enterprises to choose from, and the account where the choice is clear."""

    enterprises: list[EnterpriseOption]
    account: Account | None


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """企业认领 that was accepted."""

    membership_id: UUID
    enterprise: EnterpriseOption
    account: Account


class Invitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to act for the enterprise; without `site_ids`, for all of its sites."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
    post: EnterprisePost
    site_ids: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=1, max_length=500)] | None = None


class MemberPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The post and the sites that somebody has from now on; without `site_ids`, all sites."""

    post: EnterprisePost
    site_ids: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=1, max_length=500)] | None = None


class MemberStands(msgspec.Struct, frozen=True, kw_only=True):
    """How a member stands after an act."""

    id: UUID
    state: MembershipState
    post: EnterprisePost
    site_ids: tuple[UUID, ...] | None
