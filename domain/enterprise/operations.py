"""The one code's life: issue, reissue, revoke."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from codes.token import TokenKeys
from domain.enterprise import store
from domain.enterprise.events import (
    BatchCounts,
    CodeIssued,
    CodeReissued,
    CodeRevoked,
    CodesIssued,
    CodeStanding,
    code_text,
)
from domain.enterprise.model import CodeState, SiteCode
from domain.enterprise.rules import CodeAlreadyIssued, NoCodeIssued, require_reason
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.transaction import Outcome, Transaction

CODE_ID_BYTES = 8


async def _site(tx: Transaction, site_id: UUID) -> store.SiteRow:
    site = await store.SITE_BY_ID.first(tx.connection, site_id=site_id)
    if site is None:
        raise NotFound("没有该经营场所。", field="site_id")
    return site


async def _insert_code(tx: Transaction, site_id: UUID, keys: TokenKeys) -> SiteCode:
    code = SiteCode(
        code_id=tx.random(CODE_ID_BYTES),
        site_id=site_id,
        key_version=keys.current,
        state=CodeState.ISSUED,
        issued_at=tx.now,
    )
    await store.INSERT_CODE.run(
        tx.connection,
        code_id=code.code_id,
        site_id=site_id,
        key_version=code.key_version,
        state=code.state,
        issued_at=tx.now,
    )
    return code


def _standing(code: SiteCode, state: CodeState, reason: str | None = None) -> CodeStanding:
    return CodeStanding(code_id=code_text(code.code_id), state=state, reason=reason)


async def issue_code(tx: Transaction, site_id: UUID, keys: TokenKeys) -> Outcome[SiteCode]:
    """发码: the first code of a site. Raises `NotFound`, `CodeAlreadyIssued`."""
    site = await _site(tx, site_id)
    if await store.LOCK_CURRENT_CODE.first(tx.connection, site_id=site_id) is not None:
        raise CodeAlreadyIssued("该场所已有有效企业码。", field="site_id")
    code = await _insert_code(tx, site_id, keys)
    event = CodeIssued(
        subject_id=site_id,
        site_id=site_id,
        region=site.region,
        department_id=site.regulator_id,
        after=_standing(code, CodeState.ISSUED),
    )
    return Outcome(answer=code, events=(event,))


async def reissue_code(tx: Transaction, site_id: UUID, keys: TokenKeys, reason: str) -> Outcome[SiteCode]:
    """换码: a new code; the former answers *replaced*. Raises `NotFound`, `NoCodeIssued`, `ReasonMissing`."""
    why = require_reason(reason, "reason")
    former, site = await _end_current(tx, site_id, CodeState.REPLACED, why)
    code = await _insert_code(tx, site_id, keys)
    event = CodeReissued(
        subject_id=site_id,
        site_id=site_id,
        region=site.region,
        department_id=site.regulator_id,
        before=_standing(former, CodeState.ISSUED),
        after=_standing(code, CodeState.ISSUED, why),
    )
    return Outcome(answer=code, events=(event,))


async def revoke_code(tx: Transaction, site_id: UUID, reason: str) -> Outcome[SiteCode]:
    """停用码. Raises `NotFound`, `NoCodeIssued`, `ReasonMissing`."""
    why = require_reason(reason, "reason")
    former, site = await _end_current(tx, site_id, CodeState.REVOKED, why)
    event = CodeRevoked(
        subject_id=site_id,
        site_id=site_id,
        region=site.region,
        department_id=site.regulator_id,
        before=_standing(former, CodeState.ISSUED),
        after=_standing(former, CodeState.REVOKED, why),
    )
    return Outcome(answer=former, events=(event,))


async def _end_current(tx: Transaction, site_id: UUID, state: CodeState, reason: str) -> tuple[SiteCode, store.SiteRow]:
    site = await _site(tx, site_id)
    current = await store.LOCK_CURRENT_CODE.first(tx.connection, site_id=site_id)
    if current is None:
        raise NoCodeIssued("该场所没有有效企业码。", field="site_id")
    await store.END_CODE.run(tx.connection, ended_code=current.code_id, state_after=state, now=tx.now, reason=reason)
    return current, site


async def issue_codes(
    tx: Transaction, site_ids: Sequence[UUID], region: str, keys: TokenKeys
) -> Outcome[list[SiteCode]]:
    """批量发码 for sites without one; one trace row for the batch. Every site of the batch stands in `region`."""
    codes = [
        SiteCode(
            code_id=tx.random(CODE_ID_BYTES),
            site_id=site_id,
            key_version=keys.current,
            state=CodeState.ISSUED,
            issued_at=tx.now,
        )
        for site_id in site_ids
    ]
    await store.INSERT_CODE.run_many(
        tx.connection,
        [
            {
                "code_id": code.code_id,
                "site_id": code.site_id,
                "key_version": code.key_version,
                "state": code.state,
                "issued_at": code.issued_at,
            }
            for code in codes
        ],
    )
    events: tuple[Event, ...] = ()
    if codes:
        events = (CodesIssued(subject_id=tx.new_id(), region=region, after=BatchCounts(rows=len(codes))),)
    return Outcome(answer=codes, events=events)
