"""A visit, step by step: check in, leave, or void what was begun at the wrong door; 亮证告知 stands in door.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from codes.live_code import InvalidShortCode, LiveCode, live_code_from_scan, read_live_code
from codes.token import InvalidToken, TokenKeys, decode_token, token_from_scan
from codes.uscc import uscc_from_scan
from domain.enterprise.model import CodeState
from domain.enterprise.rules import require_reason, require_valid
from domain.inspection import rules, store
from domain.inspection.answers.events import ListReleased, ReleaseFacts
from domain.inspection.answers.store import RELEASE_SEALED
from domain.inspection.events import (
    CheckedIn,
    CheckInFacts,
    Departed,
    DepartureFacts,
    VisitVoided,
    VoidFacts,
)
from domain.inspection.model import (
    CheckIn,
    CheckInAnswer,
    CheckInCard,
    CheckInMeans,
    CheckInOrder,
    DepartureAnswer,
    Inspection,
    LateScanReason,
    Party,
    Visit,
    VoidAnswer,
)
from domain.inspection.position import (
    CircleFence,
    Coordinates,
    Fence,
    PolygonFence,
    PositionPolicy,
    PositionVerdict,
    judge_position,
)
from domain.inspection.posts import find_post, lock_inspection
from domain.shared.clock import local_date
from domain.shared.transaction import Outcome, Transaction

_POSITION_POLICY = PositionPolicy()
_SUSPENDED = "suspended"
_NEWS_FOR = timedelta(hours=1)
"""An arrival that reaches us later than this is recorded, and no longer announced to the enterprise."""


_BY_LIVE_CODE = "以企业实时码报到"
"""Why the server opens the list: the phone has no token of the printed code to open it with."""


class _Scan(msgspec.Struct, frozen=True):
    code_id: bytes
    live: LiveCode | None = None


class _Evidence(msgspec.Struct, frozen=True):
    means: CheckInMeans
    code_id: bytes | None


async def check_in(
    tx: Transaction,
    officer_id: UUID,
    inspection_id: UUID,
    order: CheckInOrder,
    keys: TokenKeys,
    live_keys: TokenKeys | None = None,
) -> Outcome[CheckInAnswer]:
    """扫码报到 (ONE-01, MOB-10, X11): any assigned officer checks in for the department, with a second one.

    A live code on the enterprise's phone is the stronger proof: it opens the sealed list in the same act, and a
    position that is merely unknown needs no reason. Without `live_keys` none is understood.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed`, `InspectionNotApproved`, `InspectionNotBegun`,
    `SecondOfficerRequired`, `CertificateInvalid`, `AlreadyCheckedIn`, `InvalidCode`, `CodeWasReplaced`,
    `CodeWasRevoked`, `LiveCodeExpired`, `WrongSite`, `CodeRequired`, `PositionReasonRequired`,
    `LateScanReasonRequired`, `BackEntryTooLate`, `DepartureBeforeArrival` or `InvalidField`; after any of them nothing
    is changed.
    """
    scanned = _decode(order.code, keys, live_keys)
    inspection, visit, cards = await _lock(tx, inspection_id)
    assigned = await store.ASSIGNED_OFFICERS.all(tx.connection, inspection_id=inspection_id, as_of=tx.done_at)
    done_at = rules.bounded_done_at(tx.done_at, inspection)
    late = order.late_scan
    began_at = rules.bounded_done_at(late.began_at, inspection) if late else None
    note = rules.require_late_scan(
        began_at,
        late.ended_at if late else None,
        late.reason if late else None,
        late.note if late else None,
        done_at,
        tx.now,
    )
    arrived_at = began_at or done_at
    first, second = rules.require_two_officers(assigned, officer_id, order.second_officer_id, local_date(arrived_at))
    rules.require_open(inspection, arrived_at)
    open_visit = _open(visit)
    rules.require_not_checked_in(cards, first.acts_for, open_visit)
    evidence = await _evidence(tx, inspection, order, scanned, done_at)
    verdict = judge_position(order.position, _fence(inspection), done_at, _POSITION_POLICY)
    reason = rules.require_position_reason(verdict, order.position_reason, evidence.means)
    if open_visit is None:
        open_visit = await _join_or_open(tx, inspection_id, visit, cards, first.acts_for, arrived_at)
    else:
        await store.JOIN_VISIT.run(tx.connection, visit_id=open_visit.id, came_at=arrived_at)
    if inspection.outcome == _SUSPENDED:
        await store.RESUME.run(tx.connection, of_inspection=inspection_id)
    stored = _stored(tx, order, open_visit, (first.acts_for, first.id, second.id), evidence, verdict, done_at)
    stored = msgspec.structs.replace(stored, position_reason=reason, late_scan_note=note)
    await _save(tx, open_visit, stored, is_new=all(each.visit_id != open_visit.id for each in cards))
    parties = await store.PARTIES.all(tx.connection, inspection_id=inspection_id)
    event = _checked_in(inspection, _party(parties, first.acts_for), open_visit, stored)
    released = await _release_list(tx, inspection, stored)
    answer = _answer(inspection_id, open_visit, stored, list_is_open=bool(released))
    return Outcome(answer=answer, events=(event, *released))


async def _release_list(tx: Transaction, inspection: Inspection, stored: CheckIn) -> tuple[ListReleased, ...]:
    """检查单解封 with a check-in by live code, once; nothing where there is no sealed list, or it is open."""
    if stored.means is not CheckInMeans.LIVE_CODE:
        return ()
    if not await RELEASE_SEALED.run(tx.connection, of_inspection=inspection.id, now=tx.now):
        return ()
    event = ListReleased(
        subject_id=inspection.id,
        department_id=stored.department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=ReleaseFacts(reason=_BY_LIVE_CODE),
    )
    return (event,)


def _decode(code: str | None, keys: TokenKeys, live_keys: TokenKeys | None) -> _Scan | None:
    """What a code of ours names, before anything is asked of the database. Raises `InvalidCode`."""
    if code is None:
        return None
    shown = None if live_keys is None else live_code_from_scan(code)
    token = token_from_scan(code)
    try:
        if shown is not None and live_keys is not None:
            live = read_live_code(live_keys, shown)
            return _Scan(live.code_id, live)
        if token is not None:
            return _Scan(decode_token(keys, token).code_id)
    except (InvalidToken, InvalidShortCode) as broken:
        raise rules.InvalidCode("无效的企业码。", field="code") from broken
    if uscc_from_scan(code) is None:
        raise rules.InvalidCode("未识别的二维码，请扫描企业码或营业执照二维码。", field="code")
    return None


async def _lock(tx: Transaction, inspection_id: UUID) -> tuple[Inspection, Visit | None, Sequence[CheckInCard]]:
    inspection = await lock_inspection(tx, inspection_id)
    visit = await store.LATEST_VISIT.first(tx.connection, inspection_id=inspection_id)
    cards = await store.CHECK_INS.all(tx.connection, inspection_id=inspection_id) if visit is not None else ()
    return inspection, visit, cards


def _open(visit: Visit | None) -> Visit | None:
    if visit is None or visit.departed_at is not None or visit.voided_at is not None:
        return None
    return visit


async def _evidence(
    tx: Transaction, inspection: Inspection, order: CheckInOrder, scanned: _Scan | None, done_at: datetime
) -> _Evidence:
    if scanned is not None:
        code = await store.CODE_SITE.first(tx.connection, code_id=scanned.code_id)
        if code is None:
            raise rules.InvalidCode("无效的企业码。", field="code")
        if code.site_id != inspection.site_id:
            raise rules.WrongSite("扫描的是另一场所的企业码，请核对检查地点。", field="code")
        require_valid(CodeState(code.state))
        if scanned.live is None:
            return _Evidence(CheckInMeans.PRINTED_CODE, scanned.code_id)
        rules.require_live(scanned.live, done_at)
        return _Evidence(CheckInMeans.LIVE_CODE, scanned.code_id)
    if order.code is not None:
        if uscc_from_scan(order.code) != inspection.uscc:
            raise rules.WrongSite("营业执照与检查对象不符。", field="code")
        return _Evidence(CheckInMeans.BUSINESS_LICENCE, None)
    late = order.late_scan
    if late is None or late.reason is not LateScanReason.SYSTEM_FAILURE:
        raise rules.CodeRequired("请先扫描企业码。", field="code")
    return _Evidence(CheckInMeans.BACK_ENTRY, None)


def _fence(inspection: Inspection) -> Fence | None:
    if inspection.polygon:
        return PolygonFence(tuple(Coordinates(*point) for point in inspection.polygon))
    if inspection.longitude is None or inspection.latitude is None:
        return None
    return CircleFence(Coordinates(inspection.longitude, inspection.latitude), inspection.radius_m or 200)


async def _join_or_open(
    tx: Transaction,
    inspection_id: UUID,
    latest: Visit | None,
    cards: Sequence[CheckInCard],
    department_id: UUID,
    arrived_at: datetime,
) -> Visit:
    """The visit that this department's arrival belongs to, no visit being open.

    A department whose check-in reaches us late, from the time when the others were there, takes part in that visit
    and does not make another one.
    """
    ended = rules.find_ended_visit(cards, department_id, arrived_at)
    if ended is None:
        return _new_visit(tx, inspection_id, latest, arrived_at)
    await store.JOIN_VISIT.run(tx.connection, visit_id=ended.visit_id, came_at=arrived_at)
    return Visit(
        id=ended.visit_id,
        inspection_id=inspection_id,
        sequence=ended.visit_sequence,
        arrived_at=min(arrived_at, ended.done_at),
        departed_at=None,
        voided_at=None,
    )


def _new_visit(tx: Transaction, inspection_id: UUID, former: Visit | None, arrived_at: datetime) -> Visit:
    return Visit(
        id=tx.new_id(),
        inspection_id=inspection_id,
        sequence=1 if former is None else former.sequence + 1,
        arrived_at=arrived_at,
        departed_at=None,
        voided_at=None,
    )


def _stored(
    tx: Transaction,
    order: CheckInOrder,
    visit: Visit,
    who: tuple[UUID, UUID, UUID],
    evidence: _Evidence,
    verdict: PositionVerdict,
    done_at: datetime,
) -> CheckIn:
    fix = order.position
    point = verdict.coordinates
    late = order.late_scan
    department_id, officer_id, second_officer_id = who
    return CheckIn(
        id=tx.new_id(),
        visit_id=visit.id,
        department_id=department_id,
        officer_id=officer_id,
        second_officer_id=second_officer_id,
        means=evidence.means,
        code_id=evidence.code_id,
        longitude=fix.longitude if fix else None,
        latitude=fix.latitude if fix else None,
        accuracy_m=fix.accuracy_m if fix else None,
        fixed_at=fix.fixed_at if fix else None,
        datum=fix.datum if fix else None,
        wgs84_longitude=point.longitude if point else None,
        wgs84_latitude=point.latitude if point else None,
        distance_outside_m=verdict.distance_outside_m,
        flags=[flag.value for flag in verdict.flags],
        position_reason=None,
        late_scan_reason=late.reason if late else None,
        late_scan_note=None,
        done_at=done_at,
        received_at=tx.now,
        departed_at=late.ended_at if late else None,
    )


async def _save(tx: Transaction, visit: Visit, stored: CheckIn, *, is_new: bool) -> None:
    if is_new:
        await store.INSERT_VISIT.run(
            tx.connection,
            id=visit.id,
            inspection_id=visit.inspection_id,
            sequence=visit.sequence,
            opened_by=stored.id,
            arrived_at=visit.arrived_at,
        )
    await store.INSERT_CHECK_IN.run(tx.connection, **msgspec.structs.asdict(stored))
    if stored.departed_at is not None:
        await store.END_VISIT.run(tx.connection, visit_id=visit.id)


def _party(parties: Sequence[Party], department_id: UUID) -> Party:
    return next(party for party in parties if party.department_id == department_id)


def _checked_in(inspection: Inspection, party: Party, visit: Visit, stored: CheckIn) -> CheckedIn:
    return CheckedIn(
        subject_id=inspection.id,
        department_id=party.department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=CheckInFacts(
            check_in_id=stored.id,
            visit_id=visit.id,
            visit_sequence=visit.sequence,
            department_id=stored.department_id,
            officer_id=stored.officer_id,
            second_officer_id=stored.second_officer_id,
            means=stored.means,
            flags=stored.flags,
            distance_outside_m=stored.distance_outside_m,
            done_at=stored.done_at,
        ),
        enterprise_id=inspection.enterprise_id,
        is_news=stored.departed_at is None and stored.received_at - stored.done_at < _NEWS_FOR,
        department_name=party.short_name,
        officer_count=2,
        notice_number=inspection.notice_number,
        hotline=party.hotline,
    )


def _answer(inspection_id: UUID, visit: Visit, stored: CheckIn, *, list_is_open: bool) -> CheckInAnswer:
    return CheckInAnswer(
        id=stored.id,
        inspection_id=inspection_id,
        visit_id=visit.id,
        visit_sequence=visit.sequence,
        department_id=stored.department_id,
        officer_id=stored.officer_id,
        second_officer_id=stored.second_officer_id,
        means=stored.means,
        flags=stored.flags,
        distance_outside_m=stored.distance_outside_m,
        done_at=stored.done_at,
        received_at=stored.received_at,
        list_is_open=list_is_open,
    )


async def find_standing(
    tx: Transaction, officer_id: UUID, inspection_id: UUID
) -> tuple[Inspection, CheckInCard, Visit, UUID]:
    """The inspection with the open check-in of the officer's department. Raises as its callers say."""
    inspection, visit, cards = await _lock(tx, inspection_id)
    mine = await find_post(tx, officer_id, inspection_id)
    card, open_visit = rules.require_checked_in(cards, mine.acts_for, _open(visit))
    return inspection, card, open_visit, mine.acts_for


async def depart(tx: Transaction, officer_id: UUID, inspection_id: UUID) -> Outcome[DepartureAnswer]:
    """离场 of the officer's department; the visit ends when the last department leaves.

    Raises `NotFound`, `NotAssigned`, `NotCheckedIn` or `DepartureBeforeArrival`.
    """
    inspection, card, visit, department_id = await find_standing(tx, officer_id, inspection_id)
    rules.require_departure(card, tx.done_at)
    await store.END_CHECK_IN.run(tx.connection, check_in_id=card.id, left_at=tx.done_at)
    ended = bool(await store.END_VISIT.run(tx.connection, visit_id=visit.id))
    facts = DepartureFacts(visit_id=visit.id, department_id=department_id, departed_at=tx.done_at, visit_ended=ended)
    event = Departed(
        subject_id=inspection_id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=facts,
    )
    answer = DepartureAnswer(inspection_id=inspection_id, **msgspec.structs.asdict(facts))
    return Outcome(answer=answer, events=(event,))


async def void_visit(tx: Transaction, officer_id: UUID, inspection_id: UUID, reason: str) -> Outcome[VoidAnswer]:
    """作废 of the open visit, for having taken the wrong site. It stays on record and no longer counts.

    Raises `NotFound`, `NotAssigned`, `VisitAlreadyOver` or `ReasonMissing`.
    """
    why = require_reason(reason, "reason")
    inspection, visit, _cards = await _lock(tx, inspection_id)
    mine = await find_post(tx, officer_id, inspection_id)
    voided = rules.require_voidable(visit)
    await store.VOID_VISIT.run(tx.connection, visit_id=voided.id, now=tx.now, reason=why)
    event = VisitVoided(
        subject_id=inspection_id,
        department_id=mine.acts_for,
        region=inspection.region,
        site_id=inspection.site_id,
        after=VoidFacts(visit_id=voided.id, reason=why),
    )
    answer = VoidAnswer(inspection_id=inspection_id, visit_id=voided.id, voided_at=tx.now)
    return Outcome(answer=answer, events=(event,))
