"""提交投诉, 提交举报: two operations over two tables; what they share is how a text is taken in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from codes.token import InvalidToken, TokenKeys, decode_token
from domain.complaint import rules
from domain.complaint.events import ComplaintFiled, ConsumerComplaintFiled, TipOffFiled
from domain.complaint.grievance_store import STORES, GrievanceStore
from domain.complaint.keeping import seal_narrative, seal_person, told
from domain.complaint.likeness import DEFAULT_LIKENESS, count_alike, sketch_of
from domain.complaint.model import (
    CONSENT_VERSION,
    CONSUMER_TYPES,
    Grievance,
    GrievanceFiled,
    GrievanceKind,
    GrievanceState,
    GrievanceTerm,
    GrievanceType,
    Narrative,
    NewGrievance,
    Person,
)
from domain.complaint.store import PLACE_BY_ID, Place
from domain.enterprise.rules import require_valid
from domain.enterprise.store import CODE_BY_ID
from domain.evidence.attachments import attach
from domain.inspection.rules import InvalidCode
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.numbers import NumberRequest
from domain.shared.query_code import query_code_of
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from domain.visitor.model import CitizenPass
from domain.visitor.operations import verified_phone

PHONE_LABEL: Final = "grievance.phone"


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a new text is compared by."""

    type: GrievanceType
    text: str
    now: datetime


