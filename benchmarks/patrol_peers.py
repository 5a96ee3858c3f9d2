"""Other ways to tell which metres of a river a track has seen: nearest line (shapely), and Leuven map matching where it imports.

Each takes fixes and the reaches of one network in metres and answers with ``Seen`` stretches. Both fill between fixes on one reach,
or through the node that two reaches share, unless the silence is a gap; both see no farther than ``visible_m``.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections import defaultdict
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from patrol_truth import Seen

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def nearest_line(fixes: pd.DataFrame, points: npt.NDArray[np.object_], reaches: gpd.GeoDataFrame) -> list[Seen]:
    """Every fix on the nearest reach within sight."""
    lines = reaches.geometry.to_numpy()
    reach, fix = shapely.STRtree(points).query(lines, predicate="dwithin", distance=reaches["visible_m"].to_numpy())
    found = pd.DataFrame({"fix": fix, "reach": reach, "away": shapely.distance(points[fix], lines[reach])})
    best = found.sort_values(["fix", "away"]).drop_duplicates("fix")
    on = np.full(len(points), -1)
    on[best["fix"]] = best["reach"]
    return filled(fixes, points, on, reaches)


def filled(fixes: pd.DataFrame, points: npt.NDArray[np.object_], on: Ints, reaches: gpd.GeoDataFrame) -> list[Seen]:
    """Stretches between neighbouring fixes; ``on``: reach position of each fix, -1 where it is on none."""
    at_m, side = _placed(points, on, reaches)
    seconds = fixes["at"].diff().dt.total_seconds().to_numpy()
    longest = max(60.0, 4 * float(np.nanmedian(seconds))) if len(fixes) > 1 else 60.0
    pieces: dict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    for i in np.flatnonzero((on[1:] >= 0) & (on[:-1] >= 0) & (seconds[1:] <= longest)) + 1:
        bank = "left" if side[max(0, i - 3) : i + 4].sum() >= 0 else "right"
        for reach, a, b in _between(reaches, int(on[i - 1]), at_m[i - 1], int(on[i]), at_m[i]):
            pieces[reach, bank].append((min(a, b), max(a, b)))
    ids = reaches["reach_id"].to_numpy()
    return [Seen(ids[r], a, b, bank) for (r, bank), cuts in pieces.items() for a, b in _joined(cuts) if b - a >= 30.0]


def _placed(points: npt.NDArray[np.object_], on: Ints, reaches: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    """Ellipsoidal measure of each fix on its reach, and side (+1 left, -1 right)."""
    lines, length = reaches.geometry.to_numpy(), reaches["length_m"].to_numpy()
    at_m, side = np.zeros(len(on)), np.zeros(len(on))
    for r in np.unique(on[on >= 0]):
        mine = np.flatnonzero(on == r)
        along = shapely.line_locate_point(lines[r], points[mine])
        a, b = (
            shapely.get_coordinates(shapely.line_interpolate_point(lines[r], np.clip(along + d, 0, lines[r].length)))
            for d in (-1.0, 1.0)
        )
        (dx, dy), (x, y) = (b - a).T, (shapely.get_coordinates(points[mine]) - a).T
        at_m[mine], side[mine] = along * length[r] / lines[r].length, np.sign(dx * y - dy * x)
    return at_m, side


def _between(reaches: gpd.GeoDataFrame, r: int, a: float, q: int, b: float) -> list[tuple[int, float, float]]:
    """What lies between two places: on one reach, or on two that share a node."""
    if r == q:
        return [(r, a, b)]
    ends = reaches[["from_node", "to_node"]].to_numpy()
    length = reaches["length_m"].to_numpy()
    ways = [
        (abs(a - i * length[r]) + abs(b - j * length[q]), i * length[r], j * length[q])
        for i in (0, 1)
        for j in (0, 1)
        if ends[r][i] == ends[q][j]
    ]
    return [(r, a, min(ways)[1]), (q, min(ways)[2], b)] if ways else []


def _joined(cuts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for a, b in sorted(cuts):
        if out and a <= out[-1][1] + 1.0:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def has_leuven() -> bool:
    return importlib.util.find_spec("leuvenmapmatching") is not None


def leuven_map(reaches: gpd.GeoDataFrame) -> tuple[Any, dict[frozenset[Any], int]]:
    """The reaches as the graph that Leuven map matching wants: their vertices, both ways; and the reach of every edge."""
    from leuvenmapmatching.map.inmem import InMemMap

    graph = InMemMap(
        "reaches", use_latlon=False, use_rtree=importlib.util.find_spec("rtree") is not None, index_edges=True
    )
    owner: dict[frozenset[Any], int] = {}
    number: dict[Any, int] = {}
    for r, (line, u, v) in enumerate(zip(reaches.geometry, reaches["from_node"], reaches["to_node"], strict=True)):
        xy = shapely.get_coordinates(line)
        names = [number.setdefault(k, len(number)) for k in (u, *((r, k) for k in range(1, len(xy) - 1)), v)]
        for name, (x, y) in zip(names, xy, strict=True):
            graph.add_node(name, (y, x))
        for a, b in itertools.pairwise(names):
            graph.add_edge(a, b)
            graph.add_edge(b, a)
            owner[frozenset((a, b))] = r
    return graph, owner


def leuven(
    fixes: pd.DataFrame,
    points: npt.NDArray[np.object_],
    reaches: gpd.GeoDataFrame,
    graph: tuple[Any, dict[frozenset[Any], int]],
) -> list[Seen]:
    """Every fix on the reach that Leuven's hidden Markov matcher puts it on (non-emitting states, the sight as reach)."""
    from leuvenmapmatching.matcher.distance import DistanceMatcher

    on = np.full(len(points), -1)
    xy = [(float(y), float(x)) for x, y in shapely.get_coordinates(points)]
    start = 0
    while start < len(xy):  # it stops where no edge is in reach: go on behind that place
        matcher = DistanceMatcher(
            graph[0],
            max_dist=float(reaches["visible_m"].max()),
            obs_noise=30.0,
            non_emitting_states=True,
            max_lattice_width=8,
        )
        states, last = matcher.match(xy[start:])
        for m in matcher.lattice_best or []:
            on[start + m.obs] = graph[1].get(frozenset((m.edge_m.l1, m.edge_m.l2)), -1)
        start += max(1, last + 1) if states else 1
    away = shapely.distance(points, reaches.geometry.to_numpy()[np.maximum(on, 0)])
    return filled(fixes, points, np.where(away <= reaches["visible_m"].to_numpy()[np.maximum(on, 0)], on, -1), reaches)
