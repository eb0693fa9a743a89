"""Phones without a network: every write of a visit recorded as it will be sent, and what befalls it on the way."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

import httpx
import msgspec
import rfc8785

from domain.identity.model import Principal
from domain.selection.sealing import SealedList, open_list
from domain.shared.ids import new_id
from tests.support.client import Actor, Api
from tests.support.factories import position_fix
from tests.support.inspecting import digest

_KEYS = UUID(int=0x5EED)
_UNSAID = {
    **dict.fromkeys(("person", "place", "ended_at", "recusal", "situation", "statement_and_defence")),
    "samples": [],
    "assistants": [],
    **dict.fromkeys(("body_camera", "no_body_camera_reason", "language", "interpreter")),
    "is_outside_working_hours": False,
    "has_trade_secrets": False,
}


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a phone's queue, byte for byte as it is sent, however often."""

    who: Principal
    name: str
    method: str
    path: str
    body: bytes
    key: str
    done_at: datetime
    after: str | None = None
    if_match: int | None = None

    async def send(self, api: Api) -> httpx.Response:
        """Send it, under a token of this instant."""
        kind = "application/octet-stream" if self.path.startswith("/api/v1/evidence") else "application/json"
        headers = {"Idempotency-Key": self.key, "Yima-Done-At": self.done_at.isoformat(), "Content-Type": kind}
        if self.after is not None:
            headers["Yima-After"] = self.after
        if self.if_match is not None:
            headers["If-Match"] = f'"{self.if_match}"'
        headers |= api.as_(self.who).bearer()
        return await api.http.request(self.method, self.path, content=self.body, headers=headers)


class Order(msgspec.Struct, frozen=True):
    """责令改正通知书 as the phone that made it remembers it."""

    id: str
    item: str


class Phone:
    """One person's phone: what it downloaded, what was done on it, and the queue of what is to be sent.

    Evidence waits for nothing; each other write names the one before it in this queue.
    """

    def __init__(self, who: Principal, inspection: UUID, name: str, at: datetime) -> None:
        """Begin at `at`, with nothing queued."""
        self.who = who
        self.inspection = inspection
        self.name = name
        self.now = at
        self.queue: list[Write] = []
        self._last: str | None = None

    def wait(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)

    def photo(self, body: bytes) -> str:
        """Take a photo; gives its digest."""
        name = digest(body)
        self._put("PUT", f"/api/v1/evidence/{name}?inspection_id={self.inspection}", body, "evidence")
        return name

    def write(self, method: str, path: str, body: object, *, if_match: int | None = None) -> None:
        """Queue a write behind the one before."""
        content = b"" if body is None else msgspec.json.encode(body)
        queued = self._put(method, path, content, path.partition("?")[0], after=self._last, if_match=if_match)
        self._last = queued.key

    def _put(self, method: str, path: str, body: bytes, name: str, **how: Any) -> Write:
        self.wait(minutes=1, milliseconds=37)
        key = str(uuid5(_KEYS, f"{self.name} {len(self.queue)}"))
        write = Write(who=self.who, name=name, method=method, path=path, body=body, key=key, done_at=self.now, **how)
        self.queue.append(write)
        return write


