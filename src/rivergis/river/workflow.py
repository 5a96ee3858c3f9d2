"""Jobs on rivers: axes for rivers that came as loose reaches."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.river import network, store

SNAP_M = 0.5  # ends of one digitised network meet exactly or not at all; this only forgives rounding


@dataclass(frozen=True)
class AxesBuilt:
    """How many rivers were given an axis, and how many of their reaches lie on it (the rest are side channels)."""

    rivers: int
    reaches: int
    reaches_off_axis: int


def build_axes(db: Database, actor: str) -> AxesBuilt:
    """Give every river that has reaches but no axis the longest chain of its reaches as axis (河道中心线).

    Reaches on the axis get their chainage from the upstream end; side channels keep none. Direction is as digitised.
    One transaction; a second run changes nothing.
    """
    rivers = on_axis = off_axis = 0
    with db.write(actor) as conn:
        waiting = store.rivers_without_axis(conn)
        if not waiting:
            return AxesBuilt(0, 0, 0)
        reaches = store.current_reaches(conn)
        for river_id, namespace, code in waiting:
            own = reaches[reaches["river_id"] == river_id]
            order = network.main_stem(crs.to_metric(own.geometry), SNAP_M)
            line = network.joined(own.geometry, order)
            frame = gpd.GeoDataFrame({"code": [code], "river_code": [code], "geom": [line]}, geometry="geom", crs=crs.STORAGE)
            saved = store.save(conn, "axis", frame, namespace=namespace, import_id=None)
            axis_id, axis_version = saved.versions[code]
            store.put_on_axis(conn, _measured(own.iloc[order]), axis_id, axis_version)
            rivers, on_axis, off_axis = rivers + 1, on_axis + len(order), off_axis + len(own) - len(order)
    return AxesBuilt(rivers, on_axis, off_axis)


def _measured(chain: gpd.GeoDataFrame) -> pd.DataFrame:
    """Chainage of each reach of a chain in order: id, from_m, to_m (ellipsoidal)."""
    to_m = chain["length_m"].cumsum()
    return pd.DataFrame({"id": chain["id"], "from_m": to_m - chain["length_m"], "to_m": to_m})
