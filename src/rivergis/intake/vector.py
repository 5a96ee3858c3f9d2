"""Vector files: opened, brought to EPSG:4490 with x = east, mapped to a layer's columns, bad features set aside.

Law: features read = rows + set aside + skipped, always. Repairs are reported; nothing is guessed in silence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from rivergis import crs as crs_
from rivergis import geometry, layers
from rivergis.db.versions import SetAside
from rivergis.errors import InputError
from rivergis.intake import sources
from rivergis.intake.profile import Mapped


@dataclass
class Batch:
    """A source layer read for a target layer. ``frame``: contract columns, code, valid_from, valid_to, source_feature, source."""

    layer: str
    frame: gpd.GeoDataFrame | pd.DataFrame
    source_layer: str
    source_crs: str | None
    file_sha256: str
    count_in: int
    set_aside: list[SetAside] = field(default_factory=list)
    raw: dict[str, tuple[dict[str, Any], str | None]] = field(default_factory=dict)
    """source_feature -> (attributes, WKT) of what was set aside."""
    skipped: int = 0
    diagnostics: list[dict[str, Any]] = field(default_factory=list)


def layer_names(path: Path) -> list[str]:
    """Names of the layers in a vector file; ``InputError`` if it cannot be opened."""
    sources.check(path, sources.VECTOR, "vector file")
    try:
        return [str(n) for n in pyogrio.list_layers(_gdal_path(path))[:, 0]]
    except (DataSourceError, DataLayerError) as error:
        raise InputError(
            f"{path.name} cannot be opened as a vector file ({_short(error)}): it is damaged or of another kind; ask for it again.",
            file=str(path),
        ) from error


def _gdal_path(path: Path) -> str:
    return f"/vsizip/{path}" if path.suffix.lower() == ".zip" and ".gdb" not in path.name.lower() else str(path)


def _short(error: Exception) -> str:
    return " ".join(str(error).split()).replace("/vsizip/", "")[:160]


def read_frame(
    path: Path,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> tuple[gpd.GeoDataFrame, str, str | None]:
    """A layer as it is, in EPSG:4490: (frame, layer name, source CRS). A table without geometry stays one (CRS None).

    ``crs`` overrides a missing CRS; ``datum`` gcj02 or bd09 converts, on demand only. Raises ``InputError``/``CrsRefused``.
    """
    names = layer_names(path)
    name = source_layer or names[0]
    if source_layer is not None and source_layer not in names:
        raise InputError(
            f"{path.name} has no layer {source_layer!r}; it has {', '.join(names)}.", file=str(path), layer=source_layer
        )
    if source_layer is None and len(names) > 1:
        raise InputError(
            f"{path.name} has several layers ({', '.join(names)}): say which with --source-layer.", file=str(path)
        )
    try:
        frame = pyogrio.read_dataframe(
            _gdal_path(path), layer=name, encoding=encoding, on_invalid="ignore", fid_as_index=True
        )
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path.name}, layer {name}: its features cannot be read ({_short(error)}): the file is damaged or its text is in "
            "another encoding (try --encoding GBK).",
            file=str(path),
            layer=name,
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame, name, None
    frame = frame.rename_geometry("geom")
    used = crs_.accepted(crs or frame.crs, f"{path.name}, layer {name}")
    frame = frame.set_crs(used, allow_override=True)
    frame["geom"] = shapely.force_2d(frame.geometry.values)
    frame = _to_storage(frame)
    if datum:
        frame["geom"] = shapely.transform(
            frame.geometry.values, lambda xy: np.column_stack(crs_.to_wgs84(xy[:, 0], xy[:, 1], datum))
        )
    return frame, name, used.to_string() + (f" ({datum})" if datum else "")


def _to_storage(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """To EPSG:4490; features with NaN or infinite coordinates are left as they are for the checks that follow."""
    return frame.to_crs(crs_.STORAGE)


def read_layer(
    path: Path,
    layer: layers.Layer,
    mapped: Mapped,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> Batch:
    """Read a source layer for a target layer by one mapping of a profile."""
    sha256 = sources.sha256(sources.check(path, sources.VECTOR, "vector file"))
    frame, name, source_crs = read_frame(path, source_layer=source_layer, crs=crs, datum=datum, encoding=encoding)
    if layer.geometry is None and isinstance(frame, gpd.GeoDataFrame):
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    if layer.geometry is not None and layer.geometry_required and not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            f"{path.name}, layer {name} has no geometry, but {layer.name} needs {layer.geometry}: name another layer or file.",
            file=str(path),
            layer=name,
        )
    batch = Batch(layer.name, frame, name, source_crs, sha256, len(frame))
    if sources.sha256(path) != sha256:
        raise InputError(
            f"{path.name} changed while it was read: wait until it is written and import it again.", file=str(path)
        )
    _select(batch, mapped)
    _map_fields(batch, layer, mapped, path)
    _check_values(batch, layer)
    if isinstance(batch.frame, gpd.GeoDataFrame):
        _check_geometry(batch, layer)
    return batch


def _select(batch: Batch, mapped: Mapped) -> None:
    """Keep what the mapping's filter lets through; the rest is counted as skipped."""
    keep = pd.Series(True, index=batch.frame.index)
    for source_field, wanted in mapped.where.items():
        values = (
            batch.frame[source_field].astype("string")
            if source_field in batch.frame
            else pd.Series(pd.NA, index=batch.frame.index, dtype="string")
        )
        keep &= (values.notna() & (values != "")) if "*" in wanted else values.isin(wanted).fillna(False).astype(bool)
    batch.skipped += int((~keep).sum())
    batch.frame = batch.frame[keep]


