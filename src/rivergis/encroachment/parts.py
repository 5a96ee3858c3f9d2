"""A night in parts: what can be the same thing is judged together, and a district is worked through in bounded chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Index = npt.NDArray[np.int64]
ELSEWHERE = "none"
"""District of what lies in no county that is known."""


@dataclass(frozen=True)
class Part:
    """Things of one district (adcode of a county, or ``none``) that are judged together; positions in the arrays given.

    ``at``: degrees of the middle of their zone (lon, lat): ``crs.metric_crs(*at)`` is the zone they are measured in.
    """

    district: str
    at: tuple[float, float]
    members: Index


def groups(count: int, pairs: Index) -> Index:
    """For each of ``count`` things the number of its group (count,): things joined by ``pairs`` (k, 2), directly or through others."""
    if not len(pairs):
        return np.arange(count)
    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def speakers(group: Index, rank: Sequence[tuple[object, ...]]) -> Index:
    """For each group, by number, the thing with the lowest rank: its place says in which district the group is judged."""
    order = sorted(range(len(group)), key=lambda i: rank[i])
    out = np.full(int(group.max(initial=-1)) + 1, -1, np.int64)
    for i in reversed(order):
        out[group[i]] = i
    return out


def packed(
    group: Index,
    district: Sequence[str],
    zone: Sequence[tuple[float, float]],
    place: Sequence[tuple[float, float]],
    size: int,
) -> Iterator[Part]:
    """Parts of about ``size`` things, groups whole; ``district``, ``zone`` and ``place`` (degrees) by number of the group.

    In the order of districts and zones, and within them along the country, so that a part is compact.
    """
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group, minlength=len(district)))[:-1])
    order = sorted(range(len(district)), key=lambda g: (district[g], zone[g], _cell(place[g]), place[g]))
    taken: list[Index] = []
    for n, g in enumerate(order):
        taken.append(members[g])
        rest = order[n + 1 : n + 2]
        goes_on = all((district[r], zone[r]) == (district[g], zone[g]) for r in rest)
        if not rest or not goes_on or sum(map(len, taken)) + len(members[rest[0]]) > size:
            yield Part(district[g], zone[g], np.sort(np.concatenate(taken)))
            taken = []


def _cell(place: tuple[float, float]) -> tuple[int, int]:
    """Cells of about 10 km, in rows."""
    return round(place[1] * 10), round(place[0] * 10)
