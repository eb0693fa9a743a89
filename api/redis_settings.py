"""Where Redis is, for installations whose servers shall learn by it that the trace has grown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from api.settings_error import SettingsError

_NAME: Final = "YIMA_REDIS"
_SCHEMES: Final = frozenset({"redis", "rediss"})


class RedisAccess(msgspec.Struct, frozen=True):
    """Where Redis is; its address may hold a password."""

    url: str

    def __repr__(self) -> str:
        """Where it is, and nothing of who calls."""
        return f"RedisAccess({urlsplit(self.url).hostname})"


def read_redis(environment: Mapping[str, str]) -> RedisAccess | None:
    """What `YIMA_REDIS` says; None where nothing is set. Raises `SettingsError`, which never shows the address."""
    url = environment.get(_NAME)
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SettingsError(f"{_NAME} is not redis://host:port or rediss://user:password@host:port/0.")
    return RedisAccess(url)


def redis_variables(access: RedisAccess) -> dict[str, str]:
    """The variables from which a child process reads the same."""
    return {_NAME: access.url}
