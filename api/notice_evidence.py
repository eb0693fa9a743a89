"""送达信息 of an order: its messages with their tries and receipts, and the openings of their links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from api.paper_messages import SERVING
from domain.document.link.evidence import NoticeMessage, NoticeReceipt, NoticeTry
from domain.document.link.store import OPENINGS_OF_MESSAGES
from domain.shared.sql import Connection, Query
from notifications import filed
from notifications.filed import FiledAttempt, FiledMessage, FiledReceipt
from notifications.templates import template_of

_MESSAGES: Final = Query(filed.MESSAGES_OF_SUBJECT, FiledMessage)
_ATTEMPTS: Final = Query(filed.ATTEMPTS_OF_MESSAGES, FiledAttempt)
_RECEIPTS: Final = Query(filed.RECEIPTS_OF_MESSAGES, FiledReceipt)


class _OfMessage(Protocol):
    @property
    def message_id(self) -> UUID: ...


Row = TypeVar("Row", bound=_OfMessage)


async def messages_about(connection: Connection, subject_id: UUID) -> list[NoticeMessage]:
    """What was sent to the enterprise about an order, the oldest first; for who may read the order."""
    messages = await _MESSAGES.all(connection, subject_id=subject_id)
    if not messages:
        return []
    ids = [each.id for each in messages]
    attempts = _by_message(await _ATTEMPTS.all(connection, messages=ids))
    receipts = _by_message(await _RECEIPTS.all(connection, messages=ids))
    openings = _by_message(await OPENINGS_OF_MESSAGES.all(connection, messages=ids))
    return [
        NoticeMessage(
            id=each.id,
            title=template_of(each.template, each.template_version).title,
            channel=each.channel,
            is_notice=each.template in SERVING,
            state=each.state,
            state_label=each.state.label,
            address=each.address_masked,
            written_at=each.created_at,
            sent_at=each.sent_at,
            delivered_at=each.delivered_at,
            reason=None if each.reason is None else each.reason.label,
            tries=_tries(attempts[each.id]),
            receipts=_receipts(receipts[each.id]),
            openings=[opening.opened_at for opening in openings[each.id]],
        )
        for each in messages
    ]


def _by_message(rows: Iterable[Row]) -> Mapping[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(row)
    return found


def _tries(attempts: Sequence[FiledAttempt]) -> list[NoticeTry]:
    return [
        NoticeTry(
            number=each.number,
            provider=each.provider,
            state=each.state,
            began_at=each.started_at,
            ended_at=each.ended_at,
            reason=None if each.reason is None else each.reason.label,
        )
        for each in attempts
    ]


def _receipts(receipts: Sequence[FiledReceipt]) -> list[NoticeReceipt]:
    return [
        NoticeReceipt(number=each.number, state=each.state, at=each.at, received_at=each.received_at)
        for each in receipts
    ]
