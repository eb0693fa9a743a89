"""Orders by the thousand in a running installation: each to an enterprise with a phone of its own, by its own act."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import asyncpg
import msgspec

from api.wiring import Parts, open_parts
from api.work import DatabaseAway, InProgress
from domain.evidence.model import BlobPlace
from domain.rectification.events import OrderFacts, RectificationOrderIssued
from domain.rectification.model import Order
from domain.rectification.operations import place_of
from domain.rectification.service_rules import Addresses
from domain.rectification.serving import ADDRESSES_LABEL
from domain.rectification.store import INSERT_ORDER, ORDER_BY_ID
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import OPERATOR
from tests.support.installation import Installation

_SPACE: Final = UUID(int=0x59494D41)
_PAUSE: Final = 0.1  # seconds
_LIKE_ENTERPRISE: Final = (
    "INSERT INTO enterprise SELECT (jsonb_populate_record(kept, $2)).* FROM enterprise kept WHERE id = $1"
)
_LIKE_DOCUMENT: Final = (
    "INSERT INTO document SELECT (jsonb_populate_record(kept, $2)).* FROM document kept WHERE id = $1"
)
_CONSENT: Final = (
    "INSERT INTO service_consent (id, enterprise_id, means, addresses_sealed, given_by, given_at) "
    "VALUES ($1, $2, '{sms}', $3, $1, $4)"
)


class Notice(msgspec.Struct, frozen=True):
    """An order to be: whose, and the phone that gets its SMS."""

    order_id: UUID
    document_id: UUID
    enterprise_id: UUID
    phone: str


def notices(count: int) -> list[Notice]:
    """So many, each to another enterprise and phone; the same ones each time."""

    def one(place: int) -> Notice:
        order, document, enterprise = (uuid5(_SPACE, f"{kind} {place}") for kind in ("order", "paper", "enterprise"))
        return Notice(order, document, enterprise, f"139{place:08d}")

    return [one(place) for place in range(count)]


@asynccontextmanager
async def parts_of(installation: Installation, dsn: str) -> AsyncGenerator[Parts]:
    """The parts of a running installation, for acts beside its own servers."""
    var = installation.var
    place = BlobPlace(str(var / "blobs"))
    async with open_parts(dsn, var / "keys", blobs=place, pool_size=4, application="yima test") as parts:
        yield parts


class Issuer:
    """Issues orders like one that an inspector has issued, and repeats whatever got no answer."""

    def __init__(self, parts: Parts, model: Order, department: asyncpg.Record) -> None:
        """Each order is like `model`, but for its enterprise."""
        self._parts = parts
        self._model = model
        self._department = department
        self.repeats = 0

    @classmethod
    async def like_the_first(cls, parts: Parts, owner: asyncpg.Connection) -> Issuer:
        """After the only order that the installation has."""
        order_id = await owner.fetchval("SELECT id FROM rectification_order")
        async with parts.work.reading() as connection:
            model = await ORDER_BY_ID.one(connection, order_id=order_id)
        department = await owner.fetchrow("SELECT code, name FROM department WHERE id = $1", model.department_id)
        assert department is not None
        return cls(parts, model, department)

    async def prepare(self, owner: asyncpg.Connection, wanted: Sequence[Notice]) -> None:
        """The enterprises, each of which agreed to be served by SMS at its own number."""
        now, vault = self._parts.clock(), self._parts.vault
        enterprises: list[tuple[UUID, str]] = []
        consents: list[tuple[Any, ...]] = []
        for place, each in enumerate(wanted):
            changes = {
                "id": each.enterprise_id,
                "uscc": f"TEST{place:014d}",
                "liaison_phone_sealed": None,
                "liaison_phone_index": None,
            }
            enterprises.append((self._model.enterprise_id, msgspec.json.encode(changes).decode()))
            agreed = msgspec.json.encode(Addresses(phone=each.phone, email=None)).decode()
            sealed = vault.seal(ADDRESSES_LABEL, agreed)
            consents.append((uuid5(each.enterprise_id, "consent"), each.enterprise_id, sealed, now))
        await owner.executemany(_LIKE_ENTERPRISE, enterprises)
        await owner.executemany(_CONSENT, consents)

    async def issue(self, notice: Notice) -> None:
        """One order in one transaction with its message; repeated until it is known to be there, it is there once."""
        while True:
            try:
                await self._parts.work.run(OPERATOR, lambda tx: self._issue(tx, notice))
            except (DatabaseAway, InProgress):
                self.repeats += 1
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _issue(self, tx: Transaction, notice: Notice) -> Outcome[None]:
        if await ORDER_BY_ID.first(tx.connection, order_id=notice.order_id) is not None:
            return Outcome(answer=None)  # the answer was lost, the order was not
        order = msgspec.structs.replace(
            self._model,
            id=notice.order_id,
            document_id=notice.document_id,
            enterprise_id=notice.enterprise_id,
            issued_at=tx.now,
            due_on=(tx.now + timedelta(days=14)).date(),
            served_on=None,
        )
        changes = {
            "id": notice.document_id,
            "subject_id": notice.order_id,
            "enterprise_id": notice.enterprise_id,
            "verification_code": hashlib.sha256(notice.document_id.bytes).hexdigest()[:16],
        }
        await tx.connection.execute(_LIKE_DOCUMENT, self._model.document_id, changes)
        await INSERT_ORDER.run(tx.connection, **msgspec.structs.asdict(order))
        number = NumberRequest(
            department_code=self._department["code"], kind=NumberKind.RECTIFICATION, subject_id=notice.document_id
        )
        return Outcome(answer=None, events=(self._event(order),), numbers=(number,))

    def _event(self, order: Order) -> RectificationOrderIssued:
        return RectificationOrderIssued(
            **place_of(order),
            after=OrderFacts(
                inspection_id=order.inspection_id,
                document_id=order.document_id,
                state=order.state,
                round=order.round,
                due_on=order.due_on,
                re_inspection_due_on=order.re_inspection_due_on,
                items=[],
                leased_number=None,
                late_reason=None,
                issued_at=order.issued_at,
            ),
            consents=["sms"],
            department_name=self._department["name"],
            hotline=None,
            due_on=order.due_on,
        )
