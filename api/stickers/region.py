"""The sites of a region, page by page, each with its code: what stickers and posters are drawn of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from api.wiring import Parts
from codes.poster import Poster
from codes.token import TokenKeys, code_url, issue_token
from domain.enterprise.operations import issue_codes
from domain.enterprise.store import COUNT_SITES, SITES_TO_CODE, SiteToCode
from domain.identity.store import ALL_REGIONS
from domain.shared.errors import Conflict, NotFound
from domain.shared.events import Operator
from domain.shared.transaction import Outcome, Transaction

_ATTEMPTS: Final = 3


class Place(msgspec.Struct, frozen=True):
    """The region that was asked for, and every code beneath it, current and past."""

    code: str
    path: str
    codes: list[str]


class SiteCursor(msgspec.Struct, frozen=True):
    """Where a page ended."""

    region_code: str
    site_id: UUID


FIRST: Final = SiteCursor("", UUID(int=0))


class CodedPage(msgspec.Struct, frozen=True):
    """Sites with their codes, and how many of these were issued just now."""

    rows: list[SiteToCode]
    issued: int


class Posters(msgspec.Struct, frozen=True):
    """The pages of some sites, and how many sites have none, their code's key being retired."""

    pages: list[Poster]
    retired: int


async def find_place(parts: Parts, region_code: str) -> Place:
    """The region of that code. Raises `NotFound`."""
    async with parts.work.reading() as connection:
        regions = await ALL_REGIONS.all(connection)
    top = next((each.path for each in regions if each.code == region_code), None)
    if top is None:
        raise NotFound(f"没有行政区划 {region_code}。", field="region")
    codes = [each.code for each in regions if f"{each.path}.".startswith(f"{top}.")]
    return Place(region_code, top, codes)


async def count_sites(parts: Parts, place: Place) -> int:
    """How many sites there are, for the progress bar."""
    async with parts.work.reading() as connection:
        return (await COUNT_SITES.one(connection, region_codes=place.codes)).sites


def cursor_of(last: SiteToCode | None) -> SiteCursor:
    """The cursor behind the site `last`."""
    return FIRST if last is None else SiteCursor(last.region.rpartition(".")[2], last.site_id)


async def take_sites(parts: Parts, operator: Operator, place: Place, after: SiteCursor, limit: int) -> CodedPage:
    """The next `limit` sites behind `after`, every one with a code: what is missing is issued in one transaction."""
    for _attempt in range(1, _ATTEMPTS):
        try:
            return await _take(parts, operator, place, after, limit)
        except Conflict:  # another batch issued some of them meanwhile: read them again
            continue
    return await _take(parts, operator, place, after, limit)


async def _take(parts: Parts, operator: Operator, place: Place, after: SiteCursor, limit: int) -> CodedPage:
    keys = parts.code_keys

    async def take(tx: Transaction) -> Outcome[CodedPage]:
        rows = await SITES_TO_CODE.all(
            tx.connection,
            region_codes=place.codes,
            after_region=after.region_code,
            after_id=after.site_id,
            limit=limit,
        )
        missing = [row.site_id for row in rows if row.code_id is None]
        outcome = await issue_codes(tx, missing, place.path, keys)
        fresh = {code.site_id: code for code in outcome.answer}
        coded = [
            msgspec.structs.replace(row, code_id=fresh[row.site_id].code_id, key_version=keys.current)
            if row.site_id in fresh
            else row
            for row in rows
        ]
        return Outcome(answer=CodedPage(coded, len(missing)), events=outcome.events)

    return await parts.work.run(operator, take)


def poster_of(row: SiteToCode, keys: TokenKeys, public_url: str) -> Poster | None:
    """The page of one site; None where it has no code that verifies. Raises `InvalidPublicUrl`."""
    if row.code_id is None or row.key_version is None or not keys.verifies(row.key_version):
        return None
    return Poster(
        name=row.name,
        site=row.site_name,
        uscc=row.uscc,
        url=code_url(public_url, issue_token(keys, row.code_id, row.key_version)),
        authority=row.regulator,
        hotline=row.hotline,
    )


def posters_of(rows: Sequence[SiteToCode], keys: TokenKeys, public_url: str) -> Posters:
    """The pages of `rows`."""
    drawn = [poster_of(row, keys, public_url) for row in rows]
    pages = [page for page in drawn if page is not None]
    return Posters(pages, len(rows) - len(pages))
