"""Sticker files of the one code, and the process that draws them: `python -m api.stickers.files`.

Drawing is all computing, so it is done beside the batch, one process to a core. Such a process reads a line of JSON
with the files wanted, answers with a line of JSON, and ends when its input does: it never outlives the batch, however
that ended, and needs nothing of the batch's main module.
"""

from __future__ import annotations

import signal
import struct
import sys
import zlib
from pathlib import Path
from typing import Final

import msgspec

from codes.qr import qr_png, qr_svg

_PNG_HEAD: Final = 33  # signature and IHDR, which must come first
_ENDS: Final = {".png": b"IEND\xaeB`\x82", ".svg": b"</svg>"}


class StickerFile(msgspec.Struct, frozen=True):
    """A file wanted: where it is to stand, its ending telling the kind, and the URL of its code."""

    path: str
    url: str


class Drawn(msgspec.Struct, frozen=True):
    """How many files were drawn, and how many stood there already; `problem` says why it stopped short."""

    drawn: int
    kept: int
    problem: str = ""


def sticker(url: str, ending: str) -> bytes:
    """The whole file of kind `.png` or `.svg`. Its URL stands in it as text, too, by which it is recognised."""
    if ending == ".svg":
        return qr_svg(url).encode()
    picture = qr_png(url)
    comment = b"tEXtComment\x00" + url.encode("ascii")
    chunk = struct.pack(">I", len(comment) - 4) + comment + struct.pack(">I", zlib.crc32(comment))
    return picture[:_PNG_HEAD] + chunk + picture[_PNG_HEAD:]


def is_drawn(path: Path, url: str) -> bool:
    """Whether the file is there, whole, and of this very URL: a replaced code or a new address is drawn anew."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return content.endswith(_ENDS[path.suffix]) and url.encode("ascii") in content


def draw_missing(wanted: list[StickerFile]) -> Drawn:
    """Draw what is not there yet. Each file appears whole or not at all."""
    drawn = kept = 0
    for file in wanted:
        path = Path(file.path)
        if is_drawn(path, file.url):
            kept += 1
            continue
        beside = path.with_name(f".{path.name}.part")
        beside.write_bytes(sticker(file.url, path.suffix))
        beside.replace(path)
        drawn += 1
    return Drawn(drawn, kept)


def serve() -> None:
    """Draw line by line until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the batch, which then closes our input
    decode = msgspec.json.Decoder(list[StickerFile]).decode
    for line in sys.stdin.buffer:
        try:
            answer = draw_missing(decode(line))
        except OSError as problem:
            answer = Drawn(0, 0, str(problem))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
