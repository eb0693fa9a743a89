"""`yima trace`: verify it, and hand out its head."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import click

from api.cluster import cluster_dsn
from api.settings import read_settings
from api.wiring import open_parts
from domain.shared.sql import Connection
from domain.shared.trace import TraceSeal
from domain.shared.trace_check import Finding, Head, TraceFault, check_trace, read_head

_SAYINGS = {
    TraceFault.CHANGED: "内容被改动",
    TraceFault.REMOVED: "记录被删除",
    TraceFault.INSERTED: "记录是事后插入的",
    TraceFault.POSITION_REMOVED: "序位被删除",
    TraceFault.LINK_BROKEN: "链接不符",
    TraceFault.END_CHANGED: "末尾与登记不符",
    TraceFault.HEAD_DIFFERS: "与所持链头不符",
}


@click.group("trace")
def trace_group() -> None:
    """行权留痕: verify the trace, show its head."""


def read_head_text(text: str) -> Head:
    """A head as `yima trace head` printed it. Raises ValueError."""
    position, _, link = text.partition(":")
    return Head(position=int(position), link=bytes.fromhex(link))


def _say(finding: Finding) -> str:
    where = "" if finding.position is None else f" 序位 {finding.position}"
    which = "" if finding.trace_id is None else f" 记录 {finding.trace_id}"
    return f"{finding.fault.value}: {_SAYINGS[finding.fault]}{where}{which}"


@trace_group.command("verify")
@click.option("--head", "handed_out", help="A head noted earlier, as `yima trace head` prints it.")
def verify(handed_out: str | None) -> None:
    """Check every row and link; name each changed, missing or inserted row. Exit code 1 when there is any."""
    try:
        head = None if handed_out is None else read_head_text(handed_out)
    except ValueError as broken:
        raise click.BadParameter("expected POSITION:HEX", param_hint="--head") from broken
    faults, now = asyncio.run(_verify(head))
    if faults:
        sys.exit(1)
    click.echo(f"完好：{now.position} 条，链头 {now}")


@asynccontextmanager
async def _opened() -> AsyncGenerator[tuple[TraceSeal, Connection]]:
    settings = read_settings()
    with cluster_dsn(settings) as dsn:
        async with (
            open_parts(dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima trace") as parts,
            parts.work.reading() as connection,
        ):
            yield parts.seal, connection


async def _verify(head: Head | None) -> tuple[int, Head]:
    faults = 0
    async with _opened() as (seal, connection), connection.transaction(isolation="repeatable_read", readonly=True):
        async for finding in check_trace(connection, seal, head):
            faults += 1
            click.echo(_say(finding), err=True)
        return faults, await read_head(connection)


@trace_group.command("head")
def show_head() -> None:
    """Print the chain's end, to be kept somewhere else."""

    async def read() -> Head:
        async with _opened() as (_, connection):
            return await read_head(connection)

    click.echo(str(asyncio.run(read())))
