"""Which identity provider an installation asks: the real 智桂通, a simulated one in the demonstration, or none."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from api.identity_port import IdentityProvider, NoIdentityProvider
from api.settings import Settings, ZhiguitongAccess
from api.zhiguitong import Zhiguitong
from domain.shared.random import Random


@asynccontextmanager
async def open_identity_provider(settings: Settings, random: Random) -> AsyncGenerator[IdentityProvider]:
    """The provider, for as long as the context lasts."""
    if settings.zhiguitong is not None:
        async with _client(settings.zhiguitong, random) as client:
            yield client
    elif settings.demo:
        async with _simulated(settings, random) as client:
            yield client
    else:
        yield NoIdentityProvider()


@asynccontextmanager
async def _client(access: ZhiguitongAccess, random: Random) -> AsyncGenerator[Zhiguitong]:
    client = Zhiguitong(access, random=random)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def _simulated(settings: Settings, random: Random) -> AsyncGenerator[Zhiguitong]:
    from api.demo.facts import read_demo_facts
    from api.demo.zhiguitong import SimulatedZhiguitong, simulated_zhiguitong

    facts = read_demo_facts(settings.var / "demo.json")
    people = {} if facts is None else {each.token: each.told for each in facts.zhiguitong.values()}
    access = ZhiguitongAccess(url="", app_code="demo", app_secret="demo", app_key="demo", role_code="demo")  # noqa: S106
    async with (
        simulated_zhiguitong(SimulatedZhiguitong(people, access)) as url,
        _client(msgspec.structs.replace(access, url=url), random) as client,
    ):
        yield client
