"""What subscriptions and digests answer."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from api.schemas.search import url_of
from domain.search.model import EntryKind
from domain.subscription.digests import OpenDigest


class EndSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """退订 of one subscription; of all of the address where none is named."""

    subscription_id: UUID | None = None


class DigestItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a digest, and where a browser reads it."""

    kind: EntryKind
    kind_label: str
    id: UUID
    title: str
    authority: str | None
    dated_on: date | None
    url: str


class DigestView(msgspec.Struct, frozen=True, kw_only=True):
    """摘要 of one day, the newest first: what of it is public still. `has_more`: there was more than it lists."""

    on_day: date
    items: list[DigestItem]
    has_more: bool


def to_digest_view(found: OpenDigest) -> DigestView:
    """The digest as anybody may read it who has its link."""
    return DigestView(
        on_day=found.digest.on_day,
        items=[
            DigestItem(
                kind=each.kind,
                kind_label=each.kind.label,
                id=each.id,
                title=each.title,
                authority=each.authority,
                dated_on=each.dated_on,
                url=url_of(each.kind, each.target, each.id),
            )
            for each in found.entries
        ],
        has_more=found.digest.has_more,
    )
