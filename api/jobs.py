"""The worker: delivers messages, performs chores, publishes what is due, and sweeps what has outlived its term."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from api.chores import perform_chore
from api.deadline_rounds import sweep_deadlines
from api.delivery.engine import deliver
from api.delivery.senders import Senders
from api.delivery.settling import settle_open
from api.digest_round import forget_subscriptions, send_digests
from api.evidence_sweep import sweep_evidence
from api.expiry_round import remind_of_expiry
from api.lost_jobs import requeue_lost
from api.open_data import dump_results
from api.register import INSTALLATION
from api.relay import DELIVER, PERFORM
from api.rounds import Turns, go_round
from api.self_inspection_rounds import remind
from api.stickers.poster_batches import sweep_posters
from api.wiring import Parts
from api.work import DELETE_OLD_ANSWERS, DatabaseAway, InProgress, database_refusals
from domain.complaint.model import GrievanceKind
from domain.complaint.operations import close_answered
from domain.identity.store import DELETE_EXPIRED_SESSIONS, DELETE_OLD_LOG_IN_FAILURES
from domain.publication.operations import publish_due
from domain.rating.operations import release_ratings
from domain.shared.random import Random
from domain.shared.sql import Pool, borrow
from domain.visitor.operations import forget_old

ANSWERS_KEPT = timedelta(days=180)
_FAILURES_KEPT = timedelta(days=1)
_SWEEP_EVERY = 3600.0
_PUBLISH_EVERY = 5.0
_REQUEUE_EVERY = 10.0
_SETTLE_EVERY = 5.0
_RATINGS_EVERY = 3600.0
_EXPIRY_EVERY = 3600.0
_REMIND_EVERY = 60.0
_DUMP_EVERY = 600.0
_CLOSE_EVERY = 600.0
_DIGESTS_EVERY = 300.0
_DEADLINES_EVERY = 60.0
_SUBSCRIPTIONS_EVERY = 3600.0
_CLOSE_AT_ONCE = 200
_PUBLISH_AT_ONCE = 200
_BATCH = 16
_AT_ONCE = 64
"""Jobs in hand at the same time: while a provider answers, or its turn is awaited, others go on."""
_DATABASE_AWAY = 15.0
"""Seconds: a job that had to wait for its turn often has many attempts, which say nothing of the database."""
_Round = Callable[[], Awaitable[object]]


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


def _back_off(attempts: int, random: Random, longest: float = 600.0) -> timedelta:
    """2 s, 4 s, 8 s … up to `longest` seconds, each with up to half as much again, so that retries do not come in
    step.
    """
    seconds = min(2.0 ** (attempts + 1), longest)
    return timedelta(seconds=seconds * (1 + random(1)[0] / 510))


def _taking(parts: Parts, act: Callable[[UUID, int], Awaitable[timedelta | None]]) -> Callable[[Job], Awaitable[None]]:
    """A job that does `act` to what it names, and comes again after the time that `act` says."""

    async def take(job: Job) -> None:
        if job.payload is None:
            return
        try:
            again = await act(UUID(bytes=job.payload), job.attempts)
        except (DatabaseAway, InProgress):  # any other failure would take the job out of the queue for good
            again = _back_off(job.attempts, parts.random, _DATABASE_AWAY)
        if again is not None:
            raise RetryRequested(again)

    return take


def _nothing(_told: str | bytes | bytearray) -> None:
    """What is told is for PgQueuer's own listener, on the same connection."""


def _rounds(parts: Parts, queue_pool: Pool, senders: Senders) -> Sequence[tuple[str, float, _Round]]:
    """What is done again and again: by which name, after how many seconds."""
    return (
        ("sweep", _SWEEP_EVERY, lambda: sweep(parts)),
        ("remind", _REMIND_EVERY, lambda: remind(parts)),
        ("expiry", _EXPIRY_EVERY, lambda: remind_of_expiry(parts)),
        ("ratings", _RATINGS_EVERY, lambda: release_what_waits(parts)),
        ("publish", _PUBLISH_EVERY, lambda: publish_what_is_due(parts)),
        ("deadlines", _DEADLINES_EVERY, lambda: sweep_deadlines(parts)),
        ("close", _CLOSE_EVERY, lambda: close_what_was_answered(parts)),
        ("dump", _DUMP_EVERY, lambda: dump_results(parts)),
        ("digests", _DIGESTS_EVERY, lambda: send_digests(parts)),
        ("subscriptions", _SUBSCRIPTIONS_EVERY, lambda: forget_subscriptions(parts)),
        ("requeue", _REQUEUE_EVERY, lambda: requeue_lost(queue_pool, parts.clock)),
        ("settle", _SETTLE_EVERY, lambda: settle_open(parts, senders)),
    )


async def run_worker(parts: Parts, queue_pool: Pool, senders: Senders, stop: asyncio.Event) -> None:
    """Take jobs until `stop`; the worker ends, to be started anew, when its listening connection is lost.

    `queue_pool` serves PgQueuer, which reads JSON as text, and the turns of the rounds.
    """
    driver = AsyncpgPoolDriver(queue_pool)
    queue = PgQueuer(driver)

    async def deliver_message(message_id: UUID, _attempts: int) -> timedelta | None:
        return await deliver(parts, senders, message_id)

    async def perform(chore_id: UUID, attempts: int) -> timedelta | None:
        return None if await perform_chore(parts, chore_id) else _back_off(attempts, parts.random)

    queue.entrypoint(DELIVER)(_taking(parts, deliver_message))
    queue.entrypoint(PERFORM)(_taking(parts, perform))
    # PgQueuer asks whether it hears before it listens: on a pool that is still opening, it would not, and give up.
    await driver.add_listener(queue.channel, _nothing)
    async with Turns(queue_pool) as turns:
        rounds = [
            asyncio.create_task(go_round(name, seconds, act, turns=turns, stop=stop))
            for name, seconds, act in _rounds(parts, queue_pool, senders)
        ]
        working = asyncio.create_task(
            queue.run(
                dequeue_timeout=timedelta(seconds=1),
                batch_size=_BATCH,
                max_concurrent_tasks=_AT_ONCE,
                shutdown_on_listener_failure=True,
            )
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
            await asyncio.wait({working, *rounds}, timeout=5)
