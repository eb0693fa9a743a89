"""Posters: what hangs on the wall leads to the door it hangs at, and a batch is never half of one."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from api.chores import perform_chore
from api.stickers import poster_files
from api.stickers.poster_batches import draw_posters, sweep_posters
from api.stickers.poster_files import PosterReport, print_posters
from api.stickers.press import PosterPress, PostersNotDrawn
from codes.poster import Poster, PosterJob, PosterSize
from codes.token import code_url
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import DISTRICT, NOW, OTHER_CITY, World

PUBLIC = "http://yima.test"
PROJECT = Path(__file__).resolve().parents[2]
_PICTURES = {"png": "image/png", "svg": "image/svg+xml"}


def pictures(pdf: bytes) -> list[Image.Image]:
    """Every page as a phone's camera might see it, 115 dpi."""
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    shown = [page.render(scale=2).to_pil() for page in document]
    document.close()
    return shown


def codes_in(pdf: bytes) -> list[str]:
    return [barcode.text for page in pictures(pdf) for barcode in [zxingcpp.read_barcode(page)] if barcode]


def found(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


async def chores_waiting(api: Api) -> list[UUID]:
    rows = await api.parts.pool.fetch("SELECT id FROM chore WHERE state = 'waiting' AND kind = 'draw_posters'")
    return [row["id"] for row in rows]


async def work_off(api: Api) -> None:
    while waiting := await chores_waiting(api):
        for chore in waiting:
            assert await perform_chore(api.parts, chore)


@pytest.mark.parametrize(("size", "least_mm", "width_mm"), [("a4", 60, 210), ("a5", 45, 148)])
async def test_the_code_on_a_poster_leads_to_its_door_and_is_big_enough(
    api: Api, world: World, size: str, least_mm: int, width_mm: int
) -> None:
    answer = await api.as_(world.enterprise_user).get(f"/api/v1/sites/{world.site.id}/poster", size=size)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    [page] = pictures(answer.content)
    barcode = zxingcpp.read_barcode(page)
    assert barcode is not None
    assert barcode.text == code_url(PUBLIC, world.code)
    printed_mm = (barcode.position.top_right.x - barcode.position.top_left.x) / page.width * width_mm
    assert printed_mm >= least_mm
    again = await api.as_(world.enterprise_user).get(
        f"/api/v1/sites/{world.site.id}/poster", {"If-None-Match": answer.headers["etag"]}, size=size
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_a_poster_is_for_the_enterprise_and_those_who_manage_codes_there(api: Api, world: World) -> None:
    path = f"/api/v1/sites/{world.site.id}/poster"
    for principal in (world.enterprise_user, world.manager, world.administrator):
        assert (await api.as_(principal).get(path)).status_code == 200
    refused(await api.as_(world.foreign_user).get(path), 404, "not-found", "site_id")
    refused(
        await api.as_(world.manager).get(f"/api/v1/sites/{world.other_site.id}/poster"), 404, "not-found", "site_id"
    )
    refused(await api.as_(world.inspector).get(path), 403, "forbidden")
    refused(await api.as_(world.enterprise_user).get(path, size="a0"), 422, "invalid-field", "size")
    await api.parts.pool.execute("DELETE FROM site_code")
    refused(await api.as_(world.enterprise_user).get(path), 409, "no-code-issued", "site_id")


@pytest.mark.parametrize("form", ["png", "svg"])
async def test_the_enterprise_prints_its_own_code_and_nobody_elses(api: Api, world: World, form: str) -> None:
    path = f"/api/v1/sites/{world.site.id}/code.{form}"
    for principal in (world.enterprise_user, world.manager, world.administrator):
        answer = await api.as_(principal).get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, _PICTURES[form])
        if form == "png":
            barcode = zxingcpp.read_barcode(Image.open(io.BytesIO(answer.content)))
            assert barcode is not None
            assert barcode.text == code_url(PUBLIC, world.code)
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    for stranger in (world.foreign_user, branch):
        refused(await api.as_(stranger).get(path), 404, "not-found", "site_id")
    refused(await api.as_(world.inspector).get(path), 403, "forbidden")
    await api.parts.pool.execute("DELETE FROM site_code")
    refused(await api.as_(world.enterprise_user).get(path), 409, "no-code-issued", "site_id")


async def test_a_batch_is_drawn_by_the_worker_and_downloaded_part_by_part(api: Api, world: World) -> None:
    manager = api.as_(world.manager)
    opened = accepted(await manager.post("/api/v1/poster-batches", {"region_code": DISTRICT, "size": "a5"}))
    assert (opened["state"], opened["site_count"], opened["sites_done"]) == ("drawing", 2, 0)
    await work_off(api)
    path = f"/api/v1/poster-batches/{opened['id']}"
    batch = (await manager.get(path)).json()
    assert (batch["state"], batch["sites_done"], batch["parts_done"]) == ("finished", 2, 1)
    [part] = (await manager.get(f"{path}/parts")).json()["items"]
    answer = await manager.get(f"{path}/parts/1/file.pdf")
    assert (part["pages"], part["byte_count"]) == (2, len(answer.content))
    assert answer.headers["etag"] == f'"{part["digest"]}"'
    assert sorted(codes_in(answer.content)) == sorted(
        code_url(PUBLIC, code) for code in (world.code, world.second_code)
    )
    refused(await manager.get(f"{path}/parts/2/file.pdf"), 404, "not-found")
    refused(await manager.post(f"{path}/cancellation"), 409, "poster-batch-already-ended")
    refused(await manager.post(f"{path}/resumption"), 409, "poster-batch-not-cancelled")
    [listed] = (await manager.get("/api/v1/poster-batches", limit=1)).json()["items"]
    assert listed == batch


async def test_a_batch_stops_where_it_is_cancelled_and_goes_on_from_there(api: Api, world: World) -> None:
    manager = api.as_(world.manager)
    batch_id = UUID(accepted(await manager.post("/api/v1/poster-batches", {"region_code": DISTRICT}))["id"])
    path = f"/api/v1/poster-batches/{batch_id}"
    await draw_posters(api.parts, batch_id.bytes, pages=1)
    assert accepted(await manager.post(f"{path}/cancellation"))["parts_done"] == 1
    await draw_posters(api.parts, batch_id.bytes, pages=1)
    assert (await manager.get(path)).json()["parts_done"] == 1
    assert accepted(await manager.post(f"{path}/resumption"))["state"] == "drawing"
    await asyncio.gather(*(draw_posters(api.parts, batch_id.bytes, pages=1) for _ in range(2)))
    await draw_posters(api.parts, batch_id.bytes, pages=1)
    batch = (await manager.get(path)).json()
    assert (batch["state"], batch["parts_done"], batch["sites_done"]) == ("finished", 2, 2)
    first = (await manager.get(f"{path}/parts", limit=1)).json()
    second = (await manager.get(f"{path}/parts", limit=1, cursor=first["next_cursor"])).json()
    assert [each["number"] for each in (*first["items"], *second["items"])] == [1, 2]
    assert second["next_cursor"] is None
    drawn = [(await manager.get(f"{path}/parts/{number}/file.pdf")).content for number in (1, 2)]
    assert len({code for pdf in drawn for code in codes_in(pdf)}) == 2


async def test_nobody_prints_the_doors_of_another_region(api: Api, world: World) -> None:
    manager = api.as_(world.manager)
    refused(await manager.post("/api/v1/poster-batches", {"region_code": OTHER_CITY}), 404, "not-found", "region_code")
    refused(await manager.post("/api/v1/poster-batches", {"region_code": "999999"}), 404, "not-found", "region")
    refused(await manager.post("/api/v1/poster-batches", {"region_code": "x"}), 422, "invalid-field", "region_code")
    empty = await manager.post("/api/v1/poster-batches", {"region_code": "450126"})
    refused(empty, 422, "invalid-field", "region_code")
    opened = accepted(await manager.post("/api/v1/poster-batches", {"region_code": DISTRICT}))
    foreigner = api.as_(msgspec.structs.replace(world.manager, region=world.other_site.region))
    refused(await foreigner.get(f"/api/v1/poster-batches/{opened['id']}"), 404, "not-found")
    refused(await foreigner.post(f"/api/v1/poster-batches/{opened['id']}/cancellation"), 404, "not-found")


async def test_parts_are_gone_a_week_after_the_end(api: Api, world: World) -> None:
    manager = api.as_(world.manager)
    opened = accepted(await manager.post("/api/v1/poster-batches", {"region_code": DISTRICT}))
    await work_off(api)
    path = f"/api/v1/poster-batches/{opened['id']}"
    api.clock.now = NOW + timedelta(days=6)
    await sweep_posters(api.parts)
    assert (await manager.get(f"{path}/parts/1/file.pdf")).status_code == 200
    # Files bear the machine's own time; the clock of the parts is moved beyond it.
    api.clock.now = NOW + timedelta(days=365)
    await sweep_posters(api.parts)
    assert (await manager.get(path)).json()["state"] == "expired"
    refused(await manager.get(f"{path}/parts/1/file.pdf"), 404, "not-found")
    assert [blob async for blob in api.parts.blobs.list("posters")] == []


async def printed(api: Api, folder: Path, **more: Any) -> PosterReport:
    given: dict[str, Any] = {"region_code": "450000", "size": PosterSize.A4, "public_url": PUBLIC, "pages": 2, **more}
    return await print_posters(api.parts, folder=folder, **given)


@pytest.mark.usefixtures("world")
async def test_files_of_a_region_are_kept_when_whole_and_drawn_anew_when_not(api: Api, tmp_path: Path) -> None:
    report = await printed(api, tmp_path)
    assert (report.sites, report.parts, report.drawn) == (3, 2, 2)
    parts = found(tmp_path, "*.pdf")
    listed = (tmp_path / "posters-450000-a4.csv").read_text("utf-8-sig").splitlines()
    assert len(listed) == 4
    assert len({code for path in parts for code in codes_in(path.read_bytes())}) == 3
    assert (await printed(api, tmp_path)).drawn == 0
    whole = parts[1].read_bytes()
    parts[1].write_bytes(whole[: len(whole) // 2])
    (tmp_path / "posters-450000-a4-0009.pdf").write_bytes(whole)
    assert (await printed(api, tmp_path)).drawn == 1
    assert parts[1].read_bytes() == whole
    assert found(tmp_path, "*.pdf") == parts
    assert found(tmp_path, ".*") == []


@pytest.mark.usefixtures("world")
async def test_a_run_that_is_stopped_leaves_no_half_part(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        """Somebody pressed Ctrl-C."""

    class Breaking(PosterPress):
        async def draw(self, job: PosterJob) -> bytes:
            if len(found(tmp_path, "*.pdf")) == 1:
                raise Stopped
            return await super().draw(job)

    monkeypatch.setattr(poster_files, "PRESS", Breaking())
    with pytest.raises(Stopped):
        await printed(api, tmp_path)
    [first] = found(tmp_path, "*.pdf")
    assert len(codes_in(first.read_bytes())) == 2
    assert not (tmp_path / "posters-450000-a4.csv").exists()
    monkeypatch.undo()
    report = await printed(api, tmp_path)
    assert (report.parts, report.drawn) == (2, 1)


async def test_a_drawing_that_takes_too_long_is_ended() -> None:
    poster = Poster(name="某店", site="总店", uscc="91450100000000000X", url="HTTPS://X.TEST/C/1")
    with pytest.raises(PostersNotDrawn, match="not drawn within"):
        await PosterPress(time_limit=0.01).draw(PosterJob(size=PosterSize.A4, posters=[poster]))


@pytest.mark.usefixtures("world")
async def test_the_command_prints_a_region_and_says_what_it_did(
    database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database.dsn,
        "YIMA_KEYS": str(keys_folder),
        "YIMA_VAR": str(tmp_path / "var"),
        "YIMA_PUBLIC_URL": PUBLIC,
    }
    argv = ("-m", "api.cli", "code", "posters", "450000", "--size", "a5", "--out", str(tmp_path / "out"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *argv, cwd=PROJECT, env=environment, stdout=PIPE, stderr=PIPE
    )
    out, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    assert "3 个场所：新发码 0，共 1 册，新绘制 1 册" in out.decode()
    [part] = found(tmp_path / "out", "*.pdf")
    assert len(codes_in(part.read_bytes())) == 3
