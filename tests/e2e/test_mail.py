"""邮件 end to end: a notice with its paper arrives at a real mail server; what comes back ends at the message."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio

from api.chores import perform_chore
from api.delivery.engine import deliver
from api.delivery.senders import Senders
from api.mail_bounces import bounce_address, open_mail_sender
from api.mail_settings import mail_variables
from api.settings import Settings
from notifications.mail.access import MailAccess, MailSecurity
from notifications.mail.bounce import LARGEST
from tests.support.bounces import out_of_office, report
from tests.support.client import Api, api_client, refused
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import NOW, World
from tests.support.notices import consent, messages_of
from tests.support.problems import ordered, read_order
from tests.support.smtp_server import MailServer, TakenMail, running_mail_server
from tests.support.visits import rows

SECRET = "aSecretOfTheMailServer01234"
ACCESS = MailAccess(
    host="127.0.0.1",
    port=25,
    security=MailSecurity.NONE,
    sender="notice@yima.test",
    sender_name="一码",
    bounce_domain="bounces.yima.test",
    bounce_secret=SECRET,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_api(
    database: Database, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The application with a mail server set up."""
    settings = Settings(
        var=tmp_path_factory.mktemp("var"), keys=keys_folder, public_url="http://yima.test", mail=ACCESS
    )
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running_mail_server(tmp_path) as running:
        yield running


async def rendered_order(api: Api, world: World) -> tuple[dict[str, object], UUID]:
    """An order under consent, its paper drawn; the order and its mail, which waits."""
    await consent(api, world)
    _, order = await ordered(api, world)
    for chore in await rows(api, "chore"):
        if chore["kind"] == "render_document":
            await perform_chore(api.parts, chore["id"])
    (mail,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "email"]
    return order, mail["id"]


async def send(api: Api, server: MailServer, message_id: UUID) -> TakenMail | None:
    """Deliver the message by the real driver; gives what the server took by it."""
    before = len(server.taken)
    sender = open_mail_sender(msgspec.structs.replace(ACCESS, port=server.port), api.parts)
    try:
        await deliver(api.parts, Senders(mail=sender, per_second={"smtp": 0}), message_id)
    finally:
        await sender.close()
    return server.taken[before] if len(server.taken) > before else None


async def standing(api: Api, message_id: UUID) -> tuple[str, str | None]:
    (row,) = [row for row in await rows(api, "message") if row["id"] == message_id]
    return row["state"], row["reason"]


async def bounce(api: Api, raw: bytes, secret: str | None = SECRET, **query: str) -> httpx.Response:
    headers = {"Content-Type": "message/rfc822"} | ({} if secret is None else {"Yima-Mail-Secret": secret})
    return await api.http.post("/api/v1/mail-bounces", content=raw, headers=headers, params=query)


