"""What follows from an event, in the same transaction: messages to people, chores for the worker. All stands here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from api.complaint_messages import GRIEVANCE_REACTIONS
from api.deadline_keeping import keep_deadlines
from api.deadline_messages import DEADLINE_REACTIONS
from api.space_messages import SPACE_REACTIONS
from api.subscription_messages import SUBSCRIPTION_REACTIONS
from api.to_dos import CLOSINGS, Subject, about, to_do
from domain.complaint.events import ConsumerComplaintFiled
from domain.complaint.operations import answer_from_inspection
from domain.document.events import DocumentIssued
from domain.document.link.events import NoticeDelivered
from domain.document.link.operations import prolong_links
from domain.enterprise.posters.events import BatchEvent, PosterBatchOpened, PosterBatchResumed, PosterPartDrawn
from domain.evidence.events import AttachmentStored, EvidenceStored
from domain.exposure.operations import withdraw_resting_on
from domain.identity.model import EnterprisePost
from domain.inspection.completion.events import InspectionCompleted
from domain.inspection.events import CheckedIn, OfficersIdentified
from domain.inspection.model import IdentificationResponse
from domain.inspection.rules import is_in_doubt
from domain.membership.events import MemberInvited
from domain.membership.rules import DEFAULT_POLICY as MEMBERSHIP_POLICY
from domain.publication.events import PublicationWithdrawn
from domain.publication.objection.events import ObjectionDecided, ObjectionFiled
from domain.publication.operations import open_publication
from domain.rating import operations as ratings
from domain.rectification.electronic import serve_by_message
from domain.rectification.events import (
    ExtensionDecided,
    RectificationOrderIssued,
    RectificationOrderToldAgain,
    RectificationReInspected,
)
from domain.rectification.model import ConsentMeans
from domain.request.events import RequestMoved, RequestSubmitted
from domain.search.operations import keep_findable
from domain.self_inspection.assigned.events import TaskAssigned, TaskDispatchBegun
from domain.self_inspection.events import SelfInspectionsReminded
from domain.self_inspection.hazard.events import HazardEscalated, HazardOverdue
from domain.shared.chores import Chore, ChoreKind
from domain.shared.clock import local_date, month_and_day
from domain.shared.events import Event
from domain.shared.transaction import Transaction
from domain.subscription.digests import note_news
from domain.visitor.events import PhoneCodeSent
from domain.visitor.model import CODE_MINUTES
from notifications.message import Channel, Message, Recipient


def _announce_arrival(event: CheckedIn) -> list[Message]:
    """The enterprise learns who stands at its door; leads learn at once of a position in doubt (位置待核)."""
    messages: list[Message] = []
    if event.is_news:
        messages.append(_arrival(event))
    if is_in_doubt(event.after.means, event.after.flags):
        messages.append(_position_in_doubt(event))
    return messages


def _arrival(event: CheckedIn) -> Message:
    return Message(
        template="arrival",
        channel=Channel.SMS,
        recipient=Recipient.ENTERPRISE,
        recipient_id=event.enterprise_id,
        parameters={
            "department": event.department_name,
            "officers": str(event.officer_count),
            "notice": event.notice_number or "",
            "hotline": event.hotline or "",
        },
    )


def _position_in_doubt(event: CheckedIn) -> Message:
    message = Message(
        template="position_in_doubt",
        channel=Channel.IN_APP,
        recipient=Recipient.DEPARTMENT_LEADS,
        recipient_id=event.after.department_id,
        parameters={"inspection_id": str(event.subject_id), "flags": ",".join(event.after.flags)},
    )
    return to_do(message, event)


def _announce_order(event: RectificationOrderIssued) -> list[Message]:
    """With consent on file the message may serve, without it only reminds of the paper (one-code.md "Service")."""
    messages = [_of_order(event, Channel.SMS, has_consent=ConsentMeans.SMS in event.consents)]
    if ConsentMeans.EMAIL in event.consents:
        messages.append(_of_order(event, Channel.EMAIL, has_consent=True))
    return messages


def tell_again(event: RectificationOrderToldAgain) -> list[Message]:
    """The same words by the way that the officer chose."""
    return [_of_order(event, Channel(event.after.means), has_consent=event.after.has_consent)]


def _of_order(
    event: RectificationOrderIssued | RectificationOrderToldAgain, channel: Channel, *, has_consent: bool
) -> Message:
    at_once = event.due_on <= local_date(event.after.issued_at)
    return Message(
        template="order_issued" if has_consent else "order_issued_reminder",
        channel=channel,
        recipient=Recipient.ENTERPRISE,
        recipient_id=event.enterprise_id,
        parameters={
            "department": event.department_name,
            "due": "立即" if at_once else f"{month_and_day(event.due_on)}前",
            "hotline": event.hotline or "",
            # The 文号 is issued by the last statement, after this row: it is looked up when the message is sent.
            "document_id": str(event.document_id),
        },
        subject=event.subject,
        subject_id=event.subject_id,
    )


def _send_code(event: PhoneCodeSent) -> list[Message]:
    """The code is opened when the message is sent: neither outbox nor jobs hold it."""
    return [
        Message(
            template="phone_code",
            channel=Channel.SMS,
            recipient=Recipient.PHONE_VERIFICATION,
            recipient_id=event.subject_id,
            parameters={"minutes": str(CODE_MINUTES)},
        )
    ]


def _remind_of_quarter(event: SelfInspectionsReminded) -> list[Message]:
    return [
        to_do(_to_enterprise(enterprise_id, "self_inspection_due", due=event.due), event)
        for enterprise_id in event.enterprises
    ]


def _remind_of_hazard(event: HazardOverdue) -> list[Message]:
    """In the app first; by SMS when that did not help."""
    message = Message(
        template="hazard_overdue",
        channel=Channel.SMS if event.is_last else Channel.IN_APP,
        recipient=Recipient.ENTERPRISE,
        recipient_id=event.enterprise_id,
        parameters={"days": str(event.days)},
        site_id=event.of_site_id,
    )
    return [about(message, event) if event.is_last else to_do(message, event)]


def _announce_escalation(event: HazardEscalated) -> list[Message]:
    """To the regulator's leads; a site without a regulator is in the lists of its region alone."""
    if event.department_id is None:
        return []
    return [to_do(_to_leads(event.department_id, "hazard_escalated", hazard_id=event.subject_id), event)]


