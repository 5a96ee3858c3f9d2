"""Where do the stakes of a boundary line stand (界桩布设)? Placed by rule on the line, numbered downstream, seen from each other.

First what is there already, then the places that must have one, then base stakes (基本桩) so that none is farther from the next than
the rule says, then denser ones (加密桩) round bends and where the next is hidden. Existing stakes are never moved or renumbered,
so that placing twice changes nothing. Spacing is measured along the line, and on the inside of a bend along the river (up to
twice the line), whichever is longer: so that people who measure by chainage find none too wide either.
Source: 《广东省河湖及水利工程界桩、标示牌技术标准》 for base and dense stakes; the spacing is the rule of the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.boundary.ground.bank_chains import Chain
from rivergis.boundary.stake import spots
from rivergis.boundary.stake.sight import Sight
from rivergis.boundary.stake.spots import County, Mark, Method, Spot

Floats = npt.NDArray[np.float64]
_STEP_M = 5.0  # how closely a place is looked for from which both neighbours are seen
_MM = 0.001
_INSIDE = 2.0  # on the inside of a bend the river may count so many times the line: else stakes would crowd at a neck


@dataclass(frozen=True)
class Spacing:
    """Spacing of stakes at one place: the widest between base stakes, the narrowest and widest between dense ones, m."""

    base_m: float
    dense_least_m: float
    dense_m: float


@dataclass(frozen=True)
class Existing:
    """A stake that is there: number, where it stands (metres), kind, status, and what came with it."""

    number: str
    point: shapely.Point
    kind: str = "base"
    status: str = "good"
    river: str | None = None
    reach: str | None = None
    bank: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stake:
    """A stake on a chain. ``why``: what asked for it; ``existing`` is what stood there; ``sees_next``: yes, no, cannot_tell; None = not looked at."""

    chain: int
    along: float
    at_m: float
    kind: str
    why: tuple[str, ...]
    names: tuple[str, ...]
    point: shapely.Point
    reach: str
    county: str
    existing: Existing | None = None
    shared: bool = False
    """It marks this line too, but carries a number of another series."""
    to_next_m: float | None = None
    sees_next: str | None = None
    height_m: float | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ground:
    """What stakes are placed with: things beside the river, counties, rule of spacing, and what the DEM and water say.

    ``spacing``: (adcode of the county or None, populated) -> ``Spacing``. ``water``: where no stake can be set.
    """

    method: Method
    spacing: Callable[[str | None, bool], Spacing]
    marks: Sequence[Mark] = ()
    counties: Sequence[County] = ()
    county_of: dict[object, str] = field(default_factory=dict)
    """Row of the lines -> county that it names."""
    sight: Sight | None = None
    water: shapely.Geometry | None = None
    cliff_deg: float = 90.0


@dataclass(frozen=True)
class Held:
    """An existing stake on its chain: where along it, and how far off the line (positive away from the river)."""

    stake: Existing
    chain: int | None
    along: float = math.nan
    off_m: float = math.nan


def held(existing: Sequence[Existing], chains: Sequence[Chain], within_m: float) -> list[Held]:
    """Which line each existing stake marks: that of its own bank and reach or river, else the nearest; none beyond ``within_m``."""
    tree = shapely.STRtree([c.line for c in chains])
    out = []
    for stake in existing:
        near = [int(i) for i in tree.query(stake.point, "dwithin", within_m)]
        near.sort(key=lambda i: (_foreign(stake, chains[i]), round(float(chains[i].line.distance(stake.point)), 6), i))
        if not near:
            out.append(Held(stake, None))
            continue
        chain = chains[near[0]]
        along = float(shapely.line_locate_point(chain.line, stake.point))
        off = spots.side_out(chain, np.array([stake.point], dtype=object))
        out.append(Held(stake, near[0], along, float(off[0])))
    return out


def _foreign(stake: Existing, chain: Chain) -> int:
    """How many of what a stake says of itself the chain is not."""
    said = [(stake.bank, {chain.bank}), (stake.river, {chain.river, chain.river_name}), (stake.reach, {r.code for p in chain.parts for r in p.course.reaches})]  # fmt: skip
    return sum(1 for value, those in said if value is not None and value not in those)


def place(chains: Sequence[Chain], ground: Ground, existing: Sequence[Held] = ()) -> list[Stake]:
    """Stakes of all chains (metres), in their order along each; what is there already is kept where it stands.

    Neighbours are never farther apart than the rule of their place. A stake where lines of two rivers meet is set once and marks both.
    """
    shared = _Shared(chains, ground.method.same_m, existing)
    out: list[Stake] = []
    for n, chain in enumerate(chains):
        mine = [h for h in existing if h.chain == n]
        out += _Placing(n, chain, ground, shared).stakes(mine)
    return out


class _Shared:
    """Points in which lines meet: where one stake serves all."""

    def __init__(self, chains: Sequence[Chain], same_m: float, existing: Sequence[Held]) -> None:
        self.same_m = same_m
        self.rivers = [c.river for c in chains for _ in (0, -1)]
        self.ends = [shapely.get_point(c.line, i) for c in chains for i in (0, -1)]
        self.tree = shapely.STRtree(self.ends)
        self.owner: dict[int, int] = {}
        for h in existing:
            if h.chain is not None:
                self.claim(h.stake.point, h.chain)

    def mouths(self, chain: Chain) -> list[Spot]:
        """Where a line of another river ends on a chain."""
        near = sorted(int(i) for i in self.tree.query(chain.line, "dwithin", self.same_m))
        return spots.mouths(chain, [(self.rivers[i], self.ends[i]) for i in near])

    def _nodes(self, point: shapely.Point) -> list[int]:
        return sorted(int(i) for i in self.tree.query(point, "dwithin", self.same_m))

    def claim(self, point: shapely.Point, chain: int) -> bool:
        """Whether a stake there is this chain's to set; the first to ask has it."""
        nodes = self._nodes(point)
        owners = {self.owner[n] for n in nodes if n in self.owner}
        if owners and chain not in owners:
            return False
        self.owner.update(dict.fromkeys(nodes, chain))
        return True


