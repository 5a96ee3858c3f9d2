"""Is one track a copy of another? Told from the structure of the differences, at any sampling and in both directions.

Two phones on one walk differ by the noise of both: a part of every difference is the noise of the other phone with the
opposite sign, and it wanders slowly. A copy differs by nothing, or by what was added to it: white, and blind to the noise
of the track it was laid over. People who walk one path on two days never keep step over a whole track, so that no
straight line of time brings one track onto the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from rivergis.patrol.authenticity_player import bend, noise_of
from rivergis.patrol.authenticity_times import TimeMap, at, find, nearest_of
from rivergis.patrol.fixes import Fixes, Floats

SEMI_MAJOR_M, ECCENTRICITY2 = 6378137.0, 0.00669438002290  # GRS 80, as in EPSG:4490
LOOKED_UP, NEIGHBOURS = 200, 8
GLANCED_AT = 60  # fixes that tell roughly whether two tracks lie on each other
FEWEST, FEWEST_NOISY = 8, 20  # fixes: below them nothing is said of an exact copy, of a noisy one


@dataclass(frozen=True, eq=False)
class Course:
    """The used fixes of one track, for comparing it with others: seconds since 1970 UTC (repaired), degrees of WGS 84.

    ``t_s`` rises strictly; where the file has no times it counts the fixes. ``start_s``: when the track began, or when it
    was received where the file has no times; NaN where nobody knows.
    """

    track_id: str
    chief_id: str | None
    t_s: Floats
    lon: Floats
    lat: Floats
    start_s: float

    def __len__(self) -> int:
        return len(self.t_s)

    @cached_property
    def xyz_m(self) -> Floats:
        """Geocentric metres, shape (n, 3): distances between fixes anywhere without a projection."""
        return geocentric(self.lon, self.lat)

    @cached_property
    def tree(self) -> Any:
        """KD-tree of the fixes in geocentric metres."""
        from scipy.spatial import cKDTree

        return cKDTree(self.xyz_m)

    @cached_property
    def interval_s(self) -> float:
        """Median seconds (or fixes) between neighbours."""
        return float(np.median(np.diff(self.t_s))) if len(self) > 1 else float("nan")


def geocentric(lon: Floats, lat: Floats) -> Floats:
    """Places on the ellipsoid (degrees) in geocentric metres, shape (n, 3)."""
    east, north = np.radians(lon), np.radians(lat)
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY2 * np.sin(north) ** 2)
    flat = normal * np.cos(north)
    return np.column_stack([flat * np.cos(east), flat * np.sin(east), normal * (1 - ECCENTRICITY2) * np.sin(north)])


def course_of(
    fixes: Fixes,
    track_id: str,
    chief_id: str | None,
    *,
    received_s: float = float("nan"),
) -> Course:
    """The course of a cleaned track in WGS 84; ``received_s`` stands in for the start where the file has no times."""
    timed = fixes.timed
    t_s = fixes.t_s if timed else np.arange(len(fixes), dtype=np.float64)
    keep = np.flatnonzero(fixes.used)
    keep = keep[np.diff(t_s[keep], prepend=-np.inf) > 0]
    start = float(np.nanmin(fixes.t_s)) if timed else received_s
    return Course(track_id, chief_id, t_s[keep], fixes.lon[keep], fixes.lat[keep], start)


@dataclass(frozen=True)
class Likeness:
    """How a track differs from another under the best straight line between their times.

    ``share``: of its fixes that have a partner, ``fixes`` of them; ``median_m``: distance to the partner; ``fine_m``: size of
    the difference from fix to fix, per axis; ``inherited``: share of that which is the other track's own noise (0: a copy of
    it, 1: it is a copy of this one, about a half: two phones) and its standard error; ``slow``: size of the difference over
    that of a white one (1: white); ``rhythm``: correlation of the intervals of both (NaN where they are even) and how
    many standard errors that is; ``moved_m``: extent of the track.
    """

    fixes: int
    share: float
    median_m: float
    fine_m: float
    inherited: float
    inherited_error: float
    slow: float
    rhythm: float
    rhythm_sure: float
    moved_m: float
    times: TimeMap


def likeness(course: Course, other: Course, reach_m: float) -> Likeness | None:
    """Compare two courses; None where too few fixes lie within ``reach_m`` of the other, or there are too few at all."""
    if min(len(course), len(other)) < FEWEST:
        return None
    pairs = _near_in_space(course, other, reach_m)
    if pairs is None:
        return None
    here, there = _in_plane(course, other)
    times = find(course.t_s, here, other.t_s, there, pairs)
    return None if times is None else _differences(course, other, here, there, times, reach_m)


def _near_in_space(course: Course, other: Course, reach_m: float) -> tuple[Floats, Floats, Floats] | None:
    """Times of fixes of both that lie near each other and their distance, for up to ``LOOKED_UP`` fixes of the course."""
    pick = np.unique(np.linspace(0, len(course) - 1, LOOKED_UP).astype(int))
    apart, near = other.tree.query(course.xyz_m[pick], k=min(NEIGHBOURS, len(other)), distance_upper_bound=reach_m)
    hit = np.isfinite(apart)
    if hit.any(axis=1).mean() < 0.5:
        return None
    return np.repeat(course.t_s[pick], hit.sum(axis=1)), other.t_s[near[hit]], apart[hit]


def _in_plane(course: Course, other: Course) -> tuple[Floats, Floats]:
    """Both courses in metres east and north in the plane that touches the earth at the middle of the first."""
    lon, lat = np.radians(np.median(course.lon)), np.radians(np.median(course.lat))
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    axes, middle = np.column_stack([east, north]), np.median(course.xyz_m, axis=0)
    return (course.xyz_m - middle) @ axes, (other.xyz_m - middle) @ axes


def _differences(
    course: Course, other: Course, here: Floats, there: Floats, times: TimeMap, reach_m: float
) -> Likeness | None:
    """Statistics of the differences, at the fixes of whichever of the two has fewer."""
    t, u = course.t_s, other.t_s
    when = times(t)
    nearest, interval = nearest_of(u, when)
    ticks = np.abs(u[nearest] - when) / interval
    inside = (when > u[0] - 0.5 * interval) & (when < u[-1] + 0.5 * interval)
    if inside.sum() < FEWEST:
        return None
    in_step = float(np.median(ticks[inside])) < 0.02
    partner = there[nearest] if in_step else at(u, there, when)
    apart = np.hypot(*(here - partner).T)
    compared = inside
    if course.interval_s * abs(times.scale) < 0.7 * other.interval_s:
        compared = inside & _one_each(nearest, ticks, inside)
    if compared.sum() < FEWEST:
        return None
    a, b = here[compared], partner[compared]
    fine_m, inherited, error = _inherited(a, b, t[compared])
    rhythm, sure = _rhythm(t[compared] * times.scale, u[nearest[compared]], other.interval_s)
    return Likeness(
        fixes=int((inside & (apart < reach_m)).sum()),
        share=float((inside & (apart < reach_m)).mean()),
        median_m=float(np.median(apart[inside])),
        fine_m=fine_m,
        inherited=inherited,
        inherited_error=error,
        slow=_slow(a - b),
        rhythm=rhythm,
        rhythm_sure=sure,
        moved_m=float(np.hypot(*np.ptp(here, axis=0))),
        times=times,
    )


def _one_each(nearest: Any, ticks: Floats, inside: Any) -> Any:
    """Of the fixes that share a nearest fix of the other track, the one nearest in time."""
    order = np.flatnonzero(inside)
    order = order[np.lexsort((ticks[order], nearest[order]))]
    keep = np.zeros(len(nearest), bool)
    keep[order[np.unique(nearest[order], return_index=True)[1]]] = True
    return keep


def _inherited(a: Floats, b: Floats, t: Floats) -> tuple[float, float, float]:
    """Size of the difference from fix to fix (m, per axis), the share of it that is noise of ``b``, and its standard error.

    With A and B how far each fix lies off its neighbours: a copy has A = B + own, so that A - B says nothing about B;
    for independent phones -cov(A - B, B) is the variance of the noise of B, whatever the path does.
    """
    old = bend(t, b)
    extra = bend(t, a) - old
    length = np.hypot(*extra.T)
    sane = length <= 4 * np.median(length) + 1e-9
    extra, old = extra[sane], old[sane]
    square = (extra**2).sum(axis=1)
    total = float(square.sum())
    if total <= 0:
        return 0.0, 0.0, 0.0
    cross = -(extra * old).sum(axis=1)
    share = float(cross.sum()) / total
    error = float(np.sqrt(((cross - share * square) ** 2).sum()) / total)
    return float(np.sqrt(total / extra.size)), share, error


def _slow(difference: Floats) -> float:
    """Median square of the difference over half that of its change from fix to fix: 1 where it is white."""
    change = np.median((np.diff(difference, axis=0) ** 2).sum(axis=1)) / 2
    around = difference - np.median(difference, axis=0)
    return float(np.median((around**2).sum(axis=1)) / max(change, 1e-6))


def _rhythm(t: Floats, u: Floats, interval_s: float) -> tuple[float, float]:
    """Correlation of the ordinary intervals of both between the same fixes, and its size in standard errors.

    (NaN, 0) where either is even or there are fewer than six. The errors are those of Fisher's z.
    """
    own, others = np.diff(t), np.diff(u)
    ordinary = (np.abs(others) > 0.3 * interval_s) & (np.abs(others) < 1.7 * interval_s)
    if ordinary.sum() < 6:
        return float("nan"), 0.0
    x, y = (v[ordinary] - np.median(v[ordinary]) for v in (own, others))
    if min(x.std(), y.std()) < 0.004 * interval_s:
        return float("nan"), 0.0
    together = float(np.corrcoef(x, y)[0, 1])
    return together, float(np.arctanh(min(together, 1 - 1e-9)) * np.sqrt(ordinary.sum() - 3))


def log_odds(found: Likeness, interval_s: float) -> float:
    """Log odds of a copy with white noise laid over it against two phones, each figure by its own law, clipped.

    ``inherited`` of a copy is 0 within its error, of phones anything from 0.02 to 0.98; ``slow`` of a copy is 1 within the
    error of a ratio of medians, of phones anything up to 20, and seldom near 1 where the fixes of both (``interval_s``, the
    longer one) follow each other faster than receivers wander.
    """
    if found.fixes < FEWEST_NOISY:
        return -np.inf
    phones = np.linspace(0.02, 0.98, 33)
    blind = _log_ratio(found.inherited, phones, np.ones(33), float(np.hypot(found.inherited_error, 0.04)))
    wander = np.linspace(0, 3, 31)
    seldom = np.minimum(wander + 0.03, 1) if interval_s <= 20 else np.ones(31)
    white = _log_ratio(float(np.log(max(found.slow, 1e-3))), wander, seldom, float(np.sqrt(4 / found.fixes + 0.05**2)))
    return float(np.clip(blind, -8, 4) + np.clip(white, -8, 5))


def _log_ratio(x: float, otherwise: Floats, weight: Floats, width: float) -> float:
    """Log of the density at ``x`` of a law about 0 over that of the same law about each of ``otherwise``."""
    law = np.exp(-0.5 * ((x - np.r_[0.0, otherwise]) / width) ** 2) + 1e-12
    return float(np.log(law[0] / np.average(law[1:], weights=weight)))


def share_within(course: Course, other: Course, within_m: float) -> float:
    """Share of some fixes of a course that lie within a distance of the line through those of another; 0 for no line."""
    if min(len(course), len(other)) < 2:
        return 0.0
    here, there = _in_plane(course, other)
    line = shapely.LineString(there)
    shapely.prepare(line)
    few = here[np.unique(np.linspace(0, len(here) - 1, GLANCED_AT).astype(int))]
    return float(shapely.dwithin(line, shapely.points(few), within_m).mean())


def share_on_its_line(course: Course, other: Course, within_m: float) -> float:
    """Share of the fixes of a course, one in each square of 15 m, that lie on the line through the fixes of another.

    For a track played along a recorded one at another pace. 0 where that cannot be told: fewer than 20 such fixes, or a
    line so smooth (filtered, or drawn onto the road by navigation) that others on the same road would follow it too.
    """
    if min(len(course), len(other)) < FEWEST_NOISY or other.interval_s > 15:
        return 0.0
    here, there = _in_plane(course, other)
    if noise_of(other.t_s, there) < 2 * within_m:
        return 0.0
    apart = here[
        np.unique(np.floor(here / 15), axis=0, return_index=True)[1]
    ]  # standing makes a scribble that covers all
    if len(apart) < FEWEST_NOISY:
        return 0.0
    line = shapely.LineString(there)
    shapely.prepare(line)
    few = apart[np.unique(np.linspace(0, len(apart) - 1, LOOKED_UP).astype(int))]
    return float(shapely.dwithin(line, shapely.points(few), within_m).mean())
