"""Rules of materials: where one belongs, how it stands, when its owner hears of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.material.model import MaterialKind, MaterialMark, MaterialScope, MaterialUpload, OwnSite, StoredMaterial
from domain.material.rules import lines_of, mark_of, slot_of, step_days
from domain.material.standards import standard_materials, standard_of, standards_for
from domain.shared.errors import InvalidField, NotFound

TODAY = date(2026, 8, 5)
FILE = "0" * 64
SITE = UUID(int=1)
BRANCH = UUID(int=2)


def upload(**changes: object) -> MaterialUpload:
    return MaterialUpload(files=[FILE], **changes)  # type: ignore[arg-type] - as a test names them


def stored(name: str, **changes: object) -> StoredMaterial:
    values: dict[str, object] = {
        "id": uuid4(),
        "enterprise_id": UUID(int=9),
        "site_id": None,
        "standard_code": None,
        "name": name,
        "kind": MaterialKind.MATERIAL,
        "version_id": uuid4(),
        "version": 1,
        "number": None,
        "valid_from": None,
        "valid_to": None,
        "uploaded_at": datetime(2026, 8, 1, tzinfo=UTC),
    }
    return StoredMaterial(**{**values, **changes})  # type: ignore[arg-type] - as a test names them


def shop(site_id: UUID, *business_types: str) -> OwnSite:
    return OwnSite(id=site_id, name=f"店{site_id.int}", is_main=site_id == SITE, business_types=list(business_types))


def test_every_standard_material_has_a_code_of_its_own_and_a_source() -> None:
    every = standard_materials()
    assert len({each.code for each in every}) == len(every) > 20
    assert {each.business_type for each in every} == {None, "餐饮服务", "危险化学品经营", "旅行社"}
    assert all(each.source and not each.verified for each in every)
    assert len({(each.business_type, each.name) for each in every}) == len(every)
    assert all(len(each.name) <= 60 for each in every)


def test_what_is_asked_follows_from_the_business_types() -> None:
    assert [each.code for each in standards_for([])] == ["TY-01"]
    assert {each.business_type for each in standards_for(["旅行社"])} == {None, "旅行社"}


@pytest.mark.parametrize(
    ("left", "mark"),
    [(-1, MaterialMark.EXPIRED), (0, MaterialMark.EXPIRING), (30, MaterialMark.EXPIRING), (31, MaterialMark.VALID)],
)
def test_the_last_day_counts_as_valid(left: int, mark: MaterialMark) -> None:
    assert mark_of(TODAY + timedelta(days=left), TODAY) is mark


def test_what_never_expires_is_valid() -> None:
    assert mark_of(None, TODAY) is MaterialMark.VALID


def test_each_last_day_near_has_exactly_one_step_and_the_nearest() -> None:
    def steps(left: int) -> list[int]:
        day = TODAY + timedelta(days=left)
        return [step for step, first, last in step_days(TODAY) if first <= day <= last]

    assert {left: steps(left) for left in (31, 30, 8, 7, 2, 1, 0, -1, -30, -31)} == {
        31: [],
        30: [30],
        8: [30],
        7: [7],
        2: [7],
        1: [1],
        0: [1],
        -1: [0],
        -30: [0],
        -31: [],
    }
    assert all(len(steps(left)) == 1 for left in range(-30, 31))


def test_a_standard_material_brings_its_own_name_and_kind() -> None:
    slot = slot_of(upload(standard_code="CY-01", site_id=SITE, valid_to=date(2028, 1, 1)), {SITE})
    assert (slot.name, slot.kind, slot.site_id) == ("食品经营许可证", MaterialKind.E_LICENCE, SITE)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"standard_code": "XX-99"}, "standard_code"),
        ({"standard_code": "CY-01", "site_id": SITE}, "valid_to"),
        ({"standard_code": "CY-03"}, "site_id"),
        ({"standard_code": "TY-01", "site_id": SITE}, "site_id"),
        ({"standard_code": "TY-01", "name": "另一名称"}, "name"),
        ({"standard_code": "TY-01", "kind": MaterialKind.MATERIAL}, "kind"),
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "证"}, "name"),
        ({"name": "证" * 61}, "name"),
        ({"name": "两\n行"}, "name"),
        ({"name": "合同", "valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "valid_to"),
    ],
)
def test_an_upload_that_belongs_nowhere_is_told_why(given: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        slot_of(upload(**given), {SITE})
    assert refusal.value.field == field


def test_a_site_that_is_not_the_callers_is_not_found() -> None:
    with pytest.raises(NotFound):
        slot_of(upload(name="合同", site_id=BRANCH), {SITE})


def test_the_list_asks_once_of_the_enterprise_and_of_each_site_for_its_own() -> None:
    sites = [shop(SITE, "餐饮服务"), shop(BRANCH, "旅行社")]
    lines = lines_of(sites, [], TODAY)
    assert [each.name for each in lines].count("营业执照") == 1
    asked = {(each.standard_code, each.site_id) for each in lines}
    assert ("CY-01", SITE) in asked
    assert ("CY-01", BRANCH) not in asked
    assert ("LX-04", BRANCH) in asked
    assert ("LX-01", None) in asked
    assert all(each.mark is MaterialMark.MISSING and not each.is_uploaded for each in lines)


def test_what_was_handed_in_stands_in_its_place_and_the_rest_at_the_end() -> None:
    licence = stored("食品经营许可证", standard_code="CY-01", site_id=SITE, valid_to=TODAY, kind=MaterialKind.E_LICENCE)
    # Uploaded while the site was still in another 业态: it stays listed.
    former = stored("旅游安全管理制度和应急预案", standard_code="LX-07")
    own = stored("租赁合同")
    lines = lines_of([shop(SITE, "餐饮服务")], [own, licence, former], TODAY)
    found = next(each for each in lines if each.standard_code == "CY-01")
    assert (found.id, found.is_uploaded, found.mark) == (licence.id, True, MaterialMark.EXPIRING)
    assert {each.id for each in lines[-2:]} == {own.id, former.id}
    assert not lines[-1].is_required or lines[-1].standard_code == "LX-07"


def test_scopes_are_known_of_every_standard() -> None:
    licence = standard_of("CY-01")
    assert licence is not None
    assert licence.scope is MaterialScope.SITE
