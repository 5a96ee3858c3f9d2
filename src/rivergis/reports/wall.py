"""The view for the wall of a meeting room (大屏): what changed last night, what is overdue, what patrols saw, and where. Register id G3.

The figures are those of the morning page; nothing is counted in another way. Cameras and sensors are not recorded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import lists
from rivergis.maps.river_facts import PATROL_DAYS
from rivergis.reports import morning_map, morning_reading, patrol_coverage
from rivergis.reports.morning_facts import Figure, Morning
from rivergis.reports.morning_words import label, link, number
from rivergis.reports.patrol_coverage import Asked
from rivergis.rules import RuleBook

CHANGES = ("new_announced", "new_elsewhere", "grown", "rebound", "gone")
OVERDUE = ("work_overdue", "due_soon", "to_verify", "to_accept", "patrol_overdue")
GROUPS = (("changes", CHANGES), ("overdue", OVERDUE))


@dataclass(frozen=True)
class Tile:
    """One number on the wall: in words, as people read it, where it leads, and whether it calls for somebody."""

    zh: str
    en: str
    value: str
    href: str
    loud: bool


@dataclass(frozen=True)
class Wall:
    """All that hangs on the wall: the morning it rests on, groups of tiles, the map as SVG, coverage in words."""

    morning: Morning
    groups: list[tuple[str, list[Tile]]]
    svg: str
    legend: Any


def read(conn: Connection, book: RuleBook) -> Wall | None:
    """The wall as of the last night; None while no night was run."""
    run = lists.last_run(conn)
    if run is None:
        return None
    facts = morning_reading.read(conn, book, run["run_date"])
    groups = [(key, [_tile(facts.morning.figure(code), facts.morning) for code in codes]) for key, codes in GROUPS]
    groups.append(("coverage", _coverage(conn, book, facts.morning)))
    return Wall(facts.morning, groups, morning_map.picture(conn, facts).svg(), morning_map.LEGEND)


def _tile(figure: Figure, morning: Morning) -> Tile:
    zh, en = (label(figure.code, morning, lang) for lang in words.LANGS)
    href = link(figure, morning, False)
    page = f"/reports/night/{morning.night}"
    loud = bool(figure.value) and figure.code not in ("due_soon", "to_accept")
    return Tile(zh, en, number(figure.value, figure.unit), page + href if href.startswith("#") else href, loud)


def _coverage(conn: Connection, book: RuleBook, morning: Morning) -> list[Tile]:
    """Share of the assigned banks that any patrol saw in the month up to the night, and what is left."""
    first = morning.night - timedelta(days=PATROL_DAYS - 1)
    told = patrol_coverage.figures(
        patrol_coverage.read(conn, book, Asked(first, morning.night), morning.known_at).coverage
    )
    href = f"/maps/coverage?from={first}&to={morning.night}"
    share = "—" if told["share"] is None else f"{told['share']:.0%}"
    rows = (("seen_share", share), ("never_km", number(told["never_m"] / 1000, "km")), ("holes", number(told["holes"])))
    return [Tile(*words.pair(f"patrol_report.{key}"), value, href, False) for key, value in rows]
