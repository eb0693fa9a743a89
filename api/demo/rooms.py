"""What the other side of the code holds at the first start: complaints, exposures, a task, materials, a request.

Everything goes through the operations that people use, each as of the day on which it would have happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.demo import said
from api.demo.said import DemoGrievance
from codes.token import TokenKeys
from domain.complaint.filing import file_complaint, file_tip_off
from domain.complaint.model import CONSENT_VERSION, GrievanceFiled, GrievanceKind, GrievanceStepOrder, NewGrievance
from domain.complaint.operations import take_step as take_grievance_step
from domain.enterprise.profile.model import SiteWords
from domain.enterprise.profile.operations import change_site_profile
from domain.evidence.attachments import store_attachment
from domain.evidence.operations import NewFile, PutAgain
from domain.exposure.model import ExposureOrder
from domain.exposure.operations import draft_exposure, publish_exposure
from domain.identity.model import Principal
from domain.inspection.tables import inspection
from domain.material.model import MaterialUpload
from domain.material.operations import upload_material
from domain.publication.tables import publication
from domain.request.model import NewRequest, RequestStep, StepOrder
from domain.request.operations import submit_request
from domain.request.operations import take_step as take_request_step
from domain.self_inspection.assigned import operations as tasks
from domain.self_inspection.assigned.model import ObjectsOrder, RowsOrder, TaskFields
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.numbers import NumberRequest
from domain.shared.sql import Query
from domain.shared.transaction import Outcome, Transaction
from domain.visitor.model import PASS_LIFETIME, Caller, CitizenPass
from domain.visitor.operations import code_to_send, send_code, try_code

A = TypeVar("A")
_EXPOSED_FOR: Final = timedelta(days=180)


class DemoRunner(msgspec.Struct, frozen=True, kw_only=True):
    """An enterprise that can log in: who acts for it, its sites, the main one first, and the number it gives out."""

    principal: Principal
    sites: Sequence[UUID]
    phone: str


class DemoPeople(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts in the rooms."""

    manager: Principal
    lead: Principal
    runners: Sequence[DemoRunner]


class DemoFile(msgspec.Struct, frozen=True, kw_only=True):
    """The specimen that every demonstrated material shows, put already; None where its row is there too."""

    digest: bytes
    new: NewFile | None
    put_again: PutAgain


class _Found(msgspec.Struct, frozen=True):
    id: UUID


_LATEST_ORDERED = Query(
    sa.select(publication.c.id)
    .select_from(publication.join(inspection, inspection.c.id == publication.c.inspection_id))
    .where(
        inspection.c.initiating_department_id == sa.bindparam("department_id"),
        publication.c.state == "published",
        inspection.c.outcome == "ordered_to_rectify",
    )
    .order_by(publication.c.published_at.desc(), publication.c.id)
    .limit(1),
    _Found,
)
"""The newest public result of the department that found something."""


