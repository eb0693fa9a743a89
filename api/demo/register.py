"""The demonstration's register: departments, officers, enterprises, sites, licences, out of one seeded source.

Everything here is a pure function of the seed and of `today`, so that two installations made on one day show
the same; ids too, since their instant is a fixed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import cos, radians
from random import Random
from typing import Final
from uuid import UUID

import msgspec
from stdnum.cn import ric

from api.demo.words import (
    BRAND_FIRST,
    BRAND_SECOND,
    CITY,
    COUNTIES,
    DEPARTMENTS,
    GIVEN_FIRST,
    GIVEN_SECOND,
    SURNAMES,
    TRADES,
    DemoCounty,
    DemoTrade,
)
from codes.divisions import ltree_path
from codes.uscc import make_uscc
from domain.enterprise.model import CreditGrade, RiskLevel
from domain.identity.model import Department
from domain.shared.ids import new_id

_IDS_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ORGANISATION_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_METRES_PER_DEGREE: Final = 111_195
_BRANCHES: Final = 20
_AGREEMENTS: Final = 0.8
_POLYGONS: Final = 24
_WITHOUT_POSITION: Final = 18
_EXPIRED_CERTIFICATES: Final = frozenset({9, 15})
_NO_CERTIFICATE: Final = 21
_POSTS: Final = ("四级主任科员", "一级行政执法员", "二级行政执法员", "三级行政执法员")
_RADII: Final = (100, 150, 200, 250, 300)


class DemoOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 in clear; sealed on the way into the database."""

    id: UUID
    name: str
    department_id: UUID
    organisation_name: str
    organisation_code: str
    post: str
    resident_id: str
    phone: str
    gender: str
    born_on: date
    certificate_number: str | None
    certificate_valid_from: date | None
    certificate_valid_to: date | None
    is_team_leader: bool = False

    def is_certified(self, on: date) -> bool:
        """Whether the officer may inspect on that day."""
        return self.certificate_valid_to is not None and on <= self.certificate_valid_to


class DemoEnterprise(msgspec.Struct, frozen=True, kw_only=True):
    """监管对象 in clear, with the trade and the county that it was made for."""

    id: UUID
    uscc: str
    name: str
    brand: str
    object_type: str
    legal_representative: str
    registered_capital: Decimal | None
    domicile: str
    established_on: date
    risk_level: RiskLevel
    credit_grade: CreditGrade
    agreement_signed: bool
    phone: str
    trade: DemoTrade
    county: DemoCounty


class DemoSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所; `polygon` is a ring of (longitude, latitude)."""

    id: UUID
    enterprise: DemoEnterprise
    is_main: bool
    name: str
    address: str
    longitude: float | None
    latitude: float | None
    radius_m: int | None
    polygon: list[tuple[float, float]] | None

    @property
    def region(self) -> str:
        """The county's path in the tree of regions."""
        return ltree_path(self.enterprise.county.code)


class DemoLicence(msgspec.Struct, frozen=True, kw_only=True):
    """行政许可 of an enterprise; every twelfth has run out."""

    id: UUID
    enterprise_id: UUID
    number: str
    name: str
    authority: str
    content: str
    valid_from: date
    valid_to: date


