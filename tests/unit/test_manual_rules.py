"""Rules of manuals, and how two versions differ."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.manual.comparing import compare_texts, compare_versions
from domain.manual.model import (
    Chapter,
    Element,
    ElementKind,
    ManualCard,
    ManualSection,
    ManualState,
    PartKind,
    Requirement,
    TextPart,
)
from domain.manual.rules import (
    ManualEmpty,
    ManualNotInForce,
    RiskHintMissing,
    digest_of,
    flatten,
    may_read,
    require_in_force,
    require_publishable,
    settle_chapters,
    unflatten,
)
from domain.shared.errors import InvalidField
from domain.shared.law import LegalBasis

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
HOME = UUID(int=1)
CITY = "450000.450100"


def requirement(code: str, text: str = "进货时查验票证。", hint: str | None = "可能被罚款。") -> Requirement:
    """条款."""
    return Requirement(code=code, text=text, hint=hint, legal_basis=[LegalBasis(law="食品安全法")], item_codes=["1"])


def chapters(*codes: str) -> list[Chapter]:
    """One chapter with a requirement of its own and a section of two."""
    first, second, third = codes or ("a", "b", "c")
    section = ManualSection(code="s", title="进货", requirements=[requirement(second), requirement(third)])
    return [Chapter(code="one", title="原料", requirements=[requirement(first)], sections=[section])]


def card(state: ManualState = ManualState.PUBLISHED, region: str = CITY) -> ManualCard:
    """经营手册 of the department `HOME`."""
    return ManualCard(
        id=uuid4(),
        name="餐饮服务经营手册",
        business_type="餐饮服务",
        object_scope=None,
        department_id=HOME,
        department="市监局",
        region=region,
        place=0,
        state=state,
        current_version_id=None,
        current_version_number=None,
        public_views=0,
        staff_views=0,
        created_at=NOW,
        updated_at=NOW,
    )


# Who


def test_a_draft_is_its_departments_alone() -> None:
    draft = card(ManualState.DRAFT)
    assert may_read(draft, HOME, CITY)
    assert not may_read(draft, uuid4(), CITY)


@pytest.mark.parametrize(
    ("region", "reads"),
    [(CITY, True), ("450000", True), (f"{CITY}.450103", True), ("450000.450200", False), (None, False)],
)
def test_what_was_published_is_read_above_and_below(region: str | None, *, reads: bool) -> None:
    assert may_read(card(), uuid4(), region) is reads
    assert may_read(card(ManualState.DISABLED), uuid4(), region) is reads


def test_only_what_is_in_force_is_disabled() -> None:
    require_in_force(card())
    with pytest.raises(ManualNotInForce):
        require_in_force(card(ManualState.DISABLED))


# Content


def test_a_tree_comes_back_out_of_its_rows() -> None:
    tree = [*chapters(), Chapter(code="two", title="空章")]
    assert unflatten(flatten(tree)) == tree
    assert [row.kind.value[0] for row in flatten(tree)] == ["c", "r", "s", "r", "r", "c"]
    assert digest_of(unflatten(flatten(tree))) == digest_of(tree)


def test_texts_are_tidied_and_codes_are_named_once() -> None:
    (settled,) = settle_chapters([Chapter(code="one", title=" 原料 ", requirements=[requirement("a", " 查验。\r\n ")])])
    assert (settled.title, settled.requirements[0].text) == ("原料", "查验。")
    with pytest.raises(InvalidField) as refusal:
        settle_chapters(chapters("a", "b", "a"))
    assert refusal.value.field == "chapters[0].sections[0].requirements[1].code"


def test_an_empty_text_is_refused_where_it_stands() -> None:
    with pytest.raises(InvalidField) as refusal:
        settle_chapters([Chapter(code="one", title="原料", requirements=[requirement("a", "　")])])
    assert refusal.value.field == "chapters[0].requirements[0].text"


def test_a_basis_without_a_name_is_refused() -> None:
    bad = msgspec.structs.replace(requirement("a"), legal_basis=[LegalBasis(law=" ")])
    with pytest.raises(InvalidField) as refusal:
        settle_chapters([Chapter(code="one", title="原料", requirements=[bad])])
    assert refusal.value.field == "chapters[0].requirements[0].legal_basis[0].law"


def test_too_many_elements_are_refused() -> None:
    many = [requirement(str(number)) for number in range(300)]
    section = ManualSection(code="s", title="节", requirements=[requirement(f"s{number}") for number in range(300)])
    with pytest.raises(InvalidField):
        settle_chapters([Chapter(code="one", title="章", requirements=many, sections=[section])])


def test_each_requirement_needs_its_risk_hint_to_be_published() -> None:
    require_publishable(chapters())
    tree = [Chapter(code="one", title="章", requirements=[requirement("a"), requirement("b", hint=None)])]
    with pytest.raises(RiskHintMissing) as refusal:
        require_publishable(tree)
    assert refusal.value.facts == {"count": 1, "codes": ["b"]}
    with pytest.raises(ManualEmpty):
        require_publishable([Chapter(code="one", title="章")])


# Comparison


def element(code: str, text: str = "条款", kind: ElementKind = ElementKind.REQUIREMENT, **changes: object) -> Element:
    """要素."""
    return msgspec.structs.replace(Element(kind=kind, code=code, text=text), **changes)


def test_words_that_came_and_went_are_told() -> None:
    parts = compare_texts("冷藏温度为0至8摄氏度。", "冷藏温度为0至10摄氏度，每日记录。")
    assert parts == [
        TextPart(kind=PartKind.SAME, text="冷藏温度为0至"),
        TextPart(kind=PartKind.REMOVED, text="8"),
        TextPart(kind=PartKind.ADDED, text="10"),
        TextPart(kind=PartKind.SAME, text="摄氏度"),
        TextPart(kind=PartKind.ADDED, text="，每日记录"),
        TextPart(kind=PartKind.SAME, text="。"),
    ]


@pytest.mark.parametrize(("before", "after"), [("", "新增"), ("删除", ""), ("一", "二"), ("A级1项", "A级12项")])
def test_the_parts_give_both_texts(before: str, after: str) -> None:
    parts = compare_texts(before, after)
    assert "".join(part.text for part in parts if part.kind is not PartKind.ADDED) == before
    assert "".join(part.text for part in parts if part.kind is not PartKind.REMOVED) == after


def test_two_long_texts_are_compared_in_no_time() -> None:
    before, after = "查验。" * 333, "验查，" * 333
    began = time.perf_counter()
    parts = compare_texts(before, after)
    assert time.perf_counter() - began < 2
    assert "".join(part.text for part in parts if part.kind is not PartKind.ADDED) == before


def test_two_whole_manuals_of_long_texts_are_compared_in_no_time() -> None:
    before = [element("one", "章", ElementKind.CHAPTER)]
    before += [element(str(each), "。查" * 500, hint="。" * 1000) for each in range(499)]
    after = [msgspec.structs.replace(each, text="查。" * 499, hint="。" * 999) for each in before]

    began = time.perf_counter()
    found = compare_versions(before, after)

    assert time.perf_counter() - began < 5
    assert len(found.changed) == 500


def test_elements_are_added_removed_and_changed_by_their_codes() -> None:
    heading = element("one", "章", ElementKind.CHAPTER)
    before = [heading, element("a"), element("b", hint="会罚款"), element("c")]
    after = [heading, element("a"), element("b", hint="会停业"), element("d")]

    found = compare_versions(before, after)

    assert [each.code for each in found.added] == ["d"]
    assert [each.code for each in found.removed] == ["c"]
    (change,) = found.changed
    assert (change.code, [field.field for field in change.fields], change.is_moved) == ("b", ["hint"], False)
    assert found.unchanged_count == 2


def test_what_stands_elsewhere_is_moved() -> None:
    one, two = (element(code, code, ElementKind.CHAPTER) for code in ("one", "two"))
    before = [one, element("a"), element("b"), element("c"), two]

    elsewhere = compare_versions(before, [one, element("a"), element("c"), two, element("b")])
    turned = compare_versions(before, [one, element("c"), element("a"), element("b"), two])

    assert [(each.code, each.is_moved) for each in elsewhere.changed] == [("b", True)]
    assert [each.code for each in turned.changed] == ["c"]


def test_a_version_equals_itself() -> None:
    rows = flatten(chapters())
    found = compare_versions(rows, rows)
    assert (found.added, found.removed, found.changed, found.unchanged_count) == ([], [], [], len(rows))
