"""现场检查笔录 on the wire: the shape of the canonical text, which goes out as the very bytes that are signed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from domain.inspection.answers.model import AnswerValue, Digest, Measure
from domain.inspection.model import CheckInMeans, IdentificationResponse, InspectionKind, ShownOn
from domain.inspection.record.model import PartyFacts, RecordFacts

CanonicalInstant = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        description="UTC with milliseconds, finer parts cut off: what JavaScript's toISOString gives",
    ),
]


class RecordedInspection(msgspec.Struct, frozen=True, kw_only=True):
    """Which inspection, by what the phone has of it since the package."""

    id: UUID
    name: str
    kind: InspectionKind
    source: str
    basis: str


class RecordedIdentification(msgspec.Struct, frozen=True, kw_only=True):
    """亮证告知: the last one of the check-in."""

    response: IdentificationResponse
    shown_on: ShownOn
    reason: str | None
    at: CanonicalInstant


class RecordedVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One visit of the department. `officers` by ascending id."""

    sequence: int
    arrived_at: CanonicalInstant
    means: CheckInMeans
    officers: list[UUID]
    identification: RecordedIdentification | None


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answered item of the department. Of a measure only what is said stands here: nothing null, no empty list."""

    item: UUID
    place: int
    value: AnswerValue
    measures: list[Measure]
    reason: str | None
    remark: str | None
    photos: list[Digest]
    bulk: bool
    by: UUID
    at: CanonicalInstant


class CanonicalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one department (RFC 8785). Compute it from what the phone holds: test_vectors/record.json.

    `visits` by sequence, `answers` by place; `facts` with every field, null where nothing was added. Its instants and
    those of measures, too, are written in UTC with milliseconds.
    """

    schema: Literal["yima/record/1"]
    inspection: RecordedInspection
    department: UUID
    party: PartyFacts
    visits: list[RecordedVisit]
    answers: list[RecordedAnswer]
    facts: RecordFacts
