"""Operations of sessions, codes, scans, checklists and health."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, LINKSET, SIGNED_IN, Refusals, Told
from api.routes.checklist import XLSX
from api.routes.health import Readiness
from api.schemas.checklist import ItemImportAnswer
from api.schemas.enterprise import CodeCard
from api.work import Accepted, DatabaseAway, InProgress
from domain.checklist import rules as checklists
from domain.checklist.model import ChecklistAnswer, VersionAnswer
from domain.enterprise import rules as codes
from domain.identity import rules as identity
from domain.identity.tokens import TokenInvalid
from domain.inspection import rules
from domain.scan.view import ScanView
from domain.shared.errors import Forbidden, InvalidField, NotFound

_BROKEN_CODE: Refusals = (rules.InvalidCode, codes.CodeWasReplaced, codes.CodeWasRevoked)
_MANAGED_SITE: Refusals = (NotFound, DatabaseAway)
_CHECKLIST_CHANGE: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)

REGISTER_OPERATIONS: Mapping[str, Told] = {
    "logIn": Told(refuses=(identity.LogInRefused, identity.LogInLocked, InvalidField, InProgress, DatabaseAway)),
    "refreshSession": Told(refuses=(TokenInvalid, identity.SessionEnded, InvalidField, InProgress, DatabaseAway)),
    "logOut": Told(refuses=(InProgress, DatabaseAway)),
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
    "listChecklists": Told(refuses=(InvalidField, DatabaseAway)),
    "readChecklist": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "listChecklistChanges": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "previewChecklist": Told(refuses=(NotFound, InvalidField, checklists.ChecklistNotPublished, DatabaseAway)),
    "exportChecklist": Told(
        result=bytes,
        refuses=(NotFound, InvalidField, checklists.ChecklistNotPublished, DatabaseAway),
        media=(XLSX,),
    ),
    "createChecklist": Told(
        result=Accepted[ChecklistAnswer],
        refuses=(*_CHECKLIST_CHANGE, checklists.ChecklistCodeTaken, checklists.ChecklistNotPublished),
    ),
    "editChecklist": Told(result=Accepted[ChecklistAnswer], refuses=_CHECKLIST_CHANGE),
    "beginChecklistDraft": Told(
        result=Accepted[VersionAnswer], refuses=(*_CHECKLIST_CHANGE, checklists.ChecklistDraftExists)
    ),
    "replaceChecklistItems": Told(
        result=Accepted[VersionAnswer], refuses=(*_CHECKLIST_CHANGE, checklists.NoChecklistDraft)
    ),
    "importChecklistItems": Told(
        result=Accepted[ItemImportAnswer],
        refuses=(
            *_CHECKLIST_CHANGE,
            checklists.NoChecklistDraft,
            checklists.ChecklistFileUnreadable,
            checklists.ChecklistRowsUnusable,
        ),
        body=(XLSX, "text/csv"),
    ),
    "publishChecklist": Told(
        result=Accepted[VersionAnswer],
        refuses=(*_CHECKLIST_CHANGE, checklists.NoChecklistDraft, checklists.ChecklistEmpty),
    ),
    "setChecklistState": Told(
        result=Accepted[ChecklistAnswer],
        refuses=(*_CHECKLIST_CHANGE, checklists.ChecklistNotPublished, checklists.ChecklistStateUnchanged),
    ),
    "deleteChecklist": Told(
        result=Accepted[ChecklistAnswer], refuses=(*_CHECKLIST_CHANGE, checklists.ChecklistStillEnabled)
    ),
    "readPublicEnterprise": Told(
        refuses=(NotFound, DatabaseAway), media=("application/json", LINKSET), is_conditional=True
    ),
    "healthLive": Told(),
    "healthReady": Told(otherwise={503: Readiness}),
}
