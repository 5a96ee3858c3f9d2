"""Where a drawn line belongs: laws on a river that bends through two reaches, beside another river."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from rivergis.boundary.stake.placing import place
from rivergis.errors import InputError
from rivergis.river.chainage import Axis

UPPER = shapely.LineString([(106.0, 29.4), (106.005, 29.401), (106.01, 29.4)])
LOWER = shapely.LineString([(106.01, 29.4), (106.02, 29.402)])
OTHER = shapely.LineString([(106.0, 29.45), (106.02, 29.45)])
END_M = Axis(UPPER).length_m
BEND_M = END_M / 2


def reaches(own_chainage: bool = True) -> gpd.GeoDataFrame:
    rows = {
        "code": ["A-1", "A-2", "B-1"],
        "river_code": ["A", "A", "B"],
        "from_m": [0.0, END_M, 0.0] if own_chainage else [None, None, None],
    }
    return gpd.GeoDataFrame(rows, geometry=[UPPER, LOWER, OTHER], crs="EPSG:4490").rename_geometry("geom")


def beside(at_m: float, to_m: float, offset_m: float) -> shapely.LineString:
    """A line beside the upper reach, left positive."""
    axis = Axis(UPPER)
    return shapely.LineString(axis.points_at(np.linspace(at_m, to_m, 12), offset_m).tolist())


stretches = st.tuples(st.floats(20, 420), st.floats(60, 120)).map(lambda t: (t[0], t[0] + t[1]))
offsets = st.one_of(st.floats(15, 60), st.floats(-60, -15))


@given(stretches, offsets, st.booleans())
def test_bank_chainage_and_direction_are_those_it_was_drawn_with(stretch: Any, offset: float, turned: bool) -> None:
    assume(all(abs(at - BEND_M) > 20 for at in stretch))  # inside a bend a place has the chainage of either leg
    line = beside(*stretch, offset)
    told = place(line.reverse() if turned else line, reaches())
    assert (told.river_code, told.reach_code) == ("A", "A-1")
    assert told.bank == ("left" if offset > 0 else "right")
    assert told.upstream is turned
    assert told.from_m == pytest.approx(stretch[0], abs=1.0) and told.to_m == pytest.approx(stretch[1], abs=1.0)


def test_a_line_past_the_end_of_a_reach_is_measured_along_the_river() -> None:
    line = shapely.LineString([(106.007, 29.4015), (106.013, 29.4015)])
    told = place(line, reaches())
    assert told.reach_code is None and told.from_m < END_M < told.to_m
    alone = place(line, reaches(own_chainage=False))
    assert alone.reach_code in ("A-1", "A-2") and alone.from_m >= 0


def test_what_is_said_of_it_counts() -> None:
    line = shapely.LineString([(106.007, 29.4015), (106.009, 29.4015)])
    assert place(line, reaches(), river_code="B").river_code == "B"
    assert place(line, reaches(), reach_code="A-2").reach_code == "A-2"
    with pytest.raises(InputError, match="No reach Z"):
        place(line, reaches(), reach_code="Z")
    with pytest.raises(InputError, match="No reach"):
        place(line, reaches().head(0))
