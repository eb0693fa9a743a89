"""What providers report is read as it is meant, and nothing that they repeat of a text is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api.sms_receipts import (
    MOST_RECEIPTS,
    ReceiptUnreadable,
    is_receipt_secret,
    proven_reference,
    read_aliyun,
    read_kannel,
    read_zhiguitong,
    receipt_mac,
    receipt_urls,
)
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, check_value, derive_key, first_version
from notifications.sms.access import AliyunAccess, KannelAccess, SmsAccess
from notifications.sms.port import ReceiptState

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
REFERENCE = UUID("0198f3a2-6c1e-7d40-9a51-2b7f4c8e1d03")
ROOT = bytes(range(32))


def ring(*states: KeyState) -> KeyRing:
    """Keys for receipts, one version a state."""
    versions = [
        KeyVersion(
            purpose=KeyPurpose.RECEIPT,
            version=number,
            state=state,
            check_value=check_value(derive_key(ROOT, KeyPurpose.RECEIPT, number)),
        )
        for number, state in enumerate(states, start=1)
    ]
    return KeyRing(ROOT, versions)


def mac_of(keys: KeyRing, reference: UUID = REFERENCE) -> str:
    return receipt_urls(keys, "http://yima.test")(reference).rpartition("mac=")[2]


# The address


def test_an_address_proves_its_reference() -> None:
    keys = ring(KeyState.CURRENT)
    address = receipt_urls(keys, "http://yima.test/")(REFERENCE)
    assert address.startswith(f"http://yima.test/api/v1/message-receipts/kannel?reference={REFERENCE}&mac=")
    assert proven_reference(keys, str(REFERENCE), mac_of(keys)) == REFERENCE


@pytest.mark.parametrize("mac", ["", "AAAA", "é", "\x00", "a" * 5000])
def test_another_mac_proves_nothing(mac: str) -> None:
    assert proven_reference(ring(KeyState.CURRENT), str(REFERENCE), mac) is None


def test_a_mac_proves_no_other_reference_and_no_text() -> None:
    keys = ring(KeyState.CURRENT)
    assert proven_reference(keys, str(uuid4()), mac_of(keys)) is None
    assert proven_reference(keys, "1 or 1=1", mac_of(keys)) is None


def test_a_rolled_key_still_proves_what_it_signed_until_it_is_retired() -> None:
    former = mac_of(ring(KeyState.CURRENT))
    assert proven_reference(ring(KeyState.VERIFYING, KeyState.CURRENT), str(REFERENCE), former) == REFERENCE
    assert proven_reference(ring(KeyState.RETIRED, KeyState.CURRENT), str(REFERENCE), former) is None


def test_a_mac_of_another_purpose_is_another() -> None:
    link = derive_key(ROOT, KeyPurpose.LINK, first_version(ROOT, KeyPurpose.LINK).version)
    assert receipt_mac(link, REFERENCE) != mac_of(ring(KeyState.CURRENT))


def test_a_secret_counts_for_its_own_provider_only() -> None:
    secret = "a" * 24
    aliyun = AliyunAccess(access_key_id="i", access_key_secret="s", sign_name="n", templates={}, receipt_secret=secret)
    access = SmsAccess(providers=(KannelAccess(url="http://127.0.0.1", username="u", password="p"), aliyun))
    assert is_receipt_secret(access, "aliyun", secret)
    assert not is_receipt_secret(access, "aliyun", "a" * 23 + "b")
    assert not is_receipt_secret(access, "aliyun", "")
    assert not is_receipt_secret(access, "zhiguitong", secret)
    assert not is_receipt_secret(access, "kannel", secret)
    assert not is_receipt_secret(None, "aliyun", secret)


# Kannel


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("1", ReceiptState.DELIVERED),
        ("2", ReceiptState.FAILED),
        ("4", ReceiptState.TAKEN),
        ("8", ReceiptState.TAKEN),
        ("16", ReceiptState.FAILED),
    ],
)
def test_each_kind_of_report_has_its_state(kind: str, state: ReceiptState) -> None:
    at = NOW - timedelta(seconds=3)
    note = read_kannel(REFERENCE, status=kind, at=str(int(at.timestamp())), told="", now=NOW)
    assert (note.attempt_id, note.provider, note.state, note.provider_status, note.at) == (
        REFERENCE,
        "kannel",
        state,
        kind,
        at,
    )


def test_of_the_carriers_words_the_state_is_kept_and_the_text_is_not() -> None:
    told = (
        "id:0123 sub:001 dlvrd:000 submit date:2611220359 done date:2611220400 stat:UNDELIV err:005 text:【邕州】你单位"
    )
    note = read_kannel(REFERENCE, status="2", at="1795320000", told=told, now=NOW)
    assert note.provider_status == "2 UNDELIV 005"
    assert read_kannel(REFERENCE, status="2", at="0", told="Text:你单位", now=NOW).provider_status == "2"
    assert (
        read_kannel(REFERENCE, status="16", at="0", told="NACK/no SMSC", now=NOW).provider_status == "16 NACK/no SMSC"
    )


@pytest.mark.parametrize(("kind", "at"), [("", "1"), ("3", "1"), ("1", ""), ("1", "x"), ("1", "-1"), ("1", "9" * 30)])
def test_what_is_no_report_is_unreadable(kind: str, at: str) -> None:
    with pytest.raises(ReceiptUnreadable):
        read_kannel(REFERENCE, status=kind, at=at, told="", now=NOW)


@pytest.mark.parametrize("at", ["0", "999999999999", str(int(NOW.timestamp()) + 60)])
def test_a_clock_that_is_wrong_does_not_count(at: str) -> None:
    assert read_kannel(REFERENCE, status="1", at=at, told="", now=NOW).at == NOW


# 阿里云


def aliyun_report(**changes: object) -> dict[str, object]:
    return {
        "phone_number": "13977100001",
        "send_time": "2026-11-22 11:59:00",
        "report_time": "2026-11-22 11:59:30",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "900001^0",
        "out_id": str(REFERENCE),
        **changes,
    }


def test_the_vendors_reports_are_read() -> None:
    failed = aliyun_report(success=False, err_code="MOBILE_NOT_ON_SERVICE", out_id="something of others")
    first, second = read_aliyun(json.dumps([aliyun_report(), failed]).encode(), NOW)
    assert (first.attempt_id, first.provider_reference, first.state) == (
        REFERENCE,
        "900001^0",
        ReceiptState.DELIVERED,
    )
    assert first.at == datetime(2026, 11, 22, 3, 59, 30, tzinfo=UTC)
    assert (second.attempt_id, second.state, second.provider_status) == (
        None,
        ReceiptState.FAILED,
        "MOBILE_NOT_ON_SERVICE",
    )


def test_what_the_vendor_adds_or_leaves_out_does_no_harm() -> None:
    body = json.dumps([{"success": True, "biz_id": "1^0", "report_time": "soon", "new": {"a": 1}}]).encode()
    (note,) = read_aliyun(body, NOW)
    assert (note.attempt_id, note.provider_reference, note.at) == (None, "1^0", NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b'[{"success": "yes", "biz_id": "1"}]',
        b'[{"success": true}]',
        b"\xff",
        b"[" * 100_000,
        json.dumps([aliyun_report()] * (MOST_RECEIPTS + 1)).encode(),
        json.dumps([aliyun_report(biz_id="1" * 500)]).encode(),
    ],
)
def test_what_is_no_list_of_reports_is_unreadable(body: bytes) -> None:
    with pytest.raises(ReceiptUnreadable):
        read_aliyun(body, NOW)
    with pytest.raises(ReceiptUnreadable):
        read_zhiguitong(body, NOW)


# 智桂通


@pytest.mark.parametrize(
    ("told", "state"), [("0", ReceiptState.TAKEN), (1, ReceiptState.DELIVERED), ("2", ReceiptState.FAILED)]
)
def test_receipts_of_zhiguitong_are_read(told: object, state: ReceiptState) -> None:
    body = json.dumps([{"status": told, "msgId": 17, "extendId": str(REFERENCE), "errCode": "E1"}]).encode()
    (note,) = read_zhiguitong(body, NOW)
    assert (note.attempt_id, note.provider, note.provider_reference, note.state) == (
        REFERENCE,
        "zhiguitong",
        "17",
        state,
    )
    assert note.provider_status == f"{told} E1"


@pytest.mark.parametrize("field", ["msgId", "errCode", "status"])
def test_a_number_that_no_column_holds_is_unreadable(field: str) -> None:
    told = {"status": 1, "msgId": 17, "extendId": str(REFERENCE), "errCode": 0}
    body = json.dumps([{**told, field: 10**4000}]).encode()
    with pytest.raises(ReceiptUnreadable):
        read_zhiguitong(body, NOW)


def test_a_status_that_nobody_knows_is_unreadable() -> None:
    with pytest.raises(ReceiptUnreadable):
        read_zhiguitong(b'[{"status": "9"}]', NOW)
