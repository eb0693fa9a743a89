"""The account that a membership stands behind: it carries post and sites down to where sessions are made."""

from __future__ import annotations

from typing import Final, cast
from uuid import UUID

from domain.identity import store as identity
from domain.identity.model import Role
from domain.membership.model import Membership
from domain.shared.transaction import Transaction

_NO_PASSWORD = "!"  # noqa: S105 - no hash: no password is the right one
LOGIN_PREFIX: Final = "zhiguitong:"
"""Before the account's id: no name that anybody types."""


async def make_account(tx: Transaction, member: Membership, name: str) -> None:
    """The account of `member`, without a password: its owner enters by the identity provider alone."""
    account_id = cast("UUID", member.account_id)
    await identity.INSERT_ACCOUNT.run(
        tx.connection,
        id=account_id,
        login=LOGIN_PREFIX + account_id.hex,
        name=name,
        role=Role.ENTERPRISE,
        post=member.post.label,
        password_hash=_NO_PASSWORD,
        department_id=None,
        region=None,
        officer_id=None,
        enterprise_id=member.enterprise_id,
        enterprise_post=member.post_in_force,
        site_ids=member.site_ids,
        disabled_at=None,
        created_at=tx.now,
    )


async def place_account(tx: Transaction, member: Membership, name: str | None = None) -> None:
    """Post and sites as the membership has them; sessions learn of it when they are refreshed."""
    await identity.PLACE_ENTERPRISE_ACCOUNT.run(
        tx.connection,
        account_id=member.account_id,
        name=name,
        post=member.post.label,
        enterprise_post=member.post_in_force,
        site_ids=member.site_ids,
    )


async def reopen_account(tx: Transaction, member: Membership, name: str) -> None:
    """The account that somebody had here before, for the membership they have now."""
    await place_account(tx, member, name)
    await identity.SET_ACCOUNT_DISABLED.run(tx.connection, account_id=member.account_id, disabled_at=None)


async def shut_account(tx: Transaction, member: Membership) -> None:
    """Nobody enters by it any more; what was signed in ends at its next refresh, 15 minutes from now at most."""
    await identity.SET_ACCOUNT_DISABLED.run(tx.connection, account_id=member.account_id, disabled_at=tx.now)
    await identity.END_SESSIONS_OF_ACCOUNT.run(
        tx.connection, of_account=member.account_id, now=tx.now, reason="membership ended"
    )
