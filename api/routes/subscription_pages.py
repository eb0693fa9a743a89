"""订阅 as pages: the form, its confirmation, what one has, and the end of it; no JavaScript, no GET that changes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.auth import permit_anyone
from api.citizen import GATE, CitizenWrite, form_pass, write_of_form
from api.forms import Form, read_form
from api.pages import subscription as subscription_pages
from api.pages.challenge import challenge_page
from api.pages.complaint import fault_of
from api.pages.subscription import FORM, HEADERS, OWN, Asked, render_form, render_phone_form
from api.problems import kind_of
from api.public_reader import HTML
from api.routes.subscription import (
    confirm_by_link,
    digest_by_link,
    end_of,
    subscribe_by_pass,
    subscriber_by_link,
    unconfirmed_by_link,
)
from api.schemas.subscription import to_digest_view
from api.wiring import Parts
from api.work import Accepted
from domain.shared.errors import DomainError, InvalidField, NotFound
from domain.subscription import operations
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from domain.subscription.model import DigestChannel, Frequency, NewSubscription, SubscriptionAnswer, Topic
from domain.subscription.rules import SubscriptionLinkOver, SubscriptionLinkUnknown
from domain.visitor import operations as visitors
from domain.visitor.rules import CodeNotUsable, CodeWrong, ProofRequired

_SEPARATOR: Final = re.compile(r"[,，、;；\n]+")
_ALL: Final = "all"
_NOWHERE: Final = "链接无效或已失效。请打开最近一条消息里的链接。"
_Choice = TypeVar("_Choice", Topic, DigestChannel, Frequency)


def _page(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=HTML, headers=HEADERS)


def _refusal(error: DomainError) -> Response[bytes]:
    is_nowhere = isinstance(error, SubscriptionLinkUnknown | SubscriptionLinkOver)
    told = error.detail or (_NOWHERE if is_nowhere else "请稍后再试。")
    return _page(subscription_pages.render_refusal(told), kind_of(error).status)


# ---- the form


async def _place(parts: Parts, uscc: str, site_id: str) -> str | None:
    """The name of the enterprise or site that one came from; None where there is none."""
    try:
        new = NewSubscription(
            topic=Topic.SITE if site_id else Topic.ENTERPRISE,
            channel=DigestChannel.EMAIL,
            uscc=uscc or None,
            site_id=UUID(site_id) if site_id else None,
        )
        async with parts.work.reading() as connection:
            return (await operations.find_subject(connection, new)).label
    except (InvalidField, ValueError):
        return None


@get(FORM, opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_subscription_form(
    parts: NamedDependency[Parts],
    uscc: Annotated[str, QueryParameter(description="统一社会信用代码", max_length=30)] = "",
    site: Annotated[str, QueryParameter(description="场所", max_length=40)] = "",
    region: Annotated[str, QueryParameter(description="区划编码", max_length=12)] = "",
    q: Annotated[str, QueryParameter(description="关键词", max_length=200)] = "",
) -> Response[bytes]:
    """订阅, from the page of an enterprise, from a search, or empty."""
    place = await _place(parts, uscc.strip(), site.strip()) if uscc or site else None
    typed = {"keywords": q.strip(), "region_code": region}
    if place is not None:
        typed |= {"uscc": uscc.strip(), "site_id": site.strip(), "topic": Topic.SITE if site else Topic.ENTERPRISE}
    elif q.strip():
        typed["topic"] = Topic.KEYWORDS
    asked = Asked(pass_=form_pass(parts), key=str(uuid4()), values=typed, place=place)
    return _page(render_form(asked))


@post(FORM, opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def send_subscription_form(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """The form as it was sent: the code by SMS, what the phone has, or the subscription itself."""
    return await _take(request, parts, FORM)


@get(OWN, opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_phone_form(parts: NamedDependency[Parts]) -> Response[bytes]:
    """查看我的订阅: the phone to verify; what a mailbox has is behind the link of its mails."""
    return _page(render_phone_form(Asked(pass_=form_pass(parts), key=str(uuid4()))))


@post(OWN, opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def send_phone_form(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """The code by SMS, then what the phone has."""
    return await _take(request, parts, OWN)


_RENDERED: Final = {FORM: render_form, OWN: render_phone_form}


async def _take(request: Request[Any, Any, Any], parts: Parts, action: str) -> Response[Any]:
    try:
        async with read_form(request) as form:
            return await _Sending(request, form, action).take()
    except DomainError as error:  # of a form that could not be read there is nothing to show again
        asked = Asked(pass_=form_pass(parts), key=str(uuid4()))
        return _page(_RENDERED[action](asked, fault=fault_of(error)), kind_of(error).status)


class _Sending:
    """One sending of the form; whatever goes wrong, it comes back as it was typed."""

    def __init__(self, request: Request[Any, Any, Any], form: Form, action: str) -> None:
        self.request = request
        self.action = action
        self.parts: Parts = request.app.state.parts
        self.form = form

    async def take(self) -> Response[Any]:
        """Do what the pressed button says."""
        self.form.fields["pass"] = [form_pass(self.parts, self.form.text("pass"))]
        if not self.form.text("key"):
            self.form.fields["key"] = [str(uuid4())]
        try:
            write = write_of_form(self.request, self.form)
            if self.form.text("act") == "send_code":
                return await self._send_code(write)
            if self.action == OWN:
                return await self._show_own(await self._verified(write))
            return await self._subscribe(await self._verified(write))
        except ProofRequired as error:
            return challenge_page(self.parts, error, self.action, self.form.fields)
        except DomainError as error:
            body = _RENDERED[self.action](await self._asked(), fault=fault_of(error))
            return _page(body, kind_of(error).status)

    async def _asked(self) -> Asked:
        citizen = self.parts.passes.recognise(self.form.text("pass"))
        return Asked(
            pass_=self.form.text("pass"),
            key=self.form.text("key"),
            values={name: values[0] for name, values in self.form.fields.items() if values},
            is_verified=citizen is not None and citizen.verification_id is not None,
            place=await _place(self.parts, self.form.text("uscc"), self.form.text("site_id"))
            if self.form.text("uscc") or self.form.text("site_id")
            else None,
        )

    async def _send_code(self, write: CitizenWrite) -> Response[Any]:
        phone = self.form.text("phone")
        sent = await self.parts.work.run(GATE, lambda tx: visitors.send_code(tx, phone, write.caller, write.proof))
        self.form.fields["verification"] = [str(sent.id)]
        note = "验证码已发送，5分钟内有效。"
        return _page(_RENDERED[self.action](await self._asked(), note=note))

    async def _verified(self, write: CitizenWrite) -> CitizenWrite:
        """The write by a pass that stands for the phone, once the code that was typed is right."""
        code = self.form.text("code")
        if not code or write.citizen.verification_id is not None:
            return write
        try:
            verification = UUID(self.form.text("verification"))
        except ValueError as broken:
            raise CodeNotUsable("请先发送验证码。", field="phone") from broken
        tried = await self.parts.work.run(
            GATE, lambda tx: visitors.try_code(tx, verification, code, write.caller, write.proof)
        )
        if not tried.is_proven:
            raise CodeWrong(f"验证码不正确，还可以试{tried.tries_left}次。", field="code")
        proven = self.parts.passes.make(
            self.parts.clock(), verification_id=tried.verification_id, phone_index=tried.phone_index
        )
        self.form.fields["pass"] = [self.parts.passes.write(msgspec.structs.replace(proven, id=write.citizen.id))]
        return write_of_form(self.request, self.form)

    async def _show_own(self, write: CitizenWrite) -> Response[Any]:
        """What the phone that was just verified has, with a link by which it is managed."""
        async with self.parts.work.reading() as connection:
            subscriber_id = await operations.subscriber_of_phone(connection, write.citizen)
        return await _own(self.parts, subscriber_id)

    async def _subscribe(self, write: CitizenWrite) -> Response[Any]:
        answer = await subscribe_by_pass(self.parts, write, _new(self.form))
        accepted = msgspec.json.decode(answer.body, type=Accepted[SubscriptionAnswer])
        return _page(subscription_pages.render_asked(accepted.result), 201)


def _new(form: Form) -> NewSubscription:
    """What the form says; fields that the chosen topic and channel have no use for are left. Raises `InvalidField`."""
    topic = _chosen(Topic, form, "topic", "请选择订阅的内容。")
    channel = _chosen(DigestChannel, form, "channel", "请选择短信或邮件。")
    try:
        site_id = UUID(form.text("site_id")) if topic is Topic.SITE else None
    except ValueError as broken:
        raise InvalidField("没有查到该场所。", field="site_id") from broken
    return NewSubscription(
        topic=topic,
        channel=channel,
        frequency=_chosen(Frequency, form, "frequency", "请选择多久一次。"),
        uscc=form.text("uscc") if topic is Topic.ENTERPRISE else None,
        site_id=site_id,
        scene_code=form.text("scene_code") if topic is Topic.SCENE else None,
        region_code=form.text("region_code") or None if topic not in {Topic.ENTERPRISE, Topic.SITE} else None,
        keywords=_SEPARATOR.split(form.text("keywords")) if topic is Topic.KEYWORDS else [],
        email=form.text("email") if channel is DigestChannel.EMAIL else None,
    )


def _chosen(kind: type[_Choice], form: Form, field: str, refusal: str) -> _Choice:
    try:
        return kind(form.text(field))
    except ValueError as none:
        raise InvalidField(refusal, field=field) from none


# ---- confirmed by the mailed link


@get("/subscriptions/confirm/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_confirmation(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The button that confirms; the link alone confirms nothing."""
    try:
        found = await unconfirmed_by_link(request, token)
    except DomainError as error:
        return _refusal(error)
    return _page(subscription_pages.render_confirm(found, f"/subscriptions/confirm/{token}"))


