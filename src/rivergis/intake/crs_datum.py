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
_OLD_SHIFT_M = (40.0, 250.0)
_OLD_RESIDUAL_M = 30.0
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
    return DatumTest(medians, best, clear and _directions(ground, placed[best]) >= _DIVERSE)


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
class ConstantShift:
    """A shift of a whole layer that would bring it onto the rivers: east and north in metres, median distance before and after."""

    east_m: float
    north_m: float
    before_m: float
    after_m: float


def constant_shift(ground: Ground, lonlat: Array) -> ConstantShift | None:
    """The constant shift of tens of metres by which a survey-grade layer lies off the rivers; None if there is none.

    Found by point-to-line least squares. A line on one bank only is no shift: it keeps its side and distance.
    """
    xy = ground.metres(lonlat)
    before = float(np.median(ground.nearest(xy)[1]))
    if not 20.0 <= before <= _OLD_SHIFT_M[1] or _directions(ground, lonlat) < _DIVERSE:
        return None
    shift = np.zeros(2)
    for _ in range(12):
        step = _step(ground, xy + shift)
        if step is None:
            return None
        shift += step
        if np.hypot(*step) < 0.1:
            break
    after = float(np.median(ground.nearest(xy + shift)[1]))
    size = float(np.hypot(*shift))
    believed = max(_OLD_SHIFT_M[0], 4 * after) <= size <= _OLD_SHIFT_M[1] and after <= min(
        0.35 * before, _OLD_RESIDUAL_M
    )
    if not believed or _one_sided(ground, xy) <= 1.5 * max(after, 3.0):
        return None
    return ConstantShift(float(shift[0]), float(shift[1]), before, after)


def _step(ground: Ground, xy: Array) -> Array | None:
    """One least-squares step towards the rivers, taken across them."""
    index, away = ground.nearest(xy)
    here = (index >= 0) & (away <= 2 * _OLD_SHIFT_M[1])
    if here.sum() < 8:
        return None
    normals, offset = _normals(ground, index[here]), _offsets(ground, xy[here], index[here])
    weight = 1 / np.maximum(np.abs(offset), 5.0)
    try:
        solved = np.linalg.solve((normals * weight[:, None]).T @ normals, (normals * weight[:, None]).T @ -offset)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(solved)


def _offsets(ground: Ground, xy: Array, index: npt.NDArray[np.intp]) -> Array:
    """Signed distance of positions from the lines of river segments, left positive."""
    start = shapely.get_coordinates(ground.segments[index]).reshape(-1, 2, 2)[:, 0]
    return np.asarray(((xy - start) * _normals(ground, index)).sum(axis=1))


def _one_sided(ground: Ground, xy: Array) -> float:
    """How far positions stray from one common side and distance of the rivers, metres (median)."""
    index, _ = ground.nearest(xy)
    here = index >= 0
    offset = _offsets(ground, xy[here], index[here])
    return float(np.median(np.abs(offset - np.median(offset))))


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
