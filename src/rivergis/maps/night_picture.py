"""位置略图: where the leads of a night lie, small enough for a page of paper; the same drawing as SVG and as a PNG of Pillow.

Nothing is fetched and nothing runs. Shapes come in EPSG:4490; the picture has one scale in both directions, north up.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, words

WIDTH, MARGIN = 560.0, 10.0
HEIGHTS = (260.0, 460.0)
"""The picture is as high as what it shows asks, within these."""
INK = "#5c6f78"


@dataclass(frozen=True)
class Pen:
    """How shapes are drawn: colours ``#rrggbb``, stroke in picture units (0: none)."""

    stroke: str = "#000000"
    width: float = 0.0
    fill: str | None = None
    dash: str = ""


@dataclass(frozen=True)
class Dot:
    """A marked place: longitude, latitude, colour, and the anchor in the same file that a click leads to."""

    lon: float
    lat: float
    colour: str
    radius: float
    anchor: str = ""
    title: str = ""


@dataclass
class Picture:
    """Layers from the bottom up, names of places, and dots on top."""

    layers: list[tuple[Sequence[Any], Pen]] = field(default_factory=list)
    names: list[tuple[Any, str]] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)

    def svg(self, title: str = "") -> str:
        """The drawing as one SVG element of an HTML page, called ``title`` for who cannot see it; every text escaped."""
        to = _Scale.of(self)
        if to is None:
            return ""
        body = [_svg_path(part, pen) for shapes, pen in self.layers for part in to.lines(shapes)]
        body += [_svg_name(x, y, text) for (x, y), text in to.names(self.names)]
        body += [_svg_dot(x, y, dot) for (x, y), dot in to.dots(self.dots)]
        # what holds links is a group of them, not one picture
        role = "group" if any(dot.anchor for dot in self.dots) else "img"
        named = escape(title or words.both("morning.map"))
        head = f'<svg viewBox="0 0 {WIDTH:g} {to.height:.0f}" role="{role}" aria-label="{named}">'
        return f"{head}{''.join(body)}{_svg_bar(to)}</svg>"

    def png(self, zoom: float = 2.0) -> bytes | None:
        """The same as a PNG, without names (no font is needed); None where there is nothing to draw."""
        from PIL import Image, ImageDraw

        to = _Scale.of(self)
        if to is None:
            return None
        image = Image.new("RGB", (round(WIDTH * zoom), round(to.height * zoom)), "white")
        pencil = ImageDraw.Draw(image)
        for shapes, pen in self.layers:
            for xy, closed in to.lines(shapes):
                points = [(x * zoom, y * zoom) for x, y in xy.tolist()]
                if closed and pen.fill:
                    pencil.polygon(points, fill=pen.fill)
                if pen.width:
                    pencil.line(points, fill=pen.stroke, width=max(round(pen.width * zoom), 1), joint="curve")
        for (x, y), dot in to.dots(self.dots):
            r = dot.radius * zoom
            box = (x * zoom - r, y * zoom - r, x * zoom + r, y * zoom + r)
            pencil.ellipse(box, fill=dot.colour, outline="white", width=max(round(zoom / 2), 1))
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()


@dataclass(frozen=True)
class _Scale:
    """From degrees to the picture by way of one metric zone."""

    metric: Any
    scale: float
    x0: float
    y0: float
    height: float

    @classmethod
    def of(cls, picture: Picture) -> _Scale | None:
        shapes = [s for own, _ in picture.layers for s in own] + [shapely.Point(d.lon, d.lat) for d in picture.dots]
        if not shapes:
            return None
        west, south, east, north = (float(v) for v in shapely.total_bounds(np.array(shapes, dtype=object)))
        metric = crs.metric_crs((west + east) / 2, (south + north) / 2)
        corners = gpd.GeoSeries(shapely.points([west, east, west, east], [south, north, north, south]), crs=crs.STORAGE)
        x, y = (getattr(corners.to_crs(metric), axis).to_numpy() for axis in ("x", "y"))
        width_m, height_m = max(float(np.ptp(x)), 1.0), max(float(np.ptp(y)), 1.0)
        height = float(np.clip((WIDTH - 2 * MARGIN) * height_m / width_m + 2 * MARGIN, *HEIGHTS))
        scale = min((WIDTH - 2 * MARGIN) / width_m, (height - 2 * MARGIN) / height_m)
        middle = ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2)
        return cls(metric, scale, middle[0] - WIDTH / 2 / scale, middle[1] + height / 2 / scale, height)

    def place(self, shapes: Sequence[Any]) -> Any:
        """Shapes in picture units."""
        metric = gpd.GeoSeries(list(shapes), crs=crs.STORAGE).to_crs(self.metric).to_numpy()
        return shapely.transform(metric, lambda xy: (xy - [self.x0, self.y0]) * [self.scale, -self.scale])

    def lines(self, shapes: Sequence[Any]) -> list[tuple[Any, bool]]:
        """Coordinates of every ring and line, without bends that do not show; whether it is closed."""
        out = []
        for part in shapely.get_parts(shapely.simplify(self.place(shapes), 0.3)) if len(shapes) else ():
            closed = part.geom_type == "Polygon"
            for ring in shapely.get_rings(part) if closed else [part]:
                xy = shapely.get_coordinates(ring)
                if len(xy) > 1:
                    out.append((xy, closed))
        return out

    def names(self, names: Sequence[tuple[Any, str]]) -> list[tuple[tuple[float, float], str]]:
        spots = [s.representative_point() for s in self.place([s for s, _ in names])] if names else []
        return [((p.x, p.y), text) for p, (_, text) in zip(spots, names, strict=True)]

    def dots(self, dots: Sequence[Dot]) -> list[tuple[tuple[float, float], Dot]]:
        spots = self.place(shapely.points([(d.lon, d.lat) for d in dots])) if dots else []
        return [((p.x, p.y), dot) for p, dot in zip(spots, dots, strict=True)]


def _svg_path(part: tuple[Any, bool], pen: Pen) -> str:
    xy, closed = part
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy.tolist()) + ("Z" if closed else "")
    stroke = pen.stroke if pen.width else "none"
    dash = f' stroke-dasharray="{pen.dash}"' if pen.dash else ""
    return f'<path d="{d}" fill="{pen.fill if closed and pen.fill else "none"}" stroke="{stroke}" stroke-width="{pen.width:g}"{dash}/>'


def _svg_name(x: float, y: float, text: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="13" text-anchor="middle" fill="{INK}" stroke="#ffffff" stroke-width="3" '
        f'paint-order="stroke">{escape(text)}</text>'
    )


def _svg_dot(x: float, y: float, dot: Dot) -> str:
    mark = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{dot.radius:g}" fill="{dot.colour}" stroke="#ffffff" stroke-width="1">'
        f"<title>{escape(dot.title)}</title></circle>"
    )
    return f'<a href="#{escape(dot.anchor)}">{mark}</a>' if dot.anchor else mark


def _svg_bar(to: _Scale) -> str:
    """A bar of a round number of metres."""
    metres = 10 ** np.floor(np.log10(WIDTH / 4 / to.scale))
    metres *= next(f for f in (5, 2, 1) if metres * f * to.scale <= WIDTH / 4)
    x, y = MARGIN, to.height - 8
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return (
        f'<path d="M{x:g} {y - 5:g}v5h{metres * to.scale:.1f}v-5" fill="none" stroke="{INK}" stroke-width="1.2"/>'
        f'<text x="{x + 5:g}" y="{y - 4:g}" font-size="11" fill="{INK}">{text}</text>'
    )