class InspectorsPhone(Phone):
    """An inspector's: it opens the sealed list by the code at the door, and makes the record without the server."""

    def __init__(self, who: Principal, pack: Mapping[str, Any], code: str, at: datetime, name: str) -> None:
        """Hold `pack`, the inspection as the package of the day has it."""
        super().__init__(who, UUID(pack["id"]), name, at)
        self.pack = pack
        self.department = str(who.department_id)
        self.code = code
        self.lines = [each for each in _open(pack, code) if each["department_id"] == self.department]
        self._officers: list[str] = []
        self._visit: dict[str, Any] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._facts: dict[str, Any] = {}

    def _below(self, *rest: str) -> str:
        return "/".join([f"/api/v1/inspections/{self.inspection}", *rest])

    def line(self, code: str) -> dict[str, Any]:
        """The drawn item of that code."""
        return next(each for each in self.lines if each["code"] == code)

    def check_in(self, second: UUID) -> None:
        """Scan the code at the door."""
        fix = position_fix(fixed_at=self.now)
        body = {"second_officer_id": second, "code": self.code, "position": fix}
        self._officers = [str(self.who.officer_id), str(second)]
        self.write("POST", self._below("check-ins"), body)
        self._visit = {
            "sequence": 1,
            "arrived_at": _told(self.now),
            "means": "printed_code",
            "officers": sorted(self._officers),
            "identification": None,
        }

    def identify(self, person: Mapping[str, str]) -> None:
        """亮证告知, acknowledged on the officer's screen."""
        self.write("POST", self._below("identifications"), {"response": "acknowledged", "person": person})
        shown = {"response": "acknowledged", "shown_on": "officer_screen", "reason": None, "at": _told(self.now)}
        self._visit["identification"] = shown

    def answer(self, code: str, value: str = "no_problem", **fields: Any) -> None:
        """Answer one item, or change its answer."""
        line = self.line(code)
        known = self._answers.get(line["item_id"])
        version = 0 if known is None else known["version"]
        self.write("PUT", self._below("answers", line["item_id"]), {"value": value, **fields}, if_match=version or None)
        self._keep(line, version + 1, {"value": value, **fields}, is_bulk=False)

    def mark_in_bulk(self, area: str) -> None:
        """一键未发现问题."""
        self.write("POST", self._below("answers"), {"area": area})
        for line in self.lines:
            if line["area"] == area and not line["is_mandatory"] and line["item_id"] not in self._answers:
                self._keep(line, 1, {"value": "no_problem"}, is_bulk=True)

    def _keep(self, line: Mapping[str, Any], version: int, given: Mapping[str, Any], *, is_bulk: bool) -> None:
        empty = {"measures": [], "reason": None, "remark": None, "photos": []}
        self._answers[line["item_id"]] = {**empty, **given, "version": version, "bulk": is_bulk, "at": _told(self.now)}

    @property
    def unanswered(self) -> list[str]:
        """The codes of the items that want an answer."""
        return [each["code"] for each in self.lines if each["item_id"] not in self._answers]

    def add_facts(self, **facts: Any) -> None:
        """检查笔录填写."""
        self.write("PUT", self._below("record"), facts)
        self._facts = {**_UNSAID, **facts}

    def record(self) -> bytes:
        """The canonical record, made of nothing but what this phone knows (mobile_contract/test_vectors)."""
        pack, told = self.pack, ("value", "measures", "reason", "remark", "photos", "bulk", "at")
        answered = [(line, self._answers[line["item_id"]]) for line in self.lines if line["item_id"] in self._answers]
        return rfc8785.dumps(
            {
                "schema": "yima/record/1",
                "inspection": {name: pack[name] for name in ("id", "name", "kind", "source", "basis")},
                "department": self.department,
                "party": {"name": pack["enterprise_name"]}
                | {name: pack[name] for name in ("uscc", "representative", "address", "site_name")},
                "visits": [self._visit],
                "answers": [
                    {"item": line["item_id"], "place": line["place"], "by": str(self.who.officer_id)}
                    | {name: given[name] for name in told}
                    for line, given in answered
                ],
                "facts": self._facts,
            }
        )

    def sign_all(self, image: str) -> str:
        """The party, both officers and the recorder sign the record as this phone makes it; gives its digest."""
        record = hashlib.sha256(self.record()).hexdigest()
        common = {"record_digest": record, "images": [image]}
        person = {"name": "韦秀英", "capacity": "店长", "is_adult": True}
        party = {"person": person, "opinion": "以上笔录已阅，与实际一致。"}
        self.write("PUT", self._below("signatures", "inspected_party"), common | party)
        for officer in self._officers:
            self.write("PUT", self._below("signatures", "officer"), common | {"officer_id": officer})
        self.write("PUT", self._below("signatures", "recorder"), common)
        return record

    def order(self, code: str, due_on: str, demand: str) -> Order:
        """责令改正通知书 for one item, under an id of the phone's own making."""
        item = self.line(code)["item_id"]
        order_id = str(new_id(self.now, lambda count: hashlib.sha256(self.name.encode()).digest()[:count]))
        body = {
            "id": order_id,
            "items": [{"item_id": item, "demand": demand, "due_on": due_on}],
            "due_on": due_on,
            "contact": {"name": "黄志强", "phone": "0771-5512345"},
        }
        self.write("POST", self._below("rectification-orders"), body)
        return Order(order_id, item)

    def depart(self) -> None:
        """离场."""
        self.write("POST", self._below("departures"), None)

    def complete(self, outcome: str) -> None:
        """完成检查."""
        self.write("POST", self._below("completion"), {"outcome": outcome})

    def re_inspect(self, order: Order, result: str, second: UUID, photo: str, **fields: Any) -> None:
        """整改复查."""
        noise = hashlib.sha256(order.id.encode()).digest()
        body = {
            "id": new_id(self.now, lambda count: noise[:count]),
            "result": result,
            "second_officer_id": second,
            "note": "现场复查，情况属实。",
            "items": [{"item_id": order.item, "is_corrected": result == "no_problem", "photos": [photo]}],
            **fields,
        }
        self.write("POST", f"/api/v1/rectification-orders/{order.id}/re-inspections", body)


