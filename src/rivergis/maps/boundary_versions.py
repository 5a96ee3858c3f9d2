"""Two days of the boundary (界线版本对比): which delimitations stood, and what ground came inside or went outside between them.

Positions in EPSG:4490, areas in m2 on the ellipsoid. What is narrower than two surveys differ by is resurvey noise: counted, not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.boundary.redraw import compare
from rivergis.db.connect import read_frame, read_table
from rivergis.maps.features import Row, Scope, When
from rivergis.river.chainage import label

CHANGE = "boundary_change"
_OWN = "(CAST(:river AS uuid) IS NULL OR {0}.river_id = CAST(:river AS uuid))"


@dataclass(frozen=True)
class Days:
    """The two days that are compared, both as known at one moment."""

    before: When
    after: When


def day_before_last_change(conn: Connection, after: When, scope: Scope | None) -> date:
    """The day before delimitations last came into force or ended up to a day; a year earlier where none ever did."""
    found = read_table(
        conn,
        f"""SELECT max(d) AS day FROM app.boundary_standing_as_of(:on, :known) v,
          LATERAL (VALUES (v.in_force_from), (v.in_force_until + 1)) x(d) WHERE d <= :on AND {_OWN.format("v")}""",
        {**after.params, "river": _river(scope)},
    )["day"].iloc[0]
    return found - timedelta(days=1) if isinstance(found, date) else after.on - timedelta(days=365)


def acts(conn: Connection, days: Days, scope: Scope | None) -> pd.DataFrame:
    """Delimitations whose standing, version or lines differ between the days: river_id, code, river, line_type, before, after, act, lengths, m."""
    return read_table(
        conn,
        f"""WITH a AS ({_STANDING.format("before")}), b AS ({_STANDING.format("after")})
        SELECT coalesce(b.river_id, a.river_id) AS river_id, coalesce(b.code, a.code) AS code, coalesce(b.river, a.river) AS river, 
          coalesce(b.line_type, a.line_type) AS line_type, a.standing AS before, b.standing AS after,
          coalesce(b.announce_doc_no, a.announce_doc_no) AS announce_doc_no,
          coalesce(b.in_force_from, a.in_force_from) AS in_force_from, {_LENGTH.format("before", "a")} AS before_m, {_LENGTH.format("after", "b")} AS after_m
        FROM a FULL JOIN b ON a.boundary_id = b.boundary_id
        WHERE (a.standing, a.rows) IS DISTINCT FROM (b.standing, b.rows) ORDER BY 2, 4, 1""",
        {"before": days.before.on, "after": days.after.on, "known": days.after.known_at, "river": _river(scope)},
    )


_STANDING = f"""SELECT v.*, s.rows FROM app.boundary_standing_as_of(:{{0}}, :known) v
  LEFT JOIN (SELECT boundary_id, array_agg((id, version)::text ORDER BY id) AS rows
             FROM app.boundary_segment_as_of(:{{0}}, :known) GROUP BY 1) s ON s.boundary_id = v.boundary_id
  WHERE {_OWN.format("v")}"""
# only of delimitations that differ: lengths on the ellipsoid of all lines of a province take half a minute
_LENGTH = "(SELECT sum(ST_Length(g.geom::geography)) FROM app.boundary_segment_as_of(:{0}, :known) g WHERE g.boundary_id = {1}.boundary_id)"


def changed_ground(conn: Connection, days: Days, scope: Scope | None, noise_m: float) -> compare.Redraw | None:
    """What entered and left the management areas, of the rivers whose areas differ; None where none does.

    ``noise_m``: width up to which a change is resurvey noise.
    """
    rivers = _differing(conn, days, scope)
    if not rivers:
        return None
    old, new = (_areas(conn, at, rivers) for at in (days.before, days.after))
    plane = compare.plane(*crs.centre(new if len(new) else old))
    return compare.compare(old.to_crs(plane), new.to_crs(plane), noise_m)


def _differing(conn: Connection, days: Days, scope: Scope | None) -> list[str]:
    """Codes of rivers whose management areas are not the same rows on both days."""
    one, other = (f"SELECT r.code, t.id, t.version {_AREAS.format(day)}" for day in ("before", "after"))
    query = f"SELECT DISTINCT code FROM (({one} EXCEPT {other}) UNION ALL ({other} EXCEPT {one})) x ORDER BY 1"
    params = {"before": days.before.on, "after": days.after.on, "known": days.after.known_at, "river": _river(scope)}
    return list(read_table(conn, query, params)["code"])


def _areas(conn: Connection, at: When, rivers: Sequence[str]) -> gpd.GeoDataFrame:
    """Management areas in force on a day of rivers by code."""
    query = (
        f"SELECT r.code AS river_code, t.geom {_AREAS.format('on')} AND r.code = ANY(:codes) ORDER BY r.code, t.code"
    )
    return read_frame(conn, query, {**at.params, "river": None, "codes": list(rivers)})


_AREAS = f"""FROM app.boundary_area_as_of(:{{0}}, :known) t
  JOIN app.boundary_version_as_of(:{{0}}, :known) v ON v.id = t.boundary_id AND v.state <> 'revoked'
    AND coalesce(v.line_type, 'management') = 'management'
  JOIN app.river_as_of(:{{0}}, :known) r ON r.id = v.river_id WHERE {_OWN.format("v")}"""


def _river(scope: Scope | None) -> str | None:
    return None if scope is None or scope.river_id is None else str(scope.river_id)


def drawn(redraw: compare.Redraw | None) -> gpd.GeoDataFrame:
    """The map layer ``boundary_change``: pieces without noise, largest first, with what is known of each."""
    if redraw is None:
        return gpd.GeoDataFrame({"cls": [], "label": [], "popup": []}, geometry=[], crs=crs.STORAGE)
    pieces = crs.to_storage(redraw.changed.sort_values("m2", ascending=False, kind="stable"))
    records = pieces.drop(columns=pieces.geometry.name).to_dict("records")
    return gpd.GeoDataFrame(
        {
            "cls": pieces["change"].to_numpy(),
            "label": [_label(r) for r in records],
            "popup": [_popup(r) for r in records],
        },
        geometry=pieces.geometry.to_numpy(),
        crs=crs.STORAGE,
    )


def _label(r: dict[str, Any]) -> str:
    return f"{words.say('sheet.' + r['change'])} {r['m2']:,.0f} m² · {r['river_code']}"


def _popup(r: dict[str, Any]) -> list[Row]:
    known = {k: v for k, v in r.items() if v is not None and v == v and v != ""}
    values = {
        "change": words.both(f"sheet.{r['change']}"),
        "area_m2": f"{r['m2']:,.1f}",
        "mean_width_m": f"{r['width_m']:,.1f}",
        "river": r["river_code"],
        "bank": words.both(f"bank.{known['bank']}") if "bank" in known else None,
        "stretch": f"{label(known['from_m'])} – {label(known['to_m'])}" if {"from_m", "to_m"} <= known.keys() else None,
        "other_river": known.get("other_river"),
        "reason": known.get("reason"),
    }
    return [(*words.pair(f"sheet.{k}"), v) for k, v in values.items() if v]
