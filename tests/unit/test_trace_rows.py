"""The bytes that a trace row's seal covers: every field, each told from every other."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.shared.clock import WORKING_ZONE
from domain.shared.events import Circumstances, Operator
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, first_version, next_version
from domain.shared.trace import FIRST_LINK, TraceRow, TraceSeal, sealed_bytes, write_down
from tests.support.acts import Facts, Noted

ROOT = bytes(range(32))
NOW = datetime(2026, 3, 2, 9, 0, 0, 123_456, tzinfo=UTC)
ROW = TraceRow(
    id=UUID(int=1),
    business="行政检查",
    power="行政检查权",
    duty="扫码报到",
    action="inspection.checked_in",
    at=NOW,
    operator_id=UUID(int=2),
    operator_name="韦执法",
    post="一级主办",
    subject="inspection",
    subject_id=UUID(int=3),
    department_id=UUID(int=4),
    region="450000.450100",
    site_id=UUID(int=5),
    before='{"state":"pending"}',
    after='{"state":"completed"}',
    request_id=UUID(int=6),
    device_at="2026-03-02T17:00:00+08:00",
    longitude=108.366,
    latitude=22.817,
    key_version=1,
)
SEALED = [name for name in TraceRow.__struct_fields__ if name != "mac"]
OPTIONAL = ["department_id", "region", "site_id", "before", "after", "device_at", "longitude", "latitude"]
TEXTS = [name for name in SEALED if isinstance(getattr(ROW, name), str)]


def seal_of_two_keys() -> TraceSeal:
    first = first_version(ROOT, KeyPurpose.TRACE)
    former = KeyVersion(purpose=first.purpose, version=1, state=KeyState.VERIFYING, check_value=first.check_value)
    return TraceSeal(KeyRing(ROOT, [former, next_version(ROOT, KeyPurpose.TRACE, 1)]))


def seal(root: bytes = ROOT) -> TraceSeal:
    return TraceSeal(KeyRing(root, [first_version(root, KeyPurpose.TRACE)]))


def changed(row: TraceRow, **fields: Any) -> TraceRow:
    return msgspec.structs.replace(row, **fields)


SLIGHTLY_OTHER: dict[type, Callable[[Any], Any]] = {
    str: lambda text: text[:-1] + chr(ord(text[-1]) + 1),
    UUID: lambda value: UUID(int=value.int ^ 1),
    datetime: lambda instant: instant + timedelta(microseconds=1),
    float: lambda number: number + 1e-12,
    int: lambda number: number + 1,
}


@pytest.mark.parametrize("name", SEALED)
def test_the_slightest_change_of_any_field_changes_the_mac(name: str) -> None:
    value = getattr(ROW, name)
    other = changed(ROW, **{name: SLIGHTLY_OTHER[type(value)](value)})
    macs = seal_of_two_keys()
    assert getattr(other, name) != value
    assert sealed_bytes(other) != sealed_bytes(ROW)
    assert macs.mac(other) != macs.mac(ROW)


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_absent_value_is_told_from_a_present_one(name: str) -> None:
    assert sealed_bytes(changed(ROW, **{name: None})) != sealed_bytes(ROW)


@pytest.mark.parametrize("name", [name for name in OPTIONAL if name in TEXTS])
def test_an_absent_text_is_told_from_an_empty_one(name: str) -> None:
    assert sealed_bytes(changed(ROW, **{name: None})) != sealed_bytes(changed(ROW, **{name: ""}))


@pytest.mark.parametrize(("left", "right"), list(pairwise(TEXTS)))
def test_a_letter_cannot_wander_from_one_field_to_the_next(left: str, right: str) -> None:
    before, after = getattr(ROW, left), getattr(ROW, right)
    wandered = changed(ROW, **{left: before[:-1], right: before[-1] + after})
    assert sealed_bytes(wandered) != sealed_bytes(ROW)


def test_the_mac_does_not_cover_itself() -> None:
    assert sealed_bytes(changed(ROW, mac=os.urandom(32))) == sealed_bytes(ROW)


def test_the_sealed_bytes_are_the_same_for_ever() -> None:
    # What is sealed today must verify in ten years: a change of form needs a new format number.
    few = dict.fromkeys(OPTIONAL) | {name: "" for name in TEXTS if name not in OPTIONAL}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    text, number, identifier, absent = "00000000", "00000008", "00000010", "ffffffff"
    expected = (
        "01"
        + identifier + UUID(int=1).hex
        + text * 4
        + number + "0" * 16
        + identifier + UUID(int=2).hex
        + text * 3
        + identifier + UUID(int=3).hex
        + absent * 5
        + identifier + UUID(int=6).hex
        + absent * 3
        + number + "0" * 15 + "1"
    )  # fmt: skip
    assert sealed_bytes(changed(ROW, at=epoch, **few)).hex() == expected


def test_instants_before_1970_and_in_other_zones_are_sealed_as_instants() -> None:
    early = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert sealed_bytes(changed(ROW, at=early)) != sealed_bytes(ROW)
    assert sealed_bytes(changed(ROW, at=NOW.astimezone(WORKING_ZONE))) == sealed_bytes(ROW)


def test_each_key_gives_another_mac_and_an_unknown_one_none() -> None:
    assert seal().mac(ROW) != seal(bytes(32)).mac(ROW)
    with pytest.raises(KeyError):
        seal().mac(changed(ROW, key_version=2))


# The chain


def test_a_link_covers_all_that_it_joins() -> None:
    given: dict[str, Any] = {
        "former": FIRST_LINK,
        "position": 1,
        "trace_id": UUID(int=1),
        "tx": 700,
        "n": 1,
        "mac": bytes(32),
    }
    other: dict[str, Any] = {
        "former": bytes([1, *bytes(31)]),
        "position": 2,
        "trace_id": UUID(int=2),
        "tx": 701,
        "n": 2,
        "mac": bytes([*bytes(31), 1]),
    }
    links = {seal().link(**given), *(seal().link(**{**given, name: other[name]}) for name in given)}
    assert len(links) == 1 + len(given)


def test_a_rolled_key_does_not_break_the_chain() -> None:
    before = seal().link(FIRST_LINK, 1, UUID(int=1), 700, 1, bytes(32))
    assert seal_of_two_keys().link(FIRST_LINK, 1, UUID(int=1), 700, 1, bytes(32)) == before


# What is written down


def written(circumstances: Circumstances) -> TraceRow:
    return write_down(
        Noted(subject_id=UUID(int=3), region="450000", after=Facts(note="到场")),
        trace_id=UUID(int=1),
        at=NOW,
        operator=Operator(id=UUID(int=2), name="韦执法", post="一级主办"),
        circumstances=circumstances,
        seal=seal_of_two_keys(),
    )


def test_an_event_is_written_down_as_it_was_told_and_sealed_by_the_current_key() -> None:
    row = written(Circumstances(request_id=UUID(int=6), longitude=108.366, latitude=22.817))
    assert (row.business, row.action, row.subject, row.subject_id) == (
        "行政检查",
        "test.noted",
        "inspection",
        UUID(int=3),
    )
    assert (row.operator_id, row.operator_name, row.post) == (UUID(int=2), "韦执法", "一级主办")
    assert (row.before, row.after, row.region, row.site_id) == (None, '{"note":"到场"}', "450000", None)
    assert (row.at, row.request_id, row.longitude, row.latitude) == (NOW, UUID(int=6), 108.366, 22.817)
    assert row.key_version == 2
    assert row.mac == seal_of_two_keys().mac(row)


def test_whole_degrees_are_sealed_as_the_database_will_give_them_back() -> None:
    row = written(Circumstances(request_id=UUID(int=6), longitude=108, latitude=22))
    read_back = changed(row, longitude=108.0, latitude=22.0)
    assert seal_of_two_keys().mac(read_back) == row.mac
