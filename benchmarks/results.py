"""The figures of a run: as rows of JSON, and as a table for people."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


class Target(msgspec.Struct, frozen=True):
    """What the figure should be at least, as a share of the limit and of the peer; or at most, itself and in memory.

    `most_mb` holds for each process whose peak the row tells.
    """

    vs_limit: float | None = None
    vs_peer: float | None = None
    at_most: float | None = None
    most_mb: float | None = None


TARGETS: Mapping[str, Target] = {
    "scan.public.uncached": Target(vs_limit=0.6, vs_peer=3.0),
    "scan.public.cached": Target(vs_limit=1.5),
    "check_in": Target(vs_limit=0.5, vs_peer=2.0),
    "answer": Target(vs_limit=0.5, vs_peer=2.0),
    "record.pdf": Target(at_most=3.0, most_mb=300.0),
    "live.fanout.p99": Target(at_most=500.0),
}


_PEAKS = ("renderer_mb", "worker_mb")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `spread` is (largest - smallest) / median over the rounds; ratios are medians over the rounds."""

    name: str
    value: float
    unit: str
    spread: float | None = None
    vs_limit: float | None = None
    vs_peer: float | None = None
    more: dict[str, Any] = {}

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        target = TARGETS.get(self.name)
        if target is None:
            return None
        pairs = ((self.vs_limit, target.vs_limit), (self.vs_peer, target.vs_peer))
        fast = all(aim is None or (ratio is not None and ratio >= aim) for ratio, aim in pairs)
        peaks = [self.more[name] for name in _PEAKS if name in self.more]
        small = target.most_mb is None or all(peak <= target.most_mb for peak in peaks)
        return fast and small and (target.at_most is None or self.value <= target.at_most)

    def as_json(self) -> dict[str, Any]:
        """The row as the file holds it: the fields, what more there is, and the target."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "more"}
        target = TARGETS.get(self.name)
        aims = (
            {}
            if target is None
            else {
                "target": {name: aim for name, aim in msgspec.structs.asdict(target).items() if aim is not None},
                "met": self.is_met,
            }
        )
        measured_at = datetime.now(UTC).isoformat(timespec="seconds")
        return _rounded({**fields, **self.more, **aims, "measured_at": measured_at})


def spread_of(values: Sequence[float]) -> float:
    """(largest - smallest) / median."""
    return (max(values) - min(values)) / statistics.median(values)


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Four significant digits say all that a measurement knows."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in fields.items()}


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Put the rows into the file at `path`; what was not measured this time stays there as it was."""
    path.parent.mkdir(exist_ok=True)
    kept: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes()) if path.exists() else []
    by_name = {row["name"]: row for row in kept} | {row.name: row.as_json() for row in rows}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(sorted(by_name.values(), key=_name)), indent=2) + b"\n")


def _name(row: dict[str, Any]) -> str:
    return row["name"]


def print_rows(rows: Sequence[Row]) -> None:
    """The table."""
    table = Table("name", "value", "spread", "vs limit", "vs peer", "target", "more")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.value:,.4g} {row.unit}",
            "" if row.spread is None else f"{row.spread:.0%}",
            _ratio(row.vs_limit),
            _ratio(row.vs_peer),
            {None: "", True: "met", False: "MISSED"}[row.is_met],
            "  ".join(f"{name} {_short(value)}" for name, value in row.more.items()),
        )
    Console(width=None if Console().is_terminal else 180).print(table)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _short(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
