"""智桂通 simulated: a real HTTP server on this machine alone that answers as catalogue 8.1 says.

The demonstration asks it in place of the real service, and the tests do. It knows whom it was given, by token, and
nobody else; a token is as secret as a password of the demonstration.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from api.settings import ZhiguitongAccess
from api.zhiguitong import PATH

_CREDENTIALS: Final = ("appcode", "appsecret", "appkey")
_BASIC: Final = ("userType", "id", "userIdcode", "userName", "userMobile")
"""All that is told where no `roleCode` is given."""
_STARTED_WITHIN: Final = 5.0


class SimulatedZhiguitong:
    """The service's answers. `people` are `data` by token, as the service would tell them."""

    def __init__(self, people: Mapping[str, Mapping[str, Any]], access: ZhiguitongAccess) -> None:
        """Know `people`, and the application that `access` names."""
        self.people = dict(people)
        self._credentials = (access.app_code, access.app_secret, access.app_key)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, answer = await self.answer(scope, await _body(receive))
        headers = [(b"content-type", b"application/json;charset=UTF-8")]
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer), "more_body": False})

    async def answer(self, scope: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body for a request."""
        if (scope["method"], scope["path"]) != ("POST", f"/{PATH}"):
            return 404, _refusal("404", "无此服务")
        given = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        if tuple(given.get(name) for name in _CREDENTIALS) != self._credentials:
            return 401, _refusal("401", "应用认证失败")
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if "serviceId" not in form:
            return 200, _refusal("1001", "serviceId不能为空")
        told = self.people.get(form.get("token", ""))
        if told is None:
            return 200, _refusal("1002", "token无效或已过期")
        if "roleCode" not in form:
            told = {name: told[name] for name in _BASIC if name in told}
        return 200, {"flag": True, "data": told, "errCode": "", "errMsg": ""}


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"flag": False, "data": None, "errCode": code, "errMsg": message}


async def _body(receive: ASGIReceiveCallable) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message["body"]
        if not message["more_body"]:
            return body


@asynccontextmanager
async def simulated_zhiguitong(answers: SimulatedZhiguitong) -> AsyncGenerator[str]:
    """Serve `answers` on a free port of 127.0.0.1; gives the address."""
    config = uvicorn.Config(answers, log_level="warning", access_log=False, lifespan="off", ws="none")
    server = _Quiet(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(_STARTED_WITHIN):
                await server.ready.wait()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


class _Quiet(uvicorn.Server):
    """A server within another program: that one's signals are its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.ready.set()
