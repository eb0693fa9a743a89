"""`yima messages preview` and `yima messages bounce`: what messages say, and mail that came back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from api.template_previews import ComposedText
    from notifications.templates import Template

_EX_TEMPFAIL = 75
"""An MTA's pipe tries again later (sysexits.h)."""
_EX_DATAERR = 65
_EX_NOUSER = 67


@click.command("preview")
@click.argument("name", required=False)
@click.option("--channel", type=click.Choice(["sms", "email", "in_app"]), help="Only this channel.")
@click.option("--set", "given", multiple=True, metavar="VARIABLE=VALUE", help="Instead of the example.")
@click.option("--version", type=click.IntRange(min=1), help="An older version.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write the mail's HTML there.")
def preview_template(
    name: str | None, channel: str | None, given: Sequence[str], version: int | None, page: Path | None
) -> None:
    """Show the text of template NAME, filled with examples, and what it costs; without NAME, list all templates."""
    if name is None:
        _list_templates()
        return
    from api.template_previews import compose, examples, find_template
    from domain.shared.errors import DomainError
    from notifications.message import Channel

    try:
        template = find_template(name, version)
        values = {**examples(template), **_values(given)}
        wanted = [Channel(channel)] if channel is not None else list(template.channels)
        composed = [compose(template, each, values) for each in wanted]
    except DomainError as refused:
        raise click.ClickException(_words(refused)) from refused
    _show_template(template)
    for each in composed:
        _show_text(each)
    _show_variables(template, values)
    if page is not None:
        _write_page(composed, page)


@click.command("bounce")
@click.option("--recipient", help="The address to which the mail came, where the server tells it.")
def take_bounce(recipient: str | None) -> None:
    """Note mail that came back, read from standard input: for a mail server's pipe.

    Exit codes as a mail server understands them: 65 unreadable, 67 not ours, 75 try again later.
    """
    from api.mail_bounces import ReportNotOurs, ReportUnreadable
    from domain.shared.errors import DomainError
    from notifications.mail.bounce import LARGEST

    raw = sys.stdin.buffer.read(LARGEST + 1)
    if len(raw) > LARGEST:
        click.echo("邮件超过1 MiB。", err=True)
        sys.exit(_EX_DATAERR)
    try:
        outcome = _taken(raw, recipient)
    except DomainError as refused:
        click.echo(_words(refused), err=True)
        if isinstance(refused, ReportUnreadable):
            sys.exit(_EX_DATAERR)
        sys.exit(_EX_NOUSER if isinstance(refused, ReportNotOurs) else _EX_TEMPFAIL)
    click.echo({"noted": "已登记。", "ignored": "不影响送达结果，已忽略。"}[outcome])


def _taken(raw: bytes, recipient: str | None) -> str:
    from api.cluster import ClusterError, cluster_dsn
    from api.mail_bounces import take_report
    from api.settings import read_settings
    from api.wiring import open_parts
    from api.work import LOST

    settings = read_settings()
    access = settings.mail
    if access is None:
        raise click.ClickException("没有设置邮件服务器（YIMA_MAIL_HOST）。")

    async def take(dsn: str) -> str:
        async with open_parts(
            dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima messages"
        ) as parts:
            return (await take_report(parts, access, raw, recipient)).value

    try:
        with cluster_dsn(settings) as dsn:
            return asyncio.run(take(dsn))
    except (ClusterError, OSError, *LOST) as away:
        click.echo(str(away), err=True)
        sys.exit(_EX_TEMPFAIL)


def _list_templates() -> None:
    from api.template_previews import CHANNELS, PURPOSES
    from notifications.templates import current, names

    for name in names():
        template = current(name)
        channels = "、".join(CHANNELS[channel] for channel in template.channels)
        click.echo(f"{name}  {template.title}（{PURPOSES[template.purpose]}；{channels}；第{template.version}版）")


def _values(given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter("expected VARIABLE=VALUE", param_hint="--set")
        values[name] = value
    return values


def _words(refused: Exception) -> str:
    facts: Mapping[str, object] = getattr(refused, "facts", {})
    said = {"missing": "缺少", "unknown": "没有该变量", "too_long": "过长"}
    named = [
        f"{words}：{', '.join(map(str, found))}" for name, words in said.items() if (found := _listed(facts, name))
    ]
    return "".join([str(refused), "；".join(named)])


def _listed(facts: Mapping[str, object], name: str) -> list[object]:
    found = facts.get(name)
    return found if isinstance(found, list) else []


def _show_template(template: Template) -> None:
    from api.template_previews import PURPOSES

    click.echo(f"{template.name}  {template.title}（{PURPOSES[template.purpose]}；第{template.version}版）")


def _show_text(composed: ComposedText) -> None:
    from api.template_previews import CHANNELS

    cost = "" if composed.segments is None else f"  {composed.encoding}，{composed.units}字，{composed.segments}条"
    click.echo(f"\n[{CHANNELS[composed.channel]}]{cost}")
    if composed.subject is not None:
        click.echo(f"标题：{composed.subject}")
    click.echo(composed.text)


def _show_variables(template: Template, values: Mapping[str, str]) -> None:
    click.echo("\n变量：")
    for name, variable in template.variables.items():
        marks = {
            "发送时填入": variable.late,
            "不保存": variable.secret,
            "可为空": variable.optional,
            "可截短": variable.cut,
        }
        said = "、".join(words for words, is_so in marks.items() if is_so)
        click.echo(f"  {name}  {len(values[name])}/{variable.longest}字" + (f"  {said}" if said else ""))


def _write_page(composed: Sequence[ComposedText], page: Path) -> None:
    pages = [each.html for each in composed if each.html is not None]
    if not pages:
        raise click.ClickException("该模板没有邮件文本。")
    page.write_text(pages[0], encoding="utf-8")
    click.echo(f"\n已写入 {page}")
