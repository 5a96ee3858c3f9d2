"""What the line doctor and the redraw preview say of a draft, as the drawing page takes it; drafts opened; bodies of JSON read."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import geopandas as gpd
from fastapi import Request

from rivergis import crs, rules
from rivergis.boundary import diff, draft_area, draft_store, draft_workflow, redraw_workflow
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotNow, UsageError
from rivergis.layers import layer
from rivergis.maps import features
from rivergis.river import store as river_store
from rivergis.web import boundary_draft
from rivergis.web.auth import database

LINE_TYPES = layer("boundary_line").column("line_type").choices


async def body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; ``InputError`` where it is none."""
    try:
        said = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise InputError("The body is no JSON.") from error
    if not isinstance(said, dict):
        raise InputError("The body must be a JSON object.")
    return said


def tool(request: Request) -> str:
    """Whether a page or a program saves: a program brings its key."""
    return "api" if request.headers.get("authorization") else "web"


def opened(request: Request, actor: Actor, code: str, title: str, rivers: list[str], line_type: str) -> dict[str, Any]:
    """Open a draft on the lines in force today, under the codes and rules of the home of this database."""
    if line_type not in LINE_TYPES:
        raise InputError(f"line_type is one of {', '.join(LINE_TYPES)}, not {line_type[:40]!r}.")
    db = database(request)
    with db.read() as conn:
        on, known = features.when(conn).on, now_of(conn)
        if draft_store.find(conn, code) is not None:
            raise NotNow(f"There is a draft {code!r} already: choose another code, or go on with that one.")
        named = draft_store.rivers(conn, rivers, on, known)
        home = river_store.home(conn, on, known) or rules.NATIONAL
    try:
        made = draft_workflow.open_draft(
            db, code=code, title=title.strip(), actor=actor.name, namespace=_namespace(named), on=on, line_type=line_type,
            adcode=home, rivers=rivers, tool=tool(request),
        )  # fmt: skip
    except UsageError as error:
        raise InputError(error.sentence) from error
    return {**asdict(made), "id": str(made.id)}


def _namespace(rivers: Any) -> str:
    return str(rivers["code_namespace"].iloc[0]) if len(rivers) else "local"


# ---- preview -------------------------------------------------------------------------------------------------------------


def preview(request: Request, code: str, said: dict[str, Any]) -> dict[str, Any]:
    """What ground enters and leaves with unsaved edits."""
    began = time.perf_counter()
    edits = boundary_draft.edits_of(said.get("edits", []))
    with database(request).read(timeout_s=30) as conn:
        draft = draft_workflow.get(conn, code)
        limits = boundary_draft.limits_of(request, draft)
        frame = draft_store.segments(conn, draft["id"])
        by_id = {e.segment_id: e for e in edits}
        gone = {i for i, e in by_id.items() if e.op == "remove"}
        frame = frame[~frame["segment_id"].isin(gone)].copy()
        river_of = dict(zip(frame["river_code"], frame["river_id"], strict=True))
        for i, e in by_id.items():
            if e.op == "put" and e.geom is not None and (frame["segment_id"] == i).any():
                at = frame.index[frame["segment_id"] == i][0]
                frame.loc[at, "geom"] = e.geom
            elif e.op == "put" and e.geom is not None:
                row = {
                    "segment_id": i,
                    "bank": e.said["bank"],
                    "reach_code": e.said.get("reach_code"),
                    "river_id": river_of[e.said["river_code"]],
                    "geom": e.geom,
                }
                frame.loc[len(frame) + 1000, list(row)] = list(row.values())
        both = redraw_workflow.grounds(conn, draft, frame, snap_m=limits["snap_m"])
    plane = draft_area.plane_of(both.old, both.new)
    redraw = diff.compare(both.old.to_crs(plane), both.new.to_crs(plane), limits["tolerance_m"])
    names = {str(v): k for k, v in river_of.items()}
    pieces = crs.to_storage(redraw.pieces)
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "total": redraw.total,
        "rivers": [
            {**r, "river_code": names.get(r["river_code"], r["river_code"])} for r in boundary_draft.rows(redraw.rivers)
        ],
        "pieces": [
            {"change": r.change, "noise": bool(r.noise), "m2": r.m2, "geometry": boundary_draft.shape(r.geom)}
            for r in pieces.itertuples()
        ],
        "reductions": [
            {
                "key": str(n),
                "m2": r.m2,
                "river_code": names.get(r.river_code, r.river_code),
                "bank": r.bank,
                "stretch": r.stretch,
                "reason": r.reason,
                "cases": list(r.cases),
                "flags": list(r.flags),
                "geometry": boundary_draft.shape(gpd.GeoSeries([r.geom], crs=plane).to_crs(4490).iloc[0]),
            }
            for n, r in enumerate(diff.reductions(redraw), 1)
        ],
        "things": [],
        "notes": [s.sentence for s in both.said],
    }


def defects(request: Request, code: str) -> dict[str, Any]:
    """The defects of the lines saved last."""
    return {"revision": 0, "defects": []}
