"""Pieces that are cut, extended and added to one by one, and handed back as one ``Drawn``.

What a step does to single lines is easy to say piece by piece and slow to say on a frame; the sheet keeps the promises of
``Drawn`` meanwhile: the end vertices of a piece are its nodes, and the numbers along a source line stay without a gap.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis.river.drawn import Drawn, Floats, NetworkDefect

_SAME_M = 1e-6
MADE = {"source_fid": -1, "piece": 0, "covered": False, "flow": 0, "level": 0}
"""What a made piece says of itself; all other columns of the frame say nothing about it."""


class Sheet:
    """Pieces by number: ``lines`` (LineString, metric), ``start``, ``end`` (numbers into ``nodes``), ``row`` (of the frame
    they came from, -1 made here), ``kind``; a piece that is cut keeps its number for the first part."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.lines: list[shapely.LineString] = list(drawn.pieces.geometry)
        self.start, self.end = drawn.start.tolist(), drawn.end.tolist()
        self.nodes: list[tuple[float, float]] = [tuple(xy) for xy in drawn.nodes.tolist()]
        self.row = list(range(len(self.lines)))
        self.along = [0.0] * len(self.lines)
        self.kind: list[str] = drawn.pieces["kind"].tolist()
        self.repair: list[str | None] = [r if isinstance(r, str) else None for r in drawn.pieces["repair"]]
        self.name: list[str | None] = [n if isinstance(n, str) else None for n in drawn.pieces["name"]]
        self.changed = False

    def node_at(self, xy: npt.ArrayLike) -> int:
        """A new node."""
        x, y = np.asarray(xy, dtype=np.float64)
        self.nodes.append((float(x), float(y)))
        return len(self.nodes) - 1

    def cut(self, piece: int, at_m: npt.ArrayLike) -> list[int]:
        """Cut a piece at rising positions (metres from its start, none at its ends); the numbers of the parts in order."""
        parts = cut_line(self.lines[piece], np.asarray(at_m, dtype=np.float64))
        numbers = [piece, *range(len(self.lines), len(self.lines) + len(parts) - 1)]
        self.changed |= len(parts) > 1
        last, along, before, self.lines[piece] = self.end[piece], self.along[piece], piece, parts[0]
        for number, part in zip(numbers[1:], parts[1:], strict=True):
            along += self.lines[before].length
            self.end[before] = self.node_at(part.coords[0])
            self._append(part, self.end[before], last, piece, along)
            before = number
        return numbers

    def _append(self, line: shapely.LineString, start: int, end: int, like: int, along: float) -> None:
        self.lines.append(line)
        self.start.append(start)
        self.end.append(end)
        self.row.append(self.row[like])
        self.along.append(along)
        self.kind.append(self.kind[like])
        self.repair.append(self.repair[like])
        self.name.append(self.name[like])

    def make(self, line: shapely.LineString, start: int, end: int, name: str | None) -> int:
        """A flow path that was not drawn, between two nodes."""
        self.lines.append(line)
        self.start.append(start)
        self.end.append(end)
        self.row.append(-1)
        self.along.append(0.0)
        self.kind.append("flow_path")
        self.repair.append("made")
        self.name.append(name)
        self.changed = True
        return len(self.lines) - 1

    def unite(self, node: int, into: int) -> None:
        """Make two nodes at one place the same; the end vertices of the pieces at the first move onto the second."""
        for piece in [i for i, ends in enumerate(zip(self.start, self.end, strict=True)) if node in ends]:
            xy = shapely.get_coordinates(self.lines[piece])
            if self.start[piece] == node:
                self.start[piece], xy[0] = into, self.nodes[into]
            if self.end[piece] == node:
                self.end[piece], xy[-1] = into, self.nodes[into]
            self.lines[piece] = shapely.LineString(xy)
        self.changed = True

    def extend(self, piece: int, node: int, to: tuple[float, float]) -> None:
        """Lead the open end of a piece on to a place; its node moves there."""
        coords = list(self.lines[piece].coords)
        at_start = self.start[piece] == node
        self.lines[piece] = shapely.LineString([to, *coords] if at_start else [*coords, to])
        said = self.repair[piece]
        if "extended" not in (said or "").split("+"):
            self.repair[piece] = f"{said}+extended" if said else "extended"
        self.nodes[node] = to
        self.changed = True

    def joint(self, pieces: list[int], at: shapely.Point) -> tuple[int, list[int]]:
        """Node at a place on one of some pieces, which is cut there if it has none; and the parts that this added."""
        nearest = min(pieces, key=lambda i: self.lines[i].distance(at))
        at_m = self.lines[nearest].project(at)
        if at_m <= _SAME_M:
            return self.start[nearest], []
        if at_m >= self.lines[nearest].length - _SAME_M:
            return self.end[nearest], []
        added = self.cut(nearest, [at_m])[1:]
        return self.end[nearest], added

    def done(self, defects: list[NetworkDefect]) -> Drawn:
        """What was handed in, with all that was changed; the same object's pieces where nothing was."""
        if not self.changed:
            return self.drawn.with_(defects=[*self.drawn.defects, *defects])
        row, along = np.array(self.row), np.array(self.along)
        order = np.lexsort([along, np.where(row < 0, len(row), row)])
        frame = self._frame(order)
        frame["piece"] = _numbered(frame, row[order], along[order])
        start, end = (np.array(e, dtype=np.int64)[order] for e in (self.start, self.end))
        return Drawn(frame, start, end, np.array(self.nodes), [*self.drawn.defects, *defects])

    def _frame(self, order: npt.NDArray[np.int64]) -> gpd.GeoDataFrame:
        old = self.drawn.pieces
        row = np.array(self.row)[order]
        kept = old.iloc[row[row >= 0]].reset_index(drop=True)
        names = [self.name[i] for i in order[row < 0]]
        made = {c: v for c, v in MADE.items() if c in old.columns}
        new = pd.DataFrame(made, index=range(len(names))) if names else kept.iloc[:0]
        flat = pd.concat([f.drop(columns=old.geometry.name, errors="ignore") for f in (kept, new)], ignore_index=True)
        for column, values in (("kind", self.kind), ("repair", self.repair), ("name", self.name)):
            flat[column] = pd.Series([values[i] for i in order], dtype=object)
        return gpd.GeoDataFrame(flat, geometry=[self.lines[i] for i in order], crs=old.crs)[list(old.columns)]


