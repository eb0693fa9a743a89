"""Keeping a draw, and voiding one: what was drawn stays for ever."""

from __future__ import annotations

from uuid import UUID

from domain.enterprise.rules import require_reason
from domain.selection import store
from domain.selection.events import DrawVoided, DrawVoidFacts
from domain.selection.model import DrawRecord
from domain.selection.verification import digest_of, record_text
from domain.shared.errors import DomainError, NotFound
from domain.shared.transaction import Outcome, Transaction


class DrawAlreadyVoided(DomainError):
    """The draw was voided before."""


class SuperiorRequired(DomainError):
    """A draw of this subject was voided once already: another void needs the superior's approval."""


async def keep_draw(tx: Transaction, record: DrawRecord) -> bytes:
    """Store the record; gives SM3 of its text, which belongs in the trace of the act that drew."""
    text = record_text(record)
    digest = digest_of(text)
    await store.INSERT_DRAW.run(
        tx.connection,
        id=record.draw_id,
        purpose=record.purpose,
        subject_id=record.subject_id,
        record=text,
        digest=digest,
        drawn_at=record.drawn_at,
    )
    return digest


async def void_draw(
    tx: Transaction,
    draw_id: UUID,
    reason: str,
    *,
    approved_by: str | None = None,
    department_id: UUID | None = None,
    region: str | None = None,
) -> Outcome[int]:
    """作废抽取; answers how many draws of the subject are void now. A second one names the superior who approved.

    Raises `NotFound`, `ReasonMissing`, `DrawAlreadyVoided` or `SuperiorRequired`.
    """
    why = require_reason(reason, "reason")
    found = await store.DRAW_BY_ID.first(tx.connection, draw_id=draw_id)
    if found is None:
        raise NotFound("没有该次抽取。")
    alike = await store.LOCK_DRAWS_LIKE.all(tx.connection, subject_id=found.subject_id, purpose=found.purpose)
    voided = [each.id for each in alike if each.voided_at is not None]
    if draw_id in voided:
        raise DrawAlreadyVoided("该次抽取已作废。")
    if voided and not approved_by:
        raise SuperiorRequired("再次作废须经上级批准，并予以公开。", field="approved_by")
    await store.VOID_DRAW.run(tx.connection, draw_id=draw_id, now=tx.now, reason=why)
    event = DrawVoided(
        subject_id=draw_id,
        department_id=department_id,
        region=region,
        after=DrawVoidFacts(
            draw_subject_id=found.subject_id, reason=why, times=len(voided) + 1, approved_by=approved_by
        ),
    )
    return Outcome(answer=len(voided) + 1, events=(event,))
