"""A checklist's life: new, edited, drafted, published, enabled and disabled, deleted. Each act is in its change log."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.checklist import rules, store
from domain.checklist.events import (
    BasicFacts,
    ChecklistContentReplaced,
    ChecklistCreated,
    ChecklistDeleted,
    ChecklistDraftBegun,
    ChecklistEdited,
    ChecklistPublished,
    ChecklistStateChanged,
    ContentFacts,
    StateFacts,
)
from domain.checklist.model import (
    BasicFields,
    ChangeKind,
    ChecklistAnswer,
    ChecklistCard,
    ChecklistState,
    Editor,
    ItemContent,
    NewChecklist,
    VersionAnswer,
)
from domain.shared.errors import InvalidField
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def create_checklist(tx: Transaction, editor: Editor, order: NewChecklist) -> Outcome[ChecklistAnswer]:
    """新建检查单 of the editor's department, with a first draft: empty, or a copy of another's current rows (CHK-08).

    Raises `ChecklistCodeTaken`, `InvalidField`, or `NotFound` and `ChecklistNotPublished` for what is to be copied.
    """
    fields = await _settled_basics(tx.connection, order, editor.department_id)
    items = await _items_to_copy(tx, editor, order.copy_of)
    checklist_id, version_id = tx.new_id(), tx.new_id()
    inserted = await store.INSERT_CHECKLIST.run(
        tx.connection,
        **_columns(fields),
        id=checklist_id,
        code=order.code,
        lead_department_id=editor.department_id,
        state=ChecklistState.DRAFT,
        current_version_id=None,
        created_at=tx.now,
        updated_at=tx.now,
        deleted_at=None,
    )
    if not inserted:
        raise rules.ChecklistCodeTaken("检查单编码已被使用。", field="code")
    await store.INSERT_VERSION.run(tx.connection, id=version_id, checklist_id=checklist_id, number=1, created_at=tx.now)
    await _insert_items(tx, version_id, items)
    await _log(tx, checklist_id, editor, ChangeKind.CREATED)
    card = await store.CHECKLIST_BY_ID.one(tx.connection, checklist_id=checklist_id)
    event = ChecklistCreated(
        subject_id=checklist_id, department_id=editor.department_id, region=card.region, after=_facts(card)
    )
    return Outcome(answer=_answer(card), events=(event,), location=_location(checklist_id))


async def edit_checklist(
    tx: Transaction, editor: Editor, checklist_id: UUID, fields: BasicFields
) -> Outcome[ChecklistAnswer]:
    """修改基本信息 (CHK-05). Raises `NotFound`, `Forbidden` or `InvalidField`."""
    before = await _lock(tx, editor, checklist_id)
    settled = await _settled_basics(tx.connection, fields, before.lead_department_id)
    await store.SAVE_BASICS.run(tx.connection, of_checklist=checklist_id, **_columns(settled), updated_at=tx.now)
    await _log(tx, checklist_id, editor, ChangeKind.EDITED)
    card = await store.CHECKLIST_BY_ID.one(tx.connection, checklist_id=checklist_id)
    event = ChecklistEdited(
        subject_id=checklist_id,
        department_id=card.lead_department_id,
        region=card.region,
        before=_facts(before),
        after=_facts(card),
    )
    return Outcome(answer=_answer(card), events=(event,), location=_location(checklist_id))


async def begin_draft(tx: Transaction, editor: Editor, checklist_id: UUID) -> Outcome[VersionAnswer]:
    """新建版本: a draft with the rows of the current version.

    Raises `NotFound`, `Forbidden` or `ChecklistDraftExists`.
    """
    card = await _lock(tx, editor, checklist_id)
    latest = await store.LATEST_VERSION.one(tx.connection, checklist_id=checklist_id)
    rules.require_no_draft(latest)
    items = await store.ITEMS_OF_VERSION.all(tx.connection, version_id=latest.id)
    version_id, number = tx.new_id(), latest.number + 1
    await store.INSERT_VERSION.run(
        tx.connection, id=version_id, checklist_id=checklist_id, number=number, created_at=tx.now
    )
    await _insert_items(tx, version_id, items)
    await _log(tx, checklist_id, editor, ChangeKind.DRAFT_BEGUN, f"第{number}版")
    facts = _content(version_id, number, items)
    event = ChecklistDraftBegun(
        subject_id=checklist_id, department_id=card.lead_department_id, region=card.region, after=facts
    )
    answer = _version_answer(checklist_id, facts)
    return Outcome(answer=answer, events=(event,), location=_location(checklist_id))


async def replace_items(
    tx: Transaction,
    editor: Editor,
    checklist_id: UUID,
    items: Sequence[ItemContent],
    file_digest: str | None = None,
) -> Outcome[VersionAnswer]:
    """The draft's rows, whole and in order; `file_digest` (SHA-256, hexadecimal) where they come from a file.

    Raises `NotFound`, `Forbidden`, `NoChecklistDraft` or `InvalidField`.
    """
    card = await _lock(tx, editor, checklist_id)
    draft = rules.require_draft(await store.LATEST_VERSION.first(tx.connection, checklist_id=checklist_id))
    settled = rules.settle_items(items)
    await _require_departments_of(tx.connection, settled)
    former = await store.ITEMS_OF_VERSION.all(tx.connection, version_id=draft.id)
    await store.DELETE_DRAFT_ITEMS.run(tx.connection, version_id=draft.id)
    await _insert_items(tx, draft.id, settled)
    await store.TOUCH.run(tx.connection, of_checklist=checklist_id, now=tx.now)
    kind = ChangeKind.ITEMS_REPLACED if file_digest is None else ChangeKind.ITEMS_IMPORTED
    await _log(tx, checklist_id, editor, kind, f"第{draft.number}版，共{len(settled)}项")
    after = _content(draft.id, draft.number, settled, file_digest)
    event = ChecklistContentReplaced(
        subject_id=checklist_id,
        department_id=card.lead_department_id,
        region=card.region,
        before=_content(draft.id, draft.number, former),
        after=after,
    )
    answer = _version_answer(checklist_id, after)
    return Outcome(answer=answer, events=(event,), location=_location(checklist_id))


async def publish_checklist(tx: Transaction, editor: Editor, checklist_id: UUID) -> Outcome[VersionAnswer]:
    """发布: the draft is frozen under its digest, and is the current version; what runs keeps its own (D11).

    Raises `NotFound`, `Forbidden`, `NoChecklistDraft` or `ChecklistEmpty`.
    """
    card = await _lock(tx, editor, checklist_id)
    draft = rules.require_draft(await store.LATEST_VERSION.first(tx.connection, checklist_id=checklist_id))
    items = await store.ITEMS_OF_VERSION.all(tx.connection, version_id=draft.id)
    if not items:
        raise rules.ChecklistEmpty("检查单没有检查项，不能发布。")
    digest = rules.digest_of(items)
    await store.FREEZE_VERSION.run(tx.connection, version_id=draft.id, digest=digest, now=tx.now, operator=editor.name)
    await store.SAVE_CURRENT_VERSION.run(tx.connection, of_checklist=checklist_id, version_id=draft.id, now=tx.now)
    await _log(tx, checklist_id, editor, ChangeKind.PUBLISHED, f"第{draft.number}版，共{len(items)}项")
    facts = _content(draft.id, draft.number, items)
    event = ChecklistPublished(
        subject_id=checklist_id, department_id=card.lead_department_id, region=card.region, after=facts
    )
    answer = msgspec.structs.replace(_version_answer(checklist_id, facts), published_at=tx.now)
    return Outcome(answer=answer, events=(event,), location=_location(checklist_id))


async def set_state(
    tx: Transaction, editor: Editor, checklist_id: UUID, state: ChecklistState
) -> Outcome[ChecklistAnswer]:
    """启用 or 停用.

    Raises `NotFound`, `Forbidden`, `ChecklistNotPublished`, `ChecklistStateUnchanged` or `InvalidField`.
    """
    card = await _lock(tx, editor, checklist_id)
    rules.require_state_change(card, state)
    await store.SAVE_STATE.run(tx.connection, of_checklist=checklist_id, state=state, now=tx.now)
    kind = ChangeKind.ENABLED if state is ChecklistState.ENABLED else ChangeKind.DISABLED
    await _log(tx, checklist_id, editor, kind)
    event = ChecklistStateChanged(
        subject_id=checklist_id,
        department_id=card.lead_department_id,
        region=card.region,
        before=StateFacts(state=card.state),
        after=StateFacts(state=state),
    )
    answer = msgspec.structs.replace(_answer(card), state=state, updated_at=tx.now)
    return Outcome(answer=answer, events=(event,), location=_location(checklist_id))


async def delete_checklist(tx: Transaction, editor: Editor, checklist_id: UUID) -> Outcome[ChecklistAnswer]:
    """删除 by a mark (CHK-04): versions stay for what was inspected by them, and the code is not given again.

    Raises `NotFound`, `Forbidden` or `ChecklistStillEnabled`.
    """
    card = await _lock(tx, editor, checklist_id)
    rules.require_deletable(card)
    await store.MARK_DELETED.run(tx.connection, of_checklist=checklist_id, now=tx.now)
    await _log(tx, checklist_id, editor, ChangeKind.DELETED)
    event = ChecklistDeleted(
        subject_id=checklist_id,
        department_id=card.lead_department_id,
        region=card.region,
        before=StateFacts(state=card.state),
        after=StateFacts(state=card.state, is_deleted=True),
    )
    answer = msgspec.structs.replace(_answer(card), updated_at=tx.now)
    return Outcome(answer=answer, events=(event,))


# ---- parts of the acts


async def _lock(tx: Transaction, editor: Editor, checklist_id: UUID) -> ChecklistCard:
    return rules.require_editor(await store.LOCK_CHECKLIST.first(tx.connection, checklist_id=checklist_id), editor)


async def _settled_basics(connection: Connection, fields: BasicFields, lead_department_id: UUID) -> BasicFields:
    settled = rules.settle_basics(fields, lead_department_id)
    known = await store.DEPARTMENTS_AMONG.all(connection, ids=settled.participants) if settled.participants else []
    if len(known) != len(settled.participants):
        raise InvalidField("没有这个参与部门。", field="participants")
    return settled


async def _require_departments_of(connection: Connection, items: Sequence[ItemContent]) -> None:
    wanted = {item.department_code for item in items if item.department_code is not None}
    if not wanted:
        return
    known = {found.code for found in await store.DEPARTMENT_CODES_AMONG.all(connection, codes=sorted(wanted))}
    for place, item in enumerate(items):
        if item.department_code is not None and item.department_code not in known:
            raise InvalidField("没有这个责任部门。", field=f"items[{place}].department_code")


async def _items_to_copy(tx: Transaction, editor: Editor, copy_of: UUID | None) -> Sequence[ItemContent]:
    if copy_of is None:
        return []
    found = await store.CHECKLIST_BY_ID.first(tx.connection, checklist_id=copy_of)
    card = rules.require_readable(found, editor.department_id, editor.region)
    if card.current_version_id is None:
        raise rules.ChecklistNotPublished("该检查单尚未发布，不能复用。", field="copy_of")
    return await store.ITEMS_OF_VERSION.all(tx.connection, version_id=card.current_version_id)


async def _insert_items(tx: Transaction, version_id: UUID, items: Sequence[ItemContent]) -> None:
    await store.INSERT_ITEM.run_many(
        tx.connection,
        [
            {
                **{name: getattr(item, name) for name in ItemContent.__struct_fields__},
                "id": tx.new_id(),
                "version_id": version_id,
                "place": place,
            }
            for place, item in enumerate(items, start=1)
        ],
    )


async def _log(tx: Transaction, checklist_id: UUID, editor: Editor, kind: ChangeKind, note: str | None = None) -> None:
    """变更记录 (CHK-07)."""
    await store.INSERT_CHANGE.run(
        tx.connection,
        id=tx.new_id(),
        checklist_id=checklist_id,
        action=kind,
        department_id=editor.department_id,
        operator_name=editor.name,
        note=note,
        at=tx.now,
    )


def _columns(fields: BasicFields) -> dict[str, object]:
    return {name: getattr(fields, name) for name in BasicFields.__struct_fields__}


def _facts(card: ChecklistCard) -> BasicFacts:
    return BasicFacts(**{name: getattr(card, name) for name in BasicFacts.__struct_fields__})


def _content(
    version_id: UUID, number: int, items: Sequence[ItemContent], file_digest: str | None = None
) -> ContentFacts:
    digest = rules.digest_of(items).hex()
    return ContentFacts(
        version_id=version_id, number=number, item_count=len(items), digest=digest, file_digest=file_digest
    )


def _answer(card: ChecklistCard) -> ChecklistAnswer:
    return ChecklistAnswer(id=card.id, code=card.code, state=card.state, updated_at=card.updated_at)


def _version_answer(checklist_id: UUID, facts: ContentFacts) -> VersionAnswer:
    return VersionAnswer(
        checklist_id=checklist_id,
        version_id=facts.version_id,
        number=facts.number,
        item_count=facts.item_count,
        digest=facts.digest,
    )


def _location(checklist_id: UUID) -> str:
    return f"/api/v1/checklists/{checklist_id}"
