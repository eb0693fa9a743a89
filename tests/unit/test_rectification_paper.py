"""责令改正通知书 as a paper: every section, every value, edits only where they are allowed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.document.model import DocumentKind, Finding, Findings, Heading, Paragraph, Stamp
from domain.document.template_operations import builtin_body
from domain.document.templates import FieldNotEditable, automatic_of
from domain.inspection.model import AssignedOfficer, InspectionKind
from domain.rectification import paper
from domain.rectification.acts import Contact, IssueOrder, ItemDemand
from domain.rectification.model import OrderedItem
from domain.shared.errors import InvalidField
from domain.shared.numbers import NumberKind

ISSUED_ON, DUE_ON = date(2026, 8, 5), date(2026, 8, 20)
CONTACT = Contact(name="黄志强", phone="0771-5512345")
KIND = DocumentKind.RECTIFICATION_ORDER
HEAD = paper.PaperHead(
    authority="南宁市市场监督管理局",
    short_name="南宁市监",
    department_code="SJ01",
    hotline="0771-12345",
    party="南宁邕江鲜面馆",
    uscc="92450103MA5NX7K42P",
    representative=None,
    address="民族大道1号",
    inspection_name="日常检查",
    inspection_kind=InspectionKind.ROUTINE,
    inspection_basis="年度计划",
    paper_word="南市监",
    number_department="SJ01",
    number_kind=NumberKind.NOTICE,
    number_year=2026,
    number_sequence=7,
)


def officer(number: int, valid_to: date | None = date(2027, 12, 31)) -> AssignedOfficer:
    return AssignedOfficer(
        id=UUID(int=number),
        name=f"执法员{number}",
        department_id=UUID(int=1),
        acts_for=UUID(int=1),
        certificate_number=f"450100000{number}",
        certificate_valid_from=date(2022, 1, 1),
        certificate_valid_to=valid_to,
    )


def item(place: int, due_on: date | None) -> OrderedItem:
    return OrderedItem(
        item_id=UUID(int=place),
        place=place,
        title=f"内容{place}",
        facts=f"事实{place}。\n第二行。",
        clauses="《示例规定》第一条（待核）；《示例规定》第二条（待核）",
        demand=f"要求{place}。",
        due_on=due_on,
        penalty_if_overdue=False,
    )


ITEMS = [item(4, None), item(9, DUE_ON)]


def values(due_on: date = DUE_ON) -> dict[str, str]:
    return paper.automatic_values(
        HEAD,
        [officer(1), officer(2), officer(3, date(2026, 8, 4))],
        ITEMS,
        contact=CONTACT,
        arrived_at=datetime(2026, 8, 5, 1, 0, tzinfo=UTC),
        issued_on=ISSUED_ON,
        due_on=due_on,
    )


def asked(**fields: Any) -> IssueOrder:
    body: dict[str, Any] = {
        "id": UUID(int=1),
        "items": [ItemDemand(item_id=UUID(int=4), demand="要求")],
        "due_on": DUE_ON,
        "contact": CONTACT,
        **fields,
    }
    return IssueOrder(**body)


def test_every_value_that_a_template_may_ask_for_is_given() -> None:
    assert values().keys() == {each.name for each in automatic_of(KIND)}


def test_values_are_as_people_write_them() -> None:
    given = values()
    assert given["notice_number"] == "南市监检通〔2026〕7号"
    assert given["representative"] == "／"
    assert given["officers"] == "执法员1（4501000001）、执法员2（4501000002）"
    assert given["facts"] == "1．事实4。 第二行。\n2．事实9。 第二行。"
    assert given["clauses"] == "《示例规定》第一条（待核）\n《示例规定》第二条（待核）"
    assert given["demands"] == "1．要求4，立即改正。\n2．要求9，于2026年8月20日前改正。"
    assert given["term"] == "于2026年8月20日前"
    assert values(ISSUED_ON)["term"] == "立即"


def test_the_paper_has_every_section_and_its_table() -> None:
    made = paper.order_paper(builtin_body(KIND), values(), {}, ITEMS, DUE_ON)

    headings = [block.text for block in made.blocks if isinstance(block, Heading)]
    for wanted in ("事实", "规定", "依据", "期限", "报告", "后果", "陈述和申辩", "行政复议和行政诉讼", "联系", "送达"):
        assert any(wanted in heading for heading in headings), wanted
    (table,) = [block for block in made.blocks if isinstance(block, Findings)]
    assert [(row.place, row.verdict) for row in table.rows] == [(1, "立即改正"), (2, "于2026年8月20日前改正")]
    assert isinstance(table.rows[0], Finding)
    assert any(isinstance(block, Stamp) for block in made.blocks)
    assert (made.kind, made.title, made.issued_on) == (KIND, "责令改正通知书", ISSUED_ON)


def test_court_and_review_authority_are_marked_fields() -> None:
    edits = paper.edits_of(asked(court="南宁铁路运输中级法院", review_authority="南宁市人民政府"))

    made = paper.order_paper(builtin_body(KIND), values(), edits, ITEMS, DUE_ON)

    text = "".join(block.text for block in made.blocks if isinstance(block, Paragraph))
    assert "依法向南宁铁路运输中级法院提起行政诉讼" in text
    assert "向南宁市人民政府申请行政复议" in text


def test_one_field_is_not_filled_in_two_ways() -> None:
    with pytest.raises(InvalidField) as twice:
        paper.edits_of(asked(court="甲法院", fields={"管辖法院": "乙法院"}))
    assert twice.value.field == "court"


def test_facts_are_not_edited_in_the_paper() -> None:
    with pytest.raises(FieldNotEditable):
        paper.order_paper(builtin_body(KIND), values(), {"事实": "改写"}, ITEMS, DUE_ON)
