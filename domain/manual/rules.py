"""Rules of manuals: who sees and changes them, what an element must be, when a version is frozen (MAN-01 to MAN-06)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import rfc8785

from domain.identity.model import Principal
from domain.manual.model import (
    MOST_ELEMENTS,
    Author,
    Chapter,
    Element,
    ElementKind,
    ManualCard,
    ManualFields,
    ManualSection,
    ManualState,
    ManualVersion,
    Requirement,
    requirements_of,
)
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound
from domain.shared.fields import tidied
from domain.shared.law import settle_basis

NOT_FOUND: Final = "没有该经营手册。"
_SHOWN_CODES: Final = 20


class ManualExists(DomainError):
    """The department has a manual of that 业态 already (一业一册): a new version of it is what is wanted."""


class ManualDraftExists(DomainError):
    """There is a draft already: edit or publish it."""


class NoManualDraft(DomainError):
    """There is no draft to edit or publish; a published version never changes."""


class ManualEmpty(DomainError):
    """A version without requirements is not published."""


class RiskHintMissing(DomainError):
    """A requirement without its 风险提示 is not published: they go together one to one (MAN-01)."""


class ManualNotInForce(DomainError):
    """The manual is not published, so there is nothing to disable."""


# ---- who


def may_read(card: ManualCard, department_id: object, region: str | None) -> bool:
    """A draft is seen by the department that makes it; what was published once also from above and below (D8)."""
    if department_id is not None and department_id == card.department_id:
        return True
    return card.state is not ManualState.DRAFT and (_below(card.region, region) or _below(region, card.region))


def is_maker(card: ManualCard, department_id: object) -> bool:
    """Whether the department makes the manual: then it sees its drafts, too."""
    return department_id is not None and department_id == card.department_id


def _below(region: str | None, top: str | None) -> bool:
    return region is not None and top is not None and (region == top or region.startswith(f"{top}."))


def author_of(principal: Principal) -> Author:
    """The principal as one who changes manuals. Raises `Forbidden` without a department."""
    if principal.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    return Author(name=principal.name, department_id=principal.department_id, region=principal.region)


def require_readable(card: ManualCard | None, department_id: object, region: str | None) -> ManualCard:
    """The manual. Raises `NotFound` where it is not there, or not for them."""
    if card is None or not may_read(card, department_id, region):
        raise NotFound(NOT_FOUND, field="manual_id")
    return card


def require_author(card: ManualCard | None, author: Author) -> ManualCard:
    """The manual, for its department. Raises `NotFound`, or `Forbidden` for those who only read it."""
    found = require_readable(card, author.department_id, author.region)
    if not is_maker(found, author.department_id):
        raise Forbidden("只有制定部门可以修改经营手册。")
    return found


# ---- states


def require_draft(version: ManualVersion | None) -> ManualVersion:
    """Raises `NoManualDraft` when everything is published."""
    if version is None or version.published_at is not None:
        raise NoManualDraft("没有草稿版本；已发布的版本不可修改，请先新建版本。")
    return version


def require_no_draft(version: ManualVersion) -> None:
    """Raises `ManualDraftExists`."""
    if version.published_at is None:
        raise ManualDraftExists("已有草稿版本，请先发布或继续修改。", number=version.number)


def is_reinstated(card: ManualCard, latest: ManualVersion) -> bool:
    """Whether 发布 puts a disabled manual into force again as it was, since no draft is waiting."""
    return card.state is ManualState.DISABLED and latest.published_at is not None


def require_in_force(card: ManualCard) -> None:
    """Raises `ManualNotInForce`."""
    if card.state is not ManualState.PUBLISHED:
        raise ManualNotInForce("经营手册未在发布状态，无需停用。", state=card.state.value)


def require_publishable(chapters: Sequence[Chapter]) -> None:
    """Raises `ManualEmpty`, or `RiskHintMissing` naming the requirements at fault."""
    requirements = list(requirements_of(chapters))
    if not requirements:
        raise ManualEmpty("经营手册没有条款，不能发布。")
    bare = [each.code for each in requirements if each.hint is None]
    if bare:
        raise RiskHintMissing(
            f"有{len(bare)}个条款没有风险提示，不能发布。", count=len(bare), codes=bare[:_SHOWN_CODES]
        )


# ---- content


def digest_of(chapters: Sequence[Chapter]) -> bytes:
    """SHA-256 over the RFC 8785 JSON of the chapters: equal content has one digest wherever it is stored."""
    return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(list(chapters)))).digest()


def flatten(chapters: Sequence[Chapter]) -> list[Element]:
    """The tree as rows in reading order: a chapter, its requirements, then each section with its own."""
    rows: list[Element] = []
    for chapter in chapters:
        rows.append(Element(kind=ElementKind.CHAPTER, code=chapter.code, text=chapter.title))
        rows += map(_row, chapter.requirements)
        for section in chapter.sections:
            rows.append(Element(kind=ElementKind.SECTION, code=section.code, text=section.title))
            rows += map(_row, section.requirements)
    return rows


def _row(requirement: Requirement) -> Element:
    return Element(kind=ElementKind.REQUIREMENT, **msgspec.structs.asdict(requirement))


def unflatten(rows: Sequence[Element]) -> list[Chapter]:
    """The tree that `flatten` made rows of."""
    chapters: list[Chapter] = []
    for row in rows:
        match row.kind:
            case ElementKind.CHAPTER:
                chapters.append(Chapter(code=row.code, title=row.text, requirements=[], sections=[]))
            case ElementKind.SECTION:
                chapters[-1].sections.append(ManualSection(code=row.code, title=row.text, requirements=[]))
            case ElementKind.REQUIREMENT:
                under = chapters[-1].sections[-1] if chapters[-1].sections else chapters[-1]
                under.requirements.append(
                    Requirement(**{name: getattr(row, name) for name in Requirement.__struct_fields__})
                )
    return chapters


def settle_chapters(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The tree as it is kept: texts tidied, every code once. Raises `InvalidField` naming the place at fault."""
    seen: set[str] = set()
    settled = [_chapter(chapter, f"chapters[{place}]", seen) for place, chapter in enumerate(chapters)]
    if len(seen) > MOST_ELEMENTS:
        raise InvalidField(f"一册最多{MOST_ELEMENTS}个章、节和条款。", field="chapters")
    return settled


