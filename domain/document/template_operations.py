"""Templates of papers: drafted, edited, reviewed by another person, put to use (LAW-02 to LAW-05)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from uuid import UUID

import msgspec

from domain.document import template_rules, template_store
from domain.document.canonical import record_digest
from domain.document.events import TemplateChanged, TemplateFacts
from domain.document.model import DocumentKind
from domain.document.template_model import (
    DocumentTemplate,
    NewTemplate,
    StepOrder,
    TemplateAnswer,
    TemplateAuthor,
    TemplateState,
    TemplateStep,
    TemplateText,
)
from domain.document.templates import TemplateBody, check_template
from domain.shared.events import Operator
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def find_usable_template(
    connection: Connection, kind: DocumentKind, department_id: UUID, template_id: UUID | None = None
) -> DocumentTemplate:
    """The template of `kind` in use for a department: its own before the one for all, or the one asked for.

    Raises `NoUsableTemplate`.
    """
    found = await template_store.USABLE_TEMPLATE.first(
        connection, kind=kind, department_id=department_id, template_id=template_id
    )
    if found is None:
        raise template_rules.NoUsableTemplate(
            f"没有可用的{kind.label}模板，请部门管理员审核并启用。", field="template_id", kind=kind
        )
    return found


async def draft_template(tx: Transaction, author: TemplateAuthor, new: NewTemplate) -> Outcome[TemplateAnswer]:
    """新建文书模板: the next version of its kind, as a draft.

    Raises `TemplateBroken`; `Conflict` when another version is made at the same instant.
    """
    check_template(new.kind, new.body)
    latest = await template_store.LATEST_VERSION.one(tx.connection, kind=new.kind, department_id=author.department_id)
    template_id = tx.new_id()
    made = await _insert(tx, author, new, template_id, latest.version + 1)
    event = _changed(author.department_id, template_id, None, made)
    answer = TemplateAnswer(id=template_id, version=made.version, state=TemplateState.DRAFT)
    return Outcome(answer=answer, events=(event,))


async def _insert(
    tx: Transaction,
    author: TemplateAuthor,
    new: NewTemplate,
    template_id: UUID,
    version: int,
    state: TemplateState = TemplateState.DRAFT,
    reviewer: Operator | None = None,
) -> TemplateFacts:
    await template_store.INSERT_TEMPLATE.run(
        tx.connection,
        id=template_id,
        kind=new.kind,
        department_id=author.department_id,
        name=new.name,
        version=version,
        state=state,
        body=new.body,
        note=new.note,
        place=new.place,
        drafted_by=author.id,
        drafted_by_name=author.name,
        drafted_at=tx.now,
        reviewed_by=None if reviewer is None else reviewer.id,
        reviewed_by_name=None if reviewer is None else reviewer.name,
        reviewed_at=None if reviewer is None else tx.now,
        review_note=None,
        deleted_at=None,
    )
    return TemplateFacts(
        kind=new.kind, name=new.name, version=version, state=state, body_digest=record_digest(new.body).hex()
    )


async def edit_template(
    tx: Transaction, author: TemplateAuthor, template_id: UUID, text: TemplateText
) -> Outcome[TemplateAnswer]:
    """修改文书模板: a draft or a returned one; who edits becomes its author, so another person reviews it.

    Raises `NotFound`, `TemplateNotEditable` or `TemplateBroken`.
    """
    template = await _lock_own(tx, author, template_id)
    template_rules.require_editable(template)
    check_template(template.kind, text.body)
    await template_store.SAVE_TEXT.run(
        tx.connection,
        template_id=template_id,
        new_name=text.name,
        new_body=text.body,
        new_note=text.note,
        new_place=text.place,
        new_drafted_by=author.id,
        new_drafted_by_name=author.name,
        new_drafted_at=tx.now,
    )
    after = msgspec.structs.replace(template, name=text.name, body=text.body)
    event = _changed(template.department_id, template_id, _facts(template), _facts(after))
    return Outcome(answer=_answer(template, template.state), events=(event,))


async def take_template_step(
    tx: Transaction, author: TemplateAuthor, template_id: UUID, order: StepOrder
) -> Outcome[TemplateAnswer]:
    """送审, 审核通过, 退回, 启用, 停用 (LAW-04). Putting a version to use takes the former one out of it.

    Raises `NotFound`, `TemplateStepNotPossible`, `ReviewerIsAuthor` or `ReviewNoteRequired`.
    """
    template = await _lock_own(tx, author, template_id)
    state = template_rules.after_step(template, order.step, author.id, order.note)
    if order.step in template_rules.REVIEWS:
        await template_store.SAVE_REVIEW.run(
            tx.connection,
            template_id=template_id,
            state_after=state,
            reviewer=author.id,
            reviewer_name=author.name,
            now=tx.now,
            said=order.note,
        )
    else:
        if order.step is TemplateStep.PUBLISH:
            await template_store.DISABLE_OTHERS.run(
                tx.connection,
                of_kind=template.kind,
                of_department=template.department_id,
                template_id=template_id,
            )
        await template_store.SAVE_STATE.run(tx.connection, template_id=template_id, state_after=state)
    after = msgspec.structs.replace(_facts(template), state=state, note=order.note)
    event = _changed(template.department_id, template_id, _facts(template), after)
    return Outcome(answer=_answer(template, state), events=(event,))


async def delete_template(tx: Transaction, author: TemplateAuthor, template_id: UUID) -> Outcome[TemplateAnswer]:
    """删除文书模板 (LAW-05): a draft or a returned one. Raises `NotFound` or `TemplateNotEditable`."""
    template = await _lock_own(tx, author, template_id)
    template_rules.require_editable(template)
    await template_store.DELETE_TEMPLATE.run(tx.connection, template_id=template_id, now=tx.now)
    event = _changed(template.department_id, template_id, _facts(template), None)
    return Outcome(answer=_answer(template, None), events=(event,))


async def load_builtin_templates(
    tx: Transaction, drafted_by: Operator, reviewed_by: Operator | None
) -> Outcome[list[UUID]]:
    """内置文书模板 of each kind that has none for all yet: to be reviewed, or in use where a reviewer is named.

    A second time nothing is done: what people made of the templates stays.
    """
    author = TemplateAuthor(id=drafted_by.id, name=drafted_by.name, department_id=None)
    state = TemplateState.IN_REVIEW if reviewed_by is None else TemplateState.PUBLISHED
    made: list[UUID] = []
    events: list[TemplateChanged] = []
    for place, kind in enumerate(DocumentKind, start=1):
        latest = await template_store.LATEST_VERSION.one(tx.connection, kind=kind, department_id=None)
        if latest.version:
            continue
        new = NewTemplate(kind=kind, name=kind.label, body=builtin_body(kind), place=place, note="随系统提供，须经审核")
        template_id = tx.new_id()
        facts = await _insert(tx, author, new, template_id, 1, state, reviewed_by)
        made.append(template_id)
        events.append(_changed(None, template_id, None, facts))
    return Outcome(answer=made, events=tuple(events))


@cache
def builtin_body(kind: DocumentKind) -> TemplateBody:
    """The body that comes with Yima."""
    text = files("domain.document").joinpath("builtin", f"{kind}.json").read_bytes()
    return msgspec.json.decode(text, type=TemplateBody)


async def _lock_own(tx: Transaction, author: TemplateAuthor, template_id: UUID) -> DocumentTemplate:
    found = await template_store.LOCK_TEMPLATE.first(tx.connection, template_id=template_id)
    return template_rules.require_own(found, author.department_id)


def _facts(template: DocumentTemplate) -> TemplateFacts:
    return TemplateFacts(
        kind=template.kind,
        name=template.name,
        version=template.version,
        state=template.state,
        body_digest=record_digest(template.body).hex(),
    )


def _answer(template: DocumentTemplate, state: TemplateState | None) -> TemplateAnswer:
    return TemplateAnswer(id=template.id, version=template.version, state=state)


def _changed(
    department_id: UUID | None, template_id: UUID, before: TemplateFacts | None, after: TemplateFacts | None
) -> TemplateChanged:
    return TemplateChanged(subject_id=template_id, department_id=department_id, before=before, after=after)
