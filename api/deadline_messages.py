"""Whom deadlines, supervision orders and dispatched inspections are told to, by which way and how gravely (D4, D13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from domain.deadline.events import (
    Addressees,
    DeadlineWarned,
    SupervisionAnswerAccepted,
    SupervisionAnswerReturned,
    SupervisionEvent,
    SupervisionOrderAnswered,
    SupervisionOrderIssued,
)
from domain.deadline.model import DeadlineStage, OrderSource, WarningLevel
from domain.inspection.completion.events import OfficerReplaced
from domain.inspection.events import InspectionDispatched
from domain.shared.clock import month_and_day
from domain.shared.events import Event
from notifications.message import Channel, Message, Recipient
from notifications.templates import current

_ORDER: Final = "supervision_order"


def _desk_in_app(to: Addressees) -> list[tuple[Recipient, UUID]]:
    """Who has the matter: the officers by name, who took it over, else everybody at the department's desk."""
    if to.officers:
        return [(Recipient.OFFICER, officer) for officer in to.officers]
    if to.account_id is not None:
        return [(Recipient.ACCOUNT, to.account_id)]
    return [(Recipient.DEPARTMENT_LEADS, to.department_id)]


def _desk_by_sms(to: Addressees) -> list[tuple[Recipient, UUID]]:
    """The same, but a desk has no phone: its leads have."""
    if to.officers or to.account_id is not None:
        return _desk_in_app(to)
    return [(Recipient.ACCOUNT, account) for account in to.department_accounts]


def _superior_in_app(to: Addressees) -> list[tuple[Recipient, UUID]]:
    return [] if to.superior_id is None else [(Recipient.DEPARTMENT_LEADS, to.superior_id)]


def _superior_by_sms(to: Addressees) -> list[tuple[Recipient, UUID]]:
    """Leads above who are not told as handlers already."""
    told = {each for _, each in _desk_by_sms(to)}
    return [(Recipient.ACCOUNT, account) for account in to.superior_accounts if account not in told]


def _enterprise(to: Addressees) -> list[tuple[Recipient, UUID]]:
    return [] if to.enterprise_id is None else [(Recipient.ENTERPRISE, to.enterprise_id)]


def _warn(event: DeadlineWarned) -> list[Message]:
    """One message a stage to each who is told, by each way that its level asks for."""
    to = event.to
    match event.after.stage:
        case DeadlineStage.DUE_SOON:
            return [
                *_of_stage(event, "deadline_due_soon", Channel.IN_APP, _desk_in_app(to)),
                *_to_enterprise(event, "rectification_due_soon"),
            ]
        case DeadlineStage.FIRST_WARNING:
            return [
                *_of_stage(event, "deadline_overdue", Channel.IN_APP, _desk_in_app(to)),
                *_to_enterprise(event, "rectification_overdue"),
            ]
        case DeadlineStage.SECOND_WARNING:
            return [
                *_of_stage(event, "deadline_second_warning", Channel.IN_APP, _desk_in_app(to)),
                *_of_stage(event, "deadline_second_warning", Channel.SMS, _desk_by_sms(to)),
                *_of_stage(event, "deadline_escalated", Channel.IN_APP, _superior_in_app(to)),
                *_to_enterprise(event, "rectification_overdue"),
            ]
        case DeadlineStage.ORDER_UNANSWERED:
            return [
                *_of_stage(event, "supervision_order_overdue", Channel.IN_APP, _desk_in_app(to)),
                *_of_stage(event, "supervision_order_overdue", Channel.SMS, _desk_by_sms(to)),
                *_of_stage(event, "supervision_order_escalated", Channel.IN_APP, _superior_in_app(to)),
                *_of_stage(event, "supervision_order_escalated", Channel.SMS, _superior_by_sms(to)),
            ]


def _of_stage(
    event: DeadlineWarned,
    template: str,
    channel: Channel,
    recipients: Iterable[tuple[Recipient, UUID]],
    site_id: UUID | None = None,
) -> list[Message]:
    after = event.after
    known = {
        "department": event.to.department_name,
        "matter": after.kind.label,
        "due": month_and_day(after.due_on),
        "reference": str(after.subject_id),
        "hotline": event.to.hotline or "",
    }
    return [
        Message(
            template=template,
            channel=channel,
            recipient=recipient,
            recipient_id=recipient_id,
            parameters=_filled(template, known),
            subject=after.kind.subject,
            subject_id=after.subject_id,
            level=after.level,
            site_id=site_id,
        )
        for recipient, recipient_id in dict.fromkeys(recipients)
    ]


