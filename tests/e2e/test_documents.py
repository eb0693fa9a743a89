"""执法文书 over HTTP: issued, rendered, fetched, sealed, revoked, verified; and the templates they are made of."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pypdfium2
import pytest
from PIL import Image

from api.paper_rendering import paper_key, render_document
from domain.document import operations, template_operations
from domain.document.automatic import samples_of
from domain.document.model import (
    DocumentKind,
    DocumentOrder,
    IssuedDocument,
    Paper,
    Paragraph,
    Photo,
    Photos,
    SealedDocument,
    Stamp,
)
from domain.document.render import Press, TypesettingFailed
from domain.document.template_model import DocumentTemplate
from domain.document.template_rules import NoUsableTemplate
from domain.document.templates import fill
from domain.evidence.blobs import BlobMissing, copy_key, original_key
from domain.identity.model import Principal
from domain.shared.events import Operator
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import INSTALLATION, NOW, World
from tests.support.visits import check_in, nothing_changes, rows

PERSON = "韦秀英"
SCAN = hashlib.sha256(b"the scan of the sealed paper").digest()


def a_paper(kind: DocumentKind = DocumentKind.RECTIFICATION_ORDER, *photos: bytes) -> Paper:
    """A paper that names a person."""
    return Paper(
        kind=kind,
        title=kind.label,
        authority="南宁市市场监督管理局",
        issued_on=date(2026, 8, 5),
        blocks=[
            Paragraph(f"{PERSON}在场。"),
            Photos([Photo(digest.hex(), "厨房") for digest in photos]),
            Stamp("南宁市市场监督管理局", date(2026, 8, 5)),
        ],
    )


async def issue(api: Api, world: World, paper: Paper | None = None, **changes: Any) -> IssuedDocument:
    """A paper of the market department for the world's inspection, issued as some act of a room above would."""
    content = paper or a_paper()
    order = DocumentOrder(
        kind=content.kind,
        subject_id=uuid4(),
        inspection_id=world.inspection,
        department_id=world.market.id,
        department_code=world.market.code,
        enterprise_id=world.enterprise.id,
        site_id=world.site.id,
        region=world.site.region,
        paper=content,
    )
    order = msgspec.structs.replace(order, **changes)

    async def operation(tx: Transaction) -> Outcome[IssuedDocument]:
        issued = await operations.issue_document(tx, order)
        return Outcome(answer=issued, events=(issued.event,), numbers=issued.numbers)

    return await api.parts.work.run(INSTALLATION, operation)


async def issue_rendered(api: Api, world: World, paper: Paper | None = None, **changes: Any) -> IssuedDocument:
    """The same, with its PDF."""
    issued = await issue(api, world, paper, **changes)
    await render_document(api.parts, issued.id.bytes)
    return issued


async def revoke(api: Api, document_id: UUID, reason: str = "文号有误") -> None:
    """文书撤销, as some act of a room above would."""

    async def operation(tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=(await operations.revoke_document(tx, document_id, reason),))

    await api.parts.work.run(INSTALLATION, operation)


async def stored(api: Api, document_id: UUID) -> SealedDocument:
    """The paper as it stands."""
    async with api.parts.work.reading() as connection:
        return await operations.find_document(connection, document_id)


async def give_word(api: Api, world: World) -> None:
    """The market department gets its 机关代字."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE department SET paper_word = '南市监' WHERE id = $1", world.market.id)


async def hand_in(api: Api, world: World, digest: bytes) -> None:
    """Evidence of the world's inspection."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO evidence_file (digest, media_type, size, copies, stored_at) "
            "VALUES ($1, 'application/pdf', 9, 'none', $2)",
            digest,
            NOW,
        )
        await connection.execute(
            "INSERT INTO evidence (inspection_id, digest, uploaded_by, is_of_enterprise, done_at, received_at) "
            "VALUES ($1, $2, $3, false, $4, $4)",
            world.inspection,
            digest,
            world.inspector.account_id,
            NOW,
        )


async def last_trace(api: Api) -> dict[str, Any]:
    """The newest row of the trace."""
    return (await rows(api, "trace"))[-1]


