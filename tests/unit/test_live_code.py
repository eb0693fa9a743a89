"""Live codes and badges: what proves, for how long, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes.live_code import (
    BADGE_LENGTH,
    BADGE_LIFETIME,
    LIVE_LENGTH,
    SLOT,
    InvalidShortCode,
    badge_from_scan,
    badge_url,
    is_near,
    issue_badge,
    issue_live_code,
    live_code_from_scan,
    live_code_url,
    read_badge,
    read_live_code,
)
from codes.token import TokenKeys, issue_token, token_from_scan

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
OLD = TokenKeys({1: b"\x01" * 32}, current=1)
KEYS = TokenKeys({1: b"\x01" * 32, 2: b"\x02" * 32}, current=2)
CODE_ID = bytes(range(8))
OFFICER = UUID(int=77)
LIVE = issue_live_code(KEYS, CODE_ID, NOW)
BADGE = issue_badge(KEYS, OFFICER, NOW)
few = settings(max_examples=60, deadline=None)


@few
@given(st.binary(min_size=8, max_size=8), st.integers(0, 10**9))
def test_a_live_code_says_whose_it_is_and_when_it_was_shown(code_id: bytes, seconds: int) -> None:
    shown = NOW + timedelta(seconds=seconds)
    text = issue_live_code(KEYS, code_id, shown)
    assert len(text) == LIVE_LENGTH
    read = read_live_code(KEYS, text.lower())
    assert read.code_id == code_id
    assert read.shown_from <= shown < read.shown_from + SLOT
    assert is_near(read, shown)


@few
@given(st.uuids(), st.integers(0, 10**9))
def test_a_badge_says_whose_it_is_and_when_it_was_shown(officer: UUID, seconds: int) -> None:
    shown = NOW + timedelta(seconds=seconds)
    text = issue_badge(KEYS, officer, shown)
    assert len(text) == BADGE_LENGTH
    badge = read_badge(KEYS, text)
    assert (badge.officer_id, badge.issued_at) == (officer, shown)


@pytest.mark.parametrize(("after", "near"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_live_code_is_near_its_own_slot_and_the_ones_beside_it(after: int, near: bool) -> None:
    assert is_near(read_live_code(KEYS, LIVE), NOW + timedelta(seconds=after)) is near


@pytest.mark.parametrize(("after", "current"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_badge_lasts_a_minute_and_bears_a_clock_that_runs_behind(after: int, current: bool) -> None:
    badge = read_badge(KEYS, BADGE)
    assert badge.is_current(NOW + timedelta(seconds=after)) is current
    assert badge.expires_at == NOW + BADGE_LIFETIME


def test_codes_of_an_older_key_still_prove_and_of_a_retired_one_no_more() -> None:
    former = issue_live_code(OLD, CODE_ID, NOW)
    assert read_live_code(KEYS, former).code_id == CODE_ID
    retired = TokenKeys({2: b"\x02" * 32}, current=2)
    with pytest.raises(InvalidShortCode):
        read_live_code(retired, former)


@pytest.mark.parametrize("place", range(LIVE_LENGTH - 1))
def test_a_changed_character_proves_nothing(place: int) -> None:
    other = "0" if LIVE[place] != "0" else "1"
    with pytest.raises(InvalidShortCode):
        read_live_code(KEYS, LIVE[:place] + other + LIVE[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "0", LIVE[:-1], LIVE + "0", "码" * LIVE_LENGTH, BADGE, issue_token(KEYS, CODE_ID)]
)
def test_what_is_no_live_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidShortCode):
        read_live_code(KEYS, text)


@pytest.mark.parametrize("text", ["", BADGE[:-1], "0" * BADGE_LENGTH, LIVE])
def test_what_is_no_badge_is_refused(text: str) -> None:
    with pytest.raises(InvalidShortCode):
        read_badge(KEYS, text)


def test_a_scanner_takes_no_code_for_another_one() -> None:
    token = issue_token(KEYS, CODE_ID)
    live, badge = live_code_url("https://yima.test", LIVE), badge_url("https://yima.test", BADGE)
    assert live == f"HTTPS://YIMA.TEST/L/{LIVE}"
    assert badge == f"HTTPS://YIMA.TEST/B/{BADGE}"
    assert (live_code_from_scan(live), live_code_from_scan(LIVE.lower())) == (LIVE, LIVE)
    assert (badge_from_scan(badge), badge_from_scan(BADGE)) == (BADGE, BADGE)
    for text in (token, f"HTTPS://YIMA.TEST/C/{token}", badge, BADGE, "ſ" * LIVE_LENGTH):
        assert live_code_from_scan(text) is None
    for text in (token, live, LIVE):
        assert badge_from_scan(text) is None
    assert (token_from_scan(live), token_from_scan(badge)) == (None, None)


def test_a_code_id_of_another_length_is_a_defect() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        issue_live_code(KEYS, uuid4().bytes, NOW)
