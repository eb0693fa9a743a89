"""智桂通 The client of its user information service (catalogue 8.1), field names as there, errors as ours.

What 8.1 leaves open is marked 待核 and stands in one place each: how the three credentials travel (here as headers of
their own names), how `token` travels (a form), and which `errCode` means the service's own trouble.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Annotated, Any, Final

import httpx
import msgspec

from api.identity_port import IdentityProviderAway, IdentityTokenInvalid
from api.settings import ZhiguitongAccess
from domain.membership.model import UserType, ZhiguitongUser
from domain.shared.random import Random, system_random

PATH: Final = "gxrz-rest/user/getUserInfoByToken"
_ATTEMPTS: Final = 3
_TIMEOUT: Final = httpx.Timeout(3.0, connect=1.5, pool=1.5)
_CONNECTIONS: Final = httpx.Limits(max_connections=20, max_keepalive_connections=5)
_WHOLE_SECONDS: Final = 5.0
"""Of one attempt: an answer that comes byte by byte never runs into the timeout of a read."""
_ANSWER_BYTES: Final = 64 * 1024
_TEXT_LENGTH: Final = 200
"""Of each thing that is told."""
_LEVEL_DIGITS: Final = 3
_PAUSE_SECONDS: Final = 0.15
_OK: Final = 200
_SERVICES_OWN: Final = frozenset({"-1", "500", "502", "503", "504", "system_error", "timeout"})
"""`errCode`s that are no fault of the token (待核: the specification lists none); any other one is."""
_NOTHING: Final = msgspec.Raw(b"null")
_TRUE: Final = frozenset({"true", "1", "success"})
_AWAY: Final = "智桂通统一身份认证暂时不可用，请稍后再试。"
_logger = logging.getLogger(__name__)


# Longer, it would not fit into an index; with a NUL, into no text.
_Told = Annotated[str, msgspec.Meta(max_length=_TEXT_LENGTH, pattern=r"^[^\x00]*$")]
_Counted = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Corporation(msgspec.Struct, frozen=True, kw_only=True):
    """`corporationInfo`, as much as we read of it."""

    idcardNum: _Told | None = None  # noqa: N815 - the provider's names
    enterpriseName: _Told | None = None  # noqa: N815
    legalName: _Told | None = None  # noqa: N815
    legalIdcardNum: _Told | None = None  # noqa: N815
    legalMobile: _Told | None = None  # noqa: N815
    userIdcode: _Told | None = None  # noqa: N815
    userState: _Told | _Counted | None = None  # noqa: N815
    userLevel: _Told | _Counted | None = None  # noqa: N815
    updateTime: _Told | _Counted | None = None  # noqa: N815


class _Person(msgspec.Struct, frozen=True, kw_only=True):
    """`data`: of a person all, of a legal person its kind and `corporationInfo`."""

    userType: _Told | _Counted  # noqa: N815 - the provider's names
    corporationInfo: _Corporation | None = None  # noqa: N815
    id: _Told | _Counted | None = None
    userIdcode: _Told | None = None  # noqa: N815
    userName: _Told | None = None  # noqa: N815
    userMobile: _Told | None = None  # noqa: N815
    userIdcard: _Told | None = None  # noqa: N815
    userState: _Told | _Counted | None = None  # noqa: N815
    userLevel: _Told | _Counted | None = None  # noqa: N815
    updateTime: _Told | _Counted | None = None  # noqa: N815


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    flag: bool | str | int | None = None
    data: msgspec.Raw = _NOTHING
    errCode: str | int | None = None  # noqa: N815 - the provider's names


class _Unreachable(Exception):
    """One attempt came to nothing; another may not."""


class Circuit:
    """Asks nobody for a while after so many failures in a row; then one call tries, and decides."""

    def __init__(self, *, failures: int = 5, seconds: float = 10.0, clock: Callable[[], float] = monotonic) -> None:
        """Open after `failures` in a row, for `seconds` of `clock`."""
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0

    def require_closed(self) -> None:
        """Raises `IdentityProviderAway` while nobody is to be asked."""
        now = self._clock()
        if self._failures < self._most:
            return
        if now < self._closed_until:
            raise IdentityProviderAway(_AWAY, max(1, round(self._closed_until - now)))
        self._closed_until = now + self._seconds  # this call tries; the others wait for what comes of it

    def succeeded(self) -> None:
        """The service answered, whatever it said."""
        self._failures = 0

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        if self._failures >= self._most:
            self._closed_until = self._clock() + self._seconds


class Zhiguitong:
    """`IdentityProvider` over HTTP."""

    def __init__(
        self, access: ZhiguitongAccess, *, random: Random = system_random, circuit: Circuit | None = None
    ) -> None:
        """Call the service that `access` names; nothing is opened before the first token comes."""
        self._access = access
        self._random = random
        self._circuit = circuit or Circuit()
        self._http: httpx.AsyncClient | None = None

    async def user_of(self, token: str) -> ZhiguitongUser:
        """The user of `token`. Raises `IdentityTokenInvalid` or `IdentityProviderAway`."""
        self._circuit.require_closed()
        try:
            answer = await self._ask(token)
        except _Unreachable as failure:
            self._circuit.failed()
            _logger.warning("智桂通: %s", failure)
            raise IdentityProviderAway(_AWAY, 5) from failure
        except IdentityTokenInvalid:
            self._circuit.succeeded()  # to refuse a token is an answer, too
            raise
        self._circuit.succeeded()
        return _user(answer)

    async def close(self) -> None:
        """Let go of its connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _ask(self, token: str) -> msgspec.Raw:
        """The answer's data. Asking changes nothing there, so that it may be asked again."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return await self._ask_once(token)
            except _Unreachable:
                await asyncio.sleep(_PAUSE_SECONDS * 2**attempt * (0.5 + self._random(1)[0] / 255))
        return await self._ask_once(token)

    async def _ask_once(self, token: str) -> msgspec.Raw:
        form = {"token": token, "serviceId": self._access.service_id}
        if self._access.role_code is not None:
            form["roleCode"] = self._access.role_code
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS),
                self._client().stream("POST", PATH, data=form) as response,
            ):
                body = await _bounded(response)
        except (httpx.RequestError, httpx.InvalidURL, TimeoutError) as failure:
            raise _Unreachable(type(failure).__name__) from failure
        if response.status_code != _OK:
            raise _Unreachable(f"HTTP {response.status_code}")
        return _data(body)

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            access = self._access
            self._http = httpx.AsyncClient(
                base_url=access.url.rstrip("/") + "/",
                headers={
                    "AppCode": access.app_code,
                    "AppSecret": access.app_secret,
                    "AppKey": access.app_key,
                    "Accept-Encoding": "identity",
                },
                timeout=_TIMEOUT,
                limits=_CONNECTIONS,
                follow_redirects=False,  # the credentials go nowhere else
                trust_env=False,
            )
        return self._http


async def _bounded(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Unreachable("an answer packed unasked")  # unpacked it could be a thousand times as long
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _ANSWER_BYTES:
            raise _Unreachable("an answer beyond all measure")
    return bytes(body)


def _data(body: bytes) -> msgspec.Raw:
    """`data` of a good answer. Raises `IdentityTokenInvalid`, or `_Unreachable` for the service's own trouble."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, RecursionError) as broken:
        raise _Unreachable("an answer that is not as agreed") from broken
    if str(answer.flag).lower() not in _TRUE or bytes(answer.data) == bytes(_NOTHING):
        code = str(answer.errCode or "").lower()
        if code in _SERVICES_OWN:
            raise _Unreachable(f"errCode {code}")
        raise IdentityTokenInvalid("智桂通登录凭证无效或已过期，请在智桂通重新打开本应用。", field="token")
    return answer.data


