"""`yima code …`: codes issued, replaced, revoked, shown and printed from the command line."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cluster import cluster_dsn
from api.settings import Settings, SettingsError, read_settings
from api.stickers.batch import BatchReport, DrawingFailed, StickerKind, print_codes
from api.stickers.poster_files import PosterReport, print_posters
from api.stickers.press import PostersNotDrawn
from api.wiring import NoKeyIdLeft, Parts, open_parts, roll_key
from codes.poster import PosterSize
from codes.token import InvalidToken, code_url, decode_token, issue_token, token_from_scan
from domain.enterprise.events import CodeKeyRolled, KeyStanding
from domain.enterprise.model import CodeState, SiteCode
from domain.enterprise.operations import issue_code, reissue_code, revoke_code
from domain.enterprise.store import CODE_BY_ID, SCANNED_SITE
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import DomainError
from domain.shared.events import Operator
from domain.shared.keys import KeyPurpose, KeyVersion
from domain.shared.transaction import Outcome, Transaction

_STATES: Final = {CodeState.ISSUED: "有效", CodeState.REPLACED: "已更换", CodeState.REVOKED: "已停用"}
A = TypeVar("A")


def _operator() -> Operator:
    """The one at the machine; the trace names the account of the operating system."""
    return Operator(id=UUID(int=0), name=f"命令行 {getpass.getuser()}", post="系统维护")


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as broken:
        raise click.ClickException(str(broken)) from broken


def _with_parts(act: Callable[[Parts, Settings], Awaitable[A]]) -> A:
    """Run `act` over the database of this installation; a refusal becomes the command's error."""
    settings = _settings()

    async def run(dsn: str) -> A:
        async with open_parts(
            dsn, settings.keys, blobs=settings.blob_place, pool_size=4, application="yima code"
        ) as parts:
            return await act(parts, settings)

    try:
        with cluster_dsn(settings) as dsn:
            return asyncio.run(run(dsn))
    except DomainError as refusal:
        raise click.ClickException(refusal.detail) from refusal
    except (ValueError, DrawingFailed, PostersNotDrawn) as problem:
        raise click.ClickException(str(problem)) from problem


@click.group("code")
def code_group() -> None:
    """企业码: issue, print, replace, revoke."""


