"""Areas between the two bank lines of each stretch, fast enough to be asked while somebody draws.

``closing.close`` takes any lines and finds out what they enclose; here every line names its bank, so the two banks of a reach are
joined end to end and closed at both ends by straight lines. What does not join within the snap tolerance stays open, and is said.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry
from rivergis.boundary.ground.closing import bank_of


@dataclass(frozen=True)
class Between:
    """``areas``: MultiPolygons with ``stretch`` and ``row`` (position of its first line); ``open``: stretch -> why it is not closed."""

    areas: gpd.GeoDataFrame
    open: dict[str, str]


def between(lines: gpd.GeoDataFrame, stretch: str, snap_m: float) -> Between:
    """Management areas (管理范围) between left and right lines, one a stretch (reach, or river).

    ``lines``: LineStrings in metres with the column ``stretch`` and bank (左岸, left, L ...). Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(lines)
    banks = [bank_of(b) for b in lines["bank"]]
    shapes = shapely.force_2d(lines.geometry.to_numpy())
    rows: dict[str, list[int]] = {}
    for k, name in enumerate(lines[stretch]):
        rows.setdefault(str(name), []).append(k)
    made, open_ = [], {}
    for name, mine in rows.items():
        shape = _between(mine, banks, shapes, lines.index, snap_m)
        if isinstance(shape, str):
            open_[name] = shape
        else:
            made.append((name, mine[0], shape))
    areas = gpd.GeoDataFrame(
        {"stretch": [m[0] for m in made], "row": [m[1] for m in made]}, geometry=[m[2] for m in made], crs=lines.crs
    )
    return Between(areas.rename_geometry("geom"), open_)


def _between(mine: list[int], banks: list[Any], shapes: Any, index: Any, snap_m: float) -> Any:
    """The area between the banks of one stretch, or why there is none."""
    sides = []
    for bank in ("left", "right"):
        rows = [k for k in mine if banks[k] == bank]
        if not rows:
            names = ", ".join(str(index[k]) for k in mine[:5])
            return f"It has no {bank} line beside the lines {names}: draw it, or say which bank each line is."
        chain = _chain(rows, shapes, index, snap_m)
        if isinstance(chain, str):
            return chain
        sides.append(chain)
    left, right = sides
    caps = [np.hypot(*(left[-1] - r[0])) + np.hypot(*(r[-1] - left[0])) for r in (right[::-1], right)]
    ring = np.vstack([left, right[::-1] if caps[0] <= caps[1] else right])
    return geometry.polygons_of(shapely.Polygon(ring))


def _chain(rows: list[int], shapes: Any, index: Any, snap_m: float) -> Any:
    """Vertices of the lines of one bank joined end to end, whatever their order and direction, or where they do not join."""
    rest: dict[bytes, tuple[Hashable, Any]] = {}
    for k in rows:
        for part in shapely.get_parts(shapes[k]):
            rest.setdefault(shapely.to_wkb(shapely.normalize(part)), (index[k], shapely.get_coordinates(part)))
    parts = list(rest.values())  # what is drawn twice counts once
    last, chain = parts.pop(0)
    while parts:
        ends = np.array([xy[[0, -1]] for _, xy in parts])
        gaps = np.hypot(*np.moveaxis(ends[:, :, None] - chain[[0, -1]], -1, 0))
        nearest, end, side = np.unravel_index(int(gaps.argmin()), gaps.shape)
        name, xy = parts.pop(int(nearest))
        gap = float(gaps[nearest, end, side])
        if gap > snap_m:
            return f"Its lines {last} and {name} are {gap:.1f} m apart, more than the {snap_m:g} m that may be closed: join them."
        onward = xy if end == 0 else xy[::-1]  # from the end that meets
        chain, last = np.vstack([chain, onward] if side == 1 else [onward[::-1], chain]), name
    return chain
