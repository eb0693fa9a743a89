"""行权留痕: the trace that every act leaves (SUP-08), and how it is sealed.

Each row carries an HMAC-SM3 over its stored bytes, each field length-prefixed so that no two rows read alike. The
relay chains the rows in their final order: a link covers the former link, the position, and the row's place and MAC.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, hmac

from domain.shared.events import Circumstances, Event, Operator
from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.sql import Command
from domain.shared.tables import trace

_FORMAT = 1
_ABSENT = struct.pack(">I", 0xFFFFFFFF)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_LINK = bytes(32)
"""The link before position 1."""


class TraceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored row without its place (`tx`, `n`), which the database gives."""

    id: UUID
    business: str
    power: str
    duty: str
    action: str
    at: datetime
    operator_id: UUID
    operator_name: str
    post: str
    subject: str
    subject_id: UUID
    department_id: UUID | None
    region: str | None
    site_id: UUID | None
    before: str | None
    after: str | None
    request_id: UUID
    device_at: str | None
    longitude: float | None
    latitude: float | None
    key_version: int
    mac: bytes = b""


_SEALED_FIELDS = tuple(name for name in TraceRow.__struct_fields__ if name != "mac")


def _stored_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        elapsed = value - _EPOCH
        return struct.pack(">q", (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds)
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, int):
        return struct.pack(">q", value)
    raise TypeError(f"{type(value).__name__} has no stored form in the trace")


def sealed_bytes(row: TraceRow) -> bytes:
    """What the row's MAC covers: format version, then each field, length-prefixed; absent is told from empty."""
    parts = [struct.pack(">B", _FORMAT)]
    for name in _SEALED_FIELDS:
        value = getattr(row, name)
        if value is None:
            parts.append(_ABSENT)
        else:
            data = _stored_bytes(value)
            parts.append(struct.pack(">I", len(data)) + data)
    return b"".join(parts)


class TraceSeal:
    """Computes the MACs and links of the trace."""

    def __init__(self, keys: KeyRing) -> None:
        """Prepare one HMAC per trace key of `keys`."""
        self.version, _ = keys.current(KeyPurpose.TRACE)
        self._macs = {version: hmac.HMAC(key, hashes.SM3()) for version, key in keys.all(KeyPurpose.TRACE).items()}

    def mac(self, row: TraceRow) -> bytes:
        """32 bytes over `row`, under the key version that it names. KeyError if that version is unknown."""
        mac = self._macs[row.key_version].copy()
        mac.update(sealed_bytes(row))
        return mac.finalize()

    def link(self, former: bytes, position: int, trace_id: UUID, tx: int, n: int, mac: bytes) -> bytes:
        """The chain's link at `position`. The oldest key is used: a chain is one from its first row on."""
        link = self._macs[min(self._macs)].copy()
        link.update(former + struct.pack(">qqq", position, tx, n) + trace_id.bytes + mac)
        return link.finalize()


def _as_stored(degrees: float | None) -> float | None:
    """Whole degrees may come as an int; the column gives back a float, and the seal must fit that."""
    return None if degrees is None else float(degrees)


def write_down(
    event: Event,
    *,
    trace_id: UUID,
    at: datetime,
    operator: Operator,
    circumstances: Circumstances,
    seal: TraceSeal,
) -> TraceRow:
    """The sealed row of `event`."""
    row = TraceRow(
        id=trace_id,
        business=event.business,
        power=event.power,
        duty=event.duty,
        action=event.action,
        at=at,
        operator_id=operator.id,
        operator_name=operator.name,
        post=operator.post,
        subject=event.subject,
        subject_id=event.subject_id,
        department_id=event.department_id,
        region=event.region,
        site_id=event.site_id,
        before=None if event.before is None else msgspec.json.encode(event.before).decode(),
        after=None if event.after is None else msgspec.json.encode(event.after).decode(),
        request_id=circumstances.request_id,
        device_at=circumstances.device_at,
        longitude=_as_stored(circumstances.longitude),
        latitude=_as_stored(circumstances.latitude),
        key_version=seal.version,
    )
    return msgspec.structs.replace(row, mac=seal.mac(row))


INSERT = Command(
    sa.insert(trace).values({name: sa.bindparam(name) for name in TraceRow.__struct_fields__}),
)


def insert_arguments(rows: Sequence[TraceRow]) -> list[dict[str, object]]:
    """The rows as the insert statement takes them."""
    return [msgspec.structs.asdict(row) for row in rows]
