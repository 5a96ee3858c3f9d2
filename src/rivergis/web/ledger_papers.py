"""What offices make of the ledger, for programs: campaigns, three lists, the ledger as a file, lists of higher levels, evidence packs."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import Response

from rivergis import words
from rivergis.db import system
from rivergis.db.access import Actor
from rivergis.encroachment import (
    baseline_files,
    campaign_workflow,
    case_store,
    list_store,
    superior_report_workflow,
    superior_store,
    superior_workflow,
)
from rivergis.encroachment.campaigns import Campaign
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.maps import features
from rivergis.reports import case_campaign, case_ledger, case_lists, case_pack, case_page, case_scope, patrol_paper
from rivergis.web import scope
from rivergis.web.auth import database, require
from rivergis.web.case_asked import Asked, asked
from rivergis.web.desk import desk_of
from rivergis.web.patrol_upload import book_of

router = APIRouter(prefix="/api", tags=["ledger"])
View = Annotated[Actor, Depends(require("view"))]
Inspector = Annotated[Actor, Depends(require("inspect"))]
Reviewer = Annotated[Actor, Depends(require("review_findings"))]
Exporter = Annotated[Actor, Depends(require("export"))]
On = Annotated[date | None, Query(description="Civil day; default today")]
PROFILE = "national"
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}


@router.get("/campaigns")
def campaigns(request: Request, _: View, on: On = None) -> list[dict[str, Any]]:
    """专项行动、总河长令: campaigns, the latest first, with their days, classes, area and state."""
    with database(request).read() as conn:
        at = features.when(conn, on)
        return [{**asdict(c), "state": c.state(at.on)} for c, _ in campaign_workflow.listed(conn, at.on, at.known_at)]


@router.post("/campaigns", status_code=201)
def add_campaign(
    request: Request, actor: Annotated[Actor, Depends(require("import"))], said: Annotated[Campaign, Body()]
) -> dict[str, Any]:
    """Record a campaign; the same code again with other words is a new version of it, and nothing is lost."""
    for district in said.districts if actor.area else ():
        scope.own_unit(request, district)
    if actor.area and not said.districts:
        raise NotPermitted(words.both("sentence.everywhere_only"))
    settings = request.app.state.settings
    groups = campaign_workflow.group_of(book_of(request))
    try:
        return asdict(
            campaign_workflow.add(
                database(request), said, actor.name, groups=groups, document=None, store_dir=settings.store_dir
            )
        )
    except UsageError as error:
        raise InputError(error.sentence) from error


@router.get("/campaigns/{code}")
def campaign(
    request: Request,
    _: View,
    code: str,
    by: Annotated[Literal["district", "town", "river", "reach", "class"], Query()] = "town",
    on: On = None,
) -> dict[str, Any]:
    """How far a campaign is: found, verified, rectified, closed, overdue, looked back at; every figure with its rows."""
    with database(request).read() as conn:
        at = features.when(conn, on)
        scope = case_scope.scope(conn, at.on, at.known_at, campaign=code)
        return patrol_paper.as_json(case_campaign.progress(conn, book_of(request), scope, by))


@router.get("/lists")
def lists(
    request: Request,
    _: View,
    unit: Annotated[str | None, Query(max_length=12, description="adcode of a county, township or village")] = None,
    campaign: Annotated[str | None, Query(max_length=60, description="Code of a campaign")] = None,
    open_only: Annotated[bool, Query(alias="open", description="Only what is not closed yet")] = False,
    on: On = None,
) -> dict[str, Any]:
    """问题清单、任务清单、责任清单: three lists of the same cases, with the numbers of the ledger; offices only, no person."""
    with database(request).read() as conn:
        at = features.when(conn, on)
        scope = case_scope.scope(conn, at.on, at.known_at, unit=unit, campaign=campaign)
        return patrol_paper.as_json(case_lists.paper(conn, book_of(request), scope, names=False, open_only=open_only))


@router.get("/ledger/{ending}", response_class=Response, responses=_FILE)
def ledger(
    request: Request,
    actor: Exporter,
    ending: Literal["xlsx", "csv", "geojson", "gpkg", "json"],
    wanted: Annotated[Asked, Depends(asked)],
) -> Response:
    """问题台账 as a file, by the states, district, class, severity, stock and clock of the list; in the audit."""
    f = wanted.filters
    states = tuple(s for s in f.state if s not in ("open", "to_verify", "any"))
    only = case_store.Wanted(
        states=states, topics=(f.topic,) if f.topic else (), overdue=f.overdue, due_within_days=f.due_in_days, district=f.district,
        class_code=f.class_code, severity=f.severity, stock=f.stock, rebound=f.rebound, awaits_above=f.awaits_above, escalation=f.escalate,
    )  # fmt: skip
    with database(request).read() as conn:
        at = case_page.as_known(conn, wanted.known, wanted.on)
        frame = case_store.ledger(conn, at.on, at.known_at, only)
        signed = list_store.signed_baseline(conn, at.known_at)
    limits = {"asked_states": ", ".join(states)} if states else {}
    told = case_ledger.Ledger(frame, at.on, at.known_at, signed, limits)
    with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        path = Path(folder) / f"ledger-{at.on}.{ending}"
        case_ledger.write(told, path)
        _audited(request, actor, f"ledger:{path.name}", {"cases": len(frame)})
        return _file(path)


@router.get("/cases/{case_id}/pack", response_class=Response, responses=_FILE)
def pack(request: Request, actor: Exporter, case_id: str, on: On = None) -> Response:
    """案件资料包: documents, photos, maps, events and verdicts with their hashes, as ZIP. Takes export and view_tracks; recorded."""
    if "view_tracks" not in actor.capabilities:
        needed = words.both("capability.view_tracks")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    with database(request).read() as conn:
        at = features.when(conn, on)
        scope = case_scope.scope(conn, at.on, at.known_at)
        row, content, missing = case_pack.pieces(conn, scope, case_id, request.app.state.settings.store_dir)
    with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        path = Path(folder) / f"case-{row['number'] or str(row['id'])[:8]}.zip"
        done = case_pack.write(scope, row, content, missing, path)
        _audited(request, actor, f"pack:{done.seal}", {"case": done.case, "files": done.files})
        return _file(path)


# ---- lists of higher levels ---------------------------------------------------------------------------------------------


@router.post("/superior-lists/{name}/links", status_code=201)
def link(
    request: Request,
    actor: Inspector,
    name: str,
    number: Annotated[str, Body(max_length=200)],
    reason: Annotated[str, Body(min_length=1, max_length=4000)],
    case: Annotated[str | None, Body(description="The case it means: number, or start of its id")] = None,
    new: Annotated[bool, Body(description="It means a case of its own")] = False,
    none: Annotated[bool, Body(description="It means no case")] = False,
) -> dict[str, Any]:
    """Say which case a number of a list means: one there is, a new one, or none."""
    if (case is not None) + new + none != 1 or not reason.strip():
        raise InputError("Say one of case, new and none, and the reason.")
    profile = baseline_files.load_profile(PROFILE, request.app.state.settings.rules_dir)
    try:
        finding = superior_workflow.link(
            desk_of(request, actor), name, number, case, profile, new=new, reason=reason.strip()
        )
    except UsageError as error:
        raise InputError(error.sentence) from error
    return {"list": name, "number": number, "case": None if finding is None else str(finding)}


@router.post("/superior-lists/{name}/tasks", status_code=201)
def task(
    request: Request,
    actor: View,
    name: str,
    number: Annotated[str, Body(max_length=200)],
    state: Annotated[Literal["done", "accepted", "open"], Body()],
    reason: Annotated[str, Body(min_length=1, max_length=4000)],
) -> dict[str, Any]:
    """Say of a task (整改任务) that it is done, open again (inspect), or accepted by another person (review_findings)."""
    needed = "review_findings" if state == "accepted" else "inspect"
    if needed not in actor.capabilities:
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=words.both(f"capability.{needed}")))
    superior_workflow.step(desk_of(request, actor), name, number, state, reason.strip(), None)
    return {"list": name, "number": number, "state": state, "by": actor.name}


@router.post("/superior-lists/{name}/close")
def close(request: Request, actor: Reviewer, name: str) -> dict[str, Any]:
    """Close, as another person than who imported it, the cases that a list says are closed."""
    with database(request).read() as conn:
        superior_store.named(conn, name, "problems")
    return asdict(superior_workflow.close_taken_over(desk_of(request, actor), [name]))


@router.get("/superior-lists/{name}/form", response_class=Response, responses=_FILE)
def form(request: Request, actor: Exporter, name: str) -> Response:
    """The list reported back in its own form: state, days and evidence filled in, every other cell as it was; in the audit."""
    settings = request.app.state.settings
    profile = baseline_files.load_profile(PROFILE, settings.rules_dir)
    with database(request).read() as conn, tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        head = superior_store.named(conn, name)
        ending = Path(head["file_path"]).suffix.lower()
        if ending == ".shp":
            raise InputError("A Shapefile has several files: export it with 'rivergis encroachment superior export'.")
        path = Path(folder) / f"list{ending}"
        done = superior_report_workflow.export(conn, name, path, settings.store_dir, profile)
        _audited(request, actor, "superior", {"list": name, "rows": done.rows})
        return _file(path, name)


def _audited(request: Request, actor: Actor, what: str, detail: dict[str, Any]) -> None:
    with database(request).write(actor.name) as conn:
        system.audit(conn, actor.name, "export", what, detail)


def _file(path: Path, name: str | None = None) -> Response:
    """A file to be saved, never shown in our name."""
    shown = quote(path.name if name is None else f"{name}{path.suffix}")
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{shown}", "Cache-Control": "no-store"}
    return Response(path.read_bytes(), media_type="application/octet-stream", headers=headers)
