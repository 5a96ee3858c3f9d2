"""Features of one layer, piece by piece, as GDAL and Arrow hand them out: bounded memory, the file's own coordinates and numbers.

Curves come out as lines that follow them, with their features named; shapes of kinds nobody can draw (a TIN) come out as
None, with their features named; text that GDAL cannot be trusted with comes out as bytes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyogrio
import pyproj
import shapely
from pyarrow import parquet

from rivergis.errors import InputError
from rivergis.intake.staging import DataSet

ROWS = 20_000
FAULTS = (
    RuntimeError,
    ValueError,
    shapely.errors.ShapelyError,
    OSError,
    pa.ArrowException,
    UnicodeError,
    MemoryError,
    KeyError,
    TypeError,
    SystemError,
    OverflowError,
)
_PLAIN = "ISO-8859-1"
_KINDS = {
    0: "Geometry", 1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
    7: "GeometryCollection", 8: "CircularString", 9: "CompoundCurve", 10: "CurvePolygon", 11: "MultiCurve", 12: "MultiSurface",
    13: "Curve", 14: "Surface", 15: "PolyhedralSurface", 16: "TIN", 17: "Triangle",
}  # fmt: skip
_CURVED = range(8, 15)


@dataclass
class Layer:
    """What a data set says of one of its layers before a feature is read."""

    name: str
    geometry: str | None
    """Declared geometry type; None: a table without shapes."""
    crs: str | None = None
    """Where the file says it: EPSG:n or WKT."""
    curved: bool = False
    fields: int = 0


@dataclass
class Piece:
    """Some features in a row. ``texts``: columns of text as bytes, where the encoding is not GDAL's to know."""

    ids: np.ndarray
    table: pa.Table
    shapes: np.ndarray | None
    types: list[str] = field(default_factory=list)
    """Geometry type of each feature as the file has it; empty for none."""
    curved: list[Any] = field(default_factory=list)
    unreadable: list[Any] = field(default_factory=list)
    unclosed: list[Any] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    """Names of all attributes in the file's order, as they came."""
    texts: dict[str, list[bytes | str | None]] = field(default_factory=dict)

    def take(self, rows: np.ndarray) -> Piece:
        """The chosen rows (positions)."""
        texts = {n: [values[i] for i in rows] for n, values in self.texts.items()}
        shapes = None if self.shapes is None else self.shapes[rows]
        types = [self.types[i] for i in rows] if self.types else []
        table = self.table.take(pa.array(rows)) if self.table.column_names else self.table
        return replace(self, ids=self.ids[rows], table=table, shapes=shapes, types=types, texts=texts)

    @property
    def vertices(self) -> int:
        return 0 if self.shapes is None else int(shapely.get_num_coordinates(self.shapes).sum())


def short(error: BaseException) -> str:
    """The library's words, without paths and advice for programmers."""
    said = " ".join(str(error).split()).split("; It might help")[0].split(". Set SHAPE_RESTORE_SHX")[0]
    return " ".join(w.rsplit("/", 1)[-1] if "/" in w else w for w in said.split())[:160].rstrip(".")


@contextmanager
def _quiet(data: DataSet) -> Iterator[None]:
    """GDAL set so that it leaves text alone, and its warnings kept from the terminal; our own checks say what is wrong."""
    options = {"DXF_ENCODING": _PLAIN} if data.form.name == "DXF" else {}
    pyogrio.set_gdal_config_options(options)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


def _how(data: DataSet) -> dict[str, Any]:
    """How a data set is opened: bytes of a .dbf as characters of that number; no .gfs beside a GML, no schema fetched."""
    if data.form.drivers == ("ESRI Shapefile",):
        return {"encoding": _PLAIN}
    return {"WRITE_GFS": "NO", "DOWNLOAD_SCHEMA": "NO"} if data.form.name == "GML" else {}


