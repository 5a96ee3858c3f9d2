"""The overlay: what lies inside the line, less permits, with a reason for everything that is not told."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from rivergis.boundary.ground.closing import close
from rivergis.boundary.ground.prepared import prepared
from rivergis.encroachment.overlay import Limits, Overlaid, overlay
from rivergis.encroachment.permits import permits_on, unplaced

E, N = 528_000.0, 3_375_000.0
LIMITS = Limits(1.0, 10.0, 0.01)
DAY = date(2026, 6, 1)


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(E + x0, N + y0, E + x1, N + y1)


#   y=120 +---------------------+-----------+      R1 left, R2 right, both announced; R2 overlaps R1 by 30 m
#         |   R1   [island]     |    R2     |      island: a hole of R1
#   y=0   +---------------------+-----------+
#         0       400-440      1000       1500
ISLAND = box(400, 40, 440, 80)
REACHES = [shapely.difference(box(0, 0, 1000, 120), ISLAND), box(970, 0, 1500, 120)]


def run(
    shapes: list[Any],
    kinds: str | list[str] = "building",
    permits: list[dict[str, Any]] | None = None,
    lines: Any = None,
    on: date = DAY,
) -> Overlaid:
    areas = gpd.GeoDataFrame({"reach": ["R1", "R2"], "basis": "announced"}, geometry=REACHES, crs=4547)
    if lines is not None:
        areas = gpd.GeoDataFrame({"reach": ["R1"], "basis": ["announced"]}, geometry=[lines], crs=4547)
    ground = prepared(close(areas, group="reach", bank=None, snap_m=5.0, doubt_m=100.0))
    things = gpd.GeoDataFrame(
        {"kind": [kinds] * len(shapes) if isinstance(kinds, str) else kinds}, geometry=shapes, crs=4547
    )
    columns = {
        k: [p.get(k) for p in permits or []] for k in ("allows", "kind", "valid_from", "valid_to", "accepted_on")
    }
    frame = gpd.GeoDataFrame(columns, geometry=[p["geom"] for p in permits or []], crs=4547)
    return overlay(things, ground, permits_on(frame, on), LIMITS)


TREE = shapely.LineString([(E + 100, N + 10), (E + 100, N + 90)])
CASES = {
    "wholly inside": (box(100, 40, 120, 55), None, 300.0),
    "half inside": (box(100, 110, 120, 130), None, 200.0),
    "outside": (box(100, 125, 120, 140), "outside", None),
    "touching an edge": (box(100, 120, 120, 140), "touches_only", None),
    "touching a corner": (shapely.box(E - 20, N - 20, E, N), "touches_only", None),
    "four millimetres over": (box(100, 119.996, 120, 140), "touches_only", None),
    "four millimetres off": (box(100, 120.004, 120, 140), "touches_only", None),
    "thirty centimetres over along 40 m": (box(100, 119.7, 140, 140), "within_tolerance", None),
    "a scrap of 4 m2": (box(100, 40, 102, 42), "below_min_area", None),
    "on the island": (box(405, 45, 420, 60), "in_hole", None),
    "filling the island": (ISLAND, "in_hole", None),
    "over the shore of the island": (box(390, 45, 410, 60), None, 150.0),
    "over both reaches": (box(900, 40, 1100, 50), None, 2000.0),
    "larger than all": (box(-500, -500, 2000, 600), None, 1500 * 120 - 1600.0),
    "no geometry": (None, "no_geometry", None),
    "empty": (shapely.Polygon(), "no_geometry", None),
    "flat": (shapely.Polygon([(E + 10, N + 10), (E + 30, N + 10), (E + 20, N + 10)]), "degenerate", None),
    "a point inside": (shapely.Point(E + 10, N + 10), None, None),
    "a point on the line": (shapely.Point(E, N + 10), "touches_only", None),
    "a point outside": (shapely.Point(E - 10, N + 10), "outside", None),
    "a point where two reaches meet": (shapely.Point(E + 970, N + 10), None, None),
    "nets across the channel": (TREE, None, None),
    "crossed": (shapely.Polygon([(E + 100, N + 40), (E + 120, N + 60), (E + 120, N + 40), (E + 100, N + 60)]), None, 200.0),
    "raised": (shapely.force_3d(box(100, 40, 120, 55), 412.5), None, 300.0),
    "in two parts, one a scrap of a line": (shapely.MultiPolygon([box(100, 40, 120, 55), box(200, 40, 240, 40.3)]), None, 300.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_candidate_is_told_or_has_its_reason(name: str) -> None:
    shape, reason, area = CASES[name]
    done = run([shape])
    assert done.reason[0] == reason
    if area is not None:
        assert done.net_m2[0] == pytest.approx(area)
    elif reason is None:
        assert pd.isna(done.net_m2[0]) and not done.net[0].is_empty


def test_ground_of_two_reaches_counts_once_and_names_both() -> None:
    done = run([box(975, 40, 995, 55), box(900, 40, 980, 55), box(900, 40, 970.3, 55)])
    assert done.net_m2.tolist() == pytest.approx([300.0, 1200.0, 70.3 * 15])
    assert [done.within.of(c) for c in range(3)] == [(0, 1), (0, 1), (0,)]  # 0.3 m of R2 is a line drawn twice


PERMIT = {"allows": "building", "valid_from": "2024-01-01", "valid_to": "2026-06-01", "geom": box(90, 30, 115, 65)}


@pytest.mark.parametrize(
    ("change", "on", "reason", "area"),
    [
        ({"geom": box(90, 30, 130, 65)}, DAY, "permitted", 0.0),
        ({}, DAY, None, 75.0),
        ({}, date(2026, 6, 2), None, 300.0),
        ({}, date(2023, 12, 31), None, 300.0),
        ({"kind": "永久工程"}, date(2026, 6, 2), None, 75.0),
        ({"kind": "采砂"}, date(2026, 6, 2), None, 300.0),
        ({"valid_to": None}, date(2040, 1, 1), None, 75.0),
        ({"allows": "quarry"}, DAY, None, 300.0),
        ({"geom": box(90, 30, 119.5, 65)}, DAY, "permitted", 0.0),
        ({"geom": box(90, 30, 119, 65)}, DAY, "permitted", 0.0),
    ],
)
def test_a_permit_takes_off_its_own_kind_on_its_days(
    change: dict[str, Any], on: date, reason: str | None, area: float
) -> None:
    done = run([box(100, 40, 120, 55)], permits=[PERMIT | change], on=on)
    assert (done.reason[0], done.net_m2[0]) == (reason, pytest.approx(area))


def test_permits_are_taken_together() -> None:
    halves = [PERMIT | {"geom": box(90, 30, 112, 65)}, PERMIT | {"geom": box(108, 30, 130, 65)}]
    assert run([box(100, 40, 120, 55)], permits=halves).reason[0] == "permitted"


def test_what_an_open_line_leaves_in_doubt_is_undecided() -> None:
    shore = shapely.LineString([(E + 400, N), (E + 1000, N), (E + 1000, N + 120), (E, N + 120), (E, N)])
    done = run([box(100, 40, 120, 55), box(100, 2000, 120, 2015)], lines=shore)
    assert done.reason.tolist() == ["undecided", "outside"]


def test_a_permit_in_words_concerns_its_kind_on_the_water_it_names() -> None:
    frame = gpd.GeoDataFrame(
        {"allows": ["quarry", "quarry"], "river": ["R1", None], "valid_to": [None, "2020-01-01"]},
        geometry=[None, None],
        crs=4547,
    )
    found = unplaced(
        pd.array(["quarry", "quarry", "dump"]).to_numpy(object), [{"R1"}, {"R2"}, {"R1"}], permits_on(frame, DAY)
    )
    assert list(zip(found.candidate, found.permit, strict=True)) == [(0, 0)]


def test_a_permanent_work_is_no_problem_when_the_time_to_build_it_is_over() -> None:
    frame = gpd.GeoDataFrame(
        {"allows": "building", "kind": ["permanent_work", "permanent_work", "临时占用"], "valid_to": "2026-01-31",
         "accepted_on": [None, "2026-02-10", None]},
        geometry=[box(0, 0, 1, 1)] * 3, crs=4547,
    )  # fmt: skip
    on = permits_on(frame, DAY)
    assert on.covers.tolist() == [True, True, False]
    assert on.unaccepted.tolist() == [True, False, False]
    assert on.ended.tolist() == [False, False, True]
