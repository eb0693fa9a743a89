"""`yima`: everything that is done to an installation from the command line."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from typing import Final, NoReturn

import click
import msgspec

from api.cluster import Cluster, ClusterError, cluster_dsn, running_dsn
from api.settings import Settings, SettingsError, read_settings

_GROUPS: Final = {
    "calendar": ("api.calendar_commands", "calendar_group"),
    "code": ("api.stickers.commands", "code_group"),
    "draw": ("api.draw_commands", "draw_group"),
    "import": ("api.imports.commands", "import_group"),
    "live": ("api.live_commands", "live_group"),
    "messages": ("api.message_commands", "messages_group"),
    "trace": ("api.trace_commands", "trace_group"),
}
"""Where each group of commands stands."""


class _Lazy(click.Group):
    """Loads a group of commands only when it is called: `yima serve` must start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_GROUPS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _GROUPS:
            return super().get_command(ctx, cmd_name)
        module, name = _GROUPS[cmd_name]
        group: click.Group = getattr(importlib.import_module(module), name)
        return group


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def yima() -> None:
    """Yima 一码: the mobile inspection platform around one QR code."""


@yima.command()
@click.option("--demo", is_flag=True, help="Load the demo data once and print its accounts.")
def serve(demo: bool) -> None:
    """Serve pages, API, worker and relay, with the embedded PostgreSQL unless DATABASE_URL is set."""
    from api.serving import serve_installation

    settings = read_settings()
    serve_installation(msgspec.structs.replace(settings, demo=demo or settings.demo))


@yima.command()
@click.option("--check", is_flag=True, help="Compare revisions and tables in a scratch database; change nothing.")
@click.option("--write", "message", help="Write a new revision of this name, for developers.")
def migrate(check: bool, message: str | None) -> None:
    """Bring the database to this version."""
    from api import migrate as migrations

    if check or message:
        _on_scratch(message)
        return
    with cluster_dsn(read_settings()) as dsn:
        changed = asyncio.run(migrations.migrate(dsn))
    click.echo("migrated" if changed else "up to date")


def _on_scratch(message: str | None) -> None:
    import tempfile
    from pathlib import Path

    from api import migrate as migrations

    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder), durable=False) as cluster:
        asyncio.run(migrations.migrate(cluster.dsn))
        if message:
            asyncio.run(migrations.write_revision(cluster.dsn, message))
            return
        drift = asyncio.run(migrations.find_drift(cluster.dsn))
    for line in drift:
        click.echo(line, err=True)
    if drift:
        sys.exit(1)
    click.echo("revisions and tables agree")


@yima.command()
def demo() -> None:
    """Load the demo data into the database, once, and print its accounts."""
    from api.serving import prepare, show_demo

    settings = msgspec.structs.replace(read_settings(), demo=True)
    with cluster_dsn(settings) as dsn:
        show_demo(asyncio.run(prepare(settings, dsn)))


@yima.command()
def doctor() -> None:
    """Say in plain words what is wrong with this set-up, and what to do."""
    from api.doctor import examine

    findings = asyncio.run(examine(os.environ))
    for finding in findings:
        click.echo(str(finding))
    if any(finding.is_bad for finding in findings):
        sys.exit(1)


@yima.command()
@click.option("--check", is_flag=True, help="Only compare; exit 1 when mobile_contract/ is not what the code says.")
def contract(check: bool) -> None:
    """Write mobile_contract/: OpenAPI, problems, examples."""
    from api.contract.write import contract_differs, write_contract

    if not check:
        write_contract()
        return
    differences = contract_differs()
    for path in differences:
        click.echo(f"{path} is not what the code says; run `yima contract` and read the change", err=True)
    if differences:
        sys.exit(1)
    click.echo("mobile_contract/ agrees with the code")


@yima.command(hidden=True)
@click.option("--fd", type=int, required=True)
def server(fd: int) -> None:
    """One server process of `yima serve`, on the socket that it inherits."""
    from api.processes import serve_http

    serve_http(*_database_of_parent(), fd)


@yima.command()
def worker() -> None:
    """One more worker: delivers messages and sweeps. `yima serve` runs one already."""
    from api.processes import work_jobs

    work_jobs(*_database_of_parent())


@yima.command()
def relay() -> None:
    """One more relay, which waits as a spare. `yima serve` runs one already."""
    from api.processes import relay_trace

    relay_trace(*_database_of_parent())


def _database_of_parent() -> tuple[Settings, str]:
    """The database in use: a worker or relay never starts one, for it would end with it."""
    settings = read_settings()
    dsn = settings.database_url or running_dsn(settings.var)
    if dsn is None:
        raise SettingsError("No database is running: start `yima serve` first, or set DATABASE_URL.")
    return settings, dsn


def main() -> NoReturn:
    """The command's entry: what a set-up does wrong is one plain line, not a traceback."""
    from domain.shared.keys import KeysMissing, WrongKeys

    try:
        yima.main(standalone_mode=True)
    except (SettingsError, ClusterError, KeysMissing, WrongKeys) as problem:
        click.echo(f"yima: {problem}", err=True)
        sys.exit(2)
    sys.exit(0)


if __name__ == "__main__":
    main()
