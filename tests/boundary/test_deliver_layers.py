"""Laws of what a delimitation is delivered as: every vertex once, chainage, lengths, degrees, zones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.boundary.delivery import layers as delivery_layers
from rivergis.boundary.delivery import tables as d
from rivergis.errors import CrsRefused, InputError, UsageError
from rivergis.river import chainage
from tests import tiny
from tests.boundary.deliver_ground import TERMS, delivery, lines, over_two_zones

STEPS = st.lists(st.tuples(st.floats(5, 400), st.floats(-60, 60)), min_size=2, max_size=12)


def river(steps: list[tuple[float, float]], cut: int) -> object:
    """A left line in two pieces, cut at a vertex."""
    xy = np.cumsum(np.array([(0.0, 0.0), *steps]), axis=0)
    cut = min(max(cut, 1), len(xy) - 2)
    runs = [xy[: cut + 1], xy[cut:]]
    frame = tiny.metric([tiny.line(*map(tuple, r)) for r in runs], code=["a", "b"], river_code="R", bank="left", line_type="management", basis="draft", from_m=[0.0, 1000.0], to_m=[1000.0, 3000.0])  # fmt: skip
    return tiny.degrees(frame), len(xy)


@settings(max_examples=40)
@given(STEPS, st.integers(1, 10))
def test_every_vertex_is_a_turning_point_once_and_chainage_goes_on(steps: list[tuple[float, float]], cut: int) -> None:
    frame, vertices = river(steps, cut)
    points = d.turning_points(frame, TERMS.point_number)
    assert len(points) == vertices
    assert list(points["point_no"]) == [f"LJ{n + 1:04d}" for n in range(vertices)]
    assert list(points["role"]).count("joint") == 1
    at = points["at_m"].to_numpy()
    assert (np.diff(at) > 0).all() and at[0] == pytest.approx(0) and at[-1] == pytest.approx(3000)
    assert at[points["role"] == "joint"] == pytest.approx(1000)


@settings(max_examples=40)
@given(STEPS, st.integers(1, 10))
def test_the_sides_of_a_line_are_its_length(steps: list[tuple[float, float]], cut: int) -> None:
    frame, vertices = river(steps, cut)
    metric = crs.to_metric(frame)
    sides = d.sides(metric)
    assert len(sides) == vertices - 1
    assert sides["length_m"].sum() == pytest.approx(metric.length.sum(), abs=0.001 * vertices)


@settings(max_examples=40)
@given(STEPS, st.integers(1, 10), st.sampled_from([100.0, 250.0, 500.0]))
def test_chainage_marks_lie_on_their_line_at_every_step_once(
    steps: list[tuple[float, float]], cut: int, step: float
) -> None:
    frame, _ = river(steps, cut)
    marks = d.chainage_marks(frame, step, chainage.label)
    assert list(marks["at_m"]) == list(np.arange(0, 3000.1, step))
    metric = crs.to_metric(frame)
    away = marks.to_crs(metric.crs).geometry.apply(lambda p: metric.distance(p).min())
    assert away.max() < 0.01
    assert all(chainage.label(a) == t for a, t in zip(marks["at_m"], marks["text"], strict=True))


def test_a_ring_ends_on_no_second_point() -> None:
    ring = tiny.degrees(tiny.metric([tiny.line((0, 0), (100, 0), (50, 80), (0, 0))], code="r", river_code="L", bank="left", line_type="management", basis="draft"))  # fmt: skip
    points = d.turning_points(ring, TERMS.point_number)
    assert len(points) == 3 and points["at_m"].isna().all()


@given(st.floats(-180, 180), st.integers(0, 6))
def test_degrees_minutes_seconds_come_back_and_never_say_sixty(degrees: float, digits: int) -> None:
    text = d.dms(degrees, digits)
    assert abs(d.from_dms(text) - degrees) <= 0.51 / 3600 / 10**digits + 1e-12
    minutes, seconds = text.split("°")[1].rstrip("″").split("′")
    assert int(minutes) < 60 and float(seconds) < 60


def test_minutes_carry() -> None:
    assert d.dms(105.9999999999) == "106°00′00.0000″"
    assert d.dms(-0.00000000001) == "0°00′00.0000″"


def test_two_zones_hold_every_feature_once_and_number_the_points_as_one_river() -> None:
    told = over_two_zones()
    zones = delivery_layers.zones(told, TERMS)
    assert [z.number for z in zones] == [35, 36] and [z.crs.to_epsg() for z in zones] == [4544, 4545]
    assert sorted(c for z in zones for c in z.layers["JZX"]["code"]) == list("pqrs")
    numbers = [n for z in zones for n in z.layers["JZD"]["point_no"]]
    assert sorted(numbers) == [f"LJ{n + 1:04d}" for n in range(9)]
    assert d.reaching_over(told.lines) == 1
    one = delivery_layers.zones(told, TERMS, 36)
    assert len(one) == 1 and len(one[0].layers["JZX"]) == 4


@pytest.mark.parametrize(("asked", "number"), [(35, 35), (105, 35), (25, 25), (75, 25), (135, 45)])
def test_a_zone_is_named_by_number_or_meridian(asked: int, number: int) -> None:
    assert d.zone_number(asked) == number
    assert d.zone_crs(number, True).to_epsg() == 4488 + number and d.zone_crs(number, False).to_epsg() == 4509 + number


def test_a_zone_that_is_none_or_far_away_is_refused() -> None:
    for asked in (24, 46, 74, 106, 138):
        with pytest.raises(UsageError, match="no 3-degree zone"):
            d.zone_number(asked)
    with pytest.raises(CrsRefused, match="leave --zone away"):
        delivery_layers.zones(delivery(), TERMS, 40)


def test_layers_have_their_codes_and_only_what_is_there() -> None:
    zone = delivery_layers.zones(delivery(), TERMS)[0]
    assert set(zone.layers) == {"JZX", "JZD", "JZXCBZ", "ZBBZ", "ZH", "GLFWM", "JZ"}
    assert zone.layers["JZX"]["element_code"].unique().tolist() == ["300000"]
    assert zone.layers["GLFWM"]["element_code"].isna().all()
    assert zone.layers["GLFWM"]["area_m2"].iloc[0] == pytest.approx(84_000, rel=1e-3)
    first = zone.layers["JZD"].iloc[0]
    assert first["x_north_m"] > 3_000_000 > first["y_east_m"] and first.geometry.y == pytest.approx(
        first["x_north_m"], abs=1e-3
    )


def test_line_types_go_to_layers_of_their_own() -> None:
    told = d.Delivery(
        "x", "draft", lines("draft", line_type=["protection", "blue_line", "waterside"]), lines().iloc[:0]
    )
    layers = delivery_layers.zones(told, TERMS)[0].layers
    assert set(layers) == {"HLBHFWX", "HDLX", "LSBJX"} and layers["HLBHFWX"]["element_code"].iloc[0] == "181110"


def test_dates_that_cannot_be_read_stay_as_they_were_given() -> None:
    given_ = pd.Series(["2026-05-20", "五月"])
    assert list(delivery_layers.typed("announced_on", given_)) == ["2026-05-20", "五月"]
    assert [str(v) for v in delivery_layers.typed("announced_on", pd.Series(["2026-05-20", None]))] == [
        "2026-05-20",
        "None",
    ]


def test_what_is_no_line_is_told_and_lines_of_parts_become_lines() -> None:
    bad = lines()
    bad.loc[1, "geometry"] = shapely.Point(106, 29.4)
    with pytest.raises(InputError, match="Line b"):
        delivery_layers.zones(d.Delivery("x", "draft", bad, bad.iloc[:0]), TERMS)
    parts = lines()
    parts.loc[2, "geometry"] = shapely.MultiLineString(
        [[(106, 29.39), (106.001, 29.39)], [(106.002, 29.39), (106.003, 29.39)]]
    )
    assert len(delivery_layers.zones(d.Delivery("x", "draft", parts, parts.iloc[:0]), TERMS)[0].layers["JZX"]) == 4


def test_nothing_to_deliver_is_said() -> None:
    empty = lines().iloc[:0]
    with pytest.raises(InputError, match="no line and no area"):
        delivery_layers.zones(d.Delivery("x", "draft", empty, empty), TERMS)


def test_a_pattern_of_numbers_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="point_number"):
        d.turning_points(lines(), "{river}-{n}")
