"""The river as a network: what lies upstream and downstream of a place, and the way along the water between two places.

Questions of the river manager (溯源、下泄): where may this come from, whom will it reach, how far is it along the channel?
Braids, loops and several outlets are followed to their end; every reach is told once, at its shortest distance.

Junction of two rivers with a side arm round an island:

    a ──> n1 ══m══> n2 ──c──> out        next: a -> m -> c; the side arm s also takes water of a
           ╰───s────╯
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

from rivergis import crs
from rivergis.errors import InputError, NotFound, UsageError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DIRECTIONS = ("up", "down")
TOUCH_M = 1e-6  # parts shorter than this are not reached: it only forgives the rounding of sums
SAME_PLACE_M = 1e-3  # a thing this near to the start is where the trace starts, and does not stop it
ENDS_MEET_DECIMALS = 7  # of degrees, about 1 cm: ends of reaches that name no nodes


@dataclass(frozen=True)
class Spot:
    """A place on a network: number of the reach in its frame's order, and metres along it from its upstream end."""

    reach: int
    at_m: float


@dataclass(frozen=True)
class Route:
    """The way along the water from one place to another.

    ``parts``: one row per reach in order: reach_id, direction (down or up), from_m, to_m (metres along the reach from its
    upstream end), distance_m (along the channel from the start to where the part is entered). ``way``: ``down`` (the start
    drains to the end), ``up`` (the end drains to the start) or ``confluence`` (down to the water that both reach first,
    then up), with ``node`` the confluence.
    """

    parts: pd.DataFrame
    length_m: float
    way: str
    node: str | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """Reaches between nodes as arrays, in the order of the frame they were made of. See ``of``.

    ``start``, ``end``: upstream and downstream node numbers; ``next``: number of the main successor, -1 at an outlet.
    """

    reach_id: npt.NDArray[np.object_]
    node_id: npt.NDArray[np.object_]
    start: Ints
    end: Ints
    next: Ints
    length_m: Floats

    @classmethod
    def of(cls, reaches: pd.DataFrame) -> Network:
        """The network of a frame of reaches: ``reach_id``, ``from_node``, ``to_node``, ``next_reach_id``, ``length_m``.

        Shoreline reaches stand outside. Reaches that name no nodes meet where their ends coincide (EPSG:4490, to about 1 cm);
        where other reaches leave and ``next_reach_id`` is missing, the main successor is the first main channel of the same
        river, else of another. Cycles are kept (see ``cyclic``). Raises ``InputError`` for double ids, or a successor that is
        no reach or does not begin where its reach ends.
        """
        frame = reaches[reaches["kind"] != "shoreline"] if "kind" in reaches else reaches
        ids = frame["reach_id"].astype(str).to_numpy(dtype=object)
        if (double := pd.Index(ids).duplicated()).any():
            raise InputError(f"The reach_id {ids[double][0]!r} stands on more than one reach: give each its own.")
        upper, lower = _node_names(frame)
        number, names = pd.factorize(np.concatenate([upper, lower]), use_na_sentinel=False)
        start, end = number[: len(ids)].astype(np.int64), number[len(ids) :].astype(np.int64)
        length = frame["length_m"] if "length_m" in frame else crs.length_m(frame.geometry.values)
        return cls(ids, names, start, end, _successors(frame, ids, start, end), np.asarray(length, dtype=np.float64))

    def __len__(self) -> int:
        return len(self.reach_id)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.reach_id)

    def numbers(self, reach_ids: Iterable[Any]) -> Ints:
        """Numbers of reaches by id; ``NotFound`` names the first that is none of the network's."""
        wanted = [str(r) for r in reach_ids]
        found = self._index.get_indexer(wanted)
        if (found < 0).any():
            missing = wanted[int(np.argmax(found < 0))]
            raise NotFound(f"There is no reach {missing!r} in the network (shoreline reaches stand outside of it).")
        return found.astype(np.int64)

    def spot(self, reach_id: str, at_m: float) -> Spot:
        """The place ``at_m`` metres below the upstream end of a reach; ``NotFound``, or ``UsageError`` beyond its end."""
        [number] = self.numbers([reach_id])
        length = float(self.length_m[number])
        if not -0.005 <= at_m <= length + 0.005:
            raise UsageError(f"{at_m:g} m lies off reach {reach_id!r}, which is {length:.2f} m long.")
        return Spot(int(number), min(max(at_m, 0.0), length))

    @cached_property
    def cyclic(self) -> npt.NDArray[np.bool_]:
        """Which reaches lie on a directed cycle: water cannot run in a circle, one of them is drawn the wrong way."""
        shape = (len(self.node_id), len(self.node_id))
        graph = coo_array((np.ones(len(self)), (self.start, self.end)), shape=shape).tocsr()
        _, part = connected_components(graph, directed=True, connection="strong")
        return np.asarray(part[self.start] == part[self.end], dtype=bool)

    def _ends(self, direction: str) -> tuple[Ints, Ints]:
        """Nodes where a trace enters and leaves each reach."""
        if direction not in DIRECTIONS:
            raise UsageError(f"{direction!r} is no direction: write up or down.")
        return (self.start, self.end) if direction == "down" else (self.end, self.start)

    def _graph(self, direction: str, passable: npt.NDArray[np.bool_] | None = None) -> csr_array:
        """Nodes as a graph in the direction of a trace; of parallel reaches the shortest counts."""
        near, far = self._ends(direction)
        order = np.lexsort((self.length_m, far, near))
        order = order if passable is None else order[passable[order]]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (near[order][1:] != near[order][:-1]) | (far[order][1:] != far[order][:-1])
        kept = order[first]
        shape = (len(self.node_id), len(self.node_id))
        return csr_array((self.length_m[kept], (near[kept], far[kept])), shape=shape)

    @cached_property
    def _graphs(self) -> dict[str, csr_array]:
        return {d: self._graph(d) for d in DIRECTIONS}

    def trace(
        self, at: Spot, direction: str, within_m: float | None = None, stop_at: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Everything that drains to a place (``up``), or every channel that its water takes (``down``).

        ``within_m``: no farther than this along the channel. ``stop_at``: things on reaches (``reach_id``, ``at_m``) that the
        trace does not go past; a thing where it starts does not stop it. Returns one row per reached reach, nearest first:
        ``reach_id``, ``from_m``, ``to_m`` (the reached part, metres along the reach from its upstream end), ``distance_m`` and
        ``far_m`` (shortest distance along the channel from the start to its near end, and to its far end by way of the
        part), ``on_main`` (start and reach are joined by main successors alone), ``visit`` (1, 2, ...).
        ``attrs['cycle']`` lists reached reaches that flow in a circle. On one, the start reach is told once, as it was left.
        """
        near = self._ends(direction)[0]
        barrier = self._barriers(at, direction, stop_at)
        d = self._distances(at, direction, barrier)[near]
        d[at.reach] = 0.0
        is_start = np.arange(len(self)) == at.reach
        limit = np.finfo(np.float64).max if within_m is None else within_m
        reached = np.flatnonzero((d < limit - TOUCH_M) | is_start)
        from_m, to_m = (side[reached] for side in self._parts(at, direction, barrier))
        d = d[reached]
        if direction == "down":
            to_m = np.minimum(to_m, from_m + (limit - d))
        else:
            from_m = np.maximum(from_m, to_m - (limit - d))
        rows = pd.DataFrame(
            {
                "reach_id": self.reach_id[reached],
                "from_m": from_m,
                "to_m": to_m,
                "distance_m": d,
                "far_m": d + to_m - from_m,
                "on_main": self._on_main(at.reach, direction)[reached],
            }
        )
        order = np.lexsort((rows["reach_id"].astype(str), rows["distance_m"].round(6)))
        rows = rows.iloc[order].reset_index(drop=True).assign(visit=np.arange(1, len(rows) + 1))
        rows.attrs["cycle"] = sorted(self.reach_id[reached[self.cyclic[reached]]])
        return rows

    def _barriers(self, at: Spot, direction: str, stop_at: pd.DataFrame | None) -> Floats:
        """Where on each reach a trace is stopped, metres from its upstream end; nan = nowhere."""
        barrier = np.full(len(self), np.nan)
        if stop_at is None or stop_at.empty:
            return barrier
        number, at_m = self.numbers(stop_at["reach_id"]), stop_at["at_m"].to_numpy(dtype=np.float64)
        ahead = (at_m - at.at_m) if direction == "down" else (at.at_m - at_m)
        kept = (number != at.reach) | (ahead > SAME_PLACE_M)
        (np.fmin if direction == "down" else np.fmax).at(barrier, number[kept], at_m[kept])
        return barrier

    def _distances(self, at: Spot, direction: str, barrier: Floats) -> Floats:
        """Shortest distance from a place to each node along the channels, m; infinite where its water does not get."""
        if not np.isnan(barrier[at.reach]):
            return np.full(len(self.node_id), np.inf)
        stopped = ~np.isnan(barrier)
        graph = self._graph(direction, ~stopped) if stopped.any() else self._graphs[direction]
        _, far = self._ends(direction)
        first = self.length_m[at.reach] - at.at_m if direction == "down" else at.at_m
        return np.asarray(dijkstra(graph, indices=far[at.reach]) + first, dtype=np.float64)

    def _parts(self, at: Spot, direction: str, barrier: Floats) -> tuple[Floats, Floats]:
        """The part of each reach that a trace covers when it gets there, before it is cut at a distance."""
        from_m, to_m = np.zeros(len(self)), self.length_m.copy()
        if direction == "down":
            from_m[at.reach], to_m = at.at_m, np.fmin(to_m, barrier)
        else:
            to_m[at.reach], from_m = at.at_m, np.fmax(from_m, barrier)
        return from_m, to_m

    def _on_main(self, reach: int, direction: str) -> npt.NDArray[np.bool_]:
        """Reaches joined with one by main successors alone."""
        has = np.flatnonzero(self.next >= 0)
        pair = (has, self.next[has]) if direction == "down" else (self.next[has], has)
        graph = coo_array((np.ones(len(has)), pair), shape=(len(self), len(self))).tocsr()
        on = np.zeros(len(self), dtype=bool)
        on[breadth_first_order(graph, reach, return_predecessors=False)] = True
        return on

    def route(self, a: Spot, b: Spot) -> Route:
        """The shortest way along the water from one place to another (see ``Route``).

        Downstream if the start drains to the end, else upstream if the end drains to the start, else through the common
        downstream confluence with the shortest sum. Raises ``NotFound`` when the two have no water in common below them.
        """
        if (path := self._down_to(a, b)) is not None:
            return _route([(path, "down")], "down", None, self.reach_id)
        if (path := self._down_to(b, a)) is not None:
            return _route([(path, "up")], "up", None, self.reach_id)
        none = np.full(len(self), np.nan)
        to_a, to_b = (self._distances(s, "down", none) for s in (a, b))
        both = np.flatnonzero(np.isfinite(to_a) & np.isfinite(to_b))
        if not len(both):
            raise NotFound(
                f"No water joins reach {self.reach_id[a.reach]!r} and reach {self.reach_id[b.reach]!r}: neither drains to the "
                "other, and they meet at no confluence below."
            )
        node = int(min(both, key=lambda n: (round(float(to_a[n] + to_b[n]), 6), str(self.node_id[n]))))
        legs = [(self._to_node(a, node, to_a), "down"), (self._to_node(b, node, to_b), "up")]
        return _route(legs, "confluence", str(self.node_id[node]), self.reach_id)

    def _down_to(self, a: Spot, b: Spot) -> list[tuple[int, float, float]] | None:
        """Parts (reach, from_m, to_m) of the shortest way downstream from one place to another; None if there is none."""
        if a.reach == b.reach and a.at_m <= b.at_m:
            return [(a.reach, a.at_m, b.at_m)]
        to_node = self._distances(a, "down", np.full(len(self), np.nan))
        if a.reach == b.reach or not np.isfinite(to_node[self.start[b.reach]]):
            return None
        return [*self._to_node(a, int(self.start[b.reach]), to_node), (b.reach, 0.0, b.at_m)]

    @cached_property
    def _entering(self) -> tuple[Ints, Ints]:
        """Reaches in the order of their downstream nodes, and where each node's begin."""
        return np.argsort(self.end, kind="stable"), np.searchsorted(np.sort(self.end), np.arange(len(self.node_id) + 1))

    def _to_node(self, a: Spot, node: int, to_node: Floats) -> list[tuple[int, float, float]]:
        """Parts of the shortest way downstream from a place to a node, found backwards; equally short: by reach_id."""
        order, begin = self._entering
        path: list[tuple[int, float, float]] = []
        seen: set[int] = set()
        first = float(self.length_m[a.reach]) - a.at_m
        while not path or path[-1][0] != a.reach:
            into = [int(r) for r in order[begin[node] : begin[node + 1]] if int(r) not in seen]
            cost = {r: first if r == a.reach else float(to_node[self.start[r]] + self.length_m[r]) for r in into}
            r = min(into, key=lambda r: (round(cost[r], 6), str(self.reach_id[r])))
            seen.add(r)
            path.append((r, a.at_m if r == a.reach else 0.0, float(self.length_m[r])))
            node = int(self.start[r])
        return path[::-1]


def things(trace: pd.DataFrame, placed: pd.DataFrame, direction: str) -> pd.DataFrame:
    """What lies on the way of a trace (outfalls, intakes, sections, leads): rows of ``placed`` with ``distance_m``, nearest first.

    ``trace``: of ``Network.trace``; ``placed``: any columns, with ``reach_id`` and ``at_m``. Ends of parts count as reached.
    """
    parts = trace[["reach_id", "from_m", "to_m", "distance_m"]].set_index("reach_id")
    on = placed[placed["reach_id"].isin(parts.index)]
    part = parts.loc[on["reach_id"]].set_index(on.index)
    at = on["at_m"].astype(float)
    inside = (at >= part["from_m"] - TOUCH_M) & (at <= part["to_m"] + TOUCH_M)
    along = at - part["from_m"] if direction == "down" else part["to_m"] - at
    found = on.assign(distance_m=(part["distance_m"] + along).clip(lower=0.0))[inside]
    return found.sort_values("distance_m", kind="stable").reset_index(drop=True)


def _route(
    legs: list[tuple[list[tuple[int, float, float]], str]],
    way: str,
    node: str | None,
    reach_id: npt.NDArray[np.object_],
) -> Route:
    """Parts of legs that were all found downstream, in the order and direction they are travelled."""
    rows = [
        (reach_id[r], direction, from_m, to_m)
        for path, direction in legs
        for r, from_m, to_m in (path if direction == "down" else path[::-1])
    ]
    parts = pd.DataFrame(rows, columns=["reach_id", "direction", "from_m", "to_m"])
    steps = (parts["to_m"] - parts["from_m"]).to_numpy(dtype=np.float64)
    return Route(parts.assign(distance_m=np.cumsum(steps) - steps), float(steps.sum()), way, node)


def _node_names(frame: pd.DataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Names of the upstream and downstream node of each reach; nodes without one are named by their position."""
    names = [frame[c].astype(object).to_numpy() for c in ("from_node", "to_node")]
    missing = [pd.isna(n) for n in names]
    if not (missing[0].any() or missing[1].any()):
        return names[0].astype(str).astype(object), names[1].astype(str).astype(object)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            "Reaches without from_node and to_node need their geometry: nodes are where their ends coincide."
        )
    whose = frame["code_namespace"].astype(str).to_numpy() if "code_namespace" in frame else None
    places = [_end_places(frame.geometry.values, which, whose) for which in (0, -1)]
    known = {
        p: n
        for ps, ns, ms in zip(places, names, missing, strict=True)
        for p, n, m in zip(ps, ns, ms, strict=True)
        if not m
    }
    return tuple(  # type: ignore[return-value]
        np.array([str(known.get(p, p)) if m else str(n) for p, n, m in zip(ps, ns, ms, strict=True)], dtype=object)
        for ps, ns, ms in zip(places, names, missing, strict=True)
    )


def _end_places(lines: Any, which: int, whose: Any) -> list[str]:
    """Places of the ends; reaches of two namespaces do not meet, one may be another drawing of the same rivers."""
    xy = shapely.get_coordinates(shapely.get_point(lines, which))
    at = [f"{x:.{ENDS_MEET_DECIMALS}f},{y:.{ENDS_MEET_DECIMALS}f}" for x, y in xy]
    return at if whose is None else [f"{w}/{p}" for w, p in zip(whose, at, strict=True)]


def _successors(frame: pd.DataFrame, ids: npt.NDArray[np.object_], start: Ints, end: Ints) -> Ints:
    """Number of the main successor of each reach, -1 at an outlet."""
    named = frame["next_reach_id"].to_numpy(dtype=object) if "next_reach_id" in frame else np.full(len(ids), None)
    given = ~pd.isna(named)
    following = np.full(len(ids), -1, dtype=np.int64) if given.all() else _first_leaving(frame, start, end)
    following[given] = pd.Index(ids).get_indexer([str(n) for n in named[given]])
    wrong = given & ((following < 0) | (start[following] != end))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise InputError(
            f"Reach {ids[i]!r} names {named[i]!r} as its next_reach_id, which does not begin where it ends: build the network "
            "with 'rivergis river build'."
        )
    return following


def _first_leaving(frame: pd.DataFrame, start: Ints, end: Ints) -> Ints:
    """Main successors where none is named: main channels first, of the same river before others, in the order of the frame."""
    side = (frame["channel"] == "side").to_numpy() if "channel" in frame else np.zeros(len(frame), dtype=bool)
    river = frame["river_id"].astype(str).to_numpy() if "river_id" in frame else np.full(len(frame), "")
    pairs = pd.DataFrame({"node": end, "of": np.arange(len(end))}).merge(
        pd.DataFrame({"node": start, "to": np.arange(len(start))}), on="node"
    )
    pairs = pairs[pairs["of"] != pairs["to"]]
    pairs["side"], pairs["other"] = side[pairs["to"]], river[pairs["of"]] != river[pairs["to"]]
    first = pairs.sort_values(["of", "side", "other", "to"]).drop_duplicates("of")
    following = np.full(len(end), -1, dtype=np.int64)
    following[first["of"].to_numpy()] = first["to"].to_numpy()
    return following
