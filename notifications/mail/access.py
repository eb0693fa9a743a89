"""How the mail server is reached, and as whom mail is sent. No secret stands in a repr."""

from __future__ import annotations

import enum

import msgspec


class MailSecurity(enum.StrEnum):
    """How the way to the mail server is kept from others' eyes; `none` only to this machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class MailAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server that takes our mail.

    `sender` is the address that people see. `bounce_domain` is where mail that comes back goes, the sender's own unless
    it is named; `bounce_secret` lets the server of that domain hand it to us, None: it cannot. `ca_file` holds the
    certificates to trust, None: those of the system. `connections` is the most that are open at once.
    """

    host: str
    port: int
    sender: str
    security: MailSecurity = MailSecurity.STARTTLS
    sender_name: str = "一码"
    username: str | None = None
    password: str | None = None
    bounce_domain: str | None = None
    bounce_secret: str | None = None
    ca_file: str | None = None
    connections: int = 4
    per_second: float = 20.0

    @property
    def domain(self) -> str:
        """The domain of `sender`, by which our Message-IDs are told from others."""
        return self.sender.rpartition("@")[2]

    @property
    def returns_to(self) -> str:
        """The domain to which mail comes back."""
        return self.bounce_domain or self.domain

    def __repr__(self) -> str:
        """Its address alone: the rest must not come into a log."""
        return f"MailAccess({self.host}:{self.port})"
