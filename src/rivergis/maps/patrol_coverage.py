"""覆盖情况 of a period on the map: days since each stretch of bank was last seen, holes, and what only entries speak of.

Everything rests on ``patrol.period``; here the stretches get their line on the river of today. For reference only: coverage enters
no standard. Register ids A7, A8, D21.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.errors import NotFound
from rivergis.maps import along, atlas, features, marks, thinning
from rivergis.maps.patrol_rows import Facts, sections_of, whole_rivers
from rivergis.patrol import period, period_tally
from rivergis.river.chainage import label
from rivergis.river.sections import CLIPPED_DEG

CLASSES = (7, 15, 31, 92)
"""Last day of each class: a week, half a month, a month and a quarter, as frequencies count them."""
DUTIES, RIVERS = "duties", "rivers"
GROUND = ("admin_unit", "water_area")
COLUMNS = (
    "river_id", "bank", "from_m", "to_m", "length_m", "patrols", "first_seen", "last_seen", "days", "cls", "track_id", "said_on",
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """``cells``: partition of what is counted into ``COLUMNS``; ``basis``: ``duties`` (assigned banks) or ``rivers`` (every bank
    metre of the rivers chosen); ``on``: the day that days are counted to."""

    cells: pd.DataFrame
    basis: str
    on: Any
    patrols: int
    """Different tracks that saw any of it."""

    @property
    def holes(self) -> pd.DataFrame:
        """Stretches that no patrol saw."""
        return self.cells[self.cells["patrols"] == 0]


def counted(
    facts: Facts, unit: str | None, rivers: Sequence[str], basis: str = DUTIES, level: str | None = None
) -> tuple[pd.DataFrame, str]:
    """The banks a coverage is about, bank by bank, and its basis: assigned stretches, or all of the rivers chosen.

    ``rivers``: codes or names; ``unit``: adcode, keeps what lies in it; ``level``: only what is assigned to chiefs of it. Where nothing at all is assigned in the period, or rivers
    are named, whole rivers are taken. ``NotFound`` for an unknown unit or river.
    """
    own = _rivers(facts, rivers)
    duties = facts.duties if level is None else facts.duties[facts.duties["level"] == level]
    if basis == DUTIES and not rivers and (len(duties) or level is not None):
        lines = period.by_bank(duties[["river_id", "bank", "from_m", "to_m"]])
        lines = period.common(lines, period.by_bank(whole_rivers(facts).assign(bank="both")))
    else:
        basis, lines = RIVERS, period.by_bank(whole_rivers(facts).assign(bank="both"))
    lines = period.union(lines if own is None else lines[lines["river_id"].isin(own)])
    if unit is None:
        return lines, basis
    if unit not in set(facts.units["code"]):
        raise NotFound(
            f"There is no unit {unit!r} on {facts.span.last}: give the adcode of a county, township or village."
        )
    return period.common(lines, period.by_bank(sections_of(facts, unit).assign(bank="both"))), basis


def _rivers(facts: Facts, asked: Sequence[str]) -> set[Any] | None:
    if not asked:
        return None
    out = set()
    for name in asked:
        found = facts.rivers[(facts.rivers["code"] == name) | (facts.rivers["name"] == name)]
        if found.empty:
            raise NotFound(
                f"There is no river with the code or name {name!r} on {facts.span.last}: see 'rivergis river list'."
            )
        out |= set(found["id"])
    return out


def accumulate(facts: Facts, lines: pd.DataFrame, basis: str, on: Any) -> Coverage:
    """All patrols of the period laid over the banks that are counted, whoever walked them."""
    legs = facts.legs.stretches
    seen = legs[legs["seen"].astype(bool) & legs["bank"].notna()]
    told = seen[["river_id", "bank", "from_m", "to_m", "track_id"]].assign(at=seen["day"]).reset_index(drop=True)
    cells = period.days_since(period.accumulate(lines, told), on, CLASSES)
    track = [None if i is None else told["track_id"].iloc[i] for i in cells["last"]]
    cells = cells.assign(
        track_id=pd.Series(track, index=cells.index, dtype=object), length_m=cells["to_m"] - cells["from_m"]
    )
    return Coverage(_with_entries(cells, facts)[list(COLUMNS)], basis, on, _tracks_on(told, lines))


def _tracks_on(told: pd.DataFrame, lines: pd.DataFrame) -> int:
    """Tracks that saw some of the lines."""
    pairs = told.merge(lines, on=list(period.LINE), suffixes=("", "_line"))
    touch = (pairs["from_m"] < pairs["to_m_line"]) & (pairs["to_m"] > pairs["from_m_line"])
    return int(pairs.loc[touch, "track_id"].nunique())


def _with_entries(cells: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Cells cut where an entry without a track speaks of them; it proves nothing and is told beside."""
    ends = whole_rivers(facts).set_index("river_id")
    own = facts.entry_stretches[
        facts.entry_stretches["entry_id"].isin(period_tally.standing(facts.entries)["entry_id"])
    ]
    own = own[own["river_id"].isin(ends.index)]
    whole = own["from_m"].isna() | own["to_m"].isna()
    said = period.by_bank(
        own.assign(
            from_m=own["from_m"].where(~whole, own["river_id"].map(ends["from_m"])).astype(float),
            to_m=own["to_m"].where(~whole, own["river_id"].map(ends["to_m"])).astype(float),
            track_id=own["entry_id"],
            at=own["day"],
        )
    )
    if said.empty or cells.empty:
        return cells.assign(said_on=pd.Series(None, index=cells.index, dtype=object))
    laid = period.accumulate(cells, said[["river_id", "bank", "from_m", "to_m", "track_id", "at"]])
    parts = cells.merge(
        laid[["river_id", "bank", "from_m", "to_m", "last_seen"]], on=["river_id", "bank"], suffixes=("", "_said")
    )
    lo, hi = parts[["from_m", "from_m_said"]].max(axis=1), parts[["to_m", "to_m_said"]].min(axis=1)
    parts = parts.assign(from_m=lo, to_m=hi, length_m=hi - lo, said_on=parts["last_seen_said"])
    order = ["river_id", "bank", "from_m"]
    return (
        parts[hi > lo]
        .sort_values(order, key=lambda c: c.astype(str) if c.name != "from_m" else c)
        .reset_index(drop=True)
    )


