"""Whether a document is a linkset: every demand of RFC 9264, section 4.2, on its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_REGISTERED: Final = frozenset({"about", "alternate", "canonical", "describedby", "item", "license", "next", "self"})
"""Of the registered relation types, those that we use; any other relation is a URI (RFC 8288, 2.1.2)."""
_SINGLE: Final = frozenset({"media", "title", "type"})
"""Attributes of RFC 8288 that come once, as a string (4.2.4.1)."""
_DEFAULT_LINK: Final = "https://ref.gs1.org/voc/defaultLink"


def faults_of(document: Any) -> list[str]:
    """What of `document` is against the RFC, and whether it has exactly one default link (GS1 Digital Link)."""
    if not isinstance(document, Mapping) or set(document) != {"linkset"}:
        return ["4.2.1: an object whose sole member is `linkset`"]
    if not isinstance(document["linkset"], list):
        return ["4.2.1: `linkset` is an array"]
    faults = [fault for context in document["linkset"] for fault in _context_faults(context)]
    defaults = sum(len(context.get(_DEFAULT_LINK, [])) for context in document["linkset"])
    return faults if defaults == 1 else [*faults, f"{defaults} default links"]


def _context_faults(context: Any) -> list[str]:
    if not isinstance(context, Mapping):
        return ["4.2.2: a link context is an object"]
    faults = []
    if not _is_absolute(context.get("anchor")):
        faults.append("3 and 4.2.2: `anchor` is a string, and no relative reference")
    relations = {name: targets for name, targets in context.items() if name != "anchor"}
    for name, targets in relations.items():
        if name not in _REGISTERED and not _is_absolute(name):
            faults.append(f"4.2.3: {name} is neither a registered relation type nor a URI")
        if not isinstance(targets, list) or not targets:
            faults.append(f"4.2.3: {name} is an array of distinct target objects")
            continue
        if any(targets.count(target) > 1 for target in targets):
            faults.append(f"4.2.3: {name} names a target twice")
        faults += [f"{name}: {fault}" for target in targets for fault in _target_faults(target)]
    return faults


def _target_faults(target: Any) -> list[str]:
    if not isinstance(target, Mapping) or not _is_absolute(target.get("href")):
        return ["4.2.3: a target is an object with an `href` that is no relative reference"]
    return [fault for name, value in target.items() if name != "href" for fault in _attribute_faults(name, value)]


def _attribute_faults(name: str, value: Any) -> list[str]:
    if name in _SINGLE:
        return [] if isinstance(value, str) else [f"4.2.4.1: {name} is a string"]
    if not isinstance(value, list) or not value:
        return [f"4.2.4: {name} is an array"]
    if name.endswith("*"):
        fits = all(_is_internationalised(each) for each in value)
        return [] if fits else [f"4.2.4.2: {name} is an array of objects with `value` and perhaps `language`"]
    return [] if all(isinstance(each, str) for each in value) else [f"4.2.4: {name} is an array of strings"]


def _is_internationalised(each: Any) -> bool:
    return (
        isinstance(each, Mapping)
        and isinstance(each.get("value"), str)
        and set(each) <= {"value", "language"}
        and isinstance(each.get("language", ""), str)
    )


def _is_absolute(reference: Any) -> bool:
    return isinstance(reference, str) and bool(urlsplit(reference).scheme)
