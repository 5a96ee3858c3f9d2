"""Vertices that do not lie with the others: a digit too many, too few or wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from rivergis import crs as crs_
from rivergis.intake import crs_datum
from rivergis.intake.crs_case import Case
from rivergis.intake.crs_numbers import Hypothesis

Array = npt.NDArray[np.float64]

# a vertex is far from its layer beyond this, and beyond eight times the layer's own spread
_FAR_M = 200_000.0


def far_vertices(case: Case, h: Hypothesis) -> npt.NDArray[np.bool_]:
    """Which vertices of the whole layer, placed by a reading, lie far from all others."""
    lonlat = h.degrees(case.all.xy)
    home = _sound(h.degrees(case.main.centres))
    lon, lat = (float(v) for v in np.median(home, axis=0))
    on_earth = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 0]) <= 180) & (np.abs(lonlat[:, 1]) <= 90)
    away = np.full(len(lonlat), np.inf)
    away[on_earth] = _away_m(lonlat[on_earth], lon, lat)
    near_home = _away_m(home, lon, lat)
    # a layer of one wide feature is as wide as that feature
    wide = _away_m(_sound(h.degrees(case.main.sample())), lon, lat)
    spread = max(float(np.quantile(a, 0.9)) if len(a) else 0.0 for a in (near_home, wide))
    far = away > max(_FAR_M, 8 * spread)
    return (
        far | _jumps(case, away, far) | _beyond_reference(case, lonlat, away, near_home) | _off_the_rivers(case, lonlat)
    )


def _jumps(case: Case, away: Array, far: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """A single vertex that its own line leaves and returns from, farther than anything else of the layer."""
    xy, feature = case.all.xy, case.all.feature
    if len(xy) < 5:
        return np.zeros(len(xy), bool)
    step = np.hypot(*np.diff(xy, axis=0).T)
    inner = feature[1:] == feature[:-1]
    if not inner.any():
        return np.zeros(len(xy), bool)
    usual = float(np.quantile(step[inner], 0.9))
    before, after = np.r_[0.0, np.where(inner, step, 0.0)], np.r_[np.where(inner, step, 0.0), 0.0]
    # a large outline among small plots has long edges everywhere, a slip only where it leaves and returns
    own = pd.Series(step[inner]).groupby(feature[1:][inner]).quantile(0.25).reindex(feature).fillna(0.0).to_numpy()
    lone = np.minimum(before, after) > 100 * np.maximum(usual, 1e-9)
    lone &= np.minimum(before, after) > 20 * np.maximum(own, 1e-9)
    spread = float(np.quantile(away[np.isfinite(away)], 0.9)) if np.isfinite(away).any() else 0.0
    return np.asarray(lone & (away > 1.5 * spread) & (away > 2_000.0))


def _beyond_reference(case: Case, lonlat: Array, away: Array, near_home: Array) -> npt.NDArray[np.bool_]:
    """A few vertices far outside the county, where all others lie inside it."""
    nothing = np.zeros(len(lonlat), bool)
    ground = case.ground(lonlat)
    spread = float(np.quantile(near_home, 0.9))
    wide = np.isfinite(away) & (away > max(3 * spread, 30_000.0))
    if ground is None or not wide.any() or wide.mean() > 0.02:
        return nothing
    return np.asarray(wide & ~ground.inside(lonlat)) if ground.inside(lonlat[~wide]).mean() > 0.9 else nothing


def _off_the_rivers(case: Case, lonlat: Array) -> npt.NDArray[np.bool_]:
    """A few vertices kilometres from any river, where all others lie on one: a wrong digit among the thousands."""
    nothing = np.zeros(len(lonlat), bool)
    ground = case.ground(lonlat)
    if ground is None or not len(ground.segments) or len(lonlat) < 20:
        return nothing
    away = ground.distances_m(lonlat)
    on = away <= crs_datum.ON_RIVER_M
    return np.asarray(away > 20 * crs_datum.ON_RIVER_M) if on.mean() >= 0.95 else nothing


def _sound(lonlat: Array) -> Array:
    return lonlat[np.isfinite(lonlat).all(axis=1)]


def _away_m(lonlat: Array, lon: float, lat: float) -> Array:
    if not len(lonlat):
        return np.empty(0)
    many = np.full(len(lonlat), 1.0)
    return np.asarray(crs_.GEOD.inv(many * lon, many * lat, lonlat[:, 0], lonlat[:, 1])[2])
