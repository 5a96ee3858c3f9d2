"""One track scored: what was seen of what was assigned, tested against announced rules, with reasons to look twice.

Pure: fixes and reaches in, one small result out; the same for files, the database and the night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.patrol import clean, coverage, datum, figures, match, unseen
from rivergis.patrol.coverage import NO_TIME, OUTSIDE_TIME, TOO_FAST, Legs, Unobserved
from rivergis.patrol.fixes import MARKS, POOR_ACCURACY, Fixes, Floats
from rivergis.patrol.water import Waters

ENGINE = "river-hmm/1"
SILENCE = ("reach", "from_m", "to_m", "seconds", "speed_ms")
UNTOLD_ERROR_M = 10.0  # of phones that tell no accuracy


@dataclass(frozen=True)
class Method:
    """All thresholds of a scoring, read from ``patrol.*`` of the rules by ``method_of``."""

    cleaning: clean.Limits
    matching: match.Method
    watch: match.Watch
    cover: coverage.Limits
    datums: datum.Limits


def method_of(number: Callable[[str], float]) -> Method:
    """The method with the values a rule view gives for its keys."""
    return Method(
        clean.limits_of(number), match.method_of(number), match.watch_of(number), coverage.limits_of(number), datum.limits_of(number)
    )  # fmt: skip


def waters_of(reaches: gpd.GeoDataFrame, method: Method) -> Waters:
    """The reaches (LineStrings, EPSG:4490, with length_m) made ready for matching; made once for all tracks of a day."""
    return Waters.of(reaches, coverage.visible_m(reaches, method.cover), search_m=method.matching.search_m)


@dataclass(frozen=True)
class Bounds:
    """What a local document or an order adds: fastest speed at which looking counts, and the time (s since 1970) of the patrol."""

    max_speed_ms: float | None = None
    start_s: float = -np.inf
    end_s: float = np.inf


@dataclass(frozen=True, eq=False)
class Score:
    """Outcome of one track. ``seen``: legs along the water (``why`` tells those that do not count); ``rest``: the duty not seen, with
    reason; ``reach`` is the position in the frame the waters were made of. ``way``: the track on the water, None where no reach is near.
    ``datum``: what the coordinates were read in; ``datum_better``: another one that a doubtful declared track fits.
    """

    fixes: Fixes
    seen: Legs
    rest: list[unseen.Rest]
    unobserved: Unobserved
    figures: dict[str, Any]
    way: datum.Way | None
    datum: str
    datum_better: str | None = None

    @cached_property
    def legs(self) -> pd.DataFrame:
        """Legs and the rest of the duty in one table, see ``coverage.LEG_COLUMNS``."""
        frames = [part.frame() for part in (self.seen, unseen.as_legs(self.rest)) if len(part)]
        return pd.concat(frames, ignore_index=True) if frames else coverage.no_legs().frame()

    @cached_property
    def right(self) -> Fixes:
        """All fixes with their positions in WGS 84."""
        return datum.in_wgs84(self.fixes, self.datum)

    @property
    def start_s(self) -> float | None:
        """When the track began (s since 1970 UTC, clock repaired); None without times."""
        t_s = self.fixes.t_s[self.fixes.used]
        return float(t_s[0]) if self.fixes.timed and len(t_s) else None


def score(
    table: pd.DataFrame, waters: Waters, duty: pd.DataFrame, method: Method, *,
    declared: str | None, uploaded_s: float = np.nan, fast_kmh: float = np.inf, bounds: Bounds = Bounds(),
) -> Score:  # fmt: skip
    """Score a track against the reaches around it.

    ``table``: fixes as ``clean.order`` reads them; ``duty``: assigned stretches (reach position, bank, from_m, to_m), may be
    empty. ``declared``: datum of lon and lat (wgs84, cgcs2000, gcj02, bd09), None when nobody said: the likeliest is taken and
    told. ``fast_kmh``: speed above which way counts as fast. Raises nothing for a poor track: it covers less.
    """
    fixes = clean.order(table, method.cleaning, uploaded_s=uploaded_s)
    used, asked = fixes.take(fixes.used), unseen.Duty.of(duty, waters.length_m)
    matcher = datum.Matcher(waters, np.unique(asked.reach), method.matching, method.watch, method.cover.too_far_sights)
    read = declared or (datum.choose(used, matcher, method.datums) if len(used) else "wgs84")
    way = datum.follow(used, read, matcher)
    better = _better(used, way, matcher, method.datums) if declared in ("wgs84", "cgcs2000") else None
    seen, unobserved = _legs(way, used, method, fast_kmh / 3.6, bounds)
    rest = unseen.explain(
        seen, unobserved, asked, way.water if way else None, *_clouds(fixes, read, way), method.cover.too_far_sights
    )
    places = way.path.places if way and fixes.timed else None
    told = figures.of_patrol(seen, rest, asked, unobserved, places, method.cover)
    told |= _told(fixes, read, way, unobserved, method)
    if way is None and fixes.timed:
        told["minutes"] = 0.0  # it has times and was near no water: that is known, not unknown
    return Score(fixes, seen, rest, unobserved, told, way, read, better)


def _better(used: Fixes, way: datum.Way | None, matcher: datum.Matcher, limits: datum.Limits) -> str | None:
    """Another datum that a declared track fits, where it hardly touches a river in its own: asked, never applied."""
    if not len(used) or (way and way.path.cost <= limits.doubt * len(way.path.places)):
        return None
    anywhere = replace(matcher, assigned=matcher.assigned[:0])  # where a duty lies says nothing about what was declared
    found = datum.choose(used, anywhere, limits)
    return found if found != "wgs84" else None


def _legs(
    way: datum.Way | None, used: Fixes, method: Method, fast_ms: float, bounds: Bounds
) -> tuple[Legs, Unobserved]:
    """Legs and unobserved stretches; legs that do not count say why."""
    if way is None:
        return coverage.no_legs(), coverage.nothing_unobserved()
    legs, unobserved = coverage.along(
        way.path, way.water, method.cover, _confidence(way, used, method), fast_ms=fast_ms
    )
    if not used.timed:
        nan, none_told = np.full(len(legs), np.nan), np.full(len(legs), -1, dtype=np.int64)
        why = np.full(len(legs), NO_TIME, dtype=object)
        return replace(legs, why=why, started_s=nan, ended_s=nan, speed_ms=nan, mode=none_told), unobserved
    if bounds.max_speed_ms is not None:
        legs.why[legs.speed_ms > bounds.max_speed_ms] = TOO_FAST
    legs.why[(legs.ended_s < bounds.start_s) | (legs.started_s > bounds.end_s)] = OUTSIDE_TIME
    return legs, unobserved


def _confidence(way: datum.Way, used: Fixes, method: Method) -> Floats:
    """How sure the path is at every place: its posterior, lowered where the place lies less than its error inside sight."""
    path, water = way.path, way.water
    error = _error_m(used.acc_m, path.places.bin, len(path.places))
    sight = np.where(path.reach >= 0, water.visible_m[np.maximum(path.reach, 0)], np.inf)
    room = np.nan_to_num(sight - np.abs(path.offset_m), nan=0.0, posinf=np.inf) / error
    return path.certainty * np.clip(1.0 - method.cover.edge_doubt * (1.0 - room), 0.0, 1.0)


def _error_m(acc_m: Floats, number: np.ndarray, n: int) -> Floats:
    """Mean accuracy told by the phone for each place; ten metres where it tells none."""
    known = np.isfinite(acc_m)
    count = np.bincount(number[known], minlength=n)
    total = np.bincount(number[known], weights=acc_m[known], minlength=n)
    return np.where(count > 0, np.maximum(total / np.maximum(count, 1), 1.0), UNTOLD_ERROR_M)


def _clouds(fixes: Fixes, read: str, way: datum.Way | None) -> tuple[Floats, Floats]:
    """Used and too inaccurate fixes in local metres."""
    if way is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    poor = fixes.take(fixes.mark == POOR_ACCURACY)
    return way.xy, way.water.metres(*crs.to_wgs84(poor.lon, poor.lat, read)) if len(poor) else np.zeros((0, 2))


def _told(fixes: Fixes, read: str, way: datum.Way | None, unobserved: Unobserved, method: Method) -> dict[str, Any]:
    """Figures about the track itself: fixes and marks, clock, datum, stops, silences."""
    names, counts = np.unique(fixes.mark, return_counts=True)
    out: dict[str, Any] = {
        "fixes": len(fixes),
        "fixes_used": int(fixes.used.sum()),
        "marks": {MARKS[m]: int(c) for m, c in zip(names, counts, strict=True) if m},
        "datum": read,
        "clock_offset_s": round(fixes.clock.offset_s, 1),
        "clock_basis": fixes.clock.basis,
        "timed": fixes.timed,
        "stops": _stops(way, method) if way and fixes.timed else [],
    }
    rows = zip(*(getattr(unobserved, c).tolist() for c in SILENCE), strict=True)
    out["unobserved"] = [{c: round(v, 1) for c, v in zip(SILENCE, row, strict=True)} for row in rows]
    return out


def _stops(way: datum.Way, method: Method) -> list[dict[str, Any]]:
    path, places = way.path, way.path.places
    found = []
    for i in np.flatnonzero(places.end_s - places.start_s >= method.cover.stop_s):
        lon, lat = way.water.transformer.transform(places.xy[i, 0], places.xy[i, 1], direction="INVERSE")
        found.append(
            {
                "at_s": round(float(places.start_s[i]), 1),
                "minutes": round(float(places.end_s[i] - places.start_s[i]) / 60, 1),
                "lon": round(lon, 6),
                "lat": round(lat, 6),
                "reach": int(way.water.number[path.reach[i]]) if path.reach[i] >= 0 else None,
                "at_m": round(float(path.at_m[i]), 1) if path.reach[i] >= 0 else None,
            }
        )
    return found
