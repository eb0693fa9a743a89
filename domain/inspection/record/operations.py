"""The record's life: facts added by hand, signed by all who must, opened again with a reason."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from domain.document.canonical import canonical, record_digest
from domain.enterprise.rules import require_reason
from domain.evidence.operations import require_evidence
from domain.inspection import rules as inspection_rules
from domain.inspection.answers import store as answer_store
from domain.inspection.answers.model import ChecklistLine
from domain.inspection.answers.rules import RecordAlreadySigned
from domain.inspection.model import Inspection
from domain.inspection.posts import lock_own
from domain.inspection.record import rules, store
from domain.inspection.record.content import record_content
from domain.inspection.record.events import (
    RecordFactsRecorded,
    RecordReopened,
    RecordSigned,
    RecordVersionFacts,
    ReopeningFacts,
    SignedFacts,
)
from domain.inspection.record.model import (
    FactsAnswer,
    PartyFacts,
    Presence,
    RecordFacts,
    RecordPart,
    ReopeningAnswer,
    Signatory,
    Signature,
    SignatureAnswer,
    SignatureOrder,
    SignatureRole,
)
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

_FACTS = "record_part.facts"
_CANONICAL = "record_part.canonical"
_PERSON = "signature.person"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A department's record as it stands: all that its content, whose digest is signed, is made of."""

    inspection: Inspection
    department_id: UUID
    part: RecordPart | None
    facts: RecordFacts
    lines: list[ChecklistLine]
    presences: list[Presence]
    party: PartyFacts

    @property
    def version(self) -> int:
        """Of the facts; 0 before any."""
        return 0 if self.part is None else self.part.version

    @property
    def content(self) -> dict[str, Any]:
        """The record as a JSON value."""
        return record_content(self.inspection, self.department_id, self.party, self.presences, self.lines, self.facts)


async def read_draft(connection: Connection, vault: Vault, inspection: Inspection, department_id: UUID) -> Draft:
    """The record of one department out of visits, answers and facts."""
    ids = {"inspection_id": inspection.id, "department_id": department_id}
    part = await store.PART.first(connection, **ids)
    facts = RecordFacts() if part is None else open_facts(vault, part)
    lines = await answer_store.LINES.all(connection, inspection_id=inspection.id)
    own = [line for line in lines if line.department_id == department_id]
    return Draft(
        inspection=inspection,
        department_id=department_id,
        part=part,
        facts=facts,
        lines=own,
        presences=await store.PRESENCES.all(connection, **ids),
        party=await store.PARTY.one(connection, inspection_id=inspection.id),
    )


def open_facts(vault: Vault, part: RecordPart) -> RecordFacts:
    """What was added by hand."""
    return msgspec.json.decode(vault.open(_FACTS, part.facts_sealed), type=RecordFacts)


def open_canonical(vault: Vault, part: RecordPart) -> bytes | None:
    """The signed text; None while nobody has signed."""
    return None if part.canonical_sealed is None else vault.open(_CANONICAL, part.canonical_sealed).encode()


def open_signatory(vault: Vault, signature: Signature) -> Signatory | None:
    """Who signed, where no officer did."""
    if signature.person_sealed is None:
        return None
    return msgspec.json.decode(vault.open(_PERSON, signature.person_sealed), type=Signatory)


def canonical_record(vault: Vault, draft: Draft) -> bytes:
    """The canonical text: the signed one, once signed."""
    signed = None if draft.part is None else open_canonical(vault, draft.part)
    return canonical(draft.content) if signed is None else signed


def require_current(draft: Draft) -> None:
    """What was signed is what stands there now: a visit that came after the signatures wants them anew.

    Raises `RecordDiffers`.
    """
    part = draft.part
    if part is not None and part.digest is not None and part.digest != record_digest(draft.content):
        raise rules.RecordDiffers("签字之后又有到场或变更，请重新打开笔录并签字。", expected=part.digest.hex())


async def _lock_own(tx: Transaction, officer_id: UUID, inspection_id: UUID) -> tuple[Inspection, UUID]:
    """The open inspection, locked, and the department that the officer acts for in it."""
    inspection, mine = await lock_own(tx, officer_id, inspection_id)
    inspection_rules.require_open(inspection, tx.done_at)
    return inspection, mine.acts_for


async def record_facts(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, facts: RecordFacts, expected: int
) -> Outcome[FactsAnswer]:
    """检查笔录填写; `expected` is the version the officer saw, 0 for none.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed`, `RecordAlreadySigned` or `FactsConflict`.
    """
    inspection, department_id = await _lock_own(tx, officer_id, inspection_id)
    before = await read_draft(tx.connection, tx.vault, inspection, department_id)
    _require_unsigned(before)
    if before.version != expected:
        raise rules.FactsConflict("笔录已被其他人修改，请刷新后重新填写。", field="If-Match", version=before.version)
    await _save_facts(tx, before, facts)
    version = before.version + 1
    digest = record_digest(msgspec.structs.replace(before, facts=facts).content).hex()
    event = RecordFactsRecorded(
        subject_id=inspection_id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        before=None
        if before.part is None
        else RecordVersionFacts(version=before.version, record_digest=record_digest(before.content).hex()),
        after=RecordVersionFacts(version=version, record_digest=digest),
    )
    answer = FactsAnswer(
        inspection_id=inspection_id, department_id=department_id, version=version, record_digest=digest
    )
    return Outcome(answer=answer, events=(event,))


