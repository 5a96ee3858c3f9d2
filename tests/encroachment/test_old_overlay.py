"""What lies inside the line: drawn cases, and laws of the overlay.

y=200  +---------- management area A (announced) ----------+---- B (draft) ----+
       |  [in]        [slice]=|                            |                   |
y=0    +-------------------------------------------------- +-------------------+
       x=0                                              x=1000              x=1500
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.encroachment.old_overlay import Inside, overlay
from rivergis.errors import CrsRefused
from tests import tiny

AREAS = tiny.metric(
    [tiny.box(0, 0, 1000, 200), tiny.box(1000, 0, 500, 200)], basis=["announced", "draft"], xy_error_m=[0.5, 1.0]
)
NO_PERMITS = tiny.metric([], allows=[])
LIMITS = {"width_tolerance_m": 1.0, "min_area_m2": 10.0}


def judge(
    shape: shapely.Geometry,
    *,
    kind: str = "building",
    accuracy_m: float = 1.0,
    permits: gpd.GeoDataFrame = NO_PERMITS,
    areas: gpd.GeoDataFrame = AREAS,
) -> Inside:
    return overlay(tiny.metric([shape], kind=kind, accuracy_m=accuracy_m), areas, permits, **LIMITS)[0]


@pytest.mark.parametrize(
    ("label", "shape", "reason", "net_m2", "position"),
    [
        ("well inside", tiny.box(100, 50, 20, 30), None, 600.0, "inside"),
        ("half over the line", tiny.box(100, 190, 20, 20), None, 200.0, "inside"),
        ("within the error band of the line", tiny.box(100, 198.9, 40, 20), None, 44.0, "edge"),
        ("a 0.9 m strip however long", tiny.box(100, 199.1, 800, 20), "within_tolerance", 720.0, "edge"),
        ("a scrap of 9 m2", tiny.box(100, 197, 3, 50), "below_min_area", 9.0, "inside"),
        ("touches only", tiny.box(100, 200, 20, 20), "touches_only", None, "outside"),
        ("outside", tiny.box(100, 300, 20, 20), "outside", None, "outside"),
        ("over the seam of two areas counts once", tiny.box(990, 50, 20, 10), None, 200.0, "inside"),
    ],
)
def test_golden(label: str, shape: shapely.Geometry, reason: str | None, net_m2: float | None, position: str) -> None:
    got = judge(shape)
    assert got.reason == reason, label
    assert got.net_m2 == (None if net_m2 is None else pytest.approx(net_m2, abs=1e-6)), label
    assert got.position == position, label


def test_the_announced_line_speaks_before_the_draft() -> None:
    mostly_in_draft = judge(tiny.box(990, 50, 60, 10))
    assert AREAS["basis"].iloc[mostly_in_draft.area] == "announced"


def test_a_crossed_ring_keeps_both_lobes() -> None:
    bow = shapely.Polygon(tiny.shift([(100, 50), (120, 70), (120, 50), (100, 70)]))
    assert judge(bow).net_m2 == pytest.approx(200.0, abs=1e-6)


@pytest.mark.parametrize(
    ("label", "allows", "part", "reason", "net"),
    [
        ("whole object permitted", "building", (90, 40, 60, 60), "permitted", 0.0),
        ("half of it", "building", (100, 50, 10, 30), None, 300.0),
        ("a permit for another kind excuses nothing", "dump", (90, 40, 60, 60), None, 600.0),
        ("all but a strip thinner than the tolerance", "building", (100.5, 50, 60, 60), "permitted", 15.0),
    ],
)
def test_permits(
    label: str, allows: str, part: tuple[float, float, float, float], reason: str | None, net: float
) -> None:
    got = judge(tiny.box(100, 50, 20, 30), permits=tiny.metric([tiny.box(*part)], allows=[allows]))
    assert (got.reason, got.net_m2) == (reason, pytest.approx(net, abs=1e-6)), label


def test_overlapping_permits_are_not_subtracted_twice() -> None:
    permits = tiny.metric([tiny.box(100, 50, 12, 30), tiny.box(104, 50, 12, 30)], allows=["building", "building"])
    assert judge(tiny.box(100, 50, 20, 30), permits=permits).net_m2 == pytest.approx(120.0, abs=1e-6)


def test_a_point_report_is_told_without_an_area() -> None:
    got = judge(tiny.point(100, 100), accuracy_m=8.0)
    assert (got.reason, got.net_m2, got.position) == (None, None, "inside")
    assert judge(tiny.point(100, 195), accuracy_m=8.0).position == "edge"
    assert judge(tiny.point(100, 205), accuracy_m=8.0).reason == "outside"


def test_unknown_error_of_the_line_is_said() -> None:
    unknown = AREAS.assign(xy_error_m=np.nan)
    got = judge(tiny.box(100, 50, 20, 30), areas=unknown)
    assert (got.position, got.sigma_m, got.error_m2) == ("undecided", None, None)


def test_area_error_is_that_of_independent_vertices() -> None:
    # a 20 x 30 m rectangle: sigma/2 * sqrt(4 * (20^2 + 30^2)) = 36.06 m2 at 1 m
    assert judge(tiny.box(100, 50, 20, 30)).error_m2 == pytest.approx(np.sqrt(4 * 1300) / 2, abs=0.01)


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        overlay(
            tiny.degrees(tiny.metric([tiny.box(0, 0, 9, 9)], kind="building", accuracy_m=1.0)),
            AREAS,
            NO_PERMITS,
            **LIMITS,
        )


rectangles = st.builds(tiny.box, st.floats(-50, 1600), st.floats(-50, 250), st.floats(0.1, 120), st.floats(0.1, 120))


@settings(max_examples=60, deadline=None)
@given(st.lists(rectangles, min_size=1, max_size=12), st.randoms())
def test_laws(shapes: list[shapely.Polygon], random: object) -> None:
    """Net <= gross <= own area; every candidate is answered once; order changes nothing; an area of all equals the union."""
    frame = tiny.metric(shapes, kind="building", accuracy_m=1.0)
    got = overlay(frame, AREAS, NO_PERMITS, **LIMITS)
    assert [r.candidate for r in got] == list(range(len(shapes)))
    union = shapely.union_all(AREAS.geometry.values)
    for r, shape in zip(got, shapes, strict=True):
        assert (r.net_m2 or 0) <= r.gross_m2 + 1e-6 <= shape.area + 2e-6
        assert r.gross_m2 == pytest.approx(shapely.intersection(shape, union).area, abs=1e-6)
    order = list(range(len(shapes)))
    random.shuffle(order)  # type: ignore[attr-defined]
    mixed = overlay(
        frame.iloc[order].reset_index(drop=True), AREAS.iloc[::-1].reset_index(drop=True), NO_PERMITS, **LIMITS
    )
    for new, old in enumerate(order):
        assert (mixed[new].reason, mixed[new].position) == (got[old].reason, got[old].position)
        assert (mixed[new].net_m2 or 0) == pytest.approx(got[old].net_m2 or 0, abs=1e-6)
