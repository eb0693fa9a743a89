"""What a person or a program needs to try the demonstration: `var/demo.json`, and the same on the terminal.

The file is the only place where the demonstration's passwords stand in clear. Everything else in it is read
from the database at each start, so that it stays true after a code was replaced or the address changed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from sqlalchemy.dialects.postgresql import distinct_on

from api.demo.identities import IdentityFacts, demo_identities
from api.demo.load import ACCOUNTS, DemoAccounts, load_demo, renew_passwords
from api.wiring import Parts
from codes.qr import qr_terminal
from codes.token import code_url, issue_token
from domain.enterprise.tables import enterprise, site, site_code
from domain.identity.passwords import verify_password
from domain.identity.store import ACCOUNT_BY_LOGIN
from domain.identity.tables import account
from domain.inspection.tables import inspection, inspection_officer
from domain.membership.accounts import LOGIN_PREFIX
from domain.shared.sql import Query

_MOST_SITES: Final = 1000


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is what is typed to log in."""

    login: str
    name: str
    password: str


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Degrees, WGS-84."""

    longitude: float
    latitude: float


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A site, its code as printed and as this machine reaches it, and the inspector account's work there.

    `code_url` and `scan_url` are the same address, which opens; `printed_url` is what stands on the sticker.
    """

    uscc: str
    name: str
    site_id: UUID
    site_name: str
    token: str
    code_url: str
    scan_url: str
    printed_url: str
    position: Position | None = None
    inspection_id: UUID | None = None
    due_on: date | None = None
    account: str | None = None


class DemoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of `var/demo.json`; accounts by role. The sites that are due today come first;
    `account` names who runs one, where a log-in does.
    """

    base_url: str
    accounts: dict[str, AccountFacts]
    sites: list[SiteFacts]
    zhiguitong: dict[str, IdentityFacts] = {}


class _SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    uscc: str
    name: str
    site_id: UUID
    site_name: str
    longitude: float | None
    latitude: float | None
    code_id: bytes
    key_version: int
    inspection_id: UUID | None
    due_on: date | None
    account: str | None


_orders = (
    sa.select(inspection.c.id, inspection.c.site_id, inspection.c.due_on)
    .select_from(inspection.join(inspection_officer, inspection_officer.c.inspection_id == inspection.c.id))
    .where(
        inspection_officer.c.officer_id == sa.bindparam("officer_id", type_=sa.Uuid),
        inspection.c.state == "pending",
        inspection.c.approved_at.is_not(None),
        inspection.c.starts_on <= sa.bindparam("today", type_=sa.Date),
    )
    .ext(distinct_on(inspection.c.site_id))
    .order_by(inspection.c.site_id, inspection.c.due_on)
    .subquery("orders")
)
_SITES = Query(
    sa.select(
        enterprise.c.uscc,
        enterprise.c.name,
        site.c.id.label("site_id"),
        site.c.name.label("site_name"),
        site.c.longitude,
        site.c.latitude,
        site_code.c.code_id,
        site_code.c.key_version,
        _orders.c.id.label("inspection_id"),
        _orders.c.due_on,
        account.c.login.label("account"),
    )
    .select_from(
        site.join(enterprise, enterprise.c.id == site.c.enterprise_id)
        .join(site_code, sa.and_(site_code.c.site_id == site.c.id, site_code.c.state == "issued"))
        .outerjoin(_orders, _orders.c.site_id == site.c.id)
        .outerjoin(
            account,
            sa.and_(account.c.enterprise_id == enterprise.c.id, ~account.c.login.startswith(LOGIN_PREFIX)),
        )
    )
    .order_by(
        sa.func.coalesce(_orders.c.due_on == sa.bindparam("today", type_=sa.Date), sa.false()).desc(),
        _orders.c.due_on.nulls_last(),
        site.c.id,
    )
    .limit(_MOST_SITES),
    _SiteRow,
)


async def prepare_demo(parts: Parts, path: Path, *, base_url: str, public_url: str, today: date) -> DemoFacts:
    """The demonstration and its file `path`, ready for use: all that `yima serve --demo` asks for.

    A file that is missing, or holds the passwords of another database, gets new ones: they stand nowhere else.
    """
    accounts = await load_demo(parts, public_url=public_url, today=today)
    if not accounts.created:
        kept = _kept_passwords(path)
        if await _still_open(parts, kept):
            accounts = DemoAccounts(created=False, passwords=kept)
        else:
            accounts = await renew_passwords(parts)
    sites = await demo_sites(parts, base_url=base_url, public_url=public_url, today=today)
    return write_demo_facts(path, base_url, accounts, sites, await demo_identities(parts))


async def demo_sites(parts: Parts, *, base_url: str, public_url: str, today: date) -> list[SiteFacts]:
    """Every site with a valid code: first those where the inspector account's work is due today."""
    async with parts.work.reading() as connection:
        inspector = await ACCOUNT_BY_LOGIN.one(connection, login=ACCOUNTS[0].name)
        rows = await _SITES.all(connection, officer_id=inspector.officer_id, today=today)
    return [
        _site_facts(row, issue_token(parts.code_keys, row.code_id, row.key_version), base_url, public_url)
        for row in rows
        if parts.code_keys.verifies(row.key_version)
    ]


