"""Patrols (巡河) as maps draw them: the bank seen, the bank not seen and why, the way of moving, and the track itself. Personal data.

``draw`` takes frames, whether they come from the database or from a scoring of bare files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_frame, read_table
from rivergis.errors import NotFound
from rivergis.maps import atlas, marks, thinning
from rivergis.maps.features import Row
from rivergis.patrol.fixes import Fixes
from rivergis.river import place
from rivergis.river.chainage import label as chainage

SEEN = "seen"
KEPT = ("track", "leg", "uncovered", "stop", "landmark")
"""The last to be thinned out; the way of moving goes first, then the ground."""
HIDDEN = ("travel",)


def draw(
    legs: pd.DataFrame,
    reaches: gpd.GeoDataFrame,
    fixes: gpd.GeoDataFrame,
    *,
    gap_s: float,
    title_zh: str,
    title_en: str,
    stops: pd.DataFrame | None = None,
    ground: atlas.Layers | None = None,
    below: str = "",
    stamp: str | None = None,
    assets: str = "inline",
) -> str:
    """HTML of one patrol: both banks drawn beside the river, seen or not and why, gaps of the track as gaps, stops.

    ``legs``: reach (position in ``reaches``), bank (left, right, None in the channel), from_m, to_m in metres of the reach, why
    (``seen`` or a reason), and where known started_at, ended_at, mode, speed_ms, passage, confidence. ``reaches``: LineStrings
    (EPSG:4490) with, where known, river, reach_id, half_width_m, at_m (chainage of the upstream end). ``fixes``: used fixes in
    time order, Points (EPSG:4490) with ``at`` (UTC, may be missing); may be empty. ``gap_s``: longer silence is a gap. ``stops``:
    at, minutes, lon, lat. ``ground``: further layers under them. What the page cannot carry is left out and said in the title.
    """
    lines = leg_lines(legs, reaches)
    seen = lines[lines["why"] == SEEN]
    layers: atlas.Layers = {
        **(ground or {}),
        "reach": _river_lines(reaches, legs),
        "uncovered": marks.on_bank(lines[lines["why"] != SEEN].assign(cls=lambda f: f["why"])),
        "leg": marks.on_bank(seen.assign(cls=seen["bank"].fillna("channel"))),
        "travel": marks.on_bank(seen[seen["mode"].notna()].assign(cls=lambda f: f["mode"]), beyond_m=20.0),
        "stop": _stops(stops),
        "track": marks.track_lines(fixes, gap_s) if len(fixes) > 1 else _nothing(),
    }
    drawn, note = thinning.fit(layers, KEPT)
    title = " · ".join(p for p in (title_zh, note) if p)
    return atlas.patrol_map(
        drawn, title_zh=title, title_en=title_en, stamp=stamp, assets=assets, hidden=HIDDEN, below=below
    )


def _nothing() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"cls": []}, geometry=[], crs=crs.STORAGE)


def leg_lines(legs: pd.DataFrame, reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Legs as their own piece of the reach, with label and popup: columns of ``legs`` and half_width_m, label, popup."""
    own = reaches.iloc[legs["reach"].to_numpy(dtype=int)].reset_index(drop=True)
    told = legs.reset_index(drop=True).reindex(columns=list(dict.fromkeys([*LEG, *legs.columns])))
    parts = gpd.GeoDataFrame(told, geometry=own.geometry.to_numpy(), crs=reaches.crs)
    parts["half_width_m"] = own["half_width_m"].to_numpy() if "half_width_m" in own else np.nan
    records = told.to_dict("records")
    grounds = own.drop(columns=own.geometry.name).to_dict("records")
    parts["label"] = [_label(r, g) for r, g in zip(records, grounds, strict=True)]
    parts["popup"] = [_popup(r, g) for r, g in zip(records, grounds, strict=True)]
    cut = place.cut(parts)
    return cut[cut.geometry.notna()]


LEG = ("reach", "bank", "from_m", "to_m", "why", "started_at", "ended_at", "mode", "speed_ms", "passage", "confidence")


