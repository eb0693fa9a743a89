"""Tables behind what anybody reads and files, as declarative ORM models beside the others."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY as POSTGRESQL_ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from benchmarks.peer_tables import Base, Department
from domain.shared.sql import Ltree


class ManualVersion(Base):
    __tablename__ = "manual_version"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]


class Manual(Base):
    __tablename__ = "manual"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    business_type: Mapped[str]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    place: Mapped[int]
    state: Mapped[str]
    current_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("manual_version.id"))
    department: Mapped[Department] = relationship()
    version: Mapped[ManualVersion] = relationship()


class Complaint(Base):
    __tablename__ = "complaint"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    enterprise_id: Mapped[UUID]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    region: Mapped[str] = mapped_column(Ltree)
    type: Mapped[str]
    state: Mapped[str]
    is_open: Mapped[bool]
    term: Mapped[str]
    due_on: Mapped[date]
    filed_at: Mapped[datetime]
    is_reopened: Mapped[bool]
    is_extended: Mapped[bool]
    is_abusive: Mapped[bool]
    leading_id: Mapped[UUID | None]
    content_sealed: Mapped[bytes] = mapped_column(deferred=True)
    person_sealed: Mapped[bytes] = mapped_column(deferred=True)
    sketch: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    phone_index: Mapped[bytes | None]
    query_code_index: Mapped[bytes]
    consent_version: Mapped[str]
    department: Mapped[Department] = relationship()


class PhoneVerification(Base):
    __tablename__ = "phone_verification"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_sealed: Mapped[bytes]
    proven_at: Mapped[datetime | None]


class WriteCount(Base):
    __tablename__ = "write_count"
    kind: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    current: Mapped[int]
    previous: Mapped[int]
    counted_at: Mapped[datetime]


class NumberCounter(Base):
    __tablename__ = "number_counter"
    department_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last: Mapped[int]


class SearchEntry(Base):
    __tablename__ = "search_entry"
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    target: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    authority: Mapped[str | None]
    dated_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    terms: Mapped[list[str]] = mapped_column(POSTGRESQL_ARRAY(Text), deferred=True)
