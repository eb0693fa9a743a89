"""What each operation answers and refuses, where its signature cannot tell: one line of the contract each.

An operation that is missing here is not in the contract, and `tests/contract` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from api.routes.checklist import XLSX
from api.routes.health import Readiness
from api.schemas.checklist import ItemImportAnswer
from api.schemas.document import VerificationView
from api.schemas.enterprise import CodeCard
from api.schemas.inspection import ReleasedList
from api.schemas.record import CanonicalRecord
from api.work import Accepted, DatabaseAway, InProgress, KeyReused, PredecessorMissing
from domain.checklist import rules as checklists
from domain.checklist.model import ChecklistAnswer, VersionAnswer
from domain.document import rules as papers
from domain.document import template_rules
from domain.document import templates as document_templates
from domain.document.model import SealedCopy
from domain.document.template_model import TemplateAnswer
from domain.document.templates import TemplateBody
from domain.enterprise import rules as codes
from domain.evidence import rules as evidence
from domain.evidence.blobs import BlobsAway
from domain.evidence.model import EvidenceCard, MediaType, UploadProgress
from domain.evidence.ports import ScannerAway
from domain.identity import rules as identity
from domain.identity.tokens import TokenExpired, TokenInvalid
from domain.inspection import model, rules
from domain.inspection.answers import rules as answers
from domain.inspection.answers.model import Answer, BulkAnswer
from domain.inspection.completion import rules as completion
from domain.inspection.completion.model import CompletionAnswer, ReplacementAnswer
from domain.inspection.package.model import LeaseAnswer, Package
from domain.inspection.package.rules import NumbersStillHeld
from domain.inspection.record import rules as records
from domain.inspection.record.model import FactsAnswer, ReopeningAnswer, SignatureAnswer
from domain.officer.rules import CertificateInvalid
from domain.publication import rules as publications
from domain.publication.model import PublicationAnswer, ReplyAnswer
from domain.rectification import acts as rectification
from domain.rectification import rules as orders
from domain.rectification import service_rules
from domain.scan.view import ScanView
from domain.selection.model import DrawRecord
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
    differently to whom it knows; `is_conditional`: it has an ETag and understands If-None-Match. `body`: the media
    types of a request that is a file and no JSON; `headers`: what it understands beside those of every write; `tells`:
    the headers of a success.
    """

    result: Any = None
    refuses: Refusals = ()
    otherwise: Mapping[int, Any] = {}
    media: tuple[str, ...] = ("application/json",)
    knows_caller: bool = False
    is_conditional: bool = False
    body: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()


