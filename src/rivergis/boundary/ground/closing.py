"""Lines are the law, areas are derived: management areas made of what was delivered, with every repair and guess said.

A crossed polygon keeps all its lobes; a line that closes, or misses itself by no more than the snap tolerance, becomes an
area; two bank lines become the area between them. What cannot be closed is left undecided, never closed by guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.ops import substring

from rivergis import crs, geometry

_MEETS_M = 0.01  # ends nearer than a centimetre meet; survey files are written to millimetres
_FAR_ALONG = 10  # snap tolerances along a line, from which it may close on itself
_BANKS = {
    **dict.fromkeys(("left", "l", "左", "左岸"), "left"),
    **dict.fromkeys(("right", "r", "右", "右岸"), "right"),
}
_NAMES_BANK = {
    "left": re.compile(r"左[岸侧]|(?<![a-z])left(?![a-z])"),
    "right": re.compile(r"右[岸侧]|(?<![a-z])right(?![a-z])"),
}


@dataclass(frozen=True)
class Said:
    """One thing found out or done on the way: stable code, one sentence, and which features it concerns."""

    code: str
    sentence: str
    features: tuple[str, ...] = ()
    layer: str = "boundary"

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "layer": self.layer, "features": list(self.features[:20]), "sentence": self.sentence}


@dataclass(frozen=True)
class Closed:
    """Areas made of a boundary layer; both frames in the CRS given, in metres.

    ``areas``: attributes of the first feature of each, ``features`` (their numbers), valid MultiPolygons. ``doubts``: where a
    line that could not be closed leaves it open what is inside (Polygon), with ``features`` and ``because``.
    """

    areas: gpd.GeoDataFrame
    doubts: gpd.GeoDataFrame
    said: list[Said] = field(default_factory=list)


def bank_of(word: Any) -> str | None:
    """left or right, in whatever words a layer says it (左岸管理线, LEFT_BANK); None if it does not, or says both."""
    plain = unicodedata.normalize("NFKC", str(word)).strip().lower()
    named = {side for side, said in _NAMES_BANK.items() if said.search(plain)}
    return _BANKS.get(plain) or (named.pop() if len(named) == 1 else None)


def close(frame: gpd.GeoDataFrame, *, group: str | None, bank: str | None, snap_m: float, doubt_m: float) -> Closed:
    """Management areas (管理范围) of a boundary layer of polygons, lines or both.

    ``frame``: metres, index = feature number; ``group``: column that says which lines belong together (reach, delimitation);
    None = all; ``bank``: column with left or right; ``snap_m``: gap that may be closed; ``doubt_m``: how far around an open line
    it stays open what is inside. Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(frame)
    shapes = frame.geometry
    empty = (shapes.isna() | shapes.is_empty).to_numpy()
    said = [_none(frame.index[empty])] if empty.any() else []
    areal = shapes.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"]).to_numpy() & ~empty
    rows: list[tuple[Any, tuple[str, ...], Any]] = []
    for fid, shape in shapes[areal].items():
        area = geometry.polygons_of(shape)
        if not shape.is_valid:
            said.append(_repaired(fid, shape, area))
        if not area.is_empty:
            rows.append((fid, (str(fid),), area))
    doubts: list[tuple[tuple[str, ...], str, Any]] = []
    lines = frame[~areal & ~empty & shapes.geom_type.str.contains("Line", na=False).to_numpy()]
    for _, mine in lines.groupby(lines[group], sort=False, dropna=False) if group else [(None, lines)]:
        if len(mine):
            _close_lines(mine, bank, snap_m, doubt_m, rows, doubts, said)
    areas = frame.loc[[r[0] for r in rows]].reset_index(drop=True)
    areas = areas.set_geometry(gpd.GeoSeries([r[2] for r in rows], crs=frame.crs)).assign(features=[r[1] for r in rows])
    open_ = gpd.GeoDataFrame(
        {"features": [d[0] for d in doubts], "because": [d[1] for d in doubts]},
        geometry=gpd.GeoSeries([d[2] for d in doubts], crs=frame.crs),
    )
    return Closed(areas, open_, said)


def _none(features: pd.Index) -> Said:
    names = tuple(map(str, features))
    return Said(
        "boundary_skipped", f"{len(names)} features of the boundary have no geometry and bound nothing: {', '.join(names[:5])}.", names
    )  # fmt: skip


def _repaired(fid: Any, shape: Any, area: shapely.MultiPolygon) -> Said:
    where = shapely.is_valid_reason(shape)
    return Said(
        "boundary_repaired",
        f"Boundary feature {fid} is drawn wrongly ({where}): it was repaired to {len(area.geoms)} parts of {area.area:.1f} m² in all.",
        (str(fid),),
    )


