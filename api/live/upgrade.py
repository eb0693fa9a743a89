"""A WebSocket that is refused is told so as any other request is: as a problem, before the upgrade."""

from __future__ import annotations

from typing import Any, Final, cast

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, answer_domain_error, answer_http_error
from domain.shared.errors import DomainError

_ANSWERS: Final = "websocket.http.response"
_POLICY_VIOLATION: Final = 1008


def tell_refused_upgrades(app: ASGIApp) -> ASGIApp:
    """In front of the gate, whose refusals a WebSocket would otherwise hear as a bare 403."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        try:
            await app(scope, receive, send)
        except (DomainError, HTTPException) as refused:
            await refuse_upgrade(scope, send, refused)

    return told


async def refuse_upgrade(scope: Any, send: Send, refused: DomainError | HTTPException) -> None:
    """Answer with the problem where the server can; else close, which is a 403."""
    nobody = cast("Request[Any, Any, Any]", None)  # neither answer looks at the request
    if isinstance(refused, DomainError):
        answer = answer_domain_error(nobody, refused)
    else:
        answer = answer_http_error(nobody, refused)
    if _ANSWERS not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        return
    for message in _messages(answer):
        await send(message)


def _messages(answer: Response[bytes]) -> tuple[Message, Message]:
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(answer.content)), **answer.headers}
    start: Any = {
        "type": f"{_ANSWERS}.start",
        "status": answer.status_code,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    body: Any = {"type": f"{_ANSWERS}.body", "body": answer.content, "more_body": False}
    return start, body
