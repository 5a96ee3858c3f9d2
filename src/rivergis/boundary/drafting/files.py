"""A draft of boundary lines from files to a file: ``rivergis boundary draft``. Read, drawn, written in EPSG:4490."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.drafting import keep as draft_keep
from rivergis.boundary.drafting import read_files as reading_
from rivergis.boundary.drafting import rules as draft_rules
from rivergis.boundary.drafting import rules_files as draft_rules_files
from rivergis.boundary.drafting import works_files as works_
from rivergis.boundary.drafting.flood_files import Terrain, floods
from rivergis.boundary.drafting.frames import Draft, notes_frame
from rivergis.boundary.drafting.keep import Only
from rivergis.boundary.drafting.make import Sources, make
from rivergis.boundary.drafting.read_files import Layer, Reading
from rivergis.errors import UsageError
from rivergis.intake.delivery import Asked as Opening
from rivergis.lifecycle import DRAFT_MARK
from rivergis.rules import RuleBook, RuleView

INPUTS = (
    "reaches", "levees", "banks", "water", "counties", "levels", "walls", "lakes", "reservoirs", "spoil", "surrogates",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a draft is made of. ``layers``: input -> layer name, where a file has several."""

    reaches: Path
    rules: str
    levees: Path | None = None
    banks: Path | None = None
    water: Path | None = None
    counties: Path | None = None
    levels: Path | None = None
    walls: Path | None = None
    lakes: Path | None = None
    reservoirs: Path | None = None
    spoil: Path | None = None
    surrogates: Path | None = None
    layers: dict[str, str] = field(default_factory=dict)
    keep: Path | None = None
    only: tuple[Only, ...] = ()
    crs: str | None = None
    on: date | None = None
    surrogate_offset: bool = False
    line_type: str = "management"

    @property
    def paths(self) -> dict[str, Path]:
        """The files that hold layers, by what they hold."""
        named = {n: getattr(self, n) for n in INPUTS}
        return {n: p for n, p in named.items() if p is not None}


@dataclass(frozen=True)
class Drafted:
    """What came out, in EPSG:4490, with figures ready for JSON."""

    lines: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    bands: gpd.GeoDataFrame
    notes: gpd.GeoDataFrame
    rules: list[dict[str, Any]]
    said: list[str]
    title: str = DRAFT_MARK

    @property
    def summary(self) -> dict[str, Any]:
        """Figures without frames."""
        lines = self.lines
        metres = crs.length_m(lines.geometry.to_numpy()) if len(lines) else np.zeros(0)
        by = pd.Series(metres, dtype=float).groupby(lines["drawn_by"].to_numpy()).sum().round(0)
        return {
            "title": self.title,
            "reaches": int(lines["reach_code"].nunique()),
            "lines": len(lines),
            "areas": len(self.areas),
            "metres": {str(k): float(v) for k, v in by.items()},
            "area_m2": round(float(np.sum(crs.area_m2(self.areas.geometry.to_numpy()))), 0) if len(self.areas) else 0.0,
            "indicative": int((lines["indicative"].notna()).sum()),
            "notes": dict(Counter(self.notes["code"])),
            "rules": self.rules,
            "unconfirmed": sorted({r["key"] for r in self.rules if r["status"] == "unconfirmed"}),
            "said": self.said,
        }


def draft(asked: Asked, book: RuleBook, terrain: Terrain | None = None) -> Drafted:
    """Draft lines for all reaches of a file (划界草案). Raises ``InputError``, ``CrsRefused``, ``UsageError``, ``RuleError``.

    ``terrain``: the ground that flood levels are compared with.
    """
    view = draft_rules_files.view_of(book, asked.rules, asked.on or date.today())
    reading = Reading()
    found = reading_.opened(asked.paths, Opening(None, asked.crs, None, None))
    layers = {n: reading_.layer(n, asked.paths[n], f, asked.layers.get(n), reading) for n, f in found.items()}
    system = crs.local_crs(*crs.centre(layers["reaches"].frame))
    layers = {n: given.to(system) for n, given in layers.items()}
    earlier = reading_.earlier(asked.keep) if asked.keep else None
    sources = _sources(asked, layers, reading, view, system)
    if terrain is not None and "levels" in layers:
        wet = floods(terrain, layers["levels"], sources.reaches, view, system, reading)
        sources = replace(
            sources, pieces=wet.pieces, hidden=wet.hidden, extents=wet.extents, bands=wet.bands, notes=wet.notes
        )
    sources = _with_works(sources, layers, reading, view, system, terrain)
    return finished(sources, view, system, reading, earlier, asked.only)


def finished(
    sources: Sources,
    view: RuleView,
    system: CRS,
    reading: Reading,
    earlier: gpd.GeoDataFrame | None = None,
    only: tuple[Only, ...] = (),
) -> Drafted:
    """A draft of what was read, in EPSG:4490; what stays of an earlier one (EPSG:4490) stays to the last bit."""
    if earlier is not None:
        sources = _keeping(sources, earlier.to_crs(system), only)
    made = make(sources, lambda reach: view, system)
    return _outward(made, sources, reading, view, earlier)


