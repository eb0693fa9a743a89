"""Check-in positions: datums, distances, fences and doubts."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inspection.position import (
    CircleFence,
    Coordinates,
    Datum,
    Fence,
    InvalidPosition,
    PolygonFence,
    PositionFix,
    PositionFlag,
    PositionPolicy,
    distance_m,
    distance_outside_m,
    from_wgs84,
    judge_position,
    to_wgs84,
)

NOW = datetime(2026, 8, 1, 1, 30, tzinfo=UTC)
NANNING = Coordinates(108.366, 22.817)
POLICY = PositionPolicy()
METRES_PER_DEGREE_NORTH = 111_195.08
CIRCLE = CircleFence(NANNING, 100)

few = settings(max_examples=60, deadline=None)
in_china = st.builds(Coordinates, st.floats(75, 133), st.floats(5, 53))


def north_of(point: Coordinates, metres: float) -> Coordinates:
    return Coordinates(point.longitude, point.latitude + metres / METRES_PER_DEGREE_NORTH)


def fix(
    at: Coordinates = NANNING,
    *,
    accuracy_m: float = 15,
    age: timedelta = timedelta(seconds=5),
    datum: Datum = Datum.WGS84,
) -> PositionFix:
    return PositionFix(at.longitude, at.latitude, accuracy_m, NOW - age, datum)


def flags(given_fix: PositionFix | None, fence: Fence | None = CIRCLE) -> tuple[PositionFlag, ...]:
    return judge_position(given_fix, fence, NOW, POLICY).flags


# Datums


@few
@given(in_china, st.sampled_from(Datum))
def test_a_point_survives_the_way_to_another_datum_and_back(point: Coordinates, datum: Datum) -> None:
    assert distance_m(to_wgs84(from_wgs84(point, datum), datum), point) < 0.01


def test_gcj02_agrees_with_the_published_example() -> None:
    # Tiananmen, from the reference values that the public implementations of the formula share.
    shifted = from_wgs84(Coordinates(116.404, 39.915), Datum.GCJ02)
    assert shifted.longitude == pytest.approx(116.41024449916938, abs=1e-9)
    assert shifted.latitude == pytest.approx(39.91640428150164, abs=1e-9)


def test_bd09_agrees_with_the_published_example() -> None:
    # 116.404, 39.915 in GCJ-02 is 116.41036949371029, 39.92133699351021 in BD-09.
    wgs84 = to_wgs84(Coordinates(116.404, 39.915), Datum.GCJ02)
    shifted = from_wgs84(wgs84, Datum.BD09)
    assert shifted.longitude == pytest.approx(116.41036949371029, abs=1e-7)
    assert shifted.latitude == pytest.approx(39.92133699351021, abs=1e-7)


def test_in_nanning_the_datums_lie_hundreds_of_metres_apart() -> None:
    assert 300 < distance_m(NANNING, from_wgs84(NANNING, Datum.GCJ02)) < 700
    assert 300 < distance_m(NANNING, from_wgs84(NANNING, Datum.BD09)) < 2000


@pytest.mark.parametrize("datum", Datum)
def test_abroad_nothing_is_shifted(datum: Datum) -> None:
    london = Coordinates(-0.1276, 51.5072)
    assert to_wgs84(london, datum) == london
    assert from_wgs84(london, datum) == london


# Distances and fences


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m(Coordinates(108, 22), Coordinates(108, 23)) == pytest.approx(METRES_PER_DEGREE_NORTH, rel=1e-6)
    assert distance_m(Coordinates(0, 0), Coordinates(180, 0)) == pytest.approx(20_015_115, rel=1e-6)


@few
@given(in_china, in_china)
def test_a_distance_is_the_same_both_ways(a: Coordinates, b: Coordinates) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a))
    assert distance_m(a, a) == 0


@pytest.mark.parametrize(("metres", "outside"), [(0, 0), (99, 0), (101, 1), (350, 250)])
def test_a_circle_is_left_at_its_radius(metres: float, outside: float) -> None:
    assert distance_outside_m(CIRCLE, north_of(NANNING, metres)) == pytest.approx(outside, abs=0.01)


# A yard shaped like an L, 0.002 degrees a side, with the north-eastern quarter missing.
L_SHAPED = PolygonFence(
    tuple(
        Coordinates(108.366 + x / 1000, 22.817 + y / 1000) for x, y in [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
    )
)


def in_yard(x: float, y: float) -> Coordinates:
    return Coordinates(108.366 + x / 1000, 22.817 + y / 1000)


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (1.5, 0.999)])
def test_a_point_within_a_polygon_is_not_outside(x: float, y: float) -> None:
    assert distance_outside_m(L_SHAPED, in_yard(x, y)) == 0


@pytest.mark.parametrize(
    ("x", "y", "nearest"),
    [
        (
            1.5,
            1.5,
            (1, 1.5),
        ),  # in the missing quarter: the wall to the west is nearer, a degree of longitude being shorter
        (3, 0.5, (2, 0.5)),
        (0.5, -1, (0.5, 0)),
        (-1, 0.5, (0, 0.5)),  # a ray to the east crosses two walls
        (3, -1, (2, 0)),
        (-1, 3, (0, 2)),
    ],
)
def test_a_point_outside_a_polygon_is_measured_to_the_nearest_edge(
    x: float, y: float, nearest: tuple[float, float]
) -> None:
    measured = distance_outside_m(L_SHAPED, in_yard(x, y))
    assert measured == pytest.approx(distance_m(in_yard(x, y), in_yard(*nearest)), rel=1e-4)


def test_a_closed_ring_means_the_same_as_an_open_one() -> None:
    closed = PolygonFence((*L_SHAPED.ring, L_SHAPED.ring[0]))
    for x, y in [(0.5, 0.5), (1.5, 1.5), (3, -1)]:
        assert distance_outside_m(closed, in_yard(x, y)) == distance_outside_m(L_SHAPED, in_yard(x, y))


def test_a_fence_keeps_its_kind_in_json() -> None:
    for fence in (CIRCLE, L_SHAPED):
        stored = msgspec.json.encode(fence)
        assert msgspec.json.decode(stored, type=CircleFence | PolygonFence) == fence


# Verdicts


def test_a_fresh_exact_fix_within_the_fence_needs_no_reason() -> None:
    verdict = judge_position(fix(), CIRCLE, NOW, POLICY)
    assert (verdict.coordinates, verdict.distance_outside_m, verdict.flags) == (NANNING, 0, ())
    assert not verdict.needs_reason


def test_without_a_fix_the_position_is_unknown() -> None:
    verdict = judge_position(None, CIRCLE, NOW, POLICY)
    assert (verdict.coordinates, verdict.distance_outside_m) == (None, None)
    assert verdict.flags == (PositionFlag.UNKNOWN,)
    assert verdict.needs_reason


def test_a_site_without_coordinates_cannot_be_measured_but_the_position_is_kept() -> None:
    verdict = judge_position(fix(), None, NOW, POLICY)
    assert (verdict.coordinates, verdict.distance_outside_m) == (NANNING, None)
    assert verdict.flags == (PositionFlag.NO_FENCE,)
    assert flags(None, None) == (PositionFlag.UNKNOWN, PositionFlag.NO_FENCE)


def test_accuracy_gives_the_benefit_of_the_doubt() -> None:
    fifty_outside = north_of(NANNING, 150)
    assert flags(fix(fifty_outside, accuracy_m=51)) == ()
    assert flags(fix(fifty_outside, accuracy_m=49)) == (PositionFlag.OUTSIDE,)


def test_a_hopeless_accuracy_excuses_no_distance() -> None:
    assert flags(fix(north_of(NANNING, 350), accuracy_m=5000)) == (
        PositionFlag.OUTSIDE,
        PositionFlag.INACCURATE,
    )
    assert flags(fix(north_of(NANNING, 250), accuracy_m=5000)) == (PositionFlag.INACCURATE,)
    assert flags(fix(accuracy_m=200)) == ()


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (120, ()),
        (121, (PositionFlag.STALE,)),
        (-60, ()),
        (-61, (PositionFlag.FROM_THE_FUTURE,)),
    ],
)
def test_a_fix_must_be_of_the_moment(age_s: int, expected: tuple[PositionFlag, ...]) -> None:
    assert flags(fix(age=timedelta(seconds=age_s))) == expected


def test_a_fix_from_wechat_is_converted_before_it_is_measured() -> None:
    from_wechat = from_wgs84(NANNING, Datum.GCJ02)
    assert flags(fix(from_wechat, datum=Datum.GCJ02)) == ()
    assert flags(fix(from_wechat, datum=Datum.WGS84)) == (PositionFlag.OUTSIDE,)


def test_all_doubts_are_named_at_once() -> None:
    far = fix(north_of(NANNING, 900), accuracy_m=300, age=timedelta(hours=1))
    assert flags(far) == (PositionFlag.OUTSIDE, PositionFlag.STALE, PositionFlag.INACCURATE)


# What cannot be


@pytest.mark.parametrize(
    ("longitude", "latitude", "accuracy_m", "field"),
    [
        (180.1, 22, 1, "longitude"),
        (float("nan"), 22, 1, "longitude"),
        (108, -90.1, 1, "latitude"),
        (108, float("inf"), 1, "latitude"),
        (108, 22, -1, "accuracy_m"),
        (108, 22, float("inf"), "accuracy_m"),
    ],
)
def test_an_impossible_fix_names_the_field(longitude: float, latitude: float, accuracy_m: float, field: str) -> None:
    with pytest.raises(InvalidPosition) as refused:
        PositionFix(longitude, latitude, accuracy_m, NOW, Datum.WGS84)
    assert refused.value.field == field


def test_a_fix_without_a_time_zone_is_refused() -> None:
    with pytest.raises(InvalidPosition, match="fixed_at"):
        PositionFix(108, 22, 1, NOW.replace(tzinfo=None), Datum.WGS84)


def test_an_impossible_fence_is_refused() -> None:
    with pytest.raises(InvalidPosition, match="radius_m"):
        CircleFence(NANNING, 0)
    with pytest.raises(InvalidPosition, match="ring"):
        PolygonFence((NANNING, north_of(NANNING, 10), NANNING))
