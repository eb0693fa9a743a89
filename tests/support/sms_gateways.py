"""Gateways of SMS simulated on 127.0.0.1: they take messages as the real ones do, and fail on demand as recorded."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, quote
from uuid import UUID, uuid4

import httpx
import msgspec

from notifications.outcome import Refused
from notifications.sms.access import (
    AliyunAccess,
    AliyunTemplate,
    KannelAccess,
    ProviderAccess,
    SmsAccess,
    ZhiguitongSmsAccess,
)
from notifications.sms.drivers import providers_of
from notifications.sms.port import OutgoingSms, SmsProvider
from notifications.sms.zhiguitong import PATH

NUMBER: Final = "13977100001"
TEXT: Final = "【邕州市监局】你单位收到责令改正通知书(桂市监责改〔2026〕12号),12月1日前改正。查看 yima.cn/n/AbCdEfGhIjk"
SECRET: Final = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came; header names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, recorded or made up."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Silence(msgspec.Struct, frozen=True):
    """The request is read, perhaps even carried out, and no answer comes."""


class HangUp(msgspec.Struct, frozen=True):
    """The request is read, and the line is cut."""


Trouble = Reply | Silence | HangUp


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a gateway took."""

    number: str
    reference: str
    text: str | None = None
    template: str | None = None
    values: Mapping[str, str] = {}


class Gateway:
    """A server over real HTTP. `troubles` come first, one a request; `taken` is what it took."""

    def __init__(self) -> None:
        """Nothing taken yet."""
        self.troubles: list[Trouble] = []
        self.requests: list[Request] = []
        self.taken: list[Taken] = []
        self.url = ""

    async def answer(self, request: Request) -> Reply:
        """What the gateway says when it works."""
        raise AssertionError(request.path)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client leaves."""
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                trouble = self.troubles.pop(0) if self.troubles else None
                if isinstance(trouble, Silence):
                    await self.answer(request)
                    await asyncio.sleep(3600)
                if isinstance(trouble, HangUp):
                    break
                reply = trouble if isinstance(trouble, Reply) else await self.answer(request)
                writer.write(_written(reply))
                await writer.drain()
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ", 2)
    pairs = [line.split(": ", 1) for line in head[1:] if line]
    headers = {name.lower(): value for name, value in pairs}
    path, _, query = target.partition("?")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method=method, path=path, query=query, headers=headers, body=body)


def _written(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    listed = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n{listed}\r\n".encode() + reply.body


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncGenerator[None]:
    """Serve `gateway` on a free port of 127.0.0.1."""
    lines: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(task := asyncio.ensure_future(gateway.converse(reader, writer)))
        task.add_done_callback(lines.discard)

    server = await asyncio.start_server(converse, "127.0.0.1", 0, backlog=200)
    gateway.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()
        for line in list(lines):
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


def answer_of(status: int, told: Any, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status=status, body=json.dumps(told, ensure_ascii=False).encode(), headers=headers)


class SimulatedKannel(Gateway):
    """Kannel's `sendsms` as far as the driver knows it; for all else there is the real one."""

    @property
    def access(self) -> KannelAccess:
        """How it is reached."""
        return KannelAccess(url=f"{self.url}/cgi-bin/sendsms", username="yima", password=SECRET, sender="10690123")

    async def answer(self, request: Request) -> Reply:
        """Take the message."""
        given = request.headers
        if (given["x-kannel-username"], given["x-kannel-password"]) != ("yima", SECRET):
            return Reply(status=403, body=b"Authorization failed for sendsms")
        reference = dict(parse_qsl(given["x-kannel-dlr-url"].partition("?")[2]))["reference"]
        self.taken.append(Taken(number=given["x-kannel-to"], reference=reference, text=request.body.decode()))
        return Reply(status=202, body=b"0: Accepted for delivery")


class SimulatedZhiguitongSms(Gateway):
    """智桂通's SMS as we suppose it (待核)."""

    @property
    def access(self) -> ZhiguitongSmsAccess:
        """How it is reached."""
        return ZhiguitongSmsAccess(
            url=self.url, app_code="yima", app_secret=SECRET, app_key="a-key", receipt_secret=SECRET
        )

    async def answer(self, request: Request) -> Reply:
        """Take the message."""
        given = [request.headers.get(name) for name in ("appcode", "appsecret", "appkey")]
        if (request.method, request.path) != ("POST", f"/{PATH}"):
            return answer_of(404, {"flag": False, "data": None, "errCode": "404", "errMsg": "无此服务"})
        if given != ["yima", SECRET, "a-key"]:
            return answer_of(401, {"flag": False, "data": None, "errCode": "401", "errMsg": "应用认证失败"})
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.taken.append(Taken(number=form["mobile"], reference=form["extendId"], text=form["content"]))
        return answer_of(200, {"flag": True, "data": {"msgId": f"m{len(self.taken)}"}, "errCode": "", "errMsg": ""})


