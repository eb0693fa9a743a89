"""What follows from an event, in the same transaction: messages to people, chores for the worker. All stands here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.inspection.events import CheckedIn
from domain.shared.chores import Chore
from domain.shared.events import Event
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


_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    CheckedIn: _announce_arrival,
}


def react(event: Event) -> list[Message]:
    """The messages that `event` causes."""
    reaction = _REACTIONS.get(type(event))
    return [] if reaction is None else reaction(event)


_CHORES: Mapping[type[Event], Callable[[Any], Chore]] = {}


def chores_of(event: Event) -> list[Chore]:
    """What the worker has to do because of `event`, once it is committed."""
    chore = _CHORES.get(type(event))
    return [] if chore is None else [chore(event)]
