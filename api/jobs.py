"""The worker: delivers messages, performs chores, publishes what is due, and sweeps what has outlived its term."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from api.chores import perform_chore
from api.evidence_sweep import sweep_evidence
from api.expiry_round import remind_of_expiry
from api.lost_jobs import requeue_lost
from api.open_data import dump_results
from api.paper_messages import known_of
from api.register import INSTALLATION
from api.relay import DELIVER, PERFORM
from api.self_inspection_rounds import remind
from api.stickers.poster_batches import sweep_posters
from api.wiring import Parts
from api.work import DELETE_OLD_ANSWERS, DatabaseAway, InProgress, database_refusals
from domain.complaint.model import GrievanceKind
from domain.complaint.operations import close_answered, warn_due
from domain.identity.store import DELETE_EXPIRED_SESSIONS, DELETE_OLD_LOG_IN_FAILURES
from domain.publication.operations import publish_due
from domain.rating.operations import release_ratings
from domain.shared.random import Random
from domain.shared.sql import Command, Pool, Query, borrow
from domain.visitor.operations import forget_old
from notifications import outbox
from notifications.deliver import ATTEMPTS, Driver, Undeliverable, compose, driver_of
from notifications.message import Channel
from notifications.outbox import StoredMessage

ANSWERS_KEPT = timedelta(days=180)
_FAILURES_KEPT = timedelta(days=1)
_SWEEP_EVERY = 3600.0
_PUBLISH_EVERY = 5.0
_REQUEUE_EVERY = 10.0
_RATINGS_EVERY = 3600.0
_EXPIRY_EVERY = 3600.0
_REMIND_EVERY = 60.0
_WARN_EVERY = 600.0
_DUMP_EVERY = 600.0
_CLOSE_EVERY = 600.0
_WARN_AT_ONCE = 200
_CLOSE_AT_ONCE = 200
_PUBLISH_AT_ONCE = 200
_LOCK_WAITING = Query(outbox.LOCK_WAITING, StoredMessage)
_MARK_DELIVERED = Command(outbox.MARK_DELIVERED)
_MARK_FAILED = Command(outbox.MARK_FAILED)
_logger = logging.getLogger(__name__)


async def deliver_message(parts: Parts, drivers: Mapping[Channel, Driver], message_id: UUID) -> bool:
    """Deliver one waiting message; False when it is to be tried again later.

    The row is locked while it is sent, so that no other worker sends it too; a crash between the gateway's answer and
    the commit is the one window in which it may be sent twice.
    """
    async with database_refusals(), borrow(parts.pool) as connection, connection.transaction():
        message = await _LOCK_WAITING.first(connection, id=message_id)
        if message is None:
            return True
        try:
            known = await known_of(parts, connection, message)
            if known is None:
                await _MARK_FAILED.run(connection, message_id=message.id, state_after="abandoned", error="outdated")
                return True
            await driver_of(drivers, message).send(message, compose(message, known))
        except Undeliverable as failure:
            given_up = message.attempts + 1 >= ATTEMPTS
            await _MARK_FAILED.run(
                connection,
                message_id=message.id,
                state_after="abandoned" if given_up else "waiting",
                error=str(failure)[:500],
            )
            return given_up
        await _MARK_DELIVERED.run(connection, message_id=message.id, now=parts.clock())
        return True


async def sweep(parts: Parts) -> None:
    """Forget answers after 180 days, sessions that are over, citizens' numbers, and files to which nothing refers."""
    now = parts.clock()
    async with database_refusals(), borrow(parts.pool) as connection:
        await DELETE_OLD_ANSWERS.run(connection, before=now - ANSWERS_KEPT)
        await DELETE_EXPIRED_SESSIONS.run(connection, before=now)
        await DELETE_OLD_LOG_IN_FAILURES.run(connection, before=now - _FAILURES_KEPT)
    await parts.work.run(INSTALLATION, forget_old)
    await sweep_evidence(parts)
    await sweep_posters(parts)


async def publish_what_is_due(parts: Parts) -> None:
    """公示 what has stood through its embargo, some at a time."""
    while await parts.work.run(INSTALLATION, lambda tx: publish_due(tx, _PUBLISH_AT_ONCE)) == _PUBLISH_AT_ONCE:
        continue


