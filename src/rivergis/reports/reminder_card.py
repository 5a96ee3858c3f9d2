"""巡河提示卡: one page for each chief with the stretches that wait for a patrol, last visits, problems on the way and a small map.

A reminder, never a reproach: it says what is open and asks; it carries no figures of an assessment. Register id A11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.patrol import duty_store, risk
from rivergis.patrol.duty_workflow import Duties
from rivergis.patrol.visits import Stretch
from rivergis.reports import morning, reminder_map
from rivergis.reports.patrol_paper import SHANGHAI
from rivergis.river import store as river_store
from rivergis.river.chainage import Axis, label

# what a page has room for, in rows of a table; the rest is counted
ROOM, ROOM_OF_LINES, SHOWN_PROBLEMS = 18, 14, 8
_SIGNS = "ABCDEFGH"
NOTE_ROWS = 0.7  # a remark below a stretch


@dataclass(frozen=True)
class Line:
    """One stretch on a card, in words."""

    sign: str
    river: str
    where: str
    asked: str
    done: str
    deadline: str
    before: str | None
    last_left: date | None
    last_right: date | None
    last_entry: date | None
    advice: str | None


@dataclass(frozen=True)
class Problem:
    """One open problem on the way, in words."""

    sign: str
    kind: str
    name: str
    where: str
    since: date | None


@dataclass(frozen=True)
class Card:
    """A reminder to one chief as it stands on ``as_of``, as known at ``known_at``."""

    chief: str
    code: str
    title: str
    level: str
    as_of: date
    known_at: datetime
    lines: Sequence[Line]
    more_lines: int
    problems: Sequence[Problem]
    """All on the way; those that the page has room for carry a sign."""
    basis: Sequence[str]
    announced: bool
    map: str
    demo: bool
    open: int
    """Stretches that a visit is owed on."""
    overdue: int
    advised: int
    soonest: date | None

    @property
    def shown_problems(self) -> Sequence[Problem]:
        """The problems that stand on the page and its map."""
        return [p for p in self.problems if p.sign]

    @property
    def printed_at(self) -> str:
        """The moment up to which knowledge counted, in Beijing time."""
        return self.known_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class _Ground:
    """Lines and places of the day, in degrees."""

    axes: dict[Any, Axis]
    rivers: gpd.GeoDataFrame
    landmarks: gpd.GeoDataFrame


def cards(conn: Connection, duties: Duties, days: int | None = None) -> list[Card]:
    """A card for every chief who has a stretch waiting on the day of ``duties``, in the order of urgency.

    ``days``: only stretches whose period ends within so many days, or that are overdue.
    """
    waiting = duties.next_patrols(days)
    if waiting.empty:
        return []
    ground = _ground(conn, duties)
    return [_card(duties, rows, ground) for _, rows in waiting.groupby("chief_id", sort=False)]


def _ground(conn: Connection, duties: Duties) -> _Ground:
    on, known = duties.as_of, duties.known_at
    axes = river_store.axes(conn, on, known)
    lines = {r: Axis(g, o or 0.0) for r, g, o in zip(axes["river_id"], axes.geometry, axes["origin_m"], strict=True)}
    return _Ground(
        lines, river_store.reaches(conn, on, known)[["river", "geom"]], duty_store.landmarks(conn, on, known)
    )


def _card(duties: Duties, rows: pd.DataFrame, ground: _Ground) -> Card:
    rows = rows.reset_index(drop=True)
    fit, used = _fit(rows)
    shown = rows.head(fit)
    head = duties.duties[duties.duties["chief_id"] == rows["chief_id"][0]].iloc[-1]
    near = risk.on_way(duties.problems, [_stretch(r) for r in rows.itertuples()], duties.outlook.distance_m)
    near = near.sort_values(["kind", "river_id", "at_m"], key=_rank).reset_index(drop=True)
    listed = near.head(min(SHOWN_PROBLEMS, int(ROOM - used)))
    rivers = dict(zip(duties.duties["river_id"], duties.duties["river"], strict=True))
    return Card(
        chief=str(head["chief"]),
        code=str(head["chief_code"]),
        title=str(head["title"] or words.say(f"level.{head['level']}")),
        level=str(head["level"]),
        as_of=duties.as_of,
        known_at=duties.known_at,
        lines=[_line(i, r, duties) for i, r in enumerate(shown.itertuples(), 1)],
        more_lines=len(rows) - len(shown),
        problems=[_problem(i, p, rivers, len(listed)) for i, p in enumerate(near.itertuples())],
        basis=list(dict.fromkeys(rows["basis"])),
        announced=bool(rows["announced"].all()),
        map=reminder_map.draw(_drawn(duties, shown, listed, ground)),
        demo=duties.demo,
        open=int((rows["missing"] > 0).sum()),
        overdue=int((rows["overdue_days"] > 0).sum()),
        advised=int((rows["extra"] > 0).sum()),
        soonest=min((r.deadline for r in rows.itertuples() if r.missing), default=None),
    )


def _fit(rows: pd.DataFrame) -> tuple[int, float]:
    """How many stretches a page has room for, and the room they take."""
    used, fit = 0.0, 0
    for r in rows.itertuples():
        more = 1 + NOTE_ROWS * (bool(r.missed_periods) + bool(r.extra))
        if used + more > ROOM_OF_LINES:
            break
        used, fit = used + more, fit + 1
    return fit, used


def _rank(column: pd.Series) -> pd.Series:
    """Judged problems and rebounds before leads that nobody has examined, then down each river."""
    if column.name == "kind":
        return column.map({k: i for i, k in enumerate(risk.KINDS)})
    return column.astype(float) if column.name == "at_m" else column.astype(str)


def _stretch(row: Any) -> Stretch:
    return Stretch(row.river_id, row.bank, row.from_m, row.to_m)


def _line(number: int, r: Any, duties: Duties) -> Line:
    owed = duties.ledger[
        (duties.ledger["chief_id"] == r.chief_id)
        & (duties.ledger["label"] == r.label)
        & (duties.ledger["waters"] == r.waters)
    ]
    count = int(owed["count"].iloc[0]) if len(owed) else int(r.due)
    before = words.say("duty.before", n=int(r.missed_periods)) if r.missed_periods else None
    reasons = "、".join(words.say(f"duty.reason_{x.when}", n=x.n) for x in r.reasons)
    return Line(
        sign=str(number),
        river=str(r.river),
        where=f"{label(r.from_m)}—{label(r.to_m)} {words.say(f'bank.{r.bank}')}",
        asked=words.say(f"duty.every_{r.period}", n=count),
        done=f"{int(r.done)} / {int(r.due)}",
        deadline=f"{r.deadline:%m-%d}",
        before=before,
        last_left=r.last_left if r.bank != "right" else None,
        last_right=r.last_right if r.bank != "left" else None,
        last_entry=r.last_entry,
        advice=words.say("duty.advice", n=int(r.extra), why=reasons) if r.extra else None,
    )


def _problem(number: int, p: Any, rivers: dict[Any, Any], shown: int) -> Problem:
    name = words.say(f"class.{p.name}")
    bank = words.say(f"bank.{p.bank}")
    where = f"{rivers.get(p.river_id, '')} {label(p.at_m)} {bank}"
    told = words.say(f"topic.{p.name}") if name == p.name else name
    sign = _SIGNS[number] if number < shown else ""
    return Problem(sign, words.say(f"duty.kind_{p.kind}"), told, where, p.since)


def _drawn(duties: Duties, shown: pd.DataFrame, problems: pd.DataFrame, ground: _Ground) -> reminder_map.Drawn:
    waiting = set(shown["duty_id"])
    chief = shown["chief_id"].iloc[0]
    rest = [h for h in duties.held if h.chief_id == chief and h.on(duties.as_of) and h.row.duty_id not in waiting]
    due = [(str(i), g) for i, r in enumerate(shown.itertuples(), 1) for g in _geoms(_stretch(r), ground)]
    other = [g for h in rest for g in _geoms(h.stretch, ground)]
    points = gpd.points_from_xy(problems["lon"].astype(float), problems["lat"].astype(float))
    signs = list(_SIGNS[: len(problems)])
    return reminder_map.Drawn(
        gpd.GeoDataFrame({"sign": [s for s, _ in due]}, geometry=[g for _, g in due], crs=crs.STORAGE),
        gpd.GeoDataFrame(geometry=other, crs=crs.STORAGE),
        ground.rivers,
        gpd.GeoDataFrame({"sign": signs}, geometry=points, crs=crs.STORAGE),
        ground.landmarks,
    )


def _geoms(stretch: Stretch, ground: _Ground) -> Iterator[shapely.LineString]:
    """The stretch on the axis of its river, as far as the axis goes."""
    axis = ground.axes.get(stretch.river_id)
    if axis is not None:
        low, high = max(stretch.from_m, axis.origin_m), min(stretch.to_m, axis.end_m)
        if high - low > 0.5:
            yield axis.stretch(low, high)


def render(card: Card) -> str:
    """The card as one page that asks nothing of any other machine."""
    return morning.environment().get_template("reminder_card.html").render(card=card)