def layers(data: DataSet) -> list[Layer]:
    """The layers of a data set; ``InputError`` if it cannot be opened or is of another kind than it seems."""
    try:
        with _quiet(data):
            if data.form.name == "GeoParquet":
                return [_parquet_layer(data)]
            return [_layer(data, str(n), g) for n, g in pyogrio.list_layers(data.place)]
    except FAULTS as error:
        raise InputError(
            f"{data.name} cannot be opened as a {data.form.name} ({short(error)}): it is damaged or of another kind; ask for it again.",
            file=data.name,
        ) from error


def _layer(data: DataSet, name: str, geometry: str | None) -> Layer:
    try:
        info = pyogrio.read_info(data.place, layer=name, encoding=_how(data).get("encoding"))
    except (pyogrio.errors.CRSError, UnboundLocalError):
        # the second is how pyogrio 0.13 stumbles over a system whose text is not UTF-8
        return Layer(name, geometry)
    if info["driver"] not in data.form.drivers:
        raise ValueError(f"its content is of another kind ({info['driver']})")
    return Layer(name, geometry, info["crs"], fields=len(info["fields"]))


def pieces(data: DataSet, layer: Layer, rows: int = ROWS) -> Iterator[Piece]:
    """All features of a layer, ``rows`` at a time. ``InputError`` where reading breaks off, with the feature it broke off at."""
    read = 0
    source = _parquet_pieces(data, rows) if data.form.name == "GeoParquet" else _gdal_pieces(data, layer, rows)
    try:
        while True:
            with _quiet(data):  # not held while the caller works on a piece
                piece = next(source, None)
            if piece is None:
                return
            read += len(piece.ids)
            yield piece
    except FAULTS as error:
        raise InputError(
            f"{data.name}, layer {layer.name}: reading broke off after {read} features ({short(error)}): the file is damaged; ask for it again.",
            file=data.name,
            layer=layer.name,
        ) from error


def _gdal_pieces(data: DataSet, layer: Layer, rows: int) -> Iterator[Piece]:
    with_shapes = layer.geometry is not None and not layer.curved
    how = _how(data)
    options: dict[str, Any] = {"layer": layer.name, "return_fids": True, "use_pyarrow": True, "batch_size": rows, **how}
    try:
        opened = pyogrio.open_arrow(data.place, read_geometry=with_shapes, **options)
        with opened as (meta, reader):
            for batch in reader:
                table = pa.Table.from_batches([batch])
                yield _piece(data, layer, meta, table, with_shapes)
    except NotImplementedError:
        # a layer declared as curved: Arrow has no curves, GDAL's own reader makes lines of them
        if layer.curved:
            raise
        layer.curved = True
        yield from _gdal_pieces(data, layer, rows)


def _piece(data: DataSet, layer: Layer, meta: dict[str, Any], table: pa.Table, with_shapes: bool) -> Piece:
    table = table.rename_columns(_distinct(table.column_names))
    number = meta["fid_column"] or "OGC_FID"
    shape = meta["geometry_name"] or "wkb_geometry"
    ids = table[number].to_numpy()
    rest = table.drop_columns([number, *([shape] if with_shapes and shape in table.column_names else [])])
    piece = Piece(ids, rest, None, columns=list(rest.column_names))
    if with_shapes:
        _give_shapes(data, layer, piece, table[shape].to_pylist())
    elif layer.curved:
        _give_curves(data, layer, piece, np.arange(len(ids)), None)
    _give_texts(data, piece)
    return piece


def _distinct(names: list[str]) -> list[str]:
    """Names that differ: one that comes again gets NULs at its end, which no field's name has (see ``bare``)."""
    return [n + "\0" * names[:i].count(n) for i, n in enumerate(names)]


def bare(name: str) -> str:
    """A column's name as the file has it, where ``Piece.columns`` had to tell it from another of the same name."""
    return name.rstrip("\0")


