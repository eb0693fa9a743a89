"""交办任务 on the department's side: filled, confirmed, dispatched page by page (COG-02)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from domain.checklist.model import ChecklistItem
from domain.checklist.rules import may_read
from domain.checklist.store import CHECKLIST_BY_ID, ITEMS_OF_VERSION
from domain.identity.model import Principal
from domain.self_inspection.assigned import rules, store
from domain.self_inspection.assigned.events import (
    RowsFacts,
    TaskAssigned,
    TaskConfirmed,
    TaskCreated,
    TaskDispatchBegun,
    TaskDispatchStopped,
    TaskEdited,
    TaskEvent,
    TaskFacts,
    TaskReopened,
    TaskRowsChanged,
)
from domain.self_inspection.assigned.model import (
    ObjectsOrder,
    RowsAnswer,
    RowsOrder,
    RowsRemoval,
    Task,
    TaskAnswer,
    TaskFields,
    TaskRow,
    TaskState,
)
from domain.self_inspection.rules import digest_of
from domain.shared.bulk import arrays_of
from domain.shared.clock import local_date
from domain.shared.errors import InvalidField, NotFound
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction

PAGE = 1000
"""Objects that one transaction inserts."""


async def create_task(tx: Transaction, principal: Principal, fields: TaskFields) -> Outcome[TaskAnswer]:
    """新建任务组 of the caller's department, for its region. Raises `Forbidden` or `InvalidField`."""
    department_id, region = rules.maker_of(principal)
    kept = rules.require_fields(fields, local_date(tx.now))
    task = Task(
        **msgspec.structs.asdict(kept),
        id=tx.new_id(),
        department_id=department_id,
        region=region,
        created_by=principal.account_id,
        created_at=tx.now,
    )
    await store.INSERT_TASK.run(tx.connection, **msgspec.structs.asdict(task))
    return Outcome(
        answer=_answer(task),
        events=(_event(TaskCreated, None, task),),
        location=f"/api/v1/assigned-tasks/{task.id}",
    )


async def edit_task(
    tx: Transaction, principal: Principal, task_id: UUID, fields: TaskFields, expected: int
) -> Outcome[TaskAnswer]:
    """修改任务组 while it is a draft. Raises `NotFound`, `Forbidden`, `TaskNotDraft`, `TaskChanged`, `InvalidField`."""
    before = rules.require_version(rules.require_draft(await _lock(tx, principal, task_id)), expected)
    kept = rules.require_fields(fields, local_date(tx.now))
    after = msgspec.structs.replace(before, **msgspec.structs.asdict(kept), version=before.version + 1)
    return await _save(tx, TaskEdited, before, after)


async def choose_objects(
    tx: Transaction, principal: Principal, task_id: UUID, order: ObjectsOrder, expected: int
) -> Outcome[TaskAnswer]:
    """选择巡查对象 while it is a draft; the answer tells how many there are.

    Raises `NotFound`, `Forbidden`, `TaskNotDraft`, `TaskChanged`, `TaskObjectsUnknown` or `InvalidField`.
    """
    before = rules.require_version(rules.require_draft(await _lock(tx, principal, task_id)), expected)
    after = rules.chosen(before, order)
    count = store.COUNT_BY_FILTER if after.site_ids is None else store.COUNT_BY_ID
    counted = await count.one(tx.connection, **_choice(after))
    return await _save(tx, TaskEdited, before, rules.require_found(after, counted.found))


async def add_rows(tx: Transaction, principal: Principal, task_id: UUID, order: RowsOrder) -> Outcome[RowsAnswer]:
    """添加任务清单, by hand and out of a checklist, while it is a draft.

    Raises `NotFound`, `Forbidden`, `TaskNotDraft` or `InvalidField`.
    """
    task = rules.require_draft(await _lock(tx, principal, task_id))
    rows = await store.ROWS_OF_TASK.all(tx.connection, task_id=task_id)
    last = max((row.place for row in rows), default=0)
    written: list[dict[str, Any]] = [msgspec.structs.asdict(row) | {"item_id": None} for row in order.rows]
    written += [_of_item(item) for item in await _items(tx, principal, order)]
    if not written:
        raise InvalidField("请填写任务清单，或选择检查单及其检查项。", field="rows")
    if len(rows) + len(written) > rules.MOST_ROWS:
        raise InvalidField(f"任务清单不超过{rules.MOST_ROWS}行。", field="rows", most=rules.MOST_ROWS)
    new = [TaskRow(**row, id=tx.new_id(), place=last + place) for place, row in enumerate(written, start=1)]
    await store.INSERT_ROW.run_many(tx.connection, [msgspec.structs.asdict(row) | {"task_id": task_id} for row in new])
    return await _rows_changed(tx, task, [*rows, *new], added=len(new), removed=0)


