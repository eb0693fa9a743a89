"""附件: hand in a file outside of an inspection; to be attached within a day by the write that it belongs to."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, Router, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.attachment_files import Uploader, find_own, take_in
from api.auth import permit_anyone
from api.citizen import (
    DeviceHeader,
    PassHeader,
    ProofHeader,
    caller_of,
    count,
    operator_of,
    proof_of,
    read_pass,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Accepted, Answer, Receipt
from domain.evidence.attachments import AttachmentCard
from domain.evidence.model import MAX_FILE_BYTES
from domain.evidence.rules import parse_digest, require_size
from domain.identity.model import Principal, Role
from domain.shared.errors import Forbidden
from domain.shared.ids import new_id
from domain.visitor.model import LimitKind


def _account(principal: Principal) -> Uploader:
    """Raises `Forbidden` for people of an enterprise who only look: a route for citizens too must ask itself."""
    post = principal.enterprise_post
    if principal.role is Role.ENTERPRISE and (post is None or not post.may_write):
        raise Forbidden("该账号仅可查看，不能上传附件。")
    return Uploader(principal.account_id, principal.operator)


def _answer(parts: Parts, uploader: Uploader, card: AttachmentCard, status: int) -> Answer:
    now = parts.clock()
    noise = hashlib.sha256(uploader.id.bytes + bytes.fromhex(card.digest)).digest()
    receipt = Receipt(id=new_id(now, lambda wanted: noise[:wanted]), received_at=now, digest=card.digest)
    return Answer(status=status, body=msgspec.json.encode(Accepted(receipt=receipt, result=card)))


@put(
    "/attachments/{digest:str}",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="putAttachment",
    request_max_body_size=MAX_FILE_BYTES,
)
async def put_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    digest: FromPath[str],
    yima_pass: PassHeader = None,
    yima_device: DeviceHeader = None,
    yima_proof: ProofHeader = None,
) -> Response[bytes]:
    """附件上传 under its SHA-256: the body is the file itself (D28: JPEG, PNG, WebP, HEIC, PDF, MP4; 20 MiB each), by
    whoever is signed in, or by a citizen with a pass. The write that it belongs to names it within a day.

    The type is told by the content. Repeated, it is answered with 200 before the body is read.
    """
    name = parse_digest(digest)
    principal: Principal | None = request.scope["user"]
    if principal is None:
        citizen = read_pass(parts, yima_pass)
        uploader = Uploader(citizen.id, operator_of(citizen))
        # Counted before the body is read, and kept whatever becomes of it: refusing a file is work, too.
        caller = caller_of(request, yima_device, citizen)
        await count(parts, LimitKind.ATTACHMENT, caller, uploader.operator, proof_of(parts, yima_proof))
    else:
        uploader = _account(principal)
    announced = request.content_length or 0
    require_size(announced)
    own = await find_own(parts, uploader, name)
    if own is not None:
        return respond(_answer(parts, uploader, own, HTTP_200_OK))
    card = await take_in(parts, uploader, name, request.stream(), announced)
    return respond(_answer(parts, uploader, card, HTTP_201_CREATED))


attachment_router = Router("/", route_handlers=[put_attachment], tags=["attachment"])
