"""Statements on what enterprises and sites say of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.model import LicenceCard
from domain.enterprise.profile.model import Registered, RegisteredSite, StoredProfile
from domain.enterprise.tables import enterprise, enterprise_profile, licence, site, site_profile
from domain.shared.sql import Command, Query

REGISTERED = Query(
    sa.select(*[enterprise.c[name] for name in Registered.__struct_fields__]).where(
        enterprise.c.id == sa.bindparam("enterprise_id")
    ),
    Registered,
)
LOCK_ENTERPRISE = Query(
    sa.select(*[enterprise.c[name] for name in Registered.__struct_fields__])
    .where(enterprise.c.id == sa.bindparam("enterprise_id"))
    .with_for_update(key_share=True),
    Registered,
)
LICENCES = Query(
    sa.select(*[licence.c[name] for name in LicenceCard.__struct_fields__])
    .where(licence.c.enterprise_id == sa.bindparam("enterprise_id"))
    .order_by(licence.c.valid_to, licence.c.id)
    .limit(100),
    LicenceCard,
)
PROFILE = Query(
    sa.select(*[enterprise_profile.c[name] for name in StoredProfile.__struct_fields__]).where(
        enterprise_profile.c.enterprise_id == sa.bindparam("enterprise_id")
    ),
    StoredProfile,
)
_PROFILE_FIELDS = (
    "enterprise_id",
    "version",
    "liaison_name_sealed",
    "liaison_phone_sealed",
    "liaison_phone_index",
    "email_sealed",
    "brand_name",
    "updated_by",
    "updated_at",
)
_new_profile = upsert(enterprise_profile).values({name: sa.bindparam(name) for name in _PROFILE_FIELDS})
SAVE_PROFILE = Command(
    _new_profile.on_conflict_do_update(
        index_elements=["enterprise_id"],
        set_={name: _new_profile.excluded[name] for name in _PROFILE_FIELDS if name != "enterprise_id"},
    )
)

_SAID = {
    "version": sa.func.coalesce(site_profile.c.version, 0),
    **{
        name: site_profile.c[name]
        for name in (
            "opening_hours",
            "business_phone_sealed",
            "public_phone",
            "contact_name_sealed",
            "contact_phone_sealed",
        )
    },
}
_SITES = sa.select(
    *[(_SAID[name] if name in _SAID else site.c[name]).label(name) for name in RegisteredSite.__struct_fields__]
).select_from(site.outerjoin(site_profile, site_profile.c.site_id == site.c.id))
SITES = Query(
    _SITES.where(site.c.enterprise_id == sa.bindparam("enterprise_id"))
    .order_by(site.c.is_main.desc(), site.c.id)
    .limit(200),
    RegisteredSite,
)
LOCK_SITE = Query(
    _SITES.where(
        site.c.id == sa.bindparam("site_id"), site.c.enterprise_id == sa.bindparam("enterprise_id")
    ).with_for_update(of=site, key_share=True),
    RegisteredSite,
)
_SITE_FIELDS = (
    "site_id",
    "version",
    "opening_hours",
    "business_phone_sealed",
    "public_phone",
    "contact_name_sealed",
    "contact_phone_sealed",
    "updated_by",
    "updated_at",
)
_new_site_profile = upsert(site_profile).values({name: sa.bindparam(name) for name in _SITE_FIELDS})
SAVE_SITE_PROFILE = Command(
    _new_site_profile.on_conflict_do_update(
        index_elements=["site_id"],
        set_={name: _new_site_profile.excluded[name] for name in _SITE_FIELDS if name != "site_id"},
    )
)
