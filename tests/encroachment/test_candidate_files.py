"""Candidates out of files: near ones handed out in metres, the rest counted, nothing lost; GeoParquet streamed by its boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from rivergis import crs
from rivergis.boundary.ground.pieces import cut
from rivergis.boundary.ground.zoned import Zoned, one_zone, zoned
from rivergis.encroachment import candidate_files, parquet_files
from rivergis.encroachment.candidate_files import Candidates, open_candidates
from rivergis.encroachment.pairs import pairs
from rivergis.errors import CrsRefused, InputError
from rivergis.intake.delivery import Asked

LON, LAT = 106.5, 29.6  # on the border of the zones of 105 and 108 degrees E


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few hundred rows are streamed too, in several pieces."""
    monkeypatch.setattr(parquet_files, "ROWS", 100)
    monkeypatch.setattr(parquet_files, "_BATCH", 64)
    monkeypatch.setattr(parquet_files, "_CHUNK", 150)


@pytest.fixture(scope="module")
def areas() -> gpd.GeoSeries:
    """Two reaches along a bending river that crosses the border of two zones.

    ~~~[0]~~~ | ~~~[1]~~~
    """
    lon = np.linspace(LON - 0.04, LON + 0.04, 800)
    lat = LAT + 0.003 * np.sin((lon - LON) * 200)
    river = np.column_stack([lon, lat])
    return gpd.GeoSeries([shapely.LineString(p).buffer(0.0008) for p in (river[:400], river[399:])], crs=crs.STORAGE)


@pytest.fixture(scope="module")
def ground(areas: gpd.GeoSeries) -> Zoned:
    return zoned(areas)


@pytest.fixture(scope="module")
def things() -> gpd.GeoDataFrame:
    """Houses and points around the river, most far from it, and one without geometry."""
    rng = np.random.default_rng(2)
    at = rng.uniform([LON - 0.08, LAT - 0.08], [LON + 0.08, LAT + 0.08], (900, 2))
    shapes = shapely.box(*np.hstack([at, at + rng.uniform(1e-4, 6e-4, at.shape)]).T)
    shapes[::50] = shapely.points(at[::50])
    shapes[7] = None
    kinds = rng.choice(["building", "dump"], len(at))
    return gpd.GeoDataFrame({"id": [f"c{i}" for i in range(len(at))], "kind": kinds}, geometry=shapes, crs=crs.STORAGE)


def written(frame: gpd.GeoDataFrame, path: Path, boxes: np.ndarray | str | None = "own", single: bool = False) -> Path:
    """A GeoParquet 1.1 file in row groups of 200, with bbox columns or without."""
    shapes = frame.geometry.to_numpy()
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": [], "crs": frame.crs and frame.crs.to_json_dict()}
    table = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns=frame.geometry.name)), preserve_index=False)
    if boxes is not None:
        given = shapely.bounds(shapes) if isinstance(boxes, str) else boxes
        sides = [
            pa.array(given[:, i].astype(np.float32 if single else float), mask=np.isnan(given[:, i])) for i in range(4)
        ]
        table = table.append_column("bbox", pa.StructArray.from_arrays(sides, names=["xmin", "ymin", "xmax", "ymax"]))
        column["covering"] = {"bbox": {s: ["bbox", s] for s in ("xmin", "ymin", "xmax", "ymax")}}
    table = table.append_column("geometry", pa.array(shapely.to_wkb(shapes), pa.binary()))
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path, row_group_size=200)
    return path


def found(candidates: Candidates, ground: Zoned) -> dict[tuple[str, int], float]:
    """Pairs of candidate and area with their m2; the file is accounted for to the last row."""
    told = {}
    for chunk in candidates.near(ground):
        assert chunk.frame.crs == ground.zones[chunk.zone]
        assert (chunk.frame["id"] == [f"c{i}" for i in chunk.frame.index]).all()
        p = pairs(chunk.frame.geometry.to_numpy(), ground.pieces[chunk.zone])
        told |= {
            (chunk.frame["id"].iloc[c], int(a)): m2 for c, a, m2 in zip(p.candidate, p.area, p.area_m2, strict=True)
        }
    assert candidates.handed + candidates.outside + len(candidates.aside) == candidates.count
    return told


