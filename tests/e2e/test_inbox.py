"""站内消息 and 待办 over HTTP: whose they are, what is read, what waits, and what closes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.identity.model import EnterprisePost, Principal, Role
from domain.shared.sql import Command, borrow
from notifications import inbox
from notifications.message import Channel, Message, Recipient
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World, make_account
from tests.support.inspecting import upload
from tests.support.messages import change, position_in_doubt, request_answered, write
from tests.support.plans import explain
from tests.support.problems import PLAIN, feed_back, order_path, ordered, re_inspect, re_inspection
from tests.support.visits import nothing_changes, rows

PATH = "/api/v1/messages"


async def read(api: Api, who: Principal, path: str = PATH, **query: object) -> dict[str, Any]:
    """What `who` is answered."""
    response = await api.as_(who).get(path, **query)
    assert response.status_code == 200, response.text
    return response.json()


async def ids(api: Api, who: Principal, path: str = PATH, **query: object) -> list[str]:
    """The ids of the first page."""
    return [each["id"] for each in (await read(api, who, path, **query))["items"]]


async def counts(api: Api, who: Principal) -> tuple[int, int]:
    """Unread, and to-dos that are open."""
    told = await read(api, who, f"{PATH}/counts")
    return told["unread"], told["to_dos"]


async def mark_read(api: Api, who: Principal, message_id: object, **how: Any) -> Any:
    """已读 of one."""
    return await api.as_(who).post(f"{PATH}/{message_id}/reading", **how)


async def mark_all(api: Api, who: Principal, up_to: object) -> Any:
    """已读 of all up to one."""
    return await api.as_(who).post(f"{PATH}/readings", {"up_to": str(up_to)})


# ---- whose


async def test_each_recipient_is_read_by_those_it_stands_for_and_nobody_else(api: Api, world: World) -> None:
    def to(recipient: Recipient, recipient_id: UUID) -> Message:
        return position_in_doubt(recipient_id, recipient=recipient)

    leads, officer, account, enterprise = [
        str((await write(api, [message]))[0])
        for message in (
            position_in_doubt(world.market.id),
            to(Recipient.OFFICER, world.officer.id),
            to(Recipient.ACCOUNT, world.administrator.account_id),
            request_answered(world.enterprise.id),
        )
    ]
    assert await ids(api, world.lead) == await ids(api, world.manager) == [leads]
    assert await ids(api, world.inspector) == [officer]
    assert await ids(api, world.administrator) == [account]
    assert await ids(api, world.enterprise_user) == [enterprise]
    for other in (world.emergency_manager, world.foreign_lead, world.partner_inspector, world.foreign_user):
        assert await ids(api, other) == []
        refused(await mark_read(api, other, leads), 404, "not-found")
        refused(await mark_all(api, other, leads), 404, "not-found")


async def test_what_goes_by_another_channel_or_to_another_kind_of_recipient_is_not_in_the_app(
    api: Api, world: World
) -> None:
    await write(api, [request_answered(world.enterprise.id, channel=Channel.SMS, template="expired", parameters={})])
    await write(api, [position_in_doubt(world.enterprise.id)])
    assert await ids(api, world.enterprise_user) == []
    assert await counts(api, world.enterprise_user) == (0, 0)


async def test_a_new_account_does_not_see_what_is_older_than_itself(api: Api, world: World) -> None:
    await write(api, [position_in_doubt(world.market.id)], at=NOW - timedelta(minutes=1))
    (since,) = await write(api, [position_in_doubt(world.market.id)], at=NOW)
    assert await ids(api, world.manager) == [str(since)]
    assert await counts(api, world.manager) == (1, 0)


async def test_the_people_of_a_branch_see_what_concerns_their_site_or_none(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        clerk = await make_account(
            connection,
            Role.ENTERPRISE,
            enterprise_id=world.enterprise.id,
            enterprise_post=EnterprisePost.CLERK,
            site_ids=(world.second_site.id,),
        )
    message = request_answered(world.enterprise.id)
    (of_all,) = await write(api, [message])
    (of_main,) = await write(api, [message], site_id=world.site.id)
    (of_branch,) = await write(api, [message], site_id=world.second_site.id)
    assert sorted(await ids(api, clerk)) == sorted(map(str, (of_all, of_branch)))
    assert len(await ids(api, world.enterprise_user)) == 3
    assert await counts(api, clerk) == (2, 0)
    refused(await mark_read(api, clerk, of_main), 404, "not-found")


# ---- what it says


async def test_a_message_says_its_text_with_its_title_and_level(api: Api, world: World) -> None:
    (message_id,) = await write(api, [position_in_doubt(world.market.id)])
    ((line),) = (await read(api, world.lead))["items"]
    assert line["id"] == str(message_id)
    assert line["title"] == "位置待核"
    assert "报到位置存疑" in line["text"]
    assert (line["purpose"], line["level"], line["level_label"]) == ("warning", 3, "黄色")
    assert line["is_read"] is False


async def test_the_list_still_opens_over_a_template_that_is_no_more(api: Api, world: World) -> None:
    (message_id,) = await write(api, [position_in_doubt(world.market.id, is_to_do=True)])
    await change(api, message_id, template="long_gone")
    (line,) = (await read(api, world.lead))["items"]
    assert (line["title"], line["text"]) == ("消息", "")
    accepted(await api.as_(world.lead).post(f"/api/v1/to-dos/{message_id}/closing"))


async def test_lists_come_in_pages_the_newest_first_and_filtered(api: Api, world: World) -> None:
    made: list[str] = []
    for number in range(5):
        at = NOW + timedelta(seconds=number)
        made += map(str, await write(api, [position_in_doubt(world.market.id)], at=at))
    own = position_in_doubt(world.manager.account_id, recipient=Recipient.ACCOUNT, template="request_answered")
    made += map(str, await write(api, [own], at=NOW + timedelta(seconds=9)))
    newest_first = made[::-1]
    first = await read(api, world.manager, limit=4)
    rest = await read(api, world.manager, limit=4, cursor=first["next_cursor"])
    assert [each["id"] for each in first["items"] + rest["items"]] == newest_first
    assert rest["next_cursor"] is None
    assert await ids(api, world.manager, purpose="service") == newest_first[:1]
    accepted(await mark_read(api, world.manager, newest_first[1]))
    assert await ids(api, world.manager, unread="true") == [newest_first[0], *newest_first[2:]]
    refused(await api.as_(world.manager).get(PATH, cursor="x"), 422, "invalid-field", "cursor")
    refused(await api.as_(world.manager).get(PATH, purpose="love"), 422, "invalid-field", "purpose")


# ---- 已读


async def test_reading_is_each_accounts_own_and_again_changes_nothing(api: Api, world: World) -> None:
    (message_id,) = await write(api, [position_in_doubt(world.market.id)])
    assert accepted(await mark_read(api, world.manager, message_id)) == {"id": str(message_id)}
    assert (await counts(api, world.manager), await counts(api, world.lead)) == ((0, 0), (1, 0))
    accepted(await mark_read(api, world.manager, message_id))
    assert len(await rows(api, "message_read")) == 1
    assert [each["action"] for each in await rows(api, "trace") if each["action"].startswith("message.")] == []


async def test_who_only_views_for_an_enterprise_reads_their_messages_and_closes_nothing(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        viewer = await make_account(
            connection,
            Role.ENTERPRISE,
            enterprise_id=world.enterprise.id,
            enterprise_post=EnterprisePost.VIEWER,
        )
    (message_id,) = await write(api, [request_answered(world.enterprise.id, is_to_do=True)])
    accepted(await mark_read(api, viewer, message_id))
    accepted(await mark_all(api, viewer, message_id))
    refused(await api.as_(viewer).post(f"/api/v1/to-dos/{message_id}/closing"), 403, "forbidden")


async def test_all_is_read_up_to_what_was_shown_and_the_rest_stays_unread(api: Api, world: World) -> None:
    made: list[UUID] = []
    for minutes in (0, 10, 20, 29, 30):
        at = NOW + timedelta(minutes=minutes)
        made += await write(api, [position_in_doubt(world.market.id)], at=at)
    api.clock.now = NOW + timedelta(minutes=30)
    accepted(await mark_read(api, world.manager, made[0]))
    assert accepted(await mark_all(api, world.manager, made[3])) == {"up_to": str(made[3]), "unread": 1}
    assert await ids(api, world.manager, unread="true") == [str(made[4])]
    assert await counts(api, world.manager) == (1, 0)
    # Three are under the mark, which lags by five minutes; the fourth has a row of its own.
    assert [row["message_id"] for row in await rows(api, "message_read")] == [made[3]]
    (mark,) = await rows(api, "message_mark")
    assert made[2] < mark["read_to"] < made[3]
    assert all(each["is_read"] for each in (await read(api, world.manager))["items"][1:])
    assert await counts(api, world.lead) == (5, 0)


async def test_a_mark_never_goes_back(api: Api, world: World) -> None:
    made: list[UUID] = []
    for minutes in (0, 10, 20):
        made += await write(api, [position_in_doubt(world.market.id)], at=NOW + timedelta(minutes=minutes))
    api.clock.now = NOW + timedelta(minutes=30)
    accepted(await mark_all(api, world.manager, made[2]))
    accepted(await mark_all(api, world.manager, made[0]))
    assert await counts(api, world.manager) == (0, 0)


async def test_what_is_committed_late_is_not_born_read(api: Api, world: World) -> None:
    """A transaction that began before "all read" and commits after it writes an id below the newest that was shown."""
    (shown,) = await write(api, [position_in_doubt(world.market.id)], at=NOW)
    api.clock.now = NOW + timedelta(seconds=2)
    accepted(await mark_all(api, world.manager, shown))
    (late,) = await write(api, [position_in_doubt(world.market.id)], at=NOW - timedelta(0))
    (later,) = await write(api, [position_in_doubt(world.market.id)], at=NOW + timedelta(seconds=1))
    assert set(await ids(api, world.manager, unread="true")) == {str(late), str(later)}


async def test_what_lay_unread_for_half_a_year_counts_as_read(api: Api, world: World) -> None:
    await write(api, [position_in_doubt(world.market.id)])
    api.clock.now = NOW + inbox.UNREAD_FOR + timedelta(days=1)
    assert await counts(api, world.lead) == (0, 0)
    (line,) = (await read(api, world.lead))["items"]
    assert line["is_read"] is True


async def test_looking_at_messages_leaves_no_mark(api: Api, world: World) -> None:
    await write(api, [position_in_doubt(world.market.id, is_to_do=True)])
    async with nothing_changes(api):
        for path in (PATH, f"{PATH}/counts", "/api/v1/to-dos", "/api/v1/to-dos?state=closed"):
            await read(api, world.lead, path)
    assert await rows(api, "message_read") == []


# ---- 待办


async def test_counts_tell_levels_from_red_to_blue(api: Api, world: World) -> None:
    for level, is_to_do in ((4, False), (1, True), (1, True), (None, True)):
        await write(api, [position_in_doubt(world.market.id, level=level, is_to_do=is_to_do)])
    told = await read(api, world.lead, f"{PATH}/counts")
    assert told == {
        "unread": 4,
        "to_dos": 3,
        "levels": [
            {"level": 1, "label": "红色", "unread": 2, "to_dos": 2},
            {"level": 4, "label": "蓝色", "unread": 1, "to_dos": 0},
        ],
    }


async def test_a_to_do_is_closed_by_hand_where_nothing_else_closes_it_for_all_who_have_it(
    api: Api, world: World
) -> None:
    (message_id,) = await write(api, [position_in_doubt(world.market.id, is_to_do=True)], department_id=world.market.id)
    path = f"/api/v1/to-dos/{message_id}/closing"
    (line,) = (await read(api, world.lead, "/api/v1/to-dos"))["items"]
    assert (line["closes_by_hand"], line["closed_at"]) == (True, None)
    refused(await api.as_(world.emergency_manager).post(path), 404, "not-found")
    first = accepted(await api.as_(world.lead).post(path))
    api.clock.advance(timedelta(minutes=1))
    assert accepted(await api.as_(world.manager).post(path)) == first
    assert await ids(api, world.manager, "/api/v1/to-dos") == []
    assert await ids(api, world.manager, "/api/v1/to-dos", state="closed") == [str(message_id)]
    (traced,) = [row for row in await rows(api, "trace") if row["action"] == "message.to_do_closed"]
    assert (traced["subject_id"], traced["department_id"]) == (message_id, world.market.id)


async def test_what_is_no_to_do_cannot_be_closed(api: Api, world: World) -> None:
    (message_id,) = await write(api, [position_in_doubt(world.market.id)])
    refused(await api.as_(world.lead).post(f"/api/v1/to-dos/{message_id}/closing"), 404, "not-found")


async def submit_request(api: Api, world: World) -> str:
    """诉求 of the world's enterprise."""
    order = {
        "site_id": world.site.id,
        "title": "请说明油烟净化设备要求",
        "submitter": "韦秀英",
        "contact": "13877123456",
        "category": "consultation",
        "description": "店内准备更换油烟净化设备，请问有哪些要求？",
    }
    return accepted(await api.as_(world.enterprise_user).post("/api/v1/enterprise-requests", order))["id"]


