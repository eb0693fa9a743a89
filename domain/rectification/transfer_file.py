"""移交案卷: the file of a transfer as a ZIP with its index, each part with its SHA-256, always in the same order."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, cast

import msgspec

from domain.document.link.evidence import NoticeMessage
from domain.evidence.blobs import Blobs, copy_key, original_key
from domain.rectification import store, transfer_store
from domain.rectification.events import FileFacts
from domain.rectification.model import AnsweredItem, Transfer
from domain.rectification.reading import OrderCase, people_of, read_case
from domain.rectification.transfer_store import FiledEvidence, FiledPaper
from domain.shared.clock import WORKING_ZONE
from domain.shared.sql import Connection
from domain.shared.vault import Vault

_IN_MEMORY: Final = 4 * 1024 * 1024
"""What is longer lies in a temporary file: the whole file is never held in memory."""
_PIECE: Final = 256 * 1024
_COPY: Final = "1600"
_SUFFIXES: Final = {"application/pdf": "pdf", "video/mp4": "mp4"}
_HEADERS: Final = ("序号", "文件", "类别", "说明", "SHA-256", "字节数", "原件SHA-256", "状态")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the file: a blob by its key, or `body`; with neither it is `missing`, which says why."""

    path: str
    kind: str
    note: str
    key: str | None = None
    body: bytes | None = None
    original: str | None = None
    missing: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the index."""

    path: str
    kind: str
    note: str
    sha256: str | None
    size: int | None
    original_sha256: str | None
    missing: str | None


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """index.json."""

    transfer: Transfer
    parts: list[Line]


async def plan_file(
    connection: Connection, vault: Vault, transfer: Transfer, messages: Sequence[NoticeMessage]
) -> list[Part]:
    """What belongs to the file, in its order: papers, what was found, the order's course, `messages` on it, photos."""
    of = {"inspection_id": transfer.inspection_id, "department_id": transfer.department_id}
    papers = await transfer_store.PAPERS_OF_DEPARTMENT.all(connection, **of)
    items = await store.ANSWERED_ITEMS.all(connection, **of)
    case = None if transfer.order_id is None else await read_case(connection, transfer.order_id)
    files = await transfer_store.EVIDENCE_OF_INSPECTION.all(connection, inspection_id=transfer.inspection_id)
    by_digest = {each.digest: each for each in files}
    parts = [part for number, paper in enumerate(papers, start=1) for part in _paper(number, paper, by_digest)]
    parts.append(_document("检查结果.json", "检查结果", "本部门发现的问题", items))
    if case is not None:
        parts.append(_document("整改过程.json", "整改过程", "送达、反馈、延期和复查", _course(vault, case)))
    if messages:
        parts.append(_document("送达信息.json", "送达信息", "短信和邮件的发送、回执与打开记录", messages))
    cited = [*_cited_by_items(items), *(_cited_by_case(case) if case is not None else ())]
    named: dict[bytes, list[str]] = {}
    for digest, note in cited:
        named.setdefault(digest, []).append(note)
    parts.extend(_evidence(digest, "、".join(dict.fromkeys(notes)), by_digest) for digest, notes in named.items())
    return parts


def _paper(number: int, paper: FiledPaper, files: Mapping[bytes, FiledEvidence]) -> Iterable[Part]:
    path = f"文书/{number:02d}-{paper.title.replace('/', '_')}"
    if paper.pdf_digest is None:
        yield Part(path=f"{path}.pdf", kind="文书", note=paper.title, missing="文书尚未生成")
    else:
        yield Part(path=f"{path}.pdf", kind="文书", note=paper.title, key=f"papers/{paper.pdf_digest.hex()}.pdf")
    if paper.sealed_copy is not None:
        yield _evidence(paper.sealed_copy, f"{paper.title}盖章件", files)


def _document(path: str, kind: str, note: str, content: object) -> Part:
    plain = msgspec.to_builtins(content, builtin_types=(bytes,))
    return Part(path=path, kind=kind, note=note, body=msgspec.json.format(msgspec.json.encode(_readable(plain))))


