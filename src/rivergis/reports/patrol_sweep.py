"""全覆盖排查情况: was every metre of bank and every grid cell of some rivers searched in a period, by whom and when, and what not?

The holes in the carpet (空白岸段) are listed with the nearest landmark, so that they can be walked. Register ids A8, A14, D21.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import marks, patrol_coverage, patrol_grid, patrol_svg
from rivergis.patrol import period
from rivergis.patrol.period_tally import REASONS
from rivergis.reports import patrol_coverage as coverage_report
from rivergis.reports.patrol_bulletin import km, percent
from rivergis.reports.patrol_coverage import Covered
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.reports.patrol_units import bank, named, rules_of, stretch, unconfirmed
from rivergis.river.chainage import label

CELL_M = 500.0
SEEN, HOLE = "seen", "hole"


def holes(covered: Covered) -> pd.DataFrame:
    """Stretches of bank that nobody saw, each whole, with the reason of the nearest attempt: river_id, bank, from_m, to_m, reason."""
    legs = covered.facts.legs.stretches
    unseen = legs[~legs["seen"].astype(bool) & legs["bank"].notna()]
    found = period.reasoned(period.union(covered.coverage.holes), unseen, REASONS)
    # one hole is one row, however many reasons its parts have: the longest stands for it
    whole = period.joined(found, period.LINE)
    length = found["to_m"] - found["from_m"]
    parts = found.assign(length=length, hole=(~_goes_on(found)).cumsum()).sort_values(
        "length", ascending=False, kind="stable"
    )
    return whole.assign(reason=parts.drop_duplicates("hole").sort_values("hole")["reason"].to_numpy())


def _goes_on(rows: pd.DataFrame) -> pd.Series:
    same = (rows[list(period.LINE)] == rows[list(period.LINE)].shift()).all(axis=1)
    return same & (rows["from_m"] == rows["to_m"].shift())


def grid(covered: Covered, cell_m: float) -> gpd.GeoDataFrame:
    """Grid cells along the rivers, searched, partly or not; columns of ``patrol_grid.cells``."""
    lines = patrol_coverage.on_lines(covered.coverage.cells, covered.facts)
    seen = lines.assign(seen=lines["patrols"] > 0)
    beyond = covered.view.number("patrol.coverage.visible_beyond_bank")
    return patrol_grid.cells(seen, cell_m=cell_m, beyond_bank_m=beyond)


def drawn(covered: Covered) -> gpd.GeoDataFrame:
    """The map layer ``sweep``: stretches searched and holes on their bank."""
    cells = covered.coverage.cells
    told = cells.assign(cls=np.where(cells["patrols"] > 0, SEEN, HOLE))
    rows = period.joined(told[["river_id", "bank", "from_m", "to_m", "cls"]], ["river_id", "bank", "cls"])
    lines = patrol_coverage.on_lines(rows, covered.facts)
    lines = lines[lines.geometry.notna()]
    records = lines.drop(columns="geometry").to_dict("records")
    labels = [_label(covered, r) for r in records]
    return marks.on_bank(lines.assign(label=labels))[["cls", "label", "river", "geometry"]]


def _label(covered: Covered, r: dict[str, Any]) -> str:
    near = covered.places.landmark(r["river_id"], r["from_m"], r["to_m"]) if r["cls"] == HOLE else None
    where = f"{r['river'] or ''} {words.say('bank.' + r['bank'])} {label(r['from_m'])} – {label(r['to_m'])}"
    return " · ".join(p for p in (where, f"{r['to_m'] - r['from_m']:,.0f} m", near) if p)


def paper(covered: Covered, cells: gpd.GeoDataFrame, *, names: bool, drawing: bool = False) -> Paper:
    """The proof: share, holes with landmarks, grid cells, and who saw each stretch last and when."""
    zh, en = words.pair("patrol_report.sweep")
    gone = holes(covered)
    note = words.both("patrol_report.note_holes", metres=f"{_listed_m(covered):g}")
    tables = [
        Table("rivers", coverage_report.RIVERS, coverage_report.rivers(covered), "sweep"),
        Table("holes", _HOLES, _hole_rows(covered, gone), "sweep", note),
        Table(
            "cells",
            (*_CELLS, *(("seen_by",) if names else ())),
            _cell_rows(covered, cells, names),
            "sweep",
            words.both("patrol_report.note_cells"),
        ),
        Table("swept", (*_SWEPT, *(("last_by",) if names else ())), _swept_rows(covered, names), "sweep"),
    ]
    searched = int((cells["cls"] == patrol_grid.SEARCHED).sum())
    share = [("cells_searched", f"{searched} / {len(cells)}")]
    return Paper(
        f"{zh} · {covered.name}",
        en,
        covered.facts.span.known_at,
        coverage_report.about(covered),
        tables,
        [*coverage_report.tiles(covered), *share],
        named(rules_of(covered.view)),
        unconfirmed=unconfirmed(rules_of(covered.view)),
        drawing=patrol_svg.draw(_print_layers(covered, cells), ("sweep",)) if drawing else None,
        drawing_note=words.both("patrol_report.drawing_note"),
        demo=covered.facts.demo,
        figures=coverage_report.figures(covered.coverage) | {"cells": len(cells), "cells_searched": searched},
    )


def _print_layers(covered: Covered, cells: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    units = covered.facts.units.assign(cls=covered.facts.units["level"], text=covered.facts.units["name"])
    return {"admin_unit": units, "grid_cell": cells, "sweep": drawn(covered)}


_HOLES = ("river", "bank", "from", "to", "length_m", "reason", "landmark", "record_day")
_CELLS = (
    "cell",
    "cell_lon",
    "cell_lat",
    "bank_km",
    "seen_km",
    "seen_share",
    "cell_state",
    "first_seen",
    "last_seen",
    "patrols_count",
)
_SWEPT = ("river", "bank", "from", "to", "length_m", "patrols_count", "first_seen", "last_seen")


def _listed_m(covered: Covered) -> float:
    return covered.view.number("patrol.coverage.min_leg")


def _hole_rows(covered: Covered, gone: pd.DataFrame) -> list[Sequence[Any]]:
    """Holes, the longest first; what is too short to be told from the error of a track is counted in the share only."""
    listed = gone[gone["to_m"] - gone["from_m"] >= _listed_m(covered)]
    said = covered.coverage.holes[covered.coverage.holes["said_on"].notna()]
    rows: list[Sequence[Any]] = []
    for h in sorted(
        listed.itertuples(), key=lambda h: (h.from_m - h.to_m, covered.places.river(h.river_id), h.bank, h.from_m)
    ):
        near = covered.places.landmark(h.river_id, h.from_m, h.to_m)
        own = said[
            (said["river_id"] == h.river_id)
            & (said["bank"] == h.bank)
            & (said["from_m"] < h.to_m)
            & (said["to_m"] > h.from_m)
        ]
        day = str(max(own["said_on"])) if len(own) else None
        ends = stretch(h.from_m, h.to_m)
        rows.append(
            (covered.places.river(h.river_id), bank(h.bank), *ends, words.both(f"unseen.{h.reason}"), near, day)
        )
    return rows


def _cell_rows(covered: Covered, cells: gpd.GeoDataFrame, names: bool) -> list[Sequence[Any]]:
    """Cells, those not searched first: where each is, how much of its bank was seen, when, and by how many patrols or by whom."""
    order = {patrol_grid.OPEN: 0, patrol_grid.PARTLY: 1, patrol_grid.SEARCHED: 2}
    tracks = {str(t): t for t in covered.facts.credits["track_id"] if t is not None}
    rows: list[Sequence[Any]] = []
    for c in sorted(cells.itertuples(), key=lambda c: (order[c.cls], c.cell)):
        at = c.geometry.representative_point()
        share, state = percent(c.seen_m, c.bank_m), words.both(f"patrol_report.cell_{c.cls}")
        days = [None if d is None else str(d) for d in (c.first_seen, c.last_seen)]
        chiefs = dict.fromkeys(chief for t in c.tracks if t in tracks for chief in covered.chiefs_of(tracks[t]))
        who = (covered.places.names(chiefs) or None,) if names else ()
        rows.append(
            (
                c.cell,
                round(at.x, 6),
                round(at.y, 6),
                km(c.bank_m),
                km(c.seen_m),
                share,
                state,
                *days,
                len(c.tracks),
                *who,
            )
        )
    return rows


def _swept_rows(covered: Covered, names: bool) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    seen = covered.coverage.cells[covered.coverage.cells["patrols"] > 0]
    for c in coverage_report.ordered(seen, covered.places):
        who = (covered.places.names(covered.chiefs_of(c.track_id)),) if names else ()
        ends = stretch(c.from_m, c.to_m)
        rows.append(
            (
                covered.places.river(c.river_id),
                bank(c.bank),
                *ends,
                c.patrols,
                str(c.first_seen),
                str(c.last_seen),
                *who,
            )
        )
    return rows


def map_page(
    conn: Connection, covered: Covered, cells: gpd.GeoDataFrame, told: Paper, under: str, *, assets: str = "inline"
) -> str:
    """The holes in the carpet as a map, with the tables under it."""
    lines = drawn(covered)
    squares = cells.assign(label=[f"{c.cell} · {100 * c.share:.0f} %" for c in cells.itertuples()])
    ground = patrol_coverage.ground(conn, covered.facts, lines)
    stamp = words.both("page.demo") if covered.facts.demo else None
    return patrol_coverage.page(
        {**ground, "grid_cell": squares, "sweep": lines}, "sweep",
        title_zh=told.title_zh, title_en=told.title_en, below=under, stamp=stamp, assets=assets,
    )  # fmt: skip


def layers(covered: Covered, cells: gpd.GeoDataFrame) -> list[tuple[str, gpd.GeoDataFrame, str]]:
    """What a .gpkg holds: stretches, holes with reason and landmark, and grid cells; no names of people."""
    gone = holes(covered)
    near = [covered.places.landmark(h.river_id, h.from_m, h.to_m) for h in gone.itertuples()]
    lines = patrol_coverage.on_lines(gone.assign(landmark=near), covered.facts)
    codes = {r.id: r.code for r in covered.facts.rivers.itertuples()}
    lines.insert(0, "river_code", [codes.get(r) for r in lines["river_id"]])
    lines["length_m"] = lines["to_m"] - lines["from_m"]
    swept = coverage_report.layer(covered)
    return [
        ("stretches", swept, "LineString"),
        ("holes", lines.drop(columns="river_id"), "LineString"),
        ("grid_cells", cells.drop(columns="tracks", errors="ignore"), "MultiPolygon"),
    ]
