"""Rules of feedback: what may be written, and the code that leads to the answer."""

from __future__ import annotations

import re
from typing import Final

from domain.feedback.model import Feedback, FeedbackState
from domain.identity.model import Principal
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound

TEXT_LABEL: Final = "feedback.text"
CODE_LABEL: Final = "feedback.query_code"
INDEX_LABEL: Final = "feedback.query_code_index"
_TEXT: Final = range(2, 1001)
_CODE_LENGTH: Final = 12
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE: Final = str.maketrans("OIL", "011")


class FeedbackAlreadyAnswered(DomainError):
    """Somebody of the department has answered already."""


def query_code_of(secret: bytes) -> str:
    """12 characters of Crockford's base 32 out of a value that only our key makes of the feedback's id.

    So the code is kept nowhere, not even in the stored answer of the write, and can be told again to who repeats it.
    """
    return "".join(_ALPHABET[byte & 31] for byte in secret[:_CODE_LENGTH])


def read_query_code(typed: str) -> str:
    """The code as it was given out: case, blanks and hyphens do not matter. Raises `NotFound` for what is none."""
    code = re.sub(r"[\s-]", "", typed).upper().translate(_ALIKE)
    if len(code) != _CODE_LENGTH or any(letter not in _ALPHABET for letter in code):
        raise NotFound("没有该查询码。", field="code")
    return code


def require_text(text: str, field: str) -> str:
    """The text without surrounding blanks. Raises `InvalidField`."""
    words = text.strip()
    if len(words) not in _TEXT:
        raise InvalidField("应为2至1000字。", field=field)
    return words


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
