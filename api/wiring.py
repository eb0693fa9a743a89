"""Builds the real parts out of the settings: keys, pool, vault, tokens, passwords, work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import cast

import asyncpg
import msgspec
import sqlalchemy as sa

from api.reactions import Reactions
from api.settings import EMBARGO_WORKING_DAYS, PUBLIC_URL
from api.work import Work
from api.working_calendar import follow_calendar, refresh_calendar
from codes.token import TokenKeys
from domain.complaint.ports import ConsumerComplaintGateway, LinkOnlyGateway
from domain.evidence.blobs import Blobs
from domain.evidence.darkroom import Darkroom
from domain.evidence.model import BlobPlace
from domain.evidence.ports import ClamScanner, NoScanner, Scanner
from domain.evidence.sealing import Sealer
from domain.identity.tokens import SessionTokens
from domain.shared.clock import Clock, system_clock
from domain.shared.keys import (
    KeyPurpose,
    KeyRing,
    KeysMissing,
    KeyState,
    KeyVersion,
    first_version,
    make_root_key,
    next_version,
    read_root_key,
)
from domain.shared.random import Random, system_random
from domain.shared.sql import Command, Connection, Pool, Query, open_pool
from domain.shared.tables import key_version
from domain.shared.trace import TraceSeal
from domain.shared.vault import Vault
from domain.visitor.challenges import Challenges
from domain.visitor.passes import Passes

APP_ROLE = "yima_app"
RELAY_ROLE = "yima_relay"

_LAST_CODE_KEY = 15
_ALL_KEYS = Query(sa.select(*[key_version.c[name] for name in KeyVersion.__struct_fields__]), KeyVersion)
_INSERT_KEY = Command(
    sa.insert(key_version).values({name: sa.bindparam(name) for name in (*KeyVersion.__struct_fields__, "created_at")})
)
_STOP_SEALING = Command(
    sa.update(key_version)
    .where(key_version.c.purpose == sa.bindparam("of_purpose"), key_version.c.state == KeyState.CURRENT.value)
    .values(state=KeyState.VERIFYING.value)
)


class NoKeyIdLeft(Exception):
    """The code's keys cannot be rolled once more."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What routes, jobs and commands are built of."""

    work: Work
    pool: Pool
    keys: KeyRing
    vault: Vault
    seal: TraceSeal
    session_tokens: SessionTokens
    passes: Passes
    challenges: Challenges
    code_keys: TokenKeys
    badge_keys: TokenKeys
    blobs: Blobs
    darkroom: Darkroom
    scanner: Scanner
    clock: Clock
    random: Random
    public_url: str
    consumer_complaints: ConsumerComplaintGateway = LinkOnlyGateway()


async def load_keys(connection: Connection, folder: Path, *, now: datetime, random: Random) -> KeyRing:
    """The key ring of this database, made on the very first start and never again.

    Raises `KeysMissing` when the database expects keys that `folder` does not hold, and `WrongKeys` when it holds
    others: making new ones would void every code at every door.
    """
    versions = await _ALL_KEYS.all(connection)
    if versions:
        return await _with_new_purposes(connection, _root_of(folder), versions, now)
    try:
        root = read_root_key(folder)
    except KeysMissing:
        root = make_root_key(folder, random)
    versions = [first_version(root, purpose) for purpose in KeyPurpose]
    await _INSERT_KEY.run_many(
        connection, [{**msgspec.structs.asdict(version), "created_at": now} for version in versions]
    )
    return KeyRing(root, versions)


async def _with_new_purposes(connection: Connection, root: bytes, versions: list[KeyVersion], now: datetime) -> KeyRing:
    """The ring of a database made before some purpose existed: the checked root gives that purpose its first key."""
    KeyRing(root, versions)
    known = {version.purpose for version in versions}
    added = [first_version(root, purpose) for purpose in KeyPurpose if purpose not in known]
    if added:
        await _INSERT_KEY.run_many(
            connection, [{**msgspec.structs.asdict(version), "created_at": now} for version in added]
        )
    return KeyRing(root, [*versions, *added])


def _root_of(folder: Path) -> bytes:
    try:
        return read_root_key(folder)
    except KeysMissing as missing:
        raise KeysMissing(
            f"This database was made with keys that are not in {folder}. Put root.key back; a new one would void "
            "every code already at a door, so none is made."
        ) from missing


