"""证据材料上传: photos of 400 kB, each another one, whole in one request."""

from __future__ import annotations

import hashlib
import io
import struct
from datetime import UTC, datetime
from functools import cache
from random import Random

from PIL import Image

from benchmarks.contest import Contest, Prepared, bearer, hold
from benchmarks.results import Row
from benchmarks.seed_visits import Answerable
from benchmarks.servers import Kind
from benchmarks.stage import Stage

NAME = "evidence.400k"
_BYTES = 400_000
_COMMENT = b"\xff\xfe"
_MOST_COMMENT = 60_000


def measure_uploads(stage: Stage) -> Row:
    """The row `evidence.400k`. Raises `MeasurementFailed`."""
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=stage.size.uploads,
        warm_up=40,
        compared=10,
        written=("evidence_file", "evidence", "trace", "chore", "message", "idempotency"),
        has_same_statements=False,
        limit_answers_alike=False,
    )
    return hold(stage, contest)


@cache
def kitchen(width: int = 1600, height: int = 1200, quality: int = 75) -> bytes:
    """A JPEG with about as much detail as a kitchen."""
    grain = (width // 3, height // 3)
    noise = Random(1).randbytes(3 * grain[0] * grain[1])
    picture = Image.frombytes("RGB", grain, noise).point([40 + value // 3 for value in range(256)] * 3)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def photo(number: int, size: int = _BYTES) -> bytes:
    """The kitchen again under another digest: a comment within tells the number and fills it up to `size`."""
    return _marked(kitchen(), number, size)


def _marked(picture: bytes, number: int, size: int) -> bytes:
    left = size - len(picture)
    comments = bytearray()
    while left - len(comments) > 12:
        length = min(_MOST_COMMENT, left - len(comments) - 4)
        comments += _COMMENT + struct.pack(">H", length + 2) + struct.pack(">Q", number) + bytes(length - 8)
    return picture[:2] + bytes(comments) + picture[2:]


def _prepare(stage: Stage, kind: Kind, count: int) -> list[Prepared]:
    return [_upload(stage, kind, visit, number) for visit, number in stage.take_photographed(count)]


def _upload(stage: Stage, kind: Kind, visit: Answerable, number: int) -> Prepared:
    body = photo(number)
    headers = {
        "Authorization": bearer(stage, kind, visit.officer, datetime.now(UTC)),
        "Content-Type": "image/jpeg",
    }
    path = f"/api/v1/evidence/{hashlib.sha256(body).hexdigest()}?inspection_id={visit.inspection_id}"
    return Prepared("PUT", path, headers, body)
