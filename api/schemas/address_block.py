"""退订 and 黑名单 on the wire: an address goes in, and never comes out but masked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from notifications.blocks import AddressBlock, BlockKind
from notifications.message import Channel

_Address = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class BlockOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """退订 on request (`opted_out`) or 列入黑名单 (`blacklisted`). `note` is why, without personal data."""

    channel: Channel
    address: _Address
    kind: BlockKind
    note: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class BlockLookup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether anything stands against an address. It stands in a body, not in a URL that logs keep."""

    channel: Channel
    address: _Address


class BlockLine(msgspec.Struct, frozen=True, kw_only=True):
    """A block that stands. `set_by` null: the address's owner, or a mail that came back."""

    id: UUID
    channel: Channel
    address: str
    kind: BlockKind
    kind_label: str
    note: str | None
    set_by: UUID | None
    set_at: datetime


class BlockPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[BlockLine]
    next_cursor: str | None


def to_block_line(block: AddressBlock) -> BlockLine:
    """A line."""
    return BlockLine(
        id=block.id,
        channel=block.channel,
        address=block.address_masked,
        kind=block.kind,
        kind_label=block.kind.label,
        note=block.note,
        set_by=block.set_by,
        set_at=block.set_at,
    )
