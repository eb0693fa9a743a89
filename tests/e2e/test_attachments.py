"""附件 over HTTP: handed in by accounts and citizens, attached to a folder, shown to its readers, swept."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Request, Response
from PIL import Image

from api.attachment_files import answer_attachment
from api.evidence_copies import copy_evidence
from api.evidence_sweep import sweep_evidence
from domain.evidence import attachments
from domain.evidence.attachments import AttachmentCard, AttachmentMissing, AttachmentQuotaReached
from domain.evidence.blobs import BlobMissing, original_key
from domain.evidence.model import Shown
from domain.identity.model import EnterprisePost, Principal
from domain.shared.errors import Forbidden, NotFound
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.citizens import anonymous
from tests.support.client import Api, accepted, refused
from tests.support.factories import INSTALLATION, World
from tests.support.files import PLACE, digest_of, film, paper, picture
from tests.support.uploads import put_file, refer
from tests.support.visits import rows

PHOTO = picture(size=(2000, 1500), seed=7)
LONG_AFTER = timedelta(days=365)
"""Blobs bear the real time of their putting, not the test's: this is later than both."""


async def hand_in(api: Api, who: Principal, content: bytes, digest: str | None = None) -> httpx.Response:
    path = f"/api/v1/attachments/{digest or digest_of(content)}"
    return await api.http.put(path, content=content, headers=api.as_(who).bearer())


async def put_into(api: Api, uploader_id: UUID, folder_id: UUID, *contents: bytes, most: int = 9) -> None:
    digests = [bytes.fromhex(digest_of(content)) for content in contents]

    async def attach(tx: Transaction) -> Outcome[None]:
        await attachments.attach(
            tx, uploader_id=uploader_id, folder_id=folder_id, digests=digests, field="photos", most=most
        )
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, attach)


async def take_out(api: Api, folder_id: UUID, content: bytes) -> None:
    async def detach(tx: Transaction) -> Outcome[None]:
        await attachments.detach(tx, folder_id, [bytes.fromhex(digest_of(content))])
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, detach)


async def lying_in(api: Api, folder_id: UUID) -> list[AttachmentCard]:
    async with borrow(api.parts.pool) as connection:
        return await attachments.list_attachments(connection, folder_id)


async def look(
    api: Api, folder_id: UUID, content: bytes, who: Principal | None = None, shown: Shown = Shown.LARGE
) -> Response[Any]:
    """What a route of an owner room answers once it has checked the caller's scope."""
    request: Request[Any, Any, Any] = Request({"type": "http", "user": who, "headers": []})  # type: ignore[typeddict-item]
    return await answer_attachment(request, api.parts, folder_id, digest_of(content), shown)


async def pass_id_of(api: Api, token: str) -> UUID:
    return api.parts.passes.read(token, api.clock()).id


async def sweep_after(api: Api, after: timedelta) -> None:
    api.clock.advance(after)
    await sweep_evidence(api.parts)


# Handed in


async def test_a_citizen_hands_a_photo_in_and_it_is_kept_like_evidence(api: Api) -> None:
    citizen = await anonymous(api)
    response = await citizen.put_file(PHOTO)

    assert accepted(response) == {
        "digest": digest_of(PHOTO),
        "media_type": "image/jpeg",
        "size": len(PHOTO),
        "is_quarantined": False,
    }
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(PHOTO)))) == PHOTO
    (trace,) = await rows(api, "trace")
    assert (trace["action"], trace["operator_name"]) == ("attachment.stored", "公众")
    (chore,) = await rows(api, "chore")
    assert (chore["kind"], chore["subject"].hex()) == ("copy_evidence", digest_of(PHOTO))
    again = await citizen.put_file(b"", digest=digest_of(PHOTO))
    assert (again.status_code, again.json()["result"]) == (200, accepted(response))
    assert len(await rows(api, "trace")) == 1


@pytest.mark.parametrize("who", ["enterprise_user", "inspector", "manager", "lead"])
async def test_whoever_writes_here_may_hand_files_in(api: Api, world: World, who: str) -> None:
    accepted(await hand_in(api, getattr(world, who), PHOTO))