async def take_step(api: Api, who: Principal, request: str, name: str, **fields: Any) -> None:
    """One step of either side, a second later."""
    api.clock.advance(timedelta(seconds=1))
    path = f"/api/v1/enterprise-requests/{request}/steps"
    accepted(await api.as_(who).post(path, {"step": name, **fields}))


async def test_a_request_is_the_departments_to_do_until_it_is_answered(api: Api, world: World) -> None:
    request = await submit_request(api, world)
    (line,) = (await read(api, world.manager, "/api/v1/to-dos"))["items"]
    assert (line["subject"], line["subject_id"]) == ("enterprise_request", request)
    path = f"/api/v1/to-dos/{line['id']}/closing"
    refused(await api.as_(world.manager).post(path), 409, "to-do-closes-with-its-subject")
    await take_step(api, world.manager, request, "accept")
    assert await counts(api, world.manager) == (1, 1)
    await take_step(api, world.manager, request, "answer", words="应当符合排放标准，并定期清洗。")
    assert await counts(api, world.manager) == (1, 0)
    (closed,) = (await read(api, world.manager, "/api/v1/to-dos", state="closed"))["items"]
    assert closed["closed_at"] is not None
    assert await counts(api, world.enterprise_user) == (1, 0)


async def test_a_request_that_goes_back_is_the_enterprises_to_do_and_then_the_departments_again(
    api: Api, world: World
) -> None:
    request = await submit_request(api, world)
    await take_step(api, world.manager, request, "return", words="请补充现有设备的照片。")
    assert (await counts(api, world.manager))[1] == 0
    assert (await counts(api, world.enterprise_user))[1] == 1
    await take_step(api, world.enterprise_user, request, "supplement", words="没有照片，见说明。")
    assert (await counts(api, world.manager))[1] == 1
    assert (await counts(api, world.enterprise_user))[1] == 0
    moved = {"words": "涉及燃气安全，由应急部门办理。", "department_id": world.emergency.id}
    await take_step(api, world.manager, request, "transfer", **moved)
    assert (await counts(api, world.manager))[1] == 0
    assert (await counts(api, world.emergency_manager))[1] == 1
    await take_step(api, world.enterprise_user, request, "withdraw")
    assert (await counts(api, world.emergency_manager))[1] == 0


