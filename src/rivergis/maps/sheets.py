"""The maps of the service as whole pages (图幅): what is drawn, how it is titled, and what is left out and said.

``assets`` is the URL prefix of the service's front-end files, or ``inline`` for one file that opens without network.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import atlas, features, leads, thinning
from rivergis.maps.features import COUNTY, GROUND, HIDDEN, When
from rivergis.river import store as river_store

NIGHT_LEADS = 1200  # leads on the map of a night, so that there is room for the ground


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
    # what the night told stands first: of a long list the rest is left out, and said
    cut = [words.say("map.night_cut", n=NIGHT_LEADS, all=len(told))] if len(told) > NIGHT_LEADS else []
    drawn, thinned = thinning.fit({**ground, "finding": told.head(NIGHT_LEADS)})
    note = " · ".join([*cut, *([thinned] if thinned else [])])
    zh, en = _title("night", str(on), note)
    findings = drawn.pop("finding")
    return atlas.night_map(findings, drawn, title_zh=zh, title_en=en, hidden=("boundary_area",), **sheet.options(conn))


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
    drawn, note = thinning.fit(layers)
    zh, en = _title(kind, f"{name} {at.on}".strip(), note)
    draw = atlas.river_map if kind == "river" else atlas.county_map
    return draw(drawn, title_zh=zh, title_en=en, hidden=HIDDEN, focus=focus, **sheet.options(conn))


def _title(kind: str, name: str, note: str) -> tuple[str, str]:
    zh, en = words.pair(f"map.{kind}")
    return " · ".join(p for p in (zh, name, note) if p), en
