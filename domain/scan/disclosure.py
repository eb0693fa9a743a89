"""亮码告知 (ONE-02): who sees what behind the same code, and may do what. One table decides, one test a cell.

Who is signed in decides the audience, never the URL. What no room can yet tell or do has no row here: penalties, the
draft of an approval and 催办 come with them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from domain.identity.model import EnterprisePost, Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for


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
    CONTACT = "contact"
    RESULTS = "results"
    MANUALS = "manuals"
    COMPLAINT_COUNTS = "complaint_counts"
    OWN_PENDING_PUBLICATIONS = "own_pending_publications"
    OWN_INSPECTIONS = "own_inspections"
    OPEN_CORRECTIONS = "open_corrections"
    OWN_PAPERS = "own_papers"
    OWN_SELF_INSPECTIONS = "own_self_inspections"
    ACCEPTED_COMPLAINTS = "accepted_complaints"
    ORDERS = "orders"
    ALL_ORDERS = "all_orders"
    HISTORY = "history"
    HISTORY_BRIEF = "history_brief"
    GRADES = "grades"
    LOCATION = "location"


class Action(enum.StrEnum):
    """What may be done from the scan."""

    COMPLAIN = "complain"
    TIP_OFF = "tip_off"
    SUGGEST = "suggest"
    FOLLOW_UP = "follow_up"
    SELF_INSPECT = "self_inspect"
    ANSWER_ORDER = "answer_order"
    REQUEST = "request"
    OBJECT = "object"
    REPLY = "reply"
    UPLOAD_MATERIAL = "upload_material"
    RATE = "rate"
    SHOW_LIVE_CODE = "show_live_code"
    VERIFY_OFFICER = "verify_officer"
    CHECK_IN = "check_in"
    INSPECT = "inspect"
    RE_INSPECT = "re_inspect"
    WATCH = "watch"
    REASSIGN = "reassign"


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    sections: frozenset[Section]
    actions: frozenset[Action] = frozenset()


_PUBLIC: Final = frozenset(
    {
        Section.BASICS,
        Section.LICENCES,
        Section.REGULATOR,
        Section.CONTACT,
        Section.RESULTS,
        Section.MANUALS,
        Section.COMPLAINT_COUNTS,
    }
)
_AT_WORK: Final = frozenset({Section.OPEN_CORRECTIONS, Section.HISTORY, Section.GRADES, Section.LOCATION})

DISCLOSURES: Final[Mapping[Audience, Disclosure]] = {
    Audience.CITIZEN: Disclosure(
        sections=_PUBLIC,
        actions=frozenset({Action.COMPLAIN, Action.TIP_OFF, Action.SUGGEST, Action.FOLLOW_UP}),
    ),
    Audience.ENTERPRISE: Disclosure(
        sections=_PUBLIC
        | {
            Section.OWN_INSPECTIONS,
            Section.OWN_PENDING_PUBLICATIONS,
            Section.OPEN_CORRECTIONS,
            Section.OWN_PAPERS,
            Section.OWN_SELF_INSPECTIONS,
            Section.ACCEPTED_COMPLAINTS,
        },
        actions=frozenset(
            {
                Action.SELF_INSPECT,
                Action.ANSWER_ORDER,
                Action.REQUEST,
                Action.OBJECT,
                Action.REPLY,
                Action.UPLOAD_MATERIAL,
                Action.RATE,
                Action.SHOW_LIVE_CODE,
                Action.VERIFY_OFFICER,
            }
        ),
    ),
    Audience.INSPECTOR_WITH_ORDER: Disclosure(
        sections=_PUBLIC | _AT_WORK | {Section.ORDERS},
        actions=frozenset({Action.CHECK_IN, Action.INSPECT, Action.RE_INSPECT}),
    ),
    Audience.INSPECTOR: Disclosure(sections=_PUBLIC | {Section.HISTORY_BRIEF}),
    Audience.LEAD: Disclosure(
        sections=_PUBLIC | _AT_WORK | {Section.ALL_ORDERS},
        actions=frozenset({Action.WATCH, Action.REASSIGN}),
    ),
}
_READING: Final = frozenset({Action.VERIFY_OFFICER})
"""What somebody may do for an enterprise who may write nothing for it."""
_OF_MANAGERS: Final = frozenset({Action.OBJECT})


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What of the scanned site decides the audience: which it is, whose, where, and who has open orders there."""

    site_id: UUID
    enterprise_id: UUID
    region: str
    officers_with_order: frozenset[UUID] = frozenset()


def audience_of(principal: Principal | None, standing: Standing) -> Audience:
    """The audience of `principal` at that site. Anybody out of their own field is a citizen there."""
    if principal is None:
        return Audience.CITIZEN
    if principal.role is Role.ENTERPRISE:
        own = acts_for(principal, standing.enterprise_id, standing.site_id)
        return Audience.ENTERPRISE if own else Audience.CITIZEN
    if principal.role is Role.INSPECTOR:
        assigned = principal.officer_id in standing.officers_with_order
        return Audience.INSPECTOR_WITH_ORDER if assigned else Audience.INSPECTOR
    if principal.role in {Role.LEAD, Role.DEPARTMENT_MANAGER} and within_region(principal, standing.region):
        return Audience.LEAD
    return Audience.CITIZEN


def actions_of(audience: Audience, principal: Principal | None) -> frozenset[Action]:
    """What the table offers, less what the principal may not do in their own post."""
    offered = DISCLOSURES[audience].actions
    if principal is None:
        return offered
    if principal.role is Role.LEAD:
        return offered - {Action.REASSIGN}  # a department replaces its officers itself
    if audience is not Audience.ENTERPRISE:
        return offered
    post = principal.enterprise_post
    if post is None or not post.may_write:
        return offered & _READING
    return offered if post is EnterprisePost.MANAGER else offered - _OF_MANAGERS
