"""What complainants and leads are told: one SMS each, without a word of what was written."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from api.complaint_messages import GRIEVANCE_REACTIONS
from domain.complaint import events
from domain.complaint.events import GrievanceStanding
from domain.complaint.model import GrievanceKind
from notifications.message import Channel, Recipient
from notifications.sms.segments import measure
from notifications.templates import compose_in_app, compose_sms, current


def an_event(of: type[events.GrievanceEvent], kind: GrievanceKind, *, is_named: bool = True) -> events.GrievanceEvent:
    standing = GrievanceStanding(
        kind=kind,
        type="price",
        state="received",
        term="decision",
        due_on=date(2026, 12, 31),
        handler_id=None,
        leading_id=None,
        inspection_id=None,
        is_abusive=False,
    )
    return of(
        subject_id=uuid4(),
        department_id=uuid4(),
        after=standing,
        department_name="南宁市青秀区市场监管局",
        is_named=is_named,
    )


@pytest.mark.parametrize("kind", GrievanceKind)
@pytest.mark.parametrize("of", GRIEVANCE_REACTIONS, ids=lambda of: of.__name__)
def test_each_message_is_one_segment_and_names_nobody(of: type[events.GrievanceEvent], kind: GrievanceKind) -> None:
    event = an_event(of, kind)
    (message,) = GRIEVANCE_REACTIONS[of](event)
    template = current(message.template)
    if message.channel is Channel.SMS:
        text = compose_sms(template, message.parameters)
        assert measure(text).segments == 1, text
        wanted = Recipient.COMPLAINANT if kind is GrievanceKind.COMPLAINT else Recipient.INFORMANT
        assert (message.recipient, message.recipient_id) == (wanted, event.subject_id)
        assert str(event.subject_id) not in text
    else:
        text = compose_in_app(template, message.parameters).text
        assert (message.recipient, message.recipient_id) == (Recipient.DEPARTMENT_LEADS, event.department_id)
    assert kind.label in text


def test_an_anonymous_tip_off_has_nobody_to_tell() -> None:
    for of, reaction in GRIEVANCE_REACTIONS.items():
        event = an_event(of, GrievanceKind.TIP_OFF, is_named=False)  # type: ignore[arg-type]
        told = reaction(event)
        assert all(message.recipient is Recipient.DEPARTMENT_LEADS for message in told)