async def remove_rows(tx: Transaction, principal: Principal, task_id: UUID, order: RowsRemoval) -> Outcome[RowsAnswer]:
    """批量删除任务清单 while it is a draft: all that are named, or none.

    Raises `NotFound`, `Forbidden` or `TaskNotDraft`.
    """
    task = rules.require_draft(await _lock(tx, principal, task_id))
    rows = await store.ROWS_OF_TASK.all(tx.connection, task_id=task_id)
    named = set(order.row_ids)
    if named - {row.id for row in rows}:
        raise NotFound("任务清单内没有所选的行。", field="row_ids")
    await store.DELETE_ROWS.run(tx.connection, of_task=task_id, row_ids=sorted(named))
    return await _rows_changed(tx, task, [row for row in rows if row.id not in named], added=0, removed=len(named))


async def confirm_task(tx: Transaction, principal: Principal, task_id: UUID) -> Outcome[TaskAnswer]:
    """确认任务组. Raises `NotFound`, `Forbidden`, `TaskNotDraft` or `TaskEmpty`."""
    before = await _lock(tx, principal, task_id)
    rows = await store.ROWS_OF_TASK.all(tx.connection, task_id=task_id)
    return await _save(tx, TaskConfirmed, before, rules.confirm(before, len(rows)))


async def reopen_task(tx: Transaction, principal: Principal, task_id: UUID) -> Outcome[TaskAnswer]:
    """退回草稿. Raises `NotFound`, `Forbidden` or `TaskStepNotPossible`."""
    before = await _lock(tx, principal, task_id)
    return await _save(tx, TaskReopened, before, rules.reopen(before))


async def dispatch_task(tx: Transaction, principal: Principal, task_id: UUID) -> Outcome[TaskAnswer]:
    """下派: from here on the worker sends it out. The first time it gets its number.

    Raises `NotFound`, `Forbidden`, `TaskStepNotPossible` or `InvalidField`.
    """
    before = await _lock(tx, principal, task_id)
    saved = await _save(tx, TaskDispatchBegun, before, rules.dispatch(before, tx.now))
    if before.dispatched_at is not None:
        return saved
    number = NumberRequest(department_code=before.department_code, kind=NumberKind.PATROL, subject_id=task_id)
    return msgspec.structs.replace(saved, numbers=(number,))


async def stop_dispatch(tx: Transaction, principal: Principal, task_id: UUID) -> Outcome[TaskAnswer]:
    """暂停下派. Raises `NotFound`, `Forbidden` or `TaskStepNotPossible`."""
    before = await _lock(tx, principal, task_id)
    return await _save(tx, TaskDispatchStopped, before, rules.stop(before))


async def assign_page(tx: Transaction, task_id: UUID, page: int = PAGE) -> Outcome[bool]:
    """One page of objects gets the task; answers whether there are more.

    The task's row says how far it has come and moves on with the objects, in one transaction: two workers take turns,
    a dead one is taken over, and one that finds the task stopped leaves it.
    """
    task = await store.LOCK_TASK.first(tx.connection, task_id=task_id)
    if task is None or task.state is not TaskState.DISPATCHING:
        return Outcome(answer=False)
    query = store.PAGE_BY_FILTER if task.site_ids is None else store.PAGE_BY_ID
    found = await query.all(tx.connection, **_choice(task), after_site_id=task.after_site_id, limit=page)
    rows = [msgspec.structs.asdict(site) | {"id": tx.new_id()} for site in found]
    new = await store.INSERT_OBJECTS.all(tx.connection, task_id=task_id, **arrays_of(rows, store.NEW_OBJECT))
    last = found[-1].site_id if found else task.after_site_id
    after = rules.assigned(task, len(found), len(new), last, page, tx.now)
    await store.UPDATE_TASK.run(tx.connection, **_changes(after))
    summary = await store.TASK_SUMMARY.one(tx.connection, task_id=task_id)
    enterprises = sorted({each.enterprise_id for each in new})
    event = _event(TaskAssigned, task, after, enterprises=enterprises, department_name=summary.department)
    return Outcome(answer=after.state is TaskState.DISPATCHING, events=(event,))


