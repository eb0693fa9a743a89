"""What is told of one operation, and the refusals that many of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from api.work import InProgress, KeyReused, PredecessorMissing
from domain.identity.tokens import TokenExpired, TokenInvalid
from domain.shared.errors import Conflict, DomainError, InvalidField

Refusals = tuple[type[DomainError], ...]

LINKSET = "application/linkset+json"
SIGNED_IN: Refusals = (TokenInvalid, TokenExpired)
"""What every operation refuses that looks at a token."""
KEYED: Refusals = (InvalidField, KeyReused, InProgress, PredecessorMissing, Conflict)
"""What every write under an Idempotency-Key may refuse."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `result` None: as the signature says. `otherwise` are answers that are no problem documents.

    `media` are the media types of a success where they are not just JSON; `knows_caller`: public, but it answers
    differently to whom it knows; `is_conditional`: it has an ETag and understands If-None-Match. `body`: the media
    types of a request that is a file and no JSON; `headers`: what it understands beside those of every write; `tells`:
    the headers of a success.
    """

    result: Any = None
    refuses: Refusals = ()
    otherwise: Mapping[int, Any] = {}
    media: tuple[str, ...] = ("application/json",)
    knows_caller: bool = False
    is_conditional: bool = False
    body: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
