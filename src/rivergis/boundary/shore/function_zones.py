"""Shoreline function zones (岸线功能区, 四区): stretches of the outer line of each bank, whether they fit together, and their shares.

A zone is told by chainage on the axis or by its own line; its length is that of the outer line between. Source: 办河湖函〔2019〕394号
for the four zones; how length is counted is open in published work, so the rule is given and printed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from rivergis.boundary.ground.bank_chains import Chain, merged
from rivergis.boundary.stake import spots as stake_spots

Floats = npt.NDArray[np.float64]
Stretch = tuple[float, float]
TYPES = ("protection", "reserve", "controlled_use", "development")
KEPT = ("protection", "reserve")
USE = "use"
"""Kind of a stretch that is no zone: a use or a permit, which may be a single place."""
_OFF_END_M = 1.0  # what lies no farther beyond the end of the line is the end, written to a metre


@dataclass(frozen=True)
class Shore:
    """The shoreline of one bank of a river: its chains in order, as one line of metres from 0 to ``length_m``."""

    river: str
    river_name: str
    bank: str
    chains: tuple[Chain, ...]
    island: bool = False

    @cached_property
    def starts(self) -> Floats:
        """Metres along the shore at which each chain begins."""
        return np.concatenate([[0.0], np.cumsum([c.length_m for c in self.chains])])

    @property
    def length_m(self) -> float:
        return float(self.starts[-1])

    @cached_property
    def _measured(self) -> tuple[Floats, Floats]:
        parts = [c.measured() for c in self.chains]
        along = np.concatenate([s + start for (s, _), start in zip(parts, self.starts, strict=False)])
        return along, np.maximum.accumulate(np.concatenate([at for _, at in parts]))

    @property
    def from_m(self) -> float:
        return float(self._measured[1][0])

    @property
    def to_m(self) -> float:
        return float(self._measured[1][-1])

    def at_m(self, along: float) -> float:
        """Chainage on the axis."""
        return float(np.interp(along, *self._measured))

    def along(self, at_m: float) -> float:
        """Metres along the shore of a chainage; an end of the shore for what lies beyond it."""
        s, at = self._measured
        return float(np.interp(at_m, at + np.arange(len(at)) * 1e-9, s))

    def off_m(self, shape: shapely.Geometry) -> float:
        """How far a shape lies off the shoreline, m."""
        return float(min(shapely.distance(c.line, shape) for c in self.chains))

    def riverward(self, shape: shapely.Geometry) -> bool:
        """Whether a shape lies on the river's side of the line, as far as the axis."""
        chain = min(self.chains, key=lambda c: shapely.distance(c.line, shape))
        spot = np.array([shape.representative_point()], dtype=object)
        at = float(shapely.line_locate_point(chain.line, spot)[0])
        reach = chain.part_at(at).course.reach_of(spot[0])
        this_side = reach.side(spot)[0] * (1 if chain.bank == "left" else -1) >= 0
        return bool(this_side and stake_spots.side_out(chain, spot)[0] < 0 and 0 < at < chain.length_m)

    def farthest_m(self, shape: shapely.Geometry) -> float:
        """How far the farthest vertex of a shape lies off the shoreline, m."""
        points = shapely.points(shapely.get_coordinates(shape))
        return float(np.min([shapely.distance(c.line, points) for c in self.chains], axis=0).max())

    def beyond_m(self, from_m: float, to_m: float) -> float:
        """How much of a stretch of chainage lies beyond the ends of the shore.

        On a bend the end of a line stands farther up or down its axis by up to as much as it lies off it: so near counts as the end.
        """
        first, last = self.chains[0], self.chains[-1]
        ends = first.point(0.0), last.point(last.length_m)
        slack = [c.part_at(s).course.reach_of(p).line.distance(p) for c, s, p in zip((first, last), (0.0, last.length_m), ends, strict=True)]  # fmt: skip
        over = self.from_m - from_m, to_m - self.to_m
        return float(sum(x for x, near in zip(over, slack, strict=True) if x > near))

    def stretch_of(self, shape: shapely.Geometry) -> Stretch:
        """The stretch beside which a shape lies: between the outermost feet of its vertices on the nearest chain of each."""
        points = shapely.points(shapely.get_coordinates(shape))
        far = np.array([shapely.distance(c.line, points) for c in self.chains])
        nearest = far.argmin(axis=0)
        feet = [self.starts[n] + shapely.line_locate_point(self.chains[n].line, p) for n, p in zip(nearest, points, strict=True)]  # fmt: skip
        return float(min(feet)), float(max(feet))

    def lines(self, stretch: Stretch) -> shapely.MultiLineString:
        """The shoreline between two places."""
        out = []
        for chain, start in zip(self.chains, self.starts, strict=False):
            a, b = max(stretch[0] - start, 0.0), min(stretch[1] - start, chain.length_m)
            if b > a:
                out.append(shapely.ops.substring(chain.line, a, b))
        return shapely.MultiLineString(out)


