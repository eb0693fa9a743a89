"""期限: opened, moved and closed by what happens to a matter; the sweep tells of each stage once (D4, D13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import msgspec

from domain.deadline import rules, store
from domain.deadline.events import Addressees, DeadlineWarned, StageFacts
from domain.deadline.model import Charge, Deadline, DeadlineKind, DeadlineStage, OrderSource, RecordedStage
from domain.deadline.rules import Advance
from domain.deadline.store import Desk
from domain.deadline.supervising import issue_order, settle_orders, urged_among
from domain.shared.events import Event
from domain.shared.numbers import NumberRequest
from domain.shared.transaction import Outcome, Transaction
from domain.shared.working_days import calendar_in_force

_GRAVE = frozenset({DeadlineStage.SECOND_WARNING, DeadlineStage.ORDER_UNANSWERED})


async def open_deadline(tx: Transaction, kind: DeadlineKind, subject_id: UUID, due_on: date, charge: Charge) -> None:
    """From now on the matter is due on that day, in that charge: opened, moved or reopened as it stands.

    A due day that stays keeps the stages that have come; another one begins anew.
    """
    await store.OPEN_DEADLINE.run(
        tx.connection,
        **msgspec.structs.asdict(charge),
        **_planned(tx, kind, due_on),
        id=tx.new_id(),
        kind=kind,
        subject_id=subject_id,
        due_on=due_on,
    )


async def move_deadline(
    tx: Transaction, kind: DeadlineKind, subject_id: UUID, due_on: date, *, reopens: bool = False
) -> bool:
    """Another due day for a matter in the charge that it has; False where none was open (or, to reopen, there)."""
    moved = await store.MOVE_DEADLINE.first(
        tx.connection,
        **_planned(tx, kind, due_on),
        of_subject=subject_id,
        of_kind=kind,
        due_by=due_on,
        reopens=reopens,
    )
    return moved is not None


async def close_deadline(tx: Transaction, subject_id: UUID, *kinds: DeadlineKind) -> tuple[Event, ...]:
    """The matter is done: nothing more is sent of it, and a supervision order on it is settled. Gives those events."""
    closed = await store.CLOSE_DEADLINES.all(tx.connection, of_subject=subject_id, kinds=list(kinds), now=tx.now)
    if not closed:
        return ()
    return await settle_orders(tx, [each.id for each in closed])


async def replace_officer(tx: Transaction, inspection_id: UUID, former: UUID, new: UUID) -> None:
    """What hangs on an inspection is from now on the new officer's to do."""
    await store.REPLACE_OFFICER.run(tx.connection, of_inspection=inspection_id, former=former, new=new)


def _planned(tx: Transaction, kind: DeadlineKind, due_on: date) -> dict[str, object]:
    return {
        "set_at": tx.now,
        "next_stage_at": rules.first_stage_at(kind, due_on, tx.now),
        "calendar_edition": calendar_in_force().edition,
    }


# ---- the sweep


class _Desks:
    """Departments and who is above them, each asked for once a batch; `urged` have a supervision order already."""

    def __init__(self, tx: Transaction, urged: Collection[UUID]) -> None:
        self._tx = tx
        self.urged = urged
        self._own: dict[UUID, Desk] = {}
        self._above: dict[UUID, Desk] = {}

    async def own(self, department_id: UUID) -> Desk:
        """The department."""
        if department_id not in self._own:
            self._own[department_id] = await store.DESK_BY_ID.one(self._tx.connection, department_id=department_id)
        return self._own[department_id]

    async def superior(self, deadline: Deadline) -> Desk:
        """Who is above: the department's own lead, or, of the lead's own matters, the nearest lead above (D4)."""
        if deadline.superior_id is not None:
            return await self.own(deadline.superior_id)
        own = await self.own(deadline.department_id)
        if own.leads and not deadline.kind.is_leads_own:
            return own
        if own.id not in self._above:
            above = await store.DESKS_ABOVE.all(self._tx.connection, department_id=own.id)
            self._above[own.id] = next((desk for desk in above if desk.leads), own)
        return self._above[own.id]


async def warn_of_deadlines(tx: Transaction, limit: int) -> Outcome[int]:
    """期限预警: what has reached a stage by now, `limit` at most; answers how many were looked at.

    As many as `limit` means that there may be more. The stage's row, its event, its messages and, with the second
    warning, its 督办单 are one transaction: whoever holds the locked row tells of it, once. What another holds is left
    to that one.
    """
    found = await store.LOCK_DUE.all(tx.connection, now=tx.now, limit=limit)
    if not found:
        return Outcome(answer=0)
    recorded = await _recorded(tx, found)
    steps = [(each, rules.advance(each, recorded.get(each.id, ()), tx.now)) for each in found]
    await store.INSERT_STAGE.run_many(
        tx.connection, [msgspec.structs.asdict(row) for each, step in steps for row in _rows(tx, each, step)]
    )
    await store.ADVANCE_DEADLINE.run_many(tx.connection, [_changes(each, step) for each, step in steps])
    events: list[Event] = []
    numbers: list[NumberRequest] = []
    grave = [each.id for each, step in steps if step.reached is DeadlineStage.SECOND_WARNING]
    desks = _Desks(tx, await urged_among(tx, grave))
    for each, step in steps:
        if step.reached is not None:
            told, wanted = await _tell(tx, desks, each, step.reached, step.skipped)
            events.extend(told)
            numbers.extend(wanted)
    return Outcome(answer=len(found), events=tuple(events), numbers=tuple(numbers))


