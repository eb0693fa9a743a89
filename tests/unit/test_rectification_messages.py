"""Texts about an order: word for word as designed, and each SMS one segment."""

from __future__ import annotations

from uuid import UUID

import pytest

from api.paper_messages import paper_words
from notifications.sms.segments import measure
from notifications.templates import compose_mail, compose_sms, current

SHORT = "https://yima.cn/v/7K3Q"
PUBLIC = "https://yima.gxzf.gov.cn/v/7K3QX66CV5YV3GHZ"


def text_of(
    template: str,
    *,
    number: str = "南市监责改〔2026〕12号",
    sequence: int = 12,
    due: str = "8月15日前",
    link: str = PUBLIC,
    department: str = "南宁市监",
    hotline: str = "0771-12345",
) -> str:
    return compose_sms(current(template), values(number, sequence, due, link, department, hotline))


def values(number: str, sequence: int, due: str, link: str, department: str, hotline: str) -> dict[str, str]:
    written = {"department": department, "due": due, "hotline": hotline, "document_id": str(UUID(int=3))}
    return {**written, **paper_words(number, sequence, link)}


def test_the_text_with_consent_is_the_designed_one() -> None:
    text = text_of("order_issued", link=SHORT)
    assert text == f"【南宁市监】你单位收到责令改正通知书(南市监责改〔2026〕12号),8月15日前改正。查看 {SHORT}"
    assert measure(text).segments == 1


def test_the_text_without_consent_is_the_designed_one() -> None:
    assert text_of("order_issued_reminder") == (
        "【南宁市监】责令改正通知书(12号)纸质件另行送达,8月15日前改正。本短信仅作提醒,可在智桂通核对,核实电话0771-12345"
    )


@pytest.mark.parametrize("template", ["order_issued", "order_issued_reminder"])
@pytest.mark.parametrize("sequence", [1, 12, 345, 12345])
@pytest.mark.parametrize("due", ["立即", "8月5日前", "12月31日前"])
@pytest.mark.parametrize("department", ["南宁市监", "青秀区市监"])
@pytest.mark.parametrize("hotline", ["0771-12345", "0771-5512345"])
def test_a_typical_sms_is_one_segment(template: str, sequence: int, due: str, department: str, hotline: str) -> None:
    number = f"南市监责改〔2026〕{sequence}号"
    text = text_of(template, number=number, sequence=sequence, due=due, department=department, hotline=hotline)
    assert measure(text).segments == 1
    assert f"{sequence}号" in text
    assert due in text


def test_the_link_is_whole_in_every_text() -> None:
    for link in (SHORT, PUBLIC):
        assert link.removeprefix("https://") in text_of("order_issued", link=link)


def test_a_mail_is_not_shortened() -> None:
    number = "南市监责改〔2026〕12号"
    mail = compose_mail(current("order_issued"), values(number, 12, "8月15日前", PUBLIC, "南宁市监", "0771-12345"))
    assert mail.subject == f"责令改正通知书（{number}）"
    assert f"你单位收到南宁市监的责令改正通知书（{number}），要求8月15日前改正。" in mail.text
    assert PUBLIC in mail.text
    assert f'href="{PUBLIC}"' in mail.html
