"""The templates that there are: one TOML file each beside this module, the versions in it from old to new."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from notifications.templates.model import NAME, Template, TemplateBroken, TemplateUnknown, require_sound

_FOLDER: Final[Traversable] = files("notifications.templates")
_SUFFIX: Final = ".toml"


@cache
def names() -> tuple[str, ...]:
    """The names of all templates, sorted."""
    found = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def versions_of(name: str) -> tuple[Template, ...]:
    """All versions of the template, the current one last. Raises `TemplateUnknown`."""
    if NAME.fullmatch(name) is None or name not in names():
        raise TemplateUnknown(name)
    try:
        written = tomllib.loads((_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))
        versions = tuple(
            require_sound(msgspec.convert({**version, "name": name, "version": number}, Template))
            for number, version in enumerate(written["version"], start=1)
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, KeyError, TypeError) as broken:
        raise TemplateBroken(f"{name}{_SUFFIX}: {broken}") from broken
    if not versions:
        raise TemplateBroken(f"{name}{_SUFFIX} has no version")
    return versions


def current(name: str) -> Template:
    """The version by which new messages are written. Raises `TemplateUnknown`."""
    return versions_of(name)[-1]


def template_of(name: str, version: int) -> Template:
    """The version that a stored message names. Raises `TemplateUnknown`."""
    versions = versions_of(name)
    if not 1 <= version <= len(versions):
        raise TemplateUnknown(f"{name}, version {version}")
    return versions[version - 1]
