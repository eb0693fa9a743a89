"""Ids that sort by the time they were made (UUIDv7, RFC 9562)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.shared.random import Random


def new_id(now: datetime, random: Random) -> UUID:
    """A UUIDv7: 48 bits of milliseconds since 1970, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    noise = int.from_bytes(random(10), "big")
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= (noise >> 68 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= noise & (2**62 - 1)
    return UUID(int=value)
