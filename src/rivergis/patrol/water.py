"""The reaches around a track as flat arrays in local metres: what the matcher walks on.

A province stays as one set of coordinate arrays (``Waters``); for a track only the reaches near it are projected, each
neighbourhood once (``Water``). Reaches meet at nodes; where none are named, ends that coincide are one node.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from rivergis import crs
from rivergis.patrol.fixes import Floats, Ints

BLOCK = 32  # segments under one bounding box
ROWS = 256  # nodes asked for their ways at a time: bounds the memory
ENDS_MEET_DECIMALS = 7  # of degrees, about 1 cm
KEPT_NEIGHBOURHOODS = 64
PART_DEGREES = 0.2  # about 20 km: a track is taken in parts of this way
GRID_DEGREES = 0.01  # about 1 km: tracks of one walk share a neighbourhood


@dataclass(frozen=True, eq=False)
class Water:
    """Reaches of one neighbourhood in metres of a local transverse Mercator.

    ``number``: their positions in the frame; ``vertex`` (n, 2) and ``at_m`` (n,), the measure of every vertex on the ellipsoid;
    ``first`` (r + 1,): where each reach begins in them; ``box`` (b, 4) and ``first_box`` (r + 1,): bounding boxes of blocks of
    segments; ``length_m``, ``half_m``, ``visible_m`` (r,); ``node`` (r, 2): node numbers at first and last vertex; ``way_row``
    (k + 1,), ``way_to``, ``way_m``, ``way_via``: for every node the nodes within the reach of the search, how far along the
    water, and the reach by which they are arrived at (-1: the node itself).
    """

    transformer: pyproj.Transformer
    number: Ints
    vertex: Floats
    at_m: Floats
    first: Ints
    box: Floats
    first_box: Ints
    length_m: Floats
    half_m: Floats
    visible_m: Floats
    node: Ints
    way_row: Ints
    way_to: Ints
    way_m: Floats
    way_via: Ints

    def metres(self, lon: Floats, lat: Floats) -> Floats:
        """Degrees (WGS 84 or CGCS2000) to local metres, (n, 2)."""
        return np.column_stack(self.transformer.transform(lon, lat))

    def line(self, reach: int) -> Floats:
        """Vertices of one reach of the neighbourhood in local metres, (m, 2)."""
        return self.vertex[self.first[reach] : self.first[reach + 1]]


@lru_cache(maxsize=256)
def _projection(wkt: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs.STORAGE, wkt, always_xy=True)


@dataclass(eq=False)
class Waters:
    """All reaches that tracks may be matched to. See ``of``; ``near`` gives the neighbourhood of a place."""

    lonlat: Floats
    first: Ints
    bounds: Floats
    length_m: Floats
    half_m: Floats
    visible_m: Floats
    node: Ints
    search_m: float
    _kept: OrderedDict[tuple[float, float, bytes], Water] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, reaches: gpd.GeoDataFrame, visible_m: Floats, *, search_m: float) -> Waters:
        """Reaches as arrays: ``reaches`` LineStrings in degrees (EPSG:4490) with length_m, and where known half_width_m,
        from_node, to_node; ``visible_m``: how far from each line walking along it counts (see ``coverage.visible_m``);
        ``search_m``: how far along the water two neighbouring fixes may lie apart.
        """
        lines = reaches.geometry.values
        counts = shapely.get_num_coordinates(lines)
        half = reaches["half_width_m"].to_numpy(dtype=float) if "half_width_m" in reaches else np.zeros(len(reaches))
        return cls(
            shapely.get_coordinates(lines),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            shapely.bounds(lines),
            reaches["length_m"].to_numpy(dtype=float),
            np.nan_to_num(half),
            np.asarray(visible_m, dtype=float),
            _nodes(reaches),
            search_m,
        )

    def __len__(self) -> int:
        return len(self.length_m)

    def around(self, lon: Floats, lat: Floats, sights: float, extra_m: float) -> Ints:
        """Positions of the reaches whose bounding box comes within ``sights`` times their sight and ``extra_m`` of some places."""
        near = np.zeros(len(self), dtype=bool)
        dy, b = (self.visible_m * sights + extra_m) / 111_000.0, self.bounds
        for west, south, east, north in _spans(lon, lat):
            dx = dy / max(np.cos(np.radians(max(abs(south), abs(north)))), 0.01)
            near |= (b[:, 0] <= east + dx) & (b[:, 2] >= west - dx) & (b[:, 1] <= north + dy) & (b[:, 3] >= south - dy)
        return np.flatnonzero(near)

    def near(self, lon: Floats, lat: Floats, sights: float, extra_m: float) -> Water | None:
        """The neighbourhood of some places (degrees, never empty), see ``around``; None where there is no reach."""
        number = self.around(lon, lat, sights, extra_m)
        if not len(number):
            return None
        key = (round(float(np.median(lon)) * 2) / 2, round(float(np.median(lat)) * 2) / 2, number.tobytes())
        if key not in self._kept:
            self._kept[key] = self._prepared(number, crs.local_crs(key[0], key[1]))
            if len(self._kept) > KEPT_NEIGHBOURHOODS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _prepared(self, number: Ints, metric: pyproj.CRS) -> Water:
        way = _projection(metric.to_wkt())
        counts = np.diff(self.first)[number]
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = np.repeat(self.first[number] - first[:-1], counts) + np.arange(first[-1])
        vertex = np.column_stack(way.transform(self.lonlat[rows, 0], self.lonlat[rows, 1]))
        at_m = _measures(vertex, first, self.length_m[number])
        box, first_box = _boxes(vertex, first)
        names, node = np.unique(self.node[number], return_inverse=True)
        node = node.reshape(-1, 2).astype(np.int64)
        ways = _between(node, self.length_m[number], len(names), self.search_m)
        return Water(
            way, number, vertex, at_m, first, box, first_box,
            self.length_m[number], self.half_m[number], self.visible_m[number], node, *ways,
        )  # fmt: skip


def _spans(lon: Floats, lat: Floats) -> set[tuple[float, ...]]:
    """Bounding boxes (west, south, east, north) of the parts of a track, on a grid: a long drive, or a first fix in another
    province, must not draw in all that lies between. Each part includes the step to the next, unless it is a leap."""
    step = np.maximum(np.abs(np.diff(lon, prepend=lon[0])), np.abs(np.diff(lat, prepend=lat[0])))
    first = np.flatnonzero(np.diff(np.floor(np.cumsum(step) / PART_DEGREES), prepend=-1.0))
    out = set()
    for a, b in itertools.pairwise([*first.tolist(), len(lon)]):
        part = slice(a, b + 1 if b < len(lon) and step[b] < PART_DEGREES else b)
        low = np.floor(np.array([lon[part].min(), lat[part].min()]) / GRID_DEGREES)
        high = np.ceil(np.array([lon[part].max(), lat[part].max()]) / GRID_DEGREES)
        out.add((*(low * GRID_DEGREES).tolist(), *(high * GRID_DEGREES).tolist()))
    return out


def _nodes(reaches: gpd.GeoDataFrame) -> Ints:
    """Node numbers at both ends of every reach, (r, 2)."""
    spots = np.concatenate([shapely.get_coordinates(shapely.get_point(reaches.geometry.values, at)) for at in (0, -1)])
    at, _ = pd.factorize(pd.Series(np.round(spots, ENDS_MEET_DECIMALS).tolist()).map(str))
    none = pd.Series(None, index=reaches.index, dtype=object)
    named = pd.concat(
        [names_of(reaches[c]) if c in reaches else none for c in ("from_node", "to_node")], ignore_index=True
    )
    named = named.fillna(pd.Series(at).map(named.groupby(at).first()))  # without a name: as those it meets
    number, _ = pd.factorize(named.where(named.notna(), pd.Series(at)).to_numpy(dtype=object))
    return np.column_stack([number[: len(reaches)], number[len(reaches) :]]).astype(np.int64)


def names_of(values: pd.Series) -> pd.Series:
    """Names as text, None where missing or blank; a column of whole numbers with holes, which reads as fractions, keeps its numbers."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    text = values.astype("string").str.strip()
    return text.astype(object).where(text.notna() & (text != ""), None)


