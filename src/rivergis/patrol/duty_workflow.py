"""Jobs on duties: the patrol calendar, the next patrols and the problems on their way, read from the database in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.errors import NotFound, RuleError
from rivergis.patrol import calendar, duty, duty_store, risk, targets
from rivergis.patrol import visits as seen
from rivergis.patrol.frequency import Calendar
from rivergis.patrol.targets import Held, Terms
from rivergis.river import store as river_store
from rivergis.rules import NATIONAL, RuleBook, RuleValue, RuleView, path_of

LOOK_BACK = timedelta(days=366)  # misses and last visits older than a year are not told
SMALL_WATERS = ("ditch", "pond")  # 小微水体
BLACK_ODOUR = "black_odour"


@dataclass(frozen=True)
class Duties:
    """Everything about duties from ``first`` to ``last`` as it stands on ``as_of``, as known at ``known_at``.

    ``ledger``: columns ``calendar.CALENDAR``; ``duties``: offices and stretches with codes and titles; ``patrols``: columns
    ``visits.COLUMNS``; ``problems``: columns ``risk.PROBLEM``; ``rules``: rows that were used, as they are kept with reports.
    """

    first: date
    last: date
    as_of: date
    known_at: datetime
    ledger: pd.DataFrame
    duties: pd.DataFrame
    patrols: pd.DataFrame
    problems: pd.DataFrame
    held: list[Held]
    outlook: duty.Outlook
    rules: list[dict[str, Any]] = field(default_factory=list)
    demo: bool = False
    recorded_since: date | None = None
    """First day of which any patrol is recorded; earlier periods are nobody's miss."""

    def next_patrols(self, days: int | None = None) -> pd.DataFrame:
        """Stretches that wait for a patrol, the most urgent first (``duty.NEXT``)."""
        return duty.next_patrols(
            self.ledger, self.held, self.patrols, self.problems, self.outlook, as_of=self.as_of, days=days
        )

    def on_waters(self) -> pd.DataFrame:
        """Patrols by the names of their rivers, for a rota: water, day, patrol_id, proven; a patrol once on each river."""
        names = dict(zip(self.duties["river_id"], self.duties["river"], strict=True))
        told = self.patrols.assign(water=self.patrols["river_id"].map(names), proven=self.patrols["kind"] == seen.GPS)
        told = told[told["water"].notna() & ~told["rejected"].astype(bool)]
        return told[["water", "day", "patrol_id", "proven"]].drop_duplicates(ignore_index=True)


@dataclass
class _Rules:
    """The rules of every place on every day, remembering which rows were used."""

    book: RuleBook
    home: str
    used: dict[int, RuleValue] = field(default_factory=dict)

    def find(self, key: str, day: date, place: str, **facts: Any) -> RuleValue | None:
        row = self.book.find(key, path_of(place), day, **facts)
        if row is not None:
            self.used[id(row)] = row
        return row

    def place(self, unit_code: Any) -> str:
        """The most specific jurisdiction that has rules, of a unit; that of the county where the unit is not known."""
        try:
            path = path_of(str(unit_code)) if unit_code else path_of(self.home)
        except RuleError:
            path = path_of(self.home)
        return next((code for code in reversed(path) if code in self.book.jurisdictions), NATIONAL)


def read(
    conn: Connection,
    book: RuleBook,
    *,
    first: date,
    last: date,
    as_of: date,
    known_at: datetime,
    chief: str | None = None,
) -> Duties:
    """What was and is owed from ``first`` to ``last``, of all chiefs or of one (name or code); ``NotFound`` if there is none.

    Patrols, entries, findings, warnings and rules as known at ``known_at``.
    """
    rules = _Rules(book, river_store.home(conn, as_of, known_at) or NATIONAL)
    view = book.at(path_of(rules.home), as_of)
    since, until = calendar.reach(first, last)
    warnings = duty_store.warnings(conn, since, until, known_at)
    duties = _of_chief(_duties(duty_store.duties(conn, since, until, known_at), warnings, rules), chief)
    patrols = _patrols(conn, first - LOOK_BACK, as_of, known_at)
    terms, outlook = _terms(view, rules), _outlook(view)
    recorded = duty_store.recorded_since(conn, known_at)
    ledger = calendar.ledger(
        duties, patrols, warnings, terms, first=first, last=last, as_of=as_of, recorded_since=recorded or as_of
    )
    problems = _problems(conn, as_of, known_at, outlook.distance_m)
    used = [r.as_dict() for r in {**rules.used, **{id(r): r for r in view.used}}.values()]
    held = targets.held(duties)
    return Duties(
        first, last, as_of, known_at, ledger, duties, patrols, problems, held, outlook,
        sorted(used, key=lambda r: (r["key"], r["jurisdiction"])), river_store.has_namespace(conn, "demo"), recorded,
    )  # fmt: skip


def _terms(view: RuleView, rules: _Rules) -> Terms:
    return Terms(
        rules.find,
        Calendar.of(view.value("patrol.calendar").value),
        view.number("patrol.frequency.remaining"),
        view.number("patrol.frequency.min_visit"),
        view.value("patrol.frequency.counted").value == "day",
    )


