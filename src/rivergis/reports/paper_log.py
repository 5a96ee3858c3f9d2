"""The printable paper log: a page of A4 per chief, landmarks in order with boxes per bank, fields to fill, a number to find it by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import now_of
from rivergis.errors import EnvironmentFault, NotFound, UsageError
from rivergis.patrol import entry_store, paper
from rivergis.patrol.paper import Line, Sheet
from rivergis.reports import book, morning, patrol_paper
from rivergis.reports.writing import whole
from rivergis.river import store as river_store
from rivergis.river.landmarks import Gazetteer

ENDINGS = (".pdf", ".html")
# height in millimetres that the lines share on a page: alone, first of several, between, last
_ROOM_MM = {"one": 188.0, "first": 226.0, "next": 250.0, "last": 218.0}
_TALLEST_MM = 7.0


def sheets(
    conn: Connection, on: date, within_m: float, unit: str | None = None, chief: str | None = None
) -> list[Sheet]:
    """The sheets of the chiefs of a unit (adcode) and those below it, or of one chief, on a civil day.

    ``within_m``: landmarks with a point farther from their river have no chainage and no line.
    Chiefs without a stretch that day have none. ``NotFound`` where nobody is left, saying why.
    """
    known = now_of(conn)
    duties = river_store.duties(conn, on, known)
    own = duties[duties["unit_code"].fillna("").str.startswith(unit)] if unit else duties
    own = own[own["chief_code"] == chief] if chief else own
    if own.empty:
        who = " and ".join([*([f"the unit {unit}"] if unit else []), *([f"the chief {chief}"] if chief else [])])
        raise NotFound(
            f"Nobody answers for a stretch on {on} ({who or 'all chiefs of the database'}): look at the code and the duties."
        )
    axes = river_store.axes(conn, on, known)
    gazetteer = Gazetteer(river_store.landmarks(conn, on, known), axes, within_m)
    rivers = dict(river_store.rivers(conn, on, known)[["id", "name"]].itertuples(index=False, name=None))
    units = entry_store.unit_names(conn, on).set_index("code")
    ends = words.say("paper_log.begin"), words.say("paper_log.end")
    return [
        Sheet(
            paper.number_of(rows[0].chief_id), rows[0].chief, rows[0].chief_code, rows[0].title or "", _unit(units, rows[0].unit_code),
            rows[0].level, paper.lines_of(rows, rivers, gazetteer, ends),
        )
        for _, group in own.groupby(["unit_code", "chief_code"], dropna=False)
        if (rows := list(group.itertuples()))
    ]  # fmt: skip


def _unit(units: Any, code: str | None) -> str:
    """Name of a unit with the one above it, as people write it: 江口镇石桥村."""
    if code not in units.index:
        return ""
    above = units.loc[code, "parent_code"]
    town = units.loc[above, "name"] if above in units.index and units.loc[above, "level"] == "town" else ""
    return f"{town}{units.loc[code, 'name']}"


def render(made: Sequence[Sheet], on: date, *, demo: bool = False) -> str:
    """The sheets as one page to print, every sheet on pages of its own (A4, upright)."""
    pages = [p for sheet in made for p in _pages(sheet)]
    return morning.environment().get_template("paper_log.html").render(pages=pages, on=on, demo=demo)


def _pages(sheet: Sheet) -> list[dict[str, Any]]:
    parts = sheet.pages()
    out = []
    for i, lines in enumerate(parts):
        place = "one" if len(parts) == 1 else "first" if i == 0 else "last" if i == len(parts) - 1 else "next"
        room = _ROOM_MM[place]
        height = min(room / max(len(lines) + 1, 1), _TALLEST_MM)
        spare = int((room - height * (len(lines) + 1)) / _TALLEST_MM)
        blank = [Line("", "", None, ("left", "right"))] * spare
        out.append(
            {
                "sheet": sheet,
                "lines": [*lines, *blank],
                "height": round(height, 2),
                "place": place,
                "page": i + 1,
                "of": len(parts),
            }
        )
    return out


def write(
    conn: Connection, out: Path, on: date, within_m: float, unit: str | None = None, chief: str | None = None
) -> list[Sheet]:
    """Write the sheets as .pdf or .html (打印巡河日志), whole or not at all; returns them."""
    if out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{out.name}: a paper log is written to {' or '.join(ENDINGS)}.")
    if not out.absolute().parent.is_dir():
        raise EnvironmentFault(f"{out} cannot be written: there is no folder {out.parent}.")
    made = sheets(conn, on, within_m, unit, chief)
    page = render(made, on, demo=book.is_demo(conn))
    content = patrol_paper.pdf(page) if out.suffix.lower() == ".pdf" else page.encode()
    with whole(out) as part:
        part.write_bytes(content)
    return made
