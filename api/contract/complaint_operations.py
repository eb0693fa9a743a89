"""Operations of complaints and tip-offs: citizens, the office, the enterprise."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Refusals, Told
from api.work import Accepted, DatabaseAway
from domain.complaint import rules
from domain.complaint.model import (
    CaseInspectionStarted,
    GrievanceAnswer,
    GrievanceStepsAnswer,
)
from domain.enterprise import rules as codes
from domain.evidence import attachments
from domain.evidence.blobs import BlobsAway
from domain.evidence.rules import EvidenceQuarantined
from domain.inspection.rules import InvalidCode
from domain.officer.rules import CertificateInvalid
from domain.shared.errors import Forbidden, InvalidField, NotFound
from domain.visitor.rules import PassRequired, PhoneNotVerified, ProofRefused, ProofRequired, TooManyWrites

_COUNTED: Refusals = (TooManyWrites, ProofRequired, ProofRefused, DatabaseAway)
_PLACE: Refusals = (InvalidCode, codes.CodeWasReplaced, codes.CodeWasRevoked, NotFound, rules.NoHandlingDepartment)
_FILES: Refusals = (attachments.AttachmentMissing, attachments.AttachmentQuotaReached)
_FILING: Refusals = (
    *_PLACE,
    *_FILES,
    *KEYED,
    *_COUNTED,
    PassRequired,
    PhoneNotVerified,
    rules.ConsentMissing,
)
_KNOWS_CODE: Refusals = (NotFound, InvalidField, rules.PhoneTailRequired, rules.TooManyTries, *_COUNTED)
_FOLLOWING: Refusals = (*_KNOWS_CODE, *KEYED, PassRequired, rules.StepNotPossible)
_READING: Refusals = (NotFound, InvalidField, DatabaseAway)
_HANDLING: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)
_ANSWER = Accepted[GrievanceAnswer]

COMPLAINT_OPERATIONS: Mapping[str, Told] = {
    "fileComplaint": Told(refuses=_FILING),
    "fileTipOff": Told(refuses=_FILING),
    "countLikelyDuplicates": Told(refuses=(*_PLACE, InvalidField, *_COUNTED)),
    "readFollowUp": Told(refuses=_KNOWS_CODE),
    "supplementGrievance": Told(result=_ANSWER, refuses=(*_FOLLOWING, *_FILES)),
    "withdrawGrievance": Told(result=_ANSWER, refuses=_FOLLOWING),
    "reopenGrievance": Told(result=_ANSWER, refuses=(*_FOLLOWING, rules.AlreadyReopened, rules.ReopeningTermOver)),
    "openComplaintForm": Told(result=str, refuses=_PLACE, media=("text/html",)),
    "openTipOffForm": Told(result=str, refuses=_PLACE, media=("text/html",)),
    "openFollowUpForm": Told(result=str, media=("text/html",)),
    "listGrievances": Told(refuses=(InvalidField, DatabaseAway)),
    "readGrievance": Told(refuses=_READING),
    "readGrievanceAttachment": Told(
        result=bytes,
        refuses=(*_READING, Forbidden, EvidenceQuarantined, BlobsAway),
        media=("image/jpeg", "application/pdf", "video/mp4"),
    ),
    "takeGrievanceStep": Told(
        result=_ANSWER,
        refuses=(
            *_HANDLING,
            codes.ReasonMissing,
            rules.FollowsAnother,
            rules.StepNotPossible,
            rules.AlreadyExtended,
        ),
    ),
    "takeGrievanceSteps": Told(
        result=Accepted[GrievanceStepsAnswer], refuses=(Forbidden, *KEYED, codes.ReasonMissing, DatabaseAway)
    ),
    "mergeGrievances": Told(
        result=_ANSWER,
        refuses=(*_HANDLING, rules.NotTheSameMatter, rules.FollowsAnother, rules.StepNotPossible),
    ),
    "markGrievanceAbuse": Told(result=_ANSWER, refuses=(*_HANDLING, codes.ReasonMissing)),
    "viewComplainantIdentity": Told(refuses=(*_HANDLING, codes.ReasonMissing, rules.NotTheHandler, rules.NobodyNamed)),
    "startGrievanceInspection": Told(
        result=Accepted[CaseInspectionStarted],
        refuses=(
            *_HANDLING,
            rules.FollowsAnother,
            rules.NotTheSameMatter,
            rules.OfficersUnfit,
            CertificateInvalid,
        ),
    ),
    "listOwnComplaints": Told(refuses=(InvalidField, DatabaseAway)),
    "readOwnComplaint": Told(refuses=_READING),
    "giveComplaintStatement": Told(result=_ANSWER, refuses=(*_HANDLING, rules.StepNotPossible)),
}
