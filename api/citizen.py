"""A citizen's write: by the pass that let them in, counted by whence it comes, and with a proof of work where asked.

A pass comes in the header `Yima-Pass` or as the hidden field `pass` of a form, never in a cookie. A device may say a
random id of its own in `Yima-Device`, a solved challenge comes in `Yima-Proof` (or the field `proof`).
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter

from api import problems
from api.client_address import network_of
from api.forms import Form
from api.settings import Settings
from api.submissions import DoneAt, IdempotencyKey, read_instant, read_key
from api.wiring import Parts
from api.work import AnonymousWrite, fingerprint
from domain.shared.errors import InvalidField
from domain.shared.events import Circumstances, Operator
from domain.shared.ids import new_id
from domain.shared.transaction import Transaction
from domain.visitor import operations
from domain.visitor.model import Caller, CitizenPass, LimitKind, Proof
from domain.visitor.rules import PassRequired, ProofRequired

ADDRESS_LABEL: Final = "visitor.address"
DEVICE_LABEL: Final = "visitor.device"
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_RENEWED_WITHIN: Final = timedelta(hours=12)
"""A form left open that long goes on under its pass's id, so that files handed in with it stay its own."""
_OF_THE_GATE: Final = frozenset({"pass", "key", "proof", "device"})

GATE: Final = Operator(id=UUID(int=0), name="公众", post="公众")
"""Who acts where nobody has a pass yet."""

PassHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Yima-Pass",
        required=False,
        description="Required of citizens: the pass (通行凭证) that createPass or provePhone gave.",
    ),
]
DeviceHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Yima-Device",
        required=False,
        description="A random id that the client made and keeps, 16 to 64 of A-Z a-z 0-9 _ -; only its hash is kept.",
    ),
]
ProofHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Yima-Proof",
        required=False,
        description="A solved challenge (altcha, base64), where 429 proof-of-work-required asked for one.",
    ),
]


class CitizenWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A citizen's write as it came: what `Work` takes, by which pass, whence, and with which proof of work."""

    write: AnonymousWrite
    citizen: CitizenPass
    caller: Caller
    proof: Proof | None = None

    async def spend(self, tx: Transaction, kind: LimitKind) -> None:
        """Count this write within its own transaction. Raises as `domain.visitor.operations.spend`."""
        await operations.spend(
            tx,
            kind,
            address=self.caller.address,
            device=self.caller.device,
            phone_index=self.caller.phone_index,
            proof=self.proof,
        )


def caller_of(request: Request[Any, Any, Any], device: str | None = None, citizen: CitizenPass | None = None) -> Caller:
    """Whence a request comes, as blind indexes. Raises `InvalidField` for a device id that is none."""
    parts: Parts = request.app.state.parts
    settings: Settings = request.app.state.settings
    if device is not None and not _DEVICE.fullmatch(device):
        raise InvalidField("应为16至64位的字母、数字、_ 或 -。", field="Yima-Device")
    return Caller(
        address=parts.vault.blind_index(ADDRESS_LABEL, network_of(request.scope, settings.trusted_proxies)),
        device=None if device is None else parts.vault.blind_index(DEVICE_LABEL, device),
        phone_index=None if citizen is None else citizen.phone_index,
    )


def proof_of(parts: Parts, solved: str | None) -> Proof | None:
    """What a solved challenge proves. Raises `ProofRefused`."""
    return parts.challenges.check(solved, parts.clock()) if solved else None


def operator_of(citizen: CitizenPass) -> Operator:
    """公众, as the trace names who writes by this pass."""
    return Operator(id=citizen.id, name="公众", post="公众")


def read_pass(parts: Parts, text: str | None) -> CitizenPass:
    """The pass in force. Raises `PassRequired`."""
    if not text:
        raise PassRequired("请先获取通行凭证。")
    return parts.passes.read(text, parts.clock())


