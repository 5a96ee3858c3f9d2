"""River lines on their way to a network: pieces between nodes as they were drawn, and what was found wrong with them.

A river bureau's centre lines come without nodes, with open ends and drawn in any direction. The steps of the build
(``noding``, ``waters``, ``direction``, ``measures``) hand each other one ``Drawn``; ``build`` makes frames of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KINDS = ("river", "stream", "canal", "ditch", "braid", "flow_path", "shoreline")
SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True)
class NetworkDefect:
    """Something wrong with the lines, or a guess that was made: where, how much, and what is proposed or was done.

    ``at`` is in the metric CRS of the build; ``done`` says whether the network already contains the proposal.
    """

    code: str
    severity: str
    at: shapely.Point
    proposal: str
    measure: float | None = None
    unit: str | None = None
    source_fid: int | None = None
    done: bool = False


@dataclass(frozen=True)
class Drawn:
    """Pieces of line between nodes, in metres of a local zone, still in the direction they were drawn.

    ``pieces``: LineString frame in a metric CRS with ``source_fid`` (int: feature of the file; -1 = made by a step, such
    as a flow path), ``piece`` (1, 2, ... along the source line; 0 = uncut), ``kind`` (of ``KINDS``), ``covered`` (bool:
    culvert, 暗渠), ``name`` (text or None), ``flow`` (+1 the attributes say it runs as drawn, -1 against, 0 not said),
    ``repair`` (None, or what was done to its geometry: ``snapped``, ``extended``, ``trimmed``, ``made``; several joined by +).
    ``start``, ``end``: node numbers of first and last vertex of each piece; the vertex is exactly ``nodes[number]``.
    ``nodes``: (n, 2) positions in metres. ``defects``: everything noticed so far.
    """

    pieces: gpd.GeoDataFrame
    start: Ints
    end: Ints
    nodes: Floats
    defects: list[NetworkDefect] = field(default_factory=list)

    def with_(self, **changes: Any) -> Drawn:
        """The same with some parts replaced."""
        return replace(self, **changes)

    def degree(self) -> Ints:
        """How many piece ends meet at each node (a ring counts twice)."""
        return np.bincount(np.concatenate([self.start, self.end]), minlength=len(self.nodes)).astype(np.int64)
