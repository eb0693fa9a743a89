"""Inspections to measure on: pending ones to check in to, begun ones to answer and photograph, packed ones to fetch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from benchmarks.seeding import Pair, Seeding, Site
from codes.divisions import ltree_path
from codes.token import issue_token
from domain.checklist.builtin import builtin_checklists
from domain.checklist.model import ItemContent
from domain.identity.model import Principal
from domain.inspection.answers.content import list_text
from domain.inspection.answers.model import ChecklistLine
from domain.inspection.answers.store import LINE_TEXTS
from domain.shared.clock import local_date

ITEMS = 20
"""Drawn for each inspection."""
PHOTOS = 4
"""Handed in for each begun inspection: one answer in five refers to one."""
PACKED = 8
"""Inspections in a package of the day."""
_LEASED = 5
_ARRIVED = timedelta(minutes=30)
_PHOTO_BYTES = 400_000


class Visitable(msgspec.Struct, frozen=True, kw_only=True):
    """A pending inspection, and all that a phone needs to check in there."""

    inspection_id: UUID
    officer: Principal
    second_officer_id: UUID
    token: str
    longitude: float
    latitude: float


class Answerable(msgspec.Struct, frozen=True, kw_only=True):
    """A begun inspection with its drawn items, none answered, and photos that were handed in."""

    inspection_id: UUID
    officer: Principal
    items: list[UUID]
    photos: list[bytes]


class PackedOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """An officer with a day's inspections, and the phone that holds numbers."""

    officer: Principal
    device_id: UUID


class Checklist(msgspec.Struct, frozen=True, kw_only=True):
    """The published version that all items are drawn from."""

    version_id: UUID
    items: list[UUID]
    contents: list[ItemContent]


class _Dispatched(msgspec.Struct, frozen=True):
    id: UUID
    site: Site
    pair: Pair
    department_id: UUID
    nonce: bytes | None = None
    list_digest: bytes | None = None


async def seed_visitables(seeding: Seeding, sites: Sequence[Site], pairs: Sequence[Pair]) -> list[Visitable]:
    """A pending inspection without a list at each of `sites`."""
    dispatched = _dispatch(seeding, sites, pairs)
    await _write_inspections(seeding, dispatched)
    return [_visitable(seeding, each) for each in dispatched]


def _dispatch(seeding: Seeding, sites: Sequence[Site], pairs: Sequence[Pair]) -> list[_Dispatched]:
    turns = ((site, pairs[number % len(pairs)]) for number, site in enumerate(sites))
    return [_Dispatched(seeding.id(), site, pair, seeding.departments[pair.department]) for site, pair in turns]


def _visitable(seeding: Seeding, each: _Dispatched) -> Visitable:
    return Visitable(
        inspection_id=each.id,
        officer=seeding.principal(each.pair),
        second_officer_id=each.pair.second,
        token=issue_token(seeding.parts.code_keys, each.site.code_id),
        longitude=each.site.longitude,
        latitude=each.site.latitude,
    )


async def seed_checklist(seeding: Seeding) -> Checklist:
    """The food-service list that comes with the product, published."""
    checklist_id, version_id = seeding.id(), seeding.id()
    contents = builtin_checklists()[0].items[:ITEMS]
    items = [seeding.id() for _ in contents]
    now = seeding.now
    await seeding.copy(
        "checklist",
        "id code name business_type lead_department_id participants is_default state current_version_id created_at "
        "updated_at",
        [
            (
                checklist_id,
                "BENCH-01",
                "检查单",
                "餐饮服务",
                seeding.departments[0],
                [],
                False,
                "enabled",
                version_id,
                now,
                now,
            )
        ],
    )
    await seeding.copy(
        "checklist_version",
        "id checklist_id number digest created_at published_at published_by",
        [(version_id, checklist_id, 1, bytes(32), now, now, "审核人")],
    )
    texts = tuple(name for name in LINE_TEXTS if name != "legal_basis")
    await seeding.copy(
        "checklist_item",
        f"id version_id place grades is_self_check legal_basis {' '.join(texts)}",
        (
            (
                item_id,
                version_id,
                place,
                list("ABCD"),
                False,
                msgspec.json.encode(content.legal_basis).decode(),
                *tuple(_plain(getattr(content, name)) for name in texts),
            )
            for place, (item_id, content) in enumerate(zip(items, contents, strict=True), start=1)
        ),
    )
    return Checklist(version_id=version_id, items=items, contents=contents)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value


async def seed_answerables(
    seeding: Seeding, checklist: Checklist, sites: Sequence[Site], pairs: Sequence[Pair]
) -> list[Answerable]:
    """At each of `sites` an inspection whose officers have just checked in."""
    dispatched = _dispatch(seeding, sites, pairs)
    await _write_inspections(seeding, dispatched, checklist)
    await _write_visits(seeding, dispatched)
    photos = [[seeding.random.randbytes(32) for _ in range(PHOTOS)] for _ in dispatched]
    await seeding.copy(
        "evidence_file",
        "digest media_type size width height copies stored_at",
        ((digest, "image/jpeg", _PHOTO_BYTES, 1600, 1200, "ready", seeding.now) for own in photos for digest in own),
    )
    await seeding.copy(
        "evidence",
        "inspection_id digest uploaded_by is_of_enterprise done_at received_at",
        (
            (each.id, digest, each.pair.account_id, False, seeding.now, seeding.now)
            for each, own in zip(dispatched, photos, strict=True)
            for digest in own
        ),
    )
    return [
        Answerable(inspection_id=each.id, officer=seeding.principal(each.pair), items=checklist.items, photos=own)
        for each, own in zip(dispatched, photos, strict=True)
    ]


