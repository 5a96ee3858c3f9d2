"""Two days of the boundary on one map (界线版本对比): the earlier lines left of the slider, the later ones right, what changed listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import words
from rivergis.boundary.redraw.compare import Redraw
from rivergis.errors import UsageError
from rivergis.maps import atlas, boundary_versions, features, palette, sheet_layers
from rivergis.maps.atlas import Bounds, Layers, LocalMap
from rivergis.maps.boundary_versions import CHANGE, Days
from rivergis.maps.features import Scope, When
from rivergis.maps.sheets import Sheet, Titled
from rivergis.reports.sheet_below import Below, Table, km, metres, shown

LINE = "boundary_line"
GROUND = ("admin_unit", "water_area", "reach", "levee")
SIDES = ("before", "after")
MOST_LINES, MOST_CHANGES, MOST_RIVERS = 600, 400, 40
"""So many lines of each day, pieces of ground, and rivers that differ are drawn; the longest and largest."""


@dataclass(frozen=True)
class Asked:
    """The two days (default: today, and the day before the last change), and only one river (code) where named."""

    before: date | None = None
    after: date | None = None
    river: str | None = None
    namespace: str | None = None


def page(conn: Connection, sheet: Sheet, asked: Asked, noise_m: float) -> str:
    """HTML of the map and its lists; ``noise_m``: width up to which a change is resurvey noise (重测误差).

    ``NotFound`` for an unknown river, ``UsageError`` for days in the wrong order.
    """
    after = features.when(conn, asked.after)
    river = features.river(conn, asked.river, after, asked.namespace) if asked.river else None
    scope = river.scope if river else None
    first = asked.before or boundary_versions.day_before_last_change(conn, after, scope)
    if first > after.on:
        raise UsageError(f"The earlier day {first} lies after the later one {after.on}: change them round.")
    days = Days(When(first, after.known_at), after)
    redraw = boundary_versions.changed_ground(conn, days, scope, noise_m)
    acts = boundary_versions.acts(conn, days, scope)
    lines = _lines(conn, days, scope, acts)
    told = below(days, acts, redraw)
    return _draw(conn, sheet, days, scope, boundary_versions.drawn(redraw), lines, told, river.name if river else "")


def _lines(conn: Connection, days: Days, scope: Scope | None, acts: pd.DataFrame) -> list[Any]:
    """The lines of both days; of a large place only those of the rivers whose delimitations differ."""
    few = scope is not None or features.count(conn, LINE, days.after, None, MOST_LINES)[0] <= MOST_LINES
    changed = list(dict.fromkeys(acts["river_id"].dropna()))[:MOST_RIVERS]
    scopes = [scope] if few else [Scope(river_id) for river_id in changed]
    none = Scope(None, (0.0, 0.0, 0.0, 0.0))
    read = [[features.layer(conn, LINE, at, s) for s in scopes or [none]] for at in (days.before, days.after)]
    return [pd.concat(frames, ignore_index=True) for frames in read]


def _draw(
    conn: Connection,
    sheet: Sheet,
    days: Days,
    scope: Scope | None,
    change: Any,
    lines: list[Any],
    told: Below,
    name: str,
) -> str:
    focus = _focus(change, lines, scope)
    near = Scope(None, focus) if focus and (scope or len(change)) else scope
    sides, cut = _fitting(dict(zip(SIDES, lines, strict=True)))
    own = {CHANGE: change.head(MOST_CHANGES)}
    ground = sheet_layers.gather(
        conn, GROUND, days.after, served=sheet.served, scope=near, own=own, taken=sum(map(len, sides.values()))
    )
    zh, en = Titled("versions", f"{name} {days.before.on} → {days.after.on}".strip()).of(
        " · ".join(p for p in (cut, _said(CHANGE, MOST_CHANGES, len(change)), ground.note) if p)
    )
    drafts = features.has_drafts(conn, days.after, scope) or features.has_drafts(conn, days.before, scope)
    map_ = LocalMap(zh, en, stamp=sheet.stamp(conn, drafts=drafts), assets=sheet.assets, day=days.after.on).list_layer(
        CHANGE
    )
    map_.add_layers(ground.frames)
    for side, frame in sides.items():
        map_.add_layers({LINE: frame}, side=side)
    if ground.tiled:
        map_.add_tiles(ground.tiled, day=days.after.on)
    return map_.below(told.html()).look_at(focus or atlas.bounds([])).html()


def _fitting(sides: Layers) -> tuple[Layers, str]:
    """Lines of both days within what a page carries, the longest of each; and what was left out in words."""
    kept = {side: frame.loc[_longest(frame, MOST_LINES)] for side, frame in sides.items()}
    shown_, all_ = (sum(map(len, f.values())) for f in (kept, sides))
    return kept, _said(LINE, shown_, all_)


def _longest(frame: Any, most: int) -> Any:
    # degrees will do to tell the long ones from the short ones
    size = pd.Series(shapely.length(frame.geometry.values), index=frame.index)
    return sorted(size.sort_values(ascending=False, kind="stable").index[:most])


def _said(layer: str, drawn: int, all_: int) -> str:
    return words.say("map.thinned", layers=f"{palette.load().of(layer).zh} {drawn}/{all_}") if drawn < all_ else ""


def _focus(change: Any, lines: list[Any], scope: Scope | None) -> Bounds | None:
    frames = [change] if len(change) else [f for f in lines if len(f)]
    return atlas.bounds(frames, margin=0.08) if frames else scope.box if scope else None


def below(days: Days, acts: pd.DataFrame, redraw: Redraw | None) -> Below:
    """Which delimitations differ between the days, and the ground of each river that entered and left."""
    rows = [
        (r.code, shown(r.river), words.choice(LINE, "line_type", r.line_type), _standing(r.before), _standing(r.after),
         shown(r.announce_doc_no), shown(r.in_force_from), km(r.before_m), km(r.after_m))
        for r in acts.itertuples()
    ]  # fmt: skip
    ground = [] if redraw is None else [
        (r.river_code, metres(r.old_m2), metres(r.new_m2), metres(r.entering_m2), metres(r.leaving_m2), metres(r.noise_in_m2), metres(r.noise_out_m2))
        for r in redraw.rivers.itertuples()
    ]  # fmt: skip
    facts = [("before", days.before.on), ("after", days.after.on)]
    note = words.both("sheet.note_noise", m=f"{redraw.tolerance_m:g}") if redraw is not None else None
    tables = [
        Table("changed_acts", ("code", "river", "line_type", "before", "after", "document", "in_force_from", "before_km", "after_km"), rows),
        Table("changed_ground", ("river", "old_m2", "new_m2", "entering_m2", "leaving_m2", "noise_in_m2", "noise_out_m2"), ground, note),
    ]  # fmt: skip
    return Below(facts, tables)


def _standing(code: Any) -> str:
    return str(shown(code, lambda c: words.both(f"deliver.standing.{c}")))
