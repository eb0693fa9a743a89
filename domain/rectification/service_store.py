"""Statements on 送达 and on the consents it may rest on."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.document.tables import document
from domain.inspection.tables import visit
from domain.rectification.model import Consent, ServiceRecord
from domain.rectification.tables import service_consent, service_record
from domain.shared.sql import Command, Query, uuid_list

INSERT_SERVICE = Command(sa.insert(service_record))
SERVICES_OF_ORDER = Query(
    sa.select(*[service_record.c[name] for name in ServiceRecord.__struct_fields__])
    .where(service_record.c.order_id == sa.bindparam("order_id"))
    .order_by(service_record.c.served_on, service_record.c.id)
    .limit(100),
    ServiceRecord,
)

INSERT_CONSENT = Command(
    sa.insert(service_consent).values(
        {
            name: sa.bindparam(name)
            for name in ("id", "enterprise_id", "means", "addresses_sealed", "given_by", "given_at", "paper")
        }
    )
)
_in_force = sa.select(*[service_consent.c[name] for name in Consent.__struct_fields__]).where(
    service_consent.c.enterprise_id == sa.bindparam("enterprise_id"), service_consent.c.withdrawn_at.is_(None)
)
CONSENT_IN_FORCE = Query(_in_force, Consent)
LOCK_CONSENT_IN_FORCE = Query(_in_force.with_for_update(), Consent)
CONSENT_ON = Query(
    sa.select(*[service_consent.c[name] for name in Consent.__struct_fields__])
    .where(
        service_consent.c.enterprise_id == sa.bindparam("enterprise_id"),
        service_consent.c.given_at < sa.bindparam("until", type_=sa.DateTime(timezone=True)),
        sa.or_(
            service_consent.c.withdrawn_at.is_(None),
            service_consent.c.withdrawn_at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        ),
    )
    .order_by(service_consent.c.given_at.desc())
    .limit(1),
    Consent,
)
WITHDRAW_CONSENT = Command(
    sa.update(service_consent)
    .where(service_consent.c.id == sa.bindparam("consent_id"), service_consent.c.withdrawn_at.is_(None))
    .values(withdrawn_at=sa.bindparam("now"))
)


_electronic = (
    sa.select(*[service_record.c[name] for name in ServiceRecord.__struct_fields__])
    .where(
        service_record.c.order_id == sa.bindparam("order_id"),
        service_record.c.means == sa.text("'electronic'"),
        service_record.c.served_on <= sa.bindparam("day", type_=sa.Date),
    )
    .limit(1)
)
ELECTRONIC_SERVICE_BY = Query(_electronic, ServiceRecord)


class ServedOn(msgspec.Struct, frozen=True, kw_only=True):
    """When a paper was served."""

    served_on: date


SERVICE_OF_DOCUMENT = Query(
    sa.select(service_record.c.served_on).where(service_record.c.document_id == sa.bindparam("document_id")).limit(1),
    ServedOn,
)


class ServedNotice(msgspec.Struct, frozen=True, kw_only=True):
    """From when the 检查通知书 of an inspection counts as served, by what was recorded before anybody came."""

    inspection_id: UUID
    served_on: date


NOTICES_SERVED = Query(
    sa.select(document.c.inspection_id, sa.func.min(service_record.c.served_on).label("served_on"))
    .select_from(service_record.join(document, document.c.id == service_record.c.document_id))
    .where(
        document.c.inspection_id == sa.any_(uuid_list("inspections")),
        document.c.kind == sa.text("'inspection_notice'"),
        document.c.revoked_at.is_(None),
        service_record.c.served_on <= sa.bindparam("today", type_=sa.Date),
        # What is recorded once officers are there announces nothing any more.
        ~sa.exists().where(
            visit.c.inspection_id == document.c.inspection_id,
            visit.c.voided_at.is_(None),
            visit.c.arrived_at <= service_record.c.received_at,
        ),
    )
    .group_by(document.c.inspection_id),
    ServedNotice,
)
