"""Vector files: opened, brought to EPSG:4490 with x = east, mapped to a layer's columns, bad features set aside.

Law: features read = rows + set aside + skipped, always. Repairs are reported; nothing is guessed in silence.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from rivergis import crs as crs_
from rivergis import layers
from rivergis.errors import InputError
from rivergis.intake import datasets, fields, shapes, sources
from rivergis.intake.batch import Batch
from rivergis.intake.profile import Mapped

_LON = ("lon", "lng", "long", "longitude", "lgtd", "经度", "东经")
_LAT = ("lat", "latitude", "lttd", "纬度", "北纬")
# degrees by which a projected system may be used beyond the area it was made for
_BEYOND_AREA = 3.0
_UNREADABLE = ("geometry_unreadable", "Its shape is of a kind that cannot be read (a TIN, for instance).")
_NOT_FINITE = (
    "coordinates_not_finite",
    "It has coordinates that are not numbers (NaN or infinite): correct or digitise it again.",
)


@dataclass
class Source:
    """A layer as it is, in EPSG:4490. ``faults``: row -> (code, sentence) for shapes that cannot be used."""

    frame: gpd.GeoDataFrame | pd.DataFrame
    name: str
    crs: str | None
    notes: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[Any, tuple[str, str]] = field(default_factory=dict)


def open_layer(
    path: Path,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> Source:
    """A layer as it is, in EPSG:4490; features whose shape cannot be used are named in ``faults``.

    ``crs`` names or overrules the file's system; ``datum`` gcj02 or bd09 converts, on demand only. A table with columns
    of longitude and latitude becomes points once ``crs`` or ``datum`` say what they are in. Raises ``InputError``,
    ``CrsRefused``.
    """
    datasets.check_encoding(encoding)
    name, dataset = datasets.choose(path, source_layer, encoding)
    notes: list[dict[str, Any]] = []
    table, wkb, declared = _read(path, dataset, name, encoding, notes)
    datasets.check_text(path, dataset, name, encoding, table)
    if wkb is None:
        points = _points_of(table)
        if points is None:
            return Source(table, name, None, notes)
        shapes_, unreadable = points, np.zeros(len(table), bool)
        declared = crs or (None if datum is None else "EPSG:4490" if datum == "cgcs2000" else "EPSG:4326")
    else:
        shapes_ = shapely.from_wkb(wkb, on_invalid="ignore")
        unreadable = np.array([w is not None for w in wkb], bool) & shapely.is_missing(shapes_)
    used = crs_.accepted(crs or declared, f"{path.name}, layer {name}")
    if crs and declared and not used.equals(_or_none(declared), ignore_axis_order=True):
        said = f"The file names {_named(declared)}; {_named(crs)} was used, as given with --crs."
        notes.append({"code": "crs_overruled", "count": len(table), "sentence": said})
    if not used.to_epsg():
        said = f"The system {used.name!r} has no EPSG code: it was used as the file describes it."
        notes.append({"code": "crs_without_code", "count": len(table), "sentence": said, "wkt": used.to_wkt()})
    source = Source(table, name, _named(used) + (f" ({datum})" if datum else ""), notes)
    source.frame = _brought_home(source, shapely.force_2d(shapes_), unreadable, used, datum)
    return source


def _read(
    path: Path, dataset: str, name: str, encoding: str | None, notes: list[dict[str, Any]]
) -> tuple[pd.DataFrame, Any, str | None]:
    """Attributes (index = feature id), shapes as WKB (none for a table) and the declared system, as the file has them."""
    inner = name if "/" not in name or not dataset.startswith("/vsizip/") else PurePosixPath(name).name
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            table = pyogrio.read_dataframe(
                dataset, layer=inner, encoding=encoding, read_geometry=False, fid_as_index=True
            )
            meta, fids, wkb, _ = pyogrio.raw.read(dataset, layer=inner, encoding=encoding, columns=[], return_fids=True)
    except datasets.FAULTS as error:
        raise InputError(
            f"{path.name}, layer {name}: its features cannot be read ({datasets.short(error)}): the file is damaged or its text is in "
            "another encoding (try --encoding GBK).",
            file=str(path),
            layer=name,
        ) from error
    if wkb is not None and not np.array_equal(np.asarray(table.index), np.asarray(fids)):
        raise InputError(f"{path.name} changed while it was read: import it again.", file=str(path))
    for sentence in sorted({" ".join(str(w.message).split())[:200] for w in said}):
        notes.append({"code": "reader", "count": 1, "sentence": sentence})
    return table.drop(columns="geom", errors="ignore"), wkb, meta["crs"]


def _points_of(table: pd.DataFrame) -> Any:
    """Points of a table by its columns of longitude and latitude; None if it has no such columns."""
    lower = {str(c).strip().lower(): c for c in table.columns}
    lon, lat = (next((lower[n] for n in names if n in lower), None) for names in (_LON, _LAT))
    if lon is None or lat is None:
        return None
    x, y = (pd.to_numeric(table[c], errors="coerce").to_numpy(float) for c in (lon, lat))
    points = shapely.points(x, y)
    points[np.isnan(x) | np.isnan(y)] = None
    return points


def _or_none(declared: Any) -> Any:
    try:
        return pyproj.CRS.from_user_input(declared)
    except pyproj.exceptions.CRSError:
        return None


def _named(declared: Any) -> str:
    known = _or_none(declared)
    return (
        known.to_string()
        if known is not None and known.to_epsg()
        else known.name
        if known is not None
        else "an unreadable system"
    )


def _brought_home(
    source: Source, shapes_: np.ndarray, unreadable: np.ndarray, used: pyproj.CRS, datum: str | None
) -> gpd.GeoDataFrame:
    """The frame in EPSG:4490, with a fault for every shape that is not on earth or not where its system is meant for."""
    finite = np.array([s is None or bool(np.isfinite(shapely.get_coordinates(s)).all()) for s in shapes_], bool)
    given = gpd.GeoSeries(shapes_, index=source.frame.index, crs=used)
    home = given.where(finite).to_crs(crs_.STORAGE)
    if datum:
        home = gpd.GeoSeries(
            shapely.transform(home.values, lambda xy: np.column_stack(crs_.to_wgs84(xy[:, 0], xy[:, 1], datum))),
            index=given.index,
            crs=crs_.STORAGE,
        )
    area = _area_of(used)
    bounds = shapely.bounds(home.values)
    misplaced = (bounds[:, :2] < area[:2]).any(axis=1) | (bounds[:, 2:] > area[2:]).any(axis=1)
    for i in np.flatnonzero(unreadable | ~finite | misplaced):
        source.faults[source.frame.index[i]] = (
            _UNREADABLE if unreadable[i] else _NOT_FINITE if not finite[i] else _misplaced(given.iloc[i], area, used)
        )
    # what is not on earth stays as it was given, for a person to look at
    kept = [g if f in source.faults else h for f, g, h in zip(given.index, given, home, strict=True)]
    return gpd.GeoDataFrame(
        source.frame, geometry=gpd.GeoSeries(kept, index=given.index, crs=crs_.STORAGE)
    ).rename_geometry("geom")


def _area_of(used: pyproj.CRS) -> tuple[float, float, float, float]:
    """Degrees within which positions in a system are plausible: the earth, or round a projection's area of use."""
    code = used.to_epsg(min_confidence=70)
    area = used.area_of_use or (pyproj.CRS.from_epsg(code).area_of_use if code else None)
    if used.is_geographic or area is None or area.west > area.east:
        return (-180.0, -90.0, 180.0, 90.0)
    return (
        max(area.west - _BEYOND_AREA, -180.0),
        max(area.south - _BEYOND_AREA, -90.0),
        min(area.east + _BEYOND_AREA, 180.0),
        min(area.north + _BEYOND_AREA, 90.0),
    )