class _Acts:
    """Acts of one transaction, each as of some days ago; what they leave is collected."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.events: list[Event] = []
        self.numbers: list[NumberRequest] = []

    def ago(self, days: int) -> Transaction:
        """The same transaction, so many days earlier."""
        tx = self._tx
        return Transaction(tx.connection, now=tx.now - timedelta(days=days), random=tx.random, vault=tx.vault)

    def keep(self, outcome: Outcome[A]) -> A:
        """The answer of an act; its events and numbers are kept for the end."""
        self.events += outcome.events
        self.numbers += outcome.numbers
        return outcome.answer


async def furnish(tx: Transaction, people: DemoPeople, file: DemoFile, keys: TokenKeys) -> Outcome[None]:
    """A believable little of every room."""
    acts = _Acts(tx)
    await _expose(acts, people)
    for filed in said.GRIEVANCES:
        await _file(acts, people, filed, keys)
    await _assign(acts, people.manager)
    for runner, hours in zip(people.runners, said.OPENING_HOURS, strict=True):
        await _introduce(acts, runner, hours)
    await _ask(acts, people)
    await _hand_in(acts, people.runners[0], file)
    return Outcome(answer=None, events=tuple(acts.events), numbers=tuple(acts.numbers))


async def _expose(acts: _Acts, people: DemoPeople) -> None:
    """曝光: the manager writes, the lead publishes; the second entry rests on a public result."""
    tx = acts.ago(0)
    ground = await _LATEST_ORDERED.first(tx.connection, department_id=people.manager.department_id)
    grounds = (None, None if ground is None else ground.id)
    for (title, text, days), publication_id in zip(said.EXPOSURES, grounds, strict=True):
        then = acts.ago(days)
        order = ExposureOrder(
            title=title, text=text, ends_on=local_date(tx.now) + _EXPOSED_FOR, publication_id=publication_id
        )
        drafted = acts.keep(await draft_exposure(then, people.manager, order))
        acts.keep(await publish_exposure(then, people.lead, drafted.id))


async def _file(acts: _Acts, people: DemoPeople, filed: DemoGrievance, keys: TokenKeys) -> None:
    """投诉 from a verified phone, 举报 without a name; and what the lead did about it since."""
    tx = acts.ago(filed.days)
    new = NewGrievance(
        type=filed.type,
        description=filed.text,
        wish=filed.wish,
        consent_version=CONSENT_VERSION,
        site_id=people.runners[filed.at].sites[0],
        happened_on=local_date(tx.now),
        name=filed.name,
    )
    answer = acts.keep(await _taken_in(tx, filed, new, keys))
    for step, days, text, released in filed.steps:
        order = GrievanceStepOrder(step=step, text=text, released_text=released)
        acts.keep(await take_grievance_step(acts.ago(days), people.lead, answer.kind, answer.id, order))


async def _taken_in(
    tx: Transaction, filed: DemoGrievance, new: NewGrievance, keys: TokenKeys
) -> Outcome[GrievanceFiled]:
    if filed.kind is GrievanceKind.COMPLAINT:
        return await file_complaint(tx, await _citizen(tx, filed.phone), new, keys)
    return await file_tip_off(tx, _stranger(tx), new, keys)


def _stranger(tx: Transaction) -> CitizenPass:
    return CitizenPass(id=tx.new_id(), expires_at=tx.now + PASS_LIFETIME)


async def _citizen(tx: Transaction, phone: str) -> CitizenPass:
    """A citizen whose phone is verified. The code is typed at once: no message leaves for it, nothing is traced."""
    sent = await send_code(tx, phone, Caller())
    code = await code_to_send(tx.connection, tx.vault, sent.answer.id, tx.now)
    tried = await try_code(tx, sent.answer.id, code or "", Caller())
    return msgspec.structs.replace(
        _stranger(tx), verification_id=tried.answer.verification_id, phone_index=tried.answer.phone_index
    )


async def _assign(acts: _Acts, manager: Principal) -> None:
    """交办任务 to everybody of one 业态, sent out whole: the demonstration does not wait for the worker."""
    tx = acts.ago(2)
    today = local_date(tx.now)
    fields = TaskFields(
        name=said.TASK,
        patrol_type="专项自查",
        object_type=said.TASK_TRADE,
        starts_on=today,
        ends_on=today + timedelta(days=said.TASK_DAYS),
    )
    made = acts.keep(await tasks.create_task(tx, manager, fields))
    rows = acts.keep(await tasks.add_rows(tx, manager, made.id, RowsOrder(rows=list(said.TASK_ROWS))))
    objects = ObjectsOrder(business_types=[said.TASK_TRADE])
    acts.keep(await tasks.choose_objects(tx, manager, made.id, objects, rows.version))
    acts.keep(await tasks.confirm_task(tx, manager, made.id))
    acts.keep(await tasks.dispatch_task(tx, manager, made.id))
    while acts.keep(await tasks.assign_page(tx, made.id)):
        pass


async def _introduce(acts: _Acts, runner: DemoRunner, hours: str) -> None:
    """场所信息: opening hours, and a number that customers may call."""
    who = runner.principal
    for site_id in runner.sites:
        words = SiteWords(opening_hours=hours, business_phone=runner.phone, is_phone_public=True)
        acts.keep(await change_site_profile(acts.ago(9), who.account_id, who.enterprise_id, site_id, words, 0))


async def _ask(acts: _Acts, people: DemoPeople) -> None:
    """诉求: the first is answered, the others wait for the department."""
    for runner, asked in zip(people.runners, said.REQUESTS, strict=False):
        order = NewRequest(
            site_id=runner.sites[0],
            title=asked.title,
            submitter=runner.principal.name,
            contact=runner.phone,
            category=asked.category,
            description=asked.text,
        )
        made = acts.keep(await submit_request(acts.ago(asked.days), runner.principal, order))
        if asked.answer is not None:
            for step, words in ((RequestStep.ACCEPT, None), (RequestStep.ANSWER, asked.answer)):
                then = acts.ago(asked.days - 1)
                acts.keep(await take_request_step(then, people.manager, made.id, StepOrder(step=step, words=words)))


async def _hand_in(acts: _Acts, runner: DemoRunner, file: DemoFile) -> None:
    """材料: a licence that runs out soon is among them."""
    who = runner.principal
    enterprise_id = who.enterprise_id
    if enterprise_id is None:
        return
    tx = acts.ago(0)
    for material in said.MATERIALS:
        acts.keep(await store_attachment(tx, who.account_id, file.digest, file.new, file.put_again))
        left = material.days_left
        asked = MaterialUpload(
            files=[file.digest.hex()],
            standard_code=material.code,
            site_id=runner.sites[0] if material.is_of_site else None,
            number=material.number,
            valid_to=None if left is None else local_date(tx.now) + timedelta(days=left),
        )
        acts.keep(await upload_material(tx, who, enterprise_id, asked))


def specimen() -> bytes:
    """样本: a PDF of one page, the same everywhere. Its font is one that readers bring along."""
    text = "演示样本，不作证明之用".encode("utf-16-be").hex()
    drawn = f"BT /F 28 Tf 120 700 Td <{text}> Tj ET"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-H/DescendantFonts[6 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R/CIDSystemInfo 8 0 R>>",
        "<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0/StemV 93>>",
        "<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>",
    )
    body, places = "%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj{each}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{tail}".encode()


def digest_of(content: bytes) -> bytes:
    """By which a file is known."""
    return hashlib.sha256(content).digest()
