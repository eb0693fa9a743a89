"""What follows from an event, in the same transaction: messages to people, chores for the worker. All stands here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.document.events import DocumentIssued
from domain.evidence.events import EvidenceStored
from domain.inspection.completion.events import InspectionCompleted
from domain.inspection.events import CheckedIn
from domain.publication.operations import open_publication
from domain.rectification.events import RectificationOrderIssued
from domain.rectification.model import ConsentMeans
from domain.shared.chores import Chore, ChoreKind
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.transaction import Transaction
from notifications.message import Channel, Message, Recipient


def _announce_arrival(event: CheckedIn) -> list[Message]:
    """The enterprise learns who stands at its door; leads learn at once of a position in doubt (位置待核)."""
    messages: list[Message] = []
    if event.is_news:
        messages.append(_arrival(event))
    if event.after.flags:
        messages.append(_position_in_doubt(event))
    return messages


def _arrival(event: CheckedIn) -> Message:
    return Message(
        template="arrival",
        channel=Channel.SMS,
        recipient=Recipient.ENTERPRISE,
        recipient_id=event.enterprise_id,
        parameters={
            "department": event.department_name,
            "officers": str(event.officer_count),
            "notice": event.notice_number or "",
            "hotline": event.hotline or "",
        },
    )


def _position_in_doubt(event: CheckedIn) -> Message:
    return Message(
        template="position_in_doubt",
        channel=Channel.IN_APP,
        recipient=Recipient.DEPARTMENT_LEADS,
        recipient_id=event.after.department_id,
        parameters={"inspection_id": str(event.subject_id), "flags": ",".join(event.after.flags)},
    )


def _announce_order(event: RectificationOrderIssued) -> list[Message]:
    """With consent on file the message may serve, without it only reminds of the paper (one-code.md "Service")."""
    messages = [_of_order(event, Channel.SMS, has_consent=ConsentMeans.SMS in event.consents)]
    if ConsentMeans.EMAIL in event.consents:
        messages.append(_of_order(event, Channel.EMAIL, has_consent=True))
    return messages


def _of_order(event: RectificationOrderIssued, channel: Channel, *, has_consent: bool) -> Message:
    at_once = event.due_on <= local_date(event.after.issued_at)
    return Message(
        template="order_issued" if has_consent else "order_issued_reminder",
        channel=channel,
        recipient=Recipient.ENTERPRISE,
        recipient_id=event.enterprise_id,
        parameters={
            "department": event.department_name,
            "due": "立即" if at_once else f"{event.due_on.month}月{event.due_on.day}日前",
            "hotline": event.hotline or "",
            # The 文号 is issued by the last statement, after this row: it is looked up when the message is sent.
            "document_id": str(event.document_id),
        },
    )


_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    CheckedIn: _announce_arrival,
    RectificationOrderIssued: _announce_order,
}


def _render(event: DocumentIssued) -> Chore:
    return Chore(kind=ChoreKind.RENDER_DOCUMENT, subject=event.subject_id.bytes)


def _copy(event: EvidenceStored) -> Chore:
    return Chore(kind=ChoreKind.COPY_EVIDENCE, subject=bytes.fromhex(event.after.digest))


_CHORES: Mapping[type[Event], Callable[[Any], Chore]] = {
    DocumentIssued: _render,
    EvidenceStored: _copy,
}


class Reactions:
    """What follows from each event, under this installation's terms."""

    def __init__(self, *, embargo_working_days: int) -> None:
        """A finished inspection is published after `embargo_working_days`; 0: at once."""
        self._embargo_working_days = embargo_working_days

    def messages(self, event: Event) -> list[Message]:
        """The messages that `event` causes."""
        reaction = _REACTIONS.get(type(event))
        return [] if reaction is None else reaction(event)

    def chores(self, event: Event) -> list[Chore]:
        """What the worker has to do because of `event`, once it is committed."""
        chore = _CHORES.get(type(event))
        return [] if chore is None else [chore(event)]

    async def follow(self, tx: Transaction, event: Event) -> Sequence[Event]:
        """What `event` changes in other rooms, in the same transaction; gives the events of that."""
        match event:
            case InspectionCompleted(
                site_id=UUID() as site_id, region=str() as region, department_id=UUID() as lead_id
            ):
                return await open_publication(
                    tx,
                    inspection_id=event.subject_id,
                    enterprise_id=event.enterprise_id,
                    site_id=site_id,
                    region=region,
                    department_id=lead_id,
                    completed_at=tx.now,  # a completion that arrives late does not shorten the enterprise's preview
                    embargo_working_days=self._embargo_working_days,
                )
            case _:
                return ()
