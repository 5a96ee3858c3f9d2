"""Lakes, reservoirs and ponds of a list of waters (湖泊、水库、山塘): one shape each, its area, and where it lies."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.river import sections

STANDING = ("lake", "reservoir", "pond")


def with_shores(areas: gpd.GeoDataFrame | None, reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    """The water areas, those of a lake of the network under its river_id, and the lakes that only have a shore."""
    shore = reaches[(reaches["kind"] == "shoreline") & reaches["river_id"].notna()]
    if areas is not None:
        shore = shore[~shore["river_id"].isin(areas["river_id"])]
    if shore.empty:
        return areas
    lakes = _enclosed(shore)
    if areas is None:
        return lakes
    areas = areas.rename_geometry("geometry") if areas.geometry.name != "geometry" else areas.copy()
    nobodys = areas["kind"].isin(STANDING) & ~areas["river_id"].isin(reaches["river_id"])
    at = shapely.point_on_surface(lakes.geometry.to_numpy())
    lake, area = shapely.STRtree(areas.geometry.to_numpy()).query(at, predicate="intersects")
    same = nobodys.to_numpy()[area]
    areas.loc[areas.index[area[same]], "river_id"] = lakes["river_id"].to_numpy()[lake[same]]
    only_shore = lakes.drop(index=lakes.index[lake[same]])
    return gpd.GeoDataFrame(pd.concat([areas, only_shore], ignore_index=True), crs=areas.crs)


def _enclosed(shore: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What the shoreline reaches of each lake enclose, without islands; lakes whose shore is open are left out."""
    by_lake = shore.geometry.groupby(shore["river_id"])
    areas = by_lake.agg(lambda g: shapely.build_area(shapely.multilinestrings(list(g))))
    areas = areas[~shapely.is_empty(areas.to_numpy())]
    name = shore.groupby("river_id")["river_name"].first().reindex(areas.index)
    columns = {"river_id": areas.index.to_numpy(), "name": name.to_numpy(), "kind": "lake"}
    return gpd.GeoDataFrame(columns, geometry=areas.to_list(), crs=crs.STORAGE)


def one_each(areas: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Lakes, reservoirs and ponds, one row each: surfaces of one river_id are one water."""
    columns = ["river_id", "code", "name", "kind"]
    if areas is None or not areas["kind"].isin(STANDING).any():
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=crs.STORAGE)
    rows = areas[areas["kind"].isin(STANDING)]
    shapes = [geometry.polygons_of(g) for g in rows.geometry]
    plain = pd.DataFrame(rows).reindex(columns=columns).reset_index(drop=True)
    waters = gpd.GeoDataFrame(plain, geometry=shapes, crs=areas.crs)
    if waters["river_id"].duplicated().any():
        waters = waters.dissolve("river_id", aggfunc="first", as_index=False)
    return waters[[*columns, "geometry"]].reset_index(drop=True)


def surface_km2(areas: gpd.GeoDataFrame | None, waters: gpd.GeoDataFrame) -> pd.DataFrame:
    """Area of the water surface of each river or lake that has one, km2."""
    own = pd.Series(crs.area_m2(waters.geometry.to_numpy()) / 1e6, index=pd.Index(waters["river_id"], dtype=object))
    if areas is not None and not areas.empty:
        wide = areas[~areas["kind"].isin(STANDING) & areas["river_id"].notna()]
        wide = wide[~wide["river_id"].isin(own.index)]
        if len(wide):
            area = pd.Series(crs.area_m2(wide.geometry.to_numpy()) / 1e6, index=wide["river_id"].to_numpy())
            own = pd.concat([own, area.groupby(level=0).sum()])
    return pd.DataFrame({"water_area_km2": own.astype(float)})


def lie_in(waters: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """The units that a point on each standing water lies in."""
    at = list(shapely.point_on_surface(waters.geometry.to_numpy()))
    named = [None] * len(at) if units is None or units.empty else sections.Units(units).at(at)
    return pd.DataFrame({"lies_in": named}, index=pd.Index(waters["river_id"], dtype=object), dtype=object)
