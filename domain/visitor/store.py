"""Statements on visitors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.shared.sql import Command, Query
from domain.visitor.model import Count, StoredVerification
from domain.visitor.tables import phone_verification, spent_proof, write_count

# ---- phones

_FIELDS = StoredVerification.__struct_fields__
INSERT_VERIFICATION = Command(sa.insert(phone_verification).values({name: sa.bindparam(name) for name in _FIELDS}))
_VERIFICATION = sa.select(*[phone_verification.c[name] for name in _FIELDS]).where(
    phone_verification.c.id == sa.bindparam("verification_id")
)
VERIFICATION = Query(_VERIFICATION, StoredVerification)
LOCK_VERIFICATION = Query(_VERIFICATION.with_for_update(), StoredVerification)
_OPEN = (
    phone_verification.c.phone_index == sa.bindparam("of_phone"),
    phone_verification.c.voided_at.is_(None),
    phone_verification.c.proven_at.is_(None),
)
NEWEST_OPEN = Query(
    sa.select(*[phone_verification.c[name] for name in _FIELDS])
    .where(*_OPEN)
    .order_by(phone_verification.c.requested_at.desc())
    .limit(1),
    StoredVerification,
)
VOID_OPEN = Command(
    sa.update(phone_verification).where(*_OPEN).values(voided_at=sa.bindparam("now"), code_sealed=sa.null())
)
COUNT_TRY = Command(
    sa.update(phone_verification)
    .where(phone_verification.c.id == sa.bindparam("verification_id"))
    .values(tries=phone_verification.c.tries + 1)
)
MARK_PROVEN = Command(
    sa.update(phone_verification)
    .where(phone_verification.c.id == sa.bindparam("verification_id"))
    .values(proven_at=sa.bindparam("now"), code_sealed=sa.null())
)
DELETE_OLD_VERIFICATIONS = Command(
    sa.delete(phone_verification).where(
        phone_verification.c.requested_at < sa.bindparam("before", type_=sa.DateTime(timezone=True))
    )
)


class SealedCode(msgspec.Struct, frozen=True, kw_only=True):
    """What the message to a phone needs at the moment it is sent."""

    id: UUID
    code_sealed: bytes


CODE_TO_SEND = Query(
    sa.select(phone_verification.c.id, phone_verification.c.code_sealed).where(
        phone_verification.c.id == sa.bindparam("verification_id"),
        phone_verification.c.code_sealed.is_not(None),
        phone_verification.c.expires_at > sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    ),
    SealedCode,
)

# ---- counts: one statement a write, whatever it is counted by


def _column(name: str, of: Any) -> sa.ColumnElement[Any]:
    return sa.func.unnest(sa.bindparam(name, type_=sa.ARRAY(of))).label(name)


_given = sa.select(
    _column("scopes", sa.Text), _column("keys", sa.LargeBinary), _column("numbers", sa.BigInteger)
).subquery("given")
_counting = upsert(write_count).from_select(
    ["kind", "scope", "key", "number", "current", "previous", "counted_at"],
    sa.select(
        sa.bindparam("kind", type_=sa.Text),
        _given.c.scopes,
        _given.c["keys"],
        _given.c.numbers,
        sa.literal_column("1"),
        sa.literal_column("0"),
        sa.bindparam("now", type_=sa.DateTime(timezone=True)),
        # Always in the same order, so that two writes of one caller do not wait for each other.
    ).order_by(_given.c.scopes),
)
_next = _counting.excluded.number - write_count.c.number
COUNT = Query(
    _counting.on_conflict_do_update(
        index_elements=["kind", "scope", "key"],
        set_={
            # A clock that is a little behind another's counts into the newer window.
            "current": sa.case((_next <= 0, write_count.c.current + 1), else_=1),
            "previous": sa.case((_next <= 0, write_count.c.previous), (_next == 1, write_count.c.current), else_=0),
            "number": sa.func.greatest(write_count.c.number, _counting.excluded.number),
            "counted_at": _counting.excluded.counted_at,
        },
    ).returning(write_count.c.scope, write_count.c.current, write_count.c.previous),
    Count,
)
"""Counts one more of `kind` by each of `scopes`, and gives what that makes."""
DELETE_OLD_COUNTS = Command(
    sa.delete(write_count).where(write_count.c.counted_at < sa.bindparam("before", type_=sa.DateTime(timezone=True)))
)
SPEND_PROOF = Command(
    upsert(spent_proof).values({name: sa.bindparam(name) for name in ("id", "expires_at")}).on_conflict_do_nothing()
)
DELETE_OLD_PROOFS = Command(
    sa.delete(spent_proof).where(spent_proof.c.expires_at < sa.bindparam("before", type_=sa.DateTime(timezone=True)))
)