async def roll_key(connection: Connection, folder: Path, purpose: KeyPurpose, *, now: datetime) -> KeyVersion:
    """A new current version of the key of `purpose`; what older versions sealed still opens.

    Raises `NoKeyIdLeft` when the code's key ids are used up: a token has room for fifteen.
    """
    root = _root_of(folder)
    versions = await _ALL_KEYS.all(connection)
    KeyRing(root, versions)  # another installation's root would be registered here, and open nothing
    latest = max(version.version for version in versions if version.purpose is purpose)
    if purpose is KeyPurpose.CODE and latest >= _LAST_CODE_KEY:
        raise NoKeyIdLeft(f"A token's key id is at most {_LAST_CODE_KEY}, and that one is in use.")
    version = next_version(root, purpose, latest)
    await _STOP_SEALING.run(connection, of_purpose=purpose)
    await _INSERT_KEY.run(connection, **msgspec.structs.asdict(version), created_at=now)
    return version


def code_keys_of(keys: KeyRing) -> TokenKeys:
    """The keys of the one code, by key id."""
    current, _ = keys.current(KeyPurpose.CODE)
    return TokenKeys(keys.all(KeyPurpose.CODE), current=current)


def badge_keys_of(keys: KeyRing) -> TokenKeys:
    """The keys of badges and live codes, by key id."""
    current, _ = keys.current(KeyPurpose.BADGE)
    return TokenKeys(keys.all(KeyPurpose.BADGE), current=current)


def scanner_at(address: str | None) -> Scanner:
    """The scanner of uploads at `host:port`; without an address nothing is scanned."""
    if address is None:
        return NoScanner()
    host, _, port = address.rpartition(":")
    return ClamScanner(host, int(port))


def build_parts(
    pool: Pool,
    keys: KeyRing,
    *,
    blobs: BlobPlace,
    darkroom: Darkroom,
    scanner: Scanner,
    reactions: Reactions,
    public_url: str,
    clock: Clock,
    random: Random,
) -> Parts:
    """Join the parts around an open pool and a checked key ring."""
    vault = Vault(keys, random)
    seal = TraceSeal(keys)
    return Parts(
        work=Work(pool, clock=clock, random=random, vault=vault, seal=seal, reactions=reactions),
        pool=pool,
        keys=keys,
        vault=vault,
        seal=seal,
        session_tokens=SessionTokens(keys),
        passes=Passes(keys, random),
        challenges=Challenges(keys, random),
        code_keys=code_keys_of(keys),
        badge_keys=badge_keys_of(keys),
        blobs=Blobs(blobs, Sealer(keys, random)),
        darkroom=darkroom,
        scanner=scanner,
        clock=clock,
        random=random,
        public_url=public_url,
    )


@asynccontextmanager
async def open_parts(
    dsn: str,
    keys_folder: Path,
    *,
    blobs: BlobPlace,
    pool_size: int,
    application: str,
    scanner: str | None = None,
    embargo_working_days: int = EMBARGO_WORKING_DAYS,
    public_url: str = PUBLIC_URL,
    role: str = APP_ROLE,
    clock: Clock = system_clock,
    random: Random = system_random,
) -> AsyncGenerator[Parts]:
    """The parts over a pool of their own, for as long as the context lasts."""
    keys = await _checked_keys(dsn, keys_folder, clock=clock, random=random)
    pool = await open_pool(dsn, size=pool_size, role=role, application=application)
    darkroom = Darkroom()
    following: asyncio.Task[None] | None = None
    try:
        await refresh_calendar(pool)
        following = asyncio.create_task(follow_calendar(pool))
        yield build_parts(
            pool,
            keys,
            blobs=blobs,
            darkroom=darkroom,
            scanner=scanner_at(scanner),
            reactions=Reactions(embargo_working_days=embargo_working_days),
            public_url=public_url,
            clock=clock,
            random=random,
        )
    finally:
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        darkroom.close()
        await pool.close()


async def _checked_keys(dsn: str, folder: Path, *, clock: Clock, random: Random) -> KeyRing:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE key_version IN SHARE ROW EXCLUSIVE MODE")
            return await load_keys(cast("Connection", connection), folder, now=clock(), random=random)
    finally:
        await connection.close()
