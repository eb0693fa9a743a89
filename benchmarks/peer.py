"""The peer: the same endpoints as a competent user of FastAPI, pydantic and the SQLAlchemy ORM writes them.

Written for honesty, not for show: eager loading and no lazy query, one flush, indexes used, a pool of the same size,
answers serialised once by pydantic. It borrows from Yima only what is no framework's matter: the code's token, the
judgement of a position, the ids.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from api.wiring import APP_ROLE, code_keys_of, load_keys
from benchmarks import peer_complaint_schemas as complaint_schemas
from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from benchmarks.peer_complaints import file_complaint
from benchmarks.peer_files import put_evidence
from benchmarks.peer_packages import read_package
from benchmarks.peer_public import shown_contact, shown_counts, shown_manuals
from benchmarks.peer_search import SearchPage, search
from benchmarks.peer_session import Session, SignedIn, claim, keep, new_row, receipt_of, stored, trace_row
from benchmarks.peer_visits import put_answer, shown_results
from codes.token import InvalidToken, decode_token, token_from_scan
from domain.inspection.position import CircleFence, Coordinates, PositionFix, PositionPolicy, judge_position
from domain.shared.clock import system_clock
from domain.shared.ids import new_id
from domain.shared.keys import KeyRing
from domain.shared.random import system_random
from domain.shared.vault import Vault

_ZONE = ZoneInfo("Asia/Shanghai")
_SETTINGS = {
    "application_name": "peer",
    "role": APP_ROLE,
    "lock_timeout": "2s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    "jit": "off",
}

# Made once: building loader options anew for each request would cost the peer a good part of a millisecond.
_CODES = select(tables.SiteCode).options(
    joinedload(tables.SiteCode.site).options(
        joinedload(tables.Site.enterprise).selectinload(tables.Enterprise.licences),
        joinedload(tables.Site.region),
        joinedload(tables.Site.regulator),
        joinedload(tables.Site.profile),
        selectinload(tables.Site.publications).options(
            joinedload(tables.Publication.inspection)
            .undefer_group("told")
            .options(
                selectinload(tables.Inspection.parties).joinedload(tables.InspectionParty.department),
                selectinload(tables.Inspection.orders),
            ),
            selectinload(tables.Publication.replies),
        ),
    )
)
_INSPECTIONS = (
    select(tables.Inspection)
    .options(
        joinedload(tables.Inspection.site).joinedload(tables.Site.enterprise),
        selectinload(tables.Inspection.parties).joinedload(tables.InspectionParty.department),
        selectinload(tables.Inspection.officers).joinedload(tables.InspectionOfficer.officer),
        selectinload(tables.Inspection.numbers),
        selectinload(tables.Inspection.visits),
    )
    .with_for_update(of=tables.Inspection)
)


def create_peer(dsn: str, keys: Path, pool_size: int, folder: Path) -> FastAPI:
    """The FastAPI application; photos go to `folder`."""
    folder.mkdir(exist_ok=True)
    url = dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, connect_args={"server_settings": _SETTINGS})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        ring = await _keys(dsn, keys)
        app.state.code_keys = code_keys_of(ring)
        app.state.vault = Vault(ring, system_random)
        app.state.folder = folder
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.get("/api/v1/codes/{token}", response_model=schemas.ScanView)(read_code)
    app.post("/api/v1/inspections/{inspection_id}/check-ins", response_model=schemas.Accepted, status_code=201)(
        check_in
    )
    app.put(
        "/api/v1/inspections/{inspection_id}/answers/{item_id}", response_model=schemas.AcceptedAnswer, status_code=201
    )(put_answer)
    app.put("/api/v1/evidence/{digest}", response_model=schemas.AcceptedEvidence, status_code=201)(put_evidence)
    app.get("/api/v1/packages/today", response_model=schemas.Package)(read_package)
    app.post("/api/v1/public/complaints", response_model=complaint_schemas.AcceptedComplaint, status_code=201)(
        file_complaint
    )
    app.get("/api/v1/public/search", response_model=SearchPage)(search)
    return app


async def _keys(dsn: str, folder: Path) -> KeyRing:
    connection = await asyncpg.connect(dsn)
    try:
        return await load_keys(connection, folder, now=system_clock(), random=system_random)
    finally:
        await connection.close()


def _code_id(request: Request, token: str) -> bytes:
    try:
        return decode_token(request.app.state.code_keys, token).code_id
    except InvalidToken as broken:
        raise HTTPException(404, "无效的企业码。") from broken


async def read_code(request: Request, token: str, session: Session) -> schemas.ScanView:
    """亮码告知 for a citizen."""
    code = await session.scalar(_CODES.where(tables.SiteCode.code_id == _code_id(request, token)))
    if code is None:
        raise HTTPException(404, "无效的企业码。")
    if code.state != "issued":
        raise HTTPException(410, "该企业码已停用。")
    site = code.site
    return _scan_view(
        site,
        results=await shown_results(session, site.publications),
        manuals=await shown_manuals(session, site),
        complaint_counts=await shown_counts(session, site),
    )


def _scan_view(site: tables.Site, **read: Any) -> schemas.ScanView:
    enterprise = site.enterprise
    names = [name for name in schemas.Basics.model_fields if name not in {"site_name", "address", "region_name"}]
    return schemas.ScanView(
        audience="citizen",
        site_id=site.id,
        actions=["complain", "follow_up", "suggest", "tip_off"],
        basics=schemas.Basics(
            **{name: getattr(enterprise, name) for name in names},
            site_name=site.name,
            address=site.address,
            region_name=site.region.name,
        ),
        licences=[schemas.Licence.model_validate(licence) for licence in enterprise.licences],
        regulator=schemas.Regulator(
            name=site.regulator.name if site.regulator else None,
            hotline=site.regulator.hotline if site.regulator else None,
        ),
        contact=shown_contact(site.profile),
        **read,
    )


async def check_in(
    request: Request,
    inspection_id: UUID,
    order: schemas.CheckInOrder,
    session: Session,
    who: SignedIn,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=128)],
) -> schemas.Accepted | Response:
    """扫码报到."""
    if who.role != "inspector":
        raise HTTPException(403)
    now = datetime.now(UTC)
    row = await new_row(request, who, idempotency_key, now)
    async with session.begin():
        if not await claim(session, row):
            return await stored(session, row)
        inspection = await _lock(session, inspection_id)
        code_id = await _require_code(request, session, order, inspection)
        visit, made = _make(inspection, order, who, code_id, now)
        session.add_all([visit, made])
        accepted = schemas.Accepted(receipt=receipt_of(row), result=_result(inspection, visit, made))
        _leave_marks(session, inspection, who, accepted.result)
        await keep(session, row, accepted.model_dump_json().encode())
    return accepted


async def _lock(session: AsyncSession, inspection_id: UUID) -> tables.Inspection:
    inspection = await session.scalar(_INSPECTIONS.where(tables.Inspection.id == inspection_id))
    if inspection is None:
        raise HTTPException(404, "没有该检查任务。")
    if inspection.state != "pending" or (inspection.approved_at is None and not inspection.is_urgent):
        raise HTTPException(409, "该检查任务不可实施。")
    if inspection.starts_on > datetime.now(_ZONE).date():
        raise HTTPException(409, "该检查任务尚未开始。")
    if any(visit.departed_at is None and visit.voided_at is None for visit in inspection.visits):
        raise HTTPException(409, "本部门已在本次上门中报到。")
    return inspection


async def _require_code(
    request: Request, session: AsyncSession, order: schemas.CheckInOrder, inspection: tables.Inspection
) -> bytes:
    code_id = _code_id(request, token_from_scan(order.code) or "")
    code = await session.get(tables.SiteCode, code_id)
    if code is None or code.state != "issued":
        raise HTTPException(404, "无效的企业码。")
    if code.site_id != inspection.site_id:
        raise HTTPException(409, "扫描的是另一场所的企业码。")
    return code_id


def _require_officers(inspection: tables.Inspection, first_id: UUID, second_id: UUID) -> tables.InspectionOfficer:
    assigned = {each.officer_id: each for each in inspection.officers}
    first, second = assigned.get(first_id), assigned.get(second_id)
    if first is None or second is None or first is second or first.department_id != second.department_id:
        raise HTTPException(422, "现场检查须有同一部门两名以上执法人员。")
    today = datetime.now(_ZONE).date()
    for each in (first.officer, second.officer):
        if each.certificate_valid_to is None or each.certificate_valid_to < today:
            raise HTTPException(409, "没有有效执法证件。")
    return first


def _make(
    inspection: tables.Inspection, order: schemas.CheckInOrder, who: schemas.Claims, code_id: bytes, now: datetime
) -> tuple[tables.Visit, tables.CheckIn]:
    first = _require_officers(inspection, who.officer_id, order.second_officer_id)
    site, fix = inspection.site, order.position
    fence = CircleFence(Coordinates(site.longitude or 0.0, site.latitude or 0.0), site.radius_m or 200)
    verdict = judge_position(
        PositionFix(fix.longitude, fix.latitude, fix.accuracy_m, fix.fixed_at, fix.datum), fence, now, PositionPolicy()
    )
    if verdict.needs_reason:
        raise HTTPException(422, "位置待核。")
    check_in_id = new_id(now, system_random)
    visit = tables.Visit(
        id=new_id(now, system_random),
        inspection_id=inspection.id,
        sequence=len(inspection.visits) + 1,
        opened_by=check_in_id,
        arrived_at=now,
    )
    stored = tables.CheckIn(
        id=check_in_id,
        visit_id=visit.id,
        visit=visit,
        department_id=first.department_id,
        officer_id=who.officer_id,
        second_officer_id=order.second_officer_id,
        means="printed_code",
        code_id=code_id,
        **fix.model_dump(),
        wgs84_longitude=verdict.coordinates.longitude if verdict.coordinates else None,
        wgs84_latitude=verdict.coordinates.latitude if verdict.coordinates else None,
        distance_outside_m=verdict.distance_outside_m,
        flags=list(verdict.flags),
        done_at=now,
        received_at=now,
    )
    return visit, stored


def _result(inspection: tables.Inspection, visit: tables.Visit, stored: tables.CheckIn) -> schemas.CheckInResult:
    shared = {"id", "visit_id", "department_id", "officer_id", "second_officer_id", "means", "flags"}
    shared |= {"distance_outside_m", "done_at", "received_at"}
    values: dict[str, Any] = {name: getattr(stored, name) for name in shared}
    return schemas.CheckInResult(**values, inspection_id=inspection.id, visit_sequence=visit.sequence)


def _leave_marks(
    session: AsyncSession, inspection: tables.Inspection, who: schemas.Claims, result: schemas.CheckInResult
) -> None:
    """Trace and outbox."""
    department = next(each for each in inspection.parties if each.department_id == result.department_id).department
    row = trace_row(
        who=who,
        at=result.received_at,
        action="inspection.checked_in",
        duty="扫码报到",
        inspection=inspection,
        department_id=result.department_id,
        after=result.model_dump(mode="json"),
    )
    notice = next((each for each in inspection.numbers if each.kind == "TZ" and each.voided_at is None), None)
    message = tables.Message(
        id=new_id(result.received_at, system_random),
        trace_id=row.id,
        template="arrival",
        channel="sms",
        recipient="enterprise",
        recipient_id=inspection.site.enterprise_id,
        parameters={
            "department": department.short_name,
            "officers": "2",
            "notice": f"{notice.department_code}-{notice.year}-TZ-{notice.sequence:06d}" if notice else "",
            "hotline": department.hotline or "",
        },
        created_at=result.received_at,
    )
    session.add_all([row, message])
