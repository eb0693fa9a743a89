"""The ways to people: SMS providers in the order in which they stand in for each other, mail, or a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec

from api.delivery.console import Console
from notifications.deliver import SETTLE_AFTER
from notifications.mail.port import MailSender
from notifications.message import Channel
from notifications.sms.port import SmsProvider

PER_SECOND = 20.0
"""What a provider is given a second where nothing else is agreed with it."""


class Senders(msgspec.Struct, frozen=True, kw_only=True):
    """What messages go out by. A channel for which nothing is set up goes to `console`, which is for development.

    `per_second` says how many messages a provider takes, by its name; 0: as many as there are. `settle_after` is how
    long a receipt is waited for where nobody can say whether a message was taken.
    """

    sms: tuple[SmsProvider, ...] = ()
    mail: MailSender | None = None
    console: Console | None = None
    per_second: Mapping[str, float] = {}
    settle_after: timedelta = SETTLE_AFTER

    def names(self, channel: Channel) -> tuple[str, ...]:
        """The names of what serves `channel`, the preferred one first."""
        match channel:
            case Channel.SMS if self.sms:
                return tuple(provider.name for provider in self.sms)
            case Channel.EMAIL if self.mail is not None:
                return (self.mail.name,)
            case Channel.IN_APP:
                return ()
            case _:
                return () if self.console is None else (self.console.name,)

    def provider(self, name: str) -> SmsProvider | None:
        """The SMS provider of that name, as long as it is set up."""
        return next((provider for provider in self.sms if provider.name == name), None)

    def interval(self, name: str) -> float:
        """Seconds between two messages to that provider."""
        rate = self.per_second.get(name, PER_SECOND)
        return 1 / rate if rate > 0 and not self.is_console(name) else 0.0

    def is_console(self, name: str) -> bool:
        """Whether that name is the file's."""
        return self.console is not None and name == self.console.name

    async def close(self) -> None:
        """Let go of all connections."""
        for sender in self._all():
            await sender.close()

    def _all(self) -> Iterator[SmsProvider | MailSender]:
        yield from self.sms
        if self.mail is not None:
            yield self.mail
