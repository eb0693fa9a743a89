"""A phone that once answered 退订 and now, verified, asks to be told again: the newer word of its owner holds."""

from __future__ import annotations

from typing import Final

from api.address_blocks import STANDING, known_address
from api.message_events import AddressFreed, BlockFacts
from domain.shared.events import Event
from domain.shared.sql import Command
from domain.shared.transaction import Transaction
from domain.visitor.model import CitizenPass
from domain.visitor.operations import verified_phone
from notifications import blocks
from notifications.blocks import BlockKind
from notifications.message import Channel

_LIFT: Final = Command(blocks.LIFT_BLOCK)


async def lift_own_stop(tx: Transaction, citizen: CitizenPass) -> tuple[Event, ...]:
    """Lift what the pass's phone itself set by an answer. What the office set stands until the office lifts it.

    Raises `PhoneNotVerified`.
    """
    known = known_address(tx.vault, Channel.SMS, await verified_phone(tx, citizen))
    standing = await STANDING.all(tx.connection, address_index=known.index, channel=Channel.SMS)
    own = [each for each in standing if each.kind is BlockKind.OPTED_OUT and each.set_by is None]
    for each in own:
        await _LIFT.run(tx.connection, block_id=each.id, lifted_by=None, lifted_at=tx.now)
    return tuple(
        AddressFreed(subject_id=each.id, before=BlockFacts(channel=each.channel, kind=each.kind)) for each in own
    )
