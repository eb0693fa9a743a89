"""Every refusal as an RFC 9457 problem: one table of type, status and Chinese title."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from api import address_blocks, forms, identity_port, inbox, mail_bounces, template_previews, work
from api.live.model import TooManyConnections
from domain.checklist import rules as checklist_rules
from domain.complaint import rules as complaint_rules
from domain.deadline import rules as deadline_rules
from domain.document import rules as document_rules
from domain.document import template_rules, templates
from domain.document.link import rules as notice_link_rules
from domain.enterprise import rules as enterprise_rules
from domain.enterprise.posters import rules as poster_rules
from domain.enterprise.profile import rules as profile_rules
from domain.evidence import attachments
from domain.evidence import blobs as evidence_blobs
from domain.evidence import ports as evidence_ports
from domain.evidence import rules as evidence_rules
from domain.exposure import rules as exposure_rules
from domain.feedback import rules as feedback_rules
from domain.identity import rules as identity_rules
from domain.identity import tokens
from domain.inspection import door
from domain.inspection import rules as inspection_rules
from domain.inspection.answers import rules as answer_rules
from domain.inspection.completion import rules as completion_rules
from domain.inspection.package import rules as package_rules
from domain.inspection.record import rules as record_rules
from domain.manual import rules as manual_rules
from domain.membership import rules as membership_rules
from domain.officer import rules as officer_rules
from domain.publication import rules as publication_rules
from domain.publication.objection import rules as objection_rules
from domain.rating import rules as rating_rules
from domain.rectification import rules as rectification_rules
from domain.rectification import service_rules
from domain.rectification import telling as order_telling
from domain.request import rules as request_rules
from domain.selection import operations as draws
from domain.selection import rules as selection_rules
from domain.self_inspection import rules as self_inspection_rules
from domain.self_inspection.assigned import rules as assigned_task_rules
from domain.self_inspection.hazard import rules as hazard_rules
from domain.shared import errors
from domain.shared.errors import DomainError
from domain.subscription import rules as subscription_rules
from domain.visitor import rules as visitor_rules

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
    identity_rules.LogInLocked: Kind("login-locked", 429, "登录暂时锁定"),
    identity_port.IdentityTokenInvalid: Kind("identity-token-invalid", 401, "智桂通凭证无效"),
    identity_port.IdentityProviderAway: Kind("identity-provider-away", 503, "统一身份认证暂时不可用"),
    membership_rules.AccountTypeInsufficient: Kind("account-type-insufficient", 403, "账户类别不满足要求"),
    membership_rules.IdentityFrozen: Kind("identity-frozen", 403, "账户已被冻结"),
    membership_rules.ClaimMismatch: Kind("claim-mismatch", 409, "与登记信息不一致"),
    membership_rules.NoEnterpriseYet: Kind("no-enterprise-yet", 403, "尚未加入企业"),
    membership_rules.MemberAlreadyThere: Kind("member-already-there", 409, "已是企业人员"),
    membership_rules.TooManyMembers: Kind("too-many-members", 409, "企业人员或邀请过多"),
    membership_rules.LastManager: Kind("last-manager", 409, "须保留企业管理员"),
    membership_rules.RepresentativeStays: Kind("representative-stays", 409, "法定代表人不能调整"),
    identity_rules.SessionEnded: Kind("session-ended", 401, "登录已失效"),
    tokens.TokenInvalid: Kind("token-invalid", 401, "登录凭证无效"),
    tokens.TokenExpired: Kind("token-expired", 401, "登录凭证已过期"),
    mail_bounces.MailSecretWrong: Kind("mail-secret-wrong", 401, "退信接收密钥错误"),
    mail_bounces.ReportUnreadable: Kind("mail-report-unreadable", 400, "退信无法识别"),
    mail_bounces.ReportNotOurs: Kind("mail-report-not-ours", 404, "不是本系统的退信地址"),
    template_previews.TemplateValuesUnfit: Kind("template-values-unfit", 422, "变量与模板不符"),
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
    manual_rules.ManualExists: Kind("manual-exists", 409, "已有该业态的经营手册"),
    manual_rules.ManualDraftExists: Kind("manual-draft-exists", 409, "已有草稿版本"),
    manual_rules.NoManualDraft: Kind("no-manual-draft", 409, "没有草稿版本"),
    manual_rules.ManualEmpty: Kind("manual-empty", 409, "经营手册没有条款"),
    manual_rules.RiskHintMissing: Kind("risk-hint-missing", 409, "条款没有风险提示"),
    manual_rules.ManualNotInForce: Kind("manual-not-in-force", 409, "经营手册未在发布状态"),
    rectification_rules.ItemNotOrderable: Kind("item-not-orderable", 409, "该项不能责令改正"),
    rectification_rules.ItemAlreadyOrdered: Kind("item-already-ordered", 409, "该项已责令改正"),
    rectification_rules.OrderAlreadyClosed: Kind("order-already-closed", 409, "责令改正已办结"),
    order_telling.OrderToldTooOften: Kind("order-told-too-often", 409, "发送过于频繁"),
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
    attachments.AttachmentMissing: Kind("attachment-missing", 409, "附件尚未上传", keep=True),
    attachments.AttachmentQuotaReached: Kind("attachment-quota", 409, "附件已达上限"),
    forms.FormUnreadable: Kind("form-unreadable", 400, "表单无法读取"),
    subscription_rules.TooManySubscriptions: Kind("too-many-subscriptions", 409, "订阅已达上限"),
    subscription_rules.TooManyConfirmations: Kind("too-many-confirmations", 409, "确认邮件尚未处理"),
    subscription_rules.SubscriptionLinkUnknown: Kind("subscription-link-unknown", 404, "链接无效"),
    subscription_rules.SubscriptionLinkOver: Kind("subscription-link-over", 410, "链接已失效"),
    visitor_rules.PassRequired: Kind("pass-required", 401, "需要通行凭证"),
    visitor_rules.PhoneNotVerified: Kind("phone-not-verified", 403, "请先验证手机号码"),
    visitor_rules.CodeNotUsable: Kind("phone-code-not-usable", 409, "验证码已失效"),
    visitor_rules.CodeWrong: Kind("phone-code-wrong", 422, "验证码错误"),
    visitor_rules.ProofRefused: Kind("proof-of-work-refused", 422, "验证未通过"),
    visitor_rules.ProofRequired: Kind("proof-of-work-required", 429, "请完成验证"),
    inbox.ToDoClosesWithItsSubject: Kind("to-do-closes-with-its-subject", 409, "待办随事项自动办结"),
    address_blocks.BlockAlreadyLifted: Kind("block-already-lifted", 409, "发送限制已解除"),
    TooManyConnections: Kind("too-many-connections", 429, "连接过多"),
    visitor_rules.TooManyWrites: Kind("too-many-writes", 429, "操作过于频繁"),
    evidence_ports.ScannerAway: Kind("scanner-away", 503, "文件检查暂时不可用", keep=True),
    evidence_blobs.BlobsAway: Kind("storage-away", 503, "文件存储暂时不可用", keep=True),
    profile_rules.ProfileConflict: Kind("profile-conflict", 412, "信息已被修改"),
    poster_rules.BatchAlreadyEnded: Kind("poster-batch-already-ended", 409, "海报批次已结束"),
    poster_rules.BatchNotCancelled: Kind("poster-batch-not-cancelled", 409, "海报批次不能继续"),
    selection_rules.CommitmentBroken: Kind("commitment-broken", 409, "随机数与承诺不符"),
    selection_rules.NotEnoughOfficers: Kind("not-enough-officers", 409, "可抽取的执法人员不足"),
    draws.DrawAlreadyVoided: Kind("draw-already-voided", 409, "抽取已作废"),
    draws.SuperiorRequired: Kind("superior-required", 409, "须经上级批准"),
    complaint_rules.NoHandlingDepartment: Kind("no-handling-department", 409, "没有监管部门"),
    complaint_rules.ConsentMissing: Kind("consent-missing", 422, "请阅读并同意告知事项"),
    complaint_rules.StepNotPossible: Kind("step-not-possible", 409, "当前状态不能执行该操作"),
    complaint_rules.FollowsAnother: Kind("follows-another", 409, "该件已并案"),
    complaint_rules.NotTheHandler: Kind("not-the-handler", 403, "不是承办人"),
    complaint_rules.NobodyNamed: Kind("nobody-named", 409, "匿名举报没有身份信息"),
    complaint_rules.AlreadyExtended: Kind("already-extended", 409, "期限已延长过"),
    complaint_rules.AlreadyReopened: Kind("already-reopened", 409, "已申请过重新办理"),
    complaint_rules.ReopeningTermOver: Kind("reopening-term-over", 409, "已超过申请重新办理的期限"),
    complaint_rules.NotTheSameMatter: Kind("not-the-same-matter", 409, "不能一并办理"),
    complaint_rules.PhoneTailRequired: Kind("phone-tail-required", 403, "请核对手机号后4位"),
    complaint_rules.TooManyTries: Kind("too-many-tries", 429, "核对次数过多"),
    complaint_rules.OfficersUnfit: Kind("officers-unfit", 409, "执法人员不符合要求"),
    publication_rules.AlreadyPublished: Kind("already-published", 409, "结果已公示"),
    publication_rules.AlreadyWithdrawn: Kind("publication-withdrawn", 409, "公示已撤下"),
    publication_rules.NotWithheld: Kind("publication-not-withheld", 409, "公示未被暂缓"),
    publication_rules.NotPublished: Kind("not-published", 409, "结果尚未公示"),
    publication_rules.ObjectionDecides: Kind("objection-decides", 409, "由异议处理决定"),
    deadline_rules.DeadlineClosed: Kind("deadline-closed", 409, "事项已办结"),
    deadline_rules.AlreadyUrged: Kind("already-urged", 409, "已有未办结的督办单"),
    deadline_rules.SupervisionStepNotPossible: Kind("supervision-step-not-possible", 409, "督办单当前不能执行该操作"),
    objection_rules.ObjectionOpen: Kind("objection-open", 409, "已有处理中的异议"),
    objection_rules.ObjectionClosed: Kind("objection-closed", 409, "异议已办结"),
    objection_rules.DeciderWasThere: Kind("decider-was-there", 403, "参加检查的人员不得处理异议"),
    rating_rules.RatingAlreadyDrawn: Kind("rating-already-drawn", 409, "评价令牌已领取"),
    rating_rules.RatingTermOver: Kind("rating-term-over", 409, "评价已截止"),
    rating_rules.RatingTokenInvalid: Kind("rating-token-invalid", 409, "评价令牌无效或已使用"),
    request_rules.RequestStepNotPossible: Kind("request-step-not-possible", 409, "诉求状态不符"),
    publication_rules.ObjectionTermOver: Kind("objection-term-over", 409, "已超过异议处理期限"),
    publication_rules.ReplyInForce: Kind("reply-in-force", 409, "已有企业回应"),
    exposure_rules.ExposureNotDraft: Kind("exposure-not-draft", 409, "曝光信息不能修改"),
    exposure_rules.ExposureNotPublished: Kind("exposure-not-published", 409, "曝光信息未公开"),
    exposure_rules.PublisherIsAuthor: Kind("publisher-is-author", 403, "不能发布本人起草的信息"),
    exposure_rules.ResultNotPublic: Kind("result-not-public", 409, "所依据的结果未公示"),
    feedback_rules.FeedbackAlreadyAnswered: Kind("feedback-already-answered", 409, "反馈已答复"),
    document_rules.PaperNotReady: Kind("paper-not-ready", 409, "文书正在生成", keep=True),
    notice_link_rules.NoticeLinkUnknown: Kind("notice-link-unknown", 404, "链接无效"),
    notice_link_rules.NoticeLinkOver: Kind("notice-link-over", 410, "链接已失效"),
    notice_link_rules.NoticeTicketOver: Kind("notice-ticket-over", 403, "请重新打开链接"),
    notice_link_rules.LinkAlreadyRevoked: Kind("link-already-revoked", 409, "链接已作废"),
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
    inspection_rules.LiveCodeExpired: Kind("live-code-expired", 409, "企业实时码已过期"),
    door.BadgeInvalid: Kind("badge-invalid", 404, "无效的亮证码"),
    door.BadgeExpired: Kind("badge-expired", 410, "亮证码已过期"),
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
    self_inspection_rules.NoSelfCheckList: Kind("no-self-check-list", 409, "没有可用于自查的检查单"),
    self_inspection_rules.SelfInspectionUnderWay: Kind("self-inspection-under-way", 409, "有未提交的自查"),
    self_inspection_rules.SelfInspectionClosed: Kind("self-inspection-closed", 409, "自查已提交或已放弃"),
    self_inspection_rules.SelfInspectionIncomplete: Kind("self-inspection-incomplete", 409, "自查未填完", keep=True),
    self_inspection_rules.SelfAnswerConflict: Kind("self-answer-conflict", 412, "填写结果有冲突"),
    hazard_rules.HazardAlreadyClosed: Kind("hazard-already-closed", 409, "隐患已处理"),
    hazard_rules.HazardChanged: Kind("hazard-changed", 412, "隐患已被修改"),
    hazard_rules.HazardNotSevere: Kind("hazard-not-severe", 409, "不是重大隐患"),
    hazard_rules.HazardAlreadyEscalated: Kind("hazard-already-escalated", 409, "隐患已上报"),
    assigned_task_rules.TaskNotDraft: Kind("assigned-task-not-draft", 409, "任务已确认"),
    assigned_task_rules.TaskChanged: Kind("assigned-task-changed", 412, "任务已被修改"),
    assigned_task_rules.TaskEmpty: Kind("assigned-task-empty", 409, "任务没有清单或对象"),
    assigned_task_rules.TaskStepNotPossible: Kind("assigned-task-step-not-possible", 409, "任务状态不符"),
    assigned_task_rules.TaskObjectsUnknown: Kind("assigned-task-objects-unknown", 422, "巡查对象有误"),
    assigned_task_rules.TaskNotBegun: Kind("assigned-task-not-begun", 409, "任务尚未开始"),
    assigned_task_rules.TaskAlreadyAnswered: Kind("assigned-task-already-answered", 409, "任务已反馈"),
    assigned_task_rules.TaskIncomplete: Kind("assigned-task-incomplete", 409, "任务反馈未全部填写", keep=True),
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
_WIRE_NAMES = {"status": "state", "from_day": "from", "to_day": "to"}
"""A parameter that cannot bear its own name in Python (Litestar keeps `state` for itself)."""
RETRY_AFTER = {
    "in-progress": "1",
    "database-away": "2",
    "paper-not-ready": "2",
    "scanner-away": "5",
    "storage-away": "5",
    "proof-of-work-required": "60",
    "too-many-writes": "60",
    "login-locked": "900",
    "too-many-connections": "20",
    "identity-provider-away": "5",
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
    # Most waits are known by their kind, those of a limit by how far it was exceeded.
    retry = problem.facts.get("retry_after") or RETRY_AFTER.get(problem.type.removeprefix(_PREFIX))
    if retry is not None:
        headers["Retry-After"] = str(retry)
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


def answer_too_deep(request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    """Litestar's handler for a body nested more deeply than any of ours, which the decoder gives up on."""
    _logger.warning("too deeply nested at %s %s", request.method, request.scope["path"])
    return respond(
        Problem(type=_PREFIX + _INVALID.slug, title=_INVALID.title, status=_INVALID.status, detail="请求内容嵌套过深。")
    )


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