def _close_lines(
    mine: gpd.GeoDataFrame,
    bank: str | None,
    snap_m: float,
    doubt_m: float,
    rows: list[Any],
    doubts: list[Any],
    said: list[Said],
) -> None:
    """Areas of the lines that belong together: rings first, then the two banks, and what is left stays open."""
    names = tuple(map(str, mine.index))
    sides = mine[bank].map(bank_of) if bank else pd.Series(None, index=mine.index, dtype=object)
    chains: list[_Chain] = []
    for side in (None, "left", "right"):
        of_side = mine[sides.isna()] if side is None else mine[sides == side]
        chains += [_Chain(line, side) for line in _parts(of_side.geometry)]
    joined, gaps = _join(chains, snap_m)
    once = _once(joined, snap_m)
    if len(once) < len(joined):
        said.append(_twice(len(joined) - len(once), names, snap_m))
    rings, loose = _rings(once, snap_m)
    banks, open_ = _between_banks(loose)
    area = rings
    if banks is not None:
        polygon, caps = banks
        island = not rings.is_empty and bool(rings.within(polygon))
        area = geometry.polygons_of(polygon.difference(rings) if island else shapely.union_all([polygon, rings]))
        said.append(_from_banks(polygon, caps, names))
    if not rings.is_empty:
        said.append(_closes(rings, banks is not None and area.area < polygon.area, names))
    if not area.is_empty:
        rows.append((mine.index[0], names, area))
    if gaps:
        said.append(_gaps_closed(gaps, names))
    if open_:
        because = (
            f"The boundary lines {_few(names)} do not close: their ends are {_gap_m(open_):.1f} m apart, more than the {snap_m:g} m that "
            "may be closed; close them, or say which bank each line is."
        )
        doubts.append((names, because, shapely.MultiLineString([c.line for c in open_]).convex_hull.buffer(doubt_m)))
        said.append(Said("boundary_not_closed", because + " What lies there is undecided.", names))


def _once(chains: list[_Chain], snap_m: float) -> list[_Chain]:
    """The chains without rings that are drawn a second time: each nowhere farther than ``snap_m`` from the other."""
    kept: list[_Chain] = []
    rings: list[tuple[Any, Any]] = []
    for chain in chains:
        near = chain.line.buffer(snap_m) if chain.closed else None
        if near is not None and any(chain.line.within(n) and line.within(near) for line, n in rings):
            continue
        kept.append(chain)
        if near is not None:
            rings.append((chain.line, near))
    return kept


def _twice(count: int, names: tuple[str, ...], snap_m: float) -> Said:
    return Said(
        "boundary_repaired",
        f"{count} rings of the boundary lines {_few(names)} are drawn a second time, nowhere {snap_m:g} m off the first: the first is taken.",
        names,
    )


def _closes(rings: shapely.MultiPolygon, island: bool, names: tuple[str, ...]) -> Said:
    taken = "is left out as an island" if island else "is taken"
    return Said(
        "boundary_line_polygonised",
        f"The boundary lines {_few(names)} close: the area they enclose, {rings.area:.1f} m², {taken}.",
        names,
    )


