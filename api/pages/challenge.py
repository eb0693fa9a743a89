"""The page between a form and its taking, where only a proof of work lets it through: nothing typed is lost.

A browser with JavaScript solves the challenge and sends the form again by itself; without, the page says when to press
the button.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Response

from api import pages
from api.wiring import Parts
from domain.visitor.rules import ProofRequired, span

_SCRIPT = pages.script_of("challenge.js")
_OURS = frozenset({"proof"})


def challenge_page(
    parts: Parts, error: ProofRequired, action: str, fields: Mapping[str, Sequence[str]]
) -> Response[bytes]:
    """429 as a page: the form's `fields` once more, hidden, to be sent to `action` with the proof.

    Files are not among them: name those that were taken in by their digests (`<field>_digest`, as hex).
    """
    kept = [(name, value) for name, values in fields.items() if name not in _OURS for value in values]
    challenge: dict[str, Any] = parts.challenges.make(error.cost, parts.clock())
    body = pages.render(
        "challenge.html",
        scripts=(_SCRIPT,),
        action=action,
        wait=span(error.retry_after),
        challenge=msgspec.json.encode(challenge).decode(),
        fields=kept,
    )
    headers = {
        **pages.headers_with(_SCRIPT),
        "Cache-Control": "no-store",
        "Retry-After": str(error.retry_after),
    }
    return Response(body, status_code=429, media_type="text/html", headers=headers)
