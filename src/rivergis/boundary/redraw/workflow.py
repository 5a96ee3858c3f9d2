"""The redraw preview (改线预览) in the database: a draft with unsaved edits, or the law of one day, held against another day's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import reduction_workflow as redraw_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.boundary.redraw import make as diff_make
from rivergis.boundary.redraw import store as diff_store
from rivergis.boundary.redraw import told as diff_told
from rivergis.boundary.redraw.compare import Redraw
from rivergis.boundary.redraw.make import Given, Limits
from rivergis.db.connect import now_of
from rivergis.errors import UsageError
from rivergis.outfall import store as outfall_store
from rivergis.river import store as river_store
from rivergis.rules import RuleView

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Preview:
    """A redraw and how it is told: ``as_dict`` is what the page gets, shapes as GeoJSON in EPSG:4490."""

    redraw: Redraw

    def as_dict(self) -> dict[str, Any]:
        return diff_told.told(self.redraw)


def preview_draft(
    conn: Connection,
    code: str,
    view: RuleView,
    *,
    edits: Sequence[Edit] = (),
    noise_m: float | None = None,
    layers: Given | None = None,
) -> Preview:
    """What a draft, with ``edits`` nobody has saved yet, changes of the law in force on its day (保存前预览).

    ``layers``: what of the outside is given beside the database: land use, farmland, red line, parcels ... (``Given.things``,
    ``observed``). Stretches that do not close yet are left out on both sides and told. Raises ``NotFound``, ``UsageError``.
    """
    draft = draft_workflow.get(conn, code)
    limits = diff_make.limits_of(view, noise_m)
    segments = edited(draft_store.segments(conn, draft["id"]), edits)
    both = redraw_workflow.grounds(conn, draft, segments, snap_m=limits.snap_m)
    old, new, said = _closed_on_both(both, segments)
    new = new.assign(reason=_reasons(conn, draft["id"], segments, new))
    redraw = _told(conn, old, new, said, limits, layers or Given(), draft["based_on"])
    about = {
        "draft": draft["code"],
        "title": draft["title"],
        "revision": draft["revision"],
        "state": draft["state"],
        "sketch": draft["sketch"],
    }
    return Preview(replace(redraw, about={**redraw.about, **about}))


def between_days(
    conn: Connection,
    before: date,
    after: date,
    view: RuleView,
    *,
    rivers: Sequence[str] = (),
    line_type: str = "management",
    noise_m: float | None = None,
    layers: Given | None = None,
) -> Preview:
    """What changed in the announced areas between two civil days; ``rivers``: codes, all where none is given."""
    limits = diff_make.limits_of(view, noise_m)
    known = now_of(conn)
    ids = _rivers(conn, rivers, (before, after), known)
    old, new = (
        redraw_workflow.old_ground(conn, ids, line_type, day, known, snap_m=limits.snap_m) for day in (before, after)
    )
    redraw = _told(conn, old, new, [], limits, layers or Given(), before)
    return Preview(replace(redraw, about={**redraw.about, "before": before, "after": after}))


def edited(segments: gpd.GeoDataFrame, edits: Sequence[Edit]) -> gpd.GeoDataFrame:
    """Segments of a draft (EPSG:4490) with edits that nobody has saved; a new one needs its river and bank."""
    if not edits:
        return segments
    touched = {e.segment_id for e in edits if e.segment_id is not None}
    before = {row["segment_id"]: row for row in segments.to_dict("records") if row["segment_id"] in touched}
    rows = []
    for edit in edits:
        if edit.op == "remove":
            continue
        row = {**before.get(edit.segment_id, {}), **edit.said}
        row["segment_id"] = edit.segment_id or uuid.uuid4()
        row["geom"] = edit.geom if edit.geom is not None else row.get("geom")
        if row["geom"] is None or row.get("river_id") is None or row.get("bank") is None:
            raise UsageError("A new stretch of line needs its shape, river and bank before it can be previewed.")
        rows.append({c: row.get(c) for c in segments.columns})
    rest = segments[~segments["segment_id"].isin(touched)]
    put = pd.DataFrame(rows, columns=segments.columns)
    return gpd.GeoDataFrame(pd.concat([rest, put], ignore_index=True), geometry="geom", crs=segments.crs)


def _reasons(
    conn: Connection, draft_id: uuid.UUID, segments: gpd.GeoDataFrame, new: gpd.GeoDataFrame
) -> list[str | None]:
    """Why each area is drawn as it is: the reasons of the saves that drew its lines, after the one that opened the draft."""
    changes = draft_store.changes(conn, draft_id)
    why = {r.revision: r.reason for r in changes.itertuples() if r.revision > 1 and r.reason}
    saved: dict[tuple[str, Any], list[str]] = {}
    for row in segments.itertuples():
        if row.revision in why:
            saved.setdefault((str(row.river_id), row.reach_code), []).append(why[row.revision])
    told = [saved.get((r, c), []) for r, c in zip(new["river_code"], new["reach_code"], strict=True)]
    return ["；".join(dict.fromkeys(t)) or None for t in told]


def _closed_on_both(
    both: redraw_workflow.Grounds, segments: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[Said]]:
    """Old and new ground without the rivers of which a stretch of the draft does not close."""
    open_ = [s for s in both.said if s.code == "boundary_open"]
    rows = {int(f) for s in open_ for f in s.features if f.isdigit()}
    rivers = {str(r) for r in segments.loc[segments.index.isin(rows), "river_id"]}
    told = [replace(s, code="redraw_not_compared") for s in open_]
    keep = [~f["river_code"].isin(rivers) for f in (both.old, both.new)]
    return both.old[keep[0]], both.new[keep[1]], [*told, *(s for s in both.said if s not in open_)]


def _told(
    conn: Connection, old: Any, new: Any, said: Sequence[Said], limits: Limits, layers: Given, old_day: date
) -> Redraw:
    """Two grounds whose river_code is the id of the river, compared and held against the database."""
    known = now_of(conn)
    today = known.astimezone(SHANGHAI).date()
    names = _names(conn, old, new)
    old, new = (f.assign(river_code=[names.get(r, (r, None))[0] for r in f["river_code"]]) for f in (old, new))
    reaches = river_store.reaches(conn, today, known)
    reaches = reaches[reaches["river_code"].isin([c for c, _ in names.values()])]
    redraw = diff_make.compared(old, new, limits, reaches, said)
    given = replace(
        layers,
        things={**_things(conn, redraw, today, known), **layers.things},
        observed=_observed(conn, redraw, today, known, layers.observed),
        units=layers.units if layers.units is not None else _units(conn, today, known),
        old_day=layers.old_day or old_day,
    )
    redraw = diff_make.held(redraw, limits, given)
    return replace(
        redraw, about={**redraw.about, "river_names": {c: n for c, n in names.values() if n}, "known_at": known}
    )


def cases(conn: Connection) -> gpd.GeoDataFrame:
    """The open cases of the ledger with their numbers (the start of their id where they have none yet); EPSG:4490."""
    rows = redraw_workflow.open_cases(conn)
    number = [n or str(i)[:8] for n, i in zip(rows["number"], rows["id"], strict=True)]
    return rows.assign(feature=number, name=number, kind=rows["class_code"], since=rows["first_night"])


def _boxes(redraw: Redraw) -> np.ndarray:
    """Boxes of the changed pieces in degrees, and their number kept small: noise needs no looking up."""
    moved = crs.to_storage(redraw.changed)
    return moved.bounds.to_numpy(np.float64) if len(moved) else np.empty((0, 4))


def _things(conn: Connection, redraw: Redraw, on: date, known: datetime) -> dict[str, gpd.GeoDataFrame]:
    boxes = _boxes(redraw)
    outfalls = outfall_store.outfalls(conn, on, known)
    outfalls = outfalls.assign(feature=outfalls["code"], kind=outfalls["class_1"])
    return {
        "case": cases(conn),
        "outfall": outfalls,
        "permit": diff_store.permits(conn, boxes, on, known),
        "object": diff_store.objects(conn, boxes, on, known),
    }


def _observed(
    conn: Connection, redraw: Redraw, on: date, known: datetime, more: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    waters = diff_store.waters(conn, _boxes(redraw), on, known)
    if more is None:
        return waters
    return gpd.GeoDataFrame(
        pd.concat([waters, more[waters.columns]], ignore_index=True), geometry="geom", crs=crs.STORAGE
    )


def _units(conn: Connection, on: date, known: datetime) -> gpd.GeoDataFrame | None:
    units = river_store.units(conn, on, known)
    return units[units["level"].isin(["town", "village"])] if len(units) else None


def _names(conn: Connection, *grounds: gpd.GeoDataFrame) -> Mapping[str, tuple[str, str | None]]:
    """River id as text -> (code, name)."""
    ids = sorted({r for g in grounds for r in g["river_code"]})
    known = now_of(conn)
    rivers = river_store.rivers(conn, known.astimezone(SHANGHAI).date(), known)
    return {str(r.id): (r.code, r.name) for r in rivers.itertuples() if str(r.id) in set(ids)}


def _rivers(conn: Connection, codes: Sequence[str], days: Sequence[date], known: datetime) -> list[uuid.UUID]:
    frames = [river_store.rivers(conn, day, known) for day in days]
    both = pd.concat(frames).drop_duplicates("id")
    missing = sorted(set(codes) - set(both["code"]))
    if missing:
        raise UsageError(f"These rivers are not known: {', '.join(missing[:8])}; see 'rivergis river list'.")
    return list(both["id"] if not codes else both.loc[both["code"].isin(codes), "id"])
