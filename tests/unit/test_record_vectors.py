"""规范笔录: the published vectors hold here, and on a phone that builds the record from what it knows itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from api.schemas.record import CanonicalRecord
from domain.document.canonical import canonical, record_digest
from domain.inspection.answers.model import Answer, ChecklistLine
from domain.inspection.model import Inspection
from domain.inspection.record.content import record_content
from domain.inspection.record.model import PartyFacts, Presence, RecordFacts

CONTRACT = Path(__file__).parents[2] / "mobile_contract"
PUBLISHED: dict[str, Any] = json.loads((CONTRACT / "test_vectors" / "record.json").read_text("utf-8"))
VECTORS: list[dict[str, Any]] = PUBLISHED["vectors"]
NAMES = [each["name"] for each in VECTORS]
UNSAID = datetime(2026, 11, 1, tzinfo=UTC)
"""For whatever of an inspection or an answer the record does not say."""

PHONE = """
const { createHash } = require("crypto");
function canonical(value) {  // RFC 8785; test_vectors/canonical.json
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  const keys = Object.keys(value).sort();
  return "{" + keys.map((key) => canonical(key) + ":" + canonical(value[key])).join(",") + "}";
}
const at = (text) => new Date(text).toISOString();
const timed = (value, name) => value[name] == null ? value : { ...value, [name]: at(value[name]) };
const pick = (value, names) => Object.fromEntries(names.map((name) => [name, value[name]]));
const isSaid = ([name, value]) =>
  name !== "receipt_number" && value !== null && !(Array.isArray(value) && value.length === 0);
const measure = (each) => timed(Object.fromEntries(Object.entries(each).filter(isSaid)), "taken_at");
const PARTY = ["uscc", "representative", "address", "site_name"];
const FACTS = { person: null, place: null, ended_at: null, recusal: null, situation: null, statement_and_defence: null,
  samples: [], assistants: [], body_camera: null, no_body_camera_reason: null, language: null, interpreter: null,
  is_outside_working_hours: false, has_trade_secrets: false };
