"""退订, 黑名单 and bouncing mailboxes: statements on the addresses to which not everything may be sent.

An address is known here by its blind index alone, made with the label of its channel, and shown masked.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from notifications.message import Channel
from notifications.tables import address_block

ADDRESS_LABELS: Final[Mapping[Channel, str]] = {Channel.SMS: "message.phone", Channel.EMAIL: "message.mail"}
"""The label under which an address of each channel is indexed: the eleven digits of a mobile, a mail address as it is
compared (`comparable_mail`). Tries to send and blocks share it."""


class BlockKind(enum.StrEnum):
    """Why not everything is sent to an address."""

    OPTED_OUT = "opted_out"
    BLACKLISTED = "blacklisted"
    BOUNCED = "bounced"

    @property
    def label(self) -> str:
        """The kind's Chinese name."""
        return _LABELS[self]


_LABELS = {
    BlockKind.OPTED_OUT: "已退订",
    BlockKind.BLACKLISTED: "黑名单",
    BlockKind.BOUNCED: "邮件退回",
}


class AddressBlock(msgspec.Struct, frozen=True, kw_only=True):
    """One block: of which address (masked), of which kind, set and perhaps lifted by whom.

    No setter: the address's owner, by a reply or a link, or a bounce.
    """

    id: UUID
    channel: Channel
    address_masked: str
    kind: BlockKind
    note: str | None
    set_by: UUID | None
    set_at: datetime
    lifted_by: UUID | None
    lifted_at: datetime | None


def comparable_mail(address: str) -> str:
    """A mail address as two are compared: nobody has two mailboxes that differ in capitals alone.

    A domain in other letters than Latin ones is the same as its ASCII form.
    """
    local, at, host = address.strip().lower().rpartition("@")
    try:
        return f"{local}{at}{host.encode('idna').decode('ascii')}"
    except UnicodeError:  # no domain at all: it equals only itself
        return f"{local}{at}{host}"


def mask_mail(address: str) -> str:
    """A mail address for display, `w***@qq.com`; what is none is hidden entirely."""
    name, at, host = address.strip().rpartition("@")
    return f"{name[:1]}***@{host}" if name and at and host else "***"


_STANDS = address_block.c.lifted_at.is_(None)
_COLUMNS = [address_block.c[name] for name in AddressBlock.__struct_fields__]

PUT_BLOCK = (
    upsert(address_block)
    .values(
        {
            name: sa.bindparam(name, type_=address_block.c[name].type)
            for name in ("id", "channel", "address_index", "address_masked", "kind", "note", "set_by", "set_at")
        }
    )
    .on_conflict_do_nothing(index_elements=["address_index", "channel", "kind"], index_where=_STANDS)
)
"""Touches no row where a block of that kind stands already."""

LIFT_BLOCK = (
    sa.update(address_block)
    .where(address_block.c.id == sa.bindparam("block_id"), _STANDS)
    .values(
        lifted_by=sa.bindparam("lifted_by", type_=sa.Uuid),
        lifted_at=sa.bindparam("lifted_at", type_=sa.DateTime(timezone=True)),
    )
)

BLOCK_BY_ID = sa.select(*_COLUMNS).where(address_block.c.id == sa.bindparam("block_id"))

STANDING_OF_ADDRESS = (
    sa.select(*_COLUMNS)
    .where(
        address_block.c.address_index == sa.bindparam("address_index"),
        address_block.c.channel == sa.bindparam("channel"),
        _STANDS,
    )
    .order_by(address_block.c.id.desc())
)

LIST_STANDING = (
    sa.select(*_COLUMNS)
    .where(address_block.c.id < sa.bindparam("before_id"), _STANDS)
    .order_by(address_block.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
"""The newest first; `ix_address_block_standing`."""

LIST_STANDING_OF_KIND = (
    sa.select(*_COLUMNS)
    .where(
        address_block.c.kind == sa.bindparam("kind"),
        address_block.c.id < sa.bindparam("before_id"),
        _STANDS,
    )
    .order_by(address_block.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
"""The newest first; `ix_address_block_standing_kind`."""
