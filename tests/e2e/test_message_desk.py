"""消息台 over HTTP: who sees which messages, what a file shows, figures, 死信重发, and how providers do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from codes.divisions import guangxi_divisions, ltree_path
from domain.identity.model import Principal
from domain.shared.sql import Command, borrow
from notifications import desk
from notifications.inbox import id_at
from notifications.message import Recipient
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, OTHER_CITY, World, make_account
from tests.support.messages import change, expired, position_in_doubt, write
from tests.support.plans import explain
from tests.support.visits import nothing_changes, rows

PATH = "/api/v1/message-log"
LAST = UUID(int=2**128 - 1)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_sent(api: Api, world: World) -> None:
    """What the making of `world` sent is not what these tests are about."""
    del world
    async with borrow(api.parts.pool) as connection:
        await connection.execute("DELETE FROM message")


async def read(api: Api, who: Principal, path: str = PATH, **query: object) -> dict[str, Any]:
    """What `who` is answered."""
    response = await api.as_(who).get(path, **query)
    assert response.status_code == 200, response.text
    return response.json()


async def listed(api: Api, who: Principal, **query: object) -> list[str]:
    """The ids of the first page."""
    response = await api.as_(who).get(PATH, **query)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["items"]]


async def a_message(
    api: Api,
    world: World,
    *,
    region: str | None = None,
    department_id: UUID | None = None,
    at: datetime | None = None,
    subject_id: UUID | None = None,
    **columns: object,
) -> str:
    """An SMS to the world's enterprise, as `columns` of its delivery have it."""
    message = expired(world.enterprise.id, subject="licence", subject_id=subject_id or uuid4())
    (message_id,) = await write(api, [message], region=region, department_id=department_id, at=at)
    if columns:
        await change(api, message_id, **columns)
    return str(message_id)


async def failed(api: Api, world: World, **columns: object) -> str:
    """One of the market department that did not arrive."""
    given = {"state": "failed", "reason": "unreachable", "provider": "kannel", "segments": 1, **columns}
    return await a_message(api, world, department_id=world.market.id, region=world.site.region, **given)  # type: ignore[arg-type]


# ---- who sees which


async def test_a_manager_sees_the_departments_a_lead_the_regions_too_and_the_administrator_all(
    api: Api, world: World
) -> None:
    own = await a_message(api, world, department_id=world.market.id, region=ltree_path(OTHER_CITY))
    of_emergency = await a_message(api, world, department_id=world.emergency.id, region=world.site.region)
    elsewhere = await a_message(api, world, department_id=uuid4(), region=ltree_path("450202"))
    of_nobody = await a_message(api, world)
    assert await listed(api, world.manager) == [own]
    assert await listed(api, world.emergency_manager) == [of_emergency]
    assert set(await listed(api, world.lead)) == {own, of_emergency}
    assert set(await listed(api, world.foreign_lead)) == {own, elsewhere}
    assert set(await listed(api, world.administrator)) == {own, of_emergency, elsewhere, of_nobody}
    for seen, by in ((own, world.manager), (of_emergency, world.lead), (elsewhere, world.foreign_lead)):
        assert (await read(api, by, f"{PATH}/{seen}"))["line"]["id"] == seen
    for hidden, from_ in ((of_emergency, world.manager), (elsewhere, world.lead), (of_nobody, world.foreign_lead)):
        refused(await api.as_(from_).get(f"{PATH}/{hidden}"), 404, "not-found")
        refused(await api.as_(from_).post(f"{PATH}/retries", {"ids": [hidden]}), 404, "not-found")


