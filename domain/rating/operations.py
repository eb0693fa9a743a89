"""入企评价: invited at completion, a token drawn by the enterprise, a rating by nobody, a batch for the department."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

from domain.identity.model import Principal
from domain.rating import rules, store
from domain.rating.events import BatchFacts, DrawFacts, RatingsReleased, RatingTokenDrawn
from domain.rating.model import DrawAnswer, DrawOrder, PooledRating, RatingOrder, RatingTaken
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

_MARK_LABEL: Final = "rating_token"


async def invite(
    tx: Transaction, *, inspection_id: UUID, enterprise_id: UUID, site_id: UUID, outcome: str | None
) -> tuple[Event, ...]:
    """评价邀请 for an inspection that is being completed, in the same transaction: one per visit and department."""
    if not rules.is_invited(outcome):
        return ()
    rows: list[dict[str, object]] = []
    for each in await store.VISITS_OF_INSPECTION.all(tx.connection, inspection_id=inspection_id):
        visited_on = local_date(each.arrived_at)
        # A visit that reaches us months late is rated in the month of its completion, or could not be any more.
        period = rules.month_of(local_date(tx.now))
        rows.append(
            store.invitation_row(
                tx.new_id(),
                each,
                enterprise_id=enterprise_id,
                site_id=site_id,
                inspection_id=inspection_id,
                visited_on=visited_on,
                period=period,
                ends_on=rules.ends_on(period),
            )
        )
    if rows:
        await store.INSERT_INVITATION.run_many(tx.connection, rows)
    return ()


async def draw_token(
    tx: Transaction, principal: Principal, invitation_id: UUID, order: DrawOrder
) -> Outcome[DrawAnswer]:
    """领取评价令牌: the server keeps a mark of the token's hash with department and month, and not for whom.

    Raises `NotFound`, `RatingAlreadyDrawn` or `RatingTermOver`.
    """
    await store.LOCK.run(tx.connection)
    invitation = await store.LOCK_INVITATION.first(tx.connection, invitation_id=invitation_id)
    if invitation is None or not rules.may_see(principal, invitation):
        raise NotFound("没有该评价邀请。")
    rules.require_drawable(invitation, local_date(tx.now))
    await store.USE_INVITATION.run(tx.connection, invitation_id=invitation_id)
    await store.INSERT_TOKEN.run(
        tx.connection,
        mark=_mark(tx.vault, order.commitment),
        department_id=invitation.department_id,
        period=invitation.period,
    )
    event = RatingTokenDrawn(subject_id=invitation_id, before=DrawFacts(is_used=False), after=DrawFacts(is_used=True))
    return Outcome(answer=DrawAnswer(invitation_id=invitation_id, is_used=True), events=(event,))


async def submit_rating(tx: Transaction, order: RatingOrder) -> Outcome[RatingTaken]:
    """评价 with the token alone. It is spent, and leaves no trace: the rating joins the pool and waits for its batch.

    Raises `RatingTokenInvalid` or `InvalidField`.
    """
    comment = rules.require_comment(order.comment)
    await store.LOCK.run(tx.connection)
    spent = await store.SPEND_TOKEN.first(tx.connection, mark=_mark(tx.vault, commitment_of(order.token)))
    if spent is None:
        raise rules.RatingTokenInvalid("评价令牌无效或已使用。", field="token")
    await store.INSERT_POOLED.run(
        tx.connection,
        id=_random_id(tx),
        department_id=spent.department_id,
        period=spent.period,
        courtesy=order.courtesy,
        lawfulness=order.lawfulness,
        efficiency=order.efficiency,
        certificates_shown=order.certificates_shown,
        prohibitions=sorted(set(order.prohibitions)),
        comment=comment,
    )
    return Outcome(answer=RatingTaken())


async def release_ratings(tx: Transaction, policy: rules.RatingPolicy = rules.DEFAULT_POLICY) -> Outcome[int]:
    """评价汇总: of every department of whose past months enough ratings wait, all of them, shuffled; answers how many.

    Fewer wait for the next month. Tokens that nobody spent are forgotten after their term.
    """
    await store.LOCK.run(tx.connection)
    month = rules.month_of(local_date(tx.now))
    await store.DELETE_OLD_TOKENS.run(tx.connection, before=rules.months_later(month, -policy.months_a_token_lasts))
    ready = await store.READY.all(tx.connection, before=month, least=policy.least_in_batch)
    events: list[Event] = []
    for each in ready:
        taken = await store.TAKE_POOLED.all(tx.connection, of_department=each.department_id, before=month)
        events.append(await _release(tx, each, taken))
    return Outcome(answer=len(events), events=tuple(events))


async def _release(tx: Transaction, of: store.ReadyDepartment, ratings: list[PooledRating]) -> RatingsReleased:
    batch_id = tx.new_id()
    period_from, period_to = rules.span_of(ratings)
    await store.INSERT_BATCH.run(
        tx.connection,
        id=batch_id,
        department_id=of.department_id,
        period_from=period_from,
        period_to=period_to,
        released_on=local_date(tx.now),
        ratings=len(ratings),
    )
    fresh = sorted([(_random_id(tx), each) for each in ratings], key=lambda pair: pair[0])
    await store.INSERT_RATING.run_many(
        tx.connection,
        [
            {
                "id": rating_id,
                "batch_id": batch_id,
                "courtesy": each.courtesy,
                "lawfulness": each.lawfulness,
                "efficiency": each.efficiency,
                "certificates_shown": each.certificates_shown,
                "comment": each.comment,
            }
            for rating_id, each in fresh
        ],
    )
    marks = rules.misconduct_of(ratings)
    if marks:
        await store.INSERT_MISCONDUCT.run_many(
            tx.connection,
            [{"batch_id": batch_id, "prohibition": mark, "marks": count} for mark, count in sorted(marks.items())],
        )
    return RatingsReleased(
        subject_id=batch_id,
        department_id=of.department_id,
        region=of.region,
        after=BatchFacts(ratings=len(ratings), period_from=period_from, period_to=period_to),
    )


def commitment_of(token: str) -> str:
    """What the enterprise handed in for its token, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(token)).hexdigest()


def author_of(vault: Vault, token: str) -> UUID:
    """Under whose name the rating's own write is kept, so that it may come twice: derived from the token alone."""
    return UUID(bytes=vault.blind_index("rating_author", token)[:16], version=5)


def key_of(vault: Vault, token: str, key: str) -> str:
    """Under which key it is kept: the client's own might be that of its draw, and would join the two."""
    return vault.blind_index("rating_key", f"{token} {key}").hex()


def _mark(vault: Vault, commitment: str) -> bytes:
    """Keyed: what a request's fingerprint can be guessed from must not stand in the row."""
    return vault.blind_index(_MARK_LABEL, commitment)


def _random_id(tx: Transaction) -> UUID:
    """A UUIDv4: unlike the house's own ids it tells no time."""
    return UUID(bytes=tx.random(16), version=4)
