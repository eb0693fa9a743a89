"""A visit after the check-in over HTTP: several departments, 亮证告知, 离场 and 作废."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import msgspec
import pytest

from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import (
    NOW,
    Team,
    World,
    dispatch,
    position_fix,
)
from tests.support.visits import (
    acknowledgement,
    act,
    check_in,
    check_in_to,
    emergency_checks_in,
    nothing_changes,
    rows,
)

# Departments at one visit


async def test_a_department_checks_in_once_per_visit(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))

    async with nothing_changes(api):
        again = await check_in(api, world, world.partner_inspector, second_officer_id=world.officer.id)

    assert refused(again, 409, "already-checked-in") == {"visit_id": first["visit_id"]}


async def test_the_second_department_joins_the_same_visit(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))
    second = accepted(await emergency_checks_in(api, world))

    assert second["visit_id"] == first["visit_id"]
    assert second["visit_sequence"] == 1
    assert second["department_id"] == str(world.emergency.id)
    assert len(await rows(api, "visit")) == 1


async def test_a_visit_ends_when_the_last_department_leaves(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await emergency_checks_in(api, world))

    api.clock.advance(timedelta(hours=1))
    assert accepted(await act(api, world, "departures"))["visit_ended"] is False
    assert (await rows(api, "visit"))[0]["departed_at"] is None

    last = api.clock.advance(timedelta(hours=1))
    result = accepted(await act(api, world, "departures", who=world.emergency_inspector))
    assert result["visit_ended"] is True
    assert (await rows(api, "visit"))[0]["departed_at"] == last
    assert [row["action"] for row in (await rows(api, "trace"))[-2:]] == ["inspection.departed"] * 2


async def test_nobody_leaves_who_has_not_come(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "departures"), 409, "not-checked-in")
    accepted(await check_in(api, world))
    async with nothing_changes(api):
        refused(await act(api, world, "departures", who=world.emergency_inspector), 409, "not-checked-in")
        refused(await act(api, world, "departures", who=world.unassigned_inspector), 403, "not-assigned")


async def test_nobody_leaves_twice(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await emergency_checks_in(api, world))
    accepted(await act(api, world, "departures"))

    async with nothing_changes(api):
        refused(await act(api, world, "departures"), 409, "not-checked-in")


async def test_nobody_leaves_before_they_came(api: Api, world: World) -> None:
    accepted(await check_in(api, world))

    async with nothing_changes(api):
        early = await act(api, world, "departures", done_at=NOW - timedelta(minutes=1))

    refused(early, 422, "departure-before-arrival", "departed_at")


async def test_going_on_the_next_day_is_a_second_visit(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "departures"))
    tomorrow = api.clock.advance(timedelta(days=1))

    result = accepted(await check_in(api, world, position=position_fix(fixed_at=tomorrow)))

    assert result["visit_sequence"] == 2
    assert [row["arrived_at"] for row in await rows(api, "visit")] == [NOW, tomorrow]


# 亮证告知


async def test_officers_identify_themselves_after_the_check_in(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "identifications", acknowledgement()), 409, "not-checked-in")

    checked_in = accepted(await check_in(api, world))
    result = accepted(await act(api, world, "identifications", acknowledgement()))

    assert (result["check_in_id"], result["response"]) == (checked_in["id"], "acknowledged")
    (kept,) = await rows(api, "identification")
    assert (kept["shown_on"], kept["person_post"], kept["responded_at"]) == ("officer_screen", "店长", NOW)
    assert api.parts.vault.open("identification.person_name", kept["person_name_sealed"]) == "韦秀英"


@pytest.mark.parametrize("response", ["recusal_requested", "identity_mismatch"])
async def test_a_refusal_needs_its_reason(api: Api, world: World, response: str) -> None:
    accepted(await check_in(api, world))

    for reason in (None, " ", "无", "长" * 201):
        async with nothing_changes(api):
            answer = await act(api, world, "identifications", {"response": response, "reason": reason})
        refused(answer, 422, "refusal-reason-required", "reason")

    assert accepted(await act(api, world, "identifications", {"response": response, "reason": "与店主有亲属关系"}))


async def test_who_refused_may_still_acknowledge_and_that_is_final(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    doubt = {"response": "identity_mismatch", "reason": "证件照片不像本人", "shown_on": "enterprise_phone"}
    accepted(await act(api, world, "identifications", doubt))
    api.clock.advance(timedelta(minutes=5))
    accepted(await act(api, world, "identifications", acknowledgement()))

    async with nothing_changes(api):
        refused(await act(api, world, "identifications", doubt), 409, "already-acknowledged")
        refused(await act(api, world, "identifications", acknowledgement()), 409, "already-acknowledged")

    kept = [(row["response"], row["shown_on"]) for row in await rows(api, "identification")]
    assert kept == [("identity_mismatch", "enterprise_phone"), ("acknowledged", "officer_screen")]


async def test_each_department_identifies_itself(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement()))
    async with nothing_changes(api):
        response = await act(api, world, "identifications", acknowledgement(), world.emergency_inspector)
    refused(response, 409, "not-checked-in")

    accepted(await emergency_checks_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement(), world.emergency_inspector))


async def test_the_name_of_the_person_on_site_stands_nowhere_in_clear(
    api: Api, world: World, database: Database
) -> None:
    accepted(await check_in(api, world))
    response = await act(api, world, "identifications", acknowledgement())

    assert "韦秀英" not in response.text
    assert await tables_that_hold(database, "韦秀英") == set()
    assert await tables_that_hold(database, "店长") == {"identification", "trace"}


async def test_the_name_in_the_trace_opens_with_the_persons_own_key(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement()))

    after = msgspec.json.decode((await rows(api, "trace"))[-1]["after"])
    (key,) = await rows(api, "subject_key")
    assert str(key["subject_id"]) == after["person_id"]
    name = api.parts.vault.open_for_subject(key["sealed_key"], after["person_id"], after["person_name_sealed"])
    assert name == "韦秀英"


async def tables_that_hold(database: Database, text: str) -> set[str]:
    """The tables of which any column, also of bytes, holds `text`."""
    connection = await asyncpg.connect(database.dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found: set[str] = set()
        for (name,) in names:
            query = f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE any($1)'  # noqa: S608
            if await connection.fetchval(query, [f"%{text}%", f"%{text.encode().hex()}%"]):
                found.add(name)
        return found
    finally:
        await connection.close()


# 作废


async def test_a_voided_visit_stays_on_record_and_the_next_is_the_second(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))

    voided = accepted(await act(api, world, "voids", {"reason": " 走错楼层 "}))
    second = accepted(await check_in(api, world))

    assert voided["visit_id"] == first["visit_id"]
    assert second["visit_sequence"] == 2
    kept, fresh = await rows(api, "visit")
    assert (kept["voided_at"], kept["void_reason"], kept["departed_at"]) == (NOW, "走错楼层", None)
    assert fresh["voided_at"] is None


async def test_a_visit_is_voided_with_a_reason_only(api: Api, world: World) -> None:
    accepted(await check_in(api, world))

    for reason in ("", " 错 ", "长" * 201):
        async with nothing_changes(api):
            refused(await act(api, world, "voids", {"reason": reason}), 422, "reason-missing", "reason")


async def test_only_an_open_visit_is_voided(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "voids", {"reason": "走错楼层"}), 409, "visit-already-over")
    accepted(await check_in(api, world))
    async with nothing_changes(api):
        stranger = await act(api, world, "voids", {"reason": "走错楼层"}, world.unassigned_inspector)
        refused(stranger, 403, "not-assigned")
    accepted(await act(api, world, "departures"))
    async with nothing_changes(api):
        refused(await act(api, world, "voids", {"reason": "走错楼层"}), 409, "visit-already-over")


async def test_in_a_voided_visit_nobody_identifies_or_leaves(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "voids", {"reason": "走错楼层"}))

    async with nothing_changes(api):
        refused(await act(api, world, "identifications", acknowledgement()), 409, "not-checked-in")
        refused(await act(api, world, "departures"), 409, "not-checked-in")


async def test_a_team_of_one_department_ends_its_visit_by_itself(api: Api, world: World) -> None:
    alone = await dispatch(api.parts, world.site, [Team(world.market, [world.officer, world.partner])])
    accepted(await check_in_to(api, world, alone))

    response = await api.as_(world.partner_inspector).post(f"/api/v1/inspections/{alone}/departures")

    assert accepted(response)["visit_ended"] is True
