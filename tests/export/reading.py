"""Exported files read back: attributes, shapes and system, whatever the format."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely


def read(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    """Rows by code, with shapes in the file's system (of tables and drawings: the one they were asked for)."""
    reader = {".csv": _csv, ".xlsx": _xlsx, ".dxf": _dxf, ".parquet": _parquet}.get(path.suffix, _gdal)
    return reader(path, layer, crs).sort_values("code").reset_index(drop=True)


def _gdal(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    inside = f"/vsizip/{path}" if path.suffix == ".zip" else str(path)
    [(name, _)] = pyogrio.list_layers(inside)
    frame = pyogrio.read_dataframe(inside, layer=name)
    frame = frame.drop(columns=[c for c in ("id", "gml_id", "fid") if c in frame])
    return frame.rename(columns={"Name": "name"})  # KML has a place of its own for names


def _parquet(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    return gpd.read_parquet(path)


def _csv(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    frame = pd.DataFrame([{k: plain(v) or None for k, v in r.items()} for r in rows])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries.from_wkt(frame["wkt"]), crs=crs)


def plain(text: str) -> str:
    """What stood before formulas were made inert."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20") else text


def _xlsx(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    book = openpyxl.load_workbook(path)
    tables = {s.title: pd.DataFrame(list(s.values)[1:], columns=[c.value for c in s[1]]) for s in book}
    places = tables["坐标表 coordinates"]
    geographic = "X(北,m)" not in places
    x, y = ("经度", "纬度") if geographic else ("Y(东,m)", "X(北,m)")
    if "部分" not in places:
        frame = places.drop(columns=["点号/桩号"])
        return gpd.GeoDataFrame(_texts(frame), geometry=gpd.points_from_xy(places[x], places[y]), crs=crs)
    attributes = tables["属性 attributes"]
    shapes = [_shape(rows, x, y) for _, rows in places.groupby("点号/桩号", sort=False)]
    codes = list(places["点号/桩号"].unique())
    return gpd.GeoDataFrame(_texts(attributes.set_index("code").loc[codes].reset_index()), geometry=shapes, crs=crs)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(lambda v: plain(v) if isinstance(v, str) else v)


def _shape(rows: pd.DataFrame, x: str, y: str) -> Any:
    parts = []
    for _, part in rows.groupby("部分"):
        rings = [list(zip(r[x], r[y], strict=True)) for _, r in part.groupby("环")]
        parts.append(shapely.LineString(rings[0]) if part["环"].iloc[0] == 0 else shapely.Polygon(rings[0], rings[1:]))
    return parts[0] if parts[0].geom_type == "LineString" else shapely.MultiPolygon(parts)


def _dxf(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    doc = ezdxf.readfile(path)
    assert not doc.audit().errors
    found: dict[str, dict[str, Any]] = {}
    rings: dict[str, list[list[Any]]] = {}
    for entity in doc.modelspace().query(f'*[layer=="{layer}"]'):
        values = dict(t.value.partition("=")[::2] for t in entity.get_xdata("RIVERGIS") if "=" in t.value)
        code = values["code"]
        found.setdefault(code, {k: v for k, v in values.items() if k != "ring"})
        if entity.dxftype() == "POINT":
            found[code]["geometry"] = shapely.Point(entity.dxf.location.x, entity.dxf.location.y)
        elif not entity.closed:
            found[code]["geometry"] = shapely.LineString([p[:2] for p in entity.get_points()])
        else:
            outline = [p[:2] for p in entity.get_points()]
            (rings.setdefault(code, []).append([outline]) if "ring" not in values else rings[code][-1].append(outline))
    for code, polygons in rings.items():
        found[code]["geometry"] = shapely.MultiPolygon([shapely.Polygon(p[0], p[1:]) for p in polygons])
    return gpd.GeoDataFrame(list(found.values()), geometry="geometry", crs=crs)
