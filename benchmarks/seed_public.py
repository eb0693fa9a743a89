"""What anybody may read beside results, and citizens who complain: manuals, concluded 投诉, contacts, the search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from api.register import INSTALLATION
from benchmarks.seeding import Seeding, Site
from codes.divisions import ltree_path
from codes.token import issue_token
from domain.complaint.likeness import SKETCH_SIZE
from domain.complaint.model import CONSENT_VERSION, GrievanceType
from domain.manual.builtin import load_builtin_manuals
from domain.shared.clock import local_date
from domain.visitor.operations import PHONE_LABEL

CONCLUDED_EVERY = 10
_ABUSED_EVERY = 50
_PROFILE_EVERY = 5
_PHONE_EVERY = 10
_COMPLAINTS = (
    (GrievanceType.FOOD_SAFETY, "closed"),
    (GrievanceType.FOOD_SAFETY, "closed"),
    (GrievanceType.PRICE, "closed"),
    (GrievanceType.SERVICE_QUALITY, "received"),
)
"""At each tenth site: two types that are counted, and one that is not concluded yet and counts nowhere."""
_SEALED_BYTES = 400


class Complainant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose phone was just verified, at a door: the code there, and who they are."""

    token: str
    verification_id: UUID
    phone: str
    phone_index: bytes


async def seed_public(seeding: Seeding, sites: Sequence[Site]) -> None:
    """Manuals for the 业态, complaints at every tenth site, contacts at every fifth, and what the search finds."""
    await _manuals(seeding)
    await _complaints(seeding, sites[::CONCLUDED_EVERY])
    await seeding.copy(
        "site_profile",
        "site_id version opening_hours business_phone_sealed public_phone updated_by updated_at",
        (
            (site.id, 1, "周一至周日 9:00-21:00", *_phone(seeding, number), seeding.id(), seeding.now)
            for number, site in enumerate(sites)
            if number % _PROFILE_EVERY == 0
        ),
    )
    await _entries(seeding)


async def _manuals(seeding: Seeding) -> None:
    """The three that come with the product, of an authority of the whole region: they are in force everywhere."""
    maker = seeding.id()
    region = ltree_path("450000")
    row = (maker, "BMGX", "自治区市场监督管理局", "自治区市监", "bm_gx", "450000", region, "0771-5000000")
    await seeding.copy("department", "id code name short_name path region_code region hotline", [row])
    await seeding.parts.work.run(INSTALLATION, lambda tx: load_builtin_manuals(tx, maker))


async def _complaints(seeding: Seeding, sites: Sequence[Site]) -> None:
    await seeding.copy(
        "complaint",
        "id site_id enterprise_id department_id region type state is_open term due_on filed_at accepted_at answered_at "
        "closed_at is_reopened is_extended is_abusive content_sealed sketch query_code_index consent_version "
        "person_sealed",
        (
            _complaint_row(seeding, site, type_.value, state, is_abusive=number % _ABUSED_EVERY == place)
            for number, site in enumerate(sites)
            for place, (type_, state) in enumerate(_COMPLAINTS)
        ),
    )


def _complaint_row(seeding: Seeding, site: Site, type_: str, state: str, *, is_abusive: bool) -> tuple[object, ...]:
    filed_at = seeding.now - timedelta(days=60 if state == "closed" else 2)
    handled: list[datetime | None] = [None] * 3
    if state == "closed":
        handled = [filed_at + timedelta(days=days) for days in (2, 9, 25)]
    random = seeding.random
    return (
        seeding.id(),
        site.id,
        site.enterprise_id,
        seeding.departments[site.regulator],
        ltree_path(site.county.code),
        type_,
        state,
        state != "closed",
        "decision" if state != "closed" else "answer",
        local_date(filed_at) + timedelta(days=9),
        filed_at,
        *handled,
        False,
        False,
        is_abusive,
        random.randbytes(_SEALED_BYTES),
        sorted(random.getrandbits(63) for _ in range(SKETCH_SIZE)),
        random.randbytes(32),
        CONSENT_VERSION,
        random.randbytes(90),
    )


def _phone(seeding: Seeding, number: int) -> tuple[bytes | None, str | None]:
    if number % _PHONE_EVERY:
        return None, None
    return seeding.random.randbytes(40), f"0771-{3_000_000 + number}"


async def _entries(seeding: Seeding) -> None:
    """The triggers' own function, which did not run for copied rows; the index is made at once, which is the same."""
    connection = seeding.connection
    index = str(await connection.fetchval("SELECT pg_get_indexdef('ix_search_entry_terms'::regclass)"))
    await connection.execute("DROP INDEX ix_search_entry_terms")
    await connection.execute("SELECT search_keep_sites(ARRAY(SELECT id FROM site))")
    await connection.execute(index)


async def seed_complainants(seeding: Seeding, sites: Sequence[Site], count: int) -> list[Complainant]:
    """`count` verified phones, each at another site: nobody runs into a limit, and nobody waits for another's row."""
    vault = seeding.parts.vault
    citizens: list[Complainant] = []
    rows: list[tuple[object, ...]] = []
    for number, site in enumerate(sites[:count]):
        phone = f"139{number:08d}"
        each = Complainant(
            token=issue_token(seeding.parts.code_keys, site.code_id),
            verification_id=seeding.id(),
            phone=phone,
            phone_index=vault.blind_index(PHONE_LABEL, phone),
        )
        citizens.append(each)
        sealed = vault.seal(PHONE_LABEL, phone)
        rows.append((each.verification_id, sealed, each.phone_index, seeding.now, seeding.now, 0, seeding.now))
    await seeding.copy(
        "phone_verification", "id phone_sealed phone_index requested_at expires_at tries proven_at", rows
    )
    return citizens