async def test_nobody_and_who_only_views_hand_nothing_in(api: Api, world: World) -> None:
    for post in (EnterprisePost.VIEWER, None):
        viewer = msgspec.structs.replace(world.enterprise_user, enterprise_post=post)
        refused(await hand_in(api, viewer, PHOTO), 403, "forbidden")
    response = await api.http.put(f"/api/v1/attachments/{digest_of(PHOTO)}", content=PHOTO)
    refused(response, 401, "pass-required")


async def test_knowing_a_digest_is_not_having_the_file(api: Api, world: World) -> None:
    accepted(await put_file(api, world, PHOTO))
    citizen = await anonymous(api)
    refused(await citizen.put_file(b"", digest=digest_of(PHOTO)), 422, "digest-mismatch", "digest")
    accepted(await citizen.put_file(PHOTO))


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"<svg onload='alert(1)'/>", 415, "evidence-type-refused"),
        (b"\xff\xd8\xff\xe0 not a photo", 422, "evidence-unreadable"),
        (b"", 415, "evidence-type-refused"),
        (PHOTO[: len(PHOTO) // 2], 422, "evidence-unreadable"),
        (paper(b"/JavaScript (x)"), 415, "evidence-type-refused"),
    ],
    ids=["svg", "no photo", "empty", "truncated", "script"],
)
async def test_what_is_no_file_of_ours_leaves_nothing(api: Api, content: bytes, status: int, kind: str) -> None:
    refused(await (await anonymous(api)).put_file(content), status, kind)
    assert await rows(api, "evidence_file") == await rows(api, "attachment_upload") == []


async def test_a_file_that_comes_twice_at_once_is_kept_once(api: Api) -> None:
    citizen, other = await anonymous(api), await anonymous(api)
    answers = await asyncio.gather(*[who.put_file(PHOTO) for who in (citizen, other, citizen, other)])
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(await rows(api, "evidence_file")) == 1
    assert len(await rows(api, "attachment_upload")) == 2


