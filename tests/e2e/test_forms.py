"""Forms without JavaScript, read as a stream: texts, files, limits; and the page that asks for a proof of work."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar, Request, Response, post
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_200_OK

from api.attachment_files import take_in_form_files
from api.citizen import form_pass, write_of_form
from api.forms import FORM_BYTES, read_form
from api.pages.challenge import challenge_page
from api.problems import answer_domain_error, answer_http_error
from api.wiring import Parts
from domain.evidence import model
from domain.evidence.blobs import original_key
from domain.shared.errors import DomainError
from domain.shared.transaction import Outcome, Transaction
from domain.visitor.model import LimitKind
from domain.visitor.rules import ProofRequired
from tests.support.citizens import solve
from tests.support.client import Api, refused
from tests.support.files import digest_of, film, noisy_photo, picture
from tests.support.visits import rows

MEBIBYTE = 1024 * 1024


@post("/read", status_code=HTTP_200_OK, request_max_body_size=FORM_BYTES)
async def read(request: Request[Any, Any, Any]) -> Any:
    """What a form says."""
    async with read_form(request) as form:
        return {
            "fields": form.fields,
            "files": [[file.field, file.draft.digest().hex(), file.draft.size] for file in form.files],
        }


@post("/file", status_code=HTTP_200_OK, request_max_body_size=FORM_BYTES)
async def file_something(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A page of a room: takes photos in, counts the write, does it."""
    parts: Parts = request.app.state.parts
    async with read_form(request) as form:
        sent = write_of_form(request, form)
        digests = await take_in_form_files(parts, sent, form, "photo")

        async def act(tx: Transaction) -> Outcome[list[str]]:
            await sent.spend(tx, LimitKind.TIP_OFF)
            return Outcome(answer=[digest.hex() for digest in digests])

        try:
            answer = await parts.work.submit(sent.write, act)
        except ProofRequired as asked:
            fields = form.fields | {"photo_digest": [digest.hex() for digest in digests]}
            return challenge_page(parts, asked, "/file", fields)
    return Response(answer.body, media_type="application/json")


@pytest_asyncio.fixture(loop_scope="module")
async def pages(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before those two pages."""
    app = Litestar(
        [read, file_something],
        exception_handlers={DomainError: answer_domain_error, HTTPException: answer_http_error},
        openapi_config=None,
        logging_config=None,
    )
    app.state.update({"parts": api.parts, "settings": api.app.state.settings})
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] - Litestar's stricter ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://yima.test") as http:
        yield http


def multipart(boundary: str, *segments: tuple[str, bytes], end: str = "--") -> bytes:
    """A body as a browser writes it; each segment is its headers' rest and its content."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in segments
    )
    return body + f"--{boundary}{end}\r\n".encode()


async def send(pages: httpx.AsyncClient, body: bytes, boundary: str = "b0undary") -> httpx.Response:
    return await pages.post(
        "/read", content=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )


# What a form says


async def test_an_urlencoded_form_is_read(pages: httpx.AsyncClient) -> None:
    said = (await pages.post("/read", data={"what": "油锅旁\r\n没有盖", "kind": ["a", "b"], "none": ""})).json()
    assert said == {"fields": {"what": ["油锅旁\n没有盖"], "kind": ["a", "b"], "none": [""]}, "files": []}


async def test_a_multipart_form_is_read_with_its_files(pages: httpx.AsyncClient) -> None:
    photo, recording = picture(), film(payload=bytes(range(256)) * 4 * 1024 * 3)
    body = multipart(
        "b0undary",
        ('name="what"', "后厨“老鼠”".encode()),
        ('name="photo"; filename="../../etc/照片.jpg"\r\nContent-Type: image/jpeg', photo),
        ('name="photo"; filename=""\r\nContent-Type: application/octet-stream', b""),
        ('name="wish"', "改\r\n正".encode()),
        ('name="film"; filename="a.mp4"\r\nContent-Type: text/html', recording),
    )
    response = await send(pages, body)
    assert response.json() == {
        "fields": {"what": ["后厨“老鼠”"], "wish": ["改\n正"]},
        "files": [["photo", digest_of(photo), len(photo)], ["film", digest_of(recording), len(recording)]],
    }


