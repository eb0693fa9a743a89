"""The environment sets up SMS providers, all of one or none of it, and nothing secret is repeated."""

from __future__ import annotations

import pytest

from api.settings import read_settings
from api.settings_error import SettingsError
from api.sms_settings import read_sms
from notifications.sms.access import AliyunAccess, KannelAccess, ZhiguitongSmsAccess

SECRET = "a1b2c3d4e5f6a7b8c9d0e1f2"
KANNEL = {
    "YIMA_SMS_KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "YIMA_SMS_KANNEL_USERNAME": "yima",
    "YIMA_SMS_KANNEL_PASSWORD": SECRET,
}
ALIYUN = {
    "YIMA_SMS_ALIYUN_ACCESS_KEY_ID": "an-id",
    "YIMA_SMS_ALIYUN_ACCESS_KEY_SECRET": SECRET,
    "YIMA_SMS_ALIYUN_SIGN_NAME": "邕州市监局",
    "YIMA_SMS_ALIYUN_TEMPLATES": '{"order_issued": {"code": "SMS_1", "version": 1, "values": ["due"]}}',
    "YIMA_SMS_ALIYUN_RECEIPT_SECRET": SECRET,
}
ZHIGUITONG = {
    "YIMA_SMS_ZHIGUITONG_URL": "https://zgt.example",
    "YIMA_SMS_ZHIGUITONG_APP_CODE": "yima",
    "YIMA_SMS_ZHIGUITONG_APP_SECRET": SECRET,
    "YIMA_SMS_ZHIGUITONG_APP_KEY": "a-key",
    "YIMA_SMS_ZHIGUITONG_RECEIPT_SECRET": SECRET,
}


def test_without_an_order_there_is_no_provider() -> None:
    assert read_sms({}) is None
    assert read_sms(KANNEL) is None


def test_providers_stand_in_the_order_that_is_given() -> None:
    access = read_sms({"YIMA_SMS": "aliyun, kannel,zhiguitong", **KANNEL, **ALIYUN, **ZHIGUITONG})
    assert access is not None
    assert [type(each) for each in access.providers] == [AliyunAccess, KannelAccess, ZhiguitongSmsAccess]
    assert access.per_second("kannel") == 20
    with pytest.raises(KeyError):
        access.per_second("another")


def test_a_child_process_reads_the_same() -> None:
    given = {"YIMA_SMS": "kannel,aliyun", "YIMA_SMS_KANNEL_PER_SECOND": "7.5", "YIMA_SMS_KANNEL_SENDER": "10690123"}
    settings = read_settings({**given, **KANNEL, **ALIYUN, "YIMA_SMS_RECEIPT_BASE": "http://10.0.0.8:8000"})
    assert settings.sms is not None
    assert settings.sms.receipt_base == "http://10.0.0.8:8000"
    assert read_settings(settings.environment()).sms == settings.sms


def test_no_secret_stands_in_a_repr() -> None:
    settings = read_settings({"YIMA_SMS": "aliyun,kannel,zhiguitong", **KANNEL, **ALIYUN, **ZHIGUITONG})
    assert SECRET not in repr(settings)
    assert "an-id" not in repr(settings)


@pytest.mark.parametrize(
    "changed",
    [
        {"YIMA_SMS": "pigeon"},
        {"YIMA_SMS": "kannel,kannel"},
        {"YIMA_SMS_KANNEL_URL": ""},
        {"YIMA_SMS_KANNEL_PASSWORD": ""},
        {"YIMA_SMS_KANNEL_URL": "http://sms.example.com/cgi-bin/sendsms"},
        {"YIMA_SMS_KANNEL_URL": "ftp://127.0.0.1/"},
        {"YIMA_SMS_KANNEL_URL": "http://127.0.0.1/?password=x"},
        {"YIMA_SMS_KANNEL_PER_SECOND": "0"},
        {"YIMA_SMS_KANNEL_PER_SECOND": "nan"},
        {"YIMA_SMS_KANNEL_PER_SECOND": "many"},
        {"YIMA_SMS_ALIYUN_TEMPLATES": "order_issued=SMS_1"},
        {"YIMA_SMS_ALIYUN_TEMPLATES": '{"order_issued": {"code": "SMS_1", "values": []}}'},
        {"YIMA_SMS_ALIYUN_TEMPLATES": '{"order_issued": {"code": "SMS_1", "version": 1, "values": [], "words": ""}}'},
        {"YIMA_SMS_ALIYUN_RECEIPT_SECRET": "short"},
        {"YIMA_SMS_ALIYUN_RECEIPT_SECRET": f"{SECRET}/../x"},
        {"YIMA_SMS_RECEIPT_BASE": "10.0.0.8"},
        {"YIMA_SMS_KANNEL_URL": f"http://yima:{SECRET}@127.0.0.1:13013/cgi-bin/sendsms"},
        {"YIMA_SMS_KANNEL_URL": f"http://[{SECRET}"},
        {"YIMA_SMS_KANNEL_URL": f"http://127.0.0.1:{SECRET}/"},
        {"YIMA_SMS_RECEIPT_BASE": f"https://yima:{SECRET}@[x"},
    ],
)
def test_what_cannot_be_used_is_refused_without_telling_a_secret(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        read_sms({"YIMA_SMS": "kannel,aliyun", **KANNEL, **ALIYUN, **changed})
    assert "YIMA_SMS" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost:13013", "kannel:13013", "10.1.2.3", "192.168.0.9", "[::1]:13013"])
def test_numbers_travel_in_clear_within_the_own_network_only(host: str) -> None:
    assert read_sms({"YIMA_SMS": "kannel", **KANNEL, "YIMA_SMS_KANNEL_URL": f"http://{host}/cgi-bin/sendsms"})
