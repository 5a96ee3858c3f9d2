"""The rest of the ledger for programs: cases opened by hand, duplicates, looking back, the baseline, feeds, lists of higher levels."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from rivergis.db.access import Actor
from rivergis.encroachment import (
    baseline_store,
    baseline_workflow,
    case_store,
    case_workflow,
    feed_store,
    look_back_store,
    look_back_workflow,
    superior_store,
)
from rivergis.encroachment.life_workflow import Step
from rivergis.encroachment.taking_workflow import Desk
from rivergis.errors import InputError, NotFound, NotNow, UsageError
from rivergis.maps import features
from rivergis.web import case_moves, case_sent, page, scope
from rivergis.web.auth import database, require
from rivergis.web.case_open import opened
from rivergis.web.case_sent import Sent
from rivergis.web.evidence import PEOPLE
from rivergis.web.patrol_upload import view_of

router = APIRouter(prefix="/api", tags=["ledger"])
View = Annotated[Actor, Depends(require("view"))]
Inspector = Annotated[Actor, Depends(require("inspect"))]
Reviewer = Annotated[Actor, Depends(require("review_findings"))]
FILES_SHOWN = 50
_FORM = {"type": "object", "required": ["source"], "properties": {
    **{f: {"type": "string"} for f in ("source", "found_on", "class_code", "number", "note", "lon", "lat", "datum", "at")},
    "evidence": {"type": "array", "items": {"type": "string", "format": "binary"}},
}}  # fmt: skip
_OPEN = {"requestBody": {"content": {"multipart/form-data": {"schema": _FORM}, "application/json": {"schema": _FORM}}}}


@router.post("/cases", openapi_extra=_OPEN, max_body_size=case_sent.MAX_BODY, status_code=201)
async def open_case(request: Request, actor: Inspector) -> JSONResponse:
    """登记新问题: open a case that no night told. The place is typed, or that of a picture; the same report again is the same case."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_open_case, request, actor, said)


def _open_case(request: Request, actor: Actor, said: Sent) -> JSONResponse:
    case_id, differs = opened(request, actor, said)
    with database(request).read() as conn:
        number = case_store.case(conn, case_id, features.when(conn).on, features.when(conn).known_at)["number"]
    return JSONResponse({"case": str(case_id), "number": number, "told": differs}, 201)


@router.get("/duplicates")
def duplicates(
    request: Request,
    _: View,
    case: Annotated[str | None, Query(description="Only pairs of this case: number or id")] = None,
    every: Annotated[bool, Query(description="Also pairs that only nights told")] = False,
) -> list[dict[str, Any]]:
    """Open cases that may be one and the same, nearest first; a person merges them (move merge, detail into)."""
    with database(request).read() as conn:
        at = features.when(conn)
        case_id = None if case is None else case_store.find(conn, case)
        return case_workflow.duplicates(conn, view_of(request), at.on, at.known_at, case_id=case_id, every=every)


# ---- looking back -----------------------------------------------------------------------------------------------------


@router.get("/look-backs")
def look_backs(request: Request, _: View) -> list[dict[str, Any]]:
    """回头看: samples of closed cases, and how much of each was looked at."""
    with database(request).read() as conn:
        return look_back_store.samples(conn)


@router.get("/look-backs/{sample}")
def look_back(request: Request, _: View, sample: str) -> dict[str, Any]:
    """One sample with its members: risks, who may not look, what was found."""
    with database(request).read() as conn:
        return asdict(look_back_workflow.show(conn, sample))


@router.post("/look-backs", status_code=201)
def draw(
    request: Request,
    actor: Reviewer,
    first: Annotated[date, Body(alias="from", description="First civil day of closing")],
    last: Annotated[date, Body(alias="to", description="Last civil day of closing")],
    district: Annotated[str | None, Body()] = None,
    class_code: Annotated[str | None, Body()] = None,
) -> dict[str, Any]:
    """Draw a sample by risk from the cases closed on these days; drawn again it is the same sample."""
    return asdict(drawn(request, actor, first, last, district, class_code))


def drawn(
    request: Request, actor: Actor, first: date, last: date, district: str | None, class_code: str | None
) -> look_back_workflow.LookBack:
    district = scope.own_unit(request, district)
    try:
        return look_back_workflow.draw(
            database(request), view_of(request), first, last, actor.name, district=district, class_code=class_code
        )
    except UsageError as error:
        raise InputError(error.sentence) from error


@router.post("/look-backs/{sample}/{seq}", max_body_size=case_sent.MAX_BODY, status_code=201)
async def looked(request: Request, actor: Reviewer, sample: str, seq: int) -> JSONResponse:
    """What was found at a member: output (holds, not_done, rebounded) and reason, as JSON or a form with pictures as `evidence`."""
    async with case_sent.sent(request) as said:
        return JSONResponse(asdict(await run_in_threadpool(found, request, actor, sample, seq, said)), 201)


