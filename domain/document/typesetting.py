"""排版: a sheet of JSON and its pictures become a PDF. Runs as a process of its own: `python -m` this module.

It knows neither the database nor the rest of the house, so that it starts quickly and needs little. The same sheet
and pictures give the same bytes.
"""

from __future__ import annotations

import io
import json
import re
import resource
import struct
import sys
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

import pylopdf_fonts_zh_cn
import typst
from PIL import Image, ImageOps, UnidentifiedImageError

PICTURE_SIDE: Final = 640
"""Pixels of a picture's longer side as embedded: 280 dpi at the width of a third of the page."""
_QUALITY: Final = 75
_SHRINKERS: Final = 2
_MOST_PIXELS: Final = 60_000_000
_MEMORY_BYTES: Final = 2 * 1024**3
_LONG_TEXT: Final = 400
_TEMPLATE: Final = files("domain.document").joinpath("paper.typ")
_BLANKS = str.maketrans(
    dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n") | dict.fromkeys("\xa0\u2007\u202f", " ")  # that hold lines together
)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
_MAY_BREAK: Final = "\u200b"
_BREAKS_ITSELF = re.compile(
    "[ \t\n\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
_NARROW: Final = frozenset("abcdefghijklnopqrstuvxyz0123456789.,:;!'|()[]{}-/\\\"")
_ROOM: Final = {"title": 28, "authority": 28, "watermark": 14, "secrecy_mark": 28}
"""Of what is not set at the width of its block."""
_WIDE: Final = 64
_PAGE_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count (\d+)|/Count (\d+)[^>]*?/Type\s*/Pages\b")
Sheet = dict[str, Any]


def printable(text: str, room: int) -> str:
    """`text` as it can be set: invisible and direction-changing characters left out, long words made breakable.

    `room` is the width of the narrowest line, in halves of a Chinese character.
    """
    lines = text.replace("\r\n", "\n").translate(_BLANKS)
    signs: list[str] = []
    width = 0
    for sign in lines:
        if sign not in "\n\t" and unicodedata.category(sign) in _UNSEEN:
            continue
        if _BREAKS_ITSELF.match(sign):
            width = 0
        else:
            taken = 1 if sign in _NARROW else 2
            width += taken
            if width > room:
                signs.append(_MAY_BREAK)
                width = taken
        signs.append(sign)
    return "".join(signs)


def _printable(value: Any, room: int) -> Any:
    if isinstance(value, str):
        return printable(value, room)
    if isinstance(value, list):
        return [_printable(each, room) for each in value]
    if isinstance(value, dict):
        return {name: _printable(each, _ROOM.get(name, room)) for name, each in value.items()}
    return value


def shrink(picture: bytes) -> tuple[str, bytes] | None:
    """The ending and the bytes of a small copy without metadata; None for what is no picture that can be shown."""
    try:
        with Image.open(io.BytesIO(picture)) as source:
            if source.width * source.height > _MOST_PIXELS:
                return None
            source.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))  # a JPEG is decoded at a half or a quarter at once
            upright = ImageOps.exif_transpose(source)
            upright.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
            target = io.BytesIO()
            if upright.mode in {"RGBA", "LA", "P", "PA", "1", "L"}:
                upright.convert("RGBA").save(target, "PNG")
                return "png", target.getvalue()
            upright.convert("RGB").save(target, "JPEG", quality=_QUALITY)
            return "jpg", target.getvalue()
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def typeset(sheet: Sheet, pictures: Mapping[str, bytes], qr: str | None) -> tuple[bytes, int]:
    """The PDF of `sheet` and its number of pages. Raises typst.TypstError."""
    with TemporaryDirectory(prefix="yima-paper-") as name:
        folder = Path(name)
        shown: dict[str, str] = {}
        with ThreadPoolExecutor(max_workers=_SHRINKERS) as shrinkers:
            copies = list(shrinkers.map(shrink, pictures.values()))
        for digest, small in zip(pictures, copies, strict=True):
            if small is not None:
                file = f"{len(shown)}.{small[0]}"
                (folder / file).write_bytes(small[1])
                shown[digest] = f"/{file}"
        if qr is not None:
            (folder / "qr.svg").write_text(qr, "utf-8")
        head = _printable({name: value for name, value in sheet.items() if name != "blocks"}, _WIDE)
        ready = {**head, "blocks": [_ready(block, shown) for block in sheet["blocks"]]}
        (folder / "paper.json").write_text(json.dumps(ready, ensure_ascii=False), "utf-8")
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[pylopdf_fonts_zh_cn.serif_path().parent],
        )
        compiler = typst.Compiler(
            _TEMPLATE.read_bytes(), root=name, font_paths=fonts, ignore_system_fonts=True, package_path=name
        )
        dated = datetime(sheet["year"], sheet["month"], sheet["day"], tzinfo=UTC)
        pdf: Any = compiler.compile(format="pdf", timestamp=dated)
    return pdf, _pages(pdf)


