"""What a template is: its texts by channel, its variables, and when values do not fit it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from string import Formatter
from typing import Final

import msgspec

from notifications.message import Channel, Purpose

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""What a template's or a variable's name looks like."""
SIGNATURE: Final = re.compile(r"【[^【】]+】")
"""短信签名 with which every SMS begins."""
_FORMATTER: Final = Formatter()


class TemplateBroken(Exception):
    """A template's file contradicts itself: a defect of ours, found by the tests."""


class TemplateUnknown(Exception):
    """There is no template of that name, or no such version of it."""


class TemplateMismatch(Exception):
    """Values and template do not fit each other; the names of variables are told, never their values."""

    def __init__(
        self, *, missing: Iterable[str] = (), unknown: Iterable[str] = (), too_long: Iterable[str] = ()
    ) -> None:
        """Name the variables without a value, those the template does not know, and those longer than it bears."""
        self.missing = tuple(sorted(missing))
        self.unknown = tuple(sorted(unknown))
        self.too_long = tuple(sorted(too_long))
        told = {"missing": self.missing, "unknown": self.unknown, "too long": self.too_long}
        super().__init__("; ".join(f"{what}: {', '.join(which)}" for what, which in told.items() if which))


class NoTextForChannel(TemplateMismatch):
    """The template has no text for that channel."""


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One variable of a template.

    `longest` counts characters. `late`: known only when the message is sent. `secret`: never stored or shown. `lookup`:
    stands in no text, what is late is found by it. `optional`: may be empty or absent, and what it stands in is then
    left out where it can be. `cut`: a longer value is shortened in an SMS instead of refused. `stretches`: a longer one
    is not refused either, and may cost another segment. `lines`: an entry of a list on each line, its address behind a
    tabulator; it is a whole paragraph of a mail.
    """

    example: str
    longest: int
    late: bool = False
    secret: bool = False
    lookup: bool = False
    optional: bool = False
    cut: bool = False
    stretches: bool = False
    lines: bool = False

    @property
    def refuses_longer(self) -> bool:
        """Whether a value of more than `longest` characters keeps the message from going."""
        return not (self.cut or self.stretches or self.lines)


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the words of a message.

    `sms` are alternatives: the first that is one segment is taken. `segments` is the most that one SMS of it takes, as
    long as no value is longer than its variable says. `mail` are paragraphs with an empty line between them; a line
    `[words]({variable})` is a button. `closes_by_hand`: a to-do of it may be closed by who has it. `lasts_minutes`: so
    long after it was written it is true; without it as long as its purpose says.
    """

    name: str
    version: int
    title: str
    purpose: Purpose
    variables: Mapping[str, Variable] = {}
    sms: tuple[str, ...] = ()
    segments: int = 1
    mail_subject: str | None = None
    mail: str | None = None
    in_app_title: str | None = None
    in_app: str | None = None
    closes_by_hand: bool = False
    lasts_minutes: int | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels for which it has a text."""
        return tuple(channel for channel in Channel if self.texts(channel))

    def texts(self, channel: Channel) -> tuple[str, ...]:
        """All texts of the channel, titles included."""
        match channel:
            case Channel.SMS:
                return self.sms
            case Channel.EMAIL:
                return _given(self.mail_subject, self.mail)
            case Channel.IN_APP:
                return _given(self.in_app_title, self.in_app)

    def placeholders(self, channel: Channel) -> frozenset[str]:
        """The variables that stand in some text of the channel."""
        return frozenset(name for text in self.texts(channel) for name in placeholders_of(text))

    def needs(self, channel: Channel) -> frozenset[str]:
        """The variables that the channel's texts need, and those by which late ones are found."""
        lookups = {name for name, variable in self.variables.items() if variable.lookup}
        return self.placeholders(channel) | lookups


@lru_cache(maxsize=1024)  # the texts are few, and asked for with every message
def placeholders_of(text: str) -> frozenset[str]:
    """The names in braces. Raises `TemplateBroken` for anything but plain names: a value is put in, never reached
    into.
    """
    found: set[str] = set()
    try:
        for _, name, form, conversion in _FORMATTER.parse(text):
            if name is None:
                continue
            if form or conversion or NAME.fullmatch(name) is None:
                raise TemplateBroken(f"{{{name}}} is no plain variable")
            found.add(name)
    except ValueError as broken:
        raise TemplateBroken(str(broken)) from broken
    return frozenset(found)


def require_sound(template: Template) -> Template:
    """The template itself. Raises `TemplateBroken` where its texts and its variables contradict each other."""
    if not template.channels:
        raise TemplateBroken(f"{template.name} has no text")
    if (template.mail is None) != (template.mail_subject is None):
        raise TemplateBroken(f"{template.name}: a mail has a subject and a text")
    if (template.in_app is None) != (template.in_app_title is None):
        raise TemplateBroken(f"{template.name}: a message in the app has a title and a text")
    used = {name for channel in Channel for name in template.placeholders(channel)}
    declared = {name for name, variable in template.variables.items() if not variable.lookup}
    if used != declared:
        raise TemplateBroken(f"{template.name}: {', '.join(sorted(used ^ declared))} is declared or used, not both")
    for text in template.sms:
        if SIGNATURE.match(text) is None:
            raise TemplateBroken(f"{template.name}: an SMS begins with its signature 【…】")
    for name, variable in template.variables.items():
        _require_sound_variable(template, name, variable)
    return template


def _require_sound_variable(template: Template, name: str, variable: Variable) -> None:
    if NAME.fullmatch(name) is None or not 1 <= len(variable.example) <= variable.longest:
        raise TemplateBroken(f"{template.name}: {name} has no fitting name or example")
    if not variable.lines:
        return
    alone = name in {paragraph.strip(" {}") for paragraph in (template.mail or "").split("\n\n")}
    elsewhere = template.placeholders(Channel.SMS) | template.placeholders(Channel.IN_APP)
    if not alone or name in elsewhere or name in placeholders_of(template.mail_subject or ""):
        raise TemplateBroken(f"{template.name}: {name} is a list, which is a paragraph of a mail by itself")


def _given(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text is not None)
