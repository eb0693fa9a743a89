"""The pages a citizen reads: rendered here, readable without JavaScript, styled inline under a strict policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from msgspec import UnsetType

from api.schemas.document import VerificationView
from domain.document.model import VerificationState
from domain.document.templates import chinese_date
from domain.enterprise.model import CodeState, ScannedSite
from domain.publication.model import PublicResult
from domain.scan.operations import PublicEnterprise
from domain.scan.view import Basics, ScanView
from domain.shared.clock import local_date

_FOLDER = files("api.pages")
_STYLE = (_FOLDER / "style.css").read_text("utf-8").replace("\n", "")
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(str(_FOLDER)),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_FILTERS: dict[str, Any] = _ENVIRONMENT.filters
_FILTERS["day"] = local_date

_SHOWN_RESULTS = 8
_SHOWN_SITES = 20
"""A page stays small; the API tells more."""


def hash_of(inline: str) -> str:
    """How a Content-Security-Policy names an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def headers_with(*scripts: str, connects: bool = False) -> Mapping[str, str]:
    """The headers of a page on which exactly these inline scripts run; `connects` lets them call our own API."""
    policy = [
        "default-src 'none'",
        f"style-src {hash_of(_STYLE)}",
        *([f"script-src {' '.join(hash_of(script) for script in scripts)}"] if scripts else []),
        *(["connect-src 'self'"] if connects else []),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


HEADERS = headers_with()
"""Of every page without a script: nothing but our own style runs, and the code in the address is told to nobody."""


def script_of(name: str) -> str:
    """The text of a script in this folder; pages work without it."""
    return (_FOLDER / name).read_text("utf-8").strip()


def render(template: str, *, scripts: Sequence[str] = (), elder: bool = False, **values: object) -> bytes:
    """A page of `template`, which extends base.html; `elder` makes it the 长辈版.

    Answer it with `HEADERS`, or with `headers_with(*scripts)` where it carries scripts.
    """
    style = Markup(_STYLE)  # noqa: S704 - our own file, whose hash the policy names
    inline = [Markup(script) for script in scripts]  # noqa: S704 - likewise
    return _ENVIRONMENT.get_template(template).render(style=style, scripts=inline, elder=elder, **values).encode()


def _facts(basics: Basics) -> list[tuple[str, object]]:
    capital = None
    if basics.registered_capital is not None:
        capital = f"{basics.registered_capital.normalize():f}万元{basics.capital_currency or ''}"
    return [
        ("统一社会信用代码", basics.uscc),
        ("类型", basics.object_type),
        ("法定代表人", basics.legal_representative),
        ("注册资本", capital),
        ("成立日期", basics.established_on),
        ("住所", basics.domicile),
        ("所在地区", basics.region_name),
        ("登记机关", basics.registration_authority),
        ("经营范围", basics.business_scope),
    ]


def render_site(view: ScanView, today: date, address: str, *, elder: bool = False) -> bytes:
    """The public page of a site, whose code leads to `address`; `elder`: the 长辈版."""
    if isinstance(view.basics, UnsetType):
        raise TypeError("a page needs the basics, which every audience may see")
    results = [] if isinstance(view.results, UnsetType) else view.results
    return render(
        "site.html",
        elder=elder,
        view=view,
        facts=_facts(view.basics),
        place=_place(view.basics),
        today=today,
        address=address,
        path=urlsplit(address).path,
        summary=_summary(view, results),
        results=results[:_SHOWN_RESULTS],
        are_all=len(results) <= _SHOWN_RESULTS,
    )


def _summary(view: ScanView, results: Sequence[PublicResult]) -> str:
    """One line of it, for a chat that the address is sent to."""
    standing = [result for result in results if result.outcome_label]
    parts: list[str] = []
    if standing:
        newest = standing[0]
        parts.append(f"最近一次公示的检查：{newest.completed_on}，{newest.outcome_label}")
    else:
        parts.append("没有公示中的检查结果")
    if view.licences:
        parts.append(f"许可证照{len(view.licences)}项")
    if not isinstance(view.regulator, UnsetType) and view.regulator.hotline:
        parts.append(f"监督电话{view.regulator.hotline}")
    return "；".join(parts)


def render_enterprise(found: PublicEnterprise, today: date, address: str) -> bytes:
    """The public page of an enterprise, found by name or 统一社会信用代码: each site with its results."""
    first = found.sites[0]
    if isinstance(first.basics, UnsetType):
        raise TypeError("a page needs the basics, which every audience may see")
    return render(
        "enterprise.html",
        found=found,
        facts=_facts(first.basics),
        licences=first.licences or [],
        today=today,
        address=address,
        sites=found.sites[:_SHOWN_SITES],
        shown_results=_SHOWN_RESULTS,
        place=_place,
    )


def _place(basics: Basics) -> str:
    """Where one stands; the site's own name only where it tells more than the enterprise's."""
    own_name = basics.site_name if basics.site_name != basics.name else None
    return "，".join(part for part in (own_name, basics.address) if part)


def render_home() -> bytes:
    """What the bare address shows."""
    return render("home.html")


def render_ended(site: ScannedSite) -> bytes:
    """What a replaced or revoked code tells a citizen, kindly."""
    if site.code_state is CodeState.REPLACED:
        heading = "这个码已经换新"
        paragraphs = [f"{site.name}门口已换上新的二维码，请扫描新码查看信息。", "如现场没有新码，请联系监管部门。"]
    else:
        heading = "这个码已经停用"
        paragraphs = [f"{site.name}的这个二维码已停用，不能再用于查询或检查。", "如有疑问，请联系监管部门。"]
    return _ended(heading, paragraphs, site.hotline)


def render_no_enterprise() -> bytes:
    """What a 统一社会信用代码 of nobody tells."""
    return _ended("没有查到该企业", ["请核对统一社会信用代码，或者按名称搜索。"], None)


def render_invalid() -> bytes:
    """What a code of nobody tells."""
    return _ended("没有认出这个码", ["请对准企业门口的二维码重新扫描；如果码有破损，请告诉企业或监管部门。"], None)


def _ended(heading: str, paragraphs: list[str], hotline: str | None) -> bytes:
    return render("ended.html", heading=heading, paragraphs=paragraphs, hotline=hotline)


_VERDICTS = {
    VerificationState.GENUINE: ("真实", "本系统制发了该文书，目前有效。"),
    VerificationState.UNSEALED: ("真实，未盖章", "本系统制发了该文书，但尚未登记加盖印章；以加盖印章的文书为准。"),
    VerificationState.REVOKED: ("已撤销", "本系统制发过该文书，但该文书已经撤销，不再有效。"),
}


def render_verification(view: VerificationView) -> bytes:
    """文书核验: nothing of whom the paper concerns."""
    verdict, explanation = _VERDICTS[view.state]
    facts = [
        ("文号", view.number),
        ("文书日期", chinese_date(view.issued_on)),
        ("文件摘要（SHA-256）", view.digest or "文件正在生成"),
        ("笔录摘要（SHA-256）", view.record_digest),
    ]
    return render(
        "verification.html",
        verdict=verdict,
        explanation=explanation,
        is_over=view.state is VerificationState.REVOKED,
        facts=[(name, value) for name, value in facts if value],
    )


def render_unverified() -> bytes:
    """What a code of no paper tells."""
    paragraphs = [
        "没有查到该验证码对应的文书。请核对文书上的16位验证码后重新输入。",
        "如果文书上确实是这个验证码，该文书可能不是本系统制发的，请联系监管部门核实。",
    ]
    return _ended("没有查到该文书", paragraphs, None)
