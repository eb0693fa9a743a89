"""`yima messages answers`: how Kannel is told to hand on what phones answer."""

from __future__ import annotations

import asyncio

import click

from api.address_blocks import STOP_WORDS, incoming_secret
from api.cluster import cluster_dsn
from api.settings import Settings, read_settings
from api.wiring import open_parts


def sms_service(base: str, secret: str) -> str:
    """The group for the smsbox's configuration. Whatever we answered would go to the phone: an empty answer is none."""
    address = f"{base.rstrip('/')}/api/v1/message-receipts/kannel/incoming/{secret}?from=%p"
    return "\n".join(
        [
            "group = sms-service",
            "keyword = default",
            "catch-all = true",
            f'post-url = "{address}"',
            "max-messages = 0",
            "omit-empty = true",
        ]
    )


@click.command("answers")
def show_answers() -> None:
    """Print the group for Kannel's configuration by which 退订 answers come here. It holds a secret."""
    settings = read_settings()
    base = (settings.sms and settings.sms.receipt_base) or settings.public_url

    async def read(dsn: str) -> str:
        return sms_service(base, await _secret(settings, dsn))

    with cluster_dsn(settings) as dsn:
        click.echo(asyncio.run(read(dsn)))
    click.echo(f"以下回复视为退订：{'、'.join(sorted(STOP_WORDS))}", err=True)


async def _secret(settings: Settings, dsn: str) -> str:
    async with open_parts(
        dsn, settings.keys, blobs=settings.blob_place, pool_size=1, application="yima messages"
    ) as parts:
        return incoming_secret(parts.keys)
