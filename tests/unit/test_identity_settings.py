"""Access to 智桂通 as an installation sets it up."""

from __future__ import annotations

import pytest

from api.settings import Settings, SettingsError, ZhiguitongAccess, read_settings

ALL = {
    "YIMA_ZHIGUITONG_URL": "https://zgt.example.gov.cn/api",
    "YIMA_ZHIGUITONG_APP_CODE": "yima",
    "YIMA_ZHIGUITONG_APP_SECRET": "not-to-be-seen",
    "YIMA_ZHIGUITONG_APP_KEY": "a-key",
}


def access(**changes: str) -> ZhiguitongAccess | None:
    return read_settings({**ALL, **changes}).zhiguitong


def test_nobody_is_asked_unless_it_is_set_up() -> None:
    assert read_settings({}).zhiguitong is None


def test_it_is_read_whole_and_handed_on_to_children() -> None:
    settings = read_settings({**ALL, "YIMA_ZHIGUITONG_ROLE_CODE": "R1"})
    found = settings.zhiguitong
    assert found is not None
    assert (found.url, found.service_id, found.role_code) == ("https://zgt.example.gov.cn/api", "1", "R1")
    assert read_settings(settings.environment()).zhiguitong == found


def test_its_secret_is_not_shown() -> None:
    shown = repr(read_settings(ALL))
    assert "not-to-be-seen" not in shown
    assert "a-key" not in shown


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_part_of_it_is_nothing(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({key: value for key, value in ALL.items() if key != name})


@pytest.mark.parametrize(
    "url", ["http://zgt.example.gov.cn", "zgt.example.gov.cn", "ftp://127.0.0.1", "http://10.0.0.5"]
)
def test_the_secret_goes_in_clear_to_nobody_else(url: str) -> None:
    with pytest.raises(SettingsError, match="URL"):
        access(YIMA_ZHIGUITONG_URL=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099", "http://localhost:1", "https://10.0.0.5/x"])
def test_to_this_machine_it_may(url: str) -> None:
    found = access(YIMA_ZHIGUITONG_URL=url)
    assert found is not None
    assert found.url == url


def test_no_setting_of_it_is_forgotten() -> None:
    assert "zhiguitong" in Settings.__struct_fields__
