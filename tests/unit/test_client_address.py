"""Where a request comes from: the peer, or what our own proxies say, and nothing that anybody else wrote."""

from __future__ import annotations

from typing import Any

import pytest

from api.client_address import network_of, parse_networks

OURS = parse_networks("10.0.0.0/8, fd00::/8")


def scope(peer: str | None, *forwarded: str) -> Any:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return {"client": None if peer is None else (peer, 1234), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("203.0.113.7", [], "203.0.113.7/32"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7/32"),
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1/32"),
        ("10.1.1.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1/32"),
        ("10.1.1.1", ["192.0.2.66, 198.51.100.1, 10.2.2.2"], "198.51.100.1/32"),
        ("10.1.1.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1/32"),
        ("10.1.1.1", ["198.51.100.1:51234"], "198.51.100.1/32"),
        ("10.1.1.1", ["10.2.2.2"], "10.2.2.2/32"),
        ("10.1.1.1", [""], "10.1.1.1/32"),
        ("10.1.1.1", ["198.51.100.1, unknown"], "10.1.1.1/32"),
        ("10.1.1.1", ["' OR 1=1"], "10.1.1.1/32"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", [], "203.0.113.7/32"),
        ("::ffff:10.1.1.1", ["198.51.100.1"], "198.51.100.1/32"),
        ("fd00::1", ["[2001:db8::9]:443"], "2001:db8::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.1"], "unknown"),
        ("testclient", [], "unknown"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str | None, forwarded: list[str], network: str) -> None:
    assert network_of(scope(peer, *forwarded), OURS) == network


def test_without_proxies_nothing_is_believed() -> None:
    assert network_of(scope("10.1.1.1", "198.51.100.1"), ()) == "10.1.1.1/32"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy", "10.0.0.1/8"])
def test_a_list_that_is_no_list_of_networks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"10|proxy"):
        parse_networks(text)


def test_an_empty_list_is_nobody() -> None:
    assert parse_networks("") == ()
