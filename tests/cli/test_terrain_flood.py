"""``rivergis terrain flood`` as people use it: files of a leveed valley in, extent, depths and warnings out, and every refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine

from rivergis import crs
from rivergis.cli import _run

EAST, NORTH, CELL = 500_000.0, 3_300_000.0, 5.0


def degrees(xy: np.ndarray) -> np.ndarray:
    return crs.into_storage(crs.CRS.from_epsg(4545))(np.asarray(xy, dtype=float))


Told = Callable[..., dict[str, Any]]


@pytest.fixture
def flooded(capsys: pytest.CaptureFixture[str]) -> Told:
    """Run the command on files of a folder; its JSON."""

    def told(folder: Path, *more: str, levels: str = "levels.csv") -> dict[str, Any]:
        asked = (str(folder / "dem.tif"), "--axis", str(folder / "axis.gpkg"), "--levels", str(folder / levels))
        more = (*more, "--out", str(folder / "flood.gpkg"), "--overwrite", "--json")
        capsys.readouterr()
        assert _run(["terrain", "flood", *asked, *more]) == 0
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return told


@pytest.fixture
def valley(tmp_path: Path) -> Path:
    """
    ____|\\__    __/|____     a floor 1 m above the bed, falling 1 in 1000; levees 100 m from the river, the left 4 m
            \\__/             above the bed, the right 2.5 m; 400 x 120 cells of 5 m
    """
    y, x = ((np.arange(n) + 0.5) * CELL for n in (120, 400))
    x, y = np.meshgrid(x, y)
    off = y - 300
    z = 100 - x * 1e-3 + np.where(np.abs(off) < 20, 0.0, 1.0)
    z += np.where((off > -106) & (off < -99), 3.0, 0) + np.where((off < 106) & (off > 99), 1.5, 0)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": 120, "width": 400, "crs": "EPSG:4545"}
    with rasterio.open(tmp_path / "dem.tif", "w", transform=Affine(CELL, 0, EAST, 0, -CELL, NORTH), **profile) as image:
        image.write(z.astype(np.float32), 1)
    line = shapely.LineString(degrees([(EAST, NORTH - 300), (EAST + 2000, NORTH - 300)]))
    gpd.GeoDataFrame({"name": ["云溪河"]}, geometry=[line], crs=4490).to_file(tmp_path / "axis.gpkg")
    (tmp_path / "levels.csv").write_text("at_m,level_m\n0+000,103\n2+000,101\n")
    return tmp_path


def test_depths_are_not_written_over_the_ground(valley: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dem, before = str(valley / "dem.tif"), (valley / "dem.tif").read_bytes()
    asked = (dem, "--axis", str(valley / "axis.gpkg"), "--levels", str(valley / "levels.csv"), "--overwrite")
    assert _run(["terrain", "flood", *asked, "--out", str(valley / "flood.gpkg"), "--depth", dem]) == 2
    assert "made of" in capsys.readouterr().err and (valley / "dem.tif").read_bytes() == before


def test_from_files_to_extent_and_depth(flooded: Told, valley: Path) -> None:
    told = flooded(valley, "--vertical-datum", "1985", "--depth", str(valley / "depth.tif"))
    # inside the levees and behind the low one; the high one holds
    assert told["area_m2"] == pytest.approx(2000 * 400, rel=1e-3)
    [low] = told["low_but_not_connected"]
    assert (low["rise_m"], low["max_below_m"]) == (1.0, 2.0)
    assert low["area_m2"] == pytest.approx(2000 * 195, rel=1e-3)
    assert told["vertical_datum"] == "1985国家高程基准" and "names no vertical datum" in " ".join(told["said"])
    assert {w["width_m"] for w in told["widths"]} == {400.0}
    assert {r["key"] for r in told["rules"]} >= {"terrain.flood.barrier_way", "terrain.flood.told_barrier"}
    layers = {name for name, _ in pyogrio.list_layers(valley / "flood.gpkg")}
    assert layers == {"extent", "low_but_not_connected", "levels", "look_at", "widths", "result"}
    extent = gpd.read_file(valley / "flood.gpkg", layer="extent")
    assert extent.crs.to_epsg() == 4490 and crs.area_m2(extent.geometry).sum() == pytest.approx(told["area_m2"])
    with rasterio.open(valley / "depth.tif") as image:
        depth = image.read(1, masked=True)
        assert image.tags()["VERTICAL_DATUM"] == "1985国家高程基准" and image.crs.to_epsg() == 4545
    assert depth.max() == pytest.approx(3, abs=0.01) and (~depth.mask).sum() * CELL**2 == pytest.approx(
        800_000, rel=1e-3
    )


def test_high_water_marks_on_both_banks(flooded: Told, valley: Path) -> None:
    random = np.random.default_rng(3)
    x, off = random.uniform(50, 1950, 40), random.uniform(-90, 90, 40)
    level = 103 - x * 1e-3 + random.normal(0, 0.05, 40)
    level[7] += 2  # misread
    points = gpd.points_from_xy(*degrees(np.column_stack([EAST + x, NORTH - 300 + off])).T)
    gpd.GeoDataFrame({"水位": level}, geometry=points, crs=4490).to_file(valley / "marks.gpkg")
    told = flooded(valley, "--vertical-datum", "1985", levels="marks.gpkg")
    assert told["levels"]["profile"] == "fitted_falling" and told["levels"]["left_out_rms_m"] < 0.5
    observed = told["observed"]
    assert all(o["wet"] for o in observed)
    # the levels of the profile are the levels of the surface at the marks
    assert max(abs(o["ground_m"] + o["depth_m"] - o["profile_m"]) for o in observed) < 0.01
    assert [i for i, o in enumerate(observed) if abs(o["residual_m"]) > 0.5] == [7]


def test_a_person_reads_levels_in_words(valley: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = gpd.points_from_xy(*degrees([(EAST + x, NORTH - 300) for x in (100, 900, 1900)]).T)
    gpd.GeoDataFrame({"水位": [102.9, 102.1, 101.1]}, geometry=points, crs=4490).to_file(valley / "marks.gpkg")
    for levels, words in (("levels.csv", "按给定值 as given"), ("marks.gpkg", "拟合下降水面线 fitted")):
        asked = (str(valley / "dem.tif"), "--axis", str(valley / "axis.gpkg"), "--levels", str(valley / levels))
        assert (
            _run(["terrain", "flood", *asked, "--vertical-datum", "1985", "--out", str(valley / f"{levels}.gpkg")]) == 0
        )
        shown = capsys.readouterr().out
        assert words in shown and ("留一误差" in shown) == (levels == "marks.gpkg") and "nan" not in shown


def test_levee_lines_hold_what_the_dem_does_not_show(flooded: Told, valley: Path) -> None:
    crest = shapely.LineString(
        [(*xy, z) for xy, z in zip(degrees([(EAST, NORTH - 402), (EAST + 2000, NORTH - 402)]), (104, 102), strict=True)]
    )
    gpd.GeoDataFrame({"name": ["右堤"]}, geometry=[crest], crs=4490).to_file(valley / "levees.gpkg")
    told = flooded(valley, "--vertical-datum", "1985", "--levees", str(valley / "levees.gpkg"))
    assert told["area_m2"] == pytest.approx(2000 * 200, rel=2e-2) and len(told["low_but_not_connected"]) == 2
    flat = gpd.GeoDataFrame({"name": ["右堤"]}, geometry=[shapely.force_2d(crest)], crs=4490)
    flat.to_file(valley / "levees.gpkg")
    told = flooded(valley, "--vertical-datum", "1985", "--levees", str(valley / "levees.gpkg"))
    assert "1 levee lines of levees.gpkg have no crest height" in " ".join(told["said"])


def test_the_corridor_grows_until_the_water_stays_inside(flooded: Told, tmp_path: Path) -> None:
    """A river at the foot of a floor 6 km wide: the first window ends 1.5 km from it."""
    _, y = np.meshgrid((np.arange(300) + 0.5) * 20, (np.arange(400) + 0.5) * 20)
    z = np.where(y < 6000, 100.0, 110.0).astype(np.float32)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": 400, "width": 300, "crs": "EPSG:4545"}
    with rasterio.open(tmp_path / "dem.tif", "w", transform=Affine(20, 0, EAST, 0, -20, NORTH), **profile) as image:
        image.write(z, 1)
    line = shapely.LineString(degrees([(EAST, NORTH - 300), (EAST + 6000, NORTH - 300)]))
    gpd.GeoDataFrame({"name": ["r"]}, geometry=[line], crs=4490).to_file(tmp_path / "axis.gpkg")
    (tmp_path / "levels.csv").write_text("at_m,level_m\n0,102\n6000,102\n")
    told = flooded(tmp_path, "--vertical-datum", "1985")
    assert told["area_m2"] == pytest.approx(6000 * 6000, rel=1e-3)


def test_constant_beyond_the_levels_reads_the_whole_axis(flooded: Told, valley: Path) -> None:
    (valley / "levels.csv").write_text("at_m,level_m\n900,102.1\n1000,102\n")
    told = flooded(valley, "--vertical-datum", "1985")
    assert told["area_m2"] == pytest.approx(100 * 400, rel=6e-2) and "for want of levels" in " ".join(told["said"])
    told = flooded(valley, "--vertical-datum", "1985", "--constant-beyond")
    assert told["levels"]["constant_beyond"] and told["widths"][-1]["to_m"] == pytest.approx(2000, abs=1)


@pytest.mark.parametrize(
    ("more", "levels", "code", "words"),
    [
        ((), "levels.csv", 3, "vertical datum"),
        (("--vertical-datum", "1985", "--dem-datum", "1956黄海"), "levels.csv", 3, "1956"),
        (("--vertical-datum", "1985"), "nothing.csv", 3, "level_m"),
        (("--vertical-datum", "1985"), "text.csv", 3, "no height in metres"),
        (("--vertical-datum", "1985", "--river-id", "R9"), "levels.csv", 3, "river_id"),
        (("--vertical-datum", "1985", "--depth", "depth.png"), "levels.csv", 2, "GeoTIFF"),
    ],
)
def test_what_cannot_be_compared_or_read_is_refused(
    capsys: pytest.CaptureFixture[str], valley: Path, more: tuple[str, ...], levels: str, code: int, words: str
) -> None:
    (valley / "nothing.csv").write_text("at_m,x\n0,103\n2000,101\n")
    (valley / "text.csv").write_text("at_m,level_m\n0,103\n2000,dry\n")
    asked = (str(valley / "dem.tif"), "--axis", str(valley / "axis.gpkg"), "--levels", str(valley / levels))
    assert _run(["terrain", "flood", *asked, "--out", str(valley / "flood.gpkg"), *more]) == code
    assert words in capsys.readouterr().err and not (valley / "flood.gpkg").exists()


def test_an_unknown_datum_that_is_insisted_on_stands_in_the_result(flooded: Told, valley: Path) -> None:
    told = flooded(valley, "--accept-unknown-datum")
    assert told["vertical_datum"] == "unknown" and "insisted" in " ".join(told["said"])
    told = flooded(valley, "--vertical-datum", "吴淞", "--dem-datum", "1985", "--accept-unknown-datum")
    assert "吴淞高程" in " ".join(told["said"])
