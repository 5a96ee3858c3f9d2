"""The register of rivers as a workbook, a page, a table or JSON: list, sections, who is responsible, and what is open.

Every file is made of the same tables (``register_tables``) and says where it comes from and which rules it rests on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pandas as pd

from rivergis import __version__, words
from rivergis.errors import EnvironmentFault, UsageError, inert, legible
from rivergis.reports import morning, workbook
from rivergis.reports.register_tables import Cells, RiverRegister, Sheet
from rivergis.reports.writing import whole

SHANGHAI = ZoneInfo("Asia/Shanghai")
ENDINGS = (".xlsx", ".html", ".csv", ".json")
NOT_ON_PAGE = ("source", "mouth")
SHOWN_ROWS = 400  # a page stays readable; the rest is counted and stands in the workbook


def check(path: Path | None) -> None:
    """Before long work: ``UsageError`` for an ending, ``EnvironmentFault`` for a folder that no register can have."""
    if path is not None and path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path.name}: a register ends in {', '.join(ENDINGS)}.")
    if path is not None and not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")


def write(register: RiverRegister, path: Path) -> None:
    """Write a register by its ending: .xlsx (all sheets), .html (a page to print), .csv (the first sheet), .json (the frames)."""
    check(path)
    make: dict[str, Callable[[RiverRegister, Path], None]] = {
        ".xlsx": _write_book,
        ".html": lambda r, p: _write_text(p, render(r)),
        ".csv": _write_csv,
        ".json": lambda r, p: _write_text(p, json.dumps(as_json(r), ensure_ascii=False, indent=1, default=str)),
    }
    with whole(path) as part:
        make[path.suffix.lower()](register, part)


def _write_text(path: Path, text: str) -> None:
    path.write_text(legible(text, keep="\n\t"), encoding="utf-8")


def as_json(register: RiverRegister) -> dict[str, Any]:
    """The register as JSON-ready data: the frames with their own column names, metres and codes."""
    out: dict[str, Any] = {"about": register.about, "rules": register.rules}
    frames: dict[str, pd.DataFrame] = {}
    if register.inventory is not None:
        out["figures"] = register.inventory.figures
        frames |= {"rivers": register.inventory.rivers, "sections": register.inventory.sections}
    if (a := register.assignment) is not None:
        frames |= {"summary": a.summary, "intervals": a.intervals, "orphans": a.orphans, "doubles": a.doubles}
        frames |= {"persons": a.persons, "astray": a.astray}
    if register.official is not None:
        frames["official"] = register.official
    return out | {name: records(frame) for name, frame in frames.items()}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with plain values, unknown ones as None."""
    return [{k: _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return list(value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or (not isinstance(value, str) and pd.isna(value)) else value


def heading(column: str) -> str:
    """Heading of a column, Chinese first."""
    return words.both(f"river_register.{column}")


def title(sheet: Sheet) -> str:
    """Title of a table, Chinese first."""
    return words.both(f"river_register.sheet_{sheet.key}")


def _write_book(register: RiverRegister, path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    for sheet in register.sheets():
        workbook.add_table(
            book, words.say(f"river_register.sheet_{sheet.key}"), [heading(c) for c in sheet.columns], sheet.rows
        )
    head = [heading(c) for c in ("rule", "value", "unit_of", "rule_status", "rule_basis")]
    stamp = [(words.both("river_register.about_note"), words.both("page.demo"))] if register.demo else []
    rows: list[Cells] = [(k, str(v), None, None, None) for k, v in (*stamp, *_about(register))]
    rows += [(r["key"], str(r["value"]), r.get("unit"), r["status"], r["basis"]) for r in register.rules]
    workbook.add_table(book, words.say("river_register.sheet_about"), head, rows)
    book.save(path)


def _about(register: RiverRegister) -> list[tuple[str, Any]]:
    """Where a register comes from, in words: source, day, filters, program, moment."""
    told = [(words.both(f"river_register.about_{k}"), v) for k, v in register.about.items() if v is not None]
    made = datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return [*told, (words.both("river_register.about_made_at"), f"{made} (rivergis {__version__})")]


def _write_csv(register: RiverRegister, path: Path) -> None:
    sheet = register.sheets()[0]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([heading(c) for c in sheet.columns])
        out.writerows([["" if v is None else inert(v) if isinstance(v, str) else v for v in row] for row in sheet.rows])


def render(register: RiverRegister) -> str:
    """The register as one page that asks nothing of any other machine."""
    env = morning.environment()
    tables = [
        {
            "key": sheet.key,
            "title": title(sheet),
            "head": [words.pair(f"river_register.{c}") for c in kept],
            "rows": [[row[i] for i in at] for row in sheet.rows[:SHOWN_ROWS]],
            "total": len(sheet.rows),
        }
        for sheet in register.sheets()
        for kept, at in [_filled(sheet)]
    ]
    return env.get_template("river_register.html").render(
        tables=tables, about=_about(register), rules=register.rules, demo=register.demo, shown=SHOWN_ROWS,
        tiles=_tiles(register),
    )  # fmt: skip


def _filled(sheet: Sheet) -> tuple[list[str], list[int]]:
    """Columns of a sheet that say anything and that a page has room for; the workbook has them all."""
    at = [i for i, c in enumerate(sheet.columns) if c not in NOT_ON_PAGE and any(r[i] is not None for r in sheet.rows)]
    return [sheet.columns[i] for i in at], at


def _tiles(register: RiverRegister) -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    if register.inventory is not None:
        f = register.inventory.figures
        out += [
            ("rows", f["rows"]),
            ("length_km", round(f["length_m"] / 1000, 1)),
            ("over_min_length", f["over_min_length"]),
        ]
        out += [("without_line", f["without_line"])] if f["without_line"] is not None else []
    if (a := register.assignment) is not None:
        out += [("nobody_km", round(float(a.orphans["length_m"].sum()) / 1000, 2))]
        out += [
            ("several_km", round(float(a.doubles["length_m"].sum()) / 1000, 2)),
            ("persons_n", a.persons["chief_id"].nunique()),
        ]
    if register.official is not None:
        counts = register.official["status"].value_counts()
        out += [(f"status_{s}", int(counts.get(s, 0))) for s in ("missing", "extra", "length_differs")]
    return out
