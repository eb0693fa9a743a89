"""待办: which messages are something to do, and which acts settle it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.deadline.events import SupervisionAnswerAccepted, SupervisionOrderAnswered, SupervisionOrderSettled
from domain.publication.objection.events import ObjectionDecided, ObjectionWithdrawn
from domain.rectification.events import ExtensionDecided, RectificationOrderRevoked, RectificationReInspected
from domain.request.events import RequestMoved
from domain.self_inspection.hazard.events import HazardClosed
from domain.shared.events import Event
from notifications.message import Message

Subject = tuple[str, UUID]
"""What a to-do is about: a trace's word for it, and its id."""
FEEDBACK: Final = "rectification_feedback"
EXTENSION: Final = "rectification_extension"
"""An order may have both open at once: an answer to look at, and a request for more time."""


def about(message: Message, event: Event, subject: str | None = None) -> Message:
    """The message as one about what the event is about; `subject` where that has more sides than one."""
    return msgspec.structs.replace(message, subject=subject or event.subject, subject_id=event.subject_id)


def to_do(message: Message, event: Event, subject: str | None = None, *, level: int | None = None) -> Message:
    """The message as something to do, until `CLOSINGS` or somebody by hand closes it."""
    return msgspec.structs.replace(about(message, event, subject), is_to_do=True, level=level)


def _itself(event: Event) -> list[Subject]:
    return [(event.subject, event.subject_id)]


def _request(event: RequestMoved) -> list[Subject]:
    """受理 alone settles nothing: the answer is still to come. Any other step hands the request to the other side."""
    return [] if event.step == "accept" else _itself(event)


def _order(event: Event) -> list[Subject]:
    return [(FEEDBACK, event.subject_id), (EXTENSION, event.subject_id)]


def _extension(event: ExtensionDecided) -> list[Subject]:
    return [(EXTENSION, event.subject_id)]


CLOSINGS: Final[Mapping[type[Event], Callable[[Any], list[Subject]]]] = {
    RequestMoved: _request,
    ObjectionDecided: _itself,
    ObjectionWithdrawn: _itself,
    ExtensionDecided: _extension,
    RectificationReInspected: _order,
    RectificationOrderRevoked: _order,
    HazardClosed: _itself,
    SupervisionOrderAnswered: _itself,
    SupervisionOrderSettled: _itself,
    SupervisionAnswerAccepted: _itself,
}
"""Rows of `api/reactions.py`: what each of these settles. To-dos that it causes itself are written after that."""
