"""亮证告知 and who is at the door: a badge checked, the screen, and the answer of either side (one-code.md).

The screen is the same for both sides; it is answered on the officer's or on the enterprise's own phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from codes.live_code import Badge, InvalidShortCode, badge_from_scan, issue_badge, read_badge
from codes.token import TokenKeys
from domain.identity.model import Principal, Role
from domain.inspection import door_store, rules, store
from domain.inspection.access import find_readable
from domain.inspection.conduct import DUTIES, PROHIBITIONS, RIGHTS, VISIT_CAP
from domain.inspection.door_model import (
    BadgeOfficer,
    IdentificationReply,
    IdentificationScreen,
    OrderAtDoor,
    ScreenButton,
    ScreenOfficer,
    ScreenParty,
)
from domain.inspection.events import IdentificationFacts, OfficersIdentified
from domain.inspection.model import (
    AssignedOfficer,
    CheckInCard,
    IdentificationAnswer,
    IdentificationOrder,
    IdentificationResponse,
    Inspection,
    InspectionKind,
    Party,
    ShownOn,
)
from domain.inspection.operations import find_standing
from domain.inspection.posts import lock_inspection
from domain.officer.model import CertifiedOfficer
from domain.officer.rules import certificate_is_valid, require_certificate
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import DomainError, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

_PERSON_LABEL: Final = "identification.person_name"
_KINDS: Final = {
    InspectionKind.ROUTINE: "日常检查",
    InspectionKind.SPECIAL: "专项检查",
    InspectionKind.CASE: "个案检查",
}
BUTTONS: Final = (
    ScreenButton(response=IdentificationResponse.ACKNOWLEDGED, label="已知悉", needs_reason=False),
    ScreenButton(response=IdentificationResponse.RECUSAL_REQUESTED, label="申请回避", needs_reason=True),
    ScreenButton(response=IdentificationResponse.IDENTITY_MISMATCH, label="身份或单位不符", needs_reason=True),
)


class BadgeInvalid(DomainError):
    """What was scanned is no badge of ours, or of an officer who is in no register any more."""


class BadgeExpired(DomainError):
    """The badge was shown more than a minute ago: a picture of one proves nobody."""


# ---- who is at my door


async def show_badge(connection: Connection, officer_id: UUID, keys: TokenKeys, now: datetime) -> tuple[str, Badge]:
    """亮证码 for a minute; an officer who may not inspect has none. Raises `NotFound` or `CertificateInvalid`."""
    officer = await _officer(connection, officer_id)
    if officer is None:
        raise NotFound("没有该执法人员。")
    certified = CertifiedOfficer(
        id=officer.id,
        name=officer.name,
        department_id=officer.department_id,
        certificate_number=officer.certificate_number,
        certificate_valid_from=officer.certificate_valid_from,
        certificate_valid_to=officer.certificate_valid_to,
    )
    require_certificate(certified, local_date(now), "officer")
    text = issue_badge(keys, officer_id, now)
    return text, read_badge(keys, text)


async def verify_badge(connection: Connection, scanned: str, keys: TokenKeys, now: datetime) -> BadgeOfficer:
    """核验亮证码, for anybody. Raises `BadgeInvalid` or `BadgeExpired`."""
    text = badge_from_scan(scanned)
    try:
        badge = None if text is None else read_badge(keys, text)
    except InvalidShortCode:
        badge = None
    if badge is None:
        raise BadgeInvalid("未识别的亮证码，请让执法人员重新出示。", field="code")
    if not badge.is_current(now):
        raise BadgeExpired("该亮证码已过期，请让执法人员当面重新出示。", field="code")
    officer = await _officer(connection, badge.officer_id)
    if officer is None:
        raise BadgeInvalid("该执法人员已不在册。", field="code")
    return officer


async def orders_at_door(
    connection: Connection, principal: Principal | None, officer_id: UUID, today: date
) -> list[OrderAtDoor] | None:
    """The officer's open orders at the sites of the enterprise that asks; None for anybody else, who is told none."""
    if principal is None or principal.role is not Role.ENTERPRISE:
        return None
    return await door_store.ORDERS_AT_ENTERPRISE.all(
        connection,
        officer_id=officer_id,
        enterprise_id=principal.enterprise_id,
        site_ids=None if principal.site_ids is None else list(principal.site_ids),
        today=today,
    )


