"""模糊搜索 by anybody: names, trades, codes and mistyped words over an entry for every enterprise."""

from __future__ import annotations

from random import Random
from typing import Any
from urllib.parse import quote

from benchmarks.contest import Contest, Prepared, hold
from benchmarks.results import Row
from benchmarks.servers import Kind
from benchmarks.stage import Stage

NAME = "search"
_QUERIES = 1_000
_TRADES = ("餐饮店", "超市", "药店", "健身馆", "幼儿园", "加油站", "养老院", "旅行社")
_MISTYPED = ("餐饭店", "健身棺", "幼儿圆", "加油战", "养老完", "旅形社")
_FEWER_THAN_CUT = 200
_OF_MANUALS = ("食品安全", "从业人员健康证明", "危险化学品储存", "旅游合同", "消防通道")


def measure_searches(stage: Stage) -> Row:
    """The row `search`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=_QUERIES,
        warm_up=200,
        compared=100,
        effects=50,
        determined=_determined,
        seconds=stage.size.search_seconds,
    )
    return hold(stage, contest)


def _prepare(stage: Stage, _kind: Kind, count: int) -> list[Prepared]:
    """The same for everybody, whenever it is asked."""
    random = Random(7)
    words = [_words(random, number, stage.seeded.enterprises) for number in range(count)]
    return [Prepared("GET", f"/api/v1/public/search?q={quote(each)}", {}) for each in words]


def _determined(page: Any) -> Any:
    """The whole page, if all that has the words was ranked. Of more than the candidates, the plan decides which are."""
    return page if page["found"] < _FEWER_THAN_CUT else len(page["items"])


def _words(random: Random, number: int, enterprises: int) -> str:
    """In turn: one enterprise by its name, its name in short, its trade there, a mistyped name, what a manual says."""
    which = random.randrange(enterprises)
    trade = _TRADES[which % len(_TRADES)]
    match number % 5:
        case 0:
            return f"南宁市{which}号{trade}有限公司"
        case 1:
            return f"{which}号{trade}"
        case 2:
            return f"民族大道 {trade}"
        case 3:
            return f"{which}号{random.choice(_MISTYPED)}"
        case _:
            return random.choice(_OF_MANUALS)
