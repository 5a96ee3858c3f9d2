"""How sure a net area is: the one-sigma error that line and source leave in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely


def area_error_m2(net: Any, line: Any, line_error_m: float, source_error_m: float) -> float | None:
    """One-sigma error (m2) of net ground cut off by the outline ``line`` of an area; None when the source's error is unknown,
    or the line's where it cuts the object: what lies wholly inside is as large as its source says.

    The source's vertices err independently (variance sigma^2/4 times the sum of squared distances between each vertex's
    neighbours); the line shifts as one along the part of it that cuts the object. Metres.
    """
    if np.isnan(source_error_m) or net.area == 0:
        return None
    cut_m = float(shapely.intersection(line, net.buffer(0.01)).length)
    if np.isnan(line_error_m) and cut_m > 0:
        return None
    from_line = line_error_m * cut_m if cut_m > 0 else 0.0
    spread = sum(_neighbour_spread_m2(ring) for ring in shapely.get_rings(shapely.get_parts(net)))
    return float(np.hypot(from_line, source_error_m / 2 * np.sqrt(spread)))


def _neighbour_spread_m2(ring: shapely.LinearRing) -> float:
    """Sum over the vertices of a ring of the squared distance between the vertex before and the vertex after."""
    xy = shapely.get_coordinates(ring)[:-1]
    return float(((np.roll(xy, -1, axis=0) - np.roll(xy, 1, axis=0)) ** 2).sum())
