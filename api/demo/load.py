"""演示 The demonstration: made once, in one transaction, from a fixed seed; only passwords and codes are chance."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.demo.history import insert_past, insert_rows
from api.demo.register import DemoOfficer, DemoRegister, DemoSite, demo_id, make_register, person_name
from api.demo.rooms import DemoFile, DemoPeople, DemoRunner, digest_of, furnish, specimen
from api.demo.visits import DemoInspections, plan_inspections
from api.demo.words import CITY, CITY_PATH, CULTURE, EMERGENCY, FIRE, MARKET
from api.drafts import store_draft
from api.register import INSTALLATION, load_register
from api.wiring import Parts
from codes.token import code_url
from domain.checklist.builtin import (
    FOOD_SERVICE_TYPE,
    HAZARDOUS_CHEMICALS_TYPE,
    TRAVEL_AGENCY_TYPE,
    load_builtin_checklists,
)
from domain.checklist.store import ENABLED_CHECKLIST
from domain.document.template_operations import load_builtin_templates
from domain.enterprise.operations import issue_codes
from domain.enterprise.tables import enterprise, licence, site
from domain.evidence.blobs import original_key
from domain.evidence.operations import NewFile, PutAgain
from domain.identity.model import EnterprisePost, Principal, Role
from domain.identity.passwords import hash_password
from domain.identity.store import ACCOUNT_BY_LOGIN, INSERT_ACCOUNT, INSERT_DEPARTMENT
from domain.identity.tables import account
from domain.inspection.dispatch import dispatch_inspection
from domain.inspection.model import DispatchOrder
from domain.manual.builtin import load_builtin_manuals
from domain.membership.operations import enrol_managers
from domain.officer.tables import officer
from domain.shared.events import Event, Operator
from domain.shared.numbers import NumberRequest
from domain.shared.sql import Command
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

SEED: Final = "yima"
_PASSWORD_BYTES: Final = 9
_REVIEWER: Final = Operator(id=UUID(int=2), name="演示审核人", post="法制审核")

_SET_PASSWORD = Command(
    sa.update(account)
    .where(account.c.login == sa.bindparam("of_login"))
    .values(password_hash=sa.bindparam("password_hash"))
)


class DemoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in of the demonstration: `key` is the role, or its second or third; `name` is typed to log in."""

    key: str
    name: str
    role: Role


ACCOUNTS: Final = (
    DemoAccount(key="inspector", name="inspector", role=Role.INSPECTOR),
    DemoAccount(key="inspector2", name="inspector2", role=Role.INSPECTOR),
    DemoAccount(key="inspector3", name="inspector3", role=Role.INSPECTOR),
    DemoAccount(key="department_manager", name="manager", role=Role.DEPARTMENT_MANAGER),
    DemoAccount(key="lead", name="lead", role=Role.LEAD),
    DemoAccount(key="enterprise", name="enterprise", role=Role.ENTERPRISE),
    DemoAccount(key="enterprise2", name="enterprise2", role=Role.ENTERPRISE),
    DemoAccount(key="enterprise3", name="enterprise3", role=Role.ENTERPRISE),
    DemoAccount(key="administrator", name="admin", role=Role.ADMINISTRATOR),
)


_VISITED: Final = {"enterprise": 0, "enterprise2": 2, "enterprise3": 3}
"""Which of the inspector's inspections, due today and of one department, each enterprise account is visited by."""


class DemoAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords in clear by account key; empty when the demonstration was there: only hashes are kept."""

    created: bool
    passwords: Mapping[str, str]


class _Making(msgspec.Struct, frozen=True):
    """What one load of the demonstration is made of."""

    register: DemoRegister
    inspections: DemoInspections
    people: list[str]
    account_ids: list[UUID]
    hashes: Mapping[str, str]


async def load_demo(parts: Parts, *, public_url: str, today: date) -> DemoAccounts:
    """Make the demonstration, its terms set by `today`; a second call finds it and changes nothing.

    All of it commits at once: an interrupted first start leaves nothing behind. Raises `InvalidPublicUrl`
    before anything is written when no sticker could be printed for `public_url`.
    """
    code_url(public_url, "")
    await load_register(parts)
    async with parts.work.reading() as connection:
        if await ACCOUNT_BY_LOGIN.first(connection, login=ACCOUNTS[0].name) is not None:
            return DemoAccounts(created=False, passwords={})
    passwords, hashes = await _new_passwords()
    random = Random(SEED)  # noqa: S311 - a demonstration that is the same everywhere, and no secret in it
    register = make_register(random, today)
    making = _Making(
        register=register,
        inspections=plan_inspections(random, register, today),
        people=[person_name(random) for _ in ACCOUNTS],
        account_ids=[demo_id(random) for _ in ACCOUNTS],
        hashes=hashes,
    )
    await _commit(parts, making)
    return DemoAccounts(created=True, passwords=passwords)


async def _commit(parts: Parts, making: _Making) -> None:
    """The file that the demonstration shows is put, then everything is committed at once."""
    content = specimen()
    digest = digest_of(content)

    async def commit(new: NewFile | None, put_again: PutAgain) -> None:
        file = DemoFile(digest=digest, new=new, put_again=put_again)
        await parts.work.run(INSTALLATION, lambda tx: _make(tx, parts, making, file))

    draft = parts.blobs.draft(original_key(digest))
    try:
        await draft.take(content)
        await store_draft(parts, draft, commit, is_stored=False)
    finally:
        draft.close()


async def renew_passwords(parts: Parts) -> DemoAccounts:
    """Fresh passwords for the demonstration's accounts: the former ones are nowhere to be read any more."""
    passwords, hashes = await _new_passwords()

    async def renew(tx: Transaction) -> Outcome[None]:
        await _SET_PASSWORD.run_many(
            tx.connection,
            [{"of_login": each.name, "password_hash": hashes[each.key]} for each in ACCOUNTS],
        )
        return Outcome(answer=None)

    await parts.work.run(INSTALLATION, renew)
    return DemoAccounts(created=False, passwords=passwords)


async def _new_passwords() -> tuple[dict[str, str], dict[str, str]]:
    """Random passwords and their hashes, hashed in threads: Argon2 leaves the interpreter's lock."""
    passwords = {each.key: secrets.token_urlsafe(_PASSWORD_BYTES) for each in ACCOUNTS}
    hashes = await asyncio.gather(*(asyncio.to_thread(hash_password, text) for text in passwords.values()))
    return passwords, dict(zip(passwords, hashes, strict=True))


async def _make(tx: Transaction, parts: Parts, making: _Making, file: DemoFile) -> Outcome[None]:
    register = making.register
    await _insert_register(tx, register)
    await insert_past(tx, making.inspections.past, register)
    papers = await load_builtin_templates(tx, INSTALLATION, _REVIEWER)
    lists = await _load_lists(tx, register)
    codes = await issue_codes(tx, [each.id for each in register.sites], CITY_PATH, parts.code_keys)
    events: list[Event] = [*papers.events, *lists.events, *codes.events]
    numbers: list[NumberRequest] = []
    for order in making.inspections.pending:
        dispatched = await dispatch_inspection(tx, _with_list(order, register, lists.answer))
        events += dispatched.events
        numbers += dispatched.numbers
    people = await _insert_accounts(tx, making)
    rooms = await furnish(tx, people, file, parts.code_keys)
    return Outcome(answer=None, events=(*events, *rooms.events), numbers=(*numbers, *rooms.numbers))


_LEADS: Final = {
    FOOD_SERVICE_TYPE: MARKET,
    HAZARDOUS_CHEMICALS_TYPE: EMERGENCY,
    TRAVEL_AGENCY_TYPE: CULTURE,
}
"""Which department leads the checklist of a 业态 and makes its manual."""


