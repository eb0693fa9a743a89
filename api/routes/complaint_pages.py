"""投诉, 举报 and their follow-up as pages: forms with photos that need no JavaScript and lose nothing typed."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api import pages
from api.attachment_files import take_in_form_files
from api.auth import permit_anyone
from api.citizen import GATE, CitizenWrite, caller_of, count, form_pass, proof_of, write_of_form
from api.complaint_desk import prove, receipt_of
from api.forms import FORM_BYTES, Form, read_form
from api.pages import complaint as complaint_pages
from api.pages.challenge import challenge_page
from api.pages.complaint import Fault, Sent, fault_of
from api.problems import kind_of
from api.routes.public_complaint import file_complaint_of, file_tip_off_of
from api.wiring import Parts
from domain.complaint import filing, following
from domain.complaint.filing import Matter
from domain.complaint.following import FollowUp, Sought
from domain.complaint.model import GrievanceKind, GrievanceType, NewGrievance
from domain.complaint.store import Place
from domain.shared.errors import DomainError, InvalidField
from domain.shared.transaction import Outcome, Transaction
from domain.visitor import operations as visitors
from domain.visitor.model import LimitKind
from domain.visitor.rules import CodeNotUsable, CodeWrong, ProofRequired

HTML: Final = "text/html"
FOLLOW_UP: Final = "/complaints/follow-up"
_HEADERS: Final = {**pages.HEADERS, "Cache-Control": "no-store"}
_LEAST_TO_COMPARE: Final = 10
Door = str | UUID
"""What leads to the place: the code that was scanned, or the id of a site that was found by search."""
_PATHS: Final = {GrievanceKind.COMPLAINT: "complaint", GrievanceKind.TIP_OFF: "tip-off"}


def _page(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=HTML, headers=_HEADERS)


def _ended(error: DomainError) -> Response[bytes]:
    """A code of nobody, replaced or revoked, or a place that nobody here looks after: told kindly."""
    body = pages.render("ended.html", heading="无法在此提交", paragraphs=[error.detail], hotline="12345")
    return _page(body, kind_of(error).status)


async def _place(parts: Parts, door: Door) -> Place:
    code, site_id = (door, None) if isinstance(door, str) else (None, door)
    async with parts.work.reading() as connection:
        return await filing.find_place(connection, code, site_id, parts.code_keys)


def _action(door: Door, kind: GrievanceKind) -> str:
    return f"/{'c' if isinstance(door, str) else 's'}/{door}/{_PATHS[kind]}"


def _link(parts: Parts, kind: GrievanceKind) -> str | None:
    """全国12315, for a 投诉."""
    return parts.consumer_complaints.link(GrievanceType.CONSUMER_DISPUTE) if kind is GrievanceKind.COMPLAINT else None


# ---- the empty forms


async def _empty(parts: Parts, kind: GrievanceKind, door: Door) -> Response[bytes]:
    try:
        place = await _place(parts, door)
    except DomainError as error:
        return _ended(error)
    sent = Sent(pass_=form_pass(parts), key=str(uuid4()))
    return _page(complaint_pages.render_form(kind, place, _action(door, kind), sent, link=_link(parts, kind)))


@get("/c/{token:str}/complaint", opt=permit_anyone(), media_type=MediaType.HTML, operation_id="openComplaintForm")
async def open_complaint_form(parts: NamedDependency[Parts], token: FromPath[str]) -> Response[Any]:
    """我要投诉."""
    return await _empty(parts, GrievanceKind.COMPLAINT, token)


@get("/c/{token:str}/tip-off", opt=permit_anyone(), media_type=MediaType.HTML, operation_id="openTipOffForm")
async def open_tip_off_form(parts: NamedDependency[Parts], token: FromPath[str]) -> Response[Any]:
    """我要举报."""
    return await _empty(parts, GrievanceKind.TIP_OFF, token)


@get("/s/{site_id:uuid}/complaint", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_complaint_form_of_site(parts: NamedDependency[Parts], site_id: FromPath[UUID]) -> Response[Any]:
    """我要投诉, about a site that was found by search."""
    return await _empty(parts, GrievanceKind.COMPLAINT, site_id)


@get("/s/{site_id:uuid}/tip-off", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_tip_off_form_of_site(parts: NamedDependency[Parts], site_id: FromPath[UUID]) -> Response[Any]:
    """我要举报, about a site that was found by search."""
    return await _empty(parts, GrievanceKind.TIP_OFF, site_id)


# ---- a form that was sent


class _Filing:
    """One sending of a form: what it says, and what is to be shown again if something is wrong with it."""

    def __init__(self, request: Request[Any, Any, Any], kind: GrievanceKind, door: Door, place: Place) -> None:
        self.request = request
        self.parts: Parts = request.app.state.parts
        self.kind = kind
        self.door = door
        self.place = place
        self.action = _action(door, kind)

    async def take(self, form: Form) -> Response[Any]:
        """Take in files, send a code, or file it; whatever goes wrong, the form comes back as it was typed."""
        _complete(self.parts, form)
        try:
            write = write_of_form(self.request, form)
            await _keep_files(self.parts, write, form)
            if form.text("act") == "send_code":
                return await self._send_code(form, write)
            return await self._file(form, await self._verified(form, write))
        except ProofRequired as error:
            return challenge_page(self.parts, error, self.action, form.fields)
        except DomainError as error:
            return self.again(form, error)

    def again(self, form: Form, error: DomainError) -> Response[Any]:
        """The form once more, with what is wrong."""
        return _page(self._form(form, fault=fault_of(error)), kind_of(error).status)

    def _form(self, form: Form, *, fault: Fault | None = None, note: str | None = None, alike: int = 0) -> bytes:
        return complaint_pages.render_form(
            self.kind,
            self.place,
            self.action,
            _sent(self.parts, form),
            fault=fault,
            note=note,
            alike=alike,
            link=_link(self.parts, self.kind),
        )

    async def _send_code(self, form: Form, write: CitizenWrite) -> Response[Any]:
        sent = await self.parts.work.run(
            GATE, lambda tx: visitors.send_code(tx, form.text("phone"), write.caller, write.proof)
        )
        form.fields["verification"] = [str(sent.id)]
        alike = await self._alike(form)
        return _page(self._form(form, note="验证码已发送，5分钟内有效。请填写后提交。", alike=alike))

    async def _alike(self, form: Form) -> int:
        """How many 投诉 are likely the same, told before anything is sent."""
        text, type_ = form.text("description"), form.text("type")
        if len(text) < _LEAST_TO_COMPARE or type_ not in set(GrievanceType):
            return 0
        matter = Matter(type=GrievanceType(type_), text=text, now=self.parts.clock())
        async with self.parts.work.reading() as connection:
            return await filing.count_likely_duplicates(connection, self.parts.vault, self.place.site_id, matter)

    async def _verified(self, form: Form, write: CitizenWrite) -> CitizenWrite:
        """The write by a pass that stands for the phone, once the code that was typed is right."""
        code = form.text("code")
        if not code or write.citizen.verification_id is not None:
            return write
        verification = _uuid(form.text("verification"))
        tried = await self.parts.work.run(
            GATE, lambda tx: visitors.try_code(tx, verification, code, write.caller, write.proof)
        )
        if not tried.is_proven:
            raise CodeWrong(f"验证码不正确，还可以试{tried.tries_left}次。", field="code")
        proven = self.parts.passes.make(
            self.parts.clock(), verification_id=tried.verification_id, phone_index=tried.phone_index
        )
        # Under the same id: the files that were handed in with this form stay its own.
        form.fields["pass"] = [self.parts.passes.write(msgspec.structs.replace(proven, id=write.citizen.id))]
        return write_of_form(self.request, form)

    async def _file(self, form: Form, write: CitizenWrite) -> Response[Any]:
        new = _new(form, self.door)
        file = file_complaint_of if self.kind is GrievanceKind.COMPLAINT else file_tip_off_of
        accepted = await receipt_of(self.parts, await file(self.parts, write, new))
        address = f"{self.parts.public_url}{FOLLOW_UP}"
        return _page(complaint_pages.render_receipt(accepted.result, self.place, address), 201)


async def _count_form(request: Request[Any, Any, Any], parts: Parts) -> None:
    """Counted before a byte of it is read, whatever becomes of it. Raises `TooManyWrites`."""
    await count(parts, LimitKind.FORM, caller_of(request), GATE)


def _complete(parts: Parts, form: Form) -> None:
    """A pass that is good and a key, where the form has lost them."""
    form.fields["pass"] = [form_pass(parts, form.text("pass"))]
    if not form.text("key"):
        form.fields["key"] = [str(uuid4())]


async def _keep_files(parts: Parts, write: CitizenWrite, form: Form) -> None:
    digests = await take_in_form_files(parts, write, form, "photos")
    form.fields["photos_digest"] = [digest.hex() for digest in digests]


def _sent(parts: Parts, form: Form) -> Sent:
    citizen = parts.passes.recognise(form.text("pass"))
    return Sent(
        pass_=form.text("pass"),
        key=form.text("key"),
        values={name: values[0] for name, values in form.fields.items() if values},
        digests=form.texts("photos_digest"),
        is_verified=citizen is not None and citizen.verification_id is not None,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as broken:
        raise CodeNotUsable("请先发送验证码。", field="phone") from broken


def _new(form: Form, door: Door) -> NewGrievance:
    """What the form says. Raises `InvalidField` for a type or a day that is none."""
    type_ = form.text("type")
    if type_ not in set(GrievanceType):
        raise InvalidField("请选择类型。", field="type")
    return NewGrievance(
        type=GrievanceType(type_),
        description=form.text("description"),
        consent_version=form.text("consent_version"),
        code=door if isinstance(door, str) else None,
        site_id=None if isinstance(door, str) else door,
        happened_on=_day(form.text("happened_on")),
        place=form.text("place") or None,
        wish=form.text("wish") or None,
        name=form.text("name") or None,
        attachments=form.texts("photos_digest"),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as broken:
        raise InvalidField("请填写日期，如2026-08-05。", field="happened_on") from broken


async def _posted(request: Request[Any, Any, Any], parts: Parts, kind: GrievanceKind, door: Door) -> Response[Any]:
    try:
        place = await _place(parts, door)
    except DomainError as error:
        return _ended(error)
    sending = _Filing(request, kind, door, place)
    try:
        await _count_form(request, parts)
        async with read_form(request) as form:
            return await sending.take(form)
    except DomainError as error:  # of a form that could not be read there is nothing to show again
        empty = Form()
        _complete(parts, empty)
        return sending.again(empty, error)


_sent_to = partial(
    post, opt=permit_anyone(), media_type=MediaType.HTML, request_max_body_size=FORM_BYTES, include_in_schema=False
)
"""A form sent to that path, by anybody."""


@_sent_to("/s/{site_id:uuid}/complaint")
async def send_complaint_form_of_site(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: FromPath[UUID]
) -> Response[Any]:
    """我要投诉 about a site that was found by search, sent."""
    return await _posted(request, parts, GrievanceKind.COMPLAINT, site_id)


@_sent_to("/s/{site_id:uuid}/tip-off")
async def send_tip_off_form_of_site(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: FromPath[UUID]
) -> Response[Any]:
    """我要举报 about a site that was found by search, sent."""
    return await _posted(request, parts, GrievanceKind.TIP_OFF, site_id)


@_sent_to("/c/{token:str}/complaint")
async def send_complaint_form(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """我要投诉, sent: the code by SMS, or the 投诉 itself."""
    return await _posted(request, parts, GrievanceKind.COMPLAINT, token)


@_sent_to("/c/{token:str}/tip-off")
async def send_tip_off_form(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """我要举报, sent."""
    return await _posted(request, parts, GrievanceKind.TIP_OFF, token)


# ---- follow-up


@get(FOLLOW_UP, opt=permit_anyone(), media_type=MediaType.HTML, operation_id="openFollowUpForm")
async def open_follow_up_form(parts: NamedDependency[Parts]) -> Response[Any]:
    """查询进度: asks for the query code."""
    sent = Sent(pass_=form_pass(parts), key=str(uuid4()))
    return _page(complaint_pages.render_follow_up(sent))


_DONE: Final = {"supplement": "补充材料已收到。", "withdraw": "已撤回。", "reopen": "已申请重新办理。"}


@_sent_to(FOLLOW_UP)
async def send_follow_up_form(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """查询进度, or one of the acts that the page offers."""
    try:
        await _count_form(request, parts)
        async with read_form(request) as form:
            _complete(parts, form)
            return await _follow_up(request, parts, form)
    except DomainError as error:
        sent = Sent(pass_=form_pass(parts), key=str(uuid4()))
        return _page(complaint_pages.render_follow_up(sent, fault=fault_of(error)), kind_of(error).status)


async def _follow_up(request: Request[Any, Any, Any], parts: Parts, form: Form) -> Response[Any]:
    sought: Sought | None = None
    try:
        proof = proof_of(parts, form.text("proof"))
        sought = await prove(parts, caller_of(request), form.text("query_code"), form.text("phone_tail"), proof)
        note = await _act(request, parts, form, sought)
    except ProofRequired as error:
        return challenge_page(parts, error, FOLLOW_UP, form.fields)
    except DomainError as error:
        found = None if sought is None else await _found(parts, sought)
        body = complaint_pages.render_follow_up(_sent(parts, form), found, fault=fault_of(error))
        return _page(body, kind_of(error).status)
    if note is not None:
        form.fields |= {"key": [str(uuid4())], "photos_digest": [], "text": [], "reason": []}
    body = complaint_pages.render_follow_up(_sent(parts, form), await _found(parts, sought), note=note)
    return _page(body)


async def _found(parts: Parts, sought: Sought) -> FollowUp:
    async with parts.work.reading() as connection:
        return await following.read_follow_up(connection, parts.vault, sought, parts.clock())


async def _act(request: Request[Any, Any, Any], parts: Parts, form: Form, sought: Sought) -> str | None:
    """What the page was sent for, and what it says when that is done; None for a mere look."""
    act = form.text("act")
    if act not in _DONE:
        return None
    write = write_of_form(request, form)
    await _keep_files(parts, write, form)

    async def carry_out(tx: Transaction) -> Outcome[Any]:
        await write.spend(tx, LimitKind.SUPPLEMENT)
        match act:
            case "supplement":
                digests = form.texts("photos_digest")
                return await following.supplement(tx, write.citizen, sought, form.text("text"), digests)
            case "withdraw":
                return await following.withdraw(tx, sought)
            case _:
                return await following.reopen(tx, sought, form.text("reason"))

    await parts.work.submit(write.write, carry_out)
    return _DONE[act]


complaint_pages_router = Router(
    "/",
    route_handlers=[
        open_complaint_form,
        open_complaint_form_of_site,
        open_tip_off_form_of_site,
        send_complaint_form_of_site,
        send_tip_off_form_of_site,
        open_tip_off_form,
        send_complaint_form,
        send_tip_off_form,
        open_follow_up_form,
        send_follow_up_form,
    ],
    tags=["complaint"],
)
