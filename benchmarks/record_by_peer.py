"""The peer's paper: the same content, fonts and size of pictures by fpdf2, as its manual shows it."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pylopdf_fonts_zh_cn
import qrcode
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import FontFace
from PIL import Image

from benchmarks.apart import Figures, peak_mb
from benchmarks.record_prepared import CODE, NUMBER, URL
from domain.document.model import Facts, Findings, Heading, Note, Paper, Paragraph, Photos, Signatures, Stamp

_SIDE = 640
_PER_ROW = 3


class _Sheet(FPDF):
    """A4 with the number of each page and the code at its foot."""

    def footer(self) -> None:
        """As on every page."""
        self.set_y(-20)
        self.set_font("sans", size=9)
        self.cell(0, 5, f"第 {self.page_no()} 页　共 {{nb}} 页", align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font("sans", size=7)
        self.cell(0, 4, f"验证码 {CODE}　笔录摘要 SHA-256 {bytes(32).hex()}", align="C")


async def measure(folder: Path) -> Figures:
    """Seconds and peak memory of making the paper out of its values."""
    plain = folder / "plain"
    paper = msgspec.json.decode((plain / "paper.json").read_bytes(), type=Paper)
    pictures = {each.name: each.read_bytes() for each in plain.iterdir() if each.suffix != ".json"}
    began = time.perf_counter()
    pdf = _printed(paper, pictures)
    return {
        "seconds": time.perf_counter() - began,
        "peak_mb": peak_mb(),
        "kilobytes": len(pdf) // 1000,
    }


def _printed(paper: Paper, pictures: dict[str, bytes]) -> bytes:
    with ThreadPoolExecutor(2) as threads:
        small = dict(zip(pictures, threads.map(_small, pictures.values()), strict=True))
    sheet = _Sheet()
    sheet.add_font("serif", fname=str(pylopdf_fonts_zh_cn.serif_path()))
    sheet.add_font("sans", fname=str(pylopdf_fonts_zh_cn.serif_path().with_name("NotoSansSC-Regular.otf")))
    sheet.set_margins(27, 27, 25)
    sheet.set_auto_page_break(auto=True, margin=25)
    sheet.add_page()
    _head(sheet, paper)
    for block in paper.blocks:
        match block:
            case Heading(text):
                _write(sheet, text, "sans", 12)
            case Paragraph(text):
                _write(sheet, f"　　{text}", "serif", 12)
            case Note(text):
                _write(sheet, text, "serif", 9)
            case Facts(rows):
                _table(sheet, [list(row) for row in rows], widths=(3, 7), size=10.5)
            case Findings():
                _findings(sheet, block)
            case Photos():
                _photos(sheet, block, small)
            case Signatures():
                _signatures(sheet, block, small)
            case Stamp(authority, issued_on):
                _write(sheet, f"{authority}\n{issued_on.year}年{issued_on.month}月{issued_on.day}日", "serif", 12)
    return bytes(sheet.output())


def _small(picture: bytes) -> io.BytesIO:
    with Image.open(io.BytesIO(picture)) as source:
        source.draft("RGB", (_SIDE, _SIDE))
        source.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
        out = io.BytesIO()
        source.save(out, source.format, quality=75)
    return out


def _head(sheet: FPDF, paper: Paper) -> None:
    code = qrcode.make(URL, border=1).get_image()
    sheet.image(code, x=165, y=15, w=20)
    for text, size in ((paper.authority, 16), (paper.title, 20), (NUMBER, 12)):
        sheet.set_font("sans", size=size)
        sheet.cell(0, size / 2, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(5)


# `Any`: the stubs that a type checker brings along know whole sizes only.
def _write(sheet: Any, text: str, family: str, size: float) -> None:
    sheet.set_font(family, size=size)
    sheet.multi_cell(0, size * 0.62, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=WrapMode.CHAR)


def _table(sheet: Any, rows: list[list[str]], *, widths: tuple[int, ...], size: float, has_head: bool = False) -> None:
    sheet.set_font("serif", size=size)
    with sheet.table(
        col_widths=widths,
        first_row_as_headings=has_head,
        headings_style=FontFace(family="sans", emphasis=""),
        line_height=size * 0.55,
        wrapmode=WrapMode.CHAR,
    ) as table:
        for row in rows:
            table.row(row)
    sheet.ln(3)


def _findings(sheet: FPDF, findings: Findings) -> None:
    rows = [list(findings.headings)]
    for each in findings.rows:
        shown = f"\n照片：{'、'.join(digest[:12] for digest in each.photos)}" if each.photos else ""
        rows.append(
            [str(each.place), f"{each.title}\n{each.basis}", each.text + shown, f"{each.verdict}\n{each.measures}"]
        )
    _table(sheet, rows, widths=(3, 13, 16, 7), size=9.5, has_head=True)


def _photos(sheet: Any, photos: Photos, small: dict[str, io.BytesIO]) -> None:
    width = sheet.epw / _PER_ROW
    for start in range(0, len(photos.photos), _PER_ROW):
        if sheet.will_page_break(45):
            sheet.add_page()
        top = sheet.y
        for place, photo in enumerate(photos.photos[start : start + _PER_ROW]):
            left = sheet.l_margin + place * width
            sheet.image(small[photo.digest], x=left, y=top, w=width - 3, h=35, keep_aspect_ratio=True)
            sheet.set_font("sans", size=7.5)
            sheet.text(left, top + 39, photo.caption)
            sheet.text(left, top + 42, photo.digest[:12])
        sheet.set_y(top + 45)


def _signatures(sheet: FPDF, signatures: Signatures, small: dict[str, io.BytesIO]) -> None:
    for box in signatures.boxes:
        if sheet.will_page_break(30):
            sheet.add_page()
        _write(sheet, f"{box.label}　{box.name}　{box.capacity}　{box.signed_on}　{box.note}", "serif", 9.5)
        if box.image is not None:
            sheet.image(small[box.image], h=15)
