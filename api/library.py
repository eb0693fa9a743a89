"""What anybody may read of manuals and checklists in force: pages and JSON, out of memory or of a few statements."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import msgspec

from api.live import Feed
from api.page_cache import CachedPage, PageCache
from api.pages import manual as pages
from api.public_reader import ELDER, HTML, JSON
from api.schemas.cursor import LAST_ID, cut, read_cursor
from api.schemas.library import PublicChecklistPage, to_checklist, to_checklist_line
from api.schemas.manual import FIRST_MANUAL, ManualStart, PublicManualPage, to_public, to_public_line
from api.wiring import Parts
from codes.divisions import UnknownDivision, ltree_path
from domain.checklist import rules as checklist_rules
from domain.checklist import store as checklists
from domain.manual import rules, store
from domain.manual.operations import read_chapters
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection

SHELF: Final = UUID(int=1)
"""What lists are evicted by: every list may change with any manual or checklist."""
_MOST_OTHERS: Final = 60


class ShelfQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is asked for: `region` is a code of six digits."""

    business_type: str | None = None
    region: str | None = None
    cursor: str | None = None
    limit: int = 50

    def kept_as(self, shelf: bytes) -> bytes | None:
        """The name under which the answer is kept; None where a reader could make up any number of questions."""
        if self.business_type is not None or self.cursor is not None:
            return None
        return shelf + msgspec.json.encode(self)


class Library:
    """Reads for everybody. Nothing is written."""

    def __init__(self, parts: Parts, feed: Feed, cache: PageCache) -> None:
        """Keep pages in `cache` for as long as `feed` would tell of a change."""
        self._parts = parts
        self._feed = feed
        self._cache = cache

    async def manuals(self, query: ShelfQuery, media_type: str) -> CachedPage:
        """The manuals in force. Raises `InvalidField` or `DatabaseAway`."""
        start, region = read_cursor(query.cursor, FIRST_MANUAL), _path(query.region)

        async def read(connection: Connection) -> bytes:
            found = await store.LIST_PUBLISHED.all(
                connection,
                business_type=query.business_type,
                region=region,
                after_place=start.place,
                after_id=start.id,
                limit=query.limit + 1,
            )
            shown, more = cut(found, query.limit, lambda each: ManualStart(each.place, each.id))
            page = PublicManualPage(items=[to_public_line(each) for each in shown], next_cursor=more)
            return pages.render_manuals(page, query.business_type) if media_type == HTML else msgspec.json.encode(page)

        return await self._kept(query.kept_as(b"manuals"), media_type, SHELF, read)

    async def manual(self, manual_id: UUID, media_type: str) -> CachedPage:
        """One manual in force. Raises `NotFound` or `DatabaseAway`."""

        async def read(connection: Connection) -> bytes:
            found = await store.PUBLISHED_BY_ID.first(connection, manual_id=manual_id)
            if found is None:
                raise NotFound(rules.NOT_FOUND)
            shown = to_public(found, await read_chapters(connection, found.version_id))
            if media_type == JSON:
                return msgspec.json.encode(shown)
            others = await store.LIST_PUBLISHED.all(
                connection,
                business_type=None,
                region=None,
                after_place=FIRST_MANUAL.place,
                after_id=FIRST_MANUAL.id,
                limit=_MOST_OTHERS,
            )
            return pages.render_manual(shown, [to_public_line(each) for each in others], elder=media_type == ELDER)

        return await self._kept(manual_id.bytes, media_type, manual_id, read)

    async def checklists(self, query: ShelfQuery, media_type: str) -> CachedPage:
        """The checklists in use. Raises `InvalidField` or `DatabaseAway`."""
        before, region = read_cursor(query.cursor, LAST_ID), _path(query.region)

        async def read(connection: Connection) -> bytes:
            found = await checklists.LIST_PUBLIC_CHECKLISTS.all(
                connection,
                business_type=query.business_type,
                region=region,
                before_id=before,
                limit=query.limit + 1,
            )
            shown, more = cut(found, query.limit, lambda each: each.id)
            page = PublicChecklistPage(items=[to_checklist_line(each) for each in shown], next_cursor=more)
            return (
                pages.render_checklists(page, query.business_type) if media_type == HTML else msgspec.json.encode(page)
            )

        return await self._kept(query.kept_as(b"checklists"), media_type, SHELF, read)

    async def checklist(self, checklist_id: UUID, media_type: str) -> CachedPage:
        """One checklist in use. Raises `NotFound` or `DatabaseAway`."""

        async def read(connection: Connection) -> bytes:
            found = await checklists.PUBLIC_CHECKLIST_BY_ID.first(connection, checklist_id=checklist_id)
            if found is None:
                raise NotFound(checklist_rules.NOT_FOUND)
            items = await checklists.ITEMS_OF_VERSION.all(connection, version_id=found.version_id)
            shown = to_checklist(found, items)
            if media_type == JSON:
                return msgspec.json.encode(shown)
            return pages.render_checklist(shown, elder=media_type == ELDER)

        return await self._kept(checklist_id.bytes, media_type, checklist_id, read)

    async def _kept(
        self, name: bytes | None, media_type: str, subject: UUID, read: Callable[[Connection], Awaitable[bytes]]
    ) -> CachedPage:
        """The page of that name: without the database where this process would know of a change."""
        place = None if name is None else (name, media_type)
        if place is not None and self._feed.is_current:
            known = self._cache.get(place)
            if known is not None:
                return known
        since = self._cache.begin_reading()
        async with self._parts.work.reading() as connection:
            body = await read(connection)
        page = CachedPage(body, f'"{hashlib.sha256(body).hexdigest()[:24]}"', subject)
        if place is not None and self._feed.is_current:
            self._cache.put(place, page, since)
        return page


def _path(region: str | None) -> str | None:
    """The ltree path of a region's code. Raises `InvalidField`."""
    if region is None:
        return None
    try:
        return ltree_path(region)
    except UnknownDivision as unknown:
        raise InvalidField("没有这个区划编码，应为6位，如450103。", field="region") from unknown
