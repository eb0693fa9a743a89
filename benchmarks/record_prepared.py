"""A record as large as records get, made before the clock starts: issued, its photos sealed in the store."""

from __future__ import annotations

import hashlib
import io
import shutil
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import asyncpg
import msgspec
import typst
from PIL import Image, ImageDraw

from api.register import INSTALLATION
from api.wiring import Parts, open_parts
from benchmarks.apart import Figures
from benchmarks.uploads import kitchen
from domain.checklist.builtin import builtin_checklists
from domain.document.automatic import samples_of
from domain.document.model import (
    DocumentKind,
    DocumentOrder,
    Finding,
    Findings,
    IssuedDocument,
    Paper,
    Paragraph,
    Photo,
    Photos,
    SignatureBox,
    Signatures,
)
from domain.document.operations import issue_document
from domain.document.render import render
from domain.document.template_operations import builtin_body
from domain.document.templates import fill
from domain.evidence.blobs import copy_key
from domain.evidence.model import BlobPlace
from domain.shared.ids import new_id
from domain.shared.transaction import Outcome, Transaction

ITEMS, PHOTOS = 60, 40
AUTHORITY = "南宁市市场监督管理局"
NUMBER = "南市监检录〔2026〕12号"
CODE = "7K2MQ0XW9T3HB5ZD"
URL = f"HTTPS://YIMA.TEST/V/{CODE}"
ISSUED_ON = date(2026, 8, 5)
_SIGNERS = ("被检查方", "执法人员", "执法人员", "记录人")


class _Caught(Exception):
    """All that the typesetter would have been given is kept."""


async def measure(folder: Path, dsn: str, keys_folder: Path, blobs_folder: Path, papers: int) -> Figures:
    """Issue the record `papers` times; keep in `folder` what typst is given, and paper and pictures in clear."""
    photos = [_photo(number) for number in range(PHOTOS)]
    signatures = [_signature(number) for number in range(len(_SIGNERS))]
    pictures = {hashlib.sha256(each).hexdigest(): each for each in (*signatures, *photos)}
    paper = _paper(list(pictures))
    _keep_plain(folder, paper, pictures)
    _catch(folder / "set", paper, pictures)
    async with open_parts(
        dsn, keys_folder, blobs=BlobPlace(str(blobs_folder)), pool_size=2, application="benchmark"
    ) as parts:
        for digest, picture in pictures.items():
            await parts.blobs.put(copy_key(bytes.fromhex(digest), "1600"), picture)
        order = await _order(parts, dsn, paper)
        issued = [await _issue(parts, order) for _ in range(papers)]
    return {"documents": [str(each.id) for each in issued]}


def _photo(number: int) -> bytes:
    """1600 x 1200, each another one."""
    with Image.open(io.BytesIO(kitchen())) as picture:
        ImageDraw.Draw(picture).rectangle((0, 0, 400 + 10 * number, 300), fill=(number * 6, 90, 120))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def _signature(number: int) -> bytes:
    picture = Image.new("RGBA", (600, 200), (0, 0, 0, 0))
    stroke = [(20 + 40 * step, 60 + (step * 37 + number * 11) % 90) for step in range(14)]
    ImageDraw.Draw(picture).line(stroke, (0, 0, 0), 6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _paper(digests: list[str]) -> Paper:
    signatures, photos = digests[: len(_SIGNERS)], digests[len(_SIGNERS) :]
    kind = DocumentKind.INSPECTION_RECORD
    boxes = [
        SignatureBox(label=label, name="韦秀英", capacity="店长", image=image, signed_on="2026年8月5日11时20分")
        for label, image in zip(_SIGNERS, signatures, strict=True)
    ]
    items = islice(cycle(builtin_checklists()[0].items), ITEMS)
    findings = [
        Finding(
            place=place,
            title=item.content,
            text="后厨冷藏柜内生熟食品混放，未能提供该批大米的进货查验记录。" if place % 3 == 0 else "",
            verdict="发现问题" if place % 3 == 0 else "未发现问题",
            measures="限期改正" if place % 3 == 0 else "",
            basis="；".join(each.text for each in item.legal_basis),
            photos=photos[place % PHOTOS :][:2] if place % 3 == 0 else [],
        )
        for place, item in enumerate(items, start=1)
    ]
    shown = [Photo(digest, f"第{place}项 {digest[:12]}") for place, digest in enumerate(photos, start=1)]
    inserts = {
        "检查概况": [Paragraph("2026年8月5日10时05分至11时30分，扫企业码报到。")],
        "被检查人的答复": [Paragraph("已知悉，不申请回避。")],
        "检查情况": [Findings(findings)],
        "证据和措施": [Paragraph("现场照片等证据材料40件，以摘要标识。")],
        "陈述申辩": [Paragraph("被检查人未提出陈述和申辩。")],
        "签名": [Signatures(boxes)],
        "照片": [Photos(shown)],
    }
    body = builtin_body(kind)
    blocks = fill(body, samples_of(kind), {}, inserts)
    return Paper(kind=kind, title=body.title, authority=AUTHORITY, issued_on=ISSUED_ON, blocks=blocks)


def _keep_plain(folder: Path, paper: Paper, pictures: dict[str, bytes]) -> None:
    plain = folder / "plain"
    plain.mkdir(parents=True)
    (plain / "paper.json").write_bytes(msgspec.json.encode(paper))
    for digest, picture in pictures.items():
        (plain / digest).write_bytes(picture)


def _catch(folder: Path, paper: Paper, pictures: dict[str, bytes]) -> None:
    """The template and the files beside it, exactly as Yima hands them to the typesetter."""

    class Catcher:
        def __init__(self, source: bytes, *, root: str, **_: Any) -> None:
            shutil.copytree(root, folder)
            (folder / "paper.typ").write_bytes(source)
            raise _Caught

    with mock.patch.object(typst, "Compiler", Catcher):
        try:
            render(paper, NUMBER, URL, pictures, verification_code=CODE, record_digest=bytes(32))
        except _Caught:
            return
    raise AssertionError("the typesetter was not asked")


async def _order(parts: Parts, dsn: str, paper: Paper) -> DocumentOrder:
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "SELECT inspection.id, department.id, department.code, site.enterprise_id, site.id, inspection.region::text"
            " FROM inspection JOIN site ON site.id = site_id "
            "JOIN department ON department.id = initiating_department_id LIMIT 1"
        )
    finally:
        await connection.close()
    assert row is not None
    return DocumentOrder(
        kind=paper.kind,
        subject_id=new_id(parts.clock(), parts.random),
        inspection_id=row[0],
        department_id=row[1],
        department_code=row[2],
        enterprise_id=row[3],
        site_id=row[4],
        region=row[5],
        paper=paper,
        record_digest=bytes(32),
    )


async def _issue(parts: Parts, order: DocumentOrder) -> IssuedDocument:
    async def operation(tx: Transaction) -> Outcome[IssuedDocument]:
        own = msgspec.structs.replace(order, subject_id=tx.new_id(), id=UUID(bytes=tx.new_id().bytes))
        issued = await issue_document(tx, own)
        return Outcome(answer=issued, events=(issued.event,), numbers=issued.numbers)

    return await parts.work.run(INSTALLATION, operation)
