"""Ground inside the management lines in force, prepared once per version and kept: closed, repaired, cut to pieces."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import __version__, crs, geometry
from rivergis.boundary import closing, ground_store
from rivergis.boundary.closing import Said
from rivergis.boundary.pieces import Pieces, cut
from rivergis.boundary.prepared import Prepared, islands_of
from rivergis.db.versions import IDENTITY_NAMESPACE

_ACT = ("boundary_id", "boundary_version", "area_id", "area_version", "lines")


@dataclass(frozen=True)
class Ground:
    """What the lines in force on a day enclose, in metres of one zone, and by which prepared pieces SQL finds what is near."""

    prepared: Prepared
    """Doubts come with the columns of their act (``ground_store.in_force``) and ``ground_id``, as areas do."""
    areas: gpd.GeoDataFrame
    ids: list[uuid.UUID]
    islands: list[shapely.Polygon]
    """What an area leaves out in its middle, degrees."""
    built: int

    @property
    def crs(self) -> Any:
        return self.areas.crs


def ground(
    conn: Connection, on: date, known_at: datetime, *, snap_m: float, doubt_m: float, keep: bool = True
) -> Ground | None:
    """The ground inside the management lines in force on a civil day, as known at a moment; None where no line is.

    What is not prepared yet is prepared; ``keep`` writes it to the cache, else it serves this answer only (a reading
    transaction). The same versions give the same ground on every later day.
    """
    acts = ground_store.in_force(conn, on, known_at)
    if acts.empty:
        return None
    acts = acts.assign(key=[_key(a, snap_m, doubt_m) for a in acts.itertuples()])
    ids = {k: (_id(k, "area"), _id(k, "doubt")) for k in acts["key"]}
    there = ground_store.known(conn, [i for pair in ids.values() for i in pair])
    missing = acts[[not there.intersection(ids[k]) for k in acts["key"]]]
    made, cuts = _build(conn, missing, ids, snap_m, doubt_m) if len(missing) else (None, None)
    if keep and made is not None and cuts is not None:
        ground_store.keep(conn, made.drop(columns="key"), cuts)
    grounds = ground_store.grounds(conn, [i for pair in ids.values() for i in pair])
    pieces = ground_store.pieces(conn, list(grounds["id"]))
    if not keep and made is not None and cuts is not None:
        grounds = _with(grounds, made[["id", "decided", "said", "geom"]])
        pieces = _with(pieces, cuts[["ground_id", "geom"]])
    return _put_together(acts, ids, grounds, pieces, 0 if made is None else len(made))


def _key(act: Any, snap_m: float, doubt_m: float) -> str:
    """All that the ground of a delimitation is made of, and by what."""
    lines = ",".join(f"{i}/{v}" for i, v in act.lines)
    of = lines if pd.isna(act.area_id) else f"{act.area_id}/{int(act.area_version)}"
    return f"{act.boundary_id}/{act.boundary_version}/{of}/{snap_m:g}/{doubt_m:g}/{__version__}/{shapely.geos_version_string}"


def _id(key: str, part: str) -> uuid.UUID:
    return uuid.uuid5(IDENTITY_NAMESPACE, f"ground/{key}/{part}")


def _with(frame: gpd.GeoDataFrame, more: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True), geometry="geom", crs=crs.STORAGE)


def _build(
    conn: Connection, acts: pd.DataFrame, ids: dict[str, tuple[uuid.UUID, uuid.UUID]], snap_m: float, doubt_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Rows of ``cache.boundary_ground`` (with ``key``) and of ``cache.boundary_piece`` for delimitations; degrees."""
    areal = acts[acts["area_id"].notna()]
    drawn = ground_store.areas(conn, [(r.area_id, int(r.area_version)) for r in areal.itertuples()])
    lines = ground_store.lines(conn, [(i, v) for ls in acts["lines"] for i, v in ls])
    shapes = pd.concat([drawn.geometry, lines.geometry])
    zone = crs.metric_crs(*crs.centre(gpd.GeoSeries(shapes, crs=crs.STORAGE)))
    drawn, lines = drawn.to_crs(zone), lines.to_crs(zone)
    lines_of = {str(b): rows for b, rows in lines.groupby("boundary_id")}
    drawn = drawn.set_index(drawn["id"].astype(str))
    closed = closing.close(drawn, group=None, bank=None, snap_m=snap_m, doubt_m=doubt_m)
    area_of = dict(zip((f[0] for f in closed.areas["features"]), closed.areas.geometry, strict=True))
    said_of = {s.features[0]: s for s in closed.said if s.code == "boundary_repaired"}
    rows: list[dict[str, Any]] = []
    for act in acts.itertuples():
        if pd.isna(act.area_id):
            rows += _of_lines(act, lines_of[str(act.boundary_id)], ids[act.key], snap_m, doubt_m)
        else:
            said = [said_of[str(act.area_id)]] if str(act.area_id) in said_of else []
            rows += _rows_of(act, area_of.get(str(act.area_id)), None, said, ids[act.key])
    made = gpd.GeoDataFrame(pd.DataFrame(rows, dtype=object), geometry="geom", crs=zone)
    pieces = cut(made.geometry.to_numpy())
    cuts = gpd.GeoDataFrame(
        {"ground_id": made["id"].to_numpy()[pieces.area], "seq": _numbered(pieces.area)},
        geometry=list(pieces.shapes),
        crs=zone,
    )
    return made.to_crs(crs.STORAGE), cuts.rename_geometry("geom").to_crs(crs.STORAGE)


