"""What each operation answers and refuses, where its signature cannot tell: one line of the contract each.

An operation that is missing here is not in the contract, and `tests/contract` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from api.routes.health import Readiness
from api.schemas.enterprise import CodeCard
from api.work import Accepted, DatabaseAway, InProgress, KeyReused, PredecessorMissing
from domain.enterprise import rules as codes
from domain.identity import rules as identity
from domain.identity.tokens import TokenExpired, TokenInvalid
from domain.inspection import model, rules
from domain.officer.rules import CertificateInvalid
from domain.scan.view import ScanView
from domain.shared.errors import Conflict, DomainError, Forbidden, InvalidField, NotFound

Refusals = tuple[type[DomainError], ...]

LINKSET = "application/linkset+json"
SIGNED_IN: Refusals = (TokenInvalid, TokenExpired)
"""What every operation refuses that looks at a token."""
KEYED: Refusals = (InvalidField, KeyReused, InProgress, PredecessorMissing, Conflict)
"""What every write under an Idempotency-Key may refuse."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `result` None: as the signature says. `otherwise` are answers that are no problem documents.

    `media` are the media types of a success where they are not just JSON; `knows_caller`: public, but it answers
    differently to whom it knows; `is_conditional`: it has an ETag and understands If-None-Match.
    """

    result: Any = None
    refuses: Refusals = ()
    otherwise: Mapping[int, Any] = {}
    media: tuple[str, ...] = ("application/json",)
    knows_caller: bool = False
    is_conditional: bool = False


_BROKEN_CODE: Refusals = (rules.InvalidCode, codes.CodeWasReplaced, codes.CodeWasRevoked)
_AT_THE_DOOR: Refusals = (NotFound, Forbidden, rules.NotAssigned, *KEYED, DatabaseAway)
_MANAGED_SITE: Refusals = (NotFound, DatabaseAway)
_CHECK_IN: Refusals = (
    *_AT_THE_DOOR,
    *_BROKEN_CODE,
    rules.InspectionAlreadyClosed,
    rules.InspectionNotApproved,
    rules.InspectionNotBegun,
    rules.SecondOfficerRequired,
    CertificateInvalid,
    rules.AlreadyCheckedIn,
    rules.WrongSite,
    rules.CodeRequired,
    rules.PositionReasonRequired,
    rules.LateScanReasonRequired,
    rules.BackEntryTooLate,
    rules.DepartureBeforeArrival,
)

OPERATIONS: Mapping[str, Told] = {
    "logIn": Told(refuses=(identity.LogInRefused, InvalidField, InProgress, DatabaseAway)),
    "refreshSession": Told(refuses=(TokenInvalid, identity.SessionEnded, InvalidField, InProgress, DatabaseAway)),
    "logOut": Told(refuses=(InProgress, DatabaseAway)),
    "listInspections": Told(refuses=(InvalidField, DatabaseAway)),
    "readInspection": Told(refuses=(NotFound, DatabaseAway)),
    "checkIn": Told(result=Accepted[model.CheckInAnswer], refuses=_CHECK_IN),
    "recordIdentification": Told(
        result=Accepted[model.IdentificationAnswer],
        refuses=(*_AT_THE_DOOR, rules.NotCheckedIn, rules.AlreadyAcknowledged, rules.RefusalReasonRequired),
    ),
    "depart": Told(
        result=Accepted[model.DepartureAnswer],
        refuses=(*_AT_THE_DOOR, rules.NotCheckedIn, rules.DepartureBeforeArrival),
    ),
    "voidVisit": Told(
        result=Accepted[model.VoidAnswer],
        refuses=(*_AT_THE_DOOR, rules.VisitAlreadyOver, codes.ReasonMissing),
    ),
    "issueCode": Told(
        result=Accepted[CodeCard],
        refuses=(*_MANAGED_SITE, *KEYED, codes.CodeAlreadyIssued),
    ),
    "reissueCode": Told(
        result=Accepted[CodeCard],
        refuses=(*_MANAGED_SITE, *KEYED, codes.NoCodeIssued, codes.ReasonMissing),
    ),
    "revokeCode": Told(
        result=Accepted[CodeCard],
        refuses=(*_MANAGED_SITE, *KEYED, codes.NoCodeIssued, codes.ReasonMissing),
    ),
    "readCodePng": Told(result=bytes, refuses=(*_MANAGED_SITE, codes.NoCodeIssued), media=("image/png",)),
    "readCodeSvg": Told(result=str, refuses=(*_MANAGED_SITE, codes.NoCodeIssued), media=("image/svg+xml",)),
    "readCode": Told(
        refuses=(*_BROKEN_CODE, *SIGNED_IN, DatabaseAway),
        knows_caller=True,
        is_conditional=True,
    ),
    "openCode": Told(
        result=ScanView,
        refuses=(*_BROKEN_CODE, *SIGNED_IN, DatabaseAway),
        media=("text/html", "application/json", LINKSET),
        knows_caller=True,
        is_conditional=True,
    ),
    "readPublicEnterprise": Told(refuses=(NotFound, DatabaseAway)),
    "healthLive": Told(),
    "healthReady": Told(otherwise={503: Readiness}),
}
