"""Chainages from one digitising of an axis to the next: laws, and channels that were cut off, grew or moved.

cut-off     old  ---.  .---      head    new ====old----      hairpin   ------.   moved south by two thirds
                    |  |                                                ------'   of its width
            new  ---+--+---
                    '--'
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river.calibration import Calibration, Stake
from rivergis.river.chainage import Axis
from rivergis.river.transfer import Transfer
from tests import tiny

KNOBS = {"tolerance_m": 12.0, "reach_m": 100.0}


def axis(xy: np.ndarray, origin_m: float = 0.0) -> Axis:
    return Axis(tiny.degrees(tiny.metric([tiny.line(*map(tuple, xy))])).geometry.iloc[0], origin_m)


def meander(count: int, amplitude: float = 1.7, wave: int = 60, step_m: float = 25.0) -> np.ndarray:
    """Sine-generated curve: loops of about 20 channel widths, necks of a few hundred metres."""
    heading = amplitude * np.sin(np.arange(count) * 2 * np.pi / wave)
    return np.vstack([[0, 0], np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]), axis=0) * step_m])


def apart(a: Axis, at: np.ndarray, b: Axis, there: np.ndarray) -> np.ndarray:
    one, two = (shapely.get_coordinates(x.points_at(m)) for x, m in ((a, at), (b, there)))
    return crs.GEOD.inv(*one.T, *two.T)[2]


@st.composite
def rivers(draw: st.DrawFn) -> np.ndarray:
    return meander(draw(st.integers(20, 260)), draw(st.floats(0, 1.9)), draw(st.integers(20, 90)))


@settings(max_examples=40, deadline=None)
@given(rivers(), st.sampled_from([0.0, 5000.0]), st.sampled_from([None, 1e-5, 3e-4]))
def test_the_same_axis_keeps_its_chainages(xy: np.ndarray, origin: float, denser: float | None) -> None:
    old = axis(xy)
    line = old.line if denser is None else shapely.segmentize(old.line, denser)
    transfer = Transfer(old, Axis(line, origin), **KNOBS)
    at = np.linspace(0, old.length_m, 500)
    moved = transfer.frame(at)
    assert moved["at_m"].to_numpy() == pytest.approx(at + origin, abs=0.001)
    assert set(moved["kind"]) == {"same"}
    assert len(transfer.table()) == 1


@settings(max_examples=40, deadline=None)
@given(rivers(), rivers(), st.integers(0, 2**32), st.sampled_from([0.0, 3.0, 40.0]))
def test_order_is_kept_whatever_happened(xy: np.ndarray, other: np.ndarray, seed: int, noise_m: float) -> None:
    random = np.random.default_rng(seed)
    old, new = axis(xy, 100.0), axis(other + random.normal(0, noise_m, other.shape), -50.0)
    transfer = Transfer(old, new, **KNOBS)
    at = np.linspace(old.origin_m, old.end_m, 800)
    there = transfer.frame(at)
    assert (np.diff(there["at_m"]) >= -1e-9).all()
    assert there["at_m"].between(new.origin_m - 1e-6, new.end_m + 1e-6).all()
    same = there["kind"] == "same"
    assert (there["distance_m"][same] <= KNOBS["tolerance_m"]).all()
    back = transfer.inverse().frame(there["at_m"].to_numpy())["at_m"]
    assert (np.abs(back - at)[same] <= KNOBS["tolerance_m"] + 1e-6).all()
    parts = transfer.table()
    assert parts["from_m"].iloc[0] == old.origin_m
    assert parts["to_m"].iloc[-1] == pytest.approx(old.end_m)
    assert parts["to_m"].iloc[:-1].to_numpy() == pytest.approx(parts["from_m"].iloc[1:].to_numpy())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 1.0, 3.0]), st.booleans())
def test_noise_of_some_metres_moves_places_by_about_as_much(seed: int, noise_m: float, denser: bool) -> None:
    xy = meander(300)
    base = shapely.get_coordinates(shapely.segmentize(shapely.LineString(xy), 13)) if denser else xy
    old, new = axis(xy), axis(base + np.random.default_rng(seed).normal(0, noise_m, base.shape))
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(base, axis=0).T))]
    found = Transfer(old, new, **KNOBS).frame(along / along[-1] * old.length_m)
    error = apart(new, found["at_m"].to_numpy(), new, new.vertices_m)
    assert np.sqrt((error**2).mean()) < 1.5 * noise_m
    assert error.max() < 8 * noise_m


def test_a_cut_off_loop_has_no_counterpart_and_what_follows_keeps_its_place() -> None:
    xy = meander(300)
    old, new = axis(xy), axis(np.vstack([xy[:91], xy[150:]]))
    shorter = old.length_m - new.length_m
    parts = Transfer(old, new, **KNOBS).table()
    assert list(parts["kind"]) == ["same", "moved", "none", "moved", "same"]
    # the cut leaves the old channel at an acute angle: for some tens of metres both are the same place
    assert parts["to_m"].iloc[0] == pytest.approx(old.vertices_m[90], abs=100)
    assert parts["from_m"].iloc[-1] == pytest.approx(old.vertices_m[150], abs=100)
    assert Transfer(old, new, **KNOBS).at(6000).at_m == pytest.approx(6000 - shorter, abs=0.01)
    grown = Transfer(new, old, **KNOBS)
    assert grown.at(6000 - shorter).at_m == pytest.approx(6000, abs=0.01)
    assert "none" in set(grown.inverse().table()["kind"])  # the new loop


def test_a_longer_head_shifts_all_and_a_shorter_mouth_leaves_a_rest() -> None:
    xy = meander(200)
    longer = np.vstack([xy[0] + [[-1000, 0], [-500, 0]], xy])
    ahead = Transfer(axis(xy), axis(longer), **KNOBS)
    assert ahead.at(0).at_m == pytest.approx(1000, abs=0.5)
    assert ahead.at(3000).at_m == pytest.approx(4000, abs=0.5)
    head, rest = ahead.inverse().table().itertuples()
    assert (head.kind, rest.kind) == ("none", "same")
    assert head.to_m == pytest.approx(1000, abs=15)
    mouth = Transfer(axis(xy), axis(xy[:150]), **KNOBS)
    assert list(mouth.table()["kind"]) == ["same", "none"]
    assert mouth.at(4900).at_m == pytest.approx(axis(xy[:150]).end_m)
    assert mouth.table()["from_m"].iloc[1] == pytest.approx(axis(xy[:150]).end_m, abs=15)


def test_the_other_limb_of_a_hairpin_is_never_the_place() -> None:
    pin = np.array([[0, 0], [1000, 0], [1000, -30], [0, -30]], dtype=float)
    old, new = axis(pin), axis(pin - np.array([0, 20]))
    found = Transfer(old, new, tolerance_m=12, reach_m=60).frame(np.array([100.0, 900.0, 1130.0, 1900.0]))
    assert found["at_m"].to_numpy() == pytest.approx([100, 900, 1130, 1900], abs=21)
    assert list(found["kind"]) == ["moved"] * 4


def test_a_channel_that_moved_is_told_as_moved() -> None:
    straight = np.column_stack([np.arange(0, 5001, 100.0), np.zeros(51)])
    bowed = straight + np.column_stack([np.zeros(51), 60 * np.sin(np.pi * straight[:, 0] / 5000)])
    parts = Transfer(axis(straight), axis(bowed), **KNOBS).table()
    assert list(parts["kind"]) == ["same", "moved", "same"]
    assert parts["largest_m"].iloc[1] == pytest.approx(60, abs=1)


def test_stakes_are_carried_over_and_lost_ones_named() -> None:
    xy = meander(300)
    old, new = axis(xy), axis(np.vstack([xy[:91], xy[150:]]))
    stakes = (Stake(500, 10_500), Stake(3000, 13_000), Stake(6000, 16_000, 16_100))
    carried, lost = Transfer(old, new, **KNOBS).calibration(Calibration(stakes, pattern="K0+000"))
    assert lost == [stakes[1]]
    assert carried.official(500) == pytest.approx(10_500)
    assert carried.stakes[1].at_m == pytest.approx(6000 - old.length_m + new.length_m, abs=0.01)
    assert carried.breaks() == ["K16+000.00=K16+100.00(短链100.00 m)"]


def test_axes_that_are_no_versions_of_one_river_are_refused() -> None:
    xy = meander(60)
    with pytest.raises(InputError, match="nowhere within 100 m"):
        Transfer(axis(xy), axis(xy + np.array([0, 9000])), **KNOBS)
    with pytest.raises(InputError, match="against each other"):
        Transfer(axis(xy), axis(xy[::-1]), **KNOBS)
    with pytest.raises(InputError, match="tolerance"):
        Transfer(axis(xy), axis(xy), tolerance_m=10, reach_m=5)
    with pytest.raises(InputError, match="runs downstream"):
        Transfer(axis(xy), axis(xy), **KNOBS).stretch(5, 5)


@pytest.mark.realdata
def test_the_danube_at_krems_with_noise(test_data: Path) -> None:
    ways = gpd.read_file(test_data / "region_krems" / "krems_osm_2013.gpkg", layer="waterways", engine="pyogrio")
    line = max(shapely.get_parts(shapely.line_merge(ways[ways["name"] == "Donau"].union_all())), key=shapely.length)
    old = Axis(line)
    xy = shapely.get_coordinates(line)
    noisy = xy + np.random.default_rng(1).normal(0, 3, xy.shape) / [75_000, 111_000]
    found = Transfer(old, Axis(shapely.LineString(noisy)), **KNOBS).frame(old.vertices_m)
    error = apart(Axis(shapely.LineString(noisy)), found["at_m"].to_numpy(), Axis(line), old.vertices_m)
    assert np.sqrt((error**2).mean()) < 6
    assert (found["kind"] == "same").mean() > 0.98
