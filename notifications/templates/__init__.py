"""文本模板: the words of every message, versioned, each with its legal wording in one TOML file of its name."""

from notifications.templates.catalogue import current, names, template_of, versions_of
from notifications.templates.compose import (
    InAppText,
    MailText,
    check,
    compose_in_app,
    compose_mail,
    compose_sms,
    preview_values,
)
from notifications.templates.model import (
    NoTextForChannel,
    Template,
    TemplateBroken,
    TemplateMismatch,
    TemplateUnknown,
    Variable,
)

__all__ = [
    "InAppText",
    "MailText",
    "NoTextForChannel",
    "Template",
    "TemplateBroken",
    "TemplateMismatch",
    "TemplateUnknown",
    "Variable",
    "check",
    "compose_in_app",
    "compose_mail",
    "compose_sms",
    "current",
    "names",
    "preview_values",
    "template_of",
    "versions_of",
]
