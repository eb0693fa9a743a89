"""Operations of an inspection: package, visit, answers, evidence, record, completion."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Refusals, Told
from api.schemas.inspection import ReleasedList
from api.schemas.record import CanonicalRecord
from api.work import Accepted, DatabaseAway
from domain.document import rules as papers
from domain.document import template_rules
from domain.document import templates as document_templates
from domain.enterprise import rules as codes
from domain.evidence import rules as evidence
from domain.evidence.blobs import BlobsAway
from domain.evidence.model import EvidenceCard, MediaType, UploadProgress
from domain.evidence.ports import ScannerAway
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
from domain.selection.model import DrawRecord
from domain.shared.errors import Forbidden, InvalidField, NotFound

_BROKEN_CODE: Refusals = (rules.InvalidCode, codes.CodeWasReplaced, codes.CodeWasRevoked)
_AT_THE_DOOR: Refusals = (NotFound, Forbidden, rules.NotAssigned, *KEYED, DatabaseAway)
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
    rules.LiveCodeExpired,
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
_FILES = tuple(media_type.value for media_type in MediaType)

INSPECTION_OPERATIONS: Mapping[str, Told] = {
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
}
