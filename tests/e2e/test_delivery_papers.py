"""A legal notice by mail brings its paper along, and waits for it a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from api.delivery.engine import deliver
from api.delivery.senders import Senders
from api.paper_rendering import paper_key, render_document
from tests.support.client import Api, accepted
from tests.support.factories import World
from tests.support.problems import ordered
from tests.support.sending import FakeMail
from tests.support.visits import rows

CONSENT = {"means": ["email"], "email": "wei@laoyou.example"}


async def mailed_order(api: Api, world: World) -> dict[str, Any]:
    """The mail of an order to an enterprise that agreed to be served by mail."""
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    accepted(await api.as_(world.enterprise_user).post(path, CONSENT))
    await ordered(api, world)
    [message] = [row for row in await rows(api, "message") if row["channel"] == "email"]
    return message


def by_mail(mail: FakeMail) -> Senders:
    return Senders(mail=mail, per_second={"mail": 0})


async def test_a_mail_waits_for_its_paper_and_then_brings_it_along(api: Api, world: World) -> None:
    message = await mailed_order(api, world)
    mail = FakeMail()
    assert await deliver(api.parts, by_mail(mail), message["id"]) == timedelta(seconds=3)
    assert mail.taken == []
    [waiting] = [row for row in await rows(api, "message") if row["id"] == message["id"]]
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)

    [paper] = [row for row in await rows(api, "document") if str(row["id"]) == message["parameters"]["document_id"]]
    await render_document(api.parts, paper["id"].bytes)
    assert await deliver(api.parts, by_mail(mail), message["id"]) is None

    [sent] = mail.taken
    assert (sent.address, [file.name for file in sent.attachments]) == ("wei@laoyou.example", ["文书1号.pdf"])
    assert sent.attachments[0].content.startswith(b"%PDF")


async def test_a_paper_that_does_not_come_holds_up_the_mail_for_ten_minutes_only(api: Api, world: World) -> None:
    message = await mailed_order(api, world)
    mail = FakeMail()
    api.clock.advance(timedelta(minutes=10))
    assert await deliver(api.parts, by_mail(mail), message["id"]) is None
    [sent] = mail.taken
    assert sent.attachments == ()
    assert "http://yima.test/n/" in sent.text


async def test_a_paper_that_cannot_be_read_now_lets_the_mail_come_again(api: Api, world: World) -> None:
    message = await mailed_order(api, world)
    [paper] = [row for row in await rows(api, "document") if str(row["id"]) == message["parameters"]["document_id"]]
    await render_document(api.parts, paper["id"].bytes)
    [rendered] = [row for row in await rows(api, "document") if row["id"] == paper["id"]]
    key = paper_key(rendered["pdf_digest"])
    content = await api.parts.blobs.get(key)
    await api.parts.blobs.delete(key)
    mail = FakeMail()
    again = await deliver(api.parts, by_mail(mail), message["id"])
    assert again is not None
    assert mail.taken == []
    [tried] = await rows(api, "message_attempt")
    assert (tried["state"], tried["reason"]) == ("refused", "paper_away")
    [provider] = await rows(api, "message_provider")  # was not asked, and is not to blame
    assert (provider["failures"], provider["refused"], provider["last_reason"]) == (0, 0, None)
    await api.parts.blobs.put(key, content)
    assert await deliver(api.parts, by_mail(mail), message["id"]) is None
    assert mail.taken[0].attachments[0].content == content
