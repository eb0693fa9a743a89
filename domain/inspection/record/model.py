"""Values of the record: what is added by hand, what is signed, and by whom (MOB-13)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.inspection.answers.model import Digest, LongText, ShortLine
from domain.inspection.model import Instant, ShortText


class SignatureRole(enum.StrEnum):
    """被检查方, 执法人员, 记录人, 见证人, 协助检查人员, 翻译; `paper`: the whole record signed by hand, scanned."""

    INSPECTED_PARTY = "inspected_party"
    OFFICER = "officer"
    RECORDER = "recorder"
    WITNESS = "witness"
    ASSISTANT = "assistant"
    INTERPRETER = "interpreter"
    PAPER = "paper"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _ROLE_LABELS[self]

    @property
    def is_official(self) -> bool:
        """Whether an officer of the department signs in this role."""
        return self in {SignatureRole.OFFICER, SignatureRole.RECORDER}


_ROLE_LABELS = {
    SignatureRole.INSPECTED_PARTY: "被检查方",
    SignatureRole.OFFICER: "执法人员",
    SignatureRole.RECORDER: "记录人",
    SignatureRole.WITNESS: "见证人",
    SignatureRole.ASSISTANT: "协助检查人员",
    SignatureRole.INTERPRETER: "翻译人员",
    SignatureRole.PAPER: "纸质笔录",
}


class SignatureMeans(enum.StrEnum):
    """屏幕签字 / 纸质签字 / 拒绝签字 / 当事人不在场."""

    SCREEN = "screen"
    PAPER = "paper"
    REFUSED = "refused"
    ABSENT = "absent"


class PartyPerson(msgspec.Struct, frozen=True, kw_only=True):
    """被检查方现场人员, for the record."""

    name: ShortText
    post: ShortText
    phone: Annotated[str, msgspec.Meta(max_length=30)] | None = None


class Assistant(msgspec.Struct, frozen=True, kw_only=True):
    """协助检查人员 of a third party: present beside two officers, gives a technical opinion, never inspects."""

    name: ShortText
    organisation: ShortText
    opinion: LongText | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """抽样: what was taken, how much, and the number of its paper."""

    name: ShortLine
    quantity: ShortLine
    document_number: ShortLine | None = None


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the officers add to the record by hand; everything else comes from the visit and the answers.

    `ended_at` is when the inspection on site ended. One of the body camera's file number and the reason for having
    none is asked for before signing.
    """

    person: PartyPerson | None = None
    place: ShortLine | None = None
    ended_at: Instant | None = None
    recusal: LongText | None = None
    situation: LongText | None = None
    statement_and_defence: LongText | None = None
    samples: Annotated[list[Sample], msgspec.Meta(max_length=50)] = []
    assistants: Annotated[list[Assistant], msgspec.Meta(max_length=10)] = []
    body_camera: ShortLine | None = None
    no_body_camera_reason: ShortLine | None = None
    language: ShortLine | None = None
    interpreter: ShortLine | None = None
    is_outside_working_hours: bool = False
    has_trade_secrets: bool = False


class Signatory(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs where no officer does: name, capacity (身份), and on what authority. Minors never sign."""

    name: ShortText
    capacity: ShortText
    authority: ShortLine | None = None
    is_adult: bool


class SignatureOrder(msgspec.Struct, frozen=True, kw_only=True):
    """检查签字 as the phone sends it. `record_digest` is the SHA-256 of the canonical record that was read.

    `images` are the drawn signature, or the scanned pages; a refusal or an absence has a reason instead.
    """

    record_digest: Digest
    means: SignatureMeans = SignatureMeans.SCREEN
    officer_id: UUID | None = None
    person: Signatory | None = None
    opinion: LongText | None = None
    reason: LongText | None = None
    images: Annotated[list[Digest], msgspec.Meta(max_length=60)] = []


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that stands."""

    id: UUID
    department_id: UUID
    role: SignatureRole
    officer_id: UUID | None
    means: SignatureMeans
    person_sealed: bytes | None
    opinion: str | None
    reason: str | None
    images: list[bytes]
    record_digest: bytes
    done_at: datetime
    received_at: datetime


class SignatureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of a signature, and whether the department's part is now signed by all who must."""

    id: UUID
    inspection_id: UUID
    department_id: UUID
    role: SignatureRole
    record_digest: str
    signed_at: datetime
    is_complete: bool


class RecordPart(msgspec.Struct, frozen=True, kw_only=True):
    """The stored part of one department."""

    inspection_id: UUID
    department_id: UUID
    version: int
    facts_sealed: bytes
    canonical_sealed: bytes | None
    digest: bytes | None
    frozen_at: datetime | None


class FactsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which version the facts have now, and the digest of the record with them."""

    inspection_id: UUID
    department_id: UUID
    version: int
    record_digest: str


class ReopeningAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The record is open again; so many signatures were voided."""

    inspection_id: UUID
    department_id: UUID
    voided: int


class PartyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """被检查方 as the register has it."""

    name: str
    uscc: str
    representative: str | None
    address: str | None
    site_name: str


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """One visit of the department: when it came, how it proved so, and who was there.

    `sequence` counts the department's own visits; the visit's number counts those of all.
    """

    sequence: int
    arrived_at: datetime
    departed_at: datetime | None
    means: str
    flags: list[str]
    late_scan_reason: str | None
    officer_id: UUID
    second_officer_id: UUID
    response: str | None
    shown_on: str | None
    response_reason: str | None
    responded_at: datetime | None
