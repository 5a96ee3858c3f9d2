"""What a scoring says beside the reaches: patrol areas visited, and whom of another unit the patrol went together with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from rivergis import crs
from rivergis.patrol import areas as area_visits
from rivergis.patrol import joint as meeting
from rivergis.patrol.fixes import Fixes, Floats

Number = Callable[[str], float]
_VISITS = ["area_id", "area_version", "minutes", "metres", "share"]


def visits(fixes: Fixes, areas: gpd.GeoDataFrame, number: Number) -> pd.DataFrame:
    """Visits of a track to patrol areas: area_id, area_version, minutes, metres, share of the area within sight.

    ``fixes``: cleaned, in WGS 84 or CGCS2000 degrees; ``areas``: id, version, MultiPolygon in EPSG:4490; ``number``: answers
    rule keys. Without times nothing can be measured.
    """
    used = fixes.take(fixes.used)
    if areas.empty or not used.timed or len(used) < 2:
        return pd.DataFrame(columns=_VISITS)
    metric = crs.to_metric(areas)
    limits = area_visits.Limits(number("patrol.coverage.visible_beyond_bank"), number("patrol.track.max_gap_time"))
    found = area_visits.visits(used.t_s, *_metres(used, metric.crs), metric, limits)
    own = areas.iloc[found["area"].to_numpy(dtype=int)]
    return found.assign(area_id=own["id"].to_numpy(), area_version=own["version"].to_numpy(dtype=int))[_VISITS].round(
        {"minutes": 2, "metres": 1, "share": 4}
    )


def told(visits: pd.DataFrame, areas: gpd.GeoDataFrame, chief_id: Any) -> list[dict[str, Any]]:
    """Visits with code and name of the area, and whether it is assigned to the chief; also assigned areas near but not entered."""
    by_id = visits.set_index("area_id")
    out = []
    for area in areas.itertuples():
        assigned = str(chief_id) in area.chiefs
        if area.id in by_id.index or assigned:
            v = by_id.loc[area.id] if area.id in by_id.index else {"minutes": 0.0, "metres": 0.0, "share": 0.0}
            figures = {k: float(v[k]) for k in ("minutes", "metres", "share")}
            out.append({"area_id": str(area.id), "code": area.code, "name": area.name, "assigned": assigned, **figures})
    return out


def _metres(fixes: Fixes, zone: Any) -> tuple[Floats, Floats]:
    points = gpd.GeoSeries(gpd.points_from_xy(fixes.lon, fixes.lat), crs=crs.STORAGE).to_crs(zone)
    return points.x.to_numpy(), points.y.to_numpy()


def joint(
    fixes: Fixes,
    track: Any,
    others: pd.DataFrame,
    courses: Mapping[Any, Fixes],
    reaches: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    number: Number,
) -> list[dict[str, Any]]:
    """联合巡河: tracks of other units that went together with this one near a shared reach; both scorings say so.

    ``track``: id and unit_code; ``others``: id, chief, unit_code of tracks under way at the time; ``courses``: id -> cleaned fixes;
    ``units``: code and area. A chief of a town and one of a village in it are of one unit. Where the area of a unit is not
    known the place of the meeting does not matter, and ``at_border`` is None.
    """
    mine = fixes.take(fixes.used)
    if not track.unit_code or others.empty or not mine.timed or len(mine) < 2:
        return []
    zone = crs.to_metric(gpd.GeoDataFrame(geometry=gpd.points_from_xy(mine.lon[:1], mine.lat[:1]), crs=crs.STORAGE)).crs
    limits = meeting.Limits(
        number("patrol.joint.distance"), 60 * number("patrol.joint.min_overlap"), number("patrol.joint.border")
    )
    me = meeting.Course(str(track.id), track.unit_code, mine.t_s, *_metres(mine, zone))
    out = []
    for o in others.itertuples():
        if not o.unit_code or _one_unit(track.unit_code, o.unit_code):
            continue
        theirs = courses[o.id].take(courses[o.id].used)
        if not theirs.timed:
            continue
        border = _border(track.unit_code, o.unit_code, reaches, units, zone, limits.border_m)
        you = meeting.Course(str(o.id), o.unit_code, theirs.t_s, *_metres(theirs, zone))
        out += [_said(m, o, border is not None) for m in meeting.meetings([me, you], limits, border)]
    return out


def _one_unit(a: str, b: str) -> bool:
    return a.startswith(b) or b.startswith(a)


def _border(
    a: str, b: str, reaches: gpd.GeoDataFrame, units: gpd.GeoDataFrame, zone: Any, border_m: float
) -> shapely.Geometry | None:
    """Lines of the reaches that touch or nearly touch both units; None where the area of one of them is not known."""
    shapes = [units.loc[units["code"] == code, "geom"] for code in (a, b)]
    if any(s.empty for s in shapes):
        return None
    first, second = (shapely.union_all(s.to_crs(zone).values) for s in shapes)
    lines = reaches.geometry.to_crs(zone).values
    near = shapely.dwithin(lines, first, border_m) & shapely.dwithin(lines, second, border_m)
    return shapely.union_all(lines[near])


def _said(m: meeting.Meeting, other: Any, at_border: bool) -> dict[str, Any]:
    return {
        "track_id": str(other.id),
        "chief": other.chief,
        "unit_code": other.unit_code,
        "minutes": round(m.seconds / 60, 1),
        "from": datetime.fromtimestamp(m.from_s, UTC).isoformat(),
        "to": datetime.fromtimestamp(m.to_s, UTC).isoformat(),
        "at_border": True if at_border else None,
    }
