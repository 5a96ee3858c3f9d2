"""Excel workbooks as rows of cells: every sheet a table, values as Excel last computed them, merged areas and formulas known."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import xlrd  # type: ignore[import-untyped]
from lxml import etree  # type: ignore[import-untyped]
from openpyxl.utils import range_boundaries

from rivergis.errors import InputError
from rivergis.intake import archive
from rivergis.intake.delivery import Defect, defect
from rivergis.intake.grids import Grid, Row, Span, trimmed
from rivergis.intake.limits import Limits

# openpyxl tells programmers what it leaves out (styles, validations): no concern of who delivers a table
warnings.filterwarnings("ignore", module="openpyxl")

_SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# sheets beyond this are taken as they come: no person merges cells in them
_SCANNED_PART = 128 << 20
_SPANS = 20_000


def damaged(path: Path, error: Exception) -> InputError:
    said = " ".join(str(error).split())[:120]
    return InputError(
        f"{path.name} cannot be opened as an Office file ({type(error).__name__}: {said}): it is damaged or of another kind; ask for it again.",
        file=str(path),
    )


def open_xlsx(path: Path, limits: Limits) -> list[Grid]:
    """The sheets of an .xlsx or .xlsm file; raises ``InputError``."""
    archive.members(path, limits)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [(s.title, s.sheet_state, s._worksheet_path) for s in book.worksheets]
        book.close()
        return [_xlsx_grid(path, title, state, part, limits) for title, state, part in sheets]
    except InputError:
        raise
    except Exception as error:  # openpyxl raises whatever the broken part makes it stumble over
        raise damaged(path, error) from error


def _xlsx_grid(path: Path, title: str, state: str, part: str, limits: Limits) -> Grid:
    spans, uncomputed = _scan(path, part.lstrip("/"))
    defects = _hidden(title, state != "visible") + _uncomputed(title, uncomputed)
    rows = _careful(path, lambda: _xlsx_rows(path, title, limits))
    return Grid(title, rows, tuple(spans), (title,), defects=tuple(defects))


def _careful(path: Path, rows: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    """Rows whose reading ends in a sentence where the file is damaged in the middle."""

    def read() -> Iterator[Row]:
        try:
            yield from rows()
        except InputError:
            raise
        except Exception as error:  # as above: anything may be in there
            raise damaged(path, error) from error

    return read


def _xlsx_rows(path: Path, title: str, limits: Limits) -> Iterator[Row]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book[title]
        sheet.reset_dimensions()  # what the sheet claims may be a million rows of nothing
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, _bounded(path, title, number, trimmed(cells), limits)
    finally:
        book.close()


def _bounded(path: Path, title: str, number: int, cells: list[Any], limits: Limits) -> list[Any]:
    if len(cells) > limits.fields and sum(c is not None for c in cells) < len(cells) // 2:
        cells = trimmed(cells[: limits.fields])
    if len(cells) > limits.fields or any(isinstance(c, str) and len(c) > limits.cell_chars for c in cells):
        raise InputError(
            f"{path.name}, sheet {title}, row {number}: it has more than {limits.fields} columns or a cell of more than "
            f"{limits.cell_chars} characters: it is damaged or no table.",
            file=str(path),
            layer=title,
        )
    return cells


def _scan(path: Path, part: str) -> tuple[list[Span], list[str]]:
    """Merged areas of a sheet, and the cells whose formula has no computed value."""
    spans: list[Span] = []
    uncomputed: list[str] = []
    with zipfile.ZipFile(path) as package:
        if package.getinfo(part).file_size > _SCANNED_PART:
            return spans, uncomputed
        with package.open(part) as handle:
            tags = (f"{_SPREADSHEET}mergeCell", f"{_SPREADSHEET}c")
            for _, element in etree.iterparse(
                handle, tag=tags, resolve_entities=False, no_network=True, load_dtd=False
            ):
                if element.tag == tags[0] and len(spans) < _SPANS:
                    spans.append(_span(element.get("ref", "")))
                elif element.find(f"{_SPREADSHEET}f") is not None and not element.findtext(f"{_SPREADSHEET}v"):
                    uncomputed.append(str(element.get("r")))
                _forget(element)
    return [s for s in spans if s[3] - s[2] < 200 and s[1] >= s[0]], uncomputed


def _forget(element: Any) -> None:
    """Free what was parsed: a sheet need not fit into memory."""
    element.clear()
    row = element.getparent()
    while row is not None and row.tag == f"{_SPREADSHEET}row" and row.getprevious() is not None:
        del row.getparent()[0]


def _span(ref: str) -> Span:
    left, top, right, bottom = range_boundaries(ref)
    return int(top or 1), int(bottom or 1), int(left or 1) - 1, int(right or 1) - 1


def _hidden(title: str, hidden: bool) -> list[Defect]:
    if not hidden:
        return []
    return [
        defect(
            "sheet_hidden",
            "info",
            f"Sheet {title} is hidden in Excel.",
            "It is read like the others; look whether it is meant.",
        )
    ]


def _uncomputed(title: str, cells: list[str]) -> list[Defect]:
    if not cells:
        return []
    said = f"Sheet {title} has {len(cells)} formulas whose values were never computed ({', '.join(cells[:5])})."
    action = "They count as empty; open and save the file in Excel, or ask for values."
    return [defect("formula_uncomputed", "warning", said, action, cells, place=f"cell {cells[0]}")]


# ---- Excel 97 -----------------------------------------------------------------------------------------------------------


def open_xls(path: Path, limits: Limits) -> tuple[list[Grid], str]:
    """The sheets of an .xls file, and the encoding of its texts; raises ``InputError`` (also for other OLE files: .doc, .wps)."""
    try:
        book = xlrd.open_workbook(path, formatting_info=True, logfile=_Nowhere())
    except Exception as error:  # xlrd raises whatever the broken part makes it stumble over
        kind = _other_ole(path)
        if kind:
            raise InputError(f"{path.name} {kind}", file=str(path)) from error
        raise damaged(path, error) from error
    grids = [_xls_grid(path, book, i, limits) for i in range(book.nsheets)]
    return grids, str(book.encoding or "utf-16-le").replace("utf_16_le", "utf-16-le")


class _Nowhere:
    """Takes xlrd's warnings, which would go to the terminal."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


