"""Feedback on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.feedback.model import About, Feedback, FeedbackKind, FeedbackState, FeedbackSummary


class FeedbackPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the department's, the oldest first; no cursor means the end."""

    items: list[FeedbackSummary]
    next_cursor: str | None


class FeedbackDetail(msgspec.Struct, frozen=True, kw_only=True):
    """信息反馈 whole, opened for the department that it is for."""

    id: UUID
    kind: FeedbackKind
    about: About
    about_id: UUID
    about_name: str
    item_code: str | None
    text: str
    state: FeedbackState
    given_at: datetime
    answer: str | None
    answered_at: datetime | None


class AnswerOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """答复, 2 to 1000 characters; whoever holds the query code reads it."""

    text: Annotated[str, msgspec.Meta(max_length=4000)]


class QueryCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """查询码 of the receipt; in the body, so that it stands in no log of addresses."""

    code: Annotated[str, msgspec.Meta(max_length=40)]


def to_detail(feedback: Feedback, text: str) -> FeedbackDetail:
    """The feedback with what was written."""
    return FeedbackDetail(
        text=text,
        **{name: getattr(feedback, name) for name in FeedbackDetail.__struct_fields__ if name != "text"},
    )
