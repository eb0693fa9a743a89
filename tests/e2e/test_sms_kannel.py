"""Through the real Kannel onto a phone, and its receipt back over HTTP: bearerbox, smsbox, and the carrier behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio
import uvicorn

from api.delivery.engine import deliver
from api.delivery.opening import open_senders
from api.delivery.senders import Senders
from api.settings import Settings
from notifications.sms.access import SmsAccess
from tests.support.client import Api, api_client
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import NOW, World
from tests.support.inspecting import arrive, prepare_inspection, prepare_papers
from tests.support.installation import free_port
from tests.support.kannel import REFUSED_PREFIX, SENDER, RunningKannel, running_kannel
from tests.support.sending import OFFICER_PHONE, state_of, waiting_messages

pytestmark = pytest.mark.slow

HOTLINE_TEXT = "不亮证可拒绝检查"
"""What the text at the door says in every version."""


class _Server(uvicorn.Server):
    """A server within the tests: signals are theirs."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Place(msgspec.Struct, frozen=True):
    """A port that stays ours while the application comes and goes; whoever calls meanwhile finds nobody."""

    port: int


@asynccontextmanager
async def listening(api: Api, place: Place) -> AsyncGenerator[None]:
    """The running application behind a real port, for as long as the context lasts."""
    config = uvicorn.Config(api.app, lifespan="off", log_level="warning", access_log=False, ws="none")  # type: ignore[arg-type]
    server = _Server(config)
    with socket.create_server(("127.0.0.1", place.port)) as line:
        serving = asyncio.create_task(server.serve(sockets=[line]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await serving


@pytest.fixture(scope="module")
def kannel() -> Generator[RunningKannel]:
    with running_kannel() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def place() -> Place:
    return Place(free_port())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_api(
    database: Database, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory, kannel: RunningKannel, place: Place
) -> AsyncIterator[Api]:
    """The application, which sends by Kannel and hears of it at `place`."""
    settings = Settings(
        var=tmp_path_factory.mktemp("var"),
        keys=keys_folder,
        sms=SmsAccess(providers=(kannel.access,), receipt_base=f"http://127.0.0.1:{place.port}"),
    )
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def senders(api: Api, kannel: RunningKannel) -> AsyncIterator[Senders]:
    """The installation's own ways, as its settings name them."""
    kannel.restart()
    opened = open_senders(api.app.state.settings, api.parts)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until `is_so()` holds. Raises TimeoutError."""
    deadline = monotonic() + seconds
    while not await is_so():
        if monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.05)


async def arrived(owner: asyncpg.Connection, message: UUID, seconds: float = 20) -> None:
    """Wait until the message's receipt has come."""

    async def is_delivered() -> bool:
        return (await state_of(owner, message))[0] == "delivered"

    await until(is_delivered, seconds)


async def send(api: Api, senders: Senders, message: UUID) -> None:
    assert await deliver(api.parts, senders, message) is None


async def test_a_message_is_on_the_phone_and_its_receipt_in_the_outbox(
    api: Api, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    [message] = await waiting_messages(api.parts)
    async with listening(api, place):
        await send(api, senders, message)
        (carried,) = kannel.wait_for_new(1)
        await arrived(owner, message)
    assert (carried.sender, carried.number, carried.parts, carried.encoding) == (SENDER, OFFICER_PHONE, 1, "ucs2")
    assert carried.text.startswith("【企业自查】你单位有1项自查隐患已超过整改期限7天")
    receipts = await owner.fetch("SELECT state FROM message_receipt ORDER BY state")
    assert "delivered" in [row["state"] for row in receipts]
    attempt = await owner.fetchrow("SELECT state, provider, encoding, segments FROM message_attempt")
    assert attempt is not None
    assert tuple(attempt) == ("accepted", "kannel", "ucs2", 1)


async def test_officers_at_the_door_are_on_the_enterprises_phone(
    api: Api, world: World, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    await prepare_papers(api.parts)
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    [message] = [
        row["id"]
        for row in await owner.fetch("SELECT id FROM message WHERE template = 'arrival' AND state = 'waiting'")
    ]
    async with listening(api, place):
        await send(api, senders, message)
        (carried,) = kannel.wait_for_new(1)
        await arrived(owner, message)
    assert carried.text.startswith("【")
    assert HOTLINE_TEXT in carried.text
    assert carried.encoding == "ucs2"
    assert await owner.fetchval("SELECT segments FROM message WHERE id = $1", message) == carried.parts


async def test_a_number_that_no_carrier_takes_is_tried_again_whatever_kannel_reports_of_it(
    api: Api, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    messages = await waiting_messages(api.parts, 10, phone=REFUSED_PREFIX + "1234")
    async with listening(api, place):
        again = await asyncio.gather(*(deliver(api.parts, senders, message) for message in messages))
        await asyncio.sleep(2.5)  # Kannel reports at once what it refuses, and again where it was told to come again
    assert None not in again
    for message in messages:
        assert (await state_of(owner, message))[:2] == ("waiting", 1)
    tries = await owner.fetch("SELECT DISTINCT state, reason FROM message_attempt")
    assert [tuple(each) for each in tries] == [("refused", "unreachable")]
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 0
    assert kannel.wait_for_new(0) == []


async def test_a_gateway_killed_after_it_took_a_message_delivers_it_once_and_reports_it(
    api: Api, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    [message] = await waiting_messages(api.parts)
    async with listening(api, place):
        kannel.kill("fakesmsc")
        await send(api, senders, message)
        assert (await state_of(owner, message))[0] == "sent"
        kannel.kill()
        await asyncio.to_thread(kannel.restart)
        assert len(kannel.wait_for_new(1)) == 1
        await arrived(owner, message)


async def test_a_receipt_that_finds_nobody_comes_again(
    api: Api, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    [message] = await waiting_messages(api.parts)
    await send(api, senders, message)
    kannel.wait_for_new(1)
    await asyncio.sleep(1.5)
    assert (await state_of(owner, message))[0] == "sent"
    async with listening(api, place):
        await arrived(owner, message)


async def test_fifty_at_once_are_fifty_on_the_phones_and_fifty_receipts(
    api: Api, senders: Senders, owner: asyncpg.Connection, kannel: RunningKannel, place: Place
) -> None:
    messages = await waiting_messages(api.parts, 50)
    async with listening(api, place):
        await asyncio.gather(*(send(api, senders, message) for message in messages))
        assert len(kannel.wait_for_new(50)) == 50
        for message in messages:
            await arrived(owner, message)
