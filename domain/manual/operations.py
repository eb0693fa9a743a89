"""A manual's life: new, edited, drafted, published, disabled, and drafted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.manual import rules, store
from domain.manual.events import (
    ManualContentFacts,
    ManualContentReplaced,
    ManualCreated,
    ManualDisabled,
    ManualDraftBegun,
    ManualEdited,
    ManualFacts,
    ManualFileSet,
    ManualPublished,
    ManualStanding,
)
from domain.manual.model import (
    Author,
    Chapter,
    ManualAnswer,
    ManualCard,
    ManualFields,
    ManualState,
    ManualVersion,
    ManualVersionAnswer,
    NewManual,
    requirements_of,
)
from domain.shared.fields import tidied
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def read_chapters(connection: Connection, version_id: UUID) -> list[Chapter]:
    """The tree of a version."""
    return rules.unflatten(await store.ELEMENTS_OF_VERSION.all(connection, version_id=version_id))


async def create_manual(tx: Transaction, author: Author, order: NewManual) -> Outcome[ManualAnswer]:
    """新建手册 of the author's department, with an empty first draft (MAN-03).

    Raises `ManualExists` or `InvalidField`.
    """
    fields = rules.settle_fields(order)
    manual_id = tx.new_id()
    inserted = await store.INSERT_MANUAL.run(
        tx.connection,
        **msgspec.structs.asdict(fields),
        id=manual_id,
        business_type=tidied(order.business_type, "business_type", needed=True),
        department_id=author.department_id,
        state=ManualState.DRAFT,
        current_version_id=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not inserted:
        raise rules.ManualExists("本部门已有该业态的经营手册，请新建版本。", field="business_type")
    await _begin(tx, author, manual_id, 1, [])
    card = await store.MANUAL_BY_ID.one(tx.connection, manual_id=manual_id)
    event = ManualCreated(**_about(card), after=_facts(card))
    return Outcome(answer=_answer(card), events=(event,), location=_location(manual_id))


async def edit_manual(tx: Transaction, author: Author, manual_id: UUID, fields: ManualFields) -> Outcome[ManualAnswer]:
    """修改基本信息 (MAN-04); the 业态 stays. Raises `NotFound`, `Forbidden` or `InvalidField`."""
    before = await _lock(tx, author, manual_id)
    settled = rules.settle_fields(fields)
    await store.SAVE_FIELDS.run(
        tx.connection, of_manual=manual_id, **msgspec.structs.asdict(settled), updated_at=tx.now
    )
    card = await store.MANUAL_BY_ID.one(tx.connection, manual_id=manual_id)
    event = ManualEdited(**_about(card), before=_facts(before), after=_facts(card))
    return Outcome(answer=_answer(card), events=(event,), location=_location(manual_id))


async def begin_draft(tx: Transaction, author: Author, manual_id: UUID) -> Outcome[ManualVersionAnswer]:
    """新建版本: a draft with the elements of the latest one; a file is attached anew.

    Raises `NotFound`, `Forbidden` or `ManualDraftExists`.
    """
    card = await _lock(tx, author, manual_id)
    latest = await store.LATEST_VERSION.one(tx.connection, manual_id=manual_id)
    rules.require_no_draft(latest)
    chapters = await read_chapters(tx.connection, latest.id)
    number = latest.number + 1
    version_id = await _begin(tx, author, manual_id, number, chapters)
    await store.TOUCH.run(tx.connection, of_manual=manual_id, now=tx.now)
    facts = _content(version_id, number, chapters, None)
    event = ManualDraftBegun(**_about(card), after=facts)
    return Outcome(answer=_version_answer(manual_id, facts), events=(event,), location=_location(manual_id))


async def replace_elements(
    tx: Transaction, author: Author, manual_id: UUID, chapters: Sequence[Chapter]
) -> Outcome[ManualVersionAnswer]:
    """The draft's tree, whole and in order: what is not sent is gone (MAN-03).

    Raises `NotFound`, `Forbidden`, `NoManualDraft` or `InvalidField`.
    """
    card, draft = await _draft_of(tx, author, manual_id)
    settled = rules.settle_chapters(chapters)
    former = _content(draft.id, draft.number, await read_chapters(tx.connection, draft.id), draft.file_digest)
    await store.DELETE_DRAFT_ELEMENTS.run(tx.connection, version_id=draft.id)
    await _insert_elements(tx, draft.id, settled)
    await store.TOUCH.run(tx.connection, of_manual=manual_id, now=tx.now)
    facts = _content(draft.id, draft.number, settled, draft.file_digest)
    event = ManualContentReplaced(**_about(card), before=former, after=facts)
    return Outcome(answer=_version_answer(manual_id, facts), events=(event,), location=_location(manual_id))


async def set_file(
    tx: Transaction, author: Author, manual_id: UUID, digest: bytes | None
) -> Outcome[ManualVersionAnswer]:
    """手册附件 of the draft (X14), or none; that the author handed the file in is asked by the room of attachments.

    Raises `NotFound`, `Forbidden` or `NoManualDraft`.
    """
    card, draft = await _draft_of(tx, author, manual_id)
    await store.SAVE_FILE.run(tx.connection, version_id=draft.id, digest=digest)
    await store.TOUCH.run(tx.connection, of_manual=manual_id, now=tx.now)
    chapters = await read_chapters(tx.connection, draft.id)
    facts = _content(draft.id, draft.number, chapters, digest)
    event = ManualFileSet(
        **_about(card), before=_content(draft.id, draft.number, chapters, draft.file_digest), after=facts
    )
    return Outcome(answer=_version_answer(manual_id, facts), events=(event,), location=_location(manual_id))


async def publish_manual(tx: Transaction, author: Author, manual_id: UUID) -> Outcome[ManualVersionAnswer]:
    """发布: the draft is frozen under its digest and in force; without a draft a disabled manual is in force again.

    What began with an earlier version keeps it (D11). Raises `NotFound`, `Forbidden`, `NoManualDraft`, `ManualEmpty`
    or `RiskHintMissing`.
    """
    card = await _lock(tx, author, manual_id)
    latest = await store.LATEST_VERSION.one(tx.connection, manual_id=manual_id)
    chapters = await read_chapters(tx.connection, latest.id)
    published_at = latest.published_at
    if not rules.is_reinstated(card, latest):
        rules.require_draft(latest)
        rules.require_publishable(chapters)
        digest = rules.digest_of(chapters)
        await store.FREEZE_VERSION.run(
            tx.connection, version_id=latest.id, digest=digest, now=tx.now, operator=author.name
        )
        published_at = tx.now
    await store.SAVE_STATE.run(
        tx.connection, of_manual=manual_id, state=ManualState.PUBLISHED, version_id=latest.id, now=tx.now
    )
    facts = _content(latest.id, latest.number, chapters, latest.file_digest)
    event = ManualPublished(**_about(card), after=facts)
    answer = msgspec.structs.replace(_version_answer(manual_id, facts), published_at=published_at)
    return Outcome(answer=answer, events=(event,), location=_location(manual_id))


async def disable_manual(tx: Transaction, author: Author, manual_id: UUID, reason: str) -> Outcome[ManualAnswer]:
    """停用 (撤回): from now on nobody but staff reads it. Raises `NotFound`, `Forbidden`, `ReasonMissing` or
    `ManualNotInForce`.
    """
    why = require_reason(reason, "reason")
    card = await _lock(tx, author, manual_id)
    rules.require_in_force(card)
    await store.SAVE_STATE.run(
        tx.connection,
        of_manual=manual_id,
        state=ManualState.DISABLED,
        version_id=card.current_version_id,
        now=tx.now,
    )
    event = ManualDisabled(
        **_about(card),
        before=ManualStanding(state=card.state),
        after=ManualStanding(state=ManualState.DISABLED, reason=why),
    )
    answer = ManualAnswer(id=manual_id, state=ManualState.DISABLED, updated_at=tx.now)
    return Outcome(answer=answer, events=(event,), location=_location(manual_id))


# ---- parts of the acts


async def _lock(tx: Transaction, author: Author, manual_id: UUID) -> ManualCard:
    return rules.require_author(await store.LOCK_MANUAL.first(tx.connection, manual_id=manual_id), author)


async def _draft_of(tx: Transaction, author: Author, manual_id: UUID) -> tuple[ManualCard, ManualVersion]:
    card = await _lock(tx, author, manual_id)
    return card, rules.require_draft(await store.LATEST_VERSION.first(tx.connection, manual_id=manual_id))


async def _begin(
    tx: Transaction,
    author: Author,
    manual_id: UUID,
    number: int,
    chapters: Sequence[Chapter],
) -> UUID:
    version_id = tx.new_id()
    await store.INSERT_VERSION.run(
        tx.connection,
        id=version_id,
        manual_id=manual_id,
        number=number,
        file_digest=None,
        created_at=tx.now,
        created_by=author.name,
    )
    await _insert_elements(tx, version_id, chapters)
    return version_id


async def _insert_elements(tx: Transaction, version_id: UUID, chapters: Sequence[Chapter]) -> None:
    await store.INSERT_ELEMENT.run_many(
        tx.connection,
        [
            {**msgspec.structs.asdict(element), "id": tx.new_id(), "version_id": version_id, "place": place}
            for place, element in enumerate(rules.flatten(chapters), start=1)
        ],
    )


def _about(card: ManualCard) -> dict[str, Any]:
    return {"subject_id": card.id, "department_id": card.department_id, "region": card.region}


def _facts(card: ManualCard) -> ManualFacts:
    return ManualFacts(**{name: getattr(card, name) for name in ManualFacts.__struct_fields__})


def _content(
    version_id: UUID, number: int, chapters: Sequence[Chapter], file_digest: bytes | None
) -> ManualContentFacts:
    return ManualContentFacts(
        version_id=version_id,
        number=number,
        requirement_count=sum(1 for _ in requirements_of(chapters)),
        digest=rules.digest_of(chapters).hex(),
        file_digest=None if file_digest is None else file_digest.hex(),
    )


def _answer(card: ManualCard) -> ManualAnswer:
    return ManualAnswer(id=card.id, state=card.state, updated_at=card.updated_at)


def _version_answer(manual_id: UUID, facts: ManualContentFacts) -> ManualVersionAnswer:
    return ManualVersionAnswer(manual_id=manual_id, **msgspec.structs.asdict(facts))


def _location(manual_id: UUID) -> str:
    return f"/api/v1/manuals/{manual_id}"