def _from_banks(polygon: shapely.Polygon, caps: tuple[float, float], names: tuple[str, ...]) -> Said:
    return Said(
        "boundary_from_banks",
        f"The left and right bank lines {_few(names)} were joined at their ends by straight lines of {caps[0]:.1f} m and "
        f"{caps[1]:.1f} m: the area between them, {polygon.area:.1f} m², is taken.",
        names,
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _gaps_closed(gaps: list[tuple[float, Any]], names: tuple[str, ...]) -> Said:
    told = "; ".join(f"{m:.2f} m at {p[0]:.1f} E {p[1]:.1f} N" for m, p in gaps[:5])
    return Said("boundary_gap_closed", f"Gaps in the boundary lines {_few(names)} were closed: {told}.", names)


@dataclass(frozen=True)
class _Chain:
    line: shapely.LineString
    side: str | None

    @property
    def ends(self) -> np.ndarray:
        """(2, 2) first and last vertex."""
        return shapely.get_coordinates(self.line)[[0, -1]]

    @property
    def closed(self) -> bool:
        return bool((self.ends[0] == self.ends[1]).all())


def _parts(shapes: Any) -> list[shapely.LineString]:
    """Lines of one bank, those that meet exactly already one."""
    return geometry.lines_of(
        shapely.MultiLineString(shapely.get_parts(shapely.force_2d(np.asarray(shapes, dtype=object))).tolist())
    )


def _join(chains: list[_Chain], snap_m: float) -> tuple[list[_Chain], list[tuple[float, Any]]]:
    """Chains joined end to end, the nearest ends first, while they are within ``snap_m``; gaps closed with length and place.

    A chain of one bank joins the other bank only where they meet, so that two banks a few metres apart stay two.
    """
    chains = list(chains)
    gaps: list[tuple[float, Any]] = []
    while True:
        best = min(_meetings(chains, snap_m), default=None)
        if best is None:
            return chains, gaps
        gap, i, end_i, j, end_j = best
        if gap > _MEETS_M:
            gaps.append((gap, chains[i].ends[end_i]))
        chains = _linked(chains, i, end_i, j, end_j)


def _meetings(chains: list[_Chain], snap_m: float) -> list[tuple[float, int, int, int, int]]:
    open_ = [i for i, c in enumerate(chains) if not c.closed]
    if not open_:
        return []
    ends = np.array([chains[i].ends[e] for i in open_ for e in (0, 1)])
    owner = np.repeat(open_, 2)
    a, b = cKDTree(ends).query_pairs(snap_m, output_type="ndarray").T
    gap = np.hypot(*(ends[a] - ends[b]).T)
    out = []
    for x, y, m in zip(a, b, gap, strict=True):
        i, j = int(owner[x]), int(owner[y])
        sides = {chains[i].side, chains[j].side}
        if (len(sides - {None}) == 2 and m > _MEETS_M) or (i == j and chains[i].line.length <= 2 * m):
            continue
        out.append((float(m), i, int(x % 2), j, int(y % 2)))
    return out


def _linked(chains: list[_Chain], i: int, end_i: int, j: int, end_j: int) -> list[_Chain]:
    """The chains with the end of one joined to the end of another, or to its own other end."""
    a = shapely.get_coordinates(chains[i].line)
    if i == j:
        ring = _Chain(shapely.LineString(np.vstack([a, a[:1]])), chains[i].side)
        return [*(c for k, c in enumerate(chains) if k != i), ring]
    b = shapely.get_coordinates(chains[j].line)
    a, b = (a if end_i == 1 else a[::-1]), (b if end_j == 0 else b[::-1])
    side = chains[i].side if chains[i].side == chains[j].side else None
    return [*(c for k, c in enumerate(chains) if k not in (i, j)), _Chain(shapely.LineString(np.vstack([a, b])), side)]


def _rings(chains: list[_Chain], snap_m: float) -> tuple[shapely.MultiPolygon, list[_Chain]]:
    """The area that the chains enclose, inner rings left out as islands, and the chains that enclose nothing.

    A free end that reaches within ``snap_m`` of a line, or runs over it by less, is a closed corner badly drawn.
    """
    if not chains:
        return shapely.MultiPolygon(), []
    noded = shapely.union_all([c.line for c in chains] + _feet(chains, snap_m))
    area = geometry.polygons_of(shapely.build_area(noded))
    if area.is_empty:
        return area, chains
    outline = area.boundary.buffer(_MEETS_M)
    loose = []
    for c in chains:
        left = [] if c.line.within(area.buffer(_MEETS_M)) else geometry.lines_of(c.line.difference(outline))
        loose += [_Chain(line, c.side) for line in left if line.length > snap_m]
    return area, loose


def _feet(chains: list[_Chain], snap_m: float) -> list[shapely.LineString]:
    """Short lines from free ends to the line they nearly reach; of their own line only what is far along the way counts,
    so that a rough bank does not close on itself at every corner."""
    out = []
    for c in chains:
        if c.closed:
            continue
        far = min(_FAR_ALONG * snap_m, c.line.length)
        rest = (substring(c.line, far, c.line.length), substring(c.line, 0, c.line.length - far))
        for end, own in zip(shapely.points(c.ends), rest, strict=True):
            near = [o.line for o in chains if o is not c and len({o.side, c.side} - {None}) < 2]
            others = shapely.union_all([own, *near])
            if 0 < others.distance(end) <= snap_m:
                out.append(shapely.shortest_line(end, others))
    return out


def _between_banks(loose: list[_Chain]) -> tuple[tuple[shapely.Polygon, tuple[float, float]] | None, list[_Chain]]:
    """The area between one left and one right bank line with the lengths of its straight ends, and the chains left open."""
    left, right = ([c for c in loose if c.side == side] for side in ("left", "right"))
    if len(left) != 1 or len(right) != 1:
        return None, loose
    a, b = shapely.get_coordinates(left[0].line), shapely.get_coordinates(right[0].line)
    tries = []
    for other in (b, b[::-1]):
        caps = (float(np.hypot(*(a[-1] - other[0]))), float(np.hypot(*(other[-1] - a[0]))))
        polygon = shapely.Polygon(np.vstack([a, other]))
        if polygon.is_valid and max(caps) <= min(left[0].line.length, right[0].line.length):
            tries.append((sum(caps), polygon, caps))
    if not tries:
        return None, loose
    _, polygon, caps = min(tries, key=lambda t: t[0])
    return (polygon, caps), [c for c in loose if c is not left[0] and c is not right[0]]


def _gap_m(chains: list[_Chain]) -> float:
    """How far apart the ends of open chains are: of the nearest two different ones, or of a lone one's own."""
    ends = np.vstack([c.ends for c in chains])
    a, b = np.triu_indices(len(ends), 1)
    return float(np.hypot(*(ends[a] - ends[b]).T).min())
