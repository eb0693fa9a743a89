"""One endpoint of all contestants: prepared requests, proofs that they are comparable, alternating rounds, a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
import msgspec

from benchmarks.apart import MeasurementFailed
from benchmarks.load import Burst, send_load
from benchmarks.peer_schemas import Claims
from benchmarks.peer_session import peer_token
from benchmarks.proof import prove_same_statements
from benchmarks.results import RESULTS, Row
from benchmarks.rounds import Contestant, alternate, compare
from benchmarks.servers import Kind, Server, ask, serving
from benchmarks.stage import Stage
from domain.identity.model import Principal

KINDS = (Kind.LIMIT, Kind.YIMA, Kind.PEER)
_SECONDS = 30.0


class Prepared(msgspec.Struct, frozen=True):
    """One request, ready to send."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def as_bytes(self) -> bytes:
        """As it goes over the line."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.method != "GET":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of everybody, and how much of it.

    `prepare` makes the next requests for one contestant. `written` are the tables in which Yima and the peer must write
    as many rows. `has_same_statements`: the limit says the same to the database as Yima; `limit_answers_alike`: its
    answers have the same keys too. `determined` gives what of an answer must be the same with Yima and with the peer,
    for as many requests as `effects` says; without it, that is its keys. With `seconds` the requests are sent round and
    round, else each once.
    """

    name: str
    prepare: Callable[[Stage, Kind, int], list[Prepared]]
    count: int
    warm_up: int
    compared: int
    written: tuple[str, ...] = ()
    has_same_statements: bool = True
    limit_answers_alike: bool = True
    effects: int = 5
    determined: Callable[[Any], Any] | None = None
    seconds: float | None = None


def bearer(stage: Stage, kind: Kind, who: Principal, now: datetime) -> str:
    """The header of `who`: Yima's token, the peer's, or for the limit, which believes everybody, a mere claim."""
    assert who.officer_id is not None
    assert who.department_id is not None
    match kind:
        case Kind.LIMIT:
            token = f"{who.officer_id}/{who.department_id}"
        case Kind.PEER:
            token = peer_token(
                Claims(
                    account_id=who.account_id,
                    officer_id=who.officer_id,
                    department_id=who.department_id,
                    name=who.name,
                    post=who.post,
                    role=who.role,
                )
            )
        case _:
            token = stage.session_tokens.issue_access(who, now)
    return f"Bearer {token}"


def hold(stage: Stage, contest: Contest) -> Row:
    """The row of `contest`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind, dsn=stage.dsn, keys=stage.keys)) for kind in KINDS}
        _require_same_effects(stage, contest, list(servers.values()))
        for server in servers.values():
            _send(stage, contest, server, contest.warm_up)
        more: dict[str, int] = {}
        if contest.has_same_statements:
            more["statements"] = _prove(stage, contest, servers[Kind.LIMIT], servers[Kind.YIMA])
        contestants = [
            Contestant(server, partial(_send, stage, contest, server, contest.count)) for server in servers.values()
        ]
        rounds = alternate(contestants, stage.size.rounds)
    row = compare(contest.name, Kind.YIMA, rounds, **more)
    if stage.profiles or row.is_met is False:
        _profile(stage, contest)
    return row


def _send(stage: Stage, contest: Contest, server: Server, count: int) -> Burst:
    requests = [each.as_bytes() for each in contest.prepare(stage, server.kind, count)]
    seconds = contest.seconds
    return send_load(server.port, requests, stage.folder, seconds=seconds or _SECONDS, once=seconds is None)


def _prove(stage: Stage, contest: Contest, limit: Server, yima: Server) -> int:
    prepared = {server.kind: contest.prepare(stage, server.kind, contest.compared) for server in (limit, yima)}

    def ask_all(server: Server) -> None:
        for each in prepared[server.kind]:
            _ask(server, each)

    return prove_same_statements(stage.dsn, contest.compared, partial(ask_all, limit), partial(ask_all, yima))


def _ask(server: Server, each: Prepared) -> Any:
    status, body = ask(server.port, each.path, method=each.method, body=each.body or None, headers=each.headers)
    if status not in {200, 201}:
        raise MeasurementFailed(f"{server.kind} answered {status}: {body.decode(errors='replace')}")
    return msgspec.json.decode(body)


def _require_same_effects(stage: Stage, contest: Contest, servers: Sequence[Server]) -> None:
    """A few requests each: the same in the answers, and as many rows in every table."""
    seen: dict[Kind, tuple[object, object]] = {}
    for server in servers:
        before = asyncio.run(_counts(stage.dsn, contest.written))
        told = [_ask(server, each) for each in contest.prepare(stage, server.kind, contest.effects)]
        answers = [(contest.determined or _shape)(each) for each in told]
        after = asyncio.run(_counts(stage.dsn, contest.written))
        seen[server.kind] = (answers, {table: after[table] - before[table] for table in contest.written})
    with_limit = contest.limit_answers_alike and contest.determined is None
    compared = {kind: each for kind, each in seen.items() if with_limit or kind is not Kind.LIMIT}
    if any(each != seen[Kind.YIMA] for each in compared.values()):
        raise MeasurementFailed(f"the effects differ: {compared}")


def _shape(answer: Any) -> Any:
    """The keys at every depth."""
    if isinstance(answer, dict):
        return {key: _shape(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_shape(each) for each in answer]
    return None


async def _counts(dsn: str, tables: Sequence[str]) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        return {
            table: int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own names
            for table in tables
        }
    finally:
        await connection.close()


def _profile(stage: Stage, contest: Contest) -> None:
    """Where the time goes, into a file."""
    path = RESULTS / f"profile-{contest.name}.txt"
    with serving(Kind.YIMA, dsn=stage.dsn, keys=stage.keys, profile=path) as server:
        _send(stage, contest, server, contest.warm_up)
        server.start_profile()
        burst = _send(stage, contest, server, contest.count)
    print(f"  profile of {contest.name}, {burst.count:,} requests: {path}")
