"""Statements on 投诉 and on 举报: one set for each, over its own tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.complaint.likeness import Sketched
from domain.complaint.model import (
    Entry,
    Grievance,
    GrievanceKind,
    GrievanceSummary,
)
from domain.complaint.tables import complaint, complaint_entry, tip_off, tip_off_entry
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import account, department
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query, uuid_list
from domain.shared.tables import issued_number

_OF_DEPARTMENT: Final = {
    "department_code": department.c.code,
    "department_name": department.c.short_name,
    "hotline": department.c.hotline,
}
_STORED: Final = tuple(name for name in Grievance.__struct_fields__ if name not in _OF_DEPARTMENT)
_FIXED: Final = {"id", "site_id", "enterprise_id", "department_id", "region", "type", "filed_at", "person_sealed"}
_CHANGING: Final = tuple(name for name in _STORED if name not in _FIXED)
_FILED_ALONG: Final = ("sketch", "query_code_index", "consent_version", "phone_index")


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """How often the last digits of the complainant's phone were given wrongly of late, and who the complainant is."""

    failed_tries: int
    tried_at: datetime | None
    person_sealed: bytes | None


class NumberRow(msgspec.Struct, frozen=True, kw_only=True):
    """The number that was issued."""

    number: str


class IdRow(msgspec.Struct, frozen=True, kw_only=True):
    """Only its id."""

    id: UUID


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    count: int


def number_of(of: sa.ColumnElement[UUID], kind: NumberKind) -> sa.ScalarSelect[str]:
    register = issued_number.alias()
    return (
        sa.select(
            sa.func.concat(
                register.c.department_code,
                "-",
                register.c.year,
                sa.literal(f"-{kind.value}-", sa.Text),
                sa.func.lpad(sa.cast(register.c.sequence, sa.Text), 6, "0"),
            )
        )
        .where(register.c.subject_id == of, register.c.kind == kind.value, register.c.voided_at.is_(None))
        .limit(1)
        .scalar_subquery()
    )


