"""The ways to people that an installation has set up."""

from __future__ import annotations

from datetime import timedelta

from api.delivery.console import Console
from api.delivery.senders import Senders
from api.mail_bounces import open_mail_sender
from api.settings import Settings
from api.sms_receipts import open_providers, rates_of
from api.wiring import Parts

CONSOLE_FILE = "messages.jsonl"


def open_senders(settings: Settings, parts: Parts) -> Senders:
    """What `settings` name; a channel for which they name nothing goes into a file of `var`."""
    mail = None if settings.mail is None else open_mail_sender(settings.mail, parts)
    rates = dict(rates_of(settings))
    if mail is not None and settings.mail is not None:
        rates[mail.name] = settings.mail.per_second
    return Senders(
        sms=open_providers(settings, parts.keys),
        mail=mail,
        console=Console(settings.var / CONSOLE_FILE),
        per_second=rates,
        settle_after=timedelta(seconds=settings.settle_after),
    )
