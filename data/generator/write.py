"""Writes the county: GeoPackage layers in EPSG:4490, GeoJSON deliveries, the terrain and ``truth.json``."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from affine import Affine

from .frame import METRIC, STORAGE, to_storage
from .rivers import Row

FIXED_TIME = "2026-05-20T00:00:00.000Z"
STAMP = "虚构演示数据 fictitious demonstration data"
VERTICAL = "1985国家高程基准（虚构）"

COLUMNS = {
    "admin_unit": "code name level parent_code",
    "river": "code name name_en kind grade",
    "reach": "code river_code seq kind from_node to_node from_m to_m half_width_m covered name",
    "water_area": "code river_code kind name",
    "bank_line": "code reach_code bank",
    "levee": "code river_code bank grade design_return_period_a",
    "boundary_line": "code river_code bank line_type basis announce_gov announce_doc_no announced_on valid_from "
                     "valid_to survey_scale xy_error_m from_m to_m version_code",
    "boundary_area": "code version_code river_code",
    "function_zone": "code river_code bank zone_type from_m to_m",
    "stake": "code river_code bank kind at_m status",
    "intake": "code name river_code kind",
    "source_zone": "code intake_code zone_class part doc_no approved_by valid_from valid_to name",
    "outfall": "code name class_1 approval_kind approval_no approved_on river_code status",
    "candidate": "code kind subtype_hint name_hint source seen_at feed image_before image_after",
    "candidate_point": "code kind subtype_hint name_hint source seen_at feed accuracy_m",
    "cloud": "kind taken_on",
    "permit": "code name kind allows doc_no issued_by valid_from valid_to position_kind from_m to_m bank river_code",
    "landmark": "code name river_code at_m kind",
    "chief": "code name level title unit_code",
    "duty": "code chief_code river_code from_m to_m bank level valid_from valid_to",
}  # fmt: skip
TABLES = ("chief", "duty")


def frame(layer: str, rows: list[Row]) -> pd.DataFrame:
    """Rows of a layer with its columns in order, geometry in EPSG:4490."""
    columns = COLUMNS[layer].split()
    table = pd.DataFrame([{c: row.get(c) for c in columns} for row in rows], columns=columns)
    for column in table.columns:
        if table[column].isna().all() or table[column].map(lambda v: isinstance(v, str)).any():
            table[column] = table[column].astype("string")
    if layer in TABLES:
        return table
    shapes = [to_storage(row["geometry"]) for row in rows]  # type: ignore[arg-type]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=STORAGE)


def geopackage(path: Path, layers: dict[str, list[Row]]) -> None:
    """All layers in one file, with a fixed time stamp so that the same county gives the same bytes."""
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_TIME})
    for name, rows in layers.items():
        table = frame(name, rows)
        kinds = {"permit": "MultiPolygon", "candidate": "Polygon"}
        options = {"layer": name, "driver": "GPKG", "append": path.exists()}
        if name not in TABLES:
            options["geometry_type"] = kinds.get(name) or table.geometry.iloc[0].geom_type
            options["layer_options"] = {"DESCRIPTION": STAMP, "SPATIAL_INDEX": "NO"}
        pyogrio.write_dataframe(table, path, **options)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def geojson(path: Path, layer: str, rows: list[Row], extra: Row) -> None:
    """A GeoJSON file in CGCS2000 longitude and latitude (RFC 7946 readers take it for WGS 84: 0.1 m apart at most)."""
    table = frame(layer, rows)
    features = []
    for row, shape in zip(table.drop(columns="geometry").to_dict("records"), table.geometry, strict=True):
        geometry = json.loads(shapely.to_geojson(shape))
        properties = {k: None if v is pd.NA or v is None else v for k, v in row.items()}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    head = {"type": "FeatureCollection", "name": path.stem,
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}, **extra}  # fmt: skip
    body = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{opening}, "features": [\n{body}\n]}}\n', encoding="utf-8", newline="\n")


def dem(path: Path, z: np.ndarray, transform: Affine) -> None:
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": z.shape[0], "width": z.shape[1],
               "crs": METRIC, "transform": transform, "compress": "deflate", "predictor": 3, "zlevel": 9, "tiled": True,
               "blockxsize": 256, "blockysize": 256, "nodata": -9999.0}  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(z, 1)
        dataset.update_tags(VERTICAL_DATUM=VERTICAL, UNIT="metre", NOTE=STAMP)
        dataset.set_band_description(1, "elevation_m")


def truth(path: Path, content: Row) -> None:
    path.write_text(json.dumps(_plain(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _plain(value: object) -> object:
    """NumPy numbers as Python numbers."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
