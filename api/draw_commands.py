"""`yima draw`: re-run a published draw, and hand one out."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
import msgspec

from api.cluster import cluster_dsn
from api.settings import read_settings
from api.wiring import open_parts
from domain.selection import store
from domain.selection.model import WHOLE, DrawPurpose, DrawRecord, FrameEntry, Stratum
from domain.selection.verification import RecordUnreadable, read_record, verify

_UNREADABLE = 2
_SHOWN = 50
_PURPOSES = {DrawPurpose.OBJECTS: "检查对象", DrawPurpose.OFFICERS: "执法人员", DrawPurpose.ITEMS: "检查内容"}


@click.group("draw")
def draw_group() -> None:
    """随机抽取: re-run a published draw, hand one out."""


class _FrameFile:
    """A frame published beside its record, one entry a line; read anew at each walk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(FrameEntry)

    def __iter__(self) -> Iterator[FrameEntry]:
        try:
            with self._path.open("rb") as lines:
                yield from (self._decoder.decode(line) for line in lines if line.strip())
        except (msgspec.DecodeError, UnicodeDecodeError) as broken:
            raise RecordUnreadable(str(broken)) from broken


@draw_group.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--frame", "frame_file", type=click.Path(path_type=Path), help="The frame, where it is not in FILE.")
@click.option("--all", "shows_all", is_flag=True, help="Print every winner, however many.")
def verify_file(file: Path, frame_file: Path | None, shows_all: bool) -> None:
    """Re-run the draw recorded in FILE. Exit code 1 when anything differs, 2 when FILE cannot be read."""
    try:
        record = read_record(file.read_bytes())
        frame = record.frame or [] if frame_file is None else _FrameFile(frame_file)
        for line in _described(record, frame, len(record.winners) if shows_all else _SHOWN):
            click.echo(line)
        differences = verify(record, None if frame_file is None else frame)
    except (OSError, RecordUnreadable) as broken:
        click.echo(f"无法读取抽取记录：{broken}", err=True)
        sys.exit(_UNREADABLE)
    for difference in differences:
        click.echo(f"不一致：{difference}", err=True)
    click.echo("不一致" if differences else "一致")
    if differences:
        sys.exit(1)


def _described(record: DrawRecord, frame: list[FrameEntry] | _FrameFile, shown: int) -> Iterator[str]:
    yield f"{_PURPOSES[record.purpose]}抽取 {record.draw_id}，{record.drawn_at.isoformat()}"
    yield f"名录 {record.frame_size} 条，排除 {record.excluded} 条，规则来源：{record.rule_source}"
    reasons = Counter(entry.excluded for entry in frame if entry.excluded is not None)
    yield from (f"  排除 {count} 条：{reason.label}" for reason, count in sorted(reasons.items()))
    yield from (f"  {_stratum(each)}" for each in record.strata)
    yield f"中选 {len(record.winners)} 条"
    yield from (f"  {winner.id} {winner.stratum}" for winner in record.winners[:shown])
    if len(record.winners) > shown:
        yield f"  另有 {len(record.winners) - shown} 条，加 --all 全部列出"


def _stratum(each: Stratum) -> str:
    rule = f"{each.count} 名" if each.count is not None else f"{100 * (each.ratio or 0) / WHOLE:g}%"
    return f"分层 {each.name}：{each.size} 取 {each.wins}（{rule}）"


@draw_group.command("export")
@click.argument("identifier", metavar="ID", type=click.UUID)
def export(identifier: UUID) -> None:
    """Print the record of a draw, by its own id or by that of the inspection or task it was held for.

    Of several draws the latest that is not void. The record of a list shows which items were drawn: hand it out only
    after the scan.
    """
    stored = asyncio.run(_find(identifier))
    if stored is None:
        click.echo("没有该次抽取。", err=True)
        sys.exit(1)
    click.echo(stored.record)


async def _find(identifier: UUID) -> store.StoredDraw | None:
    settings = read_settings()
    with cluster_dsn(settings) as dsn:
        async with (
            open_parts(dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima draw") as parts,
            parts.work.reading() as connection,
        ):
            found = await store.DRAW_BY_ID.first(connection, draw_id=identifier)
            if found is not None:
                return found
            of_subject = await store.DRAWS_OF_SUBJECT.all(connection, subject_id=identifier)
    return next((each for each in of_subject if each.voided_at is None), of_subject[0] if of_subject else None)
