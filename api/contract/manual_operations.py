"""Operations of manuals, and of what anybody may read of manuals and checklists."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, SIGNED_IN, Refusals, Told
from api.schemas.library import PublicChecklistDetail, PublicChecklistPage
from api.schemas.manual import PublicManual, PublicManualPage
from api.work import Accepted, DatabaseAway
from domain.enterprise.rules import ReasonMissing
from domain.evidence.attachments import AttachmentMissing, AttachmentQuotaReached
from domain.evidence.blobs import BlobsAway
from domain.evidence.rules import EvidenceQuarantined
from domain.manual import rules
from domain.manual.model import ManualAnswer, ManualVersionAnswer
from domain.shared.errors import Forbidden, InvalidField, NotFound

_CHANGE: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)
_PUBLIC: Refusals = (*SIGNED_IN, DatabaseAway)

MANUAL_OPERATIONS: Mapping[str, Told] = {
    "listManuals": Told(refuses=(InvalidField, DatabaseAway)),
    "readManual": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "compareManualVersions": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "previewManual": Told(result=str, refuses=(NotFound, InvalidField, DatabaseAway), media=("text/html",)),
    "readManualFile": Told(
        result=bytes,
        refuses=(NotFound, InvalidField, EvidenceQuarantined, BlobsAway, DatabaseAway),
        media=("application/pdf", "image/jpeg"),
    ),
    "createManual": Told(result=Accepted[ManualAnswer], refuses=(Forbidden, *KEYED, rules.ManualExists, DatabaseAway)),
    "editManual": Told(result=Accepted[ManualAnswer], refuses=_CHANGE),
    "beginManualDraft": Told(result=Accepted[ManualVersionAnswer], refuses=(*_CHANGE, rules.ManualDraftExists)),
    "replaceManualElements": Told(result=Accepted[ManualVersionAnswer], refuses=(*_CHANGE, rules.NoManualDraft)),
    "setManualFile": Told(
        result=Accepted[ManualVersionAnswer],
        refuses=(*_CHANGE, rules.NoManualDraft, AttachmentMissing, AttachmentQuotaReached),
    ),
    "publishManual": Told(
        result=Accepted[ManualVersionAnswer],
        refuses=(*_CHANGE, rules.NoManualDraft, rules.ManualEmpty, rules.RiskHintMissing),
    ),
    "disableManual": Told(result=Accepted[ManualAnswer], refuses=(*_CHANGE, ReasonMissing, rules.ManualNotInForce)),
    "listPublicManuals": Told(result=PublicManualPage, refuses=(InvalidField, *_PUBLIC), is_conditional=True),
    "readPublicManual": Told(result=PublicManual, refuses=(NotFound, *_PUBLIC), is_conditional=True),
    "listPublicChecklists": Told(result=PublicChecklistPage, refuses=(InvalidField, *_PUBLIC), is_conditional=True),
    "readPublicChecklist": Told(result=PublicChecklistDetail, refuses=(NotFound, *_PUBLIC), is_conditional=True),
}
