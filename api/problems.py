"""Every refusal as an RFC 9457 problem: one table of type, status and Chinese title."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from api import work
from domain.checklist import rules as checklist_rules
from domain.document import rules as document_rules
from domain.document import template_rules, templates
from domain.enterprise import rules as enterprise_rules
from domain.evidence import blobs as evidence_blobs
from domain.evidence import ports as evidence_ports
from domain.evidence import rules as evidence_rules
from domain.identity import rules as identity_rules
from domain.identity import tokens
from domain.inspection import rules as inspection_rules
from domain.inspection.answers import rules as answer_rules
from domain.inspection.completion import rules as completion_rules
from domain.inspection.package import rules as package_rules
from domain.inspection.record import rules as record_rules
from domain.officer import rules as officer_rules
from domain.publication import rules as publication_rules
from domain.rectification import rules as rectification_rules
from domain.rectification import service_rules
from domain.selection import operations as draws
from domain.selection import rules as selection_rules
from domain.shared import errors
from domain.shared.errors import DomainError

MEDIA_TYPE = "application/problem+json"
_PREFIX = "urn:yima:problem:"
_logger = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `type` is stable; `field` names the part of the request at fault; `facts` are for programs."""

    type: str
    title: str
    status: int
    detail: str = ""
    field: str | None = None
    facts: dict[str, Any] = {}


class Kind(msgspec.Struct, frozen=True):
    """One row of the table: the type's last part, status, and title.

    `keep`: what it waits for may still be under way, so a phone keeps the write and sends it again.
    """

    slug: str
    status: int
    title: str
    keep: bool = False


