"""The peer takes in a photo: hashed, decoded, encrypted and written in the thread pool, its rows by the ORM."""

from __future__ import annotations

import hashlib
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image, UnidentifiedImageError
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from benchmarks.peer_session import Session, SignedIn, trace_row
from domain.shared.ids import new_id
from domain.shared.random import system_random

_MOST_BYTES = 20 * 1024 * 1024
_MOST_OF_INSPECTION = 200 * 1024 * 1024
_KEY = bytes(range(32))
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_READABLE = select(tables.Inspection).options(selectinload(tables.Inspection.officers))


async def put_evidence(
    request: Request, digest: str, inspection_id: UUID, session: Session, who: SignedIn
) -> schemas.AcceptedEvidence:
    """证据材料上传."""
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise HTTPException(413)
    now = datetime.now(UTC)
    async with session.begin():
        inspection = await session.scalar(_READABLE.where(tables.Inspection.id == inspection_id))
        if inspection is None or who.officer_id not in {each.officer_id for each in inspection.officers}:
            raise HTTPException(404, "没有该检查任务。")
        name = bytes.fromhex(digest)
        known = await session.get(tables.EvidenceFile, name)
        used = await session.scalar(
            select(func.coalesce(func.sum(tables.EvidenceFile.size), 0))
            .join(tables.Evidence, tables.Evidence.digest == tables.EvidenceFile.digest)
            .where(tables.Evidence.inspection_id == inspection_id)
        )
        if (used or 0) + len(body) > _MOST_OF_INSPECTION:
            raise HTTPException(409, "证据材料已达上限。")
        if known is None:
            folder: Path = request.app.state.folder
            known = await run_in_threadpool(_keep, folder, name, body, now)
            session.add(known)
        row = tables.Evidence(
            inspection_id=inspection_id,
            digest=name,
            is_of_enterprise=False,
            uploaded_by=who.account_id,
            done_at=now,
            received_at=now,
            file=known,
        )
        session.add(row)
        result = _result(row)
        trace = trace_row(
            who=who,
            at=now,
            action="evidence.stored",
            duty="证据材料上传",
            inspection=inspection,
            department_id=who.department_id,
            after=result.model_dump(mode="json"),
        )
        chore = tables.Chore(
            id=new_id(now, system_random), trace_id=trace.id, kind="copy_evidence", subject=name, created_at=now
        )
        session.add_all([trace, chore])
    receipt = schemas.Receipt(id=new_id(now, system_random), received_at=now, digest=digest)
    return schemas.AcceptedEvidence(receipt=receipt, result=result)


def _keep(folder: Path, name: bytes, body: bytes, now: datetime) -> tables.EvidenceFile:
    if hashlib.sha256(body).digest() != name:
        raise HTTPException(422, "文件内容与 SHA-256 不符。")
    try:
        with Image.open(io.BytesIO(body)) as picture:
            picture.load()
            media_type, (width, height) = _TYPES[picture.format or ""], picture.size
    except (OSError, KeyError, UnidentifiedImageError) as broken:
        raise HTTPException(422, "图片损坏。") from broken
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(_KEY).encrypt(nonce, body, name)
    waiting = folder / f"{name.hex()}.part"
    with waiting.open("wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    waiting.rename(folder / name.hex())
    return tables.EvidenceFile(
        digest=name,
        media_type=media_type,
        size=len(body),
        width=width,
        height=height,
        copies="waiting",
        stored_at=now,
        quarantine_reason=None,
    )


def _result(row: tables.Evidence) -> schemas.EvidenceResult:
    file = row.file
    return schemas.EvidenceResult(
        digest=row.digest.hex(),
        inspection_id=row.inspection_id,
        media_type=file.media_type,
        size=file.size,
        width=file.width,
        height=file.height,
        is_quarantined=False,
        done_at=row.done_at,
        received_at=row.received_at,
    )
