"""What ground an object stands on: levee (堤防), berm land (护堤地), channel, beach (滩地), or not known.

Levees come as lines (landward toe, waterside toe), the channel as water areas or as the ground between two waterside
lines. Berm land is the strip of lawful width outside the landward toe. Metres of one zone throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import geometry
from rivergis.encroachment.position import Stand, beside, share, told
from rivergis.rules import RuleView


@dataclass(frozen=True)
class LeveeStretch:
    """One levee on one bank: its toe lines and the ground they bound; None = the data do not tell it."""

    river_id: str
    bank: str
    landward_toe: shapely.LineString | None
    body: shapely.Geometry | None
    berm: shapely.Geometry | None
    river_on_left: bool
    """Whether the river lies left of the landward toe in its digitised direction."""


def levee_stretches(
    levees: gpd.GeoDataFrame, river: shapely.Geometry, view: RuleView, *, levee_place: str | None = None
) -> list[LeveeStretch]:
    """The ground of every levee: body between its toes, berm land by grade and jurisdiction.

    ``levees``: lines with river_id, bank, grade, design_return_period_a, line_role, and levee_name where a local list names it;
    ``river``: axis or water of the rivers, by which the river's side is told. Berm widths: rule key
    boundary.leveed.berm_width, landside; on the waterside only where a row says so.
    """
    rows = levees.to_dict("records")
    column = levees.geometry.name if len(levees.columns) else "geometry"
    out = []
    for row in rows:
        if row.get("line_role") in ("waterside_toe", "crest"):
            if not any(_same(r, row) and r.get("line_role") not in ("waterside_toe", "crest") for r in rows):
                out.append(LeveeStretch(str(row["river_id"]), row["bank"], None, None, None, False))
            continue
        waterside = [r[column] for r in rows if r.get("line_role") == "waterside_toe" and _same(r, row)]
        out.extend(_stretch(row, toe, waterside, river, view, levee_place) for toe in geometry.lines_of(row[column]))
    return out


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return str(one["river_id"]) == str(other["river_id"]) and one["bank"] == other["bank"]


def _stretch(
    row: dict[str, Any],
    toe: shapely.LineString,
    waterside: Sequence[shapely.Geometry],
    river: shapely.Geometry,
    view: RuleView,
    levee_place: str | None,
) -> LeveeStretch:
    left = river_on_left(toe, river)
    width = _berm_width(row, view, levee_place)
    berm = None if width is None else _strip(toe, width, on_left=not left)
    body = _between([toe], waterside)
    return LeveeStretch(str(row["river_id"]), row["bank"], toe, body[0] if body else None, berm, left)


def _berm_width(row: dict[str, Any], view: RuleView, levee_place: str | None) -> float | None:
    """Width of the berm land outside the landward toe, as the rules of the place give it for this levee."""
    given = {
        "levee_grade": told(row.get("grade")),
        "design_return_period_a": told(row.get("design_return_period_a")),
        "levee_name": told(row.get("levee_name")) or told(row.get("name")),
        "levee_place": told(row.get("levee_place")) or levee_place,
    }
    facts = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in given.items() if v is not None}
    found = view.find("boundary.leveed.berm_width", levee_side="landside", **facts)
    return None if found is None or found.value is None else float(found.value)


def river_on_left(line: shapely.LineString, river: shapely.Geometry) -> bool:
    """Whether the river lies left of a line in its digitised direction: by the nearest water to places along it."""
    places = shapely.line_interpolate_point(line, np.linspace(0.05, 0.95, 9), normalized=True)
    nearest = [shapely.get_point(shapely.shortest_line(p, river), 1) for p in places]
    return float(np.sum(geometry.side_of(line, nearest))) >= 0


def _strip(line: shapely.LineString, width_m: float, *, on_left: bool) -> shapely.Geometry:
    """The ground within a width of one side of a line, square at its ends."""
    one_side = line.buffer(width_m if on_left else -width_m, single_sided=True, join_style="mitre")
    return geometry.polygons_of(shapely.intersection(one_side, line.buffer(width_m, cap_style="flat")))


def channel_of(waters: gpd.GeoDataFrame | None, lines: gpd.GeoDataFrame | None = None) -> shapely.Geometry | None:
    """The channel: water areas and the ground between the left and right waterside (or bank) lines; None = no data.

    ``lines``: bank and reach_id (or river_id) beside the line; a stretch with one line only bounds nothing.
    """
    grounds = [] if waters is None else [geometry.polygons_of(g) for g in waters.geometry]
    if lines is not None and len(lines):
        key = "reach_id" if "reach_id" in lines.columns else "river_id"
        for _, pair in lines.groupby(key):
            grounds += _between(*(pair.geometry[pair["bank"] == b].tolist() for b in ("left", "right")))
    grounds = [g for g in grounds if not g.is_empty]
    return shapely.union_all(grounds) if grounds else None


def _between(left: Sequence[shapely.Geometry], right: Sequence[shapely.Geometry]) -> list[shapely.Geometry]:
    """The ground between one left and one right line, whichever way each was digitised."""
    lines = [geometry.lines_of(shapely.union_all(list(x))) for x in (left, right)]
    merged = [geometry.lines_of(shapely.line_merge(shapely.MultiLineString(x))) if x else [] for x in lines]
    if any(len(x) != 1 for x in merged):
        return []
    one, other = (list(x[0].coords) for x in merged)
    rings = [shapely.Polygon([*one, *way]) for way in (other[::-1], other)]
    sound = [r for r in rings if r.is_valid]
    return [geometry.polygons_of(max(sound, key=lambda r: r.area))] if sound else []


def stand_on(
    net: shapely.Geometry,
    channel: shapely.Geometry | None,
    levees: Sequence[LeveeStretch] | None,
    *,
    river_id: str | None = None,
    bank: str | None = None,
) -> Stand:
    """Shares of what lies inside the line by ground; strictest ground first where two overlap.

    ``channel`` None = not known; ``levees`` None = not known whether there is a levee, empty = known to be none here.
    Those of the object's river and bank count, and only where it stands beside them.
    """
    mine = None if levees is None else _mine(net, levees, river_id, bank)
    if mine is None:
        wet = None if channel is None else share(net, channel)
        return Stand(channel=wet, unknown=_left(1.0, wet), why=_why(("levee",), channel))
    bodies, berms = [s.body for s in mine], [s.berm for s in mine]
    body = _union(bodies)
    berm = None if any(b is None for b in berms) else _less(_union(berms), body)
    on_body = None if any(b is None for b in bodies) else share(net, body)
    on_berm = None if berm is None else share(net, berm)
    taken = shapely.union_all([g for g in (body, berm) if g is not None])
    wet = None if channel is None else share(net, _less(channel, taken))
    beach, lost = _beach(net, mine, channel, taken)
    missing = [
        *(["levee_body"] if on_body is None else []),
        *(["berm_width"] if on_berm is None else []),
        *(["behind_berm"] if lost else []),
    ]
    return Stand(on_body, on_berm, wet, beach, _left(1.0, on_body, on_berm, wet, beach), _why(tuple(missing), channel))


def _mine(
    net: shapely.Geometry, levees: Sequence[LeveeStretch], river_id: str | None, bank: str | None
) -> list[LeveeStretch] | None:
    """The levees of the object's river and bank that it stands beside; None = they end before it, or its bank is not known."""
    if not levees:
        return []
    here = [s for s in levees if s.river_id == str(river_id) and s.bank == bank]
    near = [s for s in here if s.landward_toe is not None and beside(s.landward_toe, net)]
    return near or None


