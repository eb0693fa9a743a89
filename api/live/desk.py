"""One watcher from admission to the last frame, whichever way the frames travel."""

from __future__ import annotations

import base64
import enum
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final
from uuid import UUID

import msgspec

from api.live.feed import HEARTBEAT, MOST_BEHIND, Feed
from api.live.model import Heartbeat, Placed, Ready, ServerLeaves, SlowConsumer, TooManyConnections
from api.live.rows import LATEST
from api.live.scope import Scope, narrow, read_wish, scope_of
from api.live.snapshot import SnapshotReason, Snapshots, frames_of
from api.wiring import Parts
from domain.identity.model import Department, Principal
from domain.identity.store import ALL_DEPARTMENTS
from domain.shared.errors import InvalidField

MOST_CONNECTIONS: Final = 8
"""So many an account may hold open at one server process."""
_POSITION_DIGITS: Final = 18


class Frame(msgspec.Struct, frozen=True):
    """What is sent: its kind, its text, and the position that is safe to come again with once it has arrived."""

    kind: str
    text: str
    position: int | None = None


class CloseCode(enum.IntEnum):
    """Why a connection ends; each may come again, with its last position unless another thing is said."""

    SERVER_LEAVES = 1012
    TRY_AGAIN = 1011
    BAD_CURSOR = 4400
    SIGN_IN_AGAIN = 4401
    TOO_SLOW = 4408

    @property
    def reason(self) -> str:
        """What the client is told to do."""
        return _REASONS[self]


_REASONS: Final = {
    CloseCode.SERVER_LEAVES: "server restarts; resume from the last position",
    CloseCode.TRY_AGAIN: "try again",
    CloseCode.BAD_CURSOR: "after",
    CloseCode.SIGN_IN_AGAIN: "sign in again",
    CloseCode.TOO_SLOW: "too slow; resume from the last position",
}


def close_code_of(failure: BaseException | None) -> CloseCode:
    """The code that tells why sending ended. Who accepts nothing for a while is too slow, too."""
    match failure:
        case SlowConsumer() | TimeoutError():
            return CloseCode.TOO_SLOW
        case ServerLeaves():
            return CloseCode.SERVER_LEAVES
        case _:
            return CloseCode.TRY_AGAIN


def read_position(text: str | None) -> int | None:
    """The position that a client names. Raises `InvalidField`."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _POSITION_DIGITS):
        raise InvalidField("位置须为非负整数。", field="after")
    return int(text)


class _Claims(msgspec.Struct):
    exp: int


class LiveDesk:
    """Lets watchers in and serves them, in one server process."""

    def __init__(self, parts: Parts, feed: Feed) -> None:
        """Serve what `feed` reads."""
        self._parts = parts
        self._feed = feed
        self._snapshots = Snapshots(parts)
        self._seats: Counter[UUID] = Counter()
        self.quiet_seconds = HEARTBEAT
        self.most_behind = MOST_BEHIND

    async def scope(self, principal: Principal, query: Mapping[str, str]) -> Scope:
        """What `principal` sees of what they ask for. Raises `InvalidField`, `Forbidden` or `DatabaseAway`."""
        own, wish = scope_of(principal), read_wish(query)
        department = None if wish.department_id is None else await self._department(wish.department_id)
        return narrow(own, principal, wish, department)

    async def _department(self, department_id: UUID) -> Department | None:
        async with self._parts.work.reading() as connection:
            departments = await ALL_DEPARTMENTS.all(connection)
        return next((each for each in departments if each.id == department_id), None)

    def take_seat(self, account_id: UUID) -> None:
        """Count one more connection of the account, until `leave_seat`. Raises `TooManyConnections`."""
        if self._seats[account_id] >= MOST_CONNECTIONS:
            raise TooManyConnections(f"同一账号最多同时打开{MOST_CONNECTIONS}个现场动态连接。", most=MOST_CONNECTIONS)
        self._seats[account_id] += 1

    def leave_seat(self, account_id: UUID) -> None:
        """The connection has ended."""
        self._seats[account_id] -= 1
        if self._seats[account_id] <= 0:
            del self._seats[account_id]

    def seconds_left(self, token: str) -> float:
        """How long a token that was accepted is still good for."""
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
        return max(0.0, claims.exp - self._parts.clock().timestamp())

    async def frames(self, scope: Scope, after: int | None) -> AsyncGenerator[Frame]:
        """Ready, a snapshot unless `after` is still good, then events and heartbeats without end.

        Raises `SlowConsumer`, `ServerLeaves` or `DatabaseAway`.
        """
        reason = await self._why_snapshot(after)
        if reason is None and after is not None:
            start = after
            yield Frame("ready", _text(Ready(start)), start)
        else:
            taken = await self._snapshots.take()
            start = taken.position
            yield Frame("ready", _text(Ready(start)))
            pages = list(frames_of(taken, scope, reason or SnapshotReason.START))
            for number, text in enumerate(pages, start=1):
                yield Frame("snapshot", text, start if number == len(pages) else None)
        async with aclosing(self._feed.follow(scope, start, quiet_seconds=self.quiet_seconds)) as events:
            async for each in events:
                if isinstance(each, Placed):
                    yield Frame("event", each.text, each.position)
                else:
                    yield Frame("heartbeat", _text(Heartbeat(each.position)), each.position)

    async def _why_snapshot(self, after: int | None) -> SnapshotReason | None:
        """None where it is enough to send what was missed since `after`."""
        present = await self._feed.present_end()
        if after is None:
            return SnapshotReason.START
        if present - after > self.most_behind:
            return SnapshotReason.TOO_OLD
        if after > present and after > await self._newest():
            return SnapshotReason.UNKNOWN_POSITION  # a position of another database, or of ours before it was restored
        return None

    async def _newest(self) -> int:
        async with self._parts.work.reading() as connection:
            return (await LATEST.one(connection)).position


def _text(frame: Ready | Heartbeat) -> str:
    return msgspec.json.encode(frame).decode()
