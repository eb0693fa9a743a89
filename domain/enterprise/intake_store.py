"""Statements that store a batch of imported enterprises and their main sites, each in one round trip.

What a row does not say (None) leaves what is stored; a row that says nothing new is not written at all, and
`updated_at` stays. Sealed values differ at every sealing, so they are compared by their blind index; the one without
an index, the liaison's name, is opened beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.intake import NAME_LABEL, EnterpriseRow, sealed_values
from domain.enterprise.tables import enterprise, site
from domain.shared.bulk import (
    arrays_of,
    differs,
    given_rows,
    said_or_kept,
    sealed_or_kept,
    types_of,
)
from domain.shared.keys import UnknownKey
from domain.shared.sql import Command, Connection, Ltree, Query
from domain.shared.transaction import Transaction
from domain.shared.vault import SealBroken, Vault

_SEALED: Final = ("liaison_resident_id", "liaison_phone", "operator_phone")
_INDEXES: Final = tuple(f"{name}_index" for name in _SEALED)
_PLAIN: Final = tuple(name for name in EnterpriseRow.__struct_fields__ if name in enterprise.c and name != "uscc")
_ENTERPRISE_TYPES: Final = types_of(
    enterprise,
    ("id", "uscc", *_PLAIN, "liaison_name_sealed", *_INDEXES, *(f"{name}_sealed" for name in _SEALED)),
)
_SITE_PLAIN: Final = ("name", "address", "floor", "region_code", "region", "longitude", "latitude")
_SITE_TYPES: Final = {**types_of(site, ("id", *_SITE_PLAIN)), "uscc": sa.Text(), "business_types": sa.Text()}
_PARTED: Final = "、"
"""Between the 业态 of a site on their way: an array of arrays would arrive as one."""
_NOW: Final = sa.bindparam("now", type_=sa.DateTime(timezone=True))


def _save_enterprises() -> Command:
    given = given_rows(_ENTERPRISE_TYPES)
    saving = upsert(enterprise).from_select(
        [*_ENTERPRISE_TYPES, "created_at", "updated_at"],
        sa.select(*[given.c[name] for name in _ENTERPRISE_TYPES], _NOW, _NOW),
    )
    after = said_or_kept(enterprise, saving.excluded, (*_PLAIN, "liaison_name_sealed", *_INDEXES))
    resealed = sealed_or_kept(enterprise, saving.excluded, _SEALED)
    return Command(
        saving.on_conflict_do_update(
            index_elements=["uscc"],
            set_={**after, **resealed, "updated_at": saving.excluded.updated_at},
            where=differs(enterprise, after),
        )
    )


def _save_main_sites() -> Command:
    given = given_rows(_SITE_TYPES)
    nothing = sa.text("'{}'::text[]")
    told = {name: given.c[name] for name in _SITE_PLAIN} | {
        "region": sa.cast(given.c.region, Ltree),
        "business_types": sa.func.coalesce(
            sa.func.string_to_array(given.c.business_types, sa.literal_column(f"'{_PARTED}'")), nothing
        ),
    }
    saving = upsert(site).from_select(
        ["id", "enterprise_id", "is_main", *told, "created_at", "updated_at"],
        sa.select(given.c.id, enterprise.c.id, sa.true(), *told.values(), _NOW, _NOW).select_from(
            given.join(enterprise, enterprise.c.uscc == given.c.uscc)
        ),
    )
    said = saving.excluded.business_types
    after = said_or_kept(site, saving.excluded, _SITE_PLAIN) | {
        "business_types": sa.case((said == nothing, site.c.business_types), else_=said)
    }
    return Command(
        saving.on_conflict_do_update(
            index_elements=["enterprise_id"],
            index_where=sa.text("is_main"),
            set_={**after, "updated_at": saving.excluded.updated_at},
            where=differs(site, after),
        )
    )


_SAVE_ENTERPRISES = _save_enterprises()
_SAVE_MAIN_SITES = _save_main_sites()


class _StoredName(msgspec.Struct, frozen=True):
    uscc: str
    liaison_name_sealed: bytes


_STORED_NAMES = Query(
    sa.select(enterprise.c.uscc, enterprise.c.liaison_name_sealed).where(
        enterprise.c.uscc == sa.any_(sa.bindparam("usccs", type_=sa.ARRAY(sa.Text))),
        enterprise.c.liaison_name_sealed.is_not(None),
    ),
    _StoredName,
)


async def save_enterprises(tx: Transaction, rows: Sequence[EnterpriseRow]) -> int:
    """Insert or update the enterprises and their main sites; gives how many enterprises were new or changed.

    No two rows have the same credit code. They are stored in its order, so that two imports at once wait for each
    other instead of deadlocking.
    """
    if not rows:
        return 0
    ordered = sorted(rows, key=lambda row: row.uscc)
    names = await _stored_names(tx.connection, ordered)
    enterprises = [_enterprise_values(row, tx, names) for row in ordered]
    changed = await _SAVE_ENTERPRISES.run(tx.connection, now=tx.now, **arrays_of(enterprises, _ENTERPRISE_TYPES))
    sites = [_site_values(row, tx) for row in ordered]
    await _SAVE_MAIN_SITES.run(tx.connection, now=tx.now, **arrays_of(sites, _SITE_TYPES))
    return changed


def _site_values(row: EnterpriseRow, tx: Transaction) -> dict[str, Any]:
    trades = None if row.business_types is None else _PARTED.join(row.business_types)
    plain = {name: getattr(row, name) for name in ("uscc", *_SITE_PLAIN)}
    return {**plain, "business_types": trades, "id": tx.new_id()}


async def _stored_names(connection: Connection, rows: Sequence[EnterpriseRow]) -> dict[str, bytes]:
    usccs = [row.uscc for row in rows if row.liaison_name is not None]
    found = await _STORED_NAMES.all(connection, usccs=usccs) if usccs else []
    return {stored.uscc: stored.liaison_name_sealed for stored in found}


def _enterprise_values(row: EnterpriseRow, tx: Transaction, names: dict[str, bytes]) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    values |= sealed_values(row, tx.vault)
    values |= {"id": tx.new_id(), "uscc": row.uscc}
    stored = names.get(row.uscc)
    if stored is not None and _opens_to(stored, row.liaison_name, tx.vault):
        values["liaison_name_sealed"] = stored
    return values


def _opens_to(sealed: bytes, text: str | None, vault: Vault) -> bool:
    try:
        return vault.open(NAME_LABEL, sealed) == text
    except (SealBroken, UnknownKey):
        return False