async def seed_packages(
    seeding: Seeding, checklist: Checklist, sites: Sequence[Site], pairs: Sequence[Pair]
) -> list[PackedOfficer]:
    """A day of inspections with sealed lists for each of `pairs`, and numbers that the phone of the first holds."""
    plain = _dispatch(seeding, sites, pairs)
    texts = {each.department_id: _list_digest(checklist, each.department_id) for each in plain}
    dispatched = [
        msgspec.structs.replace(each, nonce=seeding.random.randbytes(16), list_digest=texts[each.department_id])
        for each in plain
    ]
    await _write_inspections(seeding, dispatched, checklist)
    phones = [seeding.id() for _ in pairs]
    await seeding.copy(
        "issued_number",
        "department_code kind year sequence device_id issued_at",
        (
            (
                seeding.department_code(pair.department),
                "ZG",
                seeding.now.year,
                number * _LEASED + count + 1,
                phone,
                seeding.now,
            )
            for number, (pair, phone) in enumerate(zip(pairs, phones, strict=True))
            for count in range(_LEASED)
        ),
    )
    return [
        PackedOfficer(officer=seeding.principal(pair), device_id=phone)
        for pair, phone in zip(pairs, phones, strict=True)
    ]


def _list_digest(checklist: Checklist, department_id: UUID) -> bytes:
    lines = [
        ChecklistLine(
            item_id=item_id,
            place=place,
            department_id=department_id,
            **{name: getattr(content, name) for name in LINE_TEXTS},  # type: ignore[arg-type] - the same fields
        )
        for place, (item_id, content) in enumerate(zip(checklist.items, checklist.contents, strict=True), start=1)
    ]
    return hashlib.sha256(list_text(lines)).digest()


async def _write_inspections(
    seeding: Seeding, dispatched: Sequence[_Dispatched], checklist: Checklist | None = None
) -> None:
    version_id = None if checklist is None else checklist.version_id
    await seeding.copy(
        "inspection",
        "id name kind source basis mode state scene_code site_id region initiating_department_id starts_on due_on "
        "approved_at approved_by is_urgent created_at checklist_version_id nonce list_digest",
        (_inspection_row(seeding, each, version_id) for each in dispatched),
    )
    await seeding.copy(
        "inspection_party",
        "inspection_id department_id is_lead",
        ((each.id, each.department_id, True) for each in dispatched),
    )
    await seeding.copy(
        "inspection_officer",
        "inspection_id officer_id department_id",
        (
            (each.id, officer, each.department_id)
            for each in dispatched
            for officer in (each.pair.first, each.pair.second)
        ),
    )
    await seeding.copy(
        "issued_number", "department_code kind year sequence subject_id issued_at", _number_rows(seeding, dispatched)
    )
    if checklist is not None:
        await seeding.copy(
            "inspection_item",
            "inspection_id item_id place department_id",
            (
                (each.id, item_id, place, each.department_id)
                for each in dispatched
                for place, item_id in enumerate(checklist.items, start=1)
            ),
        )


def _number_rows(seeding: Seeding, dispatched: Sequence[_Dispatched]) -> Iterator[tuple[object, ...]]:
    for each in dispatched:
        seeding.numbers_issued += 1
        for kind in ("JC", "TZ"):
            code = seeding.department_code(each.pair.department)
            yield (code, kind, seeding.now.year, seeding.numbers_issued, each.id, seeding.now)


def _inspection_row(seeding: Seeding, each: _Dispatched, version_id: UUID | None) -> tuple[object, ...]:
    today = local_date(seeding.now)
    issued_at = seeding.now - timedelta(days=1)
    return (
        each.id,
        f"{each.site.name}日常检查",
        "routine",
        "年度检查计划",
        "《中华人民共和国食品安全法》",
        "on_site",
        "pending",
        "S01",
        each.site.id,
        ltree_path(each.site.county.code),
        each.department_id,
        today - timedelta(days=1),
        today + timedelta(days=30),
        issued_at,
        "部门负责人",
        False,
        issued_at,
        version_id,
        each.nonce,
        each.list_digest,
    )


async def _write_visits(seeding: Seeding, dispatched: Sequence[_Dispatched]) -> None:
    at = seeding.now - _ARRIVED
    opened = [(each, seeding.id(), seeding.id()) for each in dispatched]
    await seeding.copy(
        "visit",
        "id inspection_id sequence opened_by arrived_at",
        ((visit_id, each.id, 1, check_in_id, at) for each, visit_id, check_in_id in opened),
    )
    await seeding.copy(
        "check_in",
        "id visit_id department_id officer_id second_officer_id means code_id longitude latitude accuracy_m fixed_at "
        "datum wgs84_longitude wgs84_latitude distance_outside_m flags done_at received_at",
        (
            (
                check_in_id,
                visit_id,
                each.department_id,
                each.pair.first,
                each.pair.second,
                "printed_code",
                each.site.code_id,
                each.site.longitude,
                each.site.latitude,
                12.5,
                at,
                "wgs84",
                each.site.longitude,
                each.site.latitude,
                0.0,
                [],
                at,
                at,
            )
            for each, visit_id, check_in_id in opened
        ),
    )
