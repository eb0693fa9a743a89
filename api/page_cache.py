"""Public pages kept in memory, and thrown away the moment something about their site is placed in the trace.

What was read before a change must not be kept after it, so an entry is accepted only when nothing about its site was
evicted since its reading began.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

import msgspec

_REMEMBERED_EVICTIONS = 10_000
_ENTRY_OVERHEAD = 400


class CachedPage(msgspec.Struct, frozen=True):
    """The bytes of one representation, and its entity tag."""

    body: bytes
    etag: str
    site_id: UUID


Place = tuple[bytes, str]
"""Code id and representation."""


class PageCache:
    """At most `capacity` bytes of pages, the least recently used leave first; 0 keeps none."""

    def __init__(self, capacity: int) -> None:
        """Start empty."""
        self._capacity = capacity
        self._size = 0
        self._pages: OrderedDict[Place, CachedPage] = OrderedDict()
        self._of_site: dict[UUID, set[Place]] = {}
        self._evicted: OrderedDict[UUID, int] = OrderedDict()
        self._clock = 0
        self._forgotten_until = 0

    def get(self, place: Place) -> CachedPage | None:
        """The page, if it is kept."""
        page = self._pages.get(place)
        if page is not None:
            self._pages.move_to_end(place)
        return page

    def begin_reading(self) -> int:
        """The moment to hand to `put`, taken before the database is asked."""
        return self._clock

    def put(self, place: Place, page: CachedPage, since: int) -> None:
        """Keep `page`, unless its site changed after `since` or so much did that it cannot be told."""
        changed = since < self._forgotten_until or self._evicted.get(page.site_id, 0) > since
        weight = len(page.body) + _ENTRY_OVERHEAD
        if changed or weight > self._capacity:
            return
        self._drop(place)
        self._pages[place] = page
        self._of_site.setdefault(page.site_id, set()).add(place)
        self._size += weight
        while self._size > self._capacity:
            self._drop(next(iter(self._pages)))

    def evict(self, site_id: UUID) -> None:
        """Forget every page of that site."""
        self._clock += 1
        self._evicted[site_id] = self._clock
        self._evicted.move_to_end(site_id)
        if len(self._evicted) > _REMEMBERED_EVICTIONS:
            self._forgotten_until = self._evicted.popitem(last=False)[1]
        for place in list(self._of_site.get(site_id, ())):
            self._drop(place)

    def evict_all(self) -> None:
        """Forget everything: many sites changed at once."""
        self._clock += 1
        self._forgotten_until = self._clock
        self._evicted.clear()
        self._pages.clear()
        self._of_site.clear()
        self._size = 0

    def _drop(self, place: Place) -> None:
        page = self._pages.pop(place, None)
        if page is None:
            return
        self._size -= len(page.body) + _ENTRY_OVERHEAD
        places = self._of_site[page.site_id]
        places.discard(place)
        if not places:
            del self._of_site[page.site_id]