def _first_of(frame: pd.DataFrame, names: Any) -> pd.Series:
    """The first named field that has a value, feature by feature."""
    out = pd.Series(None, index=frame.index, dtype=object)
    for name in [names] if isinstance(names, str) else names:
        if name in frame:
            out = out.where(out.notna() & (out != ""), frame[name].astype(object))
    return out


def _together(frame: pd.DataFrame, named: dict[str, str]) -> pd.Series:
    """Several source fields as one JSON value: name -> what the field says, empty ones left out."""
    columns = {k: _first_of(frame, v) for k, v in named.items()}
    rows = [
        {k: str(v) for k, v in zip(columns, row, strict=True) if v is not None and not pd.isna(v) and v != ""}
        for row in zip(*columns.values(), strict=True)
    ]
    return pd.Series(rows, index=frame.index, dtype=object)


def _map_fields(batch: Batch, layer: layers.Layer, mapped: Mapped, path: Path) -> None:
    """From the source's fields to the contract's columns; the attributes as delivered go along in ``source``."""
    old = batch.frame
    attributes = [c for c in old.columns if c != "geom"]
    new: dict[str, Any] = {}
    for column in (*(c.name for c in layer.columns), "code", "valid_from", "valid_to"):
        source_fields = mapped.fields.get(column, column)
        value = _together(old, source_fields) if isinstance(source_fields, dict) else _first_of(old, source_fields)
        table = mapped.values.get(column)
        if table is not None:
            value = value.map(lambda v, t=table: t.get("" if v is None or v is pd.NA else str(v), t.get("*")))
        if column in mapped.constants:
            value = value.where(value.notna() & (value != ""), mapped.constants[column])
        if value.notna().any() or column == "code":
            new[column] = value
    if mapped.code:
        new["code"] = old[[c for c in mapped.code if c in old]].astype("string").fillna("").agg("/".join, axis=1)
    feature = old.index.astype(str)
    new["source_feature"] = pd.Series(feature, index=old.index)
    rows = old[attributes].astype(object).where(old[attributes].notna(), None).to_dict("records")
    new["source"] = pd.Series(
        [{"file": path.name, "crs": batch.source_crs, "attributes": r} for r in rows], index=old.index, dtype=object
    )
    frame: Any = pd.DataFrame(new, index=old.index)
    if isinstance(old, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame.assign(geom=old.geometry), geometry="geom", crs=old.crs)
    if mapped.once_per_code:
        double = frame.duplicated("code")
        batch.skipped += int(double.sum())
        frame = frame[~double]
    batch.frame = frame.reset_index(drop=True)


