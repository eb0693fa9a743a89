"""The manuals that come with Yima answer the checklists that come with it, requirement by requirement."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.checklist.builtin import BuiltinChecklist, builtin_checklists
from domain.manual.builtin import BuiltinManual, builtin_manuals
from domain.manual.model import requirements_of
from domain.manual.rules import require_publishable, settle_chapters

LISTS = {each.order.business_type: each for each in builtin_checklists()}
PAIRS = [pytest.param(each, LISTS[each.order.business_type], id=each.order.name) for each in builtin_manuals()]


def test_each_trade_has_one_list_and_one_manual() -> None:
    trades = [each.order.business_type for each in builtin_manuals()]
    assert trades == [each.order.business_type for each in builtin_checklists()]
    assert trades == ["餐饮服务", "危险化学品经营", "旅行社"]


@pytest.mark.parametrize(("manual", "checklist"), PAIRS)
def test_every_item_is_answered_and_every_requirement_names_items(
    manual: BuiltinManual, checklist: BuiltinChecklist
) -> None:
    known = {item.code for item in checklist.items}
    named = [code for requirement in requirements_of(manual.chapters) for code in requirement.item_codes]
    asked = {item.code for item in checklist.items if item.is_mandatory or item.is_self_check}

    assert all(requirement.item_codes for requirement in requirements_of(manual.chapters))
    assert set(named) <= known
    assert asked <= set(named)
    assert known == set(named)


@pytest.mark.parametrize(("manual", "checklist"), PAIRS)
def test_it_can_be_published_as_it_stands(manual: BuiltinManual, checklist: BuiltinChecklist) -> None:
    assert settle_chapters(manual.chapters) == manual.chapters
    require_publishable(manual.chapters)
    assert len(manual.chapters) >= 5
    assert len(list(requirements_of(manual.chapters))) <= len(checklist.items)


@pytest.mark.parametrize(("manual", "checklist"), PAIRS)
def test_each_requirement_has_a_hint_of_its_own(manual: BuiltinManual, checklist: BuiltinChecklist) -> None:
    hints = Counter(requirement.hint for requirement in requirements_of(manual.chapters))
    texts = Counter(requirement.text for requirement in requirements_of(manual.chapters))
    assert max(hints.values()) == max(texts.values()) == 1
    assert not set(texts) & {item.content for item in checklist.items}


@pytest.mark.parametrize(("manual", "checklist"), PAIRS)
def test_it_rests_on_the_laws_of_the_items_and_none_is_verified_yet(
    manual: BuiltinManual, checklist: BuiltinChecklist
) -> None:
    basis = {item.code: item.legal_basis for item in checklist.items}
    for requirement in requirements_of(manual.chapters):
        assert requirement.legal_basis
        assert not any(each.verified for each in requirement.legal_basis)
        assert all(any(each in basis[code] for code in requirement.item_codes) for each in requirement.legal_basis)
