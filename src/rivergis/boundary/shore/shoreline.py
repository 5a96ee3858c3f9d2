"""The two lines of the shoreline (两线): does the outer line (外缘边界线) lie inside the management line, the waterside line outside it?

The outer line follows the outer edge of the management area and may not lie nearer to the river; the waterside line (临水边界线)
lies between the river and the outer line. Source: 办河湖函〔2019〕394号, as the project's notes have it (unconfirmed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from rivergis.boundary.ground.bank_chains import Chain
from rivergis.boundary.stake import spots as stake_spots

Floats = npt.NDArray[np.float64]
_STEP_M = 5.0


@dataclass(frozen=True)
class LineDefect:
    """A stretch of one line on the wrong side of another: code, chainage, length along it, and how deep at most (m)."""

    code: str  # outer_inside_management, waterside_outside_outer, waterside_outside_management
    river: str
    bank: str
    from_m: float
    to_m: float
    length_m: float
    depth_m: float
    part: shapely.LineString


def check_lines(
    outer: Sequence[Chain], waterside: Sequence[Chain], management: Sequence[Chain], tolerance_m: float
) -> list[LineDefect]:
    """Stretches of the outer line inside the management line, and of the waterside line outside the outer (else the management) line.

    Only what has a line of the same river and bank beside it is compared; what differs by less than ``tolerance_m`` is equal.
    """
    out = []
    for chain in outer:
        out += _beyond(chain, _of(management, chain), "outer_inside_management", -1.0, tolerance_m)
    for chain in waterside:
        limit, code = (outer, "waterside_outside_outer") if _of(outer, chain) else (management, "waterside_outside_management")  # fmt: skip
        out += _beyond(chain, _of(limit, chain), code, 1.0, tolerance_m)
    return out


def missing(of: Sequence[Chain], beside: Sequence[Chain]) -> list[tuple[str, str]]:
    """Rivers and banks that have a line of one kind and none of another: (river, bank)."""
    there = {(c.river, c.bank) for c in of}
    return sorted({(c.river, c.bank) for c in beside} - there)


def _of(chains: Sequence[Chain], chain: Chain) -> list[Chain]:
    return [c for c in chains if (c.river, c.bank) == (chain.river, chain.bank)]


def _beyond(chain: Chain, limits: Sequence[Chain], code: str, side: float, tolerance_m: float) -> list[LineDefect]:
    """Stretches where a chain lies on one side of its limits: +1 away from the river, -1 towards it."""
    if not limits:
        return []
    along = _samples(chain)
    points = shapely.line_interpolate_point(chain.line, along)
    depth = side * _off(points, limits)
    wrong = depth > tolerance_m  # NaN, with nothing beside it, is not wrong
    return [_defect(chain, code, along, depth, a, b) for a, b in _runs(wrong)]


def _samples(chain: Chain) -> Floats:
    """Places along a chain: at its vertices and at even steps."""
    even = np.linspace(0.0, chain.length_m, max(int(chain.length_m / _STEP_M), 1) + 1)
    return np.unique(np.concatenate([even, chain.vertices()[1].clip(0.0, chain.length_m)]))


def _off(points: npt.NDArray[np.object_], limits: Sequence[Chain]) -> Floats:
    """How far points lie off the nearest of some lines, positive away from the river; NaN beyond their ends."""
    far = np.array([shapely.distance(c.line, points) for c in limits])
    nearest = far.argmin(axis=0)
    out = np.full(len(points), np.nan)
    for n, limit in enumerate(limits):
        mine = nearest == n
        if not mine.any():
            continue
        at = shapely.line_locate_point(limit.line, points[mine])
        beside = (at > 1e-6) & (at < limit.length_m - 1e-6)
        off = np.where(far[n, mine] < 1e-9, 0.0, stake_spots.side_out(limit, points[mine]))
        out[mine] = np.where(beside, off, np.nan)
    return out


def _runs(wrong: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last position of each run of true values."""
    edges = np.diff(np.concatenate([[0], wrong.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _defect(chain: Chain, code: str, along: Floats, depth: Floats, a: int, b: int) -> LineDefect:
    s, e = float(along[a]), float(along[b])
    part = shapely.ops.substring(chain.line, s, e if e > s else min(s + 1e-3, chain.length_m))
    at = chain.at_m(np.array([s, e]))
    return LineDefect(
        code, chain.river, chain.bank, float(at[0]), float(at[1]), e - s, float(np.nanmax(depth[a : b + 1])), part
    )


def outer_from(management: Sequence[Chain]) -> list[Chain]:
    """A proposal for the outer line: the outer edge of the management area, which is its line."""
    return [_as(c, "outer") for c in management]


def waterside_from(banks: Sequence[Chain]) -> list[Chain]:
    """A proposal for the waterside line: the bank line, where nothing else (滩槽分界线, channel-forming discharge) is known."""
    return [_as(c, "waterside") for c in banks]


def _as(c: Chain, kind: str) -> Chain:
    return Chain(c.river, c.river_name, c.bank, kind, c.line, c.parts)
