"""Rules of who acts for an enterprise: functions of values (ENT-01, 8.1, 8.5)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from codes.phone import PhoneKind, parse_phone
from domain.identity.model import EnterprisePost, Principal, Role
from domain.membership.model import (
    Membership,
    MembershipBasis,
    MembershipChoice,
    MembershipState,
    StoredUser,
    UserType,
    ZhiguitongUser,
)
from domain.shared.errors import DomainError, Forbidden, InvalidField

_MIDDLE_DOTS: Final = str.maketrans(dict.fromkeys("•・‧∙⋅●.．", "·"))
_WRONG_TYPE: Final = "您登录本系统的账户类别不满足业务办理要求，请使用符合要求的账户重新登录系统。"
"""Word for word as the specification has it (8.5, step 4)."""


class MembershipPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of an enterprise's own people. `source` says where the figures come from."""

    most_members: int = 200
    most_invitations_a_day: int = 50
    invitation_days: int = 30
    least_level: int = 1
    source: str = "待核"


DEFAULT_POLICY: Final = MembershipPolicy()


class AccountTypeInsufficient(DomainError):
    """A legal person's account is needed, or one of a higher 实名等级."""


class IdentityFrozen(DomainError):
    """The identity provider has frozen the account."""


class ClaimMismatch(DomainError):
    """What the identity provider says differs from the register; `field` says in what, and nothing says how."""


class NoEnterpriseYet(DomainError):
    """The person acts for no enterprise here so far."""


class MemberAlreadyThere(DomainError):
    """That phone is a member's or is invited already."""


class TooManyMembers(DomainError):
    """More members, or more invitations in a day, than one enterprise has."""


class LastManager(DomainError):
    """Nobody would be left who manages the whole enterprise."""


class RepresentativeStays(DomainError):
    """The 法定代表人 who claimed the enterprise is changed by the register, not by its people."""


# ---- scope


def may_act_for_site(principal: Principal, site_id: UUID) -> bool:
    """Whether the enterprise's own caller is concerned with that site of theirs: those of a branch with its sites only.

    Whether the site is the enterprise's at all, the caller asks beside this. True for officials, whose scope is
    another one.
    """
    return principal.role is not Role.ENTERPRISE or principal.site_ids is None or site_id in principal.site_ids


def acts_for(principal: Principal, enterprise_id: UUID, site_id: UUID) -> bool:
    """Whether the caller is the enterprise itself at that site of theirs (ENT-01)."""
    if principal.role is not Role.ENTERPRISE or principal.enterprise_id != enterprise_id:
        return False
    return may_act_for_site(principal, site_id)


def acts_for_whole_enterprise(principal: Principal) -> bool:
    """Whether no branch bounds the enterprise's own caller; what concerns no site at all is not a branch's matter."""
    return principal.role is not Role.ENTERPRISE or principal.site_ids is None


def require_manager(principal: Principal) -> UUID:
    """The enterprise whose 企业管理员 calls. Raises `Forbidden`."""
    if principal.enterprise_id is None or principal.enterprise_post is not EnterprisePost.MANAGER:
        raise Forbidden("该事项由企业管理员办理。")
    return principal.enterprise_id


# ---- whom a token brings


def require_sound(user: ZhiguitongUser, policy: MembershipPolicy = DEFAULT_POLICY) -> None:
    """Raises `IdentityFrozen`, or `AccountTypeInsufficient` for a person whose name is not verified.

    Of a legal person the provider tells no level: the company's registration stands for it.
    """
    if user.is_frozen:
        raise IdentityFrozen("该智桂通账户已被冻结，请先在智桂通办理解冻。")
    if user.level is None and user.user_type is UserType.LEGAL_PERSON:
        return
    if (user.level or 0) < policy.least_level:
        raise AccountTypeInsufficient(_WRONG_TYPE + "请先在智桂通完成实名认证。")


def require_claimant(user: ZhiguitongUser, uscc: str) -> str:
    """The representative's own number, of a legal person's account of that credit code.

    Raises `AccountTypeInsufficient` or `ClaimMismatch`.
    """
    if user.user_type is not UserType.LEGAL_PERSON:
        raise AccountTypeInsufficient(_WRONG_TYPE + "企业认领须使用法人账户。")
    if user.number is None or compact_number(user.number) != compact_number(uscc):
        raise ClaimMismatch(
            "智桂通法人账户的统一社会信用代码与所认领企业不一致，请换用该企业的法人账户，或核对代码后重试。",
            field="uscc",
        )
    if not user.representative or not user.representative_number:
        raise ClaimMismatch(
            "智桂通未提供法定代表人的姓名和证件，请先在智桂通完善法人信息。", field="legal_representative"
        )
    return compact_number(user.representative_number)


def require_representative(user: ZhiguitongUser, registered: str | None) -> str:
    """The register's 法定代表人, who is the one that the account names. Raises `ClaimMismatch`."""
    if registered is None or not is_same_name(registered, user.representative or ""):
        raise ClaimMismatch(
            "智桂通法人账户的法定代表人与登记信息不一致。刚变更的，请待登记信息更新后重试；"
            "登记有误的，请到登记机关更正；智桂通信息有误的，请在智桂通更新法人信息。",
            field="legal_representative",
        )
    return registered


def compact_number(text: str) -> str:
    """A credit code or resident id as it is compared and indexed."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def is_same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: width, blanks and the sort of middle dot do not count."""
    return _plain_name(one) == _plain_name(other)


def _plain_name(text: str) -> str:
    dotted = unicodedata.normalize("NFKC", text).translate(_MIDDLE_DOTS)
    return "".join(dotted.split()).casefold()


