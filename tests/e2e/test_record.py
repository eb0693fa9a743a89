"""现场检查笔录: the canonical record, signatures by role, refusals, reopening (MOB-13)."""

from __future__ import annotations

import hashlib
from uuid import UUID

import msgspec
import rfc8785

from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.inspecting import (
    answer,
    answer_all,
    arrive,
    lines,
    party_signature,
    path,
    photo,
    prepare_inspection,
    record_digest,
    record_facts,
    sign_all,
    sign_as,
    upload,
)
from tests.support.visits import rows


async def _ready(api: Api, world: World) -> tuple[UUID, str, str]:
    """An inspection with every item answered: its id, the record's digest, and the digest of a drawn signature."""
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    await answer_all(api, world.inspector, inspection, world.market.id)
    record = await record_facts(api, world.inspector, inspection)
    return inspection, record, await upload(api, world.inspector, inspection, photo(99))


async def test_the_record_is_canonical_json_and_its_digest_is_that_of_its_bytes(api: Api, world: World) -> None:
    inspection, record, _ = await _ready(api, world)

    response = await api.as_(world.inspector).get(path(inspection, "record"))

    assert response.content == rfc8785.dumps(response.json())
    assert hashlib.sha256(response.content).hexdigest() == record == response.headers["yima-record-digest"]
    told = response.json()
    assert told["schema"] == "yima/record/1"
    assert [each["value"] for each in told["answers"]] == ["no_problem"] * len(told["answers"])
    assert told["visits"][0]["arrived_at"] == "2026-08-05T02:00:00.000Z"
    assert b"TZ-" not in response.content  # no number that the server gives


async def test_everybody_signs_the_same_digest_and_the_part_is_signed(api: Api, world: World) -> None:
    inspection, record, _ = await _ready(api, world)

    signed = await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])

    assert signed == record
    assert await record_digest(api, world.inspector, inspection) == record
    kept = await rows(api, "signature")
    assert sorted(row["role"] for row in kept) == ["inspected_party", "officer", "officer", "recorder"]
    assert all("韦秀英".encode() not in bytes(row["person_sealed"] or b"") for row in kept)
    assert "韦秀英" not in str(await rows(api, "trace"))


async def test_another_digest_than_the_records_is_not_signed(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    line = (await lines(api, world.inspector, inspection))[0]
    accepted(await answer(api, world.inspector, inspection, line, remark="补充说明"))

    facts = refused(
        await sign_as(api, world.inspector, inspection, "inspected_party", party_signature(record, image)),
        409,
        "record-differs",
        "record_digest",
    )

    assert facts["expected"] == await record_digest(api, world.inspector, inspection)
    assert await rows(api, "signature") == []


async def test_nothing_is_signed_before_every_item_is_answered(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    record = await record_facts(api, world.inspector, inspection)
    image = await upload(api, world.inspector, inspection, photo(99))

    facts = refused(
        await sign_as(api, world.inspector, inspection, "inspected_party", party_signature(record, image)),
        409,
        "items-unanswered",
    )

    assert len(facts["items"]) == len(await lines(api, world.inspector, inspection))


async def test_what_is_signed_changes_only_after_it_is_opened_again(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
    line = (await lines(api, world.inspector, inspection))[0]
    actor = api.as_(world.inspector)

    refused(await answer(api, world.inspector, inspection, line, remark="改"), 409, "record-already-signed")
    refused(await actor.put(path(inspection, "record"), {}, if_match=1), 409, "record-already-signed")
    refused(
        await sign_as(api, world.inspector, inspection, "inspected_party", party_signature(record, image)),
        409,
        "already-signed",
        "role",
    )
    opened = accepted(await actor.post(path(inspection, "record/reopenings"), {"reason": "漏记一项事实"}))

    assert opened["voided"] == 4
    accepted(await answer(api, world.inspector, inspection, line, remark="改"))
    assert await record_digest(api, world.inspector, inspection) != record
    assert {row["void_reason"] for row in await rows(api, "signature")} == {"漏记一项事实"}
    refused(await actor.post(path(inspection, "record/reopenings"), {"reason": "再开"}), 409, "nothing-signed")


async def test_a_refusal_needs_its_reason_and_stands_with_two_officers(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    refusal = {"record_digest": record, "means": "refused"}

    refused(
        await sign_as(api, world.inspector, inspection, "inspected_party", refusal),
        422,
        "signature-incomplete",
        "reason",
    )
    accepted(await sign_as(api, world.inspector, inspection, "inspected_party", refusal | {"reason": "对结果不认可"}))
    for officer in (world.officer.id, world.partner.id):
        body = {"record_digest": record, "images": [image], "officer_id": officer}
        accepted(await sign_as(api, world.inspector, inspection, "officer", body))
    last = {"record_digest": record, "images": [image]}
    assert accepted(await sign_as(api, world.inspector, inspection, "recorder", last))["is_complete"]


async def test_an_absent_party_is_replaced_by_a_witness(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    await sign_all(
        api,
        world.inspector,
        inspection,
        [world.officer.id, world.partner.id],
        {"means": "absent", "reason": "负责人外出", "person": None, "images": []},
    )

    witness = party_signature(record, image, person={"name": "黄社工", "capacity": "社区工作人员", "is_adult": True})
    assert accepted(await sign_as(api, world.inspector, inspection, "witness", witness))["is_complete"]


async def test_minors_never_sign_nor_officers_who_were_not_there(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    child = party_signature(record, image, person={"name": "韦小妹", "capacity": "店主女儿", "is_adult": False})

    refused(
        await sign_as(api, world.inspector, inspection, "inspected_party", child), 422, "minor-may-not-sign", "person"
    )
    elsewhere = {"record_digest": record, "images": [image], "officer_id": world.unassigned_officer.id}
    refused(
        await sign_as(api, world.inspector, inspection, "officer", elsewhere), 409, "officer-was-absent", "officer_id"
    )


async def test_a_record_signed_by_hand_is_an_equal_path(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)
    page = await upload(api, world.inspector, inspection, photo(98))
    paper = {"record_digest": record, "means": "paper", "images": [image, page]}

    refused(
        await sign_as(api, world.inspector, inspection, "paper", paper | {"images": []}),
        422,
        "signature-incomplete",
        "images",
    )
    assert accepted(await sign_as(api, world.inspector, inspection, "paper", paper))["is_complete"]


async def test_facts_are_changed_over_the_version_that_was_seen(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    await record_facts(api, world.inspector, inspection)

    facts = refused(
        await api.as_(world.partner_inspector).put(path(inspection, "record"), {}), 412, "record-conflict", "If-Match"
    )

    assert facts == {"version": 1}
    second = await api.as_(world.partner_inspector).put(path(inspection, "record"), {"place": "后厨"}, if_match=1)
    assert accepted(second)["version"] == 2


async def test_a_role_that_does_not_exist_is_no_path(api: Api, world: World) -> None:
    inspection, record, image = await _ready(api, world)

    response = await sign_as(api, world.inspector, inspection, "landlord", party_signature(record, image))

    assert response.status_code in {404, 422}
    assert msgspec.json.decode(response.content)["type"].startswith("urn:yima:problem:")
