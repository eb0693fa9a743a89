"""Who calls, and whether they may: every route names who is permitted, and what it does not name is denied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from api.wiring import Parts
from domain.identity.model import Principal, Role

_PERMIT = "permit"
_ANYONE = "anyone"
_SUBPROTOCOL = "bearer."

STAFF = frozenset({Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD})
"""Officials who work with inspections; administrators run the system and see none of them."""


def permit(*roles: Role) -> dict[str, Any]:
    """The `opt` of a route for signed-in accounts of these roles."""
    return {_PERMIT: frozenset(roles)}


def permit_anyone() -> dict[str, Any]:
    """The `opt` of a route that needs no account; one that is given is still checked."""
    return {_PERMIT: _ANYONE}


def permitted(opt: Mapping[str, Any]) -> frozenset[Role] | None:
    """The roles that a route's `opt` permits; None means anyone. An `opt` without a permit denies everybody."""
    value = opt.get(_PERMIT, frozenset())
    return None if value == _ANYONE else value


def bearer_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The access token: in the Authorization header, or, for a browser's WebSocket, as a subprotocol."""
    header = connection.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(_SUBPROTOCOL):
            return offered.strip().removeprefix(_SUBPROTOCOL)
    return None


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The one guard of the whole application. Async although it waits for nothing: Litestar would call it in a thread.

    Raises `TokenInvalid` or `TokenExpired` for a token that is not good, also where none is needed.
    """
    roles = permitted(handler.opt)
    token = bearer_token(connection)
    principal: Principal | None = None
    if token is not None:
        parts: Parts = connection.app.state.parts
        principal = parts.session_tokens.read_access(token, parts.clock())
    connection.scope["user"] = principal
    if roles is None:
        return
    if principal is None:
        raise NotAuthorizedException
    if principal.role not in roles:
        raise PermissionDeniedException


def principal_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """The signed-in principal, on a route whose permit names roles."""
    principal = connection.scope["user"]
    if not isinstance(principal, Principal):
        raise NotAuthorizedException
    return principal
