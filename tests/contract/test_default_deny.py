"""Default deny, proved route by route: for nobody and for every role, with real tokens against the real application.

A new route is not in the table below and fails until someone has decided who may call it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.types import Message, WebSocketScope

from api.app import create_app
from api.auth import authorise, permit, permit_anyone, permitted
from api.contract.write import contract_app
from api.settings import Settings
from api.wiring import Parts
from domain.identity.model import Principal, Role
from tests.support.database import Database

Caller = Role | None
"""A role, or nobody signed in."""

EVERYBODY: frozenset[Caller] = frozenset({None, *Role})
SIGNED_IN: frozenset[Caller] = frozenset(Role)
NOBODY: frozenset[Caller] = frozenset()
STAFF: frozenset[Caller] = frozenset({Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD})
INSPECTORS: frozenset[Caller] = frozenset({Role.INSPECTOR})
MANAGERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER})
CODE_MANAGERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR})
UPLOADERS: frozenset[Caller] = frozenset({Role.INSPECTOR, Role.ENTERPRISE})
PUBLICATION_READERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ENTERPRISE})
WATCHERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.LEAD})

DECIDED: Mapping[str, frozenset[Caller]] = {
    "GET /": EVERYBODY,
    "GET /c/{token:str}": EVERYBODY,
    "GET /C/{token:str}": EVERYBODY,
    "GET /health/live": EVERYBODY,
    "GET /health/ready": EVERYBODY,
    "GET /api/v1/codes/{token:str}": EVERYBODY,
    "GET /api/v1/public/enterprises/{uscc:str}": EVERYBODY,
    "POST /api/v1/sessions": EVERYBODY,
    "POST /api/v1/sessions/refresh": EVERYBODY,
    "DELETE /api/v1/sessions/current": SIGNED_IN,
    "GET /api/v1/inspections": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}": STAFF,
    "POST /api/v1/inspections/{inspection_id:uuid}/check-ins": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/identifications": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/departures": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/voids": INSPECTORS,
    "POST /api/v1/sites/{site_id:uuid}/codes": CODE_MANAGERS,
    "POST /api/v1/sites/{site_id:uuid}/codes/reissue": CODE_MANAGERS,
    "POST /api/v1/sites/{site_id:uuid}/codes/revoke": CODE_MANAGERS,
    "GET /api/v1/sites/{site_id:uuid}/code.png": CODE_MANAGERS,
    "GET /api/v1/sites/{site_id:uuid}/code.svg": CODE_MANAGERS,
    "GET /api/v1/checklists": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/changes": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/preview": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/export.xlsx": STAFF,
    "POST /api/v1/checklists": MANAGERS,
    "PUT /api/v1/checklists/{checklist_id:uuid}": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/versions": MANAGERS,
    "PUT /api/v1/checklists/{checklist_id:uuid}/draft/items": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/draft/import": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/publish": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/state": MANAGERS,
    "DELETE /api/v1/checklists/{checklist_id:uuid}": MANAGERS,
    "GET /api/v1/packages/today": INSPECTORS,
    "POST /api/v1/number-leases": INSPECTORS,
    "GET /api/v1/inspections/{inspection_id:uuid}/checklist": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}/draw": STAFF,
    "PUT /api/v1/inspections/{inspection_id:uuid}/answers/{item_id:uuid}": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/answers": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/list-releases": INSPECTORS,
    "GET /api/v1/inspections/{inspection_id:uuid}/record": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}/record.pdf": STAFF | {Role.ENTERPRISE},
    "PUT /api/v1/inspections/{inspection_id:uuid}/record": INSPECTORS,
    "PUT /api/v1/inspections/{inspection_id:uuid}/signatures/{role:str}": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/record/reopenings": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/completion": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/replacements": MANAGERS,
    "PUT /api/v1/evidence/{digest:str}": UPLOADERS,
    "HEAD /api/v1/evidence/{digest:str}": UPLOADERS,
    "GET /api/v1/evidence/{digest:str}": STAFF | UPLOADERS,
    "GET /api/v1/publications": PUBLICATION_READERS,
    "GET /api/v1/publications/{publication_id:uuid}": PUBLICATION_READERS,
    "POST /api/v1/publications/{publication_id:uuid}/withholding": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/release": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/withdrawal": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/replies": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/publications/{publication_id:uuid}/replies/{reply_id:uuid}/withdrawal": frozenset(
        {Role.ENTERPRISE, Role.DEPARTMENT_MANAGER}
    ),
    "GET /v/{code:str}": EVERYBODY,
    "GET /V/{code:str}": EVERYBODY,
    "GET /api/v1/inspections/{inspection_id:uuid}/documents": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/documents": WATCHERS,
    "GET /api/v1/documents/{document_id:uuid}": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/documents/{document_id:uuid}/file.pdf": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/documents/{document_id:uuid}/sealed-copy": INSPECTORS | MANAGERS,
    "GET /api/v1/document-templates": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}/preview.pdf": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}/body.json": CODE_MANAGERS | INSPECTORS,
    "POST /api/v1/document-templates": CODE_MANAGERS,
    "PUT /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS,
    "POST /api/v1/document-templates/{template_id:uuid}/steps": CODE_MANAGERS,
    "DELETE /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS,
    "GET /api/v1/inspections/{inspection_id:uuid}/rectification-orders/draft": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/rectification-orders": INSPECTORS,
    "GET /api/v1/rectification-orders": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/rectification-orders/{order_id:uuid}": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/rectification-orders/{order_id:uuid}/notice.pdf": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/rectification-orders/{order_id:uuid}/revocation": MANAGERS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/feedback": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/rectification-orders/{order_id:uuid}/extension": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/rectification-orders/{order_id:uuid}/extension/decision": MANAGERS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/re-inspections": INSPECTORS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/services": INSPECTORS | MANAGERS,
    "GET /api/v1/enterprises/{enterprise_id:uuid}/service-consents": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/enterprises/{enterprise_id:uuid}/service-consents": INSPECTORS | {Role.ENTERPRISE},
    "POST /api/v1/enterprises/{enterprise_id:uuid}/service-consents/withdrawal": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/inspections/{inspection_id:uuid}/transfers": INSPECTORS,
    "GET /api/v1/transfers": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/transfers/{transfer_id:uuid}/file.zip": INSPECTORS | MANAGERS,
    "POST /api/v1/transfers/{transfer_id:uuid}/hand-over": INSPECTORS | MANAGERS,
    "WEBSOCKET /api/v1/live": WATCHERS,
}
_ID = "0198f3a2-1001-7d40-9a51-2b7f4c8e1d03"
_FILLED = {
    "checklist_id:uuid": _ID,
    "code:str": "0" * 16,
    "digest:str": "0" * 64,
    "document_id:uuid": _ID,
    "template_id:uuid": _ID,
    "transfer_id:uuid": _ID,
    "enterprise_id:uuid": _ID,
    "inspection_id:uuid": _ID,
    "item_id:uuid": _ID,
    "role:str": "officer",
    "order_id:uuid": _ID,
    "publication_id:uuid": _ID,
    "reply_id:uuid": _ID,
    "site_id:uuid": _ID,
    "token:str": "0" * 31,
    "uscc:str": "9" * 18,
    "path:str": "x",
}


def handlers_of(app: Litestar) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every method and path that the application answers, with its handler's `opt`."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from ((f"{method} {route.path}", handler.opt) for method in sorted(handler.http_methods))
        else:
            assert isinstance(route, WebSocketRoute), "another kind of route needs a decision, too"
            yield f"WEBSOCKET {route.path}", route.route_handler.opt


ROUTES = dict(handlers_of(contract_app()))


def is_the_frameworks_own(route: str) -> bool:
    """Litestar answers OPTIONS and its own schema pages; nobody permitted them, so nobody gets them."""
    return route.startswith("OPTIONS ") or " /schema" in route


def may(caller: Caller, route: str) -> bool:
    """What was decided."""
    return caller in (NOBODY if is_the_frameworks_own(route) else DECIDED[route])


def a_principal(role: Role) -> Principal:
    """Someone of that role, who is in the region but whom nobody assigned to anything."""
    some = UUID(_ID)
    return Principal(
        account_id=some,
        session_id=some,
        name="某人",
        role=role,
        post="某职",
        department_id=some,
        region="r45.r4501",
        officer_id=some if role is Role.INSPECTOR else None,
        enterprise_id=some if role is Role.ENTERPRISE else None,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Litestar]:
    """The real application, started."""
    var = tmp_path_factory.mktemp("var")
    built = create_app(Settings(var=var, keys=var / "keys"), database.dsn)
    ready, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # In a task of its own: Litestar's lifespan must end in the task that began it, a fixture may not.
        async with built.lifespan():
            ready.set()
            await over.wait()

    living = asyncio.create_task(live())
    starting = asyncio.create_task(ready.wait())
    await asyncio.wait({living, starting}, return_when=asyncio.FIRST_COMPLETED)
    assert ready.is_set(), living.exception()
    yield built
    over.set()
    await living


def bearer(parts: Parts, caller: Caller) -> dict[str, str]:
    """The header with which `caller` comes."""
    if caller is None:
        return {}
    return {"authorization": f"Bearer {parts.session_tokens.issue_access(a_principal(caller), parts.clock())}"}


async def ask(app: Litestar, route: str, headers: Mapping[str, str]) -> httpx.Response:
    """One request as it may come, with a key and an empty body."""
    method, _, path = route.partition(" ")
    for name, value in _FILLED.items():
        path = path.replace(f"{{{name}}}", value)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] - httpx types a scope as any mapping
    async with httpx.AsyncClient(transport=transport, base_url="http://yima") as client:
        keyed = {**headers, "idempotency-key": "a-key-of-this-test"}
        return await client.request(method, path, headers=keyed, content=b"{}" if method == "POST" else None)


async def is_let_in(app: Litestar, path: str, headers: Mapping[str, str]) -> bool:
    """Whether the WebSocket at `path` accepts a caller, who leaves at once."""
    said: list[Message] = []
    coming: list[Any] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    scope: Any = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "client": ("127.0.0.1", 1),
        "server": ("yima", 80),
        "scheme": "ws",
        "root_path": "",
        "http_version": "1.1",
        "extensions": {},
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "state": {},
    }
    checked: WebSocketScope = scope
    await app(checked, receive, send)  # type: ignore[arg-type] - what a server would pass
    return any(message["type"] == "websocket.accept" for message in said)


def test_every_route_was_decided_upon() -> None:
    ours = {route for route in ROUTES if not is_the_frameworks_own(route)}
    assert ours - DECIDED.keys() == set(), "decide who may call these, and write it into the table"
    assert DECIDED.keys() - ours == set(), "these are gone"


def test_the_permits_in_the_code_are_those_of_the_table() -> None:
    for route, decided in DECIDED.items():
        roles = permitted(ROUTES[route])
        assert (EVERYBODY if roles is None else roles) == decided, route


@pytest.mark.parametrize("caller", [None, *Role], ids=lambda caller: caller or "nobody")
@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_a_route_lets_in_whom_the_table_names_and_nobody_else(app: Litestar, route: str, caller: Caller) -> None:
    headers = bearer(app.state.parts, caller)
    if route.startswith("WEBSOCKET "):
        assert await is_let_in(app, route.partition(" ")[2], headers) == may(caller, route)
        return
    answer = await ask(app, route, headers)
    if may(caller, route):
        # A body of {} is refused by what is behind the gate, and nothing of this test exists: but not for who calls.
        assert answer.status_code in {200, 204, 404, 409, 422}, answer.text
    else:
        # An answer to HEAD has no body to tell the slug.
        told = answer.content or json.dumps({"type": "not-signed-in" if answer.status_code == 401 else "forbidden"})
        slug = json.loads(told)["type"].rpartition(":")[2]
        assert (answer.status_code, slug) == ((401, "not-signed-in") if caller is None else (403, "forbidden"))


@pytest.mark.parametrize("route", sorted(route for route in DECIDED if route.startswith("GET ")))
async def test_a_token_that_is_not_ours_is_refused_also_where_none_is_needed(app: Litestar, route: str) -> None:
    answer = await ask(app, route, {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:yima:problem:token-invalid")


async def test_a_route_that_names_nobody_is_denied_to_everybody(app: Litestar) -> None:
    @get("/forgotten")
    async def forgotten() -> None:
        """Whose author forgot the permit."""

    @get("/known", opt=permit(Role.LEAD))
    async def known() -> None:
        """For comparison."""

    @get("/open", opt=permit_anyone())
    async def public() -> None:
        """For comparison."""

    parts: Parts = app.state.parts
    small = Litestar(
        [forgotten, known, public], middleware=[authorise], state=State({"parts": parts}), openapi_config=None
    )
    for caller in (None, *Role):
        headers = bearer(parts, caller)
        assert (await ask(small, "GET /forgotten", headers)).status_code == (401 if caller is None else 403)
        assert (await ask(small, "GET /open", headers)).status_code == 200
    assert (await ask(small, "GET /known", bearer(parts, Role.LEAD))).status_code == 200
    assert (await ask(small, "GET /known", bearer(parts, Role.INSPECTOR))).status_code == 403