def _measures(vertex: Floats, first: Ints, length_m: Floats) -> Floats:
    """Metres from the first vertex of its reach to every vertex; the last is the ellipsoidal length of the reach."""
    step = np.hypot(*np.diff(vertex, axis=0, prepend=vertex[:1]).T)
    step[first[:-1]] = 0.0
    run = np.cumsum(step)
    along = run - np.repeat(run[first[:-1]], np.diff(first))
    drawn = along[first[1:] - 1]
    return along * np.repeat(length_m / np.where(drawn > 0, drawn, 1.0), np.diff(first))


def _boxes(vertex: Floats, first: Ints) -> tuple[Floats, Ints]:
    """Bounding boxes (min x, min y, max x, max y) of every ``BLOCK`` segments of each reach, and where each reach's begin."""
    starts = [np.arange(a, b - 1, BLOCK) for a, b in itertools.pairwise(first)]
    ends = [np.minimum(s + BLOCK, b - 1) for s, b in zip(starts, first[1:], strict=True)]
    a, b = np.concatenate(starts), np.concatenate(ends)
    low = np.minimum(np.minimum.reduceat(vertex, a), vertex[b])
    high = np.maximum(np.maximum.reduceat(vertex, a), vertex[b])
    return np.column_stack([low, high]), np.concatenate([[0], np.cumsum([len(s) for s in starts])]).astype(np.int64)


def _between(node: Ints, length_m: Floats, nodes: int, search_m: float) -> tuple[Ints, Ints, Floats, Ints]:
    """Shortest ways along the water between all nodes within ``search_m``: row starts, columns, metres, last reach of each."""
    ends, metres = np.vstack([node, node[:, ::-1]]), np.tile(length_m, 2)
    order = np.argsort(-metres, kind="stable")  # of parallel reaches the shortest is written last
    link = dict(zip(map(tuple, ends[order].tolist()), (order % len(length_m)).tolist(), strict=True))
    ends = np.array(list(link), dtype=np.int64).reshape(-1, 2)
    reach = np.fromiter(link.values(), dtype=np.int64, count=len(link))
    graph = coo_array((np.maximum(length_m[reach], 1e-6), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes)).tocsr()
    parts = []
    for start in range(0, nodes, ROWS):
        rows = np.arange(start, min(start + ROWS, nodes))
        far, before = dijkstra(graph, directed=False, indices=rows, limit=search_m, return_predecessors=True)
        i, j = np.nonzero(np.isfinite(far))
        last = [link.get((b, c), -1) for b, c in zip(before[i, j].tolist(), j.tolist(), strict=True)]
        parts.append((rows[i], j, far[i, j], np.array(last, dtype=np.int64)))
    row, column, far_m, via = (np.concatenate(p) for p in zip(*parts, strict=True))
    return np.searchsorted(row, np.arange(nodes + 1)).astype(np.int64), column.astype(np.int64), far_m, via
