"""An act that only tests do, and what is needed to hand it in: the event, the principal, the submission."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid4

import msgspec

from api.work import Submission, fingerprint
from domain.identity.model import EnterprisePost, Principal, Role
from domain.scene.store import SAVE_SCENE
from domain.shared.events import Circumstances, Event, Operator
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

OPERATOR = Operator(id=UUID(int=7), name="测试人员", post="测试岗位")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, as the trace keeps it."""

    note: str


class Noted(Event, frozen=True, kw_only=True):
    """An act on an inspection, so that leads may see it live."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "测试"
    action: ClassVar[str] = "test.noted"
    subject: ClassVar[str] = "inspection"

    before: Facts | None = None
    after: Facts


def noted(note: str = "", *, region: str | None = None, department_id: UUID | None = None) -> Noted:
    """A fresh act on a subject of its own."""
    return Noted(subject_id=uuid4(), region=region, department_id=department_id, after=Facts(note=note))


def circumstances() -> Circumstances:
    """A request of its own."""
    return Circumstances(request_id=uuid4())


def principal(role: Role = Role.INSPECTOR, *, region: str | None = None) -> Principal:
    """Somebody who signed in just now."""
    return Principal(
        account_id=uuid4(),
        session_id=uuid4(),
        name="覃测试",
        role=role,
        post="测试岗位",
        region=region,
        enterprise_post=EnterprisePost.MANAGER if role is Role.ENTERPRISE else None,
    )


def submission(
    by: Principal,
    key: str,
    body: bytes = b"{}",
    *,
    after: str | None = None,
    done_at: datetime | None = None,
) -> Submission:
    """One write as a phone sends it."""
    return Submission(
        principal=by,
        key=key,
        fingerprint=fingerprint("POST", "/api/v1/test", body),
        circumstances=circumstances(),
        after=after,
        done_at=done_at,
    )


async def save_scene(connection: Connection, code: str, place: int = 1) -> None:
    """State that an act changes: one row of a small table."""
    await SAVE_SCENE.run(connection, code=code, name=f"场景{code}", place=place)


async def do_nothing(_tx: Transaction) -> Outcome[str]:
    """An operation that changes nothing and tells nothing."""
    return Outcome(answer="done")
