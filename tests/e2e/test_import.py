"""批量导入, on a real PostgreSQL: what is good goes in, what is bad is listed, and an interruption loses nothing."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
import pytest_asyncio
from stdnum.cn import ric

from api.imports import run as import_run
from api.imports.commands import import_enterprises, import_officers
from api.imports.run import ImportReport
from api.imports.templates import write_template
from api.register import load_register
from api.wiring import Parts, open_parts
from benchmarks.import_enterprises import write_register
from codes.uscc import make_uscc
from domain.enterprise import columns as enterprise_columns
from domain.enterprise.batches import ImportMovedOn
from domain.enterprise.columns import Place
from domain.enterprise.intake import judge_enterprise
from domain.evidence.model import BlobPlace
from domain.identity.store import INSERT_DEPARTMENT
from domain.officer import columns as officer_columns
from domain.officer.intake import Departments, judge_officer
from domain.officer.store import OFFICER_BY_RESIDENT_ID
from domain.shared.rows import FileUnreadable, open_rows
from domain.shared.transaction import Transaction
from tests.support.database import Database

ROOT = Path(__file__).parents[2]
PHONE = "13877775678"
RESIDENT_ID = "450103199001011238"


@pytest.fixture(scope="module")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of this file's database are, for the command line too."""
    return tmp_path_factory.mktemp("keys")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_parts(database: Database, keys_folder: Path) -> AsyncGenerator[Parts]:
    blobs = BlobPlace(str(keys_folder / "blobs"))
    async with open_parts(database.dsn, keys_folder, blobs=blobs, pool_size=4, application="tests") as parts:
        yield parts


@pytest_asyncio.fixture(loop_scope="module")
async def ready(parts: Parts) -> Parts:
    """The parts over a register that knows the regions."""
    await load_register(parts)
    return parts


def row(number: int, **cells: str) -> dict[str, str]:
    return {
        "监管对象名称": f"第{number}号粉店",
        "统一社会信用代码": make_uscc(f"91450103MA{number:07}"),
        "区划编码": "450103",
    } | cells


def write_csv(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    headers = list(dict.fromkeys(header for cells in rows for header in cells))
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, headers)
        writer.writeheader()
        writer.writerows(rows)
    return file


def read_list(report: ImportReport) -> list[list[str]]:
    assert report.bad_rows is not None
    with report.bad_rows.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


async def fetch(parts: Parts, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    async with parts.work.reading() as connection:
        return [tuple(record) for record in await connection.fetch(query, *arguments)]


async def everything(parts: Parts) -> list[tuple[Any, ...]]:
    """What is stored of enterprises and sites, but for ids, instants and sealed bytes."""
    return await fetch(
        parts,
        "SELECT e.uscc, e.name, e.object_type, e.registered_capital, e.risk_level, e.credit_grade, e.region_code, "
        "e.liaison_phone_index, s.is_main, s.name, s.address, s.region::text, s.longitude, s.latitude, s.radius_m "
        "FROM enterprise e JOIN site s ON s.enterprise_id = e.id ORDER BY e.uscc",
    )


async def test_good_rows_go_in_and_bad_ones_are_listed_by_line_and_field(ready: Parts, tmp_path: Path) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in make_uscc("91450103MA0000004"))
    file = write_csv(
        tmp_path / "企业.csv",
        [
            row(1, 经营地址="民族大道1号", 楼层="3层", 经营地址经度="108.366", 经营地址纬度="22.817"),
            row(2, 联络员手机号码="12345"),
            row(3, 统一社会信用代码="9.14501E+17", 成立日期="昨天"),
            row(4, 统一社会信用代码=full_width),
            row(5, 统一社会信用代码="91450103MA0000005A"),
            row(6, 区划编码="450122"),
        ],
    )
    report = await import_enterprises(ready, file)
    assert (report.rows, report.good, report.bad) == (6, 4, 2)
    listed = read_list(report)
    assert [(line, level, field) for line, level, field, *_ in listed] == [
        ("3", "错误", "联络员手机号码"),
        ("4", "错误", "统一社会信用代码"),
        ("4", "错误", "成立日期"),
        ("6", "警告", "统一社会信用代码"),
    ]
    assert listed[0][4] == "*****"
    stored = {columns[0]: columns for columns in await everything(ready)}
    assert set(stored) == {make_uscc(f"91450103MA{n:07}") for n in (1, 4, 6)} | {"91450103MA0000005A"}
    first = stored[make_uscc("91450103MA0000001")]
    assert first[8:] == (True, "第1号粉店", "民族大道1号", "450000.450100.450103", 108.366, 22.817, None)
    assert stored[make_uscc("91450103MA0000006")][6] == "450110", "the county of before 2015 is the district of today"


