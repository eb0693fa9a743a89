"""The peer takes a complaint: pass by JWT, limits by an upsert, words sealed, likeness, trace, outbox, number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Header, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from benchmarks import peer_complaint_schemas as complaint_schemas
from benchmarks import peer_public_tables as public_tables
from benchmarks import peer_tables as tables
from benchmarks.peer_session import Citizen, Session, claim, keep, new_row, receipt_of, seal_trace, stored
from codes.token import InvalidToken, decode_token
from domain.complaint.filing import query_code, query_code_index
from domain.complaint.likeness import Sketched, count_alike, sketch_of
from domain.complaint.model import GrievanceKind
from domain.complaint.rules import decision_due
from domain.shared.ids import new_id
from domain.shared.random import system_random
from domain.shared.vault import Vault
from domain.visitor.operations import PHONE_LABEL

_FREE = 10
_WINDOW = 3600
_LOOKED_BACK = timedelta(days=30)
_DECISION = timedelta(days=9)
_LOOKED_AT = 200
_TERMS = [
    "自收到之日起7个工作日内告知是否受理。",
    "受理后45日内办理并答复。",
    "答复后15日内可申请重新办理一次。",
]
_LINK = "https://www.12315.cn/"
_CODES = select(tables.SiteCode).options(joinedload(tables.SiteCode.site).joinedload(tables.Site.regulator))


async def file_complaint(
    request: Request,
    order: complaint_schemas.ComplaintOrder,
    session: Session,
    citizen: Citizen,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=128)],
    x_forwarded_for: Annotated[str, Header()],
) -> complaint_schemas.AcceptedComplaint | Response:
    """提交投诉."""
    now = datetime.now(UTC)
    vault: Vault = request.app.state.vault
    row = await new_row(request, citizen, idempotency_key, now)
    async with session.begin():
        if not await claim(session, row):
            return await stored(session, row)
        await _spend(session, vault, citizen, x_forwarded_for, now)
        site = await _site(request, session, order.code)
        phone = await _phone(session, vault, citizen)
        made = _make(vault, site, order, phone, now)
        session.add(made)
        await session.flush()
        alike = await _alike(session, made)
        _leave_marks(session, citizen, site, made)
        number = await _number(session, site.regulator, made, now)
        result = _filed(vault, site, made, number, alike)
        accepted = complaint_schemas.AcceptedComplaint(receipt=receipt_of(row), result=result)
        # The query code is kept nowhere, not even in the stored answer.
        kept = accepted.model_dump_json(exclude={"result": {"query_code", "number"}}).encode()
        await keep(session, row, kept)
    return accepted


async def _spend(
    session: AsyncSession, vault: Vault, citizen: complaint_schemas.Pass, address: str, now: datetime
) -> None:
    window = int(now.timestamp()) // _WINDOW
    table = public_tables.WriteCount
    scopes = {"address": vault.blind_index("peer.address", address), "phone": bytes.fromhex(citizen.phone_index)}
    rows = [
        {"kind": "complaint", "scope": scope, "key": key, "number": window, "current": 1, "previous": 0,
         "counted_at": now}
        for scope, key in scopes.items()
    ]  # fmt: skip
    counting = insert(table).values(rows)
    counted = await session.execute(
        counting.on_conflict_do_update(
            index_elements=[table.kind, table.scope, table.key],
            set_={"current": table.current + 1, "counted_at": counting.excluded.counted_at},
        ).returning(table.current)
    )
    if any(count > _FREE for count in counted.scalars()):
        raise HTTPException(429, "操作过于频繁。")


async def _site(request: Request, session: AsyncSession, token: str) -> tables.Site:
    try:
        code_id = decode_token(request.app.state.code_keys, token).code_id
    except InvalidToken as broken:
        raise HTTPException(404, "无效的企业码。") from broken
    code = await session.scalar(_CODES.where(tables.SiteCode.code_id == code_id))
    if code is None or code.state != "issued" or code.site.regulator is None:
        raise HTTPException(404, "无效的企业码。")
    return code.site


async def _phone(session: AsyncSession, vault: Vault, citizen: complaint_schemas.Pass) -> str:
    found = await session.get(public_tables.PhoneVerification, citizen.verification_id)
    if found is None or found.proven_at is None:
        raise HTTPException(422, "请先验证手机号码。")
    return vault.open(PHONE_LABEL, found.phone_sealed)


def _make(
    vault: Vault, site: tables.Site, order: complaint_schemas.ComplaintOrder, phone: str, now: datetime
) -> public_tables.Complaint:
    complaint_id = new_id(now, system_random)
    words = order.model_dump_json(include={"description", "happened_on", "place", "wish"})
    person = complaint_schemas.Person(name=order.name, phone=phone).model_dump_json()
    code = query_code(vault, GrievanceKind.COMPLAINT, complaint_id)
    return public_tables.Complaint(
        id=complaint_id,
        site_id=site.id,
        enterprise_id=site.enterprise_id,
        department_id=site.regulator_id,
        region=site.region_path,
        type=order.type.value,
        state="received",
        is_open=True,
        term="decision",
        due_on=decision_due(GrievanceKind.COMPLAINT, now),
        filed_at=now,
        is_reopened=False,
        is_extended=False,
        is_abusive=False,
        content_sealed=vault.seal("peer.content", words),
        person_sealed=vault.seal("peer.person", person),
        sketch=sketch_of(order.description, lambda pair: vault.blind_index(f"peer.pair.{site.id}", pair)),
        phone_index=vault.blind_index("peer.phone", phone),
        query_code_index=query_code_index(vault, GrievanceKind.COMPLAINT, code),
        consent_version=order.consent_version,
    )


async def _alike(session: AsyncSession, made: public_tables.Complaint) -> int:
    table = public_tables.Complaint
    rows = await session.execute(
        select(table.type, table.sketch)
        .where(
            table.site_id == made.site_id,
            table.filed_at >= made.filed_at - _LOOKED_BACK,
            table.state != "withdrawn",
            table.is_abusive.is_(False),
            table.id != made.id,
        )
        .order_by(table.filed_at.desc())
        .limit(_LOOKED_AT)
    )
    return count_alike(made.type, made.sketch, [Sketched(type=type_, sketch=own) for type_, own in rows.tuples()])


def _leave_marks(
    session: AsyncSession, citizen: complaint_schemas.Pass, site: tables.Site, made: public_tables.Complaint
) -> None:
    """Trace, outbox and what the worker hands over."""
    now = made.filed_at
    row = tables.Trace(
        id=new_id(now, system_random),
        business="投诉举报办理",
        power="投诉举报处理",
        duty="投诉接收",
        action="complaint.filed",
        at=now,
        operator_id=citizen.id,
        operator_name="公众",
        post="公众",
        subject="grievance",
        subject_id=made.id,
        department_id=made.department_id,
        region=made.region,
        after={"type": made.type, "state": made.state, "term": made.term, "due_on": made.due_on.isoformat()},
        request_id=new_id(now, system_random),
        key_version=1,
    )
    message = tables.Message(
        id=new_id(now, system_random),
        trace_id=row.id,
        template="grievance_filed",
        channel="sms",
        recipient="complainant",
        recipient_id=made.id,
        parameters={
            "department": site.regulator.short_name if site.regulator else "",
            "matter": "投诉",
            "due": f"{made.due_on.month}月{made.due_on.day}日",
        },
        created_at=now,
    )
    chore = tables.Chore(
        id=new_id(now, system_random),
        trace_id=row.id,
        kind="hand_over_complaint",
        subject=made.id.bytes,
        created_at=now,
    )
    deadline = tables.Deadline(
        id=new_id(now, system_random),
        kind="complaint",
        subject_id=made.id,
        department_id=made.department_id,
        region=made.region,
        site_id=made.site_id,
        enterprise_id=made.enterprise_id,
        officers=[],
        due_on=made.due_on,
        set_at=now,
        next_stage_at=now + _DECISION,
        calendar_edition=0,
    )
    session.add_all([seal_trace(row), message, chore, deadline])


async def _number(
    session: AsyncSession, department: tables.Department | None, made: public_tables.Complaint, now: datetime
) -> str:
    """The next of the department's numbers, last of all: its counter is locked only for the commit."""
    assert department is not None
    await session.flush()
    counter = public_tables.NumberCounter
    sequence = await session.scalar(
        insert(counter)
        .values(department_code=department.code, kind="TS", year=now.year, last=1)
        .on_conflict_do_update(
            index_elements=[counter.department_code, counter.kind, counter.year], set_={"last": counter.last + 1}
        )
        .returning(counter.last)
    )
    assert sequence is not None
    session.add(
        tables.IssuedNumber(
            department_code=department.code,
            kind="TS",
            year=now.year,
            sequence=sequence,
            subject_id=made.id,
            issued_at=now,
        )
    )
    return f"{department.code}-{now.year}-TS-{sequence:06d}"


def _filed(
    vault: Vault, site: tables.Site, made: public_tables.Complaint, number: str, alike: int
) -> complaint_schemas.Filed:
    return complaint_schemas.Filed(
        id=made.id,
        kind="complaint",
        state=made.state,
        filed_at=made.filed_at,
        due_on=made.due_on,
        department=site.regulator.short_name if site.regulator else "",
        hotline=site.regulator.hotline if site.regulator else None,
        likely_duplicates=alike,
        number=number,
        query_code=query_code(vault, GrievanceKind.COMPLAINT, made.id),
        terms=_TERMS,
        national_link=_LINK,
    )
