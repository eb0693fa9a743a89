"""UUIDv7 as RFC 9562 says: a version, a variant, an order in time."""

import os
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from domain.shared.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ones(count: int) -> bytes:
    return b"\xff" * count


def zeros(count: int) -> bytes:
    return bytes(count)


def test_version_and_variant_stand_in_their_bits_whatever_the_noise() -> None:
    for random in (ones, zeros, os.urandom):
        made = new_id(NOW, random)
        assert made.version == 7
        assert made.variant == RFC_4122


def test_the_example_of_the_rfc_is_made() -> None:
    # RFC 9562, appendix A.6: rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F, at 2022-02-22T19:22:22Z.
    noise = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    made = new_id(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC), lambda _: noise)
    assert made == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


def test_all_74_random_bits_are_used() -> None:
    fixed = new_id(NOW, zeros).int
    assert (fixed ^ new_id(NOW, ones).int).bit_count() == 74
    assert len({new_id(NOW, os.urandom) for _ in range(1000)}) == 1000


def test_the_first_48_bits_are_the_very_millisecond() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for milliseconds in range(1_600_000_000_000, 2_500_000_000_000, 900_000_007):
        made = new_id(epoch + timedelta(milliseconds=milliseconds), ones)
        assert made.int >> 80 == milliseconds


def test_ids_sort_by_the_time_they_were_made() -> None:
    instants = [NOW + timedelta(milliseconds=step**2) for step in range(1000)]
    made = [new_id(instant, os.urandom) for instant in instants]
    assert made == sorted(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)
    assert [each.bytes for each in made] == sorted(each.bytes for each in made)