async def test_the_mail_of_an_order_brings_its_paper_and_a_link(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)

    taken = await send(api, server, message_id)

    assert taken is not None
    assert taken.envelope_to == ("wei@laoyou.example",)
    (attempt,) = await rows(api, "message_attempt")
    assert taken.envelope_from == bounce_address(api.parts.keys, "bounces.yima.test", attempt["id"])
    message = taken.parsed
    assert message["Message-ID"] == f"<{attempt['id']}@yima.test>"
    number = str(message["Subject"]).removeprefix("责令改正通知书（").removesuffix("）")
    text = body_of(message, "plain")
    assert f"责令改正通知书（{number}）" in text
    assert "http://yima.test/n/" in text
    assert "http://yima.test/n/" in body_of(message, "html")
    (paper,) = [part for part in message.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert paper.get_content().startswith(b"%PDF-")
    assert (await standing(api, message_id))[0] == "sent"
    assert "wei@laoyou.example" not in str(await rows(api, "message_attempt"))


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_mail_that_comes_back_ends_at_its_message_and_its_mailbox(
    api: Api, world: World, server: MailServer
) -> None:
    _, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None

    for _ in range(2):
        answer = await bounce(api, report(taken.envelope_from))
        assert (answer.status_code, answer.json()) == (200, {"outcome": "noted"})

    assert await standing(api, message_id) == ("failed", "bounced")
    (receipt,) = await rows(api, "message_receipt")
    assert (receipt["state"], receipt["provider_status"]) == ("failed", "5.1.1")
    (block,) = await rows(api, "address_block")
    assert (block["kind"], block["channel"], block["set_by"]) == ("bounced", "email", None)
    assert block["address_masked"] == "w***@laoyou.example"
    assert "laoyou" not in str([row["after"] for row in await rows(api, "trace") if "address" in row["action"]])


async def test_a_full_mailbox_is_no_dead_one(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None

    answer = await bounce(api, report("postmaster@elsewhere.example", status="5.2.2"), recipient=taken.envelope_from)

    assert answer.json() == {"outcome": "noted"}
    assert await standing(api, message_id) == ("failed", "bounced")
    assert await rows(api, "address_block") == []


async def test_what_says_nothing_final_changes_nothing(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None

    for raw in (out_of_office(taken.envelope_from), report(taken.envelope_from, action="delayed", status="4.4.1")):
        assert (await bounce(api, raw)).json() == {"outcome": "ignored"}

    assert (await standing(api, message_id))[0] == "sent"
    assert await rows(api, "message_receipt") == []


async def test_the_report_of_an_arrival_serves_the_paper_under_consent(
    api: Api, world: World, server: MailServer
) -> None:
    order, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None
    api.clock.advance(timedelta(hours=1))

    answer = await bounce(api, report(taken.envelope_from, action="delivered", status="2.1.5"))

    assert answer.json() == {"outcome": "noted"}
    assert (await standing(api, message_id))[0] == "delivered"
    (service,) = (await read_order(api, world.manager, str(order["id"])))["services"]
    assert service["means"] == "electronic"


async def test_nobody_can_declare_mail_undelivered_that_is_not(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None
    local, _, domain = taken.envelope_from.partition("@")
    forged = [
        bounce_address(api.parts.keys, "evil.test", uuid4()),
        f"{local[:-2]}aa@{domain}",
        f"bounce+{local[7:33]}.{'a' * 16}@{domain}",
        "notice@yima.test",
    ]
    for address in forged:
        answer = await bounce(api, report(address))
        refused(answer, 404, "mail-report-not-ours")
    unsent = await bounce(api, report(bounce_address(api.parts.keys, "bounces.yima.test", uuid4())))
    assert unsent.json() == {"outcome": "ignored"}
    for secret in (None, "", "x" * 27, SECRET.upper()):
        answer = await bounce(api, report(taken.envelope_from), secret)
        refused(answer, 401, "mail-secret-wrong")

    assert (await standing(api, message_id))[0] == "sent"
    assert await rows(api, "address_block") == []


@pytest.mark.usefixtures("world")
async def test_what_is_no_mail_or_too_much_of_it_is_refused(api: Api) -> None:
    for raw in (b"", b"\x00\xff" * 100):
        answer = await bounce(api, raw)
        refused(answer, 400, "mail-report-unreadable")
    assert (await bounce(api, b"To: a@b\r\n\r\n" + b"x" * LARGEST)).status_code == 413


async def test_nobody_takes_bounces_where_no_secret_was_agreed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = msgspec.structs.replace(api.app.state.settings, mail=msgspec.structs.replace(ACCESS, bounce_secret=None))
    monkeypatch.setattr(api.app.state, "settings", settings)
    assert (await bounce(api, report("a@b.example"), "")).status_code == 404


async def test_a_mailbox_that_is_none_gets_the_mail_given_up(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)
    server.answers = {"RCPT": ["550 5.1.1 no such user"]}
    assert await send(api, server, message_id) is None
    assert await standing(api, message_id) == ("abandoned", "bad_address")


async def test_a_mail_servers_pipe_hands_over_reports(
    api: Api, world: World, server: MailServer, database: Database, keys_folder: Path
) -> None:
    _, message_id = await rendered_order(api, world)
    taken = await send(api, server, message_id)
    assert taken is not None
    environment = {
        **os.environ,
        **mail_variables(ACCESS),
        "DATABASE_URL": database.dsn,
        "YIMA_KEYS": str(keys_folder),
    }

    async def piped(raw: bytes, *argv: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from api.cli import main; main()", "messages", "bounce", *argv),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate(raw)
        return process.returncode, told.decode()

    assert await piped(b"") == (65, "内容不是邮件，无法识别。\n")
    assert await piped(b"x" * (LARGEST + 1)) == (65, "邮件超过1 MiB。\n")
    assert await piped(report("a@b.example")) == (67, "收件地址不是本系统发出的退信地址。\n")
    assert (await standing(api, message_id))[0] == "sent"
    assert await piped(report("a@b.example"), "--recipient", taken.envelope_from) == (0, "已登记。\n")
    assert await standing(api, message_id) == ("failed", "bounced")


async def test_an_answer_that_is_lost_leaves_the_try_open(api: Api, world: World, server: MailServer) -> None:
    _, message_id = await rendered_order(api, world)
    server.hang_up = "DATA"
    taken = await send(api, server, message_id)
    assert taken is not None
    assert (await standing(api, message_id))[0] == "sending"
    accepted_later = await bounce(api, report(taken.envelope_from, action="relayed", status="2.1.9"))
    assert accepted_later.json() == {"outcome": "noted"}
    assert (await standing(api, message_id))[0] == "sent"
