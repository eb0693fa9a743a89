"""What anybody may read behind a code: a page, a linkset, or JSON, out of memory or of one statement."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

import msgspec

from api import pages
from api.live import Feed
from api.page_cache import CachedPage, PageCache
from api.schemas.scan import LINKSET_MEDIA_TYPE, linkset
from api.wiring import Parts
from domain.enterprise.rules import require_valid
from domain.scan import operations
from domain.scan.store import ScannedResults
from domain.shared.clock import local_date

JSON = "application/json"
HTML = "text/html"
_PUBLIC = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization"}
ELDER = "text/html; view=elder"
"""The 长辈版, at an address of its own: the same bytes for everybody there, so it is kept like the other page."""
HEADERS: Mapping[str, Mapping[str, str]] = {
    JSON: _PUBLIC,
    LINKSET_MEDIA_TYPE: _PUBLIC,
    HTML: {**_PUBLIC, **pages.HEADERS},
    ELDER: {**_PUBLIC, **pages.HEADERS},
}
"""The headers of each representation."""


def wanted(accept: str) -> str:
    """The representation for an Accept header: HTML unless something else is asked for by name, and first."""
    for part in accept.split(","):
        media = part.partition(";")[0].strip().lower()
        if media in {LINKSET_MEDIA_TYPE, JSON}:
            return media
        if media in {HTML, "application/xhtml+xml"}:
            break
    return HTML


def holds(if_none_match: str, etag: str) -> bool:
    """Whether the caller has it already. Weakly compared (RFC 9110, 13.1.2): who compresses marks our tag as weak."""
    return etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}


def etag_of(body: bytes) -> str:
    """The entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


class PublicReader:
    """Reads for who is not signed in. Nothing is written."""

    def __init__(self, parts: Parts, feed: Feed, cache: PageCache, public_url: str) -> None:
        """Keep pages in `cache` for as long as `feed` would tell of a change."""
        self._parts = parts
        self._feed = feed
        self._cache = cache
        self._public_url = public_url

    async def read(self, token: str, media_type: str) -> CachedPage:
        """The representation (one of `HEADERS`): without the database where this process would know of a change.

        Raises `InvalidCode`, `CodeWasReplaced`, `CodeWasRevoked` or `DatabaseAway`.
        """
        code_id = operations.code_id_of(token, self._parts.code_keys)
        today = local_date(self._parts.clock())  # licences expire and publications end with the day
        place = (code_id, media_type if media_type == LINKSET_MEDIA_TYPE else f"{media_type} {today}")
        if self._feed.is_current:
            known = self._cache.get(place)
            if known is not None:
                return known
        since = self._cache.begin_reading()
        async with self._parts.work.reading() as connection:
            site = await operations.find_site(connection, code_id)
        require_valid(site.code_state)
        body = self._render(site, token, media_type, today)
        page = CachedPage(body, etag_of(body), site.site_id)
        if self._feed.is_current:
            self._cache.put(place, page, since)
        return page

    def _render(self, site: ScannedResults, token: str, media_type: str, today: date) -> bytes:
        if media_type == LINKSET_MEDIA_TYPE:
            return msgspec.json.encode(linkset(self._public_url, token.upper(), site))
        view = operations.public_view(site, today)
        if media_type == JSON:
            return msgspec.json.encode(view)
        address = f"{self._public_url}/c/{token.upper()}"
        return pages.render_site(view, today, address, elder=media_type == ELDER)
