"""Where blobs are kept, and that children of `yima serve` are told the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import SettingsError, read_settings
from domain.evidence.model import BlobPlace

S3 = {
    "YIMA_BLOBS": "s3://evidence/yima",
    "AWS_ACCESS_KEY_ID": "inspector",
    "AWS_SECRET_ACCESS_KEY": "hush-hush",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
    "AWS_PROFILE": "not ours",
}


def test_blobs_are_kept_in_var_unless_said_otherwise() -> None:
    assert read_settings({"YIMA_VAR": "/srv/yima"}).blob_place == BlobPlace("/srv/yima/blobs")
    assert read_settings({"YIMA_BLOBS": "/mnt/evidence"}).blob_place == BlobPlace("/mnt/evidence")
    assert read_settings({"YIMA_BLOBS": "elsewhere"}).blob_place == BlobPlace(str(Path("elsewhere").absolute()))


def test_a_bucket_comes_with_what_is_needed_to_reach_it() -> None:
    place = read_settings(S3).blob_place
    assert place.url == "s3://evidence/yima"
    assert place.options == {name: value for name, value in S3.items() if name not in {"YIMA_BLOBS", "AWS_PROFILE"}}


def test_children_read_the_same_settings() -> None:
    settings = read_settings({**S3, "YIMA_CLAMD": "127.0.0.1:3310"})
    assert read_settings(settings.environment()) == settings


def test_no_secret_stands_in_the_settings_description() -> None:
    assert "hush-hush" not in repr(read_settings(S3))


@pytest.mark.parametrize("wrong", [{"YIMA_BLOBS": "https://bucket"}, {"YIMA_CLAMD": "3310"}, {"YIMA_CLAMD": "clam:x"}])
def test_what_cannot_be_used_is_said(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        read_settings(wrong)
