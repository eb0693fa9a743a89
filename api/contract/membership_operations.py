"""Operations of who acts for an enterprise: log-in by 智桂通, claims, the enterprise's own people."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Refusals, Told
from api.identity_port import IdentityProviderAway, IdentityTokenInvalid
from api.work import Accepted, DatabaseAway, InProgress
from domain.identity.rules import LogInRefused
from domain.membership import rules
from domain.membership.model import MemberStands
from domain.shared.errors import Conflict, Forbidden, InvalidField, NotFound

_BY_TOKEN: Refusals = (
    IdentityTokenInvalid,
    IdentityProviderAway,
    LogInRefused,
    rules.IdentityFrozen,
    rules.AccountTypeInsufficient,
    InvalidField,
    InProgress,
    Conflict,
    DatabaseAway,
)
_OWN_PEOPLE: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)

MEMBERSHIP_OPERATIONS: Mapping[str, Told] = {
    "logInByZhiguitong": Told(refuses=(*_BY_TOKEN, rules.NoEnterpriseYet)),
    "claimEnterprise": Told(refuses=(*_BY_TOKEN, NotFound, rules.ClaimMismatch)),
    "listEnterpriseMembers": Told(refuses=(Forbidden, InvalidField, DatabaseAway)),
    "inviteEnterpriseMember": Told(
        result=Accepted[MemberStands], refuses=(*_OWN_PEOPLE, rules.MemberAlreadyThere, rules.TooManyMembers)
    ),
    "changeEnterpriseMember": Told(
        result=Accepted[MemberStands], refuses=(*_OWN_PEOPLE, rules.RepresentativeStays, rules.LastManager)
    ),
    "removeEnterpriseMember": Told(
        result=Accepted[MemberStands], refuses=(*_OWN_PEOPLE, rules.RepresentativeStays, rules.LastManager)
    ),
}
