"""信息反馈 and 开放数据: codes that lead back, and what of a result leaves the house."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.feedback.rules import require_query_code
from domain.publication.model import PublicationState, StoredResult
from domain.search.open_data import rules
from domain.search.open_data.model import StoredOpenResult
from domain.shared.errors import NotFound

AT = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "ABC", "查询码查询码查询码查询码"])
def test_what_is_no_query_code_leads_nowhere(typed: str) -> None:
    with pytest.raises(NotFound):
        require_query_code(typed)


def stored(**changes: Any) -> StoredOpenResult:
    result = StoredResult(
        id=uuid4(),
        state=PublicationState.PUBLISHED,
        due_at=AT,
        ends_on=date(2029, 8, 5),
        published_at=AT,
        withdrawn_at=None,
        is_contested=False,
        kind="routine",
        outcome="no_problem",
        completed_at=AT,
        authorities=["南宁市市场监督管理局"],
        orders=[],
        unchecked_items=0,
        reply=None,
    )
    usual = StoredOpenResult(
        result=result,
        published_at=AT,
        object_type="企业",
        uscc="914501000000000017",
        enterprise_name="南宁市老友餐饮有限公司",
        site_name="总店",
        region_code="450103",
        region_name="青秀区",
    )
    return msgspec.structs.replace(usual, **changes)


def test_a_published_result_is_whole() -> None:
    shown = rules.open_result(stored())
    assert shown is not None
    assert (shown.enterprise_name, shown.outcome_label, shown.is_withdrawn) == (
        "南宁市老友餐饮有限公司",
        "未发现问题",
        False,
    )


def test_a_natural_person_is_not_named() -> None:
    shown = rules.open_result(stored(object_type="自然人"))
    assert shown is not None
    assert (shown.uscc, shown.enterprise_name, shown.site_name) == (None, None, None)
    assert shown.outcome == "no_problem"


def test_a_withdrawn_result_is_a_tombstone() -> None:
    gone = msgspec.structs.replace(stored().result, state=PublicationState.WITHDRAWN, withdrawn_at=AT)
    shown = rules.open_result(stored(result=gone))
    assert shown is not None
    assert shown.is_withdrawn
    assert (shown.uscc, shown.enterprise_name, shown.outcome, shown.region_code) == (None, None, None, None)


def test_an_outcome_that_is_internal_is_no_result() -> None:
    suspended = msgspec.structs.replace(stored().result, outcome="suspended")
    assert rules.open_result(stored(result=suspended)) is None


@pytest.mark.parametrize(
    ("hour", "newest_on", "due"),
    [
        (1, None, None),
        (2, None, date(2026, 8, 5)),
        (23, date(2026, 8, 4), date(2026, 8, 5)),
        (3, date(2026, 8, 5), None),
    ],
)
def test_a_dump_is_due_once_a_night(hour: int, newest_on: date | None, due: date | None) -> None:
    now = datetime(2026, 8, 5, hour, 30, tzinfo=rules.WORKING_ZONE)
    assert rules.dump_due(now, newest_on) == due
