"""Pages of the exposure board."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from api import pages
from api.schemas.exposure import PublicExposurePage
from codes.divisions import resolve_division
from domain.exposure.model import PublicExposure
from domain.exposure.store import Publisher


class ExposureFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser's form asked for, as it was typed."""

    department: str
    region: str
    keyword: str

    @property
    def department_id(self) -> UUID | None:
        """The department, if one was chosen."""
        try:
            return UUID(self.department) if self.department else None
        except ValueError:
            return None

    @property
    def region_code(self) -> str | None:
        """The region, if there is one of that code."""
        return self.region if self.region and resolve_division(self.region) else None


def render_exposures(page: PublicExposurePage, asked: ExposureFilters, publishers: Sequence[Publisher]) -> bytes:
    """曝光台."""
    more = None
    if page.next_cursor:
        given = {**msgspec.structs.asdict(asked), "cursor": page.next_cursor}
        more = f"?{urlencode({name: value for name, value in given.items() if value})}"
    return pages.render("exposures.html", page=page, asked=asked, publishers=publishers, more=more)


def render_exposure(found: PublicExposure) -> bytes:
    """One of them."""
    paragraphs = [line for line in (found.text or "").splitlines() if line.strip()]
    return pages.render("exposure.html", found=found, paragraphs=paragraphs)


def render_gone() -> bytes:
    """What was withdrawn, has ended or never was, tells the same."""
    return pages.render(
        "ended.html", heading="没有该曝光信息", paragraphs=["该信息不存在、已到期或已撤下。"], hotline=None
    )
