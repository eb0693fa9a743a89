"""企业人员 managed by the enterprise itself: invited, given another place, removed (ENT-01)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.identity.model import EnterprisePost, Principal
from domain.membership import rules, store
from domain.membership.accounts import place_account, shut_account
from domain.membership.events import MemberChanged, MemberInvited, MembershipEnded, MembershipEvent, event_of
from domain.membership.model import (
    Invitation,
    MemberPlace,
    Membership,
    MembershipBasis,
    MembershipState,
    MemberStands,
)
from domain.membership.people import NAME_LABEL, PHONE_LABEL, phone_index
from domain.shared.errors import Forbidden, NotFound
from domain.shared.transaction import Outcome, Transaction

_A_DAY: Final = timedelta(days=1)
_LAPSED: Final = "邀请已过期"
_REMOVED: Final = "企业管理员移除"


class _Desk(msgspec.Struct, frozen=True):
    """The acting manager as stored this instant, and all who are with the enterprise, locked."""

    acting: Membership
    members: list[Membership]
    place: store.Place


async def _desk(tx: Transaction, principal: Principal) -> _Desk:
    """Raises `NotFound` or `Forbidden`: a token may be older than the end of a membership or a post."""
    enterprise_id = rules.require_manager(principal)
    members = await store.LOCK_OF_ENTERPRISE.all(tx.connection, enterprise_id=enterprise_id)
    acting = next((each for each in members if each.account_id == principal.account_id), None)
    if acting is None:
        raise NotFound("您已不是该企业的人员，请重新登录。")
    if acting.post_in_force is not EnterprisePost.MANAGER:
        raise Forbidden("该事项由企业管理员办理。")
    (place,) = await store.PLACES.all(tx.connection, enterprise_ids=[enterprise_id])
    return _Desk(acting, members, place)


async def _require_sites(tx: Transaction, desk: _Desk, site_ids: Sequence[UUID] | None) -> None:
    own: set[UUID] = set()
    if site_ids is not None:
        enterprise_id = desk.acting.enterprise_id
        found = await store.OWN_SITES.all(tx.connection, enterprise_id=enterprise_id, site_ids=list(site_ids))
        own = {each.id for each in found}
    rules.require_own_sites(site_ids, own, desk.acting)


def _distinct(site_ids: Sequence[UUID] | None) -> tuple[UUID, ...] | None:
    return None if site_ids is None else tuple(sorted(set(site_ids)))


async def invite_member(tx: Transaction, principal: Principal, order: Invitation) -> Outcome[MemberStands]:
    """邀请企业人员 by phone: they join by logging in with a 智桂通 account of that phone.

    Raises `NotFound`, `Forbidden`, `InvalidField`, `MemberAlreadyThere` or `TooManyMembers`.
    """
    phone, name = rules.require_mobile(order.phone), rules.require_name(order.name)
    desk = await _desk(tx, principal)
    await _require_sites(tx, desk, order.site_ids)
    index = phone_index(tx.vault, phone)
    events, remaining = await _end_lapsed(tx, desk)
    if any(each.phone_index == index for each in remaining):
        raise rules.MemberAlreadyThere("该手机号已是本企业人员或已被邀请。", field="phone")
    today = await store.INVITED_SINCE.all(
        tx.connection,
        enterprise_id=desk.acting.enterprise_id,
        since=tx.now - _A_DAY,
        limit=rules.DEFAULT_POLICY.most_invitations_a_day,
    )
    rules.require_room(len(remaining), len(today))
    invited = Membership(
        id=tx.new_id(),
        enterprise_id=desk.acting.enterprise_id,
        account_id=None,
        user_id=None,
        basis=MembershipBasis.INVITATION,
        state=MembershipState.INVITED,
        post=order.post,
        site_ids=_distinct(order.site_ids),
        representative=None,
        representative_index=None,
        phone_index=index,
        created_at=tx.now,
    )
    await store.INSERT_MEMBERSHIP.run(
        tx.connection,
        **msgspec.structs.asdict(invited),
        name_sealed=tx.vault.seal(NAME_LABEL, name),
        phone_sealed=tx.vault.seal(PHONE_LABEL, phone),
        invited_by=principal.account_id,
    )
    events.append(event_of(MemberInvited, None, invited, desk.place))
    return Outcome(answer=_stands(invited), events=tuple(events))


async def _end_lapsed(tx: Transaction, desk: _Desk) -> tuple[list[MembershipEvent], list[Membership]]:
    """Invitations that nobody took up in their time make room."""
    oldest = rules.oldest_invitation(tx.now)
    events: list[MembershipEvent] = []
    remaining: list[Membership] = []
    for each in desk.members:
        if each.state is not MembershipState.INVITED or each.created_at > oldest:
            remaining.append(each)
            continue
        after = rules.ended(each, _LAPSED, tx.now)
        await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
        events.append(event_of(MembershipEnded, each, after, desk.place))
    return events, remaining


def _member(desk: _Desk, member_id: UUID) -> Membership:
    """The member, whom the acting manager may change. Raises `NotFound`, `Forbidden` or `RepresentativeStays`."""
    member = next((each for each in desk.members if each.id == member_id), None)
    if member is None:
        raise NotFound("没有该企业人员。")
    rules.require_reach(member, desk.acting)
    return member


def _require_manager_left(desk: _Desk, before: Membership, after: Membership) -> None:
    if rules.manages_all(before):
        rules.require_manager_left([after if each.id == after.id else each for each in desk.members])


async def change_member(
    tx: Transaction, principal: Principal, member_id: UUID, order: MemberPlace
) -> Outcome[MemberStands]:
    """岗位或场所变更; sessions learn of it at their next refresh.

    Raises `NotFound`, `Forbidden`, `RepresentativeStays`, `InvalidField` or `LastManager`.
    """
    desk = await _desk(tx, principal)
    before = _member(desk, member_id)
    await _require_sites(tx, desk, order.site_ids)
    after = msgspec.structs.replace(before, post=order.post, site_ids=_distinct(order.site_ids))
    _require_manager_left(desk, before, after)
    if after == before:
        return Outcome(answer=_stands(before))
    await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
    if after.account_id is not None:
        await place_account(tx, after)
    return Outcome(answer=_stands(after), events=(event_of(MemberChanged, before, after, desk.place),))


async def remove_member(tx: Transaction, principal: Principal, member_id: UUID) -> Outcome[MemberStands]:
    """移除企业人员, or the invitation: what they signed in with ends.

    Raises `NotFound`, `Forbidden`, `RepresentativeStays` or `LastManager`.
    """
    desk = await _desk(tx, principal)
    before = _member(desk, member_id)
    after = rules.ended(before, _REMOVED, tx.now)
    _require_manager_left(desk, before, after)
    await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
    if after.account_id is not None:
        await shut_account(tx, after)
    return Outcome(answer=_stands(after), events=(event_of(MembershipEnded, before, after, desk.place),))


def _stands(member: Membership) -> MemberStands:
    return MemberStands(id=member.id, state=member.state, post=member.post, site_ids=member.site_ids)
