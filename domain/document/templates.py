"""文书模板: a small grammar of automatic values and marked fields, parsed and filled by pure functions.

    {party}                     an automatic value, put in by the system
    [[复议机关|南宁市人民政府]]    a marked field: its name, and the text that stands there unless an officer edits it
    [[复议机关]]                 the same field once more
    {{  }}                      braces as such

What officers and enterprises write is put in as it is and never read as grammar. A line break in a section's text, or
in a value, starts a new paragraph. A value that is a date (`2026-08-05`) is printed as 2026年8月5日.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Final, NoReturn

import msgspec

from domain.document.automatic import AUTOMATIC, automatic_of
from domain.document.model import Block, DocumentKind, Facts, Heading, Note, Paragraph, Stamp
from domain.shared.errors import DomainError, InvalidField

LONGEST_EDIT: Final = 5000
"""Characters of one edited field."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD_NAME = re.compile(r"[^\W_][\w（）()、·-]{0,39}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LABELLED = re.compile(r"[^：{}\[\]]+：")
_MARK = re.compile(r"\{\{|\}\}|\{|\}|\[\[|\]\]")


class Layout(enum.StrEnum):
    """How a section is set. `insert`: the blocks that the caller has for it, or its text where there are none."""

    PARAGRAPHS = "paragraphs"
    UNINDENTED = "unindented"
    FACTS = "facts"
    NOTE = "note"
    STAMP = "stamp"
    INSERT = "insert"


class TemplateSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One section. Each line of `facts` is `label：value`; `stamp` has no text."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    heading: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    layout: Layout = Layout.PARAGRAPHS
    text: Annotated[str, msgspec.Meta(max_length=10000)] = ""


class TemplateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """文书模板 as it is stored, downloaded and reviewed."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    sections: Annotated[list[TemplateSection], msgspec.Meta(min_length=1, max_length=60)]


class TemplateBroken(DomainError):
    """A section of a template cannot be read; the section and what is wrong with it are named."""


class FieldNotEditable(DomainError):
    """An edit of something that is no marked field of the template."""


class ValueMissing(DomainError):
    """An automatic value that the template asks for is not known for this paper."""


class MarkedField(msgspec.Struct, frozen=True, kw_only=True):
    """标记字段: what an officer may edit, in which section, and what stands there otherwise (values not yet put in)."""

    name: str
    section: str
    default: str


class _Literal(msgspec.Struct, frozen=True):
    text: str


class _Value(msgspec.Struct, frozen=True):
    name: str


class _Field(msgspec.Struct, frozen=True):
    name: str
    default: tuple[_Literal | _Value, ...] | None
    written: str


_Part = _Literal | _Value | _Field


class _Reader:
    """Reads one section's text from left to right."""

    def __init__(self, section: str, text: str, known: frozenset[str]) -> None:
        self._section = section
        self._text = text
        self._known = known
        self._place = 0

    def read(self) -> list[_Part]:
        parts: list[_Part] = []
        while (mark := self._next_mark(parts)) is not None:
            if mark == "[[":
                parts.append(self._field())
            elif mark == "]]":
                self._refuse("多余的“]]”")
            else:
                parts.append(self._brace(mark))
        return parts

    def _next_mark(self, parts: list[_Part]) -> str | None:
        """Go to the next mark and past it; what lies before it is text."""
        found = _MARK.search(self._text, self._place)
        end = len(self._text) if found is None else found.start()
        if end > self._place:
            parts.append(_Literal(self._text[self._place : end]))
        self._place = end if found is None else found.end()
        return None if found is None else found[0]

    def _brace(self, mark: str) -> _Literal | _Value:
        if mark in {"{{", "}}"}:
            return _Literal(mark[0])
        if mark == "}":
            self._refuse("多余的“}”")
        name = self._until("}", "“{”没有对应的“}”")
        if not _NAME.fullmatch(name):
            self._refuse(f"自动填充值的名称不正确：{name[:40]}")
        if name not in self._known:
            self._refuse(f"没有名为“{name}”的自动填充值")
        return _Value(name)

    def _field(self) -> _Field:
        inside = self._until("]]", "“[[”没有对应的“]]”")
        if "[[" in inside:
            self._refuse("标记字段不能套用")
        name, bar, default = inside.partition("|")
        if not _FIELD_NAME.fullmatch(name):
            self._refuse(f"标记字段的名称不正确：{name[:40]}")
        if not bar:
            return _Field(name, None, "")
        parts = _Reader(self._section, default, self._known).read()
        return _Field(name, tuple(part for part in parts if not isinstance(part, _Field)), default)

    def _until(self, close: str, problem: str) -> str:
        end = self._text.find(close, self._place)
        if end < 0:
            self._refuse(problem)
        inside = self._text[self._place : end]
        self._place = end + len(close)
        return inside

    def _refuse(self, problem: str) -> NoReturn:
        line = self._text.count("\n", 0, self._place) + 1
        raise TemplateBroken(
            f"“{self._section}”第{line}行：{problem}。", field="body", section=self._section, line=line
        )


