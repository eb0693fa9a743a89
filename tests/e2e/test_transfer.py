"""移交执法 over HTTP (POST-04): opened, its file handed out with an index, handed over against a receipt."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

from api.chores import perform_chore
from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.inspecting import path, photo, upload
from tests.support.problems import (
    PENAL,
    PLAIN,
    Found,
    feed_back,
    find_problems,
    fresh_id,
    issue,
    re_inspect,
    re_inspection,
    rectify_within,
)
from tests.support.visits import nothing_changes, rows

TO_WHOM = "南宁市市场监管综合行政执法支队"


async def transferred(api: Api, world: World) -> tuple[Found, dict[str, Any]]:
    """An order that was not obeyed; gives its re-inspection."""
    found = await find_problems(api, world)
    order = accepted(await issue(api, world.inspector, found, PENAL))
    accepted(await feed_back(api, world, found, order["id"], PENAL))
    met = re_inspection(
        world,
        found,
        "transfer_conditions_met",
        PENAL,
        failed=[PENAL],
        receiving_body=TO_WHOM,
        photos=[await upload(api, world.inspector, found.inspection, photo(41))],
    )
    return found, accepted(await re_inspect(api, world.inspector, order["id"], met))


async def do_chores(api: Api) -> None:
    """What the worker would do."""
    for chore in await rows(api, "chore"):
        assert await perform_chore(api.parts, chore["id"])


async def test_the_file_holds_every_part_with_its_digest(api: Api, world: World) -> None:
    _, result = await transferred(api, world)
    await do_chores(api)

    response = await api.as_(world.manager).get(f"/api/v1/transfers/{result['transfer_id']}/file.zip")

    assert response.status_code == 200, response.text
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    index = json.loads(archive.read("index.json"))
    assert [line["missing"] for line in index["parts"]] == [None] * len(index["parts"])
    for line in index["parts"]:
        content = archive.read(line["path"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (line["sha256"], line["size"])
    kinds = [line["kind"] for line in index["parts"]]
    assert kinds == ["文书", "文书", "检查结果", "整改过程", "送达信息", "照片", "照片"]
    for paper in ("01-检查通知书", "02-责令改正通知书"):
        assert archive.read(f"文书/{paper}.pdf").startswith(b"%PDF")
    table = list(csv.reader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))
    assert table[0] == ["序号", "文件", "类别", "说明", "SHA-256", "字节数", "原件SHA-256", "状态"]
    assert [row[1] for row in table[1:]] == [line["path"] for line in index["parts"]]
    course = json.loads(archive.read("整改过程.json"))
    assert course["feedback"][0]["items"][0]["answer"] == "已公示。"
    sent = json.loads(archive.read("送达信息.json"))
    assert {(each["title"], each["channel"], each["is_notice"]) for each in sent} == {
        ("责令改正通知书提醒", "sms", False),
        ("整改复查结果", "sms", False),
    }


async def test_the_same_file_is_the_same_bytes_and_each_reading_is_traced(api: Api, world: World) -> None:
    _, result = await transferred(api, world)
    await do_chores(api)
    manager = api.as_(world.manager)

    first = await manager.get(f"/api/v1/transfers/{result['transfer_id']}/file.zip")
    second = await manager.get(f"/api/v1/transfers/{result['transfer_id']}/file.zip")

    assert first.content == second.content
    read = [row for row in await rows(api, "trace") if row["action"] == "rectification.transfer_file_read"]
    assert len(read) == 2
    assert json.loads(read[0]["after"])["digest"] == hashlib.sha256(first.content).hexdigest()


async def test_what_is_not_made_yet_is_named_as_missing(api: Api, world: World) -> None:
    _, result = await transferred(api, world)

    response = await api.as_(world.inspector).get(f"/api/v1/transfers/{result['transfer_id']}/file.zip")

    index = json.loads(zipfile.ZipFile(io.BytesIO(response.content)).read("index.json"))
    missing = [line["missing"] for line in index["parts"] if line["missing"]]
    assert missing == ["文书尚未生成", "文书尚未生成", "副本尚未生成", "副本尚未生成"]


async def test_the_file_is_the_departments_own(api: Api, world: World) -> None:
    _, result = await transferred(api, world)
    address = f"/api/v1/transfers/{result['transfer_id']}/file.zip"
    refused(await api.as_(world.emergency_manager).get(address), 404, "not-found")
    refused(await api.as_(world.enterprise_user).get(address), 403, "forbidden")


async def test_it_is_handed_over_once_against_a_receipt(api: Api, world: World) -> None:
    found, result = await transferred(api, world)
    receipt = await upload(api, world.inspector, found.inspection, photo(42))
    address = f"/api/v1/transfers/{result['transfer_id']}/hand-over"
    order = {"receipt_number": "南执收〔2026〕7号", "receipt": receipt}

    done = accepted(await api.as_(world.manager).post(address, order))

    assert (done["state"], done["receiving_body"]) == ("handed_over", TO_WHOM)
    refused(await api.as_(world.manager).post(address, order), 409, "transfer-already-handed-over")
    refused(await api.as_(world.emergency_manager).post(address, order), 404, "not-found")


async def test_a_receipt_must_have_been_handed_in(api: Api, world: World) -> None:
    _, result = await transferred(api, world)
    order = {"receipt_number": "7", "receipt": "ab" * 32}

    async with nothing_changes(api):
        response = await api.as_(world.manager).post(f"/api/v1/transfers/{result['transfer_id']}/hand-over", order)

    refused(response, 409, "evidence-missing", "receipt")


async def test_an_answers_measure_opens_one_too(api: Api, world: World) -> None:
    found = await find_problems(api, world, {PLAIN: rectify_within("涉嫌无证经营。", "transfer_for_penalty")})
    wish = {"id": fresh_id(), "receiving_body": TO_WHOM, "reason": "涉嫌违法经营"}
    opened = accepted(await api.as_(world.inspector).post(path(found.inspection, "transfers"), wish))

    again = await api.as_(world.inspector).post(path(found.inspection, "transfers"), {**wish, "id": fresh_id()})

    assert refused(again, 409, "transfer-already-opened")["transfer_id"] == opened["id"]
    for who in (world.inspector, world.manager, world.lead, world.enterprise_user):
        listed = (await api.as_(who).get("/api/v1/transfers", state="open")).json()
        assert [line["id"] for line in listed["items"]] == [opened["id"]]
    for who in (world.unassigned_inspector, world.emergency_manager, world.foreign_lead, world.foreign_user):
        assert (await api.as_(who).get("/api/v1/transfers")).json()["items"] == []


async def test_nothing_is_transferred_that_no_answer_asks_for(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    wish = {"id": fresh_id(), "receiving_body": TO_WHOM, "reason": "涉嫌违法经营"}

    async with nothing_changes(api):
        response = await api.as_(world.inspector).post(path(found.inspection, "transfers"), wish)

    refused(response, 409, "transfer-not-indicated")
