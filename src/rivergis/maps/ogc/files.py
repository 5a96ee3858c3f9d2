"""Downloads of a query as files (FlatGeobuf, GeoPackage, GeoParquet, CSV), fed lot by lot: never whole in memory.

CSV goes out as it is read. The others are written to disk by the writers of the export, because their heads and indexes
are known only at the end, and then go out as they are read from there.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from rivergis import crs as crs_
from rivergis.errors import InputError
from rivergis.maps import export_files, export_tables
from rivergis.maps.export_columns import Field
from rivergis.maps.export_files import Sheet, Writer
from rivergis.maps.export_rows import Chunk, Part
from rivergis.maps.ogc.ask import Wanted
from rivergis.maps.ogc.page import Rows
from rivergis.maps.ogc.source import Sql

SIZE = 5_000
"""Rows of a lot."""
_BLOCK = 1 << 18
WRITERS: dict[str, Writer] = {
    "fgb": export_files.gdal("FlatGeobuf"), "gpkg": export_files.gdal("GPKG"), "parquet": export_files.geoparquet,
}  # fmt: skip
Stream = Callable[[str, dict[str, Any], int], Iterator[list[tuple[Any, ...]]]]


@dataclass
class Told:
    """What went out: how many features, and whose tracks."""

    count: int = 0
    tracks: set[uuid.UUID] = field(default_factory=set)


def sheet_of(found: Rows, wanted: Wanted, path: Path) -> Sheet:
    """The file to write: its columns begin with the id of the feature."""
    shown = found.source.collection
    system = pyproj.CRS.from_epsg(wanted.place.epsg)
    shape = "Unknown" if shown.geometry == "Geometry" else shown.geometry
    names = (Field("id", "text", f"CAST({found.source.ident} AS text)", "标识", "id"), *wanted.fields)
    return Sheet(path, Part("", "true", system, shape, 0), names, shown.id)


def query(found: Rows, wanted: Wanted, fields: tuple[Field, ...]) -> Sql:
    """All rows that answer, or as many as were asked for: columns, shape, track."""
    values = [f"CAST({f.sql} AS text)" if f.kind == "json" else f.sql for f in fields]
    where, params = found.text, dict(found.params)
    if wanted.after is not None:
        where, params["after"] = f"{where} AND s.fid > :after", wanted.after
    pages = ""
    if wanted.limit is not None:
        pages, params["most"] = " LIMIT :most", wanted.limit
    if wanted.offset:
        pages, params["skip"] = f"{pages} OFFSET :skip", wanted.offset
    columns = ", ".join([*values, f"ST_AsBinary({found.source.shape})", found.source.track or "NULL"])
    return Sql(f"SELECT {columns} FROM {where} ORDER BY s.fid{pages}", params)


def chunks(stream: Stream, found: Rows, wanted: Wanted, sheet: Sheet, told: Told) -> Iterator[Chunk]:
    """The rows in lots, shapes in the system that was asked for, x = east."""
    sql = query(found, wanted, tuple(sheet.fields))
    assert sheet.part.crs is not None
    move = None if wanted.place.degrees else crs_.out_of_storage(sheet.part.crs)
    for rows in stream(sql.percent(), dict(sql.params), SIZE):
        *columns, wkb, tracks = zip(*rows, strict=True)
        degrees = shapely.from_wkb(np.array([bytes(w) for w in wkb], dtype=object))
        shapes = degrees if move is None else shapely.transform(degrees, move)
        if move is not None and not np.isfinite(shapely.get_coordinates(shapes)).all():
            raise InputError(f"A feature has no place in {sheet.part.crs.name}: choose another crs.")
        told.count += len(rows)
        told.tracks.update(t for t in tracks if t is not None)
        yield Chunk(list(columns), shapes, degrees)


def lines(stream: Stream, found: Rows, wanted: Wanted, told: Told) -> Iterator[bytes]:
    """The answer as CSV, lot by lot; with a mark at its head, so that Excel reads Chinese."""
    sheet = sheet_of(found, wanted, Path(found.source.collection.id))
    yield b"\xef\xbb\xbf"
    for text, _ in export_tables.csv_lots(sheet, chunks(stream, found, wanted, sheet, told)):
        yield text.encode()


@dataclass
class Made:
    """A file on disk that goes away when it was sent, or was not."""

    folder: tempfile.TemporaryDirectory[str]
    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def lots(self) -> Iterator[bytes]:
        with self.folder, self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def made(stream: Stream, found: Rows, wanted: Wanted, told: Told) -> Made:
    """The answer as a file."""
    folder = tempfile.TemporaryDirectory(prefix="rivergis-download-")
    try:
        sheet = sheet_of(found, wanted, Path(folder.name) / f"{found.source.collection.id}.{wanted.form}")
        WRITERS[wanted.form](sheet, chunks(stream, found, wanted, sheet, told))
    except BaseException:
        folder.cleanup()
        raise
    return Made(folder, sheet.path)
