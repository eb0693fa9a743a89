"""`yima calendar`: show the working calendar of a year, and lay the days of a holiday notice over it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import click

from api.cluster import cluster_dsn
from api.register import INSTALLATION
from api.schemas.deadline import CalendarYear
from api.settings import read_settings
from api.wiring import open_parts
from api.working_calendar import year_of
from domain.deadline.calendar import lay_days
from domain.deadline.intake import read_days
from domain.deadline.model import CalendarChange, CalendarDay
from domain.shared.clock import month_and_day
from domain.shared.errors import DomainError

_UNREADABLE: Final = 2


@click.group("calendar")
def calendar_group() -> None:
    """工作日历: show a year, load a holiday notice."""


@calendar_group.command("show")
@click.argument("year", type=click.IntRange(2004, 2100))
def show(year: int) -> None:
    """Print the free weekdays and the worked weekends of YEAR, by which terms are counted."""
    for line in _described(asyncio.run(_read(year))):
        click.echo(line)


@calendar_group.command("load")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def load(file: Path) -> None:
    """Lay the days of FILE over the calendar: a CSV of `日期,班或休,说明`. Exit code 2 when FILE cannot be used.

    Every running process counts by them within ten seconds. Terms that were told to somebody stay as they are.
    """
    try:
        changed = asyncio.run(_load(read_days(file.read_bytes())))
    except OSError as broken:
        click.echo(f"无法读取文件：{broken}", err=True)
        sys.exit(_UNREADABLE)
    except DomainError as refusal:
        click.echo(f"未作任何更改：{refusal.detail}", err=True)
        sys.exit(_UNREADABLE)
    click.echo(f"已调整{changed.changed}天，日历第{changed.edition}版。")


def _described(year: CalendarYear) -> Iterator[str]:
    announced = "" if year.is_announced else "（尚无放假通知，按周一至周五计算）"
    yield f"{year.year}年：工作日{year.working_days}天{announced}，日历第{year.edition}版"
    yield f"放假（周一至周五）：{_days(year.holidays)}"
    yield f"调休上班（周末）：{_days(year.make_up_days)}"
    for day in year.laid_down:
        yield f"  {day.on.isoformat()} {'班' if day.is_working else '休'} {day.note}"


def _days(days: Sequence[date]) -> str:
    return "、".join(month_and_day(day) for day in days) or "无"


async def _read(year: int) -> CalendarYear:
    settings = read_settings()
    with cluster_dsn(settings) as dsn:
        async with (
            open_parts(
                dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima calendar"
            ) as parts,
            parts.work.reading() as connection,
        ):
            return await year_of(connection, year)


async def _load(days: Sequence[CalendarDay]) -> CalendarChange:
    settings = read_settings()
    with cluster_dsn(settings) as dsn:
        async with open_parts(
            dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima calendar"
        ) as parts:
            return await parts.work.run(INSTALLATION, lambda tx: lay_days(tx, days))