def _announce_task(event: TaskAssigned) -> list[Message]:
    return [
        to_do(
            _to_enterprise(
                enterprise_id,
                "task_assigned",
                department=event.department_name,
                task=event.after.name,
                due=month_and_day(event.after.ends_on),
            ),
            event,
        )
        for enterprise_id in event.enterprises
    ]


def _invite(event: MemberInvited) -> list[Message]:
    """Who was invited learns of it by SMS; the phone is opened only where it is sent."""
    return [
        Message(
            template="member_invitation",
            channel=Channel.SMS,
            recipient=Recipient.ENTERPRISE_MEMBER,
            recipient_id=event.subject_id,
            parameters={
                "enterprise": event.enterprise_name,
                "post": EnterprisePost(event.after.post).label,
                "days": str(MEMBERSHIP_POLICY.invitation_days),
            },
        )
    ]


def _tell_of_refusal(event: OfficersIdentified) -> list[Message]:
    """Who asks for recusal or doubts who is there is heard at once, while the officers still stand at the door."""
    if event.after.response == IdentificationResponse.ACKNOWLEDGED or event.department_id is None:
        return []
    refusal = "申请回避" if event.after.response == IdentificationResponse.RECUSAL_REQUESTED else "身份或单位不符"
    told = _to_leads(event.department_id, "identification_refused", inspection=event.subject_id, refusal=refusal)
    return [to_do(told, event)]


def _tell_of_request(event: RequestSubmitted) -> list[Message]:
    return [_request_to_handle(event)]


def _request_to_handle(event: RequestSubmitted | RequestMoved) -> Message:
    facts = event.after
    told = _to_leads(facts.department_id, "request_submitted", request=event.subject_id, due=facts.due_on)
    return to_do(told, event)


def _tell_of_step(event: RequestMoved) -> list[Message]:
    """The enterprise hears of an answer and of what it must add; a department, of what comes to it or comes back."""
    if event.step in {"transfer", "supplement"}:
        return [_request_to_handle(event)]
    if event.step not in {"answer", "return"}:
        return []
    told = _to_enterprise(event.enterprise_id, f"request_{event.after.state}", request=event.subject_id)
    told = msgspec.structs.replace(told, site_id=event.of_site_id)
    return [to_do(told, event) if event.step == "return" else about(told, event)]


def _tell_of_objection(event: ObjectionFiled) -> list[Message]:
    if event.department_id is None:
        return []
    due = local_date(event.after.due_at)
    return [to_do(_to_leads(event.department_id, "objection_filed", objection=event.subject_id, due=due), event)]


def _tell_of_decision(event: ObjectionDecided) -> list[Message]:
    return [about(_to_enterprise(event.enterprise_id, "objection_decided", objection=event.subject_id), event)]


def _to_leads(department_id: UUID, template: str, **parameters: object) -> Message:
    return Message(
        template=template,
        channel=Channel.IN_APP,
        recipient=Recipient.DEPARTMENT_LEADS,
        recipient_id=department_id,
        parameters={name: str(value) for name, value in parameters.items()},
    )


