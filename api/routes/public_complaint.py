"""投诉, 举报 by citizens without an account: file, follow up, add, withdraw, have it reopened."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.auth import permit_anyone
from api.citizen import GATE, CitizenWrite, ProofHeader, count, proof_of
from api.complaint_desk import prove, receipt_of
from api.schemas.complaint import (
    FilingReceipt,
    FollowUpQuestion,
    GrievanceReopening,
    GrievanceSupplement,
    LikenessAnswer,
    LikenessQuestion,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Accepted, Answer
from domain.complaint import filing, following
from domain.complaint.filing import Matter
from domain.complaint.following import FollowUp
from domain.complaint.model import GrievanceFiled, NewGrievance
from domain.shared.transaction import Outcome, Transaction
from domain.visitor.model import Caller, LimitKind

_NO_STORE = {"Cache-Control": "no-store"}


async def file_complaint_of(parts: Parts, sent: CitizenWrite, new: NewGrievance) -> Answer:
    """提交投诉, counted with the write itself."""

    async def file(tx: Transaction) -> Outcome[GrievanceFiled]:
        await sent.spend(tx, LimitKind.COMPLAINT)
        return await filing.file_complaint(tx, sent.citizen, new, parts.code_keys)

    return await parts.work.submit(sent.write, file)


async def file_tip_off_of(parts: Parts, sent: CitizenWrite, new: NewGrievance) -> Answer:
    """提交举报, counted with the write itself."""

    async def file(tx: Transaction) -> Outcome[GrievanceFiled]:
        await sent.spend(tx, LimitKind.TIP_OFF)
        return await filing.file_tip_off(tx, sent.citizen, new, parts.code_keys)

    return await parts.work.submit(sent.write, file)


async def _receipt(parts: Parts, answer: Answer) -> Response[Accepted[FilingReceipt]]:
    headers = {**_NO_STORE, "Idempotency-Replayed": "true"} if answer.replayed else _NO_STORE
    return Response(await receipt_of(parts, answer), status_code=HTTP_201_CREATED, headers=headers)


@post("/public/complaints", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="fileComplaint")
async def file_complaint(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[NewGrievance]
) -> Response[Accepted[FilingReceipt]]:
    """提交投诉 by a pass with a verified phone (CIT-04, PUB-14). The query code is shown in this answer only."""
    return await _receipt(parts, await file_complaint_of(parts, citizen_write, data))


@post("/public/tip-offs", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="fileTipOff")
async def file_tip_off(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[NewGrievance]
) -> Response[Accepted[FilingReceipt]]:
    """提交举报: anonymous, or with a name by a pass with a verified phone."""
    return await _receipt(parts, await file_tip_off_of(parts, citizen_write, data))


@post(
    "/public/complaints/likely-duplicates",
    status_code=HTTP_200_OK,
    opt=permit_anyone(),
    operation_id="countLikelyDuplicates",
)
async def count_likely_duplicates(
    parts: NamedDependency[Parts], caller: NamedDependency[Caller], data: JSONBody[LikenessQuestion]
) -> Response[LikenessAnswer]:
    """How many 投诉 about this site are likely the same matter, before one is sent. 举报 are never in the number."""
    await count(parts, LimitKind.LIKENESS, caller, GATE)
    matter = Matter(type=data.type, text=data.description, now=parts.clock())
    async with parts.work.reading() as connection:
        place = await filing.find_place(connection, data.code, data.site_id, parts.code_keys)
        alike = await filing.count_likely_duplicates(connection, parts.vault, place.site_id, matter)
    return Response(LikenessAnswer(likely_duplicates=alike), headers=_NO_STORE)


@post("/public/follow-ups", status_code=HTTP_200_OK, opt=permit_anyone(), operation_id="readFollowUp")
async def read_follow_up(
    parts: NamedDependency[Parts],
    caller: NamedDependency[Caller],
    data: JSONBody[FollowUpQuestion],
    yima_proof: ProofHeader = None,
) -> Response[FollowUp]:
    """办理进度 by query code; of what was filed under one's name also by the phone's last four digits."""
    sought = await prove(parts, caller, data.query_code, data.phone_tail, proof_of(parts, yima_proof))
    async with parts.work.reading() as connection:
        found = await following.read_follow_up(connection, parts.vault, sought, parts.clock())
    return Response(found, headers=_NO_STORE)


@post(
    "/public/follow-ups/supplements",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="supplementGrievance",
)
async def supplement(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[GrievanceSupplement]
) -> Response[bytes]:
    """补充材料 while it is open, ten times at most."""
    sought = await prove(parts, citizen_write.caller, data.query_code, data.phone_tail, citizen_write.proof)

    async def add(tx: Transaction) -> Outcome[Any]:
        await citizen_write.spend(tx, LimitKind.SUPPLEMENT)
        return await following.supplement(tx, citizen_write.citizen, sought, data.text, data.attachments)

    return respond(await parts.work.submit(citizen_write.write, add))


@post(
    "/public/follow-ups/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="withdrawGrievance",
)
async def withdraw(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[FollowUpQuestion]
) -> Response[bytes]:
    """撤回 while it is open."""
    sought = await prove(parts, citizen_write.caller, data.query_code, data.phone_tail, citizen_write.proof)
    return respond(await parts.work.submit(citizen_write.write, lambda tx: following.withdraw(tx, sought)))


@post(
    "/public/follow-ups/reopening",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="reopenGrievance",
)
async def reopen(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[GrievanceReopening]
) -> Response[bytes]:
    """申请重新办理, once, within 15 days of the answer."""
    sought = await prove(parts, citizen_write.caller, data.query_code, data.phone_tail, citizen_write.proof)
    return respond(await parts.work.submit(citizen_write.write, lambda tx: following.reopen(tx, sought, data.reason)))


public_complaint_router = Router(
    "/",
    route_handlers=[
        file_complaint,
        file_tip_off,
        count_likely_duplicates,
        read_follow_up,
        supplement,
        withdraw,
        reopen,
    ],
    tags=["complaint"],
)