def text_of(pdf: bytes) -> str:
    """What a PDF says, without blanks."""
    document = pypdfium2.PdfDocument(pdf)
    said = "".join(document[number].get_textpage().get_text_range() for number in range(len(document)))
    document.close()
    return re.sub(r"\s", "", said)


def a_photo() -> bytes:
    """A JPEG."""
    target = io.BytesIO()
    Image.new("RGB", (1600, 1200), "teal").save(target, "JPEG")
    return target.getvalue()


# Issue


async def test_a_paper_is_issued_with_its_trace_and_its_number(api: Api, world: World) -> None:
    await give_word(api, world)
    issued = await issue(api, world, record_digest=bytes(32))

    document = await stored(api, issued.id)
    trace = await last_trace(api)

    assert document.number == "南市监责改〔2026〕1号"
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{16}", issued.verification_code)
    assert (trace["action"], trace["duty"], trace["subject_id"]) == ("document.issued", "文书制发", issued.id)
    assert (trace["department_id"], trace["region"], trace["site_id"]) == (
        world.market.id,
        world.site.region,
        world.site.id,
    )
    after = msgspec.json.decode(trace["after"])
    assert (after["inspection_id"], after["record_digest"]) == (str(world.inspection), "00" * 32)


async def test_the_content_is_sealed_and_not_in_the_trace(api: Api, world: World) -> None:
    issued = await issue(api, world)

    (row,) = await rows(api, "document")
    assert PERSON.encode() not in row["content_sealed"]
    assert PERSON not in str((await last_trace(api))["after"])
    assert operations.open_paper(api.parts.vault, await stored(api, issued.id)) == a_paper()


async def test_a_department_without_its_word_shows_the_internal_number(api: Api, world: World) -> None:
    issued = await issue(api, world)

    assert (await stored(api, issued.id)).number == "SJ01-2026-ZG-000001"


async def test_a_notice_bears_the_number_that_the_dispatch_gave(api: Api, world: World) -> None:
    issued = await issue(api, world, a_paper(DocumentKind.INSPECTION_NOTICE), is_numbered=False)
    record = await issue(api, world, a_paper(DocumentKind.INSPECTION_RECORD), is_numbered=False)

    assert (await stored(api, issued.id)).number == "SJ01-2026-TZ-000001"
    assert (await stored(api, record.id)).number is None


# The PDF


async def test_a_pdf_is_waited_for_and_then_fetched(api: Api, world: World) -> None:
    issued = await issue(api, world)
    inspector, path = api.as_(world.inspector), f"/api/v1/documents/{issued.id}/file.pdf"

    waiting = await inspector.get(path)
    refused(waiting, 409, "paper-not-ready")
    assert waiting.headers["retry-after"] == "2"

    await render_document(api.parts, issued.id.bytes)
    response = await inspector.get(path)

    digest = hashlib.sha256(response.content).hexdigest()
    assert response.status_code == 200
    assert response.headers["etag"] == f'"{digest}"'
    assert response.headers["content-type"] == "application/pdf"
    assert (await inspector.get(path, {"If-None-Match": f'"{digest}"'})).status_code == 304
    said = text_of(response.content)
    assert "SJ01-2026-ZG-000001" in said
    assert issued.verification_code in said.replace("-", "")
    assert "未盖章" in said
    card = (await inspector.get(f"/api/v1/documents/{issued.id}")).json()
    assert (card["state"], card["digest"], card["size"], card["page_count"]) == (
        "rendered",
        digest,
        len(response.content),
        1,
    )


