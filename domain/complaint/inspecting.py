"""发起检查任务 (COG-06): a case inspection for one or many complaints or tip-offs about one site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from domain.complaint import course, rules
from domain.complaint.events import InspectionLinked
from domain.complaint.grievance_store import STORES, GrievanceStore
from domain.complaint.keeping import Change, save
from domain.complaint.model import (
    CaseInspectionOrder,
    CaseInspectionStarted,
    Grievance,
    GrievanceKind,
    HistoryKind,
)
from domain.complaint.operations import with_followers
from domain.complaint.store import OFFICERS_OF_DEPARTMENT, PUBLISHED_VERSION, SCENE_BY_CODE
from domain.identity.model import Principal
from domain.inspection.dispatch import dispatch_inspection
from domain.inspection.model import DispatchedParty, DispatchOrder, InspectionKind
from domain.officer.rules import require_certificate
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden, InvalidField, NotFound
from domain.shared.fields import require_text
from domain.shared.transaction import Outcome, Transaction

_SOURCE: Final = "线索核查"
"""As the enterprise reads it: the same for both kinds, since a word of its own would tell of a 举报."""
_LONGEST: Final = timedelta(days=366)
_NAME: Final = range(2, 101)
_BASIS: Final = range(2, 201)


async def start_inspection(
    tx: Transaction, principal: Principal, kind: GrievanceKind, order: CaseInspectionOrder
) -> Outcome[CaseInspectionStarted]:
    """发起检查任务: dispatched at once, linked to each; its completion answers them.

    Raises `NotFound`, `Forbidden`, `FollowsAnother`, `NotTheSameMatter`, `OfficersUnfit`, `CertificateInvalid` or
    `InvalidField`.
    """
    store = STORES[kind]
    _require_order(kind, order, local_date(tx.now))
    chosen = await _lock_chosen(tx, principal, store, order)
    first = chosen[0]
    await _require_fit(tx, order, first)
    dispatched = await dispatch_inspection(tx, _dispatch_order(order, first, principal, tx))
    changes = [
        Change(
            before=each,
            after=msgspec.structs.replace(
                course.begin_handling(kind, each, tx.now),
                inspection_id=dispatched.answer,
                handler_id=each.handler_id or principal.account_id,
            ),
            entry=HistoryKind.INSPECTION_STARTED,
            event=InspectionLinked,
        )
        for each in chosen
    ]
    linked = await save(tx, store, await with_followers(tx, store, changes), principal.account_id)
    return Outcome(
        answer=CaseInspectionStarted(inspection_id=dispatched.answer, linked=[each.id for each in chosen]),
        events=(*dispatched.events, *linked),
        numbers=dispatched.numbers,
    )


def _require_order(kind: GrievanceKind, order: CaseInspectionOrder, today: date) -> None:
    require_text(order.name, _NAME, "name", "任务名称应为2至100字。")
    require_text(order.basis, _BASIS, "basis", "检查依据应为2至200字。")
    for field, text in (("name", order.name), ("basis", order.basis)):
        # The enterprise reads both.
        if kind is GrievanceKind.TIP_OFF and kind.label in text:
            raise InvalidField("企业会看到此项内容，不得写明举报。", field=field)
    if order.starts_on < today:
        raise InvalidField("开始日期不能早于今天。", field="starts_on")
    if not order.starts_on <= order.due_on <= order.starts_on + _LONGEST:
        raise InvalidField("截止日期应不早于开始日期，且在一年以内。", field="due_on")
    if len(set(order.officer_ids)) != len(order.officer_ids):
        raise InvalidField("执法人员重复。", field="officer_ids")


async def _lock_chosen(
    tx: Transaction, principal: Principal, store: GrievanceStore, order: CaseInspectionOrder
) -> Sequence[Grievance]:
    """Those that are to be looked into: all of them the principal's to handle, open, leading, and about one site."""
    wanted = set(order.ids)
    found = await store.lock_many.all(tx.connection, ids=sorted(wanted))
    readable = [each for each in found if rules.may_read(principal, each)]
    if len(readable) != len(wanted):
        raise NotFound("没有该投诉或举报。", field="ids")
    if not all(rules.may_handle(principal, each) for each in readable):
        raise Forbidden("由牵头部门办理。")
    first = readable[0]
    for each in readable:
        course.require_leading(each)
        if each.site_id != first.site_id or each.department_id != first.department_id:
            raise rules.NotTheSameMatter("只能对同一场所发起一次检查。", field="ids", id=str(each.id))
        if not each.is_open or each.inspection_id is not None:
            raise rules.NotTheSameMatter(f"有件为“{each.state.label}”或已发起检查。", field="ids", id=str(each.id))
    return readable


async def _require_fit(tx: Transaction, order: CaseInspectionOrder, first: Grievance) -> None:
    officers = await OFFICERS_OF_DEPARTMENT.all(tx.connection, ids=order.officer_ids, department_id=first.department_id)
    if len(officers) != len(order.officer_ids):
        raise rules.OfficersUnfit("执法人员应为办理部门的人员。", field="officer_ids")
    for each in officers:
        require_certificate(each, order.starts_on, "officer_ids")
    if await SCENE_BY_CODE.first(tx.connection, code=order.scene_code) is None:
        raise InvalidField("没有该场景。", field="scene_code")
    version = order.checklist_version_id
    if version is not None and await PUBLISHED_VERSION.first(tx.connection, version_id=version) is None:
        raise InvalidField("检查单版本不存在或尚未发布。", field="checklist_version_id")


def _dispatch_order(
    order: CaseInspectionOrder, first: Grievance, principal: Principal, tx: Transaction
) -> DispatchOrder:
    """Approved by the lead who starts it."""
    return DispatchOrder(
        name=order.name.strip(),
        kind=InspectionKind.CASE,
        source=_SOURCE,
        basis=order.basis.strip(),
        scene_code=order.scene_code,
        site_id=first.site_id,
        region=first.region,
        parties=[
            DispatchedParty(
                department_id=first.department_id,
                department_code=first.department_code,
                officer_ids=order.officer_ids,
            )
        ],
        starts_on=order.starts_on,
        due_on=order.due_on,
        approved_at=tx.now,
        approved_by=principal.name,
        checklist_version_id=order.checklist_version_id,
    )
