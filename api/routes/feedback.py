"""信息反馈 (PUB-08): a citizen or an enterprise gives it, the department answers, a query code leads to the answer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.auth import permit, permit_anyone, principal_of
from api.citizen import GATE, CitizenWrite, ProofHeader, count, proof_of
from api.schemas.cursor import FIRST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.feedback import AnswerOrder, FeedbackDetail, FeedbackPage, QueryCode, to_detail
from api.submissions import respond
from api.wiring import Parts
from api.work import Accepted, Answer, Submission
from domain.feedback import operations, rules, store
from domain.feedback.model import (
    FeedbackGivenAnswer,
    FeedbackOrder,
    FeedbackReceipt,
    FeedbackState,
    FeedbackStatus,
)
from domain.identity.model import Role
from domain.shared.errors import NotFound
from domain.shared.transaction import Outcome, Transaction
from domain.visitor.model import Caller, LimitKind, Proof

_OFFICE = (Role.LEAD, Role.DEPARTMENT_MANAGER)

# ---- giving


async def give_by_pass(parts: Parts, sent: CitizenWrite, order: FeedbackOrder) -> Answer:
    """提交反馈 by a citizen, counted with the write itself."""

    async def give(tx: Transaction) -> Outcome[FeedbackGivenAnswer]:
        await sent.spend(tx, LimitKind.FEEDBACK)
        return await operations.give_feedback(tx, order)

    return await parts.work.submit(sent.write, give)


def receipt_of(parts: Parts, answer: Answer) -> Accepted[FeedbackReceipt]:
    """回执 with the query code, which the stored answer does not hold."""
    accepted = msgspec.json.decode(answer.body, type=Accepted[FeedbackGivenAnswer])
    given = accepted.result
    receipt = FeedbackReceipt(
        id=given.id, given_at=given.given_at, query_code=operations.query_code(parts.vault, given.id)
    )
    return Accepted(receipt=accepted.receipt, result=receipt)


def _told(parts: Parts, answer: Answer) -> Response[Accepted[FeedbackReceipt]]:
    headers = {"Cache-Control": "no-store"}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(receipt_of(parts, answer), status_code=HTTP_201_CREATED, headers=headers)


@post("/public/feedback", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="giveFeedback")
async def give_feedback(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[FeedbackOrder]
) -> Response[Accepted[FeedbackReceipt]]:
    """疑问 or 建议 on a checklist, an item of it, or a manual, by a citizen's pass."""
    return _told(parts, await give_by_pass(parts, citizen_write, data))


@post("/feedback", status_code=HTTP_201_CREATED, opt=permit(Role.ENTERPRISE), operation_id="giveFeedbackAsEnterprise")
async def give_feedback_as_enterprise(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[FeedbackOrder]
) -> Response[Accepted[FeedbackReceipt]]:
    """疑问 or 建议 of an enterprise, which the department sees by its name."""
    enterprise_id = submission.principal.enterprise_id
    answer = await parts.work.submit(
        submission, lambda tx: operations.give_feedback(tx, data, enterprise_id=enterprise_id)
    )
    return _told(parts, answer)


async def follow_up(parts: Parts, caller: Caller, typed: str, proof: Proof | None = None) -> FeedbackStatus:
    """What the query code leads to; a code of nobody is counted against the caller."""
    try:
        async with parts.work.reading() as connection:
            return await operations.read_status(connection, parts.vault, typed)
    except NotFound:
        await count(parts, LimitKind.FOLLOW_UP, caller, GATE, proof)
        raise


@post("/public/feedback/follow-up", status_code=HTTP_200_OK, opt=permit_anyone(), operation_id="followFeedback")
async def follow_feedback(
    parts: NamedDependency[Parts],
    caller: NamedDependency[Caller],
    data: JSONBody[QueryCode],
    yima_proof: ProofHeader = None,
) -> Response[FeedbackStatus]:
    """进度查询 by query code."""
    found = await follow_up(parts, caller, data.code, proof_of(parts, yima_proof))
    return Response(found, headers={"Cache-Control": "no-store"})


# ---- the department's desk


@get("/feedback", opt=permit(*_OFFICE), operation_id="listFeedback")
async def list_feedback(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[FeedbackState, QueryParameter(name="state", description="待答复 or 已答复")] = FeedbackState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> FeedbackPage:
    """Feedback on what the caller's department made, the oldest first."""
    async with parts.work.reading() as connection:
        rows = await store.LIST_OF_DEPARTMENT.all(
            connection,
            department_id=principal_of(request).department_id,
            state=status,
            after_id=read_cursor(cursor, FIRST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return FeedbackPage(items=shown, next_cursor=more)


@get("/feedback/{feedback_id:uuid}", opt=permit(*_OFFICE), operation_id="readFeedback")
async def read_feedback(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], feedback_id: FromPath[UUID]
) -> Response[FeedbackDetail]:
    """One of them, with what was written."""
    async with parts.work.reading() as connection:
        found = await store.FEEDBACK_BY_ID.first(connection, feedback_id=feedback_id)
    own = rules.require_own(principal_of(request), found)
    detail = to_detail(own, parts.vault.open(rules.TEXT_LABEL, own.text_sealed))
    return Response(detail, headers={"Cache-Control": "private, no-store"})


@post(
    "/feedback/{feedback_id:uuid}/answer",
    status_code=HTTP_201_CREATED,
    opt=permit(*_OFFICE),
    operation_id="answerFeedback",
)
async def answer_feedback(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    feedback_id: FromPath[UUID],
    data: JSONBody[AnswerOrder],
) -> Response[bytes]:
    """答复."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.answer_feedback(tx, submission.principal, feedback_id, data.text)
    )
    return respond(answer)


feedback_router = Router(
    "/",
    route_handlers=[
        give_feedback,
        give_feedback_as_enterprise,
        follow_feedback,
        list_feedback,
        read_feedback,
        answer_feedback,
    ],
    tags=["feedback"],
)
