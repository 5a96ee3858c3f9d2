"""Where a drawn stretch of boundary line belongs (界线归位): its river and reach, the bank, its chainage, and whether it runs downstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.errors import InputError
from rivergis.river.chainage import Axis
from rivergis.river.feet import Chains, lonlat_of

_ALONE = 0.9  # share of a line that lies nearest to one reach for it to be that reach's
_MOST = 400  # places of a line that are asked: enough to tell a bend, few enough to answer while somebody draws


@dataclass(frozen=True)
class Placed:
    """What the register of reaches says of a line: chainage in metres along the river, else along the reach."""

    river_code: str
    reach_code: str | None
    """None where it lies beside several reaches of a river with a chainage of its own."""
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
    ``river_code``, ``reach_code``: where somebody said it; else what most of the line lies nearest to. Chainage is along the
    river where all its reaches have one, else from the first vertex of the reach. ``InputError`` where no such reach is known.
    """
    mine = reaches[reaches["river_code"] == river_code] if river_code else reaches
    mine = mine[mine["code"] == reach_code] if reach_code else mine
    if mine.empty:
        raise InputError(
            f"No reach {reach_code or ''} of the river {river_code or ''} is known to place the line on: import reaches, or correct the codes."
        )
    mine = mine.assign(line=mine.geometry.values).reset_index(drop=True)
    points = _along(line)
    chosen = _nearest(mine, points)
    number = np.bincount(chosen)
    own = mine.iloc[int(number.argmax())]
    of_river = (mine["river_code"] == own["river_code"]).to_numpy()
    along_river = bool(mine.loc[of_river, "from_m"].notna().all())
    at_m, offset_m = _on_river(mine, own, of_river, points, chosen) if along_river else _on_reach(own, points)
    # a line beside several reaches belongs to none of them where the river has a chainage of its own
    alone = not along_river or number.max() >= _ALONE * len(points)
    return Placed(
        str(own["river_code"]),
        str(own["code"]) if alone else None,
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


def _on_reach(own: pd.Series, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres from the first vertex of a reach, and offset (left positive)."""
    return Axis(own["line"]).locate_arrays(points)


def _on_river(
    reaches: gpd.GeoDataFrame, own: pd.Series, of_river: np.ndarray, points: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Metres along the river and offset (left positive), each point on its nearest reach of the river."""
    at_m, offset_m = np.empty(len(points)), np.empty(len(points))
    # what lies nearest to another river is measured on the own reach
    number = np.where(of_river[chosen], chosen, int(own.name))
    for one in np.unique(number):
        where, row = number == one, reaches.iloc[one]
        at_m[where], offset_m[where] = Axis(row["line"], float(row["from_m"])).locate_arrays(points[where])
    return at_m, offset_m