def _chapter(chapter: Chapter, where: str, seen: set[str]) -> Chapter:
    return Chapter(
        code=_code(chapter.code, where, seen),
        title=tidied(chapter.title, f"{where}.title", needed=True),
        requirements=_requirements(chapter.requirements, where, seen),
        sections=[
            _section(section, f"{where}.sections[{place}]", seen) for place, section in enumerate(chapter.sections)
        ],
    )


def _section(section: ManualSection, where: str, seen: set[str]) -> ManualSection:
    return ManualSection(
        code=_code(section.code, where, seen),
        title=tidied(section.title, f"{where}.title", needed=True),
        requirements=_requirements(section.requirements, where, seen),
    )


def _requirements(requirements: Sequence[Requirement], above: str, seen: set[str]) -> list[Requirement]:
    return [_requirement(each, f"{above}.requirements[{place}]", seen) for place, each in enumerate(requirements)]


def _requirement(requirement: Requirement, where: str, seen: set[str]) -> Requirement:
    return Requirement(
        code=_code(requirement.code, where, seen),
        text=tidied(requirement.text, f"{where}.text", needed=True),
        hint=tidied(requirement.hint, f"{where}.hint"),
        legal_basis=[
            settle_basis(each, f"{where}.legal_basis[{place}]") for place, each in enumerate(requirement.legal_basis)
        ],
        item_codes=[
            tidied(code, f"{where}.item_codes[{place}]", needed=True)
            for place, code in enumerate(dict.fromkeys(requirement.item_codes))
        ],
    )


def _code(said: str, where: str, seen: set[str]) -> str:
    code = tidied(said, f"{where}.code", needed=True)
    if code in seen:
        raise InvalidField("编号重复。", field=f"{where}.code")
    seen.add(code)
    return code


def settle_fields(fields: ManualFields) -> ManualFields:
    """The basic fields as they are kept. Raises `InvalidField`."""
    return ManualFields(
        name=tidied(fields.name, "name", needed=True),
        object_scope=tidied(fields.object_scope, "object_scope"),
        place=fields.place,
    )
