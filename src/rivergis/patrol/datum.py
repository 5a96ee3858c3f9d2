"""坐标系: which datum an undeclared track was written in, told by how well it then runs along the water.

Chinese map makers' datums (GCJ-02, BD-09) shift a track by 300 to 1,200 m. A wrong datum leaves it beside the rivers or
zigzagging over them. WGS 84 (CGCS2000) stands unless another datum fits clearly better and fits well: a track on a road far
from any river tells nothing and is not moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from rivergis import crs
from rivergis.patrol import match
from rivergis.patrol.fixes import Fixes, Floats, Ints
from rivergis.patrol.water import Water, Waters

DATUMS = ("wgs84", "gcj02", "bd09")


@dataclass(frozen=True)
class Limits:
    """Thresholds of the choice, from ``patrol.datum.*`` of the rules by ``limits_of``; costs are those of the matcher a place."""

    margin: float
    fit: float
    sights: float
    min_places: float
    doubt: float


def limits_of(number: Callable[[str], float]) -> Limits:
    """The limits with the values a rule view gives for its keys."""
    return Limits(*(number(f"patrol.datum.{f.name}") for f in fields(Limits)))


def in_wgs84(fixes: Fixes, datum: str) -> Fixes:
    """The fixes with their positions moved from the datum they are in."""
    if datum in ("wgs84", "cgcs2000"):
        return fixes
    lon, lat = crs.to_wgs84(fixes.lon, fixes.lat, datum)
    return replace(fixes, lon=lon, lat=lat)


@dataclass(frozen=True, eq=False)
class Way:
    """A track on the water: degrees in WGS 84 and local metres of its used fixes, the reaches around, and the best path."""

    lon: Floats
    lat: Floats
    xy: Floats
    water: Water
    path: match.Path


@dataclass(frozen=True)
class Matcher:
    """All that matching needs besides the track: reaches, the positions of assigned ones, parameters, and within how many
    sights a reach is still told as passed by."""

    waters: Waters
    assigned: Ints
    method: match.Method
    watch: match.Watch
    told_sights: float


def follow(fixes: Fixes, datum: str, matcher: Matcher, *, sights: float = 1.0) -> Way | None:
    """The best path of the used fixes read in ``datum``; None where no reach is near. ``sights`` widens what is in sight."""
    lon, lat = crs.to_wgs84(fixes.lon, fixes.lat, datum)
    water = matcher.waters.near(lon, lat, matcher.told_sights * sights, matcher.method.extra_m) if len(lon) else None
    if water is None:
        return None
    if sights != 1.0:
        water = replace(water, visible_m=water.half_m + (water.visible_m - water.half_m) * sights)
    xy = water.metres(lon, lat)
    t = fixes.t_s if fixes.timed else np.arange(len(fixes), dtype=np.float64)
    places = match.thin(xy, t, matcher.method.step_m, matcher.watch)
    return Way(lon, lat, xy, water, match.match(places, water, np.isin(water.number, matcher.assigned), matcher.method))


def costs(fixes: Fixes, matcher: Matcher, limits: Limits) -> dict[str, tuple[float, int]]:
    """Cost a place and number of places of the track under every datum, seen from a wider distance than a patrol may keep."""
    out = {}
    for datum in DATUMS:
        way = follow(fixes, datum, matcher, sights=limits.sights)
        n = len(way.path.places) if way else 0
        out[datum] = (way.path.cost / n, n) if way else (matcher.method.away_cost, 0)
    return out


def choose(fixes: Fixes, matcher: Matcher, limits: Limits) -> str:
    """The datum the used fixes of an undeclared track were most likely written in."""
    cost = costs(fixes, matcher, limits)
    best = min(DATUMS, key=lambda d: cost[d][0])
    clear = cost[best][0] <= min(cost["wgs84"][0] - limits.margin, limits.fit)
    return best if clear and cost[best][1] >= limits.min_places else "wgs84"
