"""The morning as a workbook (晨报工作簿): the figures with the small map, by township, and a sheet of rows for every figure."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Font, PatternFill

from rivergis import words
from rivergis.maps.export_tables import text_cell
from rivergis.reports import workbook
from rivergis.reports.morning_facts import Figure, Morning
from rivergis.reports.morning_words import label, number
from rivergis.reports.writing import whole

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = ("group", "figure", "tonight", "yesterday", "mean", "nights")
RED, AMBER = PatternFill("solid", fgColor="FDECEB"), PatternFill("solid", fgColor="FFF4D6")


def write(m: Morning, path: Path, picture: bytes | None) -> None:
    """Write the workbook; ``picture``: the map as PNG. Equal mornings give equal bytes."""
    made = Workbook()
    _summary(made.active, m, picture)
    _towns(made, m)
    for figure in m.figures:
        if figure.rows:
            _rows(made, m, figure)
    with whole(path) as part:
        workbook.write_fixed(made, part, m.known_at)


def sheet_name(figure: Figure, m: Morning) -> str:
    """Name of the sheet of a figure: its label within what a workbook allows."""
    return label(figure.code, m).replace("/", " ")[:31]


def _summary(sheet: Any, m: Morning, picture: bytes | None) -> None:
    sheet.title = words.say("morning.summary")
    for line, fill in _lines(m):
        sheet.append([text_cell(sheet, line)])
        if fill is not None:
            sheet.cell(sheet.max_row, 1).fill = fill
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    sheet.append(
        [text_cell(sheet, words.both(f"morning.{'mean_head' if h == 'mean' else h}"), bold=True) for h in HEAD]
    )
    for figure in m.figures:
        sheet.append(
            [
                text_cell(sheet, words.say(f"morning.{figure.group}")),
                text_cell(sheet, _named(figure, m)),
                _value(figure.value),
                _value(figure.yesterday),
                _value(figure.mean),
                figure.nights,
            ]
        )
        if figure.rows:
            cell = sheet.cell(sheet.max_row, 3)
            cell.hyperlink = f"#'{sheet_name(figure, m)}'!A1"
            cell.font = Font(color="01748A", underline="single", bold=True)
    for column, width in zip("ABCDEF", (10, 34, 12, 12, 14, 14), strict=True):
        sheet.column_dimensions[column].width = width
    _on_one_page(sheet)
    if picture is not None:
        image = Image(io.BytesIO(picture))
        image.width, image.height = 448, 320
        sheet.add_image(image, f"A{sheet.max_row + 2}")


def _lines(m: Morning) -> list[tuple[str, PatternFill | None]]:
    """What stands above the figures, and what is marked."""
    out: list[tuple[str, PatternFill | None]] = [(f"{words.both('morning.title')} {m.night}", None)]
    if m.demo:
        out.append((words.both("page.demo"), AMBER))
    if m.red:
        out.append((words.both("morning.red"), RED))
    out += [(f"{t.what}: {t.sentence}", RED if t.red else AMBER) for t in m.run.troubles]
    if m.quiet:
        out.append((words.both("morning.quiet"), None))
    if not m.baseline_signed:
        out.append((words.both("morning.no_baseline"), AMBER))
    ended, known = (f"{t.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for t in (m.run.finished_at, m.known_at))
    out += [
        (f"{words.both('run.' + m.run.state)} {ended} · {words.both('morning.as_known')} {known}", None),
        (
            f"{words.both('morning.scope')} {'、'.join(m.run.scope) or '—'} · {words.both('morning.line_km')} {m.run.line_km:.1f} km",
            None,
        ),
        (words.both("page.disclaimer"), None),
    ]
    return out


def _named(figure: Figure, m: Morning) -> str:
    unit = f" ({figure.unit})" if figure.unit else ""
    return f"{label(figure.code, m)} {label(figure.code, m, 'en')}{unit}"


def _value(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _on_one_page(sheet: Any) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for row in sheet.iter_rows(max_col=1):
        row[0].alignment = Alignment(wrap_text=False)


def _towns(made: Workbook, m: Morning) -> None:
    figures = [f for f in m.figures if f.towns]
    head = [words.both("morning.town"), *(_named(f, m) for f in figures)]
    rows = [[t or words.say("morning.no_town"), *(_value(f.towns.get(t, 0)) for f in figures)] for t in m.towns]
    rows.append([words.say("morning.total"), *(_value(f.value) for f in figures)])
    workbook.add_table(made, words.say("morning.towns"), head, rows)


def _rows(made: Workbook, m: Morning, figure: Figure) -> None:
    """Every row of a figure, none left out."""
    head = [
        words.both("morning.town"),
        *(words.both(f"morning.col_{c}") for c in figure.columns),
        words.both("morning.is_first"),
        "id",
    ]
    rows = [
        [
            r.get("town") or "",
            *(r.get(c) for c in figure.columns),
            words.say("morning.is_first") if r.get("first") else "",
            r.get("id") or "",
        ]
        for r in figure.rows
    ]
    workbook.add_table(made, sheet_name(figure, m), head, rows)
    made[sheet_name(figure, m)].sheet_properties.tabColor = "01748A" if number(figure.value) != "0" else None