def _readable(value: Any) -> Any:
    """Digests in hexadecimal: msgspec writes bytes as base64, which nobody compares by eye."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {name: _readable(each) for name, each in cast("dict[str, Any]", value).items()}
        case list():
            return [_readable(each) for each in cast("list[Any]", value)]
        case _:
            return value


def _course(vault: Vault, case: OrderCase) -> dict[str, Any]:
    services: list[dict[str, Any]] = []
    for each in case.services:
        plain = msgspec.structs.asdict(each)
        del plain["people_sealed"]
        services.append({**plain, "people": people_of(vault, each)})
    return {
        "order": case.summary,
        "items": case.items,
        "services": services,
        "feedback": case.feedback,
        "extension": case.extension,
        "re_inspections": case.re_inspections,
    }


def _cited_by_items(items: Sequence[AnsweredItem]) -> Iterable[tuple[bytes, str]]:
    for item in items:
        for digest in item.photos:
            yield digest, f"第{item.place}项检查"


def _cited_by_case(case: OrderCase) -> Iterable[tuple[bytes, str]]:
    for service in case.services:
        yield from ((digest, "送达凭证") for digest in service.evidence)
    for feedback in case.feedback:
        for item in feedback.items:
            yield from ((bytes.fromhex(each), f"第{feedback.round}轮整改前") for each in item["before"])
            yield from ((bytes.fromhex(each), f"第{feedback.round}轮整改后") for each in item["after"])
    for again in case.re_inspections:
        yield from ((digest, f"第{again.round}轮复查") for digest in again.evidence)
        for item in again.items:
            yield from ((bytes.fromhex(each), f"第{again.round}轮复查") for each in item["photos"])


def _evidence(digest: bytes, note: str, files: Mapping[bytes, FiledEvidence]) -> Part:
    """A picture goes as its copy without EXIF, anything else as it came."""
    file, name = files.get(digest), digest.hex()
    if file is None or file.is_quarantined:
        return Part(path=f"材料/{name}", kind="材料", note=note, original=name, missing="文件不可用")
    suffix = _SUFFIXES.get(file.media_type)
    if suffix is not None:
        return Part(path=f"材料/{name}.{suffix}", kind="材料", note=note, key=original_key(digest), original=name)
    key = copy_key(digest, _COPY) if file.copies == "ready" else None
    missing = None if key else "副本尚未生成"
    return Part(path=f"照片/{name}.jpg", kind="照片", note=note, key=key, original=name, missing=missing)


class _Writer:
    """Writes parts one after the other, each stored with the transfer's own time, so that equal files are equal."""

    def __init__(self, transfer: Transfer, target: IO[bytes]) -> None:
        at = transfer.opened_at.astimezone(WORKING_ZONE)
        self._time = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)

    async def add(self, part: Part, pieces: AsyncIterator[bytes]) -> Line:
        entry = zipfile.ZipInfo(part.path, self._time)
        entry.compress_type = zipfile.ZIP_DEFLATED if part.body is not None else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w") as member:
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                await asyncio.to_thread(member.write, piece)
        return _line(part, digest.hexdigest(), size)

    def close(self) -> None:
        self._zip.close()


def _line(part: Part, sha256: str | None, size: int | None, missing: str | None = None) -> Line:
    return Line(
        path=part.path,
        kind=part.kind,
        note=part.note,
        sha256=sha256,
        size=size,
        original_sha256=part.original,
        missing=missing or part.missing,
    )


async def _body(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def write_file(blobs: Blobs, transfer: Transfer, parts: Sequence[Part], target: IO[bytes]) -> FileFacts:
    """Write the ZIP into `target`, piece by piece, index last; gives its digest and size."""
    writer = _Writer(transfer, target)
    lines: list[Line] = []
    for part in parts:
        if part.body is not None:
            lines.append(await writer.add(part, _body(part.body)))
        elif part.key is None or await blobs.find(part.key) is None:
            lines.append(_line(part, None, None, part.missing or "文件不可用"))
        else:
            lines.append(await writer.add(part, blobs.stream(part.key)))
    for path, body in _indices(transfer, lines):
        await writer.add(Part(path=path, kind="目录", note="目录", body=body), _body(body))
    writer.close()
    digest, size = await asyncio.to_thread(_digest_of, target)
    missing = sum(1 for line in lines if line.sha256 is None)
    return FileFacts(files=len(lines) - missing, missing=missing, digest=digest, size=size)


def _indices(transfer: Transfer, lines: Sequence[Line]) -> Iterable[tuple[str, bytes]]:
    index = Index(transfer=transfer, parts=list(lines))
    yield "index.json", msgspec.json.format(msgspec.json.encode(index))
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(_HEADERS)
    for number, line in enumerate(lines, start=1):
        writer.writerow(
            (
                number,
                line.path,
                line.kind,
                line.note,
                line.sha256 or "",
                "" if line.size is None else line.size,
                line.original_sha256 or "",
                line.missing or "已附",
            )
        )
    yield "index.csv", table.getvalue().encode("utf-8-sig")


def _digest_of(target: IO[bytes]) -> tuple[str, int]:
    target.seek(0)
    digest = hashlib.sha256()
    while piece := target.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest(), target.tell()


def open_target() -> IO[bytes]:
    """Where a file is written: in memory while it is small, in a temporary file beyond."""
    return SpooledTemporaryFile(_IN_MEMORY)


async def pieces_of(target: IO[bytes]) -> AsyncIterator[bytes]:
    """The written file, piece by piece; closed at the end."""
    try:
        await asyncio.to_thread(target.seek, 0)
        while piece := await asyncio.to_thread(target.read, _PIECE):
            yield piece
    finally:
        target.close()
