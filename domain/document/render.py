"""文书生成: a paper, with all that only the server knows of it, becomes a PDF that looks the same everywhere.

`render` sets it here and now; `Press.render` in a process of its own, under a limit of time and memory, one at a time.
A process and no thread: a paper that runs into a fault of the typesetter, or never ends, takes only that process
along, and the memory of forty photos goes back to the system with it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import typst

from codes.qr import qr_svg
from domain.document.model import Paper, Photos, Seal, Signatures
from domain.document.rules import spaced
from domain.document.templates import chinese_date
from domain.document.typesetting import Sheet, read_parts, typeset, write_parts
from domain.shared.child_process import ChildFailed, run_module

MOST_PHOTOS: Final = 60
_RUNNING: Final = 36
_TIME_LIMIT: Final = 20.0


class TypesettingFailed(Exception):
    """The paper could not be set: its message says why, for whoever runs the installation."""


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A PDF and its number of pages."""

    pdf: bytes
    page_count: int


class Imprint(msgspec.Struct, frozen=True, kw_only=True):
    """What the server adds to a paper. Without a code (a preview) there is no QR either."""

    number: str | None = None
    verification_code: str | None = None
    verification_url: str | None = None
    record_digest: bytes | None = None
    seal: Seal = Seal.NONE


def images_of(paper: Paper) -> list[str]:
    """The digests of the pictures that `paper` shows, each once: signatures first, then at most 60 photos."""
    blocks = paper.blocks
    signatures = [
        box.image for block in blocks if isinstance(block, Signatures) for box in block.boxes if box.image is not None
    ]
    photos = [photo.digest for block in blocks if isinstance(block, Photos) for photo in block.photos]
    return list(dict.fromkeys([*signatures, *photos[:MOST_PHOTOS]]))


def _sheet(paper: Paper, imprint: Imprint) -> Sheet:
    code = imprint.verification_code
    return {
        "title": paper.title,
        "authority": paper.authority,
        "running_title": _shortened(f"{paper.authority}　{paper.title}"),
        "year": paper.issued_on.year,
        "month": paper.issued_on.month,
        "day": paper.issued_on.day,
        "number": imprint.number,
        "code": None if code is None else spaced(code),
        "url": imprint.verification_url,
        "record_digest": None if imprint.record_digest is None else imprint.record_digest.hex(),
        "unsealed": imprint.seal is Seal.NONE,
        "watermark": paper.watermark,
        "secrecy_mark": paper.secrecy_mark,
        "blocks": list(_blocks(paper)),
    }


def _shortened(text: str) -> str:
    """What is only said again at the head of each page."""
    return text if len(text) <= _RUNNING else f"{text[: _RUNNING - 1]}…"


def _blocks(paper: Paper) -> Iterator[Sheet]:
    left = MOST_PHOTOS
    for block in paper.blocks:
        plain: Sheet = msgspec.to_builtins(block)
        if plain["type"] == "stamp":
            plain["issued_on"] = chinese_date(block.issued_on)  # type: ignore[union-attr] - a stamp has its date
        if plain["type"] == "photos":
            photos = plain["photos"]
            plain["photos"] = photos[:left]
            yield plain
            if len(photos) > left:
                yield {"type": "note", "text": f"另有{len(photos) - left}张照片存档，此处从略。"}
            left = max(left - len(photos), 0)
            continue
        yield plain


def _qr(imprint: Imprint) -> str | None:
    return None if imprint.verification_url is None else qr_svg(imprint.verification_url, border=1)


def render(
    paper: Paper,
    number: str | None,
    verification_url: str | None,
    images: Mapping[str, bytes],
    *,
    verification_code: str | None = None,
    record_digest: bytes | None = None,
    seal: Seal = Seal.NONE,
) -> bytes:
    """The PDF of `paper`; `images` by hexadecimal digest. The same arguments give the same bytes.

    Raises `TypesettingFailed`.
    """
    imprint = Imprint(
        number=number,
        verification_code=verification_code,
        verification_url=verification_url,
        record_digest=record_digest,
        seal=seal,
    )
    try:
        pdf, _ = typeset(_sheet(paper, imprint), images, _qr(imprint))
    except typst.TypstError as failure:
        raise TypesettingFailed(str(failure)) from failure
    return pdf


class Press:
    """排版机: sets one paper at a time, each in a process of its own."""

    def __init__(self, time_limit: float = _TIME_LIMIT) -> None:
        """Give each paper `time_limit` seconds."""
        self._time_limit = time_limit
        self._turn = asyncio.Lock()

    async def render(self, paper: Paper, imprint: Imprint, images: Mapping[str, bytes]) -> Printed:
        """The PDF of `paper`, the same bytes as by `render`. Raises `TypesettingFailed`."""
        job = {"sheet": _sheet(paper, imprint), "pictures": list(images), "qr": _qr(imprint)}
        order = write_parts([msgspec.json.encode(job), *images.values()])
        async with self._turn:
            pages, pdf = read_parts(io.BytesIO(await self._run(order)))
        return Printed(pdf=pdf, page_count=int(pages))

    async def _run(self, order: bytes) -> bytes:
        try:
            return await run_module("domain.document.typesetting", order, time_limit=self._time_limit)
        except TimeoutError as late:
            raise TypesettingFailed(f"not set within {self._time_limit:g} s") from late
        except ChildFailed as failure:
            raise TypesettingFailed(str(failure)) from failure


def previewed(paper: Paper) -> Paper:
    """The paper with 样张 across it: not to be taken for an issued one."""
    return msgspec.structs.replace(paper, watermark="样张")
