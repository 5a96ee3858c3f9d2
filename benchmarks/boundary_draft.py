"""Drafts of boundary lines against answers: a line computed by hand, three rule sets, a whole county, floods on real ground.

Run: .venv/bin/python benchmarks/boundary_draft.py [COUNTY ...]
COUNTY: folders with reaches, levees, water, counties, boundaries (lines) and params.json, such as the clean synthetic county of
the line doctor's benchmark; told are the seconds and how far the drafted lines lie from the lines there, away from the ends of
reaches and levees, where smooth joins are a matter of taste. Floods: the Eno river (DEM of 10 m; heights above the stream of
another program as reference) and constructed valleys whose extent is known; shared over joint area (IoU).
"""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from rasterio import features
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent))
from flood_valleys import winding

from rivergis import crs, rules
from rivergis.boundary.drafting import files as draft_files
from rivergis.boundary.drafting import flood_files as draft_flood_files
from rivergis.boundary.drafting import rules_files as draft_rules_files
from rivergis.boundary.drafting.flood import Heights
from rivergis.boundary.drafting.flood_files import Floods, Terrain
from rivergis.boundary.drafting.frames import Reach
from rivergis.boundary.drafting.make import Sources, Work, make
from rivergis.boundary.drafting.read_files import Layer, Reading
from rivergis.river import dem_files
from rivergis.river.terrain import Dem
from rivergis.river.valley import channel_on
from rivergis.settings import gis_dir

