"""What the peer reads and answers of complaints, as pydantic models."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from benchmarks.peer_schemas import Receipt, Schema
from domain.complaint.model import GrievanceType


class Pass(Schema):
    """通行凭证 with a verified phone."""

    id: UUID
    verification_id: UUID
    phone_index: str


class ComplaintOrder(Schema):
    """投诉 as a citizen hands it in."""

    type: GrievanceType
    description: str = Field(min_length=10, max_length=2000)
    consent_version: Literal["2026-11"]
    code: str = Field(max_length=200)
    name: str = Field(min_length=2, max_length=30)
    happened_on: date | None = None
    place: str | None = Field(default=None, max_length=200)
    wish: str | None = Field(default=None, max_length=1000)


class Person(Schema):
    """Who complains."""

    name: str
    phone: str


class Filed(Schema):
    """回执 of a complaint."""

    id: UUID
    kind: str
    state: str
    filed_at: datetime
    due_on: date
    department: str
    hotline: str | None
    likely_duplicates: int
    number: str
    query_code: str
    terms: list[str]
    national_link: str | None


class AcceptedComplaint(Schema):
    """The answer to an accepted complaint."""

    receipt: Receipt
    result: Filed
