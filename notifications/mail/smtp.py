"""The mail driver: SMTP over TLS, a few connections kept open, each answer of the server told apart."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import aiosmtplib
import msgspec

from notifications.mail.access import MailAccess, MailSecurity
from notifications.mail.letter import mailbox, write_letter
from notifications.mail.port import OutgoingMail
from notifications.mail.replies import Stage, refusal
from notifications.outcome import Accepted, Reason, Refused

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0
CONTENT_SECONDS: Final = 60.0
"""After the content a server looks at it before it answers (RFC 5321 4.5.3.2 allows it minutes)."""
_IDLE_SECONDS: Final = 20.0
_MAILS_A_CONNECTION: Final = 50
_LOST = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError)
_logger = logging.getLogger(__name__)


class _Line(msgspec.Struct):
    """One connection, what it has carried, and when it was last of use."""

    client: aiosmtplib.SMTP
    used_at: float
    mails: int = 0


class SmtpSender:
    """Hands mail to one server. `envelope_of` gives the address to which a mail of that reference comes back."""

    name: str = "smtp"

    def __init__(
        self, access: MailAccess, *, envelope_of: Callable[[UUID], str], clock: Callable[[], datetime]
    ) -> None:
        """Keep how to reach the server; nothing is opened here."""
        self._access = access
        self._envelope_of = envelope_of
        self._clock = clock
        self._room = asyncio.Semaphore(access.connections)
        self._idle: list[_Line] = []
        self._tls = None if access.security is MailSecurity.NONE else ssl.create_default_context(cafile=access.ca_file)

    async def send(self, mail: OutgoingMail) -> Accepted:
        """Hand `mail` over. Raises `Refused`, and nothing else, when it was not taken or nobody knows."""
        begun = time.perf_counter()
        told = "accepted"
        try:
            async with self._room:
                return await self._hand_over(mail)
        except Refused as refused:
            told = str(refused)
            raise
        finally:
            spent = (time.perf_counter() - begun) * 1000
            _logger.info("mail %s by %s: %s in %.0f ms", mail.reference, self.name, told, spent)

    async def close(self) -> None:
        """Say goodbye on every connection that stands idle."""
        while self._idle:
            await _hang_up(self._idle.pop())

    async def _hand_over(self, mail: OutgoingMail) -> Accepted:
        recipient = mailbox(mail.address)
        envelope = self._envelope_of(mail.reference)
        letter = write_letter(mail, self._access, recipient=recipient, now=self._clock())
        line = await self._line(envelope, mail.reference)
        try:
            await _say(Stage.RECIPIENT, line.client.rcpt(recipient, options=_wishes(line.client)))
            answer = await _content(line.client, letter)
        except Refused as refused:
            await self._after_refusal(line, refused)
            raise
        except BaseException:  # cancelled in the middle of the talk: nothing more can be said on this connection
            line.client.close()
            raise
        await self._give_back(line)
        return Accepted(provider_reference=_queued_as(answer))

    async def _line(self, envelope: str, reference: UUID) -> _Line:
        """A connection on which the sender has been named; one that went stale while idle is replaced."""
        while self._idle:
            line = self._idle.pop()
            if time.monotonic() - line.used_at < _IDLE_SECONDS and line.client.is_connected:
                try:
                    await _name_sender(line.client, envelope, reference)
                except Refused as refused:
                    await _hang_up(line)
                    if refused.reason is Reason.PROVIDER_AWAY:
                        continue
                    raise
                return line
            await _hang_up(line)
        line = _Line(await self._connect(), time.monotonic())
        try:
            await _name_sender(line.client, envelope, reference)
        except BaseException:
            await _hang_up(line)
            raise
        return line

    async def _connect(self) -> aiosmtplib.SMTP:
        access = self._access
        client = aiosmtplib.SMTP(
            hostname=access.host,
            port=access.port,
            timeout=ANSWER_SECONDS,
            use_tls=access.security is MailSecurity.TLS,
            start_tls=access.security is MailSecurity.STARTTLS,
            tls_context=self._tls,
        )
        try:
            await client.connect(timeout=CONNECT_SECONDS)
            if access.username is not None:
                await client.login(access.username, access.password or "")
            if client.last_ehlo_response is None:  # what the server can do is asked for once more after STARTTLS
                await client.ehlo()
        except BaseException as failure:
            client.close()
            if isinstance(failure, aiosmtplib.SMTPResponseException):
                raise refusal(Stage.GREETING, failure.code, failure.message) from failure
            if isinstance(failure, aiosmtplib.SMTPException | OSError):
                raise Refused(Reason.PROVIDER_AWAY, type(failure).__name__) from failure
            raise
        return client

    async def _after_refusal(self, line: _Line, refused: Refused) -> None:
        """A server that refused one mail takes the next; one that fell silent does not."""
        if not line.client.is_connected or refused.reason in {Reason.NO_ANSWER, Reason.PROVIDER_AWAY}:
            line.client.close()
            return
        try:
            await line.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            line.client.close()
            return
        await self._give_back(line)

    async def _give_back(self, line: _Line) -> None:
        line.mails += 1
        line.used_at = time.monotonic()
        if line.mails >= _MAILS_A_CONNECTION or not line.client.is_connected:
            await _hang_up(line)
        else:
            self._idle.append(line)


async def _name_sender(client: aiosmtplib.SMTP, envelope: str, reference: UUID) -> None:
    """MAIL FROM; servers that report on delivery (RFC 3461) get our reference, and return headers only."""
    options = [f"ENVID={reference}", "RET=HDRS"] if client.supports_extension("dsn") else []
    await _say(Stage.SENDER, client.mail(envelope, options=options))


def _wishes(client: aiosmtplib.SMTP) -> list[str]:
    return ["NOTIFY=SUCCESS,FAILURE"] if client.supports_extension("dsn") else []


async def _say(stage: Stage, command: Awaitable[object]) -> None:
    """One command. Until the content is sent, whatever goes wrong is certain: the mail was not taken."""
    try:
        await command
    except aiosmtplib.SMTPResponseException as refused:
        raise refusal(stage, refused.code, refused.message) from refused
    except (*_LOST, aiosmtplib.SMTPException) as lost:
        raise Refused(Reason.PROVIDER_AWAY, type(lost).__name__) from lost


async def _content(client: aiosmtplib.SMTP, letter: bytes) -> str:
    """The content. A connection that breaks from here on leaves nobody knowing whether the mail was taken."""
    try:
        answer = await client.data(letter, timeout=CONTENT_SECONDS)
    except aiosmtplib.SMTPResponseException as refused:
        raise refusal(Stage.CONTENT, refused.code, refused.message) from refused
    except (*_LOST, aiosmtplib.SMTPException) as lost:
        raise Refused(Reason.NO_ANSWER, type(lost).__name__) from lost
    return answer.message


def _queued_as(answer: str) -> str | None:
    """What the server says of the mail it took: its own id stands in there, in a form of each server's own."""
    return answer.strip()[:200] or None


async def _hang_up(line: _Line) -> None:
    try:
        await line.client.quit(timeout=1.0)
    except (aiosmtplib.SMTPException, OSError):
        line.client.close()