def shores_of(chains: Sequence[Chain], islands: Mapping[Hashable, bool] | None = None) -> list[Shore]:
    """The shoreline of each bank of each river; lines round islands (row of the lines -> True) apart."""
    kept: dict[tuple[str, str, bool], list[Chain]] = {}
    for chain in chains:
        island = bool((islands or {}).get(chain.parts[0].row, False))
        kept.setdefault((chain.river, chain.bank, island), []).append(chain)
    return [
        Shore(river, some[0].river_name, bank, tuple(sorted(some, key=lambda c: (c.from_m, c.to_m))), island)
        for (river, bank, island), some in kept.items()
    ]


@dataclass(frozen=True)
class Zone:
    """A zone as a plan says it: name, type (one of ``TYPES``, None = not understood) and its word, where it lies.

    ``from_m``, ``to_m``: chainage, NaN where not given; ``shape``: its own line or area, in metres.
    """

    name: str
    kind: str | None
    given: str
    river: str | None
    bank: str | None
    from_m: float = math.nan
    to_m: float = math.nan
    shape: shapely.Geometry | None = None
    island: bool = False
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Laid:
    """A zone on its shore: the stretch that it covers, in metres along the shore."""

    zone: Zone
    shore: int
    stretch: Stretch

    @property
    def length_m(self) -> float:
        return self.stretch[1] - self.stretch[0]


@dataclass(frozen=True)
class Defect:
    """What is not as it should be: code, where (chainage), how long along the shoreline, and the zones it is about."""

    code: str
    river: str
    bank: str
    from_m: float
    to_m: float
    length_m: float
    zones: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class Limits:
    """``shortest_m``: shorter gaps and overlaps are not told; ``off_m``: how far off the shoreline the line of a zone may lie."""

    shortest_m: float
    off_m: float


def lay(zones: Sequence[Zone], shores: Sequence[Shore], limits: Limits) -> tuple[list[Laid], list[Defect]]:
    """Each zone on its shoreline, and what kept one from it or was put right: unknown words, reversed or missing ends, beyond the line."""
    laid: list[Laid] = []
    defects: list[Defect] = []
    for zone in zones:
        if zone.kind is None:
            defects.append(_of(zone, "unknown_type", detail=zone.given))
        found = _shore_of(zone, shores)
        if isinstance(found, str):
            defects.append(_of(zone, found))
            continue
        stretch, told = _stretch(zone, shores[found], limits)
        defects += told
        if stretch is None:
            continue
        if stretch[1] > stretch[0] or zone.kind == USE:
            laid.append(Laid(zone, found, stretch))
        else:
            defects.append(_of(zone, "no_stretch"))
    return laid, defects


def _of(zone: Zone, code: str, length_m: float = math.nan, detail: str = "") -> Defect:
    return Defect(code, zone.river or "", zone.bank or "", zone.from_m, zone.to_m, length_m, (zone.name,), detail)


