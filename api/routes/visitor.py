"""The citizen's gate: verify a phone, get a pass, get a challenge."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit_anyone
from api.citizen import GATE, ProofHeader, proof_of
from api.schemas.visitor import ChallengeAnswer, CodeProof, PassAnswer, PhoneOrder, to_challenge
from api.wiring import Parts
from domain.visitor import operations
from domain.visitor.model import Caller, CitizenPass, PhoneVerification
from domain.visitor.rules import BASE_COST, CodeWrong

_NO_STORE = {"Cache-Control": "no-store"}


def _answer(parts: Parts, citizen: CitizenPass) -> Response[PassAnswer]:
    answer = PassAnswer(
        pass_=parts.passes.write(citizen),
        expires_at=citizen.expires_at,
        is_verified=citizen.verification_id is not None,
    )
    return Response(answer, headers=_NO_STORE, status_code=HTTP_201_CREATED)


@post(
    "/public/phone-verifications",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="sendPhoneCode",
)
async def send_phone_code(
    parts: NamedDependency[Parts],
    caller: NamedDependency[Caller],
    data: JSONBody[PhoneOrder],
    yima_proof: ProofHeader = None,
) -> PhoneVerification:
    """验证码发送: six digits by SMS, good for 5 minutes and 5 tries; a newer code voids it. Counted by address, device
    and phone; one phone gets at most 8 in a day, whatever is proven.
    """
    proof = proof_of(parts, yima_proof)
    return await parts.work.run(GATE, lambda tx: operations.send_code(tx, data.phone, caller, proof))


@post(
    "/public/phone-verifications/{verification_id:uuid}/proof",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="provePhone",
)
async def prove_phone(
    parts: NamedDependency[Parts],
    caller: NamedDependency[Caller],
    verification_id: FromPath[UUID],
    data: JSONBody[CodeProof],
    yima_proof: ProofHeader = None,
) -> Response[PassAnswer]:
    """验证码核对: the right code gives a pass for 30 minutes that stands for the phone."""
    proof = proof_of(parts, yima_proof)
    tried = await parts.work.run(GATE, lambda tx: operations.try_code(tx, verification_id, data.code, caller, proof))
    if not tried.is_proven:
        raise CodeWrong("验证码不正确，请核对短信。", field="code", tries_left=tried.tries_left)
    citizen = parts.passes.make(parts.clock(), verification_id=tried.verification_id, phone_index=tried.phone_index)
    return _answer(parts, citizen)


@post("/public/passes", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="createPass")
async def create_pass(parts: NamedDependency[Parts]) -> Response[PassAnswer]:
    """领取通行凭证 without a phone, for what may be anonymous. Nothing is kept of it; the writes by it are counted."""
    return _answer(parts, parts.passes.make(parts.clock()))


@get("/public/challenges", opt=permit_anyone(), operation_id="readChallenge")
async def read_challenge(parts: NamedDependency[Parts]) -> Response[ChallengeAnswer]:
    """工作量证明: a challenge of the least cost, for clients that solve one beforehand; a 429 may ask for more, and
    brings its own.
    """
    return Response(to_challenge(parts.challenges.make(BASE_COST, parts.clock())), headers=_NO_STORE)


visitor_router = Router(
    "/", route_handlers=[send_phone_code, prove_phone, create_pass, read_challenge], tags=["visitor"]
)
