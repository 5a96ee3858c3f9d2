"""Our patrols as a platform's table (与上级平台交换): written through the file profile that also reads it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

from rivergis.errors import EnvironmentFault, InputError, UsageError, inert
from rivergis.maps.export_tables import text_cell
from rivergis.maps.export_text import encodable
from rivergis.patrol.records import Profile, Record, Writing
from rivergis.reports.writing import whole

ENDINGS = (".xlsx", ".csv")
_SUMMED = ("duration", "length", "problems")


def check(path: Path, profile: Profile) -> Writing:
    """Before long work: how the profile writes; ``InputError`` where it only reads, ``UsageError`` for another ending."""
    if profile.write is None:
        raise InputError(
            f"The profile {profile.name} says nothing of writing: add 'write' with title and columns to it."
        )
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path.name}: records are written to {' or '.join(ENDINGS)}.")
    if not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")
    return profile.write


def write(records: Sequence[Record], profile: Profile, path: Path) -> None:
    """Write records as .xlsx or .csv, whole or not at all; read through the same profile they are the same records again.

    Durations to the second, ways to the metre: what a record holds beyond that is rounded.
    """
    writing = check(path, profile)
    rows = [[_cell(r, f, i, profile, writing) for _, f in writing.columns] for i, r in enumerate(records, 1)]
    if writing.total:
        rows.append(_total(records, profile, writing))
    make: Callable[[Path, Writing, list[list[Any]]], None] = _book if path.suffix.lower() == ".xlsx" else _csv
    with whole(path) as part:
        make(part, writing, rows)


def _cell(record: Record, name: str, number: int, profile: Profile, writing: Writing) -> Any:
    """What stands in the column of a field: text, a number, or None."""
    if name == "number":
        return number
    if name == "duration":
        return None if record.seconds is None else _duration(round(record.seconds), writing.duration)
    if name == "length":
        return None if record.metres is None else _length(round(record.metres), writing.length)
    if name in ("started_at", "ended_at"):
        at: datetime | None = getattr(record, name)
        return None if at is None else at.astimezone(ZoneInfo(profile.time_zone)).strftime(writing.time)
    value = getattr(record, name, None)
    return value.isoformat() if isinstance(value, date) else value if value != "" else None


def _duration(seconds: int, form: str) -> Any:
    minutes, s = divmod(seconds, 60)
    h, m = divmod(minutes, 60)
    if form == "words":
        return "".join(f"{n}{unit}" for n, unit in ((h, "小时"), (m, "分"), (s, "秒")) if n) or "0秒"
    if form == "clock":
        return f"{h}:{m:02d}:{s:02d}"
    return seconds if form == "s" else round(seconds / 60, 4)


def _length(metres: int, form: str) -> Any:
    return metres if form == "m" else round(metres / 1000, 3)


def _total(records: Sequence[Record], profile: Profile, writing: Writing) -> list[Any]:
    """A last row with the sums of what can be summed."""
    sums = Record(
        day=date.min,
        seconds=sum(r.seconds or 0 for r in records),
        metres=sum(r.metres or 0 for r in records),
        problems=sum(r.problems or 0 for r in records),
    )
    cells = [_cell(sums, f, 0, profile, writing) if f in _SUMMED else None for _, f in writing.columns]
    return [writing.total, *cells[1:]]


def _book(path: Path, writing: Writing, rows: Iterable[list[Any]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(writing.title[:31].replace("/", "-"))
    for i, (heading, _) in enumerate(writing.columns, 1):
        sheet.column_dimensions[get_column_letter(i)].width = max(10, min(2 * len(heading) + 4, 24))
    sheet.freeze_panes = "A3"
    sheet.merged_cells.ranges.add(f"A1:{get_column_letter(len(writing.columns))}1")
    sheet.append([text_cell(sheet, writing.title, bold=True)])
    sheet.append([text_cell(sheet, heading, bold=True) for heading, _ in writing.columns])
    for row in rows:
        sheet.append([text_cell(sheet, v) if isinstance(v, str) else WriteOnlyCell(sheet, v) for v in row])
    book.save(path)


def _csv(path: Path, writing: Writing, rows: Iterable[list[Any]]) -> None:
    with path.open("w", encoding=writing.encoding, newline="") as handle:
        out = csv.writer(handle)
        out.writerow([heading for heading, _ in writing.columns])
        for row in rows:
            out.writerow(["" if v is None else encodable(inert(str(v)), writing.encoding) for v in row])
