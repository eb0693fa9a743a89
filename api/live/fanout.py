"""Fan-out by keys: an event finds those whom it concerns by its officers, departments and regions.

Who sees the same stands in one group, and a group under one key, so that an event is judged once a group that may
concern it, however many people watch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from api.live.model import Placed, Reach, ServerLeaves, SlowConsumer
from api.live.scope import Scope

MOST_WAITING: Final = 1000
"""So many events may wait for one reader; a further one cuts it off."""

_Key = tuple[str, UUID | str]


class Consumer:
    """One reader: what waits for it, and why it has to end."""

    __slots__ = ("_leaves", "_most", "_overflowed", "_waiter", "_waiting", "scope")

    def __init__(self, scope: Scope, most: int = MOST_WAITING) -> None:
        """A reader of `scope` for whom at most `most` events wait."""
        self.scope = scope
        self._most = most
        self._waiting: deque[Placed] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._overflowed = False
        self._leaves = False

    def offer(self, placed: Placed) -> None:
        """One more event."""
        if len(self._waiting) >= self._most:
            self._overflowed = True
        else:
            self._waiting.append(placed)
        self._wake()

    def end(self) -> None:
        """The process is about to stop."""
        self._leaves = True
        self._wake()

    async def take(self, seconds: float) -> Placed | None:
        """The next event, or None when none came for `seconds`. Raises `SlowConsumer` or `ServerLeaves`."""
        if not (self._waiting or self._overflowed or self._leaves):
            await self._wait(seconds)
        if self._overflowed:
            raise SlowConsumer
        if self._leaves:
            raise ServerLeaves
        return self._waiting.popleft() if self._waiting else None

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(seconds, _finish, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None:
            _finish(self._waiter)


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Fanout:
    """Everybody who watches in this process."""

    def __init__(self) -> None:
        """Nobody watches yet."""
        self._groups: dict[Scope, set[Consumer]] = {}
        self._scopes: dict[_Key, set[Scope]] = {}

    def __len__(self) -> int:
        """How many readers there are."""
        return sum(map(len, self._groups.values()))

    def join(self, consumer: Consumer) -> None:
        """From now on it gets what concerns its scope."""
        self._groups.setdefault(consumer.scope, set()).add(consumer)
        self._scopes.setdefault(_key_of(consumer.scope), set()).add(consumer.scope)

    def leave(self, consumer: Consumer) -> None:
        """It gets nothing more, and the last one of its scope leaves nothing behind."""
        scope = consumer.scope
        group = self._groups.get(scope)
        if group is None:
            return
        group.discard(consumer)
        if not group:
            del self._groups[scope]
            key = _key_of(scope)
            self._scopes[key].discard(scope)
            if not self._scopes[key]:
                del self._scopes[key]

    def spread(self, placed: Placed) -> None:
        """Offer an event to each reader whom it concerns, once: a scope stands under one key alone."""
        for key in _keys_of(placed.reach):
            for scope in self._scopes.get(key, ()):
                if scope.admits(placed.reach):
                    for consumer in self._groups[scope]:
                        consumer.offer(placed)

    def end(self) -> None:
        """Tell everybody that the process is about to stop."""
        for group in self._groups.values():
            for consumer in group:
                consumer.end()


def _key_of(scope: Scope) -> _Key:
    """The narrowest thing that a scope demands."""
    if scope.officer_id is not None:
        return ("officer", scope.officer_id)
    if scope.department_id is not None:
        return ("department", scope.department_id)
    return ("region", scope.region or "")


def _keys_of(reach: Reach) -> Iterator[_Key]:
    for officer in reach.officers:
        yield ("officer", officer)
    for department in reach.departments:
        yield ("department", department)
    region = reach.region
    while region:
        yield ("region", region)
        region = region.rpartition(".")[0]
