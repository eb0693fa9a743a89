"""Statements on enterprises, sites and site codes."""

from __future__ import annotations

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.enterprise.model import LicenceCard, ScannedSite, SiteCard, SiteCode
from domain.enterprise.tables import enterprise, licence, site, site_code
from domain.identity.tables import department, region
from domain.shared.sql import Command, Query

_CODE_COLUMNS = [site_code.c[name] for name in SiteCode.__struct_fields__]

INSERT_CODE = Command(
    sa.insert(site_code).values(
        {name: sa.bindparam(name) for name in ("code_id", "site_id", "key_version", "state", "issued_at")}
    )
)

CODE_BY_ID = Query(sa.select(*_CODE_COLUMNS).where(site_code.c.code_id == sa.bindparam("code_id")), SiteCode)

_current_code = sa.select(*_CODE_COLUMNS).where(
    site_code.c.site_id == sa.bindparam("site_id"), site_code.c.state == "issued"
)
CURRENT_CODE = Query(_current_code, SiteCode)
LOCK_CURRENT_CODE = Query(_current_code.with_for_update(), SiteCode)

END_CODE = Command(
    sa.update(site_code)
    .where(site_code.c.code_id == sa.bindparam("ended_code"), site_code.c.state == "issued")
    .values(state=sa.bindparam("state_after"), ended_at=sa.bindparam("now"), end_reason=sa.bindparam("reason"))
)


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A site where it stands in the tree of regions."""

    id: UUID
    enterprise_id: UUID
    name: str
    region: str
    regulator_id: UUID | None


SITE_BY_ID = Query(
    sa.select(*[site.c[name] for name in SiteRow.__struct_fields__]).where(site.c.id == sa.bindparam("site_id")),
    SiteRow,
)

_licence_fields = [
    part for name in LicenceCard.__struct_fields__ for part in (sa.literal_column(f"'{name}'"), licence.c[name])
]
_LICENCES = (
    sa.select(
        sa.func.coalesce(
            sa.func.jsonb_agg(
                aggregate_order_by(sa.func.jsonb_build_object(*_licence_fields), licence.c.valid_from.desc())
            ),
            sa.text("'[]'::jsonb"),
        )
    )
    .where(licence.c.enterprise_id == enterprise.c.id)
    .scalar_subquery()
)

_OF_OTHER_TABLES = {
    "site_id": site.c.id,
    "site_name": site.c.name,
    "address": site.c.address,
    "region": site.c.region,
    "region_name": region.c.name,
    "longitude": site.c.longitude,
    "latitude": site.c.latitude,
    "regulator": department.c.name,
    "hotline": department.c.hotline,
    "enterprise_id": enterprise.c.id,
    "licences": _LICENCES,
}
_CARD_COLUMNS = [
    (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else enterprise.c[name]).label(name)
    for name in SiteCard.__struct_fields__
]
_SITE_WITH_ALL = (
    site.join(enterprise, enterprise.c.id == site.c.enterprise_id)
    .join(region, region.c.code == site.c.region_code)
    .outerjoin(department, department.c.id == site.c.regulator_id)
)

SITE_BY_CODE = (
    sa.select(*_CARD_COLUMNS, site_code.c.state.label("code_state"), site_code.c.ended_at.label("code_ended_at"))
    .select_from(site_code.join(_SITE_WITH_ALL, site.c.id == site_code.c.site_id))
    .where(site_code.c.code_id == sa.bindparam("code_id"))
)
SITES_BY_USCC = (
    sa.select(*_CARD_COLUMNS)
    .select_from(_SITE_WITH_ALL)
    .where(enterprise.c.uscc == sa.bindparam("uscc"))
    .order_by(site.c.is_main.desc(), site.c.id)
    .limit(100)
)
"""Both read `site`; a room above adds what it knows of each."""
SCANNED_SITE = Query(SITE_BY_CODE, ScannedSite)


class SiteToCode(msgspec.Struct, frozen=True, kw_only=True):
    """A site of a region, the code it has, if any, and who is called about it."""

    site_id: UUID
    enterprise_id: UUID
    uscc: str
    name: str
    site_name: str
    region: str
    regulator: str | None
    hotline: str | None
    code_id: bytes | None
    key_version: int | None


_current = site_code.alias("current_code")
_TO_CODE = sa.select(
    site.c.id.label("site_id"),
    site.c.enterprise_id,
    enterprise.c.uscc,
    enterprise.c.name,
    site.c.name.label("site_name"),
    site.c.region,
    department.c.name.label("regulator"),
    department.c.hotline,
    _current.c.code_id,
    _current.c.key_version,
).select_from(
    site.join(enterprise, enterprise.c.id == site.c.enterprise_id)
    .outerjoin(department, department.c.id == site.c.regulator_id)
    .outerjoin(_current, sa.and_(_current.c.site_id == site.c.id, _current.c.state == "issued"))
)
SITES_TO_CODE = Query(
    _TO_CODE.where(
        site.c.region_code == sa.any_(sa.bindparam("region_codes", type_=sa.ARRAY(sa.Text))),
        sa.tuple_(site.c.region_code, site.c.id)
        > sa.tuple_(sa.bindparam("after_region", type_=sa.Text), sa.bindparam("after_id", type_=sa.Uuid)),
    )
    .order_by(site.c.region_code, site.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    SiteToCode,
)
SITE_TO_CODE = Query(_TO_CODE.where(site.c.id == sa.bindparam("site_id")), SiteToCode)


class SiteCount(msgspec.Struct, frozen=True):
    """How many sites."""

    sites: int


COUNT_SITES = Query(
    sa.select(sa.func.count().label("sites"))
    .select_from(site)
    .where(site.c.region_code == sa.any_(sa.bindparam("region_codes", type_=sa.ARRAY(sa.Text)))),
    SiteCount,
)
