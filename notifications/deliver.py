"""Delivery of one message by a driver of its channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from notifications.message import Channel
from notifications.outbox import StoredMessage

ATTEMPTS = 8
"""After so many failures a message is given up, visibly."""

SEGMENT = 70
"""Characters of one SMS; a longer one is split into parts of 67, each paid for."""

_TEXTS: Mapping[str, str | tuple[str, ...]] = {
    "arrival": (
        "【{department}】{officers}名执法人员已到你单位，检查通知书{notice}。请扫执法人员码核验；不亮证可拒绝检查。监督{hotline}"
    ),
    # Of several texts an SMS takes the first that is one segment, anything else the first.
    "order_issued": (
        "【{department}】你单位收到责令改正通知书({number}),{due}改正。查看 {link}",
        "【{department}】你单位收到责令改正通知书({sequence}号),{due}改正。查看 {bare_link}",
        "【{department}】责令改正通知书{sequence}号,{due}改正:{bare_link}",
    ),
    "order_issued_reminder": (
        (
            "【{department}】责令改正通知书({sequence}号)纸质件另行送达,{due}改正。"
            "本短信仅作提醒,可在智桂通核对,核实电话{hotline}"
        ),
        "【{department}】责令改正通知书({sequence}号)纸质件另行送达,{due}改正。本短信仅作提醒,核实电话{hotline}",
    ),
    "position_in_doubt": "位置待核：检查任务{inspection_id}的报到位置存疑（{flags}），请核实。",
}


class Undeliverable(Exception):
    """The driver could not hand the message over; it may be tried again."""


class Driver(Protocol):
    """Hands a message over, or raises `Undeliverable`."""

    async def send(self, message: StoredMessage, text: str) -> None:
        """Hand `text` over to the message's recipient."""
        ...


def compose(message: StoredMessage, known: Mapping[str, str] | None = None) -> str:
    """The message's text, out of its own parameters and of what was `known` only once it was committed.

    KeyError for a template or parameter that does not exist: a defect of ours.
    """
    texts = _TEXTS[message.template]
    parameters = {**message.parameters, **(known or {})}
    composed = [text.format_map(parameters) for text in ((texts,) if isinstance(texts, str) else texts)]
    if message.channel is not Channel.SMS:
        return composed[0]
    return next((text for text in composed if len(text) <= SEGMENT), composed[-1])


class LogDriver:
    """Writes messages to a file instead of sending them: what an installation without a gateway has."""

    def __init__(self, path: Path) -> None:
        """Append to `path`, one JSON line a message."""
        self._path = path

    async def send(self, message: StoredMessage, text: str) -> None:
        """Append the line; the recipient stands there by id."""
        line = {
            "id": str(message.id),
            "channel": message.channel,
            "recipient": f"{message.recipient}/{message.recipient_id}",
            "text": text,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def driver_of(drivers: Mapping[Channel, Driver], message: StoredMessage) -> Driver:
    """The driver of the message's channel. KeyError when none is set up."""
    return drivers[message.channel]
