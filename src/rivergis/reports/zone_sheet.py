"""The map of source zones and outfalls (水源保护区与排污口图): conflicts of each zone level on the map, listed, and counted zone by zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_table
from rivergis.maps import atlas, features, palette, sheet_layers, sheets, zone_map
from rivergis.maps.features import When
from rivergis.maps.sheets import Sheet, Titled
from rivergis.maps.zone_map import OUTFALL
from rivergis.outfall import store as outfall_store
from rivergis.reports.sheet_below import SHOWN_ROWS, Below, Table, metres, shown
from rivergis.rules import RuleView
from rivergis.sourcezone import store as zone_store

MOST = 800
"""Outfalls in zones that one map carries; the table counts all."""
GROUND = ("admin_unit", "water_area", "source_zone", "reach", "intake", "outfall")


def page(conn: Connection, sheet: Sheet, view: RuleView, on: date | None = None) -> str:
    """HTML of the map and its lists, as of a civil day (today). ``view``: rules that say which clause an outfall in a zone touches."""
    at = features.when(conn, on)
    outfalls = _with_river(conn, at, outfall_store.outfalls(conn, at.on, at.known_at))
    zones = zone_store.zones(conn, at.on, at.known_at)
    told = zone_map.placed(outfalls, zones)
    inside = zone_map.inside(told)
    drawn = zone_map.drawn(inside.head(MOST), clause_of(view), _pages(conn, at) if sheet.served else None)
    own = {OUTFALL: drawn}
    zh = palette.load().of(OUTFALL).zh
    note = words.say("map.thinned", layers=f"{zh} {MOST}/{len(inside)}") if len(inside) > MOST else ""
    chosen = sheet_layers.gather(conn, GROUND, at, served=sheet.served, own=own, note=note)
    if "outfall" in chosen.frames:  # one sign a place
        plain = chosen.frames["outfall"]
        chosen.frames["outfall"] = plain[~plain["id"].isin(drawn["id"])]
    near = [f for f in (zones, outfalls) if len(f)]
    titled = Titled("zones", f"{features.county_name(conn, at)} {at.on}".strip())
    return sheets.draw(
        conn, sheet, titled, at, chosen, drafts=False, listed=OUTFALL, below=below(told, zones, clause_of(view)).html(),
        focus=atlas.bounds(near, margin=0.05) if near else None,
    )  # fmt: skip


def clause_of(view: RuleView) -> Callable[[int], str]:
    """The clause that an outfall in a zone of a class touches."""
    return lambda zone_class: view.prohibition("source_zone.outfall", zone_class=zone_class).clause


def _with_river(conn: Connection, at: When, outfalls: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = read_table(conn, "SELECT id, name FROM app.river_as_of(:on, :known)", at.params)
    return outfalls.assign(river=outfalls["river_id"].map(dict(zip(names["id"], names["name"], strict=True))))


def _pages(conn: Connection, at: When) -> dict[str, str]:
    """Page of the lead on an outfall by its code."""
    found = read_table(
        conn,
        """SELECT t.figures->>'code' AS code, t.id FROM app.finding_as_of(:on, :known) t
        WHERE t.topic IN ('outfall_in_zone', 'outfall_position') ORDER BY t.topic DESC""",
        at.params,
    )
    return {str(r.code): f"/findings/{r.id}" for r in found.itertuples()}


def below(outfalls: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, clause: Callable[[int], str]) -> Below:
    """Counts by level of zone, the outfalls inside with their clause, and every zone with what lies in it."""
    by_level = Counter(int(c) for c in outfalls["zone_class"] if c is not None)
    in_zone = Counter(str(z) for z in outfalls["zone"] if z is not None)
    levels = [(words.both(f"zone_class.{c}"), _count(zones, c), by_level[c], clause(c)) for c in zone_map.CLASSES]
    inside = zone_map.inside(outfalls)
    rows = [
        (words.both(f"zone_class.{int(r.zone_class)}"), r.code, r.name, shown(r.river), r.zone, metres(r.depth_m),
         shown(words.choice("outfall", "approval_kind", r.approval_kind)), shown(r.doc_no))
        for r in inside.itertuples()
    ]  # fmt: skip
    listed = zones.head(SHOWN_ROWS)
    areas = crs.area_m2(listed.geometry.values) if len(listed) else []
    held = [
        (words.both(f"zone_class.{int(z.zone_class)}"), z.name, words.choice("source_zone", "part", z.part), metres(m2), in_zone[str(z.name)],
         words.both(f"basis.{z.basis}"), shown(z.doc_no))
        for z, m2 in zip(listed.itertuples(), areas, strict=True)
    ]  # fmt: skip
    tables: list[Any] = [
        Table("zone_levels", ("in_zone", "zones", "outfalls", "clause"), levels, words.both("sheet.note_zones")),
        Table("zone_outfalls", ("in_zone", "code", "name", "river", "zone", "depth_m", "approval", "document"), rows),
        Table("zones", ("in_zone", "name", "part", "area_m2", "outfalls", "basis", "document"), held, _counted(zones)),
    ]
    return Below((("outfalls", len(outfalls)), ("outfalls_in_zones", f"{len(inside)} / {len(outfalls)}")), tables)


def _count(zones: gpd.GeoDataFrame, zone_class: int) -> int:
    return int((zones["zone_class"] == zone_class).sum()) if len(zones) else 0


def _counted(zones: gpd.GeoDataFrame) -> str | None:
    """How many zones the table leaves out."""
    left = len(zones) - SHOWN_ROWS
    return words.both("patrol_report.not_shown", n=left) if left > 0 else None
