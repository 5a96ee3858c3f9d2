"""What a person reports from the place (现场报告): an object with its class and position, or that nothing is there.

Pure: words to kinds, what a photo says against what is said of it, and which earlier reports a later look takes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs

NOTHING = "nothing_found"
NOTHING_WORDS = ("现场无", "未发现", "未见异常", "无问题", "已消失", "nothing", "nothing found", NOTHING)
KINDS = ("building", "quarry", "dump", "occupation", "net_pen", "unknown")
# a phone under trees: what is said of no accuracy has this one, as chiefs' phones do
USUAL_ACCURACY_M = 10.0
_CLOCKS_APART = timedelta(minutes=30)


@dataclass(frozen=True)
class Doubt:
    """What photo and report say differently: code of the catalogue (``report_doubt``) and its values."""

    code: str
    values: dict[str, Any]


def doubts(
    facts: Mapping[str, Any], lon: float, lat: float, at: datetime | None, accuracy_m: float, shown_m: float
) -> list[Doubt]:
    """What a photo tells against a place (WGS 84 degrees) and a moment; empty where it agrees.

    ``facts``: of ``intake.photo``. ``shown_m``: how far away a person photographs a thing from.
    """
    out = []
    if facts.get("lon") is None:
        out.append(Doubt("photo_no_position", {}))
    else:
        apart = float(crs.GEOD.inv(lon, lat, facts["lon"], facts["lat"])[2])
        if apart > shown_m + 3 * accuracy_m + (facts.get("error_m") or 0.0):
            out.append(Doubt("photo_elsewhere", {"m": f"{apart:,.0f}"}))
    taken = facts.get("taken_at")
    if taken is None:
        out.append(Doubt("photo_no_time", {}))
    elif at is not None and abs(datetime.fromisoformat(taken) - at) > _CLOCKS_APART:
        hours = abs(datetime.fromisoformat(taken) - at).total_seconds() / 3600
        out.append(Doubt("photo_other_time", {"hours": f"{hours:,.1f}"}))
    return out


def nothing(word: str | None) -> bool:
    """Whether a word says that a person looked and found nothing."""
    return (word or "").strip().lower() in NOTHING_WORDS


def reach_of(accuracy_m: float, seen_m: float) -> float:
    """How far round its position a look reaches, m: what a person oversees there, less what the position may be off."""
    return max(seen_m - accuracy_m, 0.0)


def looked_at(footprints: Sequence[shapely.Geometry], looks: gpd.GeoDataFrame, seen_m: float) -> np.ndarray:
    """Share of each footprint (metres) that looks (points in the same CRS, with ``accuracy_m``) have seen, 0 to 1."""
    if looks.empty:
        return np.zeros(len(footprints))
    reach = [reach_of(a, seen_m) for a in looks["accuracy_m"]]
    seen = shapely.union_all(shapely.buffer(looks.geometry.values, reach))
    shapes = np.asarray(footprints, dtype=object)
    areas = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes, seen))
    touched = shapely.intersects(shapes, seen).astype(float)
    return np.where(areas > 0, inside / np.where(areas > 0, areas, 1.0), touched)


def taken_back(
    points: Sequence[shapely.Geometry], seen_at: Sequence[datetime | None], looks: gpd.GeoDataFrame, seen_m: float
) -> np.ndarray:
    """Which reported points (metres) a later look at their place found nothing at: they stand there no more.

    ``looks``: points in the same CRS with ``accuracy_m`` and ``at``.
    """
    out = np.zeros(len(points), bool)
    for place, looked, accuracy in zip(looks.geometry, looks["at"], looks["accuracy_m"], strict=True):
        reach = reach_of(accuracy, seen_m)
        for i, (point, at) in enumerate(zip(points, seen_at, strict=True)):
            out[i] |= at is not None and at < looked and point.distance(place) <= reach
    return out


_KIND_OF_GROUP = {"乱建": "building", "乱采": "quarry", "乱堆": "dump", "乱占": "occupation"}


def kind_of_class(groups: Sequence[str], code: str | None) -> str | None:
    """Kind of candidate that the groups (乱占, 乱采, 乱堆, 乱建) and class of a word stand for; unknown where it means several,
    None where it means no 四乱 at all."""
    if code == "occupation.net_pen":
        return "net_pen"
    kinds = {_KIND_OF_GROUP[g] for g in groups if g in _KIND_OF_GROUP}
    return None if not kinds else kinds.pop() if len(kinds) == 1 else "unknown"
