"""投诉 and 举报 over HTTP (PUB-14, CIT-04, COG-05, COG-06, D30): two things, from the citizen's phone to the answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from api.chores import perform_chore
from api.complaint_handover import hand_over_complaint
from api.jobs import close_what_was_answered
from domain.complaint.model import GrievanceKind
from domain.complaint.operations import answer_from_inspection, close_answered
from domain.complaint.ports import ConsumerMatter, LinkOnlyGateway
from domain.shared.transaction import Outcome, Transaction
from tests.support.citizens import PHONE, anonymous, solve, verified
from tests.support.client import Api, accepted, refused
from tests.support.complaining import (
    COMPLAINT,
    NAME,
    OTHER_TEXT,
    TEXT,
    TIP_OFF,
    account,
    act,
    ask,
    complain,
    detail,
    follow_up,
    handled,
    inspection_order,
    listed,
    path,
    step,
    tip_off,
    unknown,
)
from tests.support.database import Database
from tests.support.deadlines import sweep_at, told
from tests.support.factories import INSTALLATION, NOW, World
from tests.support.inspecting import arrive, finish, leave, photo, prepare_papers, upload
from tests.support.visits import rows

BOTH = pytest.mark.parametrize("kind", [COMPLAINT, TIP_OFF])


async def filed(api: Api, world: World, kind: str, **changes: object) -> dict[str, Any]:
    """One of the kind, named."""
    if kind == COMPLAINT:
        return await complain(api, world, **changes)  # type: ignore[arg-type]
    return await tip_off(api, world, **changes)  # type: ignore[arg-type]


def tail_of(kind: str) -> str | None:
    """What a follow-up of it asks for beside the code."""
    return PHONE[-4:] if kind == COMPLAINT else None


async def actions(api: Api) -> list[str]:
    """What was done to them, by the trace."""
    return [row["action"] for row in await rows(api, "trace") if row["subject"] == "grievance"]


async def messages(api: Api) -> list[tuple[str, str, str]]:
    """What was sent because of them: template, recipient, id; by template."""
    return sorted(
        (row["template"], row["recipient"], str(row["recipient_id"]))
        for row in await rows(api, "message")
        if row["template"].startswith("grievance")
    )


# Filing


async def test_a_complaint_gets_a_number_a_query_code_and_its_terms(api: Api, world: World) -> None:
    receipt = await complain(api, world, happened_on="2026-08-03", place="大厅靠窗", wish="退款并道歉")
    assert receipt["number"] == "SJ01-2026-TS-000001"
    assert len(receipt["query_code"]) == 12
    assert (receipt["state"], receipt["due_on"], receipt["department"]) == ("received", "2026-08-14", "南宁市监")
    assert receipt["national_link"] == "https://www.12315.cn/"
    assert "7个工作日" in receipt["terms"][0]
    seen = await follow_up(api, receipt)
    assert (seen["state_label"], seen["number"], seen["due_on"]) == ("已收到", receipt["number"], "2026-08-14")
    assert await messages(api) == [("grievance_filed", "complainant", receipt["id"])]


async def test_a_tip_off_may_be_anonymous_and_is_another_thing(api: Api, world: World) -> None:
    receipt = await tip_off(api, world)
    assert (receipt["number"], receipt["due_on"], receipt["national_link"]) == (
        "SJ01-2026-JB-000001",
        "2026-08-26",
        None,
    )
    assert (await follow_up(api, receipt, None))["kind"] == TIP_OFF
    assert await listed(api, world.lead, COMPLAINT) == []
    (line,) = await listed(api, world.lead, TIP_OFF)
    assert (line["id"], line["is_named"]) == (receipt["id"], False)
    refused(await api.as_(world.lead).get(path(COMPLAINT, receipt["id"])), 404, "not-found")
    assert await messages(api) == []  # there is nobody to tell


async def test_a_complaint_is_named_and_comes_from_a_verified_phone(api: Api, world: World) -> None:
    who = await anonymous(api)
    refused(await who.post("/api/v1/public/complaints", account(world)), 403, "phone-not-verified", "phone")
    named = await verified(api)
    place = "/api/v1/public/complaints"
    refused(await named.post(place, account(world, name=None)), 422, "invalid-field", "name")
    refused(await named.post(place, account(world, description="不好")), 422, "invalid-field", "description")
    refused(
        await named.post(place, account(world, consent_version="2019-01")), 422, "consent-missing", "consent_version"
    )
    refused(await named.post(place, account(world, happened_on="2026-08-06")), 422, "invalid-field", "happened_on")
    refused(await named.post(place, account(world, code=None)), 422, "invalid-field", "site_id")
    refused(await named.post(place, account(world, code="X" * 31)), 404, "invalid-code", "code")
    refused(await named.post(place, account(world, code=None, site_id=unknown())), 404, "not-found", "site_id")
    missing = {"attachments": ["0" * 64]}
    refused(await named.post(place, account(world, **missing)), 409, "attachment-missing", "attachments")
    refused(await api.anyone.post(place, account(world)), 401, "pass-required")
    assert await rows(api, "complaint") == []


async def test_a_named_tip_off_needs_a_verified_phone_too(api: Api, world: World) -> None:
    who = await anonymous(api)
    refused(await who.post("/api/v1/public/tip-offs", account(world)), 403, "phone-not-verified", "phone")
    receipt = await tip_off(api, world, await verified(api), name=NAME)
    assert (await detail(api, world.lead, TIP_OFF, receipt["id"]))["complainant"]["name"] == "王**"
    assert await messages(api) == [("grievance_filed", "informant", receipt["id"])]


async def test_the_same_write_sent_twice_has_one_effect_and_one_receipt(api: Api, world: World) -> None:
    citizen = await verified(api)
    sent = [await citizen.post("/api/v1/public/complaints", account(world), key="a-key-of-mine") for _ in range(2)]
    first, second = (accepted(each) for each in sent)
    assert first == second
    assert len(await rows(api, "complaint")) == 1


async def test_nothing_personal_and_no_word_lies_open(api: Api, world: World, database: Database) -> None:
    described = f"{TEXT}我叫{NAME}，电话13877155555。"
    receipt = await complain(api, world, description=described, place="大厅靠窗", wish="退款并道歉")
    accepted(await act(api, receipt, "supplements", text="补充一张小票照片"))
    await handled(api, world, COMPLAINT, receipt["id"], "已责令退还餐费二十六元。")
    secrets = (NAME, PHONE, "苍蝇", "大厅靠窗", "退款并道歉", "小票", "二十六元", receipt["query_code"])
    connection = await asyncpg.connect(database.dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            for row in await connection.fetch(f'SELECT t::text AS told FROM "{table}" t'):  # noqa: S608
                for secret in secrets:
                    assert secret not in row["told"], (table, secret)
                    assert secret.encode().hex() not in row["told"], (table, secret)
    finally:
        await connection.close()


async def test_photos_are_the_offices_and_come_as_copies(api: Api, world: World) -> None:
    citizen = await verified(api)
    (digest,) = await citizen.has_handed_in(photo(3))
    receipt = accepted(await citizen.post("/api/v1/public/complaints", account(world, attachments=[digest])))
    shown = await detail(api, world.lead, COMPLAINT, receipt["id"])
    assert [each["digest"] for each in shown["attachments"]] == [digest]
    where = path(COMPLAINT, receipt["id"], "attachments", digest)
    copy = await api.as_(world.manager).get(where)
    assert (copy.status_code, copy.headers["content-type"]) == (200, "image/jpeg")
    for stranger in (world.foreign_lead, world.emergency_manager):
        refused(await api.as_(stranger).get(where), 404, "not-found")
    refused(await api.as_(world.enterprise_user).get(where), 403, "forbidden")


# Duplicates


async def likely(api: Api, world: World, **changes: object) -> int:
    """How many are likely the same, asked before sending."""
    question = {"type": "food_safety", "description": TEXT, "code": world.code, **changes}
    response = await api.anyone.post("/api/v1/public/complaints/likely-duplicates", question)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["likely_duplicates"]
    return response.json()["likely_duplicates"]


async def test_likely_duplicates_are_a_number(api: Api, world: World) -> None:
    assert await likely(api, world) == 0
    await complain(api, world)
    again = "8月3日中午在店里吃老友粉，汤里有苍蝇，服务员不退款！"
    assert await likely(api, world, description=again) == 1
    assert await likely(api, world, description=OTHER_TEXT) == 0
    assert await likely(api, world, code=world.second_code) == 0
    receipt = await complain(api, world, "13877155556", description=again)
    assert receipt["likely_duplicates"] == 1
    shown = await detail(api, world.lead, COMPLAINT, receipt["id"])
    assert shown["likely_duplicates"] == 1
    api.clock.now = NOW + timedelta(days=31)
    assert await likely(api, world) == 0


async def test_tip_offs_are_in_no_number_that_the_public_is_told(api: Api, world: World) -> None:
    receipts = [await tip_off(api, world) for _ in range(2)]
    assert [each["likely_duplicates"] for each in receipts] == [0, 0]
    assert await likely(api, world) == 0
    assert (await detail(api, world.lead, TIP_OFF, receipts[1]["id"]))["likely_duplicates"] == 1


# Following it up


async def test_the_query_code_alone_does_not_open_what_was_filed_by_name(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    code = receipt["query_code"]
    refused(await ask(api, code), 403, "phone-tail-required", "phone_tail")
    refused(await ask(api, "0" * 12, "5555"), 404, "not-found", "query_code")
    refused(await ask(api, "zu kurz"), 422, "invalid-field", "query_code")
    typed = f"{code[:4]} {code[4:8]}-{code[8:]}".lower()
    assert (await ask(api, typed, "5555")).status_code == 200


async def test_the_phones_digits_cannot_be_guessed_not_even_all_at_once(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    tries = await asyncio.gather(*[ask(api, receipt["query_code"], f"{each:04}") for each in range(20)])
    statuses = sorted({each.status_code for each in tries})
    assert statuses == [403, 429]
    assert sum(each.status_code == 403 for each in tries) == 5
    locked = await ask(api, receipt["query_code"], PHONE[-4:])
    refused(locked, 429, "too-many-tries")
    assert int(locked.headers["retry-after"]) <= 900
    refused(await act(api, receipt, "withdrawal"), 429, "too-many-tries")
    api.clock.now = NOW + timedelta(minutes=16)
    assert (await ask(api, receipt["query_code"], PHONE[-4:])).status_code == 200


async def test_guessing_query_codes_is_counted(api: Api, world: World) -> None:
    del world
    for each in range(30):
        refused(await ask(api, f"{each:012}"), 404, "not-found", "query_code")
    refused(await ask(api, "0" * 12), 429, "proof-of-work-required")


@BOTH
async def test_it_is_supplemented_while_open_and_withdrawn_once(api: Api, world: World, kind: str) -> None:
    receipt = await filed(api, world, kind)
    tail = tail_of(kind)
    accepted(await act(api, receipt, "supplements", tail=tail, text="补充：当天有小票。"))
    shown = await detail(api, world.lead, kind, receipt["id"])
    assert [(each["label"], each["text"]) for each in shown["entries"]] == [("补充材料", "补充：当天有小票。")]
    accepted(await act(api, receipt, "withdrawal", tail=tail))
    assert (await follow_up(api, receipt, tail))["state"] == "withdrawn"
    refused(await act(api, receipt, "withdrawal", tail=tail), 409, "step-not-possible")
    refused(await act(api, receipt, "supplements", tail=tail, text="再补充"), 409, "step-not-possible")
    refused(await step(api, world.lead, kind, receipt["id"], "accept"), 409, "step-not-possible")


@BOTH
async def test_it_is_reopened_once_with_a_reason(api: Api, world: World, kind: str) -> None:
    receipt = await filed(api, world, kind)
    tail = tail_of(kind)
    refused(await act(api, receipt, "reopening", tail=tail, reason="太慢了"), 409, "step-not-possible")
    await handled(api, world, kind, receipt["id"])
    accepted(await step(api, world.lead, kind, receipt["id"], "close"))
    seen = await follow_up(api, receipt, tail)
    assert (seen["state_label"], seen["can_reopen"], seen["reopen_until"]) == ("已办结", True, "2026-08-20")
    api.clock.now = NOW + timedelta(days=15)
    refused(await act(api, receipt, "reopening", tail=tail, reason=" "), 422, "invalid-field", "reason")
    accepted(await act(api, receipt, "reopening", tail=tail, reason="钱没有退"))
    assert (await follow_up(api, receipt, tail))["state_label"] == "重新办理"
    accepted(await step(api, world.lead, kind, receipt["id"], "answer", "已退款，附转账凭证。"))
    refused(await act(api, receipt, "reopening", tail=tail, reason="还是不满"), 409, "already-reopened")
    told = [(each["label"], each["text"]) for each in (await follow_up(api, receipt, tail))["entries"]]
    assert told[-2:] == [("申请重新办理", "钱没有退"), ("答复", "已退款，附转账凭证。")]


async def test_after_fifteen_days_it_is_not_reopened(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    await handled(api, world, COMPLAINT, receipt["id"])
    api.clock.now = NOW + timedelta(days=16)
    refused(await act(api, receipt, "reopening", reason="钱没有退"), 409, "reopening-term-over")
    assert not (await follow_up(api, receipt))["can_reopen"]


# Closing by itself


@BOTH
async def test_what_was_answered_closes_by_itself_once_it_cannot_be_reopened(api: Api, world: World, kind: str) -> None:
    answered, reopened, waiting = [await filed(api, world, kind) for _ in range(3)]
    tail = tail_of(kind)
    for each in (answered, reopened):
        await handled(api, world, kind, each["id"])
    public = (await api.http.get(f"/api/v1/codes/{world.code}")).json()
    api.clock.now = NOW + timedelta(days=15)
    accepted(await act(api, reopened, "reopening", tail=tail, reason="钱没有退"))
    await close_what_was_answered(api.parts)  # on the last day it may still be reopened
    assert (await follow_up(api, answered, tail))["state"] == "answered"

    api.clock.now = NOW + timedelta(days=16)
    for _ in range(2):
        await close_what_was_answered(api.parts)
    seen = await follow_up(api, answered, tail)
    assert (seen["state"], seen["can_reopen"]) == ("closed", False)
    told = [(each["label"], each["text"]) for each in seen["entries"]]
    assert told[-1] == ("办结", "申请重新办理的期限已过，自动办结。")
    assert (await follow_up(api, reopened, tail))["state"] == "reopened"
    assert (await follow_up(api, waiting, tail))["state"] == "received"
    assert (await actions(api)).count("grievance.closed") == 1

    api.forget()
    counted = (await api.http.get(f"/api/v1/codes/{world.code}")).json()
    assert public["complaint_counts"] == []  # an answer alone concludes nothing
    assert [each["count"] for each in counted["complaint_counts"]] == ([1] if kind == COMPLAINT else [])


async def test_many_close_batch_by_batch_and_what_follows_another_goes_along(api: Api, world: World) -> None:
    made = [(await complain(api, world, f"1387715555{n}"))["id"] for n in range(5)]
    merges = path(COMPLAINT, made[0], "merges")
    accepted(await api.as_(world.lead).post(merges, {"ids": made[3:]}))
    for each in made[:3]:
        await handled(api, world, COMPLAINT, each)
    api.clock.now = NOW + timedelta(days=16)

    async def closed() -> int:
        return await api.parts.work.run(INSTALLATION, lambda tx: close_answered(tx, GrievanceKind.COMPLAINT, 2))

    assert [await closed(), await closed(), await closed()] == [2, 1, 0]
    assert {row["state"] for row in await rows(api, "complaint")} == {"closed"}
    assert (await actions(api)).count("grievance.closed") == 5


# The office


async def test_leads_handle_managers_read_and_nobody_else_knows(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    for reader in (world.lead, world.manager):
        assert [each["id"] for each in await listed(api, reader, COMPLAINT)] == [receipt["id"]]
        await detail(api, reader, COMPLAINT, receipt["id"])
    refused(await step(api, world.manager, COMPLAINT, receipt["id"], "accept"), 403, "forbidden")
    for stranger in (world.foreign_lead, world.emergency_manager):
        assert await listed(api, stranger, COMPLAINT) == []
        refused(await api.as_(stranger).get(path(COMPLAINT, receipt["id"])), 404, "not-found")
    refused(await step(api, world.foreign_lead, COMPLAINT, receipt["id"], "accept"), 404, "not-found")
    for outsider in (world.inspector, world.enterprise_user, world.administrator):
        refused(await api.as_(outsider).get(path(COMPLAINT)), 403, "forbidden")


async def test_the_list_is_filtered(api: Api, world: World) -> None:
    first = await complain(api, world)
    second = await complain(api, world, "13877155556", type="price", description=OTHER_TEXT, code=world.second_code)
    accepted(await step(api, world.lead, COMPLAINT, second["id"], "decline", "不属于本部门职责"))

    async def found(**query: object) -> list[str]:
        return [each["id"] for each in await listed(api, world.lead, COMPLAINT, **query)]

    assert await found() == [first["id"]]
    assert await found(of_region=True) == [first["id"]]
    assert await found(state="declined") == [second["id"]]
    assert await found(type="price") == []
    assert await found(state="declined", type="price", site_id=world.second_site.id) == [second["id"]]
    assert await found(number=first["number"].lower()) == [first["id"]]
    assert await found(number=second["number"]) == [second["id"]]
    assert await found(number="SJ01-2026-JB-000001") == []
    assert await found(due="on_time") == [first["id"]]
    assert await found(due="due_soon") == await found(due="overdue") == []
    api.clock.now = NOW + timedelta(days=7)
    assert await found(due="due_soon") == [first["id"]]
    api.clock.now = NOW + timedelta(days=12)
    (line,) = await listed(api, world.lead, COMPLAINT, due="overdue")
    assert (line["id"], line["due_mark"]) == (first["id"], "overdue")
    assert await found(due="overdue", state="declined") == []


async def test_a_list_goes_on_page_by_page(api: Api, world: World) -> None:
    made = {(await complain(api, world, f"1387715555{each}"))["id"] for each in range(5)}
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.as_(world.lead).get(path(COMPLAINT), limit=2, cursor=cursor)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 5
    assert set(seen) == made


async def test_what_is_declined_or_not_handled_tells_its_reason(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    refused(await step(api, world.lead, COMPLAINT, receipt["id"], "decline"), 422, "reason-missing", "text")
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "decline", "不属于本部门职责"))
    seen = await follow_up(api, receipt)
    assert (seen["state_label"], seen["due_on"], seen["can_reopen"]) == ("不予受理", None, False)
    assert [(each["label"], each["text"]) for each in seen["entries"]] == [("不予受理", "不属于本部门职责")]
    other = await tip_off(api, world)
    accepted(await step(api, world.lead, TIP_OFF, other["id"], "accept"))
    accepted(await step(api, world.lead, TIP_OFF, other["id"], "not_handle", "经核实无此单位"))
    told = (await follow_up(api, other, None))["entries"]
    assert [each["text"] for each in told] == [None, "经核实无此单位"]
    assert [each[0] for each in await messages(api)] == ["grievance_declined", "grievance_filed"]


async def test_the_terms_run_as_decided(api: Api, world: World) -> None:
    receipt, other = await complain(api, world), await tip_off(api, world)
    done = accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "accept"))
    assert (done["term"], done["due_on"]) == ("answer", "2026-09-19")
    refused(await step(api, world.lead, COMPLAINT, receipt["id"], "extend", "案情复杂"), 409, "step-not-possible")
    done = accepted(await step(api, world.lead, TIP_OFF, other["id"], "extend", "案情复杂"))
    assert (done["term"], done["due_on"]) == ("decision", "2026-09-16")
    refused(await step(api, world.lead, TIP_OFF, other["id"], "extend", "又要延长"), 409, "already-extended")
    done = accepted(await step(api, world.lead, TIP_OFF, other["id"], "accept"))
    assert (done["term"], done["due_on"]) == ("answer", "2026-08-12")


async def test_each_term_is_warned_of_once(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    for hour in ("2026-08-11T07:59", "2026-08-11T08:00", "2026-08-12T08:00"):  # Tuesday; due on Friday
        await sweep_at(api, hour)
    due_soon = [("deadline_due_soon", "in_app", "department_leads", world.market.id)]
    assert await told(api, receipt["id"]) == due_soon
    for hour in ("2026-08-15T08:00", "2026-08-17T08:00"):
        await sweep_at(api, hour)
    overdue = ("deadline_overdue", "in_app", "department_leads", world.market.id)
    assert await told(api, receipt["id"]) == [*due_soon, overdue]
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "accept"))  # 45 days, to 1 October
    await sweep_at(api, "2026-09-25T08:00")
    assert await told(api, receipt["id"]) == [*due_soon, overdue]


@BOTH
async def test_a_batch_gives_each_its_own_outcome(api: Api, world: World, kind: str) -> None:
    made = [(await filed(api, world, kind))["id"] for _ in range(3)]
    accepted(await step(api, world.lead, kind, made[1], "accept"))
    stranger = str(unknown())
    body = {"step": "accept", "ids": [made[0], stranger, made[1], made[2]]}
    place = path(kind, "steps")
    first = await api.as_(world.lead).post(place, body, key="batch-of-four")
    assert accepted(first)["outcomes"] == [
        {"id": made[0], "state": "accepted"},
        {"id": stranger, "problem": "not-found"},
        {"id": made[1], "problem": "step-not-possible"},
        {"id": made[2], "state": "accepted"},
    ]
    again = await api.as_(world.lead).post(place, body, key="batch-of-four")
    assert again.content == first.content
    assert {each["state"] for each in await listed(api, world.lead, kind)} == {"accepted"}
    refused(await api.as_(world.lead).post(place, {"step": "not_handle", "ids": made}), 422, "reason-missing", "text")
    refused(await api.as_(world.manager).post(place, body), 403, "forbidden")
    outside = accepted(await api.as_(world.foreign_lead).post(place, {"step": "take_over", "ids": made[:1]}))
    assert outside["outcomes"] == [{"id": made[0], "problem": "not-found"}]


async def test_a_hundred_at_once_are_answered_again_alike(api: Api, world: World) -> None:
    ids = [str(unknown()) for _ in range(100)]
    body: dict[str, Any] = {"step": "accept", "ids": ids}
    sent = [await api.as_(world.lead).post(path(TIP_OFF, "steps"), body, key="a-hundred-at-once") for _ in range(2)]
    assert [each["problem"] for each in accepted(sent[0])["outcomes"]] == ["not-found"] * 100
    assert sent[0].content == sent[1].content
    more = {**body, "ids": [*ids, str(unknown())]}
    assert (await api.as_(world.lead).post(path(TIP_OFF, "steps"), more)).status_code == 422


# Merging


@BOTH
async def test_repeats_follow_the_leading_one(api: Api, world: World, kind: str) -> None:
    leading, repeat, third = [await filed(api, world, kind) for _ in range(3)]
    tail = tail_of(kind)
    accepted(await step(api, world.lead, kind, leading["id"], "accept"))
    merges = path(kind, leading["id"], "merges")
    accepted(await api.as_(world.lead).post(merges, {"ids": [repeat["id"], third["id"]]}))
    assert (await follow_up(api, repeat, tail))["state"] == "accepted"
    merged = (await detail(api, world.lead, kind, leading["id"]))["follower_ids"]
    assert set(merged) == {repeat["id"], third["id"]}
    refused(await step(api, world.lead, kind, repeat["id"], "answer", "答复"), 409, "follows-another")
    accepted(await step(api, world.lead, kind, leading["id"], "answer", "已责令商家退款。"))
    for each in (leading, repeat, third):
        seen = await follow_up(api, each, tail)
        assert seen["state"] == "answered"
        assert seen["entries"][-1]["text"] == "已责令商家退款。"
        assert "并案" not in {entry["label"] for entry in seen["entries"]}
    accepted(await act(api, repeat, "reopening", tail=tail, reason="我的钱没有退"))
    assert (await detail(api, world.lead, kind, repeat["id"]))["leading_id"] is None
    assert (await follow_up(api, leading, tail))["state"] == "answered"


async def test_only_one_matter_of_one_kind_is_merged(api: Api, world: World) -> None:
    leading = await complain(api, world)
    elsewhere = await complain(api, world, "13877155556", code=world.second_code)
    other_kind = await tip_off(api, world)
    merges = path(COMPLAINT, leading["id"], "merges")
    lead = api.as_(world.lead)
    refused(await lead.post(merges, {"ids": [elsewhere["id"]]}), 409, "not-the-same-matter", "ids")
    refused(await lead.post(merges, {"ids": [other_kind["id"]]}), 404, "not-found")
    refused(await lead.post(merges, {"ids": [leading["id"]]}), 422, "invalid-field", "ids")
    refused(await api.as_(world.manager).post(merges, {"ids": [elsewhere["id"]]}), 403, "forbidden")


async def test_when_the_leading_one_is_withdrawn_the_others_go_on(api: Api, world: World) -> None:
    leading = await complain(api, world)
    api.clock.now += timedelta(minutes=1)
    repeat = await complain(api, world)
    api.clock.now += timedelta(minutes=1)
    third = await complain(api, world)
    ids = [repeat["id"], third["id"]]
    accepted(await api.as_(world.lead).post(path(COMPLAINT, leading["id"], "merges"), {"ids": ids}))
    accepted(await act(api, leading, "withdrawal"))
    assert (await detail(api, world.lead, COMPLAINT, repeat["id"]))["leading_id"] is None
    assert (await detail(api, world.lead, COMPLAINT, third["id"]))["leading_id"] == repeat["id"]
    await handled(api, world, COMPLAINT, repeat["id"])
    assert (await follow_up(api, third))["state"] == "answered"


# Identity and abuse


async def view(api: Api, who: Any, kind: str, grievance: object, reason: str = "核实退款账户") -> Any:
    """查看身份."""
    return await api.as_(who).post(path(kind, grievance, "identity-views"), {"reason": reason})


async def test_who_complains_is_masked_for_all_and_opened_to_the_handler_alone(api: Api, world: World) -> None:
    receipt = await complain(api, world, description=f"{TEXT}我是{NAME}，电话{PHONE}。")
    for reader in (world.lead, world.manager):
        shown = await detail(api, reader, COMPLAINT, receipt["id"])
        assert shown["complainant"] == {"name": "王**", "phone": "138****5555"}
        assert "我是王**，电话138****5555" in shown["narrative"]["description"]
    refused(await view(api, world.lead, COMPLAINT, receipt["id"]), 403, "not-the-handler")
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "take_over"))
    refused(await view(api, world.lead, COMPLAINT, receipt["id"], " "), 422, "reason-missing", "reason")
    for _ in range(2):
        shown = accepted(await view(api, world.lead, COMPLAINT, receipt["id"]))
        assert (shown["name"], shown["phone"]) == (NAME, PHONE)
    refused(await view(api, world.manager, COMPLAINT, receipt["id"]), 403, "forbidden")
    looks = [row for row in await rows(api, "trace") if row["action"] == "grievance.identity_viewed"]
    assert [row["operator_id"] for row in looks] == [world.lead.account_id] * 2
    assert all("核实退款账户" in row["after"] for row in looks)
    assert all(NAME.encode() not in (row["answer"] or b"") for row in await rows(api, "idempotency"))


async def test_an_anonymous_tip_off_has_nobody_to_show(api: Api, world: World) -> None:
    receipt = await tip_off(api, world)
    accepted(await step(api, world.lead, TIP_OFF, receipt["id"], "take_over"))
    refused(await view(api, world.lead, TIP_OFF, receipt["id"]), 409, "nobody-named")


async def test_suspected_abuse_is_an_internal_mark(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    before = await follow_up(api, receipt)
    mark = path(COMPLAINT, receipt["id"], "abuse-marks")
    refused(await api.as_(world.lead).post(mark, {"is_suspected": True, "reason": ""}), 422, "reason-missing", "reason")
    accepted(await api.as_(world.lead).post(mark, {"is_suspected": True, "reason": "一月内投诉三十家"}))
    assert await follow_up(api, receipt) == before
    shown = await detail(api, world.manager, COMPLAINT, receipt["id"])
    assert (shown["is_abusive"], shown["entries"][0]["text"]) == (True, "一月内投诉三十家")
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "accept", released_text="顾客反映餐食有异物。"))
    about_us = (await api.as_(world.enterprise_user).get("/api/v1/complaints")).text
    assert "abus" not in about_us
    assert "三十家" not in (await api.as_(world.enterprise_user).get(f"/api/v1/complaints/{receipt['id']}")).text


# The enterprise


async def test_an_enterprise_reads_accepted_complaints_as_released(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    own = api.as_(world.enterprise_user)
    assert (await own.get("/api/v1/complaints")).json()["items"] == []
    refused(await own.get(f"/api/v1/complaints/{receipt['id']}"), 404, "not-found")
    released = "顾客反映餐食内有异物，要求退款。"
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "accept", released_text=released))
    (line,) = (await own.get("/api/v1/complaints")).json()["items"]
    assert (line["number"], line["state_label"], line["accepted_on"]) == (receipt["number"], "已受理", "2026-08-05")
    one = await own.get(f"/api/v1/complaints/{receipt['id']}")
    assert one.json()["text"] == released
    for secret in (NAME, "王*", PHONE, "5555", "苍蝇"):
        assert secret not in one.text
    refused(await api.as_(world.foreign_user).get(f"/api/v1/complaints/{receipt['id']}"), 404, "not-found")
    said = await own.post(f"/api/v1/complaints/{receipt['id']}/statements", {"text": "已联系顾客退款。"})
    accepted(said)
    shown = await detail(api, world.lead, COMPLAINT, receipt["id"])
    assert [(each["label"], each["text"]) for each in shown["entries"]][-1] == ("企业说明", "已联系顾客退款。")
    assert "已联系顾客退款" not in str(await follow_up(api, receipt))


async def test_an_enterprise_never_learns_of_a_tip_off(api: Api, world: World) -> None:
    receipt = await tip_off(api, world)
    await handled(api, world, TIP_OFF, receipt["id"])
    accepted(await step(api, world.lead, TIP_OFF, receipt["id"], "close"))
    own = api.as_(world.enterprise_user)
    assert (await own.get("/api/v1/complaints")).json()["items"] == []
    refused(await own.get(f"/api/v1/complaints/{receipt['id']}"), 404, "not-found")
    refused(await own.post(f"/api/v1/complaints/{receipt['id']}/statements", {"text": "不实"}), 404, "not-found")
    assert await likely(api, world) == 0
    released = {"released_text": "有人举报。"}
    other = await tip_off(api, world)
    refused(
        await step(api, world.lead, TIP_OFF, other["id"], "accept", **released), 422, "invalid-field", "released_text"
    )


# An inspection


async def complete(api: Api, inspection: object, outcome: str) -> None:
    """What `reactions.follow` does when the inspection is completed."""

    async def operation(tx: Transaction) -> Outcome[None]:
        events = await answer_from_inspection(tx, inspection, outcome)  # type: ignore[arg-type]
        return Outcome(answer=None, events=tuple(events))

    await api.parts.work.run(INSTALLATION, operation)


@BOTH
async def test_an_inspection_is_started_and_answers_everybody(api: Api, world: World, kind: str) -> None:
    first, second, repeat = [await filed(api, world, kind) for _ in range(3)]
    tail = tail_of(kind)
    accepted(await api.as_(world.lead).post(path(kind, second["id"], "merges"), {"ids": [repeat["id"]]}))
    order = inspection_order(world, first["id"], second["id"])
    started = accepted(await api.as_(world.lead).post(path(kind, "inspections"), order))
    assert started["linked"] == sorted([first["id"], second["id"]])
    shown = await api.as_(world.inspector).get(f"/api/v1/inspections/{started['inspection_id']}")
    assert (shown.json()["kind"], shown.json()["source"]) == ("case", "线索核查")  # which kind it was, it does not tell
    assert (await follow_up(api, first, tail))["state"] == "handling"
    again = await api.as_(world.lead).post(path(kind, "inspections"), order)
    refused(again, 409, "not-the-same-matter", "ids")
    await complete(api, started["inspection_id"], "ordered_to_rectify")
    for each in (first, second, repeat):
        seen = await follow_up(api, each, tail)
        matter = "投诉" if kind == COMPLAINT else "举报"
        words = f"针对您的{matter}，执法人员已于2026年8月5日完成检查，结果为：发现问题，已责令改正。"
        assert (seen["state"], seen["entries"][-1]["text"]) == ("answered", words)
    assert [each["kind"] for each in await listed(api, world.lead, kind, state="answered")] == [kind] * 3


async def test_the_real_end_of_an_inspection_answers_in_the_same_transaction(api: Api, world: World) -> None:
    await prepare_papers(api.parts)
    receipt = await complain(api, world)
    order = inspection_order(world, receipt["id"], starts_on="2026-08-05")
    started = accepted(await api.as_(world.lead).post(path(COMPLAINT, "inspections"), order))
    inspection = UUID(started["inspection_id"])
    await arrive(api, world, inspection)
    shown = await upload(api, world.inspector, inspection, photo(3))
    await leave(api, world.inspector, inspection)
    ended = await finish(api, world.inspector, inspection, "closed_down", reason="大门紧锁，已搬离", photos=[shown])
    accepted(ended)
    seen = await follow_up(api, receipt)
    assert seen["state_label"] == "已答复"
    assert seen["entries"][-1]["text"].endswith("检查，结果为：该单位已停业或注销。")
    assert "搬离" not in str(seen)
    assert (await actions(api))[-1] == "grievance.answered"


async def test_an_order_that_does_not_fit_starts_nothing(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    elsewhere = await complain(api, world, "13877155556", code=world.second_code)
    before = len(await rows(api, "inspection"))
    place, lead, mine = path(COMPLAINT, "inspections"), api.as_(world.lead), receipt["id"]

    async def turned_down(status: int, kind: str, *ids: object, **changes: object) -> None:
        field = next(iter(changes), "ids")
        refused(await lead.post(place, inspection_order(world, *(ids or (mine,)), **changes)), status, kind, field)

    emergency = [world.emergency_officer.id, world.emergency_partner.id]
    await turned_down(409, "officers-unfit", officer_ids=emergency)
    await turned_down(409, "certificate-invalid", officer_ids=[world.officer.id, world.expired_officer.id])
    await turned_down(422, "invalid-field", officer_ids=[world.officer.id])
    await turned_down(422, "invalid-field", officer_ids=[world.officer.id, world.officer.id])
    await turned_down(422, "invalid-field", starts_on="2026-08-04")
    await turned_down(422, "invalid-field", due_on="2026-08-05")
    await turned_down(422, "invalid-field", scene_code="S99")
    await turned_down(422, "invalid-field", checklist_version_id=unknown())
    await turned_down(409, "not-the-same-matter", mine, elsewhere["id"])
    await turned_down(404, "not-found", mine, unknown())
    refused(await api.as_(world.foreign_lead).post(place, inspection_order(world, mine)), 404, "not-found", "ids")
    assert len(await rows(api, "inspection")) == before


# What is left behind


async def test_every_act_leaves_its_trace(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    await handled(api, world, COMPLAINT, receipt["id"])
    accepted(await step(api, world.lead, COMPLAINT, receipt["id"], "close"))
    assert await actions(api) == [
        "complaint.filed",
        "grievance.accepted",
        "grievance.taken_over",
        "grievance.answered",
        "grievance.closed",
    ]
    traced = [row for row in await rows(api, "trace") if row["subject"] == "grievance"]
    assert traced[0]["operator_name"] == "公众"
    assert [row["site_id"] for row in traced] == [None, None, None, None, world.site.id]
    assert [each[0] for each in await messages(api)] == ["grievance_accepted", "grievance_answered", "grievance_filed"]


class Platform(LinkOnlyGateway):
    """全国12315 that takes matters over, and remembers them."""

    def __init__(self) -> None:
        self.taken: list[ConsumerMatter] = []

    async def hand_over(self, matter: ConsumerMatter) -> str | None:
        self.taken.append(matter)
        return f"12315-{len(self.taken)}"


async def test_a_platform_that_takes_matters_over_gets_them_whole_and_its_reference_is_kept(
    api: Api, world: World
) -> None:
    receipt = await complain(api, world, wish="退款")
    chore = next(row for row in await rows(api, "chore") if row["kind"] == "hand_over_complaint")
    assert await perform_chore(api.parts, chore["id"])  # by the default driver, which takes nothing
    assert (await rows(api, "complaint"))[0]["handed_over_reference"] is None
    platform = Platform()
    parts = msgspec.structs.replace(api.parts, consumer_complaints=platform)
    for _ in range(2):
        await hand_over_complaint(parts, UUID(receipt["id"]).bytes)
    assert {(each.complainant_name, each.complainant_phone, each.wish) for each in platform.taken} == {
        (NAME, PHONE, "退款")
    }
    assert (await rows(api, "complaint"))[0]["handed_over_reference"] == "12315-1"


async def test_too_many_from_one_place_cost_a_proof_of_work(api: Api, world: World) -> None:
    for _ in range(6):
        await tip_off(api, world)
    who = await anonymous(api)
    body = account(world, name=None)
    refused_once = await who.post("/api/v1/public/tip-offs", body)
    facts = refused(refused_once, 429, "proof-of-work-required")
    assert len(await rows(api, "tip_off")) == 6
    proof = solve(facts["challenge"])
    accepted(await who.post("/api/v1/public/tip-offs", body, proof=proof))
    refused(await who.post("/api/v1/public/tip-offs", body, proof=proof), 422, "proof-of-work-refused")


async def test_a_consumers_complaint_is_offered_to_the_national_platform(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    await complain(api, world, "13877155556", type="safety_hazard")
    chores = [row for row in await rows(api, "chore") if row["kind"] == "hand_over_complaint"]
    assert [row["subject"].hex() for row in chores] == [receipt["id"].replace("-", "")]
