"""A winding river with a line on each bank, and stakes placed on it, for the laws of stakes and zones.

left line   ~~~~~~~~~~~~~~~~~~
axis        ~~~~~~~~~~~~~~~~~~  -> downstream
right line  ~~~~~~~~~~~~~~~~~~
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import strategies as st
from pyproj import CRS

from rivergis.boundary.ground import bank_chains
from rivergis.boundary.ground.bank_chains import Chain, Reach
from rivergis.boundary.stake import place as stakes
from rivergis.boundary.stake import table as stake_table
from rivergis.boundary.stake.place import Existing, Ground, Spacing
from rivergis.boundary.stake.spots import Mark, Method
from rivergis.boundary.stake.table import Naming
from tests import tiny

METHOD = Method(bend_deg=30, simplify_m=2, chord_m=5, same_m=1, mark_m=100, settled_m=300, border_m=20)
FORM = Naming("{river}-{bank}-{number:03d}")


def winding(waves: Sequence[float], step: float = 60.0) -> shapely.LineString:
    """An axis that runs east, each vertex so far off to the north."""
    return tiny.line(*[(i * step, y) for i, y in enumerate(waves)])


waves = st.lists(st.floats(-80, 80, allow_nan=False), min_size=3, max_size=25)


def offset(axis: shapely.LineString, metres: float) -> shapely.LineString:
    """A line beside the axis that follows it point by point: left positive."""
    return shapely.transform(axis, lambda xy: xy + np.array([0.0, metres]))


def reaches(*axes: shapely.LineString, rivers: Sequence[str] | None = None) -> list[Reach]:
    rivers = rivers or ["R1"] * len(axes)
    frame = tiny.metric(list(axes)).assign(reach_code=[f"H{n}" for n in range(len(axes))], river_code=list(rivers))
    return bank_chains.reaches_of(frame)


def lines(axis: shapely.LineString, off_m: float = 150.0, reach: str = "H0", **columns: Any) -> gpd.GeoDataFrame:
    frame = tiny.metric([offset(axis, off_m), offset(axis, -off_m)], reach_code=reach, **columns)
    return frame.assign(bank=["left", "right"])


def spacing(base: float = 200, least: float = 20, dense: float = 50) -> Any:
    return lambda county, settled: Spacing(base / 2 if settled else base, least, dense)


def ground(**changes: Any) -> Ground:
    return Ground(**{"method": METHOD, "spacing": spacing(), **changes})


def placed(
    chains: Sequence[Chain], on: Ground, existing: Sequence[Existing] = (), naming: Naming = FORM
) -> gpd.GeoDataFrame:
    """The table of stakes of chains."""
    held = stakes.held(existing, chains, 30.0)
    there = stakes.place(chains, on, held)
    numbers = stake_table.numbered(there, chains, naming)
    return stake_table.table(there, numbers, chains, held, system=CRS(tiny.ZONE), basis_of={}, vertical_datum=None)


def again(table: gpd.GeoDataFrame) -> list[Existing]:
    """A table of stakes as the stakes that are there the next time."""
    return [
        Existing(r.code, r.geom, r.kind, "good", r.river_code, r.reach_code, r.bank, {"reason": r.reason})
        for r in table.itertuples()
    ]


def stakes_mark(shape: shapely.Geometry, kind: str = "bridge", name: str = "石桥") -> Mark:
    return Mark(kind, name, shape)