def _sources(
    asked: Asked,
    layers: dict[str, Layer],
    reading: Reading,
    view: RuleView,
    system: CRS,
) -> Sources:
    reaches = reading_.reaches_of(layers["reaches"], reading, view.book.facts)
    far = draft_rules.drawing_of(view).farthest_m
    levees, banks, water, counties = (layers.get(n) for n in ("levees", "banks", "water", "counties"))
    return Sources(
        reaches,
        reading_.levees_of(levees, reaches, reading, system, far) if levees else (),
        reading_.water_of(water) if water else None,
        reading_.banks_of(banks, reaches, reading, system, far) if banks else {},
        counties=reading_.counties_of(counties) if counties else None,
        surrogate_offset=asked.surrogate_offset,
        line_type=asked.line_type,
    )


def _with_works(
    sources: Sources, layers: dict[str, Layer], reading: Reading, view: RuleView, system: CRS, terrain: Terrain | None
) -> Sources:
    """The same with flood walls, lakes, reservoirs, spoil and surrogates, as far as they are given."""
    heights = None if terrain is None else terrain.heights
    walls, lakes, dams = (layers.get(n) for n in ("walls", "lakes", "reservoirs"))
    spoil, surrogates = layers.get("spoil"), layers.get("surrogates")
    behind = works_.walls_of(walls, sources.reaches, reading, view, system, heights) if walls else []
    waters = works_.lakes_of(lakes, view, reading) if lakes else []
    waters += works_.reservoirs_of(dams, view, reading, system, heights) if dams else []
    return replace(
        sources,
        works=[*sources.works, *behind],
        waters=waters,
        spoil=works_.spoil_of(spoil) if spoil else (),
        grounds=works_.surrogates_of(surrogates, view, reading) if surrogates else (),
    )


def _keeping(sources: Sources, earlier: gpd.GeoDataFrame, only: tuple[Only, ...]) -> Sources:
    known = {r.code for r in sources.reaches}
    strange = next((o.reach for o in only if o.reach not in known), None)
    if strange is not None:
        raise UsageError(f"There is no reach {strange!r} among the reaches: name one of theirs with --only.")
    short = next((o for o in only if o.to_m - o.from_m < draft_keep.SHORTEST_M), None)
    if short is not None:
        raise UsageError(
            f"A stretch of {short.to_m - short.from_m:.1f} m is too short to be redrawn: name at least {draft_keep.SHORTEST_M:g} m."
        )
    kept, apart = draft_keep.kept_pieces(earlier, sources.reaches, only)
    codes = draft_keep.codes(earlier, kept, apart)
    redrawn = draft_keep.redrawn(only, sources.reaches)
    return replace(sources, kept=kept, kept_rows=earlier, kept_codes=codes, kept_apart=tuple(apart), redrawn=redrawn)


def _outward(
    made: Draft, sources: Sources, reading: Reading, view: RuleView, earlier: gpd.GeoDataFrame | None
) -> Drafted:
    notes = pd.concat([made.notes, notes_frame(reading.notes, made.notes.crs)], ignore_index=True)
    lines = _lines(made.lines, sources, earlier)
    areas, bands, notes = (_stored(f) for f in (made.areas, made.bands, notes))
    return Drafted(lines, areas, bands, notes, [r.as_dict() for r in view.used], [*reading.said, *made.said])


def _lines(made: gpd.GeoDataFrame, sources: Sources, earlier: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """New lines in degrees, and kept ones as they stood in the earlier draft, in order of reach, bank and chainage."""
    new = _stored(made[made["kept"].isna()].drop(columns="kept"))
    if earlier is None:
        return new.reset_index(drop=True)
    rows = [*made["kept"].dropna().astype(int), *sources.kept_apart]
    old = earlier.iloc[sorted(set(rows))]
    new = new.set_geometry(
        gpd.GeoSeries(draft_keep.with_kept_ends(new.geometry.to_numpy(), old.geometry), index=new.index, crs=new.crs)
    )
    order = {r.code: i for i, r in enumerate(sources.reaches)}
    both = pd.concat([new, old], ignore_index=True) if len(new) else old
    rank = both["reach_code"].map(order).fillna(len(order))
    both = both.assign(_rank=rank).sort_values(["_rank", "bank", "from_m"], kind="stable").drop(columns="_rank")
    return gpd.GeoDataFrame(both, geometry="geometry", crs=crs.STORAGE).reset_index(drop=True)


def _stored(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """In degrees, to a tenth of a millimetre: what is drawn twice is the same to the last bit."""
    if not len(frame):
        return frame.set_crs(crs.STORAGE, allow_override=True)
    stored = crs.to_storage(frame)
    stored.geometry = shapely.transform(stored.geometry.to_numpy(), lambda xy: np.round(xy, draft_keep.STORED_DIGITS))
    return stored


def package(drafted: Drafted) -> list[tuple[str, gpd.GeoDataFrame, str]]:
    """The layers of a draft with their geometry types, as they stand in its GeoPackage."""
    return [
        ("lines", drafted.lines, "LineString"),
        ("areas", drafted.areas, "Polygon"),
        ("bands", drafted.bands, "MultiPolygon"),
        ("notes", drafted.notes, "Point"),
    ]
