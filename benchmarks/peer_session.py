"""What every endpoint of the peer needs: its tokens, a session for the request, and each write only once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks import peer_complaint_schemas as complaint_schemas
from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from domain.shared.ids import new_id
from domain.shared.random import system_random

SECRET = "the peer signs its own tokens with this; it protects nothing"  # noqa: S105
_ALGORITHM = "HS256"
_TRACE_KEY = b"the peer's own key of the trace!"
_bearer = HTTPBearer()


def peer_token(claims: schemas.Claims) -> str:
    """A bearer token as the peer issues it."""
    return jwt.encode(claims.model_dump(mode="json"), SECRET, algorithm=_ALGORITHM)


def peer_pass(citizen: complaint_schemas.Pass) -> str:
    """A citizen's pass as the peer issues it."""
    return jwt.encode(citizen.model_dump(mode="json"), SECRET, algorithm=_ALGORITHM)


async def get_session(request: Request) -> AsyncGenerator[AsyncSession]:
    """A session for the request."""
    sessions: async_sessionmaker[AsyncSession] = request.app.state.sessions
    async with sessions() as session:
        yield session


async def get_claims(credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]) -> schemas.Claims:
    """Who is signed in."""
    try:
        return schemas.Claims.model_validate(jwt.decode(credentials.credentials, SECRET, algorithms=[_ALGORITHM]))
    except jwt.PyJWTError as broken:
        raise HTTPException(401) from broken


async def get_pass(yima_pass: Annotated[str, Header()]) -> complaint_schemas.Pass:
    """Who may write without an account."""
    try:
        return complaint_schemas.Pass.model_validate(jwt.decode(yima_pass, SECRET, algorithms=[_ALGORITHM]))
    except jwt.PyJWTError as broken:
        raise HTTPException(401) from broken


Session = Annotated[AsyncSession, Depends(get_session)]
SignedIn = Annotated[schemas.Claims, Depends(get_claims)]
Citizen = Annotated[complaint_schemas.Pass, Depends(get_pass)]


async def new_row(
    request: Request, who: schemas.Claims | complaint_schemas.Pass, key: str, now: datetime
) -> tables.Idempotency:
    """The row of this write."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).digest()
    return tables.Idempotency(
        principal_id=who.id if isinstance(who, complaint_schemas.Pass) else who.account_id,
        key=key,
        fingerprint=digest,
        receipt_id=new_id(now, system_random),
        received_at=now,
    )


def receipt_of(row: tables.Idempotency) -> schemas.Receipt:
    """回执."""
    return schemas.Receipt(id=row.receipt_id, received_at=row.received_at, digest=row.fingerprint.hex())


async def claim(session: AsyncSession, row: tables.Idempotency) -> bool:
    """The row at once, by an upsert: two equal requests must not both go on."""
    names = ("principal_id", "key", "fingerprint", "receipt_id", "received_at")
    claimed = await session.execute(
        insert(tables.Idempotency)
        .values({name: getattr(row, name) for name in names})
        .on_conflict_do_nothing()
        .returning(tables.Idempotency.receipt_id)
    )
    return claimed.first() is not None


async def keep(session: AsyncSession, row: tables.Idempotency, answer: bytes) -> None:
    """What it was answered."""
    await session.execute(
        update(tables.Idempotency)
        .where(tables.Idempotency.principal_id == row.principal_id, tables.Idempotency.key == row.key)
        .values(status=201, answer=answer)
        .execution_options(synchronize_session=False)
    )


async def stored(session: AsyncSession, row: tables.Idempotency) -> Response:
    """What the first of several equal writes was answered."""
    known = await session.get_one(tables.Idempotency, (row.principal_id, row.key))
    if known.fingerprint != row.fingerprint:
        raise HTTPException(422, "该幂等键已用于另一请求。")
    return Response(known.answer, known.status or 201, media_type="application/json")


def trace_row(
    *,
    who: schemas.Claims,
    at: datetime,
    action: str,
    duty: str,
    inspection: tables.Inspection,
    department_id: UUID,
    after: Any,
) -> tables.Trace:
    """A sealed row of the trace."""
    row = tables.Trace(
        id=new_id(at, system_random),
        business="行政检查",
        power="行政检查权",
        duty=duty,
        action=action,
        at=at,
        operator_id=who.account_id,
        operator_name=who.name,
        post=who.post,
        subject="inspection",
        subject_id=inspection.id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=after,
        request_id=new_id(at, system_random),
        key_version=1,
    )
    return seal_trace(row)


def seal_trace(row: tables.Trace) -> tables.Trace:
    """The row with its seal."""
    sealed = f"{row.id}{row.action}{row.at}{row.operator_id}{row.subject_id}{row.region}{row.after}"
    row.mac = hmac.digest(_TRACE_KEY, sealed.encode(), "sha256")
    return row
