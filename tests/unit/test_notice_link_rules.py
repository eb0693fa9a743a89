"""Short links to papers: their tokens and tickets, how long they lead somewhere, and the texts they stand in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from api.guesses import WINDOW, Guesses
from api.paper_messages import paper_words, short_url
from domain.document.link import rules
from domain.document.link.model import LinkMeans, NoticeLink
from domain.document.link.tokens import TICKET_LIFETIME, TOKEN_LENGTH, admits, read_token, write_ticket, write_token
from domain.document.model import Document, DocumentKind, DocumentState, Seal
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, first_version, next_version
from domain.visitor.rules import TooManyWrites
from notifications.sms.segments import measure
from notifications.templates import compose_sms, current

ROOT = bytes(range(32))
NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
NUMBER = b"\x01\x02\x03\x04\x05"
ENTERPRISE = UUID(int=7)


def ring(*versions: KeyVersion, root: bytes = ROOT) -> KeyRing:
    """The keys of an installation; of links one version, unless others are given."""
    return KeyRing(root, versions or (first_version(root, KeyPurpose.LINK),))


def rolled(former: KeyState) -> KeyRing:
    """A ring whose link key was rolled once."""
    old = msgspec.structs.replace(first_version(ROOT, KeyPurpose.LINK), state=former)
    return ring(old, next_version(ROOT, KeyPurpose.LINK, 1))


def a_link(**changes: object) -> NoticeLink:
    """A link of now."""
    link = NoticeLink(
        id=UUID(int=1),
        number=NUMBER,
        document_id=UUID(int=2),
        enterprise_id=ENTERPRISE,
        message_id=UUID(int=3),
        means=LinkMeans.SMS,
        serves=True,
        made_at=NOW,
        asked_at=NOW,
        expires_at=NOW + timedelta(days=90),
        delivered_at=None,
        revoked_at=None,
        revoke_reason=None,
    )
    return msgspec.structs.replace(link, **changes)


def a_paper(**changes: object) -> Document:
    """The paper that it leads to."""
    paper = Document(
        paper_word=None,
        number_department=None,
        number_kind=None,
        number_year=None,
        number_sequence=None,
        id=UUID(int=2),
        kind=DocumentKind.RECTIFICATION_ORDER,
        subject_id=UUID(int=4),
        inspection_id=UUID(int=5),
        department_id=UUID(int=6),
        department_name="南宁市市场监督管理局",
        enterprise_id=ENTERPRISE,
        enterprise_name="老友粉店",
        site_id=UUID(int=8),
        region="cn.45",
        template_id=None,
        title="责令改正通知书",
        record_digest=None,
        verification_code="0",
        issued_on=date(2026, 8, 5),
        state=DocumentState.WAITING,
        pdf_digest=None,
        pdf_size=None,
        page_count=None,
        rendered_at=None,
        seal=Seal.NONE,
        sealed_copy=None,
        revoked_at=None,
        revoke_reason=None,
        created_at=NOW,
    )
    return msgspec.structs.replace(paper, **changes)


# Tokens


@pytest.mark.parametrize("seed", range(200))
def test_a_token_is_eleven_characters_that_prove_its_number(seed: int) -> None:
    number = (seed * 5_497_558_138_88 % 2**40).to_bytes(5, "big")
    token = write_token(ring(), number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{10}[A-Za-z0-9]", token), "no phone may cut the link at its end"
    assert len(token) == TOKEN_LENGTH
    assert read_token(ring(), token) == number


def test_no_other_token_proves_anything() -> None:
    token = write_token(ring(), NUMBER)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = {
        token[:place] + letter + token[place + 1 :]
        for place in range(TOKEN_LENGTH)
        for letter in alphabet
        if letter != token[place]
    }
    assert [other for other in others if read_token(ring(), other) is not None] == []


@pytest.mark.parametrize(
    "text", ["", "abc", "a" * 12, "一二三四五六七八九十一", "a" * 10 + "=", "a" * 10 + "\n", " " * 11]
)
def test_what_is_no_token_is_refused_quietly(text: str) -> None:
    assert read_token(ring(), text) is None


def test_another_installation_does_not_know_it() -> None:
    assert read_token(ring(root=bytes(32)), write_token(ring(), NUMBER)) is None


def test_a_token_outlives_the_rolling_of_its_key_and_not_its_retirement() -> None:
    token = write_token(ring(), NUMBER)
    assert read_token(rolled(KeyState.VERIFYING), token) == NUMBER
    assert read_token(rolled(KeyState.RETIRED), token) is None


def test_a_ticket_admits_to_its_own_paper_for_half_an_hour() -> None:
    ticket = write_ticket(ring(), NUMBER, NOW)
    assert admits(ring(), NUMBER, ticket, NOW)
    assert admits(ring(), NUMBER, ticket, NOW + TICKET_LIFETIME - timedelta(seconds=1))
    assert not admits(ring(), NUMBER, ticket, NOW + TICKET_LIFETIME)
    assert not admits(ring(), b"\x00" * 5, ticket, NOW)
    assert not admits(ring(), NUMBER, ticket[:-1] + ("A" if ticket[-1] != "A" else "E"), NOW)


@pytest.mark.parametrize("text", ["", "x", "一" * 23, "A" * 23, write_token(ring(), NUMBER)])
def test_what_is_no_ticket_admits_to_nothing(text: str) -> None:
    assert not admits(ring(), NUMBER, text, NOW)


# Terms


def test_a_link_outlives_what_the_paper_asks_for_by_sixty_days() -> None:
    until = rules.expires_at(NOW, date(2026, 8, 20))
    assert until == datetime(2026, 10, 19, 16, 0, tzinfo=UTC), "the end of the sixtieth day, in the region"
    assert rules.expires_at(NOW, date(2026, 8, 5)) - NOW >= timedelta(days=60)


def test_a_paper_that_asks_for_nothing_is_found_for_ninety_days() -> None:
    assert rules.expires_at(NOW, None) - NOW == timedelta(days=90)


def test_a_link_in_force_leads_to_its_paper() -> None:
    rules.require_usable(a_link(), a_paper(), NOW)


@pytest.mark.parametrize(
    ("link", "paper"),
    [
        (a_link(revoked_at=NOW), a_paper()),
        (a_link(expires_at=NOW), a_paper()),
        (a_link(), a_paper(revoked_at=NOW)),
    ],
    ids=["revoked", "expired", "of a revoked paper"],
)
def test_a_link_that_is_over_leads_nowhere(link: NoticeLink, paper: Document) -> None:
    with pytest.raises(rules.NoticeLinkOver):
        rules.require_usable(link, paper, NOW)


def test_a_link_never_leads_to_the_paper_of_another_enterprise() -> None:
    with pytest.raises(rules.NoticeLinkUnknown):
        rules.require_usable(a_link(), a_paper(enterprise_id=UUID(int=9)), NOW)


def test_nobody_learns_why_a_link_leads_nowhere() -> None:
    with pytest.raises(rules.NoticeLinkOver) as over:
        rules.require_usable(a_link(revoked_at=NOW), a_paper(), NOW)
    assert over.value.detail == rules.unknown().detail


@pytest.mark.parametrize(
    ("told", "believed"),
    [(timedelta(minutes=2), 2), (timedelta(hours=-9), 0), (timedelta(days=3), 5)],
    ids=["a sound clock", "a clock that is late", "a clock that is early"],
)
def test_a_message_arrives_neither_before_it_went_nor_in_future(told: timedelta, believed: int) -> None:
    now = NOW + timedelta(minutes=5)
    assert rules.delivered_at(a_link(), NOW + told, now) == NOW + timedelta(minutes=believed)


# Guessing


def test_who_guesses_too_often_is_not_answered_for_ten_minutes() -> None:
    guesses = Guesses(most=3)
    for _ in range(3):
        guesses.require_room(b"a", NOW)
        guesses.note_wrong(b"a", NOW)
    with pytest.raises(TooManyWrites) as refused:
        guesses.require_room(b"a", NOW + timedelta(minutes=4))
    assert refused.value.retry_after == 360
    guesses.require_room(b"b", NOW)
    guesses.require_room(b"a", NOW + WINDOW)


def test_only_the_last_addresses_are_remembered() -> None:
    guesses = Guesses(most=1, remembered=10)
    for number in range(11):
        guesses.note_wrong(bytes([number]), NOW)
    guesses.require_room(b"\x00", NOW)
    with pytest.raises(TooManyWrites):
        guesses.require_room(b"\x0a", NOW)


# Texts


def text_with(host: str, number: str = "南市监责改〔2026〕12号", sequence: int = 12) -> str:
    """The SMS that carries a link at `host`."""
    link = short_url(f"https://{host}", write_token(ring(), NUMBER))
    known = paper_words(number, sequence, link)
    written = {"department": "南宁市监", "due": "8月15日前", "hotline": "", "document_id": "1"}
    return compose_sms(current("order_issued"), {**written, **known})


@pytest.mark.parametrize("host", ["yima.cn", "yima.gov.cn", "yima.gxzf.gov.cn", "ym.nanning.gov.cn"])
def test_a_host_of_seventeen_characters_leaves_room_for_the_whole_number(host: str) -> None:
    text = text_with(host)
    assert measure(text).segments == 1
    assert "(南市监责改〔2026〕12号)" in text
    assert text.endswith(f"{host}/n/{write_token(ring(), NUMBER)}")


def test_a_short_host_leaves_room_for_the_designed_words() -> None:
    token = write_token(ring(), NUMBER)
    assert text_with("yima.cn") == (
        f"【南宁市监】你单位收到责令改正通知书(南市监责改〔2026〕12号),8月15日前改正。查看 yima.cn/n/{token}"
    )


def test_a_longer_host_leaves_room_for_the_short_number_only() -> None:
    text = text_with("yima.nanning.gov.cn")
    assert measure(text).segments == 1
    assert "南市监责改" not in text
    assert "通知书(12号)" in text


@pytest.mark.parametrize(("length", "segments"), [(30, 1), (31, 2)])
def test_beyond_thirty_characters_the_link_stays_whole_and_costs_two_segments(length: int, segments: int) -> None:
    text = text_with("y" * length)
    assert measure(text).segments == segments
    assert text.endswith(f"/n/{write_token(ring(), NUMBER)}")


def arrival(notice: str, hotline: str = "0771-12345") -> str:
    """The SMS at the door."""
    known = {"department": "南宁市监", "officers": "2", "notice": notice, "hotline": hotline}
    return compose_sms(current("arrival"), known)


@pytest.mark.parametrize("notice", ["0012号", "450103-2026-JC-000012", "南市监检通〔2026〕1234号", ""])
def test_an_arrival_is_one_segment_whatever_number_its_notice_bears(notice: str) -> None:
    text = arrival(notice)
    assert measure(text).segments == 1
    for word in _indispensable(notice):
        assert word in text


def _indispensable(notice: str) -> Sequence[str]:
    return ("【南宁市监】", "2名执法人员", "核验", "不亮证可拒绝检查", "0771-12345", notice)
