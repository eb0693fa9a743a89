"""What an operation is given, and what it gives back."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from domain.shared.events import Event
from domain.shared.ids import new_id
from domain.shared.numbers import NumberRequest
from domain.shared.random import Random
from domain.shared.sql import Connection
from domain.shared.vault import Vault

Answer = TypeVar("Answer")


class Transaction:
    """One open transaction: its connection, the instant of receipt, and the sources an operation may use.

    `done_at` is the instant at which the act was done by the phone's clock, bounded by the receipt; it equals `now`
    unless the write comes late. Authority is judged as of `done_at`, state as of `now`.
    """

    __slots__ = ("connection", "done_at", "now", "random", "vault")

    def __init__(
        self, connection: Connection, *, now: datetime, random: Random, vault: Vault, done_at: datetime | None = None
    ) -> None:
        """Hold the parts; nothing is started here."""
        self.connection = connection
        self.now = now
        self.done_at = now if done_at is None else done_at
        self.random = random
        self.vault = vault

    def new_id(self) -> UUID:
        """A fresh UUIDv7 of this transaction's instant."""
        return new_id(self.now, self.random)


class Outcome(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """What an operation did: answer, events for trace and reactions, numbers still to issue, where to read it."""

    answer: Answer
    events: tuple[Event, ...] = ()
    numbers: tuple[NumberRequest, ...] = ()
    location: str | None = None
