"""Statements on materials, and on what expires."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import enterprise, licence, site
from domain.material.model import Expiring, ExpirySubject, OwnSite, Reminded, StoredMaterial, StoredVersion
from domain.material.tables import expiry_reminder, material, material_version
from domain.shared.sql import Command, Query, uuid_list

_OF_VERSION = {
    "version_id": material_version.c.id,
    "version": material_version.c.version,
    "number": material_version.c.number,
    "valid_from": material_version.c.valid_from,
    "valid_to": material_version.c.valid_to,
    "uploaded_at": material_version.c.uploaded_at,
}
_CURRENT = (
    sa.select(
        *[
            (_OF_VERSION[name] if name in _OF_VERSION else material.c[name]).label(name)
            for name in StoredMaterial.__struct_fields__
        ]
    )
    .select_from(
        material.join(
            material_version,
            sa.and_(material_version.c.material_id == material.c.id, material_version.c.replaced_at.is_(None)),
        )
    )
    .where(material.c.removed_at.is_(None))
)
_of_site = sa.bindparam("of_site", type_=sa.Uuid)

SITES_OF_ENTERPRISE = Query(
    sa.select(*[site.c[name] for name in OwnSite.__struct_fields__])
    .where(
        site.c.enterprise_id == sa.bindparam("enterprise_id"),
        sa.or_(_of_site.is_(None), site.c.id == _of_site),
    )
    .order_by(site.c.is_main.desc(), site.c.id)
    .limit(200),
    OwnSite,
)
MATERIALS_OF_ENTERPRISE = Query(
    _CURRENT.where(material.c.enterprise_id == sa.bindparam("enterprise_id"))
    .order_by(material.c.name, material.c.id)
    .limit(1000),
    StoredMaterial,
)
MATERIAL_BY_ID = Query(_CURRENT.where(material.c.id == sa.bindparam("material_id")), StoredMaterial)
LOCK_MATERIAL = Query(
    _CURRENT.where(material.c.id == sa.bindparam("material_id")).with_for_update(of=material), StoredMaterial
)
LOCK_SLOT = Query(
    _CURRENT.where(
        material.c.enterprise_id == sa.bindparam("enterprise_id"),
        material.c.site_id.is_not_distinct_from(sa.bindparam("site_id", type_=sa.Uuid)),
        material.c.name == sa.bindparam("name"),
    ).with_for_update(of=material),
    StoredMaterial,
)
INSERT_MATERIAL = Command(
    sa.insert(material).values(
        {
            name: sa.bindparam(name)
            for name in ("id", "enterprise_id", "site_id", "standard_code", "name", "kind", "created_at")
        }
    )
)
REMOVE_MATERIAL = Command(
    sa.update(material).where(material.c.id == sa.bindparam("of_material")).values(removed_at=sa.bindparam("now"))
)
_VERSION_FIELDS = (
    "id",
    "material_id",
    "enterprise_id",
    "version",
    "number",
    "valid_from",
    "valid_to",
    "uploaded_by",
    "uploaded_at",
)
INSERT_VERSION = Command(sa.insert(material_version).values({name: sa.bindparam(name) for name in _VERSION_FIELDS}))
REPLACE_VERSION = Command(
    sa.update(material_version)
    .where(material_version.c.material_id == sa.bindparam("of_material"), material_version.c.replaced_at.is_(None))
    .values(replaced_at=sa.bindparam("now"))
)
VERSIONS = Query(
    sa.select(*[material_version.c[name] for name in StoredVersion.__struct_fields__])
    .where(material_version.c.material_id == sa.bindparam("material_id"))
    .order_by(material_version.c.version.desc())
    .limit(20),
    StoredVersion,
)
VERSION = Query(
    sa.select(*[material_version.c[name] for name in StoredVersion.__struct_fields__]).where(
        material_version.c.material_id == sa.bindparam("material_id"),
        material_version.c.version == sa.bindparam("version", type_=sa.Integer),
    ),
    StoredVersion,
)

# ---- what expires


def _expiring(kind: ExpirySubject, source: Any, valid_to: Any, subject_id: Any, *conditions: Any) -> sa.Select[Any]:
    """Those whose last day lies behind the cursor and not after `last_on`, and whose step was not told yet."""
    told = sa.exists().where(
        expiry_reminder.c.kind == sa.literal(kind.value, sa.Text),
        expiry_reminder.c.subject_id == subject_id,
        expiry_reminder.c.valid_to == valid_to,
        expiry_reminder.c.step == sa.bindparam("step", type_=sa.SmallInteger),
    )
    cursor = sa.tuple_(sa.bindparam("after_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid))
    return (
        source.where(
            sa.tuple_(valid_to, subject_id) > cursor,
            valid_to <= sa.bindparam("last_on", type_=sa.Date),
            sa.not_(told),
            *conditions,
        )
        .order_by(valid_to, subject_id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )


_in_business = sa.exists().where(enterprise.c.revoked_on.is_(None))
_renewed = sa.exists().where(
    material.c.enterprise_id == licence.c.enterprise_id,
    material.c.removed_at.is_(None),
    material_version.c.material_id == material.c.id,
    material_version.c.replaced_at.is_(None),
    material_version.c.number == licence.c.number,
    material_version.c.valid_to > licence.c.valid_to,
)
"""The enterprise uploaded the renewed licence, and the register does not know yet."""
EXPIRING_LICENCES = Query(
    _expiring(
        ExpirySubject.LICENCE,
        sa.select(
            licence.c.id,
            licence.c.enterprise_id,
            sa.cast(sa.null(), sa.Uuid).label("site_id"),
            licence.c.name,
            licence.c.valid_to,
        ),
        licence.c.valid_to,
        licence.c.id,
        _in_business.where(enterprise.c.id == licence.c.enterprise_id),
        sa.not_(_renewed),
    ),
    Expiring,
)
EXPIRING_MATERIALS = Query(
    _expiring(
        ExpirySubject.MATERIAL,
        sa.select(
            material_version.c.id,
            material_version.c.enterprise_id,
            material.c.site_id,
            # What an enterprise calls its own papers may name a person: it stays out of messages and trace.
            sa.case((material.c.standard_code.is_(None), "自行上传的材料"), else_=material.c.name).label("name"),
            material_version.c.valid_to,
        ).select_from(material_version.join(material, material.c.id == material_version.c.material_id)),
        material_version.c.valid_to,
        material_version.c.id,
        material_version.c.replaced_at.is_(None),
        material.c.removed_at.is_(None),
        _in_business.where(enterprise.c.id == material_version.c.enterprise_id),
    ),
    Expiring,
)
_told = (
    sa.func.unnest(uuid_list("subjects"), sa.bindparam("days", type_=sa.ARRAY(sa.Date)))
    .table_valued("subject_id", "valid_to")
    .render_derived()
)
_NEW_REMINDERS = sa.select(
    sa.bindparam("kind", type_=sa.Text),
    _told.c.subject_id,
    _told.c.valid_to,
    sa.bindparam("step", type_=sa.SmallInteger),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)
INSERT_REMINDERS = Query(
    upsert(expiry_reminder)
    .from_select(["kind", "subject_id", "valid_to", "step", "reminded_at"], _NEW_REMINDERS)
    .on_conflict_do_nothing()
    .returning(expiry_reminder.c.subject_id),
    Reminded,
)
"""Gives those that were not there: of two workers at once, each reminds of its own."""
DELETE_OLD_REMINDERS = Command(sa.delete(expiry_reminder).where(expiry_reminder.c.valid_to < sa.bindparam("before")))
