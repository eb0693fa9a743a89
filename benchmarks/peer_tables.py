"""The same tables as declarative ORM models, with the relationships that the endpoints need."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from domain.shared.sql import Ltree


class Base(DeclarativeBase):
    """The peer's own metadata: nothing of Yima's is reused here."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way
        datetime: DateTime(timezone=True),
        str: Text,
        list[str]: ARRAY(Text),
        dict[str, str]: JSONB,
    }


def _told() -> Any:
    """A column that only some endpoints tell of; the others do not load it."""
    return mapped_column(deferred=True, deferred_group="told")


class Region(Base):
    __tablename__ = "region"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Department(Base):
    __tablename__ = "department"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    short_name: Mapped[str]
    paper_word: Mapped[str | None]
    hotline: Mapped[str | None]
    region: Mapped[str] = mapped_column(Ltree, deferred=True)


class Licence(Base):
    __tablename__ = "licence"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprise.id"))
    number: Mapped[str]
    name: Mapped[str]
    authority: Mapped[str]
    content: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class Enterprise(Base):
    __tablename__ = "enterprise"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    uscc: Mapped[str]
    name: Mapped[str]
    object_type: Mapped[str]
    industry_type: Mapped[str | None]
    legal_representative: Mapped[str | None]
    registered_capital: Mapped[Decimal | None]
    capital_currency: Mapped[str | None]
    domicile: Mapped[str | None]
    business_scope: Mapped[str | None]
    registration_authority: Mapped[str | None]
    established_on: Mapped[date | None]
    term_from: Mapped[date | None]
    term_to: Mapped[date | None]
    revoked_on: Mapped[date | None]
    licences: Mapped[list[Licence]] = relationship(order_by=Licence.valid_from.desc())


class Site(Base):
    __tablename__ = "site"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprise.id"))
    name: Mapped[str]
    address: Mapped[str | None]
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    region_path: Mapped[str] = mapped_column("region", Ltree)
    business_types: Mapped[list[str]]
    regulator_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    radius_m: Mapped[int | None]
    polygon: Mapped[Any] = mapped_column(JSONB, deferred=True, deferred_group="told")
    enterprise: Mapped[Enterprise] = relationship()
    region: Mapped[Region] = relationship()
    regulator: Mapped[Department | None] = relationship()
    codes: Mapped[list[SiteCode]] = relationship(back_populates="site")
    profile: Mapped[SiteProfile | None] = relationship()
    publications: Mapped[list[Publication]] = relationship(
        primaryjoin="and_(Site.id == Publication.site_id, Publication.state.in_(['published', 'withdrawn']))",
        viewonly=True,
    )


class SiteProfile(Base):
    __tablename__ = "site_profile"
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    opening_hours: Mapped[str | None]
    public_phone: Mapped[str | None]


class SiteCode(Base):
    __tablename__ = "site_code"
    code_id: Mapped[bytes] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    state: Mapped[str]
    key_version: Mapped[int]
    site: Mapped[Site] = relationship(back_populates="codes")


class Officer(Base):
    __tablename__ = "officer"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    certificate_number: Mapped[str | None]
    certificate_valid_from: Mapped[date | None]
    certificate_valid_to: Mapped[date | None]


class InspectionParty(Base):
    __tablename__ = "inspection_party"
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"), primary_key=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"), primary_key=True)
    is_lead: Mapped[bool]
    department: Mapped[Department] = relationship()


class InspectionOfficer(Base):
    __tablename__ = "inspection_officer"
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"), primary_key=True)
    officer_id: Mapped[UUID] = mapped_column(ForeignKey("officer.id"), primary_key=True)
    department_id: Mapped[UUID]
    officer: Mapped[Officer] = relationship()


class IssuedNumber(Base):
    __tablename__ = "issued_number"
    department_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("inspection.id"))
    device_id: Mapped[UUID | None]
    voided_at: Mapped[datetime | None]
    issued_at: Mapped[datetime] = mapped_column(deferred=True)


class Visit(Base):
    __tablename__ = "visit"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"))
    sequence: Mapped[int]
    opened_by: Mapped[UUID]
    arrived_at: Mapped[datetime]
    departed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    check_ins: Mapped[list[CheckIn]] = relationship(back_populates="visit")


class Inspection(Base):
    __tablename__ = "inspection"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    region: Mapped[str] = mapped_column(Ltree)
    starts_on: Mapped[date]
    approved_at: Mapped[datetime | None]
    is_urgent: Mapped[bool]
    created_at: Mapped[datetime]
    name: Mapped[str] = _told()
    kind: Mapped[str] = _told()
    mode: Mapped[str] = _told()
    source: Mapped[str] = _told()
    basis: Mapped[str] = _told()
    scene_code: Mapped[str] = _told()
    due_on: Mapped[date] = _told()
    outcome: Mapped[str | None] = _told()
    nonce: Mapped[bytes | None] = _told()
    list_digest: Mapped[bytes | None] = _told()
    completed_at: Mapped[datetime | None] = _told()
    site: Mapped[Site] = relationship()
    parties: Mapped[list[InspectionParty]] = relationship()
    officers: Mapped[list[InspectionOfficer]] = relationship()
    numbers: Mapped[list[IssuedNumber]] = relationship()
    visits: Mapped[list[Visit]] = relationship(order_by=Visit.sequence)
    items: Mapped[list[InspectionItem]] = relationship(order_by="InspectionItem.place")
    record_parts: Mapped[list[RecordPart]] = relationship()
    orders: Mapped[list[RectificationOrder]] = relationship()


