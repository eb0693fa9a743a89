"""One factory per table, and a small world in which everybody has a place.

Factories on a connection insert rows; those on `parts` carry out the real operations, as the product does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import sqlalchemy as sa

from api.wiring import Parts
from codes.divisions import guangxi_divisions, ltree_path
from codes.resident_id import check_resident_id
from codes.token import issue_token
from codes.uscc import make_uscc
from domain.enterprise.operations import issue_code
from domain.enterprise.tables import enterprise, licence, site
from domain.identity.model import Department, EnterprisePost, Principal, RegionRow, Role
from domain.identity.passwords import hash_password
from domain.identity.store import SAVE_REGION
from domain.identity.tables import account, department
from domain.inspection.dispatch import dispatch_inspection
from domain.inspection.model import DispatchedParty, DispatchOrder, InspectionKind
from domain.membership.tables import membership
from domain.officer.model import CertifiedOfficer
from domain.officer.tables import officer
from domain.scene.catalogue import scenes
from domain.scene.store import SAVE_SCENE
from domain.shared.events import Operator
from domain.shared.sql import Command, Connection, borrow
from domain.shared.vault import Vault

NOW: Final = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
"""Wednesday, ten o'clock in Nanning."""
DISPATCHED_AT: Final = datetime(2026, 8, 3, 0, 30, tzinfo=UTC)
"""Monday of that week, half past eight."""
PASSWORD: Final = "Nanning-2026"
"""Of every account."""
CITY: Final = "450100"
DISTRICT: Final = "450103"
OTHER_CITY: Final = "450200"
LONGITUDE: Final = 108.32
LATITUDE: Final = 22.82
RADIUS_M: Final = 200
EXPIRED_ON: Final = date(2026, 8, 4)
"""The last day of the certificate that has expired: yesterday."""
INSTALLATION: Final = Operator(id=UUID(int=1), name="安装", post="系统")

_number = count(1)


async def _insert(connection: Connection, table: sa.Table, **values: object) -> None:
    """One row; columns that are not named stay empty."""
    row: dict[str, Any] = {column.name: None for column in table.columns} | values
    await _into(table).run(connection, **row)


@cache
def _into(table: sa.Table) -> Command:
    return Command(sa.insert(table))


@cache
def _hashed(password: str) -> str:
    return hash_password(password)


async def save_regions(connection: Connection) -> None:
    """Every region of Guangxi, parents first."""
    rows = [
        RegionRow(
            code=each.code,
            name=each.name,
            level=each.level,
            parent_code=each.parent_code,
            path=ltree_path(each.code),
            valid_from=each.valid_from,
            valid_to=each.valid_to,
            successor_code=each.successor_code,
        )
        for each in guangxi_divisions()
    ]
    rows.sort(key=lambda row: row.path.count("."))
    await SAVE_REGION.run_many(connection, [msgspec.structs.asdict(row) for row in rows])


async def save_scenes(connection: Connection) -> None:
    """The 35 scenes."""
    await SAVE_SCENE.run_many(
        connection,
        [{"code": each.code, "name": each.name, "place": place} for place, each in enumerate(scenes(), start=1)],
    )


async def make_department(
    connection: Connection, *, code: str, name: str, short_name: str, region_code: str = CITY
) -> Department:
    """监管部门 of a region."""
    made = Department(
        id=uuid4(),
        code=code,
        name=name,
        short_name=short_name,
        parent_id=None,
        path=code,
        region_code=region_code,
        region=ltree_path(region_code),
        hotline="0771-12345",
    )
    await _insert(connection, department, **msgspec.structs.asdict(made))
    return made


async def make_officer(
    connection: Connection,
    vault: Vault,
    of: Department,
    *,
    name: str = "",
    certificate_number: str | None = "",
    valid_from: date = date(2022, 1, 1),
    valid_to: date | None = date(2027, 12, 31),
) -> CertifiedOfficer:
    """执法人员, resident id and phone sealed; with a certificate of their own unless it is None."""
    number = next(_number)
    resident_id, phone = _resident_id(number), f"138{number:08d}"
    made = CertifiedOfficer(
        id=uuid4(),
        name=name or f"执法员{number}",
        department_id=of.id,
        certificate_number=f"4501{number:06d}" if certificate_number == "" else certificate_number,
        certificate_valid_from=valid_from,
        certificate_valid_to=valid_to,
    )
    await _insert(
        connection,
        officer,
        **msgspec.structs.asdict(made),
        organisation_name=of.name,
        resident_id_sealed=vault.seal("officer.resident_id", resident_id),
        resident_id_index=vault.blind_index("officer.resident_id", resident_id),
        phone_sealed=vault.seal("officer.phone", phone),
        phone_index=vault.blind_index("officer.phone", phone),
        gender="male",
        is_supervisor=False,
        is_team_leader=False,
        region_code=of.region_code,
        created_at=NOW,
        updated_at=NOW,
    )
    return made


