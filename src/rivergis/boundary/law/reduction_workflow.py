"""What a draft takes out of the announced areas that are in force: the table of reductions that is reasoned and countersigned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, geometry, lifecycle
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.law import area as draft_area
from rivergis.boundary.law import draft_store
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import place as diff_place
from rivergis.db.connect import now_of
from rivergis.encroachment import case_store
from rivergis.errors import UsageError
from rivergis.river import store as river_store
from rivergis.rules import RuleView

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Reduced:
    """One place where ground leaves an announced area (缩小): m2 on the ellipsoid, where, why, and the open cases on it."""

    river_id: uuid.UUID
    river_code: str
    bank: str | None
    from_m: float | None
    to_m: float | None
    stretch: str
    area_m2: float
    reason: str
    cases: tuple[str, ...]
    """Numbers, or ids where a case has none yet, of open cases whose ground it touches."""
    case_ids: tuple[uuid.UUID, ...]
    geom: shapely.MultiPolygon
    """EPSG:4490."""
    noise: bool = False
    """Narrower than two surveys of one line differ by: logged, so that strips of several announcements add up."""

    def because(self, reason: str) -> Reduced:
        return replace(self, reason=reason)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the table that is countersigned."""
        return {
            "river": self.river_code, "bank": self.bank, "from_m": self.from_m, "to_m": self.to_m, "stretch": self.stretch,
            "area_m2": round(self.area_m2, 1), "reason": self.reason, "cases": list(self.cases),
            "shape": shapely.to_wkt(self.geom, rounding_precision=8),
        }  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """How a draft is compared with the law: gap that lines are closed over, and width up to which a change is resurvey noise; metres."""

    snap_m: float
    tolerance_m: float

    @classmethod
    def of(cls, view: RuleView) -> Limits:
        return cls(view.number("encroach.snap"), view.number("boundary.doctor.shrink_tolerance"))


ENDED = ("not_a_problem", "historic_harmless", "closed", "closed_above", "merged")
"""States in which nothing is to be done about a case any more (gis/lifecycle.yaml)."""


def open_cases(conn: Connection) -> gpd.GeoDataFrame:
    """Cases that are not settled, as known now, with number, state and geom (EPSG:4490)."""
    states = tuple(s for s in lifecycle.load()["finding"].states if s not in ENDED)
    known = now_of(conn)
    return case_store.ledger(conn, known.astimezone(SHANGHAI).date(), known, case_store.Wanted(states=states))


@dataclass(frozen=True)
class Grounds:
    """Announced ground in force and ground of the draft, river by river; MultiPolygons with river_code (id of the river), EPSG:4490."""

    old: gpd.GeoDataFrame
    new: gpd.GeoDataFrame
    said: list[Said]


def grounds(
    conn: Connection, draft: Mapping[str, Any], segments: gpd.GeoDataFrame, *, snap_m: float, on: date | None = None
) -> Grounds:
    """The areas that a draft is compared with, and those its ``segments`` (EPSG:4490) enclose.

    ``on``: civil day whose lines in force are meant, as known now; default the draft's own day.
    """
    known = now_of(conn)
    day = on or draft["based_on"]
    held = draft_store.segments(conn, draft["id"], removed=True)
    rivers = sorted({*segments["river_id"], *held["river_id"]}, key=str)
    law = draft_store.law_segments(conn, rivers, draft["line_type"], day, known)
    acts = set(taken_up(conn, draft, held, law, day)["boundary_id"])
    old = old_ground(conn, rivers, draft["line_type"], day, known, snap_m=snap_m)
    old = old[old["boundary_id"].isin(acts)]
    gone = draft_store.let_go(conn, rivers, draft["line_type"])
    strips = _strips(gone[gone["river_code"].isin(set(old["river_code"]))])
    new, said = _closed(segments, snap_m)
    return Grounds(_with_strips(old, strips), new, said)


_GRID_DEG = 1e-11
"""A micrometre: overlays on a grid do not fail on shapes that nearly touch."""


