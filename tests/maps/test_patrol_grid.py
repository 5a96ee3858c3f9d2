"""Grid cells along rivers: their metres add up, and a cell is searched only when all of its banks were."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import UsageError
from rivergis.maps import patrol_grid


def stretches(*seen: bool) -> gpd.GeoDataFrame:
    """Both banks of a bending river, bank by bank in pieces of about 400 m, the first pieces seen or not."""
    x = np.linspace(106.0, 106.02, 6)
    shapes = [shapely.LineString([(a, 29.4), ((a + b) / 2, 29.4015), (b, 29.4)]) for a, b in itertools.pairwise(x)]
    lines = [*shapes, *shapes]
    told = [*seen, *([False] * (len(lines) - len(seen)))][: len(lines)]
    return gpd.GeoDataFrame(
        {"seen": told, "length_m": crs.length_m(np.array(lines, dtype=object)), "half_width_m": 10.0},
        geometry=lines,
        crs=4490,
    )


@settings(max_examples=25)
@given(st.lists(st.booleans(), max_size=10), st.sampled_from([100.0, 333.0, 500.0, 5000.0]))
def test_metres_of_cells_are_the_metres_of_banks(seen: list[bool], cell_m: float) -> None:
    lines = stretches(*seen)
    cells = patrol_grid.cells(lines, cell_m=cell_m, beyond_bank_m=100.0)
    assert cells["bank_m"].sum() == pytest.approx(lines["length_m"].sum(), rel=0.01)
    assert cells["seen_m"].sum() == pytest.approx(lines.loc[lines["seen"], "length_m"].sum(), rel=0.02, abs=2.0)
    assert (cells["share"].between(0, 1)).all() and cells["cell"].is_unique
    assert ((cells["cls"] == "searched") == (cells["bank_m"] - cells["seen_m"] < 1.0)).all()


def test_cells_do_not_overlap_and_keep_to_the_corridor() -> None:
    lines = stretches(True)
    cells = crs.to_metric(patrol_grid.cells(lines, cell_m=200.0, beyond_bank_m=60.0))
    whole = shapely.union_all(cells.geometry.values)
    assert whole.area == pytest.approx(cells.area.sum(), rel=1e-6)
    corridor = crs.to_metric(lines).buffer(72.0).union_all()
    assert corridor.contains(whole)


def test_one_bank_seen_is_partly() -> None:
    cells = patrol_grid.cells(stretches(*[True] * 5), cell_m=5000.0, beyond_bank_m=100.0)
    assert set(cells["cls"]) == {"partly"} and cells["share"].iloc[0] == pytest.approx(0.5, abs=0.01)
    everything = patrol_grid.cells(stretches(*[True] * 10), cell_m=300.0, beyond_bank_m=100.0)
    assert set(everything["cls"]) == {"searched"}


def test_no_rivers_no_cells_and_too_small_cells_are_refused() -> None:
    assert patrol_grid.cells(stretches().iloc[:0], cell_m=500.0, beyond_bank_m=100.0).empty
    with pytest.raises(UsageError, match="at least 50 m"):
        patrol_grid.cells(stretches(), cell_m=10.0, beyond_bank_m=100.0)
