"""The maps of the service as whole pages (图幅): what is drawn, how it is titled, and what is left out and said.

``assets`` is the URL prefix of the service's front-end files, or ``inline`` for one file that opens without network.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.maps import atlas, features, leads, marks, patrols
from rivergis.maps.features import COUNTY, GROUND, HIDDEN, Scope, When
from rivergis.patrol import clean, coverage
from rivergis.patrol.score import Method
from rivergis.river import store as river_store

SHANGHAI = ZoneInfo("Asia/Shanghai")
# the last to be thinned out when a map would carry too much
KEPT = ("finding", "not_finding", "admin_unit", "boundary_line", "source_zone", "intake", "outfall", "levee")


@dataclass(frozen=True)
class Sheet:
    """Where a page is going: the service, or one file for which pictures are read from the store."""

    assets: str = "inline"
    store_dir: Path | None = None

    @property
    def pictures(self) -> leads.Pictures | None:
        return leads.Pictures(self.store_dir) if self.assets == "inline" else None

    def options(self, conn: Connection) -> dict[str, Any]:
        """Stamp and assets, as every map takes them."""
        demo = river_store.has_namespace(conn, "demo")
        return {"stamp": words.both("page.demo") if demo else None, "assets": self.assets}


def county(conn: Connection, sheet: Sheet, on: date | None = None) -> str:
    """The county at a glance, as of a civil day (today): every layer in force, and the leads that stand."""
    at = features.when(conn, on)
    layers = {noun: features.layer(conn, noun, at) for noun in COUNTY}
    layers["finding"] = leads.standing(conn, at, pictures=sheet.pictures)
    return _page(conn, sheet, layers, "county", at, _county_name(conn, at))


def river(conn: Connection, sheet: Sheet, code: str, on: date | None = None, namespace: str | None = None) -> str:
    """One river with its ground; ``NotFound`` when no river has the code."""
    at = features.when(conn, on)
    found = features.river(conn, code, at, namespace)
    layers = {noun: features.layer(conn, noun, at, found.scope) for noun in COUNTY} if found.scope.box else {}
    if found.scope.box:
        layers["finding"] = leads.standing(conn, at, scope=found.scope, pictures=sheet.pictures)
    return _page(conn, sheet, layers, "river", at, f"{found.name} {found.name_en or ''}".strip(), focus=found.scope.box)


def night(conn: Connection, sheet: Sheet, on: date) -> str:
    """The leads of a night and the objects it did not tell, on the lines in force that day."""
    at = features.when(conn, on)
    ground = {noun: features.layer(conn, noun, at) for noun in GROUND}
    ground["not_finding"] = leads.not_told(conn, at)
    told = leads.of_night(conn, at, pictures=sheet.pictures)
    drawn, note = _fit({**ground, "finding": told})
    zh, en = _title("night", str(on), note)
    findings = drawn.pop("finding")
    return atlas.night_map(findings, drawn, title_zh=zh, title_en=en, hidden=("boundary_area",), **sheet.options(conn))


def patrol(conn: Connection, sheet: Sheet, track_id: str, method: Method) -> str:
    """One patrol: the bank seen, the bank not seen and why, and the track while its fixes are kept. Personal data."""
    row = patrols.patrol(conn, track_id)
    at = features.when(conn, row["day"])
    legs = patrols.legs(conn, track_id)
    scope = Scope(None, _box(legs)) if len(legs) else None
    ground = {noun: features.layer(conn, noun, at, scope) for noun in ("admin_unit", "water_area", "landmark")}
    reaches = features.layer(conn, "reach", at)
    near = reaches.cx[scope.box[0] : scope.box[2], scope.box[1] : scope.box[3]] if scope and scope.box else reaches
    track = _track(patrols.fixes(conn, track_id), reaches, method)
    zh, en = _title("patrol", _who_and_when(row), "" if len(track) else words.say("patrol.purged"))
    seen = legs["seen"].astype(bool)
    return atlas.patrol_map(
        track, legs[seen], near, legs[~seen], title_zh=zh, title_en=en, layers=ground, **sheet.options(conn)
    )


def _who_and_when(row: dict[str, Any]) -> str:
    start = row["started_at"]
    clock = "" if pd.isna(start) else pd.Timestamp(start).tz_convert(SHANGHAI).strftime("%H:%M")
    who = f"{words.say('level.' + row['level'])}{words.say('page.chief')} {row['chief']}" if row["chief"] else ""
    return " ".join(p for p in (str(row["day"] or ""), clock, who) if p)


def _track(fixes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, method: Method) -> gpd.GeoDataFrame:
    """The fixes that were used as lines, silent stretches apart, with the same limits as the scoring."""
    if len(fixes) < 2:
        return gpd.GeoDataFrame({"cls": []}, geometry=[], crs=crs.STORAGE)
    marked = clean.mark(crs.to_metric(fixes), max_accuracy_m=method.max_accuracy_m, max_speed_ms=method.max_speed_ms)
    used = marked[marked["mark"].isna()].reset_index(drop=True)
    return marks.track_lines(crs.to_storage(used), coverage.gap_s(used, method.limits))


def _box(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    west, south, east, north = frame.total_bounds
    pad = features.MARGIN_DEG
    return (west - pad, south - pad, east + pad, north + pad)


def _county_name(conn: Connection, at: When) -> str:
    """Name of the county the database is about, if there is exactly one."""
    units = features.layer(conn, "admin_unit", at)
    counties = units[units["cls"] == "county"]["label"]
    return str(counties.iloc[0]) if len(counties) == 1 else ""


def _page(
    conn: Connection,
    sheet: Sheet,
    layers: atlas.Layers,
    kind: str,
    at: When,
    name: str,
    focus: tuple[float, float, float, float] | None = None,
) -> str:
    drawn, note = _fit(layers)
    zh, en = _title(kind, f"{name} {at.on}".strip(), note)
    draw = atlas.river_map if kind == "river" else atlas.county_map
    return draw(drawn, title_zh=zh, title_en=en, hidden=HIDDEN, focus=focus, **sheet.options(conn))


def _title(kind: str, name: str, note: str) -> tuple[str, str]:
    zh, en = words.pair(f"map.{kind}")
    return " · ".join(p for p in (zh, name, note) if p), en


def _fit(layers: atlas.Layers) -> tuple[atlas.Layers, str]:
    """Layers within what a page can carry, and what was left out in words: never cut in silence.

    What matters most keeps its rows; of the others the longest and largest stay.
    """
    room, drawn, left_out = marks.MAX_FEATURES, {}, []
    for noun in sorted(layers, key=lambda n: KEPT.index(n) if n in KEPT else len(KEPT)):
        frame = layers[noun]
        if len(frame) > room:
            # degrees will do to tell the long ones from the short ones
            size = pd.Series(shapely.length(frame.geometry.values), index=frame.index)
            kept = size.sort_values(ascending=False, kind="stable").index[:room] if size.any() else frame.index[:room]
            left_out.append(f"{words.say(f'layer.{noun}')} {room}/{len(frame)}")
            frame = frame.loc[sorted(kept)]
        drawn[noun] = frame
        room -= len(frame)
    note = words.say("map.thinned", layers="、".join(left_out)) if left_out else ""
    return {noun: drawn[noun] for noun in layers}, note