class _Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who hands it in: the uploader of its files, and the person where there is one."""

    uploader_id: UUID
    person: Person | None


async def find_place(connection: Connection, code: str | None, site_id: UUID | None, keys: TokenKeys) -> Place:
    """The site that a citizen means, by its code or by its id.

    Raises `InvalidCode`, `CodeWasReplaced`, `CodeWasRevoked`, `NotFound` or `NoHandlingDepartment`.
    """
    wanted = site_id if code is None else await _site_of_code(connection, code, keys)
    place = None if wanted is None else await PLACE_BY_ID.first(connection, site_id=wanted)
    if place is None:
        raise NotFound("没有该经营场所。", field="site_id")
    if place.department_id is None:
        raise rules.NoHandlingDepartment("该场所尚未登记监管部门，请拨打12345反映。")
    return place


async def _site_of_code(connection: Connection, code: str, keys: TokenKeys) -> UUID:
    try:
        code_id = decode_token(keys, code).code_id
    except InvalidToken as broken:
        raise InvalidCode("无效的企业码。", field="code") from broken
    found = await CODE_BY_ID.first(connection, code_id=code_id)
    if found is None:
        raise InvalidCode("无效的企业码。", field="code")
    require_valid(found.state)
    return found.site_id


async def count_likely_duplicates(
    connection: Connection, vault: Vault, site_id: UUID, matter: Matter, but: UUID | None = None
) -> int:
    """How many 投诉 of the site in the last 30 days are likely about the same matter.

    举报 are never in this number, whoever asks: an enterprise's own people may ask as citizens.
    """
    filed = await STORES[GrievanceKind.COMPLAINT].sketches.all(
        connection,
        site_id=site_id,
        since=matter.now - timedelta(days=DEFAULT_LIKENESS.days),
        but=but,
        limit=DEFAULT_LIKENESS.looked_at,
    )
    return count_alike(matter.type.value, _sketch(vault, site_id, matter.text), filed)


def _sketch(vault: Vault, site_id: UUID, text: str) -> list[int]:
    label = f"grievance.pair.{site_id}"
    return sketch_of(text, lambda pair: vault.blind_index(label, pair))


async def file_complaint(
    tx: Transaction, citizen: CitizenPass, new: NewGrievance, keys: TokenKeys
) -> Outcome[GrievanceFiled]:
    """提交投诉: named, from a verified phone.

    Raises `InvalidField`, `ConsentMissing`, `PhoneNotVerified`, `AttachmentMissing`, and what `find_place` does.
    """
    store = STORES[GrievanceKind.COMPLAINT]
    narrative = rules.require_narrative(new, tx.now)
    name = rules.require_name(store.kind, new.name)
    place = await find_place(tx.connection, new.code, new.site_id, keys)
    person = Person(name=name or "", phone=await verified_phone(tx, citizen))
    filed = await _keep(tx, store, place, new, narrative, _Author(uploader_id=citizen.id, person=person))
    event_kind = ConsumerComplaintFiled if new.type in CONSUMER_TYPES else ComplaintFiled
    event = told(event_kind, store.kind, None, filed, narrative.description)
    return await _outcome(tx, store, filed, narrative, event)


async def file_tip_off(
    tx: Transaction, citizen: CitizenPass, new: NewGrievance, keys: TokenKeys
) -> Outcome[GrievanceFiled]:
    """提交举报: anonymous, or named from a verified phone.

    Raises `InvalidField`, `ConsentMissing`, `PhoneNotVerified`, `AttachmentMissing`, and what `find_place` does.
    """
    store = STORES[GrievanceKind.TIP_OFF]
    narrative = rules.require_narrative(new, tx.now)
    name = rules.require_name(store.kind, new.name)
    place = await find_place(tx.connection, new.code, new.site_id, keys)
    person = None if name is None else Person(name=name, phone=await verified_phone(tx, citizen))
    filed = await _keep(tx, store, place, new, narrative, _Author(uploader_id=citizen.id, person=person))
    event = told(TipOffFiled, store.kind, None, filed, narrative.description)
    return await _outcome(tx, store, filed, narrative, event)


async def _keep(
    tx: Transaction,
    store: GrievanceStore,
    place: Place,
    new: NewGrievance,
    narrative: Narrative,
    author: _Author,
) -> Grievance:
    filed = _received(tx, store, place, new.type, narrative, author.person)
    phone = None if author.person is None else tx.vault.blind_index(PHONE_LABEL, author.person.phone)
    await store.insert.run(
        tx.connection,
        **msgspec.structs.asdict(filed),
        sketch=_sketch(tx.vault, place.site_id, narrative.description),
        query_code_index=query_code_index(tx.vault, store.kind, query_code(tx.vault, store.kind, filed.id)),
        phone_index=phone,
        consent_version=CONSENT_VERSION,
    )
    digests = [bytes.fromhex(each) for each in new.attachments]
    await attach(tx, uploader_id=author.uploader_id, folder_id=filed.id, digests=digests, field="attachments")
    return filed


def _received(
    tx: Transaction,
    store: GrievanceStore,
    place: Place,
    type_: GrievanceType,
    narrative: Narrative,
    person: Person | None,
) -> Grievance:
    if place.department_id is None:
        raise rules.NoHandlingDepartment("该场所尚未登记监管部门，请拨打12345反映。")
    return Grievance(
        id=tx.new_id(),
        site_id=place.site_id,
        enterprise_id=place.enterprise_id,
        department_id=place.department_id,
        region=place.region,
        type=type_,
        state=GrievanceState.RECEIVED,
        is_open=True,
        term=GrievanceTerm.DECISION,
        due_on=rules.decision_due(store.kind, tx.now),
        filed_at=tx.now,
        accepted_at=None,
        answered_at=None,
        closed_at=None,
        is_reopened=False,
        is_extended=False,
        is_abusive=False,
        handler_id=None,
        leading_id=None,
        inspection_id=None,
        content_sealed=seal_narrative(tx.vault, store, narrative),
        person_sealed=None if person is None else seal_person(tx.vault, store, person),
        released_sealed=None,
        department_code=place.department_code or "",
        department_name=place.department_name or "",
        hotline=place.hotline,
    )


async def _outcome(
    tx: Transaction, store: GrievanceStore, filed: Grievance, narrative: Narrative, event: Event
) -> Outcome[GrievanceFiled]:
    matter = Matter(type=filed.type, text=narrative.description, now=tx.now)
    alike = await count_likely_duplicates(tx.connection, tx.vault, filed.site_id, matter, but=filed.id)
    answer = GrievanceFiled(
        id=filed.id,
        kind=store.kind,
        state=filed.state,
        filed_at=filed.filed_at,
        due_on=filed.due_on,
        department=filed.department_name,
        hotline=filed.hotline,
        likely_duplicates=alike,
    )
    number = NumberRequest(department_code=filed.department_code, kind=store.number_kind, subject_id=filed.id)
    return Outcome(answer=answer, events=(event,), numbers=(number,))


def query_code(vault: Vault, kind: GrievanceKind, grievance_id: UUID) -> str:
    """查询码 of what was filed: shown in the answer to who filed it, and kept nowhere."""
    return query_code_of(vault.blind_index(f"{STORES[kind].name}.query_code", str(grievance_id)))


def query_code_index(vault: Vault, kind: GrievanceKind, code: str) -> bytes:
    """By which a code is found."""
    return vault.blind_index(f"{STORES[kind].name}.query_code_index", code)
