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
    """One levee on one bank: the line it is known by and the ground that it bounds; None = the data do not tell it."""

    river_id: str
    bank: str
    line: shapely.LineString
    river_on_left: bool
    """Whether the river lies left of the line in its digitised direction."""
    body: shapely.Geometry | None
    berm: shapely.Geometry | None
    doubt: shapely.Geometry
    """Ground that may be levee or not: as wide as a levee may be, where only one of its lines is known."""


def levee_stretches(
    levees: gpd.GeoDataFrame, river: shapely.Geometry, view: RuleView, *, levee_place: str | None = None
) -> list[LeveeStretch]:
    """The ground of every levee: body between its toes, berm land by grade and jurisdiction.

    ``levees``: lines with river_id, bank, grade, design_return_period_a, line_role (missing = landward toe), and levee_name
    where a local list names it; ``river``: axis or water of the rivers, by which the river's side is told. Berm widths: rule
    key boundary.leveed.berm_width, landside. A levee without a landward toe has no known berm land.
    """
    rows = [{**r, "role": told(r.get("line_role")) or "landward_toe"} for r in levees.to_dict("records")]
    column = levees.geometry.name if rows else "geometry"
    widest = view.number("boundary.leveed.widest")
    out = []
    for row in rows:
        mates = {r["role"]: r[column] for r in rows if _same(r, row)}
        if row["role"] != "landward_toe" and "landward_toe" in mates:
            continue
        width = _berm_width(row, view, levee_place) if row["role"] == "landward_toe" else None
        for line in geometry.lines_of(row[column]):
            out.append(_stretch(row, line, mates.get("waterside_toe"), river, width, widest))
    return out


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return str(one["river_id"]) == str(other["river_id"]) and one["bank"] == other["bank"]


def _stretch(
    row: dict[str, Any],
    line: shapely.LineString,
    waterside: shapely.Geometry | None,
    river: shapely.Geometry,
    berm_m: float | None,
    widest_m: float,
) -> LeveeStretch:
    left = river_on_left(line, river)
    berm = None if berm_m is None else _strip(line, berm_m, on_left=not left)
    between = _between([line], [waterside]) if waterside is not None and row["role"] == "landward_toe" else []
    body = between[0] if between else None
    doubt = shapely.Polygon()
    if body is None and row["role"] == "crest":
        doubt = line.buffer(widest_m, cap_style="flat")
    elif body is None:
        doubt = _strip(line, widest_m, on_left=left == (row["role"] == "landward_toe"))
    return LeveeStretch(str(row["river_id"]), row["bank"], line, left, body, berm, doubt)


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
    no_water = [] if channel is not None else ["channel"]
    if mine is None:
        wet = None if channel is None else share(net, channel)
        return Stand(channel=wet, unknown=_left(wet), why=("levee", *no_water))
    body = _union(s.body for s in mine)
    berm = _less(_union(s.berm for s in mine), body)
    taken = shapely.union(body, berm)
    wet = None if channel is None else share(net, _less(channel, taken))
    dry = _less(_less(net, taken), channel if channel is not None else shapely.Polygon())
    doubt = _union(s.doubt for s in mine)
    riverward, lost = _sides(_less(dry, doubt), mine)
    in_doubt = _part(shapely.intersection(dry, doubt), net) > 0
    open_berm = (in_doubt or lost) and any(s.berm is None for s in mine)
    on_levee = None if in_doubt else share(net, body)
    on_berm = None if open_berm else share(net, berm)
    beach = None if channel is None else min(1.0, sum(_part(p, net) for p in riverward))
    why = {"levee_body": in_doubt, "berm_width": open_berm, "behind_berm": lost and not open_berm}
    told_ = (share(net, body), share(net, berm), wet, beach)
    return Stand(on_levee, on_berm, wet, beach, _left(*told_), (*(w for w, holds in why.items() if holds), *no_water))


def _mine(
    net: shapely.Geometry, levees: Sequence[LeveeStretch], river_id: str | None, bank: str | None
) -> list[LeveeStretch] | None:
    """The levees of the object's river and bank that it stands beside; None = they end before it, or its bank is not known."""
    if not levees:
        return []
    near = [s for s in levees if s.river_id == str(river_id) and s.bank == bank and beside(s.line, net)]
    return near or None


def _sides(dry: shapely.Geometry, mine: Sequence[LeveeStretch]) -> tuple[list[shapely.Geometry], bool]:
    """The parts on the river's side of every levee, and whether there are others: behind the berm land."""
    parts = [p for p in shapely.get_parts(dry) if not p.is_empty]
    riverward = [p for p in parts if all(_on_river_side(p, s) for s in mine)]
    return riverward, len(riverward) < len(parts)


def _on_river_side(part: shapely.Geometry, levee: LeveeStretch) -> bool:
    on_left = bool(geometry.side_of(levee.line, [part.representative_point()])[0] > 0)
    return on_left == levee.river_on_left


def _part(part: shapely.Geometry, whole: shapely.Geometry) -> float:
    """Share of an object that a part cut out of it makes up: by area, else length, else number of points."""
    for size in (shapely.area, shapely.length):
        if size(whole) > 0:
            return float(size(part) / size(whole))
    return 0.0 if part.is_empty else shapely.get_num_geometries(part) / shapely.get_num_geometries(whole)


def _union(grounds: Iterable[shapely.Geometry | None]) -> shapely.Geometry:
    return shapely.union_all([g for g in grounds if g is not None])


def _less(ground: shapely.Geometry, taken: shapely.Geometry) -> shapely.Geometry:
    return shapely.difference(ground, taken)


def _left(*known: float | None) -> float:
    left = 1.0 - sum(k for k in known if k is not None)
    return left if left > 1e-9 else 0.0