DATA = Path(os.environ.get("RIVERGIS_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
BOOK = rules.load(gis_dir() / "rules")
TODAY = date.today()
ZONE = CRS.from_epsg(4544)


def by_hand() -> None:
    """A toe of straights and an arc of 300 m radius: the parallel is a straight, an arc of 300 + berm, a straight."""
    turn = np.linspace(-np.pi / 2, 0, 91)
    arc = np.column_stack([500 + 300 * np.cos(turn), 300 + 300 * np.sin(turn)])
    toe = np.vstack([[0, 0], [500, 0], arc[1:-1], [800, 300], [800, 900]])
    place = np.array([597_000.0, 3_253_000.0])
    for name, facts, metres in (
        ("anhui", {"levee_place": "other"}, 10),
        ("anhui", {"levee_place": "main_stem"}, 20),
        ("anhui", {"levee_place": "yangtze_large"}, 30),
        ("tibet", {"design_return_period_a": 20}, 20),
        ("tibet", {"design_return_period_a": 100}, 50),
        ("jiangsu", {"levee_name": "望虞河"}, 20),
        ("jiangsu", {"levee_name": "洪泽湖"}, 50),
    ):
        reach = Reach("R", shapely.LineString(place + toe + [-60, 60]))
        view = draft_rules_files.view_of(BOOK, name, TODAY)
        work = Work(0, "right", shapely.LineString(place + toe), facts, {"layer": "by hand"})
        line = make(Sources([reach], works=[work]), lambda _, v=view: v, ZONE).lines.geometry.iloc[0]
        fine = np.linspace(-np.pi / 2, 0, 2000)
        beyond = 300 + metres
        outer = np.column_stack([500 + beyond * np.cos(fine), 300 + beyond * np.sin(fine)])
        hand = shapely.LineString(place + np.vstack([[0, -metres], outer, [800 + metres, 900]]))
        away = shapely.hausdorff_distance(line, hand, densify=0.01)
        nearest = shapely.distance(shapely.points(shapely.get_coordinates(line)), shapely.LineString(place + toe)).min()
        print(
            f"{name} {facts}: {metres} m; farthest from the line by hand {away:.3f} m, nearest to the toe {nearest:.3f} m"
        )


def county(folder: Path) -> None:
    asked = draft_files.Asked(
        folder / "reaches.gpkg",
        str(folder / "params.json"),
        levees=folder / "levees.gpkg",
        water=folder / "water.gpkg",
        counties=folder / "counties.gpkg",
    )
    begun, used = time.perf_counter(), time.process_time()
    made = draft_files.draft(asked, BOOK)
    took, cpu = time.perf_counter() - begun, time.process_time() - used
    told = made.summary
    print(
        f"{folder.name}: {told['reaches']} reaches, {told['lines']} lines, {told['area_m2'] / 1e6:.1f} km2 in {took:.1f} s ({cpu:.1f} s of one core); notes {told['notes']}"
    )
    away = _against(folder, made)
    print(
        f"  against {len(away):,} places of its lines: median {away.median():.3f} m, 95 % within {away.quantile(0.95):.3f} m, "
        f"within 0.1 m {(away <= 0.1).mean():.2%}, within 1 m {(away <= 1).mean():.3%}, largest {away.max():.2f} m"
    )


def _against(folder: Path, made: draft_files.Drafted) -> pd.Series:
    """Distance of places on the lines of a county to the drafted lines, 180 m off reach ends and 90 m off levee ends."""
    names = ("reaches.gpkg", "levees.gpkg")
    true = gpd.read_file(folder / "boundaries.gpkg", layer="lines")
    system = crs.local_crs(*crs.centre(crs.to_storage(true)))
    reaches, levees = (gpd.read_file(folder / n).to_crs(system) for n in names)
    true, lines = true.to_crs(system), made.lines.to_crs(system)
    axes = reaches.set_index("reach_id").geometry
    away: list[np.ndarray] = []
    for (code, bank), rows in true[true["basis"] != "road"].groupby(["reach_id", "bank"]):
        mine = lines[(lines["reach_code"] == code) & (lines["bank"] == {"L": "left", "R": "right"}[bank])]
        own = levees[(levees["reach_id"] == code) & (levees["bank"] == bank)]
        whole, axis = shapely.union_all(mine.geometry), axes[code]
        for line in rows.geometry:
            points = shapely.line_interpolate_point(line, np.arange(5, line.length, 10.0))
            at = shapely.line_locate_point(axis, points)
            core = (at > 180) & (at < axis.length - 180)
            for end in (*own["from_m"], *own["to_m"]):
                core &= np.abs(at - end) > 90
            away.append(shapely.distance(whole, points[core]))
    return pd.Series(np.concatenate(away))


def floods(dem: Dem, axis: shapely.LineString, at_m: np.ndarray, level_m: np.ndarray, system: CRS) -> Floods:
    """The lines of one river's flood."""
    line = shapely.transform(axis, crs.out_of_storage(system))
    scale = line.length / crs.length_m(axis)
    table = pd.DataFrame({"reach_code": "R", "at_m": at_m * scale, "level_m": level_m, "vertical_datum": "1985"})
    heights = Heights(dem.name, dem.cell_m, "1985国家高程基准", lambda lonlat, margin: (dem, True))
    view = draft_rules_files.view_of(BOOK, "national", TODAY)
    terrain = Terrain(heights, dem_files.datum_named)
    return draft_flood_files.floods(
        terrain, Layer(table, {"layer": "levels"}), [Reach("R", line)], view, system, Reading()
    )


def valleys() -> None:
    for seed in range(3):
        dem, axis, true = winding(450, 800, 4.0, seed)
        labels, _ = ndimage.label(true > dem.z_m)
        channel = channel_on(dem, axis)
        reached = np.isin(labels, np.unique(labels[channel.cells & (labels > 0)]))
        row, column = channel.cell_of(dem.shape)
        done = floods(dem, axis, channel.over_at_m, true[row, column].astype(float), CRS(dem.crs))
        print(
            f"{dem.name} (cells of 4 m): drafted area against the known extent, islands inside: IoU {_iou(dem, done.extents, ndimage.binary_fill_holes(reached)):.3f}"
        )


def _iou(dem: Dem, extents: list[shapely.MultiPolygon], reference: np.ndarray, on: np.ndarray | None = None) -> float:
    mine = features.rasterize(extents, dem.shape, transform=dem.affine).astype(bool)
    on = np.ones_like(mine) if on is None else on
    return float((mine & reference & on).sum() / ((mine | reference) & on).sum())


def eno(folder: Path) -> None:
    dem = dem_files.read(folder / "eno_dem.tif")
    streams = crs.to_storage(gpd.read_file(folder / "eno_reference_streams.gpkg", layer="stream_net"))
    streams = streams.set_index("LINKNO")
    links = [streams[streams["DSLINKNO"] < 0]["DSContArea"].idxmax()]
    while len(up := streams[streams["DSLINKNO"] == links[-1]]):
        links.append(up["DSContArea"].idxmax())
    axis = shapely.line_merge(shapely.MultiLineString(list(streams.geometry.loc[links])))
    if shapely.distance(shapely.get_point(axis, -1), streams.geometry[links[0]]) > 0:
        axis = axis.reverse()
    channel = channel_on(dem, axis)
    bed = np.minimum.accumulate(dem.z_m[channel.cell_of(dem.shape)])
    height = dem_files.read(folder / "ref_dinf_vertical_drop_to_stream_ave.tif").z_m
    own = np.isin(dem_files.read(folder / "ref_subwatersheds.tif").z_m, streams.loc[links, "WSNO"]) & ~np.isnan(height)
    system = crs.local_crs(*crs.centre(streams))
    into = crs.into_storage(system)
    for above in (1.0, 2.0, 3.0):
        done = floods(dem, axis, channel.over_at_m, (bed + above).astype(float), system)
        extents = [shapely.transform(shapely.transform(e, into), crs.out_of_storage(dem.crs)) for e in done.extents]
        on = own & _beside(dem, axis)
        score = _iou(dem, extents, (height <= above) & own, on)
        print(
            f"Eno river, bed + {above:g} m (cells of {dem.cell_m:.1f} m, 示意): against height above stream <= {above:g} m: IoU {score:.3f}"
        )


def _beside(dem: Dem, axis: shapely.LineString) -> np.ndarray:
    """Cells whose nearest place of the axis is not one of its ends."""
    row, column = np.indices(dem.shape)
    lonlat = crs.into_storage(dem.crs)(dem.xy_of(row.ravel(), column.ravel()))
    at = shapely.line_locate_point(axis, shapely.points(lonlat), normalized=True)
    return np.asarray(((at > 0) & (at < 1)).reshape(dem.shape))


if __name__ == "__main__":
    by_hand()
    for argument in sys.argv[1:]:
        county(Path(argument))
    valleys()
    if (DATA / "dem_flow_eno").is_dir():
        eno(DATA / "dem_flow_eno")
