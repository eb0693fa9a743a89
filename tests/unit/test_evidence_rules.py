"""Rules of uploads in parts, of room, and of who sees what."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence.model import (
    MAX_FILE_BYTES,
    MAX_INSPECTION_BYTES,
    BlobPlace,
    CopiesState,
    HandedIn,
    MediaType,
    Part,
    Shown,
)
from domain.evidence.rules import (
    EvidenceQuarantined,
    EvidenceQuotaReached,
    EvidenceTooLarge,
    contiguous_end,
    parse_content_range,
    parse_digest,
    plan_assembly,
    require_room,
    require_shown,
    visible_to_enterprise,
)
from domain.shared.errors import Forbidden, InvalidField


def handed_in(*, is_of_enterprise: bool = False, quarantine_reason: str | None = None) -> HandedIn:
    at = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
    return HandedIn(
        digest=bytes(32),
        media_type=MediaType.JPEG,
        size=1,
        width=1,
        height=1,
        copies=CopiesState.READY,
        quarantine_reason=quarantine_reason,
        uploaded_by=uuid4(),
        is_of_enterprise=is_of_enterprise,
        done_at=at,
        received_at=at,
    )


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "0" * 65, "0" * 63 + " ", "../" + "0" * 61])
def test_a_digest_is_64_hexadecimal_digits(text: str) -> None:
    with pytest.raises(InvalidField):
        parse_digest(text)
    assert parse_digest("Ab" * 32) == b"\xab" * 32


@pytest.mark.parametrize(
    "text",
    ["bytes 0-9", "bytes */100", "bytes 0-99999/99999", "bytes 5-4/999999", "items 0-1/2", "bytes 0-1000/99999", "-1"],
)
def test_a_part_names_its_place_within_the_whole(text: str) -> None:
    with pytest.raises(InvalidField):
        parse_content_range(text)


def test_the_last_part_may_be_short() -> None:
    assert parse_content_range("bytes 70000-70000/70001").size == 1


def test_a_whole_of_more_than_20_mebibytes_is_refused_at_its_first_part() -> None:
    with pytest.raises(EvidenceTooLarge):
        parse_content_range(f"bytes 0-99999/{MAX_FILE_BYTES + 1}")


@given(
    st.binary(min_size=1, max_size=300),
    st.lists(st.tuples(st.integers(0, 299), st.integers(1, 300)), max_size=30),
)
def test_parts_in_any_order_and_with_any_overlap_make_the_whole(whole: bytes, ranges: list[tuple[int, int]]) -> None:
    total = len(whole)
    latest = {start: min(size, total - start) for start, size in ranges if start < total}
    parts = [Part(start=start, size=size, total=total) for start, size in latest.items()]
    parts.append(Part(start=0, size=total, total=total + 1))  # of another file that was announced before
    covered = {place for start, size in latest.items() for place in range(start, start + size)}
    end = next((place for place in range(total) if place not in covered), total)
    assert contiguous_end(parts, total) == end
    plan = plan_assembly(parts, total)
    if end < total:
        assert plan is None
    else:
        assert plan is not None
        joined = b"".join(whole[p.part.start : p.part.start + p.part.size][p.skip : p.skip + p.take] for p in plan)
        assert joined == whole


def test_an_inspection_has_room_for_200_mebibytes() -> None:
    require_room(MAX_INSPECTION_BYTES - 5, 5)
    with pytest.raises(EvidenceQuotaReached):
        require_room(MAX_INSPECTION_BYTES - 5, 6)


def test_an_enterprise_sees_its_own_and_what_is_cited_to_it() -> None:
    own, officers = handed_in(is_of_enterprise=True), handed_in()
    assert visible_to_enterprise([officers, own], ()) == [own]
    assert visible_to_enterprise([officers], {officers.digest}) == [officers]


def test_originals_are_for_leads_and_what_is_set_aside_for_nobody() -> None:
    require_shown(handed_in(), Shown.ORIGINAL, is_lead=True)
    with pytest.raises(Forbidden):
        require_shown(handed_in(), Shown.ORIGINAL, is_lead=False)
    for shown in Shown:
        with pytest.raises(EvidenceQuarantined):
            require_shown(handed_in(quarantine_reason="Eicar"), shown, is_lead=True)


def test_credentials_of_a_store_are_not_in_its_description() -> None:
    place = BlobPlace("s3://evidence/yima", {"AWS_SECRET_ACCESS_KEY": "hush-hush"})
    assert "hush" not in repr(place) + str(place) + f"{place}"
