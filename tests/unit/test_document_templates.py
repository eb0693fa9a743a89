"""文书模板: the grammar, what an officer may edit, and the templates that come with Yima."""

from __future__ import annotations

from datetime import date

import pytest

from domain.document.automatic import AUTOMATIC, samples_of
from domain.document.model import DocumentKind, Facts, Heading, Note, Paragraph, Stamp
from domain.document.template_operations import builtin_body
from domain.document.templates import (
    FieldNotEditable,
    Layout,
    TemplateBody,
    TemplateBroken,
    TemplateSection,
    ValueMissing,
    check_template,
    fields_of,
    fill,
    standard_edits,
)
from domain.shared.errors import InvalidField

ORDER = DocumentKind.RECTIFICATION_ORDER


def body(*sections: TemplateSection) -> TemplateBody:
    """A template of these sections."""
    return TemplateBody(title="责令改正通知书", sections=list(sections))


def section(
    text: str, layout: Layout = Layout.PARAGRAPHS, *, name: str = "正文", heading: str | None = None
) -> TemplateSection:
    """One section."""
    return TemplateSection(name=name, layout=layout, text=text, heading=heading)


def paragraphs(text: str, automatic: dict[str, str] | None = None, edits: dict[str, str] | None = None) -> list[str]:
    """The paragraphs of a template of that one text."""
    blocks = fill(body(section(text)), automatic or {}, edits or {})
    return [block.text for block in blocks if isinstance(block, Paragraph)]


def test_automatic_values_are_put_in() -> None:
    assert paragraphs("致{party}（{uscc}）", {"party": "甲店", "uscc": "9145"}) == ["致甲店（9145）"]


def test_a_date_is_written_as_people_write_it() -> None:
    assert paragraphs("于{issued_on}", {"issued_on": "2026-08-05"}) == ["于2026年8月5日"]
    assert paragraphs("于{issued_on}", {"issued_on": "2026-13-45"}) == ["于2026-13-45"]


def test_a_marked_field_stands_as_written_until_it_is_edited() -> None:
    text = "向[[复议机关|{authority}的上级]]申请，[[复议机关]]受理"

    assert paragraphs(text, {"authority": "甲局"}) == ["向甲局的上级申请，甲局的上级受理"]
    assert paragraphs(text, {"authority": "甲局"}, {"复议机关": "乙府"}) == ["向乙府申请，乙府受理"]
    assert standard_edits(body(section(text)), {"authority": "甲局"}) == {"复议机关": "甲局的上级"}


def test_what_people_wrote_is_never_read_as_grammar() -> None:
    hostile = "{uscc} [[x|y]] }} ]] {{ #import"

    assert paragraphs("{party}", {"party": hostile}) == [hostile]
    assert paragraphs("[[报告方式|甲]]", edits={"报告方式": hostile}) == [hostile]


def test_line_breaks_make_paragraphs() -> None:
    assert paragraphs("一\n\n二{facts}", {"facts": "三\n四"}) == ["一", "二三", "四"]


def test_doubled_braces_are_braces() -> None:
    assert paragraphs("{{a}}") == ["{a}"]


def test_a_table_keeps_the_lines_of_its_template() -> None:
    made = body(section("当事人：{party}\n事实：甲：{facts}\n送达人（签名）：", Layout.FACTS))

    assert fill(made, {"party": "乙", "facts": "一\n二：三"}, {}) == [
        Facts([("当事人", "乙"), ("事实", "甲：一\n二：三"), ("送达人（签名）", "")])
    ]


def test_the_other_layouts() -> None:
    made = body(
        section("{party}：", Layout.UNINDENTED, name="抬头", heading="一、抬头"),
        section("", Layout.STAMP, name="落款"),
        section("附注", Layout.NOTE, name="附注"),
    )

    assert fill(made, {"party": "乙", "authority": "甲局", "issued_on": "2026-08-05"}, {}) == [
        Heading("一、抬头"),
        Paragraph("乙：", is_indented=False),
        Stamp("甲局", date(2026, 8, 5)),
        Note("附注"),
    ]


def test_a_caller_puts_its_own_blocks_into_an_insert() -> None:
    made = body(section("{demands}", Layout.INSERT, name="改正事项", heading="四、事项"))

    assert fill(made, {"demands": "甲"}, {}) == [Heading("四、事项"), Paragraph("甲")]
    assert fill(made, {}, {}, {"改正事项": [Note("表")]}) == [Heading("四、事项"), Note("表")]
    assert fill(made, {}, {}, {"改正事项": []}) == []


