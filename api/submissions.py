"""What a client says about a write, in headers: its key, its predecessor, when and where it was done."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import HeaderParameter

from api.auth import principal_of
from api.wiring import Parts
from api.work import Answer, Submission, fingerprint
from domain.shared.errors import InvalidField
from domain.shared.events import Circumstances
from domain.shared.ids import new_id

_VERSION_DIGITS = 9
_KEY = re.compile(r"[A-Za-z0-9._:-]{8,128}")

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        description="Required. Made by the client, 8 to 128 of A-Z a-z 0-9 . _ : -, best the write's own UUID. "
        "The same key with the same body has one effect and one answer, for 180 days.",
    ),
]
After = Annotated[
    str | None,
    HeaderParameter(
        name="Yima-After",
        required=False,
        description="The key of the write that must have arrived before this one; unknown: 409 predecessor-missing.",
    ),
]
DoneAt = Annotated[
    str | None,
    HeaderParameter(
        name="Yima-Done-At",
        required=False,
        description="RFC 3339 with offset: when it was done, by the phone's clock, if the write comes late.",
    ),
]


IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        required=False,
        description="The version that the caller changes; left out for the first one.",
    ),
]


def read_version(if_match: str | None) -> int:
    """The version that an If-Match names, 0 where there is none. Raises `InvalidField`."""
    if if_match is None:
        return 0
    text = if_match.strip().strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > _VERSION_DIGITS:
        raise InvalidField("应为所修改内容的版本号。", field="If-Match")
    return int(text)


def read_key(text: str | None, header: str) -> str:
    """The key that `header` gives. Raises `InvalidField`."""
    value = (text or "").strip().strip('"')
    if not _KEY.fullmatch(value):
        raise InvalidField("缺少或格式错误：应为8至128位的字母、数字或 . _ : -", field=header)
    return value


def read_instant(text: str, header: str) -> datetime:
    """The instant that `header` gives, with its offset. Raises `InvalidField`."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as broken:
        raise InvalidField("应为带时区的 RFC 3339 时间。", field=header) from broken
    if instant.tzinfo is None:
        raise InvalidField("应为带时区的 RFC 3339 时间。", field=header)
    return instant


async def read_submission(
    request: Request[Any, Any, Any],
    idempotency_key: IdempotencyKey = None,
    yima_after: After = None,
    yima_done_at: DoneAt = None,
) -> Submission:
    """The write as it came. Raises `InvalidField` naming the header at fault."""
    parts: Parts = request.app.state.parts
    body = await request.body()
    return Submission(
        principal=principal_of(request),
        key=read_key(idempotency_key, "Idempotency-Key"),
        fingerprint=fingerprint(request.method, request.scope["path"], body),
        circumstances=Circumstances(request_id=new_id(parts.clock(), parts.random), device_at=yima_done_at),
        after=None if yima_after is None else read_key(yima_after, "Yima-After"),
        done_at=None if yima_done_at is None else read_instant(yima_done_at, "Yima-Done-At"),
    )


def respond(answer: Answer) -> Response[bytes]:
    """The stored bytes themselves; `Idempotency-Replayed` tells that they were stored before."""
    headers = {"Cache-Control": "no-store"}
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)
