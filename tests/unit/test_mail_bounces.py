"""退信: what a report says, whose it is, and that nothing hostile becomes more than an unreadable mail."""

from __future__ import annotations

import random
import time
from uuid import UUID, uuid4

import msgspec
import pytest

from api.mail_bounces import bounce_address, reference_of
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, first_version, next_version
from notifications.mail.bounce import LARGEST, BounceReport, read_report
from notifications.mail.letter import mailbox
from notifications.sms.port import ReceiptState
from tests.support.bounces import out_of_office, report

DOMAIN = "bounces.yima.example"
TO = f"bounce+x@{DOMAIN}"


def ring(seed: int = 1) -> KeyRing:
    root = bytes([seed]) * 32
    return KeyRing(root, [first_version(root, purpose) for purpose in KeyPurpose])


def read(raw: bytes) -> BounceReport:
    found = read_report(raw)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("action", "status", "state", "is_no_address"),
    [
        ("failed", "5.1.1", ReceiptState.FAILED, True),
        ("Failed", "5.1.10 (no such mailbox)", ReceiptState.FAILED, True),
        ("failed", "5.0.0", ReceiptState.FAILED, True),
        ("failed", "5.2.1", ReceiptState.FAILED, True),
        ("failed", "5.4.4", ReceiptState.FAILED, True),
        ("failed", "5.2.2", ReceiptState.FAILED, False),
        ("failed", "5.3.4", ReceiptState.FAILED, False),
        ("failed", "5.7.1", ReceiptState.FAILED, False),
        ("failed", "4.4.7", ReceiptState.FAILED, False),
        ("failed", "nonsense", ReceiptState.FAILED, False),
        ("delivered", "2.1.5", ReceiptState.DELIVERED, False),
        ("relayed", "2.1.9", ReceiptState.TAKEN, False),
        ("delayed", "4.4.1", None, False),
        ("unheard-of", "5.1.1", None, False),
    ],
)
def test_a_report_says_what_became_of_the_mail(
    action: str, status: str, state: ReceiptState | None, is_no_address: bool
) -> None:
    found = read(report(TO, action=action, status=status))
    assert (found.state, found.is_no_address) == (state, is_no_address)
    assert found.sent_to == (TO,)
    assert found.status == (status.split(" ", maxsplit=1)[0] if state is not None and status[0].isdigit() else "")


def test_what_a_person_or_a_program_writes_says_nothing_of_delivery() -> None:
    assert read(out_of_office(TO)).state is None
    assert read(report(TO, kind="multipart/mixed")).state is None


def test_the_address_is_found_wherever_a_server_puts_it() -> None:
    raw = report("MAILER-DAEMON@yima.example").replace(b"Return-Path: <>", f"Delivered-To: {TO}".encode())
    assert read(raw).sent_to[0] == TO


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        "这不是邮件".encode(),
        b"--" * 5000,
        b"Content-Type: multipart/report\r\n\r\n",
        b'Content-Type: multipart/report; boundary="x"\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n',
        b"To: " + b"a@b, " * 10_000 + b"\r\n\r\n",
        b"To: =?utf-8?b?////?=\r\nContent-Type: multipart/report; boundary*0*=x''%FF\r\n\r\n",
        "To: 老板@例子\r\n\r\n".encode("gb18030"),
        b"".join(b'Content-Type: multipart/report; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000)),
    ],
)
def test_hostile_input_is_at_most_an_unreadable_mail(raw: bytes) -> None:
    found = read_report(raw)
    assert found is None or found.state is None


@pytest.mark.parametrize("pattern", [b";", b"; a*0*=b", b'a=";', b"\r\n ;"])
def test_a_megabyte_of_the_worst_letters_is_read_in_a_moment(pattern: bytes) -> None:
    raw = b"Content-Type: multipart/report;" + pattern * (LARGEST // len(pattern)) + b"\r\n\r\nx"
    begun = time.process_time()
    read_report(raw)
    assert time.process_time() - begun < 3


def test_the_mail_that_a_report_gives_back_may_be_long() -> None:
    found = read(report(TO) + b"\r\n" + b"%PDF" * 200_000)
    assert (found.sent_to, found.state) == (read(report(TO)).sent_to, ReceiptState.FAILED)


def test_a_damaged_report_never_breaks_the_reader() -> None:
    dice = random.Random(3)
    whole = report(TO)
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(dice.randrange(1, 30)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        read_report(bytes(raw[: dice.randrange(1, len(raw))]))


# Whose it is


def test_an_address_names_its_mail_also_after_a_server_folded_its_capitals() -> None:
    keys, reference = ring(), uuid4()
    address = bounce_address(keys, DOMAIN, reference)
    assert mailbox(address) == address
    assert len(address.partition("@")[0]) <= 64
    for written in (address, address.upper(), f" {address} "):
        assert reference_of(keys, DOMAIN, ["somebody@else.example", written]) == reference


def test_forged_addresses_name_nothing() -> None:
    keys, reference = ring(), UUID(int=7)
    local, _, _ = bounce_address(keys, DOMAIN, reference).partition("@")
    other, _, _ = bounce_address(keys, DOMAIN, UUID(int=8)).partition("@")
    forged = [
        f"{local}@evil.example",
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{DOMAIN}",
        f"{local.partition('.')[0]}.{other.partition('.')[2]}@{DOMAIN}",
        f"{local.partition('.')[0]}@{DOMAIN}",
        f"x{local}@{DOMAIN}",
        bounce_address(ring(2), DOMAIN, reference),
        "",
        "@",
    ]
    assert [reference_of(keys, DOMAIN, [address]) for address in forged] == [None] * len(forged)


def test_a_mail_sent_under_the_former_key_still_comes_back() -> None:
    root = bytes([1]) * 32
    old = ring()
    address = bounce_address(old, DOMAIN, UUID(int=7))
    rolled = rolled_ring(root)
    assert bounce_address(rolled, DOMAIN, UUID(int=7)) != address
    assert reference_of(rolled, DOMAIN, [address]) == UUID(int=7)


def rolled_ring(root: bytes) -> KeyRing:
    first = [first_version(root, purpose) for purpose in KeyPurpose]
    kept = [
        msgspec.structs.replace(each, state=KeyState.VERIFYING) if each.purpose is KeyPurpose.RECEIPT else each
        for each in first
    ]
    return KeyRing(root, [*kept, next_version(root, KeyPurpose.RECEIPT, 1)])