async def read_caller(request: Request[Any, Any, Any], yima_device: DeviceHeader = None) -> Caller:
    """A Litestar dependency: whence the request comes."""
    return caller_of(request, yima_device)


async def read_citizen_write(
    request: Request[Any, Any, Any],
    idempotency_key: IdempotencyKey = None,
    yima_pass: PassHeader = None,
    yima_device: DeviceHeader = None,
    yima_proof: ProofHeader = None,
    yima_done_at: DoneAt = None,
) -> CitizenWrite:
    """A Litestar dependency: the write as it came. Raises `PassRequired`, `ProofRefused` or `InvalidField`."""
    parts: Parts = request.app.state.parts
    citizen = read_pass(parts, yima_pass)
    body = await request.body()
    return CitizenWrite(
        write=AnonymousWrite(
            pass_id=citizen.id,
            key=read_key(idempotency_key, "Idempotency-Key"),
            fingerprint=fingerprint(request.method, request.scope["path"], body),
            circumstances=Circumstances(request_id=new_id(parts.clock(), parts.random), device_at=yima_done_at),
            done_at=None if yima_done_at is None else read_instant(yima_done_at, "Yima-Done-At"),
        ),
        citizen=citizen,
        caller=caller_of(request, yima_device, citizen),
        proof=proof_of(parts, yima_proof),
    )


def write_of_form(request: Request[Any, Any, Any], form: Form) -> CitizenWrite:
    """The write that a form is: hidden fields `pass`, `key` (made with the page, so that two taps have one effect),
    and, where the challenge page was passed, `proof`. Raises as `read_citizen_write`.
    """
    parts: Parts = request.app.state.parts
    citizen = read_pass(parts, form.text("pass"))
    return CitizenWrite(
        write=AnonymousWrite(
            pass_id=citizen.id,
            key=read_key(form.text("key"), "key"),
            fingerprint=fingerprint(request.method, request.scope["path"], _body_of(form)),
            circumstances=Circumstances(request_id=new_id(parts.clock(), parts.random)),
        ),
        citizen=citizen,
        caller=caller_of(request, form.text("device") or None, citizen),
        proof=proof_of(parts, form.text("proof")),
    )


def form_pass(parts: Parts, given: str | None = None) -> str:
    """The pass that a page's form carries: the one `given` while it is good, else a new one.

    One that ran out while the form was open goes on under its id, though without its phone: files that were handed in
    with it stay its own.
    """
    now = parts.clock()
    known = parts.passes.recognise(given) if given else None
    if known is None or known.expires_at + _RENEWED_WITHIN < now:
        return parts.passes.write(parts.passes.make(now))
    if known.expires_at > now:
        return parts.passes.write(known)
    fresh = parts.passes.make(now)
    return parts.passes.write(msgspec.structs.replace(fresh, id=known.id))


async def count(parts: Parts, kind: LimitKind, caller: Caller, operator: Operator, proof: Proof | None = None) -> None:
    """Count a try that must be kept whatever becomes of it: an upload that begins, a query code that is wrong.

    Raises `TooManyWrites`, `ProofRequired` or `ProofRefused`.
    """
    await parts.work.run(operator, lambda tx: operations.count(tx, kind, caller, proof))


def answer_proof_required(request: Request[Any, Any, Any], error: ProofRequired) -> Response[bytes]:
    """429 with a challenge of the cost that is asked for; solved, it is sent in `Yima-Proof`."""
    parts: Parts = request.app.state.parts
    problem = problems.problem_of(error)
    problem.facts["challenge"] = parts.challenges.make(error.cost, parts.clock())
    return problems.respond(problem)


def _body_of(form: Form) -> bytes:
    """What a form says, however its parts were written: the same whenever the same is sent again."""
    fields = sorted((name, values) for name, values in form.fields.items() if name not in _OF_THE_GATE)
    files = [(file.field, file.draft.digest().hex()) for file in form.files]
    return hashlib.sha256(msgspec.json.encode([fields, files])).digest()
