"""Codes printed for a region: every file is a valid code of its site, however often the batch was interrupted."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image

from api.demo.load import load_demo
from api.stickers import batch as code_batch
from api.stickers.batch import BatchReport, DrawingFailed, print_codes
from api.wiring import Parts, open_parts
from codes.token import decode_token, issue_token, token_from_scan
from domain.enterprise.operations import reissue_code
from domain.evidence.model import BlobPlace
from domain.shared.clock import local_date, system_clock
from domain.shared.errors import NotFound
from domain.shared.events import Operator
from tests.support.database import Database, empty_tables

PUBLIC = "https://ym.example.gov.cn"
PROJECT = Path(__file__).resolve().parents[2]


class Installation(msgspec.Struct, frozen=True):
    """A demonstration whose codes were taken away, and what a command needs to reach it."""

    parts: Parts
    environment: dict[str, str]
    operator: Operator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("var")
    environment = {
        **os.environ,
        "DATABASE_URL": database.dsn,
        "YIMA_KEYS": str(folder / "keys"),
        "YIMA_VAR": str(folder),
        "YIMA_PUBLIC_URL": PUBLIC,
    }
    blobs = BlobPlace(str(folder / "blobs"))
    async with open_parts(database.dsn, folder / "keys", blobs=blobs, pool_size=8, application="tests") as parts:
        yield Installation(parts, environment, Operator(id=UUID(int=1), name="测试", post="测试"))


@pytest_asyncio.fixture(loop_scope="module")
async def installed(opened: Installation, database: Database) -> Installation:
    await empty_tables(database)
    await load_demo(opened.parts, public_url=PUBLIC, today=local_date(system_clock()))
    await opened.parts.pool.execute("DELETE FROM site_code")
    return opened


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_batch, "PAGE", 50)


async def printed(installed: Installation, folder: Path, region: str = "450100", **more: Any) -> BatchReport:
    return await print_codes(installed.parts, region_code=region, folder=folder, public_url=PUBLIC, **more)


def found(folder: Path, pattern: str) -> dict[Path, int]:
    """Files anywhere in the folder, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob(pattern)}


def index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def codes_of(installed: Installation) -> dict[str, Any]:
    stored = await installed.parts.pool.fetch("SELECT encode(code_id, 'hex') AS code, * FROM site_code")
    return {row["code"]: row for row in stored}


async def check_complete(installed: Installation, folder: Path, sites: int) -> None:
    """Every site has one issued code, one row, one file; the picture leads to the site."""
    codes = await codes_of(installed)
    issued = [row["site_id"] for row in codes.values() if row["state"] == "issued"]
    assert len(issued) == len(set(issued)) == sites
    listed = index(folder)
    assert len({row["file"] for row in listed}) == len(listed) == sites
    seen: set[str] = set()
    for row in listed:
        with Image.open(folder / row["file"]) as picture:
            barcode = zxingcpp.read_barcode(picture)
        assert barcode is not None
        assert barcode.text == row["url"]
        decoded = decode_token(installed.parts.code_keys, token_from_scan(barcode.text) or "")
        code = codes[decoded.code_id.hex()]
        assert code["state"] == "issued"
        assert code["site_id"].hex.endswith(row["file"].rpartition("-")[2].removesuffix(".png"))
        assert f"/{row['uscc']}-" in row["file"]
        seen.add(code["site_id"].hex)
    assert len(seen) == sites
    assert found(folder, ".*") == {}


