"""Rules of feedback: what may be written, and the code that leads to the answer."""

from __future__ import annotations

from typing import Final

from domain.feedback.model import Feedback, FeedbackState
from domain.identity.model import Principal
from domain.shared.errors import DomainError, Forbidden, NotFound
from domain.shared.query_code import read_query_code

TEXT_LABEL: Final = "feedback.text"
CODE_LABEL: Final = "feedback.query_code"
INDEX_LABEL: Final = "feedback.query_code_index"
TEXT_LENGTH: Final = range(2, 1001)


class FeedbackAlreadyAnswered(DomainError):
    """Somebody of the department has answered already."""


def require_query_code(typed: str) -> str:
    """The code however it was typed. Raises `NotFound` for what is none."""
    code = read_query_code(typed)
    if code is None:
        raise NotFound("没有该查询码。", field="code")
    return code


def require_open(principal: Principal, found: Feedback | None) -> Feedback:
    """The feedback of the caller's own department. Raises `Forbidden`, `NotFound` or `FeedbackAlreadyAnswered`."""
    known = require_own(principal, found)
    if known.state is not FeedbackState.OPEN:
        raise FeedbackAlreadyAnswered("该反馈已答复。")
    return known


def require_own(principal: Principal, found: Feedback | None) -> Feedback:
    """Raises `Forbidden` for who has no department, `NotFound` for what is another's."""
    if principal.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    if found is None or found.department_id != principal.department_id:
        raise NotFound("没有该反馈。")
    return found
