"""What stands on the papers of an inspection: 检查通知书, each department's 现场检查笔录, and 检查结果告知书."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from domain.document.model import (
    Block,
    DocumentKind,
    DocumentOrder,
    Facts,
    Finding,
    Findings,
    Paper,
    Paragraph,
    Photo,
    Photos,
    SignatureBox,
    Signatures,
)
from domain.document.template_model import DocumentTemplate
from domain.document.templates import chinese_date, fill
from domain.inspection.answers.model import AnswerValue, ChecklistLine, Measure
from domain.inspection.completion.model import InspectionOutcome
from domain.inspection.model import AssignedOfficer, CheckInMeans, Inspection, InspectionKind, InspectionMode, Party
from domain.inspection.record.model import PartyFacts, Presence, RecordFacts, Signatory, Signature, SignatureMeans
from domain.shared.clock import WORKING_ZONE, local_date

_KINDS = {
    InspectionKind.ROUTINE: "日常检查",
    InspectionKind.SPECIAL: "专项检查",
    InspectionKind.CASE: "个案检查",
}
_MEANS = {
    CheckInMeans.PRINTED_CODE: "扫企业码报到",
    CheckInMeans.LIVE_CODE: "扫企业实时码报到",
    CheckInMeans.BUSINESS_LICENCE: "扫营业执照报到",
    CheckInMeans.BACK_ENTRY: "事后补录",
}
_RESPONSES = {
    "acknowledged": "已知悉，不申请回避",
    "recusal_requested": "申请回避",
    "identity_mismatch": "对执法人员身份或单位提出异议",
}
_NONE = "无"
_UNKNOWN = "／"


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """案卷: all that the papers of one department are made of; `digest` is that of its signed record."""

    inspection: Inspection
    department: Party
    party: PartyFacts
    officers: Sequence[AssignedOfficer]
    presences: Sequence[Presence]
    lines: Sequence[ChecklistLine]
    facts: RecordFacts
    digest: bytes | None
    signatures: Sequence[tuple[Signature, Signatory | None]]
    on: date

    @property
    def certified(self) -> str:
        """Officers who were there with their certificates."""
        present = {who for each in self.presences for who in (each.officer_id, each.second_officer_id)}
        named = [each for each in self.officers if each.id in present] or list(self.officers)
        return "、".join(f"{each.name}（{each.certificate_number or _UNKNOWN}）" for each in named)


def automatic_values(dossier: Dossier) -> dict[str, str]:
    """自动填充值 that every paper of an inspection knows (domain/document/templates.py)."""
    inspection, party = dossier.inspection, dossier.party
    arrived = dossier.presences[0].arrived_at if dossier.presences else None
    return {
        "authority": dossier.department.name,
        "party": party.name,
        "uscc": party.uscc,
        "representative": party.representative or _UNKNOWN,
        "address": party.address or _UNKNOWN,
        "inspection_name": inspection.name,
        "inspection_kind": _KINDS[inspection.kind],
        "inspection_basis": inspection.basis,
        "officers": dossier.certified,
        "issued_on": dossier.on.isoformat(),
        "inspected_on": (dossier.on if arrived is None else local_date(arrived)).isoformat(),
        "notice_number": inspection.notice_number or _UNKNOWN,
        "contact_person": dossier.officers[0].name if dossier.officers else _UNKNOWN,
        "contact_phone": dossier.department.hotline or _UNKNOWN,
        "authority_address": _UNKNOWN,
    }


def notice_order(dossier: Dossier, template: DocumentTemplate, items: int) -> DocumentOrder:
    """检查通知书: shown at the door and never before. How many items were drawn is told, not which."""
    inspection = dossier.inspection
    approved = inspection.approved_at
    values = automatic_values(dossier) | {
        "inspection_source": inspection.source,
        "inspection_mode": "现场检查" if inspection.mode is InspectionMode.ON_SITE else "非现场检查",
        "inspection_items": f"按检查单随机抽取的{items}项检查内容" if items else "与上述检查依据有关的情况",
        "starts_on": inspection.starts_on.isoformat(),
        "ends_on": inspection.due_on.isoformat(),
        "assistants": _NONE,
        "approval": "紧急检查，事后补办批准手续"
        if approved is None
        else f"{inspection.approved_by}，{chinese_date(local_date(approved))}",
    }
    blocks = fill(template.body, values, {})
    order = _order(dossier, template, DocumentKind.INSPECTION_NOTICE, blocks)
    return msgspec.structs.replace(order, is_numbered=False)  # its number was issued with the task's


def result_order(
    dossier: Dossier, template: DocumentTemplate, outcome: InspectionOutcome, reason: str | None
) -> DocumentOrder:
    """检查结果告知书: it ends every inspection, also when nothing was found."""
    found = [line for line in dossier.lines if line.answer is not None and line.answer.value is AnswerValue.PROBLEM]
    values = automatic_values(dossier) | {
        "outcome": outcome.label,
        "findings": "\n".join(_found(line) for line in found) or (reason or "未发现问题。"),
        "follow_up": "\n".join(_follow_up(line) for line in found) or _NONE,
        "publication": "检查结果将依法向社会公开；公开前你单位可以查看拟公开的内容，并可以提交回应。",
    }
    return _order(dossier, template, DocumentKind.RESULT_NOTICE, fill(template.body, values, {}))


def _found(line: ChecklistLine) -> str:
    remark = line.answer.remark if line.answer is not None else None
    return f"{line.place}．{line.content}" + (f"（{remark}）" if remark else "")


def _follow_up(line: ChecklistLine) -> str:
    measures = line.answer.measures if line.answer is not None else []
    return f"{line.place}．" + "；".join(_measure(each) for each in measures)


def _measure(measure: Measure) -> str:
    told = [measure.kind.label, measure.note]
    told += [f"文书号{measure.document_number}" if measure.document_number else None]
    told += [f"接收回执{measure.receipt_number}" if measure.receipt_number else None]
    return "，".join(each for each in told if each)


def record_order(dossier: Dossier, template: DocumentTemplate, digest: bytes) -> DocumentOrder:
    """现场检查笔录 of one department; it prints the digest that was signed."""
    inserts: Mapping[str, Sequence[Block]] = {
        "检查概况": [Facts(_overview(dossier))],
        "被检查人的答复": _responses(dossier),
        "检查情况": _findings(dossier),
        "证据和措施": _evidence(dossier),
        "陈述申辩": [Paragraph(dossier.facts.statement_and_defence or "被检查人未提出陈述和申辩。")],
        "签名": [Signatures([_box(dossier, *each) for each in dossier.signatures])],
        "照片": _photos(dossier),
    }
    blocks = fill(template.body, automatic_values(dossier), {}, inserts)
    mark = "商业秘密" if dossier.facts.has_trade_secrets else None
    return _order(dossier, template, DocumentKind.INSPECTION_RECORD, blocks, digest, mark)


def _order(
    dossier: Dossier,
    template: DocumentTemplate,
    kind: DocumentKind,
    blocks: list[Block],
    digest: bytes | None = None,
    secrecy_mark: str | None = None,
) -> DocumentOrder:
    inspection, department = dossier.inspection, dossier.department
    return DocumentOrder(
        kind=kind,
        subject_id=inspection.id,
        inspection_id=inspection.id,
        department_id=department.department_id,
        department_code=department.code,
        enterprise_id=inspection.enterprise_id,
        site_id=inspection.site_id,
        region=inspection.region,
        paper=Paper(
            kind=kind,
            title=template.body.title,
            authority=department.name,
            issued_on=dossier.on,
            blocks=blocks,
            secrecy_mark=secrecy_mark,
        ),
        record_digest=digest,
        template_id=template.id,
    )


def _clock(instant: datetime) -> str:
    local = instant.astimezone(WORKING_ZONE)
    return f"{local.year}年{local.month}月{local.day}日{local.hour}时{local.minute:02d}分"


def _overview(dossier: Dossier) -> list[tuple[str, str]]:
    values, facts, person = automatic_values(dossier), dossier.facts, dossier.facts.person
    stays = [
        f"{_clock(each.arrived_at)}至{_clock(each.departed_at) if each.departed_at else _UNKNOWN}"
        f"（{_MEANS[CheckInMeans(each.means)]}）"
        for each in dossier.presences
    ]
    on_site = (
        _UNKNOWN if person is None else "，".join(part for part in (person.name, person.post, person.phone) if part)
    )
    assistants = "、".join(f"{each.name}（{each.organisation}）" for each in facts.assistants)
    return [
        ("检查机关", values["authority"]),
        ("检查通知书", values["notice_number"]),
        ("类型、来源", f"{values['inspection_kind']}，{dossier.inspection.source}"),
        ("检查依据", values["inspection_basis"]),
        ("被检查人", f"{values['party']}（{values['uscc']}）"),
        ("法定代表人（负责人）", values["representative"]),
        ("检查地点", facts.place or values["address"]),
        ("现场人员", on_site),
        ("检查时间", "；".join(stays) or _UNKNOWN),
        ("执法人员及证号", values["officers"]),
        ("协助检查人员", assistants or _NONE),
        ("语言、翻译", f"{facts.language or '汉语'}，{facts.interpreter or '无翻译'}"),
        ("非工作时间", "是" if facts.is_outside_working_hours else "否"),
        ("执法记录仪", facts.body_camera or f"未使用：{facts.no_body_camera_reason or _UNKNOWN}"),
    ]


def _responses(dossier: Dossier) -> list[Block]:
    said = [
        f"第{each.sequence}次到场（{_clock(each.responded_at)}）：{_RESPONSES[each.response]}"
        + (f"，理由：{each.response_reason}" if each.response_reason else "")
        + "。"
        for each in dossier.presences
        if each.response is not None and each.responded_at is not None
    ]
    recusal = [] if dossier.facts.recusal is None else [Paragraph(f"回避申请的处理：{dossier.facts.recusal}")]
    return [*(Paragraph(each) for each in said or ["未记录被检查人的答复。"]), *recusal]


def _findings(dossier: Dossier) -> list[Block]:
    rows = [
        Finding(
            place=line.place,
            title=line.content,
            text=line.answer.remark or line.answer.reason or "",
            verdict=line.answer.value.label,
            measures="；".join(_measure(each) for each in line.answer.measures),
            basis="；".join(each.text for each in line.legal_basis),
            photos=list(line.answer.photos),
        )
        for line in dossier.lines
        if line.answer is not None
    ]
    situation = [] if dossier.facts.situation is None else [Paragraph(dossier.facts.situation)]
    return [*situation, Findings(rows)] if rows else [*situation, Paragraph("本次检查未使用检查单。")]


def _evidence(dossier: Dossier) -> list[Block]:
    samples = [
        f"抽样：{each.name}，{each.quantity}" + (f"，文书号{each.document_number}" if each.document_number else "")
        for each in dossier.facts.samples
    ]
    opinions = [f"{each.name}的技术意见：{each.opinion}" for each in dossier.facts.assistants if each.opinion]
    count = len(_digests(dossier))
    return [Paragraph(each + "。") for each in [f"现场照片等证据材料{count}件，以摘要标识", *samples, *opinions]]


def _digests(dossier: Dossier) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for line in dossier.lines:
        for digest in line.answer.photos if line.answer is not None else ():
            found.setdefault(digest, line.place)
    return list(found.items())


def _photos(dossier: Dossier) -> list[Block]:
    photos = [Photo(digest, f"第{place}项") for digest, place in _digests(dossier)]
    return [Photos(photos)] if photos else [Paragraph("无照片。")]


def _box(dossier: Dossier, signature: Signature, person: Signatory | None) -> SignatureBox:
    names = {each.id: each.name for each in dossier.officers}
    name = "" if signature.officer_id is None else names.get(signature.officer_id, "")
    notes = {
        SignatureMeans.REFUSED: f"拒绝签字：{signature.reason}",
        SignatureMeans.ABSENT: f"当事人不在场：{signature.reason}",
        SignatureMeans.PAPER: "纸质签字，扫描件存档",
    }
    return SignatureBox(
        label=signature.role.label,
        name=name if person is None else person.name,
        capacity="" if person is None else "，".join(part for part in (person.capacity, person.authority) if part),
        image=signature.images[0].hex() if signature.means is SignatureMeans.SCREEN else None,
        signed_on=_clock(signature.done_at),
        note=notes.get(signature.means, signature.opinion or ""),
    )
