"""扫码报到, whole: idempotency, state, trace and outbox in one durable transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from benchmarks.apart import MeasurementFailed
from benchmarks.load import Burst, send_load
from benchmarks.peer import peer_token
from benchmarks.peer_schemas import Claims
from benchmarks.proof import prove_same_statements
from benchmarks.results import RESULTS, Row
from benchmarks.rounds import Contestant, alternate, compare
from benchmarks.seed import Visitable
from benchmarks.servers import Kind, Server, ask, serving
from benchmarks.stage import Stage

NAME = "check_in"
_COMPARED = 40
_WARM_UP = 200
_SECONDS = 30.0
_WRITTEN = ("visit", "check_in", "trace", "message", "idempotency")


class _Post(msgspec.Struct, frozen=True):
    """One check-in, ready to send."""

    path: str
    headers: dict[str, str]
    body: bytes

    def as_bytes(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def _posts(stage: Stage, kind: Kind, count: int) -> list[_Post]:
    """The next `count` check-ins, with fixes and access tokens of this minute."""
    return [_post(stage, kind, visitable) for visitable in stage.take_visitables(count)]


def _post(stage: Stage, kind: Kind, visitable: Visitable) -> _Post:
    now = datetime.now(UTC)
    body = {
        "second_officer_id": visitable.second_officer_id,
        "code": f"HTTPS://YM.GXZF.GOV.CN/C/{visitable.token}",
        "position": {
            "longitude": visitable.longitude,
            "latitude": visitable.latitude,
            "accuracy_m": 12.5,
            "fixed_at": now,
            "datum": "wgs84",
        },
    }
    headers = {
        "Authorization": f"Bearer {_bearer(stage, kind, visitable, now)}",
        "Idempotency-Key": str(uuid4()),
        "Content-Type": "application/json",
    }
    return _Post(f"/api/v1/inspections/{visitable.inspection_id}/check-ins", headers, msgspec.json.encode(body))


def _bearer(stage: Stage, kind: Kind, visitable: Visitable, now: datetime) -> str:
    who = visitable.officer
    if kind is not Kind.PEER:
        return stage.session_tokens.issue_access(who, now)
    assert who.officer_id is not None
    return peer_token(
        Claims(account_id=who.account_id, officer_id=who.officer_id, name=who.name, post=who.post, role=who.role)
    )


def measure_check_ins(stage: Stage) -> Row:
    """The row `check_in`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    kinds = (Kind.LIMIT, Kind.YIMA, Kind.PEER)
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind, dsn=stage.dsn, keys=stage.keys)) for kind in kinds}
        _require_same_effects(stage, list(servers.values()))
        send = {kind: _sender(stage, server) for kind, server in servers.items()}
        for warm_up in send.values():
            warm_up(_WARM_UP)
        statements = _prove(stage, servers[Kind.LIMIT], servers[Kind.YIMA])
        contestants = [Contestant(servers[kind], partial(each, stage.size.check_ins)) for kind, each in send.items()]
        rounds = alternate(contestants, stage.size.rounds)
    row = compare(NAME, Kind.YIMA, rounds, statements=statements)
    if stage.profiles or not row.is_met:
        profile_check_in(stage)
    return row


def _sender(stage: Stage, server: Server) -> Callable[[int], Burst]:
    def send(count: int) -> Burst:
        requests = [post.as_bytes() for post in _posts(stage, server.kind, count)]
        return send_load(server.port, requests, stage.folder, seconds=_SECONDS, once=True)

    return send


def _prove(stage: Stage, limit: Server, yima: Server) -> int:
    prepared = {server.kind: _posts(stage, server.kind, _COMPARED) for server in (limit, yima)}

    def check_in_all(server: Server) -> None:
        for post in prepared[server.kind]:
            _ask(server, post)

    return prove_same_statements(stage.dsn, _COMPARED, partial(check_in_all, limit), partial(check_in_all, yima))


def _ask(server: Server, post: _Post) -> Any:
    status, body = ask(server.port, post.path, method="POST", body=post.body, headers=post.headers)
    if status != 201:
        raise MeasurementFailed(f"{server.kind} answered {status}: {body.decode(errors='replace')}")
    return msgspec.json.decode(body)


def _require_same_effects(stage: Stage, servers: Sequence[Server]) -> None:
    """One check-in each: the same keys in the answer, the same number of rows in every table."""
    seen: dict[Kind, tuple[object, object]] = {}
    for server in servers:
        before = asyncio.run(_counts(stage.dsn))
        answer = _ask(server, _posts(stage, server.kind, 1)[0])
        after = asyncio.run(_counts(stage.dsn))
        written = {table: after[table] - before[table] for table in _WRITTEN}
        seen[server.kind] = (_shape(answer), written)
    if any(each != seen[Kind.YIMA] for each in seen.values()):
        raise MeasurementFailed(f"the effects differ: {seen}")


def _shape(answer: Any) -> object:
    """The keys, in order, at every depth."""
    return [(key, _shape(value)) for key, value in answer.items()] if isinstance(answer, dict) else None


async def _counts(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        return {
            table: int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own names
            for table in _WRITTEN
        }
    finally:
        await connection.close()


def profile_check_in(stage: Stage) -> None:
    """Where the time goes, into a file."""
    path = RESULTS / f"profile-{NAME}.txt"
    with serving(Kind.YIMA, dsn=stage.dsn, keys=stage.keys, profile=path) as server:
        _sender(stage, server)(_WARM_UP)
        server.start_profile()
        burst = _sender(stage, server)(stage.size.check_ins)
    print(f"  profile of {NAME}, {burst.count:,} requests: {path}")
