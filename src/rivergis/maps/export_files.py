"""Files of geodata: one writer a format, all fed by the same stream, none holding the layer whole.

GDAL writes all but GeoParquet. Coordinates are written with at least 0.01 mm; what a format cannot hold (text wider than a
.dbf field, characters outside GBK) is cut or replaced only with a sentence that says where.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyogrio
import shapely
from pyarrow import parquet

from rivergis.errors import EnvironmentFault, inert
from rivergis.maps.export_columns import Field
from rivergis.maps.export_rows import Chunk, Part
from rivergis.maps.export_text import NOT_GBK, cut_to, encodable, short_names, text_of

_TYPES = {
    "text": pa.string(), "number": pa.float64(), "integer": pa.int32(), "boolean": pa.bool_(), "date": pa.date32(),
    "time": pa.timestamp("us", "UTC"), "clock": pa.timestamp("us"), "json": pa.string(),
}  # fmt: skip
# bytes of a text column in a .dbf: at most, at least, and where the longest text is not known
_DBF_TEXT, _DBF_LEAST, _DBF_USUAL = 254, 16, 80
SHOWN = 5
_KML_WORDS = tuple(f"LIBKML_{word}_FIELD" for word in (
    "DESCRIPTION", "TIMESTAMP", "BEGIN", "END", "ALTITUDEMODE", "TESSELLATE", "EXTRUDE", "VISIBILITY", "DRAWORDER", "ICON",
    "HEADING", "TILT", "ROLL", "SNIPPET", "MODEL", "SCALE_X", "SCALE_Y", "SCALE_Z", "NETWORKLINK", "CAMERA",
))  # fmt: skip
# kinds that a format does not have, and go out as ISO text
_AS_TEXT = {"ESRI Shapefile": ("time", "clock"), "LIBKML": ("date", "time", "clock"), "GeoJSONSeq": ("date",)}


@dataclass
class Sheet:
    """One file to write: where, what of, under which names; ``notes`` are sentences on what could not go out as it is."""

    path: Path
    part: Part
    fields: Sequence[Field]
    layer_name: str
    encoding: str = "UTF-8"
    about: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cut: bool = False
    """Some value could not go out whole."""

    @property
    def digits(self) -> int:
        """Decimals: metres to a micrometre; degrees whole, so that a file that comes back is recognised as unchanged."""
        return 6 if self.part.crs is not None and self.part.crs.is_projected else 15


Writer = Callable[[Sheet, Iterator[Chunk]], int]


def spare(name: str, fields: Sequence[Field]) -> str:
    """A column name of the format's own that no attribute has."""
    taken = {f.name.casefold() for f in fields}
    while name.casefold() in taken:
        name += "_"
    return name


