"""From commit to screen: leads on two real servers, the real relay, and events that each concern one county."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import msgspec
import psutil

from api.cluster_home import dies_with_parent
from api.settings import Settings
from api.supervisor import listen
from api.wiring import Parts, open_parts
from benchmarks.apart import Figures
from benchmarks.live_clients import Heard, Lead, Order
from benchmarks.paced_events import Written, figures_of, last_position, placed_after, write_events
from benchmarks.servers import ask
from codes.divisions import DivisionLevel, guangxi_divisions, ltree_path
from domain.evidence.model import BlobPlace
from domain.identity.model import Principal, Role

_SERVERS, _CLIENTS = 2, 2
_A_COUNTY, _WIDE = 13, 50
_GUANGXI = "450000"
_PATIENCE = 60.0
_WRITERS = 4


async def measure(dsn: str, keys_folder: Path, leads: int = 1300, seconds: int = 60, rate: int = 50) -> Figures:
    """Milliseconds from commit to receipt on a screen; also what anybody missed, got twice, or should not have got."""
    blobs = BlobPlace(str(keys_folder.parent / "blobs"))
    settings = Settings(var=keys_folder.parent, keys=keys_folder, database_url=dsn)
    async with AsyncExitStack() as stack:
        stack.enter_context(_child(settings, "relay"))
        servers = [stack.enter_context(_server(settings)) for _ in range(_SERVERS)]
        await asyncio.gather(*[asyncio.to_thread(_await_answer, port) for port, _ in servers])
        parts = await stack.enter_async_context(
            open_parts(dsn, keys_folder, blobs=blobs, pool_size=_WRITERS, application="benchmark writers")
        )
        connection = await asyncpg.connect(dsn)
        stack.push_async_callback(connection.close)
        start = await last_position(connection)
        idle = [process.memory_info().rss for _, process in servers]
        watchers = _leads(parts, leads, [port for port, _ in servers])
        heard = await _run(stack, parts, connection, watchers, servers, seconds, rate)
        placed = await placed_after(connection, start)
    return {
        "leads": leads,
        "servers": _SERVERS,
        "events_per_second": rate,
        **_judge(heard.screens, heard.written, placed),
        "kb_per_connection": (sum(heard.resident) - sum(idle)) / leads / 1024,
        "server_cpu_share": heard.cpu_share,
    }


class _Outcome(msgspec.Struct, frozen=True):
    screens: list[Heard]
    written: dict[UUID, Written]
    resident: list[int]
    cpu_share: float


async def _run(
    stack: AsyncExitStack,
    parts: Parts,
    connection: asyncpg.Connection,
    watchers: Sequence[Lead],
    servers: Sequence[tuple[int, psutil.Process]],
    seconds: int,
    rate: int,
) -> _Outcome:
    """Connect everybody, write, and give what each screen heard."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    clients = [
        await stack.enter_async_context(_client(watchers[number::_CLIENTS], folder / f"{number}.json", seconds))
        for number in range(_CLIENTS)
    ]
    for client in clients:
        await _say(client, "ready")
    resident = [process.memory_info().rss for _, process in servers]
    began, used = time.monotonic(), _cpu(servers)
    written = await write_events(parts, _counties(len(watchers)), rate=rate, seconds=seconds, writers=_WRITERS)
    cpu_share = (_cpu(servers) - used) / (time.monotonic() - began)
    await last_position(connection)
    await asyncio.sleep(2)  # what has not come by then has been lost
    for client in clients:
        assert client.stdin is not None
        client.stdin.write(b"end\n")
        await _say(client, "done")
    screens = [
        each
        for number in range(_CLIENTS)
        for each in msgspec.json.decode((folder / f"{number}.json").read_bytes(), type=list[Heard])
    ]
    return _Outcome(screens, written, resident, cpu_share)


def _cpu(servers: Sequence[tuple[int, psutil.Process]]) -> float:
    return sum(sum(process.cpu_times()[:2]) for _, process in servers)


@contextmanager
def _child(settings: Settings, *arguments: str, fds: Sequence[int] = ()):  # noqa: ANN202 - a process of ours
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *arguments],
        env={**os.environ, **settings.environment()},
        pass_fds=fds,
        preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only prctl and getppid
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _server(settings: Settings):  # noqa: ANN202 - its port and process
    with (
        listen("127.0.0.1", 0) as listening,
        _child(settings, "server", "--fd", str(listening.fileno()), fds=(listening.fileno(),)) as process,
    ):
        yield listening.getsockname()[1], psutil.Process(process.pid)


def _await_answer(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            ask(port, "/health/live")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@asynccontextmanager
async def _client(leads: Sequence[Lead], results: Path, seconds: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    order = Order(list(leads), str(results), seconds + 4 * _PATIENCE)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.live_clients",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _say(client: asyncio.subprocess.Process, word: str) -> None:
    """Wait until a client has said `word`."""
    assert client.stdout is not None
    async with asyncio.timeout(2 * _PATIENCE):
        said = (await client.stdout.readline()).decode().strip()
    if said != word:
        raise ConnectionResetError(f"a process of clients said {said!r} instead of {word!r}")


def _counties(leads: int) -> list[str]:
    """The paths of the counties that have their full number of leads."""
    today = datetime.now(UTC).date()
    codes = [each.code for each in guangxi_divisions() if each.level is DivisionLevel.COUNTY and each.in_force(today)]
    return [ltree_path(code) for code in codes[: (leads - _WIDE) // _A_COUNTY]]


def _leads(parts: Parts, leads: int, ports: Sequence[int]) -> list[Lead]:
    """Fifty see everything, thirteen each county; who is left sees a place where nothing happens."""
    counties = _counties(leads)
    regions = [_GUANGXI] * _WIDE + [county for county in counties for _ in range(_A_COUNTY)]
    regions += [f"{_GUANGXI}.none"] * (leads - len(regions))
    return [Lead(ports[number % len(ports)], _token(parts, region), region) for number, region in enumerate(regions)]


def _token(parts: Parts, region: str) -> str:
    lead = Principal(
        account_id=uuid4(), session_id=uuid4(), name="牵头领导", role=Role.LEAD, post="领导", region=region
    )
    return parts.session_tokens.issue_access(lead, parts.clock())


def _judge(screens: Sequence[Heard], written: dict[UUID, Written], placed: Sequence[tuple[int, UUID]]) -> Figures:
    """Lags of every delivery, and whether each screen got every event of its own, once, and no other."""
    known = {position: written[trace_id] for position, trace_id in placed if trace_id in written}
    of_county: dict[str, list[int]] = {}
    for position, event in known.items():
        of_county.setdefault(event.region, []).append(position)
    wrong: Counter[str] = Counter()
    lags: list[tuple[float, float]] = []
    for screen in screens:
        own = list(known) if screen.region == _GUANGXI else of_county.get(screen.region, [])
        got = [position for position in screen.positions if position in known]
        wrong["missed"] += len(set(own) - set(got))
        wrong["doubled"] += len(got) - len(set(got))
        wrong["foreign"] += screen.foreign + len(set(got) - set(own))
        wrong["out_of_order"] += sorted(got) != got
        wrong["cut"] += screen.closed
        lags += [
            (at, at - known[position].at)
            for position, at in zip(screen.positions, screen.instants, strict=True)
            if position in known
        ]
    return {
        **figures_of(lags),
        "events": len(known),
        "deliveries": len(lags),
        "wrong": {name: count for name, count in wrong.items() if count},
    }
