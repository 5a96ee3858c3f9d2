"""覆盖情况(参考) of a period: days since every stretch of bank was last seen, as map, layers, workbook or page. No standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pyogrio
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.errors import UsageError
from rivergis.maps import patrol_coverage, patrol_rows, patrol_svg
from rivergis.maps.patrol_coverage import DUTIES, Coverage
from rivergis.maps.patrol_rows import Facts, Span
from rivergis.patrol import period
from rivergis.reports.patrol_bulletin import km, percent
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.reports.patrol_units import Places, bank, named, rules_of, stretch, unconfirmed
from rivergis.river import files
from rivergis.river import store as river_store
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
LAYERS = (".gpkg", ".geojson")


@dataclass(frozen=True)
class Asked:
    """What a coverage is about: period, unit (adcode), rivers (codes or names), and whether assigned banks or whole rivers."""

    first: date
    last: date
    unit: str | None = None
    rivers: tuple[str, ...] = ()
    basis: str = DUTIES
    level: str | None = None
    """Only what is assigned to chiefs of this level."""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise UsageError(f"A period begins before it ends: {self.first} is after {self.last}.")


@dataclass(frozen=True)
class Covered:
    """A period laid over the banks that were asked for."""

    asked: Asked
    facts: Facts
    coverage: Coverage
    places: Places
    view: RuleView

    @property
    def name(self) -> str:
        """Where and when, as titles say it."""
        where = [self.places.unit_name(self.asked.unit)] if self.asked.unit else []
        where += [words.say(f"level.{self.asked.level}")] if self.asked.level else []
        return " ".join([*where, *self.asked.rivers, f"{self.asked.first} – {self.asked.last}"])

    def chiefs_of(self, track: Any) -> list[Any]:
        """Chiefs whose patrol a track is."""
        credits = self.facts.credits
        return list(credits.loc[credits["track_id"] == track, "chief_id"])


def read(conn: Connection, book: RuleBook, asked: Asked, known_at: datetime) -> Covered:
    """Read and accumulate a period as known at a moment: ``NotFound`` for an unknown unit or river."""
    home = river_store.home(conn, asked.last, known_at) or NATIONAL
    view = book.at(path_of(home), asked.last)
    facts = patrol_rows.facts(conn, Span(asked.first, asked.last, known_at), view)
    lines, basis = patrol_coverage.counted(facts, asked.unit, asked.rivers, asked.basis, asked.level)
    on = min(asked.last, known_at.astimezone(SHANGHAI).date())
    return Covered(asked, facts, patrol_coverage.accumulate(facts, lines, basis, on), Places(facts), view)


def paper(covered: Covered, *, names: bool, drawing: bool = False) -> Paper:
    """Tables of a coverage; ``names``: by whom a stretch was seen last, for readers who may see patrols of people."""
    zh, en = words.pair("patrol_report.coverage_title")
    note = words.both("patrol_report.note_coverage")
    tables = [
        Table(
            "ages",
            ("age", "bank_km", "share_of_all", "left_km", "right_km"),
            _ages(covered.coverage.cells),
            "coverage",
            note,
        ),
        Table("rivers", RIVERS, rivers(covered), "coverage"),
        Table("stretches", (*_STRETCHES, *(("last_by",) if names else ())), _stretches(covered, names), "coverage"),
    ]
    return Paper(
        f"{zh} · {covered.name}",
        en,
        covered.facts.span.known_at,
        about(covered),
        tables,
        tiles(covered),
        named(rules_of(covered.view)),
        unconfirmed=unconfirmed(rules_of(covered.view)),
        drawing=patrol_svg.draw(_print_layers(covered), ("last_seen",)) if drawing else None,
        drawing_note=words.both("patrol_report.drawing_note"),
        demo=covered.facts.demo,
        figures=figures(covered.coverage),
    )


def _print_layers(covered: Covered) -> dict[str, gpd.GeoDataFrame]:
    units = covered.facts.units.assign(cls=covered.facts.units["level"], text=covered.facts.units["name"])
    return {"admin_unit": units, "last_seen": patrol_coverage.drawn(covered.coverage, covered.facts)}


def figures(coverage: Coverage) -> dict[str, Any]:
    """Bank metres that are counted, seen and never seen, and holes; seen and never seen are what is counted."""
    whole, never = period.length_m(coverage.cells), period.length_m(coverage.holes)
    return {
        "basis": coverage.basis, "bank_m": whole, "seen_m": round(whole - never, 3), "never_m": never,
        "share": None if not whole else (whole - never) / whole, "holes": len(period.union(coverage.holes)),
    }  # fmt: skip


def tiles(covered: Covered) -> list[tuple[str, Any]]:
    told = figures(covered.coverage)
    share = percent(told["seen_m"], told["bank_m"])
    return [
        ("bank_km", km(told["bank_m"])), ("seen_km", km(told["seen_m"])), ("seen_share", "—" if share is None else share),
        ("never_km", km(told["never_m"])), ("holes", told["holes"]), ("patrols_gps", covered.coverage.patrols),
    ]  # fmt: skip


def about(covered: Covered) -> list[tuple[str, Any]]:
    """What the paper rests on."""
    facts, basis = covered.facts, covered.coverage.basis
    told = {
        "period": f"{covered.asked.first} – {covered.asked.last}",
        "unit": f"{covered.places.unit_name(covered.asked.unit)} {covered.asked.unit}" if covered.asked.unit else None,
        "river": "、".join(covered.asked.rivers) or None,
        "level": words.both(f"level.{covered.asked.level}") if covered.asked.level else None,
        "assigned_basis": words.both(f"patrol_report.basis_{basis}"),
        "rule_set": covered.view.book.version,
        "not_scored": int(facts.patrols["figures"].isna().sum()) or None,
        "inputs": facts.hash,
    }
    return [(words.both(f"patrol_report.{k}"), v) for k, v in told.items() if v is not None]


def _ages(cells: pd.DataFrame) -> list[Sequence[Any]]:
    whole = period.length_m(cells)
    rows: list[Sequence[Any]] = []
    for cls in period.class_names(patrol_coverage.CLASSES):
        own = cells[cells["cls"] == cls]
        length = period.length_m(own)
        sides = (km(period.length_m(own[own["bank"] == b])) for b in period.BANKS)
        name = words.both("patrol_report.age_never") if cls == period.NEVER else cls
        rows.append((name, km(length), percent(length, whole), *sides))
    return rows


RIVERS = ("river", "bank", "bank_km", "seen_km", "seen_share", "never_km", "last_seen")
_STRETCHES = (
    "river",
    "bank",
    "from",
    "to",
    "length_m",
    "patrols_count",
    "first_seen",
    "last_seen",
    "days",
    "age",
    "record_day",
)


def rivers(covered: Covered) -> list[Sequence[Any]]:
    """Rows of ``RIVERS``: each bank of each river."""
    rows: list[Sequence[Any]] = []
    for (river, side), own in covered.coverage.cells.groupby(["river_id", "bank"], sort=False):
        whole, never = period.length_m(own), period.length_m(own[own["patrols"] == 0])
        newest = max(own["last_seen"].dropna(), default=None)
        day = None if newest is None else str(newest)
        rows.append(
            (
                covered.places.river(river),
                bank(str(side)),
                km(whole),
                km(whole - never),
                percent(whole - never, whole),
                km(never),
                day,
            )
        )
    return sorted(rows, key=lambda r: (str(r[0]), str(r[1])))


def _stretches(covered: Covered, names: bool) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    for c in ordered(covered.coverage.cells, covered.places):
        age = words.both("patrol_report.age_never") if c.cls == period.NEVER else c.cls
        seen = (
            c.patrols,
            _day(c.first_seen),
            _day(c.last_seen),
            None if c.days is None else int(c.days),
            age,
            _day(c.said_on),
        )
        who = (covered.places.names(covered.chiefs_of(c.track_id)) if c.track_id else None,) if names else ()
        rows.append((covered.places.river(c.river_id), bank(c.bank), *stretch(c.from_m, c.to_m), *seen, *who))
    return rows


def ordered(cells: pd.DataFrame, places: Places) -> list[Any]:
    """Rows by river, bank and chainage."""
    return sorted(cells.itertuples(index=False), key=lambda c: (places.river(c.river_id), c.bank, c.from_m))


def _day(value: Any) -> str | None:
    return None if value is None else str(value)


def map_page(conn: Connection, covered: Covered, told: Paper, under: str, *, assets: str = "inline") -> str:
    """The map with the tables under it."""
    drawn = patrol_coverage.drawn(covered.coverage, covered.facts)
    layers = {**patrol_coverage.ground(conn, covered.facts, drawn), "last_seen": drawn}
    layers["said"] = patrol_coverage.said_lines(covered.coverage, covered.facts)
    stamp = words.both("page.demo") if covered.facts.demo else None
    return patrol_coverage.page(
        layers, "last_seen", title_zh=told.title_zh, title_en=told.title_en, below=under, stamp=stamp, assets=assets
    )


def layer(covered: Covered) -> gpd.GeoDataFrame:
    """Every stretch with its line, without names of people: what .gpkg and .geojson hold."""
    cells = covered.coverage.cells
    lines = patrol_coverage.on_lines(cells.drop(columns=["track_id"]), covered.facts)
    for column in ("first_seen", "last_seen", "said_on"):
        lines[column] = [None if v is None else str(v) for v in lines[column]]
    lines["days"] = pd.array(lines["days"], dtype="Int64")
    codes = {r.id: r.code for r in covered.facts.rivers.itertuples()}
    lines.insert(0, "river_code", [codes.get(r) for r in lines["river_id"]])
    return lines.drop(columns="river_id")


def write_layers(layers: Sequence[tuple[str, gpd.GeoDataFrame, str]], path: Path) -> None:
    """Layers to a .gpkg; the first of them to a .geojson. Written whole or not at all."""
    if path.suffix.lower() == ".gpkg":
        files.write_package(path, layers)
        return
    name, frame, _ = layers[0]
    with files.whole(path) as part:
        pyogrio.write_dataframe(crs.outward(frame), part, layer=name)