def _filled(template: str, known: Mapping[str, str]) -> dict[str, str]:
    """Of what is known the values that the template asks for."""
    return {name: known[name] for name in current(template).variables}


def _to_enterprise(event: DeadlineWarned, template: str) -> list[Message]:
    """The enterprise that has to act is told in the app and by SMS: it may never have opened the app."""
    return [
        message
        for channel in (Channel.IN_APP, Channel.SMS)
        for message in _of_stage(event, template, channel, _enterprise(event.to), event.to.site_id)
    ]


# ---- 督办单


def _of_order(
    event: SupervisionEvent,
    template: str,
    recipients: Iterable[tuple[Recipient, UUID]],
    channel: Channel = Channel.IN_APP,
    *,
    is_to_do: bool = False,
) -> list[Message]:
    known = {
        "department": event.to.department_name,
        "matter": event.after.matter.label,
        "due": month_and_day(event.after.due_on),
        "reference": str(event.subject_id),
    }
    is_of_warning = event.after.source == OrderSource.SECOND_WARNING
    return [
        Message(
            template=template,
            channel=channel,
            recipient=recipient,
            recipient_id=recipient_id,
            parameters=_filled(template, known),
            subject=_ORDER,
            subject_id=event.subject_id,
            is_to_do=is_to_do,
            level=WarningLevel.ORANGE.value if is_to_do and is_of_warning else None,
        )
        for recipient, recipient_id in recipients
    ]


def _announce_order(event: SupervisionOrderIssued) -> list[Message]:
    """A to-do until it is answered. What a lead urges by hand goes by SMS, too; a second warning has gone already."""
    to_do = _of_order(event, "supervision_order_issued", _desk_in_app(event.to), is_to_do=True)
    if event.after.source != OrderSource.BY_HAND:
        return to_do
    return [*to_do, *_of_order(event, "supervision_order_issued", _desk_by_sms(event.to), Channel.SMS)]


def _announce_answer(event: SupervisionOrderAnswered) -> list[Message]:
    return _of_order(event, "supervision_order_answered", _superior_in_app(event.to))


def _announce_return(event: SupervisionAnswerReturned) -> list[Message]:
    return _of_order(event, "supervision_order_returned", _desk_in_app(event.to), is_to_do=True)


def _announce_acceptance(event: SupervisionAnswerAccepted) -> list[Message]:
    return _of_order(event, "supervision_order_accepted", _desk_in_app(event.to))


# ---- 任务分发 (UTL-06)


def _announce_dispatch(event: InspectionDispatched) -> list[Message]:
    """Each officer in the app and by SMS, and in the app the desks of the departments that take part.

    The SMS names nobody: whose phone shows it is not always alone.
    """
    after = event.after
    words = {"name": after.name, "starts": month_and_day(after.starts_on), "due": month_and_day(after.due_on)}
    told = [each for officer in dict.fromkeys(after.officers) for each in _dispatched(event, officer, words)]
    joined = [
        Message(
            template="inspection_joined",
            channel=Channel.IN_APP,
            recipient=Recipient.DEPARTMENT_LEADS,
            recipient_id=department,
            parameters=words,
            subject=event.subject,
            subject_id=event.subject_id,
        )
        for department in event.joined
    ]
    return [*told, *joined]


def _announce_successor(event: OfficerReplaced) -> list[Message]:
    """Who takes over learns of it as who had it from the beginning."""
    words = {"name": event.name, "starts": month_and_day(event.starts_on), "due": month_and_day(event.due_on)}
    return _dispatched(event, event.after.officer_id, words)


def _dispatched(event: Event, officer: UUID, words: dict[str, str]) -> list[Message]:
    return [
        Message(
            template="inspection_dispatched",
            channel=channel,
            recipient=Recipient.OFFICER,
            recipient_id=officer,
            parameters=words,
            subject=event.subject,
            subject_id=event.subject_id,
        )
        for channel in (Channel.IN_APP, Channel.SMS)
    ]


DEADLINE_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    DeadlineWarned: _warn,
    SupervisionOrderIssued: _announce_order,
    SupervisionOrderAnswered: _announce_answer,
    SupervisionAnswerReturned: _announce_return,
    SupervisionAnswerAccepted: _announce_acceptance,
    InspectionDispatched: _announce_dispatch,
    OfficerReplaced: _announce_successor,
}
"""Rows of `api/reactions.py`."""