def _give_shapes(data: DataSet, layer: Layer, piece: Piece, wkb: list[bytes | None]) -> None:
    codes = [_code(w) for w in wkb]
    piece.types = [_type_name(c) for c in codes]
    curved = np.array([c is not None and c[0] in _CURVED for c in codes], bool)
    given = np.array(wkb, object)
    piece.shapes = np.full(len(wkb), None, object)
    piece.shapes[~curved] = from_wkb(given[~curved])
    missing = np.array([w is not None for w in wkb], bool) & shapely.is_missing(piece.shapes)
    again = np.flatnonzero(curved | missing & np.array([c is not None and c[0] == 7 for c in codes], bool))
    if len(again):
        _give_curves(data, layer, piece, again, piece.types)
        missing[again] = shapely.is_missing(piece.shapes[again])
    _close_rings(piece, given, missing)
    piece.unreadable = list(piece.ids[missing])


def _close_rings(piece: Piece, wkb: np.ndarray, missing: np.ndarray) -> None:
    """Areas whose rings do not close are closed; what is still missing afterwards stays so."""
    assert piece.shapes is not None
    for row in np.flatnonzero(missing):
        if piece.types[row].startswith(("Polygon", "MultiPolygon", "GeometryCollection")):
            closed = shapely.from_wkb(wkb[row], on_invalid="fix")
            if closed is not None:
                piece.shapes[row], missing[row] = closed, False
                piece.unclosed.append(piece.ids[row])


def from_wkb(wkb: np.ndarray) -> np.ndarray:
    """Shapes, None where the bytes are none; the rest is not lost for one of them."""
    try:
        return shapely.from_wkb(wkb, on_invalid="ignore")
    except (NotImplementedError, shapely.errors.ShapelyError, TypeError, ValueError):
        if len(wkb) == 1:
            return np.array([None], object)
        half = len(wkb) // 2
        return np.concatenate([from_wkb(wkb[:half]), from_wkb(wkb[half:])])


def _give_curves(data: DataSet, layer: Layer, piece: Piece, rows: np.ndarray, types: list[str] | None) -> None:
    """Lines that follow the curves of some features, from GDAL's own reader."""
    asked = piece.ids[rows]
    _, ids, wkb, _ = pyogrio.raw.read(
        data.place, layer=layer.name, columns=[], fids=asked, return_fids=True, encoding=_how(data).get("encoding")
    )
    found = dict(zip(ids.tolist(), from_wkb(np.asarray(wkb, object)), strict=True))
    if piece.shapes is None:
        piece.shapes = np.full(len(piece.ids), None, object)
    piece.shapes[rows] = [found.get(i) for i in asked.tolist()]
    piece.curved = [i for i in asked.tolist() if found.get(i) is not None]
    if types is None:
        piece.types = curved_types(data, layer, piece)


def curved_types(data: DataSet, layer: Layer, piece: Piece) -> list[str]:
    """Types of the features of a layer declared as curved, by GDAL's query language; the linear ones where it cannot tell."""
    try:
        quoted = layer.name.replace('"', '\\"')
        _, ids, _, (kinds,) = pyogrio.raw.read(
            data.place,
            sql=f'SELECT OGR_GEOMETRY FROM "{quoted}"',
            sql_dialect="OGRSQL",
            read_geometry=False,
            return_fids=True,
        )
        told = {i: _spelt(k) for i, k in zip(ids.tolist(), kinds, strict=True)}
    except FAULTS:
        told = {}
    assert piece.shapes is not None
    return [
        told.get(i) or (s.geom_type if s is not None else "")
        for i, s in zip(piece.ids.tolist(), piece.shapes, strict=True)
    ]


def _spelt(kind: str | None) -> str:
    """OGR's CURVEPOLYGON as the others are spelt."""
    plain = (kind or "").upper().split()
    return next((n for n in _KINDS.values() if plain and n.upper() == plain[0]), "") if plain else ""


def _code(wkb: bytes | None) -> tuple[int, bool, bool] | None:
    """Kind of a shape by its WKB, and whether it has Z and M."""
    if wkb is None or len(wkb) < 5:
        return None
    code = int.from_bytes(wkb[1:5], "little" if wkb[0] else "big")
    z, m = bool(code & 0x80000000), bool(code & 0x40000000)
    code &= 0x0FFFFFFF
    return code % 1000, z or code // 1000 in (1, 3), m or code // 1000 in (2, 3)