def _user(data: msgspec.Raw) -> ZhiguitongUser:
    """What was told, under the house's names."""
    try:
        told = msgspec.json.decode(data, type=_Person)
    except (msgspec.DecodeError, RecursionError) as broken:
        _logger.warning("智桂通: data that is not as agreed")
        raise IdentityProviderAway(_AWAY, 60) from broken
    user: ZhiguitongUser | None = None
    match str(told.userType):
        case "1":
            user = _person(told)
        case "2" if told.corporationInfo is not None:
            user = _legal_person(told.corporationInfo)
        case _:
            pass
    if user is None or (user.user_id_code is None and user.number is None):
        _logger.warning("智桂通: too little is told of a user; is the role code set?")
        raise IdentityProviderAway(_AWAY, 60)
    return user


def _person(told: _Person) -> ZhiguitongUser:
    return ZhiguitongUser(
        user_type=UserType.PERSON,
        user_id_code=_text(told.userIdcode) or _text(told.id),
        name=told.userName or "",
        number=_text(told.userIdcard),
        mobile=_text(told.userMobile),
        is_frozen=_text(told.userState) == "0",
        level=_level(told.userLevel),
        provider_time=_text(told.updateTime),
    )


def _legal_person(told: _Corporation) -> ZhiguitongUser:
    return ZhiguitongUser(
        user_type=UserType.LEGAL_PERSON,
        user_id_code=_text(told.userIdcode),
        name=told.enterpriseName or "",
        number=_text(told.idcardNum),
        mobile=_text(told.legalMobile),
        representative=_text(told.legalName),
        representative_number=_text(told.legalIdcardNum),
        is_frozen=_text(told.userState) == "0",
        level=_level(told.userLevel),
        provider_time=_text(told.updateTime),
    )


def _text(value: Any) -> str | None:
    said = "" if value is None else str(value).strip()
    return said or None


def _level(value: str | int | None) -> int | None:
    """实名等级; “高级实名（人脸识别）” has no code in 8.1, so that any word stands for more than basic."""
    said = _text(value)
    if said is None:
        return None
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _LEVEL_DIGITS else 2
