"""What a browser shows of a badge: who stands there, or that nobody can tell."""

from __future__ import annotations

from api import pages
from api.schemas.door import VerifiedBadge


def render_badge(verified: VerifiedBadge) -> bytes:
    """亮证核验 for anybody who scanned an officer's badge."""
    officer = verified.officer
    facts = [
        ("姓名", officer.name),
        ("执法证件号码", officer.certificate_number),
        ("证件有效期至", officer.certificate_valid_to),
        ("所在部门", officer.department_name),
    ]
    return pages.render(
        "badge.html",
        verdict="证件有效" if verified.certificate_is_valid else "没有有效执法证件",
        is_over=not verified.certificate_is_valid,
        facts=[(name, value) for name, value in facts if value],
        photo_note=verified.photo_note,
        hotline=officer.hotline,
    )


def render_unknown_badge(detail: str) -> bytes:
    """A badge that is none, or was shown too long ago."""
    paragraphs = [detail, "执法人员应当当面出示证件；不出示证件，或者少于两人的，可以拒绝检查。"]
    return pages.render("ended.html", heading="没有核验通过", paragraphs=paragraphs, hotline=None)
