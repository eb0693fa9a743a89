"""What happens to a request."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class RequestStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the trace tells it: what was written stands there by its digest (SHA-256, hexadecimal) only."""

    state: str
    department_id: UUID
    due_on: date
    words_digest: str | None = None
    attachments: list[str] = []


class RequestSubmitted(Event, frozen=True, kw_only=True):
    """诉求提交."""

    business: ClassVar[str] = "诉求办理"
    power: ClassVar[str] = "企业诉求"
    duty: ClassVar[str] = "诉求提交"
    action: ClassVar[str] = "request.submitted"
    subject: ClassVar[str] = "enterprise_request"

    before: None = None
    after: RequestStanding
    enterprise_id: UUID


class RequestMoved(Event, frozen=True, kw_only=True):
    """诉求办理: one step of either side, which `step` names. The trace does not tell the site, whose page stays."""

    business: ClassVar[str] = "诉求办理"
    power: ClassVar[str] = "行政服务"
    duty: ClassVar[str] = "诉求办理"
    action: ClassVar[str] = "request.moved"
    subject: ClassVar[str] = "enterprise_request"

    before: RequestStanding
    after: RequestStanding
    enterprise_id: UUID
    of_site_id: UUID
    step: str