async def _items(tx: Transaction, principal: Principal, order: RowsOrder) -> list[ChecklistItem]:
    """The rows of the checklist's published version that the order names, in their order."""
    if order.checklist_id is None:
        if order.item_codes:
            raise InvalidField("请选择检查单。", field="checklist_id")
        return []
    card = await CHECKLIST_BY_ID.first(tx.connection, checklist_id=order.checklist_id)
    is_readable = card is not None and may_read(card, principal.department_id, principal.region)
    if card is None or not is_readable or card.current_version_id is None:
        raise NotFound("没有该检查单，或尚未发布。", field="checklist_id")
    items = await ITEMS_OF_VERSION.all(tx.connection, version_id=card.current_version_id)
    unknown = set(order.item_codes) - {item.code for item in items}
    if unknown:
        raise NotFound("检查单内没有所选的检查项。", field="item_codes", codes=sorted(unknown))
    return [item for item in items if item.code in set(order.item_codes)]


def _of_item(item: ChecklistItem) -> dict[str, Any]:
    return {"content": item.content, "requirement": item.method, "needs_photo": False, "item_id": item.id}


async def _rows_changed(
    tx: Transaction, task: Task, rows: list[TaskRow], *, added: int, removed: int
) -> Outcome[RowsAnswer]:
    after = msgspec.structs.replace(task, version=task.version + 1)
    await store.UPDATE_TASK.run(tx.connection, **_changes(after))
    event = TaskRowsChanged(
        subject_id=task.id,
        department_id=task.department_id,
        region=task.region,
        after=RowsFacts(added=added, removed=removed, digest=digest_of(rows)),
    )
    answer = RowsAnswer(id=task.id, version=after.version, rows=rows)
    return Outcome(answer=answer, events=(event,), location=f"/api/v1/assigned-tasks/{task.id}")


async def _lock(tx: Transaction, principal: Principal, task_id: UUID) -> Task:
    """The task, of the caller's own department: who may only see it, is told so."""
    department_id, _ = rules.maker_of(principal)
    found = await store.LOCK_TASK.first(tx.connection, task_id=task_id)
    if found is None or found.department_id != department_id:
        raise NotFound("没有该任务，或不是本部门的任务。")
    return found


async def _save(tx: Transaction, kind: Callable[..., TaskEvent], before: Task, after: Task) -> Outcome[TaskAnswer]:
    await store.UPDATE_TASK.run(tx.connection, **_changes(after))
    return Outcome(answer=_answer(after), events=(_event(kind, before, after),))


def _choice(task: Task) -> dict[str, Any]:
    names = ("region", "regions", "business_types", "risk_levels", "credit_grades", "site_ids")
    return {name: getattr(task, name) for name in names}


def _changes(task: Task) -> dict[str, object]:
    return {**msgspec.structs.asdict(task), "of_task": task.id}


def _answer(task: Task) -> TaskAnswer:
    return TaskAnswer(**{name: getattr(task, name) for name in TaskAnswer.__struct_fields__})


def _event(kind: Callable[..., TaskEvent], before: Task | None, after: Task, **more: Any) -> TaskEvent:
    return kind(
        subject_id=after.id,
        department_id=after.department_id,
        region=after.region,
        before=None if before is None else _facts(before),
        after=_facts(after),
        **more,
    )


def _facts(task: Task) -> TaskFacts:
    return TaskFacts(**{name: getattr(task, name) for name in TaskFacts.__struct_fields__})
