r"""Legs on the rivers of today, also those measured on a reach as it was digitised before.

old reach   ------------------------->          2 km, drawn coarsely
new axis    -----__---__---__-------->-----     redrawn with bends, and 500 m longer at its mouth
elsewhere                    .  .  .  .         an axis that has moved away: nothing of the old one lies on it
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import crs
from rivergis.patrol import period_lines

DEGREE_M = float(crs.length_m(np.array([shapely.LineString([(106.0, 29.4), (106.001, 29.4)])]))[0]) * 1000
OLD = shapely.LineString([(106.0, 29.4), (106.02, 29.4)])
LENGTH = float(crs.length_m(np.array([OLD]))[0])
BENDS = shapely.LineString([(106.0 + 0.025 * i / 50, 29.4 + 0.00003 * (i % 2)) for i in range(51)])
FAR = shapely.LineString([(106.0, 29.5), (106.02, 29.5)])


def legs(*spans: tuple[float, float], **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(list(spans), columns=["from_m", "to_m"])
    given_ = {
        "reach_id": "h",
        "reach_version": 1,
        "river_id": "R",
        "length_m": LENGTH,
        "reach_from_m": 0.0,
        "seen": True,
    }
    return frame.assign(**{**given_, "now_from_m": np.nan, "now_to_m": np.nan, **columns})


def lines(shape: shapely.LineString = OLD) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"reach_id": ["h"], "reach_version": [1]}, geometry=[shape], crs=4490).rename_geometry(
        "geom"
    )


def axes(shape: shapely.LineString, origin_m: float = 0.0) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"river_id": ["R"], "origin_m": [origin_m]}, geometry=[shape], crs=4490).rename_geometry(
        "geom"
    )


def placed(rows: pd.DataFrame, axis: shapely.LineString, origin_m: float = 0.0) -> period_lines.OnRivers:
    return period_lines.on_rivers(rows, lines(), axes(axis, origin_m), tolerance_m=20.0, reach_m=100.0)


@given(st.floats(0, LENGTH - 1), st.floats(1, LENGTH), st.floats(0, 9000), st.floats(0.9, 1.1))
def test_where_the_line_is_the_same_its_chainage_holds(a: float, b: float, start: float, scale: float) -> None:
    lo, hi = sorted((a, b))
    rows = legs((lo, hi), now_from_m=start, now_to_m=start + LENGTH * scale)
    told = placed(rows, OLD).stretches
    if hi > lo:
        assert told["from_m"].iloc[0] == pytest.approx(start + lo * scale)
        assert told["to_m"].iloc[0] == pytest.approx(start + hi * scale)


def test_a_redrawn_reach_is_matched_to_the_axis_of_today() -> None:
    told = placed(legs((200.0, 900.0), (900.0, 1800.0)), BENDS, origin_m=5000.0)
    assert told.lost.empty
    share = float(crs.length_m(np.array([BENDS]))[0]) / (0.025 * DEGREE_M)
    ends = told.stretches.groupby(told.stretches["from_m"] > 5800)[["from_m", "to_m"]].agg(["min", "max"])
    assert ends["from_m"]["min"].tolist() == pytest.approx([5000 + 200 * share, 5000 + 900 * share], abs=25)
    assert ends["to_m"]["max"].iloc[-1] == pytest.approx(5000 + 1800 * share, abs=25)


def test_what_has_no_place_today_is_told_apart() -> None:
    told = placed(legs((200.0, 900.0)), FAR)
    assert told.stretches.empty and told.lost[["from_m", "to_m"]].values.tolist() == [[200.0, 900.0]]
    gone = period_lines.on_rivers(
        legs((1.0, 2.0)), lines().iloc[:0], axes(OLD).iloc[:0], tolerance_m=20.0, reach_m=100.0
    )
    assert gone.stretches.empty and len(gone.lost) == 1


def test_a_side_arm_has_no_chainage_and_is_not_lost() -> None:
    told = placed(legs((200.0, 900.0), reach_from_m=np.nan), OLD)
    assert told.stretches.empty and told.lost.empty and len(told.off_axis) == 1


def test_every_metre_is_placed_lost_or_beside() -> None:
    shorter = shapely.LineString([(106.0, 29.4), (106.012, 29.4)])
    told = placed(legs((0.0, LENGTH)), shorter)
    on = (told.stretches["to_m"] - told.stretches["from_m"]).sum()
    off = (told.lost["to_m"] - told.lost["from_m"]).sum()
    assert on + off == pytest.approx(LENGTH, rel=0.02) and on == pytest.approx(0.012 * DEGREE_M, rel=0.05)