async def test_feedback_and_more_time_are_two_to_dos_of_one_order_and_tell_its_number(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN)
    more = {"days": 5, "reason": "设备采购需要时间"}
    accepted(await api.as_(world.enterprise_user).post(order_path(order["id"], "extension"), more))
    accepted(await feed_back(api, world, found, order["id"]))
    lines = (await read(api, world.lead, "/api/v1/to-dos"))["items"]
    assert {line["subject"] for line in lines} == {"rectification_feedback", "rectification_extension"}
    assert {line["subject_id"] for line in lines} == {order["id"]}
    assert all("SJ01-2026-ZG-000001" in line["text"] for line in lines)
    decision = {"granted": True, "reason": "情况属实"}
    accepted(await api.as_(world.manager).post(order_path(order["id"], "extension/decision"), decision))
    (left,) = (await read(api, world.lead, "/api/v1/to-dos"))["items"]
    assert left["subject"] == "rectification_feedback"
    body = re_inspection(world, found, "no_problem", photos=[await upload(api, world.inspector, found.inspection)])
    accepted(await re_inspect(api, world.inspector, order["id"], body))
    assert (await counts(api, world.lead))[1] == 0


# ---- 100,000 messages


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_hundred_thousand_messages_cost_an_inbox_no_more_than_a_page(api: Api, world: World, mode: str) -> None:
    await fill(api, world, 100_000)
    arguments = {
        "kinds": ["account", "department_leads"],
        "recipients": [world.manager.account_id, world.market.id],
        "account_id": world.manager.account_id,
        "site_ids": None,
        "since_id": inbox.id_at(NOW - timedelta(days=400)),
        "read_to": inbox.id_at(NOW - timedelta(days=180)),
        "before_id": UUID(int=2**128 - 1),
        "purpose": None,
    }
    for statement, limit, most in (
        (inbox.LIST, 21, 500),
        (inbox.LIST_UNREAD, 21, 500),
        (inbox.LIST_OPEN_TO_DOS, 21, 500),
        (inbox.COUNT_UNREAD, 1000, 12_000),
        (inbox.COUNT_TO_DOS, 1000, 5_000),
    ):
        plan, buffers = await explain(api, Command(statement), mode, {**arguments, "limit": limit})
        assert "Seq Scan" not in plan, plan
        assert buffers < most, plan


async def fill(api: Api, world: World, count: int) -> None:
    """As many messages to the leads of the market department, every tenth a to-do that is open."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            """
            INSERT INTO message (id, trace_id, template, purpose, channel, recipient, recipient_id, parameters,
                                 level, is_to_do, state, created_at, delivered_at)
            SELECT (lpad(to_hex(extract(epoch FROM $1::timestamptz)::bigint * 1000 - n), 12, '0')
                    || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
                   gen_random_uuid(), 'position_in_doubt', 'warning', 'in_app', 'department_leads', $2,
                   '{"inspection_id": "x"}', 3, n % 10 = 0, 'delivered', $1, $1
            FROM generate_series(1, $3) AS n
            """,
            api.clock.now,
            world.market.id,
            count,
        )
        await connection.execute("ANALYZE message")
        await connection.execute("ANALYZE message_read")
