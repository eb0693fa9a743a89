"""What the public side must never tell: who tipped off, whose result was withdrawn, who else complained."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID

import pytest

from api.open_data import dump_results, to_csv
from domain.inspection.model import InspectionKind
from domain.publication.model import PublicReply
from domain.search.open_data.model import OpenResult
from domain.shared.sql import borrow
from domain.visitor.model import Limit, LimitKind, LimitPolicy
from domain.visitor.rules import POLICIES
from tests.support.citizens import anonymous, solve
from tests.support.client import Api, accepted, refused
from tests.support.complaining import (
    COMPLAINT,
    NAME,
    TEXT,
    TIP_OFF,
    act,
    complain,
    follow_up,
    handled,
    inspection_order,
    path,
    step,
    tip_off,
)
from tests.support.factories import World
from tests.support.files import digest_of, picture
from tests.support.publishing import complete
from tests.support.visits import rows

RESULTS = "/api/v1/public/results"
FOLLOW_UPS = "/api/v1/public/follow-ups"
NIGHT = timedelta(hours=20)
"""From the tests' morning to the hour in which dumps are made."""


async def withdraw(api: Api, world: World, publication: object) -> None:
    """撤下公示."""
    order = {"reason": "检查对象有误"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{publication}/withdrawal", order))


async def list_dumps(api: Api) -> list[str]:
    """The days of the dumps that anybody is offered."""
    return [each["made_on"] for each in (await api.anyone.get(f"{RESULTS}/dumps")).json()["items"]]


# 举报


async def test_an_inspection_does_not_tell_whether_somebody_complained_or_tipped_off(api: Api, world: World) -> None:
    named, secret = await complain(api, world), await tip_off(api, world)
    for kind, receipt in ((COMPLAINT, named), (TIP_OFF, secret)):
        accepted(await api.as_(world.lead).post(path(kind, "inspections"), inspection_order(world, receipt["id"])))
    started = [row for row in await rows(api, "inspection") if row["kind"] == "case"]
    assert len(started) == 2
    assert len({(row["source"], row["name"], row["basis"]) for row in started}) == 1


@pytest.mark.parametrize("field", ["name", "basis"])
async def test_what_the_enterprise_reads_of_an_inspection_must_not_say_tip_off(
    api: Api, world: World, field: str
) -> None:
    receipt = await tip_off(api, world)
    order = inspection_order(world, receipt["id"], **{field: "关于举报线索的核查"})
    refused(await api.as_(world.lead).post(path(TIP_OFF, "inspections"), order), 422, "invalid-field", field)


# 并案


async def test_of_a_reopened_case_those_merged_into_it_learn_nothing(api: Api, world: World) -> None:
    leading, follower = await complain(api, world), await complain(api, world, "13877155556")
    accepted(await api.as_(world.lead).post(path(COMPLAINT, leading["id"], "merges"), {"ids": [follower["id"]]}))
    await handled(api, world, COMPLAINT, leading["id"])
    before = await follow_up(api, follower, "5556")
    assert before["state"] == "answered"
    accepted(await act(api, leading, "reopening", reason="商家并未退款"))
    accepted(await step(api, world.lead, COMPLAINT, leading["id"], "take_over"))
    accepted(await step(api, world.lead, COMPLAINT, leading["id"], "answer", "商家已于今日退款。"))
    assert await follow_up(api, follower, "5556") == before
    accepted(await step(api, world.lead, COMPLAINT, leading["id"], "close"))
    assert (await follow_up(api, follower, "5556"))["state"] == "closed"


# 查看身份


async def test_a_look_that_is_repeated_later_is_another_look(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    for what in ("accept", "take_over"):
        accepted(await step(api, world.lead, COMPLAINT, receipt["id"], what))
    views, order = path(COMPLAINT, receipt["id"], "identity-views"), {"reason": "电话核实情况"}
    lead = api.as_(world.lead)
    assert accepted(await lead.post(views, order, key="one-look-only"))["name"] == NAME
    assert accepted(await lead.post(views, order, key="one-look-only"))["name"] == NAME  # the answer had been lost
    api.clock.now += timedelta(minutes=6)
    refused(await lead.post(views, order, key="one-look-only"), 422, "idempotency-key-reused", "Idempotency-Key")
    looks = [row for row in await rows(api, "trace") if row["action"] == "grievance.identity_viewed"]
    assert len(looks) == 1


# 疑似滥用


async def test_a_mark_of_abuse_changes_no_number_that_anybody_reads(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    question = {"type": "food_safety", "description": TEXT, "code": world.code}
    place = "/api/v1/public/complaints/likely-duplicates"
    assert (await api.anyone.post(place, question)).json() == {"likely_duplicates": 1}
    mark = {"is_suspected": True, "reason": "同一号码多次重复投诉"}
    accepted(await api.as_(world.lead).post(path(COMPLAINT, receipt["id"], "abuse-marks"), mark))
    assert (await api.anyone.post(place, question)).json() == {"likely_duplicates": 1}


# Forms


async def test_a_form_is_counted_before_it_is_read(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    few = LimitPolicy(**dict.fromkeys(("address", "device", "phone"), Limit(timedelta(hours=1), 3, 3)))
    monkeypatch.setitem(POLICIES, LimitKind.FORM, few)  # type: ignore[arg-type] - a dict, as it is made

    async def endless() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    headers = {"Content-Type": "multipart/form-data; boundary=b0undary"}
    for where in (f"/c/{world.code}/tip-off", "/complaints/follow-up", f"/c/{world.code}/complaint"):
        assert (await api.http.post(where, content=b"--b0undary--", headers=headers)).status_code < 429
    for where in (f"/c/{world.code}/tip-off", "/complaints/follow-up"):
        refusal = await api.http.post(where, content=endless(), headers=headers)
        assert (refusal.status_code, "频繁" in refusal.text) == (429, True)


async def test_photos_of_a_form_are_not_lost_to_a_proof_of_work(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Limit(timedelta(hours=1), 1, 9)
    policy = LimitPolicy(address=one, device=one, phone=one)
    for kind in (LimitKind.ATTACHMENT, LimitKind.TIP_OFF):
        monkeypatch.setitem(POLICIES, kind, policy)  # type: ignore[arg-type] - a dict, as it is made
    await tip_off(api, world)
    who = await anonymous(api)
    fields = {
        "pass": who.token,
        "key": "a-key-of-the-form",
        "type": "food_safety",
        "description": TEXT,
        "consent_version": "2026-11",
    }
    photos = [picture(seed=each) for each in (5, 6)]
    files = [("photos", (f"{number}.jpg", photo)) for number, photo in enumerate(photos)]
    asked = await api.http.post(f"/c/{world.code}/tip-off", data=fields, files=files)
    assert asked.status_code == 429
    assert [digest_of(photo) in asked.text for photo in photos] == [True, True]
    assert len(await rows(api, "tip_off")) == 1


# 查询码


@pytest.mark.parametrize(("place", "name"), [(FOLLOW_UPS, "query_code"), ("/api/v1/public/feedback/follow-up", "code")])
async def test_who_mistypes_too_often_may_go_on_with_a_proof_of_work(
    api: Api, world: World, place: str, name: str
) -> None:
    del world
    body = {name: "0123456789AB"}
    for _ in range(30):
        assert (await api.http.post(place, json=body)).status_code == 404
    challenge = refused(await api.http.post(place, json=body), 429, "proof-of-work-required")["challenge"]
    solved = {"Yima-Proof": solve(challenge)}
    refused(await api.http.post(place, json=body, headers=solved), 404, "not-found", name)
    refused(await api.http.post(place, json=body, headers=solved), 422, "proof-of-work-refused")


async def test_the_follow_up_page_takes_the_proof_that_it_asks_for(api: Api, world: World) -> None:
    del world
    form = {"query_code": "0123456789AB"}
    for _ in range(30):
        assert (await api.http.post("/complaints/follow-up", data=form)).status_code == 404
    assert (await api.http.post("/complaints/follow-up", data=form)).status_code == 429
    challenge = refused(await api.http.post(FOLLOW_UPS, json=form), 429, "proof-of-work-required")["challenge"]
    solved = {**form, "proof": solve(challenge)}
    assert (await api.http.post("/complaints/follow-up", data=solved)).status_code == 404


# 开放数据


async def test_what_is_withdrawn_leaves_the_dumps_too(api: Api, world: World) -> None:
    kept = await complete(api, world, days=0)
    gone = await complete(api, world, await world.dispatch(), days=0)
    api.clock.now += NIGHT
    await dump_results(api.parts)
    offered = (await api.anyone.get(f"{RESULTS}/dumps")).json()["items"]
    assert [each["results"] for each in offered] == [2]

    await withdraw(api, world, gone)

    assert await list_dumps(api) == []
    refused(await api.anyone.get(offered[0]["url"]), 404, "not-found", field="on")
    await dump_results(api.parts)
    assert await list_dumps(api) == []  # one that was begun that early may still hold it
    api.clock.now += timedelta(minutes=10)
    await dump_results(api.parts)
    (again,) = (await api.anyone.get(f"{RESULTS}/dumps")).json()["items"]
    assert (again["results"], again["withdrawn"]) == (1, 1)
    del kept


async def test_nobody_learns_by_a_number_whose_result_it_is_where_persons_are_not_named(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE enterprise SET object_type = '自然人' WHERE id = $1", world.enterprise.id)
    (anybody,) = (await api.anyone.get(RESULTS)).json()["items"]
    assert (anybody["enterprise_name"], anybody["uscc"]) == (None, None)
    answer = (await api.anyone.get(RESULTS, uscc=world.enterprise.uscc)).json()
    assert (answer["items"], answer["total"]) == ([], 0)
    for word in (world.enterprise.name, world.enterprise.uscc):
        found = (await api.anyone.get("/api/v1/public/search", q=word)).json()["items"]
        assert [each for each in found if each["target"] == world.enterprise.uscc] == []


@pytest.mark.parametrize("text", ["=1+1", "＝1+1", "＠SUM(1)", "\n=1+1", "  =1+1", "－1", "\t=1"])
def test_no_reply_becomes_a_formula_however_it_begins(text: str) -> None:
    day = date(2026, 8, 5)
    result = OpenResult(
        id=UUID(int=1),
        authorities=["南宁市监"],
        kind=InspectionKind.ROUTINE,
        kind_label="日常检查",
        completed_on=day,
        published_on=day,
        withdrawn_on=None,
        reply=PublicReply(text=text, submitted_on=day),
        is_withdrawn=False,
        ends_on=day,
    )
    assert f"'{text}" in to_csv([result]).decode("utf-8-sig")


# 曝光


async def test_an_enterprise_is_exposed_no_longer_than_its_result_is_public(api: Api, world: World) -> None:
    ground = str(await complete(api, world, days=0))
    order = {"title": "后厨卫生问题", "text": "后厨卫生问题。", "publication_id": ground}
    manager = api.as_(world.manager)
    api.clock.now += timedelta(days=1)
    refused(
        await manager.post("/api/v1/exposures", {**order, "ends_on": "2029-08-06"}),
        409,
        "result-not-public",
        "publication_id",
    )
    accepted(await manager.post("/api/v1/exposures", {**order, "ends_on": "2029-08-05"}))


# Whatever is sent


def cursor(text: str) -> str:
    """A cursor that somebody made up."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


ZERO = "00000000-0000-0000-0000-000000000000"
HOSTILE = [
    *[
        f"{where}?cursor={cursor(text)}"
        for where in (
            RESULTS,
            "/api/v1/public/exposures",
            "/exposures",
            "/api/v1/public/search?q=%E8%80%81%E5%8F%8B",
            "/api/v1/public/manuals",
            "/api/v1/public/checklists",
            "/manuals",
            "/checklists",
        )
        for text in (
            "[]",
            "null",
            '"\\ud800"',
            "[" * 150,
            f'{{"published_at":"2020-01-01T00:00:00","id":"{ZERO}","total":1}}',
            f'{{"published_at":"9999-12-31T23:59:59-12:00","id":"{ZERO}","total":1}}',
            f'{{"published_at":"0001-01-01T00:00:00+14:00","id":"{ZERO}","total":99999999999999999999999}}',
            f'["2020-01-01T00:00:00","{ZERO}",1]',
            f'["0001-01-01T00:00:00+14:00","{ZERO}",1]',
            '{"shown":99999999999999999999999999999}',
            '{"shown":-5}',
            f'{{"place":99999999999999999999,"id":"{ZERO}"}}',
            f'[99999999999999999999,"{ZERO}"]',
        )
    ],
    *[
        f"{where}{sent}"
        for where in (
            "/api/v1/public/search?q=",
            "/search?q=",
            "/search?q=a&region=",
            "/search?q=a&from=",
            "/api/v1/public/search?q=ab&business_type=",
            "/api/v1/public/exposures?keyword=",
            "/exposures?keyword=",
            "/exposures?department=",
            "/api/v1/public/manuals?business_type=",
            "/manuals?business_type=",
            "/manuals?region=",
            "/checklists?region=",
            f"{RESULTS}?authority=",
            f"{RESULTS}?uscc=",
            f"{RESULTS}?made_up=",
            f"{RESULTS}?from=",
            f"{RESULTS}/dump?on=",
            "/feedback/new?item=",
            f"/feedback/new?manual={ZERO}&item=",
            "/e/",
            "/c/",
            "/manuals/",
            "/checklists/",
            "/exposures/",
            "/b/",
            "/api/v1/public/enterprises/",
        )
        for sent in (
            "%00",
            "a%00b",
            "%ED%A0%80",
            "%FF%FE",
            "0001-01-01",
            "9999-12-31",
            "%0D%0ASet-Cookie:%20a=b",
            "%EF%B7%BA" * 60,
            "%25" * 80,
            "(((((((((((((((a+)+)+)+)+)+$",
            "%E2%80%AE%F0%9F%98%80",
        )
    ],
]


async def test_no_address_makes_the_server_fail(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    failed = []
    for address in HOSTILE:
        for accept in ("application/json", "text/html"):
            response = await api.http.get(
                address.replace("?q=%E8%80%81%E5%8F%8B?", "?q=%E8%80%81%E5%8F%8B&"), headers={"Accept": accept}
            )
            if response.status_code >= 500 or "set-cookie" in response.headers:
                failed.append((address, response.status_code, response.text[:200]))
    assert failed == []


async def test_no_word_of_a_citizen_makes_the_server_fail(api: Api, world: World) -> None:
    who = await anonymous(api)
    for text in ("\x00" * 20, "\u202e" * 20, "😀" * 20, "ﷺ" * 500, "a\x00b" * 9, "\\u0000" * 9):
        body = {"type": "price", "description": text, "consent_version": "2026-11", "code": world.code}
        for place, more in (
            ("/api/v1/public/tip-offs", body),
            (
                "/api/v1/public/complaints/likely-duplicates",
                {name: body[name] for name in ("type", "description", "code")},
            ),
            ("/api/v1/public/tip-offs", {**body, "code": text[:200]}),
            (FOLLOW_UPS, {"query_code": text[:20]}),
            ("/api/v1/public/phone-verifications", {"phone": text[:20]}),
            ("/api/v1/public/phone-verifications/" + ZERO + "/proof", {"code": text[:6]}),
        ):
            response = await who.post(place, more)
            assert response.status_code < 500, (place, text[:5], response.text)
    raw = b'{"query_code": "\\ud800"}'
    response = await api.http.post(FOLLOW_UPS, content=raw, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}


async def test_no_form_makes_the_server_fail(api: Api, world: World) -> None:
    who = await anonymous(api)
    whole = {
        "pass": who.token,
        "key": "a-key-of-the-form",
        "type": "food_safety",
        "description": TEXT,
        "consent_version": "2026-11",
        "query_code": "0123456789AB",
        "phone_tail": "1234",
        "act": "supplement",
    }
    changes = {
        "pass": ["é" * 40, "A" * 200, "=", "%00"],
        "key": ["é", "x" * 500, ""],
        "proof": ["é", "A" * 5000, "e30=", "bnVsbA=="],
        "type": ["", "é"],
        "happened_on": ["0001-01-01", "9999-12-31", "2026-W01", "20260805", "é"],
        "photos_digest": ["é", "0" * 64, "zz", "0" * 63],
        "verification": ["é", ZERO, "{" + ZERO + "}"],
        "code": ["é", "123456", "٠١٢٣٤٥"],
        "phone": ["é", "٠١٢٣٤٥٦٧٨٩٠", "+86" * 9],
        "phone_tail": ["٠١٢٣", "é", "²²²²"],
        "query_code": ["ı" * 12, "ß" * 12, "²" * 12],
        "act": ["send_code", "withdraw", "reopen", "é"],
        "description": ["ﷺ" * 900, "\u2028" * 20, "x" * 31_000],
        "name": ["\u202e" * 9, "x" * 5000],
    }
    failed = []
    for where in (f"/c/{world.code}/tip-off", f"/c/{world.code}/complaint", "/complaints/follow-up", "/feedback"):
        for name, texts in changes.items():
            for text in texts:
                response = await api.http.post(where, data={**whole, "code": "123456", name: text})
                if response.status_code >= 500:
                    failed.append((where, name, text[:20], response.text[:200]))
    assert failed == []


@pytest.mark.parametrize(
    "body",
    [
        b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' for _ in range(10_000)) + b"--b--",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n' + b"X: y\r\n" * 100_000,
        b"--b\r\n" + b"X" * 3_000_000,
        b"\r\n" * 1_000_000,
        b'--b\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\xfe\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="photos"; filename="../../x"\r\n\r\n<svg/>\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--b--',
    ],
)
async def test_no_bomb_of_parts_makes_the_server_fail(api: Api, world: World, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for where in (f"/c/{world.code}/tip-off", "/complaints/follow-up"):
        response = await api.http.post(where, content=body, headers=headers)
        assert 400 <= response.status_code < 500, response.text[:300]
