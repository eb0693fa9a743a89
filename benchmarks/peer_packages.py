"""The peer packs the day: eager loading, lists sealed as Yima's, one pydantic model out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload, undefer_group

from benchmarks import peer_public_tables as public_tables
from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from benchmarks.peer_public import is_in_force_at, manuals_of
from benchmarks.peer_session import Session, SignedIn
from codes.token import TokenKeys, issue_token
from domain.selection.sealing import derive_list_iv, seal_list

_ZONE = ZoneInfo("Asia/Shanghai")
_MOST = 60
_REMEMBERED = 5
_DAY = (
    select(tables.Inspection)
    .join(tables.Inspection.officers)
    .options(
        undefer_group("told"),
        joinedload(tables.Inspection.site)
        .undefer_group("told")
        .options(joinedload(tables.Site.enterprise), selectinload(tables.Site.codes)),
        selectinload(tables.Inspection.parties).joinedload(tables.InspectionParty.department),
        selectinload(tables.Inspection.officers).joinedload(tables.InspectionOfficer.officer),
        selectinload(tables.Inspection.numbers),
        selectinload(tables.Inspection.items).joinedload(tables.InspectionItem.item),
    )
    .order_by(tables.Inspection.due_on, tables.Inspection.id)
    .limit(_MOST + 1)
)
_PAST = (
    select(tables.Inspection.site_id, tables.Inspection.completed_at, tables.Inspection.outcome)
    .where(tables.Inspection.completed_at.is_not(None))
    .order_by(tables.Inspection.site_id, tables.Inspection.completed_at.desc())
)
History = dict[UUID, list[schemas.PastResult]]


async def read_package(request: Request, device_id: UUID, session: Session, who: SignedIn) -> schemas.Package:
    """当日任务包."""
    today = datetime.now(_ZONE).date()
    found = await session.scalars(
        _DAY.where(
            tables.InspectionOfficer.officer_id == who.officer_id,
            tables.Inspection.state == "pending",
            tables.Inspection.starts_on <= today + timedelta(days=1),
        )
    )
    inspections = found.unique().all()
    history = await _history(session, [each.site_id for each in inspections])
    manuals = await manuals_of(session, {each for one in inspections for each in one.site.business_types})
    keys: TokenKeys = request.app.state.code_keys
    entries = [_entry(each, keys, history.get(each.site_id, []), manuals) for each in inspections]
    return schemas.Package(
        day=today,
        made_at=datetime.now(UTC),
        entries=entries[:_MOST],
        next_cursor=str(entries[-1].id) if len(entries) > _MOST else None,
        numbers=await _numbers(session, who.department_id, device_id),
    )


async def _history(session: AsyncSession, sites: Sequence[UUID]) -> History:
    rows = await session.execute(_PAST.where(tables.Inspection.site_id.in_(sites)))
    past: History = {}
    for site_id, completed_at, outcome in rows.all():
        own = past.setdefault(site_id, [])
        if len(own) < _REMEMBERED:
            own.append(schemas.PastResult(completed_on=_day(completed_at), outcome=outcome))
    return past


def _day(instant: datetime | None) -> date:
    assert instant is not None
    return instant.astimezone(_ZONE).date()


async def _numbers(session: AsyncSession, department_id: UUID, device_id: UUID) -> list[schemas.NumberBlock]:
    department = await session.get_one(tables.Department, department_id)
    register = tables.IssuedNumber
    rows = await session.scalars(
        select(register)
        .where(
            register.department_code == department.code,
            register.device_id == device_id,
            register.subject_id.is_(None),
            register.voided_at.is_(None),
        )
        .order_by(register.kind, register.year, register.sequence)
        .limit(200)
    )
    return [
        schemas.NumberBlock(
            kind=kind,
            year=year,
            numbers=[schemas.HeldNumber(sequence=each.sequence, text=_paper_number(department, each)) for each in own],
        )
        for (kind, year), own in groupby(rows, key=lambda each: (each.kind, each.year))
    ]


def _paper_number(department: tables.Department, each: tables.IssuedNumber) -> str:
    if department.paper_word is None:
        return f"{each.department_code}-{each.year}-{each.kind}-{each.sequence:06d}"
    return f"{department.paper_word}责改〔{each.year}〕{each.sequence}号"


def _entry(
    each: tables.Inspection, keys: TokenKeys, history: list[schemas.PastResult], manuals: Sequence[public_tables.Manual]
) -> schemas.PackageEntry:
    site = each.site
    same = ("id", "name", "kind", "mode", "source", "basis", "scene_code", "starts_on", "due_on", "created_at")
    packed = schemas.PackedInspection(
        **{name: getattr(each, name) for name in (*same, "approved_at", "is_urgent", "site_id")},
        **{name: getattr(site, name) for name in ("address", "longitude", "latitude", "radius_m", "polygon")},
        number=_number(each, "JC"),
        notice_number=_number(each, "TZ"),
        site_name=site.name,
        enterprise_name=site.enterprise.name,
        uscc=site.enterprise.uscc,
        representative=site.enterprise.legal_representative,
        parties=[
            _party(party) for party in sorted(each.parties, key=lambda one: (not one.is_lead, one.department.code))
        ],
        officers=[_officer(one) for one in sorted(each.officers, key=lambda one: (one.department_id, one.officer_id))],
        manuals=[manual.id for manual in manuals if is_in_force_at(manual, site)],
        history=history,
        sealed_list=_seal(each, keys),
    )
    version = hashlib.sha256(packed.model_dump_json().encode()).hexdigest()[:16]
    return schemas.PackageEntry(id=each.id, version=version, inspection=packed)


def _number(each: tables.Inspection, kind: str) -> str | None:
    own = next((one for one in each.numbers if one.kind == kind and one.voided_at is None), None)
    return None if own is None else f"{own.department_code}-{own.year}-{kind}-{own.sequence:06d}"


def _party(party: tables.InspectionParty) -> schemas.PackedParty:
    department = party.department
    return schemas.PackedParty(
        department_id=department.id, name=department.name, is_lead=party.is_lead, hotline=department.hotline
    )


def _officer(one: tables.InspectionOfficer) -> schemas.PackedOfficer:
    return schemas.PackedOfficer(
        id=one.officer_id,
        name=one.officer.name,
        department_id=one.department_id,
        certificate_number=one.officer.certificate_number,
        certificate_valid_to=one.officer.certificate_valid_to,
    )


def _seal(each: tables.Inspection, keys: TokenKeys) -> schemas.PackedList | None:
    code = next((code for code in each.site.codes if code.state == "issued"), None)
    if code is None or each.nonce is None or each.list_digest is None:
        return None
    token = issue_token(keys, code.code_id, code.key_version)
    lines = [_line(item).model_dump(mode="json") for item in each.items]
    text = json.dumps(lines, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    sealed = seal_list(token, each.nonce, each.id, text, derive_list_iv(token, each.nonce, each.id, text))
    return schemas.PackedList(
        nonce=each.nonce.hex(),
        iv=sealed.iv.hex(),
        ciphertext=sealed.ciphertext.hex(),
        token_digest=sealed.token_digest.hex(),
        list_digest=each.list_digest.hex(),
        items=len(lines),
    )


def _line(drawn: tables.InspectionItem) -> schemas.ListLine:
    own = {"item_id": drawn.item_id, "place": drawn.place, "department_id": drawn.department_id}
    texts = {name: getattr(drawn.item, name) for name in schemas.ListLine.model_fields if name not in own}
    return schemas.ListLine.model_validate({**texts, **own})
