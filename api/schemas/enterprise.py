"""The one code's life on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from codes.token import TokenKeys, code_url, issue_token
from domain.enterprise.model import CodeState, SiteCode


class CodeReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a code is replaced or revoked; 2 to 200 characters."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


class CodeCard(msgspec.Struct, frozen=True, kw_only=True):
    """A site's code: its token, and the address that is printed."""

    site_id: UUID
    token: str
    url: str
    state: CodeState
    issued_at: datetime


def to_card(code: SiteCode, state: CodeState, keys: TokenKeys, public_url: str) -> CodeCard:
    """The code with its token, under the key it was made with."""
    token = issue_token(keys, code.code_id, code.key_version)
    return CodeCard(
        site_id=code.site_id, token=token, url=code_url(public_url, token), state=state, issued_at=code.issued_at
    )
