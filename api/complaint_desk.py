"""What several routes of complaints share: the receipt with its query code, and proving that one knows the phone."""

from __future__ import annotations

from typing import Final

import msgspec

from api.citizen import GATE, count
from api.schemas.complaint import FilingReceipt
from api.wiring import Parts
from api.work import Accepted, Answer
from domain.complaint import following
from domain.complaint.filing import query_code
from domain.complaint.following import Sought
from domain.complaint.grievance_store import STORES
from domain.complaint.model import GrievanceFiled, GrievanceKind
from domain.complaint.rules import DEFAULT_POLICY
from domain.shared.errors import NotFound
from domain.visitor.model import Caller, LimitKind, Proof

_TERMS: Final = {
    GrievanceKind.COMPLAINT: [
        f"自收到之日起{DEFAULT_POLICY.complaint_decision_working_days}个工作日内告知是否受理。",
        f"受理后{DEFAULT_POLICY.complaint_answer_days}日内办理并答复。",
        f"答复后{DEFAULT_POLICY.reopening_days}日内可申请重新办理一次。",
    ],
    GrievanceKind.TIP_OFF: [
        f"自收到之日起{DEFAULT_POLICY.tip_off_decision_working_days}个工作日内决定是否受理。",
        f"必要时延长一次，不超过{DEFAULT_POLICY.tip_off_extension_working_days}个工作日。",
        f"作出决定后{DEFAULT_POLICY.tip_off_answer_working_days}个工作日内答复。",
        f"答复后{DEFAULT_POLICY.reopening_days}日内可申请重新办理一次。",
    ],
}
"""As the receipt says them; 待核 as their policy."""


async def receipt_of(parts: Parts, answer: Answer) -> Accepted[FilingReceipt]:
    """回执 of an accepted filing: its number, issued last, and the query code, of which nothing is kept.

    The stored answer holds neither, so a repeated write is answered from its id alone.
    """
    accepted = msgspec.json.decode(answer.body, type=Accepted[GrievanceFiled])
    filed = accepted.result
    async with parts.work.reading() as connection:
        number = await STORES[filed.kind].number.one(connection, grievance_id=filed.id)
        kept = await STORES[filed.kind].by_id.one(connection, grievance_id=filed.id)
    is_complaint = filed.kind is GrievanceKind.COMPLAINT
    receipt = FilingReceipt(
        **msgspec.structs.asdict(filed),
        number=number.number,
        query_code=query_code(parts.vault, filed.kind, filed.id),
        terms=_TERMS[filed.kind],
        national_link=parts.consumer_complaints.link(kept.type) if is_complaint else None,
    )
    return Accepted(receipt=accepted.receipt, result=receipt)


async def prove(parts: Parts, caller: Caller, typed_code: str, tail: str | None, proof: Proof | None = None) -> Sought:
    """What the query code leads to, once the phone's last digits are right where there is a phone.

    A code of nobody is counted against the caller. Raises `InvalidField`, `NotFound`, `PhoneTailRequired`,
    `TooManyTries`, `TooManyWrites`, `ProofRequired` or `ProofRefused`.
    """
    try:
        async with parts.work.reading() as connection:
            sought = await following.seek(connection, parts.vault, typed_code)
    except NotFound:
        await count(parts, LimitKind.FOLLOW_UP, caller, GATE, proof)
        raise
    following.require_right(await parts.work.run(GATE, lambda tx: following.try_tail(tx, sought, tail)))
    return sought
