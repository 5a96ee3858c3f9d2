"""From frames to marks: banks on their side, gaps as gaps, words as people read them, nothing from elsewhere."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from rivergis import crs, geometry
from rivergis.errors import CrsRefused, NotFound, UsageError
from rivergis.maps import marks, palette
from tests.maps import sketch


def test_a_layer_holds_only_what_was_given() -> None:
    drawn = marks.layer("reach", sketch.river(), palette.load())
    first, second = drawn["features"]
    assert [c["code"] for c in drawn["classes"]] == ["river", "ditch"]
    assert [c["count"] for c in drawn["classes"]] == [1, 1]
    assert (first["label"], first["river"], first["from_m"], first["to_m"]) == ("云溪河上段", "云溪河", 2000.0, 3500.0)
    assert first["popup"] == [["半宽 m", "half width, m", "25.5"]]
    assert second["popup"] == [["暗渠", "", "否"]]
    assert "text" not in second and "id" not in second


def test_small_areas_get_a_sign_inside_them() -> None:
    drawn = marks.layer("finding", sketch.findings(), palette.load())["features"]
    for feature, area in zip(drawn, sketch.findings().geometry, strict=True):
        assert area.contains(Point(feature["at"]))


def test_what_has_no_place_is_counted_not_drawn() -> None:
    frame = sketch.frame(Point(106, 29.4), None, Point(), label=["a", "b", "c"])
    drawn = marks.layer("outfall", frame, palette.load())
    assert (len(drawn["features"]), drawn["unplaced"]) == (1, 2)


def test_positions_are_brought_to_degrees() -> None:
    metric = crs.to_metric(sketch.river())
    coordinates = marks.layer("reach", metric, palette.load())["features"][0]["g"]["coordinates"]
    assert np.allclose(coordinates, [(105.99, 29.4), (106.01, 29.4)], atol=1e-6)


def test_a_frame_without_a_crs_is_refused() -> None:
    with pytest.raises(CrsRefused, match="map layer reach"):
        marks.layer("reach", sketch.river().set_crs(None, allow_override=True), palette.load())


def test_too_much_for_a_page_is_said_with_the_layer_that_makes_it() -> None:
    many = sketch.frame(*[Point(106, 29.4)] * 2000)
    marks.check_size({"outfall": many})
    with pytest.raises(UsageError, match=r"2,001 features \(most of them outfall\)"):
        marks.check_size({"outfall": many, "intake": many.head(1)})


@pytest.mark.parametrize(
    "url", ["https://x.example/1.png", "//x.example/1.png", "javascript:alert(1)", "data:image/svg+xml;base64,PHN2Zz4="]
)
def test_pictures_from_elsewhere_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="another machine"):
        marks.Picture("影像", "image", url, *sketch.BOUNDS).as_dict()


@pytest.mark.parametrize("href", ["https://x.example/", "//x.example/", "javascript:alert(1)", "findings/1"])
def test_links_that_leave_the_service_are_refused(href: str) -> None:
    with pytest.raises(UsageError, match="does not stay"):
        marks.layer("outfall", sketch.frame(Point(106, 29.4), href=[href]), palette.load())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "—"), (float("nan"), "—"), (pd.NaT, "—"), (True, "是"), (np.bool_(False), "否"), (12, "12"),
        (1234.5, "1,234.5"), (100.0, "100"), (0.0, "0"), (0.0042, "0.0042"), (["甲", "乙"], "甲、乙"),
        (dt.date(2026, 5, 20), "2026-05-20"),
        (dt.datetime(2026, 5, 19, 17, 30, tzinfo=dt.UTC), "2026-05-20 01:30"),
    ],
)  # fmt: skip
def test_values_are_said_as_people_read_them(value: Any, said: str) -> None:
    assert marks.words(value) == said


bends = st.lists(st.floats(-0.35, 0.35), min_size=2, max_size=12)


@settings(deadline=None)
@given(bends, st.sampled_from(["left", "right"]), st.floats(0, 60))
def test_banks_are_drawn_on_their_side_at_their_distance(turns: list[float], bank: str, half_width_m: float) -> None:
    """Downstream to the east; left is north.

     .-----------  left
    ---->---->---
     '-----------  right
    """
    heading = np.cumsum([0.0, *turns])
    steps = np.column_stack([np.cos(heading), np.sin(heading)]) * 200.0
    line = LineString(np.cumsum([[600_000.0, 3_254_000.0], *steps], axis=0))
    values = {"bank": [bank], "half_width_m": [half_width_m]}
    legs = crs.to_storage(gpd.GeoDataFrame(values, geometry=[line], crs="EPSG:4544"))
    reach = crs.to_metric(legs).geometry.iloc[0]
    drawn = marks.on_bank(legs, beyond_m=12.0)
    assert drawn.crs == crs.STORAGE
    line = crs.to_metric(drawn, crs.to_metric(legs).crs).geometry.iloc[0]
    assert line.length > 0
    inner = shapely.line_interpolate_point(line, np.linspace(0.05, 0.95, 9), normalized=True)
    assert (geometry.side_of(reach, inner) == (1 if bank == "left" else -1)).all()
    assert np.allclose(shapely.distance(inner, reach), half_width_m + 12.0, atol=1.5)


def test_a_stretch_without_a_bank_stays_on_its_line() -> None:
    legs = sketch.frame(LineString([(105.99, 29.4), (106.01, 29.4)]), bank=[None])
    assert marks.on_bank(legs).geometry.iloc[0].equals_exact(legs.geometry.iloc[0], 1e-7)


@settings(deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_a_track_is_cut_exactly_where_it_was_silent(pauses: list[int]) -> None:
    """A pause longer than a minute is a gap; pieces join end to end and hold every fix.

    o-o-o-o . . . o-o-o . . o
    """
    seconds = np.cumsum([0, *pauses])
    at = pd.Timestamp("2026-05-20T01:00:00Z") + pd.to_timedelta(seconds, unit="s")
    fixes = gpd.GeoDataFrame({"at": at}, geometry=[Point(106 + s * 1e-6, 29.4) for s in seconds], crs=crs.STORAGE)
    pieces = marks.track_lines(fixes, 60.0)
    coordinates = [list(line.coords) for line in pieces.geometry]
    assert all(a[-1] == b[0] for a, b in pairwise(coordinates))
    joined = [coordinates[0][0], *(c for piece in coordinates for c in piece[1:])]
    assert joined == [(p.x, p.y) for p in fixes.geometry]
    said = [cls for cls, piece in zip(pieces["cls"], coordinates, strict=True) for _ in piece[1:]]
    assert said == ["gap" if pause > 60 else "track" for pause in pauses]


def test_a_track_of_one_fix_has_no_line() -> None:
    at = pd.to_datetime(["2026-05-20T01:00:00Z"])
    fixes = gpd.GeoDataFrame({"at": at}, geometry=[Point(106, 29.4)], crs=crs.STORAGE)
    assert marks.track_lines(fixes, 60.0).empty


def test_a_layer_the_palette_does_not_know_is_named() -> None:
    with pytest.raises(NotFound, match="volcano"):
        marks.layer("volcano", sketch.frame(box(*sketch.BOUNDS)), palette.load())
