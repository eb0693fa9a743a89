"""What an installation may choose, and what it is told when it chooses wrongly."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.settings import SettingsError, read_settings

DATABASE = "postgresql://yima@db.example.invalid/yima"


def test_an_empty_environment_gives_an_installation_for_this_machine_alone() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.var == Path("var").absolute()
    assert settings.keys == settings.var / "keys"
    assert settings.database_url is None
    assert not settings.demo


def test_a_database_elsewhere_needs_its_keys_named() -> None:
    with pytest.raises(SettingsError, match="YIMA_KEYS is not"):
        read_settings({"DATABASE_URL": DATABASE})
    with pytest.raises(SettingsError, match="YIMA_KEYS is not"):
        read_settings({"DATABASE_URL": DATABASE, "YIMA_KEYS": ""})
    assert read_settings({"DATABASE_URL": DATABASE, "YIMA_KEYS": "/keys"}).database_url == DATABASE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "8000.0"),
        ("PORT", "٨٠٠٠"),
        ("YIMA_SERVERS", "0"),
        ("YIMA_POOL_SIZE", "1"),
        ("YIMA_PAGE_CACHE_BYTES", "32MB"),
    ],
)
def test_a_number_that_cannot_be_used_is_named_with_what_it_says(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name}='{text}' is not a whole number between"):
        read_settings({name: text})


def test_numbers_may_reach_their_bounds() -> None:
    low = read_settings({"PORT": "1", "YIMA_POOL_SIZE": "2", "YIMA_PAGE_CACHE_BYTES": "0"})
    assert (low.port, low.pool_size, low.page_cache_bytes) == (1, 2, 0)
    assert read_settings({"PORT": "65535", "YIMA_SERVERS": "64"}).servers == 64


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - read, not bound
def test_an_address_that_means_all_is_printed_as_one_of_this_machine(host: str) -> None:
    printed = urlsplit(read_settings({"HOST": host, "PORT": "81"}).public_url)
    assert printed.hostname not in {None, "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    assert printed.port == 81
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((printed.hostname, 0))  # only an address of this machine can be bound


def test_the_public_url_has_no_slash_at_its_end() -> None:
    assert read_settings({"YIMA_PUBLIC_URL": "https://yima.example/"}).public_url == "https://yima.example"


@pytest.mark.parametrize(("text", "demo"), [("1", True), ("0", False), ("", False), ("true", False)])
def test_demo_data_are_asked_for_by_a_one_alone(text: str, *, demo: bool) -> None:
    assert read_settings({"YIMA_DEMO": text}).demo is demo


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DATABASE_URL": DATABASE, "YIMA_KEYS": "/keys"},
        {
            "YIMA_VAR": "/srv/yima",
            "HOST": "10.0.0.1",
            "PORT": "81",
            "YIMA_PUBLIC_URL": "https://yima.example",
            "YIMA_SERVERS": "3",
            "YIMA_POOL_SIZE": "20",
            "YIMA_PAGE_CACHE_BYTES": "0",
            "YIMA_DEMO": "1",
            "YIMA_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8",
        },
    ],
)
def test_a_child_process_reads_the_same_settings(environment: dict[str, str]) -> None:
    settings = read_settings(environment)
    assert read_settings(settings.environment()) == settings


def test_a_list_of_proxies_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match=r"YIMA_TRUSTED_PROXIES='proxy\.example' is no list of networks"):
        read_settings({"YIMA_TRUSTED_PROXIES": "proxy.example"})


def test_no_password_stands_in_a_repr_or_a_refusal() -> None:
    settings = read_settings({"DATABASE_URL": "postgresql://yima:GEHEIM@db/yima", "YIMA_KEYS": "/keys"})
    assert settings.database_url == "postgresql://yima:GEHEIM@db/yima"
    assert "GEHEIM" not in repr(settings)
    with pytest.raises(SettingsError) as refused:
        read_settings({"YIMA_BLOBS": "https://yima:GEHEIM@store.example/blobs"})
    assert "GEHEIM" not in str(refused.value)
