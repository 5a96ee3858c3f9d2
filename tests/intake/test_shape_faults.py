"""Faults of shapes: each planted fault is found with its feature and place; honest shapes raise no alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.intake import shape_faults
from rivergis.intake.limits import Limits

SQUARE = shapely.box(0, 0, 10, 10)
BOW = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def look(*shapes: Any) -> dict[str, Any]:
    found = shape_faults.look(np.array(shapes, object), np.arange(100, 100 + len(shapes)))
    return {d.code: d for d in found}


@pytest.mark.parametrize(
    ("shape", "code", "severity", "place"),
    [
        (None, "geometry_missing", "warning", None),
        (shapely.Polygon(), "geometry_empty", "warning", None),
        (shapely.from_wkt("LINESTRING (0 0, nan 1)"), "coordinates_not_finite", "error", None),
        (shapely.Point(np.inf, 1), "coordinates_not_finite", "error", None),
        (shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 9)]), "self_crossing", "warning", "4.7"),
        (
            shapely.Polygon(SQUARE.exterior, [shapely.box(20, 20, 30, 30).exterior]),
            "rings_misplaced",
            "warning",
            ", 20",
        ),
        (shapely.LineString([(5, 6), (5, 6)]), "zero_length", "warning", "5, 6"),
        (shapely.Polygon([(0, 0), (5, 5), (9, 9)]), "zero_area", "warning", "0, 0"),
        (shapely.LineString([(0, 0), (5, 6), (5, 6), (9, 9)]), "repeated_vertices", "info", "5, 6"),
        (SQUARE, "duplicate_geometry", "info", "10, 0"),
    ],
)
def test_a_planted_fault_is_found_with_its_feature(shape: Any, code: str, severity: str, place: str | None) -> None:
    found = look(SQUARE, shapely.box(1, 1, 2, 3), shape)[code]
    assert (found.severity, found.features, found.count) == (severity, ("102",), 1)
    assert place is None or place in str(found.place)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(100, 120), st.floats(20, 40), st.floats(0.001, 1)),
        min_size=1,
        max_size=20,
        unique_by=lambda t: t[0],
    )
)
def test_honest_shapes_raise_no_alarm(places: list[tuple[float, float, float]]) -> None:
    areas = [shapely.box(x, y, x + d, y + d) for x, y, d in places]
    assert not [d for d in look(*areas).values() if d.severity != "info"]
    assert not [d for d in look(*(a.exterior for a in areas)).values() if d.severity != "info"]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([SQUARE, BOW, None, shapely.Polygon(), shapely.LineString([(1, 1), (1, 1)])]), max_size=30
    ),
    st.integers(1, 7),
)
def test_pieces_find_what_the_whole_finds(shapes: list[Any], size: int) -> None:
    ids = np.arange(len(shapes))
    pieces = shape_faults.Faults()
    for start in range(0, len(shapes), size):
        pieces.add(np.array(shapes[start : start + size], object), ids[start : start + size])
    assert pieces.defects() == shape_faults.look(np.array(shapes, object), ids)


def test_many_are_counted_and_the_first_named() -> None:
    found = look(*[BOW] * 50)["self_crossing"]
    assert (found.count, len(found.features), found.features[0]) == (50, 20, "100")


def test_more_vertices_than_allowed_and_mixed_kinds() -> None:
    line = shapely.LineString([(i, i % 7) for i in range(100)])
    found = {d.code: d for d in shape_faults.look(np.array([SQUARE, line]), [1, 2], Limits(vertices=50))}
    assert found["too_many_vertices"].features == ("2",)
    assert look(SQUARE, line)["mixed_geometry"].severity == "info"


def test_z_that_is_not_a_number_is_no_fault() -> None:
    assert not look(shapely.LineString([(0, 0, np.nan), (1, 1, np.nan)]))
