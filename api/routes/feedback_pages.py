"""信息反馈 as pages: a form on a checklist or manual, its receipt, and the answer by query code; no JavaScript."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api import pages
from api.auth import permit_anyone
from api.citizen import caller_of, form_pass, proof_of, write_of_form
from api.forms import Form, read_form
from api.pages import feedback as feedback_pages
from api.pages.challenge import challenge_page
from api.pages.feedback import Sent
from api.problems import kind_of
from api.public_reader import HTML
from api.routes.feedback import follow_up, give_by_pass, receipt_of
from api.wiring import Parts
from domain.feedback import operations
from domain.feedback.model import About, FeedbackKind, FeedbackOrder, Subject
from domain.shared.errors import DomainError, InvalidField, NotFound
from domain.visitor.rules import ProofRequired

_FORM: Final = "/feedback"
_FOLLOW_UP: Final = "/feedback/follow-up"
_HEADERS: Final = {**pages.HEADERS, "Cache-Control": "no-store"}


def _page(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=HTML, headers=_HEADERS)


async def _subject(parts: Parts, sent: Sent) -> Subject:
    async with parts.work.reading() as connection:
        return await operations.find_subject(connection, sent.about, sent.about_id, sent.item_code)


def _gone(error: DomainError) -> Response[bytes]:
    body = pages.render("ended.html", heading="无法在此提意见", paragraphs=[error.detail], hotline="12345")
    return _page(body, kind_of(error).status)


@get(
    "/feedback/new",
    opt=permit_anyone(),
    operation_id="openFeedbackForm",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_feedback_form(
    parts: NamedDependency[Parts],
    manual: Annotated[UUID | None, QueryParameter(description="经营手册")] = None,
    checklist: Annotated[UUID | None, QueryParameter(description="检查单")] = None,
    item: Annotated[str | None, QueryParameter(description="其中的一项", max_length=40)] = None,
) -> Response[bytes]:
    """提意见."""
    about_id = manual or checklist
    if about_id is None:
        return _gone(NotFound("请从手册或检查单页面进入。"))
    sent = Sent(
        about=About.MANUAL if manual else About.CHECKLIST,
        about_id=about_id,
        item_code=item or None,
        pass_=form_pass(parts),
        key=str(uuid4()),
    )
    try:
        subject = await _subject(parts, sent)
    except DomainError as error:
        return _gone(error)
    return _page(feedback_pages.render_form(subject, sent))


@post(_FORM, opt=permit_anyone(), operation_id="sendFeedbackForm", media_type=MediaType.HTML, include_in_schema=False)
async def send_feedback_form(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """The form as it was sent; whatever is wrong, it comes back as it was typed."""
    async with read_form(request) as form:
        try:
            sent = _sent(parts, form)
            subject = await _subject(parts, sent)
        except DomainError as error:
            return _gone(error)
        try:
            write = write_of_form(request, form)
            answer = await give_by_pass(parts, write, _order(sent))
        except ProofRequired as error:
            return challenge_page(parts, error, _FORM, form.fields)
        except DomainError as error:
            return _page(feedback_pages.render_form(subject, sent, fault=error), kind_of(error).status)
    return _page(feedback_pages.render_receipt(subject, receipt_of(parts, answer).result))


def _sent(parts: Parts, form: Form) -> Sent:
    """Raises `InvalidField`."""
    try:
        about, about_id = About(form.text("about")), UUID(form.text("about_id"))
    except ValueError as broken:
        raise InvalidField("请从手册或检查单页面进入。", field="about_id") from broken
    return Sent(
        about=about,
        about_id=about_id,
        item_code=form.text("item_code") or None,
        pass_=form_pass(parts, form.text("pass")),
        key=form.text("key") or str(uuid4()),
        kind=form.text("kind"),
        text=form.text("text"),
    )


def _order(sent: Sent) -> FeedbackOrder:
    """Raises `InvalidField`."""
    if sent.kind not in set(FeedbackKind):
        raise InvalidField("请选择是疑问还是建议。", field="kind")
    return FeedbackOrder(
        kind=FeedbackKind(sent.kind),
        about=sent.about,
        about_id=sent.about_id,
        item_code=sent.item_code,
        text=sent.text,
    )


@get(
    _FOLLOW_UP,
    opt=permit_anyone(),
    operation_id="openFeedbackFollowUp",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_feedback_follow_up() -> Response[bytes]:
    """查询意见反馈的答复."""
    return _page(feedback_pages.render_follow_up())


@post(
    _FOLLOW_UP,
    opt=permit_anyone(),
    operation_id="sendFeedbackFollowUp",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def send_feedback_follow_up(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """The answer by query code."""
    async with read_form(request) as form:
        code = form.text("code")
        try:
            status = await follow_up(parts, caller_of(request), code, proof_of(parts, form.text("proof")))
        except ProofRequired as error:
            return challenge_page(parts, error, _FOLLOW_UP, form.fields)
        except DomainError as error:
            return _page(feedback_pages.render_follow_up(code=code, fault=error), kind_of(error).status)
    return _page(feedback_pages.render_follow_up(code=code, status=status))


feedback_pages_router = Router(
    "/",
    route_handlers=[open_feedback_form, send_feedback_form, open_feedback_follow_up, send_feedback_follow_up],
    tags=["feedback"],
)
