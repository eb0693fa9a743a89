"""Who enters for an enterprise: log-in by 智桂通, 企业认领, and what a change of the 法定代表人 does to a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from codes.person_name import mask_name
from domain.identity import store as identity
from domain.identity.model import EnterprisePost
from domain.membership import rules, store
from domain.membership.accounts import make_account, place_account, reopen_account, shut_account
from domain.membership.events import (
    EnterpriseClaimed,
    MemberJoined,
    MembershipConfirmed,
    MembershipDoubted,
    MembershipEnded,
    MembershipEvent,
    event_of,
)
from domain.membership.model import (
    Claimed,
    EnterpriseOption,
    Membership,
    MembershipBasis,
    MembershipChoice,
    MembershipState,
    Recognised,
    UserType,
    ZhiguitongUser,
)
from domain.membership.people import keep_user, phone_index, representative_index
from domain.shared.errors import NotFound
from domain.shared.transaction import Outcome, Transaction

_OVERTAKEN = "法定代表人变更"
_JOINED_BEFORE = "已是该企业人员"


async def recognise(tx: Transaction, user: ZhiguitongUser, enterprise_id: UUID | None) -> Outcome[Recognised]:
    """Whom the token brought, after they took up what they were invited to.

    Raises `IdentityFrozen`, `AccountTypeInsufficient` or `NoEnterpriseYet`; then nothing is kept of them.
    """
    rules.require_sound(user)
    user_id = await keep_user(tx, user)
    events = await _take_up_invitations(tx, user, user_id)
    found = await store.CHOICES_OF_USER.all(tx.connection, user_id=user_id)
    representative = representative_index(tx.vault, user.representative_number)
    own, meant = rules.choose(found, user.user_type, representative, enterprise_id)
    account = None if meant is None else await identity.ACCOUNT_BY_ID.one(tx.connection, id=meant.account_id)
    answer = Recognised(enterprises=[_option(each) for each in own], account=account)
    return Outcome(answer=answer, events=tuple(events))


def _option(choice: MembershipChoice) -> EnterpriseOption:
    return EnterpriseOption(**{name: getattr(choice, name) for name in EnterpriseOption.__struct_fields__})


async def _take_up_invitations(tx: Transaction, user: ZhiguitongUser, user_id: UUID) -> list[MembershipEvent]:
    index = phone_index(tx.vault, user.mobile)
    if user.user_type is not UserType.PERSON or index is None:
        return []
    waiting = await store.LOCK_INVITATIONS_OF_PHONE.all(
        tx.connection, phone_index=index, since=rules.oldest_invitation(tx.now)
    )
    if not waiting:
        return []
    places = await _places(tx, [each.enterprise_id for each in waiting])
    return [await _take_up(tx, user, user_id, each, places[each.enterprise_id]) for each in waiting]


async def _take_up(
    tx: Transaction, user: ZhiguitongUser, user_id: UUID, invitation: Membership, place: store.Place
) -> MembershipEvent:
    """加入: under the account they had with that enterprise before, if any."""
    last = await store.LAST_OF_USER.first(tx.connection, user_id=user_id, enterprise_id=invitation.enterprise_id)
    if last is not None and last.state is not MembershipState.ENDED:
        after = rules.ended(invitation, _JOINED_BEFORE, tx.now)
        await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
        return event_of(MembershipEnded, invitation, after, place)
    account_id = None if last is None else last.account_id
    after = rules.joined(invitation, user_id, account_id or tx.new_id(), tx.now)
    # The trace names who acts by the account's name: of somebody invited it is no more than the family name.
    name = mask_name(user.name)
    if last is None:
        await make_account(tx, after, name)
    else:
        await reopen_account(tx, after, name)
    await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
    return event_of(MemberJoined, invitation, after, place)


async def _places(tx: Transaction, enterprise_ids: Sequence[UUID]) -> dict[UUID, store.Place]:
    found = await store.PLACES.all(tx.connection, enterprise_ids=list(enterprise_ids))
    return {each.enterprise_id: each for each in found}


# ---- 企业认领


async def claim_enterprise(tx: Transaction, user: ZhiguitongUser, uscc: str) -> Outcome[Claimed]:
    """企业认领: who the register calls 法定代表人 manages the enterprise at once; a former one does so no longer.

    Claiming again changes nothing. Raises `IdentityFrozen`, `AccountTypeInsufficient`, `ClaimMismatch` or `NotFound`.
    """
    rules.require_sound(user)
    rules.require_claimant(user, uscc)
    registered = await store.LOCK_REGISTERED.first(tx.connection, uscc=rules.compact_number(uscc))
    if registered is None:
        raise NotFound("登记信息中没有该企业，请核对统一社会信用代码，或向监管部门反映。", field="uscc")
    name = rules.require_representative(user, registered.legal_representative)
    user_id = await keep_user(tx, user)
    index = representative_index(tx.vault, user.representative_number)
    members = await store.LOCK_OF_ENTERPRISE.all(tx.connection, enterprise_id=registered.id)
    claims = [each for each in members if each.basis is MembershipBasis.CLAIM]
    own = next((each for each in claims if each.user_id == user_id and each.representative_index == index), None)
    place = (await _places(tx, [registered.id]))[registered.id]
    events = [await _overtake(tx, each, place) for each in claims if each is not own]
    claim, event = await _claim(tx, own, user_id, index, registered, place, name)
    account = await identity.ACCOUNT_BY_ID.one(tx.connection, id=claim.account_id)
    answer = Claimed(membership_id=claim.id, enterprise=_claimed(claim, registered), account=account)
    return Outcome(answer=answer, events=(*events, *([] if event is None else [event])))


def _claimed(claim: Membership, registered: store.RegisteredEnterprise) -> EnterpriseOption:
    return EnterpriseOption(
        enterprise_id=registered.id,
        enterprise_name=registered.name,
        uscc=registered.uscc,
        post=claim.post,
        state=claim.state,
    )


async def _overtake(tx: Transaction, former: Membership, place: store.Place) -> MembershipEvent:
    after = rules.ended(former, _OVERTAKEN, tx.now)
    await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
    await shut_account(tx, after)
    return event_of(MembershipEnded, former, after, place)


async def _claim(
    tx: Transaction,
    own: Membership | None,
    user_id: UUID,
    index: bytes | None,
    registered: store.RegisteredEnterprise,
    place: store.Place,
    representative: str,
) -> tuple[Membership, MembershipEvent | None]:
    """The claim in force: the one there was, restored if it was 待核, or a new one with an account of its own."""
    if own is not None:
        if own.state is MembershipState.ACTIVE:
            return own, None
        after = rules.reviewed(own, representative, tx.now)
        await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
        await place_account(tx, after, representative)
        return after, event_of(MembershipConfirmed, own, after, place)
    claim = Membership(
        id=tx.new_id(),
        enterprise_id=registered.id,
        account_id=tx.new_id(),
        user_id=user_id,
        basis=MembershipBasis.CLAIM,
        state=MembershipState.ACTIVE,
        post=EnterprisePost.MANAGER,
        site_ids=None,
        representative=representative,
        representative_index=index,
        phone_index=None,
        created_at=tx.now,
        joined_at=tx.now,
    )
    await make_account(tx, claim, representative)
    await store.INSERT_MEMBERSHIP.run(
        tx.connection, **msgspec.structs.asdict(claim), name_sealed=None, phone_sealed=None, invited_by=None
    )
    return claim, event_of(EnterpriseClaimed, None, claim, place)


async def enrol_managers(tx: Transaction, accounts: Mapping[UUID, UUID]) -> None:
    """企业管理员 whose accounts (keys) an installation sets up for enterprises (values)."""
    rows = [
        msgspec.structs.asdict(
            Membership(
                id=tx.new_id(),
                enterprise_id=enterprise_id,
                account_id=account_id,
                user_id=None,
                basis=MembershipBasis.INSTALLATION,
                state=MembershipState.ACTIVE,
                post=EnterprisePost.MANAGER,
                site_ids=None,
                representative=None,
                representative_index=None,
                phone_index=None,
                created_at=tx.now,
                joined_at=tx.now,
            )
        )
        for account_id, enterprise_id in accounts.items()
    ]
    nobody = {"name_sealed": None, "phone_sealed": None, "invited_by": None}
    await store.INSERT_MEMBERSHIP.run_many(tx.connection, [row | nobody for row in rows])


async def review_claims(tx: Transaction, usccs: Sequence[str]) -> list[MembershipEvent]:
    """认领复核 after the register said something new of these enterprises; gives the events.

    A claim whose representative the register names no longer is 待核: it reads and no more, until the register or a
    new claim decides.
    """
    differing = await store.CLAIMS_TO_REVIEW.all(tx.connection, usccs=list(usccs))
    if not differing:
        return []
    registered = {each.membership_id: each.registered for each in differing}
    locked = await store.LOCK_MEMBERSHIPS.all(tx.connection, ids=list(registered))
    places = await _places(tx, [each.enterprise_id for each in locked])
    events: list[MembershipEvent] = []
    for before in locked:
        if before.state is MembershipState.ENDED:
            continue
        after = rules.reviewed(before, registered[before.id], tx.now)
        if after is before:
            continue
        await store.CHANGE_MEMBERSHIP.run(tx.connection, **store.changes(after))
        await place_account(tx, after, before.representative or "")
        kind = MembershipDoubted if after.state is MembershipState.DOUBTED else MembershipConfirmed
        events.append(event_of(kind, before, after, places[before.enterprise_id]))
    return events