def _misplaced(given: Any, area: tuple[float, float, float, float], used: pyproj.CRS) -> tuple[str, str]:
    x, y = shapely.get_coordinates(given)[0]
    return (
        "coordinates_out_of_range",
        f"Its coordinates ({x:.10g}, {y:.10g}) do not fit {_named(used)}, which is meant for {area[0]:.0f} to {area[2]:.0f} E, "
        f"{area[1]:.0f} to {area[3]:.0f} N: another system, exchanged axes or a digit too many.",
    )


def read_frame(
    path: Path,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> tuple[gpd.GeoDataFrame | pd.DataFrame, str, str | None]:
    """A whole layer in EPSG:4490: (frame, layer name, source CRS). A table without geometry stays one (CRS None).

    For work on files: the first feature whose shape cannot be used is an ``InputError``. See ``open_layer``.
    """
    source = open_layer(path, source_layer=source_layer, crs=crs, datum=datum, encoding=encoding)
    for feature, (_, sentence) in source.faults.items():
        raise InputError(
            f"{path.name}, layer {source.name}, feature {feature}: {sentence}",
            file=str(path),
            layer=source.name,
            feature=str(feature),
        )
    return source.frame, source.name, source.crs


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
    source = open_layer(path, source_layer=source_layer, crs=crs, datum=datum, encoding=encoding)
    if sources.sha256(path) != sha256:
        raise InputError(
            f"{path.name} changed while it was read: wait until it is written and import it again.", file=str(path)
        )
    frame = source.frame
    if layer.geometry is None and isinstance(frame, gpd.GeoDataFrame):
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        source.faults.clear()
    if layer.geometry is not None and layer.geometry_required and not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            f"{path.name}, layer {source.name} has no geometry and no columns of longitude and latitude, but {layer.name} needs "
            f"{layer.geometry}: name another layer or file.",
            file=str(path),
            layer=source.name,
        )
    batch = Batch(layer.name, frame, source.name, source.crs, sha256, len(frame), diagnostics=source.notes)
    fields.select(batch, mapped)
    fields.map_fields(batch, layer, mapped, path.name)
    _set_faults_aside(batch, source)
    fields.check(batch, layer)
    if isinstance(batch.frame, gpd.GeoDataFrame):
        shapes.check(batch, layer)
    return batch


def _set_faults_aside(batch: Batch, source: Source) -> None:
    faults = {str(feature): fault for feature, fault in source.faults.items()}
    for code in sorted({c for c, _ in faults.values()}):
        bad = batch.frame["source_feature"].map(lambda f, c=code: f in faults and faults[f][0] == c)
        batch.aside(bad, code, [faults[f][1] for f in batch.frame["source_feature"][bad]])
