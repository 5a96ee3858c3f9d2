"""What was imported comes out of every format equal to 1 mm and with all its attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.maps import export
from tests.export.conftest import LONG, ZONE, lines_drawn, points, send, waters
from tests.export.reading import read

ANY_SYSTEM = [e for e, form in export.FORMATS.items() if not form.fixed]
DEGREES = [e for e, form in export.FORMATS.items() if form.fixed]
TYPED = [".gpkg", ".parquet", ".fgb"]
MM = 0.001


def distance_m(frame: gpd.GeoDataFrame, original: list[Any]) -> float:
    """The largest distance between vertices read and vertices imported, in metres of the survey's zone."""
    brought = frame.to_crs(ZONE).geometry
    assert list(shapely.get_num_coordinates(brought.values)) == list(shapely.get_num_coordinates(original))
    gap = shapely.get_coordinates(brought.values) - shapely.get_coordinates(original)
    return float(np.hypot(gap[:, 0], gap[:, 1]).max())


@pytest.mark.parametrize("ending", ANY_SYSTEM)
@pytest.mark.parametrize("crs", [f"EPSG:{ZONE}", "EPSG:4490", "EPSG:4523"])
@pytest.mark.parametrize("layer", ["outfall", "reach", "water_area"])
def test_shapes_come_out_equal_to_1_mm(filled: Database, tmp_path: Path, ending: str, crs: str, layer: str) -> None:
    # EPSG:4523: the same zone with its number before the easting
    out = tmp_path / f"x{ending}"
    done = send(filled, layer, out, crs=crs)
    original = {"outfall": list(points().geometry), "reach": lines_drawn(), "water_area": waters()}[layer]
    frame = read(out, layer, crs)
    assert done.count == len(frame) == len(original)
    assert done.files[0]["crs"] == crs
    assert distance_m(frame, ordered(original, frame)) < MM


def ordered(original: list[Any], frame: gpd.GeoDataFrame) -> list[Any]:
    """Rings turn as a format demands: the vertices of areas in the order read, each met by at least one that was read."""
    if original[0].geom_type in ("Point", "LineString"):
        return original
    out = []
    for shape, back in zip(original, frame.to_crs(ZONE).geometry.values, strict=True):
        vertices = shapely.get_coordinates(shape)
        nearest = shapely.STRtree(shapely.points(vertices)).nearest(shapely.points(shapely.get_coordinates(back)))
        assert len(np.unique(vertices[nearest], axis=0)) == len(np.unique(vertices, axis=0))
        assert back.area == pytest.approx(shape.area, rel=1e-6)
        out.append(shapely.multipoints(vertices[nearest]))
    return out


@pytest.mark.parametrize("ending", DEGREES)
@pytest.mark.parametrize("layer", ["outfall", "reach"])
def test_formats_with_a_system_of_their_own(filled: Database, tmp_path: Path, ending: str, layer: str) -> None:
    out = tmp_path / f"x{ending}"
    send(filled, layer, out)
    frame = read(out, layer, "EPSG:4326")
    original = {"outfall": list(points().geometry), "reach": lines_drawn()}[layer]
    assert distance_m(frame.set_crs("EPSG:4490", allow_override=True), original) < MM


@pytest.mark.parametrize("ending", export.FORMATS)
def test_attributes_come_out_as_delivered(filled: Database, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"x{ending}"
    send(filled, "outfall", out)
    frame, given = read(out, "outfall", "EPSG:4490"), points()
    flow, remark = ("设计流", "备注") if ending in (".shp", ".zip") else ("设计流量立方米每秒", "备注")
    assert list(frame["code"]) == list(given["code"])
    assert list(frame["name"]) == list(given["name"])
    assert list(frame["status"]) == list(given["status"])
    assert pd.to_numeric(frame[flow]).tolist() == pytest.approx(given["设计流量立方米每秒"].tolist(), rel=1e-14)
    assert [int(v) for v in frame["depth_mm"]] == given["depth_mm"].tolist()
    assert [int(v) for v in frame["big"]] == given["big"].tolist()
    assert [str(v)[:10] for v in frame["approved_on" if flow != "设计流" else "approved_o"]] == [
        str(v)[:10] for v in given["approved_on"]
    ]
    assert [str(v)[:19].replace("T", " ") for v in frame["seen"]] == [str(v)[:19] for v in given["seen"]]
    assert [str(v).lower() in ("true", "1", "t") for v in frame["covered"]] == given["covered"].tolist()
    wanted = given["备注"]
    if ending == ".dxf":  # a DXF string is one line, and release 2000 lacks the rarest characters
        assert list(frame[remark]) == [t.replace("\n", " ").replace("\t", " ").replace("𠮷", "〓") for t in wanted]
    elif ending in (".kml", ".gml"):  # readers of XML keep no blanks at the ends
        assert [t.strip() for t in frame[remark]] == [t.strip() for t in wanted]
    else:
        assert list(frame[remark]) == list(wanted)


@pytest.mark.parametrize("ending", TYPED)
def test_kinds_are_kept(filled: Database, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"x{ending}"
    send(filled, "outfall", out)
    frame = read(out, "outfall", "EPSG:4490")
    kinds = {c: frame[c].dtype.kind for c in ("big", "depth_mm", "covered", "设计流量立方米每秒")}
    assert (kinds["big"], kinds["depth_mm"], kinds["covered"], kinds["设计流量立方米每秒"]) == ("i", "i", "b", "f")
    assert "datetime" in str(frame["seen"].dtype)
    assert frame["长文本"].iloc[0] == LONG


@pytest.mark.parametrize("ending", export.FORMATS)
def test_a_layer_without_rows_is_a_file_of_the_right_columns(filled: Database, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"x{ending}"
    done = send(filled, "outfall", out, filter="code = 'nobody'")
    assert (done.count, done.whole) == (0, True)
    assert any("No feature" in n for n in done.notes)
    assert out.exists()
    if ending in (".gpkg", ".shp", ".fgb", ".gdb", ".geojson"):
        info = pyogrio.read_info(out)
        assert len(pyogrio.read_dataframe(out)) == 0
        assert info["geometry_type"] in ("Point", "Unknown")  # GeoJSON cannot say it of nothing
        assert "code" in info["fields"] or ending == ".geojson"


@pytest.mark.parametrize("ending", [e for e, form in export.FORMATS.items() if form.tables])
def test_layers_without_shapes(filled: Database, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"x{ending}"
    done = send(filled, "river", out)
    assert done.count == 1
    assert done.files[0]["crs"] is None
    if ending not in (".csv", ".xlsx", ".parquet"):
        frame = pyogrio.read_dataframe(out)
        assert list(frame["code"]) == ["YXH"]
