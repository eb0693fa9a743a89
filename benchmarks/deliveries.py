"""From the outbox to a gateway: real workers, a gateway on 127.0.0.1 that takes 5 ms, and nothing sent twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from api.cluster_home import dies_with_parent
from api.delivery.engine import deliver
from api.delivery.opening import open_senders
from api.relay import DELIVER
from api.settings import Settings
from api.wiring import Parts, open_parts
from benchmarks.apart import Figures
from domain.evidence.model import BlobPlace
from domain.officer.intake import PHONE_LABEL
from domain.shared.sql import Command, borrow
from notifications import outbox
from notifications.message import Channel, Message, Purpose, Recipient
from notifications.sms.access import KannelAccess, SmsAccess

_ANSWER_AFTER = 0.005
_COUNTED = 50
_PATIENCE = 120.0
_TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n0: Accepted for delivery\n"
_LEFT = "SELECT count(*) FROM message WHERE state IN ('waiting', 'sending')"
_WRITE = Command(outbox.INSERT)


class _Gateway:
    """Takes what a smsbox takes, and remembers by which reference."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = {
                    name.strip().lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
                }
                await reader.readexactly(int(fields.get("content-length", "0")))
                asked = parse_qs(urlsplit(fields["x-kannel-dlr-url"]).query)
                await asyncio.sleep(_ANSWER_AFTER)
                self.taken[asked["reference"][0]] += 1
                writer.write(_TAKEN)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def measure(dsn: str, keys_folder: Path, messages: int = 2000, workers: int = 1) -> Figures:
    """Messages a second through that many worker processes; statements a message; the workers' peak memory."""
    gateway = _Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = _settings(dsn, keys_folder, port)
    async with server, _parts(settings, dsn) as parts:
        people = await _officers(parts)
        statements = await _count_statements(settings, parts, people)
        ids = await _write(parts, people, messages)
        await _enqueue(dsn, ids)
        with _workers(settings, workers) as running:
            seconds = await _until_sent(dsn)
            peaks = [_peak_mb(process.pid) for process in running]
        doubled = sum(count - 1 for count in gateway.taken.values())
    return {
        "messages_per_second": messages / seconds,
        "statements_per_message": statements,
        "worker_mb": max(peaks),
        "workers": workers,
        "lost": messages + _COUNTED - len(gateway.taken),
        "doubled": doubled,
    }


def _settings(dsn: str, keys: Path, port: int) -> Settings:
    access = KannelAccess(
        url=f"http://127.0.0.1:{port}/cgi-bin/sendsms", username="yima", password=str(uuid4()), per_second=10_000
    )
    return Settings(var=keys.parent, keys=keys, database_url=dsn, sms=SmsAccess(providers=(access,)))


@asynccontextmanager
async def _parts(settings: Settings, dsn: str) -> AsyncGenerator[Parts]:
    blobs = BlobPlace(str(settings.keys.parent / "blobs"))
    async with open_parts(dsn, settings.keys, blobs=blobs, pool_size=4, application="benchmark") as parts:
        yield parts


async def _officers(parts: Parts) -> list[UUID]:
    """Two hundred officers, each with a phone."""
    now = parts.clock()
    async with borrow(parts.pool) as connection:
        [department] = await connection.fetch("SELECT id, name FROM department LIMIT 1")
        ids = [uuid4() for _ in range(200)]
        await connection.executemany(
            "INSERT INTO officer (id, name, department_id, organisation_name, resident_id_sealed, resident_id_index, "
            "phone_sealed, gender, is_supervisor, is_team_leader, created_at, updated_at) "
            "VALUES ($1, '执法员', $2, $3, $4, $5, $6, '男', false, false, $7, $7)",
            [
                (each, department["id"], department["name"], bytes(32), each.bytes, _phone(parts, number), now)
                for number, each in enumerate(ids)
            ],
        )
    return ids


def _phone(parts: Parts, number: int) -> bytes:
    return parts.vault.seal(PHONE_LABEL, f"138{number:08d}")


async def _write(parts: Parts, people: list[UUID], count: int) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    rows = outbox.insert_arguments(
        [
            outbox.Written(
                id=each,
                trace_id=uuid4(),
                message=Message(
                    template="hazard_overdue",
                    channel=Channel.SMS,
                    recipient=Recipient.OFFICER,
                    recipient_id=people[number % len(people)],
                    parameters={"days": "7"},
                ),
            )
            for number, each in enumerate(ids)
        ],
        datetime.now(UTC),
    )
    async with borrow(parts.pool) as connection, connection.transaction():
        await _WRITE.run_many(connection, [row | {"purpose": Purpose.LEGAL_NOTICE} for row in rows])
    return ids


async def _count_statements(settings: Settings, parts: Parts, people: list[UUID]) -> float:
    """Statements that one message costs, the beginning and the end of its transactions counted."""
    sent: list[str] = []

    def note(logged: asyncpg.connection.LoggedQuery) -> None:
        sent.append(logged.query)

    ids = await _write(parts, people, _COUNTED)
    senders = open_senders(settings, parts)
    async with parts.pool.acquire() as held:  # the one that deliveries one after another get, too
        held.add_query_logger(note)
    try:
        for each in ids:
            await deliver(parts, senders, each)
    finally:
        await senders.close()
        async with parts.pool.acquire() as held:
            held.remove_query_logger(note)
    return len(sent) / len(ids)


async def _enqueue(dsn: str, ids: list[UUID]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        payloads: list[bytes | None] = [each.bytes for each in ids]
        await Queries(AsyncpgDriver(connection)).enqueue([DELIVER] * len(ids), payloads, [0] * len(ids))
    finally:
        await connection.close()


@contextmanager
def _workers(settings: Settings, count: int) -> Generator[list[subprocess.Popen[bytes]]]:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "api.cli", "worker"],
            env={**os.environ, **settings.environment()},
            preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only prctl and getppid
        )
        for _ in range(count)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(15)


async def _until_sent(dsn: str) -> float:
    """Seconds from the first message that was taken to the last: what a worker needs to start is not counted."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(_PATIENCE):
            waiting = await connection.fetchval(_LEFT)
            while await connection.fetchval(_LEFT) == waiting:  # noqa: ASYNC110 - the event is another process's
                await asyncio.sleep(0.01)
            begun = time.monotonic()
            while await connection.fetchval(_LEFT):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
            return time.monotonic() - begun
    finally:
        await connection.close()


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
