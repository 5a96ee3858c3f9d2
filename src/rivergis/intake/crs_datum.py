"""Is a layer shifted as a whole? GCJ-02, BD-09 and old datums, told by how it lies on the known rivers.

A shift is only believed where rivers run in several directions: along one straight river every layer fits its own shift.
Numbers of this module are the method's own (inferred from real references, which are 5 to 50 m off).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis.intake.crs_numbers import Datum, Hypothesis, Numbers
from rivergis.intake.crs_reference import Ground

Array = npt.NDArray[np.float64]

ON_RIVER_M = 100.0
"""Median distance up to which a layer counts as lying on the rivers (reference error plus bank lines of middling rivers)."""
CLEAR = 1.8
"""Factor by which one datum must be nearer to the rivers than the next."""
# directions of rivers: 0 = all parallel, 0.5 = evenly spread
_DIVERSE = 0.08
# misfits of old datums, metres: where nothing is declared the least one counts; a declared system is only doubted for
# more than references are off themselves
LEAST_SILENT_M, LEAST_DECLARED_M, _MOST_M = 30.0, 60.0, 600.0
# distance from a river within which a position still says something of a misfit, metres
_REACH_M = 500.0
# median distance to the rivers within which such a shift is looked for, metres
_NEAR_ENOUGH_M = (15.0, 250.0)
# how many standard errors a shift must have
_SURE = 6.0
# share of a misfit that must show as scatter beside the rivers, and of that scatter what may be left without it
_SEEN, _SHIFT_LEAVES, _TURN_LEAVES = 0.2, 0.9, 0.6
_NEIGHBOURS_M = 2_000.0
# beside a river: further off than banks of middling rivers and honest errors bring a feature
_BESIDE_M = 60.0
_GROUP, _EXPLAINED = 0.1, 0.6
DATUMS: tuple[Datum, ...] = ("wgs84", "gcj02", "bd09")


@dataclass(frozen=True)
class DatumTest:
    """Median distance to the rivers under each datum, and what follows from it."""

    medians_m: dict[Datum, float]
    best: Datum
    decided: bool
    """Whether the best is clearly nearer than the others, on rivers of several directions."""

    @property
    def words(self) -> str:
        names = {"wgs84": "as it stands", "gcj02": "GCJ-02 taken off", "bd09": "BD-09 taken off"}
        said = [f"{names[d]} {m:.0f} m" for d, m in self.medians_m.items() if np.isfinite(m)]
        return "median distance to the known rivers: " + ", ".join(said) if said else "no known river is near"


def datum_test(ground: Ground, h: Hypothesis, xy: Array) -> DatumTest:
    """Which of WGS 84 (CGCS2000), GCJ-02 and BD-09 brings the positions onto the rivers."""
    placed = {d: h.shifted(d).degrees(xy) for d in DATUMS}
    medians = {d: float(np.median(ground.distances_m(lonlat))) for d, lonlat in placed.items()}
    best = min(DATUMS, key=lambda d: medians[d])
    clear = medians[best] <= ON_RIVER_M and all(
        medians[d] >= CLEAR * max(medians[best], 5.0) for d in DATUMS if d != best
    )
    told = clear and _directions(ground, placed[best]) >= _DIVERSE
    if told and best != "wgs84" and _one_sided_m(ground, placed["wgs84"]) <= 2 * medians[best]:
        told = False  # the bank of a wide river: it keeps its distance as it stands
    return DatumTest(medians, best, told)


def _one_sided_m(ground: Ground, lonlat: Array) -> float:
    """How far positions stray from one common side and distance of each river, metres (median)."""
    xy = ground.metres(lonlat)
    index, _ = ground.nearest(xy)
    here = index >= 0
    if not here.any():
        return np.inf
    offset = pd.Series(_offsets(ground, xy[here], index[here]))
    usual = offset.groupby(ground.river[index[here]]).transform("median")
    return float(np.median(np.abs(offset - usual)))


def _normals(ground: Ground, index: npt.NDArray[np.intp]) -> Array:
    """Unit normals (left of the digitised direction) of river segments."""
    ends = shapely.get_coordinates(ground.segments[index]).reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return np.column_stack([-along[:, 1], along[:, 0]])


def _directions(ground: Ground, lonlat: Array) -> float:
    """How many ways the rivers under a layer run: smaller share of the normals' scatter, 0 (parallel) to 0.5."""
    index, away = ground.nearest(ground.metres(lonlat))
    here = (index >= 0) & (away <= 3 * ON_RIVER_M)
    if here.sum() < 4:
        return 0.0
    normals = _normals(ground, index[here])
    return float(np.linalg.eigvalsh(normals.T @ normals / len(normals))[0])


