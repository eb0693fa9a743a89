"""A region of enterprises to measure on, laid down by COPY: the same rows whoever serves them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import asyncpg
import msgspec

from api.register import load_register
from api.wiring import Parts
from benchmarks.seed_public import Complainant, seed_complainants, seed_public
from benchmarks.seed_results import seed_results
from benchmarks.seed_visits import (
    PACKED,
    Answerable,
    PackedOfficer,
    Visitable,
    seed_answerables,
    seed_checklist,
    seed_packages,
    seed_visitables,
)
from benchmarks.seeding import DEPARTMENTS, PACKERS, PAIRS, Pair, Seeding, Site
from codes.divisions import ltree_path
from codes.token import issue_token
from codes.uscc import make_uscc
from domain.shared.clock import local_date

_SAMPLE = 20_000
_TRADES = ("餐饮店", "超市", "药店", "健身馆", "幼儿园", "加油站", "养老院", "旅行社")
_BUSINESS_TYPES = {"餐饮店": ["餐饮服务"], "加油站": ["危险化学品经营", "餐饮服务"], "旅行社": ["旅行社"]}
"""业态 of a trade that has any: three in eight, so that a scan tells of no manual, of one or of two."""
_LICENCES = ("食品经营许可证", "药品经营许可证", "特种设备使用登记证", "公共场所卫生许可证")
_SCOPE = "许可项目：食品销售；餐饮服务；一般项目：日用百货销售；体育用品及器材零售；会议及展览服务；信息咨询服务。"


class Seeded(msgspec.Struct, frozen=True, kw_only=True):
    """What the load may ask for: tokens at random over all sites, inspections for one check-in each, and so on."""

    enterprises: int
    tokens: list[str]
    visitables: list[Visitable]
    answerables: list[Answerable]
    packed: list[PackedOfficer]
    complainants: list[Complainant]


async def seed(dsn: str, parts: Parts, *, enterprises: int, inspections: int, visits: int, complainants: int) -> Seeded:
    """Fill a migrated, empty database; the inspections, visits and packages together need as many enterprises."""
    await load_register(parts)
    connection = await asyncpg.connect(dsn)
    try:
        await _set_ltree(connection)
        # Every row refers to rows made here: checking 1.5 million references would only make the wait longer.
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        seeding = Seeding(connection, parts)
        await _departments(seeding)
        pairs = await _officers(seeding)
        sites = await _enterprises(seeding, enterprises)
        visiting, packing = pairs[:-PACKERS], pairs[-PACKERS:]
        visitables = await seed_visitables(seeding, sites[:inspections], visiting)
        checklist = await seed_checklist(seeding)
        begun = inspections + visits
        answerables = await seed_answerables(seeding, checklist, sites[inspections:begun], visiting)
        packed = await seed_packages(seeding, checklist, sites[begun : begun + PACKERS * PACKED], packing)
        await seed_results(seeding, sites)
        await seed_public(seeding, sites)
        citizens = await seed_complainants(seeding, sites, complainants)
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    sample = seeding.random.sample(sites, min(_SAMPLE, enterprises))
    tokens = [issue_token(parts.code_keys, site.code_id) for site in sample]
    return Seeded(
        enterprises=enterprises,
        tokens=tokens,
        visitables=visitables,
        answerables=answerables,
        packed=packed,
        complainants=citizens,
    )


async def _set_ltree(connection: asyncpg.Connection) -> None:
    """COPY is binary, and the driver knows no binary ltree: a version byte, then the text."""

    def encode(path: str) -> bytes:
        return b"\x01" + path.encode()

    await connection.set_type_codec("ltree", schema="public", format="binary", encoder=encode, decoder=bytes)


async def _departments(seeding: Seeding) -> None:
    rows = (
        (
            department_id,
            seeding.department_code(number),
            f"第{number}市场监督管理局",
            f"{number}市监",
            f"bm_{number}",
            "450100",
            ltree_path("450100"),
            f"0771-{5_000_000 + number}",
        )
        for number, department_id in enumerate(seeding.departments)
    )
    await seeding.copy("department", "id code name short_name path region_code region hotline", rows)


async def _officers(seeding: Seeding) -> list[Pair]:
    pairs = [
        Pair(number % DEPARTMENTS, seeding.id(), seeding.id(), seeding.id(), f"执法人员{number}")
        for number in range(PAIRS)
    ]
    today = local_date(seeding.now)
    await seeding.copy(
        "officer",
        "id name department_id organisation_name resident_id_sealed resident_id_index gender is_supervisor "
        "certificate_number certificate_valid_from certificate_valid_to is_team_leader created_at updated_at",
        (row for number, pair in enumerate(pairs) for row in _officer_rows(seeding, number, pair, today)),
    )
    await seeding.copy(
        "account",
        "id login name role post password_hash department_id region officer_id created_at",
        (
            (
                pair.account_id,
                f"bench{number}",
                pair.name,
                "inspector",
                "执法岗",
                "!",
                seeding.departments[pair.department],
                ltree_path("450100"),
                pair.first,
                seeding.now,
            )
            for number, pair in enumerate(pairs)
        ),
    )
    return pairs


def _officer_rows(seeding: Seeding, number: int, pair: Pair, today: date) -> Iterator[tuple[object, ...]]:
    for place, officer_id in enumerate((pair.first, pair.second)):
        yield (
            officer_id,
            pair.name if place == 0 else f"协办{number}",
            seeding.departments[pair.department],
            f"第{pair.department}市场监督管理局",
            seeding.random.randbytes(47),
            seeding.random.randbytes(32),
            "男",
            False,
            f"2045{number:05d}{place}",
            today - timedelta(days=300),
            today + timedelta(days=900),
            place == 0,
            seeding.now,
            seeding.now,
        )


async def _enterprises(seeding: Seeding, count: int) -> list[Site]:
    sites = [_site(seeding, number) for number in range(count)]
    await seeding.copy(
        "enterprise",
        "id uscc name object_type industry_type legal_representative registered_capital capital_currency domicile "
        "term_from business_scope registration_authority established_on liaison_phone_sealed liaison_phone_index "
        "risk_level credit_grade region_code created_at updated_at",
        (_enterprise_row(seeding, number, site) for number, site in enumerate(sites)),
    )
    await seeding.copy(
        "site",
        "id enterprise_id is_main name address region_code region regulator_id longitude latitude radius_m "
        "business_types created_at updated_at",
        (_site_row(seeding, site) for site in sites),
    )
    await seeding.copy(
        "licence",
        "id enterprise_id number name authority content valid_from valid_to",
        (row for number, site in enumerate(sites) for row in _licence_rows(seeding, number, site)),
    )
    await seeding.copy(
        "site_code",
        "code_id site_id key_version state issued_at",
        ((site.code_id, site.id, seeding.parts.code_keys.current, "issued", seeding.now) for site in sites),
    )
    return sites


def _site(seeding: Seeding, number: int) -> Site:
    random = seeding.random
    trade = _TRADES[number % len(_TRADES)]
    return Site(
        id=seeding.id(),
        enterprise_id=seeding.id(),
        name=f"南宁市{number}号{trade}有限公司",
        county=seeding.counties[number % len(seeding.counties)],
        regulator=number % DEPARTMENTS,
        longitude=round(random.uniform(105.0, 111.0), 6),
        latitude=round(random.uniform(21.6, 25.2), 6),
        code_id=random.randbytes(8),
        business_types=_BUSINESS_TYPES.get(trade, []),
    )


def _enterprise_row(seeding: Seeding, number: int, site: Site) -> tuple[object, ...]:
    founded = date(2010, 1, 4) + timedelta(days=number % 5000)
    return (
        site.enterprise_id,
        make_uscc(f"91{site.county.code}{number:09d}"),
        site.name,
        "企业",
        "住宿和餐饮业",
        f"法人{number}",
        Decimal(50 + number % 950),
        "人民币",
        f"{site.county.name}民族大道{number % 300}号",
        founded,
        _SCOPE,
        f"{site.county.name}市场监督管理局",
        founded,
        seeding.random.randbytes(40),
        seeding.random.randbytes(32),
        ("low", "medium_low", "medium_high", "high")[number % 4],
        "ABCD"[number % 4],
        site.county.code,
        seeding.now,
        seeding.now,
    )


def _site_row(seeding: Seeding, site: Site) -> tuple[object, ...]:
    return (
        site.id,
        site.enterprise_id,
        True,
        site.name,
        f"{site.county.name}民族大道",
        site.county.code,
        ltree_path(site.county.code),
        seeding.departments[site.regulator],
        site.longitude,
        site.latitude,
        200,
        site.business_types,
        seeding.now,
        seeding.now,
    )


def _licence_rows(seeding: Seeding, number: int, site: Site) -> Iterator[tuple[object, ...]]:
    """One licence, two for every fourth enterprise."""
    for place in range(2 if number % 4 == 0 else 1):
        valid_from = date(2022, 1, 1) + timedelta(days=number % 900 + place)
        yield (
            seeding.id(),
            site.enterprise_id,
            f"JY{site.county.code}{number:07d}{place}",
            _LICENCES[(number + place) % len(_LICENCES)],
            f"{site.county.name}行政审批局",
            "热食类食品制售，预包装食品销售",
            valid_from,
            valid_from + timedelta(days=5 * 365),
        )