class DemoRegister(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that stands before the first inspection."""

    departments: list[Department]
    officers: list[DemoOfficer]
    enterprises: list[DemoEnterprise]
    sites: list[DemoSite]
    licences: list[DemoLicence]

    def department(self, code: str) -> Department:
        """The department of that code."""
        return next(each for each in self.departments if each.code == code)

    def officers_of(self, code: str) -> list[DemoOfficer]:
        """The department's officers, in the order they were made."""
        return [each for each in self.officers if each.organisation_code == code]


def demo_id(random: Random) -> UUID:
    """An id that every installation's demonstration gives to the same thing."""
    return new_id(_IDS_SINCE, random.randbytes)


def make_register(random: Random, today: date) -> DemoRegister:
    """Draw the whole register."""
    departments = [
        Department(
            id=demo_id(random),
            code=each.code,
            name=each.name,
            short_name=each.short_name,
            parent_id=None,
            path=each.code.replace("-", "_"),
            region_code=CITY,
            region=ltree_path(CITY),
            hotline=each.hotline,
            paper_word=each.paper_word,
        )
        for each in DEPARTMENTS
    ]
    officers = list(_officers(random, departments, today))
    enterprises = list(_enterprises(random))
    return DemoRegister(
        departments=departments,
        officers=officers,
        enterprises=enterprises,
        sites=list(_sites(random, enterprises)),
        licences=list(_licences(random, enterprises, today)),
    )


def person_name(random: Random) -> str:
    """An invented name of two or three characters."""
    return random.choice(SURNAMES) + random.choice(GIVEN_FIRST) + random.choice(GIVEN_SECOND)


def _officers(random: Random, departments: Sequence[Department], today: date) -> Iterator[DemoOfficer]:
    names: set[str] = set()
    sized = zip(departments, DEPARTMENTS, strict=True)
    posts = [(department, place) for department, words in sized for place in range(words.officers)]
    for number, (department, place) in enumerate(posts):
        name = _fresh(names, lambda: person_name(random))
        made = _officer(random, name, department, number, today)
        yield msgspec.structs.replace(made, is_team_leader=place == 0)


def _officer(random: Random, name: str, department: Department, number: int, today: date) -> DemoOfficer:
    born_on = date(1972, 1, 1) + timedelta(days=random.randrange(28) * 365 + number)
    gender = random.choice("男女")
    # Sequences 998 and 999 were kept for people over a hundred: nobody living holds such a number.
    body = f"{random.choice(COUNTIES).code}{born_on:%Y%m%d}{'999' if gender == '男' else '998'}"
    certified = number != _NO_CERTIFICATE
    ends_on = (
        today - timedelta(days=20)
        if number in _EXPIRED_CERTIFICATES
        else today + timedelta(days=400 + random.randrange(1000))
    )
    return DemoOfficer(
        id=demo_id(random),
        name=name,
        department_id=department.id,
        organisation_name=department.name,
        organisation_code=department.code,
        post=random.choice(_POSTS),
        resident_id=body + ric.calc_check_digit(f"{body}?"),  # it leaves the last one out
        phone=f"1990001{number:04d}",
        gender=gender,
        born_on=born_on,
        certificate_number=f"2045010{number:04d}" if certified else None,
        certificate_valid_from=ends_on - timedelta(days=5 * 365) if certified else None,
        certificate_valid_to=ends_on if certified else None,
    )


def _fresh(used: set[str], draw: Callable[[], str]) -> str:
    while (text := draw()) in used:
        pass
    used.add(text)
    return text


def _enterprises(random: Random) -> Iterator[DemoEnterprise]:
    counties = [county for county in COUNTIES for _ in range(county.share)]
    trades = [trade for trade in TRADES for _ in range(trade.count)]
    random.shuffle(counties)
    brands: set[str] = set()
    for number, (trade, county) in enumerate(zip(trades, counties, strict=True)):
        brand = _fresh(brands, lambda: random.choice(BRAND_FIRST) + random.choice(BRAND_SECOND))
        yield _enterprise(random, number, brand, trade, county)


def _enterprise(random: Random, number: int, brand: str, trade: DemoTrade, county: DemoCounty) -> DemoEnterprise:
    is_company = trade.kind == "91"
    return DemoEnterprise(
        id=demo_id(random),
        uscc=make_uscc(trade.kind + county.code + _organisation_code(random)),
        name=random.choice(trade.names).format(county=_place(county), brand=brand),
        brand=brand,
        object_type={"91": "企业", "92": "个体工商户", "52": "民办非企业单位"}[trade.kind],
        legal_representative=person_name(random),
        registered_capital=Decimal(random.choice((50, 100, 200, 300, 500, 1000, 2000))) if is_company else None,
        domicile=_address(random, county),
        established_on=date(2008, 1, 4) + timedelta(days=random.randrange(6200)),
        risk_level=random.choices(list(RiskLevel), (45, 30, 18, 7))[0],
        credit_grade=random.choices(list(CreditGrade), (50, 32, 13, 5))[0],
        agreement_signed=random.random() < _AGREEMENTS,
        phone=f"1990000{number:04d}",
        trade=trade,
        county=county,
    )


def _organisation_code(random: Random) -> str:
    """组织机构代码 (GB 11714): eight characters and their own check character."""
    body = "MA" + "".join(random.choices(_ORGANISATION_ALPHABET, k=6))
    total = sum(weight * int(character, 36) for weight, character in zip(_ORGANISATION_WEIGHTS, body, strict=True))
    return body + "0123456789X0"[11 - total % 11]


def _place(county: DemoCounty) -> str:
    """How the county stands in a name: a district behind its city, a county by itself."""
    return f"南宁市{county.name}" if county.name.endswith("区") else county.name


def _address(random: Random, county: DemoCounty) -> str:
    return f"{_place(county)}{random.choice(county.roads)}{random.randrange(1, 260)}号"


def _sites(random: Random, enterprises: Sequence[DemoEnterprise]) -> Iterator[DemoSite]:
    shapes = ["polygon"] * _POLYGONS + ["unknown"] * _WITHOUT_POSITION
    shapes += ["circle"] * (len(enterprises) - len(shapes))
    random.shuffle(shapes)
    for enterprise, shape in zip(enterprises, shapes, strict=True):
        yield _site(random, enterprise, shape, is_main=True)
    branching = [each for each in enterprises if each.trade.may_branch]
    for enterprise in random.sample(branching, _BRANCHES):
        yield _site(random, enterprise, "circle", is_main=False)


def _site(random: Random, enterprise: DemoEnterprise, shape: str, *, is_main: bool) -> DemoSite:
    county = enterprise.county
    # A town's shops crowd in its middle; two thirds stand within 2 km of it.
    longitude = round(county.longitude + random.gauss(0, 0.016), 6)
    latitude = round(county.latitude + random.gauss(0, 0.014), 6)
    address = enterprise.domicile if is_main else _address(random, county)
    branch = address.removeprefix(_place(county)).rstrip("0123456789号")
    known = shape != "unknown"
    return DemoSite(
        id=demo_id(random),
        enterprise=enterprise,
        is_main=is_main,
        name=enterprise.name if is_main else f"{enterprise.brand}{branch}店",
        address=address,
        longitude=longitude if known else None,
        latitude=latitude if known else None,
        radius_m=random.choice(_RADII) if known else None,
        polygon=_outline(random, longitude, latitude) if shape == "polygon" else None,
    )


def _outline(random: Random, longitude: float, latitude: float) -> list[tuple[float, float]]:
    """A plot of some 200 m by 140 m around a point."""
    east = random.uniform(70, 130) / _METRES_PER_DEGREE / cos(radians(latitude))
    north = random.uniform(50, 90) / _METRES_PER_DEGREE
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return [(round(longitude + x * east, 6), round(latitude + y * north, 6)) for x, y in corners]


def _licences(random: Random, enterprises: Sequence[DemoEnterprise], today: date) -> Iterator[DemoLicence]:
    for number, enterprise in enumerate(enterprises):
        trade = enterprise.trade
        if trade.licence is None:
            continue
        left = -random.randrange(5, 90) if number % 12 == 7 else random.randrange(30, 1700)  # noqa: PLR2004
        valid_to = today + timedelta(days=left)
        authority = next(each.name for each in DEPARTMENTS if each.code == trade.department)
        yield DemoLicence(
            id=demo_id(random),
            enterprise_id=enterprise.id,
            number=f"{trade.licence_prefix}{enterprise.county.code}{random.randrange(10**7):07d}",
            name=trade.licence,
            authority=authority,
            content=trade.scope,
            valid_from=valid_to - timedelta(days=5 * 365),
            valid_to=valid_to,
        )