def _resident_id(number: int) -> str:
    """A well-formed number that belongs to nobody: of a day in 1900."""
    body = f"45010319000101{number % 1000:03d}"
    return next(body + digit for digit in "0123456789X" if check_resident_id(body + digit).is_valid)


async def make_account(
    connection: Connection,
    role: Role,
    *,
    of: Department | None = None,
    region: str | None = None,
    officer_id: UUID | None = None,
    enterprise_id: UUID | None = None,
    enterprise_post: EnterprisePost = EnterprisePost.MANAGER,
    site_ids: tuple[UUID, ...] | None = None,
    disabled_at: datetime | None = None,
) -> Principal:
    """An account under `PASSWORD`, as the principal that its log-in would give. Its log-in name is `login_of`."""
    account_id = uuid4()
    principal = Principal(
        account_id=account_id,
        session_id=uuid4(),
        name=f"{role.label}{next(_number)}",
        role=role,
        post="一级主办",
        department_id=None if of is None else of.id,
        region=region if of is None or region is not None else of.region,
        officer_id=officer_id,
        enterprise_id=enterprise_id,
        enterprise_post=enterprise_post if role is Role.ENTERPRISE else None,
        site_ids=site_ids,
    )
    fields = msgspec.structs.asdict(principal)
    del fields["account_id"], fields["session_id"]
    await _insert(
        connection,
        account,
        **fields,
        id=account_id,
        login=login_of(principal),
        password_hash=_hashed(PASSWORD),
        disabled_at=disabled_at,
        created_at=NOW,
    )
    if role is Role.ENTERPRISE:
        await _insert(
            connection,
            membership,
            id=uuid4(),
            enterprise_id=enterprise_id,
            account_id=account_id,
            basis="installation",
            state="active",
            post=enterprise_post,
            site_ids=site_ids,
            created_at=NOW,
            joined_at=NOW,
        )
    return principal


def login_of(principal: Principal) -> str:
    """What the account's owner types to log in."""
    return f"user-{principal.account_id.hex[:12]}"


class MadeEnterprise(msgspec.Struct, frozen=True, kw_only=True):
    """监管对象, as much as a test names of it."""

    id: UUID
    uscc: str
    name: str


async def make_enterprise(connection: Connection, vault: Vault, *, name: str, **columns: object) -> MadeEnterprise:
    """监管对象 with a liaison whose phone is sealed."""
    number = next(_number)
    made = MadeEnterprise(id=uuid4(), uscc=make_uscc(f"91450100{number:09d}"), name=name)
    phone = f"139{number:08d}"
    values: dict[str, object] = {
        "object_type": "企业",
        "legal_representative": "韦大山",
        "business_scope": "餐饮服务",
        "registration_authority": "南宁市市场监督管理局",
        "established_on": date(2019, 5, 6),
        "risk_level": "medium_high",
        "credit_grade": "B",
        "region_code": DISTRICT,
        "liaison_phone_sealed": vault.seal("enterprise.liaison_phone", phone),
        "liaison_phone_index": vault.blind_index("enterprise.liaison_phone", phone),
        "created_at": NOW,
        "updated_at": NOW,
    }
    await _insert(connection, enterprise, **{**values, **columns}, id=made.id, uscc=made.uscc, name=made.name)
    return made


class MadeSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所, as much as a test names of it."""

    id: UUID
    enterprise: MadeEnterprise
    region: str


async def make_site(
    connection: Connection,
    of: MadeEnterprise,
    regulator: Department,
    *,
    is_main: bool = True,
    region_code: str = DISTRICT,
    longitude: float | None = LONGITUDE,
    latitude: float | None = LATITUDE,
    radius_m: int | None = RADIUS_M,
    polygon: Sequence[tuple[float, float]] | None = None,
    business_types: Sequence[str] = (),
) -> MadeSite:
    """经营场所 near the middle of Nanning unless said otherwise."""
    made = MadeSite(id=uuid4(), enterprise=of, region=ltree_path(region_code))
    await _insert(
        connection,
        site,
        id=made.id,
        enterprise_id=of.id,
        is_main=is_main,
        name="总店" if is_main else "分店",
        address="民族大道1号",
        region_code=region_code,
        region=made.region,
        regulator_id=regulator.id,
        longitude=longitude,
        latitude=latitude,
        radius_m=radius_m,
        polygon=polygon,
        business_types=list(business_types),
        created_at=NOW,
        updated_at=NOW,
    )
    return made


async def make_licence(
    connection: Connection, of: MadeEnterprise, *, name: str = "食品经营许可证", valid_to: date = date(2028, 1, 1)
) -> None:
    """行政许可."""
    await _insert(
        connection,
        licence,
        id=uuid4(),
        enterprise_id=of.id,
        number=f"JY1450100{next(_number):07d}",
        name=name,
        authority="青秀区市场监督管理局",
        valid_from=date(2023, 1, 1),
        valid_to=valid_to,
    )


async def issue_site_code(parts: Parts, of: MadeSite) -> str:
    """发码: the token of the site's first code."""
    code = await parts.work.run(INSTALLATION, lambda tx: issue_code(tx, of.id, parts.code_keys))
    return issue_token(parts.code_keys, code.code_id, code.key_version)


class Team(msgspec.Struct, frozen=True):
    """A department taking part, with the officers it sends."""

    department: Department
    officers: Sequence[CertifiedOfficer]


async def dispatch(parts: Parts, to: MadeSite, teams: Sequence[Team], **changes: object) -> UUID:
    """任务分发: an approved routine inspection of this month, or what `changes` make of it."""
    order = DispatchOrder(
        name=f"{to.enterprise.name}日常检查",
        kind=InspectionKind.ROUTINE,
        source="年度检查计划",
        basis="《中华人民共和国食品安全法》",
        scene_code="S01",
        site_id=to.id,
        region=to.region,
        parties=[
            DispatchedParty(
                department_id=team.department.id,
                department_code=team.department.code,
                officer_ids=[each.id for each in team.officers],
            )
            for team in teams
        ],
        starts_on=date(2026, 8, 3),
        due_on=date(2026, 8, 20),
        approved_at=datetime(2026, 8, 2, 1, 0, tzinfo=UTC),
        approved_by="莫局长",
    )
    order = msgspec.structs.replace(order, **changes)
    return await parts.work.run(INSTALLATION, lambda tx: dispatch_inspection(tx, order))


class World(msgspec.Struct, frozen=True, kw_only=True):
    """市监 leads, 应急 takes part; one enterprise with two coded sites, another elsewhere, and accounts of every role.

    `inspection` is approved and open at `site` for both departments. The officer whose certificate expired yesterday
    is assigned too; the inspector `unassigned` is certified and has no order here.
    """

    parts: Parts
    market: Department
    emergency: Department
    officer: CertifiedOfficer
    partner: CertifiedOfficer
    expired_officer: CertifiedOfficer
    emergency_officer: CertifiedOfficer
    emergency_partner: CertifiedOfficer
    unassigned_officer: CertifiedOfficer

    enterprise: MadeEnterprise
    site: MadeSite
    code: str
    second_site: MadeSite
    second_code: str
    other_enterprise: MadeEnterprise
    other_site: MadeSite
    other_code: str
    inspection: UUID

    inspector: Principal
    partner_inspector: Principal
    expired_inspector: Principal
    emergency_inspector: Principal
    unassigned_inspector: Principal
    manager: Principal
    emergency_manager: Principal
    lead: Principal
    foreign_lead: Principal
    enterprise_user: Principal
    foreign_user: Principal
    administrator: Principal

    @property
    def teams(self) -> list[Team]:
        """Who carries out `inspection`, the lead first."""
        return [
            Team(self.market, [self.officer, self.partner, self.expired_officer]),
            Team(self.emergency, [self.emergency_officer, self.emergency_partner]),
        ]

    async def dispatch(self, to: MadeSite | None = None, **changes: object) -> UUID:
        """Another inspection like `inspection`, or what `changes` make of it."""
        return await dispatch(self.parts, to or self.site, self.teams, **changes)


async def make_world(parts: Parts) -> World:
    """Everybody and everything, in an emptied database; the clock should stand at `DISPATCHED_AT`."""
    async with borrow(parts.pool) as connection, connection.transaction():
        world = await _make_register(connection, parts)
    sites = [world["site"], world["second_site"], world["other_site"]]
    codes = [await issue_site_code(parts, each) for each in sites]
    teams = [
        Team(world["market"], [world["officer"], world["partner"], world["expired_officer"]]),
        Team(world["emergency"], [world["emergency_officer"], world["emergency_partner"]]),
    ]
    inspection = await dispatch(parts, world["site"], teams)
    async with borrow(parts.pool) as connection:
        # What the dispatch told its officers is done with: a test looks at the messages of its own acts.
        await connection.execute("DELETE FROM message")
    return World(**world, parts=parts, code=codes[0], second_code=codes[1], other_code=codes[2], inspection=inspection)


