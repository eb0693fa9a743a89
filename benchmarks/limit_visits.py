"""The limit on a visit: an answer, a photo, the package of the day, and what a scan shows of published results."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from PIL import Image

from api.work import _CLAIM as CLAIM  # pyright: ignore[reportPrivateUsage]
from api.work import _KEEP as KEEP  # pyright: ignore[reportPrivateUsage]
from api.work import _WRITE_MESSAGES as WRITE_MESSAGES  # pyright: ignore[reportPrivateUsage]
from domain.complaint.model import GrievanceType
from domain.evidence import store as evidence_store
from domain.inspection.answers import store as answers_store
from domain.inspection.package import store as package_store
from domain.publication.model import KIND_LABELS, OUTCOME_LABELS
from domain.shared import trace
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.ids import new_id
from domain.shared.random import system_random
from domain.shared.sql import Command
from notifications import outbox
from notifications.message import Message
from notifications.outbox import Written

TYPE_LABELS = {each.value: each.label for each in GrievanceType}
_PRINCIPAL = UUID(int=1)
_MAC = bytes(32)
_DIGEST = bytes(32)
_THREADS = 2
_MOST_INSPECTIONS = 60


def said(statement: Command, **given: Any) -> tuple[Any, ...]:
    """The statement's own text and its arguments in order, as the driver takes them."""
    return statement.text, *statement.arguments(given)


async def write_message(connection: Any, message: Message, trace_id: UUID, now: datetime) -> None:
    """One message of an act, by Yima's own statement."""
    (row,) = outbox.insert_arguments([Written(id=new_id(now, system_random), trace_id=trace_id, message=message)], now)
    await connection.executemany(WRITE_MESSAGES.text, [WRITE_MESSAGES.arguments(row)])


# ---- answer


async def record_answer(
    connection: Any, officer_id: UUID, inspection_id: UUID, item_id: UUID, key: str, order: dict[str, Any]
) -> bytes:
    """Idempotency, context, photos, answer and trace, in the transaction that the caller has begun."""
    now = datetime.now(UTC)
    receipt_id = new_id(now, system_random)
    claim = {"principal_id": _PRINCIPAL, "key": key, "fingerprint": _DIGEST, "receipt_id": receipt_id}
    await connection.execute(*said(CLAIM, **claim, received_at=now))
    context = await connection.fetchrow(
        *said(answers_store.CONTEXT, inspection_id=inspection_id, officer_id=officer_id, item_id=item_id, as_of=now)
    )
    photos = [bytes.fromhex(each) for each in order.get("photos", ())]
    if photos:
        mark = {"of_inspection": inspection_id, "digests": photos, "by_enterprise": False, "now": now}
        await connection.fetch(*said(evidence_store.MARK_REFERENCED, **mark))
    answer: dict[str, Any] = {
        "item_id": item_id,
        "version": 1,
        "value": order["value"],
        "measures": order.get("measures", []),
        "reason": None,
        "remark": order.get("remark"),
        "photos": order.get("photos", []),
        "is_bulk": False,
        "flags": [],
        "officer_id": officer_id,
        "done_at": now,
        "received_at": now,
        "order_id": None,
    }
    saved = answer | {"photos": photos, "inspection_id": inspection_id, "expected": 0}
    await connection.fetchrow(*said(answers_store.SAVE_ANSWER, **saved))
    await connection.executemany(trace.INSERT.text, [_trace_row(inspection_id, context, answer, now)])
    receipt = {"id": receipt_id, "received_at": now, "digest": _DIGEST.hex()}
    body = msgspec.json.encode({"receipt": receipt, "result": answer})
    await connection.execute(*said(KEEP, of_principal=_PRINCIPAL, of_key=key, status=201, answer=body, location=None))
    return body


def _trace_row(inspection_id: UUID, context: Any, answer: dict[str, Any], now: datetime) -> list[Any]:
    trace_id = new_id(now, system_random)
    return trace.INSERT.arguments(
        {
            "id": trace_id,
            "business": "行政检查",
            "power": "行政检查权",
            "duty": "检查结果录入",
            "action": "inspection.answer_recorded",
            "at": now,
            "operator_id": _PRINCIPAL,
            "operator_name": "执法人员",
            "post": "执法岗",
            "subject": "inspection",
            "subject_id": inspection_id,
            "department_id": context["acts_for"],
            "region": context["region"],
            "site_id": context["site_id"],
            "before": None,
            "after": msgspec.json.encode(answer).decode(),
            "request_id": trace_id,
            "device_at": None,
            "longitude": None,
            "latitude": None,
            "key_version": 1,
            "mac": _MAC,
        }
    )


