"""The canonical record: what is signed, computed alike on phone and server (one-code.md, "Record and signatures").

It holds only what a phone knows without the server: no number that is given later, no id that the server makes. Times
are RFC 3339 in UTC with milliseconds. The schema stands in `mobile_contract/test_vectors/record.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.inspection.answers.model import ChecklistLine, Measure
from domain.inspection.model import Inspection
from domain.inspection.record.model import PartyFacts, Presence, RecordFacts

SCHEMA = "yima/record/1"


def canonical_time(instant: datetime) -> str:
    """`2026-08-05T02:00:00.000Z`: what JavaScript's `toISOString` gives."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def record_content(
    inspection: Inspection,
    department_id: UUID,
    party: PartyFacts,
    presences: Sequence[Presence],
    lines: Sequence[ChecklistLine],
    facts: RecordFacts,
) -> dict[str, Any]:
    """The record of one department as a JSON value; `lines` are those of the department, in the list's order."""
    return {
        "schema": SCHEMA,
        "inspection": {
            "id": str(inspection.id),
            "name": inspection.name,
            "kind": inspection.kind.value,
            "source": inspection.source,
            "basis": inspection.basis,
        },
        "department": str(department_id),
        "party": msgspec.to_builtins(party),
        "visits": [_visit(each) for each in presences],
        "answers": [_answer(line) for line in lines if line.answer is not None],
        "facts": _facts(facts),
    }


def _visit(presence: Presence) -> dict[str, Any]:
    return {
        "sequence": presence.sequence,
        "arrived_at": canonical_time(presence.arrived_at),
        "means": presence.means,
        "officers": sorted([str(presence.officer_id), str(presence.second_officer_id)]),
        "identification": None
        if presence.response is None or presence.responded_at is None
        else {
            "response": presence.response,
            "shown_on": presence.shown_on,
            "reason": presence.response_reason,
            "at": canonical_time(presence.responded_at),
        },
    }


def _answer(line: ChecklistLine) -> dict[str, Any]:
    answer = line.answer
    assert answer is not None  # noqa: S101 - the caller leaves the others out
    return {
        "item": str(line.item_id),
        "place": line.place,
        "value": answer.value.value,
        "measures": [_measure(each) for each in answer.measures],
        "reason": answer.reason,
        "remark": answer.remark,
        "photos": list(answer.photos),
        "bulk": answer.is_bulk,
        "by": str(answer.officer_id),
        "at": canonical_time(answer.done_at),
    }


def _measure(measure: Measure) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(measure)
    plain.pop("receipt_number", None)  # it comes days after the signatures
    if measure.taken_at is not None:
        plain["taken_at"] = canonical_time(measure.taken_at)
    return plain


def _facts(facts: RecordFacts) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    if facts.ended_at is not None:
        plain["ended_at"] = canonical_time(facts.ended_at)
    return plain
