"""文本模板 as the office and the command line see them: texts filled with values, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from domain.shared.errors import DomainError, InvalidField, NotFound
from notifications.message import Channel, Purpose
from notifications.sms.segments import measure
from notifications.templates import (
    NoTextForChannel,
    Template,
    TemplateMismatch,
    TemplateUnknown,
    compose_in_app,
    compose_mail,
    compose_sms,
    current,
    template_of,
)

PURPOSES: Final[Mapping[Purpose, str]] = {
    Purpose.LEGAL_NOTICE: "法定告知",
    Purpose.VERIFICATION: "验证码",
    Purpose.SERVICE: "服务通知",
    Purpose.WARNING: "预警",
    Purpose.REMINDER: "提醒",
    Purpose.DIGEST: "订阅推送",
}
CHANNELS: Final[Mapping[Channel, str]] = {Channel.SMS: "短信", Channel.EMAIL: "邮件", Channel.IN_APP: "站内消息"}


class TemplateValuesUnfit(DomainError):
    """Values that do not fill the template; `missing`, `unknown` and `too_long` name the variables."""


class ComposedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it would be sent. `subject` is that of a mail or the title in the app; the last three are an SMS's."""

    channel: Channel
    text: str
    subject: str | None = None
    html: str | None = None
    encoding: str | None = None
    units: int | None = None
    segments: int | None = None


def find_template(name: str, version: int | None = None) -> Template:
    """The template, its current version unless another is asked for. Raises `NotFound`."""
    try:
        return current(name) if version is None else template_of(name, version)
    except TemplateUnknown as unknown:
        raise NotFound("没有该模板或版本。") from unknown


def examples(template: Template) -> dict[str, str]:
    """The example of each variable."""
    return {name: variable.example for name, variable in template.variables.items()}


def compose(template: Template, channel: Channel, values: Mapping[str, str]) -> ComposedText:
    """The text of one channel. Raises `TemplateValuesUnfit`, and `InvalidField` for a channel it has no text for."""
    unknown = sorted(set(values) - set(template.variables))
    if unknown:
        raise _unfit(TemplateMismatch(unknown=unknown))
    try:
        match channel:
            case Channel.SMS:
                return _sms(compose_sms(template, values))
            case Channel.EMAIL:
                mail = compose_mail(template, values)
                return ComposedText(channel=channel, subject=mail.subject, text=mail.text, html=mail.html)
            case Channel.IN_APP:
                shown = compose_in_app(template, values)
                return ComposedText(channel=channel, subject=shown.title, text=shown.text)
    except NoTextForChannel as none:
        raise InvalidField(f"该模板没有{CHANNELS[channel]}文本。", field="channel") from none
    except TemplateMismatch as mismatch:
        raise _unfit(mismatch) from mismatch


def _sms(text: str) -> ComposedText:
    measured = measure(text)
    return ComposedText(
        channel=Channel.SMS,
        text=text,
        encoding=measured.encoding,
        units=measured.units,
        segments=measured.segments,
    )


def _unfit(mismatch: TemplateMismatch) -> TemplateValuesUnfit:
    return TemplateValuesUnfit(
        "变量与模板不符。",
        field="values",
        missing=list(mismatch.missing),
        unknown=list(mismatch.unknown),
        too_long=list(mismatch.too_long),
    )