def gdal(driver: str) -> Writer:
    """A writer for one of GDAL's drivers."""

    def write(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
        return _write(driver, sheet, chunks)

    return write


def _write(driver: str, sheet: Sheet, chunks: Iterator[Chunk], names: Sequence[str] | None = None) -> int:
    fields = [_held(driver, f) for f in sheet.fields]
    geometry = spare("geom", fields) if sheet.part.shape else None
    schema = _schema(fields, names or [f.name for f in fields], geometry, widths=driver == "ESRI Shapefile")
    counted = _Counted(_batches(schema, fields, chunks))
    options: dict[str, Any] = {"layer_options": _layer_options(driver, sheet, geometry)}
    if driver == "GPKG":
        options["dataset_options"] = {"VERSION": "1.3"}
    if driver == "ESRI Shapefile":
        options["encoding"] = sheet.encoding
    if geometry:
        options |= {"geometry_name": geometry, "geometry_type": sheet.part.kind, "crs": _crs_text(sheet.part)}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        reader = pa.RecordBatchReader.from_batches(schema, counted)
        with _plain_kml(driver):
            _run(
                lambda: pyogrio.write_arrow(reader, sheet.path, layer=sheet.layer_name, driver=driver, **options),
                counted,
                sheet.path,
            )
    sheet.notes += sorted({" ".join(str(w.message).split())[:200] for w in said if w.category is RuntimeWarning})
    return counted.rows


def _held(driver: str, f: Field) -> Field:
    """A column in a kind that the format has: FileGDB for ArcGIS 10 knows no days (midnight stands for them) and no wide integers."""
    if driver == "OpenFileGDB" and f.kind in ("date", "integer"):
        return replace(f, kind="clock" if f.kind == "date" else "text" if f.wide else f.kind)
    return replace(f, kind="text") if f.kind in _AS_TEXT.get(driver, ()) else f


def _run(write: Callable[[], None], fed: _Counted, path: Path) -> None:
    """Let GDAL write; what went wrong in the rows it was fed is told as it was, not as GDAL tells it."""
    try:
        write()
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        if fed.failed is not None:
            raise fed.failed from error
        said = " ".join(str(error).split())[:200]
        raise EnvironmentFault(
            f"{path.name} cannot be written ({said}): free some space or choose another format."
        ) from error


@contextmanager
def _plain_kml(driver: str) -> Iterator[None]:
    """Attributes called begin, end, icon … stay attributes; KML would make something of its own of them."""
    if driver != "LIBKML":
        yield
        return
    before = {option: pyogrio.get_gdal_config_option(option) for option in _KML_WORDS}
    pyogrio.set_gdal_config_options(dict.fromkeys(_KML_WORDS, "rivergis_unused"))
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _crs_text(part: Part) -> str | None:
    if part.crs is None:
        return None
    code = part.crs.to_epsg()
    return f"EPSG:{code}" if code else part.crs.to_wkt()


def _layer_options(driver: str, sheet: Sheet, geometry: str | None) -> dict[str, str]:
    if driver == "GPKG":
        own = {"GEOMETRY_NAME": geometry} if geometry else {}
        return {"FID": spare("fid", sheet.fields), **own}
    if driver == "OpenFileGDB":
        own = {"GEOMETRY_NAME": spare("SHAPE", sheet.fields)} if geometry else {}
        return {"FID": spare("OBJECTID", sheet.fields), **own}
    if driver in ("GeoJSON", "GeoJSONSeq"):
        return {"COORDINATE_PRECISION": str(sheet.digits)}
    if driver == "FlatGeobuf" and sheet.part.empties:
        return {"SPATIAL_INDEX": "NO"}  # its index holds no feature without a shape
    return {}


def _schema(fields: Sequence[Field], names: Sequence[str], geometry: str | None, widths: bool = False) -> pa.Schema:
    columns = []
    for f, name in zip(fields, names, strict=True):
        label = {"GDAL:OGR:alternative_name": f.zh} if f.zh else {}
        if widths and f.kind in ("text", "json"):
            # wider than the longest text: a text that fills its column looks like one that was cut
            label["GDAL:OGR:width"] = str(
                min(max(_DBF_LEAST, f.longest * 5 // 4 + 2) if f.longest else _DBF_USUAL, _DBF_TEXT)
            )
        columns.append(pa.field(name, pa.int64() if f.kind == "integer" and f.wide else _TYPES[f.kind], metadata=label))
    return pa.schema([*columns, pa.field(geometry, pa.binary())] if geometry else columns)


def _batches(schema: pa.Schema, fields: Sequence[Field], chunks: Iterator[Chunk]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        arrays = [
            _array(f, values, schema.field(i).type)
            for i, (f, values) in enumerate(zip(fields, chunk.columns, strict=True))
        ]
        if len(schema) > len(fields):
            assert chunk.shapes is not None
            arrays.append(pa.array(shapely.to_wkb(chunk.shapes, output_dimension=3, flavor="iso"), pa.binary()))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(f: Field, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if f.kind == "text":
        return pa.array([None if v is None else text_of(v) for v in values], kind)
    if f.kind == "clock":  # also days, where a format has none
        return pa.array(
            [v if v is None or isinstance(v, datetime) else datetime.combine(v, time()) for v in values], kind
        )
    return pa.array(values, kind)


class _Counted:
    """Batches, counted as they go by; ``failed`` is what ended them before their end."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches, self.rows = batches, 0
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.rows += batch.num_rows
                yield batch
        except Exception as error:
            self.failed = error
            raise


def shapefile(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
    """A Shapefile with .cpg and .prj as ArcMap and SuperMap know them, and a table of what its short names stand for."""
    names = short_names([f.short or f.name for f in sheet.fields], sheet.encoding)
    rows = _write("ESRI Shapefile", sheet, _fitted(sheet, chunks), names)
    table = sheet.path.with_suffix(".dbf")
    if sheet.encoding == "GBK":
        _mark_language(table)
    if not sheet.path.with_suffix(".cpg").exists():
        sheet.path.with_suffix(".cpg").write_text(sheet.encoding, encoding="ascii")
    _write_names(sheet, names)
    return rows


def _fitted(sheet: Sheet, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Text as a .dbf can hold it; what is cut or replaced is counted and said at the end."""
    cut, replaced = _Said(), _Said()
    texts = [i for i, f in enumerate(sheet.fields) if f.kind in ("text", "json", "time", "clock")]
    for chunk in chunks:
        columns = list(chunk.columns)
        for i in texts:
            columns[i] = [_fit(v, sheet, sheet.fields[i].name, cut, replaced) for v in columns[i]]
        yield replace(chunk, columns=columns)
    if cut.count:
        sheet.notes.append(
            f"{cut.count} texts were wider than the {_DBF_TEXT} bytes a Shapefile holds and were cut, in {cut.where()}: "
            "export to .gpkg to keep them whole."
        )
    if replaced.count:
        sheet.notes.append(
            f"{replaced.count} texts have characters that GBK does not have; they stand as {NOT_GBK}, in {replaced.where()}: "
            "export with --encoding UTF-8 to keep them."
        )
    sheet.cut = sheet.cut or bool(cut.count or replaced.count)


@dataclass
class _Said:
    count: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, column: str, value: str) -> None:
        self.count += 1
        self.examples.setdefault(column, value[:12])

    def where(self) -> str:
        return ", ".join(f"{column} ({value}…)" for column, value in list(self.examples.items())[:SHOWN])


def _fit(value: Any, sheet: Sheet, column: str, cut: _Said, replaced: _Said) -> str | None:
    if value is None:
        return None
    text = text_of(value)
    if text.isascii() and len(text) <= _DBF_TEXT:
        return text
    fitting = encodable(text, sheet.encoding)
    if fitting != text:
        replaced.add(column, text)
    short = cut_to(fitting, _DBF_TEXT, sheet.encoding)
    if short != fitting:
        cut.add(column, text)
    return short


def _mark_language(table: Path) -> None:
    """Language driver 0x4D (GBK) in the .dbf header, for programs that do not read a .cpg."""
    with table.open("r+b") as file:
        file.seek(29)
        file.write(b"\x4d")


def _write_names(sheet: Sheet, names: Sequence[str]) -> None:
    lines = ["field,column,中文,English,kind"]
    lines += [
        ",".join(_quoted(v) for v in (short, f.name, f.zh, f.en, f.kind))
        for short, f in zip(names, sheet.fields, strict=True)
    ]
    path = sheet.path.with_name(sheet.path.stem + ".fields.csv")
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig", newline="")


def _quoted(text: str) -> str:
    return '"' + inert(text).replace('"', '""') + '"'


def geoparquet(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
    """GeoParquet 1.1: WKB, the system as PROJJSON."""
    geometry = spare("geometry", sheet.fields) if sheet.part.shape else None
    schema = _schema(sheet.fields, [f.name for f in sheet.fields], geometry)
    if geometry:
        schema = schema.with_metadata({"geo": json.dumps(_geo(sheet, geometry))})
    rows = 0
    with parquet.ParquetWriter(sheet.path, schema, compression="zstd") as out:
        for batch in _batches(schema, sheet.fields, chunks):
            out.write_batch(batch)
            rows += batch.num_rows
    return rows


def _geo(sheet: Sheet, geometry: str) -> dict[str, Any]:
    assert sheet.part.crs is not None
    kinds = [] if sheet.part.shape == "Unknown" else [sheet.part.kind]
    column = {"encoding": "WKB", "geometry_types": kinds, "crs": sheet.part.crs.to_json_dict()}
    return {"version": "1.1.0", "primary_column": geometry, "columns": {geometry: column}}
