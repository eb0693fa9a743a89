"""阿里云短信: SendSms and QuerySendDetails of Dysmsapi 2017-05-25, signed by ACS3-HMAC-SHA256.

The vendor composes the text itself: it has each template (审核通过), and gets our values. `OutId` is our reference; it
comes back in receipts and in the details of what was sent to a number on a day.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.access import AliyunAccess, AliyunTemplate
from notifications.sms.acs3 import Acs3Key, canonical_query, signed_headers
from notifications.sms.exchange import HTTP_OK, Answer, Exchange, exchange, refusal_of
from notifications.sms.port import Found, OutgoingSms, SmsProvider

_T = TypeVar("_T")
_VERSION: Final = "2017-05-25"
_OK: Final = "OK"
_PAGE: Final = 50
_PAGES: Final = 4
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")

_REASONS: Final[Mapping[str, Reason]] = {
    **dict.fromkeys(
        (
            "isv.BUSINESS_LIMIT_CONTROL",
            "isv.DAY_LIMIT_CONTROL",
            "isv.MONTH_LIMIT_CONTROL",
            "Throttling",
            "Throttling.User",
            "Throttling.Api",
            "FLOW_LIMIT",
        ),
        Reason.THROTTLED,
    ),
    **dict.fromkeys(
        ("isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "MOBILE_NOT_ON_SERVICE"), Reason.BAD_ADDRESS
    ),
    **dict.fromkeys(("isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"), Reason.NO_CREDIT),
    **dict.fromkeys(
        (
            "isp.RAM_PERMISSION_DENY",
            "isv.ACCOUNT_NOT_EXISTS",
            "isv.ACCOUNT_ABNORMAL",
            "isv.PRODUCT_UN_SUBSCRIPT",
            "isv.PRODUCT_UNSUBSCRIBE",
            "isv.DENY_IP_RANGE",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidTimeStamp.Expired",
            "SignatureNonceUsed",
            "Forbidden.RAM",
        ),
        Reason.UNAUTHORISED,
    ),
    **dict.fromkeys(
        (
            "isv.SMS_TEMPLATE_ILLEGAL",
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "isv.TEMPLATE_PARAMS_ILLEGAL",
            "isv.INVALID_PARAMETERS",
            "isv.INVALID_JSON_PARAM",
            "isv.PARAM_LENGTH_LIMIT",
        ),
        Reason.TEMPLATE_MISMATCH,
    ),
    **dict.fromkeys(
        (
            "isv.BLACK_KEY_CONTROL_LIMIT",
            "isv.PARAM_NOT_SUPPORT_URL",
            "isv.SMS_CONTENT_ILLEGAL",
            "isv.SMS_SIGN_ILLEGAL",
            "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
            "isv.SIGN_STATE_ILLEGAL",
        ),
        Reason.CONTENT_REFUSED,
    ),
    **dict.fromkeys(("isp.SYSTEM_ERROR", "InternalError"), Reason.NO_ANSWER),  # its own fault, somewhere on the way
    "ServiceUnavailable": Reason.PROVIDER_AWAY,
}
"""The vendor's codes. One that is not here is a refusal all the same: another provider may carry the message."""


