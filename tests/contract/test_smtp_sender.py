"""The mail driver against a real server: what arrives, what a refusal means, what nobody can put into a header."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from notifications.mail import smtp
from notifications.mail.access import MailAccess, MailSecurity
from notifications.mail.port import Attachment, OutgoingMail
from notifications.mail.smtp import SmtpSender
from notifications.outcome import Reason, Refused
from tests.support.smtp_server import PASSWORD, USERNAME, MailServer, running_mail_server

NOW = datetime(2026, 8, 3, 1, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


def a_mail(**fields: object) -> OutgoingMail:
    given: dict[str, object] = {
        "reference": uuid4(),
        "address": "boss@laoyou.example",
        "subject": "责令改正通知书（南市监责改〔2026〕12号）",
        "text": "你单位收到责令改正通知书。\n.\n行首的点也要到达。\n",
        "html": "<!DOCTYPE html><html lang=zh-CN><body><p>你单位收到责令改正通知书。</p></body></html>",
    }
    return msgspec.convert({**given, **fields}, OutgoingMail)


def access_to(server: MailServer, **fields: object) -> MailAccess:
    given: dict[str, object] = {
        "host": server.host,
        "port": server.port,
        "security": MailSecurity.NONE,
        "sender": "notice@yima.example",
        "sender_name": "南宁市市场监管局",
        "ca_file": None if server.ca_file is None else str(server.ca_file),
    }
    return msgspec.convert({**given, **fields}, MailAccess)


@asynccontextmanager
async def sender_to(server: MailServer, **fields: object) -> AsyncGenerator[SmtpSender]:
    def envelope_of(reference: UUID) -> str:
        return f"bounce+{reference.hex}@yima.example"

    sender = SmtpSender(access_to(server, **fields), envelope_of=envelope_of, clock=lambda: NOW)
    try:
        yield sender
    finally:
        await sender.close()


async def refusal_of(server: MailServer, mail: OutgoingMail | None = None, **fields: object) -> Refused:
    async with sender_to(server, **fields) as sender:
        with pytest.raises(Refused) as refused:
            await sender.send(mail or a_mail())
    return refused.value


def part_of(message: EmailMessage, kind: str) -> EmailMessage:
    [found] = [part for part in message.walk() if part.get_content_type() == kind]
    assert isinstance(found, EmailMessage)
    return found


# What arrives


async def test_a_mail_arrives_whole_with_both_bodies_and_its_paper(tmp_path: Path) -> None:
    paper = Attachment(name="责令改正通知书.pdf", media_type="application/pdf", content=PDF)
    mail = a_mail(attachments=[paper])
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        accepted = await sender.send(mail)
    assert accepted.provider_reference is not None
    assert "queued as 000001" in accepted.provider_reference
    [taken] = server.taken
    assert (taken.envelope_from, taken.envelope_to) == (
        f"bounce+{mail.reference.hex}@yima.example", (mail.address,)
    )  # fmt: skip
    message = taken.parsed
    assert message["Subject"] == mail.subject
    assert message["From"] == "南宁市市场监管局 <notice@yima.example>"
    assert message["To"] == mail.address
    assert message["Message-ID"] == f"<{mail.reference}@yima.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert message["List-Unsubscribe"] is None
    assert message.get_content_type() == "multipart/mixed"
    assert part_of(message, "text/plain").get_content().replace("\r\n", "\n") == mail.text
    assert part_of(message, "text/html").get_content().strip() == mail.html
    attached = part_of(message, "application/pdf")
    assert (attached.get_filename(), attached.get_content()) == (paper.name, PDF)
    assert attached.get_content_disposition() == "attachment"
    assert message.defects == []


async def test_what_goes_over_the_wire_is_ascii_in_lines_that_every_server_takes(tmp_path: Path) -> None:
    mail = a_mail(text="长" * 5000, subject="很长的主题" * 30)
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        await sender.send(mail)
    [taken] = server.taken
    assert taken.raw.isascii()
    assert max(map(len, taken.raw.split(b"\r\n"))) <= 998
    assert taken.parsed["Subject"] == mail.subject
    assert part_of(taken.parsed, "text/plain").get_content().strip() == mail.text


async def test_a_digest_names_the_address_that_ends_it(tmp_path: Path) -> None:
    end = "https://yima.example/subscriptions/end/" + "x" * 60
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        await sender.send(a_mail(unsubscribe=end))
    message = server.taken[0].parsed
    assert message["List-Unsubscribe"].replace("\r\n", "").replace(" ", "") == f"<{end}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "通知\r\nBcc: thief@evil.example"},
        {"subject": "通知\n\n<script>"},
        {"subject": "通知\x00\u2028X-Evil: 1"},
        {
            "attachments": [
                {"name": '../a"\r\nX-Evil: 1\r\n.pdf', "media_type": "text/html\r\nX-Evil: 1", "content": b"x"}
            ]
        },
    ],
)
async def test_nothing_can_be_put_into_a_header(tmp_path: Path, fields: dict[str, object]) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server, sender_name="局\r\nX-Evil: 1") as sender:
        mail = a_mail()
        attached = [Attachment(**each) for each in fields.get("attachments", ())]  # type: ignore[arg-type,union-attr]
        await sender.send(msgspec.structs.replace(mail, **{**fields, "attachments": tuple(attached)}))
    [taken] = server.taken
    message = taken.parsed
    names = {name.lower() for part in message.walk() for name in part.keys()}  # noqa: SIM118 - headers, not a mapping
    assert not names & {"bcc", "x-evil"}
    assert taken.envelope_to == (mail.address,)
    assert re.search(rb"(?im)^x-evil", taken.raw) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "boss",
        "boss@",
        "@laoyou.example",
        "boss@localhost",
        "a b@laoyou.example",
        "boss@laoyou.example\r\nRCPT TO:<thief@evil.example>",
        "boss@laoyou.example>\r\nDATA",
        "boss@evil.example,thief@evil.example",
        '"a b"@laoyou.example',
        "老板@laoyou.example",
        "boss@-x.example",
        "x" * 65 + "@laoyou.example",
        "boss@" + "x." * 130 + "example",
    ],
)
async def test_what_is_no_address_never_reaches_the_server(tmp_path: Path, address: str) -> None:
    async with running_mail_server(tmp_path) as server:
        refused = await refusal_of(server, a_mail(address=address))
    assert refused.reason is Reason.BAD_ADDRESS
    assert server.sessions == 0
    assert "evil" not in str(refused)


async def test_a_chinese_domain_is_written_as_the_wire_wants_it(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        await sender.send(a_mail(address="boss@老友粉.example"))
    assert server.taken[0].envelope_to == ("boss@xn--ior016gckc.example",)


# The way there


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_way_is_encrypted_and_we_say_who_we_are(tmp_path: Path, security: str) -> None:
    async with (
        running_mail_server(tmp_path, security=security, needs_log_in=security == "starttls") as server,
        sender_to(server, security=security, **_log_in(security)) as sender,
    ):
        await sender.send(a_mail())
    [taken] = server.taken
    assert taken.is_encrypted
    assert taken.user == (USERNAME if security == "starttls" else None)


def _log_in(security: str) -> dict[str, object]:
    return {"username": USERNAME, "password": PASSWORD} if security == "starttls" else {}


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path, security="starttls") as server:
        refused = await refusal_of(server, security="starttls", ca_file=None)
    assert refused.reason is Reason.PROVIDER_AWAY
    assert server.taken == []


async def test_a_server_that_offers_no_encryption_gets_no_mail(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server:
        refused = await refusal_of(server, security="starttls")
    assert refused.reason is Reason.PROVIDER_AWAY
    assert server.taken == []


async def test_a_wrong_password_is_told_and_never_repeated(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path, security="starttls", needs_log_in=True) as server:
        refused = await refusal_of(server, security="starttls", username=USERNAME, password="wrong")
    assert refused.reason is Reason.UNAUTHORISED
    assert "wrong" not in str(refused)
    assert "wrong" not in repr(access_to(server, password="wrong"))


async def test_connections_are_kept_and_no_more_than_agreed_are_open(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server, connections=3) as sender:
        await asyncio.gather(*(sender.send(a_mail()) for _ in range(30)))
    assert len(server.taken) == 30
    assert server.most_open <= 3
    assert server.sessions <= 3


async def test_a_connection_that_went_stale_is_replaced_without_a_word(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        await sender.send(a_mail())
        server.answers = {"MAIL": ["421 4.4.2 idle for too long"]}
        await sender.send(a_mail())
    assert len(server.taken) == 2
    assert server.sessions == 2


async def test_a_server_that_reports_on_delivery_is_asked_to(tmp_path: Path) -> None:
    mail = a_mail()
    async with running_mail_server(tmp_path, reports=True) as server, sender_to(server) as sender:
        await sender.send(mail)
    assert server.taken[0].options == (f"ENVID={mail.reference}", "RET=HDRS", "NOTIFY=SUCCESS,FAILURE")


# What a refusal means


@pytest.mark.parametrize(
    ("command", "answer", "reason"),
    [
        ("RCPT", "550 5.1.1 <boss@laoyou.example>: no such user", Reason.BAD_ADDRESS),
        ("RCPT", "550 User unknown", Reason.BAD_ADDRESS),
        ("RCPT", "553 5.1.3 malformed", Reason.BAD_ADDRESS),
        ("RCPT", "552 5.2.2 mailbox full", Reason.UNREACHABLE),
        ("RCPT", "550 5.7.1 you are on a list", Reason.CONTENT_REFUSED),
        ("RCPT", "450 4.2.0 greylisted, come back", Reason.UNREACHABLE),
        ("RCPT", "451 4.7.1 too many recipients", Reason.THROTTLED),
        ("RCPT", "452 4.5.3 too many recipients", Reason.THROTTLED),
        ("MAIL", "451 4.3.0 try again later", Reason.THROTTLED),
        ("MAIL", "550 5.7.1 not your sender", Reason.UNAUTHORISED),
        ("MAIL", "530 5.7.0 log in first", Reason.UNAUTHORISED),
        ("MAIL", "552 5.3.4 too large", Reason.CONTENT_REFUSED),
        ("DATA", "554 5.7.1 looks like spam", Reason.CONTENT_REFUSED),
        ("DATA", "550 5.1.1 no such user", Reason.BAD_ADDRESS),
        ("DATA", "451 4.3.0 no room", Reason.THROTTLED),
        ("DATA", "421 4.3.2 shutting down", Reason.PROVIDER_AWAY),
    ],
)
async def test_every_refusal_has_its_reason(tmp_path: Path, command: str, answer: str, reason: Reason) -> None:
    async with running_mail_server(tmp_path) as server:
        server.answers = {command: [answer, answer]}
        refused = await refusal_of(server)
    assert (refused.reason, refused.reason.is_certain) == (reason, True)
    assert answer[:3] in refused.detail
    assert "laoyou" not in refused.detail


async def test_a_server_that_refused_one_mail_takes_the_next_on_the_same_connection(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        server.answers = {"RCPT": ["550 5.1.1 no such user"]}
        with pytest.raises(Refused):
            await sender.send(a_mail())
        await sender.send(a_mail())
    assert (len(server.taken), server.sessions) == (1, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_connection_lost_before_the_content_is_certain(tmp_path: Path, command: str) -> None:
    async with running_mail_server(tmp_path) as server:
        server.hang_up = command
        refused = await refusal_of(server)
    assert refused.reason is Reason.PROVIDER_AWAY
    assert server.taken == []


async def test_a_connection_lost_after_the_content_leaves_it_open(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server:
        server.hang_up = "DATA"
        refused = await refusal_of(server)
    assert (refused.reason, refused.reason.is_certain) == (Reason.NO_ANSWER, False)
    assert len(server.taken) == 1


async def test_a_server_that_falls_silent_after_the_content_leaves_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "CONTENT_SECONDS", 0.3)
    async with running_mail_server(tmp_path) as server:
        server.silence = "DATA"
        refused = await refusal_of(server)
    assert refused.reason is Reason.NO_ANSWER


async def test_a_server_that_is_not_there_is_away(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server:
        pass
    refused = await refusal_of(server)
    assert (refused.reason, refused.reason.is_final) == (Reason.PROVIDER_AWAY, False)


async def test_a_sending_that_is_broken_off_leaves_no_half_used_connection(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, sender_to(server, connections=1) as sender:
        server.silence = "RCPT"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.send(a_mail()), 0.3)
        server.silence = None
        await sender.send(a_mail())
    assert len(server.taken) == 1


async def test_the_log_names_a_mail_by_its_reference_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mail = a_mail()
    caplog.set_level("DEBUG")
    async with running_mail_server(tmp_path) as server, sender_to(server) as sender:
        await sender.send(mail)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("notifications")]
    assert len(ours) == 1
    assert str(mail.reference) in ours[0]
    assert "laoyou" not in ours[0]
    assert "laoyou" not in repr(mail)
