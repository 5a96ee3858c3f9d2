"""Management areas made ready once for every question about what lies inside: closed, repaired, cut to pieces, with what was said."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd

from rivergis.boundary.closing import Closed, Said, close
from rivergis.boundary.pieces import Pieces, cut

__all__ = ["Prepared", "Said", "close", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """A boundary layer as an overlay needs it, metres of one zone.

    ``areas``: valid MultiPolygons with the attributes of their delivery (``reach``, ``basis``, ``xy_error_m`` where known);
    ``pieces``: the same cut; ``doubts``: Polygons in which it is open what is inside, with ``because``.
    """

    areas: gpd.GeoDataFrame
    pieces: Pieces
    doubts: gpd.GeoDataFrame
    said: list[Said] = field(default_factory=list)


def prepared(closed: Closed) -> Prepared:
    """The areas of a layer cut to pieces; once per version of the layer."""
    return Prepared(closed.areas, cut(closed.areas.geometry.to_numpy()), closed.doubts, closed.said)