class _Told(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    code: str
    biz_id: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    request_id: str = ""


class _Detail(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    out_id: str | None = None


class _Details(msgspec.Struct, frozen=True, kw_only=True):
    SmsSendDetailDTO: list[_Detail] = []


class _Register(msgspec.Struct, frozen=True, kw_only=True):
    Code: str
    TotalCount: int | str = 0
    SmsSendDetailDTOs: _Details = msgspec.field(default_factory=_Details)


class Aliyun(SmsProvider):
    """The port over 阿里云短信."""

    name: ClassVar[str] = AliyunAccess.name

    def __init__(
        self,
        access: AliyunAccess,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Call the service that `access` names by `client`; `clock` and `random` go into each signature."""
        self._access = access
        self._client = client
        self._clock = clock
        self._random = random
        self._key = Acs3Key(access_key_id=access.access_key_id, secret=access.access_key_secret)

    def carries(self, template: str) -> bool:
        """Whether the vendor has this template of ours."""
        return template in self._access.templates

    async def close(self) -> None:
        """Let go of the client, which the drivers of a process share."""
        await self._client.aclose()

    async def _hand_over(self, sms: OutgoingSms) -> Accepted:
        template = self._access.templates.get(sms.template)
        if template is None or template.version != sms.template_version:
            raise Refused(Reason.PROVIDER_AWAY, "no TemplateCode is set up for these words")
        answer = await self._call(
            "SendSms",
            {
                "PhoneNumbers": sms.number,
                "SignName": self._access.sign_name,
                "TemplateCode": template.code,
                "TemplateParam": json.dumps(_taken_by(template, sms), ensure_ascii=False, separators=(",", ":")),
                "OutId": str(sms.reference),
            },
        )
        told = _read(answer, _Told)
        if answer.status == HTTP_OK and told.code == _OK:
            return Accepted(provider_reference=told.biz_id)
        raise _refusal(answer, told)

    async def _find(self, reference: UUID, number: str, sent_on: date) -> Found:
        """Look through what was sent to `number` on that day (China's), page by page."""
        seen = 0
        for page in range(1, _PAGES + 1):
            asked = {"PhoneNumber": number, "SendDate": sent_on.strftime("%Y%m%d")}
            answer = await self._call("QuerySendDetails", {**asked, "PageSize": str(_PAGE), "CurrentPage": str(page)})
            register = _read(answer, _Register)
            if answer.status != HTTP_OK or register.Code != _OK:
                raise _refusal(answer, _Told(code=register.Code))
            details = register.SmsSendDetailDTOs.SmsSendDetailDTO
            if any(detail.out_id == str(reference) for detail in details):
                return Found.TAKEN
            seen += len(details)
            if len(details) < _PAGE:
                # It has been seen to count messages that it does not list; then one of them may be ours.
                return Found.UNKNOWN_THERE if str(register.TotalCount) == str(seen) else Found.CANNOT_TELL
        return Found.CANNOT_TELL

    async def _call(self, action: str, parameters: Mapping[str, str]) -> Answer:
        query = canonical_query(parameters)
        headers = signed_headers(
            self._key,
            action=action,
            version=_VERSION,
            host=urlsplit(self._access.url).netloc,
            query=query,
            now=self._clock(),
            nonce=self._random(16).hex(),
        )
        url = f"{self._access.url.rstrip('/')}/?{query}"
        return await exchange(self._client, Exchange(method="POST", url=url, headers=headers))


def _taken_by(template: AliyunTemplate, sms: OutgoingSms) -> dict[str, str]:
    """The values that the vendor's template takes, and no others. Raises `Refused` where one is not there."""
    ends = {f"{name}_end": value.rpartition("/")[2] for name, value in sms.values.items() if "/" in value}
    known = {**ends, **sms.values}
    if not known.keys() >= set(template.values):
        raise Refused(Reason.PROVIDER_AWAY, "the TemplateCode that is set up takes values that this message has not")
    return {name: known[name] for name in template.values}


def _read(answer: Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, RecursionError):
        raise refusal_of(answer) from None


def _refusal(answer: Answer, told: _Told) -> Refused:
    """What the vendor's code means. Its words are left out: they repeat numbers and pieces of the text."""
    code = told.code if _PLAIN.fullmatch(told.code) else "unknown code"
    detail = f"{code} {told.request_id}" if _PLAIN.fullmatch(told.request_id) else code
    reason = _REASONS.get(code)
    if reason is not None:
        return Refused(reason, f"HTTP {answer.status} {detail}", retry_after=answer.retry_after)
    if answer.status == HTTP_OK:
        return Refused(Reason.PROVIDER_AWAY, detail)
    return refusal_of(answer, detail)
