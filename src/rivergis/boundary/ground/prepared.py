"""Management areas made ready once for every question about what lies inside: closed, repaired, cut to pieces, with what was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis.boundary.ground.closing import Closed, Said, close
from rivergis.boundary.ground.pieces import Pieces, cut

__all__ = ["Prepared", "Said", "close", "islands_of", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """A boundary layer as an overlay needs it, metres of one zone.

    ``areas``: attributes of the management areas (``reach``, ``basis``, ``xy_error_m`` where known), position by position as in
    ``pieces``; ``doubts``: Polygons in which it is open what is inside, with ``because``; ``holes``: their islands as Polygons,
    taken from the geometry of ``areas`` where not given.
    """

    areas: pd.DataFrame
    pieces: Pieces
    doubts: gpd.GeoDataFrame
    said: list[Said] = field(default_factory=list)
    holes: npt.NDArray[np.object_] | None = None

    @cached_property
    def islands(self) -> npt.NDArray[np.object_]:
        """Holes of the areas (inhabited islands) as Polygons."""
        return islands_of(self.areas.geometry.to_numpy()) if self.holes is None else self.holes

    def around(self, shape: Any, distance_m: float) -> Any:
        """All management area within a distance of a shape, as one geometry; farther off it may be cut."""
        near = self.pieces.meeting(np.add(shape.bounds, np.multiply(distance_m, (-1, -1, 1, 1))).reshape(1, 4))[1]
        return shapely.union_all(self.pieces.take(np.sort(near)))


def prepared(closed: Closed) -> Prepared:
    """The areas of a layer cut to pieces; once per version of the layer."""
    return Prepared(closed.areas, cut(closed.areas.geometry.to_numpy()), closed.doubts, closed.said)


def islands_of(areas: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The holes of areas as Polygons, in the same coordinates."""
    parts = shapely.get_parts(areas)
    holed = parts[shapely.get_num_interior_rings(parts) > 0]
    return np.array([shapely.Polygon(ring) for p in holed for ring in p.interiors], dtype=object)
