"""Operations at the door and around the visit: requests, objections, ratings, badges, live codes, 亮证告知."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, SIGNED_IN, Refusals, Told
from api.work import Accepted, DatabaseAway
from domain.enterprise import rules as codes
from domain.evidence import rules as evidence
from domain.evidence.attachments import AttachmentMissing, AttachmentQuotaReached
from domain.evidence.blobs import BlobsAway
from domain.inspection import door, rules
from domain.inspection.model import IdentificationAnswer
from domain.officer.rules import CertificateInvalid
from domain.publication import rules as publications
from domain.publication.objection import rules as objections
from domain.publication.objection.model import ObjectionAnswer
from domain.rating import rules as ratings
from domain.rating.model import DrawAnswer, RatingTaken
from domain.request import rules as requests
from domain.request.model import RequestAnswer
from domain.shared.errors import Forbidden, InvalidField, NotFound

_WITH_FILES: Refusals = (*KEYED, AttachmentMissing, AttachmentQuotaReached, DatabaseAway)
_FILE: Told = Told(
    result=bytes,
    refuses=(
        NotFound,
        Forbidden,
        InvalidField,
        evidence.EvidenceQuarantined,
        evidence.EvidenceUnreadable,
        BlobsAway,
        DatabaseAway,
    ),
    media=("image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "video/mp4"),
)

DOOR_OPERATIONS: Mapping[str, Told] = {
    "submitRequest": Told(result=Accepted[RequestAnswer], refuses=(NotFound, *_WITH_FILES)),
    "takeRequestStep": Told(
        result=Accepted[RequestAnswer],
        refuses=(NotFound, Forbidden, requests.RequestStepNotPossible, *_WITH_FILES),
    ),
    "listRequests": Told(refuses=(InvalidField, DatabaseAway)),
    "listOwnRequests": Told(refuses=(InvalidField, DatabaseAway)),
    "readRequest": Told(refuses=(NotFound, DatabaseAway)),
    "readRequestAttachment": _FILE,
    "previewPublication": Told(refuses=(NotFound, DatabaseAway)),
    "fileObjection": Told(
        result=Accepted[ObjectionAnswer],
        refuses=(
            NotFound,
            Forbidden,
            publications.AlreadyWithdrawn,
            publications.ObjectionTermOver,
            objections.ObjectionOpen,
            objections.ObjectionClosed,
            *_WITH_FILES,
        ),
    ),
    "listObjections": Told(refuses=(InvalidField, DatabaseAway)),
    "readObjection": Told(refuses=(NotFound, DatabaseAway)),
    "readObjectionAttachment": _FILE,
    "decideObjection": Told(
        result=Accepted[ObjectionAnswer],
        refuses=(
            NotFound,
            Forbidden,
            objections.DeciderWasThere,
            objections.ObjectionClosed,
            *KEYED,
            DatabaseAway,
        ),
    ),
    "withdrawObjection": Told(
        result=Accepted[ObjectionAnswer],
        refuses=(NotFound, Forbidden, objections.ObjectionClosed, *KEYED, DatabaseAway),
    ),
    "listRatingInvitations": Told(refuses=(InvalidField, DatabaseAway)),
    "drawRatingToken": Told(
        result=Accepted[DrawAnswer],
        refuses=(NotFound, ratings.RatingAlreadyDrawn, ratings.RatingTermOver, *KEYED, DatabaseAway),
    ),
    "rateVisit": Told(
        result=Accepted[RatingTaken],
        refuses=(ratings.RatingTokenInvalid, *KEYED, DatabaseAway),
        headers=("IdempotencyKey",),
        tells=("Idempotency-Replayed",),
    ),
    "listRatingBatches": Told(refuses=(InvalidField, DatabaseAway)),
    "readRatingBatch": Told(refuses=(NotFound, DatabaseAway)),
    "listRatingMisconduct": Told(refuses=(InvalidField, DatabaseAway)),
    "readMyBadge": Told(refuses=(NotFound, CertificateInvalid, Forbidden, DatabaseAway)),
    "verifyBadge": Told(
        refuses=(door.BadgeInvalid, door.BadgeExpired, InvalidField, *SIGNED_IN, DatabaseAway), knows_caller=True
    ),
    "openBadge": Told(
        result=bytes,
        refuses=(door.BadgeInvalid, door.BadgeExpired, *SIGNED_IN, DatabaseAway),
        media=("text/html",),
    ),
    "readLiveCode": Told(refuses=(NotFound, codes.NoCodeIssued, DatabaseAway)),
    "readIdentificationScreen": Told(refuses=(NotFound, DatabaseAway)),
    "answerIdentification": Told(
        result=Accepted[IdentificationAnswer],
        refuses=(
            NotFound,
            rules.NotCheckedIn,
            rules.AlreadyAcknowledged,
            rules.RefusalReasonRequired,
            *KEYED,
            DatabaseAway,
        ),
    ),
}