async def _load_lists(tx: Transaction, register: DemoRegister) -> Outcome[Mapping[str, UUID]]:
    """检查单 and 经营手册 of each 业态 by the department that leads it; gives the versions of the lists."""
    events: list[Event] = []
    versions: dict[str, UUID] = {}
    for business_type, code in _LEADS.items():
        lead = register.department(code)
        lists = await load_builtin_checklists(
            tx, lead.id, business_types=[business_type], departments={"消防救援": FIRE}
        )
        manuals = await load_builtin_manuals(tx, lead.id, business_types=[business_type])
        events += [*lists.events, *manuals.events]
        enabled = await ENABLED_CHECKLIST.one(
            tx.connection, business_type=business_type, region=lead.region, department_id=lead.id
        )
        versions[business_type] = enabled.version_id
    return Outcome(answer=versions, events=tuple(events))


def _with_list(order: DispatchOrder, register: DemoRegister, versions: Mapping[str, UUID]) -> DispatchOrder:
    """An inspection draws its items from the list of the site's 业态; trades without one have no list."""
    trade = next(each for each in register.sites if each.id == order.site_id).enterprise.trade
    if trade.business_type is None:
        return order
    return msgspec.structs.replace(order, checklist_version_id=versions[trade.business_type])


async def _insert_register(tx: Transaction, register: DemoRegister) -> None:
    departments = {each.code: each.id for each in register.departments}
    await INSERT_DEPARTMENT.run_many(tx.connection, [msgspec.structs.asdict(d) for d in register.departments])
    await insert_rows(tx, officer, [_officer_row(tx, each) for each in register.officers])
    await insert_rows(tx, enterprise, [_enterprise_row(tx, each) for each in _main_sites(register)])
    await insert_rows(tx, site, [_site_row(tx, each, departments) for each in register.sites])
    await insert_rows(tx, licence, [msgspec.structs.asdict(each) for each in register.licences])


def _main_sites(register: DemoRegister) -> Iterable[DemoSite]:
    return (each for each in register.sites if each.is_main)


def _sealed(vault: Vault, label: str, text: str) -> dict[str, bytes]:
    """The two columns of a personal value that can be found again, `label` being `<table>.<column>`."""
    column = label.partition(".")[2]
    return {f"{column}_sealed": vault.seal(label, text), f"{column}_index": vault.blind_index(label, text)}


