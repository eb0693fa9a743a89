"""Texts out of templates and values: whether they fit, and what is then sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from notifications.message import Channel
from notifications.sms.segments import measure
from notifications.templates.mail_layout import lay_out
from notifications.templates.model import NoTextForChannel, Template, TemplateMismatch, placeholders_of

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Controls, line breaks and what turns the direction of reading: a value brings none of them into a text."""
_HIDDEN: Final = "******"
_UNKNOWN: Final = "…"


class MailText(msgspec.Struct, frozen=True, kw_only=True):
    """A mail's subject, one line, and its body twice."""

    subject: str
    text: str
    html: str


class InAppText(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the app."""

    title: str
    text: str


def check(template: Template, channel: Channel, parameters: Mapping[str, str], *, late: bool) -> None:
    """Whether `parameters` fill the template's texts for `channel`.

    With `late` all must be there, and what was looked up beside them is no matter; without, only what the act that
    writes the message knows, and nothing else: a secret is never written. Raises `TemplateMismatch`.
    """
    if channel not in template.channels:
        raise NoTextForChannel(missing=(channel.value,))
    variables = template.variables
    wanted = {name for name in template.needs(channel) if late or not variables[name].late}
    missing = {name for name in wanted if not (variables[name].optional or parameters.get(name, "").strip())}
    unknown: set[str] = set()
    if not late:
        unknown = {name for name in parameters if name not in variables or variables[name].secret}
    too_long = {
        name
        for name, value in parameters.items()
        if name in variables and variables[name].refuses_longer and len(value) > variables[name].longest
    }
    if missing or unknown or too_long:
        raise TemplateMismatch(missing=missing, unknown=unknown, too_long=too_long)


def compose_sms(template: Template, values: Mapping[str, str]) -> str:
    """The SMS: the first text that is one segment, with long names cut if need be, else the last.

    A text with an empty value is passed over as long as there is another. Raises `TemplateMismatch`.
    """
    check(template, Channel.SMS, values, late=True)
    whole = _tidied(template, values)
    short = {
        name: _cut(value, template.variables[name].longest) if template.variables[name].cut else value
        for name, value in whole.items()
    }
    filled = [text for text in template.sms if all(whole[name] for name in placeholders_of(text))] or template.sms
    for known in (whole, short):
        for text in filled:
            composed = text.format_map(known)
            if measure(composed).segments == 1:
                return composed
    return filled[-1].format_map(short)


def compose_mail(template: Template, values: Mapping[str, str]) -> MailText:
    """The mail as text and as HTML. Raises `TemplateMismatch`."""
    check(template, Channel.EMAIL, values, late=True)
    subject, body = template.texts(Channel.EMAIL)
    known = _tidied(template, values)
    headline = subject.format_map(known)
    laid_out = lay_out(headline, body, known)
    return MailText(subject=headline, text=laid_out.text, html=laid_out.html)


def compose_in_app(template: Template, values: Mapping[str, str]) -> InAppText:
    """The message in the app. Raises `TemplateMismatch`."""
    check(template, Channel.IN_APP, values, late=True)
    title, text = template.texts(Channel.IN_APP)
    known = _tidied(template, values)
    return InAppText(title=title.format_map(known), text=text.format_map(known))


def preview_values(template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """What is shown of a stored message to who may read it: secrets hidden, what is known only at sending as `…`."""
    shown = {
        name: _HIDDEN if variable.secret else parameters.get(name) or ("" if variable.optional else _UNKNOWN)
        for name, variable in template.variables.items()
    }
    return {
        name: _cut(value, variable.longest) if variable.refuses_longer else value
        for name, variable in template.variables.items()
        for value in (shown[name],)
    }


def _tidied(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _tidied_lines(value) if variable.lines else _UNPRINTABLE.sub(" ", value).strip()
        for name, variable in template.variables.items()
        for value in (values.get(name, ""),)
    }


def _tidied_lines(value: str) -> str:
    return "\n".join(
        "\t".join(_UNPRINTABLE.sub(" ", part).strip() for part in line.split("\t")) for line in value.split("\n")
    )


def _cut(value: str, longest: int) -> str:
    return value if len(value) <= longest else f"{value[: longest - 1]}…"
