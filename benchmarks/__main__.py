"""`python -m benchmarks`: every figure in one go, bounded in count and time, on a database made for the run."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.alone import (
    measure_code_batch,
    measure_deliveries,
    measure_digests,
    measure_dispatch,
    measure_dump,
    measure_import,
    measure_live,
    measure_posters,
    measure_relay,
)
from benchmarks.answers import NAME as ANSWER
from benchmarks.answers import measure_answers
from benchmarks.apart import MeasurementFailed
from benchmarks.check_ins import NAME as CHECK_IN
from benchmarks.check_ins import measure_check_ins
from benchmarks.complaints import NAME as COMPLAINT
from benchmarks.complaints import measure_complaints
from benchmarks.packages import NAME as PACKAGE
from benchmarks.packages import measure_packages
from benchmarks.proof import StatementsDiffer
from benchmarks.record_pdf import NAME as RECORD
from benchmarks.record_pdf import measure_record
from benchmarks.results import RESULTS, Row, print_rows, write_rows
from benchmarks.scans import SUBJECTS, measure_headroom, measure_scans
from benchmarks.searches import NAME as SEARCH
from benchmarks.searches import measure_searches
from benchmarks.stage import FULL, QUICK, Stage, open_stage
from benchmarks.uploads import NAME as EVIDENCE
from benchmarks.uploads import measure_uploads

_SINGLE: Mapping[str, Callable[[Stage], Row]] = {
    CHECK_IN: measure_check_ins,
    ANSWER: measure_answers,
    EVIDENCE: measure_uploads,
    PACKAGE: measure_packages,
    SEARCH: measure_searches,
    COMPLAINT: measure_complaints,
    RECORD: measure_record,
    "posters": measure_posters,
    "dump.results": measure_dump,
    "relay.lag.p99": measure_relay,
    "deliveries": measure_deliveries,
    "live.fanout.p99": measure_live,
    "assigned.dispatch": measure_dispatch,
    "subscription.digests": measure_digests,
    "code.batch": measure_code_batch,
    "import.enterprises": measure_import,
}
NAMES = (*SUBJECTS, *_SINGLE)


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small database and short rounds; results/quick.json")
    parser.add_argument("--only", action="append", choices=NAMES, help="this figure only; may be given repeatedly")
    parser.add_argument("--profile", action="store_true", help="profile Yima also where the target is met")
    return parser.parse_args()


def _measure(stage: Stage, names: Sequence[str]) -> tuple[list[Row], list[str]]:
    """The rows, and in plain words what could not be measured; one failure does not cost the other figures."""
    scans = [name for name in SUBJECTS if name in names]
    groups: dict[str, Callable[[], list[Row]]] = {}
    if scans:
        groups[", ".join(scans)] = partial(measure_scans, stage, scans)
    for name, act in _SINGLE.items():
        if name in names:
            groups[name] = partial(_single, act, stage)
    rows: list[Row] = []
    failures: list[str] = []
    for title, measure in groups.items():
        print(f"\n{title}", flush=True)
        try:
            rows += measure()
        except (MeasurementFailed, StatementsDiffer) as failure:
            failures.append(f"{title}: {type(failure).__name__}\n{failure}")
    return rows, failures


def _single(act: Callable[[Stage], Row], stage: Stage) -> list[Row]:
    return [act(stage)]


def _print_headroom(stage: Stage, rows: Sequence[Row]) -> None:
    """The load must be able to do much more than it is asked for, else it would be what is measured."""
    fastest = max((row.more.get("limit", 0.0) for row in rows if row.unit == "requests/s"), default=0.0)
    if fastest:
        print(f"that is {measure_headroom(stage) / fastest:.1f} x the fastest limit")


def main() -> None:
    """Measure, write the results, print the table; exit 1 when something could not be measured."""
    options = _read_options()
    names: Sequence[str] = options.only or NAMES
    began = time.monotonic()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load on 127.0.0.1 only")
    with open_stage(QUICK if options.quick else FULL) as stage:
        stage.profiles = options.profile
        rows, failures = _measure(stage, names)
        _print_headroom(stage, rows)
    path = RESULTS / ("quick.json" if options.quick else "latest.json")
    write_rows(rows, path)
    print_rows(rows)
    print(f"{path} written; {time.monotonic() - began:.0f} s")
    for failure in failures:
        print(f"NOT MEASURED {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
