"""What happens to those who act for an enterprise."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.membership.model import Membership
from domain.membership.store import Place
from domain.shared.events import Event


class MembershipStanding(msgspec.Struct, frozen=True, kw_only=True):
    """企业人员 as the trace tells it: by ids, without a name or a number."""

    enterprise_id: UUID
    account_id: UUID | None
    basis: str
    state: str
    post: str
    site_ids: tuple[UUID, ...] | None
    reason: str | None


def standing_of(membership: Membership) -> MembershipStanding:
    """How a member stands."""
    return MembershipStanding(
        enterprise_id=membership.enterprise_id,
        account_id=membership.account_id,
        basis=membership.basis,
        state=membership.state,
        post=membership.post,
        site_ids=membership.site_ids,
        reason=membership.end_reason,
    )


class MembershipEvent(Event, frozen=True, kw_only=True):
    """What all events of a membership share; the department is the one that the main site is regulated by."""

    business: ClassVar[str] = "企业空间"
    power: ClassVar[str] = "企业人员管理"
    subject: ClassVar[str] = "membership"

    before: MembershipStanding | None = None
    after: MembershipStanding
    enterprise_name: str


class EnterpriseClaimed(MembershipEvent, frozen=True, kw_only=True):
    """企业认领: the 法定代表人 manages the enterprise."""

    duty: ClassVar[str] = "企业认领"
    action: ClassVar[str] = "membership.claimed"


class MemberInvited(MembershipEvent, frozen=True, kw_only=True):
    """邀请企业人员."""

    duty: ClassVar[str] = "企业人员邀请"
    action: ClassVar[str] = "membership.invited"


class MemberJoined(MembershipEvent, frozen=True, kw_only=True):
    """企业人员加入, by logging in with the phone that was invited."""

    duty: ClassVar[str] = "企业人员加入"
    action: ClassVar[str] = "membership.joined"


class MemberChanged(MembershipEvent, frozen=True, kw_only=True):
    """企业人员岗位或场所变更."""

    duty: ClassVar[str] = "企业人员变更"
    action: ClassVar[str] = "membership.changed"


class MembershipEnded(MembershipEvent, frozen=True, kw_only=True):
    """企业人员移除, or overtaken by the next representative."""

    duty: ClassVar[str] = "企业人员移除"
    action: ClassVar[str] = "membership.ended"


class MembershipDoubted(MembershipEvent, frozen=True, kw_only=True):
    """认领待核: the register names another 法定代表人."""

    duty: ClassVar[str] = "企业认领复核"
    action: ClassVar[str] = "membership.doubted"


class MembershipConfirmed(MembershipEvent, frozen=True, kw_only=True):
    """认领恢复: the register names the claiming 法定代表人 again."""

    duty: ClassVar[str] = "企业认领复核"
    action: ClassVar[str] = "membership.confirmed"


def event_of(
    kind: Callable[..., MembershipEvent], before: Membership | None, after: Membership, place: Place
) -> MembershipEvent:
    """The event of one change."""
    return kind(
        subject_id=after.id,
        region=place.region,
        department_id=place.regulator_id,
        before=None if before is None else standing_of(before),
        after=standing_of(after),
        enterprise_name=place.enterprise_name,
    )
