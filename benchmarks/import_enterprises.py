"""How fast enterprises are imported: a made-up register as CSV and as XLSX, into a real database.

Every row has 22 cells, among them a name and a telephone that are sealed. `measure` is for the benchmark runner; run
alone, `python -m benchmarks.import_enterprises`, it starts a PostgreSQL of its own (durable, as in service).
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from api.imports.commands import import_enterprises
from api.register import load_register
from api.wiring import open_parts
from codes.uscc import make_uscc
from domain.evidence.model import BlobPlace

HEADERS: Final = (
    "监管对象名称", "统一社会信用代码", "监管对象类型", "区划编码", "注册号", "行业类型", "法定代表人/负责人/投资人",
    "注册资本/注册资金/成员出资额", "注册资本币种", "住所", "营业场所/经营场所", "经营期限自", "经营期限至", "经营范围",
    "登记机关", "成立日期", "联络员姓名", "联络员手机号码", "经营地址经度", "经营地址纬度", "风险等级", "信用等级",
)  # fmt: skip
_COUNTIES: Final = ("450102", "450103", "450105", "450107", "450202", "450302", "450502")
_TRADES: Final = ("餐饮业", "零售业", "旅馆业", "机械加工", "幼儿园", "药店", "理发美容")


def made_up_rows(count: int, *, seed: int = 20) -> Iterator[tuple[str, ...]]:
    """Rows of a register of `count` enterprises; the same seed gives the same."""
    dice = random.Random(seed)
    for n in range(count):
        county = dice.choice(_COUNTIES)
        trade = dice.choice(_TRADES)
        address = f"广西壮族自治区{county}民族大道{n}号{dice.randrange(1, 30)}栋"
        founded = f"{dice.randrange(1990, 2025)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        yield (
            f"广西{trade}示范{n:07}有限公司", make_uscc(f"91{county}MA{n:07X}"[:17]), "企业", county,
            f"4501{n:011}", trade, f"韦{n % 97}", str(dice.randrange(1, 5000)), "人民币", address, address, founded,
            "长期", f"{trade}经营；技术服务；货物进出口；食品销售（依法须经批准的项目，经批准后方可开展经营活动）",
            "南宁市市场监督管理局", founded, f"黄{n % 89}", f"138{n:08}", f"{108 + dice.random():.6f}",
            f"{22.5 + dice.random():.6f}", dice.choice(("低", "中低", "中高", "高")), dice.choice("ABCD"),
        )  # fmt: skip


def write_register(path: Path, count: int, *, seed: int = 20) -> None:
    """A register of `count` enterprises as .csv or .xlsx."""
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((HEADERS, *made_up_rows(count, seed=seed)))
        return
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate((HEADERS, *made_up_rows(count, seed=seed))):
            sheet.write_row(line, 0, cells)


async def measure(dsn: str, keys_folder: Path, rows: int = 50_000) -> dict[str, Any]:
    """Rows a second for CSV, again for the same file, and for a tenth as many in XLSX; peak memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        register = Path(folder) / "register.csv"
        sheet = Path(folder) / "register.xlsx"
        await asyncio.to_thread(write_register, register, rows)
        await asyncio.to_thread(write_register, sheet, rows // 5, seed=21)
        blobs = BlobPlace(str(keys_folder / "blobs"))
        async with open_parts(dsn, keys_folder, blobs=blobs, pool_size=4, application="yima benchmark") as parts:
            await load_register(parts)
            first = await import_enterprises(parts, register)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            again = await import_enterprises(parts, register, again=True)
            from_sheet = await import_enterprises(parts, sheet)
    return {
        "rows": rows,
        "csv_rows_per_second": round(first.rows_per_second),
        "csv_again_rows_per_second": round(again.rows_per_second),
        "xlsx_rows_per_second": round(from_sheet.rows_per_second),
        "bad": first.bad + from_sheet.bad,
        "peak_mib_after_csv": peak,
    }


def _main() -> None:
    from api.cluster import Cluster
    from api.migrate import migrate

    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "var") as cluster:
        asyncio.run(migrate(cluster.dsn))
        print(json.dumps(asyncio.run(measure(cluster.dsn, Path(folder) / "keys")), ensure_ascii=False))


if __name__ == "__main__":
    _main()