KINDS: Mapping[type[DomainError], Kind] = {
    errors.NotFound: Kind("not-found", 404, "未找到"),
    errors.Forbidden: Kind("forbidden", 403, "无权操作"),
    errors.Conflict: Kind("conflict", 409, "数据冲突"),
    errors.InvalidField: Kind("invalid-field", 422, "填写有误"),
    identity_rules.LogInRefused: Kind("log-in-refused", 401, "用户名或密码错误"),
    identity_rules.SessionEnded: Kind("session-ended", 401, "登录已失效"),
    tokens.TokenInvalid: Kind("token-invalid", 401, "登录凭证无效"),
    tokens.TokenExpired: Kind("token-expired", 401, "登录凭证已过期"),
    work.InProgress: Kind("in-progress", 409, "正在处理", keep=True),
    work.KeyReused: Kind("idempotency-key-reused", 422, "幂等键重复使用"),
    work.PredecessorMissing: Kind("predecessor-missing", 409, "前一步尚未送达", keep=True),
    work.DatabaseAway: Kind("database-away", 503, "系统暂时繁忙", keep=True),
    enterprise_rules.CodeWasReplaced: Kind("code-replaced", 410, "企业码已更换"),
    enterprise_rules.CodeWasRevoked: Kind("code-revoked", 410, "企业码已停用"),
    enterprise_rules.CodeAlreadyIssued: Kind("code-already-issued", 409, "已有有效企业码"),
    enterprise_rules.NoCodeIssued: Kind("no-code-issued", 409, "没有有效企业码"),
    enterprise_rules.ReasonMissing: Kind("reason-missing", 422, "请填写原因"),
    checklist_rules.ChecklistCodeTaken: Kind("checklist-code-taken", 409, "检查单编码已被使用"),
    checklist_rules.ChecklistDraftExists: Kind("checklist-draft-exists", 409, "已有草稿版本"),
    checklist_rules.NoChecklistDraft: Kind("no-checklist-draft", 409, "没有草稿版本"),
    checklist_rules.ChecklistEmpty: Kind("checklist-empty", 409, "检查单没有检查项"),
    checklist_rules.ChecklistNotPublished: Kind("checklist-not-published", 409, "检查单尚未发布"),
    checklist_rules.ChecklistStillEnabled: Kind("checklist-still-enabled", 409, "检查单仍在启用"),
    checklist_rules.ChecklistStateUnchanged: Kind("checklist-state-unchanged", 409, "检查单状态未变"),
    checklist_rules.ChecklistFileUnreadable: Kind("checklist-file-unreadable", 422, "文件无法导入"),
    checklist_rules.ChecklistRowsUnusable: Kind("checklist-rows-unusable", 422, "没有可以导入的行"),
    rectification_rules.ItemNotOrderable: Kind("item-not-orderable", 409, "该项不能责令改正"),
    rectification_rules.ItemAlreadyOrdered: Kind("item-already-ordered", 409, "该项已责令改正"),
    rectification_rules.OrderAlreadyClosed: Kind("order-already-closed", 409, "责令改正已办结"),
    rectification_rules.NumberNotLeased: Kind("number-not-leased", 409, "文号未领取"),
    rectification_rules.ExtensionAlreadyRequested: Kind("extension-already-requested", 409, "已申请过延期"),
    rectification_rules.ExtensionAlreadyDecided: Kind("extension-already-decided", 409, "没有待审批的延期申请"),
    rectification_rules.TermAlreadyOver: Kind("term-already-over", 409, "整改期限已过"),
    rectification_rules.TermStillRuns: Kind("term-still-runs", 409, "整改期限未届满"),
    rectification_rules.FurtherRoundNotApproved: Kind("further-round-not-approved", 422, "再次责令改正须经批准"),
    rectification_rules.PenaltyItemsRemain: Kind("penalty-items-remain", 409, "应移交执法"),
    rectification_rules.ResultContradictsItems: Kind("result-contradicts-items", 422, "复查结果与各项不符"),
    rectification_rules.TransferNotIndicated: Kind("transfer-not-indicated", 409, "没有应移交的问题"),
    rectification_rules.TransferAlreadyOpened: Kind("transfer-already-opened", 409, "已开始移交"),
    rectification_rules.TransferAlreadyHandedOver: Kind("transfer-already-handed-over", 409, "案卷已移交"),
    service_rules.ServiceConsentMissing: Kind("service-consent-missing", 409, "没有送达地址确认书"),
    service_rules.NoServiceConsent: Kind("no-service-consent", 409, "没有送达地址确认书"),
    evidence_rules.DigestMismatch: Kind("digest-mismatch", 422, "文件摘要不符"),
    evidence_rules.EvidenceTooLarge: Kind("too-large", 413, "内容过大"),
    evidence_rules.EvidenceQuotaReached: Kind("evidence-quota", 409, "证据材料已达上限"),
    evidence_rules.EvidenceTypeRefused: Kind("evidence-type-refused", 415, "不接受该类文件"),
    evidence_rules.EvidenceUnreadable: Kind("evidence-unreadable", 422, "文件损坏或无法识别"),
    evidence_rules.EvidenceMissing: Kind("evidence-missing", 409, "证据材料尚未上传", keep=True),
    evidence_rules.EvidenceQuarantined: Kind("evidence-quarantined", 409, "文件已被隔离"),
    evidence_ports.ScannerAway: Kind("scanner-away", 503, "文件检查暂时不可用", keep=True),
    evidence_blobs.BlobsAway: Kind("storage-away", 503, "文件存储暂时不可用", keep=True),
    selection_rules.CommitmentBroken: Kind("commitment-broken", 409, "随机数与承诺不符"),
    selection_rules.NotEnoughOfficers: Kind("not-enough-officers", 409, "可抽取的执法人员不足"),
    draws.DrawAlreadyVoided: Kind("draw-already-voided", 409, "抽取已作废"),
    draws.SuperiorRequired: Kind("superior-required", 409, "须经上级批准"),
    publication_rules.AlreadyPublished: Kind("already-published", 409, "结果已公示"),
    publication_rules.AlreadyWithdrawn: Kind("publication-withdrawn", 409, "公示已撤下"),
    publication_rules.NotWithheld: Kind("publication-not-withheld", 409, "公示未被暂缓"),
    publication_rules.NotPublished: Kind("not-published", 409, "结果尚未公示"),
    publication_rules.ObjectionTermOver: Kind("objection-term-over", 409, "已超过异议处理期限"),
    publication_rules.ReplyInForce: Kind("reply-in-force", 409, "已有企业回应"),
    document_rules.PaperNotReady: Kind("paper-not-ready", 409, "文书正在生成", keep=True),
    document_rules.PaperFailed: Kind("paper-failed", 409, "文书生成失败"),
    document_rules.PaperAlreadyRevoked: Kind("paper-already-revoked", 409, "文书已撤销"),
    document_rules.PaperAlreadySealed: Kind("paper-already-sealed", 409, "文书已盖章"),
    document_rules.RevocationReasonRequired: Kind("revocation-reason-required", 422, "请填写撤销原因"),
    templates.TemplateBroken: Kind("template-broken", 422, "文书模板有误"),
    templates.FieldNotEditable: Kind("field-not-editable", 422, "该内容不能修改"),
    templates.ValueMissing: Kind("template-value-missing", 409, "文书缺少内容"),
    template_rules.TemplateNotEditable: Kind("template-not-editable", 409, "文书模板不能修改"),
    template_rules.TemplateStepNotPossible: Kind("template-step-not-possible", 409, "文书模板状态不符"),
    template_rules.ReviewerIsAuthor: Kind("reviewer-is-author", 403, "不能审核本人起草的模板"),
    template_rules.ReviewNoteRequired: Kind("review-note-required", 422, "请写明退回原因"),
    template_rules.NoUsableTemplate: Kind("no-usable-template", 409, "没有可用的文书模板"),
    inspection_rules.InvalidCode: Kind("invalid-code", 404, "无效的企业码"),
    inspection_rules.CodeRequired: Kind("code-required", 422, "请先扫码"),
    officer_rules.CertificateInvalid: Kind("certificate-invalid", 409, "执法证件无效"),
    inspection_rules.InspectionNotApproved: Kind("inspection-not-approved", 409, "检查任务未批准"),
    inspection_rules.InspectionNotBegun: Kind("inspection-not-begun", 409, "检查任务未开始"),
    inspection_rules.InspectionAlreadyClosed: Kind("inspection-already-closed", 409, "检查任务已结束"),
    inspection_rules.NotAssigned: Kind("not-assigned", 403, "不是本任务的执法人员"),
    inspection_rules.SecondOfficerRequired: Kind("second-officer-required", 422, "须两名以上执法人员"),
    inspection_rules.WrongSite: Kind("wrong-site", 409, "检查地点不符"),
    inspection_rules.AlreadyCheckedIn: Kind("already-checked-in", 409, "已报到"),
    inspection_rules.NotCheckedIn: Kind("not-checked-in", 409, "尚未报到", keep=True),
    inspection_rules.PositionReasonRequired: Kind("position-reason-required", 422, "位置待核，请填写原因"),
    inspection_rules.LateScanReasonRequired: Kind("late-scan-reason-required", 422, "请说明先检查后扫码的原因"),
    inspection_rules.BackEntryTooLate: Kind("back-entry-too-late", 409, "已超过补录期限"),
    inspection_rules.AlreadyAcknowledged: Kind("already-acknowledged", 409, "亮证告知已确认"),
    inspection_rules.RefusalReasonRequired: Kind("refusal-reason-required", 422, "请填写理由"),
    inspection_rules.DepartureBeforeArrival: Kind("departure-before-arrival", 422, "离场早于到场"),
    inspection_rules.VisitAlreadyOver: Kind("visit-already-over", 409, "上门已结束"),
    answer_rules.ItemNotDrawn: Kind("item-not-drawn", 404, "检查项不在检查单内"),
    answer_rules.ItemOfAnotherDepartment: Kind("item-of-another-department", 403, "检查项由其他部门负责"),
    answer_rules.AnswerReasonRequired: Kind("answer-reason-required", 422, "请填写原因"),
    answer_rules.MeasureRequired: Kind("measure-required", 422, "处理措施有误"),
    answer_rules.RecordAlreadySigned: Kind("record-already-signed", 409, "笔录已签字"),
    answer_rules.AnswerConflict: Kind("answer-conflict", 412, "检查结果有冲突"),
    answer_rules.AnswerBoundByOrder: Kind("answer-bound-by-order", 409, "已制发责令改正通知书"),
    answer_rules.ListStillSealed: Kind("list-still-sealed", 409, "检查单尚未开启", keep=True),
    record_rules.RecordDiffers: Kind("record-differs", 409, "笔录内容不一致"),
    record_rules.FactsConflict: Kind("record-conflict", 412, "笔录已被修改"),
    record_rules.ItemsUnanswered: Kind("items-unanswered", 409, "检查项未全部填写", keep=True),
    record_rules.SignatureIncomplete: Kind("signature-incomplete", 422, "签字不完整"),
    record_rules.MinorMayNotSign: Kind("minor-may-not-sign", 422, "未成年人不得签字"),
    record_rules.OfficerWasAbsent: Kind("officer-was-absent", 409, "签字人员未到场"),
    record_rules.AlreadySigned: Kind("already-signed", 409, "已签字"),
    record_rules.NothingSigned: Kind("nothing-signed", 409, "笔录尚未签字"),
    package_rules.NumbersStillHeld: Kind("numbers-still-held", 409, "尚有未用文号"),
    completion_rules.VisitStillOpen: Kind("visit-still-open", 409, "尚未登记离场", keep=True),
    completion_rules.DepartmentNotCheckedIn: Kind("department-not-checked-in", 409, "有部门尚未报到", keep=True),
    completion_rules.OutcomeDiffersFromAnswers: Kind("outcome-differs-from-answers", 409, "结论与检查结果不符"),
    completion_rules.OrderMissing: Kind("order-missing", 409, "尚未责令改正", keep=True),
    completion_rules.MeasureIncomplete: Kind("measure-incomplete", 409, "处理措施不完整"),
    completion_rules.SignaturesMissing: Kind("signatures-missing", 409, "签字不齐", keep=True),
    completion_rules.OutcomeReasonRequired: Kind("outcome-reason-required", 422, "请说明情况"),
    completion_rules.OutcomePhotosRequired: Kind("outcome-photos-required", 422, "请上传现场照片"),
}

