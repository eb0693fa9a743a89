"""A whole visit on a whole installation: its order on a phone and in a mailbox, their receipts, and all of it on file.

Everything is real: the processes of `yima serve`, Kannel with a carrier behind it, a mail server, a Redis.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
import msgspec
import pytest
from redis import Redis
from websockets.asyncio.client import connect

from api.live.signals import CHANNEL
from tests.support.installation import Installation, running_installation
from tests.support.kannel import CarriedSms, RunningKannel, running_kannel
from tests.support.problems import fresh_id
from tests.support.redis_server import RunningRedis, running_redis
from tests.support.smtp_server import MailServer, TakenMail, running_mail_server
from tests.support.whole_visits import Client, Inspector

pytestmark = pytest.mark.slow

A = TypeVar("A")
PHONE, MAILBOX = "13877100001", "wei@laoyou.example"
TO_WHOM: Final = "南宁市市场监管综合行政执法支队"
STEPS: Final = (
    "inspection.checked_in",
    "inspection.officers_identified",
    "inspection.record_signed",
    "rectification.order_issued",
    "inspection.departed",
    "inspection.completed",
    "rectification.served",
    "rectification.transfer_opened",
)
"""What the lead sees of it, in this order."""
_SECONDS: Final = 60.0


class Whole(msgspec.Struct, frozen=True):
    """An installation and what it sends by."""

    installation: Installation
    kannel: RunningKannel
    mail: MailServer
    redis: RunningRedis


@asynccontextmanager
async def whole(folder: Path) -> AsyncGenerator[Whole]:
    """All of it, for as long as the context lasts. The mail server lives in this loop, so nothing may hold it up."""
    with ExitStack() as stack:
        kannel, redis = stack.enter_context(running_kannel()), stack.enter_context(running_redis())
        async with running_mail_server(folder) as mail:
            settings = {
                **kannel.environment,
                "YIMA_REDIS": redis.url,
                "YIMA_WORKERS": "2",
                "YIMA_MAIL_HOST": mail.host,
                "YIMA_MAIL_PORT": str(mail.port),
                "YIMA_MAIL_SECURITY": "none",
                "YIMA_MAIL_SENDER": "notice@yima.test",
            }
            running = running_installation(folder / "var", settings)
            installation = await asyncio.to_thread(running.__enter__)
            try:
                yield Whole(installation, kannel, mail, redis)
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)


def until(look: Callable[[], A | None]) -> A:
    """What `look` finds, waited for. Raises TimeoutError."""
    deadline = time.monotonic() + _SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(look)
        time.sleep(0.1)
    return found


@asynccontextmanager
async def lead_watching(installation: Installation) -> AsyncGenerator[list[dict[str, Any]]]:
    """The lead's screen meanwhile: every event that it receives, in order."""
    with Client(installation, "lead") as lead:
        headers = {"Authorization": lead.http.headers["Authorization"]}
    seen: list[dict[str, Any]] = []
    address = installation.base_url.replace("http", "ws", 1) + "/api/v1/live"

    async with connect(address, additional_headers=headers, max_size=None) as feed:

        async def watch() -> None:
            async for text in feed:
                frame = json.loads(text)
                if frame["type"] == "event":
                    seen.append(frame["event"])

        watching = asyncio.create_task(watch())
        try:
            yield seen
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def consent(enterprise: Client) -> None:
    """送达地址确认书 of the enterprise, for SMS and mail."""
    path = f"/api/v1/enterprises/{enterprise.account['enterprise_id']}/service-consents"
    body = {"means": ["sms", "email"], "phone": PHONE, "email": MAILBOX}
    answer = enterprise.send("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text


def visited_enterprise(installation: Installation) -> dict[str, Any]:
    """The site of the first enterprise account, which the inspector has to visit today."""
    return next(site for site in installation.facts()["sites"] if site["account"] == "enterprise")


def arrived_sms(kannel: RunningKannel) -> CarriedSms:
    """The one SMS of the order on the enterprise's phone."""

    def look() -> CarriedSms | None:
        return next((sms for sms in kannel.received() if sms.number == PHONE and "/n/" in sms.text), None)

    return until(look)


def arrived_mail(mail: MailServer) -> TakenMail:
    """The one mail of the order."""
    return until(lambda: next((taken for taken in mail.taken if MAILBOX in taken.envelope_to), None))


def served(reader: Client, order: str) -> dict[str, Any]:
    """The order's file, once it is served and both messages have gone."""

    def look() -> dict[str, Any] | None:
        file = reader.read(f"/api/v1/rectification-orders/{order}").json()
        states = {each["channel"]: each["state"] for each in file["messages"]}
        return file if file["services"] and states == {"sms": "delivered", "email": "sent"} else None

    return until(look)


def open_link(installation: Installation, sms: CarriedSms) -> tuple[str, bytes]:
    """Open the link as it stands in the text, without an account; gives the page and the paper."""
    [address] = re.findall(r"(?:http://)?(127\.0\.0\.1:\d+/n/[\w-]{11})(?![\w-])", sms.text)
    with httpx.Client(base_url=installation.base_url, timeout=20, follow_redirects=True) as phone:
        envelope = phone.get(f"http://{address}")
        assert (envelope.status_code, "责令改正通知书" in envelope.text) == (200, True)
        page = phone.post(f"http://{address}")
        assert page.status_code == 200, page.text
        [paper] = re.findall(r'href="([^"]*/paper\.pdf\?ticket=[^"]+)"', page.text)
        pdf = phone.get(paper.replace("&amp;", "&"))
        assert pdf.status_code == 200, pdf.text
    return page.text, pdf.content


def transfer(inspector: Inspector, inspection: str, file: Mapping[str, Any]) -> str:
    """复查 finds nothing put right: the case goes to transfer; gives the transfer."""
    officers = inspector.read(f"/api/v1/inspections/{inspection}").json()["officers"]
    own = next(each["department_id"] for each in officers if each["id"] == inspector.officer)
    second = next(e["id"] for e in officers if e["department_id"] == own and e["id"] != inspector.officer)
    body = {
        "id": fresh_id(),
        "result": "transfer_conditions_met",
        "second_officer_id": second,
        "note": "现场复查，未改正。",
        "items": [{"item_id": item["item_id"], "is_corrected": False} for item in file["items"]],
        "receiving_body": TO_WHOM,
        "photos": [inspector.photos[0].digest],
    }
    path = f"/api/v1/rectification-orders/{file['id']}/re-inspections"
    answer = inspector.send("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]["transfer_id"]


def check_messages(messages: list[dict[str, Any]]) -> None:
    """What any file of the order tells of its messages: how they went, what came back, and that one was opened."""
    sms, mail = (next(each for each in messages if each["channel"] == channel) for channel in ("sms", "email"))
    assert (sms["state"], sms["address"], sms["is_notice"]) == ("delivered", "138****0001", True)
    assert [(each["provider"], each["state"]) for each in sms["tries"]] == [("kannel", "accepted")]
    assert "delivered" in {each["state"] for each in sms["receipts"]}
    assert len(sms["openings"]) == 1
    assert (mail["state"], mail["is_notice"], mail["openings"]) == ("sent", True, [])
    assert [each["state"] for each in mail["tries"]] == ["accepted"]


def visit_and_follow(all_of_it: Whole) -> str:
    """The visit, its order, what became of it; gives the inspection."""
    installation = all_of_it.installation
    site = visited_enterprise(installation)
    with (
        Inspector(installation, "inspector", Random(5)) as inspector,
        Client(installation, "enterprise") as enterprise,
        Client(installation, "department_manager") as manager,
    ):
        consent(enterprise)
        inspector.visit(site)
        order = next(each.result for each in inspector.accepted if each.act == "order")

        sms, mail = arrived_sms(all_of_it.kannel), arrived_mail(all_of_it.mail)
        file = served(enterprise, order["id"])
        page, pdf = open_link(installation, sms)
        transfer_id = transfer(inspector, site["inspection_id"], file)
        archive = until(lambda: whole_archive(manager, transfer_id))

    assert (sms.encoding, sms.text.startswith("【"), "责令改正通知书" in sms.text) == ("ucs2", True, True)
    assert [(each["means"], each["served_on"]) for each in file["services"]] == [("electronic", file["served_on"])]
    assert file["number"] in page
    assert pdf.startswith(b"%PDF")
    [attached] = mail.parsed.iter_attachments()
    assert attached.get_content() == pdf
    assert file["number"] in str(mail.parsed["Subject"])
    check_messages(json.loads(archive.read("送达信息.json")))
    with Client(installation, "enterprise") as enterprise:
        check_messages(enterprise.read(f"/api/v1/rectification-orders/{order['id']}").json()["messages"])
    assert len([each for each in all_of_it.kannel.received() if each.number == PHONE and "/n/" in each.text]) == 1
    return str(site["inspection_id"])


def whole_archive(manager: Client, transfer_id: str) -> zipfile.ZipFile | None:
    """The transfer's file, once the worker has made all that belongs to it."""
    archive = zipfile.ZipFile(io.BytesIO(manager.read(f"/api/v1/transfers/{transfer_id}/file.zip").content))
    missing = [part["missing"] for part in json.loads(archive.read("index.json"))["parts"]]
    return None if any(missing) else archive


async def test_a_completed_visit_is_on_the_phone_in_the_mailbox_on_file_and_on_the_leads_screen(tmp_path: Path) -> None:
    async with whole(tmp_path) as all_of_it:
        with Redis.from_url(all_of_it.redis.url) as redis, redis.pubsub() as ear:
            assert dict(redis.pubsub_numsub(CHANNEL)) == {CHANNEL.encode(): 1}, "the server hears by Redis"
            ear.subscribe(CHANNEL)
            async with lead_watching(all_of_it.installation) as seen:
                inspection = await asyncio.to_thread(visit_and_follow, all_of_it)
                await asyncio.to_thread(until, lambda: "rectification.transfer_opened" in actions_of(seen) or None)
            heard: Any = ear.get_message
            said = [int(each["data"]) for each in iter(heard, None) if each["type"] == "message"]

    places = [actions_of(seen).index(step) for step in STEPS]
    assert places == sorted(places), actions_of(seen)
    positions = [event["position"] for event in seen]
    assert positions == sorted(set(positions))
    assert any(event["subject_id"] == inspection for event in seen)
    assert max(positions) <= max(said)


def actions_of(seen: list[dict[str, Any]]) -> list[str]:
    """What happened, in the order in which it was seen."""
    return [event["action"] for event in seen]