@pytest.mark.usefixtures("small_pages")
async def test_every_file_is_a_valid_code_of_its_site(installed: Installation, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        steps.append((done, total))

    report = await printed(installed, tmp_path, progress=note)
    assert (report.sites, report.issued, report.drawn, report.kept) == (320, 320, 320, 0)
    assert steps == [(min(number, 320), 320) for number in range(50, 351, 50)]
    await check_complete(installed, tmp_path, 320)
    batches = "SELECT count(*) FROM trace WHERE action = 'code.batch_issued' AND subject_id IS NOT NULL"
    assert await installed.parts.pool.fetchval(batches) >= 7


async def test_a_second_run_changes_nothing(installed: Installation, tmp_path: Path) -> None:
    await printed(installed, tmp_path)
    before = found(tmp_path, "*.png")
    report = await printed(installed, tmp_path)
    assert (report.issued, report.drawn, report.kept) == (0, 0, 320)
    assert before == found(tmp_path, "*.png")
    await check_complete(installed, tmp_path, 320)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from api.stickers import batch as code_batch
from api.settings import read_settings
from api.wiring import open_parts

code_batch.PAGE = 40

def progress(done, total):
    if done >= 120:
        os.kill(os.getpid(), 9)

async def main():
    settings = read_settings()
    place = settings.blob_place
    async with open_parts(
        settings.database_url, settings.keys, blobs=place, pool_size=4, application="killed"
    ) as parts:
        await code_batch.print_codes(
            parts, region_code="450100", folder=Path(sys.argv[1]), public_url=settings.public_url, progress=progress
        )

asyncio.run(main())
"""


async def run(installed: Installation, *argv: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        cwd=PROJECT,
        env=installed.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await process.communicate()
    return process.returncode, out.decode(), problems.decode()


async def test_killed_in_the_middle_it_is_completed_by_the_next_run(installed: Installation, tmp_path: Path) -> None:
    status, _out, problems = await run(installed, "-c", KILLED, str(tmp_path))
    assert status == -signal.SIGKILL, problems
    half = len(found(tmp_path, "[!.]*.png"))
    assert 120 <= half < 320
    assert not (tmp_path / "index.csv").exists()
    report = await printed(installed, tmp_path)
    assert report.sites == 320
    assert report.issued < 320
    assert report.kept >= half
    await check_complete(installed, tmp_path, 320)


async def test_a_torn_file_and_a_replaced_code_are_drawn_anew(installed: Installation, tmp_path: Path) -> None:
    await printed(installed, tmp_path)
    first, second = index(tmp_path)[:2]
    torn = tmp_path / first["file"]
    torn.write_bytes(torn.read_bytes()[:-20])
    code_id = decode_token(installed.parts.code_keys, token_from_scan(second["url"]) or "").code_id
    site_id = (await codes_of(installed))[code_id.hex()]["site_id"]
    keys = installed.parts.code_keys
    await installed.parts.work.run(installed.operator, lambda tx: reissue_code(tx, site_id, keys, "标牌损坏"))
    report = await printed(installed, tmp_path)
    assert (report.issued, report.drawn, report.kept) == (0, 2, 318)
    await check_complete(installed, tmp_path, 320)


async def test_two_batches_at_once_issue_each_code_once(installed: Installation, tmp_path: Path) -> None:
    reports = await asyncio.gather(
        printed(installed, tmp_path / "a", kinds=("svg",)), printed(installed, tmp_path / "b", kinds=("svg",))
    )
    assert sum(report.issued for report in reports) == 320
    assert [row["url"] for row in index(tmp_path / "a")] == [row["url"] for row in index(tmp_path / "b")]


async def test_a_folder_serves_several_regions_and_both_kinds(installed: Installation, tmp_path: Path) -> None:
    one = await printed(installed, tmp_path, "450103", kinds=("png", "svg"))
    two = await printed(installed, tmp_path, "450105", kinds=("png", "svg"))
    again = await printed(installed, tmp_path, "450103", kinds=("png", "svg"))
    assert (one.drawn, again.drawn, again.kept) == (2 * one.sites, 0, 2 * one.sites)
    await check_complete(installed, tmp_path, one.sites + two.sites)
    for row in index(tmp_path):
        drawing = (tmp_path / row["file"]).with_suffix(".svg").read_text()
        assert f"<title>{row['url']}</title>" in drawing


async def test_a_sticker_of_an_older_key_keeps_its_token(installed: Installation, tmp_path: Path) -> None:
    report = await printed(installed, tmp_path, "450103")
    await installed.parts.pool.execute(
        "UPDATE site_code SET key_version = 9 WHERE site_id = (SELECT min(site_id::text)::uuid FROM site_code)"
    )
    again = await printed(installed, tmp_path, "450103")
    assert (again.retired, again.kept) == (1, report.sites - 1)


async def test_an_unknown_region_and_a_full_disk_are_told(installed: Installation, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await printed(installed, tmp_path, "990000")
    await printed(installed, tmp_path, "450124")
    for path in found(tmp_path, "*.png"):
        path.unlink()
        path.mkdir()
    with pytest.raises(DrawingFailed):
        await printed(installed, tmp_path, "450124")


COMMAND = ("-c", "from api.stickers.commands import code_group; code_group(prog_name='yima code')")


async def test_the_commands_print_show_reissue_and_revoke(installed: Installation, tmp_path: Path) -> None:
    status, out, problems = await run(installed, *COMMAND, "batch", "450123", "--out", str(tmp_path), "--svg")
    assert status == 0, problems
    assert "6 个场所" in out
    row = index(tmp_path)[0]
    decoded = decode_token(installed.parts.code_keys, token_from_scan(row["url"]) or "")
    site = str((await codes_of(installed))[decoded.code_id.hex()]["site_id"])
    assert "有效" in (await run(installed, *COMMAND, "show", row["url"]))[1]
    status, out, problems = await run(installed, *COMMAND, "reissue", site, "--reason", "标牌损坏")
    assert status == 0, problems
    assert "已更换" in (await run(installed, *COMMAND, "show", row["url"]))[1]
    status, out, problems = await run(installed, *COMMAND, "issue", site)
    assert (status, "已有有效企业码" in problems) == (1, True)
    assert (await run(installed, *COMMAND, "revoke", site, "--reason", "场所关闭"))[0] == 0
    assert (await run(installed, *COMMAND, "issue", site))[0] == 0


async def test_a_rolled_key_leaves_old_codes_good(installed: Installation, tmp_path: Path) -> None:
    await printed(installed, tmp_path, "450123")
    url = index(tmp_path)[0]["url"]
    status, out, problems = await run(installed, *COMMAND, "roll-key")
    assert status == 0, problems
    assert "新密钥 2" in out
    assert "有效" in (await run(installed, *COMMAND, "show", url))[1]
    status, out, problems = await run(installed, *COMMAND, "batch", "450123", "--out", str(tmp_path))
    assert status == 0, problems
    assert "新绘制 0，已有 6" in out
    assert issue_token(installed.parts.code_keys, b"12345678", 1)