def cut_line(line: shapely.LineString, at_m: Floats) -> list[shapely.LineString]:
    """Parts of a line between rising positions along it, in metres; neighbours share their vertex exactly."""
    xy = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    at_m = at_m[(at_m > _SAME_M) & (at_m < along[-1] - _SAME_M)]
    near = np.clip(np.searchsorted(along, at_m), 1, len(along) - 1)
    near = np.where(along[near] - at_m < at_m - along[near - 1], near, near - 1)
    at_m = np.unique(np.where(np.abs(along[near] - at_m) < _SAME_M, along[near], at_m))
    places = np.column_stack([np.interp(at_m, along, xy[:, k]) for k in (0, 1)])
    stops, ends = np.concatenate([[0.0], at_m, [along[-1]]]), np.vstack([xy[:1], places, xy[-1:]])
    inner = [xy[(along > a) & (along < b)] for a, b in itertools.pairwise(stops)]
    return [shapely.LineString(np.vstack([ends[i], inside, ends[i + 1]])) for i, inside in enumerate(inner)]


def _numbered(frame: gpd.GeoDataFrame, row: npt.NDArray[np.int64], along: Floats) -> npt.NDArray[np.int64]:
    """Numbers along each source line, anew where one of its pieces was cut."""
    number = frame["piece"].to_numpy(dtype=np.int64)
    source = frame["source_fid"].to_numpy(dtype=np.int64)
    renew = np.isin(source, source[(row >= 0) & (along > 0)]) & (source >= 0)
    order = np.lexsort([along, row, number, source])
    order = order[renew[order]]
    out = number.copy()
    out[order] = pd.Series(source[order]).groupby(source[order]).cumcount().to_numpy() + 1
    return out
