"""Reaches read from files for matching, and stretches along them as lines again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.patrol.fixes import Floats
from rivergis.patrol.score import Method, Score, method_of, waters_of
from rivergis.patrol.water import Waters, names_of
from rivergis.river.chainage import Axis
from rivergis.rules import RuleView

WIDEST_M = 100_000.0  # of a water: more is a number in other units


@dataclass(frozen=True, eq=False)
class River:
    """Reaches read from a file, ready for matching."""

    reaches: gpd.GeoDataFrame
    waters: Waters
    method: Method

    @property
    def codes(self) -> list[str]:
        """Names of the reaches in the order of the file."""
        return list(self.reaches["reach_id"])


def read_river(path: Path, view: RuleView, *, layer: str | None = None) -> River:
    """Read reaches (LineStrings; reach_id, kind, half_width_m or width_m, visible_m, from_node, to_node are used if present).

    Raises ``InputError`` for a layer that holds no lines, for reaches without a line or a name or of one name, and for
    widths that are no metres.
    """
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if isinstance(frame, gpd.GeoDataFrame) and (void := frame.geometry.isna() | frame.geometry.is_empty).any():
        raise InputError(
            f"{path.name}, layer {name}: row {int(np.flatnonzero(void)[0]) + 1} has no line: draw it, or take the row out.",
            file=str(path),
            layer=name,
        )
    if not isinstance(frame, gpd.GeoDataFrame) or not set(frame.geom_type) <= {"LineString", "MultiLineString"}:
        raise InputError(
            f"{path.name}, layer {name} does not hold lines: name the layer of the reaches with --layer.",
            file=str(path),
            layer=name,
        )
    if frame.empty:
        raise InputError(
            f"{path.name}, layer {name} holds no reach: put the lines of the waters into it.",
            file=str(path),
            layer=name,
        )
    frame, ids = _named_reaches(frame, f"{path.name}, layer {name}", path)
    half = _metres(frame, ids, "half_width_m", path)
    half = np.where(np.isfinite(half), half, _metres(frame, ids, "width_m", path) / 2)
    frame = frame.assign(
        reach_id=ids,
        kind=frame["kind"].fillna("river") if "kind" in frame else "river",
        half_width_m=half,
        visible_m=_metres(frame, ids, "visible_m", path),
        length_m=crs.length_m(frame.geometry.values),
    )
    method = method_of(view.number)
    return River(frame, waters_of(frame, method), method)


def _named_reaches(frame: gpd.GeoDataFrame, where: str, path: Path) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Reaches as one line each, and their names; parts that join end to end are one line, in the direction they are drawn."""
    code = next((c for c in ("reach_id", "code", "id") if c in frame), None)
    lines = np.array(frame.geometry.values, dtype=object)
    parted = shapely.get_type_id(lines) == shapely.GeometryType.MULTILINESTRING
    lines[parted] = shapely.line_merge(lines[parted], directed=True)
    frame = frame.set_geometry(lines, crs=frame.crs).explode(index_parts=False).reset_index(drop=True)
    ids = names_of(frame[code]) if code else frame.index.astype(str).to_series(index=frame.index)
    if len(at := np.flatnonzero(ids.isna() | ids.duplicated())):
        name = ids.iloc[at[0]]
        fault = (
            f"the reach {name[:40]!r} stands twice, or its parts do not join: give each line its own {code}."
            if isinstance(name, str)
            else f"row {at[0] + 1} has no {code}: give each reach its own."
        )
        raise InputError(f"{where}: {fault}", file=str(path))
    return frame, ids


def _metres(frame: gpd.GeoDataFrame, ids: pd.Series, column: str, path: Path) -> Floats:
    """A column of metres, NaN where nothing is said. Raises ``InputError`` for what is no length."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    said = frame[column].astype(object).where(frame[column].notna(), None)
    said = said.map(lambda v: None if isinstance(v, str) and not v.strip() else v)
    metres = pd.to_numeric(said, errors="coerce").to_numpy(dtype=float)
    wrong = said.notna().to_numpy() & ~((metres >= 0) & (metres <= WIDEST_M))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{path.name}: the reach {ids.iloc[at][:40]!r} has {column} = {str(said.iloc[at])[:40]!r}: write metres, 0 or more.",
            file=str(path),
            feature=ids.iloc[at],
        )
    return metres


def lines(done: Score, river: River) -> gpd.GeoDataFrame:
    """Legs seen and not seen as lines along their reaches (LineString, EPSG:4490) with reach_id, bank, metres, times and why."""
    frame = done.legs
    at = frame["reach"].to_numpy(dtype=int)
    parts = [
        Axis(own).stretch(a, min(b, n))
        for own, a, b, n in zip(
            river.reaches.geometry.values[at], frame["from_m"], frame["to_m"], river.waters.length_m[at], strict=True
        )
    ]
    times = {
        c.replace("_s", "_at"): pd.to_datetime(frame[c].astype(float), unit="s", utc=True)
        for c in ("started_s", "ended_s")
    }
    named = frame.drop(columns=["reach", "started_s", "ended_s"]).assign(**times)
    named.insert(0, "reach_id", np.array(river.codes, dtype=object)[at])
    return gpd.GeoDataFrame(named, geometry=parts, crs=river.reaches.crs)
