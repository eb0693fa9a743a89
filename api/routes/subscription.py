"""订阅 (PUB-11): ask for it by a pass, confirm it by the mailed link, see and end it; the digest behind a short link.

No GET changes anything: mail filters and previews follow every link that they see.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.auth import permit_anyone
from api.citizen import GATE, CitizenWrite, PassHeader, caller_of, read_pass
from api.guesses import Guesses
from api.renewed_consent import lift_own_stop
from api.schemas.subscription import DigestView, EndSubscription, to_digest_view
from api.submissions import respond
from api.wiring import Parts
from api.work import Answer
from domain.shared.transaction import Outcome, Transaction
from domain.subscription import digests, operations
from domain.subscription.digests import OpenDigest
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from domain.subscription.model import (
    DigestChannel,
    NewSubscription,
    OwnSubscriptions,
    Subscription,
    SubscriptionAnswer,
    SubscriptionsEndedAnswer,
)
from domain.subscription.rules import SubscriptionLinkOver, SubscriptionLinkUnknown
from domain.visitor.model import LimitKind

_NO_STORE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


@asynccontextmanager
async def _counting(request: Request[Any, Any, Any]) -> AsyncGenerator[SubscriptionLinks]:
    """Links that are none of ours are counted by address. Raises `TooManyWrites` for one that sent too many."""
    parts: Parts = request.app.state.parts
    guesses: Guesses = request.app.state.guesses
    address = caller_of(request).address or b""
    guesses.require_room(address, parts.clock())
    try:
        yield SubscriptionLinks(parts.keys)
    except SubscriptionLinkUnknown:
        guesses.note_wrong(address, parts.clock())
        raise


# ---- shared with the pages


async def subscribe_by_pass(parts: Parts, sent: CitizenWrite, new: NewSubscription) -> Answer:
    """订阅, counted with the write itself."""

    async def ask(tx: Transaction) -> Outcome[SubscriptionAnswer]:
        await sent.spend(tx, LimitKind.SUBSCRIPTION)
        asked = await operations.subscribe(tx, sent.citizen, new)
        if new.channel is DigestChannel.EMAIL:
            return asked
        freed = await lift_own_stop(tx, sent.citizen)
        return Outcome(answer=asked.answer, events=(*asked.events, *freed))

    return await parts.work.submit(sent.write, ask)


async def confirm_by_link(request: Request[Any, Any, Any], token: str) -> SubscriptionAnswer:
    """Raises `SubscriptionLinkUnknown`, `SubscriptionLinkOver` or `TooManySubscriptions`."""
    parts: Parts = request.app.state.parts
    async with _counting(request) as links:
        subscription_id = links.read(LinkPurpose.CONFIRM, token)
        return await parts.work.run(GATE, lambda tx: operations.confirm(tx, subscription_id))


async def unconfirmed_by_link(request: Request[Any, Any, Any], token: str) -> Subscription:
    """What a mailed link asks to confirm, or has confirmed.

    Raises `SubscriptionLinkUnknown` or `SubscriptionLinkOver`.
    """
    parts: Parts = request.app.state.parts
    async with _counting(request) as links:
        subscription_id = links.read(LinkPurpose.CONFIRM, token)
        async with parts.work.reading() as connection:
            found = await operations.read_unconfirmed(connection, subscription_id)
        if found is None or (found.expires_at is not None and found.expires_at <= parts.clock()):
            raise SubscriptionLinkOver
        return found


async def subscriber_by_link(request: Request[Any, Any, Any], token: str) -> UUID:
    """Whom a mailed link lets manage. Raises `SubscriptionLinkUnknown`."""
    async with _counting(request) as links:
        return links.read(LinkPurpose.MANAGE, token)


async def digest_by_link(request: Request[Any, Any, Any], token: str) -> OpenDigest:
    """Raises `SubscriptionLinkUnknown` or `SubscriptionLinkOver`."""
    parts: Parts = request.app.state.parts
    async with _counting(request) as links:
        number = links.read_short(token)
        async with parts.work.reading() as connection:
            return await digests.read_digest_numbered(connection, number, parts.clock())


async def end_of(parts: Parts, subscriber_id: UUID, subscription_id: UUID | None = None) -> SubscriptionsEndedAnswer:
    """退订, whether by link or page: to end what is ended already is no error."""
    return await parts.work.run(GATE, lambda tx: operations.end(tx, subscriber_id, subscription_id))


# ---- the app


@post("/public/subscriptions", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="subscribe")
async def subscribe(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[NewSubscription]
) -> Response[bytes]:
    """订阅 of an enterprise, a site, a scene, a region or keywords, told daily or weekly.

    By SMS to the phone that the pass was verified for, at once; by mail once the link in the mail is followed.
    """
    return respond(await subscribe_by_pass(parts, citizen_write, data))


@get("/public/subscriptions", opt=permit_anyone(), operation_id="listOwnSubscriptions")
async def list_own_subscriptions(
    parts: NamedDependency[Parts], yima_pass: PassHeader = None
) -> Response[OwnSubscriptions]:
    """我的订阅 of the phone that the pass was verified for."""
    citizen = read_pass(parts, yima_pass)
    async with parts.work.reading() as connection:
        subscriber_id = await operations.subscriber_of_phone(connection, citizen)
        found = await operations.read_own(connection, parts.vault, subscriber_id)
    return Response(found, headers=_NO_STORE)


@post(
    "/public/subscriptions/endings",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="endOwnSubscriptions",
)
async def end_own_subscriptions(
    parts: NamedDependency[Parts], citizen_write: NamedDependency[CitizenWrite], data: JSONBody[EndSubscription]
) -> Response[bytes]:
    """退订 of one or all, of the phone that the pass was verified for."""
    answer = await parts.work.submit(
        citizen_write.write, lambda tx: operations.end_own(tx, citizen_write.citizen, data.subscription_id)
    )
    return respond(answer)


@post(
    "/public/subscription-links/{token:str}/confirmation",
    status_code=HTTP_200_OK,
    opt=permit_anyone(),
    operation_id="confirmSubscription",
)
async def confirm_subscription(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[SubscriptionAnswer]:
    """确认订阅 by the link of the mail, within three days; twice is once."""
    return Response(await confirm_by_link(request, token), headers=_NO_STORE)


@get("/public/subscription-links/{token:str}", opt=permit_anyone(), operation_id="readSubscriptionLink")
async def read_subscription_link(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[OwnSubscriptions]:
    """我的订阅 by the link that each mailed digest carries."""
    subscriber_id = await subscriber_by_link(request, token)
    async with parts.work.reading() as connection:
        found = await operations.read_own(connection, parts.vault, subscriber_id)
    return Response(found, headers=_NO_STORE)


@post(
    "/public/subscription-links/{token:str}/endings",
    status_code=HTTP_200_OK,
    opt=permit_anyone(),
    operation_id="endSubscriptionsByLink",
)
async def end_subscriptions_by_link(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    token: FromPath[str],
    data: JSONBody[EndSubscription],
) -> Response[SubscriptionsEndedAnswer]:
    """退订 of one or all by the link that each mailed digest carries; twice is once."""
    subscriber_id = await subscriber_by_link(request, token)
    return Response(await end_of(parts, subscriber_id, data.subscription_id), headers=_NO_STORE)


@get("/public/digests/{token:str}", opt=permit_anyone(), operation_id="readDigest")
async def read_digest(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[DigestView]:
    """订阅摘要 behind the short link of its message, for thirty days: what of it is public still."""
    return Response(to_digest_view(await digest_by_link(request, token)), headers=_NO_STORE)


@post(
    "/public/digests/{token:str}/ending",
    status_code=HTTP_200_OK,
    opt=permit_anyone(),
    operation_id="endByDigest",
)
async def end_by_digest(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[SubscriptionsEndedAnswer]:
    """退订 of all of the address that this digest went to."""
    found = await digest_by_link(request, token)
    return Response(await end_of(parts, found.digest.subscriber_id), headers=_NO_STORE)


subscription_router = Router(
    "/",
    route_handlers=[
        subscribe,
        list_own_subscriptions,
        end_own_subscriptions,
        confirm_subscription,
        read_subscription_link,
        end_subscriptions_by_link,
        read_digest,
        end_by_digest,
    ],
    tags=["subscription"],
)
