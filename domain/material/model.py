"""Values of materials: what is required of whom, what was uploaded, and how it stands."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.evidence.attachments import AttachmentCard

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of a file handed in, hexadecimal")]


class MaterialKind(enum.StrEnum):
    """材料 / 电子证照."""

    MATERIAL = "material"
    E_LICENCE = "e_licence"


class MaterialScope(enum.StrEnum):
    """Whether the enterprise hands it in once, or each site its own."""

    ENTERPRISE = "enterprise"
    SITE = "site"


class MaterialMark(enum.StrEnum):
    """未上传 / 有效 / 即将到期 / 已到期; derived, never stored."""

    MISSING = "missing"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class StandardMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """标准材料 (LAW-07). No `business_type`: of everybody. `source` is shown as 待核 until `verified`."""

    code: str
    business_type: str | None
    name: str
    kind: MaterialKind
    scope: MaterialScope
    is_required: bool
    has_expiry: bool
    source: str
    verified: bool


class OwnSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所 of the enterprise with its 业态."""

    id: UUID
    name: str
    is_main: bool
    business_types: list[str]


class StoredMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """A material with its current version."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID | None
    standard_code: str | None
    name: str
    kind: MaterialKind
    version_id: UUID
    version: int
    number: str | None
    valid_from: date | None
    valid_to: date | None
    uploaded_at: datetime


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One upload of a material."""

    id: UUID
    version: int
    number: str | None
    valid_from: date | None
    valid_to: date | None
    uploaded_at: datetime
    replaced_at: datetime | None


class MaterialLine(msgspec.Struct, frozen=True, kw_only=True):
    """材料 in the list: 材料名称, 上传时间, 是否上传 (PUB-19). Without an `id` it was never uploaded."""

    id: UUID | None
    site_id: UUID | None
    site_name: str | None
    standard_code: str | None
    name: str
    kind: MaterialKind
    is_required: bool
    is_uploaded: bool
    mark: MaterialMark
    source: str | None
    verified: bool
    uploaded_at: datetime | None = None
    version: int | None = None
    number: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class MaterialUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """上传材料: a standard one by its code, any other by name and kind. The same again takes the former's place."""

    files: Annotated[list[Digest], msgspec.Meta(min_length=1, max_length=9)]
    standard_code: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    kind: MaterialKind | None = None
    site_id: UUID | None = None
    number: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """Where an upload belongs."""

    standard_code: str | None
    name: str
    kind: MaterialKind
    site_id: UUID | None


class MaterialAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A material after an act; what an enterprise calls its own papers is kept with the material alone."""

    id: UUID
    version: int
    site_id: UUID | None
    valid_to: date | None
    uploaded_at: datetime
    removed_at: datetime | None = None


class VersionCard(StoredVersion, frozen=True, kw_only=True):
    """One upload with its files."""

    files: list[AttachmentCard]


class ExpirySubject(enum.StrEnum):
    """What expires: a 行政许可 of the register, or a material that was uploaded."""

    LICENCE = "licence"
    MATERIAL = "material"


class Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """Something with a last day near, of which the step due was not told yet; `site_id` where it is one site's."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID | None
    name: str
    valid_to: date


class Reminded(msgspec.Struct, frozen=True, kw_only=True):
    """Whose reminder was written just now, and by nobody else."""

    subject_id: UUID
