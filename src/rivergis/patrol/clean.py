"""Fixes of a track put in order and marked; nothing is deleted.

A fix frame has columns ``seq`` (order in the file), ``at`` (UTC, may be missing), ``acc_m`` (may be missing) and Point
geometry in metres of a local zone.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs


def mark(fixes: gpd.GeoDataFrame, *, max_accuracy_m: float, max_speed_ms: float) -> gpd.GeoDataFrame:
    """The fixes in time order with a column ``mark``: why a fix is not used, None where it is.

    ``repeat``: same time and place as the one before; ``poor_accuracy``: the phone itself says worse than
    ``max_accuracy_m``; ``jump``: farther from both neighbours than ``max_speed_ms`` allows while the neighbours agree with
    each other. Fixes without times keep the order of the file. Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(fixes)
    timed = fixes["at"].notna().all() if len(fixes) else False
    fixes = fixes.sort_values(["at", "seq"] if timed else ["seq"], kind="stable").reset_index(drop=True)
    marks = np.full(len(fixes), None, dtype=object)
    marks[(fixes["acc_m"].astype(float) > max_accuracy_m).to_numpy()] = "poor_accuracy"
    x, y = fixes.geometry.x.to_numpy(), fixes.geometry.y.to_numpy()
    same = np.zeros(len(fixes), dtype=bool)
    if len(fixes) > 1:
        same[1:] = (np.diff(x) == 0) & (np.diff(y) == 0)
        same[1:] &= (fixes["at"].diff().dt.total_seconds().to_numpy()[1:] == 0) if timed else True
    marks[same] = "repeat"
    used = np.flatnonzero(pd.isna(marks))
    if timed and len(used) > 2:
        marks[used[_jumps(x[used], y[used], fixes["at"].iloc[used], max_speed_ms)]] = "jump"
    return fixes.assign(mark=marks)


def _jumps(x: np.ndarray, y: np.ndarray, at: pd.Series, max_speed_ms: float) -> np.ndarray:
    """Positions that both neighbours could not have been reached from, though they can reach each other."""
    t = at.astype("int64").to_numpy() / _per_second(at)
    step = np.hypot(np.diff(x), np.diff(y)) / np.maximum(np.diff(t), 1.0)
    across = np.hypot(x[2:] - x[:-2], y[2:] - y[:-2]) / np.maximum(t[2:] - t[:-2], 1.0)
    return np.flatnonzero((step[:-1] > max_speed_ms) & (step[1:] > max_speed_ms) & (across <= max_speed_ms)) + 1


def _per_second(at: pd.Series) -> float:
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[str(at.dt.unit)]
