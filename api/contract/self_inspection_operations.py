"""Operations of self-inspections, hazards and assigned tasks."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Refusals, Told
from api.work import Accepted, DatabaseAway
from domain.evidence import attachments
from domain.evidence import rules as evidence
from domain.evidence.blobs import BlobsAway
from domain.self_inspection import rules as inspections
from domain.self_inspection.assigned import rules as tasks
from domain.self_inspection.assigned.model import ObjectSubmitted, RowAnswer, RowsAnswer, TaskAnswer
from domain.self_inspection.hazard import rules as hazards
from domain.self_inspection.hazard.model import HazardAnswer
from domain.self_inspection.model import (
    ItemAnswer,
    SelfInspectionDiscarded,
    SelfInspectionStarted,
    SelfInspectionSubmitted,
)
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound

_OWN: Refusals = (NotFound, *KEYED, DatabaseAway)
_OFFICE: Refusals = (NotFound, Forbidden, *KEYED, DatabaseAway)
_FILES: Refusals = (attachments.AttachmentMissing, attachments.AttachmentQuotaReached)
_A_LIST = Told(refuses=(InvalidField, DatabaseAway))
_A_LIST_WITHIN = Told(refuses=(NotFound, InvalidField, DatabaseAway))
_ONE = Told(refuses=(NotFound, DatabaseAway))
_PHOTO = Told(
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
    media=("image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "video/mp4"),
)


def _task_step(*refusals: type[DomainError]) -> Told:
    return Told(result=Accepted[TaskAnswer], refuses=(*_OFFICE, *refusals))


SELF_INSPECTION_OPERATIONS: Mapping[str, Told] = {
    "startSelfInspection": Told(
        result=Accepted[SelfInspectionStarted],
        refuses=(*_OWN, inspections.NoSelfCheckList, inspections.SelfInspectionUnderWay),
        tells=("Location",),
    ),
    "listSelfInspections": _A_LIST,
    "readSelfInspection": _ONE,
    "putSelfAnswer": Told(
        result=Accepted[ItemAnswer],
        refuses=(*_OWN, *_FILES, inspections.SelfInspectionClosed, inspections.SelfAnswerConflict),
    ),
    "submitSelfInspection": Told(
        result=Accepted[SelfInspectionSubmitted],
        refuses=(*_OWN, inspections.SelfInspectionClosed, inspections.SelfInspectionIncomplete),
    ),
    "discardSelfInspection": Told(
        result=Accepted[SelfInspectionDiscarded], refuses=(*_OWN, inspections.SelfInspectionClosed)
    ),
    "readSelfInspectionAttachment": _PHOTO,
    "readSelfInspectionSchedule": _A_LIST,
    "reportHazard": Told(result=Accepted[HazardAnswer], refuses=(*_OWN, *_FILES), tells=("Location",)),
    "listHazards": _A_LIST,
    "readHazard": _ONE,
    "putHazardHandling": Told(
        result=Accepted[HazardAnswer], refuses=(*_OWN, hazards.HazardAlreadyClosed, hazards.HazardChanged)
    ),
    "closeHazard": Told(result=Accepted[HazardAnswer], refuses=(*_OWN, *_FILES, hazards.HazardAlreadyClosed)),
    "escalateHazard": Told(
        result=Accepted[HazardAnswer],
        refuses=(*_OWN, hazards.HazardAlreadyClosed, hazards.HazardNotSevere, hazards.HazardAlreadyEscalated),
    ),
    "readHazardAttachment": _PHOTO,
    "listEscalatedHazards": _A_LIST,
    "createAssignedTask": Told(
        result=Accepted[TaskAnswer], refuses=(Forbidden, *KEYED, DatabaseAway), tells=("Location",)
    ),
    "listAssignedTasks": _A_LIST,
    "readAssignedTask": _ONE,
    "editAssignedTask": _task_step(tasks.TaskNotDraft, tasks.TaskChanged),
    "addTaskRows": Told(result=Accepted[RowsAnswer], refuses=(*_OFFICE, tasks.TaskNotDraft), tells=("Location",)),
    "removeTaskRows": Told(result=Accepted[RowsAnswer], refuses=(*_OFFICE, tasks.TaskNotDraft), tells=("Location",)),
    "chooseTaskObjects": _task_step(tasks.TaskNotDraft, tasks.TaskChanged, tasks.TaskObjectsUnknown),
    "confirmAssignedTask": _task_step(tasks.TaskNotDraft, tasks.TaskEmpty),
    "reopenAssignedTask": _task_step(tasks.TaskStepNotPossible),
    "dispatchAssignedTask": _task_step(tasks.TaskStepNotPossible),
    "stopAssignedTask": _task_step(tasks.TaskStepNotPossible),
    "listTaskObjects": _A_LIST_WITHIN,
    "readTaskObject": _ONE,
    "readTaskObjectAttachment": _PHOTO,
    "listReceivedTasks": _A_LIST,
    "readReceivedTask": _ONE,
    "putTaskAnswer": Told(
        result=Accepted[RowAnswer],
        refuses=(
            *_OWN,
            *_FILES,
            tasks.TaskAlreadyAnswered,
            tasks.TaskNotBegun,
            inspections.SelfAnswerConflict,
        ),
    ),
    "submitTaskAnswers": Told(
        result=Accepted[ObjectSubmitted],
        refuses=(*_OWN, tasks.TaskAlreadyAnswered, tasks.TaskNotBegun, tasks.TaskIncomplete),
    ),
    "readReceivedTaskAttachment": _PHOTO,
}