async def test_the_last_of_two_rows_of_one_enterprise_wins(ready: Parts, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "企业.csv", [row(1, 经营地址="旧址"), row(2), row(1, 经营地址="新址")])
    report = await import_enterprises(ready, file)
    assert (report.good, report.warnings) == (3, 1)
    assert read_list(report)[0][:4] == ["2", "警告", "统一社会信用代码", "与第4行重复，以第4行为准"]
    assert [columns[10] for columns in await everything(ready)] == ["新址", None]


async def test_a_second_import_makes_no_duplicate_and_touches_only_what_changed(ready: Parts, tmp_path: Path) -> None:
    cells = {"联络员手机号码": PHONE, "联络员姓名": "黄某", "风险等级": "低", "注册资本": "500"}
    file = write_csv(tmp_path / "企业.csv", [row(n, **cells) for n in range(5)])
    await import_enterprises(ready, file)
    before = await fetch(ready, "SELECT * FROM enterprise ORDER BY uscc")
    assert (await import_enterprises(ready, file)).finished_before
    again = await import_enterprises(ready, file, again=True)
    assert (again.rows, again.good, again.finished_before) == (5, 5, False)
    assert await fetch(ready, "SELECT * FROM enterprise ORDER BY uscc") == before
    changed = write_csv(tmp_path / "更新.csv", [row(2, 风险等级="高", 联络员手机号码="")])
    await import_enterprises(ready, changed)
    touched = await fetch(ready, "SELECT name, risk_level FROM enterprise WHERE updated_at > created_at")
    assert touched == [("第2号粉店", "high")]
    assert await fetch(ready, "SELECT count(liaison_phone_index), count(*) FROM enterprise") == [(5, 5)]
    assert await fetch(ready, "SELECT count(*) FROM site WHERE is_main") == [(5,)]


async def test_the_trades_of_a_site_go_in_and_a_row_without_them_keeps_what_is_stored(
    ready: Parts, tmp_path: Path
) -> None:
    stored = "SELECT business_types FROM site"
    told = row(1, 业态="餐饮服务；旅行社")
    await import_enterprises(ready, write_csv(tmp_path / "a.csv", [told, row(2)]))
    assert sorted(await fetch(ready, stored)) == [([],), (["餐饮服务", "旅行社"],)]

    await import_enterprises(
        ready, write_csv(tmp_path / "b.csv", [row(1, 经营地址="民族大道1号"), row(2, 业态="旅行社")])
    )
    assert sorted(await fetch(ready, stored)) == [(["旅行社"],), (["餐饮服务", "旅行社"],)]
    before = await fetch(ready, "SELECT id, xmin::text FROM site ORDER BY id")
    await import_enterprises(ready, write_csv(tmp_path / "c.csv", [row(2, 业态="旅行社"), told]))
    assert await fetch(ready, "SELECT id, xmin::text FROM site ORDER BY id") == before


async def test_an_interrupted_import_goes_on_where_it_stood(
    ready: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(n, 联络员手机号码="123" if n % 7 == 0 else f"138{n:08}") for n in range(250)]
    whole = await import_enterprises(ready, write_csv(tmp_path / "整.csv", rows))
    expected, listed = await everything(ready), read_list(whole)
    await fetch(ready, "DELETE FROM site")
    await fetch(ready, "DELETE FROM enterprise")
    await fetch(ready, "DELETE FROM import_batch")

    monkeypatch.setattr(import_run, "BATCH_ROWS", 40)
    file = write_csv(tmp_path / "断.csv", rows)
    advance = import_run.advance_import

    async def fail_in_the_fourth(tx: Transaction, batch: Any, **counts: int) -> Any:
        after = await advance(tx, batch, **counts)
        if batch.rows_done == 120:
            raise RuntimeError("断电")
        return after

    with monkeypatch.context() as fault:
        fault.setattr(import_run, "advance_import", fail_in_the_fourth)
        with pytest.raises(RuntimeError, match="断电"):
            await import_enterprises(ready, file)
    assert await fetch(ready, "SELECT rows_done, finished_at FROM import_batch") == [(120, None)]
    assert len(await everything(ready)) == 120 - sum(n % 7 == 0 for n in range(120))

    report = await import_enterprises(ready, file)
    assert (report.resumed_after, report.rows, report.bad) == (120, 250, 36)
    assert await everything(ready) == expected
    assert read_list(report) == listed


