"""Values of the enterprise's home: what there is to see and to do, a few of each."""

from __future__ import annotations

import enum
from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.material.model import MaterialLine


class SectionName(enum.StrEnum):
    """What the home is made of."""

    TASKS = "tasks"
    PROBLEMS = "problems"
    ORDERS = "orders"
    PAPERS = "papers"
    ASSIGNED_TASKS = "assigned_tasks"
    SELF_INSPECTIONS = "self_inspections"
    HAZARDS = "hazards"
    COMPLAINTS = "complaints"
    REQUESTS = "requests"
    ANSWERS = "answers"
    PUBLICATIONS = "publications"
    LICENCES = "licences"


class OrderDue(enum.StrEnum):
    """How near the day is, on the working calendar; without a mark nothing is due."""

    NOT_SERVED = "not_served"
    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


class SpaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as the statement gives it; `total` counts all of its section."""

    section: SectionName
    id: UUID
    title: str
    site_id: UUID | None
    site_name: str | None
    state: str | None
    due_on: date | None
    served_on: date | None
    at: datetime | None
    total: int


class SpaceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on the home. `working_days_left` counts from tomorrow to the day it is due; below 0: days overdue."""

    id: UUID
    title: str
    site_id: UUID | None
    site_name: str | None
    state: str | None
    due_on: date | None
    mark: OrderDue | None
    working_days_left: int | None
    at: datetime | None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and the first few: the most urgent, or the newest."""

    count: int = 0
    items: list[SpaceItem] = []


class MaterialSection(msgspec.Struct, frozen=True, kw_only=True):
    """材料: what is required and missing, what runs out and what ran out; the first few of them."""

    missing: int
    expiring: int
    expired: int
    items: list[MaterialLine]


class SpaceSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所 that concerns the caller."""

    id: UUID
    name: str
    is_main: bool
    business_types: list[str]


class SpaceHome(msgspec.Struct, frozen=True, kw_only=True):
    """企业空间: everything at a glance, as of `today`.

    `tasks` only once officers came or the notice was served (nobody announces a visit); `complaints` are accepted
    投诉 and never 举报; `answers` are answered 诉求 that wait to be looked at.
    """

    enterprise_id: UUID
    enterprise_name: str
    uscc: str
    today: date
    sites: list[SpaceSite]
    tasks: Section
    problems: Section
    orders: Section
    papers: Section
    assigned_tasks: Section
    self_inspections: Section
    hazards: Section
    complaints: Section
    requests: Section
    answers: Section
    publications: Section
    licences: Section
    materials: MaterialSection
