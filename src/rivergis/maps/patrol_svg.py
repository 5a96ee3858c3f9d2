"""A small drawing of rivers and banks for print (示意图): SVG with the colours of the one palette, nothing fetched, nothing run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs
from rivergis.maps import palette
from rivergis.maps.atlas import Layers
from rivergis.maps.palette import Style

WIDTH, HEIGHT, LEGEND = 1120.0, 640.0, 24.0
MARGIN = 14.0
NAMED = 24
"""So many names of units at most are written."""


def draw(layers: Layers, focus: Sequence[str]) -> str:
    """SVG of layers with ``cls`` (EPSG:4490), in the order of the palette; ``focus``: those that fill the picture.

    Below it a legend of the classes that are there. Lines are as thick as on the map, whatever the scale.
    """
    shown = {n: crs.to_storage(f) for n, f in layers.items() if len(f)}
    own = [f for n, f in shown.items() if n in focus] or list(shown.values())
    if not own:
        return ""
    frame = _Frame(np.array([f.total_bounds for f in own]))
    order = sorted(shown, key=palette.load().layers.index)
    bodies = [part for n in order for part in _layer(n, shown[n], frame)]
    height = HEIGHT + LEGEND
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img">'
    clip = f'<defs><clipPath id="sheet"><rect width="{WIDTH:g}" height="{HEIGHT:g}"/></clipPath></defs>'
    return (
        f'{head}{clip}<g clip-path="url(#sheet)">{"".join(bodies)}</g>{frame.scale_bar()}{_legend(shown, order)}</svg>'
    )


class _Frame:
    """From degrees to the picture: one scale in both directions, north up."""

    def __init__(self, boxes: Any) -> None:
        west, south = boxes[:, :2].min(axis=0)
        east, north = boxes[:, 2:].max(axis=0)
        self.metric = crs.metric_crs((west + east) / 2, (south + north) / 2)
        corners = gpd.GeoSeries(shapely.points([west, east], [south, north]), crs=crs.STORAGE).to_crs(self.metric)
        x, y = corners.x.to_numpy(), corners.y.to_numpy()
        room = (WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN)
        self.scale = min(room[0] / max(np.ptp(x), 1.0), room[1] / max(np.ptp(y), 1.0))
        self.x0, self.y0 = x.mean() - WIDTH / 2 / self.scale, y.mean() + HEIGHT / 2 / self.scale

    def shapes(self, frame: gpd.GeoDataFrame) -> Any:
        """Geometries in picture units, without bends that do not show."""
        metric = frame.geometry.to_crs(self.metric).values
        placed = shapely.transform(metric, lambda xy: (xy - [self.x0, self.y0]) * [self.scale, -self.scale])
        return shapely.simplify(placed, 0.25)

    def scale_bar(self) -> str:
        """A bar of a round number of metres."""
        metres = 10 ** np.floor(np.log10(WIDTH / 5 / self.scale))
        metres *= 5 if metres * 5 * self.scale < WIDTH / 5 else 2 if metres * 2 * self.scale < WIDTH / 5 else 1
        x, y, width = MARGIN, HEIGHT - 10, metres * self.scale
        text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
        return (
            f'<path d="M{x:g} {y - 6:g}v6h{width:.1f}v-6" fill="none" stroke="#17324a" stroke-width="1.4"/>'
            f'<text x="{x + 6:g}" y="{y - 4:g}" font-size="12" fill="#17324a" font-family="Noto Sans CJK SC">{text}</text>'
        )


def _layer(name: str, frame: gpd.GeoDataFrame, to: _Frame) -> list[str]:
    styles, shapes = palette.load(), to.shapes(frame)
    codes = frame["cls"].fillna("").astype(str) if "cls" in frame else [""] * len(frame)
    out = [_path(shape, styles.of(name, code)) for shape, code in zip(shapes, codes, strict=True)]
    if name == "admin_unit" and "text" in frame:
        out += [_name(s, t) for s, t in list(zip(shapes, frame["text"], strict=True))[-NAMED:] if t]
    return out


def _path(shape: Any, style: Style) -> str:
    d = "".join(_rings(shape))
    if not d:
        return ""
    fill, opacity = (style.fill[:7], int(style.fill[7:] or "ff", 16) / 255) if style.fill else ("none", 1.0)
    dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    faint = f' fill-opacity="{opacity:.2g}"' if opacity < 1 else ""
    stroke = style.stroke[:7] if style.width else "none"
    return f'<path d="{d}" fill="{fill}"{faint} stroke="{stroke}" stroke-width="{style.width * 0.8:.2g}"{dash}/>'


def _rings(shape: Any) -> list[str]:
    out = []
    for part in shapely.get_parts(shape):
        closed = part.geom_type == "Polygon"
        for ring in shapely.get_rings(part) if closed else [part]:
            xy = shapely.get_coordinates(ring)
            if len(xy) > 1:
                out.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy) + ("Z" if closed else ""))
    return out


def _name(shape: Any, text: str) -> str:
    spot = shape.representative_point()
    return (
        f'<text x="{spot.x:.0f}" y="{spot.y:.0f}" font-size="12" text-anchor="middle" fill="#6b6656" '
        f'font-family="Noto Sans CJK SC">{escape(str(text))}</text>'
    )


def _legend(shown: Layers, order: Sequence[str]) -> str:
    out, x = [], MARGIN
    for name in reversed(order):
        codes = list(shown[name]["cls"].fillna("").astype(str).unique()) if "cls" in shown[name] else [""]
        styles = [s for s in palette.load().styles.values() if s.layer == name and s.code in codes]
        for style in styles if name != "admin_unit" else []:
            y = HEIGHT + LEGEND / 2
            dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
            colour = style.stroke[:7] if style.width else style.fill[:7]
            out.append(f'<path d="M{x:g} {y:g}h26" stroke="{colour}" stroke-width="{max(style.width, 2):g}"{dash}/>')
            out.append(
                f'<text x="{x + 32:g}" y="{y + 4:g}" font-size="12" fill="#17324a" font-family="Noto Sans CJK SC">{escape(style.zh)}</text>'
            )
            x += 44 + sum(12.5 if ord(c) > 0x2E80 else 7 for c in style.zh)
    return "".join(out)