def _outlook(view: RuleView) -> duty.Outlook:
    row = view.value("patrol.risk.extra")
    return duty.Outlook(
        risk.table(row.value),
        int(view.number("patrol.risk.max_extra")),
        row.status == "confirmed",
        view.number("patrol.risk.distance"),
        view.number("patrol.frequency.min_visit"),
    )


def _duties(frame: pd.DataFrame, warnings: pd.DataFrame, rules: _Rules) -> pd.DataFrame:
    """Duties with the place whose rules hold, and the class of their water as far as it is known."""
    bad = set(warnings.loc[warnings["kind"] == BLACK_ODOUR, "river_id"])
    classes = [
        BLACK_ODOUR if river in bad else "small" if kind in SMALL_WATERS else None
        for river, kind in zip(frame["river_id"], frame["river_kind"], strict=True)
    ]
    places = {u: rules.place(u) for u in frame["unit_code"].unique()}
    return frame.assign(place=frame["unit_code"].map(places), water_class=pd.Series(classes, frame.index, dtype=object))


def _of_chief(duties: pd.DataFrame, chief: str | None) -> pd.DataFrame:
    if chief is None:
        return duties
    mine = duties[(duties["chief"] == chief) | (duties["chief_code"] == chief)]
    if mine.empty:
        raise NotFound(f"No chief named or numbered {chief!r} has a duty in this time: see 'rivergis river duties'.")
    return mine.reset_index(drop=True)


def _patrols(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    gps = duty_store.proven(conn, first, last, known_at)
    gps["met"] = pd.Series([_met(s) for s in gps["standard"]], gps.index, dtype=object)
    said = duty_store.said(conn, first, last, known_at).assign(met=None)
    parts = [f[list(seen.COLUMNS)].astype(object) for f in (gps, said) if len(f)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(seen.COLUMNS))


def _met(standard: Any) -> bool | None:
    """Whether the tests kept with a scoring are all met; None where nothing was tested or could be told."""
    outcomes = [t.get("met") for t in standard or []]
    return False if False in outcomes else None if None in outcomes or not outcomes else True


def _problems(conn: Connection, on: date, known_at: datetime, within_m: float) -> pd.DataFrame:
    """Open findings near a river, with the chainage of the place: columns ``risk.PROBLEM``."""
    found = duty_store.findings(conn, on, known_at)
    kinds = [risk.kind_of(s, t) for s, t in zip(found["state"], found["status"], strict=True)]
    open_ = found.assign(kind=kinds)[[k is not None for k in kinds]].reset_index(drop=True)
    reaches = river_store.reaches(conn, on, known_at)
    reaches = reaches[reaches["from_m"].notna()].reset_index(drop=True)
    if open_.empty or reaches.empty:
        return pd.DataFrame(columns=list(risk.PROBLEM))
    at = _placed(open_, reaches, within_m)
    lonlat = {"lon": open_.geometry.x, "lat": open_.geometry.y}
    names = [c or t for c, t in zip(open_["class_code"], open_["topic"], strict=True)]
    frame = pd.DataFrame(open_.drop(columns="geom")).assign(**at, **lonlat, name=names)
    frame = frame.rename(columns={"id": "problem_id", "first_night": "since"})
    return frame.loc[frame["river_id"].notna(), list(risk.PROBLEM)].reset_index(drop=True)


def _placed(points: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, within_m: float) -> Mapping[str, Any]:
    """River, chainage and bank (looking downstream) of points that lie within a distance of the edge of a reach."""
    lines = crs.to_metric(reaches)
    here = points.to_crs(lines.crs).geometry.values
    geoms, half = lines.geometry.values, lines["half_width_m"].fillna(0).to_numpy(float)
    nearest = shapely.STRtree(geoms).nearest(here)
    away = shapely.distance(here, geoms[nearest]) - half[nearest]
    along = shapely.line_locate_point(geoms[nearest], here)
    rows = lines.iloc[nearest]
    scale = (rows["to_m"].to_numpy(float) - rows["from_m"].to_numpy(float)) / shapely.length(geoms[nearest])
    at_m = rows["from_m"].to_numpy(float) + along * scale
    bank = np.where(_left(geoms[nearest], here, along), "left", "right")
    river = np.where(away <= within_m, rows["river_id"].to_numpy(object), None)
    return {"river_id": river, "at_m": at_m, "bank": bank}


def _left(lines: Any, points: Any, along: Any) -> Any:
    """Whether points lie left of lines, seen in the direction of the line at the foot of the perpendicular."""
    back = shapely.line_interpolate_point(lines, np.maximum(along - 1.0, 0.0))
    ahead = shapely.line_interpolate_point(lines, np.minimum(along + 1.0, shapely.length(lines)))
    (ax, ay), (bx, by), (px, py) = ((shapely.get_x(g), shapely.get_y(g)) for g in (back, ahead, points))
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax) > 0
