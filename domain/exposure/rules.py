"""Rules of exposures: who writes, who publishes, and on what an enterprise may be named (PUB-09, COG-07)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from codes.divisions import UnknownDivision, ltree_path
from domain.exposure.model import Exposure, ExposureOrder, ExposureState
from domain.identity.model import Principal
from domain.shared.errors import DomainError, Forbidden, InvalidField
from domain.shared.fields import require_text

LONGEST: Final = timedelta(days=3 * 366)
"""An exposure ends by then at the latest, as a publication does."""
_TITLE_REFUSED: Final = "标题应为2至100字，不分行。"
_TITLE: Final = range(2, 101)
_TEXT: Final = range(2, 5001)


class ExposureNotDraft(DomainError):
    """What was published is not changed: it is withdrawn, and a new one drafted."""


class ExposureNotPublished(DomainError):
    """Only what is public can be withdrawn."""


class PublisherIsAuthor(DomainError):
    """Who wrote or changed it does not publish it: that takes a second person of the department."""


class ResultNotPublic(DomainError):
    """An enterprise is named only on the ground of a result of this department that is public."""


def department_of(principal: Principal) -> UUID:
    """The department whose exposures the caller handles. Raises `Forbidden`."""
    if principal.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    return principal.department_id


def require_words(order: ExposureOrder, today: date) -> tuple[str, str]:
    """Title and text without surrounding blanks. Raises `InvalidField`."""
    title = require_text(order.title, _TITLE, "title", _TITLE_REFUSED)
    if "\n" in title:
        raise InvalidField(_TITLE_REFUSED, field="title")
    text = require_text(order.text, _TEXT, "text", "内容应为2至5000字。")
    if not today <= order.ends_on <= today + LONGEST:
        raise InvalidField("截止日期应在今日之后、三年之内。", field="ends_on")
    return title, text


def region_of(code: str | None, own: str) -> str:
    """The path that the order names, the department's own unless said. Raises `InvalidField` beyond that."""
    if code is None:
        return own
    try:
        path = ltree_path(code)
    except UnknownDivision as unknown:
        raise InvalidField("没有该行政区划。", field="region_code") from unknown
    if path != own and not path.startswith(own + "."):
        raise InvalidField("不在本部门辖区内。", field="region_code")
    return path


def require_draft(exposure: Exposure) -> None:
    """Raises `ExposureNotDraft`."""
    if exposure.state is not ExposureState.DRAFT:
        raise ExposureNotDraft("该信息已发布或已撤下，不能修改。")


def publish(exposure: Exposure, publisher: UUID, now: datetime, today: date) -> Exposure:
    """发布 by a second person. Raises `ExposureNotDraft`, `PublisherIsAuthor` or `InvalidField`."""
    require_draft(exposure)
    if publisher in exposure.authors:
        raise PublisherIsAuthor("起草或修改人不能发布，请由本部门另一人审核发布。")
    if exposure.ends_on < today:
        raise InvalidField("截止日期已过，请先修改。", field="ends_on")
    return msgspec.structs.replace(exposure, state=ExposureState.PUBLISHED, published_at=now, published_by=publisher)


def withdraw(exposure: Exposure, reason: str, now: datetime) -> Exposure:
    """撤下: nothing of it stays public. Raises `ExposureNotPublished`."""
    if exposure.state is not ExposureState.PUBLISHED:
        raise ExposureNotPublished("该信息未在公开中。")
    return msgspec.structs.replace(exposure, state=ExposureState.WITHDRAWN, withdrawn_at=now, withdrawn_reason=reason)
