"""材料: uploaded, replaced, removed, read; and the reminders of what expires."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.evidence.attachments import attach, list_attachments, lists_of_attachments
from domain.identity.model import Principal, Role
from domain.material import rules, store
from domain.material.events import ExpiryFacts, ExpiryReminded, MaterialFacts, MaterialRemoved, MaterialUploaded
from domain.material.model import (
    Expiring,
    ExpirySubject,
    MaterialAnswer,
    MaterialLine,
    MaterialUpload,
    OwnSite,
    Slot,
    StoredMaterial,
    VersionCard,
)
from domain.membership.rules import may_act_for_site
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden, NotFound
from domain.shared.fields import tidied
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

REMINDED_AT_ONCE: Final = 500
"""Reminders to a transaction: a longer one would hold back the trace for every reader."""
_REMINDERS_KEPT: Final = timedelta(days=365)


class Reminders(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a round: how many were written, and where the next one begins, if there may be more."""

    written: int
    after: tuple[date, UUID] | None


async def upload_material(
    tx: Transaction, principal: Principal, enterprise_id: UUID, asked: MaterialUpload
) -> Outcome[MaterialAnswer]:
    """上传材料: what lay in its place stays as a former version.

    Raises `NotFound`, `Forbidden`, `InvalidField`, `AttachmentMissing` or `AttachmentQuotaReached`.
    """
    if principal.enterprise_id != enterprise_id:
        raise NotFound("没有该监管对象。")
    sites = await own_sites(tx.connection, principal, enterprise_id)
    slot = rules.slot_of(asked, {site.id for site in sites})
    _require_own_slot(principal, slot.site_id)
    former = await _locked(
        tx,
        await store.LOCK_SLOT.first(tx.connection, enterprise_id=enterprise_id, site_id=slot.site_id, name=slot.name),
    )
    material_id = await _open_slot(tx, enterprise_id, slot) if former is None else former.id
    if former is not None:
        await store.REPLACE_VERSION.run(tx.connection, of_material=material_id, now=tx.now)
    version_id, version = tx.new_id(), 1 if former is None else former.version + 1
    await store.INSERT_VERSION.run(
        tx.connection,
        id=version_id,
        material_id=material_id,
        enterprise_id=enterprise_id,
        version=version,
        number=tidied(asked.number, "number"),
        valid_from=asked.valid_from,
        valid_to=asked.valid_to,
        uploaded_by=principal.account_id,
        uploaded_at=tx.now,
    )
    digests = [bytes.fromhex(each) for each in asked.files]
    await attach(tx, uploader_id=principal.account_id, folder_id=version_id, digests=digests, field="files")
    event = MaterialUploaded(
        subject_id=material_id,
        enterprise_id=enterprise_id,
        before=None if former is None else await _facts_of(tx.connection, former),
        after=_facts(slot.standard_code, slot.name, slot.kind, version, asked.valid_to, asked.files),
    )
    answer = MaterialAnswer(
        id=material_id,
        version=version,
        site_id=slot.site_id,
        valid_to=asked.valid_to,
        uploaded_at=tx.now,
    )
    return Outcome(answer=answer, events=(event,), location=f"/api/v1/materials/{material_id}")


async def remove_material(tx: Transaction, principal: Principal, material_id: UUID) -> Outcome[MaterialAnswer]:
    """移除材料: it is listed no more; its versions stay for those who have to account for it.

    Raises `NotFound` or `Forbidden`.
    """
    found = await _locked(tx, await store.LOCK_MATERIAL.first(tx.connection, material_id=material_id))
    if found is None or not is_own(principal, found):
        raise NotFound("没有该材料。")
    _require_own_slot(principal, found.site_id)
    await store.REMOVE_MATERIAL.run(tx.connection, of_material=material_id, now=tx.now)
    before = await _facts_of(tx.connection, found)
    event = MaterialRemoved(subject_id=material_id, enterprise_id=found.enterprise_id, before=before)
    answer = MaterialAnswer(
        id=material_id,
        version=found.version,
        site_id=found.site_id,
        valid_to=found.valid_to,
        uploaded_at=found.uploaded_at,
        removed_at=tx.now,
    )
    return Outcome(answer=answer, events=(event,))


async def _locked(tx: Transaction, waited_for: StoredMaterial | None) -> StoredMaterial | None:
    """The material as it stands under its lock: whoever held it may have put another version there meanwhile."""
    return None if waited_for is None else await store.MATERIAL_BY_ID.first(tx.connection, material_id=waited_for.id)


