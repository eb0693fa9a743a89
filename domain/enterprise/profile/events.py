"""What changes in what an enterprise says of itself."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class WordsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the trace tells it: of what is personal only a keyed digest, by which equal values are known."""

    version: int
    fields: list[str] = []
    plain: dict[str, str | None] = {}
    digests: dict[str, str | None] = {}


class _ProfileEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "企业空间"
    power: ClassVar[str] = "监管对象"
    duty: ClassVar[str] = "信息维护"

    enterprise_id: UUID
    before: WordsFacts
    after: WordsFacts


class EnterpriseProfileChanged(_ProfileEvent, frozen=True, kw_only=True):
    """信息维护 of the enterprise: `fields` of `after` names what changed."""

    action: ClassVar[str] = "enterprise.profile_changed"
    subject: ClassVar[str] = "enterprise"


class SiteProfileChanged(_ProfileEvent, frozen=True, kw_only=True):
    """信息维护 of a site; its `site_id` has the public page made anew."""

    action: ClassVar[str] = "site.profile_changed"
    subject: ClassVar[str] = "site"
