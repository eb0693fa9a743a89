"""随机抽取: reproducible, fair in number, and the same for everybody who re-runs it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from hypothesis import given
from hypothesis import strategies as st

from domain.enterprise.model import CreditGrade, RiskLevel
from domain.selection.encoding import commit_nonce, framed
from domain.selection.model import (
    DepartmentNonce,
    DrawPlan,
    DrawPurpose,
    DrawRecord,
    ExclusionReason,
    FrameEntry,
    ItemCandidate,
    OfficerCandidate,
    StratumRule,
)
from domain.selection.policy import (
    DEFAULT_POLICY,
    share_of,
    spared_by_window,
    supervision_grade,
)
from domain.selection.rules import (
    MANDATORY,
    CommitmentBroken,
    FrameFault,
    NotEnoughOfficers,
    allot,
    draw,
    draw_items,
    draw_officers,
)

VECTORS = Path(__file__).parents[2] / "mobile_contract" / "test_vectors"
AT = datetime(2026, 8, 3, 0, 30, tzinfo=UTC)
SECRET = b"s" * 32
DRAW, SUBJECT = UUID(int=1), UUID(int=2)


def a_plan(*strata: StratumRule, cap: int | None = None) -> DrawPlan:
    return DrawPlan(draw_id=DRAW, purpose=DrawPurpose.OBJECTS, subject_id=SUBJECT, strata=strata, cap=cap)


def entries(stratum: str, count: int, start: int = 1) -> list[FrameEntry]:
    return [FrameEntry(UUID(int=number), stratum) for number in range(start, start + count)]


def winners(record: DrawRecord) -> set[int]:
    return {winner.id.int for winner in record.winners}


# The same for everybody


def a_bystander_draws(record: DrawRecord) -> list[str]:
    """Who wins by the words of the record alone: written anew, without a line of ours."""

    def framed_anew(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    def mac(key: bytes, data: bytes) -> bytes:
        made = hmac.HMAC(key, hashes.SM3())
        made.update(data)
        return made.finalize()

    def number(value: int | None) -> bytes:
        return b"" if value is None else value.to_bytes(4, "big")

    assert record.frame is not None
    head = [record.purpose.encode(), record.draw_id.bytes, record.subject_id.bytes, number(record.cap)]
    text = framed_anew(b"yima/draw/1 frame", *head, number(len(record.strata)))
    for stratum in record.strata:
        text += framed_anew(stratum.name.encode(), number(stratum.ratio), number(stratum.count))
    for entry in record.frame:
        text += framed_anew(entry.id.bytes, entry.stratum.encode(), number(entry.tier), (entry.excluded or "").encode())
    digest = hashes.Hash(hashes.SM3())
    digest.update(text)
    commitments = sorted(bytes.fromhex(each.commitment) for each in record.departments)
    nonces = sorted(bytes.fromhex(each.nonce) for each in record.departments)
    public = record.public_value
    said = b"" if public is None else framed_anew(public.name.encode(), str(public.on).encode(), public.value.encode())
    shares = framed_anew(bytes.fromhex(record.secret_commitment), *commitments), framed_anew(*nonces), said
    seed = mac(bytes.fromhex(record.secret), framed_anew(b"yima/draw/1 seed", digest.finalize(), *shares))
    won: list[str] = []
    for stratum in record.strata:
        ranked = sorted(
            (entry.tier, mac(seed, framed_anew(b"yima/draw/1 key", head[0], head[1], entry.id.bytes)), entry.id)
            for entry in record.frame
            if entry.stratum == stratum.name and entry.excluded is None
        )
        won += [f"{id_} {key.hex()}" for _, key, id_ in ranked[: stratum.wins]]
    return won


def test_the_published_vector_is_what_we_draw_and_what_a_bystander_draws() -> None:
    published = msgspec.json.decode((VECTORS / "draw.json").read_bytes(), type=DrawRecord)
    assert published.frame is not None
    strata = tuple(StratumRule(name=each.name, ratio=each.ratio, count=each.count) for each in published.strata)
    plan = DrawPlan(
        draw_id=published.draw_id,
        purpose=published.purpose,
        subject_id=published.subject_id,
        strata=strata,
        cap=published.cap,
    )
    again = draw(
        plan,
        published.frame,
        bytes.fromhex(published.secret),
        drawn_at=published.drawn_at,
        departments=published.departments,
        public_value=published.public_value,
    )
    assert again == published
    assert [f"{each.id} {each.key}" for each in published.winners] == a_bystander_draws(published)


def test_a_bystander_needs_no_departments_and_no_public_value() -> None:
    frame = [*entries("一般", 30), FrameEntry(UUID(int=99), "严重", excluded=ExclusionReason.OTHER)]
    record = draw(
        a_plan(StratumRule(name="一般", ratio=2500), StratumRule(name="严重", ratio=10_000)),
        frame,
        SECRET,
        drawn_at=AT,
    )
    assert [f"{each.id} {each.key}" for each in record.winners] == a_bystander_draws(record)
    assert len(record.winners) == 8


@pytest.mark.parametrize(
    "change",
    [
        {"secret": b"t" * 32},
        {"plan": DrawPlan(draw_id=UUID(int=9), purpose=DrawPurpose.OBJECTS, subject_id=SUBJECT, strata=())},
    ],
)
def test_another_secret_or_another_draw_gives_other_winners(change: dict[str, object]) -> None:
    rule = StratumRule(name="一般", ratio=5000)
    first = draw(a_plan(rule), entries("一般", 200), SECRET, drawn_at=AT)
    changed_plan = change.get("plan")
    plan = msgspec.structs.replace(changed_plan, strata=(rule,)) if isinstance(changed_plan, DrawPlan) else a_plan(rule)
    secret = change.get("secret", SECRET)
    assert isinstance(secret, bytes)
    assert winners(draw(plan, entries("一般", 200), secret, drawn_at=AT)) != winners(first)


def test_one_departments_nonce_changes_everything() -> None:
    def with_nonce(nonce: bytes) -> DrawRecord:
        department = UUID(int=5)
        commitment = commit_nonce(DRAW, department, nonce).hex()
        share = DepartmentNonce(department_id=department, commitment=commitment, nonce=nonce.hex())
        plan = a_plan(StratumRule(name="一般", ratio=5000))
        return draw(plan, entries("一般", 200), SECRET, drawn_at=AT, departments=[share])

    assert with_nonce(b"a" * 16).seed != with_nonce(b"b" * 16).seed
    assert winners(with_nonce(b"a" * 16)) != winners(with_nonce(b"b" * 16))


def test_a_nonce_that_was_not_committed_to_is_refused() -> None:
    share = DepartmentNonce(department_id=UUID(int=5), commitment="00" * 32, nonce="01" * 16)
    with pytest.raises(CommitmentBroken):
        draw(a_plan(StratumRule(name="一般", ratio=1)), entries("一般", 2), SECRET, drawn_at=AT, departments=[share])


def test_no_two_inputs_read_alike() -> None:
    assert framed(b"ab", b"c") != framed(b"a", b"bc")
    assert framed(b"") != framed()
    assert framed(b"a", b"") != framed(b"", b"a")


def test_a_frame_out_of_order_or_with_a_double_is_refused() -> None:
    plan = a_plan(StratumRule(name="一般", ratio=5000))
    one, two = entries("一般", 2)
    for frame in ([two, one], [one, one], [FrameEntry(UUID(int=1), "别的")]):
        with pytest.raises(FrameFault):
            draw(plan, frame, SECRET, drawn_at=AT)
    with pytest.raises(TypeError):
        draw(plan, iter([one, two]), SECRET, drawn_at=AT)


def test_who_is_excluded_never_wins_and_stays_in_the_frame_with_the_reason() -> None:
    frame = [
        FrameEntry(UUID(int=number), "一般", excluded=ExclusionReason.RECENTLY_INSPECTED if number % 2 else None)
        for number in range(1, 41)
    ]
    record = draw(a_plan(StratumRule(name="一般", ratio=10_000)), frame, SECRET, drawn_at=AT)
    assert winners(record) == set(range(2, 41, 2))
    assert (record.frame_size, record.excluded) == (40, 20)
    assert record.frame == frame


def test_every_candidate_has_the_same_chance() -> None:
    won: Counter[int] = Counter()
    for number in range(400):
        plan = msgspec.structs.replace(a_plan(StratumRule(name="一般", count=5)), draw_id=UUID(int=number))
        won.update(winners(draw(plan, entries("一般", 20), SECRET, drawn_at=AT)))
    # 400 draws of 5 out of 20: a hundred wins each, with a deviation of less than nine; five of those is never.
    assert all(abs(won[number] - 100) < 45 for number in range(1, 21))


# How many win


@pytest.mark.parametrize(
    ("ratio", "size", "wins"),
    [(0, 50, 0), (100, 1, 1), (100, 100, 1), (100, 101, 2), (3000, 10, 3), (3000, 11, 4), (10_000, 7, 7), (3000, 0, 0)],
)
def test_a_share_is_rounded_up_and_at_least_one(ratio: int, size: int, wins: int) -> None:
    assert allot([StratumRule(name="一般", ratio=ratio)], {"一般": size}, None) == {"一般": wins}


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.tuples(st.integers(0, 10_000), st.integers(0, 500))),
    st.none() | st.integers(0, 600),
)
def test_a_cap_is_kept_in_proportion_and_leaves_everybody_theirs(
    strata: dict[str, tuple[int, int]], cap: int | None
) -> None:
    rules = [StratumRule(name=name, ratio=ratio) for name, (ratio, _) in strata.items()]
    sizes = {name: size for name, (_, size) in strata.items()}
    wishes = {name: math.ceil(ratio * size / 10_000) for name, (ratio, size) in strata.items()}
    wins = allot(rules, sizes, cap)
    total, wished = sum(wins.values()), sum(wishes.values())

    assert total == (wished if cap is None else min(cap, wished))
    assert all(0 <= wins[name] <= wishes[name] for name in wishes)
    wanting = [name for name in wishes if wishes[name]]
    if cap is None or cap >= len(wanting):
        assert all(wins[name] >= 1 for name in wanting)
    for one in wanting:  # who wished for more does not get less
        assert all(wins[one] >= wins[other] for other in wanting if wishes[one] > wishes[other])
    assert allot(list(reversed(rules)), sizes, cap) == wins


def test_a_total_cap_is_a_share_of_the_register() -> None:
    assert share_of(1_400_000, 300) == 42_000
    record = draw(
        a_plan(StratumRule(name="一般", ratio=5000), StratumRule(name="严重", ratio=5000), cap=30),
        [*entries("一般", 90), *entries("严重", 30, 100)],
        SECRET,
        drawn_at=AT,
    )
    assert {each.name: each.wins for each in record.strata} == {"一般": 22, "严重": 8}


# From grade to ratio


@pytest.mark.parametrize(
    ("risk", "credit", "grade"),
    [
        (RiskLevel.LOW, CreditGrade.A, 1),
        (RiskLevel.LOW, CreditGrade.B, 2),
        (RiskLevel.LOW, CreditGrade.D, 3),
        (RiskLevel.MEDIUM_LOW, CreditGrade.B, 2),
        (RiskLevel.MEDIUM_HIGH, CreditGrade.B, 3),
        (RiskLevel.HIGH, CreditGrade.A, 3),
        (RiskLevel.HIGH, CreditGrade.C, 4),
        (RiskLevel.HIGH, CreditGrade.D, 4),
        (None, None, 2),
        (None, CreditGrade.D, 3),
        (RiskLevel.HIGH, None, 3),
    ],
)
def test_supervision_grade(risk: RiskLevel | None, credit: CreditGrade | None, grade: int) -> None:
    assert supervision_grade(risk, credit) == grade


def test_the_figures_say_that_they_are_still_to_be_checked() -> None:
    assert DEFAULT_POLICY.source == "待核"
    assert [DEFAULT_POLICY.item_ratio(grade) for grade in (1, 2, 3, 4)] == [3000, 5000, 8000, 10_000]


def test_the_window_spares_routine_draws_only() -> None:
    today = date(2026, 8, 5)
    recent, long_ago = today - timedelta(days=89), today - timedelta(days=90)
    assert spared_by_window(recent, today, is_routine=True) is ExclusionReason.RECENTLY_INSPECTED
    assert spared_by_window(recent, today, is_routine=False) is None
    assert spared_by_window(long_ago, today, is_routine=True) is None
    assert spared_by_window(None, today, is_routine=True) is None


# Items at dispatch


def items(count: int = 40) -> Iterator[ItemCandidate]:
    for number in range(1, count + 1):
        yield ItemCandidate(
            id=UUID(int=(number * 7919) % 10_007),
            is_mandatory=number % 10 == 0,
            grades=frozenset("CD") if number % 8 == 0 else frozenset("ABCD"),
            severity=("minor", "general", "severe")[number % 3],
        )


@pytest.mark.parametrize("grade", [1, 2, 3, 4])
@pytest.mark.parametrize("credit", [None, *CreditGrade])
def test_items_are_drawn_by_grade_and_mandatory_ones_always(grade: int, credit: CreditGrade | None) -> None:
    given_items = list(items())
    drawn = draw_items(given_items, grade, SECRET, DRAW, inspection_id=SUBJECT, credit=credit, drawn_at=AT)
    letter = credit or "B"
    fitting = [item for item in given_items if letter in item.grades]

    assert {item.id for item in fitting if item.is_mandatory} <= set(drawn.items)
    assert drawn.items == [item.id for item in given_items if item.id in set(drawn.items)]
    for severity in ("minor", "general", "severe"):
        among = [item.id for item in fitting if item.severity == severity and not item.is_mandatory]
        expected = math.ceil(DEFAULT_POLICY.item_ratio(grade) * len(among) / 10_000)
        assert len(set(among) & set(drawn.items)) == expected
    assert drawn.record.excluded == len(given_items) - len(fitting)
    assert drawn.record.frame is not None
    reasons = {entry.excluded for entry in drawn.record.frame}
    assert reasons <= {None, ExclusionReason.GRADE_NOT_COVERED}
    assert (drawn.record.rule_source, drawn.record.purpose) == ("待核", "items")


def test_a_mandatory_item_of_another_grade_is_excluded_too() -> None:
    only = ItemCandidate(id=uuid4(), is_mandatory=True, grades=frozenset("D"), severity="severe")
    drawn = draw_items([only], 4, SECRET, DRAW, inspection_id=SUBJECT, credit=CreditGrade.A, drawn_at=AT)
    assert drawn.items == []
    assert {each.name: (each.size, each.wins) for each in drawn.record.strata} == {MANDATORY: (0, 0), "severe": (0, 0)}


# Officers at claim


def test_officers_are_drawn_by_department_the_lighter_half_first_last_times_last() -> None:
    market, emergency = UUID(int=10), UUID(int=11)
    pool = [
        *[OfficerCandidate(id=UUID(int=100 + each), department_id=market, load=each) for each in range(6)],
        OfficerCandidate(id=UUID(int=200), department_id=market, is_certified=False),
        OfficerCandidate(id=UUID(int=201), department_id=market, has_interest=True),
        OfficerCandidate(id=UUID(int=300), department_id=emergency, was_last_time=True),
        OfficerCandidate(id=UUID(int=301), department_id=emergency, load=9),
        OfficerCandidate(id=UUID(int=302), department_id=UUID(int=12)),
    ]
    wanted = {market: 2, emergency: 2}
    drawn = [
        draw_officers(pool, wanted, SECRET, UUID(int=number), subject_id=SUBJECT, drawn_at=AT) for number in range(30)
    ]
    of_market = {each for record in drawn for each in winners(record) if each < 300}

    assert of_market == {100, 101, 102}  # all of the lighter half get their turn, nobody else does
    assert all({300, 301} <= winners(record) for record in drawn)  # the pool has nobody else
    assert all(record.excluded == 2 for record in drawn)
    one_each = draw_officers(pool, {emergency: 1}, SECRET, DRAW, subject_id=SUBJECT, drawn_at=AT)
    assert winners(one_each) == {301}


def test_too_few_officers_are_told_of() -> None:
    department = UUID(int=10)
    pool = [OfficerCandidate(id=UUID(int=1), department_id=department)]
    with pytest.raises(NotEnoughOfficers) as told:
        draw_officers(pool, {department: 2}, SECRET, DRAW, subject_id=SUBJECT, drawn_at=AT)
    assert told.value.facts == {"department_id": str(department), "wanted": 2, "available": 1}


def test_the_vector_file_is_readable_json() -> None:
    assert json.loads((VECTORS / "draw.json").read_text("utf-8"))["format"] == "yima/draw/1"