async def _make_register(connection: Connection, parts: Parts) -> dict[str, Any]:
    vault = parts.vault
    await save_regions(connection)
    await save_scenes(connection)
    market = await make_department(connection, code="SJ01", name="南宁市市场监督管理局", short_name="南宁市监")
    emergency = await make_department(connection, code="YJ01", name="南宁市应急管理局", short_name="南宁应急")
    officers = {
        "officer": await make_officer(connection, vault, market, name="黄志强"),
        "partner": await make_officer(connection, vault, market, name="陆小梅"),
        "unassigned_officer": await make_officer(connection, vault, market, name="覃勇"),
        "expired_officer": await make_officer(connection, vault, market, name="农建国", valid_to=EXPIRED_ON),
        "emergency_officer": await make_officer(connection, vault, emergency, name="蒙海燕"),
        "emergency_partner": await make_officer(connection, vault, emergency, name="梁伟"),
    }
    own = await make_enterprise(connection, vault, name="南宁市老友餐饮有限公司")
    other = await make_enterprise(connection, vault, name="柳州市螺香食品有限公司", region_code="450202")
    await make_licence(connection, own)
    await make_licence(connection, own, name="酒类经营许可证", valid_to=date(2026, 1, 1))
    places = {
        "enterprise": own,
        "site": await make_site(connection, own, market),
        "second_site": await make_site(connection, own, market, is_main=False, longitude=108.35),
        "other_enterprise": other,
        "other_site": await make_site(
            connection, other, market, region_code="450202", longitude=109.41, latitude=24.33
        ),
    }
    accounts = await _make_accounts(connection, market, emergency, officers, own, other)
    return {"market": market, "emergency": emergency, **officers, **places, **accounts}


async def _make_accounts(
    connection: Connection,
    market: Department,
    emergency: Department,
    officers: dict[str, CertifiedOfficer],
    own: MadeEnterprise,
    other: MadeEnterprise,
) -> dict[str, Principal]:
    async def inspector(of: Department, name: str) -> Principal:
        return await make_account(connection, Role.INSPECTOR, of=of, officer_id=officers[name].id)

    manager, lead, enterprise_role = Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ENTERPRISE
    return {
        "inspector": await inspector(market, "officer"),
        "partner_inspector": await inspector(market, "partner"),
        "expired_inspector": await inspector(market, "expired_officer"),
        "unassigned_inspector": await inspector(market, "unassigned_officer"),
        "emergency_inspector": await inspector(emergency, "emergency_officer"),
        "manager": await make_account(connection, manager, of=market),
        "emergency_manager": await make_account(connection, manager, of=emergency),
        "lead": await make_account(connection, lead, of=market),
        "foreign_lead": await make_account(connection, lead, region=ltree_path(OTHER_CITY)),
        "enterprise_user": await make_account(connection, enterprise_role, enterprise_id=own.id),
        "foreign_user": await make_account(connection, enterprise_role, enterprise_id=other.id),
        "administrator": await make_account(connection, Role.ADMINISTRATOR),
    }


def position_fix(
    longitude: float = LONGITUDE,
    latitude: float = LATITUDE,
    *,
    accuracy_m: float = 12,
    fixed_at: datetime = NOW,
    datum: str = "wgs84",
) -> dict[str, Any]:
    """定位 as a phone sends it; at the door of `World.site` unless said otherwise."""
    return {
        "longitude": longitude,
        "latitude": latitude,
        "accuracy_m": accuracy_m,
        "fixed_at": fixed_at,
        "datum": datum,
    }


def check_in_order(world: World, **changes: object) -> dict[str, Any]:
    """扫码报到 of the market department at `World.site`, as the phone sends it; a change to None leaves it out."""
    order: dict[str, Any] = {
        "second_officer_id": world.partner.id,
        "code": world.code,
        "position": position_fix(),
    }
    return {name: value for name, value in {**order, **changes}.items() if value is not None}


async def make_row(connection: Connection, table: sa.Table, **values: object) -> UUID:
    """A row of a room above whose own acts the test is not about; gives its id."""
    row: dict[str, object] = {"id": uuid4(), **values}
    await _insert(connection, table, **row)
    return UUID(str(row["id"]))
