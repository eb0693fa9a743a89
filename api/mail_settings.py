"""How an installation sends mail: `YIMA_MAIL_HOST` and what stands beside it; nothing, and mail goes into a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.settings_error import SettingsError
from notifications.mail.access import MailAccess, MailSecurity
from notifications.mail.letter import mailbox
from notifications.outcome import Refused

_PREFIX: Final = "YIMA_MAIL_"
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}
_LEAST_SECRET: Final = 24
_MOST_CONNECTIONS: Final = 32
_MOST_PER_SECOND: Final = 1000.0
_LARGEST_PORT: Final = 65535


def read_mail(environment: Mapping[str, str]) -> MailAccess | None:
    """The mail server that `environment` sets up; None where there is none. Raises `SettingsError`.

    No message repeats a secret.
    """
    given: dict[str, Any] = {
        field.name: environment[_variable(field.name)]
        for field in msgspec.structs.fields(MailAccess)
        if environment.get(_variable(field.name))
    }
    if not given:
        return None
    for needed in ("host", "sender"):
        if needed not in given:
            raise SettingsError(f"{_variable(needed)} is missing: mail needs a server and a sender.")
    given["security"] = _security(given)
    given["port"] = _whole(given, "port", _PORTS[given["security"]], _LARGEST_PORT)
    given["connections"] = _whole(given, "connections", 4, _MOST_CONNECTIONS)
    given["per_second"] = _rate(given)
    _check_addresses(given)
    _check_secrets(given)
    return MailAccess(**given)


def mail_variables(access: MailAccess) -> dict[str, str]:
    """The variables from which a child process reads the same."""
    return {_variable(name): str(value) for name, value in msgspec.structs.asdict(access).items() if value is not None}


def _variable(field: str) -> str:
    return _PREFIX + field.upper()


def _security(given: Mapping[str, str]) -> MailSecurity:
    """Mail goes in clear to this machine alone, whose server knows the way on."""
    try:
        security = MailSecurity(given.get("security", MailSecurity.STARTTLS))
    except ValueError as unknown:
        raise SettingsError(f"{_variable('security')} is one of {', '.join(MailSecurity)}.") from unknown
    if security is MailSecurity.NONE and given["host"] not in _HERE:
        raise SettingsError(f"{_variable('security')}=none is for a server on this machine only.")
    return security


def _whole(given: Mapping[str, str], field: str, default: int, most: int) -> int:
    text = given.get(field)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise SettingsError(f"{_variable(field)}={text!r} is not a whole number between 1 and {most}.")
    return int(text)


def _rate(given: Mapping[str, str]) -> float:
    text = given.get("per_second", "20")
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= _MOST_PER_SECOND:  # "nan" is neither
        raise SettingsError(f"{_variable('per_second')}={text!r} is no number of mails a second above 0.")
    return rate


def _check_addresses(given: Mapping[str, str]) -> None:
    for field, address in (
        ("sender", given["sender"]),
        ("bounce_domain", f"bounce@{given.get('bounce_domain', 'a.cn')}"),
    ):
        try:
            unchanged = mailbox(address) == address
        except Refused:
            unchanged = False
        if not unchanged:
            raise SettingsError(f"{_variable(field)}={given[field]!r} cannot be used in a mail address.")


def _check_secrets(given: Mapping[str, str]) -> None:
    if ("username" in given) != ("password" in given):
        raise SettingsError(f"{_variable('username')} and {_variable('password')} go together.")
    secret = given.get("bounce_secret")
    if secret is not None and (len(secret) < _LEAST_SECRET or not secret.isascii() or not secret.isalnum()):
        raise SettingsError(
            f"{_variable('bounce_secret')} must be {_LEAST_SECRET} letters and digits or more: it guards the bounces."
        )
