"""One frozen `Settings`: the only reader of the environment."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from api.client_address import Network, parse_networks
from api.mail_settings import mail_variables, read_mail
from api.redis_settings import RedisAccess, read_redis, redis_variables
from api.settings_error import SettingsError
from api.sms_settings import read_sms, sms_variables
from domain.evidence.model import BlobPlace
from notifications.mail.access import MailAccess
from notifications.sms.access import SmsAccess

if TYPE_CHECKING:
    from collections.abc import Mapping


# What the object store needs to be reached and signed in to, under the names that its other clients use.
_BLOB_OPTIONS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)
_S3 = "s3://"
_ZHIGUITONG = "YIMA_ZHIGUITONG_"
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


PUBLIC_URL = "http://127.0.0.1:8000"
"""What is printed in codes and on papers where an installation says nothing else."""
EMBARGO_WORKING_DAYS = 5
"""Between completion and publication, unless an installation says otherwise (D10)."""


class ZhiguitongAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where 智桂通 is, and as which application we call it (应用注册, 8.1).

    Without a `role_code` it tells id, name, mobile and type of account only, which is too little to recognise anybody.
    """

    url: str
    app_code: str
    app_secret: str
    app_key: str
    service_id: str = "1"
    role_code: str | None = None

    def __repr__(self) -> str:
        """Its address alone: the rest must not come into a log."""
        return f"ZhiguitongAccess({self.url})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation may choose.

    `database_url` is None when the embedded PostgreSQL is used. `keys` is the folder of the root key.
    `public_url` is what is printed in the codes: scheme and host, no path. `embargo_days`, where
    given, stand between completion and publication. `blobs` is None when they are kept in a
    folder of `var`; `scanner` is `host:port` of a ClamAV daemon, or None. `trusted_proxies` are the networks of our own
    proxies: only what they say of where a request comes from is believed. `zhiguitong` is None where nobody logs in
    by it. `sms` and `mail` are None where messages are written to a file instead of sent.
    `settle_after` seconds a receipt is waited for where nobody can say whether a message was taken.
    `redis` is None where servers learn of news by PostgreSQL's own notifications.
    """

    var: Path
    keys: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = PUBLIC_URL
    servers: int = 1
    workers: int = 1
    settle_after: int = 60
    pool_size: int = 12
    page_cache_bytes: int = 32 * 1024 * 1024
    demo: bool = False
    embargo_days: int | None = None
    blobs: BlobPlace | None = None
    scanner: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    zhiguitong: ZhiguitongAccess | None = None
    sms: SmsAccess | None = None
    mail: MailAccess | None = None
    redis: RedisAccess | None = None

    def __repr__(self) -> str:
        """Where it keeps its things and answers: the database's address holds a password, and others theirs."""
        return f"Settings(var={str(self.var)!r}, {self.host}:{self.port}, {self.public_url})"

    @property
    def embargo_working_days(self) -> int:
        """Working days between completion and publication: none in a demonstration, unless they are given."""
        if self.embargo_days is not None:
            return self.embargo_days
        return 0 if self.demo else EMBARGO_WORKING_DAYS

    @property
    def blob_place(self) -> BlobPlace:
        """Where blobs are kept."""
        return self.blobs or BlobPlace(str(self.var / "blobs"))

    def environment(self) -> dict[str, str]:
        """The variables from which a child process reads the same settings."""
        variables = {
            "YIMA_VAR": str(self.var),
            "YIMA_KEYS": str(self.keys),
            "HOST": self.host,
            "PORT": str(self.port),
            "YIMA_PUBLIC_URL": self.public_url,
            "YIMA_SERVERS": str(self.servers),
            "YIMA_WORKERS": str(self.workers),
            "YIMA_SETTLE_AFTER": str(self.settle_after),
            "YIMA_POOL_SIZE": str(self.pool_size),
            "YIMA_PAGE_CACHE_BYTES": str(self.page_cache_bytes),
            "YIMA_DEMO": "1" if self.demo else "0",
        }
        if self.database_url is not None:
            variables["DATABASE_URL"] = self.database_url
        if self.embargo_days is not None:
            variables["YIMA_EMBARGO_DAYS"] = str(self.embargo_days)
        if self.blobs is not None:
            variables |= {"YIMA_BLOBS": self.blobs.url, **self.blobs.options}
        if self.scanner is not None:
            variables["YIMA_CLAMD"] = self.scanner
        if self.trusted_proxies:
            variables["YIMA_TRUSTED_PROXIES"] = ",".join(str(network) for network in self.trusted_proxies)
        if self.zhiguitong is not None:
            access = msgspec.structs.asdict(self.zhiguitong).items()
            variables |= {_ZHIGUITONG + name.upper(): value for name, value in access if value is not None}
        if self.sms is not None:
            variables |= sms_variables(self.sms)
        if self.mail is not None:
            variables |= mail_variables(self.mail)
        if self.redis is not None:
            variables |= redis_variables(self.redis)
        return variables


