"""Small maps of a redraw: before, after, what enters and what leaves, over all and at each reduction; vectors only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs, geometry, words
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import ground as diff_ground
from rivergis.boundary.redraw.compare import Redraw
from rivergis.maps import map_drawing as drawing
from rivergis.maps import map_frame
from rivergis.maps.map_drawing import Drawn
from rivergis.maps.map_frame import Paper

PANEL = Paper("panel", 134.0, 96.0, 8.0, 5.0, 121.0, 85.0)
_LEAST_M = 150.0  # what a small map shows at least, so that one sees where it is
_ROUND = 0.6  # of the size of a reduction, shown around it
_LEGEND = (
    ("line", "redraw_old"), ("line", "redraw_new"), ("area", "redraw_entering"), ("area", "redraw_leaving"), ("area", "redraw_flag"),
    ("area", "water"), ("line", "axis"), ("point", "redraw_reduction"), ("point", "redraw_case"), ("point", "redraw_thing"),
)  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """One map: title and SVG."""

    title: str
    svg: str


def panels(redraw: Redraw, most: int) -> list[Panel]:
    """A map of all that changes, and one of each of the largest reductions, numbered as in the table."""
    changed = redraw.changed
    if changed.empty:
        return []
    system = _system(changed)
    drawn = _drawn(redraw, system)
    boxes = [(words.both("redraw.map_whole"), changed.to_crs(system).total_bounds)]
    for n, shape in enumerate(redraw.reduced.to_crs(system).geometry.iloc[:most], 1):
        boxes.append((words.both("redraw.map_of", no=n), _around(shape)))
    return [
        Panel(f"{title} · 1:{(view := map_frame.whole(PANEL, box)).scale:,.0f}", _svg(view, drawn))
        for title, box in boxes
    ]


def legend() -> list[tuple[str, str]]:
    """Sample and words of everything a map may show."""
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -2.5 9 5" width="9mm" height="5mm">{drawing.sample(k, c, 0, 0)}</svg>',
            words.both("redraw.layer_observed") if c == "water" else _said(k, c),
        )
        for k, c in _LEGEND
    ]


def _said(kind: str, code: str) -> str:
    style = drawing.palette.load().of(f"boundary_print_{kind}", code)
    return f"{style.zh} {style.en}"


def _system(frame: gpd.GeoDataFrame) -> CRS:
    """The 3-degree zone of what changes: coordinates on the edge of the map are those of the survey office."""
    return crs.metric_crs(*crs.centre(crs.to_storage(frame)))


def _around(shape: Any) -> Any:
    west, south, east, north = shape.bounds
    room = max(_ROUND * max(east - west, north - south), _LEAST_M / 2)
    return np.array([west - room, south - room, east + room, north + room])


def _drawn(redraw: Redraw, system: CRS) -> Drawn:
    """Everything on the ground in one system, what lies below first."""

    def of(frame: gpd.GeoDataFrame | None) -> list[Any]:
        shapes = [] if frame is None or frame.empty else list(frame.to_crs(system).geometry)
        # a narrow piece may cross itself by the rounding of another system
        return [s if shapely.is_valid(s) else geometry.polygons_of(s) for s in shapes]

    def edges(frame: gpd.GeoDataFrame) -> list[Any]:
        # where one reach ends and the next begins is no line of the law
        return [shapely.boundary(shapely.union_all(of(own))) for _, own in frame.groupby("river_code")]

    moved = redraw.changed
    flags = redraw.flags
    water = None if flags is None else flags[flags["code"].isin([diff_ground.FILLED, diff_ground.FORMER_WATER])]
    shapes = {
        ("area", "water"): of(redraw.observed),
        ("line", "axis"): of(redraw.reaches),
        ("area", "redraw_entering"): of(moved[moved["change"] == diff.ENTERING]),
        ("area", "redraw_leaving"): of(moved[moved["change"] == diff.LEAVING]),
        ("area", "redraw_flag"): of(water),
        ("line", "redraw_new"): edges(redraw.new),
        ("line", "redraw_old"): edges(redraw.old),
    }
    return Drawn(system, shapes, _points(redraw, system))


def _points(redraw: Redraw, system: CRS) -> list[tuple[str, float, float, str]]:
    """Numbers of the reductions, cases, then what else stands on changed ground and is no land cover."""
    numbered = shapely.point_on_surface(redraw.reduced.to_crs(system).geometry.to_numpy())
    numbers = [("redraw_reduction", p.x, p.y, str(n)) for n, p in enumerate(numbered, 1)]
    things = redraw.things
    if things is None or things.empty:
        return numbers
    mine = things[things["layer"].isin(["case", "object", "building", "outfall"])].drop_duplicates(["layer", "feature"])
    spots = shapely.point_on_surface(mine.to_crs(system).geometry.to_numpy())
    rows = [
        (
            "redraw_case" if layer == "case" else "redraw_thing",
            p.x,
            p.y,
            str(name or feature) if layer in ("case", "outfall") else "",
        )
        for layer, name, feature, p in zip(mine["layer"], mine["name"], mine["feature"], spots, strict=True)
    ]
    return [*numbers, *sorted(rows, key=lambda r: r[0])]


def _svg(view: map_frame.View, drawn: Drawn) -> str:
    body = drawing.field_of(view, drawn, size=2.4)
    p = view.paper
    bar = drawing.scale_bar(view, p.left + 3, p.top + p.field_height - 3.5, 34)
    arrow = drawing.north_arrow(p.left + p.field_width - 5, p.top + 2.5, 7)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {p.width:g} {p.height:g}" role="img">'
    return f"{head}{body}{bar}{arrow}</svg>"