def plainly(things: gpd.GeoDataFrame, areas: gpd.GeoSeries) -> dict[tuple[str, int], float]:
    """The same without pieces, squares and files: each candidate in the zone of its own centre."""
    told = {}
    for name, shape in zip(things["id"], things.geometry, strict=True):
        if shape is not None:
            west, south, east, north = shape.bounds
            zone = crs.metric_crs((west + east) / 2, (south + north) / 2)
            here, there = gpd.GeoSeries([shape], crs=things.crs).to_crs(zone).iloc[0], areas.to_crs(zone)
            told |= {(name, k): here.intersection(a).area for k, a in enumerate(there) if here.intersects(a)}
    return told


def same(a: dict[tuple[str, int], float], b: dict[tuple[str, int], float], within_m2: float = 1e-6) -> bool:
    return a.keys() == b.keys() and max(abs(a[k] - b[k]) for k in a) < within_m2


def test_a_streamed_file_gives_the_plain_answer(
    things: gpd.GeoDataFrame, areas: gpd.GeoSeries, ground: Zoned, tmp_path: Path
) -> None:
    candidates = open_candidates(written(things, tmp_path / "c.parquet"))
    assert parquet_files.streamed(candidates.opened)
    told = found(candidates, ground)
    assert len({a for _, a in told}) == 2 and len(ground.zones) == 2
    assert same(told, plainly(things, areas))
    assert candidates.outside > 500
    assert found(candidates, ground) == told  # a second reading counts anew


@pytest.mark.parametrize("how", ["without", "single", "metric", "wgs84", "raised"])
def test_however_the_file_is_written_the_answer_is_the_same(
    how: str, things: gpd.GeoDataFrame, ground: Zoned, areas: gpd.GeoSeries, tmp_path: Path
) -> None:
    frame = {"metric": things.to_crs(4544), "wgs84": things.set_crs(4326, allow_override=True)}.get(how, things)
    if how == "raised":
        frame = things.set_geometry(shapely.force_3d(things.geometry.to_numpy(), 3.0)).set_crs(crs.STORAGE)
    path = written(frame, tmp_path / "c.parquet", None if how == "without" else "own", single=how == "single")
    candidates = open_candidates(path)
    assert parquet_files.streamed(candidates.opened)
    assert same(found(candidates, ground), plainly(things, areas))


@pytest.mark.parametrize("form", ["c.geojson", "c.shp"])
def test_other_formats_come_through_the_door(
    form: str, things: gpd.GeoDataFrame, areas: gpd.GeoSeries, ground: Zoned, tmp_path: Path
) -> None:
    houses = things[things.geom_type == "Polygon"].reset_index(drop=True)
    houses["id"] = [f"c{i}" for i in houses.index]
    houses.to_file(tmp_path / form)
    candidates = open_candidates(tmp_path / form)
    told = {}
    for chunk in candidates.near(ground):
        p = pairs(chunk.frame.geometry.to_numpy(), ground.pieces[chunk.zone])
        told |= {
            (chunk.frame["id"].iloc[c], int(a)): m2 for c, a, m2 in zip(p.candidate, p.area, p.area_m2, strict=True)
        }
    assert same(told, plainly(houses, areas), 1e-3)  # GeoJSON keeps seven digits
    assert candidates.handed + candidates.outside == candidates.count == len(houses)


def test_one_zone_serves_for_all_where_the_pieces_are_in_one(
    things: gpd.GeoDataFrame, areas: gpd.GeoSeries, tmp_path: Path
) -> None:
    zone = crs.metric_crs(105.0, LAT)
    ground = one_zone(cut(areas.to_crs(zone).to_numpy()), zone)
    told = found(open_candidates(written(things.to_crs(zone), tmp_path / "c.parquet")), ground)
    shapes, whole = things.to_crs(zone).geometry, areas.to_crs(zone)
    plain = {
        (things["id"][i], k): s.intersection(a).area
        for i, s in enumerate(shapes)
        for k, a in enumerate(whole)
        if s is not None and s.intersects(a)
    }
    assert same(told, plain)


