"""What happens to materials, and what expires."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class MaterialFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the trace tells it. What an enterprise calls its own papers may name a person: a digest of it."""

    standard_code: str | None
    name_digest: str
    kind: str
    version: int
    valid_to: date | None
    files: list[str]


class _MaterialEvent(Event, frozen=True, kw_only=True):
    """`subject_id` is the material's id."""

    business: ClassVar[str] = "企业空间"
    power: ClassVar[str] = "监管对象"
    duty: ClassVar[str] = "材料上传"
    subject: ClassVar[str] = "material"

    enterprise_id: UUID
    before: MaterialFacts | None = None
    after: MaterialFacts | None = None


class MaterialUploaded(_MaterialEvent, frozen=True, kw_only=True):
    """上传材料; `before` is the version that it takes the place of."""

    action: ClassVar[str] = "material.uploaded"


class MaterialRemoved(_MaterialEvent, frozen=True, kw_only=True):
    """移除材料: its versions are kept and listed no more."""

    action: ClassVar[str] = "material.removed"


class ExpiryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What expires, and the step that is told: 30, 7 or 1 days before, 0 once expired."""

    kind: str
    name: str
    valid_to: date
    step: int


class ExpiryReminded(Event, frozen=True, kw_only=True):
    """到期提醒. `subject_id` is the licence's or the version's id, `of_site_id` whose material it is, if one site's."""

    business: ClassVar[str] = "企业空间"
    power: ClassVar[str] = "服务提醒"
    duty: ClassVar[str] = "证照到期提醒"
    action: ClassVar[str] = "material.expiry_reminded"
    subject: ClassVar[str] = "expiry"

    enterprise_id: UUID
    of_site_id: UUID | None
    before: None = None
    after: ExpiryFacts