def _of_lines(
    act: Any, lines: gpd.GeoDataFrame, ids: tuple[uuid.UUID, uuid.UUID], snap_m: float, doubt_m: float
) -> list[dict[str, Any]]:
    """What the lines of one delimitation enclose, and where they leave that open."""
    frame = lines.set_index(lines["code"].astype(str))
    closed = closing.close(frame, group=None, bank="bank", snap_m=snap_m, doubt_m=doubt_m)
    area, doubt = (
        geometry.polygons_of(shapely.union_all(f.geometry.to_numpy())) if len(f) else None
        for f in (closed.areas, closed.doubts)
    )
    return _rows_of(act, area, doubt, closed.said, ids)


def _rows_of(
    act: Any, area: Any, doubt: Any, said: Sequence[Said], ids: tuple[uuid.UUID, uuid.UUID]
) -> list[dict[str, Any]]:
    """Rows of the cache for one delimitation: what is inside, and where that is open; an empty one where it is neither."""
    common = {c: getattr(act, c) for c in _ACT} | {"key": act.key, "said": [s.as_dict() for s in said]}
    rows = [common | {"id": ids[0], "decided": True, "geom": area}] if area is not None else []
    if doubt is not None or area is None:
        rows.append(common | {"id": ids[1], "decided": False, "geom": doubt})
    return rows


def _numbered(groups: np.ndarray) -> np.ndarray:
    """1, 2, 3 ... within each run of equal groups."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.zeros(0, int)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)])) + 1


def _put_together(
    acts: pd.DataFrame,
    ids: dict[str, tuple[uuid.UUID, uuid.UUID]],
    grounds: gpd.GeoDataFrame,
    pieces: gpd.GeoDataFrame,
    built: int,
) -> Ground | None:
    act_of = {i: n for n, k in enumerate(acts["key"]) for i in ids[k]}
    grounds = grounds[grounds.geometry.notna()].reset_index(drop=True)
    if grounds.empty:
        return None
    zone = crs.metric_crs(*crs.centre(grounds))
    columns = acts.iloc[[act_of[i] for i in grounds["id"]]].reset_index(drop=True).drop(columns="key")
    whole = columns.assign(ground_id=grounds["id"], decided=grounds["decided"], said=grounds["said"])
    whole = gpd.GeoDataFrame(whole, geometry=grounds.geometry.to_crs(zone).to_numpy(), crs=zone)
    whole["xy_error_m"] = pd.to_numeric(whole["xy_error_m"], errors="coerce").astype(float)
    areas = whole[whole["decided"].astype(bool)].reset_index(drop=True)
    doubts = whole[~whole["decided"].astype(bool)].reset_index(drop=True)
    at = {i: n for n, i in enumerate(areas["ground_id"])}
    mine = pieces[pieces["ground_id"].isin(at)]
    shapes = mine.geometry.to_crs(zone).to_numpy()
    said = [Said(s["code"], s["sentence"], tuple(s["features"]), s["layer"]) for row in whole["said"] for s in row]
    because = [next((s["sentence"] for s in reversed(row)), "") for row in doubts["said"]]
    return Ground(
        Prepared(
            areas,
            Pieces(shapes, mine["ground_id"].map(at).to_numpy(dtype=np.int64)),
            doubts.assign(because=because),
            said,
        ),
        areas,
        list(grounds["id"]),
        list(islands_of(grounds.loc[grounds["decided"].astype(bool)].geometry.to_numpy())),
        built,
    )
