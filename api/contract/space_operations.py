"""Operations of the enterprise's space: home and papers, own words, materials, posters."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Refusals, Told
from api.work import Accepted, DatabaseAway
from domain.enterprise import rules as codes
from domain.enterprise.posters import rules as posters
from domain.enterprise.posters.model import BatchAnswer
from domain.enterprise.profile import rules as profiles
from domain.enterprise.profile.model import ProfileStands
from domain.evidence import attachments
from domain.evidence import rules as evidence
from domain.evidence.blobs import BlobsAway
from domain.material.model import MaterialAnswer
from domain.shared.errors import Forbidden, InvalidField, NotFound

_CHANGE: Refusals = (NotFound, *KEYED, DatabaseAway)
_PDF = ("application/pdf",)

SPACE_OPERATIONS: Mapping[str, Told] = {
    "readSpace": Told(refuses=(NotFound, DatabaseAway)),
    "listOwnPapers": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "readEnterpriseProfile": Told(refuses=(NotFound, DatabaseAway)),
    "putEnterpriseProfile": Told(
        result=Accepted[ProfileStands], refuses=(*_CHANGE, Forbidden, profiles.ProfileConflict)
    ),
    "putSiteProfile": Told(result=Accepted[ProfileStands], refuses=(*_CHANGE, profiles.ProfileConflict)),
    "listMaterials": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "uploadMaterial": Told(
        result=Accepted[MaterialAnswer],
        refuses=(*_CHANGE, Forbidden, attachments.AttachmentMissing, attachments.AttachmentQuotaReached),
    ),
    "readMaterial": Told(refuses=(NotFound, DatabaseAway)),
    "readMaterialFile": Told(
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
    ),
    "removeMaterial": Told(result=Accepted[MaterialAnswer], refuses=(*_CHANGE, Forbidden)),
    "readPoster": Told(
        result=bytes,
        refuses=(NotFound, InvalidField, codes.NoCodeIssued, DatabaseAway),
        media=_PDF,
        is_conditional=True,
    ),
    "openPosterBatch": Told(result=Accepted[BatchAnswer], refuses=_CHANGE),
    "listPosterBatches": Told(refuses=(InvalidField, DatabaseAway)),
    "readPosterBatch": Told(refuses=(NotFound, DatabaseAway)),
    "listPosterParts": Told(refuses=(NotFound, InvalidField, DatabaseAway)),
    "readPosterPart": Told(result=bytes, refuses=(NotFound, BlobsAway, DatabaseAway), media=_PDF, is_conditional=True),
    "cancelPosterBatch": Told(result=Accepted[BatchAnswer], refuses=(*_CHANGE, posters.BatchAlreadyEnded)),
    "resumePosterBatch": Told(result=Accepted[BatchAnswer], refuses=(*_CHANGE, posters.BatchNotCancelled)),
}