_BROKEN_CODE: Refusals = (rules.InvalidCode, codes.CodeWasReplaced, codes.CodeWasRevoked)
_AT_THE_DOOR: Refusals = (NotFound, Forbidden, rules.NotAssigned, *KEYED, DatabaseAway)
_MANAGED_SITE: Refusals = (NotFound, DatabaseAway)
_ORDER_ACT: Refusals = (NotFound, Forbidden, *KEYED, orders.OrderAlreadyClosed, DatabaseAway)
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
_STATE: Refusals = (rules.InspectionAlreadyClosed, rules.InspectionNotApproved, rules.InspectionNotBegun)
_ANSWERING: Refusals = (
    *_AT_THE_DOOR,
    *_STATE,
    CertificateInvalid,
    rules.LateScanReasonRequired,
    answers.ListStillSealed,
    answers.RecordAlreadySigned,
)
_CHECKLIST_CHANGE: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)
_TEMPLATE_CHANGE: Refusals = (Forbidden, *KEYED, DatabaseAway)
_FILES = tuple(media_type.value for media_type in MediaType)
_PUBLICATION_CHANGE: Refusals = (NotFound, publications.AlreadyWithdrawn, *KEYED, DatabaseAway)

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
    "readPackage": Told(result=Package, refuses=(NotFound, Forbidden, InvalidField, DatabaseAway), is_conditional=True),
    "leaseNumbers": Told(
        result=Accepted[LeaseAnswer], refuses=(NotFound, Forbidden, NumbersStillHeld, *KEYED, DatabaseAway)
    ),
    "readChecklistOfInspection": Told(refuses=(NotFound, answers.ListStillSealed, DatabaseAway)),
    "readDraw": Told(result=DrawRecord, refuses=(NotFound, answers.ListStillSealed, DatabaseAway)),
    "putAnswer": Told(
        result=Accepted[Answer],
        refuses=(
            *_ANSWERING,
            answers.ItemNotDrawn,
            answers.ItemOfAnotherDepartment,
            answers.AnswerReasonRequired,
            answers.MeasureRequired,
            answers.AnswerConflict,
            answers.AnswerBoundByOrder,
            evidence.EvidenceMissing,
        ),
    ),
    "markInBulk": Told(result=Accepted[BulkAnswer], refuses=_ANSWERING),
    "releaseList": Told(
        result=ReleasedList,
        refuses=(*_AT_THE_DOOR, *_STATE, codes.ReasonMissing),
        tells=("Location",),
    ),
    "readRecord": Told(
        result=CanonicalRecord,
        refuses=(NotFound, InvalidField, answers.ListStillSealed, DatabaseAway),
        tells=("ETag", "Yima-Record-Digest", "Yima-Facts-Version"),
    ),
    "readRecordPdf": Told(
        result=bytes,
        refuses=(NotFound, InvalidField, papers.PaperNotReady, papers.PaperFailed, BlobsAway, DatabaseAway),
        media=("application/pdf",),
        is_conditional=True,
    ),
    "putRecordFacts": Told(
        result=Accepted[FactsAnswer],
        refuses=(*_AT_THE_DOOR, *_STATE, answers.RecordAlreadySigned, records.FactsConflict),
    ),
    "sign": Told(
        result=Accepted[SignatureAnswer],
        refuses=(
            *_AT_THE_DOOR,
            *_STATE,
            rules.NotCheckedIn,
            records.ItemsUnanswered,
            records.RecordDiffers,
            records.SignatureIncomplete,
            records.MinorMayNotSign,
            records.OfficerWasAbsent,
            records.AlreadySigned,
            evidence.EvidenceMissing,
        ),
    ),
    "reopenRecord": Told(
        result=Accepted[ReopeningAnswer],
        refuses=(*_AT_THE_DOOR, *_STATE, records.NothingSigned, codes.ReasonMissing),
    ),
    "complete": Told(
        result=Accepted[CompletionAnswer],
        refuses=(
            *_AT_THE_DOOR,
            *_STATE,
            completion.VisitStillOpen,
            completion.DepartmentNotCheckedIn,
            completion.OutcomeReasonRequired,
            completion.OutcomePhotosRequired,
            completion.OutcomeDiffersFromAnswers,
            completion.OrderMissing,
            completion.MeasureIncomplete,
            completion.SignaturesMissing,
            records.RecordDiffers,
            evidence.EvidenceMissing,
            template_rules.NoUsableTemplate,
            document_templates.ValueMissing,
        ),
    ),
    "replaceOfficer": Told(
        result=Accepted[ReplacementAnswer],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            DatabaseAway,
            rules.InspectionAlreadyClosed,
            CertificateInvalid,
            codes.ReasonMissing,
        ),
    ),
    "putEvidence": Told(
        result=Accepted[EvidenceCard],
        refuses=(
            NotFound,
            *KEYED,
            DatabaseAway,
            BlobsAway,
            ScannerAway,
            evidence.DigestMismatch,
            evidence.EvidenceTooLarge,
            evidence.EvidenceQuotaReached,
            evidence.EvidenceTypeRefused,
            evidence.EvidenceUnreadable,
        ),
        otherwise={200: Accepted[EvidenceCard], 202: UploadProgress},
        body=_FILES,
        headers=("EvidenceKey", "YimaAfter", "YimaDoneAt", "ContentRange"),
    ),
    "readEvidence": Told(
        result=bytes,
        refuses=(
            NotFound,
            Forbidden,
            InvalidField,
            DatabaseAway,
            BlobsAway,
            evidence.EvidenceQuarantined,
            evidence.EvidenceUnreadable,
        ),
        media=_FILES,
    ),
    "listPublications": Told(refuses=(InvalidField, DatabaseAway)),
    "readPublication": Told(refuses=(NotFound, DatabaseAway)),
    "withholdPublication": Told(
        result=Accepted[PublicationAnswer],
        refuses=(
            *_PUBLICATION_CHANGE,
            codes.ReasonMissing,
            publications.AlreadyPublished,
            publications.ObjectionTermOver,
        ),
    ),
    "releasePublication": Told(
        result=Accepted[PublicationAnswer], refuses=(*_PUBLICATION_CHANGE, publications.NotWithheld)
    ),
    "withdrawPublication": Told(
        result=Accepted[PublicationAnswer],
        refuses=(*_PUBLICATION_CHANGE, codes.ReasonMissing, publications.NotPublished),
    ),
    "submitPublicReply": Told(result=Accepted[ReplyAnswer], refuses=(*_PUBLICATION_CHANGE, publications.ReplyInForce)),
    "withdrawPublicReply": Told(
        result=Accepted[ReplyAnswer], refuses=(NotFound, codes.ReasonMissing, *KEYED, DatabaseAway)
    ),
    "listInspectionDocuments": Told(refuses=(NotFound, DatabaseAway)),
    "searchDocuments": Told(refuses=(InvalidField, DatabaseAway)),
    "readDocument": Told(refuses=(NotFound, DatabaseAway)),
    "readDocumentFile": Told(
        result=bytes,
        refuses=(NotFound, papers.PaperNotReady, papers.PaperFailed, BlobsAway, DatabaseAway),
        media=("application/pdf",),
        is_conditional=True,
    ),
    "markDocumentSealed": Told(
        result=Accepted[SealedCopy],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            evidence.EvidenceMissing,
            papers.PaperAlreadyRevoked,
            papers.PaperAlreadySealed,
            DatabaseAway,
        ),
    ),
    "verifyDocument": Told(
        result=VerificationView,
        refuses=(NotFound, *SIGNED_IN, DatabaseAway),
        media=("text/html", "application/json"),
    ),
    "listDocumentTemplates": Told(refuses=(InvalidField, DatabaseAway)),
    "readDocumentTemplate": Told(refuses=(NotFound, DatabaseAway)),
    "previewDocumentTemplate": Told(
        result=bytes, refuses=(NotFound, papers.PaperFailed, DatabaseAway), media=("application/pdf",)
    ),
    "downloadDocumentTemplate": Told(result=TemplateBody, refuses=(NotFound, DatabaseAway)),
    "draftDocumentTemplate": Told(
        result=Accepted[TemplateAnswer], refuses=(*_TEMPLATE_CHANGE, document_templates.TemplateBroken)
    ),
    "editDocumentTemplate": Told(
        result=Accepted[TemplateAnswer],
        refuses=(
            NotFound,
            *_TEMPLATE_CHANGE,
            template_rules.TemplateNotEditable,
            document_templates.TemplateBroken,
        ),
    ),
    "takeDocumentTemplateStep": Told(
        result=Accepted[TemplateAnswer],
        refuses=(
            NotFound,
            *_TEMPLATE_CHANGE,
            template_rules.TemplateStepNotPossible,
            template_rules.ReviewerIsAuthor,
            template_rules.ReviewNoteRequired,
        ),
    ),
    "deleteDocumentTemplate": Told(
        result=Accepted[TemplateAnswer],
        refuses=(NotFound, *_TEMPLATE_CHANGE, template_rules.TemplateNotEditable),
    ),
    "draftRectificationOrder": Told(
        refuses=(
            NotFound,
            Forbidden,
            InvalidField,
            rules.NotAssigned,
            rules.NotCheckedIn,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            template_rules.NoUsableTemplate,
            DatabaseAway,
        )
    ),
    "issueRectificationOrder": Told(
        result=Accepted[rectification.OrderIssued],
        refuses=(
            *_AT_THE_DOOR,
            rules.NotCheckedIn,
            rules.InspectionAlreadyClosed,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            codes.ReasonMissing,
            orders.ItemNotOrderable,
            orders.ItemAlreadyOrdered,
            orders.NumberNotLeased,
            document_templates.FieldNotEditable,
            document_templates.ValueMissing,
            template_rules.NoUsableTemplate,
        ),
    ),
    "listRectificationOrders": Told(refuses=(InvalidField, DatabaseAway)),
    "readRectificationOrder": Told(refuses=(NotFound, DatabaseAway)),
    "readRectificationNotice": Told(
        result=bytes,
        refuses=(NotFound, papers.PaperNotReady, papers.PaperFailed, BlobsAway, DatabaseAway),
        media=("application/pdf",),
        is_conditional=True,
    ),
    "revokeRectificationOrder": Told(
        result=Accepted[rectification.OrderRevoked], refuses=(*_ORDER_ACT, codes.ReasonMissing)
    ),
    "giveRectificationFeedback": Told(
        result=Accepted[rectification.FeedbackGiven], refuses=(*_ORDER_ACT, evidence.EvidenceMissing)
    ),
    "requestRectificationExtension": Told(
        result=Accepted[rectification.ExtensionStands],
        refuses=(*_ORDER_ACT, orders.ExtensionAlreadyRequested, orders.TermAlreadyOver, codes.ReasonMissing),
    ),
    "decideRectificationExtension": Told(
        result=Accepted[rectification.ExtensionStands],
        refuses=(*_ORDER_ACT, orders.ExtensionAlreadyDecided, codes.ReasonMissing),
    ),
    "reInspect": Told(
        result=Accepted[rectification.ReInspected],
        refuses=(
            *_ORDER_ACT,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            orders.ResultContradictsItems,
            orders.TermStillRuns,
            orders.PenaltyItemsRemain,
            orders.FurtherRoundNotApproved,
            evidence.EvidenceMissing,
        ),
    ),
    "recordService": Told(
        result=Accepted[rectification.ServiceRecorded],
        refuses=(*_ORDER_ACT, service_rules.ServiceConsentMissing, evidence.EvidenceMissing),
    ),
    "readServiceConsent": Told(refuses=(NotFound, DatabaseAway)),
    "giveServiceConsent": Told(
        result=Accepted[rectification.ConsentGiven],
        refuses=(NotFound, Forbidden, *KEYED, evidence.EvidenceMissing, DatabaseAway),
    ),
    "withdrawServiceConsent": Told(
        result=Accepted[rectification.ConsentWithdrawn],
        refuses=(NotFound, *KEYED, service_rules.NoServiceConsent, DatabaseAway),
    ),
    "openTransfer": Told(
        result=Accepted[rectification.TransferStands],
        refuses=(
            *_AT_THE_DOOR,
            rules.NotCheckedIn,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            codes.ReasonMissing,
            orders.TransferNotIndicated,
            orders.TransferAlreadyOpened,
        ),
    ),
    "listTransfers": Told(refuses=(InvalidField, DatabaseAway)),
    "readTransferFile": Told(
        result=bytes, refuses=(NotFound, Forbidden, BlobsAway, DatabaseAway), media=("application/zip",)
    ),
    "handOverTransfer": Told(
        result=Accepted[rectification.TransferStands],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            orders.TransferAlreadyHandedOver,
            evidence.EvidenceMissing,
            DatabaseAway,
        ),
    ),
    "readPublicEnterprise": Told(refuses=(NotFound, DatabaseAway)),
    "healthLive": Told(),
    "healthReady": Told(otherwise={503: Readiness}),
}