def _officer_row(tx: Transaction, made: DemoOfficer) -> dict[str, Any]:
    row = msgspec.structs.asdict(made)
    del row["resident_id"], row["phone"]
    return {
        **row,
        **_sealed(tx.vault, "officer.resident_id", made.resident_id),
        **_sealed(tx.vault, "officer.phone", made.phone),
        "officer_nature": "行政执法人员",
        "certificate_authority": "广西壮族自治区人民政府" if made.certificate_number else None,
        "certificate_area": "南宁市" if made.certificate_number else None,
        "certificate_category": "行政执法证" if made.certificate_number else None,
        "is_supervisor": False,
        "region_code": CITY,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def _enterprise_row(tx: Transaction, main: DemoSite) -> dict[str, Any]:
    made = main.enterprise
    row = msgspec.structs.asdict(made)
    for name in ("brand", "phone", "trade", "county"):
        del row[name]
    registrar = "民政局" if made.trade.kind.startswith("5") else "市场监督管理局"
    return {
        **row,
        **_sealed(tx.vault, "enterprise.liaison_phone", made.phone),
        "liaison_name_sealed": tx.vault.seal("enterprise.liaison_name", made.legal_representative),
        "brand_name": made.brand,
        "industry_type": made.trade.industry,
        "business_scope": made.trade.scope,
        "capital_currency": "人民币" if made.registered_capital is not None else None,
        "term_from": made.established_on,
        "registration_authority": f"{made.county.name}{registrar}",
        "approved_on": made.established_on + timedelta(days=3),
        "prepaid_cards": made.trade.scene == "S26",
        "region_code": made.county.code,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def _site_row(tx: Transaction, made: DemoSite, departments: Mapping[str, UUID]) -> dict[str, Any]:
    row = msgspec.structs.asdict(made)
    del row["enterprise"]
    return {
        **row,
        "enterprise_id": made.enterprise.id,
        "region_code": made.enterprise.county.code,
        "region": made.region,
        "business_types": [made.enterprise.trade.business_type] if made.enterprise.trade.business_type else [],
        "regulator_id": departments[made.enterprise.trade.department],
        "created_at": tx.now,
        "updated_at": tx.now,
    }


async def _insert_accounts(tx: Transaction, making: _Making) -> DemoPeople:
    rows: list[dict[str, Any]] = [
        {
            "id": account_id,
            "login": each.name,
            "role": each.role.value,
            "password_hash": making.hashes[each.key],
            "disabled_at": None,
            "created_at": tx.now,
            **_station(making, each, person),
        }
        for each, account_id, person in zip(ACCOUNTS, making.account_ids, making.people, strict=True)
    ]
    await INSERT_ACCOUNT.run_many(tx.connection, rows)
    await enrol_managers(tx, {row["id"]: row["enterprise_id"] for row in rows if row["enterprise_id"] is not None})
    acting = {each.key: _principal(row) for each, row in zip(ACCOUNTS, rows, strict=True)}
    return DemoPeople(
        manager=acting["department_manager"],
        lead=acting["lead"],
        runners=[_runner(making.register, acting[key]) for key in _VISITED],
    )


def _principal(row: Mapping[str, Any]) -> Principal:
    """Who acts by that account; no session is behind it."""
    told: dict[str, Any] = {name: row[name] for name in Principal.__struct_fields__ if name in row}
    told["role"] = Role(row["role"])
    return Principal(account_id=row["id"], session_id=row["id"], **told)


def _runner(register: DemoRegister, principal: Principal) -> DemoRunner:
    sites = [each for each in register.sites if each.enterprise.id == principal.enterprise_id]
    sites.sort(key=lambda each: not each.is_main)
    return DemoRunner(principal=principal, sites=[each.id for each in sites], phone=sites[0].enterprise.phone)


def _station(making: _Making, who: DemoAccount, person: str) -> dict[str, Any]:
    """Name, post, department, region, and the officer or enterprise that the account stands for."""
    register = making.register
    nobody: dict[str, Any] = {
        "department_id": None,
        "region": None,
        "officer_id": None,
        "enterprise_id": None,
        "enterprise_post": None,
        "site_ids": None,
    }
    if who.role is Role.INSPECTOR:
        made = {
            "inspector": register.officers_of(MARKET)[0],
            "inspector2": register.officers_of(MARKET)[1],
            "inspector3": register.officers_of(EMERGENCY)[0],
        }[who.key]
        acting = {"name": made.name, "post": made.post, "officer_id": made.id}
        return {**nobody, **acting, "department_id": made.department_id, "region": CITY_PATH}
    if who.role is Role.ENTERPRISE:
        visited = making.inspections.pending[_VISITED[who.key]].site_id
        run = next(each.enterprise for each in register.sites if each.id == visited)
        managing = {"enterprise_id": run.id, "enterprise_post": EnterprisePost.MANAGER}
        return {**nobody, **managing, "name": run.legal_representative, "post": "企业负责人"}
    if who.role is Role.ADMINISTRATOR:
        return {**nobody, "name": person, "post": "系统管理员", "region": CITY_PATH.partition(".")[0]}
    market = register.department(MARKET).id
    return {
        **nobody,
        "name": person,
        "post": "牵头部门领导" if who.role is Role.LEAD else "部门管理员",
        "department_id": market,
        "region": CITY_PATH,
    }
