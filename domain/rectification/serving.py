"""送达 of an order or a notice by every lawful kind, and the consents behind the electronic one (one-code.md)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

import msgspec

from domain.document.model import DocumentKind
from domain.document.store import DOCUMENTS_OF_INSPECTION
from domain.evidence.operations import require_evidence
from domain.identity.model import Principal
from domain.inspection.access import STANDING, find_readable
from domain.rectification import rules, service_rules, service_store, store
from domain.rectification.acts import (
    ConsentGiven,
    ConsentWithdrawn,
    GiveConsent,
    NoticeServiceRecorded,
    RecordService,
    ServiceRecorded,
)
from domain.rectification.events import (
    ConsentFacts,
    NoticeServed,
    PaperServed,
    PaperServiceFacts,
    ServiceConsentGiven,
    ServiceConsentWithdrawn,
    ServiceFacts,
)
from domain.rectification.model import Consent, OrderState, ServiceMeans
from domain.rectification.operations import lock_order, place_of, standing_of
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import Forbidden, InvalidField, NotFound
from domain.shared.transaction import Outcome, Transaction

PEOPLE_LABEL = "service_record.people"
ADDRESSES_LABEL = "service_consent.addresses"
_ONE_DAY = timedelta(days=1)


async def record_service(
    tx: Transaction, department_id: UUID | None, account_id: UUID, order_id: UUID, asked: RecordService
) -> Outcome[ServiceRecorded]:
    """送达: the order counts as served from its earliest lawful service; a message or an opened link is none.

    What comes late (a returned receipt) is recorded after closing, too. Raises `NotFound`, `Forbidden`,
    `OrderAlreadyClosed` for a revoked order, `ServiceConsentMissing`, `EvidenceMissing` or `InvalidField`.
    """
    order = await lock_order(tx, order_id)
    rules.require_own(order, department_id)
    if order.state is OrderState.REVOKED:
        raise rules.OrderAlreadyClosed("该责令改正通知书已撤销。", state=order.state)
    served_on = service_rules.require_service(asked, local_date(order.issued_at), local_date(tx.now))
    consent_id = await _consent_id(tx, order.enterprise_id, asked)
    await require_evidence(tx, order.inspection_id, [bytes.fromhex(each) for each in asked.evidence], field="evidence")
    earliest = served_on if order.served_on is None else min(order.served_on, served_on)
    facts = ServiceFacts(
        service_id=tx.new_id(),
        document_id=order.document_id,
        means=asked.means,
        served_on=served_on,
        order_served_on=earliest,
        tracking_number=asked.tracking_number,
        evidence=asked.evidence,
        consent_id=consent_id,
    )
    await _record(tx, account_id, order_id, facts, asked)
    await store.SERVE_ORDER.run(tx.connection, order_id=order_id, served_by=served_on)
    event = PaperServed(**place_of(order), before=standing_of(order), after=facts)
    answer = ServiceRecorded(
        id=facts.service_id,
        order_id=order_id,
        means=asked.means,
        served_on=served_on,
        order_served_on=earliest,
        is_after_term=earliest > order.due_on,
    )
    return Outcome(answer=answer, events=(event,))


async def record_notice_service(
    tx: Transaction, principal: Principal, inspection_id: UUID, asked: RecordService
) -> Outcome[NoticeServiceRecorded]:
    """送达 of the 检查通知书 by the department that issued it: this, and nothing else, announces a visit.

    Raises `NotFound`, `Forbidden`, `ServiceConsentMissing`, `EvidenceMissing` or `InvalidField`.
    """
    standing = await find_readable(tx.connection, principal, inspection_id)
    papers = await DOCUMENTS_OF_INSPECTION.all(tx.connection, inspection_id=inspection_id)
    notice = next(
        (each for each in papers if each.kind is DocumentKind.INSPECTION_NOTICE and each.revoked_at is None), None
    )
    if notice is None:
        raise NotFound("该检查任务没有检查通知书。")
    if notice.department_id != principal.department_id:
        raise Forbidden("该检查通知书由其他部门制发。")
    served_on = service_rules.require_service(asked, notice.issued_on, local_date(tx.now))
    consent_id = await _consent_id(tx, standing.enterprise_id, asked)
    await require_evidence(tx, inspection_id, [bytes.fromhex(each) for each in asked.evidence], field="evidence")
    facts = PaperServiceFacts(
        service_id=tx.new_id(),
        document_id=notice.id,
        means=asked.means,
        served_on=served_on,
        tracking_number=asked.tracking_number,
        evidence=asked.evidence,
        consent_id=consent_id,
    )
    await _record(tx, principal.account_id, None, facts, asked)
    event = NoticeServed(
        subject_id=inspection_id,
        department_id=notice.department_id,
        region=standing.region,
        site_id=standing.site_id,
        after=facts,
    )
    answer = NoticeServiceRecorded(
        id=facts.service_id,
        inspection_id=inspection_id,
        document_id=notice.id,
        means=asked.means,
        served_on=served_on,
        is_announced=not standing.has_visit,
    )
    return Outcome(answer=answer, events=(event,))


async def _record(
    tx: Transaction, account_id: UUID, order_id: UUID | None, facts: PaperServiceFacts, asked: RecordService
) -> None:
    await insert_service(
        tx,
        order_id,
        facts,
        recorded_by=account_id,
        note=service_rules.note_of(asked),
        people_sealed=_sealed_people(tx, asked),
    )


async def insert_service(
    tx: Transaction,
    order_id: UUID | None,
    facts: PaperServiceFacts,
    *,
    recorded_by: UUID,
    note: str | None,
    people_sealed: bytes | None = None,
) -> None:
    """Put one 送达 on record, whoever or whatever proves it."""
    await service_store.INSERT_SERVICE.run(
        tx.connection,
        id=facts.service_id,
        document_id=facts.document_id,
        order_id=order_id,
        means=facts.means,
        served_on=facts.served_on,
        people_sealed=people_sealed,
        note=note,
        tracking_number=facts.tracking_number,
        evidence=[bytes.fromhex(each) for each in facts.evidence],
        consent_id=facts.consent_id,
        recorded_by=recorded_by,
        done_at=tx.done_at,
        received_at=tx.now,
    )


async def _consent_id(tx: Transaction, enterprise_id: UUID, asked: RecordService) -> UUID | None:
    """The consent that stood on the day of electronic service. Raises `ServiceConsentMissing`."""
    if asked.means is not ServiceMeans.ELECTRONIC:
        return None
    day = datetime.combine(asked.served_on, time.min, WORKING_ZONE)
    consent = await service_store.CONSENT_ON.first(
        tx.connection, enterprise_id=enterprise_id, since=day, until=day + _ONE_DAY
    )
    if consent is None:
        raise service_rules.ServiceConsentMissing("该单位当日没有有效的送达地址确认书，不能电子送达。", field="means")
    return consent.id


def _sealed_people(tx: Transaction, asked: RecordService) -> bytes | None:
    if asked.receiver is None and asked.witness is None:
        return None
    people = service_rules.ServedPeople(receiver=asked.receiver, witness=asked.witness)
    return tx.vault.seal(PEOPLE_LABEL, msgspec.json.encode(people).decode())


async def give_consent(
    tx: Transaction, account_id: UUID, enterprise_id: UUID, asked: GiveConsent, officer_id: UUID | None = None
) -> Outcome[ConsentGiven]:
    """送达地址确认书, by the enterprise itself, or by an officer who hands in the signed paper at an inspection.

    It takes the place of the one before, which stays on record. Raises `NotFound`, `InvalidField` or
    `EvidenceMissing`.
    """
    addresses = service_rules.require_addresses(asked)
    paper = await _signed_paper(tx, enterprise_id, asked, officer_id) if officer_id is not None else None
    former = await service_store.LOCK_CONSENT_IN_FORCE.first(tx.connection, enterprise_id=enterprise_id)
    if former is not None:
        await service_store.WITHDRAW_CONSENT.run(tx.connection, consent_id=former.id, now=tx.now)
    means = list(dict.fromkeys(asked.means))
    consent_id = tx.new_id()
    await service_store.INSERT_CONSENT.run(
        tx.connection,
        id=consent_id,
        enterprise_id=enterprise_id,
        means=means,
        addresses_sealed=tx.vault.seal(ADDRESSES_LABEL, msgspec.json.encode(addresses).decode()),
        given_by=account_id,
        given_at=tx.now,
        paper=paper,
    )
    event = ServiceConsentGiven(
        subject_id=enterprise_id,
        before=None if former is None else _consent_facts(former),
        after=ConsentFacts(
            consent_id=consent_id, means=[each.value for each in means], paper=None if paper is None else paper.hex()
        ),
    )
    answer = ConsentGiven(id=consent_id, enterprise_id=enterprise_id, means=means, given_at=tx.now)
    return Outcome(answer=answer, events=(event,))


async def _signed_paper(tx: Transaction, enterprise_id: UUID, asked: GiveConsent, officer_id: UUID) -> bytes:
    """The digest of the paper, handed in for an inspection of that enterprise to which the officer is assigned."""
    if asked.inspection_id is None or asked.paper is None:
        raise InvalidField("请上传已签字的送达地址确认书，并注明检查任务。", field="paper")
    standing = await STANDING.first(tx.connection, inspection_id=asked.inspection_id)
    if standing is None or standing.enterprise_id != enterprise_id or officer_id not in standing.officers:
        raise NotFound("没有该检查任务。", field="inspection_id")
    paper = bytes.fromhex(asked.paper)
    await require_evidence(tx, asked.inspection_id, [paper], field="paper")
    return paper


def _consent_facts(consent: Consent) -> ConsentFacts:
    return ConsentFacts(consent_id=consent.id, means=[each.value for each in consent.means], paper=None)


async def withdraw_consent(tx: Transaction, enterprise_id: UUID) -> Outcome[ConsentWithdrawn]:
    """撤回: from now on messages only remind; what was served before stays served. Raises `NoServiceConsent`."""
    consent = await service_store.LOCK_CONSENT_IN_FORCE.first(tx.connection, enterprise_id=enterprise_id)
    if consent is None:
        raise service_rules.NoServiceConsent("没有有效的送达地址确认书。")
    await service_store.WITHDRAW_CONSENT.run(tx.connection, consent_id=consent.id, now=tx.now)
    event = ServiceConsentWithdrawn(subject_id=enterprise_id, before=_consent_facts(consent))
    return Outcome(
        answer=ConsentWithdrawn(id=consent.id, enterprise_id=enterprise_id, withdrawn_at=tx.now), events=(event,)
    )
