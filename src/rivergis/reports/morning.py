"""晨报, the morning page: one A4 that says how the night went, what it told and what waits, and the rows behind each number.

The same figures go into the page, the workbook and the JSON. The page of a file says by itself that it has become too old; in
the service, which runs no script of ours, the service says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault
from rivergis.maps import sheets
from rivergis.maps.atlas import content_security_policy
from rivergis.maps.sheets import Sheet
from rivergis.reports import book, morning_map, morning_reading, morning_sheet
from rivergis.reports.morning_facts import GROUPS, LOUD, NO_TOWN, Figure, Morning
from rivergis.reports.morning_words import label, link, mean, number
from rivergis.reports.writing import whole
from rivergis.rules import RuleBook
from rivergis.settings import gis_dir

SHANGHAI = ZoneInfo("Asia/Shanghai")
CARDS = 20  # with pictures; every lead stands in the tables
TOWNS = 8  # rows of a page of paper; the others are summed up
BY_TOWN = (
    "new_announced", "new_elsewhere", "grown", "rebound", "gone", "to_verify", "due_soon", "work_overdue", "to_accept",
    "stock", "increment", "patrol_overdue", "unseen", "not_observed",
)  # fmt: skip
SCRIPT = (
    'var p=document.getElementById("late");function look(){if(Date.now()>Date.parse(p.dataset.until))p.hidden=false}'
    "look();setInterval(look,60000);"
)
"""All the script there is: a page that was saved says when it has become too old."""


@lru_cache(maxsize=1)
def _sheet() -> str:
    return (gis_dir() / "pages" / "morning.css").read_text(encoding="utf-8")


def environment() -> Environment:
    """Templates of ``gis/pages``, with every value escaped and the catalogue of words at hand."""
    env = Environment(
        loader=FileSystemLoader(gis_dir() / "pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["local"] = lambda moment: moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    env.globals.update(
        words=words.both, say=words.say, style=(gis_dir() / "pages" / "style.css").read_text(encoding="utf-8")
    )
    return env


@lru_cache(maxsize=1)
def _template() -> Template:
    """The page, compiled once: a year of nights is written by one process."""
    return environment().get_template("morning.html")


def path_of_night(report_dir: Path, night: date, ending: str = ".html") -> Path:
    return report_dir / f"night-{night}{ending}"


def render(
    told: book.Night,
    read: morning_reading.Read,
    svg: str,
    *,
    standalone: bool = True,
    tracks: bool = False,
    review: bool = False,
    now: datetime | None = None,
    newer: date | None = None,
) -> str:
    """The page. ``standalone``: a file that asks nothing of the service and holds no patrols of named people; in the service
    ``tracks`` shows them and ``review`` how many are to be verified, ``now`` and ``newer`` (the last night run) decide what it
    says of its age."""
    m = read.morning
    until = m.run.finished_at + timedelta(hours=m.run.late_after_h)
    cards = [x for x in told.leads if x["topic"] != "boundary_line" and x["status"] in ("new", "rebound", "grown")]
    order = {r["id"]: i for i, r in enumerate(m.first)}
    cards.sort(key=lambda x: order.get(str(x["id"]), len(order)))
    page = _template().render(
        m=m,
        n=told,
        svg=svg,
        sheet=_sheet(),
        standalone=standalone,
        tracks=tracks,
        may_review=review,
        until=until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        late=now is not None and newer is None and now > until,
        newer=newer,
        groups=GROUPS,
        legend=morning_map.LEGEND,
        shown=book.SHOWN_ROWS,
        cards=cards[:CARDS],
        more_cards=max(len(cards) - CARDS, 0),
        loud=LOUD,
        script=SCRIPT,
        **_towns(m),
        **_said(m, standalone),
    )
    return page.replace("@policy@", content_security_policy(page), 1)


def _said(m: Morning, standalone: bool) -> dict[str, Any]:
    """What the parts of the page ask: labels, links, numbers, and where the row of a lead stands."""
    seen: set[str] = set()

    def anchor(figure: Figure, row: Mapping[str, Any]) -> bool:
        """Whether this row carries the anchor of its lead: the first that shows it does."""
        if "status_code" not in row or row["number"] in seen:
            return False
        seen.add(row["number"])
        return True

    return {
        "label": lambda f, lang="zh": label(f.code, m, lang),
        "link": lambda f, town="": link(f, m, standalone, town),
        "number": number,
        "mean": mean,
        "anchor": anchor,
    }


def _towns(m: Morning) -> dict[str, Any]:
    """The townships that the page has room for, those with the most in them; the rest is summed up."""
    figures = [m.figure(code) for code in BY_TOWN]
    weight = {t: sum(f.towns.get(t, 0) for f in figures if not f.unit) for t in m.towns}
    kept = sorted(m.towns, key=lambda t: -weight[t])[:TOWNS] if len(m.towns) > TOWNS + 1 else list(m.towns)
    left = [t for t in m.towns if t not in kept]
    return {
        "by_town": figures,
        "towns_shown": [t for t in m.towns if t in kept and (t != NO_TOWN or weight[t] or _km_without_town(figures))],
        "towns_left": left,
        "rest": lambda f: sum(f.towns.get(t, 0) for t in left),
    }


def _km_without_town(figures: list[Figure]) -> bool:
    return any(f.towns.get(NO_TOWN, 0) for f in figures)


@dataclass(frozen=True)
class Made:
    """A morning made for files: the figures, the page, and the small map as PNG (None: nothing to draw)."""

    morning: Morning
    html: str
    png: bytes | None


def make(conn: Connection, rule_book: RuleBook, night: date, store_dir: Path) -> Made:
    """The morning of a night as files hold it: pictures inside, no patrols of named people. ``NotFound`` where it was not run."""
    read = morning_reading.read(conn, rule_book, night)
    picture = morning_map.picture(conn, read)
    return Made(
        read.morning, render(book.night(conn, night, store_dir, patrols=False), read, picture.svg()), picture.png()
    )


def put(db: Database, rule_book: RuleBook, night: date, report_dir: Path, store_dir: Path) -> tuple[Path, Morning]:
    """Write page, workbook and map of a night into the report folder, each whole or not at all; the path of the page, and the figures."""
    with db.read() as conn:
        made = make(conn, rule_book, night, store_dir)
        atlas = sheets.night(conn, Sheet(store_dir=store_dir), night)
    path = path_of_night(report_dir, night)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        morning_sheet.write(made.morning, path_of_night(report_dir, night, ".xlsx"), made.png)
        for target, text in ((path_of_night(report_dir, night, "-map.html"), atlas), (path, made.html)):
            with whole(target) as part:
                part.write_text(text, encoding="utf-8")
    except (OSError, EnvironmentFault) as error:
        raise EnvironmentFault(
            f"The report cannot be written to {path.parent} ({getattr(error, 'strerror', None) or error}); the night itself is recorded: free some space and run it again."
        ) from error
    return path, made.morning
