"""全国12315: what every driver of the port must do, held against the default one."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from domain.complaint.model import CONSUMER_TYPES, GrievanceType
from domain.complaint.ports import ConsumerComplaintGateway, ConsumerMatter, LinkOnlyGateway

DRIVERS: list[ConsumerComplaintGateway] = [LinkOnlyGateway()]
MATTER = ConsumerMatter(
    id=UUID(int=9),
    type=GrievanceType.CONSUMER_DISPUTE,
    filed_at=datetime(2026, 8, 5, 2, tzinfo=UTC),
    uscc="91450100MA5KXXXXX0",
    enterprise_name="南宁市老友餐饮有限公司",
    description="办了会员卡，现在店关门了，不退余额。",
    wish="退款",
    complainant_name="王小明",
    complainant_phone="13877155555",
)
each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: type(driver).__name__)


@each_driver
def test_it_shows_the_way_for_what_consumers_complain_of_and_nothing_else(driver: ConsumerComplaintGateway) -> None:
    for kind in GrievanceType:
        link = driver.link(kind)
        assert (link is not None) == (kind in CONSUMER_TYPES)
        if link is not None:
            assert urlsplit(link).scheme == "https"


@each_driver
async def test_handing_over_twice_is_as_good_as_once(driver: ConsumerComplaintGateway) -> None:
    assert await driver.hand_over(MATTER) == await driver.hand_over(MATTER)


async def test_the_default_hands_nothing_over() -> None:
    assert await LinkOnlyGateway().hand_over(MATTER) is None
