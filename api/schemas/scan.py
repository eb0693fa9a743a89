"""RFC 9264 linksets: one code or one enterprise, many links, exactly one of them the default."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from domain.manual.model import ManualOfSite
from domain.scan.operations import PublicEnterprise
from domain.scan.store import ScannedResults

LINKSET_MEDIA_TYPE: Final = "application/linkset+json"
_DEFAULT_LINK: Final = "https://ref.gs1.org/voc/defaultLink"
_HTML: Final = "text/html"
_JSON: Final = "application/json"


class Title(msgspec.Struct, frozen=True):
    """A title in its language (RFC 9264, 4.2.4.2)."""

    value: str
    language: str = "zh-CN"


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target with its attributes: `title*` says in which language it is, which a set of links alone cannot."""

    href: str
    type: str = ""
    hreflang: list[str] = []
    titles: list[Title] = msgspec.field(name="title*", default=[])


Linkset = dict[str, list[dict[str, object]]]


def _page(href: str, title: str) -> Link:
    return Link(href=href, type=_HTML, hreflang=["zh-CN"], titles=[Title(title)])


def _api(href: str) -> Link:
    return Link(href=href, type=_JSON)


def relation(public_url: str, name: str) -> str:
    """The URI of a relation that no registry knows; it leads to where the words of our open data are explained."""
    return f"{public_url}/open-data#{name}"


def linkset(public_url: str, token: str, site: ScannedResults) -> Linkset:
    """The links of a site's code. The anchor is what the code says, in lower case as it is served."""
    page = f"{public_url}/c/{token}"
    context: dict[str, object] = {
        "anchor": page,
        _DEFAULT_LINK: [_page(page, site.name)],
        "canonical": [_page(page, site.name)],
        "alternate": [_page(f"{page}/elder", f"{site.name}（长辈版）"), _api(f"{public_url}/api/v1/codes/{token}")],
        "about": [_api(_enterprise_api(public_url, site.uscc))],
        relation(public_url, "enterprise"): [_page(_enterprise_page(public_url, site.uscc), site.name)],
        relation(public_url, "results"): [_api(_results_api(public_url, site.uscc))],
        relation(public_url, "complaint"): [_page(f"{page}/complaint", "投诉")],
        relation(public_url, "tip-off"): [_page(f"{page}/tip-off", "举报")],
    }
    return _with_manuals(public_url, context, site.manuals)


def enterprise_linkset(public_url: str, found: PublicEnterprise) -> Linkset:
    """The links of an enterprise. Its codes are not among them: a code is read at the door."""
    own = _enterprise_api(public_url, found.uscc)
    page = _enterprise_page(public_url, found.uscc)
    context: dict[str, object] = {
        "anchor": own,
        _DEFAULT_LINK: [_page(page, found.name)],
        "self": [_api(own)],
        "alternate": [_page(page, found.name)],
        relation(public_url, "results"): [_api(_results_api(public_url, found.uscc))],
    }
    manuals = {each.id: each for site in found.sites for each in site.manuals or []}
    return _with_manuals(public_url, context, list(manuals.values()))


def _with_manuals(public_url: str, context: dict[str, object], manuals: list[ManualOfSite]) -> Linkset:
    if manuals:
        context[relation(public_url, "manual")] = [
            _page(f"{public_url}/manuals/{each.id}", each.name) for each in manuals
        ]
    return {"linkset": [context]}


def _enterprise_api(public_url: str, uscc: str) -> str:
    return f"{public_url}/api/v1/public/enterprises/{quote(uscc)}"


def _enterprise_page(public_url: str, uscc: str) -> str:
    return f"{public_url}/e/{quote(uscc)}"


def _results_api(public_url: str, uscc: str) -> str:
    return f"{public_url}/api/v1/public/results?uscc={quote(uscc)}"
