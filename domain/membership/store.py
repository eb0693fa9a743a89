"""Statements on who acts for an enterprise."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import account
from domain.membership.model import MemberRow, Membership, MembershipChoice, StoredUser
from domain.membership.tables import membership, provider_user
from domain.shared.sql import Command, Query, uuid_list

_IN_FORCE: Final = ("active", "doubted")
_NOT_ENDED: Final = ("invited", "active", "doubted")


def _states(states: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Written out, so that the partial indexes serve."""
    return membership.c.state.in_([sa.literal_column(f"'{state}'") for state in states])


def within_sites(site_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """Whether a row's site is one that the caller of an enterprise acts for: `site_ids` None is every site.

    For lists of other rooms, as `may_act_for_site` is for one row.
    """
    site_ids = uuid_list("site_ids")
    return sa.or_(site_ids.is_(None), site_id == sa.any_(site_ids))


# ---- 智桂通用户

_user_columns = [provider_user.c[name] for name in StoredUser.__struct_fields__]
LOCK_USER_BY_NUMBER = Query(
    sa.select(*_user_columns)
    .where(
        provider_user.c.user_type == sa.bindparam("user_type"),
        provider_user.c.number_index == sa.bindparam("number_index"),
    )
    .with_for_update(),
    StoredUser,
)
LOCK_USER_BY_CODE = Query(
    sa.select(*_user_columns)
    .where(
        provider_user.c.user_type == sa.bindparam("user_type"),
        provider_user.c.user_id_code == sa.bindparam("user_id_code"),
    )
    .with_for_update(),
    StoredUser,
)
INSERT_USER = Command(upsert(provider_user).on_conflict_do_nothing())
UPDATE_USER = Command(
    sa.update(provider_user)
    .where(provider_user.c.id == sa.bindparam("of_user"))
    .values(
        {
            name: sa.bindparam(name, type_=provider_user.c[name].type)
            for name in (
                "user_id_code",
                "number_sealed",
                "number_index",
                "name_sealed",
                "mobile_sealed",
                "mobile_index",
                "provider_time",
                "updated_at",
            )
        }
    )
)
FORGET_USER_CODE = Command(
    sa.update(provider_user).where(provider_user.c.id == sa.bindparam("of_user")).values(user_id_code=None)
)

# ---- 企业人员

_columns = [membership.c[name] for name in Membership.__struct_fields__]

INSERT_MEMBERSHIP = Command(sa.insert(membership))

LOCK_OF_ENTERPRISE = Query(
    sa.select(*_columns)
    .where(membership.c.enterprise_id == sa.bindparam("enterprise_id"), _states(_NOT_ENDED))
    .order_by(membership.c.id)
    .with_for_update(),
    Membership,
)
"""Bounded by `MembershipPolicy.most_members`; in one order, so that two managers at once wait for each other."""

LOCK_INVITATIONS_OF_PHONE = Query(
    sa.select(*_columns)
    .where(
        membership.c.phone_index == sa.bindparam("phone_index"),
        membership.c.state == sa.literal_column("'invited'"),
        membership.c.created_at > sa.bindparam("since"),
    )
    .order_by(membership.c.id)
    .limit(100)
    .with_for_update(),
    Membership,
)

LAST_OF_USER = Query(
    sa.select(*_columns)
    .where(
        membership.c.user_id == sa.bindparam("user_id"),
        membership.c.enterprise_id == sa.bindparam("enterprise_id"),
        membership.c.account_id.is_not(None),
    )
    .order_by(membership.c.state == "ended", membership.c.id.desc())
    .limit(1),
    Membership,
)
"""The one in force, else the newest: who was invited by two numbers may have joined by the older invitation."""

CHOICES_OF_USER = Query(
    sa.select(
        membership.c.enterprise_id,
        enterprise.c.name.label("enterprise_name"),
        enterprise.c.uscc,
        membership.c.post,
        membership.c.state,
        membership.c.account_id,
        membership.c.basis,
        membership.c.representative_index,
    )
    .select_from(membership.join(enterprise, enterprise.c.id == membership.c.enterprise_id))
    .where(membership.c.user_id == sa.bindparam("user_id"), _states(_IN_FORCE))
    .order_by(enterprise.c.name, membership.c.id)
    .limit(100),
    MembershipChoice,
)

_CHANGING: Final = (
    "state",
    "post",
    "site_ids",
    "account_id",
    "user_id",
    "joined_at",
    "doubted_at",
    "ended_at",
    "end_reason",
)
CHANGE_MEMBERSHIP = Command(
    sa.update(membership)
    .where(membership.c.id == sa.bindparam("membership_id"))
    .values({name: sa.bindparam(name, type_=membership.c[name].type) for name in _CHANGING})
)


def changes(after: Membership) -> dict[str, object]:
    """The arguments of `CHANGE_MEMBERSHIP`."""
    return {"membership_id": after.id, **{name: getattr(after, name) for name in _CHANGING}}


class MembershipId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


INVITED_SINCE = Query(
    sa.select(membership.c.id)
    .where(
        membership.c.enterprise_id == sa.bindparam("enterprise_id"),
        membership.c.basis == sa.literal_column("'invitation'"),
        membership.c.created_at > sa.bindparam("since"),
    )
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    MembershipId,
)

_within = uuid_list("within")
_of_others = {"account_name": account.c.name}
MEMBERS = Query(
    sa.select(*[(_of_others[n] if n in _of_others else membership.c[n]).label(n) for n in MemberRow.__struct_fields__])
    .select_from(membership.outerjoin(account, account.c.id == membership.c.account_id))
    .where(
        membership.c.enterprise_id == sa.bindparam("enterprise_id"),
        membership.c.id > sa.bindparam("after_id"),
        sa.or_(sa.bindparam("with_ended", type_=sa.Boolean), _states(_NOT_ENDED)),
        sa.or_(_within.is_(None), membership.c.site_ids.bool_op("<@")(_within)),
    )
    .order_by(membership.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    MemberRow,
)
"""企业人员 in the order in which they came; `within` are the sites of the branch whose manager asks."""

# ---- the enterprise as the register has it


class RegisteredEnterprise(msgspec.Struct, frozen=True, kw_only=True):
    """监管对象, as much as a claim reads of it."""

    id: UUID
    uscc: str
    name: str
    legal_representative: str | None


LOCK_REGISTERED = Query(
    sa.select(*[enterprise.c[name] for name in RegisteredEnterprise.__struct_fields__])
    .where(enterprise.c.uscc == sa.bindparam("uscc"))
    .with_for_update(key_share=True),
    RegisteredEnterprise,
)
"""Locked, so that of two claims at once the second sees what the first made."""


class ReviewedClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim whose representative is not, or was not, the register's."""

    membership_id: UUID
    registered: str | None


CLAIMS_TO_REVIEW = Query(
    sa.select(membership.c.id.label("membership_id"), enterprise.c.legal_representative.label("registered"))
    .select_from(enterprise.join(membership, membership.c.enterprise_id == enterprise.c.id))
    .where(
        enterprise.c.uscc == sa.any_(sa.bindparam("usccs", type_=sa.ARRAY(sa.Text))),
        membership.c.basis == sa.literal_column("'claim'"),
        _states(_IN_FORCE),
        sa.or_(
            membership.c.state == "doubted",
            membership.c.representative.is_distinct_from(enterprise.c.legal_representative),
        ),
    )
    .order_by(membership.c.id),
    ReviewedClaim,
)
LOCK_MEMBERSHIPS = Query(
    sa.select(*_columns)
    .where(membership.c.id == sa.any_(uuid_list("ids")))
    .order_by(membership.c.id)
    .with_for_update(),
    Membership,
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the enterprise stands, by its main site: who may see live what its people do."""

    enterprise_id: UUID
    enterprise_name: str
    region: str | None
    regulator_id: UUID | None


PLACES = Query(
    sa.select(
        enterprise.c.id.label("enterprise_id"),
        enterprise.c.name.label("enterprise_name"),
        site.c.region,
        site.c.regulator_id,
    )
    .select_from(enterprise.outerjoin(site, sa.and_(site.c.enterprise_id == enterprise.c.id, site.c.is_main)))
    .where(enterprise.c.id == sa.any_(uuid_list("enterprise_ids"))),
    Place,
)


class SiteId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


OWN_SITES = Query(
    sa.select(site.c.id).where(
        site.c.enterprise_id == sa.bindparam("enterprise_id"), site.c.id == sa.any_(uuid_list("site_ids"))
    ),
    SiteId,
)