def _ready(block: Sheet, shown: Mapping[str, str]) -> Sheet:
    """With the files of its pictures, words that fit its lines, and a mark on what may not be kept on one page."""
    match block["type"]:
        case "photos":
            return {"type": "photos", "photos": [_ready_photo(photo, shown) for photo in block["photos"]]}
        case "signatures":
            return {"type": "signatures", "boxes": [_ready_box(box, shown) for box in block["boxes"]]}
        case "findings":
            headings = [printable(name, 10) for name in block["headings"]]
            return {"type": "findings", "headings": headings, "rows": [_ready_row(row) for row in block["rows"]]}
        case "facts":
            rows = [[printable(label, 18), printable(value, 52)] for label, value in block["rows"]]
            return {"type": "facts", "rows": rows}
        case "stamp":
            return _printable(block, 36)
        case _:
            return _printable(block, _WIDE)


def _ready_photo(photo: Sheet, shown: Mapping[str, str]) -> Sheet:
    return {
        "image": shown.get(photo["digest"]),
        "short": photo["digest"][:12],
        "caption": printable(photo["caption"], 34),
        "is_long": len(photo["caption"]) > _LONG_TEXT,
    }


def _ready_row(row: Sheet) -> Sheet:
    wide = {name: printable(row[name], 26) for name in ("title", "text", "basis")}
    narrow = {name: printable(row[name], 10) for name in ("verdict", "measures")}
    references = [each[:12] for each in row["photos"]]
    is_long = sum(map(len, (*wide.values(), *narrow.values(), *references))) > _LONG_TEXT
    return {**wide, **narrow, "place": row["place"], "photos": references, "is_long": is_long}


def _ready_box(box: Sheet, shown: Mapping[str, str]) -> Sheet:
    words = sum(len(box[name]) for name in ("label", "name", "capacity", "note", "signed_on"))
    image = None if box["image"] is None else shown.get(box["image"])
    missing = box["image"] is not None and image is None
    return {
        **{name: printable(box[name], 34) for name in ("label", "name", "capacity", "note", "signed_on")},
        "image": image,
        "is_missing": missing,
        "is_long": words > _LONG_TEXT,
    }


def _pages(pdf: bytes) -> int:
    found = _PAGE_COUNT.search(pdf)
    if found is None:
        raise ValueError("a PDF without pages")
    return int(found[1] or found[2])


def read_parts(stream: BinaryIO) -> list[bytes]:
    """What `write_parts` wrote."""
    (count,) = struct.unpack(">I", stream.read(4))
    lengths = struct.unpack(f">{count}Q", stream.read(8 * count))
    return [stream.read(length) for length in lengths]


def write_parts(parts: list[bytes]) -> bytes:
    """Byte strings as one: their number, their lengths, themselves."""
    return struct.pack(f">I{len(parts)}Q", len(parts), *map(len, parts)) + b"".join(parts)


def main() -> None:
    """One sheet from the standard input to the standard output; a sheet that cannot be set ends with status 1."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    order, *pictures = read_parts(sys.stdin.buffer)
    job: dict[str, Any] = json.loads(order)
    try:
        pdf, pages = typeset(job["sheet"], dict(zip(job["pictures"], pictures, strict=True)), job["qr"])
    except typst.TypstError as failure:
        sys.stderr.write(str(failure))
        sys.exit(1)
    sys.stdout.buffer.write(write_parts([str(pages).encode(), pdf]))


if __name__ == "__main__":
    main()
