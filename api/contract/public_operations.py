"""Operations of public reading: search, open data, exposures, feedback."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Told
from api.schemas.open_data import ResultPage
from api.work import Accepted, DatabaseAway
from domain.enterprise.rules import ReasonMissing
from domain.evidence.blobs import BlobsAway
from domain.exposure import rules as exposures
from domain.exposure.model import ExposureAnswer
from domain.feedback import rules as feedback
from domain.feedback.model import FeedbackAnswer, FeedbackReceipt
from domain.shared.errors import Forbidden, InvalidField, NotFound
from domain.visitor import rules as visitors

_GATE = (visitors.PassRequired, visitors.TooManyWrites, visitors.ProofRequired, visitors.ProofRefused)
_CHANGE = (NotFound, Forbidden, *KEYED, DatabaseAway)

PUBLIC_OPERATIONS: Mapping[str, Told] = {
    "openEnterprise": Told(result=str, refuses=(NotFound, DatabaseAway), media=("text/html",), is_conditional=True),
    "search": Told(refuses=(InvalidField, DatabaseAway)),
    "listPublicResults": Told(
        result=ResultPage,
        refuses=(InvalidField, DatabaseAway),
        media=("application/json", "text/csv"),
        is_conditional=True,
        tells=("Link", "Yima-Total"),
    ),
    "listResultDumps": Told(refuses=(DatabaseAway,)),
    "readResultDump": Told(
        result=bytes,
        refuses=(NotFound, InvalidField, BlobsAway, DatabaseAway),
        media=("application/gzip",),
        is_conditional=True,
        tells=("Repr-Digest", "Yima-Results", "Yima-Withdrawn"),
    ),
    "listPublicExposures": Told(refuses=(InvalidField, DatabaseAway)),
    "readPublicExposure": Told(refuses=(NotFound, DatabaseAway)),
    "listExposures": Told(refuses=(Forbidden, InvalidField, DatabaseAway)),
    "readExposure": Told(refuses=(NotFound, Forbidden, DatabaseAway)),
    "draftExposure": Told(result=Accepted[ExposureAnswer], refuses=(*_CHANGE, exposures.ResultNotPublic)),
    "editExposure": Told(
        result=Accepted[ExposureAnswer], refuses=(*_CHANGE, exposures.ExposureNotDraft, exposures.ResultNotPublic)
    ),
    "publishExposure": Told(
        result=Accepted[ExposureAnswer],
        refuses=(
            *_CHANGE,
            exposures.ExposureNotDraft,
            exposures.PublisherIsAuthor,
            exposures.ResultNotPublic,
        ),
    ),
    "withdrawExposure": Told(
        result=Accepted[ExposureAnswer], refuses=(*_CHANGE, ReasonMissing, exposures.ExposureNotPublished)
    ),
    "giveFeedback": Told(result=Accepted[FeedbackReceipt], refuses=(NotFound, *KEYED, *_GATE, DatabaseAway)),
    "giveFeedbackAsEnterprise": Told(result=Accepted[FeedbackReceipt], refuses=(NotFound, *KEYED, DatabaseAway)),
    "followFeedback": Told(
        refuses=(
            NotFound,
            InvalidField,
            visitors.TooManyWrites,
            visitors.ProofRequired,
            visitors.ProofRefused,
            DatabaseAway,
        )
    ),
    "listFeedback": Told(refuses=(InvalidField, DatabaseAway)),
    "readFeedback": Told(refuses=(NotFound, Forbidden, DatabaseAway)),
    "answerFeedback": Told(result=Accepted[FeedbackAnswer], refuses=(*_CHANGE, feedback.FeedbackAlreadyAnswered)),
}