def _shore_of(zone: Zone, shores: Sequence[Shore]) -> int | str:
    """Which shore a zone lies on: by river and bank, else by its own line; or the code of what is missing."""
    fit = [
        i
        for i, s in enumerate(shores)
        if zone.river in (None, s.river) and zone.bank in (None, s.bank) and (s.island == zone.island)
    ]
    if zone.shape is not None and fit:
        return min(fit, key=lambda i: (round(shores[i].off_m(zone.shape), 3), i))
    if zone.river is None:
        return "unknown_river"
    if zone.bank is None:
        return "unknown_bank"
    return fit[0] if fit else "no_shoreline"


def _stretch(zone: Zone, shore: Shore, limits: Limits) -> tuple[Stretch | None, list[Defect]]:
    zone = replace(zone, river=shore.river, bank=shore.bank)
    if zone.shape is not None:
        return _by_shape(zone, zone.shape, shore, limits)
    if math.isnan(zone.from_m) or math.isnan(zone.to_m):
        return None, [_of(zone, "no_stretch")]
    told = []
    a, b = zone.from_m, zone.to_m
    if a > b:
        told.append(_of(zone, "order_reversed", a - b))
        a, b = b, a
    beyond = shore.beyond_m(a, b)
    if beyond > max(_OFF_END_M, limits.shortest_m):
        told.append(_of(zone, "beyond_line", beyond))
    return (shore.along(a), shore.along(b)), told


def _by_shape(zone: Zone, shape: shapely.Geometry, shore: Shore, limits: Limits) -> tuple[Stretch, list[Defect]]:
    stretch = shore.stretch_of(shape)
    told = []
    off = shore.off_m(shape) if zone.kind == USE else shore.farthest_m(shape)
    if off > limits.off_m:
        told.append(_of(zone, "off_line", off))
    if not math.isnan(zone.from_m) and not math.isnan(zone.to_m):
        apart = max(abs(shore.at_m(stretch[0]) - min(zone.from_m, zone.to_m)), abs(shore.at_m(stretch[1]) - max(zone.from_m, zone.to_m)))  # fmt: skip
        if apart > limits.off_m:
            told.append(_of(zone, "chainage_differs", apart))
    return stretch, told


def fit(laid: Sequence[Laid], shores: Sequence[Shore], limits: Limits) -> list[Defect]:
    """Stretches that two zones claim (重叠) and that none does (未覆盖), each with its chainage."""
    out: list[Defect] = []
    for n, shore in enumerate(shores):
        mine = [x for x in laid if x.shore == n]
        if not mine:
            out.append(_told("without_zones", shore, (0.0, shore.length_m), ()))
            continue
        for stretch, zones in overlaps(mine):
            if stretch[1] - stretch[0] >= limits.shortest_m:
                one = len({z.zone.kind for z in zones}) == 1
                out.append(_told("overlap_same" if one else "overlap", shore, stretch, tuple(z.zone.name for z in zones)))  # fmt: skip
        for gap in minus([(0.0, shore.length_m)], [x.stretch for x in mine]):
            if gap[1] - gap[0] >= limits.shortest_m:
                out.append(_told("uncovered", shore, gap, ()))
    return out


def _told(code: str, shore: Shore, stretch: Stretch, zones: tuple[str, ...]) -> Defect:
    a, b = (shore.at_m(s) for s in stretch)
    return Defect(code, shore.river, shore.bank, a, b, stretch[1] - stretch[0], zones, "island" if shore.island else "")


def overlaps(laid: Sequence[Laid]) -> list[tuple[Stretch, tuple[Laid, ...]]]:
    """Stretches that several zones claim, and which, in order."""
    cuts = sorted({s for x in laid for s in x.stretch})
    out: list[tuple[Stretch, tuple[Laid, ...]]] = []
    for a, b in itertools.pairwise(cuts):
        zones = tuple(x for x in laid if x.stretch[0] < b and a < x.stretch[1])
        if len(zones) < 2:
            continue
        if out and out[-1][1] == zones and out[-1][0][1] == a:
            out[-1] = ((out[-1][0][0], b), zones)
        else:
            out.append(((a, b), zones))
    return out


