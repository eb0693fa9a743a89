"""One contract for both object stores: a folder, and S3 as a real server speaks it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from domain.evidence.blobs import BlobMissing, Blobs, BlobsAway
from domain.evidence.draft import HELD_BYTES
from domain.evidence.model import BlobPlace
from domain.evidence.sealing import Sealer, sealed_size
from domain.shared.keys import KeyPurpose, KeyRing, first_version
from domain.shared.vault import SealBroken
from tests.support.installation import free_port

ROOT = bytes(range(32))
SECRET = "hush-hush-hush-hush"
LARGE = 6 * 1024 * 1024
"""More than the store sends in one piece."""


def sealer() -> Sealer:
    return Sealer(KeyRing(ROOT, [first_version(ROOT, purpose) for purpose in KeyPurpose]), os.urandom)


def s3_place(port: int) -> BlobPlace:
    options = {
        "AWS_ACCESS_KEY_ID": "inspector",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    return BlobPlace("s3://evidence/yima", options)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=1)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


@contextmanager
def s3_server(folder: Path) -> Generator[BlobPlace]:
    """An S3 server over `folder`, which is its bucket's parent."""
    (folder / "evidence").mkdir()
    port = free_port()
    rclone = str(Path(sys.executable).with_name("rclone"))
    command = [rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"inspector,{SECRET}", str(folder)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "RCLONE_CONFIG": "/dev/null"}
    with (folder.parent / "rclone.log").open("ab") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}")
        yield s3_place(port)
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module", params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[BlobPlace]:
    """A store of each kind."""
    folder = tmp_path_factory.mktemp("store") / "served"
    folder.mkdir()
    if request.param == "folder":
        yield BlobPlace(str(folder / "blobs"))
    else:
        with s3_server(folder) as served:
            yield served


@pytest.fixture
def blobs(place: BlobPlace) -> Blobs:
    """The store as the application opens it."""
    return Blobs(place, sealer())


@pytest.mark.parametrize("size", [0, 1, 70_000, LARGE])
async def test_what_was_put_comes_back(blobs: Blobs, size: int) -> None:
    content = os.urandom(size)
    await blobs.put(f"papers/{size}.pdf", content)
    assert await blobs.get(f"papers/{size}.pdf") == content
    assert b"".join([piece async for piece in blobs.stream(f"papers/{size}.pdf")]) == content


async def test_a_blob_is_replaced_whole(blobs: Blobs) -> None:
    await blobs.put("papers/twice.pdf", bytes(100_000))
    await blobs.put("papers/twice.pdf", b"shorter")
    assert await blobs.get("papers/twice.pdf") == b"shorter"


async def test_what_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        await blobs.get("originals/nothing")
    with pytest.raises(BlobMissing):
        _ = [piece async for piece in blobs.stream("originals/nothing")]
    assert await blobs.find("originals/nothing") is None


async def test_what_was_deleted_is_missing_and_may_be_deleted_again(blobs: Blobs) -> None:
    await blobs.put("copies/ab/320.jpg", b"copy")
    await blobs.delete("copies/ab/320.jpg")
    await blobs.delete("copies/ab/320.jpg")
    with pytest.raises(BlobMissing):
        await blobs.get("copies/ab/320.jpg")


@pytest.mark.parametrize("size", [0, 1000, HELD_BYTES, HELD_BYTES + 1, LARGE])
async def test_a_draft_is_hashed_read_and_kept(blobs: Blobs, size: int) -> None:
    content = os.urandom(size)
    key = f"originals/draft-{size}"
    draft = blobs.draft(key)
    for at in range(0, size, 50_000):
        await draft.take(content[at : at + 50_000])
    assert draft.size == size
    assert draft.content() == content
    await blobs.keep(draft)
    await blobs.keep(draft)
    draft.close()
    assert await blobs.get(key) == content
    found = await blobs.find(key)
    assert found is not None
    assert found.sealed_size == sealed_size(size)


async def test_a_folder_is_listed_with_ages(blobs: Blobs) -> None:
    began = time.time()
    for name in ("1a", "1b", "20", "ff"):
        await blobs.put(f"listed/{name}", b"blob")
    assert {blob.key async for blob in blobs.list("listed")} == {f"listed/{name}" for name in ("1a", "1b", "20", "ff")}
    begun = [blob async for blob in blobs.list("listed", begins="1")]
    assert {blob.key for blob in begun} == {"listed/1a", "listed/1b"}
    assert all(abs(blob.put_at.timestamp() - began) < 60 for blob in begun)
    assert [blob async for blob in blobs.list("nothing-here")] == []


async def test_nothing_is_stored_in_clear(tmp_path: Path) -> None:
    blobs = Blobs(BlobPlace(str(tmp_path)), sealer())
    await blobs.put("papers/ab.pdf", b"Wei Xiuying, shopkeeper" * 10_000)
    assert b"Wei" not in (tmp_path / "papers" / "ab.pdf").read_bytes()


async def test_a_blob_moved_to_another_key_does_not_open(tmp_path: Path) -> None:
    blobs = Blobs(BlobPlace(str(tmp_path)), sealer())
    await blobs.put("originals/ab", b"photo of another site")
    shutil.copy(tmp_path / "originals" / "ab", tmp_path / "originals" / "cd")
    with pytest.raises(SealBroken):
        await blobs.get("originals/cd")


async def test_a_blob_that_lost_its_end_is_not_given_out_as_whole(tmp_path: Path) -> None:
    blobs = Blobs(BlobPlace(str(tmp_path)), sealer())
    await blobs.put("originals/ab", bytes(200_000))
    path = tmp_path / "originals" / "ab"
    path.write_bytes(path.read_bytes()[: 20 + 2 * (65_536 + 16)])
    with pytest.raises(SealBroken):
        await blobs.get("originals/ab")
    with pytest.raises(SealBroken):
        _ = [piece async for piece in blobs.stream("originals/ab")]


async def test_a_store_that_is_away_is_told_without_its_credentials(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    blobs = Blobs(s3_place(free_port()), sealer())
    with pytest.raises(BlobsAway) as away:
        await blobs.get("originals/ab")
    assert SECRET not in caplog.text + repr(away.value) + away.value.detail + repr(away.value.__cause__)
