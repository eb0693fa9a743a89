"""证据材料 referred to, and swept: what nobody refers to, uploads given up, blobs of which no row tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api.evidence_copies import copy_evidence
from api.evidence_sweep import sweep_evidence
from domain.evidence.blobs import BlobMissing, copy_key, original_key
from domain.evidence.rules import EvidenceMissing
from tests.support.client import Api, accepted
from tests.support.factories import NOW, World
from tests.support.files import digest_of, film, picture
from tests.support.uploads import evidence_traces, has_blob, kept, put_file, put_part, read_file, refer
from tests.support.visits import rows

PHOTO = picture(size=(2000, 1500), seed=7)
MEBIBYTE = 1024 * 1024
LONG_AFTER = timedelta(days=365)
"""Blobs bear the real time of their putting, not the test's: this is later than both."""
LONG = film(payload=bytes(range(256)) * 4 * 1024 * 5)
"""Somewhat more than 5 MiB."""
CUTS = [0, 2 * MEBIBYTE, 4 * MEBIBYTE, len(LONG)]


async def sweep_later(api: Api, after: timedelta) -> None:
    api.clock.advance(after)
    await sweep_evidence(api.parts)


async def test_only_what_was_handed_in_for_the_inspection_may_be_referred_to(api: Api, world: World) -> None:
    other, absent = await world.dispatch(), picture(seed=50)
    accepted(await put_file(api, world, PHOTO))

    await refer(api, world.inspection)
    await refer(api, world.inspection, PHOTO, PHOTO)
    with pytest.raises(EvidenceMissing) as missing:
        await refer(api, world.inspection, PHOTO, absent)
    assert (missing.value.field, missing.value.facts) == ("photos", {"digests": [digest_of(absent)]})
    for wrong in (refer(api, other, PHOTO), refer(api, world.inspection, PHOTO, by_enterprise=True)):
        with pytest.raises(EvidenceMissing):
            await wrong


async def test_what_nobody_refers_to_is_swept_after_30_days(api: Api, world: World) -> None:
    orphan = picture(seed=60)
    for content in (PHOTO, orphan):
        accepted(await put_file(api, world, content))
        await copy_evidence(api.parts, bytes.fromhex(digest_of(content)))
    await refer(api, world.inspection, PHOTO)

    await sweep_later(api, timedelta(days=30))
    assert len(await rows(api, "evidence_file")) == 2
    await sweep_later(api, timedelta(seconds=1))

    (left,) = await rows(api, "evidence_file")
    assert left["digest"].hex() == digest_of(PHOTO)
    swept = bytes.fromhex(digest_of(orphan))
    for key in (original_key(swept), copy_key(swept, "320"), copy_key(swept, "1600")):
        with pytest.raises(BlobMissing):
            await api.parts.blobs.get(key)
    assert (await read_file(api, world, PHOTO)).status_code == 200
    trace = (await evidence_traces(api))[-1]
    assert trace["action"] == "evidence.orphans_swept"
    assert msgspec.json.decode(trace["after"]) == {"orphans": [f"{world.inspection}/{swept.hex()}"], "parts": 0}


async def test_a_file_that_another_inspection_holds_keeps_its_blob(api: Api, world: World) -> None:
    other = await world.dispatch()
    accepted(await put_file(api, world, PHOTO))
    accepted(await put_file(api, world, PHOTO, inspection=other))
    await refer(api, other, PHOTO)

    await sweep_later(api, timedelta(days=31))

    assert [row["inspection_id"] for row in await rows(api, "evidence")] == [other]
    assert await has_blob(api, f"originals/{digest_of(PHOTO)}")


async def test_a_swept_photo_that_comes_again_is_kept_again_also_under_its_old_key(api: Api, world: World) -> None:
    key = {"Idempotency-Key": "photo-0001"}
    first = await put_file(api, world, PHOTO, headers=key)
    await sweep_later(api, timedelta(days=31))
    assert await kept(api) == (0, 0, 2)

    again = await put_file(api, world, PHOTO, headers=key)

    assert again.content == first.content
    assert (await read_file(api, world, PHOTO)).status_code == 200


async def test_parts_of_an_upload_given_up_are_swept_after_3_days(api: Api, world: World) -> None:
    await put_part(api, world, LONG, 0, CUTS[1])
    await sweep_later(api, timedelta(days=3))
    assert len(await rows(api, "evidence_part")) == 1
    await sweep_later(api, LONG_AFTER)
    assert await rows(api, "evidence_part") == []
    assert [blob async for blob in api.parts.blobs.list(f"parts/{world.inspection}")] == []


async def test_a_blob_of_which_no_row_tells_is_swept_in_its_hour(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    await refer(api, world.inspection, PHOTO)
    stray = f"originals/{uuid4().hex * 2}"
    await api.parts.blobs.put(stray, b"an upload that ended before its commit")
    api.clock.now = NOW + LONG_AFTER

    for _ in range(256):
        await sweep_evidence(api.parts)
        api.clock.advance(timedelta(hours=1))

    assert not await has_blob(api, stray)
    assert await has_blob(api, f"originals/{digest_of(PHOTO)}")


async def test_a_blob_that_the_sweep_takes_during_an_upload_is_put_back(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"originals/{digest_of(PHOTO)}"
    await api.parts.blobs.put(key, b"left by an upload that ended before its commit")
    keep = api.parts.blobs.keep
    times = 0

    async def keep_and_lose(draft: Any) -> None:
        nonlocal times
        times += 1
        await keep(draft)
        if times == 1:
            await api.parts.blobs.delete(key)

    monkeypatch.setattr(api.parts.blobs, "keep", keep_and_lose)
    accepted(await put_file(api, world, PHOTO))

    assert times == 2
    assert await api.parts.blobs.get(key) == PHOTO
