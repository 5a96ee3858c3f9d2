"""A field folder (外业数据包): what QGIS and QField take along for a district, and where reports from the place are filled in.

``data.gpkg`` holds the layers as they are (nothing generalised) with their styles, ``reports.gpkg`` is empty and comes back:
``rivergis encroachment report --from reports.gpkg --photos DCIM`` reads it. ``field.qgs`` opens both, by relative paths.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_frame
from rivergis.maps import desktop
from rivergis.maps.atlas import Layers
from rivergis.maps.features import When
from rivergis.maps.ogc import source as ogc_source
from rivergis.maps.pocket import work as pocket_work
from rivergis.maps.pocket.district import Asked, District, inside, units_of
from rivergis.maps.pocket.page import Paper
from rivergis.rules import RuleBook
from rivergis.settings import gis_dir

DATA, REPORTS, PROJECT, README = "data.gpkg", "reports.gpkg", "field.qgs", "说明.txt"
VERSION = {"VERSION": "1.2"}
"""Of GeoPackage: what QGIS 3.22 and its GDAL read without a doubt."""
_BOX = "ST_Transform(ST_MakeEnvelope(:west, :south, :east, :north, 4490), 3857)"
_STYLES = """CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
  description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)"""
_LISTED = """INSERT INTO gpkg_contents (table_name, data_type, identifier, description)
  VALUES ('layer_styles', 'attributes', 'layer_styles', 'styles of QGIS')"""
_ONE = "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, useAsDefault) VALUES ('', '', ?, 'geom', ?, ?, 1)"


def read(conn: Connection, book: RuleBook, where: District, at: When, what: Asked) -> Layers:
    """The layers of a district with the columns of the contract, and today's work."""
    names = [*what.layers, *(n for ask, n in (("intakes", "intake"), ("cases", "finding")) if ask in what.sensitive)]
    layers = {name: _layer(conn, name, where, at) for name in dict.fromkeys(names)}
    work = pocket_work.read(conn, book, where.area, at, persons="persons" in what.sensitive)
    return {name: frame for name, frame in (layers | {n: _plain(f) for n, f in work.items()}).items() if len(frame)}


def _layer(conn: Connection, name: str, where: District, at: When) -> gpd.GeoDataFrame:
    """A collection as the OGC API gives it: what is in force on the day and touches the district."""
    source = ogc_source.source(name)
    columns = ", ".join(f'{f.sql} AS "{f.name}"' for f in source.fields)
    held = " AND ".join(["s.valid @> CAST(:last AS date)", f"s.geom && {_BOX}", *source.always])
    frame = read_frame(
        conn,
        f"SELECT CAST({source.ident} AS text) AS id, {columns}, {source.shape} AS geom FROM {source.rows} WHERE {held} ORDER BY 1",
        {"last": at.on, **where.scope.corners},
    )
    return units_of(frame, frame["code"], where) if name == "admin_unit" else inside(frame, where.area)