async def warn_of_terms(parts: Parts) -> None:
    """期限预警 of 投诉 and 举报, some at a time."""
    for kind in GrievanceKind:
        while (
            await parts.work.run(INSTALLATION, lambda tx, kind=kind: warn_due(tx, kind, _WARN_AT_ONCE)) == _WARN_AT_ONCE
        ):
            continue


async def close_what_was_answered(parts: Parts) -> None:
    """自动办结 of 投诉 and 举报 that nobody had reopened in time, some at a time."""
    for kind in GrievanceKind:
        while (
            await parts.work.run(INSTALLATION, lambda tx, kind=kind: close_answered(tx, kind, _CLOSE_AT_ONCE))
            == _CLOSE_AT_ONCE
        ):
            continue


async def release_what_waits(parts: Parts) -> None:
    """评价汇总 of past months, department by department."""
    while await parts.work.run(INSTALLATION, release_ratings):
        continue


async def _every(seconds: float, act: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Do `act` again and again until `stop`. A round that fails is told and comes again: it stops no other work."""
    while not stop.is_set():
        try:
            await act()
        except (DatabaseAway, InProgress):
            _logger.warning("the database is away; trying again")
        except Exception:
            _logger.exception("a round failed; it comes again in %d s", seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


def _back_off(attempts: int, random: Random) -> timedelta:
    """2 s, 4 s, 8 s … up to 10 min, each with up to half as much again, so that retries do not come in step."""
    seconds = min(2.0 ** (attempts + 1), 600.0)
    return timedelta(seconds=seconds * (1 + random(1)[0] / 510))


def _taking(parts: Parts, act: Callable[[UUID], Awaitable[bool]]) -> Callable[[Job], Awaitable[None]]:
    """A job that does `act` to what it names, and comes again when that is not done."""

    async def take(job: Job) -> None:
        if job.payload is None:
            return
        try:
            done = await act(UUID(bytes=job.payload))
        except (DatabaseAway, InProgress):  # any other failure would take the job out of the queue for good
            done = False
        if not done:
            raise RetryRequested(_back_off(job.attempts, parts.random))

    return take


async def run_worker(parts: Parts, queue_pool: Pool, drivers: Mapping[Channel, Driver], stop: asyncio.Event) -> None:
    """Take jobs until `stop`; the worker ends, to be started anew, when its listening connection is lost.

    `queue_pool` serves PgQueuer alone, which reads JSON as text.
    """
    queue = PgQueuer(AsyncpgPoolDriver(queue_pool))

    queue.entrypoint(DELIVER)(_taking(parts, lambda message_id: deliver_message(parts, drivers, message_id)))
    queue.entrypoint(PERFORM)(_taking(parts, lambda chore_id: perform_chore(parts, chore_id)))
    rounds = [
        asyncio.create_task(_every(_SWEEP_EVERY, lambda: sweep(parts), stop)),
        asyncio.create_task(_every(_REMIND_EVERY, lambda: remind(parts), stop)),
        asyncio.create_task(_every(_EXPIRY_EVERY, lambda: remind_of_expiry(parts), stop)),
        asyncio.create_task(_every(_RATINGS_EVERY, lambda: release_what_waits(parts), stop)),
        asyncio.create_task(_every(_PUBLISH_EVERY, lambda: publish_what_is_due(parts), stop)),
        asyncio.create_task(_every(_WARN_EVERY, lambda: warn_of_terms(parts), stop)),
        asyncio.create_task(_every(_CLOSE_EVERY, lambda: close_what_was_answered(parts), stop)),
        asyncio.create_task(_every(_DUMP_EVERY, lambda: dump_results(parts), stop)),
        asyncio.create_task(_every(_REQUEUE_EVERY, lambda: requeue_lost(queue_pool, parts.clock), stop)),
    ]
    working = asyncio.create_task(
        queue.run(dequeue_timeout=timedelta(seconds=1), batch_size=10, shutdown_on_listener_failure=True)
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({working, stopping, *rounds}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
    finally:
        queue.shutdown.set()
        for task in (stopping, *rounds):
            task.cancel()
        await asyncio.wait({working}, timeout=5)
