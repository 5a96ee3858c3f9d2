"""Stakes and boards from files (界桩布设): lines, reaches, DEM, counties, landmarks and existing stakes in, a GeoPackage out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from rivergis import crs, words
from rivergis.boundary.ground import bank_chains
from rivergis.boundary.ground.bank_chains import Chain
from rivergis.boundary.shore import shore_files
from rivergis.boundary.stake import boards as stake_boards
from rivergis.boundary.stake import place as stakes
from rivergis.boundary.stake import table as stake_table
from rivergis.boundary.stake.boards import Wording
from rivergis.boundary.stake.place import Ground, Spacing
from rivergis.boundary.stake.sight import Sight
from rivergis.boundary.stake.spots import County, Method
from rivergis.boundary.stake.table import Naming, Note
from rivergis.errors import InputError
from rivergis.intake.delivery import Asked
from rivergis.river.terrain import Dem
from rivergis.rules import RuleBook, RuleView, path_of

LINE_TYPES = ("management", "protection", "blue_line", "waterside", "outer")
_NOTE_COLUMNS = ("code", "river", "bank", "at_m", "stakes", "measure")


@dataclass(frozen=True)
class StakesAsked:
    """What stakes are placed from; ``layers``: role (lines, reaches ...) -> layer where a file has several."""

    lines: Path
    reaches: Path
    counties: Path | None = None
    landmarks: Path | None = None
    existing: Path | None = None
    water: Path | None = None
    line_type: str = "management"
    layers: Mapping[str, str | None] = field(default_factory=dict)
    crs: str | None = None
    encoding: str | None = None
    form: str | None = None
    spacing_m: float | None = None
    """Widest spacing, where it is not that of the rules."""
    short: Mapping[str, str] = field(default_factory=dict)
    county: str = ""
    phone: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Placed:
    """Stakes and boards placed (points in the metric ``zone``), the lines they stand on, what is to be looked at, and all that was assumed."""

    stakes: gpd.GeoDataFrame
    boards: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    notes: list[Note]
    said: list[str]
    rules: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    zone: CRS
    draft: bool
    """Whether any line is not announced: all that is made of it says 内部草稿·非测绘成果."""

    @property
    def figures(self) -> dict[str, Any]:
        """Counts and lengths of the result."""
        s = self.stakes
        return {
            "stakes": len(s),
            "existing": int(s["existing"].sum()),
            "placed": int((~s["existing"]).sum()),
            "by_kind": {str(k): int(n) for k, n in s["kind"].value_counts().items()},
            "by_bank": {str(k): int(n) for k, n in s["bank"].value_counts().items()},
            "widest_m": round(float(s["to_next_m"].max()), 3) if s["to_next_m"].notna().any() else None,
            "hidden": int((s["sees_next"] == "no").sum()),
            "sight_unknown": int((s["sees_next"] == "cannot_tell").sum()),
            "boards": len(self.boards),
            "line_m": round(float(self.lines.length.sum()), 1),
            "notes": len(self.notes),
            "draft": self.draft,
        }


def place(
    asked: StakesAsked, book: RuleBook, view: RuleView, dem_around: Callable[[gpd.GeoSeries], Dem] | None = None
) -> Placed:
    """Place the stakes and boards of a file of boundary lines. ``dem_around`` gives the DEM around lines (metres).

    Raises ``InputError``, ``CrsRefused``, ``UsageError``, ``RuleError``."""
    roles = ("lines", "reaches", "counties", "landmarks", "existing", "water")
    paths: dict[str, Path | None] = {role: getattr(asked, role) for role in roles}
    read = shore_files.read_all(paths, asked.layers, Asked(None, asked.crs, None, asked.encoding))
    zone = shore_files.zone_of(read["lines"], read["reaches"])
    lines = shore_files.lines_of(read["lines"], zone, asked.line_type)
    if lines.empty:
        raise InputError(
            f"{asked.lines.name} holds no line of type {asked.line_type}: choose with --line-type.",
            file=str(asked.lines),
        )
    reaches = shore_files.reaches_in(read["reaches"], zone)
    chains = bank_chains.chains_of(lines, reaches, view.number("boundary.topology.min_gap"))
    existing = shore_files.existing_in(read.get("existing"), zone, shore_files.rivers_named(reaches))
    held = stakes.held(existing, chains, view.number("boundary.stake.belongs_within"))
    said: list[str] = []
    dem = dem_around(gpd.GeoSeries([c.line for c in chains], crs=zone)) if dem_around else None
    ground = _ground(asked, read, zone, lines, book, view, dem, said)
    there = stakes.place(chains, ground, held)
    adcodes = {c.name: c.adcode for c in ground.counties if c.adcode}
    form = asked.form or str(view.value("boundary.stake.number_form").value)
    numbers = stake_table.numbered(there, chains, Naming(form, asked.county, asked.short, adcodes))
    frame = stake_table.table(
        there, numbers, chains, held, system=zone, basis_of=lines["basis"].to_dict(), vertical_datum=dem.vertical_datum if dem else None
    )  # fmt: skip
    return Placed(
        frame,
        _boards(asked, chains, ground, lines, book, view, zone),
        _lines_frame(chains, lines["basis"].to_dict(), zone),
        stake_table.notes(frame, there, chains, held, view.number("boundary.stake.off_line")),
        [*dict.fromkeys([s for layer in read.values() for s in layer.said] + said + list(dem.said if dem else ()))],
        [r.as_dict() for r in view.used],
        [{"file": n} for n in (*(p.name for p in paths.values() if p), *((dem.name,) if dem else ()))],
        zone,
        bool((lines["basis"] != "announced").any()),
    )


def _basis(chain: Chain, basis: Mapping[Any, Any]) -> str:
    """The basis of all pieces of a chain; that of a draft where they differ or say none."""
    said = {basis[p.row] for p in chain.parts}
    only = said.pop() if len(said) == 1 else None
    return only if isinstance(only, str) else "draft"


def _lines_frame(chains: Sequence[Chain], basis: Mapping[Any, Any], zone: CRS) -> gpd.GeoDataFrame:
    rows = {
        "river_code": [c.river for c in chains],
        "river": [c.river_name for c in chains],
        "bank": [c.bank for c in chains],
        "line_type": [c.line_type for c in chains],
        "from_m": [c.from_m for c in chains],
        "to_m": [c.to_m for c in chains],
        "basis": [_basis(c, basis) for c in chains],
    }
    return gpd.GeoDataFrame(rows, geometry=[c.line for c in chains], crs=zone).rename_geometry("geom")


def method_of(view: RuleView) -> Method:
    """How stakes are placed, by the rules of the place."""
    keys = ("bend_angle", "bend_wobble", "chord", "same_place", "mark_within", "settled_within", "same_border")
    return Method(*(view.number(f"boundary.stake.{key}") for key in keys))


def spacing_of(book: RuleBook, view: RuleView, widest_m: float | None = None) -> Any:
    """Spacing by county and by whether the reach is populated: the rule of that county, else of the place asked for.

    ``widest_m`` stands for the widest spacing of base stakes wherever the rules allow more.
    """

    @cache
    def spacing(adcode: str | None, settled: bool) -> Spacing:
        own = book.at(path_of(adcode), view.on) if adcode else view
        base = own.value("boundary.stake.spacing.base", **({"settled": "yes"} if settled else {})).value
        dense = own.value("boundary.stake.spacing.dense").value
        view.remember(own)
        most = min(float(base["max"]), widest_m or math.inf)
        return Spacing(most, min(float(dense["min"]), most), min(float(dense["max"]), most))

    return spacing


def _ground(
    asked: StakesAsked,
    read: Mapping[str, shore_files.Layer],
    zone: CRS,
    lines: gpd.GeoDataFrame,
    book: RuleBook,
    view: RuleView,
    dem: Dem | None,
    said: list[str],
) -> Ground:
    cliff = 90.1
    if dem is None:
        said.append(words.both("stake_said.no_dem"))
    else:
        if dem.cell_m <= view.number("boundary.stake.cliff_cell"):
            cliff = view.number("boundary.stake.cliff_slope")
        else:
            said.append(words.both("stake_said.coarse", dem=dem.name, cell=round(dem.cell_m)))
        said.append(words.both("stake_said.heights", dem=dem.name, datum=dem.vertical_datum))
    if asked.landmarks is None:
        said.append(words.both("stake_said.no_landmarks"))
    if asked.counties is None:
        said.append(words.both("stake_said.no_counties"))
    sight = Sight(dem, zone, view.number("boundary.stake.eye_height"), view.number("boundary.stake.top_height")) if dem else None  # fmt: skip
    return Ground(
        method_of(view),
        spacing_of(book, view, asked.spacing_m),
        shore_files.marks_in(read.get("landmarks"), zone),
        shore_files.counties_in(read.get("counties"), zone),
        {row: str(c) for row, c in lines["county"].items() if c},
        sight,
        shore_files.water_in(read.get("water"), zone),
        cliff,
    )


def _boards(
    asked: StakesAsked,
    chains: Sequence[Chain],
    ground: Ground,
    lines: gpd.GeoDataFrame,
    book: RuleBook,
    view: RuleView,
    zone: CRS,
) -> gpd.GeoDataFrame:
    rows = [r for r in book.taxonomy["prohibitions"] if "management_area" in r["zone"] and r["needs"] == "禁止" and "basin" not in r and "rule" not in r]  # fmt: skip
    forbidden = tuple(f"{r['subject'].replace(';', '、')}({r['clause']})" for r in rows)
    wording = Wording(str(view.value("boundary.board.title").value), forbidden, asked.phone, asked.unit)

    def facts(chain: Chain, along: float) -> dict[str, Any]:
        row = lines.loc[chain.part_at(along).row]
        announced = row["basis"] == "announced"
        told = {k: (row[k] if announced and pd.notna(row[k]) else None) for k in stake_boards.ANNOUNCED}
        return {"county": row["county"] or _county(ground.counties, chain, along), **told}

    return stake_boards.boards(
        chains,
        ground.marks,
        facts,
        wording,
        bridge_m=ground.method.mark_m,
        village_m=view.number("boundary.board.village_within"),
        crs=zone,
    )


def _county(counties: Sequence[County], chain: Chain, along: float) -> str | None:
    point = chain.point(along)
    return next((c.name for c in counties if c.area.intersects(point)), None)


def notes_frame(placed: Placed) -> pd.DataFrame:
    """Notes as a table."""
    rows = [(n.code, n.river, n.bank, n.at_m, "、".join(n.stakes), n.measure) for n in placed.notes]
    return pd.DataFrame(rows, columns=list(_NOTE_COLUMNS))


def package(placed: Placed) -> list[tuple[str, gpd.GeoDataFrame, str]]:
    """Layers of a GeoPackage: stakes (as ``rivergis import stake`` reads them), boards and lines, in EPSG:4490."""
    boards = placed.boards.assign(content=[json.dumps(c, ensure_ascii=False) for c in placed.boards["content"]])
    return [
        ("stakes", crs.to_storage(placed.stakes), "Point"),
        ("boards", crs.to_storage(boards), "Point"),
        ("lines", crs.to_storage(placed.lines), "LineString"),
    ]


def about(placed: Placed) -> dict[str, Any]:
    """What a placing rests on, for its file."""
    return {**placed.figures, "rules": placed.rules, "sources": placed.sources, "said": placed.said}
