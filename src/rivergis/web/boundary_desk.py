"""Drafts of boundary lines for the drawing page and for programs: list, open, segments, save, defects, preview, moves, versions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound, UsageError
from rivergis.maps import features
from rivergis.web import boundary_defects, boundary_draft, boundary_told, case_sent, scope
from rivergis.web.auth import database, require

router = APIRouter(prefix="/api/boundary", tags=["boundary"])
View = Annotated[Actor, Depends(require("view"))]
Planner = Annotated[Actor, Depends(require("draft_boundary"))]
Code = Annotated[str, "Code of the draft"]
Revision = Annotated[int | None, Query(ge=0, description="As this save left it; default the last one")]
MAX_EDITS = 16 << 20  # edits of a county in one save
_LINE = {"type": "object", "description": "GeoJSON LineString, longitude and latitude in degrees (EPSG:4490)"}
_EDIT = {
    "type": "object",
    "required": ["op"],
    "properties": {
        "segment_id": {"type": "string", "format": "uuid", "description": "A new segment may bring an id of its own: sent again it is the same one"},
        "op": {"type": "string", "enum": ["put", "remove"]},
        "fields": {"type": "object", "description": f"What changes of {', '.join(boundary_draft.FIELDS)}; attributes whole"},
        "geometry": _LINE,
    },
}  # fmt: skip
_SAVE = {
    "type": "object",
    "required": ["base_revision", "edits", "reason"],
    "properties": {
        "base_revision": {"type": "integer", "description": "The revision the edits were drawn on"},
        "edits": {"type": "array", "items": _EDIT},
        "reason": {"type": "string"},
    },
}
_PREVIEW = {"type": "object", "properties": {k: _SAVE["properties"][k] for k in ("base_revision", "edits")}}  # type: ignore[index]
_PLACE = {"type": "object", "required": ["geometry"], "properties": {"geometry": _LINE, "river_code": {"type": "string"}, "reach_code": {"type": "string"}}}  # fmt: skip
_SAYS = (
    "move",
    "revision",
    "reason",
    "countersign",
    "government",
    "document_no",
    "publisher",
    "announced_on",
    "in_force_from",
)
_MOVE = {
    "type": "object",
    "required": ["move", "reason"],
    "properties": {
        **{n: {"type": "string"} for n in _SAYS},
        "reasons": {"type": "object", "description": "submit: why each reduction, by its number (1, 2 ...), or * for all"},
        "attachment": {"type": "string", "format": "binary", "description": "announce: the announcement itself; then as a form"},
    },
}  # fmt: skip


def _body(schema: dict[str, Any], *, form: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}} | ({"multipart/form-data": {"schema": schema}} if form else {})
    return {"requestBody": {"required": True, "content": content}}


@router.get("/drafts")
def drafts(
    request: Request,
    _: View,
    known: Annotated[date | None, Query(description="As known at the end of this day")] = None,
) -> list[dict[str, Any]]:
    """划界草案: every draft with state, revision, and who opened, changed, submitted and reviewed it, the last changed first."""
    with database(request).read() as conn:
        return boundary_draft.rows(draft_store.listed(conn, boundary_draft.end_of(known)))


@router.post("/drafts", status_code=201)
def open_draft(
    request: Request,
    actor: Planner,
    code: Annotated[str, Body(pattern=r"^[^/\s]{1,64}$", description="Code of the draft, new")],
    title: Annotated[str, Body(min_length=1, max_length=200)],
    rivers: Annotated[
        list[str], Body(max_length=500, description="Codes of rivers whose lines in force it starts from")
    ],
    line_type: Annotated[str, Body(description="management, protection, blue_line, waterside or outer")] = "management",
) -> dict[str, Any]:
    """Open a draft on the announced lines of rivers in force today; empty where there are none. 409 where the code is taken."""
    return boundary_told.opened(request, actor, code, title, rivers, line_type)


@router.get("/drafts/{code}")
def draft(request: Request, actor: View, code: str) -> dict[str, Any]:
    """One draft: state, revision, its saves and moves, and the moves that you may take now."""
    with database(request).read() as conn:
        found = draft_workflow.get(conn, code)
        told = boundary_draft.history(conn, found)
    allowed = boundary_draft.offers(found, actor, told["events"])
    return {
        "draft": {k: v for k, v in found.items() if k != "id"},
        **told,
        "may_draw": boundary_draft.may_draw(found, actor),
        "allowed": [{"move": m.name, "zh": m.zh, "en": m.en, "needs": list(m.needs)} for m in allowed],
    }


@router.get("/drafts/{code}/segments")
def segments(request: Request, _: View, code: str, revision: Revision = None) -> Response:
    """The segments as GeoJSON (EPSG:4490), now or at any earlier revision; each says the revision that wrote it."""
    with database(request).read() as conn:
        found = draft_workflow.get(conn, code)
        if revision is not None and revision > found["revision"]:
            raise NotFound(
                f"The draft {found['code']} has no revision {revision}; its last one is {found['revision']}."
            )
        frame = draft_workflow.segments(conn, found, revision)
    at = found["revision"] if revision is None else revision
    return Response(boundary_draft.collection(found, frame, at), media_type="application/geo+json")


@router.get("/drafts/{code}/ground")
def ground(
    request: Request,
    _: View,
    code: str,
    river: Annotated[
        str | None, Query(max_length=200, description="Code of the river to look at while nothing is drawn yet")
    ] = None,
) -> dict[str, Any]:
    """What the draft is drawn on: water, reaches, counties, levees and lines in force round it, thinned."""
    with database(request).read(timeout_s=30) as conn:
        return boundary_draft.ground(conn, draft_workflow.get(conn, code), river)


@router.post("/drafts/{code}/changes", openapi_extra=_body(_SAVE), max_body_size=MAX_EDITS, status_code=201)
async def save(request: Request, actor: Planner, code: str) -> dict[str, Any]:
    """Save edits made on a revision. Others saved meanwhile: merged where nothing touches (`merged`), else 409 `conflict` with
    both shapes of every segment (`segments`: segment_id, because, mine, theirs, their_segment_id), and nothing is written."""
    said = await boundary_told.body(request)
    return await run_in_threadpool(_save, request, actor, code, said)


def _save(request: Request, actor: Actor, code: str, said: dict[str, Any]) -> dict[str, Any]:
    base, reason = said.get("base_revision"), said.get("reason")
    if isinstance(base, bool) or not isinstance(base, int):
        raise InputError("base_revision must be the number of the revision the edits were drawn on.")
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= 4000:
        raise InputError("reason must say in up to 4000 characters why the lines are changed.")
    edits = boundary_draft.edits_of(said.get("edits"))
    for edit in edits:
        if edit.geom is not None:
            scope.own_place(request, edit.geom)
    try:
        saved = draft_workflow.save(
            database(request), code, base, edits, actor.name, reason=reason.strip(), tool=boundary_told.tool(request)
        )
    except UsageError as error:
        raise InputError(error.sentence) from error
    return asdict(saved)


@router.post("/drafts/{code}/places", openapi_extra=_body(_PLACE), max_body_size=MAX_EDITS)
async def place(request: Request, _: View, code: str) -> dict[str, Any]:
    """Where a drawn line belongs: river, reach, bank, chainage in metres, and whether it runs against the water."""
    said = await boundary_told.body(request)

    def answer() -> dict[str, Any]:
        with database(request).read() as conn:
            return boundary_draft.placed(conn, draft_workflow.get(conn, code), said)

    return await run_in_threadpool(answer)


@router.post("/drafts/{code}/preview", openapi_extra=_body(_PREVIEW), max_body_size=MAX_EDITS)
async def preview(request: Request, _: View, code: str) -> JSONResponse:
    """调整预览: what ground the draft with these unsaved edits takes in and lets go, what lies on it, and every reduction."""
    said = await boundary_told.body(request)
    return JSONResponse(await run_in_threadpool(boundary_told.preview, request, code, said))


@router.get("/drafts/{code}/defects")
def defects(
    request: Request,
    _: View,
    code: str,
    repairs: Annotated[
        bool, Query(description="With a proposed repair where one is safe, as edits to be taken")
    ] = False,
) -> dict[str, Any]:
    """体检: what the line doctor finds in the lines saved last, each with code, severity, place and what to do."""
    return boundary_defects.defects(request, code, repairs=repairs)


@router.get("/drafts/{code}/reductions")
def reductions(request: Request, _: View, code: str) -> list[dict[str, Any]]:
    """缩小清单: every place where the lines saved last let go of announced ground, by the number its reason is given under."""
    with database(request).read() as conn:
        return boundary_draft.reductions(request, conn, draft_workflow.get(conn, code))


@router.post(
    "/drafts/{code}/moves", openapi_extra=_body(_MOVE, form=True), max_body_size=case_sent.MAX_BODY, status_code=201
)
async def move(request: Request, actor: View, code: str) -> JSONResponse:
    """办理: submit, review, send_back, withdraw or announce. 409 where the draft went on since `revision`, 422 for what is missing."""
    async with case_sent.sent(request) as said:
        return JSONResponse(await run_in_threadpool(boundary_draft.take, request, actor, code, said), 201)


@router.get("/versions")
def versions(
    request: Request,
    _: View,
    on: Annotated[date | None, Query(description="Civil day; default today")] = None,
    known_at: Annotated[date | None, Query(description="As known at the end of this day; default now")] = None,
    standing: Annotated[str | None, Query(description="Only in_force, announced, superseded or revoked")] = None,
) -> dict[str, Any]:
    """划界成果: every version with its standing on a day as known at a moment: in force, announced and not yet in force, superseded, revoked."""
    with database(request).read() as conn:
        day, found = standing_on(conn, on, known_at)
    return {"on": day, "versions": [v for v in found if standing is None or v["standing"] == standing]}


def standing_on(conn: Connection, on: date | None, known: date | None) -> tuple[date, list[dict[str, Any]]]:
    """The day that is meant, and the versions as they stand on it."""
    day = on or features.when(conn).on
    moment = boundary_draft.end_of(known)
    return day, boundary_draft.rows(draft_store.standing(conn, day, now_of(conn) if moment is None else moment))
