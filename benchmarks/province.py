"""A fictional province for the benchmarks: rivers with known truth, water areas, outlets and administrative units.

Run: .venv/bin/python benchmarks/province.py --reaches 60000 --seed 7 --out FOLDER [--reversed 0.33] [--dirt 0.02]
Writes rivers.gpkg, truth.gpkg, water_areas.gpkg, outlets.gpkg and admin.gpkg (EPSG:4490); the same for the same seed.

The trees are grown on random sites by flooding a rough relief from the outlets (invasion percolation), bent so that
tributaries join at acute angles, and drawn as meandering lines. Every name is made of a list of syllables.
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import pyproj
import shapely
from scipy.spatial import Delaunay, cKDTree

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

WEST, SOUTH, EAST, NORTH = 104.5, 27.0, 110.0, 32.0
MIDDLE = ((WEST + EAST) / 2, (SOUTH + NORTH) / 2)
CLEAR_M = 60.0  # no open end comes closer to another line
DEGREE_M = 111_000.0
GEOD = pyproj.Geod(a=6378137.0, rf=298.257222101)  # CGCS2000
SYLLABLES = "青白玄朱岚沧澄漪翠霁溯泠珩璟芷苓菘荇葭蔚岫崦嵋屿岑峦皋坂圻垚栎桷楸榉槿棠檀杪枫椴鹭鸢雎鹄麂獐貘鲔鳜鲟"


@dataclass(frozen=True)
class Tree:
    """Sites in a plane (m) and where each one drains: ``down`` is -1 at an outlet, -2 where no river is."""

    xy: Floats
    down: Ints
    order: Ints  # sites of the rivers, outlets first, every site after the one it drains to
    pairs: Ints  # neighbouring sites
    spacing_m: float


def rivers(seed: int, reaches: int, reversed_: float = 0.0, dirt: float = 0.0) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Centre lines as a survey office delivers them (CODE, NAME, TYPE), and the truth of each CODE.

    ``reversed_``: share of lines drawn upstream. ``dirt``: share of lines with each of: a reversed course, an end that
    stops short, an end that runs past, a second copy, a cover.
    Truth: NEXT_CODE, STRAHLER, LENGTH_M, UPSTREAM_M (itself and all that drains into it, each once), CHANNEL, DRAWN (1, -1).
    """
    lines, truth, _ = _clean(seed, reaches)
    return _soiled(lines.copy(), truth.copy(), np.random.default_rng([seed, 2]), reversed_, dirt)


@cache
def _clean(seed: int, reaches: int) -> tuple[gpd.GeoDataFrame, pd.DataFrame, _Paths]:
    rng = np.random.default_rng([seed, 1])
    braids, canals = round(0.02 * reaches), 2 + reaches // 2000
    # what the breaks, arms and canals add is taken off; the last per cent are lines cut where an attribute changes
    tree = _thinned(_grown(seed, rng, reaches), rng, round(0.99 * reaches) - 3 * braids - 5 * canals)
    paths = _Paths(tree, rng)
    arms = _braids(paths, rng, braids)
    side = [*arms, *_canals(paths, rng, canals, arms)]
    lines, truth = _delivered(paths, side, rng, reaches)
    return lines, truth, paths


# --- growing ---


def outline(seed: int) -> shapely.Polygon:
    """The border of the province in the plane."""
    rng = np.random.default_rng([seed, 0])
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    wobble = sum(rng.normal() * 0.12 / k * np.cos(k * turn + rng.uniform(0, 2 * np.pi)) for k in range(2, 24))
    corner = np.abs(np.cos(turn)) ** 4 + np.abs(np.sin(turn)) ** 4  # between a circle and a box
    r = np.minimum(
        corner**-0.25 * np.clip(0.85 + 0.4 * wobble, 0.6, 1.0),
        1.0 / np.maximum(np.abs(np.cos(turn)), np.abs(np.sin(turn))),
    )
    half = _to_plane(np.array([[EAST, NORTH]]))[0]
    return shapely.Polygon(np.column_stack([np.cos(turn), np.sin(turn)]) * r[:, None] * half)


def _to_plane(degrees: Floats) -> Floats:
    return (degrees - MIDDLE) * DEGREE_M * [np.cos(np.radians(MIDDLE[1])), 1.0]


