"""亮码告知 (ONE-02): who sees what behind the same code. One table decides, one test a cell.

Who is signed in decides the audience, never the URL. What a room cannot yet tell has no row here: penalties come with
them, complaints with complaints.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from uuid import UUID

import msgspec

from domain.identity.model import Principal, Role
from domain.identity.rules import within_region


class Audience(enum.StrEnum):
    """Who looks at a site's code."""

    CITIZEN = "citizen"
    ENTERPRISE = "enterprise"
    INSPECTOR_WITH_ORDER = "inspector_with_order"
    INSPECTOR = "inspector"
    LEAD = "lead"


class Section(enum.StrEnum):
    """What may be shown of a site."""

    BASICS = "basics"
    LICENCES = "licences"
    REGULATOR = "regulator"
    RESULTS = "results"
    OWN_PENDING_PUBLICATIONS = "own_pending_publications"
    OWN_INSPECTIONS = "own_inspections"
    ORDERS = "orders"
    ALL_ORDERS = "all_orders"
    HISTORY = "history"
    HISTORY_BRIEF = "history_brief"
    GRADES = "grades"
    LOCATION = "location"


class Action(enum.StrEnum):
    """What may be done from the scan."""

    CHECK_IN = "check_in"
    WATCH = "watch"


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    sections: frozenset[Section]
    actions: frozenset[Action] = frozenset()


_PUBLIC = frozenset({Section.BASICS, Section.LICENCES, Section.REGULATOR, Section.RESULTS})

DISCLOSURES: Mapping[Audience, Disclosure] = {
    Audience.CITIZEN: Disclosure(sections=_PUBLIC),
    Audience.ENTERPRISE: Disclosure(sections=_PUBLIC | {Section.OWN_INSPECTIONS, Section.OWN_PENDING_PUBLICATIONS}),
    Audience.INSPECTOR_WITH_ORDER: Disclosure(
        sections=_PUBLIC | {Section.ORDERS, Section.HISTORY, Section.GRADES, Section.LOCATION},
        actions=frozenset({Action.CHECK_IN}),
    ),
    Audience.INSPECTOR: Disclosure(sections=_PUBLIC | {Section.HISTORY_BRIEF}),
    Audience.LEAD: Disclosure(
        sections=_PUBLIC | {Section.ALL_ORDERS, Section.HISTORY, Section.GRADES, Section.LOCATION},
        actions=frozenset({Action.WATCH}),
    ),
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What of the scanned site decides the audience: whose it is, where, and who has open orders there."""

    enterprise_id: UUID
    region: str
    officers_with_order: frozenset[UUID] = frozenset()


def audience_of(principal: Principal | None, standing: Standing) -> Audience:
    """The audience of `principal` at that site. Anybody out of their own field is a citizen there."""
    if principal is None:
        return Audience.CITIZEN
    if principal.role is Role.ENTERPRISE:
        own = principal.enterprise_id == standing.enterprise_id
        return Audience.ENTERPRISE if own else Audience.CITIZEN
    if principal.role is Role.INSPECTOR:
        assigned = principal.officer_id in standing.officers_with_order
        return Audience.INSPECTOR_WITH_ORDER if assigned else Audience.INSPECTOR
    if principal.role in {Role.LEAD, Role.DEPARTMENT_MANAGER} and within_region(principal, standing.region):
        return Audience.LEAD
    return Audience.CITIZEN