def _parse(body: TemplateBody, known: frozenset[str]) -> list[tuple[TemplateSection, list[_Part]]]:
    return [(section, _Reader(section.name, section.text, known).read()) for section in body.sections]


def _parsed_fields(parsed: Sequence[tuple[TemplateSection, list[_Part]]]) -> dict[str, tuple[MarkedField, _Field]]:
    fields: dict[str, tuple[MarkedField, _Field]] = {}
    named: list[tuple[TemplateSection, _Field]] = [
        (section, part) for section, parts in parsed for part in parts if isinstance(part, _Field)
    ]
    for section, part in named:
        if part.default is None:
            continue
        known = fields.get(part.name)
        if known is not None and known[1].written != part.written:
            _refuse(section, f"标记字段“{part.name}”有两种默认文字")
        if known is None:
            fields[part.name] = MarkedField(name=part.name, section=section.name, default=part.written), part
    for section, part in named:
        if part.name not in fields:
            _refuse(section, f"标记字段“{part.name}”没有默认文字")
    return fields


def _refuse(section: TemplateSection, problem: str) -> NoReturn:
    raise TemplateBroken(f"“{section.name}”：{problem}。", field="body", section=section.name)


def check_template(kind: DocumentKind, body: TemplateBody) -> list[MarkedField]:
    """The marked fields of a template of `kind`, in order. Raises `TemplateBroken` naming the section at fault."""
    names = [section.name for section in body.sections]
    for section in body.sections:
        if names.count(section.name) > 1:
            _refuse(section, "有两个同名的部分")
        if section.layout is Layout.STAMP and section.text:
            _refuse(section, "落款不需要文字")
        if section.layout not in {Layout.STAMP, Layout.INSERT} and not section.text.strip():
            _refuse(section, "没有文字")
        if section.layout is Layout.FACTS:
            for line in _written_lines(section):
                if not _LABELLED.match(line):
                    _refuse(section, f"表格的行应写成“名称：内容”：{line[:40]}")
    parsed = _parse(body, frozenset(each.name for each in automatic_of(kind)))
    return [marked for marked, _ in _parsed_fields(parsed).values()]


def _written_lines(section: TemplateSection) -> list[str]:
    return [line for line in section.text.split("\n") if line.strip()]


def fields_of(body: TemplateBody) -> list[MarkedField]:
    """The marked fields of a template that was checked before."""
    return [marked for marked, _ in _parsed_fields(_parse(body, _EVERY_NAME)).values()]


_EVERY_NAME = frozenset(each.name for each in AUTOMATIC)


class _Filling:
    """Puts values and edits into the parts of a text."""

    def __init__(
        self, automatic: Mapping[str, str], edits: Mapping[str, str], fields: Mapping[str, tuple[MarkedField, _Field]]
    ) -> None:
        self._automatic = automatic
        self._edits = edits
        self._fields = fields

    def text(self, parts: Sequence[_Part]) -> str:
        return "".join(self._one(part) for part in parts)

    def _one(self, part: _Part) -> str:
        if isinstance(part, _Literal):
            return part.text
        if isinstance(part, _Value):
            return readable(_required(self._automatic, part.name))
        edit = self._edits.get(part.name)
        return self.text(self._fields[part.name][1].default or ()) if edit is None else edit