def _aside(batch: Batch, bad: np.ndarray | pd.Series, code: str, sentence: str | Sequence[str]) -> None:
    """Set features aside with their reason; the rest goes on."""
    bad = np.asarray(bad, dtype=bool)
    if not bad.any():
        return
    sentences = [sentence] * int(bad.sum()) if isinstance(sentence, str) else list(sentence)
    for (_, row), said in zip(batch.frame[bad].iterrows(), sentences, strict=True):
        batch.set_aside.append(SetAside(row["source_feature"], code, said))
        shape = row.get("geom")
        batch.raw[row["source_feature"]] = (
            row["source"]["attributes"],
            shape.wkt if isinstance(shape, shapely.Geometry) else None,
        )
    batch.frame = batch.frame[~bad].reset_index(drop=True)


def _check_values(batch: Batch, layer: layers.Layer) -> None:
    code = batch.frame["code"].astype("string").str.strip()
    batch.frame["code"] = code
    _aside(
        batch,
        (code.isna() | (code == "")).to_numpy(bool),
        "code_missing",
        "It has no code: give every feature a code of its own, or name the field in the profile.",
    )
    for column in layer.columns:
        if column.name not in batch.frame:
            if column.required and len(batch.frame):
                _aside(
                    batch,
                    np.ones(len(batch.frame), bool),
                    "value_missing",
                    f"The field {column.name} ({column.zh}) is missing: name its source in the profile.",
                )
            continue
        values, wrong = _typed(batch.frame[column.name], column)
        given = batch.frame[column.name]
        batch.frame[column.name] = values
        _aside(
            batch,
            wrong,
            "value_wrong",
            [
                f"{column.name} ({column.zh}) = {str(v)[:60]!r} is not a {column.kind}: correct it."
                for v in given[wrong]
            ],
        )
        if column.choices:
            values = batch.frame[column.name]
            wrong = values.notna().to_numpy(bool) & ~values.isin(column.choices).to_numpy(bool)
            _aside(
                batch,
                wrong,
                "value_unknown",
                [
                    f"{column.name} ({column.zh}) = {str(v)[:60]!r} is none of {', '.join(column.choices)}."
                    for v in values[wrong]
                ],
            )
        if column.required:
            missing = batch.frame[column.name].isna().to_numpy(bool)
            _aside(batch, missing, "value_missing", f"{column.name} ({column.zh}) is empty, but {layer.name} needs it.")


_TRUE, _FALSE = {"1", "1.0", "true", "t", "yes", "y", "是"}, {"0", "0.0", "false", "f", "no", "n", "否", ""}


def _typed(values: pd.Series, column: layers.Column) -> tuple[pd.Series, np.ndarray]:
    """Values of a column in the kind of the contract, and which of them are not of that kind."""
    empty = (values.isna() | (values.astype("string").str.strip() == "").fillna(False)).to_numpy(bool)
    if column.kind in ("number", "integer"):
        typed = pd.to_numeric(values, errors="coerce").astype(float)
        wrong = ~empty & ~np.isfinite(typed.to_numpy())
        if column.kind == "integer":
            wrong |= ~empty & (np.nan_to_num(typed.to_numpy()) % 1 != 0)
            return typed.round().astype("Int64").astype(object).where(~empty, None), wrong
        return typed, wrong
    if column.kind == "boolean":
        words = values.astype("string").str.strip().str.lower()
        out = pd.Series(
            [True if w in _TRUE else False if w in _FALSE else None for w in words.fillna("\0")],
            index=values.index,
            dtype=object,
        )
        return out, ~empty & out.isna().to_numpy(bool)
    if column.kind in ("date", "time"):
        typed = pd.to_datetime(values, errors="coerce", utc=column.kind == "time", format="mixed")
        wrong = ~empty & typed.isna().to_numpy(bool)
        return (typed.dt.date if column.kind == "date" else typed).astype(object).where(typed.notna(), None), wrong
    if column.kind == "json":
        return values.map(_as_json).astype(object), np.zeros(len(values), bool)
    # a whole number that its column made a float (4.0) is read as it was written
    text = (
        values.map(lambda v: str(int(v)) if isinstance(v, float) and v.is_integer() else v).astype("string").str.strip()
    )
    return text.astype(object).where(~empty, None), np.zeros(len(values), bool)