async def test_personal_values_are_found_by_exact_value_and_nowhere_in_clear(ready: Parts, tmp_path: Path) -> None:
    cells = {"联络员手机号码": f"+86 {PHONE}", "经营者联系人电话": PHONE, "联络员姓名": "覃秘密"}
    file = write_csv(tmp_path / "企业.csv", [row(1, **cells, 联络员身份证号码=RESIDENT_ID), row(2)])
    report = await import_enterprises(ready, file)
    assert report.bad == 0, read_list(report)
    index = ready.vault.blind_index("enterprise.liaison_phone", PHONE)
    found = await fetch(ready, "SELECT name FROM enterprise WHERE liaison_phone_index = $1", index)
    assert found == [("第1号粉店",)]
    columns = await fetch(
        ready,
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('text', 'json', 'jsonb', 'bytea')",
    )
    for table, column, kind in columns:
        value = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
        for secret in (PHONE, RESIDENT_ID, "覃秘密"):
            query = f'SELECT count(*) FROM "{table}" WHERE position($1::bytea IN {value}) > 0'  # noqa: S608
            assert await fetch(ready, query, secret.encode()) == [(0,)], (table, column)


async def test_each_batch_leaves_one_trace_row_with_the_digest_of_the_file(
    ready: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "BATCH_ROWS", 2)
    file = write_csv(tmp_path / "企业.csv", [row(1), row(2, 区划编码="0"), row(3)])
    report = await import_enterprises(ready, file)
    traced = await fetch(
        ready,
        "SELECT operator_name, after->>'file_digest', after->>'first_line', after->>'last_line', after->>'rows', "
        "after->>'bad_rows' FROM trace WHERE action = 'enterprise.imported' ORDER BY n",
    )
    assert traced == [
        ("命令行", report.digest, "2", "3", "1", "1"),
        ("命令行", report.digest, "4", "4", "1", "0"),
    ]


async def test_two_imports_of_one_file_at_once_do_not_mix(ready: Parts, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "企业.csv", [row(n) for n in range(3)])

    async def both() -> list[ImportReport | BaseException]:
        places = (tmp_path / "一.csv", tmp_path / "二.csv")
        imports = [import_enterprises(ready, file, bad_rows=place) for place in places]
        return await asyncio.gather(*imports, return_exceptions=True)

    done = await both()
    assert any(isinstance(result, ImportReport) for result in done)
    assert all(isinstance(result, ImportReport | ImportMovedOn) for result in done)
    assert await fetch(ready, "SELECT count(*) FROM enterprise") == [(3,)]


async def test_a_file_without_a_mandatory_column_leaves_no_mark(ready: Parts, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "企业.csv", [{"监管对象名称": "某店"}])
    with pytest.raises(FileUnreadable, match="统一社会信用代码、区划编码"):
        await import_enterprises(ready, file)
    assert await fetch(ready, "SELECT count(*) FROM import_batch") == [(0,)]


async def test_the_list_of_bad_rows_never_replaces_the_file_and_holds_no_formula(ready: Parts, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "企业.csv", [row(1, 成立日期="=HYPERLINK(1)")])
    with pytest.raises(FileUnreadable, match="错误行清单"):
        await import_enterprises(ready, file, bad_rows=file)
    report = await import_enterprises(ready, file)
    assert read_list(report)[0][4] == "'=HYPERLINK(1)"