def _required(automatic: Mapping[str, str], name: str) -> str:
    if name not in automatic:
        raise ValueMissing(f"本文书缺少“{name}”。", field="automatic", name=name)
    return automatic[name]


def readable(value: str) -> str:
    """A date as people write it; anything else as it is."""
    if not _DATE.fullmatch(value):
        return value
    try:
        return chinese_date(date.fromisoformat(value))
    except ValueError:
        return value


def chinese_date(day: date) -> str:
    """2026年8月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _check_edits(edits: Mapping[str, str], fields: Mapping[str, object]) -> None:
    for name, text in edits.items():
        if name not in fields:
            raise FieldNotEditable(f"“{name[:40]}”不是可以修改的内容。", field="edits", name=name[:40])
        if not text.strip():
            raise InvalidField(f"“{name}”不能为空；没有内容请写“无”。", field="edits", name=name)
        if len(text) > LONGEST_EDIT:
            raise InvalidField(f"“{name}”不能超过{LONGEST_EDIT}字。", field="edits", name=name)


def fill(
    body: TemplateBody,
    automatic: Mapping[str, str],
    edits: Mapping[str, str],
    inserts: Mapping[str, Sequence[Block]] | None = None,
) -> list[Block]:
    """The blocks of a paper: `automatic` values and an officer's `edits` put into the template.

    `inserts` are blocks for the sections laid out as `insert`, by the section's name. Raises `FieldNotEditable` for an
    edit outside the marked fields, `InvalidField` for one that is empty or too long, `ValueMissing`, `TemplateBroken`.
    """
    parsed = _parse(body, _EVERY_NAME)
    fields = _parsed_fields(parsed)
    _check_edits(edits, fields)
    filling = _Filling(automatic, edits, fields)
    blocks: list[Block] = []
    for section, parts in parsed:
        if section.layout is Layout.INSERT and inserts is not None and section.name in inserts:
            content = list(inserts[section.name])
        else:
            content = list(_set(section, parts, filling, automatic))
        if section.heading and content:
            blocks.append(Heading(section.heading))
        blocks.extend(content)
    return blocks


def _set(
    section: TemplateSection, parts: list[_Part], filling: _Filling, automatic: Mapping[str, str]
) -> Iterator[Block]:
    if section.layout is Layout.STAMP:
        yield Stamp(_required(automatic, "authority"), date.fromisoformat(_required(automatic, "issued_on")))
    elif section.layout is Layout.FACTS:
        rows = (_row(line, filling) for line in _lines_of(parts))
        yield Facts([row for row in rows if row != ("", "")])
    elif section.layout is Layout.NOTE:
        yield Note(filling.text(parts))
    else:
        is_indented = section.layout is not Layout.UNINDENTED
        for line in filling.text(parts).split("\n"):
            if line.strip():
                yield Paragraph(line.strip(), is_indented=is_indented)


def _lines_of(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """The template's own lines: a break in a value that is put in later makes no new one."""
    line: list[_Part] = []
    for part in parts:
        pieces = part.text.split("\n") if isinstance(part, _Literal) else [part]
        for number, piece in enumerate(pieces):
            if number:
                yield line
                line = []
            line.append(_Literal(piece) if isinstance(piece, str) else piece)
    yield line


def _row(line: list[_Part], filling: _Filling) -> tuple[str, str]:
    label, _, value = filling.text(line[:1]).partition("：")  # a label is the template's own text
    return label.strip(), (value + filling.text(line[1:])).strip()


def standard_edits(body: TemplateBody, automatic: Mapping[str, str]) -> dict[str, str]:
    """What stands in each marked field before anybody edits it, with the values put in: for the phone's preview."""
    fields = _parsed_fields(_parse(body, _EVERY_NAME))
    filling = _Filling(automatic, {}, fields)
    return {name: filling.text(field.default or ()) for name, (_, field) in fields.items()}
