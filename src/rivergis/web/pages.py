"""Pages and maps: each reads the views of ``app`` in one read-only transaction and shows them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from rivergis.db.access import Actor
from rivergis.maps import features, leads, lists, sheets
from rivergis.maps.river_facts import PATROL_DAYS
from rivergis.maps.sheets import Sheet
from rivergis.reports import book, river_file
from rivergis.web import map_pages, page
from rivergis.web.auth import database, require, saw_patrols, visitor

router = APIRouter()
router.include_router(map_pages.router)
SERVED = Sheet(assets=page.ASSETS)
# a night that ended longer ago than this did not run last night
LATE = timedelta(hours=24)
LONGEST_S = 30.0

View = Annotated[Actor, Depends(require("view"))]
Visitor = Annotated[Actor, Depends(visitor)]
Code = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$", description="Code of the river")]
Namespace = Annotated[
    str | None, Query(max_length=80, pattern=r"^[^\x00]*$", description="Who gave the code, where several did")
]
On = Annotated[date | None, Query(description="Civil day (Asia/Shanghai) as of which the map is drawn; default today")]


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def portal(request: Request, actor: Visitor) -> HTMLResponse:
    """What ran last night, what is new, and the way to maps, layers, rivers and patrols, as far as the actor may."""
    if actor.public:
        return map_pages.public_portal(request)
    with database(request).read() as conn:
        run = lists.last_run(conn)
        values: dict[str, Any] = {
            "run": run,
            "late": run is not None and datetime.now(UTC) - run["finished_at"] > LATE,
            "demo": book.is_demo(conn),
        }
        if "view" in actor.capabilities:
            values |= _business(conn, run)
        if "view_tracks" in actor.capabilities:
            values["patrols"] = lists.recent_patrols(conn)
    if "patrols" in values:
        saw_patrols(request, actor, "latest")
    return page.render(request, "portal.html", **values)


def _business(conn: Any, run: dict[str, Any] | None) -> dict[str, Any]:
    at = features.when(conn)
    rivers, river_count = lists.rivers(conn, at)
    new = lists.new_leads(conn, features.when(conn, run["run_date"])) if run else lists.NewLeads([], 0, 0)
    return {
        "month_ago": (run["run_date"] if run else at.on) - timedelta(days=PATROL_DAYS - 1),
        "nights": lists.nights(conn),
        "new": [book.lead_words(lead) for lead in new.rows],
        "new_total": new.total,
        "hints": new.hints,
        "signed": run is not None and leads.is_baseline_signed(conn, features.When(run["run_date"], at.known_at)),
        "layers": lists.layer_counts(conn, at),
        "rivers": rivers,
        "river_count": river_count,
    }


@router.get("/maps/county", response_class=HTMLResponse, tags=["maps"])
def county_map(request: Request, _: View, on: On = None) -> HTMLResponse:
    """全县一张图: every layer in force on a day and the leads that stand."""
    with database(request).read() as conn:
        return page.scripted(sheets.county(conn, SERVED, on))


@router.get("/maps/river/{code}", response_class=HTMLResponse, tags=["maps"])
def river_map(request: Request, actor: View, code: Code, on: On = None, namespace: Namespace = None) -> HTMLResponse:
    """一河一档: one river with its lines, zones, outfalls and leads on the map, and all that is known of it below."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        tracks = "view_tracks" in actor.capabilities
        return page.scripted(river_file.page(conn, SERVED, code, on, namespace, tracks=tracks))


@router.get("/api/rivers/{code}", tags=["maps"])
def river_record(request: Request, actor: View, code: Code, on: On = None, namespace: Namespace = None) -> Response:
    """一河一档 in one call: geometry, length, chiefs, outfalls, zones, lines, sections, problems, patrols, facts of health, as of a day."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        told = river_file.record(conn, code, on, namespace, tracks="view_tracks" in actor.capabilities)
    return Response(json.dumps(told, ensure_ascii=False, default=str), media_type="application/json")


@router.get("/maps/night/{night}", response_class=HTMLResponse, tags=["maps"])
def night_map(request: Request, _: View, night: date) -> HTMLResponse:
    """夜间核查图: the leads of a night, and the objects it did not tell."""
    with database(request).read() as conn:
        return page.scripted(sheets.night(conn, SERVED, night))


@router.get("/findings/{finding_id}.json", tags=["findings"])
def finding_json(request: Request, _: View, finding_id: uuid.UUID) -> dict[str, Any]:
    """One lead (疑似问题线索) with everything that explains it."""
    with database(request).read() as conn:
        record = lists.lead(conn, str(finding_id), features.when(conn))
    return {k: v for k, v in record.items() if k != "why"} | {
        "why": dict(zip(("zh", "en"), record["why"], strict=True))
    }
