"""The draw itself: freeze the frame, share out the wins, take the smallest keys. Values in, record out.

A register of a million lines passes through `Freezing` and `Choosing` line by line; only the winners are held.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.enterprise.model import CreditGrade
from domain.selection.encoding import CandidateKeys, FrameDigest, commit_nonce, commit_secret, seed_of
from domain.selection.model import (
    ENCODING,
    RECORD_FORMAT,
    WHOLE,
    DepartmentNonce,
    DrawPlan,
    DrawPurpose,
    DrawRecord,
    ExclusionReason,
    FrameEntry,
    ItemCandidate,
    ItemDraw,
    OfficerCandidate,
    PublicValue,
    Stratum,
    StratumRule,
    Winner,
)
from domain.selection.policy import DEFAULT_POLICY, UNGRADED_CREDIT, SelectionPolicy
from domain.shared.errors import DomainError

MANDATORY = "mandatory"
"""The stratum of items that always appear."""
_KEY_BITS = 256
_ID_BITS = 128
_LAST_TIME = 2


class CommitmentBroken(DomainError):
    """A revealed nonce is not the one that its department committed to."""


class NotEnoughOfficers(DomainError):
    """A department has fewer officers who may be drawn than it has to send."""


class FrameFault(ValueError):
    """The frame is not in canonical order, or names a stratum without a rule."""


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that can no longer change."""

    digest: bytes
    size: int
    excluded: int
    sizes: Mapping[str, int]


class Freezing:
    """First pass: the digest of the frame and the size of each stratum."""

    def __init__(self, plan: DrawPlan) -> None:
        """Begin with an empty frame."""
        self._digest = FrameDigest(plan)
        self._sizes = dict.fromkeys((rule.name for rule in plan.strata), 0)
        self._size = 0
        self._excluded = 0
        self._last: UUID | None = None

    def add(self, entry: FrameEntry) -> None:
        """The next entry. Raises `FrameFault`."""
        if self._last is not None and entry.id <= self._last:
            raise FrameFault(f"{entry.id} does not come after {self._last}")
        if entry.stratum not in self._sizes:
            raise FrameFault(f"no rule for stratum {entry.stratum!r}")
        self._last = entry.id
        self._digest.add(entry)
        self._size += 1
        if entry.excluded is None:
            self._sizes[entry.stratum] += 1
        else:
            self._excluded += 1

    def finish(self) -> Frozen:
        """The frame, frozen: publish the digest before anything else is revealed."""
        return Frozen(digest=self._digest.finish(), size=self._size, excluded=self._excluded, sizes=dict(self._sizes))