def found(request: Request, actor: Actor, sample: str, seq: int, said: Sent) -> Step:
    """Record a result; 409 where the member was looked at before or its case is closed no longer, 422 for what is not enough."""
    store_dir = request.app.state.settings.store_dir
    output, reason = said.text("output") or "", said.text("reason")
    if reason is None or not output:
        raise InputError("Say what was found (output: holds, not_done or rebounded) and the reason.")
    try:
        return look_back_workflow.result(
            database(request), sample, seq, output, reason, actor.name, store_dir, evidence=case_moves.evidence(said)
        )
    except UsageError as error:
        raise (
            NotNow(error.sentence)
            if "looked at by" in error.sentence or "cannot be" in error.sentence
            else InputError(error.sentence)
        ) from error


# ---- baseline, feeds, lists of higher levels ------------------------------------------------------------------------------


@router.get("/baseline")
def baseline(
    request: Request, actor: View, number: Annotated[int | None, Query(description="Default: the last one")] = None
) -> dict[str, Any]:
    """基线: the last baseline (or that number) with its items, who made it and who signed it; 404 where none was made."""
    shown = asdict(baseline_workflow.shown(database(request), number))
    return {**shown, "items": _rows(shown["items"], actor)}


def _rows(items: list[dict[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Rows of tables; what they said in full may name people and is for who works on cases."""
    if PEOPLE & actor.capabilities:
        return items
    return [{k: v for k, v in i.items() if k != "said"} for i in items]


@router.post("/baseline/sign")
def sign(
    request: Request,
    actor: Reviewer,
    reason: Annotated[str, Body(min_length=1, max_length=4000)],
    number: Annotated[int, Body(description="The baseline that was looked at")],
) -> dict[str, Any]:
    """Sign the last baseline, as another person than who made it: from then on what comes after it is called new (增量)."""
    signed, closed = signed_baseline(request, actor, reason, number)
    return {"number": signed, "signed_by": actor.name, "closed": closed.closed, "refused": closed.refused}


def signed_baseline(request: Request, actor: Actor, reason: str, number: int) -> tuple[int, Any]:
    with database(request).read() as conn:
        head = baseline_store.baseline(conn, number)
    if head["signed_by"] is not None:
        raise NotNow(f"Baseline {number} was signed by {head['signed_by']} already.")
    if not reason.strip():
        raise InputError("Say why the baseline may stand.")
    return baseline_workflow.sign(desk_of(request, actor), reason.strip(), number)


def desk_of(request: Request, actor: Actor) -> Desk:
    """Who takes tables over here, by the rules of the home of this database and against its last night."""
    db, today = database(request), datetime.now(page.SHANGHAI).date()
    with db.read() as conn:
        night = baseline_store.last_night(conn) or today
        places = case_workflow.register(conn, today)
    return Desk(db, actor.name, request.app.state.settings.store_dir, view_of(request), night, places)


@router.get("/feeds")
def feeds(
    request: Request, _: View, on: Annotated[date | None, Query(description="Civil day; default today")] = None
) -> list[dict[str, Any]]:
    """数据来源: every feed as it stands on a day: last arrival, days since, late, dead, failed files."""
    with database(request).read() as conn:
        at = features.when(conn, on)
        return [_of_outside(f) for f in feed_store.states(conn, at.on, at.known_at)]


@router.get("/feeds/{code}/files")
def feed_files(request: Request, _: View, code: str) -> list[dict[str, Any]]:
    """What became of the last files of a feed, the newest first."""
    with database(request).read() as conn:
        if not feed_store.registered(conn, code):
            raise NotFound(f"There is no feed {code[:60]!r}.")
        return feed_store.files(conn, code, FILES_SHOWN)


def _of_outside(feed: dict[str, Any]) -> dict[str, Any]:
    """A feed without the folder of this machine."""
    return {k: v for k, v in feed.items() if k != "folder"} | {"has_folder": feed["folder"] is not None}


@router.get("/superior-lists")
def superior_lists(request: Request, _: View) -> list[dict[str, Any]]:
    """上级清单: lists of higher levels as last delivered: rows, how many are linked to cases, doubts."""
    with database(request).read() as conn:
        return superior_store.lists(conn)


@router.get("/superior-lists/{name}")
def superior_list(request: Request, actor: View, name: str) -> dict[str, Any]:
    """One list with every row, its number at the higher level, and the case that number means."""
    with database(request).read() as conn:
        head = superior_store.named(conn, name)
        return {k: v for k, v in head.items() if k != "file_path"} | {
            "items": _rows(superior_store.items(conn, head["id"]), actor)
        }
