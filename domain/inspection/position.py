"""位置 Where a check-in happened: datums, distances, fences, the verdict on a fix (one-code, Check-in).

All longitudes and latitudes are in degrees, all distances in metres. Nothing here blocks a check-in: a flag
asks for a reason and shows 位置待核.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import asin, atan2, cos, hypot, isfinite, pi, radians, sin, sqrt
from typing import Final

import msgspec

_EARTH_RADIUS_M: Final = 6_371_008.8  # the mean radius (IUGG)
_METRES_PER_DEGREE: Final = _EARTH_RADIUS_M * pi / 180

# The public GCJ-02 offset is defined on the Krasovsky 1940 ellipsoid.
_KRASOVSKY_AXIS_M: Final = 6_378_245.0
_KRASOVSKY_ECCENTRICITY2: Final = 0.00669342162296594323
# BD-09 is GCJ-02 turned and shifted once more.
_BD09_TURN: Final = pi * 3000 / 180
_BD09_SHIFT_LONGITUDE: Final = 0.0065
_BD09_SHIFT_LATITUDE: Final = 0.006

_INVERSION_ROUNDS: Final = 8
_INVERSION_ERROR_DEGREES: Final = 1e-9  # 0.1 mm
_RING_VERTICES: Final = 3


class InvalidPosition(ValueError):
    """A position that cannot be on Earth; `field` names what is wrong."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(f"{field} cannot be {value!r}")
        self.field = field


class Datum(StrEnum):
    """坐标系 The system a longitude and latitude are given in; GCJ-02 is some 600 m off, BD-09 still more."""

    WGS84 = "wgs84"
    """Browsers and satellites."""
    GCJ02 = "gcj02"
    """WeChat and most Chinese software (国测局坐标)."""
    BD09 = "bd09"
    """Baidu (百度坐标)."""


class Coordinates(msgspec.Struct, frozen=True):
    """坐标 A point in degrees, WGS-84 unless said otherwise. Raises `InvalidPosition` when out of range."""

    longitude: float
    latitude: float

    def __post_init__(self) -> None:
        _require("longitude", self.longitude, -180, 180)
        _require("latitude", self.latitude, -90, 90)


class CircleFence(msgspec.Struct, frozen=True, tag="circle"):
    """圆形围栏 A site's centre (WGS-84) and its radius, else `InvalidPosition`, positive."""

    centre: Coordinates
    radius_m: float

    def __post_init__(self) -> None:
        if not (isfinite(self.radius_m) and self.radius_m > 0):
            raise InvalidPosition("radius_m", self.radius_m)


class PolygonFence(msgspec.Struct, frozen=True, tag="polygon"):
    """多边形围栏 A site's outline (WGS-84), closed or not. Raises `InvalidPosition` below three vertices."""

    ring: tuple[Coordinates, ...]

    def __post_init__(self) -> None:
        if len(set(self.ring)) < _RING_VERTICES:
            raise InvalidPosition("ring", self.ring)


Fence = CircleFence | PolygonFence


class PositionFix(msgspec.Struct, frozen=True):
    """定位 What a phone reported, with its accuracy (the radius of 68 % confidence) and instant.

    Raises `InvalidPosition` for values out of range and for an instant without a time zone.
    """

    longitude: float
    latitude: float
    accuracy_m: float
    fixed_at: datetime
    datum: Datum

    def __post_init__(self) -> None:
        _require("longitude", self.longitude, -180, 180)
        _require("latitude", self.latitude, -90, 90)
        _require("accuracy_m", self.accuracy_m, 0, float("inf"))
        if self.fixed_at.tzinfo is None:
            raise InvalidPosition("fixed_at", self.fixed_at)


class PositionPolicy(msgspec.Struct, frozen=True):
    """How much is asked of a fix: accuracy in metres, age and clock error in seconds."""

    max_accuracy_m: float = 200
    max_age_s: float = 120
    max_ahead_s: float = 60


