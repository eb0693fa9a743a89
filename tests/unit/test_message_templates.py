"""文本模板: each composes, each SMS costs what it says, values and texts fit, and nothing of a value becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api import reactions
from domain.shared.events import Event
from notifications.message import Channel, Purpose
from notifications.sms.segments import measure
from notifications.templates import (
    NoTextForChannel,
    Template,
    TemplateBroken,
    TemplateMismatch,
    TemplateUnknown,
    catalogue,
    check,
    compose_in_app,
    compose_mail,
    compose_sms,
    current,
    names,
    preview_values,
    template_of,
    versions_of,
)
from notifications.templates.model import SIGNATURE, Variable, require_sound
from tests.support.event_samples import samples

_REACTIONS = reactions._REACTIONS  # pyright: ignore[reportPrivateUsage] - the one place where all of them stand
_ALL = [template for name in names() for template in versions_of(name)]
_WITH = {channel: [each for each in _ALL if channel in each.channels] for channel in Channel}


def _id(template: Template) -> str:
    return f"{template.name}-{template.version}"


def examples(template: Template) -> dict[str, str]:
    return {name: variable.example for name, variable in template.variables.items()}


def longest(template: Template) -> dict[str, str]:
    """Values of the greatest length, of full width unless the example is of half width."""
    return {
        name: variable.example
        if variable.lines
        else variable.example
        + ("7" if variable.example.isascii() else "宁") * (variable.longest - len(variable.example))
        for name, variable in template.variables.items()
    }


def a_template(**fields: object) -> Template:
    given: dict[str, object] = {
        "name": "sample",
        "version": 1,
        "title": "样例",
        "purpose": Purpose.SERVICE,
        "variables": {"name": Variable(example="老友粉店", longest=8)},
        "sms": ("【一码】{name}您好",),
    }
    return Template(**{**given, **fields})  # pyright: ignore[reportArgumentType] - a test chooses


def a_mail(mail: str, **variables: Variable) -> Template:
    return a_template(sms=(), mail_subject="通知", mail=mail, variables=variables)


# All templates there are


@pytest.mark.parametrize("template", _ALL, ids=_id)
def test_every_template_is_sound_and_composes_with_its_examples_on_each_channel(template: Template) -> None:
    assert require_sound(template) is template
    for channel in template.channels:
        check(template, channel, examples(template), late=True)
    for text in all_texts(template, examples(template)):
        assert text.strip()
        assert not any(f"{{{name}}}" in text for name in template.variables)


def all_texts(template: Template, values: dict[str, str]) -> list[str]:
    found: list[str] = []
    if Channel.SMS in template.channels:
        found.append(compose_sms(template, values))
    if Channel.EMAIL in template.channels:
        mail = compose_mail(template, values)
        found += [mail.subject, mail.text, mail.html]
    if Channel.IN_APP in template.channels:
        shown = compose_in_app(template, values)
        found += [shown.title, shown.text]
    return found


@pytest.mark.parametrize("template", _WITH[Channel.SMS], ids=_id)
@pytest.mark.parametrize("values", [examples, longest], ids=["examples", "longest"])
def test_an_sms_begins_with_its_signature_and_costs_what_its_template_says(
    template: Template, values: Callable[[Template], dict[str, str]]
) -> None:
    text = compose_sms(template, values(template))
    assert SIGNATURE.match(text)
    assert measure(text).encoding == "ucs2"
    assert measure(text).segments <= template.segments, f"{measure(text)} {text}"


@pytest.mark.parametrize("template", _WITH[Channel.SMS], ids=_id)
def test_an_sms_without_what_may_be_absent_leaves_no_hole(template: Template) -> None:
    optional = {name for name, variable in template.variables.items() if variable.optional}
    for name in optional:
        text = compose_sms(template, {**examples(template), name: ""})
        assert not re.search(r"[（(][)）]|[，；：,;:]$|电话$|监督$", text), text


@pytest.mark.parametrize("template", _WITH[Channel.EMAIL], ids=_id)
def test_a_mail_is_well_formed_and_tells_the_same_twice(template: Template) -> None:
    mail = compose_mail(template, examples(template))
    reader = _Reader()
    reader.feed(mail.html)
    reader.close()
    assert reader.open_tags == []
    assert reader.language == "zh-CN"
    assert "\n" not in mail.subject
    said = "".join([*reader.words, *reader.addresses])
    for line in filter(None, (line.strip("· -") for line in mail.text.splitlines())):
        assert "".join(line.rstrip("：").split()) in "".join(said.split()), line


@pytest.mark.parametrize("template", _WITH[Channel.IN_APP], ids=_id)
def test_a_title_in_the_app_fits_one_line(template: Template) -> None:
    assert len(compose_in_app(template, examples(template)).title) <= 20


@pytest.mark.parametrize("event", _REACTIONS, ids=lambda event: event.__name__)
def test_what_every_reaction_writes_fits_its_template(event: type[Event]) -> None:
    for sample in samples(event):
        for message in _REACTIONS[event](sample):
            check(current(message.template), message.channel, message.parameters, late=False)


def test_a_secret_is_known_only_at_sending_and_never_stored() -> None:
    secrets = [variable for template in _ALL for variable in template.variables.values() if variable.secret]
    assert secrets
    assert all(variable.late for variable in secrets)
    with pytest.raises(TemplateMismatch) as mismatch:
        check(current("phone_code"), Channel.SMS, {"minutes": "5", "code": "123456"}, late=False)
    assert mismatch.value.unknown == ("code",)


# Whether values fit


def test_a_mismatch_names_variables_and_never_values() -> None:
    with pytest.raises(TemplateMismatch) as mismatch:
        check(a_template(), Channel.SMS, {"phone": "13800138000", "name": "很长很长的一个店名啊"}, late=False)
    assert (mismatch.value.unknown, mismatch.value.too_long) == (("phone",), ("name",))
    assert "13800138000" not in str(mismatch.value)
    with pytest.raises(TemplateMismatch) as mismatch:
        check(a_template(), Channel.SMS, {"name": "  "}, late=False)
    assert mismatch.value.missing == ("name",)
    with pytest.raises(NoTextForChannel):
        check(a_template(), Channel.EMAIL, {"name": "店"}, late=False)


def test_what_is_known_only_at_sending_is_asked_for_only_then() -> None:
    template = current("order_issued")
    written = {"department": "南宁市监", "due": "立即", "hotline": "", "document_id": "7"}
    check(template, Channel.SMS, written, late=False)
    with pytest.raises(TemplateMismatch) as mismatch:
        check(template, Channel.SMS, written, late=True)
    assert mismatch.value.missing == ("bare_link", "link", "number", "sequence")
    with pytest.raises(TemplateMismatch) as mismatch:
        check(template, Channel.SMS, {**written, "document_id": ""}, late=False)
    assert mismatch.value.missing == ("document_id",)


def test_more_than_is_used_may_be_looked_up() -> None:
    text = compose_sms(a_template(), {"name": "店", "number": "1", "link": "https://a.example/"})
    assert text == "【一码】店您好"


def test_a_long_name_is_cut_only_where_the_text_would_cost_more() -> None:
    variables = {"name": Variable(example="店", longest=10, cut=True)}
    template = a_template(variables=variables, sms=("【一码】{name}" + "好" * 40, "【一码】{name}" + "好" * 50))
    assert compose_sms(template, {"name": "名" * 20}) == "【一码】" + "名" * 20 + "好" * 40
    assert compose_sms(template, {"name": "名" * 40}) == "【一码】" + "名" * 9 + "…" + "好" * 40


def test_a_text_that_fits_nowhere_is_the_last_one_and_costs_more() -> None:
    host = "https://jianguan.shichangjianduguanli.nanning.gov.cn/n/7K3QX66CV5Y"
    values = {**examples(current("order_issued")), "link": host, "bare_link": host.removeprefix("https://")}
    text = compose_sms(current("order_issued"), values)
    assert text == f"【南宁市监】责令改正通知书12号,8月15日前改正:{host.removeprefix('https://')}"
    assert measure(text).segments == 2


def test_the_arrival_with_an_internal_number_is_one_segment() -> None:
    values = {**examples(current("arrival")), "notice": "NN01-2026-JCTZ-000012", "hotline": "0771-5512345"}
    text = compose_sms(current("arrival"), values)
    assert measure(text).segments == 1
    assert "不亮证可拒绝检查" in text
    assert "0771-5512345" in text


def test_a_value_brings_no_line_and_no_control_into_a_text() -> None:
    text = compose_sms(a_template(), {"name": "店\r\nB\x00\u202e"})
    assert text == "【一码】店 B您好"
    mail = compose_mail(a_template(sms=(), mail_subject="{name}", mail="{name}您好"), {"name": "店\r\nBcc:"})
    assert mail.subject == "店 Bcc:"


def test_braces_in_a_value_are_only_braces() -> None:
    assert compose_sms(a_template(), {"name": "{name!r}"}) == "【一码】{name!r}您好"


def test_a_stored_message_is_shown_without_its_secrets() -> None:
    template = current("phone_code")
    assert compose_sms(template, preview_values(template, {"minutes": "5"})) == (
        "【一码】验证码******，5分钟内有效，用于核验手机号码。请勿告诉他人；非本人操作请忽略。"
    )
    order = current("order_issued")
    assert "(…)" in compose_sms(order, preview_values(order, {"department": "南宁市监", "due": "立即"}))


# Versions


def test_a_stored_message_keeps_the_version_it_was_written_by() -> None:
    assert template_of("arrival", 1).version == 1
    assert current("arrival").version == len(versions_of("arrival"))
    for unknown in (0, len(versions_of("arrival")) + 1):
        with pytest.raises(TemplateUnknown):
            template_of("arrival", unknown)
    for name in ("", "no_such", "../message", "arrival.toml", "Arrival"):
        with pytest.raises(TemplateUnknown):
            current(name)


_TWICE = """
[[version]]
title = "样例"
purpose = "service"
sms = ["【一码】{name}您好"]
[version.variables]
name = { example = "老友粉店", longest = 8 }

