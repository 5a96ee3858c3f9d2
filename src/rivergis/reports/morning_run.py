"""How far the night can be trusted (运行): what ended when, which districts, files and feeds failed, and which lines nobody looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_frame, read_table
from rivergis.encroachment import night_store
from rivergis.reports.morning_facts import Measured, Run, Trouble
from rivergis.reports.morning_leads import NO_DISTRICT, At

FEEDS = ("name", "kind", "cadence_days", "last", "days", "why")
LINES = ("river", "bank", "basis", "km")
FAILED = ("what", "sentence")
# what only reports places where somebody happened to be does not look at a line
SPOT_KINDS = ("hotline", "video", "reports")


def nights(conn: Connection, first: date, last: date, known_at: datetime) -> dict[date, datetime]:
    """Nights that were run, with the moment their last run ended (UTC)."""
    found = read_table(
        conn,
        """SELECT run_date, max(finished_at) AS finished_at FROM app.night_run
        WHERE run_date BETWEEN :first AND :last AND state <> 'failed' AND finished_at <= :known AND district = ''
        GROUP BY run_date ORDER BY run_date""",
        {"first": first, "last": last, "known": known_at},
    )
    return dict(zip(found["run_date"], found["finished_at"], strict=True))


def run(conn: Connection, at: At, told: dict[str, Any], feeds: Measured, late_after_h: int) -> Run:
    """The run of a night from its record ``told`` (a row of ``sys.job_run``) and the silent feeds."""
    counts = told["counts"]
    districts = _districts(conn, at, counts)
    troubles = [
        *([Trouble(words.say("morning.whole_night"), told["message"] or "", True)] if told["state"] == "failed" else []),
        *(Trouble(at.unit(d), s, True) for d, (state, s) in districts.items() if state != "done"),
        *(Trouble(f"{f.get('feed', '')} {f.get('file', '')}".strip(), f.get("sentence") or "", False)
          for f in counts.get("files") or () if f.get("state") == "failed"),
        *(Trouble(r["name"], r["why"], r["dead"]) for r in feeds.rows),
    ]  # fmt: skip
    scope = tuple(at.unit(d) for d in districts if d != NO_DISTRICT) or tuple(
        name for code, name in at.units.items() if len(code) == 6 and not code.endswith("00")
    )
    return Run(
        told["finished_at"],
        told["state"],
        told["rule_set"] or "",
        scope,
        counts.get("candidates"),
        len(districts) or len(scope),
        tuple(troubles),
        round(line_km(conn, at), 3),
        late_after_h,
    )


def _districts(conn: Connection, at: At, counts: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """State and sentence of every district of the night; the record of the whole night names them, else their own records do."""
    if counts.get("districts"):
        return {d: (v.get("state", ""), v.get("sentence") or "") for d, v in sorted(counts["districts"].items())}
    found = read_table(
        conn,
        """SELECT DISTINCT ON (district) district, state, coalesce(message, '') AS message FROM app.night_district
        WHERE run_date = :on AND finished_at <= :known ORDER BY district, finished_at DESC""",
        at.params,
    )
    return {r.district: (r.state, r.message) for r in found.itertuples()}


def feeds_missing(conn: Connection, at: At) -> Measured:
    """Feeds that should have delivered and did not: late, or dead."""
    found = read_table(
        conn,
        """SELECT code, name, kind, cadence_days, last_arrival, last_delivered_on, days_since, dead FROM app.feed_state_as_of(:on, :known)
        WHERE late OR dead ORDER BY NOT dead, days_since DESC NULLS LAST, code""",
        at.params,
    ).astype(object)
    rows = [
        {
            "name": r["name"],
            "code": r["code"],
            "kind": words.both(f"feed_kind.{r['kind']}"),
            "cadence_days": r["cadence_days"],
            "last": str(r["last_delivered_on"] or "") or words.both("morning.never"),
            "days": r["days_since"],
            "dead": bool(r["dead"]),
            "why": words.both("morning.feed_dead" if r["dead"] else "morning.feed_late", days=r["days_since"]),
        }
        for r in found.where(found.notna(), None).to_dict("records")
    ]
    return Measured.of_rows(rows)


def districts_failed(conn: Connection, at: At, counts: dict[str, Any]) -> Measured:
    """Districts whose part of the night failed, each with its sentence."""
    bad = {d: s for d, (state, s) in _districts(conn, at, counts).items() if state != "done"}
    return Measured.of_rows([{"what": at.unit(d), "sentence": s} for d, s in bad.items()])


@dataclass
class Looked:
    """Remembers the rectangle of every delivery between the nights of one page."""

    boxes: dict[Any, shapely.Geometry | None] = field(default_factory=dict)

    def at(self, conn: Connection, at: At) -> Any:
        """Ground that pictures or complete deliveries looked at in time, as known at a moment; what lay under cloud does not count."""
        scenes = night_store.imagery(conn, at.night, at.known_at)
        fresh = scenes[np.array([(at.night - d).days <= at.days["look_within"] for d in scenes["taken_on"]], bool)]
        cloud = [u for u in fresh["unobserved"] if u is not None]
        clear = shapely.union_all(
            [g if u is None else g.difference(u) for g, u in zip(fresh.geometry, fresh["unobserved"], strict=True)]
        )
        hidden = shapely.union_all(cloud).difference(clear)
        boxes = [self._box(conn, d) for d in _deliveries(conn, at)]
        return shapely.union_all([clear, *(b for b in boxes if b is not None)]).difference(hidden)

    def _box(self, conn: Connection, delivery: Any) -> Any:
        if delivery not in self.boxes:
            found = read_table(
                conn,
                """SELECT ST_XMin(b) AS w, ST_YMin(b) AS s, ST_XMax(b) AS e, ST_YMax(b) AS n FROM (
                  SELECT ST_Extent(c.geom) AS b FROM data.delivery_item i
                  JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version
                  WHERE i.delivery_id = CAST(:d AS uuid) HAVING NOT bool_and(c.source_kind = 'inspector')) x""",
                {"d": str(delivery)},
            )
            self.boxes[delivery] = None if found.empty else shapely.box(*(float(v) for v in found.iloc[0]))
        return self.boxes[delivery]


def _deliveries(conn: Connection, at: At) -> list[Any]:
    """The last complete delivery of every feed that looks at areas, where it came within the feed's cadence."""
    found = read_table(
        conn,
        """WITH feed AS (SELECT code, kind, cadence_days FROM app.feed_state_as_of(:on, :known))
        SELECT DISTINCT ON (d.feed) d.id FROM data.delivery d
        LEFT JOIN LATERAL (SELECT f.* FROM feed f WHERE d.feed = f.code OR starts_with(d.feed, f.code || ':')
                           ORDER BY length(f.code) DESC LIMIT 1) f ON true
        WHERE d.complete AND d.delivered_on <= :on AND d.recorded_at <= :known AND NOT coalesce(f.kind = ANY(:spots), false)
          AND CAST(:on AS date) - d.delivered_on <= coalesce(f.cadence_days, :days)
        ORDER BY d.feed, d.delivered_on DESC, d.recorded_at DESC""",
        {**at.params, "spots": list(SPOT_KINDS), "days": at.days["look_within"]},
    )
    return list(found["id"])


