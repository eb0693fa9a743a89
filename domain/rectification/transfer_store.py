"""Statements on transfers, and on all that belongs to the file of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.document.tables import document
from domain.enterprise.tables import enterprise, site
from domain.evidence.tables import evidence, evidence_file
from domain.identity.tables import department
from domain.inspection.tables import inspection, inspection_officer
from domain.membership.store import within_sites
from domain.rectification.model import Transfer
from domain.rectification.tables import enforcement_transfer
from domain.scene.tables import scene
from domain.shared.sql import Command, Ltree, Query

INSERT_TRANSFER = Command(
    sa.insert(enforcement_transfer).values(
        {
            name: sa.bindparam(name)
            for name in (
                "id",
                "inspection_id",
                "order_id",
                "department_id",
                "receiving_body",
                "reason",
                "state",
                "opened_at",
            )
        }
    )
)
HAND_OVER = Command(
    sa.update(enforcement_transfer)
    .where(enforcement_transfer.c.id == sa.bindparam("transfer_id"), enforcement_transfer.c.state == "open")
    .values(
        state="handed_over",
        receipt_number=sa.bindparam("number"),
        receipt=sa.bindparam("scan"),
        handed_over_at=sa.bindparam("now"),
        handed_over_by=sa.bindparam("by_account"),
    )
)

_OF_OTHER_TABLES: dict[str, sa.ColumnElement[Any]] = {
    "inspection_name": inspection.c.name,
    "scene_name": scene.c.name,
    "department_name": department.c.name,
    "enterprise_id": enterprise.c.id,
    "enterprise_name": enterprise.c.name,
    "uscc": enterprise.c.uscc,
    "site_id": inspection.c.site_id,
    "region": inspection.c.region,
}
_TRANSFERS = sa.select(
    *[
        (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else enforcement_transfer.c[name]).label(name)
        for name in Transfer.__struct_fields__
    ]
).select_from(
    enforcement_transfer.join(inspection, inspection.c.id == enforcement_transfer.c.inspection_id)
    .join(scene, scene.c.code == inspection.c.scene_code)
    .join(department, department.c.id == enforcement_transfer.c.department_id)
    .join(site, site.c.id == inspection.c.site_id)
    .join(enterprise, enterprise.c.id == site.c.enterprise_id)
)
_by_id = _TRANSFERS.where(enforcement_transfer.c.id == sa.bindparam("transfer_id"))
TRANSFER_BY_ID = Query(_by_id, Transfer)
LOCK_TRANSFER = Query(_by_id.with_for_update(of=enforcement_transfer), Transfer)
TRANSFER_OF_ORDER = Query(
    _TRANSFERS.where(enforcement_transfer.c.order_id == sa.bindparam("order_id", type_=sa.Uuid)), Transfer
)


class TransferId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


DIRECT_TRANSFER = Query(
    sa.select(enforcement_transfer.c.id).where(
        enforcement_transfer.c.inspection_id == sa.bindparam("inspection_id"),
        enforcement_transfer.c.department_id == sa.bindparam("department_id"),
        enforcement_transfer.c.order_id.is_(None),
    ),
    TransferId,
)

_state = sa.bindparam("state", type_=sa.Text)
_PAGE = (
    sa.or_(_state.is_(None), enforcement_transfer.c.state == _state),
    enforcement_transfer.c.id < sa.bindparam("before_id", type_=sa.Uuid),
)


def _list(*conditions: sa.ColumnElement[bool]) -> Query[Transfer]:
    """The newest first: ids sort by the time they were made."""
    return Query(
        _TRANSFERS.where(*_PAGE, *conditions)
        .order_by(enforcement_transfer.c.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        Transfer,
    )


LIST_OF_OFFICER = _list(
    sa.exists().where(
        inspection_officer.c.inspection_id == enforcement_transfer.c.inspection_id,
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
    )
)
LIST_OF_DEPARTMENT = _list(enforcement_transfer.c.department_id == sa.bindparam("department_id"))
LIST_OF_REGION = _list(inspection.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
LIST_OF_ENTERPRISE = _list(sa.and_(site.c.enterprise_id == sa.bindparam("enterprise_id"), within_sites(site.c.id)))


class FiledPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper of the department in the inspection."""

    id: UUID
    kind: str
    title: str
    pdf_digest: bytes | None
    sealed_copy: bytes | None


PAPERS_OF_DEPARTMENT = Query(
    sa.select(*[document.c[name] for name in FiledPaper.__struct_fields__])
    .where(
        document.c.inspection_id == sa.bindparam("inspection_id"),
        document.c.department_id == sa.bindparam("department_id"),
        document.c.revoked_at.is_(None),
    )
    .order_by(document.c.created_at, document.c.id)
    .limit(100),
    FiledPaper,
)


class FiledEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A file handed in for the inspection, as much as its place in the transfer's file needs."""

    digest: bytes
    media_type: str
    copies: str
    is_quarantined: bool


EVIDENCE_OF_INSPECTION = Query(
    sa.select(
        evidence.c.digest,
        evidence_file.c.media_type,
        evidence_file.c.copies,
        evidence_file.c.quarantine_reason.is_not(None).label("is_quarantined"),
    )
    .select_from(evidence.join(evidence_file, evidence_file.c.digest == evidence.c.digest))
    .where(evidence.c.inspection_id == sa.bindparam("inspection_id"))
    .distinct(),
    FiledEvidence,
)
