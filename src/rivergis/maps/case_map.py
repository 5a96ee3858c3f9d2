"""The map on the page of a case (案件位置图): the thing, the line, the water and where pictures were taken; SVG, nothing is run."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from html import escape
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.encroachment import case_store
from rivergis.maps import features, leads, palette
from rivergis.maps.features import Scope, When
from rivergis.maps.palette import Style

WIDTH, HEIGHT = 480.0, 340.0
# ground shown at least, and room left round the thing itself
LEAST_M, ROOM = 260.0, 2.6
GROUND = ("water_area", "boundary_area", "source_zone", "boundary_line", "levee", "reach")
INK, TAKEN = "#16303a", "#0b4f6c"


def draw(conn: Connection, finding_id: str, at: When) -> str:
    """Where is this case, on one small drawing as of a day? North is up; other leads near it are links to their pages.

    An empty string where the case was not known then.
    """
    near = leads.footprint(conn, finding_id, at)
    if near is None:
        return ""
    frame = _Frame(near)
    scope = Scope(box=frame.box)
    ground = {noun: features.layer(conn, noun, at, scope) for noun in GROUND}
    body = [
        *(p for noun in GROUND for p in _layer(noun, ground[noun], frame)),
        *_others(conn, finding_id, at, scope, frame),
        *_self(near, frame),
        *_taken(conn, finding_id, at, frame),
        *_scale(frame),
    ]
    title = escape(words.both("desk.map"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="group" aria-label="{title}" font-size="12">'
        f"<title>{title}</title>{''.join(body)}</svg>"
    )


class _Frame:
    """From degrees (EPSG:4490) to the drawing, round one shape: one scale in both directions, north up."""

    def __init__(self, shape: gpd.GeoSeries) -> None:
        self.metric = crs.metric_crs(*crs.centre(shape))
        west, south, east, north = shape.to_crs(self.metric).total_bounds
        wide = max((east - west) * ROOM, (north - south) * ROOM * WIDTH / HEIGHT, LEAST_M)
        self.scale = WIDTH / wide
        self.x0, self.y0 = (west + east) / 2 - wide / 2, (south + north) / 2 + HEIGHT / 2 / self.scale
        corners = gpd.GeoSeries([self.window], crs=self.metric).to_crs(crs.STORAGE).total_bounds
        self.box: tuple[float, float, float, float] = tuple(float(v) for v in corners)  # type: ignore[assignment]

    @property
    def window(self) -> shapely.Polygon:
        """The ground that is shown, in metres."""
        return shapely.box(self.x0, self.y0 - HEIGHT / self.scale, self.x0 + WIDTH / self.scale, self.y0)

    def shapes(self, geoms: gpd.GeoSeries) -> Any:
        """Shapes cut to the drawing, in its units, without bends that do not show."""
        cut = shapely.clip_by_rect(geoms.to_crs(self.metric).values, *self.window.buffer(20 / self.scale).bounds)
        placed = shapely.transform(cut, lambda xy: (xy - [self.x0, self.y0]) * [self.scale, -self.scale])
        return shapely.simplify(placed, 0.2)


def _layer(noun: str, frame: gpd.GeoDataFrame, to: _Frame) -> Iterator[str]:
    styles = palette.load()
    codes = frame["cls"].fillna("").astype(str) if "cls" in frame else [""] * len(frame)
    for shape, code, label in zip(to.shapes(frame.geometry), codes, frame["label"], strict=True):
        yield from _drawn(shape, styles.of(noun, code), str(label))


def _drawn(shape: Any, style: Style, label: str, href: str | None = None) -> Iterator[str]:
    """A shape with its name as a tip; points as small discs."""
    if shape is None or shape.is_empty:
        return
    fill, opacity = (style.fill[:7], int(style.fill[7:] or "ff", 16) / 255) if style.fill else ("none", 1.0)
    dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    stroke = style.stroke[:7] if style.width else "none"
    paint = f'fill="{fill}" fill-opacity="{opacity:.2g}" stroke="{stroke}" stroke-width="{style.width:.2g}"{dash}'
    body = "".join(_parts(shape, paint))
    tip = f"<title>{escape(label)}</title>"
    yield f'<a href="{escape(href)}">{tip}{body}</a>' if href else f"<g>{tip}{body}</g>"


def _parts(shape: Any, paint: str) -> Iterator[str]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Point":
            yield f'<circle cx="{part.x:.1f}" cy="{part.y:.1f}" r="6" {paint}/>'
            continue
        rings = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
        d = "".join(
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(r)) + ("Z" if r.is_closed else "")
            for r in rings
        )
        own = paint if part.geom_type == "Polygon" else f'{paint} style="fill:none"'
        yield f'<path d="{d}" {own}/>'


def _others(conn: Connection, finding_id: str, at: When, scope: Scope, to: _Frame) -> Iterator[str]:
    """Other leads that stand near it, each a link to its page."""
    frame = leads.standing(conn, at, scope=scope)
    frame = frame[frame["id"] != finding_id]
    style = Style("finding", "", "", "", "#8d5b57", "#e9c9c666", "3 2", 1.2, "")
    for shape, row in zip(to.shapes(frame.geometry), frame.itertuples(), strict=True):
        yield from _drawn(shape, style, str(row.label), str(row.href))


def _self(shape: gpd.GeoSeries, to: _Frame) -> Iterator[str]:
    """The thing itself, and a ring where it would be too small to be seen."""
    style = Style("finding", "", "", "", "#b3261e", "#b3261e66", "", 2.2, "")
    [drawn] = to.shapes(shape)
    yield from _drawn(drawn, style, words.both("desk.this_case"))
    spot = shapely.centroid(drawn)
    if np.ptp(shapely.bounds(drawn)[[0, 2]]) < 14:
        yield f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="13" fill="none" stroke="#b3261e" stroke-width="1.6"/>'


def _taken(conn: Connection, finding_id: str, at: When, to: _Frame) -> Iterator[str]:
    """Where pictures were taken, numbered as on the page."""
    told = [
        e
        for e in case_store.evidence(conn, uuid.UUID(finding_id))
        if e["recorded_at"] <= at.known_at and e["lon"] is not None
    ]
    spots = gpd.GeoSeries([shapely.Point(e["lon"], e["lat"]) for e in told], crs=crs.STORAGE)
    for number, spot in enumerate(to.shapes(spots), 1):
        if not spot.is_empty:
            yield (
                f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="8" fill="{TAKEN}" stroke="#fff" stroke-width="1.5"/>'
                f'<text x="{spot.x:.1f}" y="{spot.y + 4:.1f}" text-anchor="middle" fill="#fff" font-size="10">{number}</text>'
            )


def _scale(to: _Frame) -> Iterator[str]:
    """Scale bar of a round number of metres, and north."""
    room = WIDTH / 4 / to.scale
    metres = max(m for e in range(6) for m in (10**e, 2 * 10**e, 5 * 10**e) if m <= max(room, 1))
    x, y, width = 12.0, HEIGHT - 12, metres * to.scale
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m"
    yield f'<rect x="6" y="{y - 22}" width="{width + 14:.0f}" height="28" rx="4" fill="#fff" fill-opacity=".75"/>'
    yield f'<path d="M{x} {y - 5}v5h{width:.1f}v-5" fill="none" stroke="{INK}" stroke-width="1.4"/>'
    yield f'<text x="{x + width / 2:.1f}" y="{y - 7}" text-anchor="middle" fill="{INK}">{label}</text>'
    yield f'<path d="M{WIDTH - 18} 34V12m-5 9l5-9l5 9" fill="none" stroke="{INK}" stroke-width="1.6"/>'
    yield f'<text x="{WIDTH - 18}" y="48" text-anchor="middle" fill="{INK}">北 N</text>'
