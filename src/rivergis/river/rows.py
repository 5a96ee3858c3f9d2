"""A built network as rows of the layers river, axis and reach, and the measures of reaches that come back from storage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river import measures
from rivergis.river.network import Network
from rivergis.river.stem import joined

MADE = {"made_by": "network build"}
MEASURED = ("strahler", "stem_order", "upstream_length_m", "to_outlet_m")
_RIVER_KIND = {"shoreline": "lake", "canal": "ditch", "ditch": "ditch"}
_AS_BUILT = (
    "name",
    "kind",
    "from_m",
    "to_m",
    "from_node",
    "to_node",
    "half_width_m",
    "covered",
    "direction_basis",
    "direction_confidence",
    "channel",
    "upstream_area_km2",
    "repair",
)


def river_rows(reaches: gpd.GeoDataFrame, other: Collection[str]) -> pd.DataFrame:
    """Rivers of a built network but those whose codes are ``other``; a river without name bears its code."""
    first = reaches.sort_values("kind", key=lambda k: k == "shoreline", kind="stable").drop_duplicates("river_id")
    first = first[~first["river_id"].isin(list(other))].sort_values("river_id")
    return pd.DataFrame(
        {
            "code": first["river_id"],
            "name": first["river_name"].where(first["river_name"].notna(), first["river_id"]),
            "kind": first["kind"].map(_RIVER_KIND).fillna("river"),
            "source": [MADE] * len(first),
        }
    )


def axis_rows(reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The axis (中心线) of each river: its main reaches joined in order, LineString in EPSG:4490."""
    main = reaches[(reaches["channel"] == "main") & (reaches["kind"] != "shoreline")]
    main = main.sort_values(["river_id", "from_m"])
    rows = [
        (code, code, float(own["from_m"].iloc[0]), joined(own.geometry, range(len(own))))
        for code, own in main.groupby("river_id")
    ]
    columns = ["code", "river_code", "origin_m", "geom"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geom", crs=crs.STORAGE)


def reach_rows(
    reaches: gpd.GeoDataFrame, axes: dict[str, tuple[UUID, int]], reach_id: Callable[[str], UUID]
) -> gpd.GeoDataFrame:
    """Reaches of a built network; ``axes``: (id, version) by river code; ``reach_id``: id of a reach by its code."""
    source = reaches[["source_fid", "source_id", *(c for c in reaches if str(c).startswith("src_"))]]
    there = reaches["from_m"].notna()
    axis = [axes.get(r) if m else None for r, m in zip(reaches["river_id"], there, strict=True)]
    return gpd.GeoDataFrame(
        {
            "code": reaches["reach_id"],
            "river_code": reaches["river_id"],
            "axis_id": [None if a is None else a[0] for a in axis],
            "axis_version": pd.array([None if a is None else a[1] for a in axis], dtype="Int64"),
            "next_reach_id": [None if pd.isna(n) else reach_id(str(n)) for n in reaches["next_reach_id"]],
            **{c: reaches[c] for c in _AS_BUILT},
            "source_feature": ["" if pd.isna(f) else str(f) for f in reaches["source_fid"]],
            "source": [{k: _json(v) for k, v in row.items()} for row in source.to_dict("records")],
            "geom": reaches.geometry,
        },
        geometry="geom",
        crs=crs.STORAGE,
    )


def numbered(reaches: pd.DataFrame) -> list[str]:
    """Codes that were made of feature numbers, which every file counts from one."""
    own = reaches["source_id"].isna() & (reaches["source_fid"].notna() | (reaches["kind"] == "shoreline"))
    return reaches.loc[own, "reach_id"].tolist()


def require_free(codes: Mapping[UUID, str], taken: Mapping[str, Collection[UUID]]) -> None:
    """``InputError`` if one of the codes (by reach) is among those that the builds of other files made (``taken``, by file)."""
    for file_name, reaches in taken.items():
        if double := sorted(codes[i] for i in codes.keys() & set(reaches)):
            raise InputError(
                f"{len(double)} reaches would take the codes of other ones, {double[0]} first, that were built from {file_name}: give "
                f"--id-field, or a --namespace of its own; a new delivery of that file goes by its name, {file_name}."
            )


def _json(value: Any) -> Any:
    """An attribute of the source as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, list, dict)) or (isinstance(value, float) and np.isfinite(value)):
        return value
    return None if pd.isna(value) else str(value)


def as_built(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows out of storage as the frame ``reaches`` of a build: attributes of the source as columns, and the measures.

    ``frame``: columns of that frame, ``source`` (dict) and ``made`` (bool: the river was made by a build).
    """
    frame = frame.copy()
    unnamed = frame.pop("made").eq(True) & (frame["river_name"] == frame["river_id"])
    frame["river_name"] = frame["river_name"].where(~unnamed, None)
    source = pd.DataFrame(list(frame.pop("source")), index=frame.index)
    own = [c for c in source if c in ("source_fid", "source_id") or str(c).startswith("src_")]
    inner = frame[frame["kind"] != "shoreline"]
    got = measure(inner, Network.of(inner))
    measured = pd.DataFrame({c: getattr(got, c) for c in MEASURED}, index=inner.index)
    return frame.join(source[own]).join(measured)


def measure(frame: pd.DataFrame, network: Network) -> measures.Measures:
    """Order, upstream length and stems of a network whose main successors are known; ``frame``: kind, name, upstream_area_km2."""
    unknown = np.full(len(frame), np.nan)
    reaches = measures.Reaches(
        network.start,
        network.end,
        network.length_m,
        frame["kind"].to_numpy(dtype=object),
        frame["name"].to_numpy(dtype=object),
        unknown,
        unknown,
        frame["upstream_area_km2"].to_numpy(dtype=np.float64),
    )
    return measures.measure(reaches, network.next)
