"""Inspectors who carry out whole visits against a running installation, and repeat whatever got no answer."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any, Self
from uuid import uuid4

import httpx
import msgspec
from PIL import Image

from domain.shared.ids import new_id
from tests.support.installation import Installation

_TRIES = 300
_PAUSE = 0.1  # seconds
_PERSON = {"name": "韦秀英", "post": "店长"}
_DUE_IN = timedelta(days=14)


class Receipt(msgspec.Struct, frozen=True):
    """A write that was accepted: what it was, and the receipt that came with the answer."""

    act: str
    key: str
    receipt_id: str
    inspection: str
    result: dict[str, Any]


class Photo(msgspec.Struct, frozen=True):
    """What was handed in."""

    inspection: str
    digest: str
    body: bytes


def noisy_photo(chance: Random, side: int) -> bytes:
    """A JPEG that no other photo equals, the larger the more bytes."""
    picture = Image.frombytes("RGB", (side, side), chance.randbytes(side * side * 3))
    out = BytesIO()
    picture.save(out, "JPEG", quality=60)
    return out.getvalue()


class Client:
    """One signed-in account that sends every request until an answer comes that is no passing trouble."""

    def __init__(self, installation: Installation, account: str | None) -> None:
        """Sign in as `account` of the demonstration; None stays a citizen."""
        self.http = httpx.Client(base_url=installation.base_url, timeout=10)
        self.repeats: Counter[str] = Counter()
        self.account: dict[str, Any] = {}
        if account is not None:
            known = installation.facts()["accounts"][account]
            session = self.send(
                "POST", "/api/v1/sessions", json={"name": known["name"], "password": known["password"]}
            ).json()
            self.account = session["account"]
            self.http.headers["Authorization"] = f"Bearer {session['access_token']}"

    def __enter__(self) -> Self:
        """Close the connections at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Raises TimeoutError when the installation does not come back."""
        for _ in range(_TRIES):
            try:
                answer = self.http.request(method, path, **arguments)
            except httpx.HTTPError as lost:
                self.repeats[type(lost).__name__] += 1
            else:
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR and "problem:in-progress" not in answer.text:
                    return answer
                self.repeats[str(answer.status_code)] += 1
            time.sleep(_PAUSE)
        raise TimeoutError(path)

    def read(self, path: str, **query: str) -> httpx.Response:
        """A read that must succeed."""
        answer = self.send("GET", path, params=query)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer


class Inspector(Client):
    """Does whole visits, request by request, and keeps every receipt."""

    def __init__(self, installation: Installation, account: str, chance: Random) -> None:
        """Sign in as one of the demonstration's inspectors."""
        super().__init__(installation, account)
        self._chance = chance
        self.officer = self.account["officer_id"]
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.accepted: list[Receipt] = []
        self.photos: list[Photo] = []
        self.completed: list[tuple[str, str]] = []

    def _write(self, act: str, method: str, path: str, body: Any, inspection: str, **how: Any) -> dict[str, Any]:
        self.may_go_on.wait()
        key = str(uuid4())
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Idempotency-Key": key, **how.pop("headers", {})}
        answer = self.send(method, path, headers=headers, **sent, **how)
        assert answer.is_success, f"{act}: {answer.status_code} {answer.text}"
        told = answer.json()
        self.accepted.append(Receipt(act, key, told["receipt"]["id"], inspection, told["result"]))
        return told["result"]

    def _photo(self, inspection: str, side: int) -> str:
        body = noisy_photo(self._chance, side)
        digest = hashlib.sha256(body).hexdigest()
        where = {"params": {"inspection_id": inspection}}
        self._write("photo", "PUT", f"/api/v1/evidence/{digest}", body, inspection, **where)
        self.photos.append(Photo(inspection, digest, body))
        return digest

    def visit(self, site: Mapping[str, Any]) -> None:
        """One visit of one department from the door to its completion; every third item is a problem, put right."""
        inspection, below = site["inspection_id"], f"/api/v1/inspections/{site['inspection_id']}"
        self._arrive(site, below)
        ordered = self._answer_all(inspection, below)
        facts = {"person": _PERSON, "body_camera": "ZF-01", "statement_and_defence": "无"}
        self._write("facts", "PUT", f"{below}/record", facts, inspection)
        self._sign_all(inspection, below)
        if ordered:
            self._order(inspection, below, ordered)
        self._write("departure", "POST", f"{below}/departures", None, inspection)
        outcome = "ordered_to_rectify" if ordered else "no_problem"
        self._write("completion", "POST", f"{below}/completion", {"outcome": outcome}, inspection)
        self.completed.append((inspection, site["token"]))

    def _arrive(self, site: Mapping[str, Any], below: str) -> None:
        officers = self.read(below).json()["officers"]
        mine = next(each["department_id"] for each in officers if each["id"] == self.officer)
        second = next(each["id"] for each in officers if each["department_id"] == mine and each["id"] != self.officer)
        self._officers = [self.officer, second]
        where = {**site["position"], "accuracy_m": 12, "datum": "wgs84", "fixed_at": datetime.now(UTC).isoformat()}
        order = {"code": site["token"], "second_officer_id": second, "position": where}
        self._write("check-in", "POST", f"{below}/check-ins", order, site["inspection_id"])
        shown = {"response": "acknowledged", "person": _PERSON}
        self._write("identification", "POST", f"{below}/identifications", shown, site["inspection_id"])

    def _answer_all(self, inspection: str, below: str) -> list[str]:
        """Gives the items that are problems."""
        problems: list[str] = []
        for place, line in enumerate(self.read(f"{below}/checklist").json()["items"]):
            path = f"{below}/answers/{line['item_id']}"
            if place % 9:
                self._write("answer", "PUT", path, {"value": "no_problem"}, inspection)
                continue
            photos = [self._photo(inspection, self._chance.choice((40, 400)))]
            self._write("answer", "PUT", path, {"value": "no_problem", "photos": photos}, inspection)
            found = {"value": "problem", "measures": [{"kind": "rectify_within"}], "remark": "不符合要求。"}
            again = {"headers": {"If-Match": '"1"'}}
            self._write("answer", "PUT", path, found | {"photos": photos}, inspection, **again)
            problems.append(line["item_id"])
        return problems

    def _sign_all(self, inspection: str, below: str) -> None:
        record = self.read(f"{below}/record").headers["yima-record-digest"]
        common = {"record_digest": record, "images": [self._photo(inspection, 30)]}
        party = {"person": {"name": "韦秀英", "capacity": "店长", "is_adult": True}, "opinion": "已阅，属实。"}
        self._write("signature", "PUT", f"{below}/signatures/inspected_party", common | party, inspection)
        for officer in self._officers:
            signed = common | {"officer_id": officer}
            self._write("signature", "PUT", f"{below}/signatures/officer", signed, inspection)
        self._write("signature", "PUT", f"{below}/signatures/recorder", common, inspection)

    def _order(self, inspection: str, below: str, items: list[str]) -> None:
        due_on = (date.today() + _DUE_IN).isoformat()  # noqa: DTZ011 - the server's day, give or take one
        demands = [
            {"item_id": item, "demand": "立即整改到位。", "due_on": due_on, "term_reason": "风险较高"} for item in items
        ]
        order = {
            "id": str(new_id(datetime.now(UTC), secrets.token_bytes)),
            "items": demands,
            "due_on": due_on,
            "contact": {"name": "黄志强", "phone": "0771-5512345"},
        }
        self._write("order", "POST", f"{below}/rectification-orders", order, inspection)
