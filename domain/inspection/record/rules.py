"""Rules of records and signatures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from domain.inspection.answers.model import ChecklistLine
from domain.inspection.record.model import (
    Presence,
    RecordFacts,
    Signature,
    SignatureMeans,
    SignatureOrder,
    SignatureRole,
)
from domain.shared.errors import DomainError, InvalidField

_WITHOUT_SIGNATURE = frozenset({SignatureMeans.REFUSED, SignatureMeans.ABSENT})
_MAY_BE_SEVERAL = frozenset({SignatureRole.WITNESS, SignatureRole.ASSISTANT, SignatureRole.INTERPRETER})
_MIN_REASON = 2
_OFFICERS = 2


class RecordDiffers(DomainError):
    """The digest that was signed is not that of the record as it stands here: read it again, then sign."""


class FactsConflict(DomainError):
    """The record's facts were changed by somebody else meanwhile."""


class ItemsUnanswered(DomainError):
    """A record is signed when every item of the department has its answer."""


class SignatureIncomplete(DomainError):
    """A signature lacks its image, its signatory, or the reason of a refusal or absence."""


class MinorMayNotSign(DomainError):
    """Minors never sign."""


class OfficerWasAbsent(DomainError):
    """Only officers who were there sign as such."""


class AlreadySigned(DomainError):
    """The role has been signed; open the record again to change it."""


class NothingSigned(DomainError):
    """There is no signed record to open again."""


def require_answered(lines: Sequence[ChecklistLine]) -> None:
    """Raises `ItemsUnanswered`, naming them."""
    waiting = [str(line.item_id) for line in lines if line.answer is None]
    if waiting:
        raise ItemsUnanswered(f"还有{len(waiting)}项没有检查结果。", items=waiting)


def require_body_camera(facts: RecordFacts) -> None:
    """执法记录仪: its file number or the reason for none. Raises `InvalidField`."""
    if not (facts.body_camera or facts.no_body_camera_reason):
        raise InvalidField("请填写执法记录仪资料编号，或未使用的原因。", field="body_camera")


def require_signature(
    role: SignatureRole, order: SignatureOrder, officer_id: UUID, presences: Sequence[Presence]
) -> UUID | None:
    """The officer who signs, None where nobody of the department does.

    Raises `SignatureIncomplete`, `MinorMayNotSign` or `OfficerWasAbsent`.
    """
    if role is SignatureRole.PAPER:
        return _require_paper(order)
    if order.means in _WITHOUT_SIGNATURE:
        if role is not SignatureRole.INSPECTED_PARTY:
            raise SignatureIncomplete("只有被检查方可以记为拒签或不在场。", field="means")
        if len((order.reason or "").strip()) < _MIN_REASON:
            raise SignatureIncomplete("请填写拒绝签字或不在场的原因。", field="reason")
        return None
    if not order.images:
        raise SignatureIncomplete("缺少签名图片或扫描件。", field="images")
    if role.is_official:
        signer = order.officer_id or officer_id
        if signer not in officers_present(presences):
            raise OfficerWasAbsent("签字人员未在本次检查中报到。", field="officer_id")
        return signer
    if order.person is None:
        raise SignatureIncomplete("请填写签字人的姓名和身份。", field="person")
    if not order.person.is_adult:
        raise MinorMayNotSign("未成年人不得签字，请由成年工作人员或见证人签字。", field="person")
    return None


def require_not_signed(signatures: Sequence[Signature], role: SignatureRole, signer: UUID | None) -> None:
    """Witnesses, assistants and interpreters may be several; in every other role one signs once.

    Raises `AlreadySigned`.
    """
    if role not in _MAY_BE_SEVERAL and any(each.role is role and each.officer_id == signer for each in signatures):
        raise AlreadySigned("该签名已录入。", field="role")


def _require_paper(order: SignatureOrder) -> None:
    if order.means is not SignatureMeans.PAPER or not order.images:
        raise SignatureIncomplete("请上传手写签字的全部纸质笔录扫描件。", field="images")


def officers_present(presences: Sequence[Presence]) -> set[UUID]:
    """Every officer of the department who was there at some visit."""
    return {who for each in presences for who in (each.officer_id, each.second_officer_id)}


def still_to_sign(
    signatures: Sequence[Signature], presences: Sequence[Presence], facts: RecordFacts
) -> list[SignatureRole]:
    """Which roles still want a signature; none: the part is signed.

    Every officer present, the recorder and the party sign. A refusal stands with two officers, an absence with a
    witness, an assistant and an interpreter sign where the record names one. A signed and scanned paper stands for all.
    """
    roles = {each.role for each in signatures}
    if SignatureRole.PAPER in roles:
        return []
    officers = {each.officer_id for each in signatures if each.role is SignatureRole.OFFICER}
    present = officers_present(presences)
    missing: list[SignatureRole] = []
    if len(officers) < _OFFICERS or not present <= officers:
        missing.append(SignatureRole.OFFICER)
    missing += [role for role in _needed(signatures, facts) if role not in roles]
    assistants = sum(each.role is SignatureRole.ASSISTANT for each in signatures)
    if assistants < len(facts.assistants):
        missing.append(SignatureRole.ASSISTANT)
    return missing


def _needed(signatures: Collection[Signature], facts: RecordFacts) -> list[SignatureRole]:
    needed = [SignatureRole.INSPECTED_PARTY, SignatureRole.RECORDER]
    if any(each.means is SignatureMeans.ABSENT for each in signatures):
        needed.append(SignatureRole.WITNESS)
    if facts.interpreter:
        needed.append(SignatureRole.INTERPRETER)
    return needed