def test_boxes_that_lie_are_said_and_not_believed(
    things: gpd.GeoDataFrame, areas: gpd.GeoSeries, ground: Zoned, tmp_path: Path
) -> None:
    """bbox columns of another version of the file: a district away."""
    candidates = open_candidates(
        written(things, tmp_path / "c.parquet", shapely.bounds(things.geometry.to_numpy()) + 0.2)
    )
    assert "bbox_columns_wrong" in [n["code"] for n in candidates.notes]
    assert same(found(candidates, ground), plainly(things, areas))


def test_shifted_coordinates_are_taken_back_when_asked(
    things: gpd.GeoDataFrame, areas: gpd.GeoSeries, ground: Zoned, tmp_path: Path
) -> None:
    def shift(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(crs.wgs84_to_gcj02(xy[:, 0], xy[:, 1]))

    moved = things.set_geometry(shapely.transform(things.geometry.to_numpy(), shift)).set_crs(4326, allow_override=True)
    path = written(moved, tmp_path / "c.parquet")
    assert same(found(open_candidates(path, Asked(datum="gcj02")), ground), plainly(things, areas), 1e-3)


def test_what_cannot_be_used_is_set_aside_with_its_reason(
    things: gpd.GeoDataFrame, ground: Zoned, tmp_path: Path
) -> None:
    path = written(things, tmp_path / "c.parquet")
    table = pq.read_table(path)
    wkb = table["geometry"].to_pylist()
    near = next(c.frame.index[0] for c in open_candidates(path).near(ground) if len(c.frame))
    wkb[near] = b"\x01\x03\x00\x00\x00nothing"
    wkb[12] = shapely.to_wkb(shapely.box(LON - 1, LAT - 1, LON + 1, LAT + 1))
    boxes = table["bbox"].to_pylist()
    boxes[12] = dict(zip(("xmin", "ymin", "xmax", "ymax"), (LON - 1, LAT - 1, LON + 1, LAT + 1), strict=True))
    for name, values in (("geometry", pa.array(wkb, pa.binary())), ("bbox", pa.array(boxes, table["bbox"].type))):
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path, row_group_size=200)
    candidates = open_candidates(path)
    found(candidates, ground)
    assert {f: code for f, (code, _) in candidates.aside.items()} == {
        near: "geometry_unreadable",
        12: candidate_files.TOO_WIDE,
    }


def test_a_candidate_without_geometry_is_handed_out(things: gpd.GeoDataFrame, ground: Zoned, tmp_path: Path) -> None:
    told = [c.frame for c in open_candidates(written(things, tmp_path / "c.parquet")).near(ground)]
    assert [name for frame in told for name in frame["id"][frame.geometry.isna()]] == ["c7"]


def test_around_takes_in_what_is_close(
    things: gpd.GeoDataFrame, areas: gpd.GeoSeries, ground: Zoned, tmp_path: Path
) -> None:
    candidates = open_candidates(written(things, tmp_path / "c.parquet"))
    handed = {i for chunk in candidates.near(ground, around_m=800.0) for i in chunk.frame.index}
    close = things.to_crs(4544).distance(areas.to_crs(4544).union_all()) <= 800.0
    assert set(np.flatnonzero(close)) <= handed


def test_a_place_that_is_not_certain_is_refused(things: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = written(things, tmp_path / "c.parquet")
    with pytest.raises(CrsRefused, match="Xian 1980"):
        open_candidates(path, Asked(crs="EPSG:2334"))
    with pytest.raises(InputError, match="has no layer"):
        open_candidates(path, Asked(layer="houses"))
    nameless = things.to_crs(4544).set_crs(None, allow_override=True)
    with pytest.raises(CrsRefused, match="--crs EPSG"):
        open_candidates(written(nameless, tmp_path / "d.parquet"))


def test_a_table_without_places_and_a_broken_file_are_refused(
    things: gpd.GeoDataFrame, ground: Zoned, tmp_path: Path
) -> None:
    pd.DataFrame({"id": ["a"], "kind": ["dump"]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="no geometry"):
        open_candidates(tmp_path / "t.csv")
    path = written(things, tmp_path / "c.parquet")
    candidates = open_candidates(path)
    data = bytearray(path.read_bytes())
    middle = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(candidates.near(ground))
