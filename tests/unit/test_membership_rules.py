"""Who enters for an enterprise, and what follows for their scope: rules of values (8.1, 8.5, ENT-01)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.identity.model import EnterprisePost, Principal, Role
from domain.membership import rules
from domain.membership.model import (
    Membership,
    MembershipBasis,
    MembershipChoice,
    MembershipState,
    StoredUser,
    UserType,
    ZhiguitongUser,
)
from domain.shared.errors import Forbidden, InvalidField

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
USCC = "91450100MA5K000016"
SITE, OTHER_SITE = uuid4(), uuid4()


def somebody(role: Role = Role.ENTERPRISE, **fields: Any) -> Principal:
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **fields)


def a_user(**fields: Any) -> ZhiguitongUser:
    given: dict[str, Any] = {
        "user_type": UserType.LEGAL_PERSON,
        "user_id_code": "code",
        "name": "某公司",
        "number": USCC,
        "representative": "韦大山",
        "representative_number": "450103190001010010",
    }
    return ZhiguitongUser(**(given | fields))


def a_membership(**fields: Any) -> Membership:
    given: dict[str, Any] = {
        "id": uuid4(),
        "enterprise_id": uuid4(),
        "account_id": uuid4(),
        "user_id": None,
        "basis": MembershipBasis.INVITATION,
        "state": MembershipState.ACTIVE,
        "post": EnterprisePost.MANAGER,
        "site_ids": None,
        "representative": None,
        "representative_index": None,
        "phone_index": b"index",
        "created_at": NOW,
    }
    return Membership(**(given | fields))


# Scope


@pytest.mark.parametrize(("site_ids", "may"), [(None, True), ((SITE,), True), ((OTHER_SITE,), False), ((), False)])
def test_a_branch_is_concerned_with_its_sites_only(site_ids: tuple[UUID, ...] | None, may: bool) -> None:
    assert rules.may_act_for_site(somebody(site_ids=site_ids), SITE) is may
    assert rules.acts_for_whole_enterprise(somebody(site_ids=site_ids)) is (site_ids is None)


def test_officials_have_another_scope() -> None:
    assert rules.may_act_for_site(somebody(Role.LEAD, site_ids=()), SITE)


def test_the_enterprise_itself_acts_for_its_own_sites() -> None:
    enterprise_id = uuid4()
    branch = somebody(enterprise_id=enterprise_id, site_ids=(SITE,))
    assert rules.acts_for(somebody(enterprise_id=enterprise_id), enterprise_id, SITE)
    assert rules.acts_for(branch, enterprise_id, SITE)
    assert not rules.acts_for(branch, enterprise_id, OTHER_SITE)
    assert not rules.acts_for(somebody(enterprise_id=uuid4()), enterprise_id, SITE)
    assert not rules.acts_for(somebody(Role.LEAD, enterprise_id=enterprise_id), enterprise_id, SITE)


@pytest.mark.parametrize("post", [EnterprisePost.CLERK, EnterprisePost.VIEWER, None])
def test_only_a_manager_manages(post: EnterprisePost | None) -> None:
    with pytest.raises(Forbidden):
        rules.require_manager(somebody(enterprise_id=uuid4(), enterprise_post=post))


def test_nobody_manages_no_enterprise() -> None:
    with pytest.raises(Forbidden):
        rules.require_manager(somebody(enterprise_post=EnterprisePost.MANAGER))


# Whom a token brings


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"is_frozen": True}, rules.IdentityFrozen),
        ({"user_type": UserType.PERSON, "level": None}, rules.AccountTypeInsufficient),
        ({"user_type": UserType.PERSON, "level": 0}, rules.AccountTypeInsufficient),
        ({"user_type": UserType.LEGAL_PERSON, "level": 0}, rules.AccountTypeInsufficient),
        ({"user_type": UserType.PERSON, "level": 1}, None),
        ({"user_type": UserType.PERSON, "level": 2}, None),
        ({"user_type": UserType.LEGAL_PERSON, "level": None}, None),
    ],
)
def test_who_is_frozen_or_not_verified_does_not_enter(fields: dict[str, Any], refusal: type[Exception] | None) -> None:
    if refusal is None:
        rules.require_sound(a_user(**fields))
        return
    with pytest.raises(refusal):
        rules.require_sound(a_user(**fields))


@pytest.mark.parametrize(
    ("registered", "told"),
    [("韦大山", "韦大山"), ("韦大山", " 韦 大山 "), ("阿不都·买买提", "阿不都•买买提"), ("Wei Ｄ", "wei d")],
)
def test_spelling_is_no_difference(registered: str, told: str) -> None:
    assert rules.is_same_name(registered, told)
    assert rules.require_representative(a_user(representative=told), registered) == registered


@pytest.mark.parametrize("registered", [None, "韦小山", "韦大", "大山韦"])
def test_another_name_is_a_mismatch_that_tells_nothing_of_the_register(registered: str | None) -> None:
    with pytest.raises(rules.ClaimMismatch) as refused:
        rules.require_representative(a_user(), registered)
    assert refused.value.field == "legal_representative"
    assert registered is None or registered not in refused.value.detail


def test_the_number_is_who_somebody_is() -> None:
    known = StoredUser(id=uuid4(), user_id_code="a", number_index=b"n", mobile_index=None, provider_time=None)
    other = msgspec.structs.replace(known, id=uuid4(), number_index=b"m")
    basic = msgspec.structs.replace(known, id=uuid4(), number_index=None)
    assert rules.known_user(known, other, b"n") is known
    assert rules.known_user(None, other, b"n") is None
    assert rules.known_user(None, basic, b"n") is basic
    assert rules.known_user(None, other, None) is other
    assert rules.known_user(None, None, b"n") is None


def a_choice(**fields: Any) -> MembershipChoice:
    given: dict[str, Any] = {
        "enterprise_id": uuid4(),
        "enterprise_name": "某公司",
        "uscc": USCC,
        "post": EnterprisePost.CLERK,
        "state": MembershipState.ACTIVE,
        "account_id": uuid4(),
        "basis": MembershipBasis.INVITATION,
        "representative_index": None,
    }
    return MembershipChoice(**(given | fields))


def test_a_choice_is_made_only_where_there_is_one() -> None:
    one, two = a_choice(), a_choice()
    assert rules.choose([one], UserType.PERSON, None, None) == ([one], one)
    assert rules.choose([one, two], UserType.PERSON, None, None) == ([one, two], None)
    assert rules.choose([one, two], UserType.PERSON, None, two.enterprise_id) == ([one, two], two)
    with pytest.raises(rules.NoEnterpriseYet):
        rules.choose([one], UserType.PERSON, None, two.enterprise_id)
    with pytest.raises(rules.NoEnterpriseYet):
        rules.choose([], UserType.PERSON, None, None)


def test_a_companys_account_enters_only_for_the_representative_who_was_accepted() -> None:
    own = a_choice(representative_index=b"wei")
    assert rules.choose([own], UserType.LEGAL_PERSON, b"wei", None)[1] is own
    for other in (b"huang", None):
        with pytest.raises(rules.NoEnterpriseYet):
            rules.choose([own], UserType.LEGAL_PERSON, other, None)
    with pytest.raises(rules.NoEnterpriseYet):
        rules.choose([a_choice(representative_index=None)], UserType.LEGAL_PERSON, None, None)


# The register


def test_a_claim_follows_the_register() -> None:
    claim = a_membership(basis=MembershipBasis.CLAIM, representative="韦大山")
    assert rules.reviewed(claim, "韦 大山", NOW) is claim
    for registered in ("黄新", None):
        doubted = rules.reviewed(claim, registered, NOW)
        assert (doubted.state, doubted.doubted_at) == (MembershipState.DOUBTED, NOW)
        assert doubted.post_in_force is EnterprisePost.VIEWER
        assert rules.reviewed(doubted, registered, NOW) is doubted
        assert rules.reviewed(doubted, "韦大山", NOW) == claim


# An enterprise's own people


def test_a_branchs_manager_reaches_its_own_people_alone() -> None:
    acting = a_membership(site_ids=(SITE,))
    rules.require_reach(a_membership(site_ids=(SITE,)), acting)
    for site_ids in (None, (OTHER_SITE,), (SITE, OTHER_SITE)):
        with pytest.raises(Forbidden):
            rules.require_reach(a_membership(site_ids=site_ids), acting)
        with pytest.raises(Forbidden):
            rules.require_own_sites(site_ids, {SITE, OTHER_SITE}, acting)
    with pytest.raises(InvalidField):
        rules.require_own_sites((uuid4(),), {SITE}, a_membership())


def test_a_representative_is_nobodys_to_change() -> None:
    with pytest.raises(rules.RepresentativeStays):
        rules.require_reach(a_membership(basis=MembershipBasis.CLAIM, representative="韦大山"), a_membership())


@pytest.mark.parametrize(
    "fields",
    [
        {"post": EnterprisePost.CLERK},
        {"site_ids": (SITE,)},
        {"state": MembershipState.DOUBTED},
        {"state": MembershipState.INVITED},
        {"state": MembershipState.ENDED},
    ],
)
def test_who_does_not_manage_the_whole_today_is_no_last_manager(fields: dict[str, Any]) -> None:
    with pytest.raises(rules.LastManager):
        rules.require_manager_left([a_membership(**fields)])
    rules.require_manager_left([a_membership(**fields), a_membership()])


def test_there_is_room_for_so_many() -> None:
    rules.require_room(199, 49)
    for members, today in ((200, 0), (0, 50)):
        with pytest.raises(rules.TooManyMembers):
            rules.require_room(members, today)
    assert rules.oldest_invitation(NOW) == NOW - timedelta(days=30)


@pytest.mark.parametrize("text", ["", "0771-5812345", "12345", "+1 212 555 0100"])
def test_only_a_mobile_can_be_invited(text: str) -> None:
    with pytest.raises(InvalidField):
        rules.require_mobile(text)


def test_a_landline_is_told_why() -> None:
    with pytest.raises(InvalidField, match="固定电话不能接收短信"):
        rules.require_mobile("0771-5812345")


def test_a_mobile_is_kept_bare() -> None:
    assert rules.require_mobile(" +86 138-0000-5678 ") == "13800005678"
