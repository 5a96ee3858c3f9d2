"""Workbooks of reports: one sheet a table, numbers as numbers, every text inert, and the same bytes for the same content."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from rivergis.errors import legible
from rivergis.maps.export_tables import text_cell

_SAVED = "docProps/core.xml"


def add_table(book: Any, title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A sheet with a fixed heading row, every text inert, columns as wide as what they hold."""
    table = book.create_sheet(title)
    table.freeze_panes = "C2" if len(head) > 5 else "A2"
    for i, name in enumerate(head):
        longest = max([_width(name) * 0.7, *(_width(str(r[i])) for r in rows[:300] if r[i] is not None)])
        table.column_dimensions[get_column_letter(i + 1)].width = min(max(longest + 2, 8), 48)
    table.append([text_cell(table, name, bold=True) for name in head])
    for row in rows:
        table.append([_cell(table, v) for v in row])
    if rows:
        table.auto_filter.ref = f"A1:{get_column_letter(len(head))}{len(rows) + 1}"


def _cell(table: Any, value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float)) else text_cell(table, legible(str(value))[:32_000])


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def write_fixed(book: Any, path: Path, made_at: datetime) -> None:
    """Save a workbook so that equal content makes equal bytes: every moment inside is ``made_at``."""
    made_at = made_at.astimezone(UTC)
    book.properties.created = made_at.replace(tzinfo=None, microsecond=0)
    loose = path.with_name(path.name + ".loose")
    try:
        book.save(loose)
        with zipfile.ZipFile(loose) as told, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fixed:
            for entry in told.infolist():
                content = told.read(entry)
                if entry.filename == _SAVED:
                    content = _dated(content, made_at)
                fixed.writestr(zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    finally:
        loose.unlink(missing_ok=True)


def _dated(core: bytes, made_at: datetime) -> bytes:
    """The properties of a workbook with the moment of saving replaced."""
    stamp = f"{made_at:%Y-%m-%dT%H:%M:%SZ}".encode()
    # whatever the namespace is called: other libraries in the process may give it another prefix
    return re.sub(rb"(<(?:\w+:)?modified\b[^>]*>)[^<]*", rb"\g<1>" + stamp, core)
