"""Operations of the citizen's gate, and of files handed in outside of an inspection."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import SIGNED_IN, Told
from api.schemas.visitor import ChallengeAnswer, PassAnswer
from api.work import Accepted, DatabaseAway, InProgress
from domain.evidence import rules as evidence
from domain.evidence.attachments import AttachmentCard, AttachmentQuotaReached
from domain.evidence.blobs import BlobsAway
from domain.evidence.model import MediaType
from domain.evidence.ports import ScannerAway
from domain.shared.errors import Forbidden, InvalidField
from domain.visitor import rules as visitors

_LIMITED = (visitors.ProofRequired, visitors.TooManyWrites, visitors.ProofRefused)
_GATE = (InvalidField, *_LIMITED, InProgress, DatabaseAway)

VISITOR_OPERATIONS: Mapping[str, Told] = {
    "sendPhoneCode": Told(refuses=_GATE, headers=("YimaDevice", "YimaProof")),
    "provePhone": Told(
        result=PassAnswer,
        refuses=(*_GATE, visitors.CodeWrong, visitors.CodeNotUsable),
        headers=("YimaDevice", "YimaProof"),
    ),
    "createPass": Told(result=PassAnswer),
    "readChallenge": Told(result=ChallengeAnswer),
    "putAttachment": Told(
        result=Accepted[AttachmentCard],
        refuses=(
            *SIGNED_IN,
            visitors.PassRequired,
            Forbidden,
            *_GATE,
            AttachmentQuotaReached,
            evidence.DigestMismatch,
            evidence.EvidenceTooLarge,
            evidence.EvidenceTypeRefused,
            evidence.EvidenceUnreadable,
            ScannerAway,
            BlobsAway,
        ),
        otherwise={200: Accepted[AttachmentCard]},
        body=tuple(media_type.value for media_type in MediaType),
        knows_caller=True,
        headers=("YimaPass", "YimaDevice", "YimaProof"),
    ),
}
