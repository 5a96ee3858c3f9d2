"""What lies on ground that enters or leaves: cases, outfalls, buildings, permits, land-use classes (三调), farmland, parcels ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.redraw import overlay
from rivergis.boundary.redraw.compare import Redraw

LAYERS = (
    "case", "object", "building", "outfall", "permit", "land_use", "farmland", "red_line", "growth_boundary", "parcel",
)  # fmt: skip
"""Layers that a redraw is held against, in the order they are told."""
_HOUSED = ("case", "object", "building", "parcel")  # where nobody says the households, that is worth a word
COLUMNS = (
    "layer", "feature", "name", "kind", "since", "households", "piece", "change", "noise", "river_code", "bank", "m2", "length_m",
    "thing_m2", "was", "becomes", "geom",
)  # fmt: skip
_AROUND_M = 10.0
_ALL, _NONE = 0.999, 0.001  # shares from which a thing lies inside or outside


@dataclass(frozen=True)
class Layer:
    """One layer to look at: ``frame`` in the metres of the redraw with feature, name, kind, since (day) and households.

    ``kind``: class (地类, 类型); ``households``: number, NaN = not said.
    """

    name: str
    frame: gpd.GeoDataFrame


def held_against(redraw: Redraw, layers: Sequence[Layer]) -> Redraw:
    """The redraw with everything that lies on changed ground: one row a thing and piece (``COLUMNS``).

    Areas with the m2 on the piece, lines with the metres, points as such, also on a strip of noise: a point is in or out.
    ``was`` and ``becomes`` say where the whole thing lies before and after: inside, part or outside.
    """
    found = [_on(redraw, layer) for layer in layers if len(layer.frame)]
    found = [f for f in found if len(f)]
    empty = gpd.GeoDataFrame({c: [] for c in COLUMNS}, geometry="geom", crs=redraw.pieces.crs)
    things = gpd.GeoDataFrame(pd.concat(found, ignore_index=True), geometry="geom", crs=empty.crs) if found else empty
    return replace(redraw, things=things, layers=tuple(dict.fromkeys([*redraw.layers, *(x.name for x in layers)])))


def _on(redraw: Redraw, layer: Layer) -> gpd.GeoDataFrame:
    crs.require_metric(layer.frame)
    pieces = redraw.pieces
    frame = _near(layer.frame, pieces)
    shapes = _whole(frame.geometry.to_numpy())
    thing, piece, size = _meetings(shapes, pieces, redraw.tolerance_m if layer.name == "case" else 0.0)
    own = frame.iloc[thing].reset_index(drop=True)
    flat = shapely.get_dimensions(shapes[thing])
    met = np.unique(thing)
    was, becomes = (dict(zip(met, _standing(shapes[met], side), strict=True)) for side in (redraw.old, redraw.new))
    told = pieces.iloc[piece]
    out = pd.DataFrame(
        {c: own[c].to_numpy() if c in own else None for c in ("feature", "name", "kind", "since", "households")}
    )
    return gpd.GeoDataFrame(
        out.assign(
            layer=layer.name,
            piece=told.index.to_numpy(),
            **{c: told[c].to_numpy() for c in ("change", "noise", "river_code", "bank")},
            m2=np.where(flat == 2, size, np.nan),
            length_m=np.where(flat == 1, size, np.nan),
            thing_m2=np.where(flat == 2, shapely.area(shapes[thing]), np.nan),
            was=[was[t] for t in thing],
            becomes=[becomes[t] for t in thing],
            geom=gpd.GeoSeries(shapes[thing], crs=pieces.crs),
        )[list(COLUMNS)],
        geometry="geom",
        crs=pieces.crs,
    )


def _near(frame: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The features whose boxes come within a few metres of a piece, points also of noise; of a county that is one in a hundred."""
    shapes = frame.geometry.to_numpy()
    boxes = shapely.bounds(shapes)
    point = shapely.get_dimensions(shapes) == 0
    own, noise = pieces.geometry.to_numpy(), pieces["noise"].to_numpy(dtype=bool)
    found = [np.zeros(0, np.int64)]
    for chosen, ground in ((point, own), (~point, own[~noise])):
        mine = np.flatnonzero(chosen & np.isfinite(boxes).all(axis=1))
        wide = shapely.box(*(boxes[mine] + _AROUND_M * np.array([-1, -1, 1, 1])).T)
        found.append(mine[np.unique(shapely.STRtree(ground).query(wide)[0])])
    return frame.iloc[np.sort(np.concatenate(found))]


