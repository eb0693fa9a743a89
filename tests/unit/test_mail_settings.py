"""The mail server as an installation sets it up."""

from __future__ import annotations

import pytest

from api.mail_settings import read_mail
from api.settings import read_settings
from api.settings_error import SettingsError
from notifications.mail.access import MailAccess, MailSecurity

ALL = {
    "YIMA_MAIL_HOST": "smtp.example.gov.cn",
    "YIMA_MAIL_SENDER": "notice@yima.example",
    "YIMA_MAIL_USERNAME": "yima",
    "YIMA_MAIL_PASSWORD": "not-to-be-seen",
    "YIMA_MAIL_BOUNCE_SECRET": "neverEverToBeShown1234567",
}


def access(**changes: str) -> MailAccess:
    found = read_mail({**ALL, **{f"YIMA_MAIL_{name.upper()}": value for name, value in changes.items()}})
    assert found is not None
    return found


def test_nothing_is_sent_unless_it_is_set_up() -> None:
    assert read_settings({}).mail is None


def test_the_way_is_encrypted_unless_somebody_says_otherwise() -> None:
    assert (access().security, access().port) == (MailSecurity.STARTTLS, 587)
    assert (access(security="tls").port, access(security="tls", port="1465").port) == (465, 1465)
    assert access(security="none", host="127.0.0.1").port == 25
    assert (access().returns_to, access(bounce_domain="b.example").returns_to) == ("yima.example", "b.example")


def test_it_is_handed_on_to_children_whole() -> None:
    written = {**ALL, "YIMA_MAIL_SENDER_NAME": "南宁市市场监管局", "YIMA_MAIL_CONNECTIONS": "7"}
    settings = read_settings(written)
    assert settings.mail is not None
    assert settings.mail.connections == 7
    assert read_settings(settings.environment()).mail == settings.mail


def test_its_secrets_are_not_shown() -> None:
    shown = repr(read_settings(ALL))
    assert "not-to-be-seen" not in shown
    assert "neverEver" not in shown


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"host": ""}, "YIMA_MAIL_HOST"),
        ({"sender": ""}, "YIMA_MAIL_SENDER"),
        ({"sender": "notice"}, "YIMA_MAIL_SENDER"),
        ({"sender": "a@b.example\r\nBcc: x@y.example"}, "YIMA_MAIL_SENDER"),
        ({"bounce_domain": "a b"}, "YIMA_MAIL_BOUNCE_DOMAIN"),
        ({"security": "ssl"}, "YIMA_MAIL_SECURITY"),
        ({"security": "none"}, "YIMA_MAIL_SECURITY"),
        ({"port": "0"}, "YIMA_MAIL_PORT"),
        ({"port": "65536"}, "YIMA_MAIL_PORT"),
        ({"connections": "many"}, "YIMA_MAIL_CONNECTIONS"),
        ({"per_second": "nan"}, "YIMA_MAIL_PER_SECOND"),
        ({"password": ""}, "YIMA_MAIL_PASSWORD"),
        ({"bounce_secret": "short"}, "YIMA_MAIL_BOUNCE_SECRET"),
    ],
)
def test_what_cannot_be_used_is_named_without_a_secret(changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        access(**changes)
    assert "not-to-be-seen" not in str(refused.value)
