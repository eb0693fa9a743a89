"""The limit: bare ASGI over asyncpg, the same statements in the same order, and as little Python as they allow.

It knows one principal, checks nothing and trusts everybody; nobody could run it. What it serves a second is what the
database, the driver and the HTTP server leave to any program that says the same things to the same tables.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from api.wiring import APP_ROLE
from api.work import _CLAIM as CLAIM  # pyright: ignore[reportPrivateUsage]
from api.work import _KEEP as KEEP  # pyright: ignore[reportPrivateUsage]
from benchmarks.limit_complaints import take_complaint
from benchmarks.limit_search import found
from benchmarks.limit_visits import (
    Dropbox,
    record_answer,
    said,
    shown_count,
    shown_result,
    todays_package,
    write_message,
)
from domain.enterprise.model import LicenceCard
from domain.inspection import store
from domain.manual.model import ManualOfSite
from domain.scan.disclosure import DISCLOSURES, Audience
from domain.scan.store import SCANNED_SITE as SCANNED
from domain.scan.store import Contact
from domain.scan.view import Basics
from domain.shared import trace
from domain.shared.ids import new_id
from domain.shared.random import system_random
from domain.shared.sql import open_pool
from notifications.message import Channel, Message, Recipient

_PRINCIPAL = UUID(int=1)
_BASICS = Basics.__struct_fields__
_LICENCE = LicenceCard.__struct_fields__
_CONTACT = Contact.__struct_fields__
_MANUAL = ManualOfSite.__struct_fields__
ACTIONS = sorted(DISCLOSURES[Audience.CITIZEN].actions)
_FROM_CROCKFORD = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_INSPECTION_ID = re.compile(r"/inspections/([0-9a-f-]{36})/")
_MAC = bytes(32)
_DIGEST = bytes(32)


class Limit:
    """The ASGI application."""

    def __init__(self, dsn: str, pool_size: int, folder: Path) -> None:
        """Nothing is opened before it starts; photos go to `folder`."""
        self._dsn = dsn
        self._folder = folder
        self._dropbox: Dropbox | None = None
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request, or the server's beginning and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        status = 200
        match scope["method"]:
            case "POST":
                status, body = 201, await self._post(path, scope["headers"], await _read(receive))
            case "PUT":
                status, body = 201, await self._put(path, scope["headers"], await _read(receive))
            case _:
                body = await self._get(path, scope)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _post(self, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
        assert self._pool is not None
        if path != "/api/v1/public/complaints":
            return await self._check_in(path, headers, body)
        async with self._pool.acquire() as connection:
            return await take_complaint(connection, dict(headers), _code_id, msgspec.json.decode(body))

    async def _put(self, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
        assert self._pool is not None
        assert self._dropbox is not None
        if path.startswith("/api/v1/evidence/"):
            return await self._dropbox.take(self._pool, body)
        _, _, _, _, inspection_id, _, item_id = path.split("/")
        officer_id, _ = _believed(headers)
        async with self._pool.acquire() as connection, connection.transaction():
            return await record_answer(
                connection, officer_id, UUID(inspection_id), UUID(item_id), _key(headers), msgspec.json.decode(body)
            )

    async def _get(self, path: str, scope: dict[str, Any]) -> bytes:
        assert self._pool is not None
        if path.startswith("/api/v1/codes/"):
            return await self._scan(path.rpartition("/")[2])
        if path == "/api/v1/public/search":
            async with self._pool.acquire() as connection:
                return await found(connection, scope["query_string"])
        if path == "/api/v1/packages/today":
            async with self._pool.acquire() as connection:
                device_id = UUID(scope["query_string"].decode().partition("=")[2])
                return await todays_package(connection, *_believed(scope["headers"]), device_id)
        return b"{}"

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._pool = await open_pool(self._dsn, size=self._pool_size, role=APP_ROLE, application="limit")
        self._dropbox = Dropbox(self._folder)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._dropbox.close()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _scan(self, token: str) -> bytes:
        assert self._pool is not None
        code_id = _code_id(token)
        async with self._pool.acquire() as connection:
            site = await connection.fetchrow(*said(SCANNED, code_id=code_id))
        return msgspec.json.encode(
            {
                "audience": "citizen",
                "site_id": site["site_id"],
                "actions": ACTIONS,
                "basics": {name: site[name] for name in _BASICS},
                "licences": [{name: licence[name] for name in _LICENCE} for licence in site["licences"]],
                "regulator": {"name": site["regulator"], "hotline": site["hotline"]},
                "contact": site["contact"] and {name: site["contact"][name] for name in _CONTACT},
                "results": [shown_result(each) for each in site["results"]],
                "manuals": [{name: manual[name] for name in _MANUAL} for manual in site["manuals"]],
                "complaint_counts": [shown_count(each) for each in site["complaint_counts"]],
            }
        )

    async def _check_in(self, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
        assert self._pool is not None
        match = _INSPECTION_ID.search(path)
        assert match is not None
        key = _key(headers)
        async with self._pool.acquire() as connection, connection.transaction():
            return await _check_in(connection, UUID(match[1]), key, msgspec.json.decode(body))


def _code_id(token: str) -> bytes:
    return base64.b32decode(token.translate(_FROM_CROCKFORD) + "=")[1:9]


def _key(headers: list[tuple[bytes, bytes]]) -> str:
    return next(value for name, value in headers if name == b"idempotency-key").decode()


def _believed(headers: list[tuple[bytes, bytes]]) -> tuple[UUID, UUID]:
    """The officer and the department that the caller claims to be."""
    claim = next(value for name, value in headers if name == b"authorization").decode()
    officer, _, department = claim.removeprefix("Bearer ").partition("/")
    return UUID(officer), UUID(department)


async def _read(receive: Any) -> bytes:
    message = await receive()
    pieces: list[bytes] = [message["body"]]
    while message["more_body"]:
        message = await receive()
        pieces.append(message["body"])
    return b"".join(pieces)


async def _check_in(connection: Any, inspection_id: UUID, key: str, order: dict[str, Any]) -> bytes:
    now = datetime.now(UTC)
    receipt_id, visit_id, check_in_id = (new_id(now, system_random) for _ in range(3))
    code_id = _code_id(order["code"][-31:])
    claim = {
        "principal_id": _PRINCIPAL,
        "key": key,
        "fingerprint": _DIGEST,
        "receipt_id": receipt_id,
        "received_at": now,
    }
    await connection.execute(CLAIM.text, *CLAIM.arguments(claim))
    inspection = await connection.fetchrow(*said(store.LOCK_INSPECTION, inspection_id=inspection_id))
    await connection.fetchrow(*said(store.LATEST_VISIT, inspection_id=inspection_id))
    officers = await connection.fetch(*said(store.ASSIGNED_OFFICERS, inspection_id=inspection_id, as_of=now))
    await connection.fetchrow(*said(store.CODE_SITE, code_id=code_id))
    visit = {"id": visit_id, "inspection_id": inspection_id, "sequence": 1, "opened_by": check_in_id, "arrived_at": now}
    await connection.execute(store.INSERT_VISIT.text, *store.INSERT_VISIT.arguments(visit))
    stored = _stored_check_in(order, check_in_id, visit_id, code_id, officers, now)
    await connection.execute(store.INSERT_CHECK_IN.text, *store.INSERT_CHECK_IN.arguments(stored))
    parties = await connection.fetch(*said(store.PARTIES, inspection_id=inspection_id))
    answer = _answer(stored, inspection_id)
    trace_id = new_id(now, system_random)
    await connection.executemany(trace.INSERT.text, [_trace_row(inspection, parties[0], trace_id, answer, now)])
    await write_message(connection, _message(inspection, parties[0]), trace_id, now)
    receipt = {"id": receipt_id, "received_at": now, "digest": _DIGEST.hex()}
    body = msgspec.json.encode({"receipt": receipt, "result": answer})
    await connection.execute(
        KEEP.text,
        *KEEP.arguments({"of_principal": _PRINCIPAL, "of_key": key, "status": 201, "answer": body, "location": None}),
    )
    return body


def _stored_check_in(
    order: dict[str, Any], check_in_id: UUID, visit_id: UUID, code_id: bytes, officers: list[Any], now: datetime
) -> dict[str, Any]:
    fix = order["position"]
    return {
        "id": check_in_id,
        "visit_id": visit_id,
        "department_id": officers[0]["acts_for"],
        "officer_id": officers[0]["id"],
        "second_officer_id": officers[1]["id"],
        "means": "printed_code",
        "code_id": code_id,
        "longitude": fix["longitude"],
        "latitude": fix["latitude"],
        "accuracy_m": fix["accuracy_m"],
        "fixed_at": now,
        "datum": fix["datum"],
        "wgs84_longitude": fix["longitude"],
        "wgs84_latitude": fix["latitude"],
        "distance_outside_m": 0.0,
        "flags": [],
        "position_reason": None,
        "late_scan_reason": None,
        "late_scan_note": None,
        "done_at": now,
        "received_at": now,
        "departed_at": None,
    }


def _answer(stored: dict[str, Any], inspection_id: UUID) -> dict[str, Any]:
    return {
        "id": stored["id"],
        "inspection_id": inspection_id,
        "visit_id": stored["visit_id"],
        "visit_sequence": 1,
        "department_id": stored["department_id"],
        "officer_id": stored["officer_id"],
        "second_officer_id": stored["second_officer_id"],
        "means": "printed_code",
        "flags": [],
        "distance_outside_m": 0.0,
        "done_at": stored["done_at"],
        "received_at": stored["received_at"],
        "list_is_open": False,
    }


def _trace_row(inspection: Any, party: Any, trace_id: UUID, answer: dict[str, Any], now: datetime) -> list[Any]:
    return trace.INSERT.arguments(
        {
            "id": trace_id,
            "business": "行政检查",
            "power": "行政检查权",
            "duty": "扫码报到",
            "action": "inspection.checked_in",
            "at": now,
            "operator_id": _PRINCIPAL,
            "operator_name": "执法人员",
            "post": "执法岗",
            "subject": "inspection",
            "subject_id": inspection["id"],
            "department_id": party["department_id"],
            "region": inspection["region"],
            "site_id": inspection["site_id"],
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


def _message(inspection: Any, party: Any) -> Message:
    return Message(
        template="arrival",
        channel=Channel.SMS,
        recipient=Recipient.ENTERPRISE,
        recipient_id=inspection["enterprise_id"],
        parameters={
            "department": party["short_name"],
            "officers": "2",
            "notice": inspection["notice_number"],
            "hotline": party["hotline"],
        },
    )