def _plain(work: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Work as columns: label, village, how many, and the rest in words."""
    village = words.pair("pocket.village")[0]
    said = [{zh: value for zh, _, value in popup} for popup in work["popup"]]
    shapes = [shapely.multilinestrings([g]) if g.geom_type == "LineString" else g for g in work.geometry]
    rows = {
        "label": work["label"].to_list(),
        "village": [s.get(village) for s in said],
        "n": work["n"].to_list(),
        "note": ["; ".join(f"{zh} {value}" for zh, value in s.items()) for s in said],
    }
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=crs.STORAGE).rename_geometry("geom")


def write(layers: Layers, where: District, paper: Paper, folder: Path) -> dict[str, int]:
    """Write the folder; returns how many features each layer of data.gpkg has."""
    for name, frame in layers.items():
        pyogrio.write_dataframe(
            _storable(frame),
            folder / DATA,
            layer=name,
            driver="GPKG",
            geometry_type=_kind(frame),
            dataset_options=VERSION,
        )
    _styled(folder / DATA, list(layers))
    _reports(folder / REPORTS)
    (folder / "DCIM").mkdir()
    stamp = f"{paper.holder} {paper.made_at:%Y-%m-%d}制 {paper.expires_on}到期 · {words.say('pocket.note.internal')}"
    mixed = [f"{name}|geometrytype={kind}" for name in layers for kind in ("Polygon", "LineString", "Point")]
    held = {DATA: [*layers, *(m for m in mixed if _holds(layers, m))], REPORTS: ["report"]}
    project = desktop.field_project(held, stamp, where.area.bounds)
    (folder / PROJECT).write_text(project, encoding="utf-8")
    (folder / README).write_text(_readme(where, paper, layers), encoding="utf-8")
    return {name: len(frame) for name, frame in layers.items()}


def _holds(layers: Layers, name: str) -> bool:
    """Whether a layer of several kinds of shapes has some of this one."""
    layer, _, kind = name.partition("|geometrytype=")
    return bool(layers[layer].geometry.geom_type.str.endswith(kind).any())


def _kind(frame: gpd.GeoDataFrame) -> str:
    """The one kind of shape of a layer, the multiple one where there are both; else Unknown."""
    kinds = set(frame.geometry.geom_type)
    if len(kinds) == 1:
        return str(next(iter(kinds)))
    multiple = {k.removeprefix("Multi") for k in kinds}
    return f"Multi{multiple.pop()}" if len(multiple) == 1 else "Unknown"


def _storable(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What a GeoPackage can hold: moments in Beijing time without a zone, lists as text."""
    out = frame.copy()
    for column in out.columns.drop(out.geometry.name):
        if isinstance(out[column].dtype, pd.DatetimeTZDtype):
            out[column] = out[column].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M:%S")
        elif out[column].map(lambda v: isinstance(v, (list, dict))).any():
            out[column] = out[column].map(lambda v: None if v is None else str(v))
    kind = _kind(frame)
    if kind.startswith("Multi"):
        out = out.set_geometry([g if g.geom_type == kind else _multi(g) for g in out.geometry])
    return out.set_crs(crs.STORAGE, allow_override=True)


def _multi(shape: shapely.Geometry) -> shapely.Geometry:
    return {"Point": shapely.multipoints, "LineString": shapely.multilinestrings, "Polygon": shapely.multipolygons}[
        shape.geom_type
    ]([shape])


def _reports(path: Path) -> None:
    """An empty layer to fill in: kind, at (text, Beijing time), photo, note, accuracy_m; points."""
    empty = gpd.GeoDataFrame(
        {c: pd.Series(dtype=object) for c in ("kind", "at", "photo", "note")} | {"accuracy_m": pd.Series(dtype=float)},
        geometry=gpd.GeoSeries([], crs=crs.STORAGE),
    )
    pyogrio.write_dataframe(empty, path, layer="report", driver="GPKG", geometry_type="Point", dataset_options=VERSION)


def _styled(path: Path, names: list[str]) -> None:
    """Styles of the one palette inside the GeoPackage, so that a layer added by hand looks the same."""
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(_STYLES)
        conn.execute(_LISTED)
        for name in names:
            style = gis_dir() / "styles" / f"{name}.qml"
            conn.execute(_ONE, (name, name, style.read_text(encoding="utf-8")))


def _readme(where: District, paper: Paper, layers: Mapping[str, gpd.GeoDataFrame]) -> str:
    lines = [
        words.say("field.about", name=where.name, code=where.code, day=paper.day),
        f"持有人 {paper.holder} · 制作 {paper.made_at:%Y-%m-%d %H:%M} {paper.made_by} · 有效至 {paper.expires_on}",
        words.say("field.open"),
        words.say("field.fill"),
        words.say("field.back"),
        f"  rivergis encroachment report --from {REPORTS} --photos DCIM --as 用户名",
        *(words.say(f"pocket.note.{key}", mark="内部草稿") for key in ("law", "work", "internal")),
        "、".join(f"{name} {len(frame)}" for name, frame in layers.items()),
    ]
    return "\r\n".join(lines) + "\r\n"
