"""发送规则: quiet hours, caps, 退订, 黑名单 and bounced mailboxes; what the law demands to be sent is sent."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.blocks import BlockKind, comparable_mail, mask_mail
from notifications.message import Channel, Purpose
from notifications.outcome import Reason
from notifications.policy import DEFAULT, Decision, Decline, Send, WaitUntil, decide

NOON = datetime.fromisoformat("2026-08-05T12:00:00+08:00")
NIGHT = datetime.fromisoformat("2026-08-05T23:30:00+08:00")
EARLY = datetime.fromisoformat("2026-08-05T05:00:00+08:00")
WAITING = [Purpose.REMINDER, Purpose.DIGEST, Purpose.SERVICE, Purpose.WARNING]
URGENT = [Purpose.LEGAL_NOTICE, Purpose.VERIFICATION]


def decided(
    purpose: Purpose = Purpose.SERVICE,
    *,
    now: datetime = NOON,
    channel: Channel = Channel.SMS,
    blocks: tuple[str, ...] = (),
    in_hour: int = 0,
    in_day: int = 0,
    level: int | None = None,
) -> Decision:
    return decide(
        purpose=purpose,
        channel=channel,
        now=now,
        blocks=frozenset(blocks),
        sent_in_hour=in_hour,
        sent_in_day=max(in_day, in_hour),
        level=level,
    )


@pytest.mark.parametrize("purpose", Purpose)
def test_by_day_everything_goes(purpose: Purpose) -> None:
    assert decided(purpose) == Send()


@pytest.mark.parametrize("purpose", WAITING)
@pytest.mark.parametrize(("now", "until"), [(NIGHT, "2026-08-06T08:00:00"), (EARLY, "2026-08-05T08:00:00")])
def test_at_night_what_can_wait_waits_for_the_morning(purpose: Purpose, now: datetime, until: str) -> None:
    assert decided(purpose, now=now) == WaitUntil(datetime.fromisoformat(f"{until}+08:00"))


@pytest.mark.parametrize("purpose", URGENT)
def test_a_code_and_a_legal_notice_go_at_night(purpose: Purpose) -> None:
    assert decided(purpose, now=NIGHT) == Send()


def test_a_red_warning_goes_at_night_and_an_orange_one_waits() -> None:
    assert decided(Purpose.WARNING, now=NIGHT, level=1) == Send()
    assert isinstance(decided(Purpose.WARNING, now=NIGHT, level=2), WaitUntil)
    assert isinstance(decided(Purpose.REMINDER, now=NIGHT, level=1), WaitUntil)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.IN_APP])
def test_what_wakes_nobody_goes_at_night(channel: Channel) -> None:
    assert decided(now=NIGHT, channel=channel) == Send()


@pytest.mark.parametrize(("at", "waits"), [("20:59:59", False), ("21:00", True), ("07:59:59", True), ("08:00", False)])
def test_quiet_hours_begin_and_end_by_the_regions_clock(at: str, waits: bool) -> None:
    now = datetime.fromisoformat(f"2026-08-05T{at}+08:00").astimezone(UTC)
    assert isinstance(decided(now=now), WaitUntil) is waits


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    def at_noon(begin: time, end: time) -> Decision:
        rules = msgspec.structs.replace(DEFAULT, quiet_from=begin, quiet_to=end)
        return decide(
            purpose=Purpose.SERVICE,
            channel=Channel.SMS,
            now=NOON,
            blocks=frozenset(),
            sent_in_hour=0,
            sent_in_day=0,
            rules=rules,
        )

    assert at_noon(time(11), time(14)) == WaitUntil(datetime.fromisoformat("2026-08-05T14:00:00+08:00"))
    assert at_noon(time(12), time(12)) == Send()


@pytest.mark.parametrize("purpose", sorted(DEFAULT.caps))
def test_caps_are_for_each_purpose_and_legal_notices_have_none(purpose: Purpose) -> None:
    cap = DEFAULT.caps[purpose]
    assert decided(purpose, in_hour=cap.an_hour - 1) == Send()
    full = Decline(Reason.CAPPED) if purpose is Purpose.VERIFICATION else WaitUntil(NOON + DEFAULT.capped_for)
    assert decided(purpose, in_hour=cap.an_hour) == full
    assert decided(purpose, in_day=cap.a_day) == Decline(Reason.CAPPED)


def test_legal_notices_and_red_warnings_are_never_capped() -> None:
    assert decided(Purpose.LEGAL_NOTICE, in_hour=10_000) == Send()
    assert decided(Purpose.WARNING, in_hour=10_000, level=1) == Send()


def test_who_had_their_fill_at_nine_in_the_evening_waits_for_the_morning() -> None:
    now = datetime.fromisoformat("2026-08-05T20:50:00+08:00")
    told = decided(Purpose.REMINDER, now=now, in_hour=5)
    assert told == WaitUntil(datetime.fromisoformat("2026-08-06T08:00:00+08:00"))


@pytest.mark.parametrize("purpose", Purpose)
def test_who_opted_out_gets_no_reminder_digest_or_service_message(purpose: Purpose) -> None:
    declined = purpose in {Purpose.REMINDER, Purpose.DIGEST, Purpose.SERVICE}
    assert decided(purpose, blocks=("opted_out",)) == (Decline(Reason.OPTED_OUT) if declined else Send())


@pytest.mark.parametrize("purpose", Purpose)
def test_the_blacklist_stops_all_but_legal_notices(purpose: Purpose) -> None:
    told = decided(purpose, blocks=("blacklisted", "opted_out"))
    assert told == (Send() if purpose is Purpose.LEGAL_NOTICE else Decline(Reason.BLACKLISTED))


@pytest.mark.parametrize("purpose", Purpose)
def test_a_mailbox_that_bounces_takes_nothing(purpose: Purpose) -> None:
    assert decided(purpose, channel=Channel.EMAIL, blocks=("bounced",)) == Decline(Reason.BOUNCED)


def test_what_is_declined_does_not_wait_first() -> None:
    assert decided(Purpose.REMINDER, now=NIGHT, blocks=("opted_out",)) == Decline(Reason.OPTED_OUT)


_moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(purpose=st.sampled_from(Purpose), now=_moments, in_hour=st.integers(0, 40))
def test_whoever_waits_is_let_go_at_the_instant_that_was_named(purpose: Purpose, now: datetime, in_hour: int) -> None:
    told = decided(purpose, now=now, in_hour=in_hour)
    if isinstance(told, WaitUntil):
        assert now < told.at <= now + timedelta(hours=12)
        assert decided(purpose, now=told.at) == Send()


def test_kinds_of_block_have_the_names_that_the_rules_know() -> None:
    assert {kind.value for kind in BlockKind} == {"opted_out", "blacklisted", "bounced"}


def test_mail_addresses_are_compared_without_capitals_and_shown_masked() -> None:
    assert comparable_mail(" Wei@Example.CN ") == "wei@example.cn"
    assert comparable_mail("wei@例子.中国") == "wei@xn--fsqu00a.xn--fiqs8s"
    assert comparable_mail("no mail") == "no mail"
    assert mask_mail("wei@example.cn") == "w***@example.cn"
    assert mask_mail("wei") == "***"