def _told(at: datetime) -> str:
    """As JavaScript's `toISOString` gives it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _open(pack: Mapping[str, Any], code: str) -> list[dict[str, Any]]:
    packed = pack["sealed_list"]
    parts = {name: bytes.fromhex(packed[name]) for name in ("nonce", "iv", "ciphertext", "token_digest")}
    return msgspec.json.decode(open_list(SealedList(inspection_id=UUID(pack["id"]), **parts), code))


async def download(api: Api, who: Principal, inspection: UUID) -> dict[str, Any]:
    """The inspection out of today's package, as it lies on the phone before anybody leaves the office."""
    actor: Actor = api.as_(who)
    response = await actor.get("/api/v1/packages/today")
    assert response.status_code == 200, response.text
    return next(each["inspection"] for each in response.json()["entries"] if each["id"] == str(inspection))


# Underway

KEPT = frozenset({"predecessor-missing", "evidence-missing", "not-checked-in", "in-progress"})
"""Problems after which a phone keeps a write and sends it again: something of its own has not arrived."""
OTHERS_MISSING = frozenset({"department-not-checked-in", "visit-still-open", "signatures-missing", "order-missing"})
"""Problems of 完成检查 that pass by themselves when the other department's queue arrives."""


class Delivery(msgspec.Struct):
    """What became of some queues: requests sent, problems told, and the bytes that each key was answered with."""

    sent: int = 0
    kept: Counter[str] = msgspec.field(default_factory=Counter)
    answered: dict[str, bytes] = msgspec.field(default_factory=dict)

    def take(self, write: Write, response: httpx.Response) -> bool:
        """Whether it was accepted. Fails on whatever a phone would have to show to its owner."""
        self.sent += 1
        if response.is_success:
            first = self.answered.setdefault(write.key, response.content)
            assert first == response.content, f"{write.name}: another answer than the first time"
            return True
        kind = response.json()["type"].rpartition(":")[2]
        passing = KEPT | OTHERS_MISSING if write.name.endswith("/completion") else KEPT
        assert kind in passing, f"{write.name}: {response.status_code} {response.text}"
        self.kept[kind] += 1
        return False


async def deliver_in_order(api: Api, writes: Sequence[Write], delivery: Delivery) -> None:
    """Online: each at the moment at which it is done, once."""
    for write in sorted(writes, key=lambda each: each.done_at):
        api.clock.now = write.done_at
        assert delivery.take(write, await write.send(api)), write.name


async def deliver_by_chance(api: Api, writes: Sequence[Write], delivery: Delivery, chance: Random) -> None:
    """In any order, some at once, each 1 to 3 times; some never arrive, and some answers are lost."""
    waiting = list(writes)
    rounds = 0
    while waiting:
        rounds += 1
        assert rounds < 30 * len(writes), f"stuck: {[write.name for write in waiting]}"
        chance.shuffle(waiting)
        some = waiting[: chance.randint(1, 6)]
        arriving = [write for write in some for _ in range(chance.randint(1, 3)) if chance.random() > 0.1]
        chance.shuffle(arriving)
        api.clock.advance(timedelta(seconds=chance.uniform(0, 30)))
        responses = await asyncio.gather(*(write.send(api) for write in arriving))
        for write, response in zip(arriving, responses, strict=True):
            is_accepted = delivery.take(write, response)
            is_heard = chance.random() > 0.25
            if is_accepted and is_heard and write in waiting:
                waiting.remove(write)


async def repeat_all(api: Api, writes: Sequence[Write], delivery: Delivery, chance: Random) -> None:
    """Stragglers of the network: every write once more, long after, is answered as before."""
    for write in chance.sample(writes, len(writes)):
        assert delivery.take(write, await write.send(api))
