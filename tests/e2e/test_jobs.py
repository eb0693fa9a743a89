"""The worker: a message is delivered once, tried again when it fails, given up visibly; what is old is swept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api import jobs
from api.jobs import ANSWERS_KEPT, deliver_message, run_worker, sweep
from api.wiring import APP_ROLE, Parts
from domain.identity.store import INSERT_ACCOUNT, INSERT_SESSION
from domain.shared.sql import Command, borrow, open_pool
from domain.shared.transaction import Outcome, Transaction
from notifications import outbox
from notifications.deliver import ATTEMPTS, Driver, Undeliverable
from notifications.message import Channel, Message, Recipient
from notifications.outbox import StoredMessage
from tests.support.acts import OPERATOR, do_nothing, noted, principal, submission
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_WRITE_MESSAGE = Command(outbox.INSERT)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


class Gateway:
    """A gateway that keeps what it was handed, and fails as often as it is told to."""

    def __init__(self, *, failures: int = 0, seconds: float = 0.0) -> None:
        self.failures = failures
        self.seconds = seconds
        self.sent: list[tuple[UUID, str]] = []

    async def send(self, message: StoredMessage, text: str) -> None:
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise Undeliverable("the gateway is closed")
        self.sent.append((message.id, text))

    @property
    def ids(self) -> list[UUID]:
        return [message_id for message_id, _ in self.sent]


def drivers(gateway: Driver) -> Mapping[Channel, Driver]:
    return dict.fromkeys(Channel, gateway)


async def waiting_messages(parts: Parts, count: int = 1) -> list[UUID]:
    """Messages in the outbox, each with the trace row that caused it, not yet placed."""
    ids: list[UUID] = []

    async def operation(tx: Transaction) -> Outcome[None]:
        for _ in range(count):
            message = Message(
                template="position_in_doubt",
                channel=Channel.IN_APP,
                recipient=Recipient.DEPARTMENT_LEADS,
                recipient_id=uuid4(),
                parameters={"inspection_id": "7", "flags": "stale"},
            )
            ids.append(tx.new_id())
            event = noted()
            trace_id = await parts.work.run(OPERATOR, told(event))
            rows = outbox.insert_arguments([(ids[-1], trace_id, message)], tx.now)
            await _WRITE_MESSAGE.run_many(tx.connection, rows)
        return Outcome(answer=None)

    await parts.work.run(OPERATOR, operation)
    return ids
