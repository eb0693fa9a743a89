"""What people do with messages: a to-do closed by hand, a message put back, an address blocked or freed."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.shared.events import Event


class ToDoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A to-do in the trace: of which template, about what."""

    template: str
    subject: str | None


class ToDoClosed(Event, frozen=True, kw_only=True):
    """待办办结 by hand."""

    business: ClassVar[str] = "消息服务"
    power: ClassVar[str] = "内部管理"
    duty: ClassVar[str] = "待办办结"
    action: ClassVar[str] = "message.to_do_closed"
    subject: ClassVar[str] = "message"

    before: None = None
    after: ToDoFacts


class RetryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A message that had been given up, and why."""

    template: str
    channel: str
    state: str
    reason: str | None


class MessagePutBack(Event, frozen=True, kw_only=True):
    """死信重发."""

    business: ClassVar[str] = "消息服务"
    power: ClassVar[str] = "内部管理"
    duty: ClassVar[str] = "消息重发"
    action: ClassVar[str] = "message.put_back"
    subject: ClassVar[str] = "message"

    before: RetryFacts
    after: None = None


class BlockFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A block in the trace. Of the address it says nothing: `subject_id` leads to its row."""

    channel: str
    kind: str


class _BlockEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "消息服务"
    power: ClassVar[str] = "内部管理"
    subject: ClassVar[str] = "address_block"

    before: BlockFacts | None = None
    after: BlockFacts | None = None


class AddressBlocked(_BlockEvent, frozen=True, kw_only=True):
    """退订 or 列入黑名单."""

    duty: ClassVar[str] = "发送限制"
    action: ClassVar[str] = "address_block.set"


class AddressFreed(_BlockEvent, frozen=True, kw_only=True):
    """解除发送限制."""

    duty: ClassVar[str] = "发送限制解除"
    action: ClassVar[str] = "address_block.lifted"
