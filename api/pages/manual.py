"""Pages of manuals and checklists (MAN-08, PUB-02, PUB-07): a directory to jump by, and the other trades beside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlencode

from api import pages
from api.schemas.library import PublicChecklistDetail, PublicChecklistPage
from api.schemas.manual import PublicManual, PublicManualLine, PublicManualPage
from domain.checklist.model import Severity
from domain.manual.model import Requirement


def render_manuals(page: PublicManualPage, business_type: str | None) -> bytes:
    """经营手册列表 (PUB-01)."""
    return pages.render(
        "manuals.html", manuals=page.items, business_type=business_type, more=_more(page.next_cursor, business_type)
    )


def render_manual(
    manual: PublicManual, others: Sequence[PublicManualLine], *, draft: str | None = None, elder: bool = False
) -> bytes:
    """经营手册 (PUB-02), with a switch to the manuals of other 业态; `draft` says that it is not in force, and why."""
    numbers = {each.code: place for place, each in enumerate(_requirements(manual), start=1)}
    return pages.render("manual.html", manual=manual, others=others, numbers=numbers, draft=draft, elder=elder)


def _requirements(manual: PublicManual) -> list[Requirement]:
    return [
        requirement
        for chapter in manual.chapters
        for group in (chapter.requirements, *(section.requirements for section in chapter.sections))
        for requirement in group
    ]


def render_checklists(page: PublicChecklistPage, business_type: str | None) -> bytes:
    """检查单列表 (PUB-06)."""
    return pages.render(
        "checklists.html",
        checklists=page.items,
        business_type=business_type,
        more=_more(page.next_cursor, business_type),
    )


def render_checklist(checklist: PublicChecklistDetail, *, elder: bool = False) -> bytes:
    """检查单 by 检查领域 (PUB-07)."""
    areas = [(area, list(items)) for area, items in groupby(checklist.items, key=lambda item: item.area)]
    return pages.render("checklist.html", checklist=checklist, areas=areas, severe=Severity.SEVERE, elder=elder)


def render_missing(what: str) -> bytes:
    """What the address of a manual or checklist tells that is not in force."""
    return pages.render(
        "ended.html",
        heading=f"没有找到这份{what}",
        paragraphs=[f"这份{what}可能已经停用或者换了新的地址。", "可以从目录中查找现行的版本。"],
        hotline=None,
    )


def _more(cursor: str | None, business_type: str | None) -> str | None:
    if cursor is None:
        return None
    chosen = {} if business_type is None else {"business_type": business_type}
    return "?" + urlencode({**chosen, "cursor": cursor})