def _type_name(code: tuple[int, bool, bool] | None) -> str:
    if code is None:
        return ""
    kind, z, m = code
    return _KINDS.get(kind, f"WKB {kind}") + (f" {'Z' * z}{'M' * m}" if z or m else "")


def _give_texts(data: DataSet, piece: Piece) -> None:
    """Columns of text whose bytes are ours to judge: all of them, or those that are not the UTF-8 their format promises."""
    for name in piece.table.column_names:
        column = piece.table[name]
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        if data.raw_text:
            piece.texts[name] = [_bytes_of(v) for v in column.to_pylist()]
        else:
            raw = column.cast(pa.binary() if pa.types.is_string(column.type) else pa.large_binary()).to_pylist()
            if not all(_is_utf8(v) for v in raw):
                piece.texts[name] = raw
    if piece.texts:
        kept = [n for n in piece.table.column_names if n not in piece.texts]
        piece.table = piece.table.select(kept) if kept else piece.table.select([])


def _bytes_of(value: str | None) -> bytes | str | None:
    """The bytes behind characters of their numbers; text that GDAL has already understood stays text."""
    if value is None:
        return None
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value


def _is_utf8(value: bytes | None) -> bool:
    try:
        return value is None or value.isascii() or bool(value.decode("utf-8"))
    except UnicodeDecodeError:
        return False


# ---- GeoParquet -----------------------------------------------------------------------------------------------------


def parquet_meta(file: parquet.ParquetFile) -> dict[str, Any]:
    # of the file, not of its Arrow schema: writers that add it at the end leave the schema as it was
    raw = (file.metadata.metadata or {}).get(b"geo")
    meta = json.loads(raw) if raw else {}
    return meta if isinstance(meta, dict) and isinstance(meta.get("columns"), dict) else {}


def _parquet_layer(data: DataSet) -> Layer:
    with parquet.ParquetFile(data.place) as file:
        meta = parquet_meta(file)
        fields = len(file.schema_arrow.names)
    column = meta.get("columns", {}).get(meta.get("primary_column"))
    if column is None:
        return Layer(data.stem, None, fields=fields)
    return Layer(
        data.stem, ",".join(column.get("geometry_types") or []) or "Unknown", parquet_crs(column), fields=fields
    )


def parquet_crs(column: dict[str, Any]) -> str | None:
    """GeoParquet: nothing said means longitude and latitude, ``null`` means unknown."""
    if "crs" not in column:
        return "EPSG:4326"
    if column["crs"] is None:
        return None
    try:
        known = pyproj.CRS.from_user_input(column["crs"])
    except pyproj.exceptions.CRSError:
        return json.dumps(column["crs"], ensure_ascii=False)
    code = known.to_epsg()
    return f"EPSG:{code}" if code else "EPSG:4326" if known.name.startswith("WGS 84 (CRS84)") else known.to_wkt()


def _parquet_pieces(data: DataSet, rows: int) -> Iterator[Piece]:
    with parquet.ParquetFile(data.place) as file:
        meta = parquet_meta(file)
        name = meta.get("primary_column")
        coded = meta.get("columns", {}).get(name, {}).get("encoding", "WKB")
        native = gpd.read_parquet(data.place).geometry.to_numpy() if name and coded != "WKB" else None
        first = 0
        for batch in file.iter_batches(batch_size=rows):
            table = pa.Table.from_batches([batch]).replace_schema_metadata(None)
            ids = np.arange(first, first + len(table))
            first += len(table)
            rest = table.drop_columns([name]) if name else table
            piece = Piece(ids, rest, None, columns=list(rest.column_names))
            if native is not None:
                piece.shapes = native[ids]
                piece.types = [s.geom_type if s is not None else "" for s in native[ids]]
            elif name:
                _give_shapes(data, Layer(data.stem, "Unknown"), piece, table[name].to_pylist())
            _give_texts(data, piece)
            yield piece