[[version]]
title = "样例"
purpose = "reminder"
in_app_title = "提醒"
in_app = "{name}，请查看。"
[version.variables]
name = { example = "老友粉店", longest = 8 }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates of its own."""
    monkeypatch.setattr(catalogue, "_FOLDER", tmp_path)
    for cached in (catalogue.names, catalogue.versions_of):
        cached.cache_clear()
    yield tmp_path
    for cached in (catalogue.names, catalogue.versions_of):
        cached.cache_clear()


def test_a_new_version_leaves_what_was_written_by_the_former_one(folder: Path) -> None:
    (folder / "sample.toml").write_text(_TWICE, encoding="utf-8")
    assert compose_sms(template_of("sample", 1), {"name": "甲"}) == "【一码】甲您好"
    assert (current("sample").version, current("sample").purpose) == (2, Purpose.REMINDER)
    assert compose_in_app(current("sample"), {"name": "甲"}).text == "甲，请查看。"
    with pytest.raises(NoTextForChannel):
        compose_sms(current("sample"), {"name": "甲"})


@pytest.mark.parametrize(
    "written",
    ["", "version = 1", "[[version]]", "[[version]", _TWICE.replace("reminder", "spam"), _TWICE + "\ncolour = 1\n"],
)
def test_a_file_that_is_no_template_is_refused(folder: Path, written: str) -> None:
    (folder / "sample.toml").write_text(written, encoding="utf-8")
    with pytest.raises(TemplateBroken):
        current("sample")


@pytest.mark.parametrize(
    "broken",
    [
        {"sms": ("没有签名{name}",)},
        {"sms": ("【一码】{name}{other}",)},
        {"sms": ("【一码】您好",)},
        {"sms": ("【一码】{name.__class__}",)},
        {"sms": ("【一码】{name!r}",)},
        {"sms": ("【一码】{name:>9}",)},
        {"sms": ("【一码】{}{name}",)},
        {"sms": ("【一码】{name",)},
        {"sms": ()},
        {"mail": "{name}"},
        {"in_app": "{name}"},
        {"variables": {"name": Variable(example="太长的样例", longest=2)}},
        {"variables": {"name": Variable(example="一\t二", longest=9, lines=True)}},
    ],
)
def test_a_template_that_contradicts_itself_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(TemplateBroken):
        require_sound(a_template(**broken))


# Mail


def test_nothing_of_a_value_becomes_markup() -> None:
    template = a_mail("{name}说\n\n[打开]({name})\n\n{rows}", name=_WIDE, rows=_ROWS)
    evil = '<img src=x onerror="a()">&lt;'
    mail = compose_mail(template, {"name": evil, "rows": f'{evil}\tjavascript:alert(1)\nB\thttps://a.example/?q="><b>'})
    reader = _Reader()
    reader.feed(mail.html)
    assert "img" not in reader.seen
    assert "b" not in reader.seen
    assert "script" not in reader.seen
    assert all(address.startswith("https://") for address in reader.addresses)
    assert evil in mail.text


def test_a_paragraph_with_an_empty_value_is_left_out() -> None:
    template = a_mail(
        "正文{name}\n\n核实电话：{phone}", name=_WIDE, phone=Variable(example="1", longest=9, optional=True)
    )
    assert "核实电话" in compose_mail(template, {"name": "甲", "phone": "0771"}).text
    mail = compose_mail(template, {"name": "甲", "phone": ""})
    assert "核实电话" not in mail.text + mail.html


def test_an_entry_of_a_list_brings_no_control_either() -> None:
    mail = compose_mail(a_mail("{rows}", rows=_ROWS), {"rows": "甲\u202e店\x00\r\n乙店\thttps://a.example/\x07"})
    assert mail.text.startswith("· 甲 店\n· 乙店\n  https://a.example/\n")


def test_a_list_and_a_button_stand_in_both_bodies() -> None:
    template = a_mail("[查看]({name})\n\n{rows}", name=_WIDE, rows=_ROWS)
    mail = compose_mail(template, {"name": "https://a.example/n/1", "rows": "甲店\thttps://a.example/1\n乙店"})
    assert mail.text.startswith("查看：\nhttps://a.example/n/1\n\n· 甲店\n  https://a.example/1\n· 乙店\n")
    assert '<a href="https://a.example/1"' in mail.html
    assert mail.html.count("<li") == 2


_WIDE = Variable(example="甲", longest=100)
_ROWS = Variable(example="甲店\thttps://a.example/1", longest=2000, lines=True)
_VOID = {"meta", "br", "img", "hr"}


class _Reader(HTMLParser):
    """What a mail program reads: tags that balance, words, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.seen: set[str] = set()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.language: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.seen.add(tag)
        self.language = given.get("lang", self.language)
        self.addresses += [given["href"] or ""] if "href" in given else []
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open_tags:
            self.words.append(data)
