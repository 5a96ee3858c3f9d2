"""Laws of a redraw: what was, what comes and what goes make what is; nothing is counted twice and nothing is lost."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import overlay
from rivergis.errors import CrsRefused, UsageError

METRIC = "EPSG:4545"
TOLERANCE = 0.5
GRID_M = 1e-6  # of the checks: without a grid GEOS loses ground where slivers meet
few = settings(max_examples=40, deadline=None)


def frame(rows: list[tuple[str, shapely.Geometry]], crs: str = METRIC) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"river_code": [r for r, _ in rows]}, geometry=gpd.GeoSeries([g for _, g in rows], crs=crs), crs=crs
    )


@st.composite
def strips(draw: st.DrawFn) -> list[tuple[str, shapely.Geometry]]:
    """A few areas along two rivers, with ragged banks; reaches of a river overlap or leave gaps, rivers cross."""
    rows = []
    for river in ("A", "B"):
        for k in range(draw(st.integers(0, 3))):
            banks = draw(st.lists(st.integers(-8, 40), min_size=6, max_size=6))
            x = np.arange(6) * 20.0 + k * draw(st.integers(80, 110))
            low = -np.array(banks) * 1.03 - 10
            high = np.array(banks[::-1]) * 0.97 + 10
            ring = shapely.Polygon([*zip(x, low, strict=True), *zip(x[::-1], high[::-1], strict=True)])
            if river == "B":
                ring = shapely.affinity.rotate(ring, draw(st.integers(0, 90)), origin=(60, 0))
            rows.append((river, shapely.make_valid(ring)))
    return rows


def ground(rows: list[tuple[str, shapely.Geometry]], river: str | None = None) -> shapely.Geometry:
    return shapely.union_all([g for r, g in rows if river in (None, r)], grid_size=GRID_M)


@few
@given(strips(), strips())
def test_old_and_entering_without_leaving_is_new(
    old: list[tuple[str, shapely.Geometry]], new: list[tuple[str, shapely.Geometry]]
) -> None:
    redraw = diff.compare(frame(old), frame(new), TOLERANCE)
    for row in redraw.rivers.itertuples():
        assert row.old_m2 == pytest.approx(ground(old, row.river_code).area, abs=1e-3)
        assert row.new_m2 == pytest.approx(ground(new, row.river_code).area, abs=1e-3)
        assert row.old_m2 + row.entering_m2 - row.leaving_m2 == pytest.approx(row.new_m2, abs=1e-3)
        mine = redraw.pieces[redraw.pieces["river_code"] == row.river_code]
        comes, goes = (
            shapely.union_all(mine.loc[mine["change"] == change, "geom"].to_numpy(), grid_size=GRID_M)
            for change in ("entering", "leaving")
        )
        was, is_ = ground(old, row.river_code), ground(new, row.river_code)
        made = shapely.difference(shapely.union(was, comes, grid_size=GRID_M), goes, grid_size=GRID_M)
        assert shapely.symmetric_difference(made, is_, grid_size=GRID_M).area < 1e-3
        assert comes.area == pytest.approx(row.entering_m2, abs=1e-3)
        assert goes.area == pytest.approx(row.leaving_m2, abs=1e-3)


@few
@given(strips(), strips())
def test_of_all_rivers_together_ground_counts_once(
    old: list[tuple[str, shapely.Geometry]], new: list[tuple[str, shapely.Geometry]]
) -> None:
    total = diff.compare(frame(old), frame(new), TOLERANCE).total
    assert total["old_m2"] == pytest.approx(ground(old).area, abs=1e-3)
    assert total["new_m2"] == pytest.approx(ground(new).area, abs=1e-3)
    assert total["leaving_m2"] == pytest.approx(
        shapely.difference(ground(old), ground(new), grid_size=GRID_M).area, abs=1e-3
    )
    assert total["entering_m2"] == pytest.approx(
        shapely.difference(ground(new), ground(old), grid_size=GRID_M).area, abs=1e-3
    )


@few
@given(strips())
def test_the_same_ground_changes_nothing(rows: list[tuple[str, shapely.Geometry]]) -> None:
    redraw = diff.compare(frame(rows), frame(list(reversed(rows))), TOLERANCE)
    assert redraw.pieces.empty
    assert not diff.reductions(redraw)
    assert redraw.total["old_m2"] == pytest.approx(redraw.total["new_m2"], abs=1e-6)


@few
@given(strips(), strips())
def test_looked_at_the_other_way_round_what_enters_leaves(
    old: list[tuple[str, shapely.Geometry]], new: list[tuple[str, shapely.Geometry]]
) -> None:
    there, back = diff.compare(frame(old), frame(new), TOLERANCE), diff.compare(frame(new), frame(old), TOLERANCE)
    assert there.rivers["entering_m2"].to_numpy() == pytest.approx(back.rivers["leaving_m2"].to_numpy(), abs=1e-3)
    assert there.total["leaving_m2"] == pytest.approx(back.total["entering_m2"], abs=1e-3)


@few
@given(strips(), strips(), st.floats(0, 30))
def test_a_tolerance_moves_ground_to_noise_and_loses_none(
    old: list[tuple[str, shapely.Geometry]], new: list[tuple[str, shapely.Geometry]], tolerance_m: float
) -> None:
    told = [diff.compare(frame(old), frame(new), t) for t in (0.0, tolerance_m)]
    for change in ("entering_m2", "leaving_m2"):
        assert told[1].rivers[change].to_numpy() == pytest.approx(told[0].rivers[change].to_numpy(), abs=1e-3)
    assert not told[0].pieces["noise"].any()


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Geometry:
    return shapely.box(500_000 + x0, 3_300_000 + y0, 500_000 + x1, 3_300_000 + y1)


def test_a_step_beside_a_strip_of_noise_is_parted_from_it() -> None:
    """______________________________
    strip 0.3 m let go | 10 m deep |
    """
    old = box(0, 0, 1000, 50)
    new = old.difference(box(0, 49.7, 1000, 50)).difference(box(600, 40, 650, 50))
    redraw = diff.compare(frame([("A", old)]), frame([("A", new)]), TOLERANCE)
    (step,) = diff.reductions(redraw)
    assert step.m2 == pytest.approx(500, abs=1)
    assert step.geom.bounds[0] == pytest.approx(500_600, abs=1) and step.geom.bounds[2] == pytest.approx(500_650, abs=1)
    row = redraw.rivers.iloc[0]
    assert row["noise_out_m2"] == pytest.approx(950 * 0.3, abs=1)
    assert row["leaving_m2"] == pytest.approx(950 * 0.3 + 500, abs=1e-6)
    assert diff.one_sided(redraw, 0.8, 100) == ["A"]
    assert diff.one_sided(redraw, 0.8, 1000) == []


def test_ground_handed_to_another_river_is_no_reduction() -> None:
    old = [("A", box(0, 0, 100, 50)), ("B", box(100, 0, 200, 50))]
    new = [("A", box(0, 0, 80, 50)), ("B", box(80, 0, 190, 50))]
    redraw = diff.compare(frame(old), frame(new), TOLERANCE)
    assert [(r.river_code, round(r.m2)) for r in diff.reductions(redraw)] == [("B", 500)]
    a = redraw.rivers.set_index("river_code").loc["A"]
    assert (a["handed_over_m2"], a["leaving_m2"]) == (1000, 1000)
    assert redraw.total["leaving_m2"] == 500 and redraw.total["entering_m2"] == 0


def test_a_reduction_says_the_reason_of_the_new_line_beside_it() -> None:
    old = frame([("A", box(0, 0, 100, 50)), ("A", box(100, 0, 200, 50))])
    new = frame([("A", box(0, 0, 100, 40)), ("A", box(100, 0, 200, 50))]).assign(reason=["堤防改线", None])
    assert [r.reason for r in diff.reductions(diff.compare(old, new, TOLERANCE))] == ["堤防改线"]


def test_a_river_that_vanishes_leaves_whole() -> None:
    redraw = diff.compare(frame([("A", box(0, 0, 10, 10))]), frame([]), TOLERANCE)
    assert redraw.total == pytest.approx(
        {"old_m2": 100, "new_m2": 0, "entering_m2": 0, "entering_noise_m2": 0, "leaving_m2": 100, "leaving_noise_m2": 0}
    )


def test_degrees_and_two_systems_are_refused() -> None:
    here = frame([("A", box(0, 0, 10, 10))])
    with pytest.raises(CrsRefused):
        diff.compare(here.to_crs("EPSG:4490"), here, TOLERANCE)
    with pytest.raises(UsageError):
        diff.compare(here, here.to_crs("EPSG:4546"), TOLERANCE)


def test_needles_that_the_overlay_cannot_node_are_cut_all_the_same() -> None:
    needle = shapely.Polygon([(0, 0), (100, 0), (100, 1e-9), (0, 100), (100, 1e-9), (0, 1e-9)])
    cut = overlay.difference(
        np.array([needle, box(0, 0, 9, 9)], dtype=object), np.array([box(5, 0, 6, 9)] * 2, dtype=object)
    )
    assert cut[1].area == pytest.approx(72)
    assert overlay.union([needle, needle]).is_valid
