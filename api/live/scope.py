"""Who sees what live, as a value: the caller's own scope, narrowed by what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from api.live.model import Reach
from codes.divisions import UnknownDivision, ltree_path
from domain.identity.model import Department, Principal, Role
from domain.scene.catalogue import scenes
from domain.shared.errors import Forbidden, InvalidField


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What must all hold of an event; None leaves a thing open, but never all of them."""

    region: str | None = None
    department_id: UUID | None = None
    officer_id: UUID | None = None
    scene: str | None = None

    def admits(self, reach: Reach) -> bool:
        """Whether an event that concerns these belongs here."""
        return (
            (self.region is None or _lies_in(reach.region, self.region))
            and (self.department_id is None or self.department_id in reach.departments)
            and (self.officer_id is None or self.officer_id in reach.officers)
            and (self.scene is None or self.scene == reach.scene)
        )


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller narrows the feed: `region` is a code of six digits, `scene` one of `S01` to `S35`."""

    region: str | None = None
    department_id: UUID | None = None
    scene: str | None = None


def _lies_in(region: str | None, above: str) -> bool:
    return region is not None and (region == above or region.startswith(above + "."))


def scope_of(principal: Principal) -> Scope:
    """Leads see their region's subtree, managers what their department takes part in, inspectors their own (D8).

    Raises `Forbidden` for everybody else, and for who belongs nowhere.
    """
    match principal:
        case Principal(role=Role.LEAD, region=str() as region):
            return Scope(region=region)
        case Principal(role=Role.DEPARTMENT_MANAGER, department_id=UUID() as department_id):
            return Scope(department_id=department_id)
        case Principal(role=Role.INSPECTOR, officer_id=UUID() as officer_id):
            return Scope(officer_id=officer_id)
        case _:
            raise Forbidden("该账号没有可查看的现场动态。")


def read_wish(query: Mapping[str, str]) -> Wish:
    """What `?region=`, `?department=` and `?scene=` say. Raises `InvalidField`."""
    department, scene, region = query.get("department"), query.get("scene"), query.get("region")
    if scene is not None and scene not in {each.code for each in scenes()}:
        raise InvalidField("没有这个场景。", field="scene")
    try:
        path = None if region is None else ltree_path(region)
    except UnknownDivision as unknown:
        raise InvalidField("没有这个行政区划代码。", field="region") from unknown
    try:
        return Wish(region=path, department_id=None if department is None else UUID(department), scene=scene)
    except ValueError as unreadable:
        raise InvalidField("部门标识无法识别。", field="department") from unreadable


def narrow(own: Scope, principal: Principal, wish: Wish, department: Department | None) -> Scope:
    """The part of `own` that is wished for; `department` is the one that was named, if there is such a one.

    Raises `Forbidden` for a region or a department outside of what the caller may see.
    """
    if wish.region is not None and own.region is not None and not _lies_in(wish.region, own.region):
        raise Forbidden("所选区域不在可查看范围内。")
    if wish.department_id is not None and not _may_name(principal, wish.department_id, department):
        raise Forbidden("所选部门不在可查看范围内。")
    return Scope(
        region=wish.region or own.region,
        department_id=wish.department_id or own.department_id,
        officer_id=own.officer_id,
        scene=wish.scene,
    )


def _may_name(principal: Principal, department_id: UUID, department: Department | None) -> bool:
    """A lead any department of the own region, everybody else their own."""
    if principal.role is not Role.LEAD:
        return department_id == principal.department_id
    return department is not None and principal.region is not None and _lies_in(department.region, principal.region)
