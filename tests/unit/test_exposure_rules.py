"""曝光 (PUB-09): who writes does not publish; what is public is withdrawn, not changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.exposure import rules
from domain.exposure.model import Exposure, ExposureOrder, ExposureState
from domain.shared.errors import InvalidField

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
TODAY = date(2026, 8, 5)
AUTHOR, EDITOR, OTHER = uuid4(), uuid4(), uuid4()
CITY = "450000.450100"


def an_exposure(**changes: Any) -> Exposure:
    usual = Exposure(
        id=uuid4(),
        department_id=uuid4(),
        region=CITY,
        state=ExposureState.DRAFT,
        title="通报",
        text="内容",
        publication_id=None,
        ends_on=date(2026, 12, 31),
        authors=[AUTHOR, EDITOR],
        created_at=NOW,
    )
    return msgspec.structs.replace(usual, **changes)


def test_a_second_person_publishes() -> None:
    published = rules.publish(an_exposure(), OTHER, NOW, TODAY)
    assert (published.state, published.published_at, published.published_by) == (ExposureState.PUBLISHED, NOW, OTHER)


@pytest.mark.parametrize("who", [AUTHOR, EDITOR])
def test_nobody_publishes_what_they_wrote_or_changed(who: Any) -> None:
    with pytest.raises(rules.PublisherIsAuthor):
        rules.publish(an_exposure(), who, NOW, TODAY)


def test_what_has_ended_is_not_published() -> None:
    with pytest.raises(InvalidField):
        rules.publish(an_exposure(ends_on=date(2026, 8, 4)), OTHER, NOW, TODAY)


@pytest.mark.parametrize("state", [ExposureState.PUBLISHED, ExposureState.WITHDRAWN])
def test_what_is_no_draft_is_neither_changed_nor_published(state: ExposureState) -> None:
    with pytest.raises(rules.ExposureNotDraft):
        rules.publish(an_exposure(state=state), OTHER, NOW, TODAY)


@pytest.mark.parametrize("state", [ExposureState.DRAFT, ExposureState.WITHDRAWN])
def test_only_what_is_public_is_withdrawn(state: ExposureState) -> None:
    with pytest.raises(rules.ExposureNotPublished):
        rules.withdraw(an_exposure(state=state), "不实", NOW)


@pytest.mark.parametrize(
    ("code", "path"), [(None, CITY), ("450100", CITY), ("450103", "450000.450100.450103"), ("450000", ""), ("x", "")]
)
def test_a_department_exposes_within_its_own_region(code: str | None, path: str) -> None:
    if path:
        assert rules.region_of(code, CITY) == path
    else:
        with pytest.raises(InvalidField):
            rules.region_of(code, CITY)


@pytest.mark.parametrize(
    ("title", "text", "ends_on", "is_good"),
    [
        (" 通报 ", "内容", date(2026, 8, 5), True),
        ("一", "内容", date(2026, 8, 5), False),
        ("通报", "一", date(2026, 8, 5), False),
        ("通报", "内容", date(2026, 8, 4), False),
        ("通报", "内容", date(2030, 8, 4), False),
    ],
)
def test_title_text_and_end_have_bounds(title: str, text: str, ends_on: date, is_good: bool) -> None:
    order = ExposureOrder(title=title, text=text, ends_on=ends_on)
    if is_good:
        assert rules.require_words(order, TODAY) == ("通报", "内容")
    else:
        with pytest.raises(InvalidField):
            rules.require_words(order, TODAY)
