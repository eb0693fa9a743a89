"""Which SMS providers an installation has: `YIMA_SMS` names them in fail-over order, the rest says how to reach each.

A field of an access is a variable: `YIMA_SMS_KANNEL_URL` is `KannelAccess.url`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from api.settings_error import SettingsError
from notifications.sms.access import (
    AliyunAccess,
    AliyunTemplate,
    KannelAccess,
    ProviderAccess,
    SmsAccess,
    ZhiguitongSmsAccess,
)

_ORDER: Final = "YIMA_SMS"
_RECEIPT_BASE: Final = "YIMA_SMS_RECEIPT_BASE"
_KINDS: Final[Mapping[str, type[ProviderAccess]]] = {
    kind.name: kind for kind in (KannelAccess, AliyunAccess, ZhiguitongSmsAccess)
}
_LEAST_SECRET: Final = 24
_MOST_PER_SECOND: Final = 10_000.0


def read_sms(environment: Mapping[str, str]) -> SmsAccess | None:
    """The providers that `environment` sets up; None where there is none. Raises `SettingsError`."""
    order = [name.strip() for name in environment.get(_ORDER, "").split(",") if name.strip()]
    if not order:
        return None
    for name in order:
        if name not in _KINDS or order.count(name) > 1:
            raise SettingsError(f"{_ORDER}: {name!r} is unknown or named twice; there are {', '.join(_KINDS)}.")
    base = environment.get(_RECEIPT_BASE) or None
    if base is not None:
        _check_address(_RECEIPT_BASE, base, is_secret=False)
    providers = tuple(_provider(environment, _KINDS[name]) for name in order)
    return SmsAccess(providers=providers, receipt_base=base and base.rstrip("/"))


def sms_variables(access: SmsAccess) -> dict[str, str]:
    """The variables from which a child process reads the same providers."""
    variables = {_ORDER: ",".join(each.name for each in access.providers)}
    if access.receipt_base is not None:
        variables[_RECEIPT_BASE] = access.receipt_base
    for each in access.providers:
        for field, value in msgspec.structs.asdict(each).items():
            if value is not None:
                variables[_variable(each.name, field)] = _written(value)
    return variables


def _variable(provider: str, field: str) -> str:
    return f"YIMA_SMS_{provider}_{field}".upper()


def _written(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _provider(environment: Mapping[str, str], kind: type[ProviderAccess]) -> ProviderAccess:
    """One access out of its variables. A message never repeats a value: it may be a secret."""
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        variable = _variable(kind.name, field.name)
        text = environment.get(variable, "")
        if text:
            given[field.name] = _read(variable, field, text)
        elif field.required:
            raise SettingsError(f"{variable} is missing: {kind.name} stands in {_ORDER}.")
    return kind(**given)


def _read(variable: str, field: msgspec.structs.FieldInfo, text: str) -> Any:
    match field.name:
        case "url":
            _check_address(variable, text, is_secret=True)
            return text
        case "per_second":
            return _rate(variable, text)
        case "templates":
            return _templates(variable, text)
        case "receipt_secret" if len(text) < _LEAST_SECRET or not text.isascii() or not text.isalnum():
            raise SettingsError(f"{variable} must be {_LEAST_SECRET} letters and digits or more: it guards receipts.")
        case _:
            return text


def _check_address(variable: str, text: str, *, is_secret: bool) -> None:
    """An address. Credentials and phone numbers travel in clear to nobody but this machine or a private network."""
    try:
        address = urlsplit(text)
        is_address = bool(address.hostname) and address.scheme in {"http", "https"} and address.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        raise SettingsError(f"{variable} is no address of the form https://host/path.") from None
    if not is_address or address.query or address.fragment:
        raise SettingsError(f"{variable} is no address of the form https://host/path.")
    if "@" in address.netloc:  # it is shown in logs, which credentials are not
        raise SettingsError(f"{variable} must hold no user or password: they have variables of their own.")
    if is_secret and address.scheme == "http" and not _is_near(address.hostname or ""):
        raise SettingsError(f"{variable} is not https://…; http:// is for this machine and private networks only.")


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host  # a name of this machine or of its own network
    return address.is_loopback or address.is_private


def _rate(variable: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= _MOST_PER_SECOND:  # "nan" is neither
        raise SettingsError(f"{variable}={text!r} is no number of messages a second above 0.")
    return rate


def _templates(variable: str, text: str) -> dict[str, AliyunTemplate]:
    try:
        return msgspec.json.decode(text, type=dict[str, AliyunTemplate])
    except msgspec.DecodeError as broken:
        form = '{"phone_code": {"code": "SMS_123456789", "version": 1, "values": ["code", "minutes"]}}'
        raise SettingsError(f"{variable} is no JSON of the form {form}.") from broken