def wish_of(rule: StratumRule, size: int) -> int:
    """How many of `size` win where nothing caps the total (D2)."""
    if rule.count is not None:
        return min(rule.count, size)
    return -(-(rule.ratio or 0) * size // WHOLE)


def allot(rules: Iterable[StratumRule], sizes: Mapping[str, int], cap: int | None) -> dict[str, int]:
    """The wins of each stratum. A cap shrinks all in proportion, leaving each its one as long as the cap reaches.

    What is left over by rounding goes to the largest remainders; equal ones to the larger wish, then by name.
    """
    wishes = {rule.name: wish_of(rule, sizes[rule.name]) for rule in rules}
    if cap is None or sum(wishes.values()) <= cap:
        return wishes
    wanting = sorted((name for name in wishes if wishes[name]), key=lambda name: (-wishes[name], name.encode()))
    wins = dict.fromkeys(wishes, 0) | dict.fromkeys(wanting[:cap], 1)
    rest, more = cap - len(wanting), sum(wishes[name] - 1 for name in wanting)
    if rest <= 0:
        return wins
    for name in wanting:
        wins[name] += (wishes[name] - 1) * rest // more
    left = cap - sum(wins.values())
    wanting.sort(key=lambda name: -((wishes[name] - 1) * rest % more))  # stable: ties keep the order above
    for name in wanting[:left]:
        wins[name] += 1
    return wins


class Choosing:
    """Second pass: the smallest keys of each stratum, a heap as large as its wins."""

    def __init__(self, plan: DrawPlan, seed: bytes, wins: Mapping[str, int]) -> None:
        """Nobody has won yet."""
        self._keys = CandidateKeys(seed, plan.purpose, plan.draw_id)
        self._wins = wins
        self._heaps: dict[str, list[int]] = {name: [] for name in wins}

    def add(self, entry: FrameEntry) -> None:
        """The next entry, in any order."""
        wins = self._wins[entry.stratum]
        if entry.excluded is not None or not wins:
            return
        # One number orders by tier, key and id; negated, because the heap must lose its largest.
        key = int.from_bytes(self._keys.of(entry.id), "big")
        rank = -(((entry.tier << _KEY_BITS | key) << _ID_BITS) | entry.id.int)
        heap = self._heaps[entry.stratum]
        if len(heap) < wins:
            heapq.heappush(heap, rank)
        else:
            heapq.heappushpop(heap, rank)

    def finish(self) -> list[Winner]:
        """Who won, by stratum, the smallest first."""
        return [
            _winner(-rank, name)
            for name in sorted(self._heaps, key=str.encode)
            for rank in sorted(self._heaps[name], reverse=True)
        ]


def _winner(rank: int, stratum: str) -> Winner:
    key = rank >> _ID_BITS & (1 << _KEY_BITS) - 1
    return Winner(id=UUID(int=rank & (1 << _ID_BITS) - 1), stratum=stratum, key=f"{key:064x}")


def draw(
    plan: DrawPlan,
    frame: Iterable[FrameEntry],
    secret: bytes,
    *,
    drawn_at: datetime,
    departments: Sequence[DepartmentNonce] = (),
    public_value: PublicValue | None = None,
    rule_source: str = DEFAULT_POLICY.source,
    keeps_frame: bool = True,
) -> DrawRecord:
    """随机抽取 (D2): the record of a whole draw. `frame` is walked twice, in ascending order of ids.

    `keeps_frame` False leaves the frame to be published beside the record. Raises `CommitmentBroken`, and
    `FrameFault` for a frame that is not in order.
    """
    if iter(frame) is frame:
        raise TypeError("the frame is walked twice: give a list, or an iterable that begins anew")
    for each in departments:
        if commit_nonce(plan.draw_id, each.department_id, bytes.fromhex(each.nonce)).hex() != each.commitment:
            raise CommitmentBroken("公开的随机数与承诺不符。", department_id=str(each.department_id))
    freezing = Freezing(plan)
    for entry in frame:
        freezing.add(entry)
    frozen = freezing.finish()
    seed = seed_for(plan, frozen.digest, secret, departments, public_value)
    wins = allot(plan.strata, frozen.sizes, plan.cap)
    choosing = Choosing(plan, seed, wins)
    for entry in frame:
        choosing.add(entry)
    return DrawRecord(
        format=RECORD_FORMAT,
        encoding=ENCODING,
        draw_id=plan.draw_id,
        purpose=plan.purpose,
        subject_id=plan.subject_id,
        drawn_at=drawn_at,
        rule_source=rule_source,
        cap=plan.cap,
        strata=strata_of(plan, frozen.sizes, wins),
        secret=secret.hex(),
        secret_commitment=commit_secret(plan.draw_id, secret).hex(),
        departments=list(departments),
        public_value=public_value,
        frame_digest=frozen.digest.hex(),
        frame_size=frozen.size,
        excluded=frozen.excluded,
        frame=list(frame) if keeps_frame else None,
        seed=seed.hex(),
        winners=choosing.finish(),
    )


def seed_for(
    plan: DrawPlan,
    frame_digest: bytes,
    secret: bytes,
    departments: Sequence[DepartmentNonce],
    public_value: PublicValue | None,
) -> bytes:
    """The seed that all shares give together."""
    commitments = [commit_secret(plan.draw_id, secret), *(bytes.fromhex(each.commitment) for each in departments)]
    nonces = [bytes.fromhex(each.nonce) for each in departments]
    return seed_of(secret, frame_digest, commitments, nonces, public_value)


def strata_of(plan: DrawPlan, sizes: Mapping[str, int], wins: Mapping[str, int]) -> list[Stratum]:
    """The plan's strata as they came out, by name."""
    return [
        Stratum(name=rule.name, ratio=rule.ratio, count=rule.count, size=sizes[rule.name], wins=wins[rule.name])
        for rule in sorted(plan.strata, key=lambda each: each.name.encode())
    ]


def draw_items(
    items: Sequence[ItemCandidate],
    grade: int,
    secret: bytes,
    draw_id: UUID,
    *,
    inspection_id: UUID,
    credit: CreditGrade | None,
    drawn_at: datetime,
    policy: SelectionPolicy = DEFAULT_POLICY,
) -> ItemDraw:
    """检查内容抽取 at dispatch (D3): mandatory items always, the others by severity at the ratio of `grade` 1 to 4.

    Items that are not for the site's credit grade stand in the frame as excluded; a site without one counts as B.
    """
    ratio = policy.item_ratio(grade)
    letter = credit or UNGRADED_CREDIT
    rules = [StratumRule(name=MANDATORY, ratio=WHOLE)]
    rules += [StratumRule(name=name, ratio=ratio) for name in sorted({item.severity for item in items})]
    frame = [
        FrameEntry(
            item.id,
            MANDATORY if item.is_mandatory else item.severity,
            excluded=None if letter in item.grades else ExclusionReason.GRADE_NOT_COVERED,
        )
        for item in sorted(items, key=lambda each: each.id)
    ]
    plan = DrawPlan(draw_id=draw_id, purpose=DrawPurpose.ITEMS, subject_id=inspection_id, strata=tuple(rules))
    record = draw(plan, frame, secret, drawn_at=drawn_at, rule_source=policy.source)
    drawn = {winner.id for winner in record.winners}
    return ItemDraw(items=[item.id for item in items if item.id in drawn], record=record)


def draw_officers(
    officers: Sequence[OfficerCandidate],
    wanted: Mapping[UUID, int],
    secret: bytes,
    draw_id: UUID,
    *,
    subject_id: UUID,
    drawn_at: datetime,
) -> DrawRecord:
    """执法人员抽取 at claim (D2, X10): so many of each department, by lot among the less burdened half first.

    Who inspected there last time comes last, and is taken all the same where the pool has nobody else. Raises
    `NotEnoughOfficers`.
    """
    lighter = {department: _lighter_half(officers, department) for department in wanted}
    frame = [
        FrameEntry(
            each.id,
            str(each.department_id),
            tier=int(each.load > lighter[each.department_id]) + _LAST_TIME * each.was_last_time,
            excluded=_hindrance(each),
        )
        for each in sorted(officers, key=lambda each: each.id)
        if each.department_id in wanted
    ]
    available = Counter(entry.stratum for entry in frame if entry.excluded is None)
    for department, count in wanted.items():
        if available[str(department)] < count:
            raise NotEnoughOfficers(
                "可抽取的执法人员不足。",
                department_id=str(department),
                wanted=count,
                available=available[str(department)],
            )
    strata = tuple(StratumRule(name=str(department), count=count) for department, count in wanted.items())
    plan = DrawPlan(draw_id=draw_id, purpose=DrawPurpose.OFFICERS, subject_id=subject_id, strata=strata)
    return draw(plan, frame, secret, drawn_at=drawn_at)


def _hindrance(officer: OfficerCandidate) -> ExclusionReason | None:
    if not officer.is_certified:
        return ExclusionReason.CERTIFICATE_INVALID
    return ExclusionReason.INTEREST_DECLARED if officer.has_interest else None


def _lighter_half(officers: Sequence[OfficerCandidate], department_id: UUID) -> int:
    """The load that half of those who may go do not exceed."""
    loads = sorted(each.load for each in officers if each.department_id == department_id and _hindrance(each) is None)
    return loads[(len(loads) - 1) // 2] if loads else 0