async def _officer(connection: Connection, officer_id: UUID) -> BadgeOfficer | None:
    return await door_store.OFFICER_AT_DOOR.first(connection, officer_id=officer_id)


# ---- the screen


async def read_screen(
    connection: Connection, principal: Principal, inspection_id: UUID, now: datetime
) -> IdentificationScreen:
    """亮证告知 for both sides. Raises `NotFound`; the enterprise finds it once officers have checked in."""
    await find_readable(connection, principal, inspection_id)
    inspection = await store.INSPECTION_BY_ID.first(connection, inspection_id=inspection_id)
    if inspection is None:
        raise NotFound("没有该检查任务。")
    parties = await store.PARTIES.all(connection, inspection_id=inspection_id)
    officers = await store.ASSIGNED_OFFICERS.all(connection, inspection_id=inspection_id, as_of=now)
    check_ins = await store.CHECK_INS.all(connection, inspection_id=inspection_id)
    drawn = await door_store.DRAWN.one(connection, inspection_id=inspection_id)
    counts = await _counts(connection, inspection, parties, now)
    return IdentificationScreen(
        inspection_id=inspection_id,
        enterprise_name=inspection.enterprise_name,
        site_name=inspection.site_name,
        notice_number=inspection.notice_number,
        kind=inspection.kind,
        kind_label=_KINDS[inspection.kind],
        source=inspection.source,
        basis=inspection.basis,
        items=drawn.items,
        is_list_open=drawn.is_list_open,
        areas=drawn.areas,
        parties=[_party(each, officers, check_ins, counts.get(each.department_id), now) for each in parties],
        visits_cap=VISIT_CAP.visits_a_year,
        visits_cap_source=VISIT_CAP.source,
        rights=list(RIGHTS),
        duties=list(DUTIES),
        prohibitions=list(PROHIBITIONS),
        buttons=list(BUTTONS),
    )


async def _counts(
    connection: Connection, inspection: Inspection, parties: Sequence[Party], now: datetime
) -> dict[UUID, door_store.YearOfDepartment]:
    """How often each department came to the enterprise this year, by the region's own calendar."""
    year = now.astimezone(WORKING_ZONE).year
    rows = await door_store.VISITS_OF_YEAR.all(
        connection,
        enterprise_id=inspection.enterprise_id,
        departments=[each.department_id for each in parties],
        since=datetime(year, 1, 1, tzinfo=WORKING_ZONE),
        until=datetime(year + 1, 1, 1, tzinfo=WORKING_ZONE),
    )
    return {row.department_id: row for row in rows}


def _party(
    party: Party,
    officers: Sequence[AssignedOfficer],
    check_ins: Sequence[CheckInCard],
    count: door_store.YearOfDepartment | None,
    now: datetime,
) -> ScreenParty:
    card = _latest(check_ins, party.department_id)
    here = set() if card is None else {card.officer_id, card.second_officer_id}
    today = local_date(now)
    return ScreenParty(
        department_id=party.department_id,
        name=party.name,
        is_lead=party.is_lead,
        hotline=party.hotline,
        officers=[
            ScreenOfficer(
                id=each.id,
                name=each.name,
                certificate_number=each.certificate_number,
                certificate_valid_to=each.certificate_valid_to,
                certificate_is_valid=certificate_is_valid(each, today),
                is_here=each.id in here,
            )
            for each in officers
            if each.acts_for == party.department_id
        ],
        check_in_id=None if card is None else card.id,
        arrived_at=None if card is None else card.done_at,
        response=None if card is None else card.identification,
        visits_this_year=0 if count is None else count.visits,
        routine_visits_this_year=0 if count is None else count.routine_visits,
    )


