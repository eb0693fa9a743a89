"""How a server process learns at once that the trace has grown: by PostgreSQL's notifications, or by Redis.

A signal is only a nudge: what is new is always read from the table by position, and the feed also looks by the clock.
So a signal may be lost, doubled or late, and costs a second at most, never an event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import asyncpg
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.redis_settings import RedisAccess
from api.work import LOST
from domain.shared.sql import Connection

CHANNEL: Final = "yima_trace"
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 5.0
_HEALTH_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
_PUBLISH_SECONDS: Final = 0.5
_logger = logging.getLogger(__name__)


class Signals(Protocol):
    """The ear of a server process."""

    async def listen(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever the trace may have grown, until cancelled; a lost connection is made anew."""
        ...


class Announcements(Protocol):
    """The voice of the relay."""

    async def with_commit(self, connection: Connection, position: int) -> None:
        """What has to be said in the transaction that places rows up to `position`."""
        ...

    async def after_commit(self, position: int) -> None:
        """What has to be said once it is committed. Raises nothing: nobody depends on it."""
        ...

    async def close(self) -> None:
        """Give back what is held."""
        ...


class PostgresSignals:
    """One LISTEN connection per process."""

    def __init__(self, dsn: str, role: str) -> None:
        """Listen on a connection of its own to `dsn` as `role`."""
        self._dsn = dsn
        self._settings = {"role": role, "application_name": "yima signals"}

    async def listen(self, tell: Callable[[], None]) -> None:
        """Call `tell` at each notification, and after each new connection."""
        delay = _FIRST_DELAY
        while True:
            try:
                connection = await asyncpg.connect(
                    self._dsn, server_settings=self._settings, timeout=5, command_timeout=_ANSWER_SECONDS
                )
                delay = _FIRST_DELAY
                await self._hear(connection, tell)
            except (OSError, asyncpg.PostgresError, *LOST):
                _logger.warning("signals: connection lost; listening again")
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _hear(self, connection: asyncpg.Connection, tell: Callable[[], None]) -> None:
        lost = asyncio.Event()

        def notified(*_told: object) -> None:
            tell()

        def ended(_connection: object) -> None:
            lost.set()

        try:
            connection.add_termination_listener(ended)
            await connection.add_listener(CHANNEL, notified)
            tell()  # what was said before nobody heard
            while not lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_HEALTH_SECONDS):
                        await lost.wait()
                    raise ConnectionResetError
                await connection.execute("SELECT 1")  # a line that is dead without having been cut
        finally:
            connection.remove_termination_listener(ended)
            with suppress(OSError, asyncpg.PostgresError, *LOST):
                await connection.close(timeout=2)


class PostgresAnnouncements:
    """One NOTIFY a batch, sent by the commit itself."""

    async def with_commit(self, connection: Connection, position: int) -> None:
        """Notify with nothing but the newest position."""
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(position))

    async def after_commit(self, position: int) -> None:
        """Nothing is left to say."""

    async def close(self) -> None:
        """Nothing is held."""


class RedisSignals:
    """One subscription per process."""

    def __init__(self, access: RedisAccess) -> None:
        """Subscribe at the Redis that `access` names."""
        self._access = access

    async def listen(self, tell: Callable[[], None]) -> None:
        """Call `tell` at each message, and after each new connection."""
        delay = _FIRST_DELAY
        while True:
            try:
                async with _client(self._access) as client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    delay = _FIRST_DELAY
                    await self._hear(subscription, tell)
            except (OSError, RedisError):
                _logger.warning("signals: Redis is away; subscribing again")
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _hear(self, subscription: PubSub, tell: Callable[[], None]) -> None:
        is_asked = False
        while True:
            said = await subscription.get_message(timeout=_HEALTH_SECONDS)
            if said is not None:  # also the word that we are subscribed: what was said before nobody heard
                is_asked = False
                tell()
            elif is_asked:
                raise ConnectionResetError
            else:
                is_asked = True
                await subscription.ping()  # a line that is dead without having been cut


class RedisAnnouncements:
    """One message a batch, after the commit: before it nobody could read what it tells of."""

    def __init__(self, access: RedisAccess) -> None:
        """Publish at the Redis that `access` names."""
        self._client = _client(access)
        self._is_away = False

    async def with_commit(self, connection: Connection, position: int) -> None:
        """Nothing yet."""

    async def after_commit(self, position: int) -> None:
        """Publish the newest position; when Redis does not take it at once the servers look by the clock."""
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._client.publish(CHANNEL, str(position))
        except (OSError, RedisError):  # a TimeoutError is an OSError
            if not self._is_away:
                _logger.warning("relay: Redis is away; servers look every second")
            self._is_away = True
        else:
            self._is_away = False

    async def close(self) -> None:
        """Close the connection."""
        with suppress(OSError, RedisError):
            await self._client.aclose()


def _client(access: RedisAccess) -> Redis:
    return Redis.from_url(
        access.url,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # whoever calls knows better when to try again
        client_name="yima",
    )


def signals_of(access: RedisAccess | None, dsn: str, role: str) -> Signals:
    """The ear that the settings choose."""
    return PostgresSignals(dsn, role) if access is None else RedisSignals(access)


def announcements_of(access: RedisAccess | None) -> Announcements:
    """The voice that fits it."""
    return PostgresAnnouncements() if access is None else RedisAnnouncements(access)
