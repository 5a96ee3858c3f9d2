"""Ground inside the management lines in force, prepared once per version and kept: closed, repaired, cut to pieces."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import __version__, crs, geometry
from rivergis.boundary.ground import closing
from rivergis.boundary.ground import store as ground_store
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.ground.pieces import Pieces, cut
from rivergis.boundary.ground.prepared import Prepared, islands_of
from rivergis.db.versions import IDENTITY_NAMESPACE

_TOGETHER = 200  # delimitations prepared at a time, so that memory does not grow with their number
_ACT = ("boundary_id", "boundary_version", "area_id", "area_version", "lines")


@dataclass(frozen=True)
class Acts:
    """Management boundaries in force on a day, each with the key of all that its ground is made of."""

    frame: pd.DataFrame
    """Rows of ``ground_store.in_force``, with ``key``."""
    ids: dict[str, tuple[uuid.UUID, uuid.UUID]]
    """By key: what is decided to be inside, and where that is open."""
    snap_m: float
    doubt_m: float

    @property
    def grounds(self) -> list[uuid.UUID]:
        return [i for pair in self.ids.values() for i in pair]

    def near(self, grounds: Collection[uuid.UUID]) -> Acts:
        """Those of them that have one of these grounds."""
        ids = {k: pair for k, pair in self.ids.items() if not set(pair).isdisjoint(grounds)}
        frame = self.frame[self.frame["key"].isin(list(ids))].reset_index(drop=True)
        return Acts(frame, ids, self.snap_m, self.doubt_m)


@dataclass(frozen=True)
class Ground:
    """What lines enclose on a day, in metres of one zone."""

    prepared: Prepared
    """Doubts come with the columns of their act (``ground_store.in_force``) and ``ground_id``, as areas do."""
    areas: gpd.GeoDataFrame

    @property
    def crs(self) -> Any:
        return self.areas.crs


@dataclass(frozen=True)
class Made:
    """Grounds prepared anew: rows of the cache, their pieces and their islands; EPSG:4490."""

    grounds: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame
    islands: gpd.GeoDataFrame


def acts(conn: Connection, on: date, known_at: datetime, *, snap_m: float, doubt_m: float) -> Acts:
    """Management boundaries in force on a civil day, as known at a moment."""
    frame = ground_store.in_force(conn, on, known_at)
    frame = frame.assign(key=[_key(a, snap_m, doubt_m) for a in frame.itertuples()])
    return Acts(frame, {k: (_id(k, "area"), _id(k, "doubt")) for k in frame["key"]}, snap_m, doubt_m)


def prepare(conn: Connection, wanted: Acts, progress: Callable[[int, int], None] = lambda done, all_: None) -> int:
    """Prepare the ground of boundaries that is not prepared yet and keep it in the cache; returns how many were.

    The same versions give the same ground on every later day.
    """
    missing = _missing(conn, wanted)
    for start in range(0, len(missing), _TOGETHER):
        made = _build(conn, wanted, missing.iloc[start : start + _TOGETHER])
        ground_store.keep(conn, made.grounds, made.pieces, made.islands)
        progress(min(start + _TOGETHER, len(missing)), len(missing))
    return len(missing)


def built(conn: Connection, wanted: Acts) -> Made | None:
    """What of the ground of boundaries is not prepared, prepared for this answer only (a reading transaction)."""
    missing = _missing(conn, wanted)
    return _build(conn, wanted, missing) if len(missing) else None


def _missing(conn: Connection, wanted: Acts) -> pd.DataFrame:
    there = ground_store.known(conn, wanted.grounds)
    return wanted.frame[[not there.intersection(wanted.ids[k]) for k in wanted.frame["key"]]]


def ground(conn: Connection, wanted: Acts, zone: Any, made: Made | None = None) -> Ground:
    """The ground inside boundaries in metres of a zone, from what is prepared (and ``made``)."""
    grounds = ground_store.grounds(conn, wanted.grounds)
    pieces = ground_store.pieces(conn, list(grounds["id"]))
    if made is not None:
        grounds = _with(grounds, made.grounds[["id", "decided", "said", "geom"]])
        pieces = _with(pieces, made.pieces[["ground_id", "geom"]])
    return _put_together(wanted, grounds, pieces, zone)


def _key(act: Any, snap_m: float, doubt_m: float) -> str:
    """All that the ground of a delimitation is made of, and by what."""
    lines = ",".join(f"{i}/{v}" for i, v in act.lines)
    of = lines if pd.isna(act.area_id) else f"{act.area_id}/{int(act.area_version)}"
    return f"{act.boundary_id}/{act.boundary_version}/{of}/{snap_m:g}/{doubt_m:g}/{__version__}/{shapely.geos_version_string}"


def _id(key: str, part: str) -> uuid.UUID:
    return uuid.uuid5(IDENTITY_NAMESPACE, f"ground/{key}/{part}")


def middle(conn: Connection, wanted: Acts, made: Made | None = None) -> tuple[float, float] | None:
    """Degrees of the middle of the ground of boundaries; None where there is none."""
    frame = ground_store.grounds(conn, wanted.grounds)
    frame = frame if made is None else _with(frame, made.grounds[["id", "decided", "said", "geom"]])
    frame = frame[frame.geometry.notna()]
    return crs.centre(frame) if len(frame) else None


def _with(frame: gpd.GeoDataFrame, more: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True), geometry="geom", crs=crs.STORAGE)


def _build(conn: Connection, wanted: Acts, missing: pd.DataFrame) -> Made:
    """Ground of delimitations prepared, each in the zone it lies in, whatever is prepared beside it; degrees."""
    drawn = ground_store.areas(
        conn, [(r.area_id, int(r.area_version)) for r in missing.itertuples() if pd.notna(r.area_id)]
    )
    lines = ground_store.lines(conn, [(i, v) for ls in missing["lines"] for i, v in ls])
    area_of = dict(zip(drawn["id"].astype(str), drawn.geometry, strict=True))
    lines_of = {str(b): rows for b, rows in lines.groupby("boundary_id")}
    made = []
    for act in missing.itertuples():
        rows = lines_of[str(act.boundary_id)] if pd.isna(act.area_id) else _area(act, area_of[str(act.area_id)])
        zone = crs.metric_crs(*crs.centre(rows))
        closed = _closed(act, rows.to_crs(zone), wanted)
        made.append(gpd.GeoDataFrame(pd.DataFrame(closed, dtype=object), geometry="geom", crs=zone))
    pieces = [cut(m.geometry.to_numpy()) for m in made]
    cuts = [_numbered(m["id"].to_numpy()[p.area], p.shapes, m.crs) for m, p in zip(made, pieces, strict=True)]
    holes = [_islands(m) for m in made]
    whole = [m.to_crs(crs.STORAGE) for m in made]
    return Made(
        *(
            gpd.GeoDataFrame(pd.concat(x, ignore_index=True), geometry="geom", crs=crs.STORAGE)
            for x in (whole, cuts, holes)
        )
    )


def _area(act: Any, shape: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(index=[str(act.area_id)], geometry=[shape], crs=crs.STORAGE)


def _islands(made: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    mine = made[made["decided"].astype(bool) & made.geometry.notna()]
    found = [islands_of(np.array([g], object)) for g in mine.geometry]
    owners = np.repeat(mine["id"].to_numpy(), [len(f) for f in found])
    return _numbered(owners, np.concatenate([np.zeros(0, object), *found]), made.crs)


def _closed(act: Any, rows: gpd.GeoDataFrame, wanted: Acts) -> list[dict[str, Any]]:
    """Rows of the cache of one delimitation, metres."""
    ids, limits = wanted.ids[act.key], {"snap_m": wanted.snap_m, "doubt_m": wanted.doubt_m}
    if pd.isna(act.area_id):
        return _of_lines(act, rows, ids, **limits)
    closed = closing.close(rows, group=None, bank=None, **limits)
    said = [x for x in closed.said if x.code == "boundary_repaired"]
    area = closed.areas.geometry.iloc[0] if len(closed.areas) else None
    return _rows_of(act, area, None, said, ids)


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
    common = {c: getattr(act, c) for c in _ACT} | {"said": [s.as_dict() for s in said]}
    rows = [common | {"id": ids[0], "decided": True, "geom": area}] if area is not None else []
    if doubt is not None or area is None:
        rows.append(common | {"id": ids[1], "decided": False, "geom": doubt})
    return rows


def _numbered(owners: np.ndarray, shapes: np.ndarray, zone: Any) -> gpd.GeoDataFrame:
    """Shapes of grounds in degrees, 1, 2, 3 ... within each run of equal owners: ground_id, seq, geom."""
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owners) else np.zeros(0, int)
    seq = np.arange(len(owners)) - np.repeat(starts, np.diff(np.r_[starts, len(owners)])) + 1
    frame = gpd.GeoDataFrame({"ground_id": owners, "seq": seq}, geometry=list(shapes), crs=zone)
    return frame.rename_geometry("geom").to_crs(crs.STORAGE)


def _put_together(wanted: Acts, grounds: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame, zone: Any) -> Ground:
    frame = wanted.frame
    act_of = {i: n for n, k in enumerate(frame["key"]) for i in wanted.ids[k]}
    grounds = grounds[grounds.geometry.notna()].reset_index(drop=True)
    columns = frame.iloc[[act_of[i] for i in grounds["id"]]].reset_index(drop=True).drop(columns="key")
    whole = columns.assign(ground_id=grounds["id"], decided=grounds["decided"], said=grounds["said"])
    whole = gpd.GeoDataFrame(whole, geometry=grounds.geometry.to_crs(zone).to_numpy(), crs=zone)
    whole["xy_error_m"] = pd.to_numeric(whole["xy_error_m"], errors="coerce").astype(float)
    areas = whole[whole["decided"].astype(bool)].reset_index(drop=True)
    doubts = whole[~whole["decided"].astype(bool)].reset_index(drop=True)
    at = {i: n for n, i in enumerate(areas["ground_id"])}
    mine = pieces[pieces["ground_id"].isin(list(at))]
    shapes = mine.geometry.to_crs(zone).to_numpy()
    said = [Said(s["code"], s["sentence"], tuple(s["features"]), s["layer"]) for row in whole["said"] for s in row]
    because = [next((s["sentence"] for s in reversed(row)), "") for row in doubts["said"]]
    cut_ = Pieces(shapes, mine["ground_id"].map(at).to_numpy(dtype=np.int64))
    return Ground(Prepared(areas, cut_, doubts.assign(because=because), said), areas)