def _to_enterprise(enterprise_id: UUID, template: str, **parameters: object) -> Message:
    return Message(
        template=template,
        channel=Channel.IN_APP,
        recipient=Recipient.ENTERPRISE,
        recipient_id=enterprise_id,
        parameters={name: str(value) for name, value in parameters.items()},
    )


_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    OfficersIdentified: _tell_of_refusal,
    RequestSubmitted: _tell_of_request,
    RequestMoved: _tell_of_step,
    ObjectionFiled: _tell_of_objection,
    ObjectionDecided: _tell_of_decision,
    **GRIEVANCE_REACTIONS,
    **DEADLINE_REACTIONS,
    **SPACE_REACTIONS,
    **SUBSCRIPTION_REACTIONS,
    CheckedIn: _announce_arrival,
    RectificationOrderIssued: _announce_order,
    RectificationOrderToldAgain: tell_again,
    SelfInspectionsReminded: _remind_of_quarter,
    HazardOverdue: _remind_of_hazard,
    HazardEscalated: _announce_escalation,
    TaskAssigned: _announce_task,
    PhoneCodeSent: _send_code,
    MemberInvited: _invite,
}


def _render(event: DocumentIssued) -> Chore:
    return Chore(kind=ChoreKind.RENDER_DOCUMENT, subject=event.subject_id.bytes)


def _copy(event: EvidenceStored | AttachmentStored) -> Chore:
    return Chore(kind=ChoreKind.COPY_EVIDENCE, subject=bytes.fromhex(event.after.digest))


def _draw_posters(event: BatchEvent) -> Chore:
    """A part after the other: the chore of a batch that is finished or cancelled finds nothing to do."""
    return Chore(kind=ChoreKind.DRAW_POSTERS, subject=event.subject_id.bytes)


def _hand_over(event: ConsumerComplaintFiled) -> Chore:
    return Chore(kind=ChoreKind.HAND_OVER_COMPLAINT, subject=event.subject_id.bytes)


def _assign(event: TaskDispatchBegun) -> Chore:
    return Chore(kind=ChoreKind.ASSIGN_TASK, subject=event.subject_id.bytes)


_CHORES: Mapping[type[Event], Callable[[Any], Chore]] = {
    ConsumerComplaintFiled: _hand_over,
    DocumentIssued: _render,
    EvidenceStored: _copy,
    TaskDispatchBegun: _assign,
    AttachmentStored: _copy,
    PosterBatchOpened: _draw_posters,
    PosterBatchResumed: _draw_posters,
    PosterPartDrawn: _draw_posters,
}


class Reactions:
    """What follows from each event, under this installation's terms."""

    def __init__(self, *, embargo_working_days: int) -> None:
        """A finished inspection is published after `embargo_working_days`; 0: at once."""
        self._embargo_working_days = embargo_working_days

    def messages(self, event: Event) -> list[Message]:
        """The messages that `event` causes."""
        reaction = _REACTIONS.get(type(event))
        return [] if reaction is None else reaction(event)

    def closes(self, event: Event) -> list[Subject]:
        """What the open to-dos are about that `event` settles."""
        closing = CLOSINGS.get(type(event))
        return [] if closing is None else closing(event)

    def chores(self, event: Event) -> list[Chore]:
        """What the worker has to do because of `event`, once it is committed."""
        chore = _CHORES.get(type(event))
        return [] if chore is None else [chore(event)]

    async def follow(self, tx: Transaction, event: Event) -> Sequence[Event]:
        """What `event` changes in other rooms, in the same transaction; gives the events of that."""
        settled = await keep_deadlines(tx, event)
        return (*settled, *await self._carry_on(tx, event))

    async def _carry_on(self, tx: Transaction, event: Event) -> Sequence[Event]:
        await keep_findable(tx, event)
        await note_news(tx, event)
        if isinstance(event, ExtensionDecided | RectificationReInspected):
            await prolong_links(tx, event.document_id, event.after.due_on)
        match event:
            case NoticeDelivered():
                return await serve_by_message(tx, event)
            case PublicationWithdrawn():
                return await withdraw_resting_on(tx, event.subject_id)
            case InspectionCompleted(
                site_id=UUID() as site_id, region=str() as region, department_id=UUID() as lead_id
            ):
                opened = await open_publication(
                    tx,
                    inspection_id=event.subject_id,
                    enterprise_id=event.enterprise_id,
                    site_id=site_id,
                    region=region,
                    department_id=lead_id,
                    completed_at=tx.now,  # a completion that arrives late does not shorten the enterprise's preview
                    embargo_working_days=self._embargo_working_days,
                )
                answered = await answer_from_inspection(tx, event.subject_id, event.after.outcome)
                invited = await ratings.invite(
                    tx,
                    inspection_id=event.subject_id,
                    enterprise_id=event.enterprise_id,
                    site_id=site_id,
                    outcome=event.after.outcome,
                )
                return (*opened, *answered, *invited)
            case _:
                return ()