class CheckIn(Base):
    __tablename__ = "check_in"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"))
    department_id: Mapped[UUID]
    officer_id: Mapped[UUID]
    second_officer_id: Mapped[UUID]
    means: Mapped[str]
    code_id: Mapped[bytes | None]
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    fixed_at: Mapped[datetime | None]
    datum: Mapped[str | None]
    wgs84_longitude: Mapped[float | None]
    wgs84_latitude: Mapped[float | None]
    distance_outside_m: Mapped[float | None]
    flags: Mapped[list[str]]
    done_at: Mapped[datetime]
    received_at: Mapped[datetime]
    departed_at: Mapped[datetime | None]
    visit: Mapped[Visit] = relationship(back_populates="check_ins")


class ChecklistItem(Base):
    __tablename__ = "checklist_item"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    area: Mapped[str]
    matter: Mapped[str]
    sub_matter: Mapped[str | None]
    content: Mapped[str]
    method: Mapped[str]
    mode: Mapped[str]
    is_on_site: Mapped[bool]
    severity: Mapped[str]
    is_mandatory: Mapped[bool]
    penalty_if_overdue: Mapped[bool]
    guidance: Mapped[str | None]
    legal_basis: Mapped[Any] = mapped_column(JSONB)


class InspectionItem(Base):
    __tablename__ = "inspection_item"
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("checklist_item.id"), primary_key=True)
    place: Mapped[int]
    department_id: Mapped[UUID]
    item: Mapped[ChecklistItem] = relationship()


class RecordPart(Base):
    __tablename__ = "record_part"
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"), primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes | None]


class Answer(Base):
    __tablename__ = "answer"
    inspection_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    value: Mapped[str]
    measures: Mapped[Any] = mapped_column(JSONB)
    reason: Mapped[str | None]
    remark: Mapped[str | None]
    photos: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    is_bulk: Mapped[bool]
    order_id: Mapped[UUID | None]
    flags: Mapped[list[str]]
    officer_id: Mapped[UUID]
    done_at: Mapped[datetime]
    received_at: Mapped[datetime]


class EvidenceFile(Base):
    __tablename__ = "evidence_file"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    copies: Mapped[str]
    stored_at: Mapped[datetime]
    quarantine_reason: Mapped[str | None]


class Evidence(Base):
    __tablename__ = "evidence"
    inspection_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(ForeignKey("evidence_file.digest"), primary_key=True)
    is_of_enterprise: Mapped[bool] = mapped_column(primary_key=True)
    uploaded_by: Mapped[UUID]
    done_at: Mapped[datetime]
    received_at: Mapped[datetime]
    referenced_at: Mapped[datetime | None]
    file: Mapped[EvidenceFile] = relationship()


class RectificationOrder(Base):
    __tablename__ = "rectification_order"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"))
    state: Mapped[str]


class PublicReply(Base):
    __tablename__ = "public_reply"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication.id"))
    text: Mapped[str]
    submitted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Publication(Base):
    __tablename__ = "publication"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    state: Mapped[str]
    ends_on: Mapped[date]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    is_contested: Mapped[bool]
    inspection: Mapped[Inspection] = relationship()
    replies: Mapped[list[PublicReply]] = relationship()


class Chore(Base):
    __tablename__ = "chore"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    trace_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[bytes]
    created_at: Mapped[datetime]


class Deadline(Base):
    __tablename__ = "deadline"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    department_id: Mapped[UUID]
    region: Mapped[str] = mapped_column(Ltree)
    site_id: Mapped[UUID | None]
    enterprise_id: Mapped[UUID | None]
    officers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    due_on: Mapped[date]
    set_at: Mapped[datetime]
    next_stage_at: Mapped[datetime]
    calendar_edition: Mapped[int]


class Trace(Base):
    __tablename__ = "trace"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    business: Mapped[str]
    power: Mapped[str]
    duty: Mapped[str]
    action: Mapped[str]
    at: Mapped[datetime]
    operator_id: Mapped[UUID]
    operator_name: Mapped[str]
    post: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    department_id: Mapped[UUID | None]
    region: Mapped[str | None]
    site_id: Mapped[UUID | None]
    after: Mapped[Any] = mapped_column(JSON)
    request_id: Mapped[UUID]
    key_version: Mapped[int]
    mac: Mapped[bytes]


class Message(Base):
    __tablename__ = "message"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    trace_id: Mapped[UUID]
    template: Mapped[str]
    channel: Mapped[str]
    recipient: Mapped[str]
    recipient_id: Mapped[UUID]
    parameters: Mapped[dict[str, str]]
    created_at: Mapped[datetime]


class Idempotency(Base):
    __tablename__ = "idempotency"
    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    receipt_id: Mapped[UUID]
    received_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[bytes | None]
