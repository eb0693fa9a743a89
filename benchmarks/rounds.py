"""Alternating rounds: limit, Yima, peer, limit, …, so that a slow minute of the machine is everybody's."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.load import Burst
from benchmarks.results import Row, spread_of
from benchmarks.servers import Kind

Rounds = Mapping[Kind, list[Burst]]


def alternate(contestants: Mapping[Kind, Callable[[], Burst]], count: int) -> Rounds:
    """`count` rounds, in each every contestant once."""
    bursts: dict[Kind, list[Burst]] = {kind: [] for kind in contestants}
    for number in range(1, count + 1):
        for kind, send in contestants.items():
            burst = send()
            bursts[kind].append(burst)
            print(
                f"  round {number} {kind:<12} {burst.rate:8,.0f}/s   p50 {burst.p50_ms:6.1f} ms   "
                f"p99 {burst.p99_ms:6.1f} ms   load's cpu {burst.client_cpu:.0%}",
                flush=True,
            )
    return bursts


def compare(name: str, subject: Kind, rounds: Rounds, **more: Any) -> Row:
    """The row of `subject`: its median rate, and its share of the limit's and the peer's, round by round."""
    own = rounds[subject]
    rates = [burst.rate for burst in own]
    others = {kind: statistics.median(burst.rate for burst in rounds[kind]) for kind in (Kind.LIMIT, Kind.PEER)}
    return Row(
        name=name,
        value=statistics.median(rates),
        unit="requests/s",
        spread=spread_of(rates),
        vs_limit=_ratio(own, rounds[Kind.LIMIT]),
        vs_peer=_ratio(own, rounds[Kind.PEER]),
        more={
            "p50_ms": statistics.median(burst.p50_ms for burst in own),
            "p99_ms": statistics.median(burst.p99_ms for burst in own),
            "limit": others[Kind.LIMIT],
            "peer": others[Kind.PEER],
            **more,
        },
    )


def _ratio(own: list[Burst], others: list[Burst]) -> float:
    return statistics.median(mine.rate / theirs.rate for mine, theirs in zip(own, others, strict=True))