def _as_json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return {"text": value}
    return value if isinstance(value, dict) else {}


def _check_geometry(batch: Batch, layer: layers.Layer) -> None:
    """Empty, non-finite and wrong geometries are set aside; crossed rings repaired; several parts made what the layer holds."""
    frame = batch.frame
    shapes = frame.geometry.values
    missing = np.array([s is None or s.is_empty for s in shapes], bool)
    if layer.geometry_required:
        _aside(batch, missing, "geometry_missing", "It has no geometry.")
    finite = np.array([s is None or s.is_empty or geometry.finite(s) for s in batch.frame.geometry.values], bool)
    _aside(
        batch,
        ~finite,
        "coordinates_not_finite",
        "It has coordinates that are not numbers (NaN or infinite): correct or digitise it again.",
    )
    bounds = shapely.bounds(batch.frame.geometry.values)
    off = (np.abs(bounds[:, [0, 2]]) > 180).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(axis=1)
    _aside(
        batch,
        off,
        "coordinates_out_of_range",
        "It lies outside the earth's degrees after conversion: the declared coordinate system is not the true one.",
    )
    {"MultiPolygon": _areas, "LineString": _lines, "Point": _points, "Geometry": _any}[layer.geometry or "Geometry"](
        batch
    )


def _note(batch: Batch, code: str, features: Sequence[str], sentence: str) -> None:
    if len(features):
        batch.diagnostics.append(
            {"code": code, "count": len(features), "features": list(features)[:20], "sentence": sentence}
        )


def _areas(batch: Batch) -> None:
    shapes = batch.frame.geometry.values
    crossed = np.array([s is not None and not s.is_empty and not s.is_valid for s in shapes], bool)
    repaired = [None if s is None or s.is_empty else geometry.polygons_of(s) for s in shapes]
    empty = np.array([s is not None and s.is_empty for s in repaired], bool)
    _note(
        batch,
        "repaired",
        list(batch.frame["source_feature"][crossed & ~empty]),
        "Crossed rings were made valid; both lobes are kept.",
    )
    batch.frame["geom"] = gpd.GeoSeries(repaired, crs=batch.frame.crs)
    _aside(batch, empty, "no_area", "It has no area: a polygon is needed here.")


def _lines(batch: Batch) -> None:
    parts = [geometry.lines_of(s) for s in batch.frame.geometry.values]
    none = np.array([len(p) == 0 for p in parts], bool)
    several = np.array([len(p) > 1 for p in parts], bool)
    batch.frame["geom"] = gpd.GeoSeries([p[0] if p else None for p in parts], crs=batch.frame.crs)
    _aside(batch, none, "no_line", "It has no line: a LineString is needed here.")
    _aside(
        batch,
        several[~none],
        "several_lines",
        "Its parts do not join into one line: close the gaps or give each part a code of its own.",
    )


def _points(batch: Batch) -> None:
    shapes = batch.frame.geometry.values
    batch.frame["geom"] = gpd.GeoSeries(
        [s.geoms[0] if s is not None and s.geom_type == "MultiPoint" and len(s.geoms) == 1 else s for s in shapes],
        crs=batch.frame.crs,
    )
    wrong = np.array(
        [s is not None and not s.is_empty and s.geom_type != "Point" for s in batch.frame.geometry.values], bool
    )
    _aside(batch, wrong, "no_point", "It is not a point: a Point is needed here.")


def _any(batch: Batch) -> None:
    shapes = batch.frame.geometry.values
    crossed = np.array([not s.is_valid for s in shapes], bool)
    _note(
        batch,
        "repaired",
        list(batch.frame["source_feature"][crossed]),
        "Crossed rings were made valid; both lobes are kept.",
    )
    batch.frame["geom"] = gpd.GeoSeries(
        [
            geometry.polygons_of(s) if s.geom_type in ("Polygon", "MultiPolygon", "GeometryCollection") else s
            for s in shapes
        ],
        crs=batch.frame.crs,
    )
