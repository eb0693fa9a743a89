"""A poster as a PDF: vector code of the right size, words that fit, and the same bytes for the same job."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pypdfium2
import pytest

from codes.poster import (
    CODE_MM,
    Poster,
    PosterJob,
    PosterSize,
    draw_posters,
    is_poster_file,
    job_digest,
    plain,
    read_job,
    write_job,
)
from codes.qr import qr_modules

URL = "HTTPS://YM.EXAMPLE.GOV.CN/C/0123456789ABCDEFGHJKMNPQRSTVWXY"
LONG = "广西壮族自治区南宁市青秀区民族大道老友记餐饮连锁管理服务（集团）有限责任公司第一百二十八分公司" * 3
_SCALE = 4
_POINT_MM = 25.4 / 72


def poster(**changes: str) -> Poster:
    values = {
        "name": "南宁市老友餐饮有限公司",
        "site": "总店",
        "uscc": "91450100000000000X",
        "url": URL,
        "authority": "南宁市市场监督管理局",
        "hotline": "0771-12345",
    }
    return Poster(**{**values, **changes})


def job(*posters: Poster, size: PosterSize = PosterSize.A4) -> PosterJob:
    return PosterJob(size=size, posters=list(posters))


def text_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return [page.get_textpage().get_text_range() for page in document]


@pytest.mark.parametrize("size", PosterSize)
def test_every_module_of_the_code_is_where_it_belongs_and_sharp(size: PosterSize) -> None:
    [page] = pypdfium2.PdfDocument(io.BytesIO(draw_posters(job(poster(), size=size))))
    modules = qr_modules(URL, border=0)
    side_mm = CODE_MM[size] / len(modules)
    picture = page.render(scale=_SCALE).to_pil().convert("L")
    module_px = side_mm / _POINT_MM * _SCALE
    left = picture.width / 2 - module_px * len(modules) / 2
    dark_rows = [
        y
        for y in range(picture.height)
        if all(picture.getpixel((int(left + (x + 0.5) * module_px), y)) == 0 for x in range(7))
    ]
    top = dark_rows[0]
    seen = [
        [
            picture.getpixel((int(left + (x + 0.5) * module_px), int(top + (y + 0.5) * module_px))) == 0
            for x in range(len(modules))
        ]
        for y in range(len(modules))
    ]
    assert seen == modules
    # Drawn, not scanned: however far it is enlarged, ink is black and paper white within the code.
    greys = {
        picture.getpixel((int(left + (x + 0.5) * module_px), int(top + (y + 0.5) * module_px)))
        for x in range(len(modules))
        for y in range(len(modules))
    }
    assert greys == {0, 255}


def test_it_says_whose_it_is_whom_to_call_and_what_each_may_do() -> None:
    [text] = text_of(draw_posters(job(poster())))
    for words in (
        "南宁市老友餐饮有限公司",
        "总店",
        "0771-12345",
        "ym.example.gov.cn",
        "市民",
        "企业",
        "执法人员",
        "举报",
    ):
        assert words in text


@pytest.mark.parametrize("name", [LONG, "A" * 300, "=1+1\u202e\u0000#let x = 1", "*_$#@<>[]\\", "王" * 121])
def test_whatever_it_is_called_it_stays_one_page_and_is_never_markup(name: str) -> None:
    for size in PosterSize:
        pdf = draw_posters(job(poster(name=name, site=name), size=size))
        assert len(pypdfium2.PdfDocument(io.BytesIO(pdf))) == 1


def test_what_cannot_be_seen_is_left_out() -> None:
    assert plain("老\u202e友\u0000 \n 店\ue000") == "老友 店"
    assert plain("x" * 40).replace("\u200b", "") == "x" * 40
    assert plain("王" * 130) == "王" * 120 + "…"


def test_a_site_without_a_regulator_has_a_poster_too() -> None:
    nobody = Poster(name="某店", site="总店", uscc="91450100000000000X", url=URL)
    [text] = text_of(draw_posters(job(nobody)))
    assert "监督电话　" not in text


def test_the_same_job_gives_the_same_bytes_and_another_another_digest(tmp_path: Path) -> None:
    first, other = job(poster()), job(poster(hotline="0771-54321"))
    pdf = draw_posters(first)
    assert pdf == draw_posters(read_job(write_job(first)))
    path = tmp_path / "part.pdf"
    assert not is_poster_file(path, job_digest(first))
    path.write_bytes(pdf)
    assert is_poster_file(path, job_digest(first))
    assert not is_poster_file(path, job_digest(other))
    path.write_bytes(pdf[:-10])
    assert not is_poster_file(path, job_digest(first))


def test_pages_come_in_their_order() -> None:
    names = [f"第{number}店" for number in range(1, 6)]
    texts = text_of(draw_posters(job(*(poster(name=name) for name in names))))
    assert list(chain.from_iterable([name for name in names if name in text] for text in texts)) == names


# Of its own pages: what a child is said to have used includes its parent's, from before it became another program.
_TELLING_ITS_PEAK = """
import re, sys
from pathlib import Path
from codes.poster import main
main()
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


@pytest.mark.slow
def test_five_hundred_pages_take_less_than_500_mb() -> None:
    order = write_job(job(*(poster(name=f"南宁市老友餐饮有限公司第{number}分店") for number in range(500))))
    done = subprocess.run([sys.executable, "-c", _TELLING_ITS_PEAK], input=order, capture_output=True, check=True)
    assert len(pypdfium2.PdfDocument(io.BytesIO(done.stdout))) == 500
    assert len(done.stdout) < 8 * 1024**2
    assert int(done.stderr) < 500 * 1024


def test_a_process_that_cannot_draw_says_why() -> None:
    order = write_job(job(poster(url="")))
    done = subprocess.run([sys.executable, "-m", "codes.poster"], input=order, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "QR" in done.stderr.decode()