@dataclass(frozen=True)
class Misfit:
    """How far a whole layer lies off the rivers in a way that shift, turn and scale explain, metres, and the standard error.

    Direction and turn are not kept: between an old datum and CGCS2000 they are parameters that may not be passed on.
    """

    size_m: float
    error_m: float
    turned: bool
    """Whether it is turned or scaled, as a construction grid is, more than shifted."""


def misfit(ground: Ground, lonlat: Array, least_m: float) -> Misfit | None:
    """The common misfit of a layer of ``least_m`` metres or more; None if there is none.

    Robust least squares of the signed distances against a shift, then against shift, turn and scale, with one offset for
    each river: a line that keeps its side and distance is no shift, stakes left and right of a river are none either.
    Errors that go together within a neighbourhood (a drifting receiver, a bank that widens) count once.
    """
    xy = ground.metres(lonlat)
    if not _NEAR_ENOUGH_M[0] <= float(np.median(ground.nearest(xy)[1])) <= _NEAR_ENOUGH_M[1]:
        return None
    if _directions(ground, lonlat) < _DIVERSE:
        return None
    thing, beside_m = _clusters(xy), _one_sided_m(ground, lonlat)
    for freedoms, better in ((2, _SHIFT_LEAVES), (4, _TURN_LEAVES)):
        fitted = _fitted(ground, xy, thing, freedoms)
        found = None if fitted is None else _believed(xy, *fitted, least_m, beside_m, better)
        if found is not None:
            return found
    return None


def _fitted(ground: Ground, xy: Array, thing: npt.NDArray[np.intp], freedoms: int) -> tuple[Array, Array, float] | None:
    """Positions moved onto the rivers with so many freedoms, the covariance of the last step, and what is left (median, m)."""
    moved, solved = xy, None
    for _ in range(15):
        solved = _solved(ground, moved, thing, freedoms)
        if solved is None:
            return None
        step = _field(moved)[:, :, :freedoms] @ solved[0]
        moved = moved + step
        if float(np.abs(step).max()) < 0.5:
            break
    assert solved is not None
    return moved, solved[1], solved[2]


def _believed(
    xy: Array, moved: Array, covariance: Array, left_m: float, least_m: float, beside_m: float, better: float
) -> Misfit | None:
    """The misfit, if it is large, sure, no larger than old datums make it, and if most of what it predicts is there to see.

    ``beside_m``: how far positions stray from one side and distance of their river as they stand; a true shift scatters
    them by about its own size, the uneven bank of one river does not.
    """
    away = np.hypot(*(moved - xy).T)
    far = int(np.argsort(away)[int(0.9 * (len(away) - 1))])
    freedoms = len(covariance)
    at = _field(xy)[far][:, :freedoms]
    error, size = float(np.sqrt(np.linalg.eigvalsh(at @ covariance @ at.T)[-1])), float(away[far])
    if not least_m <= size <= _MOST_M or size < _SURE * max(error, 1.0):
        return None
    if beside_m < _SEEN * float(np.median(away)) or left_m > better * beside_m:
        return None
    return Misfit(size, error, turned=freedoms == 4)


def _field(xy: Array) -> Array:
    """For each position the (2, 4) matrix that makes a displacement of shift east, shift north, turn and scale."""
    r = (xy - xy.mean(axis=0)) / 1_000.0
    one, nil = np.ones(len(r)), np.zeros(len(r))
    return np.stack(
        [np.stack([one, nil, -r[:, 1], r[:, 0]], axis=1), np.stack([nil, one, r[:, 0], r[:, 1]], axis=1)], axis=1
    )