def test_nothing_outside_the_marked_fields_is_edited() -> None:
    with pytest.raises(FieldNotEditable) as refused:
        paragraphs("{party}[[甲|乙]]", {"party": "丙"}, {"party": "丁"})
    assert refused.value.facts == {"name": "party"}


@pytest.mark.parametrize("edit", ["", " \n", "长" * 5001])
def test_an_edit_is_neither_empty_nor_endless(edit: str) -> None:
    with pytest.raises(InvalidField):
        paragraphs("[[甲|乙]]", edits={"甲": edit})


def test_a_value_that_is_not_known_is_told() -> None:
    with pytest.raises(ValueMissing):
        paragraphs("{party}")
    with pytest.raises(ValueMissing):
        fill(body(section("", Layout.STAMP)), {}, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{party", "没有对应的“}”"),
        ("party}", "多余的“}”"),
        ("[[甲|乙", "没有对应的“]]”"),
        ("乙]]", "多余的“]]”"),
        ("{Party}", "名称不正确"),
        ("{outcome}", "没有名为“outcome”的自动填充值"),
        ("[[|乙]]", "标记字段的名称不正确"),
        ("[[a|b[[c|d]]]]", "不能套用"),
        ("[[甲]]", "没有默认文字"),
        ("[[甲|乙]][[甲|丙]]", "两种默认文字"),
        ("[[甲|{nobody}]]", "没有名为“nobody”的自动填充值"),
        ("  ", "没有文字"),
    ],
)
def test_a_broken_template_names_its_section(text: str, told: str) -> None:
    with pytest.raises(TemplateBroken) as refused:
        check_template(ORDER, body(section("{party}", name="抬头"), section(text)))
    assert "“正文”" in refused.value.detail
    assert told in refused.value.detail
    assert refused.value.facts["section"] == "正文"


def test_the_line_of_a_fault_is_told() -> None:
    with pytest.raises(TemplateBroken) as refused:
        check_template(ORDER, body(section("一\n二\n{nobody}")))
    assert refused.value.facts["line"] == 3


@pytest.mark.parametrize(
    "sections",
    [
        [section("甲"), section("乙")],
        [section("文字", Layout.STAMP)],
        [section("没有冒号", Layout.FACTS)],
        [section("{party}：值", Layout.FACTS)],
    ],
)
def test_sections_that_cannot_be_set_are_refused(sections: list[TemplateSection]) -> None:
    with pytest.raises(TemplateBroken):
        check_template(ORDER, body(*sections))


def test_no_two_automatic_values_share_a_name() -> None:
    names = [each.name for each in AUTOMATIC]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", DocumentKind)
def test_a_template_that_comes_with_yima_is_whole(kind: DocumentKind) -> None:
    made = builtin_body(kind)

    fields = check_template(kind, made)
    blocks = fill(made, samples_of(kind), {})

    assert made.title == kind.label
    assert fields == fields_of(made)
    assert blocks
    assert any(isinstance(block, Stamp) for block in blocks) == kind.bears_seal


def test_an_order_has_every_section_that_the_law_of_the_product_asks_for() -> None:
    blocks = fill(builtin_body(ORDER), samples_of(ORDER), {})
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    labels = [label for block in blocks if isinstance(block, Facts) for label, _ in block.rows]
    text = "".join(block.text for block in blocks if isinstance(block, Paragraph))

    assert headings == [
        "一、查明的事实",
        "二、违反的规定",
        "三、责令改正的依据",
        "四、责令改正的事项、要求和期限",
        "五、改正情况的报告",
        "六、逾期不改正的后果",
        "七、陈述和申辩",
        "八、行政复议和行政诉讼",
        "九、联系方式",
        "送达情况",
    ]
    assert {"当事人", "统一社会信用代码", "地址", "联系电话", "受送达人（签名或盖章）"} <= set(labels)
    assert "六十日内" in text
    assert "六个月内" in text


@pytest.mark.parametrize("kind", DocumentKind)
def test_legal_terms_are_marked_as_to_be_checked(kind: DocumentKind) -> None:
    for section_ in builtin_body(kind).sections:
        for term in ("六十日内", "六个月内", "五个工作日内", "三个工作日内", "第二十八条第一款"):
            assert section_.text.count(term) == section_.text.count(f"{term}（待核）")