async def test_what_waits_to_be_attached_is_bounded(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_WAITING", 2)
    for seed in (1, 2):
        accepted(await hand_in(api, world.enterprise_user, picture(seed=seed)))
    refused(await hand_in(api, world.enterprise_user, picture(seed=3)), 409, "attachment-quota")
    assert (await hand_in(api, world.enterprise_user, picture(seed=2))).status_code == 200
    await put_into(api, world.enterprise_user.account_id, uuid4(), picture(seed=1))
    accepted(await hand_in(api, world.enterprise_user, picture(seed=3)))


# Attached


async def test_only_ones_own_files_can_be_attached(api: Api, world: World) -> None:
    citizen, folder = await anonymous(api), uuid4()
    await citizen.has_handed_in(PHOTO, paper())
    stranger = await pass_id_of(api, (await anonymous(api)).token)
    for uploader in (stranger, world.enterprise_user.account_id):
        with pytest.raises(AttachmentMissing) as missing:
            await put_into(api, uploader, folder, PHOTO)
        assert (missing.value.field, missing.value.facts) == ("photos", {"digests": [digest_of(PHOTO)]})

    await put_into(api, await pass_id_of(api, citizen.token), folder, paper(), PHOTO, PHOTO)

    assert [card.digest for card in await lying_in(api, folder)] == [digest_of(paper()), digest_of(PHOTO)]
    await put_into(api, stranger, folder, PHOTO)
    async with borrow(api.parts.pool) as connection:
        both = await attachments.lists_of_attachments(connection, [folder, stranger])
    assert [len(cards) for cards in both.values()] == [2, 0]


async def test_a_folder_holds_nine_files(api: Api, world: World) -> None:
    folder, contents = uuid4(), [picture(seed=seed) for seed in range(10)]
    for content in contents:
        accepted(await hand_in(api, world.enterprise_user, content))
    await put_into(api, world.enterprise_user.account_id, folder, *contents[:8])
    with pytest.raises(AttachmentQuotaReached):
        await put_into(api, world.enterprise_user.account_id, folder, *contents[8:])
    assert len(await lying_in(api, folder)) == 8
    await put_into(api, world.enterprise_user.account_id, folder, contents[8])
    await put_into(api, world.enterprise_user.account_id, uuid4(), *contents, most=10)


async def test_a_folder_holds_200_mebibytes(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_FOLDER_BYTES", len(PHOTO) + 10)
    accepted(await hand_in(api, world.enterprise_user, PHOTO))
    await put_into(api, world.enterprise_user.account_id, (folder := uuid4()), PHOTO)
    accepted(await hand_in(api, world.enterprise_user, paper()))
    with pytest.raises(AttachmentQuotaReached):
        await put_into(api, world.enterprise_user.account_id, folder, paper())


# Shown


async def test_a_shown_photo_has_no_metadata_and_its_original_is_for_leads(api: Api, world: World) -> None:
    accepted(await hand_in(api, world.enterprise_user, PHOTO))
    await put_into(api, world.enterprise_user.account_id, (folder := uuid4()), PHOTO)

    for shown, side in ((Shown.LARGE, 1600), (Shown.THUMBNAIL, 320)):
        answer = await look(api, folder, PHOTO, world.enterprise_user, shown)
        with Image.open(io.BytesIO(answer.content)) as image:
            assert max(image.size) == side
            assert not image.getexif()
        assert PLACE not in answer.content
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for who in (world.enterprise_user, world.inspector, None):
        with pytest.raises(Forbidden):
            await look(api, folder, PHOTO, who, Shown.ORIGINAL)

    await look(api, folder, PHOTO, world.lead, Shown.ORIGINAL)
    opened = [row for row in await rows(api, "trace") if row["action"] == "attachment.original_opened"]
    assert [(row["subject_id"], row["operator_id"]) for row in opened] == [(folder, world.lead.account_id)]


async def test_what_lies_in_another_folder_is_not_found(api: Api, world: World) -> None:
    accepted(await hand_in(api, world.enterprise_user, PHOTO))
    with pytest.raises(NotFound):
        await look(api, uuid4(), PHOTO, world.lead)


# Swept


async def test_what_nobody_attached_is_swept_after_a_day(api: Api, world: World) -> None:
    folder = uuid4()
    for content in (PHOTO, paper(), film()):
        accepted(await hand_in(api, world.enterprise_user, content))
    await copy_evidence(api.parts, bytes.fromhex(digest_of(PHOTO)))
    await put_into(api, world.enterprise_user.account_id, folder, paper())
    await put_into(api, world.enterprise_user.account_id, uuid4(), film())

    await sweep_after(api, timedelta(hours=24))
    assert len(await rows(api, "evidence_file")) == 3
    await sweep_after(api, timedelta(seconds=1))

    left = {row["digest"].hex() for row in await rows(api, "evidence_file")}
    assert left == {digest_of(paper()), digest_of(film())}
    assert await rows(api, "attachment_upload") == []
    with pytest.raises(BlobMissing):
        await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(PHOTO))))
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(paper())))) == paper()
    last = (await rows(api, "trace"))[-1]
    assert last["action"] == "attachment.uploads_swept"
    with pytest.raises(AttachmentMissing):
        await put_into(api, world.enterprise_user.account_id, folder, PHOTO)


async def test_a_file_that_evidence_holds_outlives_its_attachment_and_the_other_way_round(
    api: Api, world: World
) -> None:
    accepted(await put_file(api, world, PHOTO))
    await refer(api, world.inspection, PHOTO)
    accepted(await hand_in(api, world.enterprise_user, PHOTO))
    accepted(await put_file(api, world, paper()))
    accepted(await hand_in(api, world.enterprise_user, paper()))
    await put_into(api, world.enterprise_user.account_id, (folder := uuid4()), paper())

    await sweep_after(api, LONG_AFTER)

    assert len(await rows(api, "evidence_file")) == 2
    (evidence,) = await rows(api, "evidence")
    assert evidence["digest"].hex() == digest_of(PHOTO)
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(PHOTO)))) == PHOTO
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(paper())))) == paper()
    await take_out(api, folder, paper())
    await sweep_after(api, timedelta(hours=23))
    assert len(await rows(api, "evidence_file")) == 2
    await sweep_after(api, timedelta(hours=2))
    (left,) = await rows(api, "evidence_file")
    assert left["digest"].hex() == digest_of(PHOTO)


async def test_handing_in_again_gives_another_day(api: Api, world: World) -> None:
    accepted(await hand_in(api, world.enterprise_user, PHOTO))
    api.clock.advance(timedelta(hours=20))
    assert (await hand_in(api, world.enterprise_user, PHOTO)).status_code == 200
    await sweep_after(api, timedelta(hours=20))
    await put_into(api, world.enterprise_user.account_id, uuid4(), PHOTO)
