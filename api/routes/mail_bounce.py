"""退信: where the mail server hands over what came back."""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK

from api.auth import permit_anyone
from api.mail_bounces import BounceOutcome, MailSecretWrong, take_report
from api.settings import Settings
from api.wiring import Parts
from domain.shared.errors import NotFound
from notifications.mail.bounce import LARGEST


class MailBounceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the report."""

    outcome: BounceOutcome


@post(
    "/mail-bounces",
    status_code=HTTP_200_OK,
    request_max_body_size=LARGEST,
    opt=permit_anyone(),
    operation_id="takeMailBounce",
)
async def take_mail_bounce(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    recipient: Annotated[str | None, QueryParameter(max_length=320)] = None,
    yima_mail_secret: Annotated[str | None, HeaderParameter(name="Yima-Mail-Secret", max_length=200)] = None,
) -> MailBounceAnswer:
    """退信: the body is the raw mail (RFC 5322, at most 1 MiB) that came to a bounce address of ours.

    `recipient` is that address, where the server tells it; the server knows the secret. A report that a mail failed or
    arrived is noted with its message; a mailbox that does not exist gets no more mail. Repeated, nothing happens again.
    """
    settings: Settings = request.app.state.settings
    if settings.mail is None or settings.mail.bounce_secret is None:
        raise NotFound("本系统未设置退信接收。")
    given = (yima_mail_secret or "").encode()
    if not compare_digest(given, settings.mail.bounce_secret.encode()):
        raise MailSecretWrong("退信接收密钥不正确。")
    return MailBounceAnswer(outcome=await take_report(parts, settings.mail, await request.body(), recipient))


mail_bounce_router = Router("/", route_handlers=[take_mail_bounce], tags=["message"])
