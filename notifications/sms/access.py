"""How each provider of SMS is reached, and as whom. No secret stands in a repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class KannelAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Kannel's smsbox. `url` is that of `sendsms`; `sender` is the number that phones show, unless the box has one."""

    url: str
    username: str
    password: str
    sender: str | None = None
    per_second: float = 20.0

    name: ClassVar[str] = "kannel"

    def __repr__(self) -> str:
        """Its address alone: the rest must not come into a log."""
        return f"KannelAccess({self.url})"


class AliyunTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template that lies with the vendor: its code, of which version of ours its words are, which values it takes.

    The vendor takes no address as a value: `link_end` is what follows the last stroke of our `link`, for a template
    that holds the rest of it.
    """

    code: str
    version: int
    values: tuple[str, ...]


class AliyunAccess(msgspec.Struct, frozen=True, kw_only=True):
    """阿里云短信. The text lies with the vendor: `templates` are those that it has, by our names.

    `sign_name` is the signature that was registered there, without 【】. `receipt_secret` stands in the address to
    which the vendor sends receipts.
    """

    access_key_id: str
    access_key_secret: str
    sign_name: str
    templates: Mapping[str, AliyunTemplate]
    receipt_secret: str
    url: str = "https://dysmsapi.aliyuncs.com"
    per_second: float = 50.0

    name: ClassVar[str] = "aliyun"

    def __repr__(self) -> str:
        """Its address alone: the rest must not come into a log."""
        return f"AliyunAccess({self.url})"


class ZhiguitongSmsAccess(msgspec.Struct, frozen=True, kw_only=True):
    """智桂通's SMS (待核: no wire format is given), as the application that 8.1 registers."""

    url: str
    app_code: str
    app_secret: str
    app_key: str
    receipt_secret: str
    per_second: float = 20.0

    name: ClassVar[str] = "zhiguitong"

    def __repr__(self) -> str:
        """Its address alone: the rest must not come into a log."""
        return f"ZhiguitongSmsAccess({self.url})"


ProviderAccess = KannelAccess | AliyunAccess | ZhiguitongSmsAccess


class SmsAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The providers in fail-over order, at least one.

    `receipt_base` is scheme and host at which Kannel reaches this installation, where that is not its public address.
    """

    providers: tuple[ProviderAccess, ...]
    receipt_base: str | None = None

    def of(self, name: str) -> ProviderAccess | None:
        """The access of that provider, where it is set up."""
        return next((each for each in self.providers if each.name == name), None)

    def per_second(self, name: str) -> float:
        """How many messages a second that provider takes from us. KeyError when it is not set up."""
        access = self.of(name)
        if access is None:
            raise KeyError(name)
        return access.per_second