def _strips(gone: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What was let go as noise and no reduction countersigned since then covers: one row a river."""
    rows = []
    for river, mine in gone.groupby("river_code"):
        noise = mine[mine["noise"]]
        if noise.empty:
            continue
        signed = mine[~mine["noise"] & (mine["recorded_at"] >= noise["recorded_at"].min())]
        ground, taken = (
            shapely.union_all(shapely.make_valid(f.geometry.values), grid_size=_GRID_DEG) for f in (noise, signed)
        )
        left = geometry.polygons_of(shapely.difference(ground, taken, grid_size=_GRID_DEG))
        if not left.is_empty:
            rows.append({"river_code": river, "geom": left})
    return gpd.GeoDataFrame(rows, columns=["river_code", "geom"], geometry="geom", crs=crs.STORAGE)


def _with_strips(old: gpd.GeoDataFrame, strips: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Old ground and the strips that were let go as noise, as one shape a river that has some: side by side they are one width."""
    if strips.empty:
        return old
    mended = strips["river_code"].tolist()
    whole = pd.concat([old[old["river_code"].isin(mended)], strips], ignore_index=True)
    ground = [
        geometry.polygons_of(shapely.union_all(shapely.make_valid(g.geometry.values), grid_size=_GRID_DEG))
        for _, g in whole.groupby("river_code")
    ]
    joined = gpd.GeoDataFrame({"river_code": sorted(mended), "geom": ground}, geometry="geom", crs=crs.STORAGE)
    rows = pd.concat([old[~old["river_code"].isin(mended)], joined], ignore_index=True)
    return gpd.GeoDataFrame(rows, geometry="geom", crs=crs.STORAGE)


def taken_up(
    conn: Connection, draft: Mapping[str, Any], held: gpd.GeoDataFrame, law: gpd.GeoDataFrame, on: date
) -> pd.DataFrame:
    """Delimitations in force that a draft takes the place of: it holds lines of them, or draws their bank and stretch anew.

    ``held``: segments of the draft, those taken out, too; ``law``: announced lines in force. One that has areas only is taken up
    where a line of the draft meets its area. Rows with boundary_id, boundary_version, boundary_code, river_id.
    """
    named = set(law.loc[known_to(law, held), "boundary_id"])
    columns = ["boundary_id", "boundary_version", "boundary_code", "river_id"]
    lines = law[law["boundary_id"].isin(named)]
    rivers = sorted(set(held["river_id"]), key=str)
    areas = draft_store.law_areas(conn, rivers, draft["line_type"], on, now_of(conn))
    areas = areas[~areas["boundary_id"].isin(set(law["boundary_id"]))]
    meets = [
        bool(shapely.intersects(held.geometry.values[(held["river_id"] == a.river_id).to_numpy()], a.geom).any())
        for a in areas.itertuples()
    ]
    return pd.concat([pd.DataFrame(lines[columns]), pd.DataFrame(areas.loc[meets, columns])], ignore_index=True)


def known_to(law: gpd.GeoDataFrame, held: gpd.GeoDataFrame) -> np.ndarray:
    """Which announced lines a draft knows: those it was opened on, and those whose bank and stretch it draws anew."""
    bases = {i for i in held["base_segment_id"] if i is not None}
    return np.array([row.id in bases or drawn(row, held) for row in law.itertuples()], dtype=bool)


def drawn(law: Any, held: gpd.GeoDataFrame) -> bool:
    """Whether a draft has a line on the same bank and stretch of the river."""
    mine = held[(held["river_id"] == law.river_id) & (held["bank"] == law.bank)]
    if mine.empty:
        return False
    spans = mine[["from_m", "to_m"]].astype(float)
    if pd.isna(law.from_m) or pd.isna(law.to_m) or spans.isna().any(axis=None):
        return True
    return bool(((spans["from_m"] < law.to_m) & (spans["to_m"] > law.from_m)).any())


def old_ground(
    conn: Connection, rivers: list[uuid.UUID], line_type: str, on: date, known: datetime, *, snap_m: float
) -> gpd.GeoDataFrame:
    """Announced areas of rivers in force on a day: as delivered, else what their lines enclose; EPSG:4490."""
    areas = draft_store.law_areas(conn, rivers, line_type, on, known)
    lines = draft_store.law_segments(conn, rivers, line_type, on, known)
    lines = lines[~lines["boundary_id"].isin(set(areas["boundary_id"]))]
    parts = [
        areas.assign(river_code=areas["river_id"].astype(str))[
            ["river_code", "boundary_id", "boundary_version", "geom"]
        ]
    ]
    for (act, version), mine in lines.groupby(["boundary_id", "boundary_version"]):
        closed, _ = _closed(mine.assign(reach_code=[(s or {}).get("reach_code") for s in mine["source"]]), snap_m)
        parts.append(closed.assign(boundary_id=act, boundary_version=version)[parts[0].columns])
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geom", crs=crs.STORAGE)


def _closed(lines: gpd.GeoDataFrame, snap_m: float) -> tuple[gpd.GeoDataFrame, list[Said]]:
    """What lines enclose, with river_code = id of the river; EPSG:4490."""
    empty = gpd.GeoDataFrame({"river_code": [], "reach_code": []}, geometry=[], crs=crs.STORAGE).rename_geometry("geom")
    if lines.empty:
        return empty, []
    closed, said = draft_area.areas(crs.to_metric(lines), snap_m=snap_m)
    if closed.empty:
        return empty, said
    out = crs.to_storage(closed)
    return out.assign(river_code=out["river_id"].astype(str)), said


def reduced(conn: Connection, draft: Mapping[str, Any], limits: Limits, *, on: date | None = None) -> list[Reduced]:
    """Every place where a draft lets go of announced ground, largest first; ``UsageError`` where its ground is not known."""
    return [r for r in let_go(conn, draft, limits, on=on) if not r.noise]


def let_go(conn: Connection, draft: Mapping[str, Any], limits: Limits, *, on: date | None = None) -> list[Reduced]:
    """``reduced``, and after them what goes within the noise of surveys: one row a river.

    Ground counts as announced until a reduction of it was reasoned and countersigned: strips let go as noise by earlier
    announcements are held against the draft again, so that many small steps are one reduction.
    """
    segments = draft_store.segments(conn, draft["id"])
    both = grounds(conn, draft, segments, snap_m=limits.snap_m, on=on)
    open_ = draft_area.open_stretches(both.said)
    if open_:
        raise UsageError(
            f"The draft {draft['code']} does not close in {len(open_)} places, so its ground is not known ({open_[0].sentence}): "
            "draw the missing line, then go on."
        )
    plane = draft_area.plane_of(both.old, both.new)
    redraw = diff_place.place(
        diff.compare(both.old.to_crs(plane), both.new.to_crs(plane), limits.tolerance_m),
        _courses(conn, draft["based_on"]).to_crs(plane),
    )
    codes = draft_store.codes(conn, [uuid.UUID(r) for r in redraw.rivers["river_code"]])
    cases = open_cases(conn)
    return [_reduced(r, codes, cases, plane) for r in diff.reductions(redraw)] + _noise(redraw, codes, cases, plane)


def _noise(redraw: diff.Redraw, codes: Mapping[uuid.UUID, str], cases: gpd.GeoDataFrame, plane: Any) -> list[Reduced]:
    """What leaves the areas within the noise of surveys, one row a river."""
    pieces = redraw.pieces
    strips = pieces[(pieces["change"] == diff.LEAVING) & pieces["noise"] & pieces["other_river"].isna()]
    out = []
    for river, mine in strips.groupby("river_code"):
        shape = shapely.union_all(mine.geometry.values)
        whole = diff.Reduction(shape, float(mine["m2"].sum()), str(river), None, "", None, None, "")
        out.append(replace(_reduced(whole, codes, cases, plane), noise=True))
    return [r for r in out if r.area_m2 > 0 and not r.geom.is_empty]


def _courses(conn: Connection, on: date) -> gpd.GeoDataFrame:
    """Reaches along which a place gets its bank and chainage, with river_code = id of the river; EPSG:4490."""
    reaches = river_store.reaches(conn, on, now_of(conn))
    return reaches.assign(river_code=reaches["river_id"].astype(str))


def _reduced(r: diff.Reduction, codes: Mapping[uuid.UUID, str], cases: gpd.GeoDataFrame, plane: Any) -> Reduced:
    river = uuid.UUID(r.river_code)
    shape = geometry.polygons_of(crs.to_storage(gpd.GeoSeries([geometry.polygons_of(r.geom)], crs=plane)).iloc[0])
    on_it = cases[shapely.intersects(cases.geometry.values, shape)]
    names = [n or str(i)[:8] for n, i in zip(on_it["number"], on_it["id"], strict=True)]
    return Reduced(
        river, codes.get(river, r.river_code), r.bank, r.from_m, r.to_m, r.stretch, r.m2, r.reason, tuple(names), tuple(on_it["id"]), shape
    )  # fmt: skip


def areas_by_river(segments: gpd.GeoDataFrame, snap_m: float) -> gpd.GeoDataFrame:
    """The ground of each river that segments (EPSG:4490) enclose: one MultiPolygon a river_id."""
    closed, _ = _closed(segments, snap_m)
    merged = [
        (uuid.UUID(r), geometry.polygons_of(shapely.union_all(g.geometry.values)))
        for r, g in closed.groupby("river_code")
    ]
    return gpd.GeoDataFrame(
        {"river_id": [r for r, _ in merged]}, geometry=[g for _, g in merged], crs=crs.STORAGE
    ).rename_geometry("geom")


def ground_of(
    conn: Connection,
    boundary_id: uuid.UUID,
    river_id: uuid.UUID,
    line_type: str,
    on: date,
    known: datetime,
    *,
    snap_m: float,
) -> Reduced | None:
    """The whole ground of one delimitation as a reduction, with the open cases on it; None when it encloses nothing."""
    old = old_ground(conn, [river_id], line_type, on, known, snap_m=snap_m)
    mine = old[old["boundary_id"] == boundary_id]
    if mine.empty:
        return None
    plane = draft_area.plane_of(mine)
    ground = shapely.union_all(mine.to_crs(plane).geometry.values)
    whole = diff.Reduction(ground, float(ground.area), str(river_id), None, "", None, None, "")
    return _reduced(whole, draft_store.codes(conn, [river_id]), open_cases(conn), plane)


def unlogged(conn: Connection, limits: Limits) -> gpd.GeoDataFrame:
    """Reductions of announced ground that came by an import, not by a draft: nobody countersigned them, most have no reason.

    One row a place: river_code, bank, stretch, from_m, to_m, area_m2, reason, cases, day, geom (MultiPolygon, EPSG:4490).
    """
    rows: list[dict[str, Any]] = []
    cases = open_cases(conn)
    for turn in draft_store.turns(conn).itertuples():
        old, new = (
            old_ground(conn, [turn.river_id], turn.line_type, day, known, snap_m=limits.snap_m)
            for day, known in ((turn.before, turn.known_before), (turn.after, turn.known_after))
        )
        if old.empty:
            continue
        plane = draft_area.plane_of(old, new)
        redraw = diff.compare(old.to_crs(plane), new.to_crs(plane), limits.tolerance_m)
        if redraw.reduced.empty:
            continue
        placed = diff_place.place(redraw, _courses(conn, turn.after).to_crs(plane))
        codes = draft_store.codes(conn, [turn.river_id])
        for r in diff.reductions(placed):
            told = _reduced(r, codes, cases, plane).because(turn.reason or "")
            rows.append(
                {k: v for k, v in told.as_dict().items() if k != "shape"} | {"day": turn.after, "geom": told.geom}
            )
    columns = ["river", "bank", "from_m", "to_m", "stretch", "area_m2", "reason", "cases", "day", "geom"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geom", crs=crs.STORAGE)
    return frame.rename(columns={"river": "river_code"})
