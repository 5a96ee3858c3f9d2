"""Lines and polygons as survey offices deliver them, made areas or left open: every repair and guess is said."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.ground.closing import Closed, bank_of, close
from rivergis.errors import CrsRefused

E, N = 528_000.0, 3_375_000.0


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(E + x, N + y) for x, y in xy])


def closed(
    *shapes: Any, bank: list[str | None] | None = None, reach: list[str] | None = None, crs: int = 4547
) -> Closed:
    frame = gpd.GeoDataFrame(
        {"reach": reach or ["R1"] * len(shapes), "bank": bank or [None] * len(shapes)}, geometry=list(shapes), crs=crs
    )
    return close(frame, group="reach", bank="bank", snap_m=5.0, doubt_m=100.0)


def codes(done: Closed) -> list[str]:
    return [s.code for s in done.said]


#     (0,100) +--------------------------+ (1000,100)
#             |        the reach         |
#     (0,0)   +--------------------------+ (1000,0)
RING = ((0, 0), (1000, 0), (1000, 100), (0, 100), (0, 0))


def test_a_closed_line_is_the_area_it_encloses() -> None:
    done = closed(line(*RING))
    assert done.areas.area.tolist() == [100_000.0]
    assert codes(done) == ["boundary_line_polygonised"]
    assert done.doubts.empty


@pytest.mark.parametrize("gap", [0.5, 3.0, 4.9])
def test_a_gap_within_the_snap_tolerance_is_closed_and_said(gap: float) -> None:
    done = closed(line((gap, 0), (1000, 0), (1000, 100), (0, 100), (0, 0)))
    assert done.areas.area.iloc[0] == pytest.approx(100_000)
    assert codes(done) == ["boundary_line_polygonised", "boundary_gap_closed"]
    assert f"{gap:.2f} m" in done.said[1].sentence


def test_a_gap_of_400_m_stays_open_and_what_lies_there_is_undecided() -> None:
    done = closed(line((400, 0), (1000, 0), (1000, 100), (0, 100), (0, 0)))
    assert done.areas.empty
    assert codes(done) == ["boundary_not_closed"]
    assert done.doubts.geometry.iloc[0].contains(shapely.Point(E + 200, N + 50))
    assert "400.0 m" in done.doubts["because"].iloc[0]


#   left  o====================>o          <- the same in both directions, and in several parts
#         :                     :  caps
#   right o<====================o
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("words", [("left", "right"), ("左岸", "右岸"), ("L", "R")])
def test_two_bank_lines_are_the_area_between_them(turned: bool, words: tuple[str, str]) -> None:
    right = [(0, 0), (500, 0), (1000, 0)]
    done = closed(line((0, 100), (480, 100)), line((482, 100), (1000, 100)), line(*(right[::-1] if turned else right)),
                  bank=[words[0], words[0], words[1]])  # fmt: skip
    assert done.areas.area.tolist() == [100_000.0]
    assert codes(done) == ["boundary_from_banks", "boundary_gap_closed"]


def test_a_lone_bank_encloses_nothing() -> None:
    done = closed(line((0, 100), (1000, 100)), bank=["left"])
    assert done.areas.empty and codes(done) == ["boundary_not_closed"]
    assert done.doubts.geometry.iloc[0].contains(shapely.Point(E + 500, N + 50))


def test_banks_a_few_metres_apart_are_not_joined_across_the_ditch() -> None:
    done = closed(line((0, 3), (1000, 3)), line((0, 0), (1000, 0)), bank=["left", "right"])
    assert done.areas.area.tolist() == [3000.0]
    assert codes(done) == ["boundary_from_banks"]


def test_two_lines_without_a_bank_are_not_guessed_to_be_banks() -> None:
    done = closed(line((0, 100), (1000, 100)), line((0, 0), (1000, 0)))
    assert done.areas.empty and "which bank" in done.doubts["because"].iloc[0]


def test_a_crossed_polygon_keeps_both_lobes() -> None:
    bowtie = shapely.Polygon([(E, N), (E + 500, N + 120), (E + 500, N), (E, N + 120)])
    done = closed(bowtie)
    assert done.areas.area.iloc[0] == pytest.approx(2 * 250 * 120 / 2)
    assert codes(done) == ["boundary_repaired"]


def test_a_crossed_line_keeps_both_lobes_too() -> None:
    done = closed(line((0, 0), (500, 120), (500, 0), (0, 120), (0, 0)))
    assert done.areas.area.iloc[0] == pytest.approx(2 * 250 * 120 / 2)


def test_a_ring_inside_a_ring_is_an_island() -> None:
    hole = line((100, 20), (200, 20), (200, 60), (100, 60), (100, 20))
    assert closed(line(*RING), hole).areas.area.tolist() == [96_000.0]
    done = closed(line((0, 100), (1000, 100)), line((0, 0), (1000, 0)), hole, bank=["left", "right", None])
    assert done.areas.area.tolist() == [96_000.0]
    assert any("island" in s.sentence for s in done.said)


#          ____________________
#         |                    |     a free end that stops 2 m before the line, and one that runs 3 m over it
#     ----+------------------  +
def test_corners_drawn_badly_close() -> None:
    short = closed(line((0, 2), (0, 100), (1000, 100), (1000, 0), (-3, 0)))
    assert short.areas.area.iloc[0] == pytest.approx(100_000, rel=1e-3)
    assert short.doubts.empty


def test_reaches_are_closed_apart_and_polygons_go_through() -> None:
    other = tuple((x + 2000, y) for x, y in RING)
    done = closed(line(*RING), shapely.Polygon([(E + x, N + y) for x, y in other]), reach=["R1", "R2"])
    assert sorted(done.areas["reach"]) == ["R1", "R2"]
    assert done.areas.area.tolist() == [100_000.0, 100_000.0]


def test_features_without_geometry_are_told() -> None:
    done = closed(None, line(*RING), shapely.Polygon())
    assert codes(done)[0] == "boundary_skipped" and done.said[0].features == ("0", "2")


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        closed(line(*RING), crs=4490)


@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=8),
    st.permutations(range(4)),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.floats(0, 4),
)
def test_parts_in_any_order_and_direction_close_to_the_same_area(
    widths: list[int], order: list[int], turned: list[bool], gap: float
) -> None:
    x = np.concatenate([[0], np.cumsum(widths) * 20.0])
    y = 80 + 10 * np.sin(x / 50)
    ring = [*((a, 0.0) for a in x), *((a, b) for a, b in zip(x[::-1], y[::-1], strict=True))]
    cut = np.array_split(np.arange(len(ring)), 4)
    parts = []
    for k, idx in enumerate(cut):
        nodes = [ring[i] for i in idx] + [ring[(idx[-1] + 1) % len(ring)]]
        if k == 2 and gap > 0:
            back = np.array(nodes[-2]) - np.array(nodes[-1])
            nodes[-1] = tuple(np.array(nodes[-1]) + back / np.hypot(*back) * min(gap, np.hypot(*back) / 2))
        parts.append(line(*(nodes[::-1] if turned[k] else nodes)))
    done = closed(*[parts[i] for i in order])
    whole = shapely.Polygon([(E + a, N + b) for a, b in ring])
    assert done.areas.area.sum() == pytest.approx(whole.area, rel=1e-6)
    assert done.doubts.empty


def test_words_of_banks() -> None:
    assert [bank_of(w) for w in ("左岸", "Right", "r", None, "middle")] == ["left", "right", "right", None, None]
