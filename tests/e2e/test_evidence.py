"""证据材料 over HTTP (D28): handed in, kept once, and shown to whom it concerns."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from api.evidence_copies import copy_evidence
from domain.evidence import model
from domain.evidence.blobs import copy_key, original_key
from domain.evidence.ports import ClamScanner
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import World
from tests.support.files import PLACE, digest_of, film, located, noisy_photo, paper, picture
from tests.support.installation import free_port
from tests.support.uploads import evidence_traces, has_blob, kept, put_file, read_file, refer
from tests.support.visits import check_in, rows

PHOTO = picture(size=(2000, 1500), seed=7)
MEBIBYTE = 1024 * 1024


# Handed in whole


async def test_a_photo_is_kept_under_its_digest_with_a_receipt_and_a_trace(api: Api, world: World) -> None:
    response = await put_file(api, world, PHOTO, headers={"Yima-Done-At": "2026-08-05T09:30:00+08:00"})

    result = accepted(response)
    receipt = response.json()["receipt"]
    assert (receipt["digest"], receipt["received_at"]) == (digest_of(PHOTO), "2026-08-05T02:00:00Z")
    assert UUID(receipt["id"]).version == 7
    assert result == {
        "digest": digest_of(PHOTO),
        "inspection_id": str(world.inspection),
        "media_type": "image/jpeg",
        "size": len(PHOTO),
        "width": 2000,
        "height": 1500,
        "is_quarantined": False,
        "done_at": "2026-08-05T01:30:00Z",
        "received_at": "2026-08-05T02:00:00Z",
    }
    (trace,) = await evidence_traces(api)
    assert (trace["action"], trace["subject_id"], trace["site_id"]) == (
        "evidence.stored",
        world.inspection,
        world.site.id,
    )
    assert (trace["operator_id"], trace["department_id"]) == (world.inspector.account_id, world.market.id)
    assert (trace["region"], trace["device_at"]) == (world.site.region, "2026-08-05T09:30:00+08:00")
    after = msgspec.json.decode(trace["after"])
    assert (after["digest"], after["media_type"], after["size"]) == (digest_of(PHOTO), "image/jpeg", len(PHOTO))
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(PHOTO)))) == PHOTO


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (picture("HEIF"), "image/heic"),
        (paper(), "application/pdf"),
        (film(), "video/mp4"),
    ],
    ids=["png", "webp", "heic", "pdf", "mp4"],
)
async def test_every_type_is_told_by_its_content(api: Api, world: World, content: bytes, media_type: str) -> None:
    misnamed = {"Content-Type": "text/html"}
    assert accepted(await put_file(api, world, content, headers=misnamed))["media_type"] == media_type


async def test_a_repetition_is_answered_alike_without_reading_the_body(api: Api, world: World) -> None:
    first = await put_file(api, world, PHOTO)
    before = await kept(api)
    api.clock.advance(timedelta(hours=3))

    again = await put_file(api, world, b"", digest=digest_of(PHOTO))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert await kept(api) == before == (1, 1, 1)


async def test_a_key_is_remembered_so_that_a_later_write_may_follow_it(api: Api, world: World) -> None:
    await put_file(api, world, PHOTO, headers={"Idempotency-Key": "photo-0001"})
    await put_file(api, world, PHOTO, headers={"Idempotency-Key": "photo-0002"})
    other = picture(seed=8)

    for key in ("photo-0001", "photo-0002"):
        accepted(await put_file(api, world, other, headers={"Idempotency-Key": f"{key}-next", "Yima-After": key}))
        other += b"more"
    stranger = {"Idempotency-Key": "photo-0009", "Yima-After": "photo-0008"}
    refused(await put_file(api, world, other, headers=stranger), 409, "predecessor-missing", "Yima-After")


async def test_a_digest_that_does_not_match_leaves_nothing(api: Api, world: World) -> None:
    wrong = "0" * 64

    refused(await put_file(api, world, PHOTO, digest=wrong), 422, "digest-mismatch", "digest")

    assert await kept(api) == (0, 0, 0)
    assert not await has_blob(api, f"originals/{wrong}")


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"<html>not a photo</html>", 415, "evidence-type-refused"),
        (b"", 415, "evidence-type-refused"),
        (paper(b"/S /JavaScript"), 415, "evidence-type-refused"),
        (PHOTO[:-3000], 422, "evidence-unreadable"),
        (film()[:-1], 422, "evidence-unreadable"),
    ],
    ids=["html", "empty", "acting-pdf", "truncated-photo", "truncated-film"],
)
async def test_what_is_no_evidence_is_refused(api: Api, world: World, content: bytes, status: int, kind: str) -> None:
    refused(await put_file(api, world, content), status, kind)
    assert await kept(api) == (0, 0, 0)
    assert not await has_blob(api, f"originals/{digest_of(content)}")


async def test_more_than_20_mebibytes_are_refused_however_they_come(api: Api, world: World) -> None:
    huge = film(payload=bytes(20 * MEBIBYTE))
    refused(await put_file(api, world, huge), 413, "too-large")

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(21):
            yield bytes(MEBIBYTE)

    unannounced = await api.http.put(
        f"/api/v1/evidence/{digest_of(huge)}",
        params={"inspection_id": str(world.inspection)},
        content=in_pieces(),
        headers=api.as_(world.inspector).bearer(),
    )
    refused(unannounced, 413, "too-large")
    assert await kept(api) == (0, 0, 0)


async def test_a_large_file_is_kept_whole(api: Api, world: World) -> None:
    large = film(payload=bytes(19 * MEBIBYTE))
    accepted(await put_file(api, world, large))
    assert (await read_file(api, world, large)).content == large


async def test_an_inspection_takes_200_mebibytes_and_no_more(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE evidence_file SET size = $1", 200 * MEBIBYTE - 10)

    facts = refused(await put_file(api, world, paper()), 409, "evidence-quota")

    assert facts == {"used": 200 * MEBIBYTE - 10, "limit": 200 * MEBIBYTE}
    accepted(await put_file(api, world, paper(), inspection=await world.dispatch()))


async def test_uploads_at_once_do_not_pass_the_limit_together(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    files = [picture(seed=seed) for seed in range(20, 26)]
    async with borrow(api.parts.pool) as connection:
        room = sum(map(len, files[:3])) + 10
        await connection.execute("UPDATE evidence_file SET size = $1", 200 * MEBIBYTE - room)

    answers = await asyncio.gather(*(put_file(api, world, content) for content in files))

    assert sorted(answer.status_code for answer in answers).count(201) <= 3
    assert {answer.status_code for answer in answers} == {201, 409}


async def test_the_same_photo_at_once_is_kept_once(api: Api, world: World) -> None:
    answers = await asyncio.gather(*(put_file(api, world, PHOTO) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.content for answer in answers}) == 1
    assert await kept(api) == (1, 1, 1)


async def test_two_inspections_share_one_file(api: Api, world: World) -> None:
    other = await world.dispatch()
    accepted(await put_file(api, world, PHOTO))
    refused(
        await put_file(api, world, b"?", digest=digest_of(PHOTO), inspection=other), 422, "digest-mismatch", "digest"
    )

    accepted(await put_file(api, world, PHOTO, inspection=other))

    assert await kept(api) == (1, 2, 2)


# Who may


async def test_only_who_works_on_the_inspection_hands_in(api: Api, world: World) -> None:
    for stranger in (world.unassigned_inspector, world.foreign_user):
        refused(await put_file(api, world, PHOTO, stranger), 404, "not-found")
    for reader in (world.lead, world.manager, world.administrator):
        refused(await put_file(api, world, PHOTO, reader), 403, "forbidden")
    accepted(await put_file(api, world, PHOTO, world.emergency_inspector))


async def test_the_enterprise_hands_in_once_officers_came(api: Api, world: World) -> None:
    refused(await put_file(api, world, PHOTO, world.enterprise_user), 404, "not-found")
    accepted(await check_in(api, world))

    accepted(await put_file(api, world, PHOTO, world.enterprise_user))

    (row,) = await rows(api, "evidence")
    assert (row["is_of_enterprise"], row["uploaded_by"]) == (True, world.enterprise_user.account_id)
    assert (await read_file(api, world, PHOTO, world.enterprise_user)).status_code == 200
    assert (await read_file(api, world, PHOTO, world.inspector)).status_code == 200


async def test_the_enterprise_does_not_see_what_officers_handed_in(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await put_file(api, world, PHOTO))

    refused(await read_file(api, world, PHOTO, world.enterprise_user), 404, "not-found")
    # Naming the digest, which the record prints, is no proof of holding the file.
    empty = await put_file(api, world, b"", world.enterprise_user, digest=digest_of(PHOTO))
    refused(empty, 422, "digest-mismatch", "digest")

    accepted(await put_file(api, world, PHOTO, world.enterprise_user))
    assert (await read_file(api, world, PHOTO, world.enterprise_user)).status_code == 200
    assert await kept(api) == (1, 2, 2)


async def test_who_may_not_see_the_inspection_sees_none_of_its_evidence(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    for stranger in (world.unassigned_inspector, world.foreign_lead, world.foreign_user):
        refused(await read_file(api, world, PHOTO, stranger), 404, "not-found")
    for reader in (world.inspector, world.emergency_inspector, world.manager, world.emergency_manager, world.lead):
        assert (await read_file(api, world, PHOTO, reader)).status_code == 200
    refused(await read_file(api, world, picture(seed=99), world.lead), 404, "not-found")


# Shown


@pytest.mark.parametrize("by_worker", [True, False], ids=["made-by-the-worker", "made-when-asked"])
async def test_copies_are_small_upright_and_bare(api: Api, world: World, by_worker: bool) -> None:
    photo = picture(size=(2000, 1500), exif=located(orientation=6))
    accepted(await put_file(api, world, photo))
    if by_worker:
        await copy_evidence(api.parts, bytes.fromhex(digest_of(photo)))
        await copy_evidence(api.parts, bytes.fromhex(digest_of(photo)))
        assert (await rows(api, "evidence_file"))[0]["copies"] == "ready"

    for size, expected in (("1600", (1200, 1600)), ("320", (240, 320)), (None, (1200, 1600))):
        response = await read_file(api, world, photo, size=size)
        assert response.status_code == 200
        assert Image.open(io.BytesIO(response.content)).size == expected
        assert PLACE not in response.content
        assert b"Exif" not in response.content
        headers = response.headers
        assert headers["content-type"] == "image/jpeg"
        assert headers["cache-control"].startswith("private, max-age=")
        assert headers["cache-control"].endswith("immutable")
        assert headers["vary"] == "Authorization"
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert headers["content-disposition"].startswith("inline; filename=")
    assert (await rows(api, "evidence_file"))[0]["copies"] == "ready"


async def test_a_copy_that_was_lost_is_made_again(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    digest = bytes.fromhex(digest_of(PHOTO))
    await copy_evidence(api.parts, digest)
    await api.parts.blobs.delete(copy_key(digest, "320"))

    assert (await read_file(api, world, PHOTO, size="320")).status_code == 200
    assert await has_blob(api, copy_key(digest, "320"))


async def test_an_original_is_for_leads_and_looking_is_traced(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    refused(await read_file(api, world, PHOTO, world.inspector, "original"), 403, "forbidden")

    for who in (world.lead, world.manager):
        response = await read_file(api, world, PHOTO, who, "original")
        assert response.content == PHOTO
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-disposition"].startswith("attachment; filename=")

    looks = [row for row in await evidence_traces(api) if row["action"] == "evidence.original_opened"]
    assert [row["operator_id"] for row in looks] == [world.lead.account_id, world.manager.account_id]
    assert all(digest_of(PHOTO) in row["after"] for row in looks)


@pytest.mark.parametrize(
    ("content", "media_type"), [(paper(), "application/pdf"), (film(), "video/mp4")], ids=["pdf", "mp4"]
)
async def test_papers_and_films_are_handed_out_as_they_are(
    api: Api, world: World, content: bytes, media_type: str
) -> None:
    accepted(await put_file(api, world, content))
    await copy_evidence(api.parts, bytes.fromhex(digest_of(content)))

    response = await read_file(api, world, content)

    assert (response.content, response.headers["content-type"]) == (content, media_type)
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert (await rows(api, "evidence_file"))[0]["copies"] == "none"


@contextmanager
def clam_daemon(answer: bytes) -> Generator[ClamScanner]:
    """A daemon that reads one stream to its end and answers so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line, line.makefile("rb") as coming:
                assert coming.read(10) == b"zINSTREAM\0"
                while size := int.from_bytes(coming.read(4), "big"):
                    coming.read(size)
                line.sendall(answer)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield ClamScanner("127.0.0.1", listening.getsockname()[1])
        serving.join(5)


