"""What an enterprise and its department are told of each other's acts, and of what runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from api.to_dos import EXTENSION, FEEDBACK, to_do
from domain.material.events import ExpiryReminded
from domain.material.rules import EXPIRED, STEPS
from domain.rectification.events import (
    ExtensionDecided,
    ExtensionRequested,
    RectificationFedBack,
    RectificationReInspected,
)
from domain.rectification.model import ExtensionState, OrderState, ReInspectionResult
from domain.shared.clock import month_and_day
from domain.shared.events import Event
from notifications.message import Channel, Message, Recipient

_NAME_LENGTH: Final = 20
_RESULTS: Final = {
    OrderState.RECTIFIED: "复查通过，已办结",
    OrderState.TO_RECTIFY: "复查未通过，请在{due}前继续改正",
    OrderState.TRANSFERRED: "复查未通过，已移交执法",
    OrderState.FED_BACK: "已复查，请查看结果",
}


def _to_department(template: str, event: RectificationFedBack | ExtensionRequested, subject: str) -> list[Message]:
    if event.department_id is None:
        return []
    message = Message(
        template=template,
        channel=Channel.IN_APP,
        recipient=Recipient.DEPARTMENT_LEADS,
        recipient_id=event.department_id,
        parameters={"order_id": str(event.subject_id), "document_id": str(event.document_id)},
    )
    return [to_do(message, event, subject)]


def _announce_feedback(event: RectificationFedBack) -> list[Message]:
    return _to_department("rectification_fed_back", event, FEEDBACK)


def _announce_request(event: ExtensionRequested) -> list[Message]:
    return _to_department("extension_requested", event, EXTENSION)


def _to_enterprise(
    template: str, event: ExtensionDecided | RectificationReInspected, **parameters: str
) -> list[Message]:
    return [
        Message(
            template=template,
            channel=Channel.SMS,
            recipient=Recipient.ENTERPRISE,
            recipient_id=event.enterprise_id,
            # The 文号 is looked up when the message is sent.
            parameters={"document_id": str(event.document_id), **parameters},
            subject=event.subject,
            subject_id=event.subject_id,
        )
    ]


def _announce_decision(event: ExtensionDecided) -> list[Message]:
    granted = event.after.state == ExtensionState.GRANTED
    return _to_enterprise(
        "extension_decided",
        event,
        decision="已同意" if granted else "未获同意",
        due=month_and_day(event.after.due_on),
    )


def _announce_re_inspection(event: RectificationReInspected) -> list[Message]:
    words = _RESULTS[OrderState(event.after.state)]
    if event.after.result == ReInspectionResult.ADMINISTRATIVE_GUIDANCE:
        words = "复查完毕，已作行政指导"
    return _to_enterprise("order_re_inspected", event, result=words.format(due=month_and_day(event.after.due_on)))


def _remind_of_expiry(event: ExpiryReminded) -> list[Message]:
    """A month before in the app, then by SMS."""
    facts = event.after
    name = facts.name if len(facts.name) <= _NAME_LENGTH else f"{facts.name[: _NAME_LENGTH - 1]}…"
    return [
        Message(
            template="expired" if facts.step == EXPIRED else "expiring",
            channel=Channel.IN_APP if facts.step == STEPS[0] else Channel.SMS,
            recipient=Recipient.ENTERPRISE,
            recipient_id=event.enterprise_id,
            parameters={"name": name, "day": f"{facts.valid_to.year}年{month_and_day(facts.valid_to)}"},
            site_id=event.of_site_id,
        )
    ]


SPACE_REACTIONS: Final[Mapping[type[Event], Callable[[Any], list[Message]]]] = {
    RectificationFedBack: _announce_feedback,
    ExtensionRequested: _announce_request,
    ExtensionDecided: _announce_decision,
    RectificationReInspected: _announce_re_inspection,
    ExpiryReminded: _remind_of_expiry,
}
"""What follows from each of these, in the same transaction."""