def _latest(check_ins: Sequence[CheckInCard], department_id: UUID) -> CheckInCard | None:
    """The department's newest check-in of a visit that counts."""
    own = [each for each in check_ins if each.department_id == department_id and each.visit_voided_at is None]
    return own[-1] if own else None


# ---- its answer


async def record_identification(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, order: IdentificationOrder
) -> Outcome[IdentificationAnswer]:
    """亮证告知, after the check-in. A refusal may be followed by another response; an acknowledgement is final.

    Raises `NotFound`, `NotAssigned`, `NotCheckedIn`, `AlreadyAcknowledged` or `RefusalReasonRequired`.
    """
    inspection, card, _visit, department_id = await find_standing(tx, officer_id, inspection_id)
    return await _record(tx, inspection, card, department_id, order)


async def answer_identification(
    tx: Transaction, principal: Principal, inspection_id: UUID, order: IdentificationReply
) -> Outcome[IdentificationAnswer]:
    """亮证告知 answered by the enterprise on its own phone, while the officers are there.

    Raises `NotFound`, `NotCheckedIn`, `AlreadyAcknowledged` or `RefusalReasonRequired`.
    """
    await find_readable(tx.connection, principal, inspection_id)
    inspection = await lock_inspection(tx, inspection_id)
    check_ins = await store.CHECK_INS.all(tx.connection, inspection_id=inspection_id)
    card = next((each for each in check_ins if each.id == order.check_in_id), None)
    if card is None or card.departed_at is not None or card.visit_voided_at is not None:
        raise rules.NotCheckedIn("该部门尚未报到，或已离场。", field="check_in_id")
    told = IdentificationOrder(
        response=order.response, shown_on=ShownOn.ENTERPRISE_PHONE, person=order.person, reason=order.reason
    )
    return await _record(tx, inspection, card, card.department_id, told)


async def _record(
    tx: Transaction, inspection: Inspection, card: CheckInCard, department_id: UUID, order: IdentificationOrder
) -> Outcome[IdentificationAnswer]:
    reason = rules.require_response(card, order.response, order.reason)
    done_at = rules.bounded_done_at(tx.done_at, inspection)
    identification_id = tx.new_id()
    person = order.person
    await store.INSERT_IDENTIFICATION.run(
        tx.connection,
        id=identification_id,
        check_in_id=card.id,
        response=order.response,
        shown_on=order.shown_on,
        person_name_sealed=None if person is None else tx.vault.seal(_PERSON_LABEL, person.name),
        person_post=None if person is None else person.post,
        reason=reason,
        responded_at=done_at,
        received_at=tx.now,
    )
    event = OfficersIdentified(
        subject_id=inspection.id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=await _identification_facts(tx, card, order, reason),
    )
    answer = IdentificationAnswer(
        id=identification_id,
        inspection_id=inspection.id,
        check_in_id=card.id,
        response=order.response,
        responded_at=done_at,
    )
    return Outcome(answer=answer, events=(event,))


async def _identification_facts(
    tx: Transaction, card: CheckInCard, order: IdentificationOrder, reason: str | None
) -> IdentificationFacts:
    """The trace's part: the person's name under a key of their own, so that it can be erased without touching it."""
    person_id = sealed = None
    if order.person is not None:
        person_id = tx.new_id()
        key = tx.vault.new_subject_key(str(person_id))
        sealed = tx.vault.seal_for_subject(key, str(person_id), order.person.name)
        await store.INSERT_SUBJECT_KEY.run(tx.connection, subject_id=person_id, sealed_key=key, created_at=tx.now)
    return IdentificationFacts(
        check_in_id=card.id,
        response=order.response,
        shown_on=order.shown_on,
        reason=reason,
        person_id=person_id,
        person_name_sealed=sealed,
        person_post=None if order.person is None else order.person.post,
    )