const answer = ({ item_id, place }, given) => ({
  item: item_id, place, ...pick(given, ["value", "reason", "remark", "photos"]), measures: given.measures.map(measure),
  bulk: given.is_bulk, by: given.officer_id, at: at(given.done_at),
});
function record({ inspection, department_id, check_ins, lines, answers, facts }) {
  const given = new Map(answers.map((each) => [each.item_id, each]));
  const own = lines.filter((line) => line.department_id === department_id && given.has(line.item_id));
  const added = { ...FACTS, ...facts };
  return {
    schema: "yima/record/1",
    inspection: pick(inspection, ["id", "name", "kind", "source", "basis"]),
    department: department_id,
    party: { name: inspection.enterprise_name, ...pick(inspection, PARTY) },
    visits: check_ins.toSorted((a, b) => at(a.done_at) < at(b.done_at) ? -1 : 1).map((each, index) => ({
      sequence: index + 1, arrived_at: at(each.done_at), means: each.means,
      officers: [each.officer_id, each.second_officer_id].sort(),
      identification: each.identification && {
        ...pick(each.identification, ["response", "shown_on", "reason"]), at: at(each.identification.responded_at) },
    })),
    answers: own.toSorted((a, b) => a.place - b.place).map((line) => answer(line, given.get(line.item_id))),
    facts: { ...timed(added, "ended_at"), person: added.person && { phone: null, ...added.person },
      samples: added.samples.map((each) => ({ document_number: null, ...each })),
      assistants: added.assistants.map((each) => ({ opinion: null, ...each })) },
  };
}
const texts = JSON.parse(require("fs").readFileSync(0, "utf8")).map((known) => canonical(record(known)));
const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");
process.stdout.write(JSON.stringify(texts.map((text) => [text, sha256(text)])));
"""


def inspection_of(known: dict[str, Any]) -> Inspection:
    """The inspection with what the phone has of it."""
    unsaid = {
        "state": "pending",
        "mode": "on_site",
        "number": None,
        "notice_number": None,
        "scene_name": "",
        "site_id": UUID(int=0),
        "enterprise_id": UUID(int=0),
        "initiating_department": "",
        "starts_on": date(2026, 11, 1),
        "due_on": date(2026, 11, 30),
        "outcome": None,
        "approved_at": UNSAID,
        "approved_by": None,
        "is_urgent": False,
        "approval_due_at": None,
        "completed_at": None,
        "created_at": UNSAID,
        "region": "r45",
        **dict.fromkeys(("longitude", "latitude", "radius_m", "polygon")),
    }
    return msgspec.convert({**unsaid, **known}, Inspection)


def presence_of(known: dict[str, Any]) -> Presence:
    """A check-in as its answer told it, with the 亮证告知 that followed."""
    shown = known["identification"]
    told = shown or dict.fromkeys(("response", "shown_on", "reason", "responded_at"))
    return msgspec.convert(
        {
            "sequence": known["visit_sequence"],
            "arrived_at": known["done_at"],
            **{name: known[name] for name in ("means", "officer_id", "second_officer_id")},
            **{name: told[name] for name in ("response", "shown_on", "responded_at")},
            "response_reason": told["reason"],
            "departed_at": None,
            "flags": [],
            "late_scan_reason": None,
        },
        Presence,
    )


def line_of(known: dict[str, Any], given: dict[str, Any] | None) -> ChecklistLine:
    """A drawn item and its answer; of its text the record says nothing."""
    unsaid = dict.fromkeys(("code", "area", "matter", "content", "method", "mode", "severity"), "")
    flags = dict.fromkeys(("is_on_site", "is_mandatory", "penalty_if_overdue"), False)
    line = msgspec.convert(
        {**known, **unsaid, **flags, "sub_matter": None, "guidance": None, "legal_basis": []}, ChecklistLine
    )
    if given is None:
        return line
    answer = msgspec.convert({"version": 1, "flags": [], "received_at": UNSAID, **given}, Answer)
    return msgspec.structs.replace(line, answer=answer)


def content_of(known: dict[str, Any]) -> dict[str, Any]:
    """The record as the server makes it of what the phone knows."""
    inspection, department = known["inspection"], UUID(known["department_id"])
    answers = {each["item_id"]: each for each in known["answers"]}
    lines = [line_of(each, answers.get(each["item_id"])) for each in known["lines"]]
    names = ("uscc", "representative", "address", "site_name")
    return record_content(
        inspection_of(inspection),
        department,
        PartyFacts(name=inspection["enterprise_name"], **{name: inspection[name] for name in names}),
        sorted((presence_of(each) for each in known["check_ins"]), key=lambda each: each.sequence),
        sorted((line for line in lines if line.department_id == department), key=lambda line: line.place),
        msgspec.convert(known["facts"], RecordFacts),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_a_published_record_is_what_the_server_makes(vector: dict[str, Any]) -> None:
    content = content_of(vector["known"])

    assert canonical(content).decode() == vector["canonical"]
    assert record_digest(content).hex() == vector["sha256"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine: what a phone computes")
def test_a_phone_makes_the_same_record_of_what_it_knows() -> None:
    asked = json.dumps([each["known"] for each in VECTORS])

    node = str(shutil.which("node"))
    done = subprocess.run([node, "-e", PHONE], input=asked.encode(), capture_output=True, check=True, timeout=60)

    assert json.loads(done.stdout) == [[each["canonical"], each["sha256"]] for each in VECTORS]


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_the_published_shape_is_that_of_the_record(vector: dict[str, Any]) -> None:
    told = msgspec.json.decode(vector["canonical"], type=CanonicalRecord)

    assert msgspec.to_builtins(told).keys() == json.loads(vector["canonical"]).keys()
    assert len(told.visits) == len(vector["known"]["check_ins"])


def test_the_vectors_say_all_that_a_record_can_say() -> None:
    told = [json.loads(each["canonical"]) for each in VECTORS]
    answers = [answer for each in told for answer in each["answers"]]

    assert max(len(each["visits"]) for each in told) > 1
    assert {answer["value"] for answer in answers} == {"no_problem", "problem", "not_applicable", "not_checked"}
    assert any("taken_at" in measure for answer in answers for measure in answer["measures"])
    assert any(answer["photos"] for answer in answers)
    assert any(answer["remark"] is None for answer in answers)
    assert {answer["bulk"] for answer in answers} == {True, False}
    assert not all(answer["at"].endswith(".000Z") for answer in answers)


def test_the_example_of_the_contract_is_the_first_vector_and_its_signature_names_it() -> None:
    example = json.loads((CONTRACT / "examples" / "readRecord.response.json").read_text("utf-8"))
    signed = json.loads((CONTRACT / "examples" / "sign.request.json").read_text("utf-8"))

    assert canonical(example).decode() == VECTORS[0]["canonical"]
    assert signed["record_digest"] == hashlib.sha256(VECTORS[0]["canonical"].encode()).hexdigest()
