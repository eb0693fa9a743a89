"""退订 and 黑名单: who may say that an address gets no more, and what a phone answers to a message."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import hashes, hmac

from api.message_events import AddressBlocked, AddressFreed, BlockFacts
from codes.phone import mask_phone, normalise_mobile
from domain.identity.model import Principal, Role
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound
from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.sql import Command, Connection, Query
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from notifications import blocks
from notifications.blocks import ADDRESS_LABELS, AddressBlock, BlockKind, comparable_mail, mask_mail
from notifications.mail.letter import mailbox
from notifications.message import Channel
from notifications.outcome import Refused

STOP_WORDS: Final = frozenset({"T", "TD", "退订", "QX", "取消", "STOP", "UNSUBSCRIBE"})
"""What a phone answers to get no more; written anyhow, with any punctuation around it."""
_NO_WORD: Final = re.compile(r"[\W_]+")
_INCOMING: Final = b"incoming messages"

_PUT = Command(blocks.PUT_BLOCK)
_LIFT = Command(blocks.LIFT_BLOCK)
BLOCK = Query(blocks.BLOCK_BY_ID, AddressBlock)
STANDING = Query(blocks.STANDING_OF_ADDRESS, AddressBlock)
ALL_STANDING = Query(blocks.LIST_STANDING, AddressBlock)
STANDING_OF_KIND = Query(blocks.LIST_STANDING_OF_KIND, AddressBlock)


class BlockAlreadyLifted(DomainError):
    """The block does not stand any more."""


class KnownAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address as blocks know it."""

    index: bytes
    masked: str


class BlockStands(msgspec.Struct, frozen=True, kw_only=True):
    """A block that stands now; `is_new` False: it stood before."""

    id: UUID
    kind: BlockKind
    is_new: bool


class BlockLifted(msgspec.Struct, frozen=True, kw_only=True):
    """A block that is lifted."""

    id: UUID


def known_address(vault: Vault, channel: Channel, address: str) -> KnownAddress:
    """`address` by its blind index and masked. Raises `InvalidField` for what is no address of that channel."""
    if channel is Channel.SMS:
        number = normalise_mobile(address)
        if number is None:
            raise InvalidField("应为 11 位手机号码。", field="address")
        return KnownAddress(index=vault.blind_index(ADDRESS_LABELS[channel], number), masked=mask_phone(number))
    if channel is Channel.EMAIL:
        try:
            compared = comparable_mail(mailbox(address))
        except Refused as refused:
            raise InvalidField("应为邮箱地址。", field="address") from refused
        return KnownAddress(index=vault.blind_index(ADDRESS_LABELS[channel], compared), masked=mask_mail(compared))
    raise InvalidField("站内消息没有地址。", field="channel")


def require_may_block(principal: Principal, kind: BlockKind) -> None:
    """Whoever asks the office to be left alone is; the 黑名单 and mail that came back are the administrator's.

    Raises `Forbidden`.
    """
    if principal.role is not Role.ADMINISTRATOR and kind is not BlockKind.OPTED_OUT:
        raise Forbidden("黑名单和退信由系统管理员维护。")


async def find_standing(connection: Connection, vault: Vault, channel: Channel, address: str) -> list[AddressBlock]:
    """What stands against `address`, by which only who knows it can ask. Raises `InvalidField`."""
    known = known_address(vault, channel, address)
    return await STANDING.all(connection, address_index=known.index, channel=channel)


async def block_address(
    tx: Transaction, principal: Principal, channel: Channel, address: str, kind: BlockKind, note: str | None
) -> Outcome[BlockStands]:
    """退订 on request, or 列入黑名单. Again changes nothing. Raises `Forbidden` and `InvalidField`."""
    require_may_block(principal, kind)
    if kind is BlockKind.BOUNCED:
        raise InvalidField("退信由邮件系统登记。", field="kind")
    known = known_address(tx.vault, channel, address)
    return await set_block(tx, channel, known, kind, note=note, set_by=principal.account_id)


async def set_block(
    tx: Transaction,
    channel: Channel,
    known: KnownAddress,
    kind: BlockKind,
    *,
    note: str | None = None,
    set_by: UUID | None = None,
) -> Outcome[BlockStands]:
    """One block of that kind stands against the address, whoever asks and how often; without `set_by` its owner did."""
    block_id = tx.new_id()
    is_new = await _PUT.run(
        tx.connection,
        id=block_id,
        channel=channel,
        address_index=known.index,
        address_masked=known.masked,
        kind=kind,
        note=note,
        set_by=set_by,
        set_at=tx.now,
    )
    if is_new:
        event = AddressBlocked(subject_id=block_id, after=BlockFacts(channel=channel, kind=kind))
        return Outcome(answer=BlockStands(id=block_id, kind=kind, is_new=True), events=(event,))
    standing = await STANDING.all(tx.connection, address_index=known.index, channel=channel)
    known_id = next((each.id for each in standing if each.kind is kind), block_id)
    return Outcome(answer=BlockStands(id=known_id, kind=kind, is_new=False))


async def lift_block(tx: Transaction, principal: Principal, block_id: UUID) -> Outcome[BlockLifted]:
    """解除. Raises `NotFound`, `Forbidden` and `BlockAlreadyLifted`."""
    found = await BLOCK.first(tx.connection, block_id=block_id)
    if found is None:
        raise NotFound("没有该发送限制。")
    require_may_block(principal, found.kind)
    if not await _LIFT.run(tx.connection, block_id=block_id, lifted_by=principal.account_id, lifted_at=tx.now):
        raise BlockAlreadyLifted("该发送限制已解除。")
    event = AddressFreed(subject_id=block_id, before=BlockFacts(channel=found.channel, kind=found.kind))
    return Outcome(answer=BlockLifted(id=block_id), events=(event,))


# ---- what phones answer


def asks_to_stop(text: str) -> bool:
    """Whether a phone's answer is one of the words that end messages to it."""
    return _NO_WORD.sub("", unicodedata.normalize("NFKC", text)).upper() in STOP_WORDS


def incoming_secret(keys: KeyRing) -> str:
    """What stands in the address to which the gateway hands on what phones answer, under today's key."""
    _, key = keys.current(KeyPurpose.RECEIPT)
    return _secret(key)


def is_incoming_secret(keys: KeyRing, told: str) -> bool:
    """Whether `told` is that of any key that still verifies, in constant time."""
    return keys.verify(KeyPurpose.RECEIPT, told.encode(), lambda key: _secret(key).encode())


def _secret(key: bytes) -> str:
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(_INCOMING)
    return mac.finalize()[:16].hex()


async def take_answer(tx: Transaction, sender: str, text: str) -> Outcome[bool]:
    """What a phone sent back: a word that ends messages opts it out; all else is nobody's to read here."""
    number = normalise_mobile(sender)
    if number is None or not asks_to_stop(text):
        return Outcome(answer=False)
    known = known_address(tx.vault, Channel.SMS, number)
    stands = await set_block(tx, Channel.SMS, known, BlockKind.OPTED_OUT, note="短信回复退订")
    return Outcome(answer=True, events=stands.events)
