"""Statements that store a batch of imported officers: an upsert by the blind index of the identity number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.officer.columns import BY_HEADER
from domain.officer.intake import OfficerRow, sealed_values
from domain.officer.tables import officer
from domain.shared.bulk import arrays_of, differs, given_rows, said_or_kept, sealed_or_kept, types_of
from domain.shared.cells import RowFault, fault_in
from domain.shared.sql import Command, Query
from domain.shared.transaction import Transaction

_PLAIN: Final = tuple(name for name in OfficerRow.__struct_fields__ if name in officer.c)
_SEALED: Final = ("resident_id", "phone")
_TYPES: Final = types_of(
    officer, ("id", *_PLAIN, *(f"{name}_{part}" for name in _SEALED for part in ("index", "sealed")))
)


def _save_officers() -> Command:
    given = given_rows(_TYPES)
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    saving = upsert(officer).from_select(
        [*_TYPES, "created_at", "updated_at"], sa.select(*[given.c[name] for name in _TYPES], now, now)
    )
    after = said_or_kept(officer, saving.excluded, (*_PLAIN, "phone_index"))
    resealed = sealed_or_kept(officer, saving.excluded, _SEALED)
    return Command(
        saving.on_conflict_do_update(
            index_elements=["resident_id_index"],
            set_={**after, **resealed, "updated_at": saving.excluded.updated_at},
            where=differs(officer, after),
        )
    )


_SAVE_OFFICERS = _save_officers()


class _Holder(msgspec.Struct, frozen=True):
    certificate_number: str
    resident_id_index: bytes


_HOLDERS = Query(
    sa.select(officer.c.certificate_number, officer.c.resident_id_index).where(
        officer.c.certificate_number == sa.any_(sa.bindparam("numbers", type_=sa.ARRAY(sa.Text)))
    ),
    _Holder,
)


async def save_officers(tx: Transaction, rows: Sequence[OfficerRow]) -> list[RowFault]:
    """Insert or update the officers; gives the faults of those left out because another holds their 执法证号.

    No two rows have the same identity number.
    """
    if not rows:
        return []
    values = [_officer_values(row, tx) for row in rows]
    held = await _HOLDERS.all(
        tx.connection, numbers=[row.certificate_number for row in rows if row.certificate_number is not None]
    )
    holders = {holder.certificate_number: holder.resident_id_index for holder in held}
    taken: list[dict[str, Any]] = []
    faults: list[RowFault] = []
    for row, officer_values in zip(rows, values, strict=True):
        index = officer_values["resident_id_index"]
        number = row.certificate_number
        if number is not None and holders.setdefault(number, index) != index:
            reason = "该执法证号已属于另一名人员"
            faults.append(fault_in(row.line, BY_HEADER["执法证号"], reason, number))
        else:
            taken.append(officer_values)
    taken.sort(key=lambda officer_values: officer_values["resident_id_index"])
    await _SAVE_OFFICERS.run(tx.connection, now=tx.now, **arrays_of(taken, _TYPES))
    return faults


def _officer_values(row: OfficerRow, tx: Transaction) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _PLAIN} | sealed_values(row, tx.vault) | {"id": tx.new_id()}
