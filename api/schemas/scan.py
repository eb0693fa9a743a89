"""RFC 9264 linksets: one code, many links, exactly one of them the default."""

from __future__ import annotations

import msgspec

from domain.enterprise.model import SiteCard

LINKSET_MEDIA_TYPE = "application/linkset+json"
_DEFAULT_LINK = "https://ref.gs1.org/voc/defaultLink"


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target with its attributes."""

    href: str
    type: str = ""
    title: str = ""
    hreflang: list[str] = []


def linkset(public_url: str, token: str, site: SiteCard) -> dict[str, list[dict[str, object]]]:
    """The links of a site's code. The anchor is what the code says, in lower case as it is served."""
    page = f"{public_url}/c/{token}"
    links: dict[str, object] = {
        "anchor": page,
        _DEFAULT_LINK: [Link(href=page, type="text/html", title=site.name, hreflang=["zh-CN"])],
        "alternate": [Link(href=f"{public_url}/api/v1/codes/{token}", type="application/json")],
        "about": [Link(href=f"{public_url}/api/v1/public/enterprises/{site.uscc}", type="application/json")],
    }
    return {"linkset": [links]}