def _known(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def span_of(leg: Mapping[str, Any], reach: Mapping[str, Any]) -> str:
    """Where a leg lies: chainage of its river where the reach has one, else metres of the reach."""
    start = reach.get("at_m")
    if _known(start):
        return f"{chainage(start + leg['from_m'])} – {chainage(start + leg['to_m'])}"
    return f"{leg['from_m']:,.0f} – {leg['to_m']:,.0f} m"


def named(reach: Mapping[str, Any]) -> str:
    """The river a reach belongs to, else its own number."""
    return str(next((reach[k] for k in ("river", "reach_id", "code") if _known(reach.get(k))), ""))


def why_word(leg: Mapping[str, Any]) -> str:
    """Key of the words for seen, or for why not."""
    return "patrol.seen" if leg["why"] == SEEN else f"unseen.{leg['why']}"


def bank_word(leg: Mapping[str, Any]) -> str:
    """Key of the words for the bank of a leg."""
    return f"bank.{leg['bank']}" if _known(leg["bank"]) else "patrol.channel"


def _label(leg: Mapping[str, Any], reach: Mapping[str, Any]) -> str:
    return f"{words.say(why_word(leg))} · {named(reach)} {words.say(bank_word(leg))} {span_of(leg, reach)}"


def _popup(leg: Mapping[str, Any], reach: Mapping[str, Any]) -> list[Row]:
    speed, mode = leg["speed_ms"], leg["mode"]
    values = {
        "status": words.both("patrol.seen" if leg["why"] == SEEN else "patrol.unseen"),
        "reason": None if leg["why"] == SEEN else words.both(why_word(leg)),
        "river": named(reach),
        "place": f"{words.both(bank_word(leg))} {span_of(leg, reach)}",
        "length": f"{leg['to_m'] - leg['from_m']:,.0f} m",
        "at": clock(leg["started_at"], leg["ended_at"]),
        "mode": words.both(f"patrol.mode_{mode}") if _known(mode) else None,
        "speed": f"{speed:.1f} m/s ({speed * 3.6:.1f} km/h)" if _known(speed) else None,
        "passage": f"{leg['passage']:.0f}" if _known(leg["passage"]) else None,
        "confidence": f"{leg['confidence']:.0%}" if _known(leg["confidence"]) else None,
    }
    return [(*words.pair(f"patrol.{k}"), v) for k, v in values.items() if v]


def clock(start: Any, end: Any) -> str | None:
    """A time span in Beijing time, None where it is not known."""
    if not (_known(start) and _known(end)):
        return None
    return " – ".join(f"{pd.Timestamp(t).tz_convert('Asia/Shanghai'):%H:%M:%S}" for t in (start, end))


def _river_lines(reaches: gpd.GeoDataFrame, legs: pd.DataFrame) -> gpd.GeoDataFrame:
    """The reaches that legs lie on, as ground."""
    own = reaches.iloc[np.unique(legs["reach"].to_numpy(dtype=int))]
    labels = [named(r) for r in own.drop(columns=own.geometry.name).to_dict("records")]
    kinds = own["kind"].to_numpy(dtype=object) if "kind" in own else None
    return gpd.GeoDataFrame({"label": labels, "cls": kinds}, geometry=own.geometry.to_numpy(), crs=own.crs)


def _stops(stops: pd.DataFrame | None) -> gpd.GeoDataFrame:
    """Where the person stood still, and for how long; a stop without a position is not drawn."""
    stops = None if stops is None else stops[stops["lon"].notna()]
    if stops is None or stops.empty:
        return _nothing()
    zh = words.say("patrol.stop")
    at = [pd.Timestamp(t).tz_convert("Asia/Shanghai").strftime("%H:%M") if _known(t) else "" for t in stops["at"]]
    rows = {
        "label": [f"{zh} {m:.0f} min" for m in stops["minutes"]],
        "popup": [
            [(*words.pair("patrol.at"), t), (*words.pair("patrol.minutes"), f"{m:.1f} min")]
            for t, m in zip(at, stops["minutes"], strict=True)
        ],
    }
    return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(stops["lon"], stops["lat"]), crs=crs.STORAGE)


def used_points(fixes: Fixes, lon: Any = None, lat: Any = None) -> gpd.GeoDataFrame:
    """The used fixes of a track as ``draw`` takes them; ``lon``, ``lat``: their positions in EPSG:4490 where the datum was another."""
    x, y = (fixes.lon, fixes.lat) if lon is None or lat is None else (np.asarray(lon), np.asarray(lat))
    at = pd.to_datetime(np.where(np.isfinite(fixes.t_s), fixes.t_s, np.nan), unit="s", utc=True)
    points = gpd.GeoDataFrame({"at": at}, geometry=gpd.points_from_xy(x, y), crs=crs.STORAGE)
    return points[fixes.used].reset_index(drop=True)


# ---- from the database ----------------------------------------------------------------------------------------------


def patrol(conn: Connection, track_id: str) -> dict[str, Any]:
    """One patrol: day, times, chief, figures, tested rules, reasons to verify; ``NotFound`` for an unknown id.

    A file that is part of a longer outing is told as that outing.
    """
    head = "SELECT coalesce(part_of, id) FROM data.track WHERE id::text = :t"
    found = read_table(conn, f"SELECT * FROM app.patrol WHERE track_id = ({head})", {"t": track_id.lower()})
    if found.empty:
        raise NotFound(f"There is no patrol track {track_id!r}.")
    row: dict[str, Any] = found.astype(object).where(found.notna(), None).to_dict("records")[0]
    return row


def legs(conn: Connection, head: Any) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Legs and reaches of a patrol's current scoring as ``draw`` takes them; reaches in the version they were measured on."""
    own = "SELECT l.* FROM data.leg l JOIN data.patrol_result r ON r.id = l.result_id WHERE r.track_id = :t AND r.superseded_at IS NULL"
    rows = read_table(conn, f"{own} ORDER BY l.seq", {"t": str(head)})
    reaches = read_frame(
        conn,
        f"""SELECT h.id, h.version, h.code, h.kind, h.half_width_m, h.from_m AS at_m, h.length_m, r.name AS river, h.geom
        FROM data.reach h JOIN (SELECT DISTINCT reach_id, reach_version FROM ({own}) o) u ON u.reach_id = h.id AND u.reach_version = h.version
        LEFT JOIN app.river_as_of((SELECT day FROM data.track WHERE id = :t)) r ON r.id = h.river_id ORDER BY r.name, h.from_m, h.id""",
        {"t": str(head)},
    )
    at = {key: i for i, key in enumerate(zip(reaches["id"], reaches["version"], strict=True))}
    position = [at[key] for key in zip(rows["reach_id"], rows["reach_version"], strict=True)]
    why = rows["reason"].where(~rows["seen"].astype(bool), SEEN)
    return rows.assign(reach=np.array(position, dtype=int), why=why), reaches
