"""Values of a draw: what is drawn among, by which rule, and the record that re-runs it."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

RECORD_FORMAT: Final = "yima/draw/1"
WHOLE: Final = 10_000
"""A ratio is counted in ten-thousandths: 3000 is 30 %."""

Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]
Ratio = Annotated[int, msgspec.Meta(ge=0, le=WHOLE)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class DrawPurpose(enum.StrEnum):
    """What is drawn: 检查对象, 执法人员 or 检查内容."""

    OBJECTS = "objects"
    OFFICERS = "officers"
    ITEMS = "items"


class ExclusionReason(enum.StrEnum):
    """排除原因: why a candidate stands in the frame and takes no part."""

    RECENTLY_INSPECTED = "recently_inspected"
    INTEREST_DECLARED = "interest_declared"
    CERTIFICATE_INVALID = "certificate_invalid"
    GRADE_NOT_COVERED = "grade_not_covered"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _LABELS[self]


_LABELS = {
    ExclusionReason.RECENTLY_INSPECTED: "近期已检查",
    ExclusionReason.INTEREST_DECLARED: "应当回避",
    ExclusionReason.CERTIFICATE_INVALID: "执法证件无效",
    ExclusionReason.GRADE_NOT_COVERED: "不适用于该信用等级",
    ExclusionReason.OTHER: "其他原因",
}


class FrameEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of the 名录 (frame). Within a stratum a lower `tier` is taken first; `excluded` takes no part."""

    id: UUID
    stratum: str
    tier: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    excluded: ExclusionReason | None = None


class StratumRule(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a stratum win: a share in ten-thousandths, or so many."""

    name: str
    ratio: Ratio | None = None
    count: Count | None = None


class DrawPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed before anything is drawn; the frame's digest covers it. `cap` is the most that win in all."""

    draw_id: UUID
    purpose: DrawPurpose
    subject_id: UUID
    strata: tuple[StratumRule, ...]
    cap: Count | None = None


class DepartmentNonce(msgspec.Struct, frozen=True, kw_only=True):
    """A department's share in the chance: committed to before the frame is known to win anything, revealed after."""

    department_id: UUID
    commitment: Hex
    nonce: Hex


class PublicValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value nobody here can choose, fixed in advance by name and date (RFC 3797), such as a lottery's result."""

    name: str
    on: date
    value: str


class Stratum(StratumRule, frozen=True, kw_only=True):
    """A stratum as it came out: how many took part, and how many won."""

    size: int
    wins: int


class Winner(msgspec.Struct, frozen=True, kw_only=True):
    """中选: one that was drawn, with its key in hexadecimal."""

    id: UUID
    stratum: str
    key: Hex


ENCODING: Final = (
    "All hashes are SM3, all MACs HMAC-SM3. framed(a, b, ...) joins its parts, each after its length in 4 bytes, "
    "big-endian. Texts are UTF-8, UUIDs 16 bytes, numbers 4 bytes big-endian, absent values no bytes. "
    "secret_commitment = SM3(framed('yima/draw/1 secret', draw_id, secret)). "
    "commitment of a department = SM3(framed('yima/draw/1 nonce', draw_id, department_id, nonce)). "
    "frame_digest = SM3(framed('yima/draw/1 frame', purpose, draw_id, subject_id, cap, number of strata), then for "
    "each stratum by name framed(name, ratio, count), then for each entry by ascending id framed(id, stratum, tier, "
    "excluded)). "
    "seed = HMAC(secret, framed('yima/draw/1 seed', frame_digest, C, N, P)): C = framed(secret_commitment, the "
    "departments' commitments in ascending order), N = framed(the nonces in ascending order), P = no bytes or "
    "framed(name, date as YYYY-MM-DD, value). "
    "key = HMAC(seed, framed('yima/draw/1 key', purpose, draw_id, id)). Of each stratum the first `wins` entries by "
    "(tier, key) win. wins = ceil(ratio * size / 10000), at least 1 where ratio and size are not 0, or "
    "min(count, size); where their sum exceeds cap, docs/draw.md says how they shrink."
)


class DrawRecord(msgspec.Struct, frozen=True, kw_only=True):
    """随机抽取记录: everything that re-runs the draw. A frame too long to stand in it is published beside it."""

    format: str
    encoding: str
    draw_id: UUID
    purpose: DrawPurpose
    subject_id: UUID
    drawn_at: datetime
    rule_source: str
    cap: Count | None
    strata: list[Stratum]
    secret: Hex
    secret_commitment: Hex
    departments: list[DepartmentNonce]
    public_value: PublicValue | None
    frame_digest: Hex
    frame_size: int
    excluded: int
    frame: list[FrameEntry] | None
    seed: Hex
    winners: list[Winner]


class ItemCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """检查内容 as the draw sees it: mandatory or not, for which credit grades, and how severe."""

    id: UUID
    is_mandatory: bool
    grades: frozenset[str]
    severity: str


class ItemDraw(msgspec.Struct, frozen=True, kw_only=True):
    """The drawn items in the order in which they were given, and the record that proves them."""

    items: list[UUID]
    record: DrawRecord


class OfficerCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 as the draw sees them. `load` counts their open inspections."""

    id: UUID
    department_id: UUID
    load: int = 0
    was_last_time: bool = False
    is_certified: bool = True
    has_interest: bool = False