def minus(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of stretches without others.

    >>> minus([(0, 10)], [(2, 3), (5, 12)])
    [(0, 2), (3, 5)]
    """
    left = merged(list(stretches))
    for c, d in merged(list(taken)):
        left = [p for a, b in left for p in ((a, min(b, c)), (max(a, d), b)) if p[1] > p[0]]
    return left


def common(one: Iterable[Stretch], other: Iterable[Stretch]) -> list[Stretch]:
    """What two sets of stretches share."""
    other = merged(list(other))
    found = [(max(a, c), min(b, d)) for a, b in merged(list(one)) for c, d in other]
    return merged([s for s in found if s[1] > s[0]])


def long(stretches: Iterable[Stretch]) -> float:
    """Metres of stretches, none counted twice."""
    return float(sum(b - a for a, b in merged(list(stretches))))


@dataclass(frozen=True)
class Counting:
    """What is counted as shoreline: whether islands count, and whether stretches without a zone do."""

    line: str
    islands: bool
    gaps: bool


@dataclass(frozen=True)
class Share:
    """Share of protection and reserve zones of a river (or of all): least and most, where zones of other types claim the same stretch."""

    river: str
    river_name: str
    line_m: float
    zoned_m: float
    uncovered_m: float
    overlap_m: float
    by_type_m: Mapping[str, float]
    counted_m: float
    kept_least_m: float
    kept_most_m: float

    @property
    def least(self) -> float | None:
        return self.kept_least_m / self.counted_m if self.counted_m else None

    @property
    def most(self) -> float | None:
        return self.kept_most_m / self.counted_m if self.counted_m else None

    def reaches(self, wanted: float | None) -> str:
        """``reached``, ``not_reached``, ``open`` (the overlaps decide), ``no_rule`` or ``nothing_counted``."""
        if wanted is None:
            return "no_rule"
        if self.least is None or self.most is None:
            return "nothing_counted"
        return "reached" if self.least >= wanted else "not_reached" if self.most < wanted else "open"


def shares(laid: Sequence[Laid], shores: Sequence[Shore], counting: Counting) -> list[Share]:
    """Shares of each river in order, and last those of all rivers (river ``""``)."""
    rivers = dict.fromkeys(s.river for s in shores)
    rows = [_share(river, laid, shores, counting) for river in rivers]
    return [*rows, _all(rows)] if rows else []


def _share(river: str, laid: Sequence[Laid], shores: Sequence[Shore], counting: Counting) -> Share:
    mine = [n for n, s in enumerate(shores) if s.river == river and (counting.islands or not s.island)]
    line = sum(shores[n].length_m for n in mine)
    zoned = overlap = least = most = 0.0
    by_type = dict.fromkeys((*TYPES, "unknown"), 0.0)
    for n in mine:
        of = {t: [x.stretch for x in laid if x.shore == n and (x.zone.kind or "unknown") == t] for t in by_type}
        every = [s for some in of.values() for s in some]
        kept = merged([s for t in KEPT for s in of[t]])
        others = [s for t, some in of.items() if t not in KEPT for s in some]
        zoned += long(every)
        overlap += sum(b - a for a, b in every) - long(every)
        most += long(kept)
        least += long(minus(kept, others))
        by_type = {t: by_type[t] + long(some) for t, some in of.items()}
    name = next(s.river_name for s in shores if s.river == river)
    return Share(
        river, name, line, zoned, line - zoned, overlap, by_type, line if counting.gaps else zoned, least, most
    )


def _all(rows: Sequence[Share]) -> Share:
    def total(name: str) -> float:
        return float(sum(getattr(r, name) for r in rows))

    by_type = {t: sum(r.by_type_m[t] for r in rows) for t in rows[0].by_type_m}
    return Share(
        "", "", total("line_m"), total("zoned_m"), total("uncovered_m"), total("overlap_m"), by_type, total("counted_m"),
        total("kept_least_m"), total("kept_most_m"),
    )  # fmt: skip
