"""The maps of the service as whole pages (图幅): what is drawn, how it is titled, and what is left out and said.

``assets`` is the URL prefix of the service's front-end files, or ``inline`` for one file that opens without network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import atlas, features, leads, sheet_layers
from rivergis.maps.atlas import Bounds, Layers, LocalMap
from rivergis.maps.features import COUNTY, GROUND, HIDDEN, River, When
from rivergis.maps.marks import Picture
from rivergis.maps.sheet_layers import Chosen
from rivergis.river import store as river_store

NIGHT_LEADS = 1200  # leads on one map, so that there is room for the ground


@dataclass(frozen=True)
class Sheet:
    """Where a page is going: the service, or one file for which pictures are read from the store."""

    assets: str = "inline"
    store_dir: Path | None = None

    @property
    def served(self) -> bool:
        """Whether the page can ask the service for tiles."""
        return self.assets != "inline"

    @property
    def pictures(self) -> leads.Pictures | None:
        return None if self.served else leads.Pictures(self.store_dir)

    def stamp(self, conn: Connection, *, drafts: bool) -> str | None:
        """What stands across the map: that it is a demonstration, that there is something on it nobody announced."""
        told = [words.both("page.demo")] if river_store.has_namespace(conn, "demo") else []
        told += [words.both("sheet.draft_stamp")] if drafts else []
        return " · ".join(told) or None


@dataclass(frozen=True)
class Titled:
    """What a map is called: key of the kind of map in the catalogue (``map.KIND``), and what it is about."""

    kind: str
    name: str

    def of(self, note: str) -> tuple[str, str]:
        """Title in Chinese with what was left out, and in English."""
        zh, en = words.pair(f"map.{self.kind}")
        return " · ".join(p for p in (zh, self.name, note) if p), en


def draw(
    conn: Connection,
    sheet: Sheet,
    titled: Titled,
    at: When,
    chosen: Chosen,
    *,
    drafts: bool,
    focus: Bounds | None = None,
    hidden: Sequence[str] = (),
    listed: str | None = None,
    pictures: Sequence[Picture] = (),
    below: str = "",
) -> str:
    """HTML of a map: small layers in the page, large ones as tiles of the day, with title, stamp, legend and search.

    ``focus``: west, south, east, north of the first view in degrees (default: all that stands in the page); ``listed``: the
    layer that is listed beside the map; ``below``: finished HTML under it; ``drafts``: whether any line on it is one.
    """
    zh, en = titled.of(chosen.note)
    map_ = LocalMap(zh, en, stamp=sheet.stamp(conn, drafts=drafts), assets=sheet.assets, day=at.on)
    if listed:
        map_.list_layer(listed)
    map_.add_layers(chosen.frames, hidden).add_pictures(pictures).below(below)
    if chosen.tiled:
        map_.add_tiles(chosen.tiled, day=at.on, hidden=hidden)
    own = [f for f in chosen.frames.values() if len(f)]
    seen = features.extent(conn, at) if chosen.tiled and focus is None else None
    return map_.look_at(focus or seen or atlas.bounds(own)).html()


def county(conn: Connection, sheet: Sheet, on: date | None = None) -> str:
    """The county at a glance (一张图), as of a civil day (today): every layer in force, and the leads that stand."""
    at = features.when(conn, on)
    own, note = _told(leads.standing(conn, at, pictures=sheet.pictures))
    chosen = sheet_layers.gather(conn, COUNTY, at, served=sheet.served, own=own, note=note)
    titled = Titled("county", f"{features.county_name(conn, at)} {at.on}".strip())
    return draw(conn, sheet, titled, at, chosen, drafts=features.has_drafts(conn, at), hidden=HIDDEN)


def river(conn: Connection, sheet: Sheet, found: River, at: When, below: str = "") -> str:
    """One river with its ground, and ``below`` what is known of it."""
    own: Layers = {}
    chosen = Chosen({}, (), "")
    if found.scope.box:
        own, note = _told(leads.standing(conn, at, scope=found.scope, pictures=sheet.pictures))
        chosen = sheet_layers.gather(conn, COUNTY, at, served=sheet.served, scope=found.scope, own=own, note=note)
    titled = Titled("river", f"{found.name} {found.name_en or ''} {at.on}".replace("  ", " "))
    drafts = features.has_drafts(conn, at, found.scope)
    return draw(conn, sheet, titled, at, chosen, drafts=drafts, hidden=HIDDEN, focus=found.scope.box, below=below)


def night(conn: Connection, sheet: Sheet, on: date) -> str:
    """The leads of a night (疑似问题线索) and the objects it did not tell, on the lines in force that day."""
    at = features.when(conn, on)
    own, note = _told(leads.of_night(conn, at, pictures=sheet.pictures))
    own["not_finding"] = leads.not_told(conn, at)
    chosen = sheet_layers.gather(conn, GROUND, at, served=sheet.served, own=own, note=note)
    told = chosen.frames["finding"]
    focus = atlas.bounds([told], margin=0.08) if len(told) else None
    drafts = features.has_drafts(conn, at)
    titled, hidden = Titled("night", str(on)), ("boundary_area",)
    return draw(conn, sheet, titled, at, chosen, drafts=drafts, focus=focus, hidden=hidden, listed="finding")


PUBLIC = (
    "admin_unit",
    "water_area",
    "boundary_area",
    "source_zone",
    "reach",
    "function_zone",
    "boundary_line",
    "landmark",
)
"""What the public map draws: collections of which something may be public, from the ground up."""


def public(conn: Connection, sheet: Sheet, review_no: str) -> str:
    """The map that strangers see (公开地图): tiles with whitelisted attributes only, the 审图号 in its title."""
    at = features.when(conn)
    zh, en = Titled("public", features.county_name(conn, at)).of(f"{words.say('sheet.review_no')}:{review_no}")
    map_ = LocalMap(zh, en, stamp=sheet.stamp(conn, drafts=False), assets=sheet.assets, day=at.on, confidential=False)
    map_.add_tiles(PUBLIC, day=at.on, hidden=("boundary_area", "function_zone", "landmark"))
    return map_.look_at(features.extent(conn, at) or atlas.CHINA).html()


def _told(found: Any) -> tuple[Layers, str]:
    """Leads as a map carries them: what the night told stands first, of a long list the rest is left out, and said."""
    cut = words.say("map.night_cut", n=NIGHT_LEADS, all=len(found)) if len(found) > NIGHT_LEADS else ""
    return {"finding": found.head(NIGHT_LEADS)}, cut
