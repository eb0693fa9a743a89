"""移交执法 (POST-04): opened by a re-inspection or by an answer, handed over against a receipt."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.evidence.operations import require_evidence
from domain.inspection.model import Inspection
from domain.inspection.store import LOCK_INSPECTION
from domain.rectification import rules, transfer_store
from domain.rectification.acts import HandOver, OpenTransfer, TransferStands
from domain.rectification.drafting import answered_items, open_desk
from domain.rectification.events import FileFacts, TransferFacts, TransferFileRead, TransferHandedOver, TransferOpened
from domain.rectification.model import Transfer, TransferState
from domain.shared.errors import Forbidden, NotFound
from domain.shared.transaction import Outcome, Transaction


class NewTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer as it is opened."""

    id: UUID
    inspection_id: UUID
    order_id: UUID | None
    department_id: UUID
    receiving_body: str
    reason: str


async def insert_transfer(
    tx: Transaction, new: NewTransfer, *, region: str, site_id: UUID, enterprise_id: UUID
) -> TransferOpened:
    """Store it; gives its event."""
    await transfer_store.INSERT_TRANSFER.run(
        tx.connection, **msgspec.structs.asdict(new), state=TransferState.OPEN, opened_at=tx.now
    )
    return TransferOpened(
        subject_id=new.id,
        department_id=new.department_id,
        region=region,
        site_id=site_id,
        enterprise_id=enterprise_id,
        after=TransferFacts(
            inspection_id=new.inspection_id,
            order_id=new.order_id,
            state=TransferState.OPEN,
            receiving_body=new.receiving_body,
            reason=new.reason,
        ),
    )


async def open_transfer(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, asked: OpenTransfer
) -> Outcome[TransferStands]:
    """移交执法 out of the measure 转行政处罚 that the officer's department chose for one of its items.

    Raises `NotFound`, `NotAssigned`, `NotCheckedIn`, `CertificateInvalid`, `SecondOfficerRequired`, `ReasonMissing`,
    `TransferNotIndicated` or `TransferAlreadyOpened`.
    """
    rules.require_version_7(asked.id)
    reason = require_reason(asked.reason, "reason")
    inspection = await LOCK_INSPECTION.first(tx.connection, inspection_id=inspection_id)
    if inspection is None:
        raise NotFound("没有该检查任务。")
    desk = await open_desk(tx.connection, inspection, officer_id, tx.done_at)
    items = await answered_items(tx.connection, desk)
    if not any(rules.TRANSFER_MEASURE in item.kinds for item in items.values()):
        raise rules.TransferNotIndicated("本部门的检查结果中没有“转行政处罚”。")
    known = await transfer_store.DIRECT_TRANSFER.first(
        tx.connection, inspection_id=inspection_id, department_id=desk.department_id
    )
    if known is not None:
        raise rules.TransferAlreadyOpened("本部门已就该检查任务移交。", transfer_id=str(known.id))
    new = NewTransfer(
        id=asked.id,
        inspection_id=inspection_id,
        order_id=None,
        department_id=desk.department_id,
        receiving_body=asked.receiving_body,
        reason=reason,
    )
    event = await _of_inspection(tx, new, inspection)
    answer = TransferStands(
        **{name: getattr(new, name) for name in ("id", "inspection_id", "order_id", "department_id", "receiving_body")},
        state=TransferState.OPEN,
        opened_at=tx.now,
        handed_over_at=None,
    )
    return Outcome(answer=answer, events=(event,))


async def _of_inspection(tx: Transaction, new: NewTransfer, inspection: Inspection) -> TransferOpened:
    return await insert_transfer(
        tx, new, region=inspection.region, site_id=inspection.site_id, enterprise_id=inspection.enterprise_id
    )


async def hand_over(
    tx: Transaction, department_id: UUID | None, account_id: UUID, transfer_id: UUID, asked: HandOver
) -> Outcome[TransferStands]:
    """移交: the receiving body's receipt, by its number and its scan.

    Raises `NotFound`, `Forbidden`, `TransferAlreadyHandedOver` or `EvidenceMissing`.
    """
    transfer = await transfer_store.LOCK_TRANSFER.first(tx.connection, transfer_id=transfer_id)
    if transfer is None:
        raise NotFound("没有该移交。")
    if transfer.department_id != department_id:
        raise Forbidden("该移交由其他部门办理。")
    if transfer.state is not TransferState.OPEN:
        raise rules.TransferAlreadyHandedOver("该案卷已移交。", receipt_number=transfer.receipt_number)
    receipt = bytes.fromhex(asked.receipt)
    await require_evidence(tx, transfer.inspection_id, [receipt], field="receipt")
    await transfer_store.HAND_OVER.run(
        tx.connection,
        transfer_id=transfer_id,
        number=asked.receipt_number,
        scan=receipt,
        now=tx.now,
        by_account=account_id,
    )
    before = _facts(transfer)
    after = msgspec.structs.replace(
        before, state=TransferState.HANDED_OVER, receipt_number=asked.receipt_number, receipt=asked.receipt
    )
    event = TransferHandedOver(
        subject_id=transfer_id,
        department_id=transfer.department_id,
        region=transfer.region,
        site_id=transfer.site_id,
        enterprise_id=transfer.enterprise_id,
        before=before,
        after=after,
    )
    answer = TransferStands(
        id=transfer_id,
        inspection_id=transfer.inspection_id,
        order_id=transfer.order_id,
        department_id=transfer.department_id,
        receiving_body=transfer.receiving_body,
        state=TransferState.HANDED_OVER,
        opened_at=transfer.opened_at,
        handed_over_at=tx.now,
    )
    return Outcome(answer=answer, events=(event,))


def _facts(transfer: Transfer) -> TransferFacts:
    return TransferFacts(
        inspection_id=transfer.inspection_id,
        order_id=transfer.order_id,
        state=transfer.state,
        receiving_body=transfer.receiving_body,
        reason=transfer.reason,
    )


async def trace_file_read(_tx: Transaction, transfer: Transfer, facts: FileFacts) -> Outcome[None]:
    """移交案卷调阅 leaves its trace before the first byte is sent."""
    event = TransferFileRead(
        subject_id=transfer.id,
        department_id=transfer.department_id,
        region=transfer.region,
        site_id=transfer.site_id,
        enterprise_id=transfer.enterprise_id,
        after=facts,
    )
    return Outcome(answer=None, events=(event,))