def _integer(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name}={text!r} is not a whole number between {low} and {high}.")
    return int(text)


def _blob_place(environment: Mapping[str, str]) -> BlobPlace | None:
    url = environment.get("YIMA_BLOBS")
    if not url:
        return None
    if url.startswith(_S3):
        return BlobPlace(url, {name: environment[name] for name in _BLOB_OPTIONS if environment.get(name)})
    if "://" in url:
        raise SettingsError("YIMA_BLOBS is neither a folder nor s3://bucket/prefix.")
    return BlobPlace(str(Path(url).absolute()))


def _scanner(environment: Mapping[str, str]) -> str | None:
    address = environment.get("YIMA_CLAMD")
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise SettingsError(f"YIMA_CLAMD={address!r} is not host:port.")
    return address


def _trusted_proxies(environment: Mapping[str, str]) -> tuple[Network, ...]:
    text = environment.get("YIMA_TRUSTED_PROXIES", "")
    try:
        return parse_networks(text)
    except ValueError as broken:
        raise SettingsError(f"YIMA_TRUSTED_PROXIES={text!r} is no list of networks: {broken}.") from broken


def _zhiguitong(environment: Mapping[str, str]) -> ZhiguitongAccess | None:
    """Access to 智桂通, all of it or none. Its secret travels in clear to nobody but this machine."""
    given = {
        name: environment[_ZHIGUITONG + name.upper()]
        for name in ZhiguitongAccess.__struct_fields__
        if environment.get(_ZHIGUITONG + name.upper())
    }
    if not given:
        return None
    missing = [name for name in ("url", "app_code", "app_secret", "app_key") if name not in given]
    if missing:
        raise SettingsError(f"{_ZHIGUITONG}{missing[0].upper()} is missing: 智桂通 needs all four of its application.")
    address = urlsplit(given["url"])
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _HERE):
        raise SettingsError(f"{_ZHIGUITONG}URL={given['url']!r} is not https://…")
    return ZhiguitongAccess(**given)


def _address_of_this_machine() -> str:
    """The address under which a phone in the same network reaches us; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address (RFC 5737): the route to it tells our own
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment` (the process's own by default).

    Raises `SettingsError` when a value cannot be used, and when DATABASE_URL comes without YIMA_KEYS: a database
    elsewhere outlives this folder, so the keys that open it must not be made by accident beside it.
    """
    env = os.environ if environment is None else environment
    var = Path(env.get("YIMA_VAR") or "var").absolute()
    database_url = env.get("DATABASE_URL") or None
    keys = env.get("YIMA_KEYS")
    if database_url is not None and not keys:
        raise SettingsError(
            "DATABASE_URL is set but YIMA_KEYS is not: name the folder that holds the root key of that database.",
        )
    host = env.get("HOST") or "127.0.0.1"
    port = _integer(env, "PORT", 8000, 1, 65535)
    shown = _address_of_this_machine() if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return Settings(
        var=var,
        keys=Path(keys).absolute() if keys else var / "keys",
        database_url=database_url,
        host=host,
        port=port,
        public_url=(env.get("YIMA_PUBLIC_URL") or f"http://{shown}:{port}").rstrip("/"),
        servers=_integer(env, "YIMA_SERVERS", 1, 1, 64),
        workers=_integer(env, "YIMA_WORKERS", 1, 1, 16),
        settle_after=_integer(env, "YIMA_SETTLE_AFTER", 60, 5, 86_400),
        pool_size=_integer(env, "YIMA_POOL_SIZE", 12, 2, 200),
        page_cache_bytes=_integer(env, "YIMA_PAGE_CACHE_BYTES", 32 * 1024 * 1024, 0, 2**34),
        demo=env.get("YIMA_DEMO") == "1",
        embargo_days=_integer(env, "YIMA_EMBARGO_DAYS", EMBARGO_WORKING_DAYS, 0, 20)
        if env.get("YIMA_EMBARGO_DAYS")
        else None,
        blobs=_blob_place(env),
        scanner=_scanner(env),
        trusted_proxies=_trusted_proxies(env),
        zhiguitong=_zhiguitong(env),
        sms=read_sms(env),
        mail=read_mail(env),
        redis=read_redis(env),
    )
