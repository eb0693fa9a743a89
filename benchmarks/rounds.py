"""Alternating rounds: limit, Yima, peer, limit, …, so that a slow minute of the machine is everybody's."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from benchmarks.load import Burst
from benchmarks.results import Row, spread_of
from benchmarks.servers import Kind, Server


class Contestant(msgspec.Struct, frozen=True):
    """A server, and what sends one burst to it."""

    server: Server
    send: Callable[[], Burst]


class Heat(Burst, frozen=True, kw_only=True):
    """A burst, and the processor time that the server itself took for each request."""

    server_ms: float


Rounds = Mapping[Kind, list[Heat]]


def alternate(contestants: Sequence[Contestant], count: int) -> Rounds:
    """`count` rounds, in each every contestant once."""
    heats: dict[Kind, list[Heat]] = {each.server.kind: [] for each in contestants}
    for number in range(1, count + 1):
        for each in contestants:
            heat = _run(each)
            heats[each.server.kind].append(heat)
            print(
                f"  round {number} {each.server.kind:<12} {heat.rate:8,.0f}/s   p50 {heat.p50_ms:6.1f} ms   "
                f"p99 {heat.p99_ms:6.1f} ms   cpu a request {heat.server_ms:.3f} ms   load {heat.client_cpu:.0%}",
                flush=True,
            )
    return heats


def _run(contestant: Contestant) -> Heat:
    before = contestant.server.cpu_seconds()
    burst = contestant.send()
    spent = contestant.server.cpu_seconds() - before
    return Heat(**msgspec.structs.asdict(burst), server_ms=spent / burst.count * 1000)


def compare(name: str, subject: Kind, rounds: Rounds, **more: Any) -> Row:
    """The row of `subject`: its median rate, and its share of the limit's and the peer's, round by round."""
    own = rounds[subject]
    rates = [heat.rate for heat in own]
    return Row(
        name=name,
        value=statistics.median(rates),
        unit="requests/s",
        spread=spread_of(rates),
        vs_limit=_ratio(own, rounds[Kind.LIMIT]),
        vs_peer=_ratio(own, rounds[Kind.PEER]),
        more={
            "p50_ms": _median(own, "p50_ms"),
            "p99_ms": _median(own, "p99_ms"),
            "cpu_ms": _median(own, "server_ms"),
            "limit": _median(rounds[Kind.LIMIT], "rate"),
            "limit_cpu_ms": _median(rounds[Kind.LIMIT], "server_ms"),
            "peer": _median(rounds[Kind.PEER], "rate"),
            "peer_cpu_ms": _median(rounds[Kind.PEER], "server_ms"),
            **more,
        },
    )


def _median(heats: list[Heat], field: str) -> float:
    return statistics.median(getattr(heat, field) for heat in heats)


def _ratio(own: list[Heat], others: list[Heat]) -> float:
    return statistics.median(mine.rate / theirs.rate for mine, theirs in zip(own, others, strict=True))