async def plan_anew(tx: Transaction, limit: int) -> Outcome[int]:
    """The stages that wait are moved to where the calendar in force puts them, `limit` deadlines at most."""
    edition = calendar_in_force().edition
    found = await store.LOCK_OUTDATED.all(tx.connection, edition=edition, limit=limit)
    recorded = await _recorded(tx, found) if found else {}
    await store.ADVANCE_DEADLINE.run_many(
        tx.connection, [_replanned(each, recorded.get(each.id, ())) for each in found]
    )
    return Outcome(answer=len(found))


async def _recorded(tx: Transaction, found: Sequence[Deadline]) -> dict[UUID, tuple[DeadlineStage, ...]]:
    rows = await store.STAGES_OF.all(tx.connection, deadlines=[each.id for each in found])
    recorded: dict[UUID, tuple[DeadlineStage, ...]] = {}
    for row in rows:
        recorded[row.deadline_id] = (*recorded.get(row.deadline_id, ()), row.stage)
    return recorded


def _rows(tx: Transaction, deadline: Deadline, step: Advance) -> list[RecordedStage]:
    stages = [(stage, True) for stage in step.skipped]
    if step.reached is not None:
        stages.append((step.reached, False))
    return [
        RecordedStage(
            deadline_id=deadline.id, due_on=deadline.due_on, stage=stage, is_skipped=is_skipped, reached_at=tx.now
        )
        for stage, is_skipped in stages
    ]


def _changes(deadline: Deadline, step: Advance) -> dict[str, object]:
    return {
        "of_deadline": deadline.id,
        "stage": step.stage,
        "level": None if step.stage is None else step.stage.level.value,
        "next_stage_at": step.next_stage_at,
        "edition": calendar_in_force().edition,
    }


def _replanned(deadline: Deadline, recorded: Sequence[DeadlineStage]) -> dict[str, object]:
    """As the sweep left it, but for its next instant: a stage that has come by the new calendar is due at once."""
    at = rules.next_stage_at(deadline, recorded)
    return _changes(deadline, Advance(reached=None, skipped=(), stage=deadline.stage, next_stage_at=at))


async def _tell(
    tx: Transaction, desks: _Desks, deadline: Deadline, stage: DeadlineStage, skipped: Sequence[DeadlineStage]
) -> tuple[Sequence[Event], Sequence[NumberRequest]]:
    """The event of one stage, and of the second warning its 督办单."""
    to = await _addressees(desks, deadline, is_grave=stage in _GRAVE)
    warned = DeadlineWarned(
        subject_id=deadline.id,
        department_id=deadline.department_id,
        region=deadline.region,
        after=StageFacts(
            kind=deadline.kind,
            subject_id=deadline.subject_id,
            due_on=deadline.due_on,
            stage=stage,
            level=stage.level.value,
            skipped=list(skipped),
        ),
        to=to,
    )
    if stage is not DeadlineStage.SECOND_WARNING or deadline.id in desks.urged:
        return (warned,), ()
    issued = await issue_order(
        tx,
        deadline,
        to,
        await desks.superior(deadline),
        source=OrderSource.SECOND_WARNING,
        demand=rules.DEFAULT_DEMAND,
        issued_by=None,
    )
    return (warned, *issued.events), issued.numbers


async def _addressees(desks: _Desks, deadline: Deadline, *, is_grave: bool) -> Addressees:
    """Who is told. Who is above, and whom an SMS reaches at the desk, matters of grave stages alone."""
    to = Addressees(
        department_id=deadline.department_id,
        department_name=deadline.department_name,
        hotline=deadline.hotline,
        enterprise_id=deadline.enterprise_id if deadline.kind.is_enterprises else None,
        site_id=deadline.site_id if deadline.kind.is_enterprises else None,
        officers=deadline.officers,
        account_id=deadline.account_id,
    )
    if not is_grave:
        return to
    superior = await desks.superior(deadline)
    return msgspec.structs.replace(
        to,
        department_accounts=tuple((await desks.own(deadline.department_id)).leads),
        superior_id=superior.id,
        superior_accounts=tuple(superior.leads),
    )
