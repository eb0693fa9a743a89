"""智桂通's SMS. No wire format is given (8.8), so that the shape follows its user service (8.1).

待核, each in one place: the path and the names of the form, which `errCode` means what, and the shape of receipts.
The credentials travel as with 8.1: AppCode, AppSecret and AppKey, as headers of those names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

import httpx
import msgspec

from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.access import ZhiguitongSmsAccess
from notifications.sms.exchange import HTTP_OK, Answer, Exchange, exchange, refusal_of
from notifications.sms.port import OutgoingSms, ReceiptState, SmsProvider

PATH: Final = "gxrz-rest/sms/sendMessage"
_TRUE: Final = frozenset({"true", "1", "success"})
_REASONS: Final[Mapping[str, Reason]] = {
    "401": Reason.UNAUTHORISED,
    "403": Reason.UNAUTHORISED,
    "402": Reason.NO_CREDIT,
    "429": Reason.THROTTLED,
    "1001": Reason.TEMPLATE_MISMATCH,
    "1003": Reason.BAD_ADDRESS,
    "1004": Reason.CONTENT_REFUSED,
    **dict.fromkeys(("-1", "500", "502", "504", "system_error", "timeout"), Reason.NO_ANSWER),
    "503": Reason.PROVIDER_AWAY,
}
"""待核: 8.1 lists no codes. One that is not here is a refusal all the same."""
RECEIPT_STATES: Final[Mapping[str, ReceiptState]] = {
    "0": ReceiptState.TAKEN,
    "1": ReceiptState.DELIVERED,
    "2": ReceiptState.FAILED,
}
"""待核: what `status` of a receipt says."""

_Word = Annotated[str, msgspec.Meta(max_length=100)]


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    msgId: _Word | int | None = None  # noqa: N815 - the provider's name


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    flag: bool | str | int | None = None
    data: _Data | None = None
    errCode: str | int | None = None  # noqa: N815 - the provider's name


class ZhiguitongSms(SmsProvider):
    """The port over 智桂通. Whether it keeps a register by our reference is not known, so that it is not asked."""

    name: ClassVar[str] = ZhiguitongSmsAccess.name

    def __init__(self, access: ZhiguitongSmsAccess, client: httpx.AsyncClient) -> None:
        """Call the service that `access` names by `client`."""
        self._url = f"{access.url.rstrip('/')}/{PATH}"
        self._headers = {"AppCode": access.app_code, "AppSecret": access.app_secret, "AppKey": access.app_key}
        self._client = client

    async def close(self) -> None:
        """Let go of the client, which the drivers of a process share."""
        await self._client.aclose()

    async def _hand_over(self, sms: OutgoingSms) -> Accepted:
        form = {"mobile": sms.number, "content": sms.text, "extendId": str(sms.reference)}
        asked = Exchange(method="POST", url=self._url, headers=self._headers, form=form)
        answer = await exchange(self._client, asked)
        try:
            told = msgspec.json.decode(answer.body, type=_Told)
        except (msgspec.DecodeError, RecursionError):
            raise refusal_of(answer) from None
        if answer.status == HTTP_OK and str(told.flag).lower() in _TRUE:
            given = None if told.data is None or told.data.msgId is None else str(told.data.msgId)
            return Accepted(provider_reference=given)
        raise _refusal(answer, told)


def _refusal(answer: Answer, told: _Told) -> Refused:
    if answer.status != HTTP_OK:
        return refusal_of(answer)
    if told.flag is None:
        return Refused(Reason.MALFORMED_ANSWER, "no flag")
    code = str(told.errCode or "").lower()
    reason = _REASONS.get(code)
    if reason is None:
        return Refused(Reason.PROVIDER_AWAY, "an errCode that is not known")
    return Refused(reason, f"errCode {code}", retry_after=answer.retry_after)