def known_user(by_number: StoredUser | None, by_code: StoredUser | None, number: bytes | None) -> StoredUser | None:
    """Whom a token's number and provider's id mean (8.5, steps 5 to 7); None is somebody new.

    The number is who somebody is: where it is known, the provider's id follows it. An id whose owner has another
    number was given to somebody else.
    """
    if by_number is not None:
        return by_number
    if by_code is not None and (number is None or by_code.number_index is None):
        return by_code
    return None


def choose(
    found: Sequence[MembershipChoice], user_type: UserType, representative: bytes | None, wanted: UUID | None
) -> tuple[list[MembershipChoice], MembershipChoice | None]:
    """The enterprises to choose from, and the one that is meant where that is clear. Raises `NoEnterpriseYet`.

    A legal person's account passes from one representative to the next: who comes with it enters only where they
    themselves were accepted.
    """
    own = [
        each
        for each in found
        if user_type is UserType.PERSON or (representative is not None and each.representative_index == representative)
    ]
    if not own:
        raise NoEnterpriseYet(_nothing_yet(user_type))
    if wanted is None:
        return own, own[0] if len(own) == 1 else None
    meant = next((each for each in own if each.enterprise_id == wanted), None)
    if meant is None:
        raise NoEnterpriseYet("您不是该企业的人员，请选择列出的企业，或请该企业管理员邀请您。", field="enterprise_id")
    return own, meant


def _nothing_yet(user_type: UserType) -> str:
    if user_type is UserType.LEGAL_PERSON:
        return "该法人账户尚未认领企业，请先办理企业认领。"
    return "您尚未加入任何企业。法定代表人请用智桂通法人账户办理企业认领；其他人员请联系企业管理员按您的手机号邀请。"


# ---- claims and the register


def is_representative_still(membership: Membership, registered: str | None) -> bool:
    """Whether the register names the same 法定代表人 as when the enterprise was claimed."""
    return registered is not None and is_same_name(membership.representative or "", registered)


def reviewed(membership: Membership, registered: str | None, now: datetime) -> Membership:
    """The claim as the register leaves it: 待核 once it names another representative, good again if it returns."""
    stands = is_representative_still(membership, registered)
    state = MembershipState.ACTIVE if stands else MembershipState.DOUBTED
    if state is membership.state:
        return membership
    return msgspec.structs.replace(membership, state=state, doubted_at=None if stands else now)


def joined(membership: Membership, user_id: UUID, account_id: UUID, now: datetime) -> Membership:
    """The invitation that somebody took up."""
    return msgspec.structs.replace(
        membership, state=MembershipState.ACTIVE, user_id=user_id, account_id=account_id, joined_at=now
    )


def ended(membership: Membership, reason: str, now: datetime) -> Membership:
    """The membership that is over."""
    return msgspec.structs.replace(membership, state=MembershipState.ENDED, ended_at=now, end_reason=reason)


# ---- an enterprise's own people


def require_mobile(text: str) -> str:
    """The mobile number, bare. Raises `InvalidField`."""
    phone = parse_phone(text)
    if phone is None or phone.kind is not PhoneKind.MOBILE:
        reason = "固定电话不能接收短信，请填写手机号码。" if phone else "应为中国内地手机号码。"
        raise InvalidField(reason, field="phone")
    return phone.number


def require_name(text: str) -> str:
    """The name without surrounding blanks. Raises `InvalidField`."""
    name = text.strip()
    if not name:
        raise InvalidField("请填写姓名。", field="name")
    return name


def require_own_sites(site_ids: Sequence[UUID] | None, own: Collection[UUID], acting: Membership) -> None:
    """Whether these are sites of the enterprise that the acting manager manages. Raises `InvalidField`, `Forbidden`."""
    if site_ids is not None and not set(site_ids) <= set(own):
        raise InvalidField("有不属于本企业的经营场所。", field="site_ids")
    if not _within(site_ids, acting):
        raise Forbidden("分支机构管理员只能管理本分支机构场所的人员。")


def require_reach(member: Membership, acting: Membership) -> None:
    """Whether the acting manager may change that member. Raises `Forbidden` or `RepresentativeStays`."""
    if not _within(member.site_ids, acting):
        raise Forbidden("分支机构管理员只能管理本分支机构场所的人员。")
    if member.basis is MembershipBasis.CLAIM:
        raise RepresentativeStays("法定代表人的身份随登记信息变更，不能由企业人员调整。")


def _within(site_ids: Sequence[UUID] | None, acting: Membership) -> bool:
    if acting.site_ids is None:
        return True
    return site_ids is not None and set(site_ids) <= set(acting.site_ids)


def manages_all(member: Membership) -> bool:
    """Whether they manage the whole enterprise today."""
    return member.state is MembershipState.ACTIVE and member.post is EnterprisePost.MANAGER and member.site_ids is None


def require_manager_left(members: Sequence[Membership]) -> None:
    """Whether somebody of these still manages the whole enterprise. Raises `LastManager`."""
    if not any(manages_all(each) for each in members):
        raise LastManager("至少须保留一名管理全部场所的企业管理员，请先指定他人。")


def require_room(members: int, invited_today: int, policy: MembershipPolicy = DEFAULT_POLICY) -> None:
    """Raises `TooManyMembers`."""
    if members >= policy.most_members:
        raise TooManyMembers(f"企业人员不得超过{policy.most_members}名，请先移除不再任职的人员。")
    if invited_today >= policy.most_invitations_a_day:
        raise TooManyMembers("今日邀请次数已达上限，请明日再试。")


def oldest_invitation(now: datetime, policy: MembershipPolicy = DEFAULT_POLICY) -> datetime:
    """Invitations from before this instant have lapsed."""
    return now - timedelta(days=policy.invitation_days)
