"""Where a drawn stretch of boundary line belongs (界线归位): its river and reach, the bank, its chainage, and whether it runs downstream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.errors import InputError
from rivergis.river.chainage import Axis
from rivergis.river.feet import Chains, lonlat_of

_MOST = 400  # places of a line that are asked: enough to tell a bend, few enough to answer while somebody draws


@dataclass(frozen=True)
class Placed:
    """What the register of reaches says of a line: chainage in metres along the river, else along the reach."""

    river_code: str
    reach_code: str
    bank: str
    from_m: float
    to_m: float
    upstream: bool
    """It is digitised against the water."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "river_code": self.river_code, "reach_code": self.reach_code, "bank": self.bank, "from_m": round(self.from_m, 2),
            "to_m": round(self.to_m, 2), "upstream": self.upstream,
        }  # fmt: skip


def place(
    line: shapely.LineString, reaches: gpd.GeoDataFrame, river_code: str | None = None, reach_code: str | None = None
) -> Placed:
    """River, reach, bank and chainage of a line in degrees (EPSG:4490).

    ``reaches``: LineStrings in degrees, first vertex upstream, with code, river_code, from_m (null = none of its own).
    ``river_code``, ``reach_code``: where somebody said it; else the reach that most of the line lies nearest to. ``InputError``
    where no such reach is known.
    """
    mine = reaches[reaches["river_code"] == river_code] if river_code else reaches
    mine = mine[mine["code"] == reach_code] if reach_code else mine
    if mine.empty:
        raise InputError(
            f"No reach {reach_code or ''} of the river {river_code or ''} is known to place the line on: import reaches, or correct the codes."
        )
    mine = mine.reset_index(drop=True)
    points = _along(line)
    chosen = _nearest(mine, points)
    code = reach_code or mine["code"].iloc[int(np.bincount(chosen).argmax())]
    own = mine[mine["code"] == code].iloc[0]
    at_m, offset_m = _chainage(mine, own, points, chosen)
    return Placed(
        str(own["river_code"]),
        str(code),
        "left" if float(np.median(offset_m)) >= 0 else "right",
        float(at_m.min()),
        float(at_m.max()),
        bool(at_m[0] > at_m[-1]),
    )


def _along(line: shapely.LineString) -> np.ndarray:
    """Vertices and places between them, ends among them."""
    steps = np.linspace(0.0, 1.0, 32)
    between = shapely.line_interpolate_point(line, steps, normalized=True)
    vertices = shapely.points(shapely.get_coordinates(line))
    step = -(-len(vertices) // _MOST)
    return np.concatenate([between[:-1], vertices[::step], between[-1:]])


def _nearest(reaches: gpd.GeoDataFrame, points: np.ndarray) -> np.ndarray:
    """The number of the reach nearest to each point."""
    return np.asarray(Chains(reaches.geometry.values).nearest(lonlat_of(points)).line)


def _chainage(
    reaches: gpd.GeoDataFrame, own: pd.Series, points: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Metres and offset (left positive) of points: along the whole river where its reaches have a chainage, else along one reach."""
    river = reaches["river_code"] == own["river_code"]
    if pd.isna(own["from_m"]) or reaches.loc[river, "from_m"].isna().any():
        return Axis(own[reaches.geometry.name]).locate_arrays(points)
    at_m, offset_m = np.empty(len(points)), np.empty(len(points))
    for number, where in _groups(chosen, river.to_numpy(), own, reaches):
        row = reaches.iloc[number]
        at_m[where], offset_m[where] = Axis(row[reaches.geometry.name], float(row["from_m"])).locate_arrays(
            points[where]
        )
    return at_m, offset_m


def _groups(
    chosen: np.ndarray, of_river: np.ndarray, own: pd.Series, reaches: gpd.GeoDataFrame
) -> Iterator[tuple[int, np.ndarray]]:
    """Points by the reach of the river they are measured on; those nearest to another river are measured on the own reach."""
    number = np.where(of_river[chosen], chosen, int(own.name))
    for one in np.unique(number):
        yield int(one), number == one
