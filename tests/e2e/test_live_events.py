"""Every act that is told live is what the contract says, as it arrives on a screen over a real server."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.contract.asyncapi import asyncapi_document
from api.contract.write import read_examples
from api.live.actions import LIVE_EVENTS, facts_of
from api.live.model import WATCHED
from api.relay import Relay
from domain.identity.model import Role
from domain.shared import trace
from domain.shared.events import Circumstances, Event
from domain.shared.ids import new_id
from domain.shared.sql import borrow
from tests.support.acts import OPERATOR, principal
from tests.support.client import Api, accepted
from tests.support.factories import NOW, World
from tests.support.inspecting import (
    answer,
    arrive,
    finish,
    leave,
    lines,
    path,
    photo,
    prepare_inspection,
    record_facts,
    sign_all,
    upload,
)
from tests.support.live_screens import WAYS, LiveServer, Screen, live_server
from tests.support.problems import (
    PENAL,
    feed_back,
    find_problems,
    issue,
    order_path,
    re_inspect,
    re_inspection,
    serve,
)
from tests.support.relaying import place_all

REGION = "450000.450100.450103"
BY_ACTION: Mapping[str, type[Event]] = {kind.action: kind for kind in LIVE_EVENTS}


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """The live channel's document as it is generated now."""
    return json.loads(msgspec.json.encode(asyncapi_document("1.3.0", read_examples())))


def faults(contract: dict[str, Any], frame: Mapping[str, Any]) -> list[str]:
    """What is wrong with a frame, by the schema of its own message."""
    name = frame["event"]["action"] if frame["type"] == "event" else frame["type"]
    registry: Registry[Any] = Registry().with_resource(
        "urn:contract", Resource(contents=contract, specification=DRAFT202012)
    )
    payload = json.dumps(contract["components"]["messages"][name]["payload"]).replace('"#/', '"urn:contract#/')
    judge = Draft202012Validator(json.loads(payload), registry=registry, format_checker=FormatChecker())
    return [f"{name}: {error.json_path} {error.message}" for error in judge.iter_errors(frame)]


def every_event(root: type[Event] = Event) -> set[type[Event]]:
    return {each for cls in root.__subclasses__() for each in (cls, *every_event(cls))}


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> AsyncGenerator[LiveServer]:
    """The application on a port of its own."""
    async with live_server(api) as server:
        yield server


def test_every_watched_act_is_in_the_contract() -> None:
    """Of the rooms' own acts: those that tests make up are none."""
    ours = {kind for kind in every_event() if kind.__module__.startswith("domain.") and hasattr(kind, "action")}
    watched = {kind for kind in ours if getattr(kind, "subject", None) in WATCHED}
    assert watched - set(LIVE_EVENTS) == set(), "add these to api/live/actions.py, each with its example"
    assert len(BY_ACTION) == len(LIVE_EVENTS), "an action is one act's alone"


def test_every_example_is_what_its_message_says(contract: dict[str, Any]) -> None:
    messages = contract["components"]["messages"]
    assert messages.keys() == {*BY_ACTION, "ready", "snapshot", "heartbeat", "closing"}
    wrong = [fault for each in messages.values() for fault in faults(contract, each["examples"][0]["payload"])]
    assert wrong == []


def test_a_frame_that_breaks_its_schema_would_be_found(contract: dict[str, Any]) -> None:
    example = json.loads(json.dumps(read_examples()["live.inspection.departed"]))
    example["event"]["facts"]["departed_at"] = 7
    assert faults(contract, example)
    example["event"]["action"] = "inspection.checked_in"
    assert faults(contract, example)


@pytest.mark.parametrize("way", WAYS)
async def test_each_act_arrives_as_the_contract_says(
    api: Api, relay: Relay, server: LiveServer, contract: dict[str, Any], way: str
) -> None:
    """Every kind of event, written into the trace as its room writes it."""
    async with server.screen(way, api.as_(principal(Role.LEAD, region=REGION))) as screen:
        await screen.begin()
        for kind in LIVE_EVENTS:
            await write(api, kind)
        await place_all(relay)
        got = await screen.events(len(LIVE_EVENTS))
    assert [event["action"] for event in got] == [kind.action for kind in LIVE_EVENTS]
    assert [fault for event in got for fault in faults(contract, {"type": "event", "event": event})] == []


async def write(api: Api, kind: type[Event]) -> None:
    """The trace row of an act like that of its example."""
    told = read_examples()[f"live.{kind.action}"]["event"]
    facts = msgspec.convert(told["facts"], facts_of(kind))
    others = {
        field.name: None
        for field in msgspec.structs.fields(kind)
        if field.required and field.name not in {"subject_id", "region", "before", "after"}
    }
    made: Any = kind
    row = trace.write_down(
        made(subject_id=UUID(told["subject_id"]), region=REGION, before=None, after=facts, **others),
        trace_id=new_id(NOW, api.parts.random),
        at=NOW,
        operator=OPERATOR,
        circumstances=Circumstances(request_id=new_id(NOW, api.parts.random)),
        seal=api.parts.seal,
    )
    async with borrow(api.parts.pool) as connection:
        await trace.INSERT.run_many(connection, trace.insert_arguments([row]))


