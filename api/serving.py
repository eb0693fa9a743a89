"""Start an installation: database, keys, tables, register, demo, and then the processes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import click
import msgspec

from api.cluster import Cluster, check_server_version
from api.migrate import is_migrated, migrate
from api.processes import children_of
from api.register import load_register
from api.settings import Settings
from api.supervisor import Supervisor, listen
from api.wiring import open_parts
from domain.shared.clock import local_date

if TYPE_CHECKING:
    from api.demo.facts import DemoFacts


def serve_installation(settings: Settings) -> None:
    """Run until Ctrl-C. The port is taken first: a clash is told before anything else is started."""
    listening = listen(settings.host, settings.port)
    with contextlib.ExitStack() as stack:
        cluster = None
        dsn = settings.database_url
        if dsn is None:
            settings.var.mkdir(parents=True, exist_ok=True)
            cluster = stack.enter_context(Cluster(settings.var))
            dsn = cluster.dsn
        else:
            asyncio.run(check_server_version(dsn))
        show_demo(asyncio.run(prepare(settings, dsn)))
        click.echo(f"一码 Yima: {settings.public_url}  (Ctrl-C stops)")
        complete = msgspec.structs.replace(settings, database_url=dsn)
        Supervisor(children_of(complete, listening.fileno()), cluster).run()


async def prepare(settings: Settings, dsn: str) -> DemoFacts | None:
    """Bring the database to this version, check the keys, load the register and, if asked for, the demo."""
    if not await is_migrated(dsn):
        click.echo("preparing the database …")
        await migrate(dsn)
    async with open_parts(
        dsn, settings.keys, blobs=settings.blob_place, pool_size=4, application="yima start"
    ) as parts:
        await load_register(parts)
        if not settings.demo:
            return None
        from api.demo.facts import prepare_demo

        return await prepare_demo(
            parts,
            settings.var / "demo.json",
            base_url=settings.public_url,
            public_url=settings.public_url,
            today=local_date(parts.clock()),
        )


def show_demo(facts: DemoFacts | None) -> None:
    """Print the demo's accounts and a code that a phone can scan, where there is a demo."""
    if facts is None:
        return
    from rich.console import Console

    from api.demo.facts import print_demo

    print_demo(facts, Console())