def _require_unsigned(draft: Draft) -> None:
    if draft.part is not None and draft.part.digest is not None:
        raise RecordAlreadySigned("本部门的检查笔录已签字；如需更改，请先说明原因并重新打开笔录。")


async def _save_facts(tx: Transaction, draft: Draft, facts: RecordFacts) -> None:
    await store.SAVE_FACTS.run(
        tx.connection,
        inspection_id=draft.inspection.id,
        department_id=draft.department_id,
        version=draft.version + 1,
        facts_sealed=tx.vault.seal(_FACTS, msgspec.json.encode(facts).decode()),
        updated_at=tx.now,
    )


async def sign(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, role: SignatureRole, order: SignatureOrder
) -> Outcome[SignatureAnswer]:
    """检查签字 (MOB-13): the first signature freezes the department's record, the others sign the same digest.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed`, `NotCheckedIn`, `ItemsUnanswered`, `RecordDiffers`,
    `SignatureIncomplete`, `MinorMayNotSign`, `OfficerWasAbsent`, `AlreadySigned`, `EvidenceMissing` or `InvalidField`.
    """
    inspection, department_id = await _lock_own(tx, officer_id, inspection_id)
    draft = await read_draft(tx.connection, tx.vault, inspection, department_id)
    if not draft.presences:
        raise inspection_rules.NotCheckedIn("本部门尚未报到。")
    signer = rules.require_signature(role, order, officer_id, draft.presences)
    rules.require_answered(draft.lines)
    rules.require_body_camera(draft.facts)
    frozen = await _freeze(tx, draft, bytes.fromhex(order.record_digest))
    signatures = await _standing(tx.connection, inspection_id, department_id)
    rules.require_not_signed(signatures, role, signer)
    images = [bytes.fromhex(each) for each in order.images]
    await require_evidence(tx, inspection_id, images, field="images")
    stored = Signature(
        id=tx.new_id(),
        department_id=department_id,
        role=role,
        officer_id=signer,
        means=order.means,
        person_sealed=None
        if order.person is None
        else tx.vault.seal(_PERSON, msgspec.json.encode(order.person).decode()),
        opinion=order.opinion,
        reason=order.reason,
        images=images,
        record_digest=frozen,
        done_at=inspection_rules.bounded_done_at(tx.done_at, inspection),
        received_at=tx.now,
    )
    await store.INSERT_SIGNATURE.run(tx.connection, inspection_id=inspection_id, **msgspec.structs.asdict(stored))
    missing = rules.still_to_sign([*signatures, stored], draft.presences, draft.facts)
    event = RecordSigned(
        subject_id=inspection_id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=SignedFacts(
            signature_id=stored.id,
            role=role,
            means=order.means,
            officer_id=signer,
            record_digest=order.record_digest,
            images=order.images,
            reason=order.reason,
        ),
    )
    answer = SignatureAnswer(
        id=stored.id,
        inspection_id=inspection_id,
        department_id=department_id,
        role=role,
        record_digest=order.record_digest,
        signed_at=stored.done_at,
        is_complete=not missing,
    )
    return Outcome(answer=answer, events=(event,))


async def _freeze(tx: Transaction, draft: Draft, signed: bytes) -> bytes:
    """The digest that the record is frozen at. Raises `RecordDiffers` when another one was signed."""
    part = draft.part
    if part is not None and part.digest is not None:
        if part.digest != signed:
            raise rules.RecordDiffers(
                "签字的笔录与已签字的内容不一致，请重新打开核对。", field="record_digest", expected=part.digest.hex()
            )
        return part.digest
    text = canonical(draft.content)
    digest = hashlib.sha256(text).digest()
    if digest != signed:
        raise rules.RecordDiffers(
            "签字的笔录与已送达的内容不一致，请重新打开核对。", field="record_digest", expected=digest.hex()
        )
    if part is None:
        await _save_facts(tx, draft, draft.facts)
    await store.FREEZE.run(
        tx.connection,
        of_inspection=draft.inspection.id,
        of_department=draft.department_id,
        canonical=tx.vault.seal(_CANONICAL, text.decode()),
        record_digest=digest,
        now=tx.now,
    )
    return digest


async def _standing(connection: Connection, inspection_id: UUID, department_id: UUID) -> list[Signature]:
    signatures = await store.SIGNATURES.all(connection, inspection_id=inspection_id)
    return [each for each in signatures if each.department_id == department_id]


async def reopen_record(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, reason: str
) -> Outcome[ReopeningAnswer]:
    """笔录重新打开: voids the department's signatures, so that answers and facts may change and be signed anew.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed`, `NothingSigned` or `ReasonMissing`.
    """
    why = require_reason(reason, "reason")
    inspection, department_id = await _lock_own(tx, officer_id, inspection_id)
    part = await store.PART.first(tx.connection, inspection_id=inspection_id, department_id=department_id)
    if part is None or part.digest is None:
        raise rules.NothingSigned("本部门的笔录尚未签字。")
    where = {"of_inspection": inspection_id, "of_department": department_id}
    voided = await store.VOID_SIGNATURES.run(tx.connection, **where, now=tx.now, why=why)
    await store.FREEZE.run(tx.connection, **where, canonical=None, record_digest=None, now=None)
    event = RecordReopened(
        subject_id=inspection_id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        after=ReopeningFacts(record_digest=part.digest.hex(), signatures_voided=voided, reason=why),
    )
    answer = ReopeningAnswer(inspection_id=inspection_id, department_id=department_id, voided=voided)
    return Outcome(answer=answer, events=(event,))