class PositionFlag(StrEnum):
    """位置待核 A doubt about a position; each asks for a reason."""

    UNKNOWN = "unknown"
    NO_FENCE = "no_fence"
    OUTSIDE = "outside"
    STALE = "stale"
    INACCURATE = "inaccurate"
    FROM_THE_FUTURE = "from_the_future"


class PositionVerdict(msgspec.Struct, frozen=True):
    """The judged position: WGS-84, metres outside the fence (0 inside, None when not measurable), doubts."""

    coordinates: Coordinates | None
    distance_outside_m: float | None
    flags: tuple[PositionFlag, ...]

    @property
    def needs_reason(self) -> bool:
        """Whether the officer is asked why; any doubt does."""
        return bool(self.flags)


def judge_position(
    fix: PositionFix | None, fence: Fence | None, judged_at: datetime, policy: PositionPolicy
) -> PositionVerdict:
    """Judge a fix against a site's fence.

    `judged_at` is the instant of the check-in itself, also when it arrives days later from a phone without a
    network; else every such fix would be stale. Accuracy gives the benefit of the doubt, no further than the
    policy's: a fix is outside only when even the nearest point of its circle is.
    """
    no_fence = fence is None
    if fix is None:
        doubts = {PositionFlag.UNKNOWN: True, PositionFlag.NO_FENCE: no_fence}
        return PositionVerdict(None, None, _raised(doubts))
    coordinates = to_wgs84(Coordinates(fix.longitude, fix.latitude), fix.datum)
    distance = None if fence is None else distance_outside_m(fence, coordinates)
    doubt_m = min(fix.accuracy_m, policy.max_accuracy_m)
    age = judged_at - fix.fixed_at
    flags = _raised(
        {
            PositionFlag.NO_FENCE: no_fence,
            PositionFlag.OUTSIDE: distance is not None and distance > doubt_m,
            PositionFlag.STALE: age > timedelta(seconds=policy.max_age_s),
            PositionFlag.INACCURATE: fix.accuracy_m > policy.max_accuracy_m,
            PositionFlag.FROM_THE_FUTURE: -age > timedelta(seconds=policy.max_ahead_s),
        }
    )
    return PositionVerdict(coordinates, distance, flags)


def distance_m(a: Coordinates, b: Coordinates) -> float:
    """Metres between two points along the great circle (haversine); within 0.5 % of the ellipsoid's."""
    half_latitude = radians(b.latitude - a.latitude) / 2
    half_longitude = radians(b.longitude - a.longitude) / 2
    across = cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(half_longitude) ** 2
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(sin(half_latitude) ** 2 + across)))


def distance_outside_m(fence: Fence, point: Coordinates) -> float:
    """Metres from a point to a fence, 0 on or inside it; both in WGS-84."""
    if isinstance(fence, CircleFence):
        return max(0.0, distance_m(fence.centre, point) - fence.radius_m)
    ring = [_metres_from(point, vertex) for vertex in (*fence.ring, fence.ring[0])]
    edges = list(pairwise(ring))
    return 0.0 if _encloses_origin(edges) else min(_origin_to_edge(start, end) for start, end in edges)


def to_wgs84(coordinates: Coordinates, datum: Datum) -> Coordinates:
    """The WGS-84 point behind one given in `datum`, to within millimetres; abroad unchanged."""
    if datum is Datum.WGS84 or not _in_china(coordinates):
        return coordinates
    if datum is Datum.BD09:
        coordinates = _inverse(_gcj02_to_bd09, coordinates)
    return _inverse(_wgs84_to_gcj02, coordinates)


def from_wgs84(coordinates: Coordinates, datum: Datum) -> Coordinates:
    """A WGS-84 point as `datum` gives it, for Chinese map software; abroad unchanged."""
    if datum is Datum.WGS84 or not _in_china(coordinates):
        return coordinates
    shifted = _wgs84_to_gcj02(coordinates)
    return _gcj02_to_bd09(shifted) if datum is Datum.BD09 else shifted


