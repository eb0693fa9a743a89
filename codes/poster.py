"""海报 Posters of the one code for the wall beside a door: `python -m codes.poster` sets a PDF of many.

A process of its own: a name that the typesetter stumbles over takes only that process along, and the memory of five
hundred pages goes back to the system with it. It reads one job of JSON and writes one PDF. The same job gives the same
bytes, and they name the job's digest in clear, by which a file that stands there already is recognised.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import pylopdf_fonts_zh_cn
import typst

from codes.qr import modules_svg, qr_modules

CODE_MM: Final = {"a4": 92, "a5": 64}
"""Width of the code itself, its quiet zone not counted: read from two metres and from one and a half."""
MEMORY_BYTES: Final = 1024**3
"""Address space of a drawing process; of it 500 pages take some 200 MB of memory."""
_TEMPLATE: Final = files("codes").joinpath("poster.typ")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MAY_BREAK: Final = "\u200b"
_LONGEST: Final = 120
_WORD: Final = 18
_QUIET: Final = 2
"""Modules of white in the drawing; the page gives the rest, and more than the four that are asked for."""


class PosterSize(StrEnum):
    """纸张."""

    A4 = "a4"
    A5 = "a5"


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """One page: whose door, the address in the code, and whom to call."""

    name: str
    site: str
    uscc: str
    url: str
    authority: str | None = None
    hotline: str | None = None


class PosterJob(msgspec.Struct, frozen=True, kw_only=True):
    """Pages wanted, in their order."""

    size: PosterSize
    posters: list[Poster]


def job_digest(job: PosterJob) -> str:
    """SHA-256 over the job and the template, hexadecimal: equal digests, equal PDF."""
    digest = hashlib.sha256(_TEMPLATE.read_bytes())
    digest.update(msgspec.json.encode(job))
    return digest.hexdigest()


def plain(text: str) -> str:
    """`text` as it can be set on one poster: what cannot be seen left out, long words made breakable, the end cut."""
    seen = " ".join(text.split())
    signs: list[str] = []
    run = 0
    for sign in seen[:_LONGEST]:
        if unicodedata.category(sign) in _UNSEEN:
            continue
        run = 0 if sign == " " or not sign.isascii() else run + 1
        if run > _WORD:
            signs.append(_MAY_BREAK)
            run = 1
        signs.append(sign)
    return "".join(signs) + ("…" if len(seen) > _LONGEST else "")


def _page(poster: Poster, modules: int) -> dict[str, Any]:
    return {
        "name": plain(poster.name),
        "site": plain(poster.site),
        "uscc": plain(poster.uscc),
        "host": plain(urlsplit(poster.url).netloc.lower()),
        "authority": plain(poster.authority or ""),
        "hotline": plain(poster.hotline or ""),
        "modules": modules,
    }


def draw_posters(job: PosterJob) -> bytes:
    """The PDF, a page each. Raises typst.TypstError, ValueError for a URL that fits no code."""
    with TemporaryDirectory(prefix="yima-poster-") as name:
        folder = Path(name)
        pages: list[dict[str, Any]] = []
        for place, poster in enumerate(job.posters):
            modules = qr_modules(poster.url, border=_QUIET)
            (folder / f"{place}.svg").write_text(modules_svg(modules, poster.url), "utf-8")
            pages.append(_page(poster, len(modules) - 2 * _QUIET))
        ready = {
            "size": job.size,
            "code_mm": CODE_MM[job.size],
            "quiet": _QUIET,
            "digest": job_digest(job),
            "pages": pages,
        }
        (folder / "job.json").write_text(json.dumps(ready, ensure_ascii=False), "utf-8")
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[pylopdf_fonts_zh_cn.sans_path().parent],
        )
        compiler = typst.Compiler(
            _TEMPLATE.read_bytes(), root=name, font_paths=fonts, ignore_system_fonts=True, package_path=name
        )
        # No poster tells when it was drawn: the same job gives the same bytes.
        pdf: Any = compiler.compile(format="pdf", timestamp=datetime(2000, 1, 1, tzinfo=UTC))
    return pdf


def is_poster_file(path: Path, digest: str) -> bool:
    """Whether the file is there, whole, and of the job of that digest."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return content.rstrip().endswith(b"%%EOF") and digest.encode("ascii") in content


def read_job(text: bytes) -> PosterJob:
    """The job as it comes to a drawing process."""
    return msgspec.json.decode(text, type=PosterJob)


def write_job(job: PosterJob) -> bytes:
    """The job for a drawing process."""
    return msgspec.json.encode(job)


def main() -> None:
    """One job from the standard input to the standard output; one that cannot be set ends with status 1."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        pdf = draw_posters(read_job(sys.stdin.buffer.read()))
    except (typst.TypstError, ValueError) as failure:
        sys.stderr.write(str(failure))
        sys.exit(1)
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
