"""One HTTP exchange with a provider: bounded in time and size, and every way to fail is a `Reason`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from notifications.outcome import Reason, Refused

HTTP_OK: Final = 200
CONNECT_SECONDS: Final = 3.0
WHOLE_SECONDS = 10.0
_ANSWER_BYTES: Final = 256 * 1024
_IDLE_SECONDS: Final = 4.0
_LONGEST_PAUSE: Final = 3600.0
_SERVERS_OWN: Final = 500
_REASONS: Final[Mapping[int, Reason]] = {
    401: Reason.UNAUTHORISED,
    402: Reason.NO_CREDIT,
    403: Reason.UNAUTHORISED,
    429: Reason.THROTTLED,
    503: Reason.PROVIDER_AWAY,
}
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""After these it is certain that no byte of the request has left."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider is asked, as a form or as bytes; no repr, for it holds number, text and credentials."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None
    content: bytes | None = None

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Exchange()"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, whole. `retry_after` is in seconds, where the provider names it."""

    status: int
    body: bytes
    retry_after: float | None = None

    def __repr__(self) -> str:
        """Its status alone: a body may repeat the number."""
        return f"Answer({self.status})"


def sms_client(connections: int = 20) -> httpx.AsyncClient:
    """A client for the drivers of one process: so many connections at most, no redirects, no proxies of the system.

    Idle connections are dropped before a gateway drops them: a request into a closed one has no certain end. What the
    client itself would log is left out at every level below warnings: addresses with numbers, heads with secrets.
    """
    for talkative in ("httpx", "httpcore"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        limits=httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE_SECONDS
        ),
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


async def exchange(client: httpx.AsyncClient, asked: Exchange) -> Answer:
    """Ask once. Raises `Refused`: PROVIDER_AWAY when nothing was sent, NO_ANSWER when nobody knows."""
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            request = client.build_request(
                asked.method, asked.url, headers=dict(asked.headers), data=asked.form, content=asked.content
            )
            response = await client.send(request, stream=True)
            try:
                return await _whole(response)
            finally:
                await response.aclose()
    except _NOT_SENT as failure:
        raise Refused(Reason.PROVIDER_AWAY, type(failure).__name__) from None
    except httpx.InvalidURL:
        raise Refused(Reason.PROVIDER_AWAY, "InvalidURL") from None
    except (httpx.RequestError, TimeoutError) as failure:
        raise Refused(Reason.NO_ANSWER, type(failure).__name__) from None


async def _whole(response: httpx.Response) -> Answer:
    body = bytearray()
    async for piece in response.aiter_raw():  # as it came: what is packed unasked could be a thousand times as long
        body += piece
        if len(body) > _ANSWER_BYTES:
            raise Refused(Reason.MALFORMED_ANSWER, "an answer beyond all measure")
    return Answer(status=response.status_code, body=bytes(body), retry_after=_pause(response))


def _pause(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    if not text.isascii() or not text.isdigit():
        return None
    return min(float(text), _LONGEST_PAUSE)


def refusal_of(answer: Answer, detail: str = "") -> Refused:
    """What an HTTP status means where the body does not say more.

    500, 502 and 504 tell nothing of what happened to the message behind the one who answers; the others tell that it
    was not taken.
    """
    detail = f"HTTP {answer.status} {detail}".strip()
    reason = _REASONS.get(answer.status)
    if reason is not None:
        return Refused(reason, detail, retry_after=answer.retry_after)
    if answer.status >= _SERVERS_OWN:
        return Refused(Reason.NO_ANSWER, detail)
    if httpx.codes.is_success(answer.status):
        return Refused(Reason.MALFORMED_ANSWER, detail)
    return Refused(Reason.PROVIDER_AWAY, detail)