def _lines(conn: Connection, at: At) -> gpd.GeoDataFrame:
    """Boundary lines in force: river, bank, basis; LineString in EPSG:4490."""
    return read_frame(
        conn,
        """SELECT t.id, r.name AS river, t.bank, t.basis, t.geom FROM app.boundary_segment_as_of(:on, :known) t
        JOIN app.boundary_version_as_of(:on, :known) v ON v.id = t.boundary_id AND v.state <> 'revoked'
        LEFT JOIN app.river_as_of(:on, :known) r ON r.id = v.river_id ORDER BY r.name, t.bank, t.id""",
        at.params,
    )


def line_km(conn: Connection, at: At) -> float:
    """Length of the boundary lines in force, km."""
    return float(crs.length_m(_lines(conn, at).geometry.to_numpy()).sum()) / 1000


def not_observed(
    conn: Connection, at: At, towns: gpd.GeoDataFrame, looked: Looked
) -> tuple[Measured, gpd.GeoDataFrame]:
    """Boundary line that nothing looked at in time: kilometres by township, and the pieces (EPSG:4490) for the map.

    ``towns``: townships with code and name. Looked at is what a picture of the last days shows without cloud or shadow, and the
    rectangle round everything in the last complete delivery of a feed that came within its cadence.
    """
    lines = _lines(conn, at)
    rest = shapely.difference(lines.geometry.to_numpy(), looked.at(conn, at))
    left = lines.assign(geom=rest).set_geometry("geom")[~shapely.is_empty(rest)]
    rows = [
        {
            "river": r.river or "—",
            "bank": words.both(f"bank.{r.bank}"),
            "basis": words.both(f"basis.{r.basis}"),
            "km": round(km, 6),
            "town": town,
        }
        for r in left.itertuples()
        for town, km in _by_town(r.geom, towns)
    ]
    return Measured.of_rows(sorted(rows, key=lambda r: -r["km"]), None, "km"), left


def _by_town(line: Any, towns: gpd.GeoDataFrame) -> list[tuple[str, float]]:
    """Kilometres of a line in each township, each metre in one; the rest under no name."""
    out, rest = [], line
    for at in np.sort(towns.sindex.query(line, predicate="intersects")):
        town = towns.geometry.iloc[at]
        out.append((str(towns["name"].iloc[at]), float(crs.length_m(rest.intersection(town))) / 1000))
        rest = rest.difference(town)
    out.append(("", float(crs.length_m(rest)) / 1000))
    return [(name, km) for name, km in out if km > 0]