@code_group.command("batch")
@click.argument("region")
@click.option("--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--svg", is_flag=True, help="Write SVG files, too.")
@click.option("--png/--no-png", default=True, help="PNG files (the default).")
def batch_command(region: str, folder: Path, *, svg: bool, png: bool) -> None:
    """Issue missing codes for every site of REGION (a six-digit code) and write their stickers to --out.

    Interrupted, it goes on where it stopped when it is run again.
    """
    wanted: dict[StickerKind, bool] = {"png": png, "svg": svg}
    kinds: list[StickerKind] = [kind for kind, chosen in wanted.items() if chosen]
    if not kinds:
        raise click.UsageError("--no-png needs --svg.")
    console = Console(stderr=True)
    columns = (TextColumn("企业码"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("codes", total=None)

        async def run(parts: Parts, settings: Settings) -> BatchReport:
            return await print_codes(
                parts,
                region_code=region,
                folder=folder,
                public_url=settings.public_url,
                operator=_operator(),
                kinds=kinds,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )

        report = _with_parts(run)
    click.echo(
        f"{report.sites} 个场所：新发码 {report.issued}，新绘制 {report.drawn}，已有 {report.kept}，"
        f"密钥已停用 {report.retired}；用时 {report.seconds} 秒。目录：{report.index}"
    )


@code_group.command("posters")
@click.argument("region")
@click.option("--size", type=click.Choice([each.value for each in PosterSize]), default=PosterSize.A4.value)
@click.option("--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
def posters_command(region: str, size: str, folder: Path) -> None:
    """海报: PDFs of 500 pages for every site of REGION (a six-digit code), and an index of who is on which page.

    Interrupted, it goes on where it stopped when it is run again.
    """
    console = Console(stderr=True)
    columns = (TextColumn("海报"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("posters", total=None)

        async def run(parts: Parts, settings: Settings) -> PosterReport:
            return await print_posters(
                parts,
                region_code=region,
                size=PosterSize(size),
                folder=folder,
                public_url=settings.public_url,
                operator=_operator(),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )

        report = _with_parts(run)
    click.echo(
        f"{report.sites} 个场所：新发码 {report.issued}，共 {report.parts} 册，新绘制 {report.drawn} 册，"
        f"密钥已停用 {report.retired}；用时 {report.seconds} 秒。目录：{report.index}"
    )


@code_group.command("issue")
@click.argument("site", type=click.UUID)
def issue_command(site: UUID) -> None:
    """发码: the first code of SITE."""

    async def run(parts: Parts, settings: Settings) -> None:
        code = await parts.work.run(_operator(), lambda tx: issue_code(tx, site, parts.code_keys))
        _tell(parts, settings, code)

    _with_parts(run)


@code_group.command("reissue")
@click.argument("site", type=click.UUID)
@click.option("--reason", required=True)
def reissue_command(site: UUID, reason: str) -> None:
    """换码: a new code for SITE; the former one answers that it was replaced."""

    async def run(parts: Parts, settings: Settings) -> None:
        code = await parts.work.run(_operator(), lambda tx: reissue_code(tx, site, parts.code_keys, reason))
        _tell(parts, settings, code)

    _with_parts(run)


@code_group.command("revoke")
@click.argument("site", type=click.UUID)
@click.option("--reason", required=True)
def revoke_command(site: UUID, reason: str) -> None:
    """停用码: SITE has no valid code afterwards."""

    async def run(parts: Parts, _settings: Settings) -> None:
        await parts.work.run(_operator(), lambda tx: revoke_code(tx, site, reason))
        click.echo("已停用。")

    _with_parts(run)


@code_group.command("show")
@click.argument("token")
def show_command(token: str) -> None:
    """Say whose code TOKEN is (the token, or the URL that a scanner read) and how it stands."""
    _with_parts(lambda parts, _settings: _show(parts, token))


async def _show(parts: Parts, text: str) -> None:
    token = token_from_scan(text)
    if token is None:
        raise click.ClickException("不是企业码。")
    try:
        decoded = decode_token(parts.code_keys, token)
    except InvalidToken as broken:
        raise click.ClickException(f"无效的企业码（{broken.reason}）。") from broken
    async with parts.work.reading() as connection:
        code = await CODE_BY_ID.first(connection, code_id=decoded.code_id)
        site = await SCANNED_SITE.first(connection, code_id=decoded.code_id)
    if code is None or site is None:
        raise click.ClickException("密钥正确，但本库没有这个码。")
    click.echo(f"{site.name}（{site.uscc}）\n{site.site_name} {site.address or ''}\n场所 {site.site_id}")
    ended = f"，{code.ended_at.astimezone(WORKING_ZONE):%Y-%m-%d %H:%M} {code.end_reason}" if code.ended_at else ""
    click.echo(
        f"{_STATES[code.state]}，密钥 {decoded.key_id}，发码 {code.issued_at.astimezone(WORKING_ZONE):%Y-%m-%d}{ended}"
    )


@code_group.command("roll-key")
def roll_key_command() -> None:
    """Make new codes with a new key; every code already at a door stays good."""
    try:
        version = _with_parts(_roll)
    except NoKeyIdLeft as used_up:
        raise click.ClickException("企业码密钥编号已用完，不能再更换。") from used_up
    click.echo(f"新密钥 {version.version} 已启用。请先重启 yima serve，再发放新码。")


async def _roll(parts: Parts, settings: Settings) -> KeyVersion:
    async def operation(tx: Transaction) -> Outcome[KeyVersion]:
        rolled = await roll_key(tx.connection, settings.keys, KeyPurpose.CODE, now=tx.now)
        event = CodeKeyRolled(
            subject_id=tx.new_id(),
            before=KeyStanding(version=rolled.version - 1),
            after=KeyStanding(version=rolled.version),
        )
        return Outcome(answer=rolled, events=(event,))

    return await parts.work.run(_operator(), operation)


def _tell(parts: Parts, settings: Settings, code: SiteCode) -> None:
    click.echo(code_url(settings.public_url, issue_token(parts.code_keys, code.code_id, code.key_version)))
