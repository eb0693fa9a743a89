"""A real mail server on 127.0.0.1 that keeps what it takes, and fails as it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME, PASSWORD = "yima", "correct horse battery"


class TakenMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was taken: its envelope and its bytes."""

    envelope_from: str
    envelope_to: tuple[str, ...]
    options: tuple[str, ...]
    raw: bytes
    is_encrypted: bool
    user: str | None

    @property
    def parsed(self) -> EmailMessage:
        """The mail as a program reads it."""
        message = BytesParser(policy=default).parsebytes(self.raw)
        assert isinstance(message, EmailMessage)
        return message


class MailServer:
    """What the server took, and what it answers: `answers` by command ("MAIL", "RCPT", "DATA") instead of taking.

    `hang_up` names a command after which it closes the connection without a word; `silence` one that it never answers.
    A mail whose content was read before the connection broke stands in `taken`: the server has it.
    """

    def __init__(self) -> None:
        """Take everything."""
        self.host, self.port = "127.0.0.1", 0
        self.ca_file: Path | None = None
        self.answers: dict[str, list[str]] = {}
        self.hang_up: str | None = None
        self.silence: str | None = None
        self.taken: list[TakenMail] = []
        self.reports = False
        self.asked: list[str] = []
        self.sessions = 0
        self.open_sessions = 0
        self.most_open = 0

    async def handle_EHLO(  # noqa: N802 - the server's own name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        """What the server can do."""
        session.host_name = hostname
        return [answers[0], *(["250-DSN"] if self.reports else []), *answers[1:]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """MAIL FROM."""
        envelope.mail_from = address
        return await self._answer(server, "MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """RCPT TO."""
        answer = await self._answer(server, "RCPT", "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The content."""
        refused = self.answers.get("DATA")
        if not refused:
            content = envelope.content
            assert isinstance(content, bytes)
            assert server.transport is not None
            self.taken.append(
                TakenMail(
                    envelope_from=envelope.mail_from or "",
                    envelope_to=tuple(envelope.rcpt_tos),
                    options=tuple(self.asked),
                    raw=content,
                    is_encrypted=session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
                    user=getattr(session.auth_data, "login", b"").decode() or None,
                )
            )
        return await self._answer(server, "DATA", f"250 2.0.0 Ok: queued as {len(self.taken):06d}")

    async def _answer(self, server: SMTP, command: str, otherwise: str) -> str:
        if self.silence == command:
            await asyncio.sleep(30)
        if self.hang_up == command:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 gone"
        told = self.answers.get(command)
        return told.pop(0) if told else otherwise


class _Counted(SMTP):
    """A session that is counted, and whose wishes for reports (RFC 3461), which the server does not know, are kept."""

    def __init__(self, mail: MailServer, **given: Any) -> None:
        super().__init__(mail, **given)
        self._mail = mail

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType] - of a stream, always
        if self.session is not None and self.session.ssl is None:
            self._mail.sessions += 1
            self._mail.open_sessions += 1
            self._mail.most_open = max(self._mail.most_open, self._mail.open_sessions)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        await super().smtp_MAIL(self._without_wishes(arg))

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        await super().smtp_RCPT(self._without_wishes(arg))

    def _without_wishes(self, arg: str) -> str:
        if not self._mail.reports:
            return arg
        words = arg.split(" ")
        self._mail.asked += [word for word in words if word.startswith(("ENVID=", "RET=", "NOTIFY="))]
        return " ".join(word for word in words if word not in self._mail.asked)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._mail.open_sessions -= 1


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False, auth_data=given)


@asynccontextmanager
async def running_mail_server(
    folder: Path, *, security: str = "none", needs_log_in: bool = False, reports: bool = False
) -> AsyncGenerator[MailServer]:
    """A server for as long as the context lasts: `security` is "none", "starttls" or "tls"; `reports` on delivery."""
    mail = MailServer()
    mail.reports = reports
    tls = None
    if security != "none":
        mail.ca_file, tls = _certificate(folder)

    def session() -> SMTP:
        return _Counted(
            mail,
            hostname="mail.test",
            tls_context=tls if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=needs_log_in,
            auth_require_tls=security == "starttls",
            authenticator=_authenticate,
            enable_SMTPUTF8=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, mail.host, 0, ssl=tls if security == "tls" else None)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, for two hours."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = folder / "certificate.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return certificate, context