# ---- evidence


class Dropbox:
    """Where photos are hashed, decoded and written: one job in one of two threads, one row, in clear."""

    def __init__(self, folder: Path) -> None:
        """Write to `folder`."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS)

    async def take(self, pool: asyncpg.Pool, body: bytes) -> bytes:
        """Keep one photo."""
        digest, width, height = await asyncio.get_running_loop().run_in_executor(self._threads, self._keep, body)
        file = {"digest": digest, "media_type": "image/jpeg", "size": len(body), "width": width, "height": height}
        async with pool.acquire() as connection:
            await connection.execute(
                *said(
                    evidence_store.INSERT_FILE,
                    **file,
                    copies="waiting",
                    quarantine_reason=None,
                    stored_at=datetime.now(UTC),
                )
            )
        return msgspec.json.encode({"result": file | {"digest": digest.hex()}})

    def _keep(self, body: bytes) -> tuple[bytes, int, int]:
        digest = hashlib.sha256(body).digest()
        with Image.open(io.BytesIO(body)) as picture:
            width, height = picture.size
            picture.draft("L", (1, 1))
            picture.load()
        with (self._folder / digest.hex()).open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        return digest, width, height

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


# ---- the package of the day


async def todays_package(connection: Any, officer_id: UUID, department_id: UUID, device_id: UUID) -> bytes:
    """The rows of the four statements, encoded once; nothing is sealed, no version computed."""
    today = local_date(datetime.now(UTC))
    series = await connection.fetchrow(*said(package_store.SERIES_OF_DEPARTMENT, department_id=department_id))
    numbers = await connection.fetch(
        *said(package_store.HELD_NUMBERS, department_code=series["code"], device_id=device_id)
    )
    day = {"officer_id": officer_id, "until": today + timedelta(days=1), "limit": _MOST_INSPECTIONS + 1}
    day |= {"after_due_on": date.min, "after_id": UUID(int=0)}
    rows = await connection.fetch(*said(package_store.DAY, **day))
    lines = await connection.fetch(*said(package_store.LINES_OF_MANY, inspections=[row["id"] for row in rows]))
    lists = {key: [dict(line) for line in own] for key, own in groupby(lines, key=itemgetter("inspection_id"))}
    return msgspec.json.encode(
        {
            "day": today,
            "entries": [{**row, "lines": lists[row["id"]]} for row in rows],
            "next_cursor": None,
            "numbers": [dict(each) for each in numbers],
        }
    )


# ---- scan


def shown_result(stored: dict[str, Any]) -> dict[str, Any]:
    """One published or withdrawn result, as the JSON in the row has it."""
    is_withdrawn = stored["state"] == "withdrawn"
    reply = stored["reply"]
    return {
        "id": stored["id"],
        "authorities": stored["authorities"],
        "kind": stored["kind"],
        "kind_label": KIND_LABELS[stored["kind"]],
        "completed_on": _day(stored["completed_at"]),
        "published_on": _day(stored["published_at"]),
        "withdrawn_on": _day(stored["withdrawn_at"]) if is_withdrawn else None,
        "outcome": None if is_withdrawn else stored["outcome"],
        "outcome_label": None if is_withdrawn else OUTCOME_LABELS[stored["outcome"]],
        "unchecked_items": stored["unchecked_items"],
        "correction": None if is_withdrawn else "not_required",
        "correction_label": None if is_withdrawn else "无需整改",
        "is_contested": stored["is_contested"],
        "reply": None if reply is None else {"text": reply["text"], "submitted_on": _day(reply["submitted_at"])},
    }


def shown_count(stored: dict[str, Any]) -> dict[str, Any]:
    """How many complaints of one type were concluded, as the JSON in the row has it."""
    return {"type": stored["type"], "label": TYPE_LABELS[stored["type"]], "count": stored["count"]}


def _day(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(WORKING_ZONE).date().isoformat()
