"""One track scored: what was seen of what was assigned, tested against announced rules, with reasons to look twice.

Pure: frames in, one small result out; the same for files, the database and the night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.patrol import authenticity, clean, compliance, coverage
from rivergis.patrol.coverage import Limits, Stretch
from rivergis.rules import RuleValue

ENGINE = "nearest-line/1"


@dataclass(frozen=True)
class Method:
    """All thresholds of a scoring, read from ``patrol.*`` of the rules by ``method_of``."""

    limits: Limits
    max_accuracy_m: float
    max_speed_ms: float
    fast_kmh: float
    fast_share: float


@dataclass(frozen=True)
class Score:
    """Outcome for one track. ``stretches``: seen, recording gaps and unseen with reason; positions refer to the reach frame."""

    fixes: gpd.GeoDataFrame
    stretches: list[Stretch]
    figures: dict[str, Any]
    standard: list[compliance.Tested]
    review: list[authenticity.Signal]


def method_of(number: Callable[[str], float]) -> Method:
    """The method with the values a rule view gives for its keys."""
    limits = Limits(
        number("patrol.coverage.visible_beyond_bank"),
        number("patrol.coverage.ditch_factor"),
        number("patrol.track.max_gap_time"),
        number("patrol.track.max_gap_intervals"),
        number("patrol.coverage.min_leg"),
    )
    return Method(
        limits,
        number("patrol.track.max_accuracy"),
        number("patrol.cheat.max_speed") / 3.6,
        number("patrol.coverage.fast_speed"),
        number("patrol.coverage.fast_share"),
    )


def score(
    fixes: gpd.GeoDataFrame,
    reaches: gpd.GeoDataFrame,
    duty: pd.DataFrame,
    method: Method,
    *,
    rule: Callable[[str], RuleValue | None] | None,
    same_as: str | None = None,
    datum_declared: str | None = "wgs84",
) -> Score:
    """Score a track against the reaches around it.

    ``fixes``: Points in degrees with seq, at, acc_m; ``reaches``: LineStrings in degrees with kind, half_width_m,
    length_m; ``duty``: assigned stretches (reach position, bank, from_m, to_m), may be empty. ``rule`` None: no rule is
    tested (files without a jurisdiction).
    """
    metric_reaches = crs.to_metric(reaches)
    marked = clean.mark(
        fixes.to_crs(metric_reaches.crs), max_accuracy_m=method.max_accuracy_m, max_speed_ms=method.max_speed_ms
    )
    used = marked[marked["mark"].isna()].reset_index(drop=True)
    along = coverage.cover(used, metric_reaches, method.limits)
    rest = coverage.explain_rest(along, used, metric_reaches, duty, method.limits)
    figures = _figures(along, rest, duty, used, marked)
    review = authenticity.signals(
        used, same_as=same_as, fast_kmh=method.fast_kmh, fast_share=method.fast_share, teleport_ms=method.max_speed_ms
    )
    if datum_declared is None:
        review += datum_question(used, metric_reaches)
    return Score(marked, along + rest, figures, compliance.test(figures, rule) if rule else [], review)


def _figures(
    along: list[Stretch], rest: list[Stretch], duty: pd.DataFrame, used: gpd.GeoDataFrame, marked: gpd.GeoDataFrame
) -> dict[str, Any]:
    seen = [s for s in along if s.why == coverage.SEEN]
    on_duty = _within(seen, duty) if len(duty) else seen
    assigned = float((duty["to_m"] - duty["from_m"]).sum()) if len(duty) else 0.0
    bank_m = sum(s.to_m - s.from_m for s in on_duty)
    return {
        "minutes": round(_minutes(used, on_duty), 1),
        "metres": round(coverage.union_m(on_duty), 1),
        "bank_metres": round(bank_m, 1),
        "assigned_bank_metres": round(assigned, 1),
        "share": round(bank_m / assigned, 4) if assigned else None,
        "by_bank": {
            b: {
                "seen_m": round(sum(s.to_m - s.from_m for s in on_duty if s.bank == b), 1),
                "assigned_m": round(float((duty["to_m"] - duty["from_m"])[duty["bank"] == b].sum()), 1)
                if len(duty)
                else None,
            }
            for b in ("left", "right")
        },
        "unseen": {
            why: round(sum(s.to_m - s.from_m for s in rest if s.why == why), 1) for why in sorted({s.why for s in rest})
        },
        "fixes": len(marked),
        "fixes_used": len(used),
        "marks": {str(k): int(v) for k, v in marked["mark"].value_counts().items()},
    }


def _within(seen: list[Stretch], duty: pd.DataFrame) -> list[Stretch]:
    """Seen stretches cut to the assigned ones."""
    out = []
    for row in duty.itertuples():
        for s in seen:
            lo, hi = max(s.from_m, row.from_m), min(s.to_m, row.to_m)
            if s.reach == row.reach and s.bank == row.bank and hi > lo:
                out.append(Stretch(s.reach, s.bank, lo, hi, s.why, s.started_at, s.ended_at))
    return out


def _minutes(used: gpd.GeoDataFrame, seen: list[Stretch]) -> float:
    """Minutes between first and last fix of the seen stretches, overlapping times once."""
    spans = sorted((s.started_at, s.ended_at) for s in seen if s.started_at is not None and s.ended_at is not None)
    total, end = 0.0, None
    for a, b in spans:
        start = a if end is None or a > end else end
        if b > start:
            total += (b - start).total_seconds()
        end = b if end is None else max(end, b)
    return total / 60


def datum_question(used: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame) -> list[authenticity.Signal]:
    """For a track of undeclared datum: would it lie much nearer to the rivers if it were GCJ-02? Asked, never applied."""
    if used.empty or reaches.empty:
        return []
    degrees = used.to_crs(crs.STORAGE)
    lon, lat = crs.gcj02_to_wgs84(degrees.geometry.x.to_numpy(), degrees.geometry.y.to_numpy())
    moved = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=crs.STORAGE).to_crs(reaches.crs)
    tree, lines = shapely.STRtree(reaches.geometry.values), reaches.geometry.values
    as_is, as_gcj = (
        float(np.median(shapely.distance(p, lines[tree.nearest(p)]))) for p in (used.geometry.values, moved.values)
    )
    if as_gcj < as_is / 2 and as_is - as_gcj > 100:
        return [
            authenticity.Signal(
                "datum_open",
                f"未申报坐标系:按 WGS 84 距河道中位数 {as_is:.0f} 米,按 GCJ-02 为 {as_gcj:.0f} 米,请确认坐标系后重新计算",
                f"Datum not declared: median distance to the river {as_is:.0f} m as WGS 84, {as_gcj:.0f} m as GCJ-02; confirm it and score again",
                round(as_is - as_gcj, 1),
            )
        ]
    return []
