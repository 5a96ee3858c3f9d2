"""Which metres of which bank a track has seen: nearest-line coverage per reach, and why the rest was not seen.

Definitions (covered, gap, bank) are those of ``docs/glossary.md``. The method is the plain one: every fix belongs to the
nearest reach within sight, and two fixes on one reach cover what lies between them unless the recording had a gap.
Reaches are digitised downstream, so left and right look downstream.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry

SEEN, GAP, OTHER_BANK, TOO_FAR, NEVER = "seen", "gap", "other_bank", "too_far", "never_approached"


@dataclass(frozen=True)
class Limits:
    """Thresholds of the method, all from ``patrol.*`` of the rules."""

    visible_beyond_bank_m: float
    ditch_factor: float
    max_gap_s: float
    gap_intervals: float
    """A gap is longer than ``max_gap_s`` and than this many median intervals."""
    min_leg_m: float


@dataclass(frozen=True)
class Stretch:
    """A stretch of one bank of one reach (position in the frame), metres from its upstream end, seen or why not."""

    reach: int
    bank: str
    from_m: float
    to_m: float
    why: str
    started_at: pd.Timestamp | None = None
    ended_at: pd.Timestamp | None = None


def visible_m(reaches: gpd.GeoDataFrame, limits: Limits) -> np.ndarray:
    """Greatest distance from each reach line at which walking along it counts: half width + sight, less for ditches."""
    half = np.nan_to_num(reaches["half_width_m"].to_numpy(dtype=float))
    return (half + limits.visible_beyond_bank_m) * np.where(reaches["kind"] == "ditch", limits.ditch_factor, 1.0)


def cover(fixes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, limits: Limits) -> list[Stretch]:
    """Seen stretches of every reach a track went along, by bank, merged and in order.

    ``fixes``: used fixes in time order (``clean.mark``), Points in metres with ``at``; ``reaches``: LineStrings in
    metres of the same zone with kind, half_width_m, length_m (ellipsoidal, what measures count in).
    """
    crs.require_metric(fixes)
    crs.require_metric(reaches)
    if fixes.empty or reaches.empty:
        return []
    on = _place(fixes, reaches, visible_m(reaches, limits))
    pairs = _consecutive(fixes, on, reaches, limits)
    return _merge(pairs, limits)


def _place(fixes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, sight: np.ndarray) -> pd.DataFrame:
    """Nearest reach within sight of each fix (-1: none), its measure there in ellipsoidal metres, and side."""
    lines, points = reaches.geometry.values, fixes.geometry.values
    fix, reach = shapely.STRtree(points).query(lines, predicate="dwithin", distance=sight)[::-1]
    found = pd.DataFrame({"fix": fix, "reach": reach, "distance": shapely.distance(points[fix], lines[reach])})
    best = found.sort_values(["fix", "distance", "reach"]).drop_duplicates("fix").set_index("fix")
    placed = best.reindex(range(len(fixes)))
    placed["reach"] = placed["reach"].fillna(-1).astype(int)
    placed["m"], placed["side"] = np.nan, 0.0
    for r, group in placed[placed["reach"] >= 0].groupby("reach"):
        line = lines[int(r)]
        scale = reaches["length_m"].iloc[int(r)] / line.length
        placed.loc[group.index, "m"] = shapely.line_locate_point(line, points[group.index]) * scale
        placed.loc[group.index, "side"] = geometry.side_of(line, points[group.index])
    return placed


def gap_s(fixes: gpd.GeoDataFrame, limits: Limits) -> float:
    """Longest silence between two fixes that still counts as watching."""
    steps = fixes["at"].diff().dt.total_seconds().dropna()
    return max(limits.max_gap_s, limits.gap_intervals * float(steps.median())) if len(steps) else limits.max_gap_s


def _consecutive(fixes: gpd.GeoDataFrame, on: pd.DataFrame, reaches: gpd.GeoDataFrame, limits: Limits) -> list[Stretch]:
    """Stretches between neighbouring fixes on one reach; across a silence they are gaps."""
    at = fixes["at"].reset_index(drop=True)
    silence = at.diff().dt.total_seconds().to_numpy()
    longest, out = gap_s(fixes, limits), []
    bank = _smooth_bank(on)
    for i in range(1, len(fixes)):
        r = on["reach"].iloc[i]
        if r < 0 or r != on["reach"].iloc[i - 1]:
            continue
        a, b = sorted((on["m"].iloc[i - 1], on["m"].iloc[i]))
        if b - a <= 0:
            continue
        why = GAP if silence[i] > longest or np.isnan(silence[i]) else SEEN
        out.append(Stretch(int(r), bank[i], float(a), float(b), why, at.iloc[i - 1], at.iloc[i]))
    return out


def _smooth_bank(on: pd.DataFrame) -> list[str]:
    """Bank of each fix by majority over its neighbours on the same reach: one noisy fix does not change the bank."""
    side = on["side"].where(on["reach"] >= 0, 0.0)
    run = (on["reach"] != on["reach"].shift()).cumsum()
    total = side.groupby(run).transform(lambda s: s.rolling(7, center=True, min_periods=1).sum())
    return ["left" if s >= 0 else "right" for s in total]


def _merge(pieces: list[Stretch], limits: Limits) -> list[Stretch]:
    """Pieces of one reach, bank and kind joined where they meet or overlap; crumbs are dropped."""
    out: list[Stretch] = []
    for p in sorted(pieces, key=lambda s: (s.reach, s.bank, s.why, s.from_m, s.to_m)):
        last = out[-1] if out else None
        if last and (last.reach, last.bank, last.why) == (p.reach, p.bank, p.why) and p.from_m <= last.to_m + 1.0:
            out[-1] = Stretch(
                p.reach,
                p.bank,
                last.from_m,
                max(last.to_m, p.to_m),
                p.why,
                _earlier(last.started_at, p.started_at),
                _later(last.ended_at, p.ended_at),
            )
        else:
            out.append(p)
    return [s for s in out if s.to_m - s.from_m >= limits.min_leg_m]


def _earlier(a: pd.Timestamp | None, b: pd.Timestamp | None) -> pd.Timestamp | None:
    return b if a is None else a if b is None else min(a, b)


def _later(a: pd.Timestamp | None, b: pd.Timestamp | None) -> pd.Timestamp | None:
    return b if a is None else a if b is None else max(a, b)


def explain_rest(
    seen: list[Stretch], fixes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, duty: pd.DataFrame, limits: Limits
) -> list[Stretch]:
    """Why the rest of the assigned metres was not seen: seen + unseen = assigned, bank by bank.

    ``duty``: rows (reach position, bank, from_m, to_m in reach metres). Reasons in this order: a recording gap there,
    only the other bank seen, passed by but beyond sight, never approached.
    """
    points = fixes.geometry.values
    sight = visible_m(reaches, limits)
    out: list[Stretch] = []
    for row in duty.itertuples():
        r, line = int(row.reach), reaches.geometry.iloc[int(row.reach)]
        mine = [s for s in seen if s.reach == r]
        cuts = [(s.from_m, s.to_m) for s in mine if s.bank == row.bank and s.why == SEEN]
        for a, b in _minus((row.from_m, row.to_m), cuts):
            for lo, hi, why in _reasons(a, b, row.bank, mine):
                cells = (
                    [(lo, hi, why)]
                    if why
                    else _by_distance(line, lo, hi, reaches["length_m"].iloc[r], points, sight[r])
                )
                out += [Stretch(r, row.bank, x, y, reason) for x, y, reason in cells]
    return out


def _reasons(a: float, b: float, bank: str, mine: list[Stretch]) -> list[tuple[float, float, str | None]]:
    """A piece cut where its reason changes; None where only the distance to the track can tell."""
    layers = [
        ([s for s in mine if s.why == GAP and s.bank == bank], GAP),
        ([s for s in mine if s.why == SEEN and s.bank != bank], OTHER_BANK),
        ([s for s in mine if s.why == GAP], GAP),
    ]
    rest, out = [(a, b)], []
    for stretches, why in layers:
        left = []
        for lo, hi in rest:
            outside = _minus((lo, hi), [(s.from_m, s.to_m) for s in stretches])
            out += [(x, y, why) for x, y in _minus((lo, hi), outside)]
            left += outside
        rest = left
    return sorted([*out, *((lo, hi, None) for lo, hi in rest)])


def _minus(whole: tuple[float, float], cuts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """An interval less others, in order."""
    out, at = [], whole[0]
    for lo, hi in sorted(cuts):
        if hi <= at or lo >= whole[1]:
            continue
        if lo > at:
            out.append((at, lo))
        at = max(at, hi)
    if at < whole[1]:
        out.append((at, whole[1]))
    return out


CELL_M = 50.0  # how finely "too far" and "never approached" are told apart


def _by_distance(
    line: shapely.LineString, lo: float, hi: float, length_m: float, points: np.ndarray, sight: float
) -> list[tuple[float, float, str]]:
    """A piece cut where its reason changes: passed by within five times the sight is too far, else never approached."""
    cuts = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo) / CELL_M)) + 1))
    middle = shapely.line_interpolate_point(line, (cuts[:-1] + cuts[1:]) / 2 * line.length / length_m)
    if not len(points):
        return [(lo, hi, NEVER)]
    _, distance = shapely.STRtree(points).query_nearest(middle, all_matches=False, return_distance=True)
    out: list[tuple[float, float, str]] = []
    for a, b, d in zip(cuts[:-1].tolist(), cuts[1:].tolist(), distance.tolist(), strict=True):
        why = TOO_FAR if d <= 5 * sight else NEVER
        if out and out[-1][2] == why:
            out[-1] = (out[-1][0], b, why)
        else:
            out.append((a, b, why))
    return out


def union_m(stretches: list[Stretch]) -> float:
    """Length in metres of river (any bank) that a list of stretches covers, each metre once."""
    total = 0.0
    for r in {s.reach for s in stretches}:
        cuts = [(s.from_m, s.to_m) for s in stretches if s.reach == r]
        whole = (min(c[0] for c in cuts), max(c[1] for c in cuts))
        total += (whole[1] - whole[0]) - sum(b - a for a, b in _minus(whole, cuts))
    return total