def _to_degrees(xy: Floats) -> Floats:
    """Plane metres to degrees with the digits of a survey (about a millimetre)."""
    return np.round(xy / DEGREE_M / [np.cos(np.radians(MIDDLE[1])), 1.0] + MIDDLE, 8)


def _grown(seed: int, rng: np.random.Generator, reaches: int) -> Tree:
    """Trees over random sites, each growing from its outlet up the lowest land that is left."""
    border = outline(seed)
    spacing = float(np.sqrt(border.area / (2.3 * reaches)))
    xy = _sites(border, spacing, rng)
    z = _relief(xy, spacing, rng)
    corners = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0
    )
    pairs = pairs[np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T) < 2.5 * spacing].astype(np.int64)
    down, order = _flooded(z, pairs, _outlets(xy, z, border, 4 + reaches // 10_000))
    return Tree(xy, down, order, pairs, spacing)


def _sites(border: shapely.Polygon, spacing: float, rng: np.random.Generator) -> Floats:
    """One site in each cell of a net, away from its neighbours, inside the border."""
    west, south, east, north = border.bounds
    x, y = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
    x = x + 0.5 * spacing * (np.arange(len(x)) % 2)[:, None]
    xy = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.33, 0.33, (x.size, 2)) * spacing
    shapely.prepare(border)
    return xy[shapely.contains_xy(border, xy)]


def _relief(xy: Floats, spacing: float, rng: np.random.Generator) -> Floats:
    """Waves of every length: ranges, hills, and roughness from site to site."""
    z = np.zeros(len(xy))
    for length in np.geomspace(3 * spacing, 400_000, 9):
        for _ in range(8):
            turn, phase = rng.uniform(0, 2 * np.pi, 2)
            z += (length / 400_000) ** 0.4 * np.cos(2 * np.pi / length * (xy @ [np.cos(turn), np.sin(turn)]) + phase)
    return z + 1.5 * (spacing / 400_000) ** 0.35 * rng.random(len(xy))


def _outlets(xy: Floats, z: Floats, border: shapely.Polygon, count: int) -> list[int]:
    """Low places along the border, apart from each other."""
    edge = np.unique(
        shapely.STRtree(shapely.points(xy)).nearest(shapely.points(shapely.get_coordinates(border.exterior)))
    )
    apart = border.length / (2.5 * count)
    chosen: list[int] = []
    for i in edge[np.argsort(z[edge])].tolist():
        if len(chosen) < count and all(np.hypot(*(xy[i] - xy[j])) > apart for j in chosen):
            chosen.append(i)
    return chosen


def _flooded(z: Floats, pairs: Ints, outlets: list[int]) -> tuple[Ints, Ints]:
    """Where each site drains to; no more than two rivers meet at one place."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    first, near = np.searchsorted(both[:, 0], np.arange(len(z) + 1)).tolist(), both[:, 1].tolist()
    height = z.tolist()
    down, room, order = [-2] * len(height), [2] * len(height), []
    heap = [(height[i], i, -1) for i in outlets]
    for i in outlets:
        room[i] = 1
    heapq.heapify(heap)
    while heap:
        level, i, to = heapq.heappop(heap)
        if down[i] != -2 or (to >= 0 and room[to] == 0):
            continue
        down[i] = to
        order.append(i)
        if to >= 0:
            room[to] -= 1
        for j in near[first[i] : first[i + 1]]:
            if down[j] == -2:
                heapq.heappush(heap, (max(level, height[j]), j, i))
    return np.array(down, dtype=np.int64), np.array(order, dtype=np.int64)


def _thinned(tree: Tree, rng: np.random.Generator, reaches: int) -> Tree:
    """The trees without so many of their outermost twigs that about ``reaches`` lines between confluences are left."""
    down = tree.down.copy()
    while True:
        children = np.bincount(down[down >= 0], minlength=len(down))
        live = down >= 0
        excess = int((live & (children != 1)).sum()) - reaches
        if excess <= 0:
            return Tree(tree.xy, down, tree.order[down[tree.order] != -2], tree.pairs, tree.spacing_m)
        tips = np.flatnonzero(live & (children == 0))
        down[rng.permutation(tips)[: max(1, excess // 3)]] = -2


# --- drawing ---


class _Paths:
    """A tree with its measures and one curve per site, from the site to where it drains."""

    def __init__(self, tree: Tree, rng: np.random.Generator) -> None:
        self.tree, self.down = tree, tree.down
        self.up = tree.order[::-1]  # every site before the one it drains to
        self.flowing = np.flatnonzero(tree.down >= 0)
        self.children = np.bincount(self.down[self.flowing], minlength=len(self.down))
        self._climb()
        self.xy = self._bent()
        self.broken = self.children != 1  # sites where lines end
        self.curve, self.at = self._curves(rng)

    def _climb(self) -> None:
        """Sites above each one, Strahler's order, the main site above, basin and distance to the outlet in sites."""
        n = len(self.down)
        size, order, top, twice = [1] * n, [1] * n, [0] * n, [0] * n
        main, down = [-1] * n, self.down.tolist()
        for i in self.up.tolist():
            order[i] = max(1, top[i] + (twice[i] > 1))
            to = down[i]
            if to < 0:
                continue
            size[to] += size[i]
            if main[to] < 0 or size[i] > size[main[to]]:
                main[to] = i
            if order[i] > top[to]:
                top[to], twice[to] = order[i], 1
            elif order[i] == top[to]:
                twice[to] += 1
        basin, depth = [-1] * n, [0] * n
        for i in self.tree.order.tolist():
            basin[i], depth[i] = (i, 0) if down[i] < 0 else (basin[down[i]], depth[down[i]] + 1)
        self.size, self.strahler, self.main, self.basin, self.depth = map(np.array, (size, order, main, basin, depth))

    def _bent(self) -> Floats:
        """Sites moved as if the rivers were ropes under tension, the larger the stronger: confluences point downstream."""
        c, xy = self.flowing, self.tree.xy.copy()
        d = self.down[c]
        for _ in range(8):
            pull = np.sqrt(self.size[c]) / np.maximum(np.hypot(*(xy[c] - xy[d]).T), 1.0)
            ends, other = np.r_[c, d], np.r_[d, c]
            weight = np.bincount(ends, np.r_[pull, pull], len(xy))
            aim = np.column_stack([np.bincount(ends, np.r_[pull, pull] * xy[other, k], len(xy)) for k in (0, 1)])
            inner = (self.children > 0) & (self.down >= 0)
            xy[inner] += 0.3 * (aim[inner] / weight[inner, None] - xy[inner])
        return self._uncrossed(xy)

    def _uncrossed(self, xy: Floats) -> Floats:
        c = self.flowing
        while True:
            lines = shapely.linestrings(np.stack([xy[c], xy[self.down[c]]], axis=1))
            hit = np.unique(shapely.STRtree(lines).query(lines, predicate="crosses"))
            if not len(hit):
                return xy
            back = np.unique(np.r_[c[hit], self.down[c[hit]]])
            back = np.union1d(back, c[np.isin(self.down[c], back)])
            xy[back] = self.tree.xy[back]

    def _curves(self, rng: np.random.Generator) -> tuple[Shapes, Ints]:
        """A meandering line for each flowing site, calmer where it would cross another; and the row of each site."""
        c = self.flowing
        steps = rng.integers(7, 13, len(c))
        steps[(self.children[c] == 1) | (self.children[self.down[c]] == 1)] = 7
        waves = rng.normal(size=(len(c), 3)) * [0.12, 0.08, 0.05]
        phases = rng.uniform(0, 2 * np.pi, (len(c), 3))
        leave, arrive = self._tangents()
        calm = np.ones(len(c))
        while True:
            lines = _meander(self.xy[c], self.xy[self.down[c]], leave, arrive, waves, phases, steps, calm)
            hit = np.unique(
                np.r_[
                    shapely.STRtree(lines).query(lines, predicate="crosses").ravel(),
                    np.flatnonzero(~shapely.is_simple(lines)),
                ]
            )
            if not len(hit):
                break
            calm[hit] = np.where(calm[hit] < 0.2, 0.0, calm[hit] / 2)
        lines = self._tips_apart(lines)
        at = np.full(len(self.down), -1)
        at[c] = np.arange(len(c))
        return lines, at

    def _tips_apart(self, lines: Shapes) -> Shapes:
        """Sources moved down their brook where another line passes close by: no survey would tell it from a gap."""
        tips = np.flatnonzero(self.children[self.flowing] == 0)
        while True:
            points = shapely.get_point(lines[tips], 0)
            tip, other = shapely.STRtree(lines).query(points, predicate="dwithin", distance=CLEAR_M)
            close = tips[np.unique(tip[other != tips[tip]])]
            close = close[shapely.get_num_coordinates(lines[close]) > 3]
            if not len(close):
                return lines
            lines[close] = [shapely.LineString(line.coords[1:]) for line in lines[close]]

    def _tangents(self) -> tuple[Floats, Floats]:
        """Directions in which each curve leaves its site and arrives below: tributaries turn into the stem at 30 to 70 degrees."""
        c = self.flowing
        d = self.down[c]
        chord = np.arctan2(*(self.xy[d] - self.xy[c]).T[::-1])
        stem = np.zeros(len(self.down))  # direction of the stem at each site
        lower = np.where(self.down >= 0, self.down, np.arange(len(self.down)))
        upper = np.where(self.main >= 0, self.main, np.arange(len(self.down)))
        stem = np.arctan2(*(self.xy[lower] - self.xy[upper]).T[::-1])
        off = np.angle(np.exp(1j * (chord - stem[d])))
        joins = np.sign(off) * np.clip(np.abs(off), np.radians(30), np.radians(70))
        arrive = stem[d] + np.where(self.main[d] == c, 0.0, joins)
        return np.exp(1j * stem[c]), np.exp(1j * arrive)


def _meander(
    a: Floats,
    b: Floats,
    leave: npt.ArrayLike,
    arrive: npt.ArrayLike,
    waves: Floats,
    phases: Floats,
    steps: Ints,
    calm: Floats,
) -> Shapes:
    """Cubic curves from a to b with waves across them that die out at both ends; ``calm`` 0 is a straight line."""
    row = np.repeat(np.arange(len(a)), steps + 1)
    k = np.arange(len(row)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    t = k / steps[row]
    p, q = a @ [1, 1j], b @ [1, 1j]
    span = (q - p)[row]
    hold = 0.8 * np.abs(span)
    straight = p[row] + t * span
    bent = (2 * t**3 - 3 * t**2 + 1) * p[row] + (3 * t**2 - 2 * t**3) * q[row]
    bent += hold * ((t**3 - 2 * t**2 + t) * np.asarray(leave)[row] + (t**3 - t**2) * np.asarray(arrive)[row])
    wave = (waves[row] * np.sin(2 * np.pi * t[:, None] * [1, 2, 3] + phases[row])).sum(axis=1)
    bent += np.sin(np.pi * t) ** 2 * wave * 1j * span
    z = straight + calm[row] * (bent - straight)
    ends = k == 0, k == steps[row]
    z[ends[0]], z[ends[1]] = p, q  # the same numbers on all lines that meet
    return shapely.linestrings(np.column_stack([z.real, z.imag]), indices=row)


@dataclass(frozen=True)
class Side:
    """A line beside the trees: an arm that leaves its river and returns, or a canal into another basin."""

    start: int
    end: int
    line: shapely.LineString
    canal: bool


def _braids(paths: _Paths, rng: np.random.Generator, count: int) -> list[Side]:
    """Arms beside stretches between two plain sites, on the outer side, clear of everything."""
    c = paths.flowing
    d = paths.down[c]
    plain = (paths.children[c] == 1) & (paths.children[d] == 1) & (paths.down[d] >= 0) & (paths.strahler[c] >= 2)
    c = rng.permutation(c[plain])
    bulge = rng.choice([-1.0, 1.0], len(c)) * rng.uniform(0.22, 0.35, len(c))
    a, b = paths.xy[c], paths.xy[paths.down[c]]
    along = np.exp(1j * np.angle((b - a) @ [1, 1j]))
    turn = np.exp(1j * bulge * 3.5)
    waves, none = np.column_stack([np.zeros(len(c)), np.zeros(len(c)), np.full(len(c), 0.02)]), np.ones(len(c))
    lines = _meander(
        a, b, along * turn * 1.8, along / turn * 1.8, waves, np.zeros((len(c), 3)), rng.integers(8, 15, len(c)), none
    )
    found = _clear(paths, [], c, paths.down[c], lines, count, canal=False)
    for side in found:
        paths.broken[[side.start, side.end]] = True
    return found


def _canals(paths: _Paths, rng: np.random.Generator, count: int, arms: list[Side]) -> list[Side]:
    """Short canals over a divide, from a brook of one basin to a river of the next; none takes water that another has taken."""
    both = np.concatenate([paths.tree.pairs, paths.tree.pairs[:, ::-1]])
    u, v = rng.permutation(both).T
    fit = (
        (paths.down[u] >= 0)
        & (paths.down[v] >= 0)
        & (paths.basin[u] < paths.basin[v])
        & (paths.children[u] > 0)
        & (paths.children[v] > 0)
    )
    fit &= (paths.strahler[u] <= 2) & (paths.strahler[v] >= paths.strahler[u]) & ~paths.broken[u]
    u, v = u[fit], v[fit]
    along = np.exp(1j * np.angle((paths.xy[v] - paths.xy[u]) @ [1, 1j]))
    none = np.zeros((len(u), 3))
    lines = _meander(paths.xy[u], paths.xy[v], along, along, none, none, np.full(len(u), 8), np.ones(len(u)))
    out: list[Side] = []
    for side in _clear(paths, arms, u, v, lines, 4 * count, canal=True):
        nested = any(side.start in _below(paths, o.start) or o.start in _below(paths, side.start) for o in out)
        if not nested and len(out) < count:
            out.append(side)
            paths.broken[[side.start, side.end]] = True
    return out


def _below(paths: _Paths, site: int) -> set[int]:
    out = {site}
    while paths.down[site] >= 0:
        site = int(paths.down[site])
        out.add(site)
    return out


def _clear(
    paths: _Paths, others: list[Side], start: Ints, end: Ints, lines: Shapes, count: int, canal: bool
) -> list[Side]:
    """The first of these lines that cross nothing and share no end with others."""
    there = shapely.STRtree([*paths.curve, *(o.line for o in others)])
    free = shapely.is_simple(lines)
    free[there.query(lines, predicate="crosses")[0]] = False
    free[shapely.STRtree(lines).query(lines, predicate="crosses")[0]] = False
    tips = shapely.get_point(paths.curve[paths.children[paths.flowing] == 0], 0)
    free[shapely.STRtree(tips).query(lines, predicate="dwithin", distance=CLEAR_M)[0]] = False
    used = paths.broken & (paths.children == 1)
    out: list[Side] = []
    for i in np.flatnonzero(free).tolist():
        ends = [int(start[i]), int(end[i])]
        if len(out) < count and not used[ends].any():
            used[ends] = True
            out.append(Side(*ends, lines[i], canal))
    return out


# --- delivering ---


def _delivered(
    paths: _Paths, side: list[Side], rng: np.random.Generator, reaches: int
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """The lines between broken sites with codes, names and types, in no order; and the truth."""
    plain = np.flatnonzero((paths.children == 1) & (paths.down >= 0) & ~paths.broken)
    missing = reaches - len(side) - int(paths.broken[paths.flowing].sum())
    paths.broken[rng.permutation(plain)[: max(missing, 0)]] = True
    head, foot, lines = _joined(paths)
    shapes = [shapely.transform(g, _to_degrees) for g in (lines, np.array([s.line for s in side]))]
    starts = np.r_[head, np.array([s.start for s in side], dtype=np.int64)]
    ends = np.r_[foot, np.array([s.end for s in side], dtype=np.int64)]
    frame = gpd.GeoDataFrame({"CODE": _codes(rng, len(starts))}, geometry=np.concatenate(shapes), crs=4490)
    length = np.array([GEOD.geometry_length(g) for g in frame.geometry])
    canal = np.array([s.canal for s in side], dtype=bool)
    frame["NAME"], frame["TYPE"] = _names(paths, starts, len(head), canal, rng)
    at = np.full(len(paths.down), -1)
    at[head] = np.arange(len(head))
    following = at[ends]
    code = frame["CODE"].to_numpy()
    truth = pd.DataFrame({
        "CODE": code, "NEXT_CODE": np.where(following >= 0, code[following], None), "STRAHLER": paths.strahler[starts],
        "LENGTH_M": length, "UPSTREAM_M": _upstream(paths, starts, ends, length, len(head), canal),
        "CHANNEL": np.where(np.arange(len(code)) < len(head), "main", "side"), "DRAWN": 1,
    })  # fmt: skip
    shuffled = rng.permutation(len(frame))
    return frame.iloc[shuffled].reset_index(drop=True), truth.iloc[shuffled].reset_index(drop=True)


def _joined(paths: _Paths) -> tuple[Ints, Ints, Shapes]:
    """Curves joined from broken site to broken site: first site, last site and line of each."""
    first = np.full(len(paths.down), -1)
    for i in paths.up.tolist():
        first[i] = i if paths.broken[i] else first[paths.main[i]]
    c = paths.flowing[np.lexsort((-paths.depth[paths.flowing], first[paths.flowing]))]
    head, number = np.unique(first[c], return_inverse=True)
    xy, curve = shapely.get_coordinates(paths.curve[paths.at[c]], return_index=True)
    row = number[curve]
    again = np.r_[
        False, (np.diff(curve) != 0) & (np.diff(row) == 0)
    ]  # the first vertex of a curve repeats the last before
    last = np.r_[np.flatnonzero(np.diff(number)), len(c) - 1]
    return head, paths.down[c[last]], shapely.linestrings(xy[~again], indices=row[~again])


def _codes(rng: np.random.Generator, count: int) -> list[str]:
    return [f"990000{i:06d}" for i in rng.permutation(count) + 1]


def _names(
    paths: _Paths, starts: Ints, rivers_: int, canal: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[list[str | None], list[str]]:
    """Rivers bear one name from source to mouth; most brooks, and half of the arms, bear none."""
    stem, mouth_order, down, main = {}, {}, paths.down, paths.main
    for i in paths.tree.order.tolist():
        goes_on = down[i] >= 0 and down[down[i]] >= 0 and main[down[i]] == i
        stem[i] = stem[int(down[i])] if goes_on else i
        mouth_order.setdefault(stem[i], int(paths.strahler[i]))
    n = len(SYLLABLES)
    numbers = rng.permutation(n**3)
    names: list[str | None] = []
    for row, site in enumerate(starts.tolist()):
        own, order = stem[site], mouth_order[stem[site]]
        number = int(numbers[own % n**3])
        word = SYLLABLES[number % n] + SYLLABLES[number // n % n] + (SYLLABLES[number // n // n] if order < 3 else "")
        named = order >= 2 or number % 5 == 0
        names.append(word + "沟溪溪河河江江江江"[min(order, 9) - 1] if named and row < rivers_ else None)
    order = paths.strahler[starts]
    types = np.where(order >= 3, "河流", "溪流")
    types[rivers_:] = np.where(canal, "干渠", "河流")
    return names, types.tolist()


def _upstream(
    paths: _Paths, starts: Ints, ends: Ints, length: Floats, rivers_: int, canal: npt.NDArray[np.bool_]
) -> Floats:
    """Length of each line and of all above it: sums over the trees, arms once where they return, canals' water by name.

    A canal brings a set of lines that no other canal brings (see ``_canals``), from a basin of lower number to a higher.
    """
    n = len(paths.down)
    above, brought = (
        np.zeros(n),
        [frozenset[int]()] * n,
    )  # at each site: of its own tree; and the canals whose water is here
    arms = np.arange(rivers_, len(starts))[~canal]
    canals = np.arange(rivers_, len(starts))[canal]
    np.add.at(above, ends[arms], length[arms])
    rank = np.empty(n, dtype=np.int64)
    rank[paths.up] = np.arange(len(paths.up))
    trees = np.arange(rivers_)[np.lexsort((rank[starts[:rivers_]], paths.basin[starts[:rivers_]]))]
    out, by_start = np.zeros(len(starts)), {int(starts[k]): int(k) for k in canals}
    worth: dict[int, float] = {}
    for i in trees.tolist():
        s, e = int(starts[i]), int(ends[i])
        if s in by_start:
            k = by_start[s]
            worth[k] = length[k] + above[s]
            brought[int(ends[k])] |= brought[s] | {k}
        out[i] = length[i] + above[s]
        above[e] += out[i]
        brought[e] |= brought[s]
    for i in range(len(starts)):
        own = out[i] if i < rivers_ else length[i] + above[starts[i]]
        out[i] = own + sum(worth[k] for k in brought[int(starts[i])])
    return out


def _soiled(
    lines: gpd.GeoDataFrame, truth: pd.DataFrame, rng: np.random.Generator, reversed_: float, dirt: float
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """The lines as they come out of many hands."""
    against, short, long, twice, under = (
        rng.random((5, len(lines))) < np.array([max(reversed_, dirt), *[dirt] * 4])[:, None]
    )
    shapes = lines.geometry.to_numpy()
    by_m = np.where(short, -1.0, np.where(long, 1.0, 0.0)) * rng.uniform(3, 15, len(lines))
    shapes = _last_moved(shapes, np.where(truth["NEXT_CODE"].isna(), 0.0, by_m))
    shapes = np.where(against, shapely.reverse(shapes), shapes)
    lines, truth["DRAWN"] = lines.set_geometry(gpd.GeoSeries(shapes, crs=lines.crs)), np.where(against, -1, 1)
    lines.loc[under & (truth["STRAHLER"] == 1), "TYPE"] = "暗渠"
    copies = lines[twice].assign(CODE=lambda f: f["CODE"] + "D")
    return pd.concat([lines, copies], ignore_index=True), truth


def _last_moved(shapes: Shapes, by_m: Floats) -> Shapes:
    """Lines whose last vertex is moved along the last segment, backwards by at most half of it."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    last = np.r_[np.flatnonzero(np.diff(row)), len(row) - 1]
    step = xy[last] - xy[last - 1]
    size = np.hypot(*(step * DEGREE_M * [np.cos(np.radians(MIDDLE[1])), 1.0]).T)
    xy[last] += step * np.maximum(by_m / size, -0.5)[:, None]
    return shapely.linestrings(xy, indices=row)


# --- what lies about the rivers ---


def areas(seed: int, reaches: int) -> gpd.GeoDataFrame:
    """Water surfaces (CODE, NAME, TYPE): polygons of the larger rivers, lakes and reservoirs that rivers run through."""
    lines, truth, paths = _clean(seed, reaches)
    rng = np.random.default_rng([seed, 3])
    order = truth["STRAHLER"].to_numpy()
    wide = (order >= min(5, order.max() - 1)) & (truth["CHANNEL"] == "main").to_numpy()
    plane = shapely.transform(lines.geometry.to_numpy()[wide], _to_plane)
    surface = gpd.GeoDataFrame(
        {"NAME": lines["NAME"][wide]}, geometry=shapely.buffer(plane, 8 * 1.8 ** (order[wide] - 3.0), quad_segs=3)
    )
    surface = surface.dissolve("NAME").explode().reset_index().assign(TYPE="河流")
    both = pd.concat([surface, _lakes(paths, rng, 2 + reaches // 300)], ignore_index=True)
    both["CODE"] = [f"99A{i:05d}" for i in range(1, len(both) + 1)]
    return gpd.GeoDataFrame(
        both[["CODE", "NAME", "TYPE"]], geometry=shapely.transform(both.geometry.to_numpy(), _to_degrees), crs=4490
    )


def _lakes(paths: _Paths, rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    """Round waters with bays about sites of rivers, not touching each other."""
    inner = np.flatnonzero((paths.children > 0) & (paths.down >= 0))
    chosen = rng.choice(inner, count, replace=False)
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wave = sum(
        rng.normal(0, 0.15 / k, (count, 1)) * np.cos(k * turn + rng.uniform(0, 2 * np.pi, (count, 1)))
        for k in range(2, 9)
    )
    radius = rng.uniform(0.15, 0.4, (count, 1)) * paths.tree.spacing_m * np.clip(1 + wave, 0.5, 1.5)
    rings = paths.xy[chosen, None, :] + np.stack([np.cos(turn), np.sin(turn)], axis=-1) * radius[:, :, None]
    kind = np.where(rng.random(count) < 0.6, "水库", "湖泊")
    names = ["".join(rng.choice(list(SYLLABLES), 2)) + ("水库" if k == "水库" else "湖") for k in kind]
    frame = gpd.GeoDataFrame({"NAME": names, "TYPE": kind}, geometry=shapely.polygons(rings))
    alone = np.ones(count, dtype=bool)
    a, b = shapely.STRtree(frame.geometry.to_numpy()).query(frame.geometry.to_numpy(), predicate="intersects")
    alone[np.maximum(a, b)[a != b]] = False
    return frame[alone]


def outlets(seed: int, reaches: int) -> gpd.GeoDataFrame:
    """Points where water leaves the province (CODE, NAME)."""
    lines, truth, _ = _clean(seed, reaches)
    mouth = truth["NEXT_CODE"].isna().to_numpy()
    names = [f"{name}出境断面" for name in lines["NAME"][mouth]]
    codes = [f"99O{i:03d}" for i in range(1, len(names) + 1)]
    return gpd.GeoDataFrame(
        {"CODE": codes, "NAME": names}, geometry=shapely.get_point(lines.geometry.to_numpy()[mouth], -1), crs=4490
    )


def units(seed: int, villages: int) -> gpd.GeoDataFrame:
    """Administrative units from the province to about so many villages (code, name, level, parent_code), without gaps."""
    rng = np.random.default_rng([seed, 4])
    border = outline(seed)
    west, south, east, north = border.bounds
    xy = rng.uniform([west, south], [east, north], (2 * villages, 2))
    xy = xy[shapely.contains_xy(border, xy)][:villages]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=border, ordered=True))
    shapes = shapely.intersection(cells, border)
    frames, codes, width = [], np.array(["99"] * len(xy)), {"city": 2, "county": 2, "town": 3, "village": 3}
    frames.append(
        gpd.GeoDataFrame(
            {"code": ["990000000000"], "name": ["苍岫省"], "level": "province", "parent_code": None}, geometry=[border]
        )
    )
    suffix = dict(zip(width, "市县乡村", strict=True))
    shares = {"city": 600, "county": 75, "town": 8, "village": 1}
    parent = np.array(["990000000000"] * len(xy))
    for level, share in shares.items():
        codes = _numbered(xy, codes, max(1, len(xy) // share), width[level], rng)
        full = np.char.ljust(codes, 12, "0")
        frame = (
            gpd.GeoDataFrame({"code": full, "parent_code": parent}, geometry=shapes)
            .dissolve("code", method="coverage")
            .reset_index()
        )
        frame["name"] = ["".join(rng.choice(list(SYLLABLES), 2)) + suffix[level] for _ in range(len(frame))]
        frames.append(frame.assign(level=level))
        parent = full
    whole = pd.concat(frames, ignore_index=True)
    multi = [
        shapely.MultiPolygon(shapely.get_parts(g).tolist())
        for g in shapely.transform(whole.geometry.to_numpy(), _to_degrees)
    ]
    return gpd.GeoDataFrame(whole[["code", "name", "level", "parent_code"]], geometry=multi, crs=4490)


def _numbered(
    xy: Floats, codes: npt.NDArray[np.str_], count: int, width: int, rng: np.random.Generator
) -> npt.NDArray[np.str_]:
    """Codes one level longer: each unit is parted among the seats that lie in it."""
    out = codes.astype(object)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        seats = own if count >= len(xy) else rng.choice(own, max(1, round(count * len(own) / len(xy))), replace=False)
        number = cKDTree(xy[seats]).query(xy[own])[1] + 1
        out[own] = [f"{code}{k:0{width}d}" for k in number]
    return out.astype(str)


def write(folder: Path, seed: int, reaches: int, reversed_: float = 0.0, dirt: float = 0.0) -> dict[str, int]:
    """All files of the province; how many features each has."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, truth = rivers(seed, reaches, reversed_, dirt)
    frames = {
        "rivers": lines,
        "truth": truth,
        "water_areas": areas(seed, reaches),
        "outlets": outlets(seed, reaches),
        "admin": units(seed, max(20, reaches // 10)),
    }
    for name, frame in frames.items():
        pyogrio.write_dataframe(frame, folder / f"{name}.gpkg", layer=name, driver="GPKG")
    return {name: len(frame) for name, frame in frames.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reversed", type=float, default=0.0, dest="reversed_", help="share of lines drawn upstream")
    parser.add_argument("--dirt", type=float, default=0.0, help="share of lines with each kind of fault")
    asked = parser.parse_args()
    for name, count in write(asked.out, asked.seed, asked.reaches, asked.reversed_, asked.dirt).items():
        print(f"{name}.gpkg {count:,}")


if __name__ == "__main__":
    main()
