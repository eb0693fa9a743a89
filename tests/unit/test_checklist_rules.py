"""Who sees and changes a checklist, what its rows must be, and what its digest covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.checklist import rules
from domain.checklist.model import (
    BasicFields,
    ChecklistCard,
    ChecklistItem,
    ChecklistState,
    ChecklistVersion,
    Editor,
    Grade,
    ItemContent,
    ItemMode,
    LegalBasis,
    Severity,
)
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
LEAD, PARTNER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
CITY, DISTRICT, OTHER_CITY = "r45.r4501", "r45.r4501.r450103", "r45.r4502"
VERSION = ChecklistVersion(
    id=UUID(int=9),
    checklist_id=UUID(int=8),
    number=1,
    digest=None,
    created_at=NOW,
    published_at=None,
    published_by=None,
)


def a_card(**changes: Any) -> ChecklistCard:
    """A list of the city, enabled."""
    card = ChecklistCard(
        id=UUID(int=8),
        code="CY-01",
        name="餐饮检查单",
        business_type="餐饮服务",
        scene_code=None,
        lead_department_id=LEAD,
        lead_department="市监局",
        region=CITY,
        participants=[PARTNER],
        participant_names=["应急局"],
        is_default=False,
        state=ChecklistState.ENABLED,
        current_version_id=UUID(int=9),
        current_version_number=1,
        note=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return msgspec.structs.replace(card, **changes)


def an_item(code: str = "001", **changes: Any) -> ItemContent:
    """A row that is as it should be."""
    item = ItemContent(
        code=code,
        area="食品留样",
        matter="留样",
        content="每餐次留样。",
        method="实地查验",
        mode=ItemMode.DAILY,
        severity=Severity.GENERAL,
        grades=[Grade.C, Grade.D],
        legal_basis=[LegalBasis(law="中华人民共和国食品安全法", article="第三十三条")],
    )
    return msgspec.structs.replace(item, **changes)


@pytest.mark.parametrize(
    ("department", "region", "sees"),
    [
        (LEAD, None, True),
        (PARTNER, OTHER_CITY, True),
        (STRANGER, CITY, True),
        (STRANGER, "r45", True),
        (STRANGER, DISTRICT, True),
        (STRANGER, OTHER_CITY, False),
        (STRANGER, "r45.r45010", False),
        (None, None, False),
    ],
)
def test_a_list_is_seen_by_its_departments_from_above_and_where_it_is_in_force(
    department: UUID | None, region: str | None, *, sees: bool
) -> None:
    assert rules.may_read(a_card(), department, region) is sees


def test_a_list_that_is_not_seen_is_not_there_and_one_that_is_read_is_not_changed() -> None:
    with pytest.raises(NotFound):
        rules.require_editor(a_card(), Editor(name="某人", department_id=STRANGER, region=OTHER_CITY))
    with pytest.raises(NotFound):
        rules.require_editor(None, Editor(name="某人", department_id=LEAD))
    for reader in (PARTNER, STRANGER):
        with pytest.raises(Forbidden):
            rules.require_editor(a_card(), Editor(name="某人", department_id=reader, region=CITY))
    assert rules.require_editor(a_card(), Editor(name="某人", department_id=LEAD)) == a_card()


def test_a_draft_is_begun_only_when_there_is_none_and_edited_only_when_there_is_one() -> None:
    published = msgspec.structs.replace(VERSION, published_at=NOW, digest=b"-")
    assert rules.require_draft(VERSION) is VERSION
    rules.require_no_draft(published)
    with pytest.raises(rules.ChecklistDraftExists):
        rules.require_no_draft(VERSION)
    for nothing in (published, None):
        with pytest.raises(rules.NoChecklistDraft):
            rules.require_draft(nothing)


@pytest.mark.parametrize(
    ("card", "state", "refusal"),
    [
        (a_card(), ChecklistState.DISABLED, None),
        (a_card(state=ChecklistState.DISABLED), ChecklistState.ENABLED, None),
        (a_card(state=ChecklistState.DRAFT), ChecklistState.ENABLED, None),
        (a_card(), ChecklistState.ENABLED, rules.ChecklistStateUnchanged),
        (a_card(), ChecklistState.DRAFT, InvalidField),
        (a_card(current_version_id=None), ChecklistState.DISABLED, rules.ChecklistNotPublished),
    ],
)
def test_a_published_list_is_switched_on_and_off(
    card: ChecklistCard, state: ChecklistState, refusal: type[DomainError] | None
) -> None:
    if refusal is None:
        rules.require_state_change(card, state)
        return
    with pytest.raises(refusal):
        rules.require_state_change(card, state)


def test_an_enabled_list_is_disabled_before_it_is_deleted() -> None:
    rules.require_deletable(a_card(state=ChecklistState.DISABLED))
    rules.require_deletable(a_card(state=ChecklistState.DRAFT))
    with pytest.raises(rules.ChecklistStillEnabled):
        rules.require_deletable(a_card())


def test_the_digest_covers_every_word_and_the_order_but_no_id() -> None:
    first, second = an_item("001"), an_item("002")
    digest = rules.digest_of([first, second])
    stored = [
        ChecklistItem(**msgspec.structs.asdict(item), id=UUID(int=place), place=place)
        for place, item in enumerate([first, second], start=1)
    ]
    assert rules.digest_of(stored) == digest
    assert len(digest) == 32
    others = [[second, first], [first], [first, an_item("002", content="另一内容。")]]
    others += [[first, an_item("002", grades=[Grade.D])], [first, an_item("002", is_mandatory=True)]]
    checked = LegalBasis(law="中华人民共和国食品安全法", article="第三十三条", verified=True)
    others.append([first, an_item("002", legal_basis=[checked])])
    assert digest not in {rules.digest_of(other) for other in others}


def test_the_digest_is_the_published_one() -> None:
    """A phone, or another program, computes the same from the same rows."""
    assert rules.digest_of([an_item()]).hex() == DIGEST_OF_ONE_ROW
    assert rules.digest_of([]).hex() == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"  # of "[]"


DIGEST_OF_ONE_ROW = "839687369873619136efec597cbe31db729f4181fd6f582362dcf9a8d2e3a1b9"


def test_rows_are_tidied_as_a_spreadsheet_would_give_them_back() -> None:
    (kept,) = rules.settle_items(
        [an_item(content=" 每餐次留样。\r\n不少于125克　", sub_matter=" - ", grades=[Grade.D, Grade.A, Grade.D])]
    )
    assert kept.content == "每餐次留样。\n不少于125克"
    assert kept.sub_matter is None
    assert kept.grades == [Grade.A, Grade.D]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (an_item(content=" 　"), "items[0].content"),
        (an_item(method="无"), "items[0].method"),
        (an_item(matter="留\x01样"), "items[0].matter"),
        (an_item(guidance="\x00"), "items[0].guidance"),
        (an_item(legal_basis=[LegalBasis(law=" ")]), "items[0].legal_basis[0].law"),
        (an_item(legal_basis=[LegalBasis(law="某法", article="第一条（已核）")]), "items[0].legal_basis[0].article"),
    ],
)
def test_a_row_that_cannot_be_kept_is_named(item: ItemContent, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        rules.settle_items([item])
    assert refusal.value.field == field


def test_two_rows_of_one_code_are_refused() -> None:
    with pytest.raises(InvalidField) as refusal:
        rules.settle_items([an_item("001"), an_item("002"), an_item(" 001")])
    assert refusal.value.field == "items[2].code"


def test_rows_without_a_code_get_the_next_free_number() -> None:
    rows = [(None, an_item("-")), ("001", an_item("-")), (None, an_item("-")), ("003", an_item("-"))]
    assert [item.code for item in rules.with_codes(rows)] == ["002", "001", "004", "003"]


def test_the_lead_is_no_participant_and_nobody_takes_part_twice() -> None:
    fields = BasicFields(name=" 餐饮 ", business_type="餐饮服务", participants=[PARTNER, LEAD, PARTNER], note=" ")
    kept = rules.settle_basics(fields, LEAD)
    assert (kept.name, kept.participants, kept.note) == ("餐饮", [PARTNER], None)
