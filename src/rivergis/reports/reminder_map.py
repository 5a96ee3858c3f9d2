"""The small map on a reminder card: stretches that wait for a patrol, problems on the way, landmarks; plain SVG, no background map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from rivergis import crs, words

WIDTH, HEIGHT = 720.0, 400.0
MARGIN = 26.0
LEAST_M = 500.0
COLOURS = {"river": "#a9cfe0", "due": "#d9822b", "other": "#2e7d4f", "problem": "#b3261e", "ink": "#16303a"}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What is drawn, each frame in degrees (EPSG:4490).

    ``due``: LineStrings with ``sign``; ``other``: LineStrings of the chief that wait for nothing; ``rivers``: LineStrings with
    ``river``; ``problems``: Points with ``sign``; ``landmarks``: Points with ``name``.
    """

    due: gpd.GeoDataFrame
    other: gpd.GeoDataFrame
    rivers: gpd.GeoDataFrame
    problems: gpd.GeoDataFrame
    landmarks: gpd.GeoDataFrame


class _Frame:
    """From metres on the map to points of the drawing, north up."""

    def __init__(self, bounds: Sequence[float]) -> None:
        west, south, east, north = bounds
        inner_w, inner_h = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
        self.scale = min(inner_w / max(east - west, LEAST_M), inner_h / max(north - south, LEAST_M))
        self.x0 = (west + east) / 2 - WIDTH / 2 / self.scale
        self.y1 = (south + north) / 2 + HEIGHT / 2 / self.scale

    def points(self, geom: shapely.Geometry) -> Floats:
        xy = shapely.get_coordinates(geom)
        return np.column_stack([(xy[:, 0] - self.x0) * self.scale, (self.y1 - xy[:, 1]) * self.scale])

    @property
    def window(self) -> shapely.Polygon:
        """What the drawing shows, in metres."""
        return shapely.box(self.x0, self.y1 - HEIGHT / self.scale, self.x0 + WIDTH / self.scale, self.y1)


def draw(what: Drawn) -> str:
    """The map as SVG; an empty string where no stretch has a place on the ground."""
    if what.due.empty:
        return ""
    due = crs.to_metric(what.due)
    other, rivers, problems, landmarks = (
        f.to_crs(due.crs) for f in (what.other, what.rivers, what.problems, what.landmarks)
    )
    frame = _Frame(due.total_bounds)
    named = _rivers(frame, rivers)
    parts = [
        *(_line(frame, g, "river", 3.0) for _, g in named),
        *(_line(frame, g, "other", 4.0) for g in _seen(frame, other.geometry)),
        *(_line(frame, g, "due", 5.5) for g in due.geometry),
        *_names(frame, named),
        *_landmarks(frame, landmarks),
        *_problems(frame, problems),
        *_signs(frame, due),
        *_scale(frame),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" font-size="11">'
    return f"{head}<title>{escape(words.both('duty.map'))}</title>{''.join(parts)}</svg>"


def _seen(frame: _Frame, geoms: Iterable[shapely.Geometry]) -> Iterator[shapely.LineString]:
    for geom in geoms:
        inside = shapely.intersection(geom, frame.window)
        yield from (g for g in shapely.get_parts(inside) if g.geom_type == "LineString")


def _line(frame: _Frame, geom: shapely.Geometry, kind: str, width: float) -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in frame.points(geom))
    return (
        f'<polyline points="{at}" fill="none" stroke="{COLOURS[kind]}" stroke-width="{width}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _rivers(frame: _Frame, rivers: gpd.GeoDataFrame) -> list[tuple[str, shapely.LineString]]:
    """Names of rivers and their parts inside the drawing."""
    rows = zip(rivers["river"], rivers.geometry, strict=True)
    return [(str(name), part) for name, geom in rows for part in _seen(frame, [geom])]


def _names(frame: _Frame, rivers: Iterable[tuple[str, shapely.LineString]]) -> Iterator[str]:
    """The name of each river once, on its longest part."""
    longest: dict[str, shapely.LineString] = {}
    for name, part in rivers:
        if part.length > longest.get(name, shapely.LineString()).length:
            longest[name] = part
    for name, part in longest.items():
        if part.length * frame.scale > 60:
            (x, y), *_ = frame.points(shapely.line_interpolate_point(part, 0.3, normalized=True))
            yield _text(x + 5, y - 5, name, "#3b7c97", "start")


def _landmarks(frame: _Frame, landmarks: gpd.GeoDataFrame) -> Iterator[str]:
    for name, geom in zip(landmarks["name"], landmarks.geometry, strict=True):
        if shapely.contains(frame.window, geom):
            (x, y), *_ = frame.points(geom)
            yield f'<rect x="{x - 2.5:.1f}" y="{y - 2.5:.1f}" width="5" height="5" fill="#fff" stroke="{COLOURS["ink"]}"/>'
            yield _text(x + 6, y + 11, str(name), "#5c7480", "start")


def _problems(frame: _Frame, problems: gpd.GeoDataFrame) -> Iterator[str]:
    for sign, geom in zip(problems["sign"], problems.geometry, strict=True):
        (x, y), *_ = frame.points(geom)
        corners = f"{x:.1f},{y - 8:.1f} {x - 7.5:.1f},{y + 5:.1f} {x + 7.5:.1f},{y + 5:.1f}"
        yield f'<polygon points="{corners}" fill="#fff" stroke="{COLOURS["problem"]}" stroke-width="1.6"/>'
        yield _text(x, y + 4, str(sign), COLOURS["problem"], "middle", 8.5)


def _signs(frame: _Frame, due: gpd.GeoDataFrame) -> Iterator[str]:
    for sign, geom in zip(due["sign"], due.geometry, strict=True):
        (x, y), *_ = frame.points(shapely.line_interpolate_point(geom, 0.5, normalized=True))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{COLOURS["due"]}" stroke="#fff" stroke-width="1.5"/>'
        yield _text(x, y + 4, str(sign), "#fff", "middle")


def _text(x: float, y: float, text: str, colour: str, anchor: str, size: float = 11.0) -> str:
    """Words with a light edge, drawn beneath them: not every printer knows ``paint-order``."""
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    edge = "" if anchor == "middle" else f'<text {at} fill="#fff" stroke="#fff" stroke-width="3">{escape(text)}</text>'
    return f'{edge}<text {at} fill="{colour}">{escape(text)}</text>'


def _scale(frame: _Frame) -> Iterator[str]:
    """Scale bar and north."""
    room = 150 / frame.scale
    length = max(m for e in range(1, 6) for m in (10**e, 2 * 10**e, 5 * 10**e) if m <= max(room, 10))
    x, y = 14.0, HEIGHT - 14
    width = length * frame.scale
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length} m"
    yield f'<path d="M{x} {y - 5}v5h{width:.1f}v-5" fill="none" stroke="{COLOURS["ink"]}" stroke-width="1.4"/>'
    yield _text(x + width / 2, y - 4, label, COLOURS["ink"], "middle")
    yield f'<path d="M{WIDTH - 22} 34V14m-5 8l5-9l5 9" fill="none" stroke="{COLOURS["ink"]}" stroke-width="1.6"/>'
    yield _text(WIDTH - 22, 47, "北 N", COLOURS["ink"], "middle")
