"""订阅摘要, once a day from eight in the morning: who asked for it is told what became public, in pages."""

from __future__ import annotations

from typing import Final

from api.register import INSTALLATION
from api.wiring import Parts
from domain.subscription.digests import Matches, forget_old, make_digests
from domain.subscription.operations import forget_unconfirmed
from domain.subscription.rules import is_time

_AT_ONCE: Final = 200
_FORGOTTEN_AT_ONCE: Final = 1_000


async def send_digests(parts: Parts) -> int:
    """Make every digest whose day has come; gives how many subscribers were looked at.

    Each page is one transaction, with its messages: stopped anywhere, the next round goes on where it was. Several
    workers share the pages, since each passes over what another has in hand.
    """
    if not is_time(parts.clock()):
        return 0
    matches = Matches()
    looked_at = 0
    while page := await parts.work.run(INSTALLATION, lambda tx: make_digests(tx, matches, _AT_ONCE)):
        looked_at += page
    return looked_at


async def forget_subscriptions(parts: Parts) -> None:
    """What was never confirmed, with its address; digests and news that have had their time."""
    while await parts.work.run(INSTALLATION, lambda tx: forget_unconfirmed(tx, _FORGOTTEN_AT_ONCE)):
        continue
    while await parts.work.run(INSTALLATION, lambda tx: forget_old(tx, _FORGOTTEN_AT_ONCE)):
        continue
