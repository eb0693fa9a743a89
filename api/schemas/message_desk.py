"""消息台 on the wire: messages, their files, figures and providers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.message_desk import MessageFile, Period
from notifications.desk import PRIVATE, DeskMessage, ProviderHealth, Sums, Tally, ToldLater, Try, add_up
from notifications.message import Channel, MessageState, Purpose, Recipient
from notifications.outcome import Reason
from notifications.sms.port import ReceiptState
from notifications.templates import TemplateUnknown, template_of

_HIDDEN = "***"


class MessageLogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the log. Of private persons neither the number nor their file's id is told."""

    id: UUID
    created_at: datetime
    template: str
    template_title: str
    purpose: Purpose
    channel: Channel
    recipient: Recipient
    recipient_id: UUID | None
    address: str | None
    subject: str | None
    subject_id: UUID | None
    department_id: UUID | None
    level: int | None
    state: MessageState
    state_label: str
    attempts: int
    not_before: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    provider: str | None
    segments: int | None
    reason: Reason | None
    reason_label: str | None


class MessageLogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[MessageLogLine]
    next_cursor: str | None


class ReceiptTold(msgspec.Struct, frozen=True, kw_only=True):
    """回执, with the provider's own code."""

    state: ReceiptState
    provider_status: str
    at: datetime
    received_at: datetime


class MessageTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try: `state` is open, accepted, refused or unknown."""

    number: int
    provider: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    reason: Reason | None
    reason_label: str | None
    error: str | None
    provider_reference: str | None
    segments: int | None
    encoding: str | None
    elapsed_ms: int | None
    receipts: list[ReceiptTold]


class MessageLogDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A message whole. `text` is what it says, but for secrets (`******`) and what was looked up late (`…`)."""

    line: MessageLogLine
    text: str
    is_to_do: bool
    closed_at: datetime | None
    last_error: str | None
    tries: list[MessageTry]


class RetryOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """死信重发: which ones."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=100)]


class MessageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages; segments (计费条数) are those of SMS that providers took, again and again counted each time;
    `given_up` are failed or abandoned.
    """

    messages: int
    segments: int
    delivered: int
    given_up: int


class DayFigures(MessageFigures, frozen=True, kw_only=True):
    """Of one day of the region's calendar."""

    day: date


class TemplateFigures(MessageFigures, frozen=True, kw_only=True):
    """Of one template."""

    template: str
    title: str


class ChannelFigures(MessageFigures, frozen=True, kw_only=True):
    """Of one channel."""

    channel: Channel


class StateFigures(MessageFigures, frozen=True, kw_only=True):
    """Of one state."""

    state: MessageState
    label: str


class ReasonFigures(MessageFigures, frozen=True, kw_only=True):
    """Of one reason why it did not go or arrive."""

    reason: Reason
    label: str


class MessageStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of some days, whole and by each of these."""

    first_on: date
    last_on: date
    total: MessageFigures
    by_day: list[DayFigures]
    by_template: list[TemplateFigures]
    by_channel: list[ChannelFigures]
    by_state: list[StateFigures]
    by_reason: list[ReasonFigures]


class ProviderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A provider: `is_paused` until `closed_until`, after failures in a row; counts are from the beginning."""

    name: str
    is_paused: bool
    failures: int
    closed_until: datetime | None
    last_accepted_at: datetime | None
    last_refused_at: datetime | None
    last_reason: Reason | None
    last_reason_label: str | None
    last_elapsed_ms: int | None
    accepted: int
    refused: int


class ProviderList(msgspec.Struct, frozen=True, kw_only=True):
    """Every provider that was ever asked."""

    items: list[ProviderLine]


def to_log_line(message: DeskMessage) -> MessageLogLine:
    """A line, without what would lead to a private person."""
    is_private = message.recipient in PRIVATE
    return MessageLogLine(
        id=message.id,
        created_at=message.created_at,
        template=message.template,
        template_title=_title(message.template, message.template_version),
        purpose=message.purpose,
        channel=message.channel,
        recipient=message.recipient,
        recipient_id=None if is_private else message.recipient_id,
        address=_HIDDEN if is_private and message.address_masked is not None else message.address_masked,
        subject=message.subject,
        subject_id=None if is_private else message.subject_id,
        department_id=message.department_id,
        level=message.level,
        state=message.state,
        state_label=message.state.label,
        attempts=message.attempts,
        not_before=message.not_before,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        provider=message.provider,
        segments=message.segments,
        reason=message.reason,
        reason_label=_label(message.reason),
    )


def to_log_detail(file: MessageFile) -> MessageLogDetail:
    """A message whole."""
    return MessageLogDetail(
        line=to_log_line(file.message),
        text=file.text,
        is_to_do=file.message.is_to_do,
        closed_at=file.message.closed_at,
        last_error=file.message.last_error,
        tries=[_try(each, file.receipts) for each in file.tries],
    )


def _try(tried: Try, receipts: Sequence[ToldLater]) -> MessageTry:
    return MessageTry(
        number=tried.number,
        provider=tried.provider,
        state=tried.state,
        started_at=tried.started_at,
        ended_at=tried.ended_at,
        reason=tried.reason,
        reason_label=_label(tried.reason),
        error=tried.error,
        provider_reference=tried.provider_reference,
        segments=tried.segments,
        encoding=tried.encoding,
        elapsed_ms=tried.elapsed_ms,
        receipts=[
            ReceiptTold(
                state=told.state, provider_status=told.provider_status, at=told.at, received_at=told.received_at
            )
            for told in receipts
            if told.attempt_id == tried.id
        ],
    )


def to_statistics(period: Period, tallies: Sequence[Tally]) -> MessageStatistics:
    """The tallies added up."""
    total = Sums()
    titles: dict[str, str] = {}
    for tally in tallies:
        total = total.with_tally(tally)
        titles.setdefault(tally.template, _title(tally.template))
    return MessageStatistics(
        first_on=period.first_on,
        last_on=period.last_on,
        total=MessageFigures(**msgspec.structs.asdict(total)),
        by_day=[DayFigures(day=day, **msgspec.structs.asdict(sums)) for day, sums in add_up(tallies, "day").items()],
        by_template=[
            TemplateFigures(template=name, title=titles[name], **msgspec.structs.asdict(sums))
            for name, sums in add_up(tallies, "template").items()
        ],
        by_channel=[
            ChannelFigures(channel=channel, **msgspec.structs.asdict(sums))
            for channel, sums in add_up(tallies, "channel").items()
        ],
        by_state=[
            StateFigures(state=state, label=state.label, **msgspec.structs.asdict(sums))
            for state, sums in add_up(tallies, "state").items()
        ],
        by_reason=[
            ReasonFigures(reason=reason, label=reason.label, **msgspec.structs.asdict(sums))
            for reason, sums in add_up(tallies, "reason").items()
            if reason is not None
        ],
    )


def to_provider_line(health: ProviderHealth, now: datetime) -> ProviderLine:
    """A provider as it stands at `now`."""
    return ProviderLine(
        **msgspec.structs.asdict(health),
        is_paused=health.closed_until is not None and health.closed_until > now,
        last_reason_label=_label(health.last_reason),
    )


def _label(reason: Reason | None) -> str | None:
    return None if reason is None else reason.label


def _title(name: str, version: int = 1) -> str:
    try:
        return template_of(name, version).title
    except TemplateUnknown:
        return name
