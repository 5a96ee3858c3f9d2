"""Tables for people: CSV and XLSX with coordinates in columns, their texts inert to spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import openpyxl
import pyproj
import shapely
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from rivergis import words
from rivergis.errors import InputError, inert
from rivergis.maps.export_files import Sheet, spare
from rivergis.maps.export_rows import Chunk
from rivergis.maps.export_text import text_of

MAX_ROWS, MAX_CELL = 1_048_576, 32_767


def _system(sheet: Sheet) -> str:
    crs = sheet.part.crs
    return "" if crs is None else f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else crs.name


def to_csv(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
    """CSV in UTF-8 with a mark, so that Excel opens it: attributes, position of points in degrees and metres, WKT, system."""
    rows = 0
    with sheet.path.open("w", encoding="utf-8-sig", newline="") as file:
        for text, count in csv_lots(sheet, chunks):
            file.write(text)
            rows += count
    return rows


def csv_lots(sheet: Sheet, chunks: Iterator[Chunk]) -> Iterator[tuple[str, int]]:
    """The same as texts, lot by lot, each with the rows in it; the first one is the head."""
    own = _csv_columns(sheet)
    yield _csv_text([[*(inert(f.name) for f in sheet.fields), *(spare(n, sheet.fields) for n in own)]]), 0
    for chunk in chunks:
        places = _csv_places(sheet, chunk) if own else [()] * len(chunk)
        rows = zip(zip(*chunk.columns, strict=True), places, strict=True)
        yield _csv_text([*map(_csv_cell, values), *place] for values, place in rows), len(chunk)


def _csv_text(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _csv_columns(sheet: Sheet) -> list[str]:
    if sheet.part.shape is None:
        return []
    height = ["height"] if sheet.part.raised else []
    metres = ["east_m", "north_m"] if sheet.part.crs is not None and sheet.part.crs.is_projected else []
    return [*(["lon", "lat", *metres, *height] if sheet.part.shape == "Point" else []), "wkt", "crs"]


def _csv_places(sheet: Sheet, chunk: Chunk) -> Iterator[Sequence[Any]]:
    assert chunk.shapes is not None and chunk.degrees is not None
    system, metric = _system(sheet), "east_m" in _csv_columns(sheet)
    texts = shapely.to_wkt(chunk.shapes, rounding_precision=sheet.digits, trim=True)
    for shape, degrees, text in zip(chunk.shapes, chunk.degrees, texts, strict=True):
        there = shape is not None and not shape.is_empty
        point: list[Any] = []
        if sheet.part.shape == "Point":
            point = [degrees.x, degrees.y] if there else ["", ""]
            point += ([shape.x, shape.y] if there else ["", ""]) if metric else []
            point += [shape.z] if sheet.part.raised else []
        yield [*point, text if there else "", system]


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return inert(text_of(value))


def to_xlsx(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
    """A coordinate table (坐标表): a row for each point, or each vertex of a line or area with its part, ring and number.

    X is north and Y is east, as surveyors write them; longitude and latitude stand beside. Points carry their attributes
    in the row; lines and areas have them on a sheet of their own. The last sheet says what the columns are.
    """
    book = openpyxl.Workbook(write_only=True)
    try:
        rows = _Xlsx(sheet, book).write(chunks)
    except BaseException:
        for table in book.worksheets:  # half-written sheets left to the garbage collector complain
            table.close()
        raise
    book.save(sheet.path)
    return rows


class _Xlsx:
    """The sheets of one workbook while they are written."""

    def __init__(self, sheet: Sheet, book: openpyxl.Workbook) -> None:
        self.sheet, self.book = sheet, book
        self.points = sheet.part.shape in (None, "Point")
        self.metric = sheet.part.crs is not None and bool(sheet.part.crs.is_projected)
        self.table = self._open(
            words.both("export.coordinates" if sheet.part.shape else "export.attributes"), self._head()
        )
        attributes = words.both("export.attributes")
        self.attributes = None if self.points else self._open(attributes, [f.name for f in sheet.fields])
        self.rows = {id(self.table): 1, id(self.attributes): 1}
        self.code = next((i for i, f in enumerate(sheet.fields) if f.name == "code"), None)

    def _open(self, title: str, head: Sequence[str]) -> Any:
        table = self.book.create_sheet(title[:31])
        table.freeze_panes = "A2"
        for i, name in enumerate(head):
            letter = openpyxl.utils.get_column_letter(i + 1)
            table.column_dimensions[letter].width = min(max(10, sum(1 + (ord(c) > 0x2E80) for c in name) + 2), 40)
        table.append([text_cell(table, name, bold=True) for name in head])
        return table

    def _head(self) -> list[str]:
        if self.sheet.part.shape is None:
            return [f.name for f in self.sheet.fields]
        metres = ["export.x", "export.y"] if self.metric else []
        heights = ["export.height"] if self.sheet.part.raised else []
        places = [words.say(k) for k in (*metres, *heights, "export.lon", "export.lat", "export.crs")]
        number = words.say("export.number")
        if self.points:
            return [number, *places, *(f.name for f in self.sheet.fields)]
        return [number, *(words.say(k) for k in ("export.part", "export.ring", "export.vertex")), *places]

    def write(self, chunks: Iterator[Chunk]) -> int:
        features = 0
        for chunk in chunks:
            for i, values in enumerate(zip(*chunk.columns, strict=True)):
                self._feature(features + i, values, chunk, i)
            features += len(chunk)
        self._explain()
        return features

    def _feature(self, n: int, values: Sequence[Any], chunk: Chunk, i: int) -> None:
        number = str(values[self.code]) if self.code is not None else str(n + 1)
        if chunk.shapes is None or chunk.degrees is None:
            self._append(self.table, values)
            return
        shape, degrees = chunk.shapes[i], chunk.degrees[i]
        if self.points:
            place = self._places(shape, degrees)
            self._append(self.table, [number, *(place[0] if place else self._blank()), *values])
            return
        self._append(self.attributes, values)
        for (part, ring, vertex), place in zip(_numbers(shape), self._places(shape, degrees), strict=True):
            self._append(self.table, [number, part, ring, vertex, *place])

    def _blank(self) -> list[Any]:
        return [None] * (5 if self.metric else 3)

    def _places(self, shape: Any, degrees: Any) -> list[list[Any]]:
        """X north, Y east in metres and heights where there are any, longitude, latitude, system: vertex by vertex."""
        raised, system = self.sheet.part.raised, _system(self.sheet)
        places = shapely.get_coordinates(shape, include_z=raised).tolist()
        out = []
        for (x, y, *height), (lon, lat) in zip(places, shapely.get_coordinates(degrees).tolist(), strict=True):
            out.append([*([y, x] if self.metric else []), *height, lon, lat, system])
        return out

    def _append(self, table: Any, values: Sequence[Any]) -> None:
        self.rows[id(table)] += 1
        if self.rows[id(table)] > MAX_ROWS:
            raise InputError(
                f"{self.sheet.path.name}: a sheet of a workbook holds {MAX_ROWS:,} rows and this layer has more: "
                "narrow it with --filter, or export to .csv or .gpkg."
            )
        table.append([self._cell(table, v) for v in values])

    def _cell(self, table: Any, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return str(value) if isinstance(value, int) and abs(value) >= 10**15 else value
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        text = text_of(value)
        if len(text) >= MAX_CELL:
            self.sheet.cut = True
            self.sheet.notes.append(f"A text of {len(text)} characters was cut to what a cell holds ({MAX_CELL}).")
            text = text[: MAX_CELL - 1]
        return text_cell(table, text)

    def _explain(self) -> None:
        sheet = self.sheet
        head = [words.both(f"export.{k}") for k in ("column", "label", "kind")]
        table = self._open(words.both("export.about"), head)
        for key, value in sheet.about.items():
            table.append([text_cell(table, key), text_cell(table, value)])
        table.append([text_cell(table, words.both("export.inert"))])
        for f in sheet.fields:
            table.append([text_cell(table, v) for v in (f.name, f"{f.zh} {f.en}".strip(), f.kind)])


def text_cell(table: Any, text: str, bold: bool = False) -> Any:
    """A cell that is text whatever it looks like."""
    cell = WriteOnlyCell(table, inert(ILLEGAL_CHARACTERS_RE.sub("", text)))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _numbers(shape: Any) -> list[tuple[int, int, int]]:
    """Part, ring (0 = a line, 1 = outer, 2 … = holes) and number of every vertex, counted from 1."""
    out = []
    for p, part in enumerate([] if shape is None else shapely.get_parts(shape)):
        areal = part.geom_type == "Polygon"
        rings = [part.exterior, *part.interiors] if areal else [part]
        for r, ring in enumerate(rings):
            out += [(p + 1, r + 1 if areal else 0, v + 1) for v in range(shapely.get_num_coordinates(ring))]
    return out


def central_meridian(crs: pyproj.CRS) -> float | None:
    """Central meridian of a Gauss-Krüger system in degrees."""
    operation = crs.coordinate_operation
    named = {p.name: p.value for p in operation.params} if operation else {}
    value = named.get("Longitude of natural origin")
    return float(value) if value is not None and np.isfinite(value) else None
