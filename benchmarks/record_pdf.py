"""现场检查笔录 of 60 items and 40 photos on paper: by the worker, by the typesetter alone, by the peer's library."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.apart import measure_apart
from benchmarks.results import Row, spread_of
from benchmarks.stage import Stage

NAME = "record.pdf"
_SECONDS = 120.0
_CONTESTANTS = ("limit", "yima", "peer")


def measure_record(stage: Stage) -> Row:
    """The row `record.pdf`; each paper in a fresh process. Raises `MeasurementFailed`."""
    folder = stage.folder / "record"
    place = {"dsn": stage.dsn, "keys_folder": str(stage.keys), "blobs_folder": str(folder / "blobs")}
    prepared = measure_apart(
        "benchmarks.record_prepared", within=_SECONDS, folder=str(folder), papers=stage.size.papers, **place
    )
    told: dict[str, list[dict[str, Any]]] = {who: [] for who in _CONTESTANTS}
    for number in range(1, stage.size.papers + 1):
        given = {"folder": str(folder), "document": prepared["documents"][number - 1], **place}
        for who in _CONTESTANTS:
            figures = measure_apart(f"benchmarks.record_by_{who}", within=_SECONDS, **given)
            told[who].append(figures)
            shown = "   ".join(f"{name} {value:,.4g}" for name, value in figures.items())
            print(f"  round {number} {who:<6} {shown}", flush=True)
    return _row(told)


def _row(told: dict[str, list[dict[str, Any]]]) -> Row:
    seconds = {who: [each["seconds"] for each in figures] for who, figures in told.items()}
    own, limit, peer = seconds["yima"], seconds["limit"], seconds["peer"]
    return Row(
        name=NAME,
        value=statistics.median(own),
        unit="s",
        spread=spread_of(own),
        vs_limit=statistics.median(least / mine for least, mine in zip(limit, own, strict=True)),
        vs_peer=statistics.median(usual / mine for usual, mine in zip(peer, own, strict=True)),
        more={
            **{name: max(each[name] for each in told["yima"]) for name in ("renderer_mb", "worker_mb", "idle_mb")},
            **{name: told["yima"][0][name] for name in ("pages", "kilobytes")},
            "limit": statistics.median(limit),
            "limit_mb": max(each["peak_mb"] for each in told["limit"]),
            "peer": statistics.median(peer),
            "peer_mb": max(each["peak_mb"] for each in told["peer"]),
            "peer_kilobytes": told["peer"][0]["kilobytes"],
        },
    )