_BY_STATUS: Mapping[int, Kind] = {
    400: Kind("bad-request", 400, "请求有误"),
    401: Kind("not-signed-in", 401, "请先登录"),
    403: Kind("forbidden", 403, "无权操作"),
    404: Kind("not-found", 404, "未找到"),
    405: Kind("method-not-allowed", 405, "不支持该方法"),
    413: Kind("too-large", 413, "内容过大"),
    415: Kind("unsupported-media-type", 415, "不支持该格式"),
}
_INVALID = Kind("invalid-field", 422, "填写有误")
_DEFECT = Kind("internal-error", 500, "系统错误")
_WIRE_NAMES = {"status": "state"}
"""A parameter that cannot bear its own name in Python (Litestar keeps `state` for itself)."""
RETRY_AFTER = {
    "in-progress": "1",
    "database-away": "2",
    "paper-not-ready": "2",
    "scanner-away": "5",
    "storage-away": "5",
}


def all_kinds() -> list[Kind]:
    """Every problem that can be answered, for the contract."""
    known = {kind.slug: kind for kind in (*_BY_STATUS.values(), *KINDS.values(), _DEFECT)}
    return sorted(known.values(), key=lambda kind: kind.slug)


def kind_of(error: DomainError) -> Kind:
    """The row of `error`'s class, or of the nearest class above it."""
    for cls in type(error).__mro__:
        if cls in KINDS:
            return KINDS[cls]
    return _DEFECT