def _whole(shapes: Any) -> Any:
    """Areas valid; points and lines as they are."""
    shapes = shapely.force_2d(shapes)
    flat = shapely.get_dimensions(shapes) == 2
    shapes[flat] = overlay.polygonal(shapes[flat])
    return shapes


def _meetings(shapes: Any, pieces: gpd.GeoDataFrame, near_m: float) -> tuple[Any, Any, Any]:
    """Things and pieces that share more than an edge: positions of both, and how much (m2, metres, or 1 for a point).

    A point counts from ``near_m`` outside: a case stands on the line more often than on either side of it. Areas and lines share
    some of every strip of noise at their edge, and that says nothing.
    """
    own = pieces.geometry.to_numpy()
    point, moved = shapely.get_dimensions(shapes) == 0, np.flatnonzero(~pieces["noise"].to_numpy(dtype=bool))
    points, others = np.flatnonzero(point), np.flatnonzero(~point)
    a, b = shapely.STRtree(own).query(shapes[points], predicate="dwithin", distance=near_m)
    c, d = shapely.STRtree(own[moved]).query(shapes[others], predicate="intersects")
    thing, piece = np.concatenate([points[a], others[c]]), np.concatenate([b, moved[d]])
    flat = shapely.get_dimensions(shapes)[thing]
    parts = overlay.intersection(shapes[thing], own[piece])
    size = np.where(flat == 2, shapely.area(parts), np.where(flat == 1, shapely.length(parts), 1.0))
    some = size > np.where(flat == 2, 0.01, 0.0)
    return thing[some], piece[some], size[some]


def _standing(shapes: Any, areas: gpd.GeoDataFrame) -> list[str]:
    """Where things lie in regard to areas: inside, part, outside."""
    own = areas.geometry.to_numpy()
    thing, area = shapely.STRtree(own).query(shapes, predicate="intersects") if len(own) else (np.zeros(0, int),) * 2
    flat = shapely.get_dimensions(shapes)
    parts = overlay.intersection(shapes[thing], own[area])
    size = np.where(flat[thing] == 2, shapely.area(parts), np.where(flat[thing] == 1, shapely.length(parts), 1.0))
    whole = np.where(flat == 2, shapely.area(shapes), np.where(flat == 1, shapely.length(shapes), 1.0))
    share = np.bincount(thing, size, len(shapes)) / np.maximum(whole, 1e-9)
    return ["inside" if s >= _ALL else "outside" if s <= _NONE else "part" for s in share]


def each(redraw: Redraw) -> pd.DataFrame:
    """One row a thing and direction: m2 and metres summed over the pieces, noise only where all of it is."""
    things = redraw.things
    if things is None or things.empty:
        return pd.DataFrame(columns=[*(c for c in COLUMNS if c not in ("piece", "geom")), "rivers"])
    plain = pd.DataFrame(things.drop(columns="geom")).assign(order=things["layer"].map(list(LAYERS).index))
    grouped = plain.groupby(["order", "layer", "feature", "change"], sort=True)
    first = grouped[["name", "kind", "since", "households", "thing_m2", "was", "becomes", "river_code", "bank"]].first()
    out = first.assign(
        m2=grouped["m2"].sum(min_count=1), length_m=grouped["length_m"].sum(min_count=1), noise=grouped["noise"].all()
    )
    return out.reset_index().drop(columns="order")


def sums(redraw: Redraw) -> pd.DataFrame:
    """One row a layer, class and direction: how many things, m2, households where said and how many did not say them."""
    rows = each(redraw)
    if rows.empty:
        return pd.DataFrame(columns=["layer", "kind", "change", "things", "m2", "length_m", "households", "unsaid"])
    known = pd.to_numeric(rows["households"], errors="coerce")
    rows = rows.assign(
        households=known,
        unsaid=known.isna() & rows["layer"].isin(_HOUSED),
        kind=rows["kind"].map(lambda k: "" if pd.isna(k) else str(k)),
    )
    grouped = rows.assign(order=rows["layer"].map(list(LAYERS).index)).groupby(["order", "layer", "kind", "change"])
    out = pd.DataFrame(
        {
            "things": grouped.size(),
            "m2": grouped["m2"].sum(min_count=1),
            "length_m": grouped["length_m"].sum(min_count=1),
            "households": grouped["households"].sum(min_count=1),
            "unsaid": grouped["unsaid"].sum(),
        }
    )
    return out.reset_index().drop(columns="order")
