"""Every act that is told live, and what its event says: the one list that the contract is written from."""

from __future__ import annotations

from typing import Any, Final, get_type_hints

from domain.deadline.events import (
    DeadlineWarned,
    SupervisionAnswerAccepted,
    SupervisionAnswerReturned,
    SupervisionOrderAnswered,
    SupervisionOrderIssued,
    SupervisionOrderSettled,
)
from domain.evidence.events import EvidenceOriginalOpened, EvidenceStored
from domain.inspection.answers.events import AnswerRecorded, AnswersMarkedInBulk, ListReleased
from domain.inspection.completion.events import InspectionCompleted, InspectionSuspended, OfficerReplaced
from domain.inspection.events import CheckedIn, Departed, InspectionDispatched, OfficersIdentified, VisitVoided
from domain.inspection.record.events import RecordFactsRecorded, RecordReopened, RecordSigned
from domain.publication.events import (
    PublicationOpened,
    PublicationReleased,
    PublicationWithdrawn,
    PublicationWithheld,
    PublicReplySubmitted,
    PublicReplyWithdrawn,
    ResultContested,
    ResultPublished,
)
from domain.rectification.events import (
    ExtensionDecided,
    ExtensionRequested,
    NoticeServed,
    PaperServed,
    RectificationFedBack,
    RectificationOrderIssued,
    RectificationOrderRevoked,
    RectificationOrderToldAgain,
    RectificationReInspected,
    TransferFileRead,
    TransferHandedOver,
    TransferOpened,
)
from domain.shared.events import Event

LIVE_EVENTS: Final[tuple[type[Event], ...]] = (
    DeadlineWarned,
    SupervisionOrderIssued,
    SupervisionOrderAnswered,
    SupervisionAnswerReturned,
    SupervisionAnswerAccepted,
    SupervisionOrderSettled,
    EvidenceStored,
    EvidenceOriginalOpened,
    AnswerRecorded,
    AnswersMarkedInBulk,
    ListReleased,
    InspectionCompleted,
    InspectionSuspended,
    OfficerReplaced,
    InspectionDispatched,
    CheckedIn,
    OfficersIdentified,
    Departed,
    VisitVoided,
    RecordFactsRecorded,
    RecordSigned,
    RecordReopened,
    PublicationOpened,
    ResultPublished,
    PublicationWithheld,
    ResultContested,
    PublicationReleased,
    PublicationWithdrawn,
    PublicReplySubmitted,
    PublicReplyWithdrawn,
    RectificationOrderIssued,
    RectificationOrderRevoked,
    RectificationOrderToldAgain,
    PaperServed,
    RectificationFedBack,
    ExtensionRequested,
    ExtensionDecided,
    RectificationReInspected,
    NoticeServed,
    TransferOpened,
    TransferHandedOver,
    TransferFileRead,
)
"""By room; a test sees that none is missing whose subject is watched."""


def facts_of(kind: type[Event]) -> Any:
    """The type of what an event says of its subject."""
    return get_type_hints(kind)["after"]