async def test_rendering_is_traced_by_the_installation_once(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    await render_document(api.parts, issued.id.bytes)

    told = [row for row in await rows(api, "trace") if row["action"] == "document.rendered"]
    assert [(row["operator_name"], row["subject_id"]) for row in told] == [("系统", issued.id)]


async def test_two_workers_at_once_leave_one_pdf(api: Api, world: World) -> None:
    issued = await issue(api, world)

    await asyncio.gather(*(render_document(api.parts, issued.id.bytes) for _ in range(3)))

    assert len([row for row in await rows(api, "trace") if row["action"] == "document.rendered"]) == 1


async def test_a_rendering_that_was_cut_off_gives_the_same_pdf_again(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    first = (await stored(api, issued.id)).pdf_digest
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE document SET state = 'waiting', pdf_digest = NULL, rendered_at = NULL")

    await render_document(api.parts, issued.id.bytes)

    assert (await stored(api, issued.id)).pdf_digest == first


async def test_a_photo_that_is_not_there_yet_is_waited_for(api: Api, world: World) -> None:
    photo = a_photo()
    digest = hashlib.sha256(photo).digest()
    issued = await issue(api, world, a_paper(DocumentKind.RECTIFICATION_ORDER, digest))

    with pytest.raises(BlobMissing):
        await render_document(api.parts, issued.id.bytes)
    assert (await stored(api, issued.id)).state == "waiting"

    await api.parts.blobs.put(original_key(digest), photo)
    await render_document(api.parts, issued.id.bytes)
    with_original = (await stored(api, issued.id)).pdf_size
    assert with_original is not None


async def test_the_workers_copy_is_taken_before_the_original(api: Api, world: World) -> None:
    digest = hashlib.sha256(b"another photo").digest()
    await api.parts.blobs.put(copy_key(digest, "1600"), a_photo())

    issued = await issue_rendered(api, world, a_paper(DocumentKind.RECTIFICATION_ORDER, digest))

    assert (await stored(api, issued.id)).state == "rendered"


async def test_a_paper_that_cannot_be_set_is_told_and_tried_again(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await issue(api, world)
    monkeypatch.setattr("api.paper_rendering.PRESS", Press(time_limit=0.01))
    for _ in range(2):
        with pytest.raises(TypesettingFailed):
            await render_document(api.parts, issued.id.bytes)

    told = [row for row in await rows(api, "trace") if row["action"] == "document.not_rendered"]
    assert len(told) == 1
    refused(await api.as_(world.inspector).get(f"/api/v1/documents/{issued.id}/file.pdf"), 409, "paper-failed")

    monkeypatch.undo()
    await render_document(api.parts, issued.id.bytes)
    assert (await stored(api, issued.id)).state == "rendered"


# Who sees which paper


async def test_who_may_read_the_inspection_reads_its_papers(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    for who in (world.inspector, world.emergency_inspector, world.manager, world.emergency_manager, world.lead):
        actor = api.as_(who)
        listed = (await actor.get(f"/api/v1/inspections/{world.inspection}/documents")).json()["items"]
        assert [each["id"] for each in listed] == [str(issued.id)]
        assert (await actor.get(f"/api/v1/documents/{issued.id}")).status_code == 200
        assert (await actor.get(f"/api/v1/documents/{issued.id}/file.pdf")).status_code == 200


async def test_nobody_else_learns_that_there_is_a_paper(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    outsiders = (world.unassigned_inspector, world.foreign_lead, world.foreign_user, world.enterprise_user)
    for who in outsiders:
        actor = api.as_(who)
        refused(await actor.get(f"/api/v1/inspections/{world.inspection}/documents"), 404, "not-found")
        for path in ("", "/file.pdf"):
            hidden = await actor.get(f"/api/v1/documents/{issued.id}{path}")
            unknown = await actor.get(f"/api/v1/documents/{uuid4()}{path}")
            refused(hidden, 404, "not-found")
            assert hidden.json() == unknown.json()


async def test_the_enterprise_sees_its_papers_once_officers_came(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    accepted(await check_in(api, world))

    response = await api.as_(world.enterprise_user).get(f"/api/v1/documents/{issued.id}/file.pdf")

    assert response.status_code == 200


async def test_papers_are_searched_by_title_kind_and_enterprise(api: Api, world: World) -> None:
    first = await issue(api, world)
    api.clock.now += timedelta(seconds=1)  # ids of one millisecond have no order
    second = await issue(api, world, a_paper(DocumentKind.RESULT_NOTICE))
    manager = api.as_(world.manager)

    async def found(who: Principal = world.manager, **query: object) -> list[str]:
        return [each["id"] for each in (await api.as_(who).get("/api/v1/documents", **query)).json()["items"]]

    assert await found() == [str(second.id), str(first.id)]
    assert await found(name="责令") == [str(first.id)]
    assert await found(name="老友") == [str(second.id), str(first.id)]
    assert await found(kind="result_notice") == [str(second.id)]
    assert await found(name="%") == []
    assert await found(world.lead) == [str(second.id), str(first.id)]
    assert await found(world.emergency_manager) == await found(world.foreign_lead) == []
    page = (await manager.get("/api/v1/documents", limit=1)).json()
    assert [each["id"] for each in page["items"]] == [str(second.id)]
    assert await found(limit=1, cursor=page["next_cursor"]) == [str(first.id)]
    refused(await manager.get("/api/v1/documents", cursor="§"), 422, "invalid-field", "cursor")


# The seal


async def test_a_sealed_copy_is_noted(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    await hand_in(api, world, SCAN)
    path = f"/api/v1/documents/{issued.id}/sealed-copy"

    result = accepted(await api.as_(world.inspector).post(path, {"digest": SCAN.hex()}))

    assert result == {"document_id": str(issued.id), "seal": "paper", "digest": SCAN.hex()}
    trace = await last_trace(api)
    assert (trace["action"], trace["operator_id"]) == ("document.sealed", world.inspector.account_id)
    assert (await rows(api, "evidence"))[0]["referenced_at"] == NOW
    count = len(await rows(api, "trace"))
    accepted(await api.as_(world.manager).post(path, {"digest": SCAN.hex()}))
    assert len(await rows(api, "trace")) == count


async def test_a_scan_that_was_not_handed_in_is_refused(api: Api, world: World) -> None:
    issued = await issue(api, world)
    path = f"/api/v1/documents/{issued.id}/sealed-copy"

    async with nothing_changes(api):
        response = await api.as_(world.inspector).post(path, {"digest": SCAN.hex()})
    refused(response, 409, "evidence-missing", "digest")
    refused(await api.as_(world.inspector).post(path, {"digest": "00"}), 422, "invalid-field", "digest")


async def test_only_the_issuing_department_seals(api: Api, world: World) -> None:
    issued = await issue(api, world)
    await hand_in(api, world, SCAN)
    path = f"/api/v1/documents/{issued.id}/sealed-copy"

    for who in (world.emergency_inspector, world.emergency_manager):
        refused(await api.as_(who).post(path, {"digest": SCAN.hex()}), 403, "forbidden")
    refused(await api.as_(world.unassigned_inspector).post(path, {"digest": SCAN.hex()}), 404, "not-found")


async def test_a_sealed_paper_is_not_sealed_otherwise_nor_a_revoked_one(api: Api, world: World) -> None:
    issued, revoked = await issue(api, world), await issue(api, world)
    other = hashlib.sha256(b"another").digest()
    for digest in (SCAN, other):
        await hand_in(api, world, digest)
    await revoke(api, revoked.id)
    manager = api.as_(world.manager)
    accepted(await manager.post(f"/api/v1/documents/{issued.id}/sealed-copy", {"digest": SCAN.hex()}))

    again = await manager.post(f"/api/v1/documents/{issued.id}/sealed-copy", {"digest": other.hex()})
    late = await manager.post(f"/api/v1/documents/{revoked.id}/sealed-copy", {"digest": SCAN.hex()})

    refused(again, 409, "paper-already-sealed")
    refused(late, 409, "paper-already-revoked")


# Verification by anybody


async def verify(api: Api, code: str) -> dict[str, Any]:
    """What anybody is told, as JSON."""
    return (await api.anyone.get(f"/v/{code}", {"Accept": "application/json"})).json()


async def test_anybody_verifies_a_paper_by_its_code(api: Api, world: World) -> None:
    await give_word(api, world)
    issued = await issue_rendered(api, world)
    document = await stored(api, issued.id)
    assert document.pdf_digest is not None
    unsealed = {
        "state": "unsealed",
        "number": "南市监责改〔2026〕1号",
        "issued_on": "2026-08-05",
        "digest": document.pdf_digest.hex(),
        "record_digest": None,
    }

    assert await verify(api, issued.verification_code) == unsealed
    await hand_in(api, world, SCAN)
    accepted(await api.as_(world.manager).post(f"/api/v1/documents/{issued.id}/sealed-copy", {"digest": SCAN.hex()}))
    assert await verify(api, issued.verification_code) == {**unsealed, "state": "genuine"}
    await revoke(api, issued.id)
    assert await verify(api, issued.verification_code) == {**unsealed, "state": "revoked"}


async def test_a_record_is_signed_and_needs_no_seal(api: Api, world: World) -> None:
    issued = await issue(api, world, a_paper(DocumentKind.INSPECTION_RECORD), record_digest=bytes(range(32)))

    told = await verify(api, issued.verification_code)

    assert (told["state"], told["digest"], told["record_digest"]) == ("genuine", None, bytes(range(32)).hex())


async def test_the_page_says_the_same_and_names_nobody(api: Api, world: World) -> None:
    issued = await issue_rendered(api, world)
    document = await stored(api, issued.id)
    assert document.pdf_digest is not None

    page = await api.anyone.get(f"/V/{issued.verification_code}", {"Accept": "text/html"})

    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "真实，未盖章" in page.text
    assert document.pdf_digest.hex() in page.text
    assert "SJ01-2026-ZG-000001" in page.text
    for hidden in (PERSON, world.enterprise.name, world.enterprise.uscc, world.market.name, "责令改正"):
        assert hidden not in page.text
    await revoke(api, issued.id)
    assert "已撤销" in (await api.anyone.get(f"/v/{issued.verification_code}")).text


async def test_a_code_is_read_as_people_type_it(api: Api, world: World) -> None:
    issued = await issue(api, world)
    code = issued.verification_code.lower()

    typed = f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}".replace("0", "o").replace("1", "l")

    assert (await verify(api, typed))["state"] == "unsealed"


async def test_unknown_and_malformed_codes_are_told_apart_by_nobody(api: Api, world: World) -> None:
    await issue(api, world)
    codes = ["0" * 16, "Z" * 16, "short", "U" * 16, "%00" * 16, "验证码", "'" * 16, "0" * 300]
    for accept in ("text/html", "application/json"):
        answers = set[tuple[int, bytes, int]]()
        for code in codes:
            async with statements(api) as sent:
                answer = await api.anyone.get(f"/v/{code}", {"Accept": accept})
            answers.add((answer.status_code, answer.content, len(sent)))
        assert len(answers) == 1
        ((status, _, count),) = answers
        assert (status, count) == (404, 1)


async def test_a_known_code_costs_one_statement_too(api: Api, world: World) -> None:
    issued = await issue(api, world)

    async with statements(api) as sent:
        await verify(api, issued.verification_code)

    assert len(sent) == 1


# Templates


def a_text(**changes: object) -> dict[str, Any]:
    """A small template of result notices."""
    body = {
        "title": "检查结果告知书",
        "sections": [
            {"name": "抬头", "layout": "unindented", "text": "{party}："},
            {"name": "结论", "text": "{outcome}。[[补充说明|无]]"},
            {"name": "落款", "layout": "stamp"},
        ],
    }
    return {"name": "结果告知书", "body": body, **changes}


async def draft(api: Api, who: Principal, **changes: object) -> str:
    """A new version of the result notices' template; gives its id."""
    text = a_text(kind="result_notice", **changes)
    return accepted(await api.as_(who).post("/api/v1/document-templates", text))["id"]


def second_manager(world: World) -> Principal:
    """Another manager of the market department, as far as a token tells."""
    return msgspec.structs.replace(world.manager, account_id=uuid4(), name="另一管理员")


async def step(api: Api, who: Principal, template: str, name: str, note: str | None = None) -> Any:
    """One step of a template's life."""
    order = {"step": name} if note is None else {"step": name, "note": note}
    return await api.as_(who).post(f"/api/v1/document-templates/{template}/steps", order)


async def put_to_use(api: Api, world: World, template: str) -> None:
    """Submitted, approved by another, published."""
    other = second_manager(world)
    for who, name in ((world.manager, "submit"), (other, "approve"), (world.manager, "publish")):
        accepted(await step(api, who, template, name))


async def usable(api: Api, world: World) -> DocumentTemplate:
    """The market department's template of result notices."""
    async with api.parts.work.reading() as connection:
        return await template_operations.find_usable_template(connection, DocumentKind.RESULT_NOTICE, world.market.id)


async def test_a_template_is_drafted_reviewed_and_put_to_use(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    with pytest.raises(NoUsableTemplate):
        await usable(api, world)

    await put_to_use(api, world, template)

    assert str((await usable(api, world)).id) == template
    told = [row for row in await rows(api, "trace") if row["action"] == "document_template.changed"]
    states = [msgspec.json.decode(row["after"])["state"] for row in told]
    assert states == ["draft", "in_review", "disabled", "published"]
    assert {row["department_id"] for row in told} == {world.market.id}


async def test_nobody_reviews_their_own_template(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    accepted(await step(api, world.manager, template, "submit"))

    refused(await step(api, world.manager, template, "approve"), 403, "reviewer-is-author")
    refused(await step(api, world.manager, template, "publish"), 409, "template-step-not-possible", "step")


async def test_a_template_is_returned_with_a_note_and_corrected_even_by_its_reviewer(api: Api, world: World) -> None:
    template, other = await draft(api, world.manager), second_manager(world)
    accepted(await step(api, world.manager, template, "submit"))
    refused(await step(api, other, template, "return"), 422, "review-note-required", "note")
    accepted(await step(api, other, template, "return", "请写明期限"))

    detail = (await api.as_(world.manager).get(f"/api/v1/document-templates/{template}")).json()
    assert (detail["state"], detail["review_note"]) == ("returned", "请写明期限")
    path = f"/api/v1/document-templates/{template}"
    accepted(await api.as_(other).put(path, a_text(name="改过的")))
    accepted(await step(api, other, template, "submit"))
    refused(await step(api, other, template, "approve"), 403, "reviewer-is-author")
    accepted(await step(api, world.manager, template, "approve"))


async def test_a_new_version_takes_the_place_of_the_former(api: Api, world: World) -> None:
    first = await draft(api, world.manager)
    await put_to_use(api, world, first)
    second = await draft(api, world.manager, name="第二版")
    await put_to_use(api, world, second)

    listed = (await api.as_(world.manager).get("/api/v1/document-templates")).json()["items"]

    assert [(each["id"], each["version"], each["state"]) for each in listed] == [
        (second, 2, "published"),
        (first, 1, "disabled"),
    ]
    accepted(await step(api, world.manager, second, "disable"))
    with pytest.raises(NoUsableTemplate):
        await usable(api, world)


async def test_what_was_reviewed_is_neither_edited_nor_deleted(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    await put_to_use(api, world, template)
    manager, path = api.as_(world.manager), f"/api/v1/document-templates/{template}"

    refused(await manager.put(path, a_text()), 409, "template-not-editable")
    gone = await api.http.delete(path, headers={**manager.bearer(), "Idempotency-Key": "delete-0001"})
    refused(gone, 409, "template-not-editable")


async def test_a_draft_is_deleted_and_its_version_is_not_used_again(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    manager, path = api.as_(world.manager), f"/api/v1/document-templates/{template}"

    gone = await api.http.delete(path, headers={**manager.bearer(), "Idempotency-Key": "delete-0001"})

    assert accepted(gone) == {"id": template, "version": 1, "state": None}
    refused(await manager.get(path), 404, "not-found")
    again = accepted(await manager.post("/api/v1/document-templates", a_text(kind="result_notice")))
    assert again["version"] == 2


async def test_a_broken_template_is_refused_naming_its_section(api: Api, world: World) -> None:
    text = a_text(kind="result_notice")
    text["body"]["sections"][1]["text"] = "一\n{nobody}"

    async with nothing_changes(api):
        response = await api.as_(world.manager).post("/api/v1/document-templates", text)

    assert refused(response, 422, "template-broken", "body") == {"section": "结论", "line": 2}


async def test_a_department_works_on_its_own_templates_only(api: Api, world: World) -> None:
    template, common = await draft(api, world.manager), await draft(api, world.administrator)
    path = f"/api/v1/document-templates/{template}"
    other = api.as_(world.emergency_manager)

    refused(await other.get(path), 404, "not-found")
    refused(await other.put(path, a_text()), 404, "not-found")
    refused(await step(api, world.emergency_manager, template, "submit"), 404, "not-found")
    assert (await other.get(f"/api/v1/document-templates/{common}")).status_code == 200
    refused(await other.put(f"/api/v1/document-templates/{common}", a_text()), 404, "not-found")
    refused(await step(api, world.administrator, template, "submit"), 404, "not-found")


async def test_inspectors_see_what_is_in_use(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    inspector = api.as_(world.inspector)
    refused(await inspector.get(f"/api/v1/document-templates/{template}"), 404, "not-found")
    assert (await inspector.get("/api/v1/document-templates")).json() == {"items": []}

    await put_to_use(api, world, template)

    detail = (await inspector.get(f"/api/v1/document-templates/{template}")).json()
    assert detail["fields"] == [{"name": "补充说明", "section": "结论", "default": "无"}]
    assert "outcome" in {each["name"] for each in detail["automatic"]}


async def test_templates_are_searched_by_name_and_kind(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    manager = api.as_(world.manager)

    async def found(**query: object) -> list[str]:
        items = (await manager.get("/api/v1/document-templates", **query)).json()["items"]
        return [each["id"] for each in items]

    assert await found(name="告知") == await found(kind="result_notice") == await found(state="draft") == [template]
    assert await found(name="%") == await found(kind="inspection_notice") == await found(state="published") == []


async def test_a_template_is_previewed_and_downloaded(api: Api, world: World) -> None:
    template = await draft(api, world.manager)
    manager, path = api.as_(world.manager), f"/api/v1/document-templates/{template}"

    preview = await manager.get(f"{path}/preview.pdf")
    download = await manager.get(f"{path}/body.json")

    said = text_of(preview.content)
    assert "样张" in said
    assert "南宁邕江鲜面馆" in said
    assert download.json()["sections"][0]["text"] == "{party}："
    assert download.headers["content-disposition"].startswith("attachment")


async def test_the_templates_that_come_with_yima_wait_for_their_review(api: Api, world: World) -> None:
    drafter = Operator(id=uuid4(), name="起草人", post="系统管理")
    run = api.parts.work.run

    made = await run(INSTALLATION, lambda tx: template_operations.load_builtin_templates(tx, drafter, None))
    again = await run(INSTALLATION, lambda tx: template_operations.load_builtin_templates(tx, drafter, None))

    assert (len(made), again) == (4, [])
    listed = (await api.as_(world.administrator).get("/api/v1/document-templates")).json()["items"]
    assert {(each["state"], each["department_id"]) for each in listed} == {("in_review", None)}


async def test_with_a_reviewer_they_are_in_use_until_a_department_has_its_own(api: Api, world: World) -> None:
    drafter = Operator(id=uuid4(), name="起草人", post="系统管理")
    reviewer = Operator(id=uuid4(), name="审核人", post="法制审核")
    await api.parts.work.run(INSTALLATION, lambda tx: template_operations.load_builtin_templates(tx, drafter, reviewer))

    common = await usable(api, world)
    assert common.reviewed_by_name == "审核人"
    assert fill(common.body, samples_of(DocumentKind.RESULT_NOTICE), {})

    own = await draft(api, world.manager)
    await put_to_use(api, world, own)
    assert str((await usable(api, world)).id) == own


def test_the_key_of_a_paper_is_that_of_the_design() -> None:
    assert paper_key(bytes(32)) == f"papers/{'00' * 32}.pdf"