def _optional(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    wanted = sa.bindparam(name, type_=column.type)
    return sa.or_(wanted.is_(None), column == wanted)


class GrievanceStore:
    """The statements on one kind."""

    def __init__(self, kind: GrievanceKind, table: sa.Table, entries: sa.Table, number: NumberKind) -> None:
        """Compile them over `table` and `entries`."""
        self.kind = kind
        self.name = table.name
        self.number_kind = number
        self._table = table
        self._number = number_of(table.c.id, number)
        self._make_loads()
        self._make_saves()
        self._make_entries(entries)
        self._make_lists()
        self._make_lookups()

    def _make_loads(self) -> None:
        table = self._table
        whole = sa.select(
            *[
                (_OF_DEPARTMENT[name] if name in _OF_DEPARTMENT else table.c[name]).label(name)
                for name in Grievance.__struct_fields__
            ]
        ).select_from(table.join(department, department.c.id == table.c.department_id))
        by_id = whole.where(table.c.id == sa.bindparam("grievance_id"))
        self.by_id = Query(by_id, Grievance)
        self.lock = Query(by_id.with_for_update(of=table), Grievance)
        # In the order of their ids: two batches over the same ones do not wait for each other crosswise.
        self.lock_many = Query(
            whole.where(table.c.id == sa.any_(uuid_list("ids"))).order_by(table.c.id).with_for_update(of=table),
            Grievance,
        )
        self.lock_followers = Query(
            whole.where(table.c.leading_id == sa.any_(uuid_list("ids"))).order_by(table.c.id).with_for_update(of=table),
            Grievance,
        )
        self.lock_of_inspection = Query(
            whole.where(table.c.inspection_id == sa.bindparam("inspection_id"), table.c.is_open)
            .order_by(table.c.id)
            .with_for_update(of=table),
            Grievance,
        )
        # What follows another is closed along with it, not by itself.
        self.lock_to_close = Query(
            whole.where(
                table.c.state == sa.literal_column("'answered'"),
                table.c.leading_id.is_(None),
                table.c.answered_at < sa.bindparam("answered_before", type_=sa.DateTime(timezone=True)),
            )
            .order_by(table.c.answered_at, table.c.id)
            .limit(sa.bindparam("limit", type_=sa.Integer))
            .with_for_update(of=table, skip_locked=True),
            Grievance,
        )

    def _make_saves(self) -> None:
        table = self._table
        self.insert = Command(sa.insert(table).values({name: sa.bindparam(name) for name in (*_STORED, *_FILED_ALONG)}))
        self.update = Command(
            sa.update(table)
            .where(table.c.id == sa.bindparam("of_grievance"))
            .values({name: sa.bindparam(name) for name in _CHANGING})
        )
        since = sa.bindparam("since", type_=sa.DateTime(timezone=True))
        self.count_try = Command(
            sa.update(table)
            .where(table.c.id == sa.bindparam("of_grievance"))
            .values(
                failed_tries=sa.case((table.c.tried_at > since, table.c.failed_tries + 1), else_=1),
                tried_at=sa.bindparam("now"),
            )
        )

    def _make_entries(self, entries: sa.Table) -> None:
        self.insert_entry = Command(
            sa.insert(entries).values({name: sa.bindparam(name) for name in Entry.__struct_fields__})
        )
        self.entries = Query(
            sa.select(*[entries.c[name] for name in Entry.__struct_fields__])
            .where(entries.c.grievance_id == sa.bindparam("grievance_id"))
            .order_by(entries.c.n)
            .limit(200),
            Entry,
        )
        self.count_entries = Query(
            sa.select(sa.func.count().label("count"))
            .select_from(entries)
            .where(entries.c.grievance_id == sa.bindparam("grievance_id"), entries.c.kind == sa.bindparam("kind")),
            CountRow,
        )

    def _make_lists(self) -> None:
        table = self._table
        others: Mapping[str, Any] = {
            "number": sa.func.coalesce(self._number, ""),
            "site_name": site.c.name,
            "enterprise_name": enterprise.c.name,
            "handler_name": account.c.name,
            "is_named": table.c.person_sealed.is_not(None),
        }
        due_to = sa.bindparam("due_to", type_=sa.Date)
        # No lower bound of `due_on` beside the cursor: see domain/inspection/store.py.
        line = (
            sa.select(
                *[
                    (others[name] if name in others else table.c[name]).label(name)
                    for name in GrievanceSummary.__struct_fields__
                ]
            )
            .select_from(
                table.join(site, site.c.id == table.c.site_id)
                .join(enterprise, enterprise.c.id == table.c.enterprise_id)
                .outerjoin(account, account.c.id == table.c.handler_id)
            )
            .where(
                table.c.is_open == sa.bindparam("is_open", type_=sa.Boolean),
                _optional(table.c.state, "state"),
                _optional(table.c.type, "type"),
                _optional(table.c.site_id, "site_id"),
                _optional(table.c.id, "only_id"),
                sa.tuple_(table.c.due_on, table.c.id)
                > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
            )
            .order_by(table.c.due_on, table.c.id)
            .limit(sa.bindparam("limit", type_=sa.Integer))
        )
        self.list_of_department = Query(
            line.where(table.c.department_id == sa.bindparam("department_id"), table.c.due_on <= due_to),
            GrievanceSummary,
        )
        self.list_of_region = Query(
            line.where(table.c.region.op("<@")(sa.bindparam("region", type_=Ltree)), table.c.due_on <= due_to),
            GrievanceSummary,
        )

    def _make_lookups(self) -> None:
        table, same = self._table, self._table.alias("same")
        self.by_query_code = Query(
            sa.select(table.c.id).where(table.c.query_code_index == sa.bindparam("query_code_index")), IdRow
        )
        self.lock_tries = Query(
            sa.select(table.c.failed_tries, table.c.tried_at, table.c.person_sealed)
            .where(table.c.id == sa.bindparam("grievance_id"))
            .with_for_update(),
            Tries,
        )
        self.sketches = Query(
            sa.select(table.c.type, table.c.sketch)
            .where(
                table.c.site_id == sa.bindparam("site_id"),
                table.c.filed_at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)),
                # Those under suspicion of abuse count, too: a number that falls would tell of the mark.
                table.c.state != sa.text("'withdrawn'"),
                sa.or_(sa.bindparam("but", type_=sa.Uuid).is_(None), table.c.id != sa.bindparam("but", type_=sa.Uuid)),
            )
            .order_by(table.c.filed_at.desc())
            .limit(sa.bindparam("limit", type_=sa.Integer)),
            Sketched,
        )
        self.sketch_of = Query(
            sa.select(table.c.type, table.c.sketch).where(table.c.id == sa.bindparam("grievance_id")), Sketched
        )
        self.followers = Query(
            sa.select(table.c.id)
            .where(table.c.leading_id == sa.bindparam("grievance_id"))
            .order_by(table.c.filed_at, table.c.id)
            .limit(200),
            IdRow,
        )
        self.count_of_phone = Query(
            sa.select(sa.func.count().label("count"))
            .select_from(table)
            .where(
                table.c.phone_index
                == sa.select(same.c.phone_index).where(same.c.id == sa.bindparam("grievance_id")).scalar_subquery()
            ),
            CountRow,
        )
        self.number = Query(
            sa.select(sa.func.coalesce(self._number, "").label("number")).where(
                table.c.id == sa.bindparam("grievance_id")
            ),
            NumberRow,
        )


STORES: Final[Mapping[GrievanceKind, GrievanceStore]] = {
    GrievanceKind.COMPLAINT: GrievanceStore(GrievanceKind.COMPLAINT, complaint, complaint_entry, NumberKind.COMPLAINT),
    GrievanceKind.TIP_OFF: GrievanceStore(GrievanceKind.TIP_OFF, tip_off, tip_off_entry, NumberKind.TIP_OFF),
}
