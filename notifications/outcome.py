"""How handing a message over to a provider ends: accepted, or refused for one of these reasons."""

from __future__ import annotations

import enum

import msgspec


class Reason(enum.StrEnum):
    """Why a message did not go, or did not arrive."""

    # the address
    NO_ADDRESS = "no_address"
    LANDLINE = "landline"
    BAD_ADDRESS = "bad_address"
    BOUNCED = "bounced"
    UNREACHABLE = "unreachable"
    # what may be sent to it
    OPTED_OUT = "opted_out"
    BLACKLISTED = "blacklisted"
    CAPPED = "capped"
    OUTDATED = "outdated"
    # the message
    TEMPLATE_MISMATCH = "template_mismatch"
    CONTENT_REFUSED = "content_refused"
    # ourselves
    PAPER_AWAY = "paper_away"
    DEFECT = "defect"
    # the provider
    THROTTLED = "throttled"
    NO_CREDIT = "no_credit"
    UNAUTHORISED = "unauthorised"
    PROVIDER_AWAY = "provider_away"
    MALFORMED_ANSWER = "malformed_answer"
    # nobody knows whether it went
    NO_ANSWER = "no_answer"

    @property
    def label(self) -> str:
        """The reason in Chinese."""
        return _LABELS[self]

    @property
    def is_final(self) -> bool:
        """Whether trying again, by whatever provider, would change nothing."""
        return self in _FINAL

    @property
    def is_certain(self) -> bool:
        """Whether it is certain that the message did not go: only then may another provider be asked at once."""
        return self not in {Reason.NO_ANSWER, Reason.MALFORMED_ANSWER}


_LABELS = {
    Reason.NO_ADDRESS: "没有联系方式",
    Reason.LANDLINE: "固定电话不能接收短信",
    Reason.BAD_ADDRESS: "号码或邮箱无效",
    Reason.BOUNCED: "邮件被退回",
    Reason.UNREACHABLE: "对方未能接收",
    Reason.OPTED_OUT: "对方已退订",
    Reason.BLACKLISTED: "号码在黑名单中",
    Reason.CAPPED: "超过发送次数上限",
    Reason.OUTDATED: "内容已失效",
    Reason.TEMPLATE_MISMATCH: "模板与变量不符",
    Reason.CONTENT_REFUSED: "内容被服务商拒绝",
    Reason.PAPER_AWAY: "文书文件暂时无法读取",
    Reason.DEFECT: "系统故障",
    Reason.THROTTLED: "服务商限流",
    Reason.NO_CREDIT: "服务商余额不足",
    Reason.UNAUTHORISED: "服务商鉴权失败",
    Reason.PROVIDER_AWAY: "服务商不可用",
    Reason.MALFORMED_ANSWER: "服务商应答无法识别",
    Reason.NO_ANSWER: "服务商应答超时，结果未知",
}
_FINAL = frozenset(
    {
        Reason.NO_ADDRESS,
        Reason.LANDLINE,
        Reason.BAD_ADDRESS,
        Reason.BOUNCED,
        Reason.OPTED_OUT,
        Reason.BLACKLISTED,
        Reason.CAPPED,
        Reason.OUTDATED,
        Reason.TEMPLATE_MISMATCH,
        Reason.CONTENT_REFUSED,
    }
)


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The provider has taken the message; `provider_reference` is its own id of it, where it gives one."""

    provider_reference: str | None = None


class Refused(Exception):
    """The provider did not take the message, or nobody knows: `reason` says which.

    `detail` is the provider's own code and words, without any address or text; `retry_after` is in seconds.
    """

    def __init__(self, reason: Reason, detail: str = "", *, retry_after: float | None = None) -> None:
        """Say why."""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail[:500]
        self.retry_after = retry_after
