"""`yima messages`: what was given up, how one message fared, and putting back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

import click

from api.answer_commands import show_answers
from api.cluster import cluster_dsn
from api.settings import Settings, read_settings
from api.template_commands import preview_template, take_bounce
from api.wiring import Parts, open_parts
from domain.shared.clock import WORKING_ZONE
from notifications.outcome import Reason

_SHOWN: Final = 100
_TIME: Final = "%Y-%m-%d %H:%M:%S"


@click.group("messages")
def messages_group() -> None:
    """消息: what was given up, how one message fared, putting back, previews."""


messages_group.add_command(preview_template)
messages_group.add_command(take_bounce)
messages_group.add_command(show_answers)


def _when(text: str | None) -> datetime | None:
    """An instant by the region's clock unless it names its own. Raises `BadParameter`."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as broken:
        raise click.BadParameter("应为2026-08-15或2026-08-15T09:00", param_hint="--since") from broken
    return at if at.tzinfo is not None else at.replace(tzinfo=WORKING_ZONE)


@asynccontextmanager
async def _parts(settings: Settings, dsn: str) -> AsyncGenerator[Parts]:
    async with open_parts(
        dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima messages"
    ) as parts:
        yield parts


@messages_group.command("list")
@click.option("--template", help="Of this template only.")
@click.option("--reason", help="Given up for this reason only, such as provider_away.")
@click.option("--since", help="Written on this day or later.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_SHOWN, help="At most so many, the oldest first.")
def list_messages(template: str | None, reason: str | None, since: str | None, limit: int) -> None:
    """List messages that were given up or did not arrive."""
    from api.delivery.retrying import Wanted, list_given_up

    wanted = Wanted(template=template, reason=_reason(reason), since=_when(since))
    settings = read_settings()

    async def read(dsn: str) -> None:
        async with _parts(settings, dsn) as parts:
            found = await list_given_up(parts, wanted, limit)
        for each in found:
            why = "" if each.reason is None else f"{each.reason.value} {each.reason.label}"
            at = each.created_at.astimezone(WORKING_ZONE).strftime(_TIME)
            click.echo(
                f"{each.id} {at} {each.template} {each.channel.value} {each.state.label} {each.attempts}次 {why}"
            )
        click.echo(f"{len(found)} 条" + ("，可能还有更多" if len(found) == limit else ""))

    with cluster_dsn(settings) as dsn:
        asyncio.run(read(dsn))


@messages_group.command("show")
@click.argument("message_id", type=click.UUID)
def show_message(message_id: UUID) -> None:
    """Show a message's tries and receipts; neither its address nor its text."""
    from api.delivery.history import read_history, written_history

    settings = read_settings()

    async def read(dsn: str) -> list[str]:
        async with _parts(settings, dsn) as parts:
            return written_history(await read_history(parts, message_id))

    with cluster_dsn(settings) as dsn:
        lines = asyncio.run(read(dsn))
    if not lines:
        raise click.ClickException(f"没有消息 {message_id}")
    for line in lines:
        click.echo(line)


@messages_group.command("retry")
@click.option("--id", "message_id", type=click.UUID, help="This message only.")
@click.option("--template", help="Of this template only.")
@click.option("--reason", help="Given up for this reason only, such as provider_away.")
@click.option("--since", help="Written on this day or later.")
@click.option("--all", "takes_all", is_flag=True, help="Everything that was given up.")
def retry_messages(
    message_id: UUID | None, template: str | None, reason: str | None, since: str | None, takes_all: bool
) -> None:
    """Put messages back that were given up or did not arrive; the workers send them again."""
    from api.delivery.retrying import Wanted, retry_given_up

    if not takes_all and not any((message_id, template, reason, since)):
        raise click.UsageError("请用 --id、--template、--reason、--since 说明范围，或用 --all 全部重发。")
    wanted = Wanted(message_id=message_id, template=template, reason=_reason(reason), since=_when(since))
    settings = read_settings()

    async def retry(dsn: str) -> int:
        async with _parts(settings, dsn) as parts:
            return await retry_given_up(parts, wanted, lambda count: click.echo(f"已放回 {count} 条", err=True))

    with cluster_dsn(settings) as dsn:
        count = asyncio.run(retry(dsn))
    click.echo(f"共放回 {count} 条，由发送进程重新发送。")


def _reason(text: str | None) -> Reason | None:
    if text is None:
        return None
    try:
        return Reason(text)
    except ValueError as unknown:
        known = "、".join(each.value for each in Reason)
        raise click.BadParameter(f"没有这种原因；有：{known}", param_hint="--reason") from unknown