async def test_officers_go_in_by_identity_number(ready: Parts, tmp_path: Path) -> None:
    async with ready.work.reading() as connection:
        await INSERT_DEPARTMENT.run(
            connection, id=uuid4(), code="SCJG", name="市监局", short_name="市监", parent_id=None, path="SCJG",
            region_code="450103", region="450000.450100.450103", hotline=None, paper_word=None,
        )  # fmt: skip
    officer = {
        "姓名": "覃某",
        "所属主体（受委托组织）全称": "市监局",
        "身份证号": RESIDENT_ID,
        "性别": "男",
        "是否监督人员": "否",
        "所属部门": "市监局",
        "是否组长": "否",
        "联系电话": PHONE,
        "执法证号": "桂A1",
        "证件有效期": "2023-01-01至2028-12-31",
    }
    other = officer | {"身份证号": "45010319900101125" + ric.calc_check_digit("450103199001011250")}
    file = write_csv(tmp_path / "人员.csv", [officer, officer | {"所属部门": "天文台"}, other])
    report = await import_officers(ready, file)
    assert (report.good, report.bad) == (1, 2)
    assert [(line, field) for line, _, field, *_ in read_list(report)] == [("3", "所属部门"), ("4", "执法证号")]
    again = write_csv(tmp_path / "再次.csv", [officer | {"姓名": "覃新"}])
    await import_officers(ready, again)
    async with ready.work.reading() as connection:
        index = ready.vault.blind_index("officer.resident_id", RESIDENT_ID)
        found = await OFFICER_BY_RESIDENT_ID.all(connection, index=index)
    assert [(one.name, str(one.certificate_valid_to)) for one in found] == [("覃新", "2028-12-31")]
    traced = await fetch(ready, "SELECT count(*) FROM trace WHERE action = 'officer.imported'")
    assert traced == [(2,)]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_template_is_accepted_by_the_import_and_its_examples_are_good(tmp_path: Path, suffix: str) -> None:
    places = {"450103": Place("450103", "450000.450100.450103")}
    departments = Departments([])
    for columns in (enterprise_columns.COLUMNS, officer_columns.COLUMNS):
        out = tmp_path / f"模板{suffix}"
        write_template(columns, out)
        with open_rows(out, columns) as rows:
            assert rows.unknown == ()
            assert list(rows) == []
    example = {column.header: column.example for column in enterprise_columns.COLUMNS}
    assert not isinstance(judge_enterprise(2, example, places), list)
    example = {column.header: column.example for column in officer_columns.COLUMNS}
    faults = judge_officer(2, example, places, departments)
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == ["所属部门"], "only the department is of this installation"


async def run_command(dsn: str, keys: Path, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "DATABASE_URL": dsn, "YIMA_KEYS": str(keys)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", "import", *arguments, cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_command_reports_in_chinese_and_by_its_exit_code(
    ready: Parts, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    assert ready.pool is not None
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for cells in ([*row(1)], [*row(1).values()], [*row(2, 区划编码="1").values()]):
        sheet.append(cells)
    file = tmp_path / "企业.xlsx"
    book.save(file)
    code, said = await run_command(database.dsn, keys_folder, "enterprises", str(file))
    assert code == 0, said
    assert "导入 1 行，错误 1 行" in said
    assert "企业.xlsx.bad.csv" in said.replace("\n", "")
    code, said = await run_command(database.dsn, keys_folder, "enterprises", str(file))
    assert (code, "此前已全部导入" in said) == (0, True)
    broken = tmp_path / "坏.csv"
    broken.write_text("名称\nA\n")
    code, said = await run_command(database.dsn, keys_folder, "enterprises", str(broken))
    assert (code, "缺少必填列" in said) == (1, True)
    code, said = await run_command(database.dsn, keys_folder, "template", "officers", str(tmp_path / "模板.xlsx"))
    assert code == 0, said


_MEASURED = """
import asyncio, resource, sys
from pathlib import Path
from api.imports.commands import import_enterprises
from api.wiring import open_parts
from domain.evidence.model import BlobPlace

async def main(dsn, keys, small, large):
    async with open_parts(dsn, Path(keys), blobs=BlobPlace(keys), pool_size=4, application="tests") as parts:
        await import_enterprises(parts, Path(small))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = await import_enterprises(parts, Path(large))
        print(report.good, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_memory_does_not_grow_with_the_file(
    ready: Parts, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    assert ready.pool is not None
    small, large = tmp_path / "小.csv", tmp_path / "大.csv"
    write_register(small, 4_000)
    write_register(large, 40_000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _MEASURED, database.dsn, str(keys_folder), str(small), str(large), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    good, grown = map(int, said.split())
    assert good == 40_000
    assert grown < 40, f"{grown} MiB; the rows held at once would take more than 100"