def problem_of(error: DomainError) -> Problem:
    """`error` as a problem."""
    kind = kind_of(error)
    return Problem(
        type=_PREFIX + kind.slug,
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        field=error.field,
        facts=dict(error.facts),
    )


def respond(problem: Problem) -> Response[bytes]:
    """The HTTP answer of `problem`."""
    headers = {"Cache-Control": "no-store"}
    retry = RETRY_AFTER.get(problem.type.removeprefix(_PREFIX))
    if retry is not None:
        headers["Retry-After"] = retry
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(problem, enc_hook=str), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


def answer_domain_error(_request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    """Litestar's handler for the domain's own refusals."""
    return respond(problem_of(error))


def answer_http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's handler for what never reached an operation: unknown paths, unreadable bodies, bad parameters."""
    if isinstance(error, ValidationException):
        return respond(_validation_problem(error))
    kind = _BY_STATUS.get(error.status_code, Kind("bad-request", error.status_code, "请求有误"))
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return respond(_plain(_DEFECT))
    return respond(_plain(kind))


def answer_defect(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's handler for everything else: a defect of ours, told in the log and not to the caller."""
    _logger.error("defect at %s %s", request.method, request.scope["path"], exc_info=error)
    return respond(_plain(_DEFECT))


def _plain(kind: Kind) -> Problem:
    return Problem(type=_PREFIX + kind.slug, title=kind.title, status=kind.status)


def _validation_problem(error: ValidationException) -> Problem:
    extra = error.extra if isinstance(error.extra, list) else []
    first: dict[str, Any] = extra[0] if extra and isinstance(extra[0], dict) else {}
    key = str(first.get("key") or "")
    field = _WIRE_NAMES.get(key, key)
    if field in {"", "data"}:
        return Problem(
            type=_PREFIX + _INVALID.slug,
            title=_INVALID.title,
            status=_INVALID.status,
            detail="缺少或无法识别请求内容。",
        )
    return Problem(
        type=_PREFIX + _INVALID.slug,
        title=_INVALID.title,
        status=_INVALID.status,
        detail="该项缺失或格式不正确。",
        field=field,
        facts={"reason": str(first.get("message", ""))},
    )
