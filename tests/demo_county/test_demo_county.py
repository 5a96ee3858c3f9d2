"""The demo county holds together, and holds what its truth file says.

      TZG--NYG                STX   TXG
         \\                     \\  /
 BAX------+        WLG         QTK (reservoir)
  |                 :covered    |
  |   __B1__        :          QTH
--+--/------\\--+----+-----+-----+----+-----  YXH, the trunk, flows east; levees in the middle
      \\_B2_/   |          |          |
          LTG  LXG        YSH--GTG   CSG
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.features import rasterize

ROOT = Path(__file__).resolve().parents[2]
COUNTY = ROOT / "data" / "demo_county"
METRIC = 4544
NUMBER = re.compile(r"-?\d+\.\d+")


@cache
def layer(name: str) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(COUNTY / "county.gpkg", layer=name)


@cache
def metric(name: str) -> gpd.GeoDataFrame:
    return layer(name).to_crs(METRIC)


@cache
def truth() -> dict:
    return json.loads((COUNTY / "truth.json").read_text(encoding="utf-8"))


@cache
def delivery(day: str) -> gpd.GeoDataFrame:
    frame = layer("candidate") if day == "2026-05-18" else gpd.read_file(COUNTY / f"candidates_{day}.geojson")
    return frame.to_crs(METRIC).set_index("code")


def axis(code: str) -> shapely.LineString:
    return metric("river").set_index("code").geometry[code]


# --- made again -----------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_county(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "data" / "make_demo.py", "--out", tmp_path], check=True, capture_output=True)
    made, kept = ({p.relative_to(base) for p in base.rglob("*") if p.is_file()} for base in (tmp_path, COUNTY))
    assert made == kept
    for name in sorted(kept):
        if (tmp_path / name).read_bytes() != (COUNTY / name).read_bytes():
            _assert_same_content(tmp_path / name, COUNTY / name)


def _assert_same_content(made: Path, kept: Path) -> None:
    """Bytes may differ with the version of GDAL or the last digit of a number; the content may not."""
    if made.suffix == ".tif":
        with rasterio.open(made) as a, rasterio.open(kept) as b:
            assert a.transform == b.transform and a.crs == b.crs
            far = np.abs(a.read().astype(float) - b.read().astype(float)) > 2
            assert far.mean() < 1e-3, kept.name
    elif made.suffix == ".gpkg":
        for name, _ in pyogrio.list_layers(kept):
            a, b = (pyogrio.read_dataframe(p, layer=name) for p in (made, kept))
            plain = [pd.DataFrame(f.drop(columns="geometry", errors="ignore")) for f in (a, b)]
            pd.testing.assert_frame_equal(*plain, atol=0.1)
            if "geometry" in a:
                same = shapely.equals_exact(a.geometry.values, b.geometry.values, 2e-8)
                assert (same | a.geometry.isna()).all(), name
    else:
        texts = [p.read_text(encoding="utf-8") for p in (made, kept)]
        assert NUMBER.sub("#", texts[0]) == NUMBER.sub("#", texts[1]), kept.name
        numbers = [np.array(NUMBER.findall(t), dtype=float) for t in texts]
        np.testing.assert_allclose(numbers[0], numbers[1], atol=0.1 if kept.name == "truth.json" else 5e-7)


def test_it_stays_small() -> None:
    assert sum(p.stat().st_size for p in COUNTY.rglob("*")) < 5_000_000


# --- people and places ----------------------------------------------------------------------------


def test_villages_tile_towns_and_towns_tile_the_county() -> None:
    units = layer("admin_unit").set_index("code")
    assert units.level.value_counts().to_dict() == {"village": 8, "town": 2, "county": 1}
    for code in units.index[units.level != "village"]:
        children = units[units.parent_code == code].geometry
        assert children.union_all().equals(units.geometry[code])
        overlaps = [a.intersection(b).area for i, a in enumerate(children) for b in children[i + 1 :]]
        assert max(overlaps, default=0) == 0


@pytest.mark.parametrize("day", ["2026-05-14", "2026-05-20"])
def test_every_metre_has_one_chief_per_level_and_bank_but_for_the_planted_faults(day: str) -> None:
    duty = layer("duty")
    duty = duty[(duty.valid_from <= day) & (duty.valid_to.fillna("9999") >= day)]
    faults = []
    for river in layer("river").itertuples():
        rows = duty[duty.river_code == river.code]
        length = rows[rows.level == "county"].to_m.max()
        at_m = np.arange(2.5, length, 5.0)
        for level, bank in product(("county", "town", "village"), ("left", "right")):
            mine = rows[(rows.level == level) & rows.bank.isin([bank, "both"])]
            from_m, to_m = mine.from_m.to_numpy()[:, None], mine.to_m.to_numpy()[:, None]
            count = ((from_m <= at_m) & (to_m > at_m)).sum(axis=0)
            faults += [(river.code, level, m, n) for m, n in zip(at_m, count, strict=True) if n != 1]
    orphan, double = truth()["orphan_duty"], truth()["double_duty"]
    planted = {(f["river_code"], "village", n): f for f, n in ((orphan, 0), (double, 2))}
    assert {(r, lv, n) for r, lv, _, n in faults} == set(planted)
    for (river, level, n), fault in planted.items():
        at = [a for r, lv, a, k in faults if (r, lv, k) == (river, level, n)]
        assert min(at) - 2.5 == fault["from_m"] and max(at) + 2.5 == fault["to_m"]


# --- water ----------------------------------------------------------------------------------------


def test_rivers_run_downhill_on_the_terrain() -> None:
    """But for the covered stretch (the ground lies above it) and the dam."""
    with rasterio.open(COUNTY / "dem_10m.tif") as dem:
        assert "1985" in dem.tags()["VERTICAL_DATUM"]
        for river in metric("river").query("kind != 'ditch'").itertuples():
            line = river.geometry
            d = np.arange(0, line.length, 10.0)
            if river.code == "QTK":
                d = d[d < line.length - 40]
            xy = shapely.get_coordinates(shapely.line_interpolate_point(line, d))
            z = np.array([v[0] for v in dem.sample(xy)])
            covered = metric("reach").query("river_code == @river.code and covered").geometry.buffer(25)
            z = z[~np.array([any(c.covers(p) for c in covered) for p in shapely.points(xy)])]
            assert (z - np.minimum.accumulate(z)).max() <= 0.6, river.code
            assert z[0] - z[-1] > 3 or river.code == "QTK"


def test_reaches_meet_at_nodes_and_only_the_planted_ones_run_upstream() -> None:
    reach = metric("reach")
    places: dict[str, set] = {}
    for row in reach.itertuples():
        for node, xy in ((row.from_node, row.geometry.coords[0]), (row.to_node, row.geometry.coords[-1])):
            places.setdefault(node, set()).add(tuple(np.round(xy, 2)))
    assert all(len(p) == 1 for p in places.values())
    on_axis = reach[reach.kind.isin(["river", "flow_path"])]
    upstream = {r.code for r in on_axis.itertuples() if _runs_upstream(r.geometry, axis(r.river_code))}
    assert upstream == set(truth()["reversed_reaches"])
    assert {"river", "braid", "ditch", "flow_path", "shoreline"} == set(reach.kind)


def _runs_upstream(line: shapely.LineString, along: shapely.LineString) -> bool:
    return along.project(shapely.Point(line.coords[0])) > along.project(shapely.Point(line.coords[-1]))


def test_the_one_wrong_line_crosses_its_river_and_no_other_line_does() -> None:
    wrong = truth()["wrong_line"]
    for row in metric("boundary_line").itertuples():
        if row.river_code == "QTK":
            continue  # its lines close round the dam and the inflow
        crosses = row.geometry.crosses(axis(row.river_code))
        assert crosses == (row.code == wrong["line_code"]), row.code
    river = axis(wrong["river_code"])
    line = metric("boundary_line").set_index("code").geometry[wrong["line_code"]]
    at = sorted(river.project(p) for p in shapely.get_parts(line.intersection(river)))
    np.testing.assert_allclose([at[0], at[-1]], [wrong["from_m"], wrong["to_m"]], atol=2)
    assert 120 < wrong["to_m"] - wrong["from_m"] < 200


# --- zones and outfalls ---------------------------------------------------------------------------


def test_source_zones_are_nested_and_do_not_overlap() -> None:
    zones, intakes = metric("source_zone"), metric("intake").set_index("code")
    for code, group in zones.groupby("intake_code"):
        shapes = [group[group.zone_class == k].union_all() for k in (1, 2, 3)]
        assert all(a.intersection(b).area < 1 for i, a in enumerate(shapes) for b in shapes[i + 1 :])
        assert shapes[0].covers(intakes.geometry[code])
        assert shapes[0].distance(shapes[1]) < 0.1 and shapes[1].distance(shapes[2]) < 0.1
    trunk = axis("YXH")
    water = zones[(zones.intake_code == "QS50019901") & (zones.part == "water")].set_index("zone_class").geometry
    reach = {k: [trunk.project(shapely.Point(c)) for c in shapely.get_coordinates(water[k])] for k in (1, 2)}
    assert min(reach[2]) < min(reach[1]) < max(reach[1]) < max(reach[2])


def test_outfalls_in_zones_and_far_from_water_are_those_of_the_truth() -> None:
    outfalls, zones = metric("outfall").set_index("code"), metric("source_zone").set_index("code")
    hits = outfalls.sjoin(zones[["geometry"]], predicate="within")
    in_zones = {(r["code"], r["zone_code"]) for r in truth()["outfalls_in_zones"]}
    assert set(zip(hits.index, hits["code_right"] if "code_right" in hits else hits["code"], strict=True)) == in_zones
    assert len(in_zones) == 5 and len(outfalls) == 40
    water = shapely.union_all([metric("water_area").union_all(), metric("reach").union_all()])
    far = set(outfalls.index[outfalls.distance(water) > 100])
    assert far == {r["code"] for r in truth()["outfalls_far_from_water"]} and len(far) == 3


# --- candidates and permits -----------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2026-05-18", "2026-05-20"])
def test_areas_of_the_truth_can_be_computed_again(day: str) -> None:
    inside = metric("boundary_area").union_all()
    polygons = metric("permit")[layer("permit").position_kind == "polygon"]
    in_force = polygons[(polygons.valid_from <= day) & (polygons.valid_to.fillna("9999") >= day)]
    by_other_means = set(layer("permit").query("position_kind in ('stretch', 'point')").code)
    frame = delivery(day)
    rows = {r["code"]: r["deliveries"][day] for r in truth()["candidates"] if day in r["deliveries"]}
    assert set(rows) == set(frame.index)
    for code, row in rows.items():
        shape, kind = frame.geometry[code], frame.kind[code]
        part = shape.intersection(inside)
        assert row["area_m2"] == pytest.approx(shape.area, abs=0.02)
        assert row["area_inside_m2"] == pytest.approx(part.area, abs=0.02)
        if not by_other_means & set(row["permits"]):
            free = part.difference(in_force[in_force.allows == kind].union_all())
            assert row["net_area_m2"] == pytest.approx(free.area, abs=0.05), code


def test_every_kind_of_case_is_planted() -> None:
    rows = {r["code"]: r for r in truth()["candidates"]}
    classes = pd.Series([r["class"] for r in rows.values()]).value_counts()
    assert set(classes.index) == {"inside", "outside", "edge", "permitted", "too_small", "sliver", "clouded"}
    assert classes[["edge", "too_small", "sliver"]].min() >= 4 and classes["permitted"] >= 5
    story = truth()["story"]
    last = {c: r["deliveries"].get("2026-05-20") for c, r in rows.items()}
    expected = {c: row["expected"] for c, row in last.items() if row}
    assert expected[story["new_finding"]] == "finding" and rows[story["new_finding"]]["bank"] == "left"
    assert expected[story["permitted"]] == "none" and rows[story["permitted"]]["class"] == "permitted"
    assert expected[story["not_judged"]] == "not_judged"
    ended = rows[story["permit_expired"]]["deliveries"]
    assert [ended[d]["expected"] for d in truth()["deliveries"]] == ["none", "finding"]


def test_the_second_delivery_adds_four_and_lacks_one() -> None:
    first, second = (set(delivery(d).index) for d in truth()["deliveries"])
    story = truth()["story"]
    assert first - second == {story["gone"]}
    assert len(second - first) == 4 and {story["new_finding"], story["not_judged"]} <= second - first
    both = sorted(first & second)
    was, now = (delivery(d).geometry.loc[both] for d in truth()["deliveries"])
    assert was.hausdorff_distance(now).max() < 1.0


# --- imagery --------------------------------------------------------------------------------------


def _mean(date: str, shape: shapely.Polygon) -> np.ndarray:
    with rasterio.open(COUNTY / "imagery" / f"{date}.tif") as scene:
        assert scene.crs.to_epsg() == METRIC and scene.descriptions == ("blue", "green", "red", "nir")
        bands = scene.read()
        where = rasterize([shape], bands.shape[1:], transform=scene.transform).astype(bool)
    return bands[:, where].mean(axis=1)


def test_the_new_finding_appears_between_the_images_and_the_cloud_hides_its_object() -> None:
    story, after = truth()["story"], delivery("2026-05-20")
    before_, after_ = (_mean(d, after.geometry[story["new_finding"]]) for d in ("2026-04-11", "2026-05-19"))
    ndvi = [(m[3] - m[2]) / (m[3] + m[2]) for m in (before_, after_)]
    assert ndvi[0] > 0.2 > 0.1 > ndvi[1] and after_[0] > before_[0] + 40
    hidden = gpd.read_file(COUNTY / "imagery" / "2026-05-19_cloud.geojson").to_crs(METRIC)
    clouded = after.geometry[story["not_judged"]]
    assert clouded.within(hidden[hidden.kind == "cloud"].union_all())
    assert _mean("2026-05-19", clouded)[:3].min() > 190
    assert not after.geometry[story["new_finding"]].intersects(hidden.union_all())
    assert set(hidden.kind) == {"cloud", "shadow"}