def _require(field: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise InvalidPosition(field, value)


def _raised(doubts: dict[PositionFlag, bool]) -> tuple[PositionFlag, ...]:
    return tuple(flag for flag, holds in doubts.items() if holds)


def _in_china(point: Coordinates) -> bool:
    """The rectangle within which the public formula shifts; like map software it reaches over the borders."""
    return 72.004 <= point.longitude <= 137.8347 and 0.8293 <= point.latitude <= 55.8271  # noqa: PLR2004


def _inverse(forward: Callable[[Coordinates], Coordinates], target: Coordinates) -> Coordinates:
    """The point that `forward` takes to `target`; the offset changes slowly: a round gains three digits."""
    guess = target
    for _ in range(_INVERSION_ROUNDS):
        reached = forward(guess)
        longitude_error = target.longitude - reached.longitude
        latitude_error = target.latitude - reached.latitude
        guess = Coordinates(guess.longitude + longitude_error, guess.latitude + latitude_error)
        if max(abs(longitude_error), abs(latitude_error)) < _INVERSION_ERROR_DEGREES:
            break
    return guess


def _wgs84_to_gcj02(point: Coordinates) -> Coordinates:
    x, y = point.longitude - 105, point.latitude - 35
    latitude = radians(point.latitude)
    flattening = 1 - _KRASOVSKY_ECCENTRICITY2 * sin(latitude) ** 2
    meridian_m = _KRASOVSKY_AXIS_M * (1 - _KRASOVSKY_ECCENTRICITY2) / flattening**1.5
    parallel_m = _KRASOVSKY_AXIS_M / sqrt(flattening) * cos(latitude)
    return Coordinates(
        point.longitude + _east_offset_m(x, y) / radians(parallel_m),
        point.latitude + _north_offset_m(x, y) / radians(meridian_m),
    )


def _east_offset_m(x: float, y: float) -> float:
    smooth = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    return smooth + _ripple(x) + _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))


def _north_offset_m(x: float, y: float) -> float:
    smooth = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    return smooth + _ripple(x) + _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))


def _ripple(x: float) -> float:
    return _waves(x, (20, 6), (20, 2))


def _waves(position: float, *waves: tuple[float, float]) -> float:
    return sum(2 / 3 * amplitude * sin(position * pi * frequency) for amplitude, frequency in waves)


def _gcj02_to_bd09(point: Coordinates) -> Coordinates:
    x, y = point.longitude, point.latitude
    reach = hypot(x, y) + 0.00002 * sin(y * _BD09_TURN)
    angle = atan2(y, x) + 0.000003 * cos(x * _BD09_TURN)
    return Coordinates(reach * cos(angle) + _BD09_SHIFT_LONGITUDE, reach * sin(angle) + _BD09_SHIFT_LATITUDE)


def _metres_from(origin: Coordinates, point: Coordinates) -> tuple[float, float]:
    """East and north of `origin` on a local equirectangular map, which is true near a site."""
    east = (point.longitude - origin.longitude) * _METRES_PER_DEGREE * cos(radians(origin.latitude))
    return east, (point.latitude - origin.latitude) * _METRES_PER_DEGREE


def _encloses_origin(edges: Iterable[tuple[tuple[float, float], tuple[float, float]]]) -> bool:
    """The even-odd rule: a ray to the east crosses the ring an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in edges:
        if (y1 > 0) != (y2 > 0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0:
            inside = not inside
    return inside


def _origin_to_edge(start: tuple[float, float], end: tuple[float, float]) -> float:
    (x1, y1), (x2, y2) = start, end
    dx, dy = x2 - x1, y2 - y1
    length2 = dx * dx + dy * dy
    along = min(1.0, max(0.0, -(x1 * dx + y1 * dy) / length2)) if length2 else 0.0
    return hypot(x1 + along * dx, y1 + along * dy)
