"""The pages of subscriptions: the form, what one has, and the buttons that confirm or end; no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from api import pages
from api.pages.complaint import Fault
from api.schemas.subscription import DigestView
from codes.divisions import Division, guangxi_divisions
from domain.document.templates import chinese_date
from domain.scene.catalogue import scenes
from domain.subscription.model import (
    DigestChannel,
    Frequency,
    OwnSubscriptions,
    Subscription,
    SubscriptionAnswer,
    SubscriptionState,
    Topic,
)

HEADERS: Final[Mapping[str, str]] = {
    **pages.HEADERS,
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
FORM: Final = "/subscriptions/new"
OWN: Final = "/subscriptions/own"
_FIELDS: Final = (
    "topic",
    "uscc",
    "site_id",
    "scene_code",
    "region_code",
    "keywords",
    "frequency",
    "channel",
    "email",
    "phone",
    "verification",
)
_NAMED: Final = frozenset({*_FIELDS, "code"}) - {"uscc", "site_id", "verification"}
_NAMED_OF_PHONE: Final = frozenset({"phone", "code"})
_ENDED: Final = "已退订"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The form's hidden fields and what was typed; `place` is the enterprise or site that one came from, by name."""

    pass_: str
    key: str
    values: Mapping[str, str] = {}
    is_verified: bool = False
    place: str | None = None


@cache
def _regions() -> tuple[Division, ...]:
    return tuple(each for each in guangxi_divisions() if each.successor_code is None and each.valid_to is None)


def render_form(asked: Asked, *, fault: Fault | None = None, note: str | None = None) -> bytes:
    """订阅, empty or to be mended."""
    value = _values(asked)
    value["frequency"] = value["frequency"] or Frequency.WEEKLY.value
    value["channel"] = value["channel"] or DigestChannel.EMAIL.value
    return pages.render(
        "subscription_form.html",
        key=asked.key,
        pass_token=asked.pass_,
        value=value,
        place=asked.place,
        place_topic=(Topic.SITE if value["site_id"] else Topic.ENTERPRISE).value,
        is_verified=asked.is_verified,
        scenes=scenes(),
        regions=_regions(),
        frequencies=list(Frequency),
        note=note,
        named=_NAMED,
        **_told_of(fault),
    )


def render_phone_form(asked: Asked, *, fault: Fault | None = None, note: str | None = None) -> bytes:
    """查看我的订阅: the phone that is told by SMS, and the code that proves it."""
    return pages.render(
        "subscription_phone.html",
        key=asked.key,
        pass_token=asked.pass_,
        value=_values(asked),
        is_verified=asked.is_verified,
        note=note,
        named=_NAMED_OF_PHONE,
        **_told_of(fault),
    )


def _values(asked: Asked) -> dict[str, str]:
    return {name: asked.values.get(name, "") for name in _FIELDS}


def _told_of(fault: Fault | None) -> dict[str, Any]:
    """The fault above the form, and beside its field."""
    return {
        "errors": [] if fault is None else [fault],
        "faults": {} if fault is None or fault.field is None else {fault.field: fault.text},
    }


def render_asked(answer: SubscriptionAnswer) -> bytes:
    """What was asked for: in force, or waiting for the mailbox's owner."""
    if answer.state is SubscriptionState.ACTIVE:
        return render_begun(answer)
    return _told(
        "请到邮箱确认",
        [
            f"我们已向您填写的邮箱发送确认邮件。请在三天内打开邮件中的链接，确认订阅“{answer.label}”。",
            "没有收到？请查看垃圾邮件，或核对邮箱后重新订阅。",
        ],
        links=[("返回订阅", FORM)],
    )


def render_begun(answer: SubscriptionAnswer) -> bytes:
    """已生效."""
    return _told(
        "订阅已生效",
        [
            f"有关“{answer.label}”的公开信息有更新时，我们{answer.frequency.label}上午用{answer.channel.label}告诉您。",
            "每条消息里都有退订的链接。",
        ],
        links=[("再订阅一项", FORM), ("查看我的订阅", OWN)],
    )


def render_confirm(found: Subscription, action: str) -> bytes:
    """The button that confirms."""
    return _told(
        "确认订阅",
        [f"{found.topic.label}：{found.label}", f"{found.frequency.label}用邮件发送。"],
        action=action,
        button="确认订阅",
    )


def render_own(own: OwnSubscriptions, action: str, note: str | None = None) -> bytes:
    """我的订阅, each with its end."""
    return pages.render("subscription_own.html", own=own, action=action, note=note)


def render_ended() -> bytes:
    """Nothing is left to be told, whether it was ended now or before."""
    return _told(_ENDED, ["没有生效的订阅，我们不再保存您的联系方式，也不会再发送。"], links=[("重新订阅", FORM)])


def render_digest(view: DigestView, ending: str) -> bytes:
    """订阅摘要."""
    return pages.render("digest.html", view=view, ending=ending, day=chinese_date)


def render_ending(action: str) -> bytes:
    """The button that ends all, behind the link of an SMS."""
    return _told(
        "退订",
        ["退订后，收到这条消息的号码或邮箱不再收到任何订阅摘要，联系方式立即删除。"],
        action=action,
        button="全部退订",
    )


def render_refusal(detail: str) -> bytes:
    """A link that leads nowhere."""
    return _told("无法打开", [detail], links=[("查看我的订阅", OWN), ("订阅公开信息", FORM)])


def _told(
    heading: str,
    paragraphs: Sequence[str],
    *,
    action: str | None = None,
    button: str = "",
    links: Sequence[tuple[str, str]] = (),
) -> bytes:
    return pages.render(
        "subscription_told.html", heading=heading, paragraphs=paragraphs, action=action, button=button, links=links
    )
