"""Areas between two banks: however a bank is cut, turned or ordered, the ground between is the same; what does not join is said."""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.ground import bank_areas
from rivergis.errors import CrsRefused
from tests.boundary.test_diff_laws import METRIC, few

X = np.arange(9) * 50.0


def frame(rows: list[tuple[str, str, list[tuple[float, float]]]], crs: str = METRIC) -> gpd.GeoDataFrame:
    """Lines as (reach, bank, vertices)."""
    shapes = [shapely.LineString([(500_000 + x, 3_300_000 + y) for x, y in vertices]) for *_, vertices in rows]
    said = {"reach": [r[0] for r in rows], "bank": [r[1] for r in rows]}
    return gpd.GeoDataFrame(said, geometry=shapes, crs=crs)


@st.composite
def banks(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, float]:
    """Two ragged banks of one reach, each cut at some vertices, its pieces turned at will and told in any order."""
    rows: list[Any] = []
    rings = []
    for bank, sign in (("left", 1), ("右岸", -1)):
        y = sign * (30 + np.array(draw(st.lists(st.integers(0, 25), min_size=9, max_size=9))))
        points = list(zip(X.tolist(), y.tolist(), strict=True))
        rings.append(points)
        cuts = [0, *sorted(draw(st.sets(st.integers(1, 7), max_size=3))), 8]
        for a, b in itertools.pairwise(cuts):
            piece = points[a : b + 1]
            rows.append(("R1", bank, piece[::-1] if draw(st.booleans()) else piece))
    order = draw(st.permutations(range(len(rows))))
    return frame([rows[k] for k in order]), shapely.Polygon([*rings[0], *rings[1][::-1]]).area


@few
@given(banks())
def test_cut_turned_and_shuffled_banks_enclose_the_same_ground(told: tuple[gpd.GeoDataFrame, float]) -> None:
    lines, area = told
    found = bank_areas.between(lines, "reach", 1.0)
    assert found.open == {}
    assert found.areas["stretch"].tolist() == ["R1"]
    assert found.areas.geometry.area.sum() == pytest.approx(area)


@few
@given(banks(), st.floats(0.1, 40))
def test_a_gap_closes_up_to_the_snap_tolerance_and_is_open_beyond(
    told: tuple[gpd.GeoDataFrame, float], gap: float
) -> None:
    lines, _ = told
    left = lines[lines["bank"] == "left"]
    if len(left) < 2:
        return
    first = left.bounds["minx"].idxmin()
    lines.loc[first, "geometry"] = shapely.affinity.translate(lines.geometry[first], -gap, 0)
    found = bank_areas.between(lines, "reach", 20.0)
    assert (found.open == {}) == (gap <= 20.0)


def test_lines_that_cross_keep_both_lobes() -> None:
    found = bank_areas.between(
        frame([("R1", "L", [(0, 10), (100, -10)]), ("R1", "R", [(0, -10), (100, 10)])]), "reach", 1.0
    )
    assert found.areas.geometry.is_valid.all()
    assert found.areas.geometry.area.sum() == pytest.approx(1000)


def test_a_line_drawn_twice_counts_once() -> None:
    left = [(0, 10), (50, 10)], [(50, 10), (100, 10)], [(50, 10), (0, 10)]
    found = bank_areas.between(
        frame([*(("R1", "L", list(v)) for v in left), ("R1", "R", [(0, -10), (100, -10)])]), "reach", 1.0
    )
    assert found.open == {} and found.areas.geometry.area.sum() == pytest.approx(2000)


def test_a_missing_bank_and_each_reach_by_itself() -> None:
    rows = [
        ("R1", "L", [(0, 10), (100, 10)]),
        ("R1", "R", [(0, -10), (100, -10)]),
        ("R2", "左", [(100, 10), (200, 10)]),
    ]
    found = bank_areas.between(frame(rows), "reach", 1.0)
    assert found.areas["stretch"].tolist() == ["R1"] and "no right line" in found.open["R2"]
    with pytest.raises(CrsRefused):
        bank_areas.between(frame(rows).to_crs(4490), "reach", 1.0)