def _beach(
    net: shapely.Geometry, mine: Sequence[LeveeStretch], channel: shapely.Geometry | None, taken: shapely.Geometry
) -> tuple[float | None, bool]:
    """Share on the beach (the rest on the river's side), None where not known; and whether some lies behind the berm land."""
    rest = _less(net, taken)
    dry = rest if channel is None else _less(rest, channel)
    riverward, lost = [], False
    for part in (p for p in shapely.get_parts(dry) if not p.is_empty):
        if all(_on_river_side(part, s) for s in mine):
            riverward.append(part)
        else:
            lost = True
    if channel is None or any(s.body is None for s in mine):
        return None, lost
    return min(1.0, sum(map(_size, riverward)) / _size(net)), lost


def _on_river_side(part: shapely.Geometry, levee: LeveeStretch) -> bool:
    assert levee.landward_toe is not None
    on_left = bool(geometry.side_of(levee.landward_toe, [part.representative_point()])[0] > 0)
    return on_left == levee.river_on_left


def _size(shape: shapely.Geometry) -> float:
    """Area, else length, else number of points."""
    return float(shape.area or shape.length or shapely.get_num_geometries(shape))


def _union(grounds: Iterable[shapely.Geometry | None]) -> shapely.Geometry:
    return shapely.union_all([g for g in grounds if g is not None])


def _less(ground: shapely.Geometry, taken: shapely.Geometry) -> shapely.Geometry:
    return shapely.difference(ground, taken)


def _left(whole: float, *known: float | None) -> float:
    left = whole - sum(k for k in known if k is not None)
    return left if left > 1e-9 else 0.0


def _why(missing: tuple[str, ...], channel: shapely.Geometry | None) -> tuple[str, ...]:
    return missing + (("channel",) if channel is None else ())
