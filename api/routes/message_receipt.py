"""回执 Where providers report what became of an SMS. No part of the contract with phones: only providers call these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from api.auth import permit_anyone
from api.delivery.receipts import take_receipts
from api.settings import Settings
from api.sms_receipts import (
    ReceiptUnreadable,
    is_receipt_secret,
    proven_reference,
    read_aliyun,
    read_kannel,
    read_zhiguitong,
    state_of_try,
)
from api.wiring import Parts
from domain.shared.errors import NotFound
from notifications.sms.access import AliyunAccess, ZhiguitongSmsAccess
from notifications.sms.kannel import REFUSAL
from notifications.sms.port import ReceiptNote

_LIST_BYTES: Final = 2 * 1024 * 1024
_Text = Annotated[str, QueryParameter()]


@get("/kannel", opt=permit_anyone(), media_type=MediaType.TEXT, include_in_schema=False)
async def take_kannel_receipt(
    parts: NamedDependency[Parts],
    reference: _Text = "",
    mac: _Text = "",
    kind: Annotated[str, QueryParameter(name="status")] = "",
    at: _Text = "",
    told: _Text = "",
) -> Response[str]:
    """One delivery report of Kannel, which can only GET; what it may change is bound by the MAC in its address."""
    attempt_id = proven_reference(parts.keys, reference, mac)
    if attempt_id is None:
        raise NotFound
    try:
        note = read_kannel(attempt_id, status=kind, at=at, told=told, now=parts.clock())
    except ReceiptUnreadable as broken:
        raise ClientException from broken
    if kind == REFUSAL:
        # Of a message refused at once this says what the driver knows already, and takes no second try away; of one
        # that was taken it is news. While the try is open nobody can tell: Kannel comes again, a second later.
        match await state_of_try(parts, attempt_id):
            case "accepted":
                pass
            case "open":
                return Response("", status_code=HTTP_503_SERVICE_UNAVAILABLE)
            case _:
                return Response("")
    await take_receipts(parts, [note])
    return Response("")


async def _take_list(
    request: Request[Any, Any, Any],
    parts: Parts,
    provider: str,
    secret: str,
    read: Callable[[bytes, datetime], Sequence[ReceiptNote]],
) -> None:
    """Receipts of a provider that sends many at once, and sends them again where this one fails."""
    settings: Settings = request.app.state.settings
    if not is_receipt_secret(settings.sms, provider, secret):
        raise NotFound
    try:
        notes = read(await request.body(), parts.clock())
    except ReceiptUnreadable as broken:
        raise ClientException from broken
    if notes:
        await take_receipts(parts, notes)


@post(
    "/aliyun/{secret:str}",
    opt=permit_anyone(),
    status_code=HTTP_200_OK,
    request_max_body_size=_LIST_BYTES,
    include_in_schema=False,
)
async def take_aliyun_receipts(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], secret: FromPath[str]
) -> Response[dict[str, Any]]:
    """短信状态报告 of 阿里云, which sends them again unless it is answered by 200."""
    await _take_list(request, parts, AliyunAccess.name, secret, read_aliyun)
    return Response({"code": 0, "msg": "接收成功"})


@post(
    "/zhiguitong/{secret:str}",
    opt=permit_anyone(),
    status_code=HTTP_200_OK,
    request_max_body_size=_LIST_BYTES,
    include_in_schema=False,
)
async def take_zhiguitong_receipts(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], secret: FromPath[str]
) -> Response[dict[str, Any]]:
    """Receipts of 智桂通 (待核)."""
    await _take_list(request, parts, ZhiguitongSmsAccess.name, secret, read_zhiguitong)
    return Response({"flag": True})


message_receipt_router = Router(
    "/message-receipts", route_handlers=[take_kannel_receipt, take_aliyun_receipts, take_zhiguitong_receipts]
)