async def test_what_the_scanner_finds_is_kept_and_shown_to_nobody(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    infected = film(payload=b"the test signature" * 10_000)
    with clam_daemon(b"stream: Eicar-Test-Signature FOUND\0") as scanner:
        monkeypatch.setattr(api.parts.scanner, "scan", scanner.scan)
        assert accepted(await put_file(api, world, infected))["is_quarantined"] is True

    for reader in (world.inspector, world.lead):
        refused(await read_file(api, world, infected, reader), 409, "evidence-quarantined")
    refused(await read_file(api, world, infected, world.lead, "original"), 409, "evidence-quarantined")
    assert (await rows(api, "evidence_file"))[0]["quarantine_reason"] == "Eicar-Test-Signature"
    await refer(api, world.inspection, infected)  # that it was handed in stays true


async def test_a_clean_file_passes_the_scanner(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with clam_daemon(b"stream: OK\0") as scanner:
        monkeypatch.setattr(api.parts.scanner, "scan", scanner.scan)
        assert accepted(await put_file(api, world, PHOTO))["is_quarantined"] is False


async def test_nothing_is_taken_in_while_the_scanner_is_away(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.parts.scanner, "scan", ClamScanner("127.0.0.1", free_port()).scan)
    response = await put_file(api, world, PHOTO)
    refused(response, 503, "scanner-away")
    assert response.headers["retry-after"] == "5"
    assert await kept(api) == (0, 0, 0)


# What it costs


async def test_an_upload_takes_few_statements_and_a_repetition_two(api: Api, world: World) -> None:
    accepted(await put_file(api, world, picture(seed=70)))
    async with statements(api) as sent:
        accepted(await put_file(api, world, PHOTO))
    assert len(sent) <= 12, sent
    async with statements(api) as sent:
        assert (await put_file(api, world, PHOTO)).status_code == 200
    assert len(sent) <= 2, sent
    await read_file(api, world, PHOTO)
    async with statements(api) as sent:
        assert (await read_file(api, world, PHOTO)).status_code == 200
    assert len(sent) <= 2, sent


async def test_a_photo_of_400_kilobytes_is_kept(api: Api, world: World) -> None:
    photo = noisy_photo(400_000)
    accepted(await put_file(api, world, photo))
    assert await api.parts.blobs.get(f"originals/{digest_of(photo)}") == photo


async def test_an_upload_that_breaks_off_leaves_nothing(api: Api, world: World) -> None:
    photo = picture(seed=80)
    path = f"/api/v1/evidence/{digest_of(photo)}"
    bearer = api.as_(world.inspector).bearer()["Authorization"]
    coming: list[Any] = [{"type": "http.request", "body": photo[:1000], "more_body": True}, {"type": "http.disconnect"}]
    scope: Any = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"inspection_id={world.inspection}".encode(),
        "headers": [(b"authorization", bearer.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("yima", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }

    async def receive() -> Any:
        return coming.pop(0)

    async def send(_message: Any) -> None:
        """Nobody is there to hear it."""

    await api.app(scope, receive, send)

    assert coming == []
    assert await kept(api) == (0, 0, 0)
    assert not await has_blob(api, f"originals/{digest_of(photo)}")


def test_the_limits_are_those_of_the_decision() -> None:
    assert (model.MAX_FILE_BYTES, model.MAX_INSPECTION_BYTES) == (20 * MEBIBYTE, 200 * MEBIBYTE)
