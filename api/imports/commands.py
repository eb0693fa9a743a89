"""批量导入 of enterprises and officers, and the commands `yima import`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.cluster import ClusterError, cluster_dsn
from api.imports.run import ImportKind, ImportProgress, ImportReport, run_import
from api.imports.templates import UnknownTemplateFormat, write_template
from api.settings import Settings, SettingsError, read_settings
from api.wiring import Parts, open_parts
from domain.enterprise import columns as enterprise_columns
from domain.enterprise.columns import places_of
from domain.enterprise.events import EnterprisesImported
from domain.enterprise.intake import EnterpriseRow, judge_enterprise
from domain.enterprise.intake_store import save_enterprises
from domain.identity.store import ALL_DEPARTMENTS, ALL_REGIONS
from domain.membership.operations import review_claims
from domain.officer import columns as officer_columns
from domain.officer.events import OfficersImported
from domain.officer.intake import Departments, OfficerRow, judge_officer
from domain.officer.intake_store import save_officers
from domain.shared.cells import RowFault
from domain.shared.errors import DomainError
from domain.shared.events import Event
from domain.shared.keys import KeysMissing, WrongKeys
from domain.shared.rows import FileUnreadable
from domain.shared.transaction import Transaction

_COLUMNS: Final = {"enterprises": enterprise_columns.COLUMNS, "officers": officer_columns.COLUMNS}
_POOL_SIZE: Final = 4


class ImportRefused(Exception):
    """The register is not ready for this import; the message says what is missing, in Chinese."""


async def import_enterprises(
    parts: Parts,
    file: Path,
    *,
    bad_rows: Path | None = None,
    again: bool = False,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """导入监管对象 (OBJ-01 to OBJ-04) by credit code. `bad_rows` is `FILE.bad.csv` if None.

    Raises `FileUnreadable`, `ImportRefused`, and `ImportMovedOn` when another process imports the same file.
    """
    async with parts.work.reading() as connection:
        places = places_of(await ALL_REGIONS.all(connection))
    if not places:
        raise ImportRefused("行政区划表是空的，请先录入行政区划。")

    async def save(tx: Transaction, rows: Sequence[EnterpriseRow]) -> list[RowFault]:
        await save_enterprises(tx, rows)
        return []

    async def follow(tx: Transaction, rows: Sequence[EnterpriseRow]) -> Sequence[Event]:
        return await review_claims(tx, [row.uscc for row in rows if row.legal_representative is not None])

    kind = ImportKind[EnterpriseRow](
        name="enterprises",
        columns=enterprise_columns.COLUMNS,
        key_header="统一社会信用代码",
        key=lambda row: row.uscc,
        judge=lambda line, cells: judge_enterprise(line, cells, places),
        save=save,
        event=lambda batch_id, counts: EnterprisesImported(subject_id=batch_id, after=counts),
        follow=follow,
    )
    return await run_import(parts, kind, file, bad_rows, again=again, progress=progress)


async def import_officers(
    parts: Parts,
    file: Path,
    *,
    bad_rows: Path | None = None,
    again: bool = False,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """导入监管人员 (STF-01) by identity number. `bad_rows` is `FILE.bad.csv` if None.

    Raises `FileUnreadable`, `ImportRefused`, and `ImportMovedOn` when another process imports the same file.
    """
    async with parts.work.reading() as connection:
        places = places_of(await ALL_REGIONS.all(connection))
        departments = await ALL_DEPARTMENTS.all(connection)
    if not departments:
        raise ImportRefused("部门表是空的，请先录入监管部门。")
    known = Departments(departments)
    kind = ImportKind[OfficerRow](
        name="officers",
        columns=officer_columns.COLUMNS,
        key_header="身份证号",
        key=lambda row: row.resident_id,
        judge=lambda line, cells: judge_officer(line, cells, places, known),
        save=save_officers,
        event=lambda batch_id, counts: OfficersImported(subject_id=batch_id, after=counts),
    )
    return await run_import(parts, kind, file, bad_rows, again=again, progress=progress)


# ---- the commands


class _Import(Protocol):
    def __call__(
        self,
        parts: Parts,
        file: Path,
        *,
        bad_rows: Path | None,
        again: bool,
        progress: Callable[[ImportProgress], None],
    ) -> Coroutine[Any, Any, ImportReport]: ...


@click.group("import")
def import_group() -> None:
    """批量导入监管对象、执法人员 (.xlsx 或 .csv)。"""


_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_BAD_ROWS = click.option(
    "--bad-rows", type=click.Path(dir_okay=False, path_type=Path), help="错误行清单写到哪里，默认为 FILE.bad.csv。"
)
_AGAIN = click.option("--again", is_flag=True, help="已导入过的文件从头再导入一次（更新，不会重复）。")


@import_group.command("enterprises")
@_FILE
@_BAD_ROWS
@_AGAIN
def enterprises_command(file: Path, bad_rows: Path | None, again: bool) -> None:
    """导入监管对象，按统一社会信用代码新增或更新。"""
    _run(import_enterprises, file, bad_rows, again)


@import_group.command("officers")
@_FILE
@_BAD_ROWS
@_AGAIN
def officers_command(file: Path, bad_rows: Path | None, again: bool) -> None:
    """导入执法人员，按身份证号新增或更新。"""
    _run(import_officers, file, bad_rows, again)


@import_group.command("template")
@click.argument("kind", type=click.Choice(list(_COLUMNS)))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def template_command(kind: str, out: Path) -> None:
    """写出空白导入模板。"""
    try:
        write_template(_COLUMNS[kind], out)
    except (UnknownTemplateFormat, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"模板已写到 {out}")


def _run(act: _Import, file: Path, bad_rows: Path | None, again: bool) -> None:
    """Carry the import out and end the process: 0 when anything is stored, 1 when nothing could be."""
    try:
        with cluster_dsn(settings := read_settings()) as dsn:
            report = asyncio.run(_with_bar(act, dsn, settings, file, bad_rows, again))
    except asyncpg.UndefinedTableError as missing:
        raise click.ClickException("数据库尚未初始化，请先运行 yima serve 或 yima migrate。") from missing
    except DomainError as refusal:
        raise click.ClickException(f"{refusal.detail} 已提交的行不受影响，再次运行将从中断处继续。") from refusal
    except (FileUnreadable, ImportRefused, SettingsError, ClusterError, KeysMissing, WrongKeys, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    except KeyboardInterrupt:
        click.echo("已中断。已提交的行不受影响，再次运行同一命令将从中断处继续。", err=True)
        raise SystemExit(130) from None
    click.echo(summary(report))
    if not report.good:
        raise SystemExit(1)


async def _with_bar(
    act: _Import, dsn: str, settings: Settings, file: Path, bad_rows: Path | None, again: bool
) -> ImportReport:
    bar = Progress(
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    async with open_parts(
        dsn, settings.keys, blobs=settings.blob_place, pool_size=_POOL_SIZE, application="yima import"
    ) as parts:
        with bar:
            task = bar.add_task("读取文件", total=None)

            def show(now: ImportProgress) -> None:
                said = f"{now.rows:,} 行，错误 {now.bad:,} 行"
                bar.update(task, description=said, total=now.fraction and 1.0, completed=now.fraction or 0.0)

            return await act(parts, file, bad_rows=bad_rows, again=again, progress=show)


def summary(report: ImportReport) -> str:
    """What came of the import, in Chinese."""
    if report.finished_before:
        return (
            f"{report.file.name} 此前已全部导入（{report.good:,} 行成功，{report.bad:,} 行有误），本次未作更改。"
            "如需从头更新，请加 --again。"
        )
    lines = [
        (
            f"共 {report.rows:,} 行：导入 {report.good:,} 行，错误 {report.bad:,} 行，警告 {report.warnings:,} 条；"
            f"用时 {report.seconds:.1f} 秒，每秒 {report.rows_per_second:,.0f} 行。"
        )
    ]
    if report.resumed_after:
        lines.append(f"其中前 {report.resumed_after:,} 行由上次中断的导入完成。")
    if report.unknown_columns:
        lines.append(f"未使用的列：{'、'.join(report.unknown_columns)}。")
    if report.bad_rows is not None:
        lines.append(f"错误和警告清单：{report.bad_rows}")
    lines.append(f"文件 SHA-256：{report.digest}")
    return "\n".join(lines)