def _site_facts(row: _SiteRow, token: str, base_url: str, public_url: str) -> SiteFacts:
    reachable = f"{base_url}/c/{token}"
    position = None
    if row.longitude is not None and row.latitude is not None:
        position = Position(longitude=row.longitude, latitude=row.latitude)
    return SiteFacts(
        uscc=row.uscc,
        name=row.name,
        site_id=row.site_id,
        site_name=row.site_name,
        token=token,
        code_url=reachable,
        scan_url=reachable,
        printed_url=code_url(public_url, token),
        position=position,
        inspection_id=row.inspection_id,
        due_on=row.due_on,
        account=row.account,
    )


def write_demo_facts(
    path: Path,
    base_url: str,
    accounts: DemoAccounts,
    sites: Sequence[SiteFacts],
    identities: Mapping[str, IdentityFacts] | None = None,
) -> DemoFacts:
    """Write `path` (0600, whole or not at all); an unchanged file is not touched."""
    facts = DemoFacts(
        base_url=base_url,
        accounts={
            each.key: AccountFacts(login=each.name, name=each.name, password=accounts.passwords[each.key])
            for each in ACCOUNTS
        },
        sites=list(sites),
        zhiguitong=dict(identities or {}),
    )
    content = msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        beside.replace(path)
    return facts


def print_demo(facts: DemoFacts, console: Console) -> None:
    """The address, the accounts, and a code that a phone can scan off the terminal."""
    console.print(f"\n[bold]一码[/bold] 演示已就绪：[link]{facts.base_url}[/link]\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("角色", "用户名", "密码"):
        table.add_column(heading)
    for who in ACCOUNTS:
        entry = facts.accounts[who.key]
        table.add_row(who.role.label, entry.name, entry.password)
    console.print(table)
    if facts.sites:
        first = facts.sites[0]
        console.print(f"\n{first.name}（{first.uscc}）的企业码：\n{first.scan_url}", soft_wrap=True, highlight=False)
        # The picture brings its own colours; rich would wrap and restyle it.
        console.file.write(qr_terminal(code_url(facts.base_url, first.token)))
        console.file.flush()


def read_demo_facts(path: Path) -> DemoFacts | None:
    """What `path` holds; None when it is missing or unreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoFacts)
    except (OSError, msgspec.MsgspecError):
        return None


def _kept_passwords(path: Path) -> Mapping[str, str]:
    """The passwords that `path` holds; empty when it is missing, unreadable, or lacks one."""
    facts = read_demo_facts(path)
    if facts is None:
        return {}
    kept = {key: entry.password for key, entry in facts.accounts.items()}
    return kept if {each.key for each in ACCOUNTS} <= kept.keys() else {}


async def _still_open(parts: Parts, passwords: Mapping[str, str]) -> bool:
    """Whether they are the passwords of this database; one is tried, for all were written together."""
    if not passwords:
        return False
    first = ACCOUNTS[0]
    async with parts.work.reading() as connection:
        stored = await ACCOUNT_BY_LOGIN.one(connection, login=first.name)
    return await asyncio.to_thread(verify_password, stored.password_hash, passwords[first.key])