class SimulatedAliyun(Gateway):
    """Dysmsapi 2017-05-25: it computes each signature for itself, and keeps a register of what it took.

    `unlisted` messages are counted in the register and not listed, as has been seen of the real one.
    """

    def __init__(self, templates: Mapping[str, AliyunTemplate]) -> None:
        """Know `templates`, by our names."""
        super().__init__()
        self._templates = dict(templates)
        self.unlisted = 0

    @property
    def access(self) -> AliyunAccess:
        """How it is reached."""
        return AliyunAccess(
            url=self.url,
            access_key_id="an-id",
            access_key_secret=SECRET,
            sign_name="邕州市监局",
            templates=self._templates,
            receipt_secret=SECRET,
        )

    async def answer(self, request: Request) -> Reply:
        """Check who asks; then take the message, or tell of those that were taken."""
        given = dict(parse_qsl(request.query, keep_blank_values=True))
        if not _is_signed(request, given):
            return answer_of(403, {"Code": "SignatureDoesNotMatch", "Message": "…", "RequestId": "R-1"})
        if request.headers["x-acs-action"] == "QuerySendDetails":
            return self._register(given)
        known = {template.code: template for template in self._templates.values()}
        template = known.get(given["TemplateCode"])
        if template is None or given["SignName"] != "邕州市监局":
            return answer_of(200, {"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "模版不合法", "RequestId": "R-2"})
        values = json.loads(given["TemplateParam"])
        if any("://" in value for value in values.values()):
            return answer_of(200, {"Code": "isv.PARAM_NOT_SUPPORT_URL", "Message": "不支持URL", "RequestId": "R-5"})
        self.taken.append(
            Taken(
                number=given["PhoneNumbers"],
                reference=given["OutId"],
                template=given["TemplateCode"],
                values=values,
            )
        )
        told = {"Code": "OK", "Message": "OK", "BizId": f"9{len(self.taken):05}^0", "RequestId": "R-3"}
        return answer_of(200, told)

    def _register(self, asked: Mapping[str, str]) -> Reply:
        found = [each for each in self.taken if each.number == asked["PhoneNumber"]]
        size, page = int(asked["PageSize"]), int(asked["CurrentPage"])
        listed = [
            {"OutId": each.reference, "SendStatus": 1, "PhoneNum": each.number, "Content": "【邕州市监局】…"}
            for each in found[(page - 1) * size : page * size]
        ]
        told: dict[str, Any] = {"Code": "OK", "Message": "OK", "RequestId": "R-4"}
        return answer_of(
            200, {**told, "TotalCount": len(found) + self.unlisted, "SmsSendDetailDTOs": {"SmsSendDetailDTO": listed}}
        )


def _is_signed(request: Request, given: Mapping[str, str]) -> bool:
    """The vendor's own computation, written from its description and not from ours."""
    scheme, _, fields = request.headers["authorization"].partition(" ")
    told = dict(field.split("=", 1) for field in fields.split(","))
    names: Sequence[str] = told["SignedHeaders"].split(";")
    must = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}
    if scheme != "ACS3-HMAC-SHA256" or told["Credential"] != "an-id" or set(names) != must:
        return False
    payload = hashlib.sha256(request.body).hexdigest()
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in given.items())
    canonical = [
        request.method,
        request.path,
        "&".join("=".join(pair) for pair in pairs),
        *[f"{name}:{request.headers[name].strip()}" for name in names],
        "",
        ";".join(names),
        payload,
    ]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    expected = hmac.digest(SECRET.encode(), f"{scheme}\n{digest}".encode(), "sha256").hex()
    return request.headers["x-acs-content-sha256"] == payload and told["Signature"] == expected


def outgoing(number: str = NUMBER, text: str = TEXT, **changes: Any) -> OutgoingSms:
    """An SMS of a template that the vendor has."""
    sms = OutgoingSms(
        reference=uuid4(),
        number=number,
        text=text,
        template="order_issued",
        template_version=1,
        values={
            "department": "邕州市监局",
            "number": "桂市监责改〔2026〕12号 &+%~*",
            "link": "https://yima.cn/n/AbCdEfGhIjk",
            "hotline": "0771-12345",
        },
    )
    return msgspec.structs.replace(sms, **changes)


def receipt_url(reference: UUID) -> str:
    """Where receipts would come."""
    return f"http://127.0.0.1:9/receipts?reference={reference}&mac=a-mac"


def driver_of(access: ProviderAccess, client: httpx.AsyncClient) -> SmsProvider:
    """The driver that an installation with this access has."""
    (driver,) = providers_of(SmsAccess(providers=(access,)), client, receipt_url)
    return driver


async def refusal(driver: SmsProvider, sms: OutgoingSms) -> Refused:
    """How the driver refuses to have handed it over. Raises AssertionError when it does not."""
    try:
        await driver.send(sms)
    except Refused as refused:
        return refused
    raise AssertionError("it was taken")
