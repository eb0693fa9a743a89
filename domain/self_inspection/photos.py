"""附件 of answers: those that an answer names lie in one folder with those of the other rows."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from domain.evidence.attachments import attach, detach, hold_folder
from domain.identity.model import Principal
from domain.self_inspection.model import SelfAnswer, SelfAnswerOrder
from domain.shared.transaction import Transaction

MOST_PHOTOS = 200
"""Of one folder: all rows together."""


async def hold_photos(tx: Transaction, folder_id: UUID, former: SelfAnswer | None, order: SelfAnswerOrder) -> None:
    """Before the other rows' photos are read: a colleague may just be naming what this answer drops."""
    if order.photos or (former is not None and former.photos):
        await hold_folder(tx, folder_id)


async def keep_photos(
    tx: Transaction,
    principal: Principal,
    folder_id: UUID,
    former: SelfAnswer | None,
    order: SelfAnswerOrder,
    elsewhere: Iterable[bytes],
) -> list[bytes]:
    """Attach what the answer names, and take out what it no longer does unless another row (`elsewhere`) does.

    Raises `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    photos = [bytes.fromhex(photo) for photo in order.photos]
    dropped = {bytes.fromhex(photo) for photo in (former.photos if former else ())} - {*photos, *elsewhere}
    if dropped:
        await detach(tx, folder_id, sorted(dropped))
    await attach(
        tx, uploader_id=principal.account_id, folder_id=folder_id, digests=photos, field="photos", most=MOST_PHOTOS
    )
    return photos