@dataclass(frozen=True)
class _Set:
    """A place that was taken, and what asked for it."""

    along: float
    why: tuple[str, ...]
    names: tuple[str, ...]
    dense: bool = False
    held: Held | None = None


class _Placing:
    """One chain while it gets its stakes."""

    def __init__(self, number: int, chain: Chain, ground: Ground, shared: _Shared) -> None:
        self.number, self.chain, self.ground, self.shared = number, chain, ground, shared
        self.method = ground.method
        self.closed = chain.line.coords[0] == chain.line.coords[-1]
        xy, along = chain.vertices()
        self.vertices: tuple[Floats, Floats] = (
            (np.vstack([xy, xy]), np.concatenate([along, along + along[-1]])) if self.closed else (xy, along)
        )
        self.spaced = self._spaced()
        self.settled = spots.settled(chain, ground.marks, self.method.settled_m)
        self.in_county = [
            (c, chain.stretches_in(c.area)) for c in ground.counties if shapely.intersects(c.area, chain.line)
        ]

    def _spaced(self) -> tuple[Floats, Floats]:
        """Metres along the chain, and metres by which spacing counts there: of line or river, the longer."""
        s, at = self.chain.measured()
        step = np.diff(s)
        counts = np.concatenate([[0.0], np.cumsum(np.maximum(step, np.minimum(np.diff(at), _INSIDE * step)))])
        if self.closed:
            return np.concatenate([s, s + s[-1]]), np.concatenate([counts, counts + counts[-1]])
        return s, counts

    def _even(self, a: _Set, b: _Set, most_m: float, why: str, dense: bool) -> Iterator[_Set]:
        """Places at even steps between two others, so that none is farther from the next than so many metres."""
        s, counts = self.spaced
        first, last = np.interp([a.along, b.along], s, counts)
        parts = max(1, math.ceil((max(last - first, b.along - a.along) - _MM) / most_m))
        steps = np.linspace(first, last, parts + 1)[1:-1]
        return (_Set(float(x), (why,), (), dense) for x in np.interp(steps, counts, s))

    def stakes(self, mine: Sequence[Held]) -> list[Stake]:
        taken = self._musts(mine)
        taken = list(self._filled(taken))
        taken = list(self._rounded(taken))
        if self.ground.sight is not None:
            taken = list(self._seen(taken))
        return self._told(taken)

    def _musts(self, mine: Sequence[Held]) -> list[_Set]:
        """Existing stakes and the places that must have one; what is near enough to another joins it."""
        m, chain = self.method, self.chain
        wanted = [
            *spots.ends(chain),
            *spots.borders(chain, self.in_county),
            *spots.changes_of_county(chain, self.ground.county_of),
            *self.shared.mouths(chain),
            *spots.ends_of(self.settled, chain),
            *spots.bridges(chain, self.ground.marks, m.mark_m),
            *spots.bends(chain, m.bend_deg, m.simplify_m),
        ]
        taken = [_Set(h.along, (), (), h.stake.kind == "dense", h) for h in sorted(mine, key=lambda h: h.along)]
        for spot in wanted:
            near = [i for i, t in enumerate(taken) if abs(t.along - spot.along) <= self._reach_of(spot, t)]
            if near:
                i = min(near, key=lambda i: abs(taken[i].along - spot.along))
                taken[i] = _joined(taken[i], spot)
            else:
                taken.append(_Set(spot.along, (spot.why,), (spot.name,) if spot.name else (), spot.why == "bend"))
        return sorted(taken, key=lambda t: t.along)

    def _reach_of(self, spot: Spot, other: _Set) -> float:
        """How near a stake serves for a place."""
        if not spot.exact:
            return self._spacing(spot.along, spot.along).dense_least_m
        twice = spot.why == "county_border" and "county_border" in other.why
        return max(self.method.border_m, self.method.same_m) if twice else self.method.same_m

    def _spacing(self, a: float, b: float) -> Spacing:
        """The rule between two places: of the county in which most of the way lies, populated where most of it is."""
        middle = (a + b) / 2
        county = next((c.adcode for c, ss in self.in_county if any(s <= middle <= e for s, e in ss)), None)
        way = max(b - a, _MM)
        populated = spots.share_in(self.settled, middle - way / 2, middle + way / 2) > way / 2
        return self.ground.spacing(county, populated)

    def _filled(self, taken: list[_Set]) -> Iterator[_Set]:
        """Base stakes at even steps, so that no way between two is longer than the rule."""
        for a, b in self._ways(taken):
            yield a
            yield from self._even(a, b, self._spacing(a.along, b.along).base_m, "spacing", False)
        yield from self._last(taken)

    def _rounded(self, taken: list[_Set]) -> Iterator[_Set]:
        """Dense stakes where the line strays from the straight way between two stakes."""
        for a, b in self._ways(taken):
            yield a
            rule = self._spacing(a.along, b.along)
            bent = spots.strays_m(*self.vertices, a.along, b.along) > self.method.chord_m
            if bent:
                yield from self._even(a, b, rule.dense_m, "bend", True)
        yield from self._last(taken)

    def _seen(self, taken: list[_Set]) -> Iterator[_Set]:
        """Dense stakes where the next cannot be seen, if they make it seen."""
        for a, b in self._ways(taken):
            yield a
            if self._clear(a.along, b.along) < 0:
                least = self._spacing(a.along, b.along).dense_least_m
                yield from (_Set(s, ("sight",), (), True) for s in self._onlookers(a.along, b.along, least))
        yield from self._last(taken)

    def _ways(self, taken: list[_Set]) -> Iterator[tuple[_Set, _Set]]:
        """Neighbours; the last of a ring has its first as neighbour."""
        again = [replace(taken[0], along=taken[0].along + self.chain.length_m)] if self.closed else []
        onward = [*taken[1:], *again]
        yield from zip(taken, onward, strict=False)

    def _last(self, taken: list[_Set]) -> list[_Set]:
        return [] if self.closed else taken[-1:]

    def _xy(self, along: Any) -> Any:
        xy, s = self.vertices
        return np.column_stack([np.interp(along, s, xy[:, 0]), np.interp(along, s, xy[:, 1])])

    def _clear(self, a: float, b: float) -> float:
        assert self.ground.sight is not None
        xy = self._xy(np.array([a, b]))
        return float(self.ground.sight.clearance_m(xy[:1], xy[1:])[0])

    def _onlookers(self, a: float, b: float, least_m: float) -> list[float]:
        """Places between two stakes by which each sees the next; none where none do."""
        assert self.ground.sight is not None
        along = np.linspace(a, b, max(int((b - a) / _STEP_M), 2) + 1)
        chosen = self.ground.sight.split(self._xy(along), along, least_m)
        return [float(along[i]) for i in chosen or ()]

    def _told(self, taken: list[_Set]) -> list[Stake]:
        stakes = [self._stake(t) for t in taken]
        ways = [(a.along, b.along) for a, b in self._ways(taken)]
        told = [
            replace(s, to_next_m=b - a, sees_next=self._sees(a, b)) for s, (a, b) in zip(stakes, ways, strict=False)
        ]
        return told + stakes[len(ways) :]

    def _sees(self, a: float, b: float) -> str | None:
        if self.ground.sight is None:
            return None
        clear = self._clear(a, b)
        return "cannot_tell" if math.isnan(clear) else "yes" if clear >= 0 else "no"

    def _stake(self, t: _Set) -> Stake:
        chain = self.chain
        along = t.along if t.along <= chain.length_m else t.along - chain.length_m
        point = t.held.stake.point if t.held else chain.point(along)
        exact = any(w in ("line_end", "tributary") for w in t.why)
        mine = t.held is not None or not exact or self.shared.claim(point, self.number)
        part = chain.part_at(along)
        county = next((c.name for c, ss in self.in_county if any(s - _MM <= along <= e + _MM for s, e in ss)), "")
        kind, said = self._kind(t, point)
        return Stake(
            self.number,
            along,
            float(chain.at_m(along)),
            kind,
            t.why or (("existing",) if t.held else ("spacing",)),
            t.names,
            point,
            part.course.reach_of(chain.point(along)).code,
            county or self.ground.county_of.get(part.row, ""),
            t.held.stake if t.held else None,
            not mine,
            height_m=self._height(point),
            said=said,
        )

    def _height(self, point: shapely.Point) -> float | None:
        if self.ground.sight is None:
            return None
        z = float(self.ground.sight.heights(shapely.get_coordinates(point))[0])
        return None if math.isnan(z) else z

    def _kind(self, t: _Set, point: shapely.Point) -> tuple[str, tuple[str, ...]]:
        """Base or dense; virtual (电子桩) where none can be set: in water, on a cliff."""
        if t.held is not None:
            return t.held.stake.kind, ()
        if self.ground.water is not None and shapely.intersects(self.ground.water, point):
            return "virtual", ("in_water",)
        sight = self.ground.sight
        if sight is not None and sight.slope_deg(shapely.get_coordinates(point))[0] >= self.ground.cliff_deg:
            return "virtual", ("on_cliff",)
        return ("dense" if t.dense else "base"), ()


def _joined(t: _Set, spot: Spot) -> _Set:
    why = t.why if spot.why in t.why else (*t.why, spot.why)
    names = t.names if not spot.name or spot.name in t.names else (*t.names, spot.name)
    dense = t.dense and (spot.why == "bend" or t.held is not None)
    return replace(t, why=why, names=names, dense=dense)
