"""What happens to a complaint or a tip-off. A citizen's words are in its row, sealed; here are digests."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.complaint.model import Grievance, GrievanceKind
from domain.shared.events import Event


class GrievanceStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One as the trace tells it; `text_digest` is the SHA-256 of the words of this act."""

    kind: GrievanceKind
    type: str
    state: str
    term: str
    due_on: date
    handler_id: UUID | None
    leading_id: UUID | None
    inspection_id: UUID | None
    is_abusive: bool
    text_digest: str | None = None


def standing_of(kind: GrievanceKind, grievance: Grievance, text_digest: str | None = None) -> GrievanceStanding:
    """How it stands."""
    return GrievanceStanding(
        kind=kind,
        type=grievance.type.value,
        state=grievance.state.value,
        term=grievance.term.value,
        due_on=grievance.due_on,
        handler_id=grievance.handler_id,
        leading_id=grievance.leading_id,
        inspection_id=grievance.inspection_id,
        is_abusive=grievance.is_abusive,
        text_digest=text_digest,
    )


class GrievanceEvent(Event, frozen=True, kw_only=True):
    """What all of these share: what messages say of it, and whether anybody can be told at all."""

    business: ClassVar[str] = "投诉举报办理"
    power: ClassVar[str] = "投诉举报处理"
    subject: ClassVar[str] = "grievance"

    before: GrievanceStanding | None = None
    after: GrievanceStanding
    department_name: str
    is_named: bool


class ComplaintFiled(GrievanceEvent, frozen=True, kw_only=True):
    """投诉已收到."""

    duty: ClassVar[str] = "投诉接收"
    action: ClassVar[str] = "complaint.filed"


class ConsumerComplaintFiled(ComplaintFiled, frozen=True, kw_only=True):
    """The same of what consumers complain of, which may be handed over to 全国12315."""


class TipOffFiled(GrievanceEvent, frozen=True, kw_only=True):
    """举报已收到."""

    duty: ClassVar[str] = "举报接收"
    action: ClassVar[str] = "tip_off.filed"


class GrievanceAccepted(GrievanceEvent, frozen=True, kw_only=True):
    """受理."""

    duty: ClassVar[str] = "投诉举报受理"
    action: ClassVar[str] = "grievance.accepted"


class GrievanceDeclined(GrievanceEvent, frozen=True, kw_only=True):
    """不予受理, with the reason that the complainant reads."""

    duty: ClassVar[str] = "投诉举报受理"
    action: ClassVar[str] = "grievance.declined"


class GrievanceTakenOver(GrievanceEvent, frozen=True, kw_only=True):
    """承办: somebody handles it from now on."""

    duty: ClassVar[str] = "投诉举报承办"
    action: ClassVar[str] = "grievance.taken_over"


class GrievanceNotHandled(GrievanceEvent, frozen=True, kw_only=True):
    """标记不处理 (COG-06), with the reason that the complainant reads."""

    duty: ClassVar[str] = "投诉举报处理"
    action: ClassVar[str] = "grievance.not_handled"


class GrievanceAnswered(GrievanceEvent, frozen=True, kw_only=True):
    """答复."""

    duty: ClassVar[str] = "投诉举报答复"
    action: ClassVar[str] = "grievance.answered"


class GrievanceClosed(GrievanceEvent, frozen=True, kw_only=True):
    """办结; a concluded 投诉 is counted in public."""

    duty: ClassVar[str] = "投诉举报办结"
    action: ClassVar[str] = "grievance.closed"


class TermExtended(GrievanceEvent, frozen=True, kw_only=True):
    """延长办理期限 of a 举报, once."""

    duty: ClassVar[str] = "举报延期"
    action: ClassVar[str] = "grievance.extended"


class GrievanceReopened(GrievanceEvent, frozen=True, kw_only=True):
    """申请重新办理 by the complainant, once."""

    duty: ClassVar[str] = "投诉举报重新办理"
    action: ClassVar[str] = "grievance.reopened"


class GrievanceWithdrawn(GrievanceEvent, frozen=True, kw_only=True):
    """撤回 by the complainant."""

    duty: ClassVar[str] = "投诉举报撤回"
    action: ClassVar[str] = "grievance.withdrawn"


class GrievanceSupplemented(GrievanceEvent, frozen=True, kw_only=True):
    """补充材料 by the complainant."""

    duty: ClassVar[str] = "投诉举报补充"
    action: ClassVar[str] = "grievance.supplemented"


class GrievanceMerged(GrievanceEvent, frozen=True, kw_only=True):
    """并案: from now on it stands as the leading one does."""

    duty: ClassVar[str] = "投诉举报并案"
    action: ClassVar[str] = "grievance.merged"


class InspectionLinked(GrievanceEvent, frozen=True, kw_only=True):
    """发起检查任务 (COG-06): what the inspection comes to will answer it."""

    duty: ClassVar[str] = "投诉举报核查"
    action: ClassVar[str] = "grievance.inspection_started"


class AbuseMarked(GrievanceEvent, frozen=True, kw_only=True):
    """疑似滥用标记, set or lifted: internal, reasoned, told to nobody outside."""

    duty: ClassVar[str] = "疑似滥用标记"
    action: ClassVar[str] = "grievance.abuse_marked"


class StatementGiven(GrievanceEvent, frozen=True, kw_only=True):
    """企业说明 on an accepted 投诉."""

    power: ClassVar[str] = "企业陈述"
    duty: ClassVar[str] = "企业说明"
    action: ClassVar[str] = "complaint.statement_given"


class IdentityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody looked at who complains."""

    kind: GrievanceKind
    reason: str


class IdentityViewed(Event, frozen=True, kw_only=True):
    """查看投诉举报人身份: each look stands in the trace (D17)."""

    business: ClassVar[str] = "投诉举报办理"
    power: ClassVar[str] = "投诉举报处理"
    duty: ClassVar[str] = "身份信息保护"
    action: ClassVar[str] = "grievance.identity_viewed"
    subject: ClassVar[str] = "grievance"

    before: None = None
    after: IdentityFacts
