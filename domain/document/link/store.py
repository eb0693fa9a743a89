"""Statements on notice links and their openings."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.document.link.model import LinkCard, NoticeLink, Sender, StoredOpening
from domain.document.link.tables import notice_link, notice_opening
from domain.identity.tables import department
from domain.shared.sql import Command, Query, uuid_list

_INSERTED = (
    "id",
    "number",
    "document_id",
    "enterprise_id",
    "message_id",
    "means",
    "serves",
    "made_at",
    "asked_at",
    "expires_at",
)


class LinkNumber(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is written of."""

    number: bytes


def _save_link() -> sa.Executable:
    fresh = postgresql.insert(notice_link).values({name: sa.bindparam(name) for name in _INSERTED})
    # A message that is tried again keeps its link; what it serves is as of the try.
    kept = {name: fresh.excluded[name] for name in ("asked_at", "serves")}
    again = fresh.on_conflict_do_update(index_elements=["message_id"], set_=kept)
    return again.returning(notice_link.c.number)


SAVE_LINK = Query(_save_link(), LinkNumber)

_COLUMNS = [notice_link.c[name] for name in NoticeLink.__struct_fields__]
LINK_BY_NUMBER = Query(sa.select(*_COLUMNS).where(notice_link.c.number == sa.bindparam("number")), NoticeLink)
LINK_OF_DOCUMENT = Query(
    sa.select(*_COLUMNS)
    .where(notice_link.c.id == sa.bindparam("link_id"), notice_link.c.document_id == sa.bindparam("document_id"))
    .with_for_update(),
    NoticeLink,
)
UNDELIVERED_LINK = Query(
    sa.select(*_COLUMNS)
    .where(
        notice_link.c.message_id == sa.bindparam("message_id"),
        notice_link.c.document_id == sa.bindparam("document_id"),
        notice_link.c.delivered_at.is_(None),
    )
    .with_for_update(),
    NoticeLink,
)
MARK_LINK_DELIVERED = Command(
    sa.update(notice_link)
    .where(notice_link.c.id == sa.bindparam("link_id"))
    .values(delivered_at=sa.bindparam("arrived_at"))
)
REVOKE_LINK = Command(
    sa.update(notice_link)
    .where(notice_link.c.id == sa.bindparam("link_id"))
    .values(revoked_at=sa.bindparam("now"), revoke_reason=sa.bindparam("reason"))
)
PROLONG_LINKS = Command(
    sa.update(notice_link)
    .where(notice_link.c.document_id == sa.bindparam("of_document"), notice_link.c.expires_at < sa.bindparam("until"))
    .values(expires_at=sa.bindparam("until"))
)
SENDER = Query(
    sa.select(department.c.name, department.c.hotline).where(department.c.id == sa.bindparam("department_id")), Sender
)

RECORD_OPENING = Command(
    sa.text(
        "INSERT INTO notice_opening (link_id, opened_on, place, opened_at, address, device) "
        "SELECT :link_id, :opened_on, count(*) + 1, :opened_at, :address, :device FROM notice_opening "
        "WHERE link_id = :link_id AND opened_on = :opened_on HAVING count(*) < :most ON CONFLICT DO NOTHING"
    ).bindparams(
        sa.bindparam("link_id", type_=sa.Uuid, required=True),
        sa.bindparam("opened_on", type_=sa.Date, required=True),
        sa.bindparam("opened_at", type_=sa.DateTime(timezone=True), required=True),
        sa.bindparam("address", type_=sa.LargeBinary, required=True),
        sa.bindparam("device", type_=sa.LargeBinary, required=True),
        sa.bindparam("most", type_=sa.BigInteger, required=True),
    )
)
OPENINGS_OF_MESSAGES = Query(
    sa.select(notice_link.c.message_id, notice_opening.c.opened_at)
    .select_from(notice_opening.join(notice_link, notice_link.c.id == notice_opening.c.link_id))
    .where(notice_link.c.message_id == sa.any_(uuid_list("messages")))
    .order_by(notice_opening.c.opened_at)
    .limit(500),
    StoredOpening,
)

_opened = (
    sa.select(
        sa.func.count().label("openings"),
        sa.func.min(notice_opening.c.opened_at).label("first_opened_at"),
        sa.func.max(notice_opening.c.opened_at).label("last_opened_at"),
    )
    .where(notice_opening.c.link_id == notice_link.c.id)
    .lateral("opened")
)
_CARD: dict[str, sa.ColumnElement[Any]] = {
    name: _opened.c[name] if name in _opened.c else notice_link.c[name] for name in LinkCard.__struct_fields__
}
LINKS_OF_DOCUMENT = Query(
    sa.select(*[column.label(name) for name, column in _CARD.items()])
    .select_from(notice_link.join(_opened, sa.true()))
    .where(notice_link.c.document_id == sa.bindparam("document_id"))
    .order_by(notice_link.c.made_at, notice_link.c.id)
    .limit(100),
    LinkCard,
)