@post("/subscriptions/confirm/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def confirm_by_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """确认订阅."""
    try:
        answer = await confirm_by_link(request, token)
    except DomainError as error:
        return _refusal(error)
    return _page(subscription_pages.render_begun(answer))


# ---- seen and ended by the link of each digest


async def _own(parts: Parts, subscriber_id: UUID, note: str | None = None) -> Response[bytes]:
    token = SubscriptionLinks(parts.keys).write(LinkPurpose.MANAGE, subscriber_id)
    try:
        async with parts.work.reading() as connection:
            own = await operations.read_own(connection, parts.vault, subscriber_id)
    except NotFound:
        return _page(subscription_pages.render_ended())
    return _page(subscription_pages.render_own(own, f"/subscriptions/{token}", note))


@get("/subscriptions/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_own_subscriptions(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[bytes]:
    """我的订阅 with buttons to end them; opening it ends nothing."""
    try:
        subscriber_id = await subscriber_by_link(request, token)
    except DomainError as error:
        return _refusal(error)
    return await _own(parts, subscriber_id)


@post("/subscriptions/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def end_by_page(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[bytes]:
    """退订 of one or all by a button; of all by a mail program's one click (`List-Unsubscribe=One-Click`, RFC 8058)."""
    try:
        subscriber_id = await subscriber_by_link(request, token)
        async with read_form(request) as form:
            named = _ALL if form.text("List-Unsubscribe") == "One-Click" else form.text("subscription")
        subscription_id = None if named == _ALL else _named(named)
        await end_of(parts, subscriber_id, subscription_id)
    except DomainError as error:
        return _refusal(error)
    return await _own(parts, subscriber_id, note="已退订。")


def _named(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as broken:
        raise InvalidField("请选择要退订的内容。", field="subscription") from broken


# ---- the digest behind the link of an SMS


@get("/d/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_digest(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """订阅摘要: what of it is public still; it tells nobody who subscribed to what."""
    try:
        found = await digest_by_link(request, token)
    except DomainError as error:
        return _refusal(error)
    return _page(subscription_pages.render_digest(to_digest_view(found), f"/d/{token}/end"))


@get("/d/{token:str}/end", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_digest_ending(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The button that ends all; opening it ends nothing."""
    try:
        await digest_by_link(request, token)
    except SubscriptionLinkOver:
        return _page(subscription_pages.render_ended())
    except DomainError as error:
        return _refusal(error)
    return _page(subscription_pages.render_ending(f"/d/{token}/end"))


@post("/d/{token:str}/end", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def end_digest_by_page(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[bytes]:
    """退订 of all of the number that the digest went to; twice is once."""
    try:
        found = await digest_by_link(request, token)
        await end_of(parts, found.digest.subscriber_id)
    except SubscriptionLinkOver:
        return _page(subscription_pages.render_ended())
    except DomainError as error:
        return _refusal(error)
    return _page(subscription_pages.render_ended())


subscription_pages_router = Router(
    "/",
    route_handlers=[
        open_subscription_form,
        send_subscription_form,
        open_phone_form,
        send_phone_form,
        open_confirmation,
        confirm_by_page,
        open_own_subscriptions,
        end_by_page,
        open_digest,
        open_digest_ending,
        end_digest_by_page,
    ],
    tags=["subscription"],
)
