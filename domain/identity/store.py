"""Statements on regions, departments, accounts and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.identity.model import Account, Department, LogInFailures, RegionRow, Session
from domain.identity.tables import account, department, log_in_failure, region, session
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

PLACE_ENTERPRISE_ACCOUNT = Command(
    sa.update(account)
    .where(account.c.id == sa.bindparam("account_id"))
    .values(
        name=sa.func.coalesce(sa.bindparam("name", type_=sa.Text), account.c.name),
        post=sa.bindparam("post"),
        enterprise_post=sa.bindparam("enterprise_post"),
        site_ids=sa.bindparam("site_ids", type_=sa.ARRAY(sa.Uuid)),
    )
)
"""What an enterprise's own account may do, as the room of memberships decides it; a former name may stay."""

SET_ACCOUNT_DISABLED = Command(
    sa.update(account)
    .where(account.c.id == sa.bindparam("account_id"))
    .values(disabled_at=sa.bindparam("disabled_at", type_=sa.DateTime(timezone=True)))
)

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

END_SESSIONS_OF_ACCOUNT = Command(
    sa.update(session)
    .where(session.c.account_id == sa.bindparam("of_account"), session.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("now"), end_reason=sa.bindparam("reason"))
)

DELETE_EXPIRED_SESSIONS = Command(sa.delete(session).where(session.c.expires_at < sa.bindparam("before")))

LOG_IN_FAILURES = Query(
    sa.select(*[log_in_failure.c[name] for name in LogInFailures.__struct_fields__]).where(
        log_in_failure.c.login_index == sa.bindparam("login_index")
    ),
    LogInFailures,
)


def _count_failure() -> sa.Executable:
    """One failure more, in a row of its own lock: of many at once each is counted."""
    old = log_in_failure.c
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    since = sa.bindparam("window_from", type_=sa.DateTime(timezone=True))
    until = sa.func.coalesce(old.locked_until, sa.bindparam("lock_until", type_=sa.DateTime(timezone=True)))
    fresh = upsert(log_in_failure).values(
        login_index=sa.bindparam("login_index"), failures=1, since=now, locked_until=None
    )
    begins_anew = sa.or_(sa.and_(old.locked_until.is_(None), old.since <= since), old.locked_until <= now)
    failures = sa.case((begins_anew, 1), else_=old.failures + 1)
    return fresh.on_conflict_do_update(
        index_elements=["login_index"],
        set_={
            "failures": failures,
            "since": sa.case((begins_anew, now), else_=old.since),
            "locked_until": sa.case(
                (failures >= sa.bindparam("most", type_=sa.Integer), until),
                else_=None,
            ),
        },
    ).returning(*[old[name] for name in LogInFailures.__struct_fields__])


COUNT_LOG_IN_FAILURE = Query(_count_failure(), LogInFailures)
FORGET_LOG_IN_FAILURES = Command(
    sa.delete(log_in_failure).where(log_in_failure.c.login_index == sa.bindparam("login_index"))
)
DELETE_OLD_LOG_IN_FAILURES = Command(sa.delete(log_in_failure).where(log_in_failure.c.since < sa.bindparam("before")))

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