# The acts themselves, over HTTP


async def heard(api: Api, screen: Screen, relay: Relay, contract: dict[str, Any]) -> set[str]:
    """What a lead's screen hears of everything that was done, each as the contract says."""
    await place_all(relay)
    async with borrow(api.parts.pool) as connection:
        [told] = await connection.fetch("SELECT count(*) FROM trace WHERE subject = ANY($1)", list(WATCHED))
        [before] = await connection.fetch(
            "SELECT count(*) FROM trace JOIN trace_position ON trace_id = trace.id "
            "WHERE subject = ANY($1) AND position <= $2",
            list(WATCHED),
            screen.position,
        )
    events = await screen.events(told[0] - before[0])
    assert [fault for event in events for fault in faults(contract, {"type": "event", "event": event})] == []
    assert {event["scene"] for event in events if event["inspection_id"]} == {"S01"}
    return {event["action"] for event in events}


async def see_all(screen: Screen, relay: Relay) -> None:
    """What was done until now is in the snapshot."""
    await place_all(relay)
    ready, _ = await screen.begin()
    screen.position = ready["position"]


async def test_a_visit_and_its_publication_are_seen_as_they_happen(
    api: Api, world: World, relay: Relay, server: LiveServer, contract: dict[str, Any]
) -> None:
    async with server.screen("websocket", api.as_(world.lead)) as screen:
        await see_all(screen, relay)
        inspection = await prepare_inspection(api, world)
        await arrive(api, world, inspection)
        for line in await lines(api, world.inspector, inspection):
            accepted(await answer(api, world.inspector, inspection, line))
        await record_facts(api, world.inspector, inspection)
        await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
        await leave(api, world.inspector, inspection)
        accepted(await finish(api, world.inspector, inspection, "no_problem"))
        [publication] = (await api.as_(world.manager).get("/api/v1/publications", state="pending")).json()["items"]
        place = f"/api/v1/publications/{publication['id']}"
        withholding = {"reason": "privacy", "note": "含个人信息"}
        accepted(await api.as_(world.manager).post(f"{place}/withholding", withholding))
        accepted(await api.as_(world.manager).post(f"{place}/release"))
        seen = await heard(api, screen, relay, contract)
    assert seen >= {
        "inspection.dispatched",
        "inspection.checked_in",
        "inspection.officers_identified",
        "inspection.answer_recorded",
        "evidence.stored",
        "inspection.record_facts_recorded",
        "inspection.record_signed",
        "inspection.departed",
        "inspection.completed",
        "publication.opened",
        "publication.withheld",
        "publication.released",
    }


async def test_what_follows_from_a_visit_is_seen_up_to_the_transfer(
    api: Api, world: World, relay: Relay, server: LiveServer, contract: dict[str, Any]
) -> None:
    async with server.screen("events", api.as_(world.lead)) as screen:
        await see_all(screen, relay)
        found = await find_problems(api, world)
        order = accepted(await issue(api, world.inspector, found, PENAL))["id"]
        proof = await upload(api, world.inspector, found.inspection, photo(40))
        receiver = {"name": "韦秀英", "capacity": "店长"}
        accepted(await serve(api, world.inspector, order, means="direct", receiver=receiver, evidence=[proof]))
        wish = {"days": 5, "reason": "设备采购需要时间"}
        accepted(await api.as_(world.enterprise_user).post(order_path(order, "extension"), wish))
        decision = {"granted": True, "reason": "情况属实"}
        accepted(await api.as_(world.manager).post(order_path(order, "extension/decision"), decision))
        accepted(await feed_back(api, world, found, order, PENAL))
        met = re_inspection(
            world,
            found,
            "transfer_conditions_met",
            PENAL,
            failed=[PENAL],
            receiving_body="南宁市市场监管综合行政执法支队",
            photos=[await upload(api, world.inspector, found.inspection, photo(41))],
        )
        transfer = accepted(await re_inspect(api, world.inspector, order, met))["transfer_id"]
        receipt = await upload(api, world.inspector, found.inspection, photo(42))
        handing = {"receipt_number": "南执收〔2026〕7号", "receipt": receipt}
        accepted(await api.as_(world.manager).post(f"/api/v1/transfers/{transfer}/hand-over", handing))
        accepted(await api.as_(world.inspector).post(path(found.inspection, "departures"), {}))
        seen = await heard(api, screen, relay, contract)
    assert seen >= {
        "rectification.order_issued",
        "rectification.served",
        "rectification.extension_requested",
        "rectification.extension_decided",
        "rectification.fed_back",
        "rectification.re_inspected",
        "rectification.transfer_opened",
        "rectification.transfer_handed_over",
        "inspection.departed",
    }
