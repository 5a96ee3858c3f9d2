"""Legs of patrols on the chainage of their rivers, also those that were measured on a reach as it was digitised before.

A leg keeps the reach version it was measured on. Where that reach is still the same line its chainage of today holds; where it
was re-digitised the stretch is matched to the axis of today (桩号换算); what has no counterpart there is told apart, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis.errors import InputError
from rivergis.river.chainage import Axis
from rivergis.river.transfer import NONE, Transfer


@dataclass(frozen=True)
class OnRivers:
    """``stretches``: the legs with ``from_m``, ``to_m`` in metres of chainage; ``lost``: legs, or parts of them in metres of their
    reach, that today's axis has no counterpart of; ``off_axis``: legs on side arms, which have no chainage."""

    stretches: pd.DataFrame
    lost: pd.DataFrame
    off_axis: pd.DataFrame


def on_rivers(
    legs: pd.DataFrame, lines: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, *, tolerance_m: float, reach_m: float
) -> OnRivers:
    """Where do the legs of a period lie on the rivers of today?

    ``legs``: rows of ``app.leg_in`` (reach_id, reach_version, river_id, from_m, to_m in metres of the reach, length_m,
    reach_from_m, now_from_m, now_to_m; the last two missing where the reach is not the same line any more). ``lines``:
    LineStrings (EPSG:4490) of those reach versions, by reach_id and reach_version. ``axes``: river_id, origin_m, LineString.
    ``tolerance_m``, ``reach_m``: rules ``river.chainage.transfer_tolerance`` and ``transfer_reach``.
    """
    same = legs["now_from_m"].notna()
    side = ~same & legs["reach_from_m"].isna()
    old = legs[~same & ~side]
    moved, lost = _transferred(old, lines, axes, tolerance_m, reach_m)
    out = pd.concat([_as_they_are(legs[same]), moved], ignore_index=True)
    return OnRivers(out, lost, legs[side].reset_index(drop=True))


def _as_they_are(legs: pd.DataFrame) -> pd.DataFrame:
    scale = (legs["now_to_m"] - legs["now_from_m"]) / legs["length_m"]
    ends = {c: np.clip(legs[c], 0.0, legs["length_m"]) * scale + legs["now_from_m"] for c in ("from_m", "to_m")}
    out = legs.assign(**ends)
    return out[out["from_m"] < out["to_m"]]


def _transferred(
    legs: pd.DataFrame, lines: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, tolerance_m: float, reach_m: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    axis_of = {a.river_id: Axis(a.geom, a.origin_m) for a in axes.itertuples()}
    line_of = {(r.reach_id, r.reach_version): r.geom for r in lines.itertuples()}
    there: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    keys = ["reach_id", "reach_version", "river_id"]
    for (reach, version, river), group in legs.groupby(keys, dropna=False, sort=False):
        transfer = _transfer(line_of.get((reach, version)), axis_of.get(river), tolerance_m, reach_m)
        for leg in group.to_dict("records"):
            for from_m, to_m, part in _parts(leg, transfer):
                (gone if part is None else there).append(leg | {"from_m": from_m, "to_m": to_m})
    return pd.DataFrame(there, columns=legs.columns), pd.DataFrame(gone, columns=legs.columns)


def _transfer(line: Any, axis: Axis | None, tolerance_m: float, reach_m: float) -> Transfer | None:
    if line is None or axis is None:
        return None
    try:
        return Transfer(Axis(line), axis, tolerance_m=tolerance_m, reach_m=reach_m)
    except InputError:
        return None  # the axis of today runs elsewhere: nothing of this reach is on it


def _parts(leg: dict[str, Any], transfer: Transfer | None) -> Iterator[tuple[float, float, str | None]]:
    """Parts of a leg: on the axis with their kind, or in metres of the old reach with None."""
    if transfer is None:
        yield leg["from_m"], leg["to_m"], None
        return
    for p in transfer.stretch(leg["from_m"], min(leg["to_m"], transfer.old.end_m)).itertuples():
        if p.kind == NONE:
            yield p.from_m, p.to_m, None
        elif p.new_to_m > p.new_from_m:
            yield p.new_from_m, p.new_to_m, p.kind