def _other_ole(path: Path) -> str | None:
    with path.open("rb") as handle:
        begin = handle.read(1 << 20)
    if "EncryptedPackage".encode("utf-16-le") in begin:
        return "is protected by a password: save it without one."
    if "WordDocument".encode("utf-16-le") in begin:
        return "is a Word 97 document: save it as .docx."
    return None


def _xls_grid(path: Path, book: Any, index: int, limits: Limits) -> Grid:
    sheet = book.sheet_by_index(index)
    spans = tuple((top, bottom - 1, left, right - 1) for top, bottom, left, right in _one_based(sheet.merged_cells))

    def rows() -> Iterator[Row]:
        for i in range(sheet.nrows):
            cells = [_xls_value(c, book.datemode) for c in sheet.row(i)]
            yield i + 1, _bounded(path, sheet.name, i + 1, trimmed(cells), limits)

    return Grid(
        sheet.name,
        _careful(path, rows),
        spans,
        (sheet.name,),
        defects=tuple(_hidden(sheet.name, sheet.visibility != 0)),
    )


def _one_based(spans: list[Span]) -> list[Span]:
    return [(top + 1, bottom + 1, left, right) for top, bottom, left, right in spans][:_SPANS]


def _xls_value(cell: Any, datemode: int) -> Any:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR):
        return None
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _date(cell.value, datemode)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_NUMBER and cell.value.is_integer():
        return int(cell.value)
    return re.sub(r"\0", "", cell.value) if isinstance(cell.value, str) else cell.value


def _date(value: float, datemode: int) -> datetime | float:
    try:
        return xlrd.xldate_as_datetime(value, datemode)
    except (ValueError, OverflowError):
        return value