async def test_a_form_is_read_however_it_is_cut_into_pieces(api: Api, pages: httpx.AsyncClient) -> None:
    photo = noisy_photo(30_000)
    body = multipart("b0undary", ('name="what"', "热\r\n--b0undar".encode()), ('name="p"; filename="x"', photo))

    async def crumbs(size: int) -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    headers = {"Content-Type": 'multipart/form-data; charset=utf-8; boundary="b0undary"'}
    for size in (1, 7, 61, 4096):
        said = (await pages.post("/read", content=crumbs(size), headers=headers)).json()
        assert said == {
            "fields": {"what": ["热\n--b0undar"]},
            "files": [["p", digest_of(photo), len(photo)]],
        }
    assert api is not None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"a=b"),
        ("", b"a=b"),
        ("multipart/form-data", multipart("b", ('name="a"', b"1"))),
        ("multipart/form-data; boundary=", multipart("b", ('name="a"', b"1"))),
        ("multipart/form-data; boundary=" + "x" * 71, multipart("x" * 71, ('name="a"', b"1"))),
        ("multipart/form-data; boundary=b\x01c", multipart("b\x01c", ('name="a"', b"1"))),
        ("multipart/form-data; boundary=other", multipart("b", ('name="a"', b"1"))),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary anywhere"),
        ("multipart/form-data; boundary=b", multipart("b", ('name="a"', b"1"))[:-8]),
        ("multipart/form-data; boundary=b", multipart("b", ('name="a"', b"1"), end="")),
        ("multipart/form-data; boundary=b", multipart("b", ('name=""', b"1"))),
        ("multipart/form-data; boundary=b", multipart("b", ('filename="a.jpg"', b"1"))),
        ("multipart/form-data; boundary=b", multipart("b", ('name="a"', b"\xff\xfe"))),
        ("multipart/form-data; boundary=b", multipart("b", ('name="a"', b"\x00"))),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X: y\r\n" * 500 + b"\r\n1\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: " + b"x" * 9000),
        ("application/x-www-form-urlencoded", b"a=%ff%fe"),
        ("application/x-www-form-urlencoded", b"a=%00"),
        ("application/x-www-form-urlencoded", "a=油".encode()),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(99))),
    ],
)
async def test_what_is_no_form_is_told_so(pages: httpx.AsyncClient, content_type: str, body: bytes) -> None:
    response = await pages.post("/read", content=body, headers={b"Content-Type": content_type.encode()})
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["type"].rpartition(":")[2]) in {
        (400, "form-unreadable"),
        (422, "invalid-field"),
    }


async def test_too_much_is_told_so(pages: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(f'name="p"; filename="{number}"', b"x") for number in range(10)]
    refused(await send(pages, multipart("b0undary", *many)), 422, "invalid-field", "p")
    fields = [(f'name="a{number}"', b"x") for number in range(81)]
    refused(await send(pages, multipart("b0undary", *fields)), 422, "invalid-field")
    refused(await send(pages, multipart("b0undary", ('name="a"', b"x" * 33_000))), 422, "invalid-field")
    lengthy = [(f'name="a{number}"', b"x" * 32_000) for number in range(9)]
    refused(await send(pages, multipart("b0undary", *lengthy)), 422, "invalid-field")
    monkeypatch.setattr("domain.evidence.rules.MAX_FILE_BYTES", 5000)
    refused(await send(pages, multipart("b0undary", ('name="p"; filename="x"', bytes(5001)))), 413, "too-large")
    assert model.MAX_FILE_BYTES == 20 * MEBIBYTE
    refused(
        await pages.post(
            "/read", content=b"x" * 300_000, headers={"Content-Type": "application/x-www-form-urlencoded"}
        ),
        422,
        "invalid-field",
    )