def _clusters(xy: Array) -> npt.NDArray[np.intp]:
    """Numbers of neighbourhoods within which errors go together: a drifting receiver, a bank that widens."""
    return np.unique(np.floor(xy / _NEIGHBOURS_M), axis=0, return_inverse=True)[1].reshape(-1)


def _solved(ground: Ground, xy: Array, thing: npt.NDArray[np.intp], freedoms: int) -> tuple[Array, Array, float] | None:
    """One step towards the rivers: shift, turn, scale (metres, metres a kilometre), their covariance, and what is left."""
    index, away = ground.nearest(xy)
    here = (index >= 0) & (away <= _REACH_M)
    if here.sum() < 0.6 * len(xy) or here.sum() < 12:
        return None
    offsets, normals = _offsets(ground, xy[here], index[here]), _normals(ground, index[here])
    rivers, river = np.unique(ground.river[index[here]], return_inverse=True)
    across = -np.einsum("ij,ijk->ik", normals, _field(xy)[here][:, :, :freedoms])
    design = np.hstack([across, np.eye(len(rivers))[river]])
    weight = np.ones(len(offsets))
    for _ in range(4):
        root = np.sqrt(weight)
        answer, _, rank, _ = np.linalg.lstsq(design * root[:, None], offsets * root, rcond=None)
        if rank < design.shape[1]:
            return None
        left = offsets - design @ answer
        scale = max(1.4826 * float(np.median(np.abs(left))), 1.0)
        weight = 1 / np.maximum(1.0, np.abs(left) / (1.5 * scale))
    # errors of one thing go together: sum its scores before squaring (cluster-robust covariance)
    scores = pd.DataFrame(design * (weight * left)[:, None]).groupby(thing[here]).sum().to_numpy()
    bread = np.linalg.inv((design * weight[:, None]).T @ design)
    spread = (bread @ scores.T @ scores @ bread)[:freedoms, :freedoms]
    return answer[:freedoms].astype(np.float64), spread, float(np.median(np.abs(left)))


def _offsets(ground: Ground, xy: Array, index: npt.NDArray[np.intp]) -> Array:
    """Signed distance of positions from the lines of river segments, left positive."""
    start = shapely.get_coordinates(ground.segments[index]).reshape(-1, 2, 2)[:, 0]
    return np.asarray(((xy - start) * _normals(ground, index)).sum(axis=1))


def split_by_datum(ground: Ground, h: Hypothesis, n: Numbers) -> dict[Datum, npt.NDArray[np.intp]] | None:
    """Rows of features that lie on the rivers under one datum and not under another, if there are two such groups.

    Off the rivers a few features fit any datum by chance: a group only counts if it explains most of what the other
    datum leaves off the rivers. None where one datum holds for all.
    """
    away = {d: ground.distances_m(h.shifted(d).degrees(n.xy)) for d in DATUMS}
    of = {d: pd.Series(a).groupby(n.feature).median().to_numpy() for d, a in away.items()}
    off = {d: m > _BESIDE_M for d, m in of.items()}
    least = max(2.0, _GROUP * len(n.rows))
    for a, b in combinations(DATUMS, 2):
        only_a, only_b = _prefers(of[a], of[b]), _prefers(of[b], of[a])
        explained = only_a.sum() >= _EXPLAINED * off[b].sum() and only_b.sum() >= _EXPLAINED * off[a].sum()
        if min(only_a.sum(), only_b.sum()) >= least and explained:
            return {a: n.rows[only_a], b: n.rows[only_b]}
    return None


def _prefers(this_m: Array, other_m: Array) -> npt.NDArray[np.bool_]:
    """Features on a river under one datum and clearly beside it under another."""
    return np.asarray((this_m <= 0.8 * ON_RIVER_M) & (other_m > _BESIDE_M) & (other_m >= 2.5 * this_m))