def on_lines(stretches: pd.DataFrame, facts: Facts) -> gpd.GeoDataFrame:
    """Stretches with their piece of the river axis (LineString, EPSG:4490; None off its ends) and ``half_width_m`` of the reach there."""
    return along.on_lines(stretches, facts.axes, facts.reaches, facts.river_names)


def drawn(coverage: Coverage, facts: Facts) -> gpd.GeoDataFrame:
    """The map layer ``last_seen``: neighbouring stretches of one class as one line, on their bank, with what is known of them."""
    rows = _runs(coverage.cells)
    lines = on_lines(rows, facts)
    lines = lines[lines.geometry.notna()]
    records = lines.drop(columns="geometry").to_dict("records")
    out = lines.assign(label=[_label(r) for r in records], popup=[_popup(r) for r in records])
    return marks.on_bank(_lighter(out))[["cls", "label", "popup", "river", "geometry"]]


def _runs(cells: pd.DataFrame) -> pd.DataFrame:
    """Neighbouring stretches of one river, bank and class as one row: fewest and most patrols, oldest and newest last day."""
    out = period.joined(cells[["river_id", "bank", "from_m", "to_m", "cls"]], ["river_id", "bank", "cls"])
    first = np.searchsorted(np.cumsum(out["to_m"] - out["from_m"]) + 1e-4, np.cumsum(cells["to_m"] - cells["from_m"]))
    counts, days = cells["patrols"].groupby(first), cells["last_seen"].to_numpy(dtype=object)
    newest: list[Any] = [None] * len(out)
    oldest: list[Any] = [None] * len(out)
    for k, day in zip(first.tolist(), days, strict=True):
        if day is not None:
            newest[k] = day if newest[k] is None else max(newest[k], day)
            oldest[k] = day if oldest[k] is None else min(oldest[k], day)
    told = {"newest": pd.Series(newest, dtype=object), "oldest": pd.Series(oldest, dtype=object)}
    return out.assign(fewest=counts.min().to_numpy(), most=counts.max().to_numpy(), **told)


def _lighter(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lines without bends that no screen shows: a page of a large county stays small."""
    if lines.empty:
        return lines
    west, south, east, north = lines.total_bounds
    return lines.set_geometry(lines.geometry.simplify(max(max(east - west, north - south) / 8000, CLIPPED_DEG)))


def _place(r: dict[str, Any]) -> str:
    return f"{r['river'] or ''} {words.say('bank.' + r['bank'])} {label(r['from_m'])} – {label(r['to_m'])}"


def _label(r: dict[str, Any]) -> str:
    return f"{_place(r)} · {r['newest'] or words.say('patrol_report.age_never')}"


def _popup(r: dict[str, Any]) -> list[features.Row]:
    count = f"{r['fewest']}" if r["fewest"] == r["most"] else f"{r['fewest']} – {r['most']}"
    days = str(r["newest"]) if r["newest"] == r["oldest"] else f"{r['oldest']} – {r['newest']}"
    values = {"last_seen": days if r["newest"] else words.both("patrol_report.age_never"), "patrols_count": count,
              "length_m": f"{r['to_m'] - r['from_m']:,.0f}"}  # fmt: skip
    return [(*words.pair(f"patrol_report.{k}"), v) for k, v in values.items()]


def said_lines(coverage: Coverage, facts: Facts) -> gpd.GeoDataFrame:
    """Never seen, but spoken of by an entry: the layer ``said``."""
    own = coverage.holes[coverage.holes["said_on"].notna()]
    lines = on_lines(own, facts)
    lines = lines[lines.geometry.notna()]
    records = lines.drop(columns="geometry").to_dict("records")
    return marks.on_bank(lines.assign(label=[f"{_place(r)} · {r['said_on']}" for r in records]), beyond_m=24.0)


def ground(conn: Connection, facts: Facts, lines: gpd.GeoDataFrame) -> atlas.Layers:
    """Units and waters round what is drawn."""
    if lines.empty:
        return {}
    at = features.When(facts.span.last, facts.span.known_at)
    west, south, east, north = lines.total_bounds
    pad = features.MARGIN_DEG
    scope = features.Scope(None, (west - pad, south - pad, east + pad, north + pad))
    return {noun: features.layer(conn, noun, at, scope) for noun in GROUND}


def page(
    layers: atlas.Layers, listed: str, *, title_zh: str, title_en: str, below: str, stamp: str | None, assets: str
) -> str:
    """A map with tables under it: layers thinned to what a page carries, ``listed`` first."""
    kept, note = thinning.fit(layers, (listed, "said", "admin_unit"))
    title = " · ".join(p for p in (title_zh, note) if p)
    map_ = atlas.LocalMap(title, title_en, stamp=stamp, assets=assets).below(below).add_layers(kept)
    focus = atlas.bounds([f for n, f in kept.items() if n == listed and len(f)], margin=0.04)
    return map_.look_at(focus).html()