# What a room does with it


def told(page: httpx.Response) -> dict[str, list[str]]:
    """The hidden fields of the page between."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text):
        found.setdefault(unescape(name), []).append(unescape(value))
    return found


async def test_a_form_is_filed_once_and_its_photos_belong_to_its_pass(api: Api, pages: httpx.AsyncClient) -> None:
    photo, token = picture(), form_pass(api.parts)
    form = {"pass": token, "key": str(uuid4()), "what": "油烟"}

    async def tap(content: bytes = photo) -> httpx.Response:
        return await pages.post("/file", data=form, files=[("photo", ("x.jpg", content, "image/jpeg"))])

    first, second = await tap(), await tap()

    assert first.json()["result"] == second.json()["result"] == [digest_of(photo)]
    assert first.content == second.content
    (upload,) = await rows(api, "attachment_upload")
    assert upload["uploader_id"] == api.parts.passes.read(token, api.clock()).id
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(photo)))) == photo
    refused(await tap(b"<svg/>"), 415, "evidence-type-refused")
    form["what"] = "别的"
    refused(await tap(), 422, "idempotency-key-reused", "Idempotency-Key")
    form["pass"] = "x"
    refused(await tap(), 401, "pass-required")
    refused(await pages.post("/file", data={"pass": token}), 422, "invalid-field", "key")


async def test_a_large_file_keeps_its_bytes_on_its_way_through_the_draft(api: Api, pages: httpx.AsyncClient) -> None:
    recording = film(payload=bytes(range(256)) * 4 * 1024 * 6)
    form = {"pass": form_pass(api.parts), "key": str(uuid4())}
    response = await pages.post("/file", data=form, files=[("photo", ("x.mp4", recording, "video/mp4"))])
    assert response.json()["result"] == [digest_of(recording)]
    assert await api.parts.blobs.get(original_key(bytes.fromhex(digest_of(recording)))) == recording


async def test_the_page_between_loses_nothing_that_was_typed(api: Api, pages: httpx.AsyncClient) -> None:
    photo, token = picture(), form_pass(api.parts)
    for _ in range(6):
        filed = await pages.post("/file", data={"pass": token, "key": str(uuid4())})
        assert filed.status_code == 200
    form = {"pass": token, "key": str(uuid4()), "what": '"><script>alert(1)</script>', "kind": ["a", "b"]}

    page = await pages.post("/file", data=form, files=[("photo", ("x.jpg", photo, "image/jpeg"))])

    assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["content-security-policy"].count("script-src 'sha256-") == 1
    assert "<script>alert" not in page.text
    kept = told(page)
    assert kept == {
        "pass": [token],
        "key": [form["key"]],
        "what": [form["what"]],
        "kind": ["a", "b"],
        "photo_digest": [digest_of(photo)],
        "proof": [""],
    }
    (challenge,) = re.findall(r'data-challenge="([^"]*)"', page.text)
    kept["proof"] = [solve(msgspec.json.decode(unescape(challenge)))]
    passed = await pages.post("/file", data=kept)
    assert (passed.status_code, passed.json()["result"]) == (200, [digest_of(photo)])


def test_a_pass_goes_on_while_its_form_is_open(api: Api) -> None:
    from datetime import timedelta

    parts, now = api.parts, api.clock()
    token = form_pass(parts)
    assert form_pass(parts, token) == token
    verified = parts.passes.write(parts.passes.make(now, verification_id=uuid4(), phone_index=bytes(32)))
    api.clock.advance(timedelta(hours=1))
    for old in (token, verified):
        renewed = parts.passes.read(form_pass(parts, old), api.clock())
        known = parts.passes.recognise(old)
        assert known is not None
        assert (renewed.id, renewed.verification_id) == (known.id, None)
    api.clock.advance(timedelta(hours=12))
    for text in (token, "nonsense", None):
        assert parts.passes.read(form_pass(parts, text), api.clock()).id != parts.passes.recognise(token)
