"""Patrols (巡河) as maps draw them: the bank seen, the bank not seen and why, and the track itself. Personal data."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import shapely.ops
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_frame, read_table
from rivergis.errors import NotFound
from rivergis.maps.features import Row, rows_of
from rivergis.river.chainage import label as chainage


def legs(conn: Connection, track_id: str) -> gpd.GeoDataFrame:
    """Stretches of bank of one patrol's current scoring as lines along their reach, for ``atlas.patrol_map``.

    Columns: seen, cls (the bank, or why it was not seen), bank, half_width_m, label, popup.
    """
    frame = read_frame(
        conn,
        """SELECT l.seq, l.bank, l.from_m, l.to_m, l.seen, l.reason, l.half_width_m, l.reach_from_m, l.reach_length_m,
          r.name AS river, l.reach_geom AS geom
        FROM app.leg l JOIN app.patrol p ON p.track_id = l.track_id
        LEFT JOIN LATERAL app.river_as_of(p.day) r ON r.id = l.river_id
        WHERE l.track_id = :track ORDER BY l.seq""",
        {"track": track_id},
    )
    if frame.empty:
        return frame.assign(cls=None, label=None, popup=None)
    metric = crs.to_metric(frame)
    pieces = [
        shapely.ops.substring(g, a / n, b / n, normalized=True)
        for g, a, b, n in zip(metric.geometry, metric["from_m"], metric["to_m"], metric["reach_length_m"], strict=True)
    ]
    out = crs.to_storage(metric.set_geometry(gpd.GeoSeries(pieces, index=metric.index, crs=metric.crs)))
    records = frame.drop(columns="geom").to_dict("records")
    out["cls"] = [r["bank"] if r["seen"] else r["reason"] for r in records]
    out["label"] = [_stretch(r) for r in records]
    out["popup"] = [_leg_rows(r) for r in records]
    return out[["seen", "cls", "bank", "half_width_m", "label", "popup", out.geometry.name]]


def _stretch(r: dict[str, Any]) -> str:
    start = 0.0 if pd.isna(r["reach_from_m"]) else r["reach_from_m"]
    what = words.say("patrol.seen") if r["seen"] else words.say(f"unseen.{r['reason']}")
    bank = words.say(f"bank.{r['bank']}") if r["bank"] else ""
    return f"{what} · {r['river'] or ''}{bank} {chainage(start + r['from_m'])} – {chainage(start + r['to_m'])}"


def _leg_rows(r: dict[str, Any]) -> list[Row]:
    state = words.both("patrol.seen" if r["seen"] else "patrol.unseen")
    why = None if r["seen"] else words.both(f"unseen.{r['reason']}")
    return rows_of({"status": state, "reason": why, "length": f"{r['to_m'] - r['from_m']:,.0f} m"})


def patrol(conn: Connection, track_id: str) -> dict[str, Any]:
    """One patrol: day, times, chief, figures, tested rules, reasons to verify; ``NotFound`` for an unknown id."""
    found = read_table(conn, "SELECT * FROM app.patrol WHERE track_id::text = :t", {"t": track_id.lower()})
    if found.empty:
        raise NotFound(f"There is no patrol track {track_id!r}.")
    row: dict[str, Any] = found.to_dict("records")[0]
    return row


def fixes(conn: Connection, track_id: str) -> gpd.GeoDataFrame:
    """Fixes of a track in the order of its file: seq, at (UTC), acc_m; Points in EPSG:4490. Personal data."""
    frame = read_frame(
        conn, "SELECT seq, at, acc_m, geom FROM app.fix WHERE track_id = :t ORDER BY seq", {"t": track_id}
    )
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True), acc_m=frame["acc_m"].astype(float))
