"""工作日历 over HTTP and by command: days laid over the notices count in every process, and move what waits."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner

from api.calendar_commands import calendar_group
from api.working_calendar import refresh_calendar
from domain.shared.working_days import WorkingCalendar, add_working_days, calendar_in_force, use_calendar
from tests.support.client import Api, accepted, refused
from tests.support.complaining import complain
from tests.support.database import Database
from tests.support.deadlines import at, deadlines, sweep_at, told
from tests.support.factories import World
from tests.support.visits import nothing_changes, rows

DAYS = "/api/v1/working-calendar/days"
TYPHOON = {"on": "2026-08-19", "is_working": False, "note": "台风停工"}
_ANOTHER = """
import asyncio, sys
from datetime import date
from pathlib import Path

import api.working_calendar
from api.wiring import open_parts
from domain.evidence.model import BlobPlace
from domain.shared.working_days import add_working_days

dsn, keys = sys.argv[1:]
api.working_calendar._LOOK_EVERY = 0.05


async def main() -> None:
    async with open_parts(dsn, Path(keys), blobs=BlobPlace(keys + "/blobs"), pool_size=2, application="another"):
        said = None
        while True:
            counted = add_working_days(date(2026, 8, 18), 1).isoformat()
            if counted != said:
                said = counted
                print(counted, flush=True)
            await asyncio.sleep(0.05)


asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _by_the_notices_alone() -> Iterator[None]:
    use_calendar(WorkingCalendar())
    yield
    use_calendar(WorkingCalendar())


async def lay(api: Api, world: World, *days: dict[str, Any]) -> dict[str, Any]:
    """Laid down by the administrator."""
    return accepted(await api.as_(world.administrator).post(DAYS, {"days": list(days)}))


@pytest_asyncio.fixture(loop_scope="module")
async def another(database: Database, keys_folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process over the same database, which says whenever it counts otherwise."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ANOTHER, database.dsn, str(keys_folder), stdout=asyncio.subprocess.PIPE
    )
    yield process
    process.kill()
    await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    """What it says next."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


async def test_a_day_that_is_laid_down_counts_at_once_in_every_room(api: Api, world: World) -> None:
    assert await lay(api, world, {**TYPHOON, "on": "2026-08-10"}) == {"edition": 1, "changed": 1}
    receipt = await complain(api, world)
    assert receipt["due_on"] == "2026-08-17", "seven working days, of which one is free now"
    assert (await deadlines(api, receipt["id"]))["complaint"]["calendar_edition"] == 1


async def test_another_process_counts_by_it_without_being_told(
    api: Api, world: World, another: asyncio.subprocess.Process
) -> None:
    assert await line(another) == "2026-08-19"
    await lay(api, world, TYPHOON)
    assert await line(another) == "2026-08-20"
    await lay(api, world, {**TYPHOON, "is_working": True, "note": "台风改道"})
    assert await line(another) == "2026-08-19"


async def test_warnings_that_wait_move_and_terms_that_were_told_stay(api: Api, world: World) -> None:
    await sweep_at(api, "2026-08-14T08:00")
    before = (await deadlines(api, world.inspection))["inspection"]
    assert before["next_stage_at"] == at("2026-08-17T08:00")
    await lay(api, world, TYPHOON)
    assert await sweep_at(api, "2026-08-14T08:01") > 0
    after = (await deadlines(api, world.inspection))["inspection"]
    assert (after["due_on"], after["stage"]) == (before["due_on"], "due_soon")
    assert {each[0] for each in await told(api, world.inspection)} == {"deadline_due_soon"}
    many = len(await told(api))
    await sweep_at(api, "2026-08-17T08:00")
    assert len(await told(api)) == many, "it came by the new calendar, and comes no more by the old one"


async def test_the_same_days_once_more_change_nothing(api: Api, world: World) -> None:
    await lay(api, world, TYPHOON)
    assert await lay(api, world, TYPHOON) == {"edition": 1, "changed": 0}
    assert [row["action"] for row in await rows(api, "trace")].count("calendar.changed") == 1
    assert await lay(api, world, TYPHOON, {**TYPHOON, "on": "2026-08-20"}) == {"edition": 2, "changed": 1}


async def test_a_year_is_read_as_terms_are_counted(api: Api, world: World) -> None:
    await lay(api, world, TYPHOON, {"on": "2026-08-22", "is_working": True, "note": "补班"})
    year = (await api.as_(world.inspector).get("/api/v1/working-calendar/2026")).json()
    assert year["is_announced"] is True
    assert "2026-08-19" in year["holidays"]
    assert "2026-08-22" in year["make_up_days"]
    assert year["laid_down"][0] == TYPHOON
    assert (await api.as_(world.lead).get("/api/v1/working-calendar/2090")).json()["is_announced"] is False
    refused(await api.as_(world.lead).get("/api/v1/working-calendar/1999"), 422, "invalid-field", "year")


async def test_only_whole_days_with_their_ground_are_laid_down(api: Api, world: World) -> None:
    administrator = api.as_(world.administrator)
    async with nothing_changes(api):
        for days in ([TYPHOON, TYPHOON], [{**TYPHOON, "note": " "}], [{**TYPHOON, "on": "9999-12-31"}]):
            refused(await administrator.post(DAYS, {"days": days}), 422, "invalid-field", "days")
        assert (await administrator.post(DAYS, {"days": []})).status_code == 422
        refused(await api.as_(world.lead).post(DAYS, {"days": [TYPHOON]}), 403, "forbidden")


async def test_a_notice_is_loaded_and_shown_by_command(
    api: Api, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database.dsn, "YIMA_KEYS": str(keys_folder), "YIMA_VAR": str(tmp_path / "var")}
    notice = tmp_path / "2027.csv"
    notice.write_text("日期,安排,说明\n2027-01-01,休,元旦\n2027-01-03,班,元旦调休\n", encoding="utf-8")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(calendar_group, list(arguments), env=environment)

    async def yima(*arguments: str) -> Any:
        return await asyncio.to_thread(run, *arguments)

    assert "尚无放假通知" in (await yima("show", "2027")).output
    loaded = await yima("load", str(notice))
    assert (loaded.exit_code, loaded.output) == (0, "已调整2天，日历第1版。\n")
    shown = (await yima("show", "2027")).output
    assert "尚无放假通知" not in shown
    for words in ("1月1日", "1月3日", "2027-01-01 休 元旦"):
        assert words in shown
    assert await refresh_calendar(api.parts.pool) or calendar_in_force().edition == 1
    assert add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 3)

    notice.write_text("2027-01-32,休,元旦\n", encoding="utf-8")
    broken = await yima("load", str(notice))
    assert broken.exit_code == 2
    assert "第1行" in broken.output
    assert (await yima("load", str(tmp_path / "none.csv"))).exit_code == 2
