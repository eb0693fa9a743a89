"""What complainants and leads are told of 投诉 and 举报: by id, without a word of what was written or who wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.complaint import events
from domain.complaint.model import GrievanceKind
from domain.shared.clock import month_and_day
from domain.shared.events import Event
from notifications.message import Channel, Message, Recipient

_RECIPIENTS = {GrievanceKind.COMPLAINT: Recipient.COMPLAINANT, GrievanceKind.TIP_OFF: Recipient.INFORMANT}


def _tell_complainant(template: str, *, with_due: bool = False) -> Callable[[events.GrievanceEvent], list[Message]]:
    def tell(event: events.GrievanceEvent) -> list[Message]:
        """An anonymous 举报 has nobody to tell: its query code tells everything."""
        if not event.is_named:
            return []
        return [
            Message(
                template=template,
                channel=Channel.SMS,
                recipient=_RECIPIENTS[event.after.kind],
                recipient_id=event.subject_id,
                parameters={
                    "department": event.department_name,
                    "matter": event.after.kind.label,
                    **({"due": month_and_day(event.after.due_on)} if with_due else {}),
                },
            )
        ]

    return tell


GRIEVANCE_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    events.ComplaintFiled: _tell_complainant("grievance_filed", with_due=True),
    events.ConsumerComplaintFiled: _tell_complainant("grievance_filed", with_due=True),
    events.TipOffFiled: _tell_complainant("grievance_filed", with_due=True),
    events.GrievanceAccepted: _tell_complainant("grievance_accepted", with_due=True),
    events.GrievanceDeclined: _tell_complainant("grievance_declined"),
    events.GrievanceNotHandled: _tell_complainant("grievance_not_handled"),
    events.GrievanceAnswered: _tell_complainant("grievance_answered"),
}
"""Rows of `api/reactions.py`."""
