"""A printed map of boundary lines as SVG in millimetres of paper: vectors only, texts as text, nothing fetched.

Colours and dashes are those of the palette (``boundary_print_*``: widths in mm, dashes in tenths of a mm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs, words
from rivergis.boundary.delivery.tables import dms
from rivergis.maps import palette
from rivergis.maps.map_frame import View
from rivergis.maps.palette import Style

FONT = "Noto Sans CJK SC"
_SMOOTH_MM = 0.04
_INK, _PAPER_MM_A_LETTER = "#17324a", 0.55
Key = tuple[str, str]


@dataclass(frozen=True)
class Drawn:
    """What is on the ground, in metres of one system: shapes by class (``(kind, code)``), and named points.

    ``shapes``: (line | area, code) -> geometries; ``points``: rows of (code, x, y, text), the weightiest first.
    """

    system: CRS
    shapes: Mapping[Key, Sequence[Any]]
    points: Sequence[tuple[str, float, float, str]] = ()
    names: Sequence[tuple[Any, str]] = ()
    """Lines with the name written along them (rivers)."""


@dataclass
class Labels:
    """Boxes on the page that are taken, so that no two texts lie over each other."""

    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def free(self, box: tuple[float, float, float, float]) -> bool:
        west, north, east, south = box
        return all(east < b[0] or west > b[2] or south < b[1] or north > b[3] for b in self.boxes)

    def put(
        self, text: str, x: float, y: float, size: float, within: tuple[float, float, float, float]
    ) -> tuple[float, float] | None:
        """Where a text of a size (mm) may stand beside a point: the first free place of four, taken; None where there is none."""
        width, height = _width(text) * size * _PAPER_MM_A_LETTER, size * 1.1
        for dx, dy in ((1.2, -0.8), (1.2, height + 0.6), (-1.2 - width, -0.8), (-1.2 - width, height + 0.6)):
            box = (x + dx, y + dy - height, x + dx + width, y + dy)
            inside = box[0] >= within[0] and box[1] >= within[1] and box[2] <= within[2] and box[3] <= within[3]
            if inside and self.free(box):
                self.boxes.append(box)
                return (x + dx, y + dy)
        return None


def _width(text: str) -> float:
    return float(sum(2 if ord(c) > 0x2E80 else 1.05 for c in text))


def field_of(view: View, drawn: Drawn, frames: Sequence[tuple[str, View]] = (), size: float = 2.1) -> str:
    """The map field: what is on the ground, its texts, the grid and its frame. ``frames``: numbered sheets to show on an index."""
    p = view.paper
    within = (p.left, p.top, p.left + p.field_width, p.top + p.field_height)
    box = shapely.box(*view.bounds)
    own = f"field_{view.x:.0f}_{view.y:.0f}_{view.scale:.0f}"  # a name that no other page of the file has
    clip = f'<clipPath id="{own}"><rect x="{p.left}" y="{p.top}" width="{p.field_width}" height="{p.field_height}"/></clipPath>'
    body = [part for key, shapes in drawn.shapes.items() for part in _shapes(view, key, shapes, box)]
    labels = Labels()
    marks = [m for row in drawn.points for m in _point(view, row, labels, within, size)]
    names = [m for line, name in drawn.names for m in _name(view, line, name, labels, within, box)]
    numbered = [m for number, sheet in frames for m in _frame_of(view, number, sheet)]
    return (
        f'<defs>{clip}</defs><g clip-path="url(#{own})">{"".join(body)}{"".join(numbered)}{"".join(_crosses(view))}'
        f"{''.join(marks)}{''.join(names)}</g>{''.join(_edge(view, drawn.system))}"
    )


def _shapes(view: View, key: Key, shapes: Sequence[Any], box: Any) -> Iterable[str]:
    style = palette.load().of(f"boundary_print_{key[0]}", key[1])
    near = [s for s in shapes if s is not None and not s.is_empty and s.intersects(box)]
    grown = box.buffer(max(box.bounds[2] - box.bounds[0], box.bounds[3] - box.bounds[1]) * 0.02)
    for shape in near:
        part = shapely.simplify(shapely.intersection(shape, grown), _SMOOTH_MM * view.scale / 1000)
        path = _path(view, part)
        if path:
            yield f'<path d="{path}" {_look(style, key[0] == "area")}/>'


def _path(view: View, shape: Any) -> str:
    out = []
    for part in shapely.get_parts(shape):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            if ring.geom_type not in ("LineString", "LinearRing"):
                continue
            xy = view.place(shapely.get_coordinates(ring))
            closing = "Z" if part.geom_type == "Polygon" else ""
            out.append("M" + "L".join(f"{x:.3f} {y:.3f}" for x, y in xy) + closing)
    return "".join(out)


def _colour(colour: str, what: str) -> str:
    if not colour:
        return f'{what}="none"'
    opacity = int(colour[7:9], 16) / 255 if len(colour) == 9 else 1.0
    return f'{what}="{colour[:7]}"' + (f' {what}-opacity="{opacity:.3f}"' if opacity < 1 else "")


def _look(style: Style, area: bool) -> str:
    dash = " ".join(f"{int(d) / 10:g}" for d in style.dash.split())
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    fill = _colour(style.fill, "fill") + ' fill-rule="evenodd"' if area else 'fill="none"'
    stroke = _colour(style.stroke, "stroke") if style.width else 'stroke="none"'
    return f'{fill} {stroke} stroke-width="{style.width:g}" stroke-linejoin="round"{dashed}'


def _point(
    view: View,
    row: tuple[str, float, float, str],
    labels: Labels,
    within: tuple[float, float, float, float],
    size: float,
) -> list[str]:
    code, x, y, text = row
    at = view.place(np.array([[x, y]]))[0]
    if not (within[0] <= at[0] <= within[2] and within[1] <= at[1] <= within[3]):
        return []
    out = [symbol(code, float(at[0]), float(at[1]))]
    place = labels.put(text, float(at[0]), float(at[1]), size, within) if text else None
    if place is not None:
        out.append(words_at(text, *place, size, halo=True))
    return out


def symbol(code: str, x: float, y: float) -> str:
    """The mark of a class of points."""
    style = palette.load().of("boundary_print_point", code)
    look = f'{_colour(style.fill, "fill")} {_colour(style.stroke, "stroke")} stroke-width="{style.width:g}"'
    if style.marker == "square":
        return f'<rect x="{x - 0.7:.3f}" y="{y - 0.7:.3f}" width="1.4" height="1.4" {look}/>'
    radius = 0.45 if code == "chainage" else 0.8
    return f'<circle cx="{x:.3f}" cy="{y:.3f}" r="{radius}" {look}/>'


def words_at(
    text: str,
    x: float,
    y: float,
    size: float,
    *,
    anchor: str = "start",
    color: str = _INK,
    halo: bool = False,
    turn: float = 0.0,
    more: str = "",
) -> str:
    """A text on the page; with a halo it can be read over lines."""
    place = f'x="{x:.3f}" y="{y:.3f}" font-size="{size:g}" font-family="{FONT}" text-anchor="{anchor}"'
    turned = f' transform="rotate({turn:.2f} {x:.3f} {y:.3f})"' if turn else ""
    body = f">{escape(text)}</text>"
    under = (
        f'<text {place}{turned} fill="#ffffff" stroke="#ffffff" stroke-width="0.7" stroke-linejoin="round"{body}'
        if halo
        else ""
    )
    return f'{under}<text {place}{turned} fill="{color}"{more}{body}'


def _name(
    view: View, line: Any, name: str, labels: Labels, within: tuple[float, float, float, float], box: Any
) -> list[str]:
    """The name of a river at the middle of what the field shows of it, turned with it."""
    seen = max(shapely.get_parts(shapely.intersection(line, box)), key=lambda g: g.length, default=None)
    if seen is None or seen.length * 1000 / view.scale < 12:
        return []
    ends = view.place(np.array([seen.interpolate(s, normalized=True).coords[0] for s in (0.46, 0.5, 0.54)]))
    turn = float(np.degrees(np.arctan2(ends[2, 1] - ends[0, 1], ends[2, 0] - ends[0, 0])))
    turn = turn - 180 if turn > 90 else turn + 180 if turn < -90 else turn
    x, y = (float(v) for v in ends[1])
    size = 3.2
    half = _width(name) * size * _PAPER_MM_A_LETTER / 2
    taken = (x - half, y - size, x + half, y + size)
    if not labels.free(taken):
        return []
    labels.boxes.append(taken)
    return [words_at(name, x, y - 0.8, size, anchor="middle", color="#1f5fb0", halo=True, turn=turn)]


def _frame_of(view: View, number: str, sheet: View) -> list[str]:
    west, south, east, north = sheet.bounds
    (x0, y0), (x1, y1) = view.place(np.array([[west, north], [east, south]]))
    look = 'fill="#ffffff" fill-opacity="0.01" stroke="#444444" stroke-width="0.25"'
    return [
        f'<rect x="{x0:.3f}" y="{y0:.3f}" width="{x1 - x0:.3f}" height="{y1 - y0:.3f}" {look}/>',
        words_at(
            number,
            max(float(x0), view.paper.left) + 1.2,
            max(float(y0), view.paper.top) + 4.4,
            min(4.0, max(1.8, float(y1 - y0) / 4)),
            color="#444444",
            halo=True,
        ),
    ]


def _crosses(view: View) -> list[str]:
    _, eastings, northings = view.grid()
    if not eastings or not northings:
        return []
    places = view.place(np.array([[e, n] for e in eastings for n in northings]))
    d = "".join(f"M{x - 1.6:.2f} {y:.2f}h3.2M{x:.2f} {y - 1.6:.2f}v3.2" for x, y in places)
    return [f'<path d="{d}" stroke="#7a8a94" stroke-width="0.12" fill="none"/>']


def _edge(view: View, system: CRS) -> list[str]:
    """The frame, ticks with their coordinates on all four sides, and longitude and latitude at the corners."""
    p = view.paper
    x0, y0, x1, y1 = p.left, p.top, p.left + p.field_width, p.top + p.field_height
    out = [
        f'<rect x="{x0}" y="{y0}" width="{p.field_width}" height="{p.field_height}" fill="none" stroke="{_INK}" stroke-width="0.35"/>'
    ]
    _, eastings, northings = view.grid()
    west, south, east, north = view.bounds
    for e in eastings:
        x = float(view.place(np.array([[e, north]]))[0, 0])
        out.append(f'<path d="M{x:.2f} {y0}v-1.6M{x:.2f} {y1}v1.6" stroke="{_INK}" stroke-width="0.2"/>')
        if x0 + 22 < x < x1 - 22:
            out += [
                words_at(f"{e:.0f}", x, y0 - 2.2, 2.0, anchor="middle"),
                words_at(f"{e:.0f}", x, y1 + 3.8, 2.0, anchor="middle"),
            ]
    for n in northings:
        y = float(view.place(np.array([[west, n]]))[0, 1])
        out.append(f'<path d="M{x0} {y:.2f}h-1.6M{x1} {y:.2f}h1.6" stroke="{_INK}" stroke-width="0.2"/>')
        out += [
            words_at(f"{n:.0f}", x0 - 2.0, y, 2.0, anchor="middle", turn=-90.0),
            words_at(f"{n:.0f}", x1 + 3.4, y, 2.0, anchor="middle", turn=-90.0),
        ]
    corners = gpd.GeoSeries(shapely.points([[west, north], [east, north], [west, south], [east, south]]), crs=system)
    degrees = shapely.get_coordinates(crs.to_storage(corners).values)
    for (lon, lat), (x, y, anchor) in zip(
        degrees,
        ((x0, y0 - 1.0, "start"), (x1, y0 - 1.0, "end"), (x0, y1 + 2.8, "start"), (x1, y1 + 2.8, "end")),
        strict=True,
    ):
        out.append(
            words_at(
                f"{dms(lon, 0)} {dms(lat, 0)}",
                x,
                y,
                1.7,
                anchor=anchor,
                color="#5c7480",
            )
        )
    return out


def scale_bar(view: View, x: float, y: float, longest_mm: float) -> str:
    """A bar in four parts with its figures, left end at (x, y)."""
    metres, width = view.bar(longest_mm)
    quarter = width / 4
    rects = "".join(
        f'<rect x="{x + i * quarter:.3f}" y="{y}" width="{quarter:.3f}" height="1.4" fill="{_INK if i % 2 == 0 else "#ffffff"}" stroke="{_INK}" stroke-width="0.15"/>'
        for i in range(4)
    )
    unit, k = ("km", 1000.0) if metres >= 1000 else ("m", 1.0)
    figures = "".join(
        words_at(
            f"{metres * i / 2 / k:g}" + (f" {unit}" if i == 2 else ""), x + i * width / 2, y - 0.9, 2.0, anchor="middle"
        )
        for i in range(3)
    )
    return rects + figures


def north_arrow(x: float, y: float, size: float = 12.0) -> str:
    """An arrow to grid north, its point at (x, y)."""
    half = size * 0.26
    left = f"M{x} {y}L{x - half} {y + size}L{x} {y + size * 0.74}Z"
    right = f"M{x} {y}L{x + half} {y + size}L{x} {y + size * 0.74}Z"
    return (
        f'<path d="{left}" fill="{_INK}" stroke="{_INK}" stroke-width="0.2"/><path d="{right}" fill="#ffffff" stroke="{_INK}" stroke-width="0.2"/>'
        + words_at(words.both("deliver.map.north"), x, y + size + 3.4, 2.6, anchor="middle")
    )


def sample(kind: str, code: str, x: float, y: float) -> str:
    """How a class looks, for the legend: 9 mm wide, its middle at height y."""
    if kind == "point":
        return symbol(code, x + 4.5, y)
    style = palette.load().of(f"boundary_print_{kind}", code)
    if kind == "area":
        return f'<rect x="{x}" y="{y - 1.5}" width="9" height="3" {_look(style, True)}/>'
    return f'<path d="M{x} {y}h9" {_look(style, False)}/>'


def joins(view: View, others: Sequence[tuple[int, View]]) -> str:
    """At the edge of a sheet, where which other sheet goes on."""
    p = view.paper
    mid = (p.left + p.field_width / 2, p.top + p.field_height / 2)
    out = []
    for number, other in others:
        way = np.array([other.x - view.x, view.y - other.y])
        if not way.any():
            continue
        room = np.array([p.field_width / 2 - 9, p.field_height / 2 - 4])
        reach = min(room[i] / abs(way[i]) for i in (0, 1) if way[i])
        x, y = mid[0] + way[0] * reach, mid[1] + way[1] * reach
        out.append(
            words_at(
                words.say("deliver.map.joins", n=number),
                float(x),
                float(y),
                2.4,
                anchor="middle",
                color="#8a1c2c",
                halo=True,
            )
        )
    return "".join(out)
