"""Measurements without contestants: each runs in its own process and is told in its own unit."""

from __future__ import annotations

from benchmarks.apart import Figures, MeasurementFailed, measure_apart
from benchmarks.results import Row, spread_of
from benchmarks.stage import Stage

_MINUTES = 4 * 60.0


def measure_relay(stage: Stage) -> Row:
    """`relay.lag.p99`. Raises `MeasurementFailed` when a row is missing, doubled or out of order."""
    figures = _measure(stage, "relay_lag", rate=1000, seconds=stage.size.relay_seconds)
    if not figures.pop("without_gap"):
        raise MeasurementFailed(f"the relay left a gap: {figures}")
    windows: list[float] = figures.pop("p99_of_windows")
    return Row(
        name="relay.lag.p99",
        value=figures.pop("p99_ms"),
        unit="ms",
        spread=spread_of(windows),
        more={"gaps": 0, **figures},
    )


def measure_live(stage: Stage) -> Row:
    """`live.fanout.p99`. Raises `MeasurementFailed` when a screen missed an event, got one twice, or another's."""
    size = stage.size
    figures = _measure(stage, "live_fanout", leads=size.live_leads, seconds=size.live_seconds)
    wrong = figures.pop("wrong")
    if wrong:
        raise MeasurementFailed(f"screens did not get exactly their own: {wrong} {figures}")
    windows: list[float] = figures.pop("p99_of_windows")
    return Row(name="live.fanout.p99", value=figures.pop("p99_ms"), unit="ms", spread=spread_of(windows), more=figures)


def measure_deliveries(stage: Stage) -> Row:
    """`deliveries`: messages a second by one worker to a gateway that takes 5 ms, and by two beside it.

    Raises `MeasurementFailed` when one is lost or sent twice.
    """
    one, two = (_measure(stage, "deliveries", messages=stage.size.deliveries, workers=count) for count in (1, 2))
    if any(figures["lost"] or figures["doubled"] for figures in (one, two)):
        raise MeasurementFailed(f"messages were lost or doubled: {one} {two}")
    return Row(
        name="deliveries",
        value=one.pop("messages_per_second"),
        unit="messages/s",
        more={"two_workers": two["messages_per_second"], **one},
    )


def measure_code_batch(stage: Stage) -> Row:
    """`code.batch`: seconds for the codes of a city."""
    figures = _measure(stage, "code_batch", count=stage.size.codes)
    return Row(name="code.batch", value=figures.pop("seconds"), unit="s", more=figures)


def measure_import(stage: Stage) -> Row:
    """`import.enterprises`: rows a second of a CSV file, the first time; again and from a spreadsheet beside it."""
    figures = _measure(stage, "import_enterprises", rows=stage.size.import_rows)
    return Row(name="import.enterprises", value=figures.pop("csv_rows_per_second"), unit="rows/s", more=figures)


def measure_posters(stage: Stage) -> Row:
    """`posters`: A4 pages a second, in parts of 500."""
    figures = measure_apart("benchmarks.posters", within=_MINUTES, pages=stage.size.posters)
    return Row(name="posters", value=figures.pop("pages_per_second"), unit="pages/s", more=figures)


def measure_dispatch(stage: Stage) -> Row:
    """`assigned.dispatch`: objects a second that get one task, a quarter of all sites."""
    figures = _measure(stage, "assigned_dispatch", objects=stage.size.assigned)
    return Row(name="assigned.dispatch", value=figures.pop("objects_per_second"), unit="objects/s", more=figures)


def measure_digests(stage: Stage) -> Row:
    """`subscription.digests`: subscribers a second whose digests one worker makes of a day's news."""
    figures = _measure(stage, "subscription_digests", subscribers=stage.size.subscribers, entries=stage.size.news)
    return Row(
        name="subscription.digests", value=figures.pop("subscribers_per_second"), unit="subscribers/s", more=figures
    )


def measure_dump(stage: Stage) -> Row:
    """`dump.results`: published and withdrawn results a second, out of the database into the sealed file."""
    figures = _measure(stage, "dump_results", results=stage.size.dumped)
    return Row(name="dump.results", value=figures.pop("rows_per_second"), unit="rows/s", more=figures)


def _measure(stage: Stage, module: str, **given: object) -> Figures:
    return measure_apart(f"benchmarks.{module}", within=_MINUTES, dsn=stage.dsn, keys_folder=str(stage.keys), **given)
