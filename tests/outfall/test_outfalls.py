"""Outfalls against zones and water.

water: y 0..20           zone 1: x 0..100, y -50..70      zone 2: x 0..400, y -200..220
"""

from __future__ import annotations

import numpy as np
import pytest

from rivergis.outfall import check
from tests import tiny

ZONES = tiny.metric([tiny.box(0, -200, 400, 420), tiny.box(0, -50, 100, 120)], zone_class=[2, 1])
WATER = tiny.metric([tiny.box(-1000, 0, 3000, 20)])
REACH = tiny.reaches(tiny.line((-1000, 10), (2000, 10)), half_width_m=10)


def test_the_highest_class_speaks_and_says_how_far_inside() -> None:
    points = tiny.metric([tiny.point(50, 40), tiny.point(300, 40), tiny.point(900, 40), tiny.point(0, 40)])
    hits = check.in_zones(points, ZONES)
    assert list(zip(hits["outfall"], hits["zone_class"], strict=True)) == [(0, 1), (1, 2), (3, 1)]
    assert hits["depth_m"].iloc[0] == pytest.approx(30.0)
    assert hits["depth_m"].iloc[2] == 0.0, "on the edge counts as inside"


def test_no_zones_no_hits() -> None:
    assert check.in_zones(tiny.metric([tiny.point(0, 0)]), ZONES.iloc[:0]).empty


@pytest.mark.parametrize(("x", "y", "metres"), [(50, 10, 0.0), (50, 45, 25.0), (50, -130, 130.0)])
def test_distance_to_water(x: float, y: float, metres: float) -> None:
    at = tiny.metric([tiny.point(x, y)])
    assert check.distance_to_water_m(at, REACH.iloc[:0], WATER)[0] == pytest.approx(metres)
    assert check.distance_to_water_m(at, REACH, WATER.iloc[:0])[0] == pytest.approx(metres), "line less its half width"


def test_without_water_the_distance_is_not_a_number_of_metres() -> None:
    assert np.isinf(check.distance_to_water_m(tiny.metric([tiny.point(0, 0)]), REACH.iloc[:0], WATER.iloc[:0])[0])
