"""What the office is told of 文本模板."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.template_previews import PURPOSES, ComposedText, compose, examples
from notifications.message import Channel, Purpose
from notifications.templates import Template, Variable, names, versions_of

_MOST_VALUES = 40
_LONGEST_VALUE = 20_000


class MessageTemplateCard(msgspec.Struct, frozen=True, kw_only=True):
    """One template in the list; `version` is the current one."""

    name: str
    title: str
    version: int
    purpose: Purpose
    purpose_label: str
    channels: list[Channel]


class MessageTemplateList(msgspec.Struct, frozen=True, kw_only=True):
    """All templates that there are, by name; they come with the program, so the list is whole."""

    items: list[MessageTemplateCard]


class TemplateVariableCard(msgspec.Struct, frozen=True, kw_only=True):
    """One variable. `is_late`: known only when the message is sent; `is_secret`: never stored nor shown; `is_optional`:
    may be empty; `is_cut`: a longer value is shortened in an SMS.
    """

    name: str
    example: str
    longest: int
    is_late: bool
    is_secret: bool
    is_optional: bool
    is_cut: bool


class TemplateVersionCard(msgspec.Struct, frozen=True, kw_only=True):
    """One version: its texts as they are written, its variables, and what comes of them with the examples.

    `sms` are alternatives, of which the first that is one segment is taken; `segments` is the most that one SMS costs.
    """

    version: int
    title: str
    purpose: Purpose
    purpose_label: str
    variables: list[TemplateVariableCard]
    sms: list[str]
    segments: int
    mail_subject: str | None
    mail: str | None
    in_app_title: str | None
    in_app: str | None
    composed: list[ComposedText]


class MessageTemplateDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One template with all its versions, the current one first."""

    name: str
    versions: list[TemplateVersionCard]


class TemplatePreviewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values to fill a template with, each in the place of its example; nothing is stored and nothing is sent."""

    channel: Channel
    values: Annotated[
        dict[str, Annotated[str, msgspec.Meta(max_length=_LONGEST_VALUE)]], msgspec.Meta(max_length=_MOST_VALUES)
    ] = {}
    version: int | None = None


def to_list() -> MessageTemplateList:
    """The current version of every template."""
    return MessageTemplateList(items=[_card(versions_of(name)[-1]) for name in names()])


def to_detail(name: str) -> MessageTemplateDetail:
    """All versions of a template that exists."""
    return MessageTemplateDetail(name=name, versions=[_version(each) for each in reversed(versions_of(name))])


def _card(template: Template) -> MessageTemplateCard:
    return MessageTemplateCard(
        name=template.name,
        title=template.title,
        version=template.version,
        purpose=template.purpose,
        purpose_label=PURPOSES[template.purpose],
        channels=list(template.channels),
    )


def _version(template: Template) -> TemplateVersionCard:
    known = examples(template)
    return TemplateVersionCard(
        version=template.version,
        title=template.title,
        purpose=template.purpose,
        purpose_label=PURPOSES[template.purpose],
        variables=[_variable(name, variable) for name, variable in template.variables.items() if not variable.lookup],
        sms=list(template.sms),
        segments=template.segments,
        mail_subject=template.mail_subject,
        mail=template.mail,
        in_app_title=template.in_app_title,
        in_app=template.in_app,
        composed=[compose(template, channel, known) for channel in template.channels],
    )


def _variable(name: str, variable: Variable) -> TemplateVariableCard:
    return TemplateVariableCard(
        name=name,
        example=variable.example,
        longest=variable.longest,
        is_late=variable.late,
        is_secret=variable.secret,
        is_optional=variable.optional,
        is_cut=variable.cut,
    )
