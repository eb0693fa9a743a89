"""Rules of a template's life: who may take which step, and when (LAW-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from domain.document.template_model import DocumentTemplate, TemplateState, TemplateStep
from domain.shared.errors import DomainError, NotFound


class TemplateNotEditable(DomainError):
    """Only drafts and returned templates are edited or deleted; what was reviewed stays as it was."""


class TemplateStepNotPossible(DomainError):
    """The template is not in the state that the step begins with."""


class ReviewerIsAuthor(DomainError):
    """Nobody reviews what they wrote themselves."""


class ReviewNoteRequired(DomainError):
    """A template is returned with a note that says what to correct."""


class NoUsableTemplate(DomainError):
    """No template of that kind is in use for the department."""


_EDITABLE: Final = frozenset({TemplateState.DRAFT, TemplateState.RETURNED})
_STEPS: Final[Mapping[TemplateStep, tuple[frozenset[TemplateState], TemplateState]]] = {
    TemplateStep.SUBMIT: (_EDITABLE, TemplateState.IN_REVIEW),
    TemplateStep.APPROVE: (frozenset({TemplateState.IN_REVIEW}), TemplateState.DISABLED),
    TemplateStep.RETURN: (frozenset({TemplateState.IN_REVIEW}), TemplateState.RETURNED),
    TemplateStep.PUBLISH: (frozenset({TemplateState.DISABLED}), TemplateState.PUBLISHED),
    TemplateStep.DISABLE: (frozenset({TemplateState.PUBLISHED}), TemplateState.DISABLED),
}
REVIEWS: Final = frozenset({TemplateStep.APPROVE, TemplateStep.RETURN})


def require_own(template: DocumentTemplate | None, department_id: UUID | None) -> DocumentTemplate:
    """The template, if it is of the author's department. Raises `NotFound`."""
    if template is None or template.department_id != department_id:
        raise NotFound("没有该文书模板。")
    return template


def require_readable(
    template: DocumentTemplate | None, department_id: UUID | None, *, in_use_only: bool
) -> DocumentTemplate:
    """The template, if it is of the reader's department or for all. Raises `NotFound`."""
    if template is None or template.department_id not in {None, department_id}:
        raise NotFound("没有该文书模板。")
    if in_use_only and template.state is not TemplateState.PUBLISHED:
        raise NotFound("没有该文书模板。")
    return template


def require_editable(template: DocumentTemplate) -> None:
    """Raises `TemplateNotEditable`."""
    if template.state not in _EDITABLE:
        raise TemplateNotEditable("只能修改或删除草稿和退回的模板；如需修改，请新建版本。", state=template.state)


def after_step(template: DocumentTemplate, step: TemplateStep, by: UUID, note: str | None) -> TemplateState:
    """The state that `step` leads to. Raises `TemplateStepNotPossible`, `ReviewerIsAuthor`, `ReviewNoteRequired`."""
    begins, ends = _STEPS[step]
    if template.state not in begins:
        raise TemplateStepNotPossible("模板当前状态不能进行该操作。", field="step", state=template.state)
    if step in REVIEWS and template.drafted_by == by:
        raise ReviewerIsAuthor("不能审核本人起草的模板。")
    if step is TemplateStep.RETURN and not (note or "").strip():
        raise ReviewNoteRequired("请写明需要修改的内容。", field="note")
    return ends
