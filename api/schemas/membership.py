"""Who acts for an enterprise, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.schemas.identity import SessionTokensAnswer
from codes.phone import mask_phone
from domain.identity.model import EnterprisePost
from domain.membership.model import (
    EnterpriseOption,
    MemberRow,
    MembershipBasis,
    MembershipState,
)
from domain.membership.people import NAME_LABEL, PHONE_LABEL
from domain.shared.vault import Vault

Token = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class ZhiguitongLogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token that 智桂通 gave the page; `enterprise_id` chooses among several enterprises."""

    token: Token
    enterprise_id: UUID | None = None


class ZhiguitongLogInAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The session, or, where there are several enterprises and none was chosen, what to choose from."""

    session: SessionTokensAnswer | None
    enterprises: list[EnterpriseOption]


class EnterpriseClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """企业认领: the token of the legal person's account, and the credit code of what is claimed."""

    token: Token
    uscc: Annotated[str, msgspec.Meta(min_length=15, max_length=40)]


class EnterpriseClaimAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The enterprise, and a session for it."""

    membership_id: UUID
    enterprise: EnterpriseOption
    session: SessionTokensAnswer


class MemberLine(msgspec.Struct, frozen=True, kw_only=True):
    """企业人员 as the enterprise's manager sees them."""

    id: UUID
    name: str
    phone: str | None
    post: EnterprisePost
    post_label: str
    site_ids: tuple[UUID, ...] | None
    basis: MembershipBasis
    state: MembershipState
    state_label: str
    created_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None


class MemberPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some members, and the cursor of the next; no cursor means the end."""

    items: list[MemberLine]
    next_cursor: str | None


def to_line(row: MemberRow, vault: Vault) -> MemberLine:
    """A member with their name; of the phone only what tells it from others."""
    name = row.representative or row.account_name or ""
    return MemberLine(
        id=row.id,
        name=name if row.name_sealed is None else vault.open(NAME_LABEL, row.name_sealed),
        phone=None if row.phone_sealed is None else mask_phone(vault.open(PHONE_LABEL, row.phone_sealed)),
        post=row.post,
        post_label=row.post.label,
        site_ids=row.site_ids,
        basis=row.basis,
        state=row.state,
        state_label=row.state.label,
        created_at=row.created_at,
        joined_at=row.joined_at,
        ended_at=row.ended_at,
    )
