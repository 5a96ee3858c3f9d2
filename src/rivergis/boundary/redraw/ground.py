"""Legal and observed footprint joined (依法范围与实际水域), so that a redraw cannot hide a fill.

Ground that is let go is held against every water extent that was ever observed on it and against what stands there: land that
was water, that has been filled since, or that carries something new is no land to be released without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.redraw import overlay
from rivergis.boundary.redraw.compare import Redraw

WATER, FORMER_WATER, FILLED = "water", "former_water", "filled"
STANDS, NEW_OBJECT, OPEN_CASE = "object_stands", "new_object", "open_case"
CODES = (OPEN_CASE, NEW_OBJECT, FILLED, WATER, FORMER_WATER, STANDS)
"""What speaks against letting ground go, the gravest first."""
COLUMNS = ("piece", "code", "m2", "feature", "since", "geom")
_STANDING = ("object", "building")


def flagged(
    redraw: Redraw, observed: gpd.GeoDataFrame | None, *, least_m2: float, old_day: date | None = None
) -> Redraw:
    """The redraw with what speaks against each piece that is let go (``COLUMNS``, one row a piece and reason).

    ``observed``: water extents (Polygons) in the metres of the redraw with feature and since (day observed; missing = the map of
    today): ``water`` lies in the newest one of the place, ``former_water`` in an earlier one, ``filled`` in an earlier one and no
    more in the newest. ``new_object``: something stands there that was first seen after ``old_day``, the day of the old line.
    Below ``least_m2`` water is the line of its edge.
    """
    rows: list[dict[str, Any]] = []
    reduced = redraw.reduced
    if observed is not None and len(observed) and len(reduced):
        crs.require_metric(observed)
        rows += _water(reduced, observed, least_m2)
    rows += _standing(redraw, set(reduced.index), old_day)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    flags = gpd.GeoDataFrame(frame.drop(columns="geom"), geometry=list(frame["geom"]), crs=reduced.crs)
    looked = [*redraw.layers, *(["observed"] if observed is not None else [])]
    return replace(redraw, flags=flags.rename_geometry("geom"), observed=observed, layers=tuple(dict.fromkeys(looked)))


def _water(reduced: gpd.GeoDataFrame, observed: gpd.GeoDataFrame, least_m2: float) -> list[dict[str, Any]]:
    shapes = overlay.polygonal(observed.geometry.to_numpy())
    days = (
        pd.to_datetime(observed["since"], errors="coerce") if "since" in observed else pd.Series(pd.NaT, observed.index)
    )
    days = days.fillna(pd.Timestamp.max.normalize()).to_numpy()  # the map without a day is that of today
    own = reduced.geometry.to_numpy()
    piece, seen = shapely.STRtree(shapes).query(own, predicate="intersects")
    parts = overlay.intersection(own[piece], shapes[seen])
    rows = []
    for k in np.unique(piece):
        mine = np.flatnonzero(piece == k)
        rows += _of_piece(
            reduced.index[k], parts[mine], seen[mine], days, observed, _newest(own[k], shapes, days), least_m2
        )
    return rows


def _newest(shape: Any, shapes: Any, days: Any) -> Any:
    """The newest day on which water was observed round a piece, also where the piece itself was dry by then."""
    near = shapely.STRtree(shapes).query(shape, predicate="dwithin", distance=np.sqrt(shape.area))
    return days[near].max()


def _of_piece(
    piece: Any, parts: Any, seen: Any, days: Any, observed: gpd.GeoDataFrame, newest: Any, least_m2: float
) -> list[dict[str, Any]]:
    """Present, former and filled water of one piece."""
    now = overlay.union(parts[days[seen] == newest])
    before = days[seen] < newest
    once = overlay.union(parts[before])
    rows = []
    for code, ground, of in (
        (WATER, now, seen[~before]),
        (FORMER_WATER, once, seen[before]),
        (FILLED, overlay.difference(once, now), seen[before]),
    ):
        if ground.area >= least_m2:
            told = observed.iloc[of[-1]]
            day = days[of].min()
            since = None if day == np.datetime64(pd.Timestamp.max.normalize()) else pd.Timestamp(day).date()
            rows.append(
                {
                    "piece": piece,
                    "code": code,
                    "m2": float(ground.area),
                    "feature": told.get("feature"),
                    "since": since,
                    "geom": ground,
                }
            )
    return rows


def _standing(redraw: Redraw, reduced: set[Any], old_day: date | None) -> list[dict[str, Any]]:
    """What stands on released ground: open cases, and things, new ones apart."""
    things = redraw.things
    if things is None or things.empty:
        return []
    rows = []
    for row in things[things["piece"].isin(reduced)].itertuples():
        code = OPEN_CASE if row.layer == "case" else STANDS if row.layer in _STANDING else None
        day = None if pd.isna(row.since) else pd.Timestamp(row.since).date()
        if code == STANDS and old_day is not None and day is not None and day > old_day:
            code = NEW_OBJECT
        if code is not None:
            rows.append(
                {
                    "piece": row.piece,
                    "code": code,
                    "m2": row.m2,
                    "feature": row.name or row.feature,
                    "since": day,
                    "geom": row.geom,
                }
            )
    return rows


def gravest(codes: Sequence[str]) -> list[str]:
    """Codes in the order of ``CODES``, each once."""
    return [c for c in CODES if c in set(codes)]
