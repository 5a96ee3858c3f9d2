"""巡河 over HTTP: a month of patrols, its bulletin, coverage and sweep, and the page of one patrol.

Patrols of named people are for who may see tracks, and for the chief concerned; what is to be verified only for the duty person
and that chief. Coverage without names is for everybody who may see the maps.
"""

from __future__ import annotations

import json
import uuid
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as Path_
from fastapi.responses import HTMLResponse, Response

from rivergis import rules, words
from rivergis.db import system
from rivergis.db.access import Actor
from rivergis.errors import NotPermitted
from rivergis.maps import patrols
from rivergis.patrol import store
from rivergis.reports import patrol_bulletin, patrol_coverage, patrol_month, patrol_page, patrol_paper, patrol_sweep
from rivergis.reports.patrol_coverage import Asked
from rivergis.rules import RuleBook
from rivergis.web import page
from rivergis.web.auth import database, require, saw_patrols

router = APIRouter(tags=["patrol"])
View = Annotated[Actor, Depends(require("view"))]
ViewTracks = Annotated[Actor, Depends(require("view_tracks"))]
Month = Annotated[
    str | None,
    Query(pattern=r"^\d{4}-\d{2}$", examples=["2026-05"], description="Month; default: that of the last patrol"),
]
Unit = Annotated[str | None, Query(pattern=r"^(\d{6,12})?$", description="adcode: only this unit and what is below it")]
First = Annotated[date, Query(alias="from", description="First civil day (Asia/Shanghai)")]
Last = Annotated[date, Query(alias="to", description="Last civil day; belongs to the period")]
Level = Annotated[
    Literal["", "province", "city", "county", "town", "village"],
    Query(description="Only what is assigned to chiefs of this level; empty: all"),
]
Rivers = Annotated[list[str], Query(max_length=50, description="Codes or names of rivers, all of both banks")]
LONGEST_S = 60.0
KINDS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@lru_cache(maxsize=2)
def _book(rules_dir: Path, on: date) -> RuleBook:
    """The rule book, read once a day."""
    return rules.load(rules_dir)


def _rules(request: Request) -> RuleBook:
    return _book(request.app.state.settings.rules_dir, date.today())


@router.get("/patrols", response_class=HTMLResponse)
def month(request: Request, actor: ViewTracks, month: Month = None, unit: Unit = None) -> HTMLResponse:
    """巡河: the patrols of a month, and the way to its bulletin, coverage map and sweep; by unit if asked for."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        told = patrol_month.read(conn, month, unit or None)
        demo = patrol_page.is_demo(conn)
    review = patrol_page.REVIEW in actor.capabilities
    saw_patrols(request, actor, told.month)
    return page.render(request, "patrol_month.html", told=told, review=review, demo=demo)


@router.get("/maps/patrol/{track_id}", response_class=HTMLResponse)
def one(request: Request, actor: Annotated[Actor, Depends(require())], track_id: uuid.UUID) -> HTMLResponse:
    """巡河图: one patrol with map, 达标 and 覆盖情况(参考). Personal data: every view is recorded."""
    db = database(request)
    with db.read(timeout_s=LONGEST_S) as conn:
        own = store.is_own(conn, track_id, actor.name)
        if not own and "view_tracks" not in actor.capabilities:
            needed = words.both("capability.view_tracks")
            raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
        head = patrols.patrol(conn, str(track_id))["track_id"]
        review = patrol_page.may_review(conn, head, actor.name, actor.capabilities)
        html = patrol_page.page(conn, _rules(request), head, review=review, assets=page.ASSETS)
    with db.write(actor.name) as conn:
        system.audit(conn, actor.name, "view", f"track:{head}")
        store.saw(conn, head, actor.name, "patrol page")
    return page.scripted(html)


@router.get("/reports/patrols/{month}", response_class=Response)
def bulletin(
    request: Request,
    actor: ViewTracks,
    month: Annotated[str, Path_(pattern=r"^\d{4}-\d{2}$", description="Month, like 2026-05")],
    unit: Unit = None,
    form: Annotated[str, Query(alias="format", pattern="^(html|pdf|xlsx|json)$")] = "html",
) -> Response:
    """巡河情况通报 of a month: as page, PDF, workbook or JSON."""
    first, last = patrol_bulletin.month_of(month)
    with database(request).read(timeout_s=LONGEST_S) as conn:
        paper = patrol_bulletin.bulletin(
            conn, _rules(request), first, last, unit=unit or None, known_at=patrol_bulletin.now()
        )
    saw_patrols(request, actor, f"bulletin {month}")
    return _sent(paper, f"bulletin-{month}{f'-{unit}' if unit else ''}", form)


@router.get("/maps/coverage", response_class=HTMLResponse)
def coverage(
    request: Request, actor: View, first: First, last: Last, unit: Unit = None, level: Level = ""
) -> HTMLResponse:
    """覆盖情况(参考): days since every assigned stretch of bank was last seen; by whom only for who may see tracks."""
    names = "view_tracks" in actor.capabilities
    with database(request).read(timeout_s=LONGEST_S) as conn:
        covered = patrol_coverage.read(
            conn, _rules(request), Asked(first, last, unit or None, level=level or None), patrol_bulletin.now()
        )
        paper = patrol_coverage.paper(covered, names=names)
        html = patrol_coverage.map_page(conn, covered, paper, patrol_paper.under(paper), assets=page.ASSETS)
    if names:
        saw_patrols(request, actor, "coverage")
    return page.scripted(html)


@router.get("/maps/sweep", response_class=HTMLResponse)
def sweep(
    request: Request,
    actor: View,
    first: First,
    last: Last,
    unit: Unit = None,
    rivers: Rivers = [],  # noqa: B006
) -> HTMLResponse:
    """全覆盖排查: every metre of both banks of the rivers of a unit, or of rivers named, searched or not; grid cells and holes."""
    names = "view_tracks" in actor.capabilities
    asked = Asked(first, last, unit or None, tuple(rivers), "rivers")
    with database(request).read(timeout_s=LONGEST_S) as conn:
        covered = patrol_coverage.read(conn, _rules(request), asked, patrol_bulletin.now())
        cells = patrol_sweep.grid(covered, patrol_sweep.CELL_M)
        paper = patrol_sweep.paper(covered, cells, names=names)
        html = patrol_sweep.map_page(conn, covered, cells, paper, patrol_paper.under(paper), assets=page.ASSETS)
    if names:
        saw_patrols(request, actor, "sweep")
    return page.scripted(html)


def _sent(paper: Any, name: str, form: str) -> Response:
    if form == "json":
        body = json.dumps(patrol_paper.as_json(paper), ensure_ascii=False, default=str)
        return Response(body, media_type="application/json")
    if form == "html":
        return HTMLResponse(patrol_paper.render(paper, back="/patrols"))
    content = patrol_paper.pdf(patrol_paper.render(paper)) if form == "pdf" else patrol_paper.workbook_bytes(paper)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=KINDS[form], headers=headers)
