"""Which of an enterprise's phones is told by SMS."""

from __future__ import annotations

import pytest

from api.delivery.addresses import first_mobile

MOBILE, OTHER, LANDLINE = "13807710001", "139 0771 0002", "0771-5812345"


@pytest.mark.parametrize(
    ("named", "chosen"),
    [
        ((MOBILE, OTHER), MOBILE),
        ((LANDLINE, OTHER), OTHER),
        ((None, OTHER), OTHER),
        ((LANDLINE, None), LANDLINE),
        ((LANDLINE, "0771-5800000"), LANDLINE),
        (("", None), None),
    ],
)
def test_the_first_that_receives_sms_is_taken_and_else_the_first_that_is_named(
    named: tuple[str | None, ...], chosen: str | None
) -> None:
    assert first_mobile(*named) == chosen
