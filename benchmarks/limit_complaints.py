"""The limit takes a complaint: the statements of Yima in their order; nothing sealed, nothing compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from api.work import _CLAIM as CLAIM  # pyright: ignore[reportPrivateUsage]
from api.work import _KEEP as KEEP  # pyright: ignore[reportPrivateUsage]
from benchmarks.limit_visits import said, write_message
from domain.complaint import store
from domain.complaint.grievance_store import STORES
from domain.complaint.model import CONSENT_VERSION, GrievanceKind
from domain.deadline.store import OPEN_DEADLINE
from domain.enterprise.store import CODE_BY_ID
from domain.shared import chores, trace
from domain.shared.clock import local_date
from domain.shared.ids import new_id
from domain.shared.numbers import _ISSUE as ISSUE  # pyright: ignore[reportPrivateUsage]
from domain.shared.random import system_random
from domain.visitor import store as visitor_store
from notifications.message import Channel, Message, Recipient

_COMPLAINTS = STORES[GrievanceKind.COMPLAINT]
_DIGEST = bytes(32)
_SKETCH = list(range(64))
_DECISION = timedelta(days=9)
_LOOKED_BACK, _LOOKED_AT = timedelta(days=30), 200


async def take_complaint(
    connection: Any, headers: dict[bytes, bytes], code_id_of: Callable[[str], bytes], order: dict[str, Any]
) -> bytes:
    """One complaint in one transaction, and the two reads that its receipt is made of."""
    pass_id, verification_id, phone = headers[b"yima-pass"].decode().split("/")
    who = (UUID(pass_id), UUID(verification_id), bytes.fromhex(phone))
    key, address = headers[b"idempotency-key"].decode(), headers[b"x-forwarded-for"]
    async with connection.transaction():
        filed, receipt = await _file(connection, who, key, address, code_id_of(order["code"]), order)
    number = await connection.fetchrow(*said(_COMPLAINTS.number, grievance_id=filed["id"]))
    await connection.fetchrow(*said(_COMPLAINTS.by_id, grievance_id=filed["id"]))
    told = filed | {"number": number["number"], "query_code": "", "terms": ["", "", ""], "national_link": None}
    return msgspec.json.encode({"receipt": receipt, "result": told})


async def _file(
    connection: Any,
    who: tuple[UUID, UUID, bytes],
    key: str,
    address: bytes,
    code_id: bytes,
    order: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    now = datetime.now(UTC)
    pass_id, verification_id, phone = who
    receipt = {"id": new_id(now, system_random), "received_at": now, "digest": _DIGEST.hex()}
    claim = {"principal_id": pass_id, "key": key, "fingerprint": _DIGEST, "receipt_id": receipt["id"]}
    await connection.execute(*said(CLAIM, **claim, received_at=now))
    counted = {"scopes": ["address", "phone"], "keys": [address, phone], "numbers": [1, 1]}
    await connection.fetch(*said(visitor_store.COUNT, kind="complaint", **counted, now=now))
    code = await connection.fetchrow(*said(CODE_BY_ID, code_id=code_id))
    place = await connection.fetchrow(*said(store.PLACE_BY_ID, site_id=code["site_id"]))
    await connection.fetchrow(*said(visitor_store.VERIFICATION, verification_id=verification_id))
    row = _row(place, order, phone, now)
    await connection.execute(*said(_COMPLAINTS.insert, **row))
    sought = {"site_id": place["site_id"], "since": now - _LOOKED_BACK, "but": row["id"], "limit": _LOOKED_AT}
    await connection.fetch(*said(_COMPLAINTS.sketches, **sought))
    filed = {
        "id": row["id"],
        "kind": "complaint",
        "state": "received",
        "filed_at": now,
        "due_on": row["due_on"],
        "department": place["department_name"],
        "hotline": place["hotline"],
        "likely_duplicates": 0,
    }
    await _leave_marks(connection, pass_id, place, row, filed)
    body = msgspec.json.encode({"receipt": receipt, "result": filed})
    await connection.execute(*said(KEEP, of_principal=pass_id, of_key=key, status=201, answer=body, location=None))
    wanted = {"codes": [place["department_code"]], "kinds": ["TS"], "subjects": [row["id"]], "devices": [None]}
    await connection.fetch(*said(ISSUE, **wanted, year=now.year, now=now))
    return filed, receipt


def _row(place: Any, order: dict[str, Any], phone: bytes, now: datetime) -> dict[str, Any]:
    nothing = ("accepted_at", "answered_at", "closed_at", "handler_id", "leading_id", "inspection_id")
    nothing += ("released_sealed",)
    return {
        **dict.fromkeys(nothing),
        "id": new_id(now, system_random),
        **{name: place[name] for name in ("site_id", "enterprise_id", "department_id", "region")},
        "type": order["type"],
        "state": "received",
        "is_open": True,
        "term": "decision",
        "due_on": local_date(now) + _DECISION,
        "filed_at": now,
        **dict.fromkeys(("is_reopened", "is_extended", "is_abusive"), False),
        "content_sealed": order["description"].encode(),
        "person_sealed": order["name"].encode(),
        "sketch": _SKETCH,
        "query_code_index": system_random(32),
        "consent_version": CONSENT_VERSION,
        "phone_index": phone,
    }


async def _leave_marks(connection: Any, pass_id: UUID, place: Any, row: dict[str, Any], filed: dict[str, Any]) -> None:
    now, trace_id = row["filed_at"], new_id(row["filed_at"], system_random)
    traced = {
        "id": trace_id,
        "business": "投诉举报办理",
        "power": "投诉举报处理",
        "duty": "投诉接收",
        "action": "complaint.filed",
        "at": now,
        "operator_id": pass_id,
        "operator_name": "公众",
        "post": "公众",
        "subject": "grievance",
        "subject_id": row["id"],
        "department_id": row["department_id"],
        "region": row["region"],
        "site_id": None,
        "before": None,
        "after": msgspec.json.encode(filed).decode(),
        "request_id": trace_id,
        "device_at": None,
        "longitude": None,
        "latitude": None,
        "key_version": 1,
        "mac": _DIGEST,
    }
    await connection.executemany(trace.INSERT.text, [trace.INSERT.arguments(traced)])
    message = Message(
        template="grievance_filed",
        channel=Channel.SMS,
        recipient=Recipient.COMPLAINANT,
        recipient_id=row["id"],
        parameters={"department": place["department_name"], "matter": "投诉", "due": row["due_on"].isoformat()},
    )
    await write_message(connection, message, trace_id, now)
    chore = {"id": new_id(now, system_random), "trace_id": trace_id, "kind": "hand_over_complaint"}
    given = chore | {"subject": row["id"].bytes, "created_at": now}
    await connection.executemany(chores.INSERT_CHORE.text, [chores.INSERT_CHORE.arguments(given)])
    await connection.fetchrow(*said(_COMPLAINTS.by_id, grievance_id=row["id"]))
    await connection.execute(*said(OPEN_DEADLINE, **_due(row)))


def _due(row: dict[str, Any]) -> dict[str, Any]:
    nothing = ("inspection_id", "account_id", "superior_id")
    return {
        **dict.fromkeys(nothing),
        "id": new_id(row["filed_at"], system_random),
        "kind": "complaint",
        "subject_id": row["id"],
        **{name: row[name] for name in ("department_id", "region", "site_id", "enterprise_id", "due_on")},
        "officers": [],
        "set_at": row["filed_at"],
        "next_stage_at": row["filed_at"] + _DECISION,
        "calendar_edition": 0,
    }
