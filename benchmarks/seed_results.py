"""Finished inspections behind a quarter of the codes, published: a scan that joins nothing would seem too fast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from benchmarks.seeding import Seeding, Site
from codes.divisions import ltree_path
from domain.publication.rules import ends_on, latest_at
from domain.shared.clock import local_date

_EVERY = 4
_TWICE_EVERY = 20
_REPLY_EVERY = 40
_OUTCOMES = ("no_problem", "no_problem", "no_problem", "problem_pending")


class _Finished(msgspec.Struct, frozen=True):
    id: UUID
    publication_id: UUID
    number: int
    site: Site
    completed_at: datetime
    is_withdrawn: bool


async def seed_results(seeding: Seeding, sites: Sequence[Site]) -> None:
    """One published result at every fourth site, a withdrawn one beside it at every twentieth, replies at some."""
    finished = [
        _Finished(
            seeding.id(),
            seeding.id(),
            number,
            site,
            seeding.now - timedelta(days=30 + number % 700 + 10 * place),
            place == 1,
        )
        for number, site in enumerate(sites)
        if number % _EVERY == 0
        for place in range(2 if number % _TWICE_EVERY == 0 else 1)
    ]
    await seeding.copy(
        "inspection",
        "id name kind source basis mode state outcome scene_code site_id region initiating_department_id starts_on "
        "due_on approved_at approved_by is_urgent created_at completed_at",
        (_inspection_row(seeding, each) for each in finished),
    )
    await seeding.copy(
        "inspection_party",
        "inspection_id department_id is_lead",
        ((each.id, seeding.departments[each.site.regulator], True) for each in finished),
    )
    await seeding.copy(
        "publication",
        "id inspection_id enterprise_id site_id state due_at latest_at ends_on published_at is_contested withdrawn_at "
        "withdrawn_reason",
        _publication_rows(finished),
    )
    await seeding.copy(
        "public_reply",
        "id publication_id text submitted_by submitted_at",
        (
            (seeding.id(), each.publication_id, "已按要求整改，并加强了日常管理。", seeding.id(), each.completed_at)
            for each in finished
            if each.number % _REPLY_EVERY == 0 and not each.is_withdrawn
        ),
    )


def _publication_rows(finished: Sequence[_Finished]) -> list[tuple[object, ...]]:
    # The working days of so many dates would take longer than all the rest.
    latest: dict[date, datetime] = {}
    rows: list[tuple[object, ...]] = []
    for each in finished:
        done_at = each.completed_at
        day = local_date(done_at)
        if day not in latest:
            latest[day] = latest_at(done_at)
        ended = (done_at + timedelta(days=5), "撤下") if each.is_withdrawn else (None, None)
        rows.append(
            (
                each.publication_id,
                each.id,
                each.site.enterprise_id,
                each.site.id,
                "withdrawn" if each.is_withdrawn else "published",
                done_at,
                latest[day],
                ends_on(day),
                done_at,
                False,
                *ended,
            )
        )
    return rows


def _inspection_row(seeding: Seeding, each: _Finished) -> tuple[object, ...]:
    began_at = each.completed_at - timedelta(days=1)
    return (
        each.id,
        f"{each.site.name}日常检查",
        "routine",
        "年度检查计划",
        "《中华人民共和国食品安全法》",
        "on_site",
        "completed",
        _OUTCOMES[each.number // _EVERY % len(_OUTCOMES)],
        "S01",
        each.site.id,
        ltree_path(each.site.county.code),
        seeding.departments[each.site.regulator],
        local_date(began_at),
        local_date(began_at) + timedelta(days=30),
        began_at,
        "部门负责人",
        False,
        began_at,
        each.completed_at,
    )
