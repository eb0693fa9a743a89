"""Rules of open data: what of a result leaves the house, and when the night's dump is due."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.publication.model import PublicationState
from domain.publication.rules import public_result
from domain.search.open_data.model import DataLicence, OpenResult, StoredOpenResult
from domain.shared.clock import WORKING_ZONE

DUMPS_KEPT: Final = timedelta(days=7)
SLOWEST_WITHDRAWAL: Final = timedelta(minutes=1)
"""A withdrawal dated before a dump was begun may still be committed while it is written; none takes that long."""
NO_ID: Final = UUID(int=0)
DUMP_HOUR: Final = 2
"""Local hour from which on a day's dump is made: few read then, and the day's end has taken its results away."""
_NATURAL_PERSON: Final = "自然人"


def licence_of(public_url: str) -> DataLicence:
    """使用须知."""
    return DataLicence(
        name="政府公示信息使用须知",
        note="可免费获取、使用和再次发布，须注明来源和获取日期；应按撤下标记同步删除已撤下的结果；不得据此对企业作出失实陈述。",
        url=f"{public_url}/open-data",
    )


def open_result(stored: StoredOpenResult) -> OpenResult | None:
    """What anybody may have of a result; None for one that has none to show. A natural person is not named."""
    shown = public_result(stored.result)
    if shown is None:
        return None
    if stored.result.state is PublicationState.WITHDRAWN:
        return OpenResult(**msgspec.structs.asdict(shown), is_withdrawn=True, ends_on=stored.result.ends_on)
    is_named = stored.object_type != _NATURAL_PERSON
    return OpenResult(
        **msgspec.structs.asdict(shown),
        is_withdrawn=False,
        ends_on=stored.result.ends_on,
        uscc=stored.uscc if is_named else None,
        enterprise_name=stored.enterprise_name if is_named else None,
        site_name=stored.site_name if is_named else None,
        region_code=stored.region_code,
        region_name=stored.region_name,
    )


def dump_due(now: datetime, newest_on: date | None) -> date | None:
    """The day whose dump is to be made now; None while the night's hour has not come, or when it is there."""
    local = now.astimezone(WORKING_ZONE)
    if local.hour < DUMP_HOUR or newest_on == local.date():
        return None
    return local.date()


def dump_key(dump_id: UUID) -> str:
    """Where a dump is kept: under an id of its own, so that two workers at once do not mix theirs."""
    return f"dumps/{dump_id}.ndjson.gz"
