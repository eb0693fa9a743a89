"""The demonstration: made once, the same everywhere, and usable at once."""

from __future__ import annotations

import io
import stat
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from rich.console import Console

from api.demo.facts import DemoFacts, prepare_demo, print_demo
from api.demo.load import ACCOUNTS, DemoAccounts, load_demo
from api.register import load_register
from api.wiring import Parts, open_parts
from codes.resident_id import check_resident_id
from codes.token import decode_token, token_from_scan
from codes.uscc import UsccOutcome, check_uscc
from domain.evidence.model import BlobPlace
from domain.identity.passwords import verify_password
from domain.identity.store import ACCOUNT_BY_LOGIN
from domain.inspection.store import ASSIGNED_OFFICERS
from domain.officer.rules import certificate_is_valid
from domain.shared.clock import local_date
from domain.shared.working_days import add_working_days
from tests.support.database import Database, clone_template, drop_database

PUBLIC = "https://ym.example.gov.cn"
BASE = "http://127.0.0.1:8000"
TODAY = local_date(datetime.now().astimezone())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared_parts: Parts) -> DemoAccounts:
    """The demonstration of this file's database, loaded once."""
    return await load_demo(shared_parts, public_url=PUBLIC, today=TODAY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def elsewhere(template: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    """The parts of a second, independent installation."""
    clone = await clone_template(template, "elsewhere")
    keys = tmp_path_factory.mktemp("other-keys")
    blobs = BlobPlace(str(keys / "blobs"))
    async with open_parts(clone.dsn, keys, blobs=blobs, pool_size=4, application="tests") as parts:
        yield parts
    await drop_database(clone)


async def rows(parts: Parts, query: str, *arguments: object) -> list[Any]:
    return await parts.pool.fetch(query, *arguments)


async def count(parts: Parts, table: str) -> int:
    return await parts.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own tables


async def whole(parts: Parts) -> dict[str, str]:
    """A digest of every table that the demonstration fills."""
    tables = ("region", "scene", "department", "officer", "enterprise", "site", "licence", "site_code")
    tables += ("account", "inspection", "inspection_party", "inspection_officer", "issued_number", "trace")
    digest = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
    return {table: await parts.pool.fetchval(digest.format(table)) for table in tables}


async def inspections_of(parts: Parts, login: str) -> list[Any]:
    return await rows(
        parts,
        "SELECT i.* FROM inspection i JOIN inspection_officer o ON o.inspection_id = i.id"
        " JOIN account a ON a.officer_id = o.officer_id WHERE a.login = $1 AND i.state = 'pending'",
        login,
    )


async def test_the_register_is_complete_and_a_second_load_writes_nothing(elsewhere: Parts) -> None:
    versions = "SELECT code, xmin::text FROM region UNION ALL SELECT code, xmin::text FROM scene ORDER BY code"
    await load_register(elsewhere)
    before = await rows(elsewhere, versions)
    assert len(before) == 140 + 35
    await load_register(elsewhere)
    assert await rows(elsewhere, versions) == before


async def test_a_changed_name_is_put_right_again(elsewhere: Parts) -> None:
    await load_register(elsewhere)
    await elsewhere.pool.execute("UPDATE region SET name = '?' WHERE code = '450103'")
    await elsewhere.pool.execute("UPDATE scene SET name = '?' WHERE code = 'S01'")
    await load_register(elsewhere)
    assert await elsewhere.pool.fetchval("SELECT name FROM region WHERE code = '450103'") == "青秀区"
    assert await elsewhere.pool.fetchval("SELECT name FROM scene WHERE code = 'S01'") == "乳品安全"


async def test_everything_is_there(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    expected = {"enterprise": 300, "site": 320, "site_code": 320, "department": 6, "officer": 40, "account": 9}
    assert {table: await count(shared_parts, table) for table in expected} == expected
    states = Counter(row["state"] for row in await rows(shared_parts, "SELECT state FROM inspection"))
    assert states == {"pending": 40, "completed": 60}
    no_position = await shared_parts.pool.fetchval("SELECT count(*) FROM site WHERE longitude IS NULL")
    outlined = await shared_parts.pool.fetchval("SELECT count(*) FROM site WHERE polygon IS NOT NULL")
    assert (no_position, outlined) == (18, 24)
    assert await shared_parts.pool.fetchval("SELECT count(*) FROM licence WHERE valid_to < $1", TODAY) > 10


async def test_every_uscc_and_resident_id_passes_its_check_digit(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.passwords
    for row in await rows(shared_parts, "SELECT uscc, region_code FROM enterprise"):
        assert check_uscc(row["uscc"]).outcome is UsccOutcome.OK
        assert row["uscc"][2:8] == row["region_code"]
    for row in await rows(shared_parts, "SELECT resident_id_sealed, born_on FROM officer"):
        verdict = check_resident_id(shared_parts.vault.open("officer.resident_id", row["resident_id_sealed"]))
        assert verdict.is_valid
        assert verdict.born_on == row["born_on"]


async def test_phones_are_sealed_findable_and_fictional(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.passwords
    label = "enterprise.liaison_phone"
    for row in await rows(shared_parts, "SELECT liaison_phone_sealed, liaison_phone_index FROM enterprise"):
        phone = shared_parts.vault.open(label, row["liaison_phone_sealed"])
        assert phone.startswith("1990000")
        assert shared_parts.vault.blind_index(label, phone) == row["liaison_phone_index"]


async def test_every_account_logs_in_with_its_own_password_only(shared_parts: Parts, made: DemoAccounts) -> None:
    assert len(set(made.passwords.values())) == len(ACCOUNTS)
    async with shared_parts.work.reading() as connection:
        for who in ACCOUNTS:
            stored = await ACCOUNT_BY_LOGIN.one(connection, login=who.name)
            assert stored.role is who.role
            assert verify_password(stored.password_hash, made.passwords[who.key])
            assert not verify_password(stored.password_hash, made.passwords[who.key] + "x")


async def test_the_inspector_finds_work_due_today_overdue_and_to_come(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    mine = await inspections_of(shared_parts, "inspector")
    approved = Counter(row["due_on"] for row in mine if row["approved_at"] is not None)
    assert approved.total() >= 12
    assert approved[TODAY] == 4
    assert sum(number for due_on, number in approved.items() if due_on < TODAY) == 3
    assert approved[add_working_days(TODAY, 2)] >= 2
    assert {row["kind"] for row in mine} == {"routine", "special", "case"}
    waiting = [(row["is_urgent"], row["approval_due_at"] is None) for row in mine if row["approved_at"] is None]
    assert sorted(waiting) == [(False, True), (True, False)]


async def test_each_department_of_an_inspection_sends_two_certified_officers(
    shared_parts: Parts, made: DemoAccounts
) -> None:
    assert made.created
    joint = 0
    async with shared_parts.work.reading() as connection:
        for row in await connection.fetch("SELECT id FROM inspection WHERE state = 'pending'"):
            officers = await ASSIGNED_OFFICERS.all(connection, inspection_id=row["id"], as_of=shared_parts.clock())
            assert all(certificate_is_valid(officer, TODAY) for officer in officers)
            crews = Counter(officer.acts_for for officer in officers)
            parties = await connection.fetch("SELECT FROM inspection_party WHERE inspection_id = $1", row["id"])
            assert len(crews) == len(parties)
            assert min(crews.values()) >= 2
            joint += len(crews) > 1
    assert joint >= 3


async def test_three_officers_may_not_inspect(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    terms = await rows(shared_parts, "SELECT certificate_valid_to AS ends_on FROM officer")
    assert sum(row["ends_on"] is None for row in terms) == 1
    assert sum(row["ends_on"] is not None and row["ends_on"] < TODAY for row in terms) == 2


async def test_the_enterprise_account_is_visited_today(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    visited = await rows(
        shared_parts,
        "SELECT i.id FROM account a JOIN site s ON s.enterprise_id = a.enterprise_id"
        " JOIN inspection i ON i.site_id = s.id WHERE a.login = 'enterprise' AND i.due_on = $1",
        TODAY,
    )
    assert len(visited) == 1


async def test_history_is_past_and_numbered_in_its_own_years(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    past = await rows(
        shared_parts,
        "SELECT i.*, n.year, n.sequence FROM inspection i JOIN issued_number n"
        " ON n.subject_id = i.id AND n.kind = 'JC' WHERE i.state = 'completed'",
    )
    assert len(past) == 60
    for row in past:
        assert TODAY - timedelta(days=375) < local_date(row["completed_at"]) < TODAY
        assert row["created_at"] <= row["completed_at"]
        assert local_date(row["created_at"]).year == row["year"]
        assert row["outcome"] in {"no_problem", "ordered_to_rectify"}
    assert await count(shared_parts, "publication") == len(past)
    gaps = await rows(
        shared_parts,
        "SELECT FROM number_counter c WHERE last <> (SELECT count(*) FROM issued_number n WHERE"
        " (n.department_code, n.kind, n.year) = (c.department_code, c.kind, c.year))",
    )
    assert gaps == []


async def test_a_second_load_changes_nothing(shared_parts: Parts, made: DemoAccounts) -> None:
    assert made.created
    before = await whole(shared_parts)
    again = await load_demo(shared_parts, public_url=PUBLIC, today=TODAY + timedelta(days=1))
    assert again == DemoAccounts(created=False, passwords={})
    assert await whole(shared_parts) == before


async def test_two_installations_show_the_same_and_share_no_secret(
    shared_parts: Parts, elsewhere: Parts, made: DemoAccounts
) -> None:
    other = await load_demo(elsewhere, public_url=PUBLIC, today=TODAY)
    register = (
        "SELECT e.id, uscc, e.name, s.name AS site, address, longitude"
        " FROM enterprise e JOIN site s ON s.enterprise_id = e.id ORDER BY s.id"
    )
    assert await rows(shared_parts, register) == await rows(elsewhere, register)
    planned = "SELECT name, due_on, kind FROM inspection ORDER BY name, due_on"
    assert await rows(shared_parts, planned) == await rows(elsewhere, planned)
    assert not set(made.passwords.values()) & set(other.passwords.values())
    assert (
        len(
            {
                row["code_id"]
                for each in (shared_parts, elsewhere)
                for row in await rows(each, "SELECT code_id FROM site_code")
            }
        )
        == 640
    )


async def prepared(parts: Parts, path: Path, base_url: str = BASE, today: date = TODAY) -> DemoFacts:
    return await prepare_demo(parts, path, base_url=base_url, public_url=PUBLIC, today=today)


async def test_the_file_opens_every_door(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "var" / "demo.json"
    facts = await prepared(parts, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert msgspec.json.decode(path.read_bytes(), type=DemoFacts) == facts
    assert set(facts.accounts) >= {"inspector", "department_manager", "lead", "enterprise", "administrator"}
    assert len(facts.sites) == 320
    due = [site for site in facts.sites if site.due_on == TODAY]
    assert facts.sites[:4] == due
    assert all(site.inspection_id and site.position for site in due)
    for site in facts.sites:
        assert site.scan_url == f"{BASE}/c/{site.token}"
        assert site.printed_url == f"HTTPS://YM.EXAMPLE.GOV.CN/C/{site.token}"
        code_id = decode_token(parts.code_keys, token_from_scan(site.code_url) or "").code_id
        assert code_id
    known = await rows(parts, "SELECT encode(code_id, 'hex') AS code, site_id FROM site_code")
    of_code = {row["code"]: row["site_id"] for row in known}
    for site in facts.sites:
        assert of_code[decode_token(parts.code_keys, site.token).code_id.hex()] == site.site_id


async def test_a_later_start_keeps_the_passwords_and_takes_a_new_address(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    first = await prepared(parts, path)
    written = path.stat().st_mtime_ns
    assert await prepared(parts, path) == first
    assert path.stat().st_mtime_ns == written
    moved = await prepared(parts, path, base_url="http://10.0.0.5:9000")
    assert moved.accounts == first.accounts
    assert moved.sites[0].scan_url.startswith("http://10.0.0.5:9000/c/")
    assert msgspec.json.decode(path.read_bytes(), type=DemoFacts) == moved


@pytest.mark.parametrize("damage", ["missing", "broken", "of another database"])
async def test_lost_passwords_are_replaced(parts: Parts, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "demo.json"
    first = await prepared(parts, path)
    if damage == "missing":
        path.unlink()
    elif damage == "broken":
        path.write_text("{")
    else:
        password = first.accounts["inspector"].password
        path.write_text(path.read_text().replace(password, "another one"))
    again = await prepared(parts, path)
    async with parts.work.reading() as connection:
        for who in ACCOUNTS:
            stored = await ACCOUNT_BY_LOGIN.one(connection, login=who.name)
            assert verify_password(stored.password_hash, again.accounts[who.key].password)
            assert not verify_password(stored.password_hash, first.accounts[who.key].password)


async def test_an_interrupted_load_leaves_nothing_behind(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("api.demo.load._insert_accounts", fail)
        with pytest.raises(Exception, match="系统暂时繁忙"):
            await load_demo(parts, public_url=PUBLIC, today=TODAY)
    assert await count(parts, "enterprise") == 0
    assert (await load_demo(parts, public_url=PUBLIC, today=TODAY)).created


async def test_the_terminal_shows_address_accounts_and_a_code(parts: Parts, tmp_path: Path) -> None:
    facts = await prepared(parts, tmp_path / "demo.json")
    screen = io.StringIO()
    print_demo(facts, Console(file=screen, width=100))
    shown = screen.getvalue()
    assert BASE in shown
    for entry in facts.accounts.values():
        assert f"{entry.name} " in shown
        assert entry.password in shown
    assert facts.sites[0].scan_url in shown
    assert shown.count("\x1b[0m\n") > 15


async def test_each_trade_with_a_list_has_its_manual_by_the_department_that_leads_it(
    shared_parts: Parts, made: DemoAccounts
) -> None:
    assert made.created
    leads = {"餐饮服务": "450100-SJ", "危险化学品经营": "450100-YJ", "旅行社": "450100-WL"}
    lists = "SELECT l.business_type, d.code FROM checklist l JOIN department d ON d.id = l.lead_department_id"
    manuals = "SELECT m.business_type, d.code FROM manual m JOIN department d ON d.id = m.department_id"
    for query, state in ((lists, "enabled"), (manuals, "published")):
        found = await rows(shared_parts, f"{query} WHERE state = $1", state)
        assert {row["business_type"]: row["code"] for row in found} == leads
    drawn = await rows(
        shared_parts,
        "SELECT DISTINCT unnest(s.business_types) AS trade, i.list_digest IS NOT NULL AS is_drawn FROM inspection i "
        "JOIN site s ON s.id = i.site_id WHERE i.state = 'pending'",
    )
    assert {row["trade"] for row in drawn} <= leads.keys()
    assert all(row["is_drawn"] for row in drawn)
