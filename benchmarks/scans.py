"""亮码告知 for a citizen: `scan.public.uncached` and `scan.public.cached`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.apart import MeasurementFailed
from benchmarks.load import Burst, send_load
from benchmarks.proof import prove_same_statements
from benchmarks.results import RESULTS, Row
from benchmarks.rounds import Contestant, alternate, compare
from benchmarks.servers import Kind, Server, ask, serving
from benchmarks.stage import Stage

SUBJECTS: Mapping[str, Kind] = {"scan.public.uncached": Kind.YIMA, "scan.public.cached": Kind.YIMA_CACHED}
_HOT = 500
_COMPARED = 50
_HEADROOM_SECONDS = 1.5


def _path(token: str) -> str:
    return f"/api/v1/codes/{token}"


def _requests(tokens: Sequence[str]) -> list[bytes]:
    return [f"GET {_path(token)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for token in tokens]


def _tokens(stage: Stage, kind: Kind) -> list[str]:
    """Everywhere in the region, or for the cache the few that many people scan."""
    return stage.seeded.tokens[:_HOT] if kind is Kind.YIMA_CACHED else stage.seeded.tokens


def measure_scans(stage: Stage, names: Sequence[str]) -> list[Row]:
    """The rows of those of `SUBJECTS` that are named. Raises `MeasurementFailed` or `StatementsDiffer`."""
    subjects = {name: SUBJECTS[name] for name in names}
    kinds = (Kind.LIMIT, *subjects.values(), Kind.PEER)
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind, dsn=stage.dsn, keys=stage.keys)) for kind in kinds}
        _require_same_bytes(stage, list(servers.values()))
        send = {kind: _sender(stage, server) for kind, server in servers.items()}
        for warm_up in send.values():
            warm_up(seconds=1.0)
        more: dict[str, int] = {}
        if Kind.YIMA in servers:
            more["statements"] = _prove(stage, servers[Kind.LIMIT], servers[Kind.YIMA])
        contestants = [
            Contestant(servers[kind], partial(each, seconds=stage.size.scan_seconds)) for kind, each in send.items()
        ]
        rounds = alternate(contestants, stage.size.rounds)
    rows = [compare(name, kind, rounds, **(more if kind is Kind.YIMA else {})) for name, kind in subjects.items()]
    for row in rows:
        if stage.profiles or not row.is_met:
            profile_scan(stage, row.name)
    return rows


def _sender(stage: Stage, server: Server) -> Callable[..., Burst]:
    return partial(send_load, server.port, _requests(_tokens(stage, server.kind)), stage.folder)


def _require_same_bytes(stage: Stage, servers: list[Server]) -> None:
    for token in stage.seeded.tokens[:_COMPARED]:
        answers = {server.kind: ask(server.port, _path(token)) for server in servers}
        if len(set(answers.values())) != 1 or answers[Kind.LIMIT][0] != 200:
            shown = "\n".join(f"{kind}: {status} {body.decode()}" for kind, (status, body) in answers.items())
            raise MeasurementFailed(f"the answers differ:\n{shown}")


def _prove(stage: Stage, limit: Server, yima: Server) -> int:
    def read_all(server: Server) -> None:
        for token in stage.seeded.tokens[:_COMPARED]:
            ask(server.port, _path(token))

    return prove_same_statements(stage.dsn, _COMPARED, partial(read_all, limit), partial(read_all, yima))


def profile_scan(stage: Stage, name: str) -> None:
    """Where the time of that row goes, into a file."""
    kind = SUBJECTS[name]
    path = RESULTS / f"profile-{name}.txt"
    with serving(kind, dsn=stage.dsn, keys=stage.keys, profile=path) as server:
        _sender(stage, server)(seconds=1.0)
        server.start_profile()
        burst = _sender(stage, server)(seconds=stage.size.scan_seconds)
    print(f"  profile of {name}, {burst.count:,} requests: {path}")


def measure_headroom(stage: Stage) -> float:
    """Requests a second that the load gets out of an application that does nothing."""
    with serving(Kind.TRIVIAL, dsn=stage.dsn, keys=stage.keys) as server:
        burst = send_load(server.port, _requests(stage.seeded.tokens), stage.folder, seconds=_HEADROOM_SECONDS)
    print(f"load against a trivial ASGI application: {burst.rate:,.0f}/s, load's cpu {burst.client_cpu:.0%}")
    return burst.rate
