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
from domain.enterprise import rules as enterprise_rules
from domain.identity import rules as identity_rules
from domain.identity import tokens
from domain.inspection import rules as inspection_rules
from domain.officer import rules as officer_rules
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
    """One row of the table: the type's last part, status, and title."""

    slug: str
    status: int
    title: str


KINDS: Mapping[type[DomainError], Kind] = {
    errors.NotFound: Kind("not-found", 404, "未找到"),
    errors.Forbidden: Kind("forbidden", 403, "无权操作"),
    errors.Conflict: Kind("conflict", 409, "数据冲突"),
    errors.InvalidField: Kind("invalid-field", 422, "填写有误"),
    identity_rules.LogInRefused: Kind("log-in-refused", 401, "用户名或密码错误"),
    identity_rules.SessionEnded: Kind("session-ended", 401, "登录已失效"),
    tokens.TokenInvalid: Kind("token-invalid", 401, "登录凭证无效"),
    tokens.TokenExpired: Kind("token-expired", 401, "登录凭证已过期"),
    work.InProgress: Kind("in-progress", 409, "正在处理"),
    work.KeyReused: Kind("idempotency-key-reused", 422, "幂等键重复使用"),
    work.PredecessorMissing: Kind("predecessor-missing", 409, "前一步尚未送达"),
    work.DatabaseAway: Kind("database-away", 503, "系统暂时繁忙"),
    enterprise_rules.CodeWasReplaced: Kind("code-replaced", 410, "企业码已更换"),
    enterprise_rules.CodeWasRevoked: Kind("code-revoked", 410, "企业码已停用"),
    enterprise_rules.CodeAlreadyIssued: Kind("code-already-issued", 409, "已有有效企业码"),
    enterprise_rules.NoCodeIssued: Kind("no-code-issued", 409, "没有有效企业码"),
    enterprise_rules.ReasonMissing: Kind("reason-missing", 422, "请填写原因"),
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
    inspection_rules.NotCheckedIn: Kind("not-checked-in", 409, "尚未报到"),
    inspection_rules.PositionReasonRequired: Kind("position-reason-required", 422, "位置待核，请填写原因"),
    inspection_rules.LateScanReasonRequired: Kind("late-scan-reason-required", 422, "请说明先检查后扫码的原因"),
    inspection_rules.BackEntryTooLate: Kind("back-entry-too-late", 409, "已超过补录期限"),
    inspection_rules.AlreadyAcknowledged: Kind("already-acknowledged", 409, "亮证告知已确认"),
    inspection_rules.RefusalReasonRequired: Kind("refusal-reason-required", 422, "请填写理由"),
    inspection_rules.DepartureBeforeArrival: Kind("departure-before-arrival", 422, "离场早于到场"),
    inspection_rules.VisitAlreadyOver: Kind("visit-already-over", 409, "上门已结束"),
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
_RETRY_AFTER = {"in-progress": "1", "database-away": "2"}


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
    retry = _RETRY_AFTER.get(problem.type.removeprefix(_PREFIX))
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