async def test_a_lead_without_a_region_sees_their_department_alone(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        lead = await make_account(connection, world.lead.role, region=None)
    await a_message(api, world, region=world.site.region)
    await a_message(api, world)
    assert await listed(api, lead) == []
    assert (await read(api, lead, f"{PATH}/statistics"))["total"]["messages"] == 0


@pytest.mark.parametrize(
    "recipient",
    [
        Recipient.COMPLAINANT,
        Recipient.INFORMANT,
        Recipient.PHONE_VERIFICATION,
        Recipient.SUBSCRIPTION,
        Recipient.ENTERPRISE_MEMBER,
    ],
)
async def test_nothing_leads_to_a_private_person(api: Api, world: World, recipient: Recipient) -> None:
    person, matter = uuid4(), uuid4()
    message = expired(
        person,
        template="grievance_filed",
        recipient=recipient,
        parameters={"department": "南宁市监", "matter": "举报", "due": "8月12日"},
        subject="grievance",
        subject_id=matter,
    )
    (message_id,) = await write(api, [message], department_id=world.market.id, region=world.site.region)
    await change(api, message_id, address_masked="138****0001")
    for who in (world.lead, world.administrator):
        (line,) = (await read(api, who))["items"]
        detail = await read(api, who, f"{PATH}/{message_id}")
        assert line == detail["line"]
        assert (line["recipient"], line["recipient_id"], line["subject_id"]) == (recipient, None, None)
        assert line["address"] == "***"
        for told in (str(line), str(detail)):
            assert str(person) not in told
            assert str(matter) not in told
            assert "0001" not in told


# ---- lists


async def test_filters_and_pages(api: Api, world: World) -> None:
    made = [await failed(api, world, at=NOW - timedelta(minutes=number)) for number in range(5)]
    delivered = await failed(api, world, state="delivered", reason=None, at=NOW - timedelta(hours=1))
    first = await read(api, world.manager, limit=4)
    rest = await read(api, world.manager, limit=4, cursor=first["next_cursor"])
    assert [each["id"] for each in first["items"] + rest["items"]] == [*made, delivered]
    assert await listed(api, world.manager, state="failed") == made
    assert await listed(api, world.lead, state="failed", limit=2) == made[:2]
    assert await listed(api, world.administrator, state="abandoned") == []
    assert await listed(api, world.manager, state="delivered") == [delivered]
    assert await listed(api, world.manager, reason="unreachable", provider="kannel", channel="sms") == made
    assert await listed(api, world.manager, template="arrival") == []
    assert await listed(api, world.manager, purpose="reminder", template="expired") == [*made, delivered]
    refused(await api.as_(world.manager).get(PATH, state="lost"), 422, "invalid-field", "state")


async def test_days_are_those_of_the_region_and_go_back_a_month_unless_they_are_given(api: Api, world: World) -> None:
    before_midnight = datetime.fromisoformat("2026-08-03T23:59:59+08:00")
    late = await failed(api, world, at=before_midnight)
    early = await failed(api, world, at=before_midnight + timedelta(seconds=1))
    old = await failed(api, world, at=NOW - timedelta(days=60))
    assert await listed(api, world.manager) == [early, late]
    assert await listed(api, world.manager, **{"from": "2026-08-04"}) == [early]
    assert await listed(api, world.lead, **{"from": "2026-08-03", "to": "2026-08-03"}) == [late]
    assert await listed(api, world.administrator, **{"from": "2026-06-01", "to": "2026-06-30"}) == [old]
    backwards = {"from": "2026-08-04", "to": "2026-08-03"}
    refused(await api.as_(world.manager).get(PATH, **backwards), 422, "invalid-field", "from")
    refused(await api.as_(world.manager).get(PATH, **{"from": "2020-01-01"}), 422, "invalid-field", "from")
    refused(await api.as_(world.manager).get(PATH, **{"from": "yesterday"}), 422, "invalid-field", "from")


async def test_what_was_sent_about_one_thing_is_found_from_whatever_day(api: Api, world: World) -> None:
    order = uuid4()
    old = await failed(api, world, at=NOW - timedelta(days=500), subject_id=order)
    await failed(api, world)
    for who in (world.manager, world.lead, world.administrator):
        assert await listed(api, who, subject_id=order) == [old]
    assert await listed(api, world.emergency_manager, subject_id=order) == []


# ---- one message


async def tried(api: Api, message_id: UUID | str, *tries: tuple[str, str], segments: int = 1) -> list[UUID]:
    """These tries of a message, each by a provider and in a state; gives their ids."""
    ids = [uuid4() for _ in tries]
    async with borrow(api.parts.pool) as connection:
        for number, (attempt, (provider, state)) in enumerate(zip(ids, tries, strict=True), start=1):
            await connection.execute(
                "INSERT INTO message_attempt (id, message_id, number, channel, provider, state, started_at,"
                " lease_until, ended_at, reason, error, segments, encoding, elapsed_ms)"
                " VALUES ($1, $2, $3, 'sms', $4, $5, $6, $6, $6, $7, 'isp.BUSY', $8, 'ucs2', 41)",
                attempt,
                UUID(str(message_id)),
                number,
                provider,
                state,
                NOW,
                "throttled" if state == "refused" else None,
                segments,
            )
    return ids


async def test_a_file_shows_each_try_with_its_receipts_and_the_text_without_secrets(api: Api, world: World) -> None:
    message_id = UUID(await failed(api, world, address_masked="139****0001"))
    tries = await tried(api, message_id, ("kannel", "refused"), ("aliyun", "accepted"))
    async with borrow(api.parts.pool) as connection:
        for seconds, state in enumerate(("taken", "failed")):
            await connection.execute(
                "INSERT INTO message_receipt (id, attempt_id, state, provider_status, at, received_at)"
                " VALUES ($1, $2, $3, 'MK:0001', $4, $4)",
                uuid4(),
                tries[1],
                state,
                NOW + timedelta(seconds=seconds),
            )
    file = await read(api, world.manager, f"{PATH}/{message_id}")
    assert file["text"] == "【一码】你单位的酒类经营许可证已于2026年8月1日到期，请尽快办理，并在企业空间更新。"
    assert (file["line"]["reason_label"], file["line"]["address"]) == ("对方未能接收", "139****0001")
    first, second = file["tries"]
    assert (first["provider"], first["reason_label"], first["receipts"]) == ("kannel", "服务商限流", [])
    assert [each["state"] for each in second["receipts"]] == ["taken", "failed"]


async def test_the_text_of_a_code_hides_the_code(api: Api, world: World) -> None:
    message = expired(
        uuid4(), template="phone_code", recipient=Recipient.PHONE_VERIFICATION, parameters={"minutes": "10"}
    )
    (message_id,) = await write(api, [message])
    file = await read(api, world.administrator, f"{PATH}/{message_id}")
    assert "验证码******" in file["text"]


# ---- 死信重发


async def test_what_was_given_up_is_put_back_once_and_traced(api: Api, world: World) -> None:
    dead = await failed(api, world, attempts=8)
    abandoned = await failed(api, world, state="abandoned", reason="no_credit")
    alive = await failed(api, world, state="sent", reason=None)
    body = {"ids": [dead, alive, abandoned, dead]}
    put_back = accepted(await api.as_(world.manager).post(f"{PATH}/retries", body))
    assert set(put_back["put_back"]) == {dead, abandoned}
    assert put_back["left"] == [alive]
    stored = {str(row["id"]): row for row in await rows(api, "message")}
    assert [(stored[each]["state"], stored[each]["attempts"]) for each in (dead, abandoned)] == [("waiting", 0)] * 2
    assert (stored[dead]["reason"], stored[alive]["state"]) == (None, "sent")
    traced = [row for row in await rows(api, "trace") if row["action"] == "message.put_back"]
    assert {str(row["subject_id"]) for row in traced} == {dead, abandoned}
    again = accepted(await api.as_(world.lead).post(f"{PATH}/retries", body))
    assert (again["put_back"], set(again["left"])) == ([], {dead, alive, abandoned})


@pytest.mark.parametrize("ids", [[], [str(UUID(int=number)) for number in range(101)], ["x"]])
async def test_a_retry_names_one_to_a_hundred(api: Api, world: World, ids: Sequence[str]) -> None:
    async with nothing_changes(api):
        answer = await api.as_(world.administrator).post(f"{PATH}/retries", {"ids": ids})
    assert answer.status_code == 422


# ---- figures and providers


async def test_figures_add_up_by_day_template_channel_state_and_reason(api: Api, world: World) -> None:
    twice = await failed(api, world, segments=2)
    await tried(api, twice, ("kannel", "accepted"), ("kannel", "refused"), ("aliyun", "unknown"), segments=2)
    once = await failed(api, world, state="delivered", reason=None, segments=1)
    await tried(api, once, ("kannel", "accepted"))
    never = await failed(api, world, state="abandoned", reason="no_credit", at=NOW - timedelta(days=1))
    await tried(api, never, ("kannel", "refused"))
    await write(api, [position_in_doubt(world.market.id)], department_id=world.market.id)
    await a_message(api, world, department_id=world.emergency.id)
    told = await read(api, world.manager, f"{PATH}/statistics")
    assert told["total"] == {"messages": 4, "segments": 5, "delivered": 2, "given_up": 2}
    assert [(day["day"], day["messages"]) for day in told["by_day"]] == [("2026-08-04", 1), ("2026-08-05", 3)]
    assert {(each["channel"], each["messages"]) for each in told["by_channel"]} == {("sms", 3), ("in_app", 1)}
    assert [(each["template"], each["title"], each["messages"]) for each in told["by_template"]] == [
        ("expired", "证照已到期", 3),
        ("position_in_doubt", "位置待核", 1),
    ]
    assert {(each["reason"], each["label"]) for each in told["by_reason"]} == {
        ("no_credit", "服务商余额不足"),
        ("unreachable", "对方未能接收"),
    }
    assert (await read(api, world.administrator, f"{PATH}/statistics"))["total"]["messages"] == 5
    long = {"from": "2026-07-01"}
    refused(await api.as_(world.manager).get(f"{PATH}/statistics", **long), 422, "invalid-field", "from")


async def test_providers_tell_how_they_do(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO message_provider (name, failures, closed_until, last_reason, accepted, refused)"
            " VALUES ('kannel', 5, $1, 'provider_away', 10, 5), ('aliyun', 0, $2, null, 3, 0)",
            NOW + timedelta(minutes=1),
            NOW - timedelta(minutes=1),
        )
    aliyun, kannel = (await read(api, world.lead, "/api/v1/message-providers"))["items"]
    assert (kannel["is_paused"], kannel["last_reason_label"], kannel["accepted"]) == (True, "服务商不可用", 10)
    assert (aliyun["name"], aliyun["is_paused"]) == ("aliyun", False)


# ---- 100,000 messages


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_costs_the_same_over_a_hundred_thousand_messages_of_others(
    api: Api, world: World, mode: str
) -> None:
    """The city's lead reads 12 counties out of 140 regions; what was given up is one message in 200."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            """
            INSERT INTO message (id, trace_id, template, purpose, channel, recipient, recipient_id, parameters,
                                 department_id, region, state, created_at, segments)
            SELECT (lpad(to_hex(extract(epoch FROM $1::timestamptz)::bigint * 1000 - n * 20000), 12, '0')
                    || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
                   gen_random_uuid(), 'expired', 'reminder', 'sms', 'enterprise', gen_random_uuid(), '{}',
                   ($2::uuid[])[1 + n % 20], ($3::text[])[1 + n % 140],
                   CASE WHEN n % 200 = 0 THEN 'failed' ELSE 'delivered' END, $1, 1
            FROM generate_series(1, 100000) AS n
            """,
            NOW,
            [world.market.id, *(uuid4() for _ in range(19))],
            [ltree_path(each.code) for each in guangxi_divisions()],
        )
        await connection.execute("ANALYZE message")
    regions = [ltree_path(each.code) for each in guangxi_divisions() if each.code.startswith("4501")]
    scopes: dict[str, dict[str, Any]] = {
        "ALL": {},
        "DEPARTMENT": {"department_id": world.market.id},
        "LEAD": {"department_id": world.market.id, "regions": regions},
    }
    window = {"since_id": id_at(NOW - timedelta(days=31)), "before_id": LAST, "limit": 21}
    filters = dict.fromkeys(desk.FILTERS)
    for scope, given in scopes.items():
        for kind in ("LIST", "DEAD"):
            statement = Command(getattr(desk, f"{kind}_OF_{scope}"))
            plan, buffers = await explain(api, statement, mode, {**given, **window, **filters})
            assert "Seq Scan on message" not in plan, plan
            assert buffers < 2500, plan
    about = {**window, **filters, "subject_id": uuid4(), **scopes["LEAD"]}
    plan, _ = await explain(api, Command(desk.SUBJECTS_OF_LEAD), mode, about)
    assert "ix_message_subject" in plan, plan
