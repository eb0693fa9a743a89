"""The demonstration's rooms on the other side of the code: a little in each, as people would have left it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pypdfium2
import pytest_asyncio

from api.demo.load import DemoAccounts, load_demo
from api.demo.rooms import specimen
from api.wiring import Parts
from domain.evidence.blobs import original_key
from domain.shared.clock import local_date

TODAY = local_date(datetime.now().astimezone())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared_parts: Parts) -> DemoAccounts:
    """The demonstration of this file's database, loaded once."""
    return await load_demo(shared_parts, public_url="https://ym.example.gov.cn", today=TODAY)


async def rows(parts: Parts, query: str) -> list[Any]:
    return await parts.pool.fetch(query)


async def test_complaints_stand_in_different_states_and_a_tip_off_has_no_name(
    shared_parts: Parts, made: DemoAccounts
) -> None:
    assert made.created
    complaints = await rows(
        shared_parts,
        "SELECT c.*, a.login FROM complaint c JOIN account a ON a.enterprise_id = c.enterprise_id ORDER BY filed_at",
    )
    assert [(row["login"], row["state"]) for row in complaints] == [
        ("enterprise", "closed"),
        ("enterprise", "closed"),
        ("enterprise", "accepted"),
        ("enterprise2", "received"),
    ]
    for row in complaints:
        assert local_date(row["filed_at"]) < TODAY <= row["due_on"] or row["state"] == "closed"
        assert (row["answered_at"] is None) == (row["state"] != "closed")
    (tip_off,) = await rows(shared_parts, "SELECT state, person_sealed FROM tip_off")
    assert (tip_off["state"], tip_off["person_sealed"]) == ("received", None)
    sent = await rows(shared_parts, "SELECT FROM message WHERE template = 'phone_code'")
    assert sent == []


async def test_two_exposures_are_public_one_on_the_ground_of_a_result(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    found = await rows(
        shared_parts,
        "SELECT e.*, i.outcome FROM exposure e LEFT JOIN publication p ON p.id = e.publication_id"
        " LEFT JOIN inspection i ON i.id = p.inspection_id ORDER BY published_at",
    )
    assert [(row["state"], row["outcome"]) for row in found] == [
        ("published", None),
        ("published", "ordered_to_rectify"),
    ]
    assert all(row["published_by"] not in row["authors"] for row in found)


async def test_the_assigned_task_has_reached_everybody_of_its_trade(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    (task,) = await rows(shared_parts, "SELECT * FROM assigned_task")
    assert (task["state"], task["objects_assigned"]) == ("dispatched", task["objects_chosen"])
    assert task["starts_on"] <= TODAY < task["ends_on"]
    reached = await rows(
        shared_parts,
        "SELECT DISTINCT a.login FROM assigned_task_object o JOIN account a ON a.enterprise_id = o.enterprise_id",
    )
    assert {row["login"] for row in reached} == {"enterprise", "enterprise2", "enterprise3"}


async def test_the_enterprises_have_said_asked_and_handed_in(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    hours = await rows(shared_parts, "SELECT DISTINCT opening_hours FROM site_profile")
    assert len(hours) == 3
    asked = await rows(shared_parts, "SELECT state FROM enterprise_request ORDER BY submitted_at")
    assert [row["state"] for row in asked] == ["answered", "submitted"]
    terms = await rows(
        shared_parts, "SELECT v.valid_to FROM material_version v JOIN material m ON m.id = v.material_id"
    )
    assert sorted((row["valid_to"] - TODAY).days for row in terms if row["valid_to"] is not None) == [26]
    assert len(terms) == 3
    (file,) = await rows(shared_parts, "SELECT digest, media_type, size FROM evidence_file")
    assert (file["media_type"], file["size"]) == ("application/pdf", len(specimen()))
    assert await shared_parts.blobs.find(original_key(file["digest"])) is not None


def test_the_specimen_is_a_page_that_opens() -> None:
    document = pypdfium2.PdfDocument(specimen())
    assert len(document) == 1
    assert document[0].get_textpage().get_text_bounded() == "演示样本，不作证明之用"