def is_own(principal: Principal, found: StoredMaterial) -> bool:
    """Whether the caller acts for the enterprise, and for the site where the material is one's."""
    return (
        principal.role is Role.ENTERPRISE
        and principal.enterprise_id == found.enterprise_id
        and (found.site_id is None or may_act_for_site(principal, found.site_id))
    )


def _require_own_slot(principal: Principal, site_id: UUID | None) -> None:
    """Raises `Forbidden` for those of a branch where the whole enterprise is spoken for."""
    if site_id is None and principal.site_ids is not None:
        raise Forbidden("企业统一提交的材料由负责全部场所的人员办理。")


async def own_sites(
    connection: Connection, principal: Principal, enterprise_id: UUID, site_id: UUID | None = None
) -> list[OwnSite]:
    """The sites that concern the caller, at most 200, the main one first; only `site_id` where it is given."""
    sites = await store.SITES_OF_ENTERPRISE.all(connection, enterprise_id=enterprise_id, of_site=site_id)
    return [site for site in sites if may_act_for_site(principal, site.id)]


async def list_materials(
    connection: Connection, principal: Principal, enterprise_id: UUID, site_id: UUID | None, today: date
) -> list[MaterialLine]:
    """材料清单, for who may see it: see there first."""
    sites = await own_sites(connection, principal, enterprise_id, site_id)
    known = {site.id for site in sites}
    stored = await store.MATERIALS_OF_ENTERPRISE.all(connection, enterprise_id=enterprise_id)
    shown = [each for each in stored if each.site_id is None or each.site_id in known]
    return rules.lines_of(sites, shown, today)


async def list_versions(connection: Connection, material_id: UUID) -> list[VersionCard]:
    """Every upload with its files, the newest first, 20 at most."""
    versions = await store.VERSIONS.all(connection, material_id=material_id)
    files = await lists_of_attachments(connection, [each.id for each in versions])
    return [VersionCard(**msgspec.structs.asdict(each), files=files[each.id]) for each in versions]


async def remind(
    tx: Transaction, kind: ExpirySubject, step: int, last_on: date, after: tuple[date, UUID]
) -> Outcome[Reminders]:
    """到期提醒 of one page. Begun anew after a crash it finds what was not told yet, and tells nothing twice."""
    query = store.EXPIRING_LICENCES if kind is ExpirySubject.LICENCE else store.EXPIRING_MATERIALS
    page = await query.all(
        tx.connection, step=step, last_on=last_on, after_on=after[0], after_id=after[1], limit=REMINDED_AT_ONCE
    )
    if not page:
        return Outcome(answer=Reminders(written=0, after=None))
    fresh = await store.INSERT_REMINDERS.all(
        tx.connection,
        subjects=[each.id for each in page],
        days=[each.valid_to for each in page],
        kind=kind.value,
        step=step,
        now=tx.now,
    )
    new = {each.subject_id for each in fresh}
    events = tuple(_reminded(kind, step, each) for each in page if each.id in new)
    more = (page[-1].valid_to, page[-1].id) if len(page) == REMINDED_AT_ONCE else None
    return Outcome(answer=Reminders(written=len(events), after=more), events=events)


async def forget_reminders(tx: Transaction) -> Outcome[int]:
    """Remove reminders of what expired a year ago: nothing asks for them any more."""
    before = local_date(tx.now) - _REMINDERS_KEPT
    return Outcome(answer=await store.DELETE_OLD_REMINDERS.run(tx.connection, before=before))


def _reminded(kind: ExpirySubject, step: int, found: Expiring) -> ExpiryReminded:
    facts = ExpiryFacts(kind=kind, name=found.name, valid_to=found.valid_to, step=step)
    return ExpiryReminded(subject_id=found.id, enterprise_id=found.enterprise_id, of_site_id=found.site_id, after=facts)


async def _open_slot(tx: Transaction, enterprise_id: UUID, slot: Slot) -> UUID:
    material_id = tx.new_id()
    await store.INSERT_MATERIAL.run(
        tx.connection,
        **msgspec.structs.asdict(slot),
        id=material_id,
        enterprise_id=enterprise_id,
        created_at=tx.now,
    )
    return material_id


async def _facts_of(connection: Connection, found: StoredMaterial) -> MaterialFacts:
    files = await list_attachments(connection, found.version_id)
    digests = [each.digest for each in files]
    return _facts(found.standard_code, found.name, found.kind, found.version, found.valid_to, digests)


def _facts(
    standard_code: str | None, name: str, kind: str, version: int, valid_to: date | None, files: Sequence[str]
) -> MaterialFacts:
    return MaterialFacts(
        standard_code=standard_code,
        name_digest=hashlib.sha256(name.encode()).hexdigest(),
        kind=kind,
        version=version,
        valid_to=valid_to,
        files=list(files),
    )
