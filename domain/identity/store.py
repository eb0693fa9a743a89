"""Statements on regions, departments, accounts and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.identity.model import Account, Department, RegionRow, Session
from domain.identity.tables import account, department, region, session
from domain.shared.sql import Command, Query

ACCOUNT_BY_LOGIN = Query(
    sa.select(*[account.c[name] for name in Account.__struct_fields__]).where(account.c.login == sa.bindparam("login")),
    Account,
)

ACCOUNT_BY_ID = Query(
    sa.select(*[account.c[name] for name in Account.__struct_fields__]).where(account.c.id == sa.bindparam("id")),
    Account,
)

INSERT_ACCOUNT = Command(sa.insert(account))

INSERT_SESSION = Command(
    sa.insert(session).values(
        {name: sa.bindparam(name) for name in ("id", "account_id", "generation", "started_at", "expires_at")}
    )
)

LOCK_SESSION = Query(
    sa.select(*[session.c[name] for name in Session.__struct_fields__])
    .where(session.c.id == sa.bindparam("id"))
    .with_for_update(),
    Session,
)

ADVANCE_SESSION = Command(
    sa.update(session).where(session.c.id == sa.bindparam("session_id")).values(generation=sa.bindparam("used"))
)

END_SESSION = Command(
    sa.update(session)
    .where(session.c.id == sa.bindparam("session_id"), session.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("now"), end_reason=sa.bindparam("reason"))
)

DELETE_EXPIRED_SESSIONS = Command(sa.delete(session).where(session.c.expires_at < sa.bindparam("before")))

_region = upsert(region)
SAVE_REGION = Command(
    _region.on_conflict_do_update(
        index_elements=["code"],
        set_={name: _region.excluded[name] for name in RegionRow.__struct_fields__ if name != "code"},
    )
)

ALL_REGIONS = Query(sa.select(*[region.c[name] for name in RegionRow.__struct_fields__]), RegionRow)

INSERT_DEPARTMENT = Command(sa.insert(department))

ALL_DEPARTMENTS = Query(
    sa.select(*[department.c[name] for name in Department.__struct_fields__]).order_by(department.c.path),
    Department,
)
