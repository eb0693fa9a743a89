"""全国12315: where market supervision takes up what consumers complain of, by link or by port."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from domain.complaint.model import CONSUMER_TYPES, GrievanceType

NATIONAL_ENTRANCE: Final = "https://www.12315.cn/"


class ConsumerMatter(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer's 投诉 as the national platform takes it; it holds personal data and is never kept."""

    id: UUID
    type: GrievanceType
    filed_at: datetime
    uscc: str
    enterprise_name: str
    description: str
    wish: str | None
    complainant_name: str
    complainant_phone: str


class GatewayAway(Exception):
    """The platform does not answer now; it may be asked again."""


class ConsumerComplaintGateway(Protocol):
    """The national platform as this house sees it."""

    def link(self, kind: GrievanceType) -> str | None:
        """Where a citizen may hand in the matter there, or None for what it does not take."""
        ...

    async def hand_over(self, matter: ConsumerMatter) -> str | None:
        """Hand it over; the platform's reference, or None where it takes nothing over. Twice is as good as once.

        Raises `GatewayAway`.
        """
        ...


class LinkOnlyGateway:
    """Shows the way to the platform and hands nothing over: what an installation without an agreement has."""

    def link(self, kind: GrievanceType) -> str | None:
        """The public entrance, for what consumers complain of."""
        return NATIONAL_ENTRANCE if kind in CONSUMER_TYPES else None

    async def hand_over(self, matter: ConsumerMatter) -> str | None:
        """Nothing is handed over."""
        del matter
        return None
