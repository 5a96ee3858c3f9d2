"""The ledger for programs (台账接口): list, one case as of any date, moves with evidence, and cases opened by hand."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from rivergis.db.access import Actor
from rivergis.encroachment import case_store
from rivergis.reports import case_desk, case_page
from rivergis.web import case_forms, case_moves, case_sent
from rivergis.web.auth import database, require
from rivergis.web.case_asked import Asked, asked
from rivergis.web.case_sent import Sent
from rivergis.web.evidence import PEOPLE

router = APIRouter(prefix="/api/cases", tags=["ledger"])
View = Annotated[Actor, Depends(require("view"))]
_FIELDS = ("move", "reason", "last_event", "detail", "deadline", "measure", "authority", "authority_level", "document_no", "unit", "stage", "severity", "class_code", "why_not_all", "doubts_seen", "into", "lon", "lat", "at", "datum")  # fmt: skip
_ABOUT = (
    "Take a move in the life of a case, as JSON or as a form with files. `move`, `reason`; `last_event`: the last event seen (its seq, 0 = "
    "none): where another came since, 409 and nothing is saved; `detail`: an object (JSON), or its fields by name: deadline, measure, units, "
    "unit, authority, authority_level, document_no, stage, severity, class_code, into, why_not_all, doubts_seen. Files: `evidence` (pictures "
    "or papers, up to 12 of 25 MB; position and time are read from the pictures, else lon, lat, at), `attachment` (one). 401, 403 (capability, "
    "or it is for another person), 404, 409 (the case stands otherwise by now), 422 (what is said is not enough)."
)
_BODY = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["move"],
                    "properties": {f: {"type": "object" if f == "detail" else "string"} for f in _FIELDS},
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["move"],
                    "properties": {
                        **{f: {"type": "string"} for f in _FIELDS},
                        "evidence": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "attachment": {"type": "string", "format": "binary"},
                    },
                }
            },
        }
    }
}


@router.get("")
def cases(request: Request, actor: View, wanted: Annotated[Asked, Depends(asked)]) -> dict[str, Any]:
    """问题台账: cases by filters, page by page, with the numbers above the list."""
    with database(request).read() as conn:
        at = case_page.as_known(conn, wanted.known, wanted.on)
        found = case_desk.listing(conn, wanted.filters, at)
        numbers = case_desk.overview(conn, at, wanted.filters.district)[0]
        signed = case_desk.signed(conn, at) is not None
    f = wanted.filters
    return {
        "on": at.on,
        "total": found.total,
        "offset": f.offset,
        "limit": f.limit,
        "baseline_signed": signed,
        "numbers": numbers,
        "cases": [_public(c, actor) for c in found.rows],
    }


@router.get("/{case_id}")
def case(
    request: Request,
    actor: View,
    case_id: str,
    on: Annotated[date | None, Query(description="Civil day on which the clocks stand; default today")] = None,
    known: Annotated[date | None, Query(description="As it was known at the end of this day; default now")] = None,
) -> dict[str, Any]:
    """One case by id, number, or number of a higher level, with its history as of any date and the moves that you may take now."""
    with database(request).read() as conn:
        at = case_page.as_known(conn, known, on)
        facts = case_page.facts(conn, str(case_store.find(conn, case_id)), at)
    now = known is None and on is None
    allowed = case_forms.offers(facts, actor) if now else []
    people = bool(PEOPLE & actor.capabilities)
    return {
        "case": _public(facts.case, actor),
        "last_event": facts.case["moves"],
        "why": dict(zip(("zh", "en"), facts.why, strict=True)),
        "events": [_event(e, people) for e in facts.events],
        "evidence": [_shown(e, people) for e in facts.evidence],
        "reports": facts.reports if people else [],
        "sightings": facts.record["sightings"],
        "verdicts": facts.record["verdicts"],
        "allowed": [m.as_dict() for m in allowed],
    }


@router.post(
    "/{case_id}/moves", description=_ABOUT, openapi_extra=_BODY, max_body_size=case_sent.MAX_BODY, status_code=201
)
async def move(request: Request, actor: View, case_id: uuid.UUID) -> JSONResponse:
    """处置: take a move."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_move, request, actor, str(case_id), said)


def _move(request: Request, actor: Actor, case_id: str, said: Sent) -> JSONResponse:
    return JSONResponse(asdict(case_moves.take(request, actor, case_id, said)), 201)


def _public(case: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """A case without the persons who answer for it, for who does not work on cases."""
    if PEOPLE & actor.capabilities or not case["units"]:
        return case
    return {**case, "units": _units(case["units"])}


def _shown(evidence: dict[str, Any], people: bool) -> dict[str, Any]:
    """A picture or document; what the camera and the person said in full is for who works on cases."""
    hidden = ("file_path",) if people else ("file_path", "said")
    return {k: v for k, v in evidence.items() if k not in hidden} | {"href": f"/evidence/{evidence['id']}"}


def _event(event: dict[str, Any], people: bool) -> dict[str, Any]:
    """An event; where pictures were taken, persons, and rows of tables as delivered are for who works on cases."""
    own = {k: v for k, v in event.items() if k != "rows"}
    if people:
        return own
    said = {k: v for k, v in own["detail"].items() if k in case_page.DETAIL}
    if "units" in own["detail"]:
        said["units"] = _units(own["detail"]["units"])
    if "evidence" in own["detail"]:
        said["evidence"] = [{"sha256": e.get("sha256")} for e in own["detail"]["evidence"]]
    return {**own, "detail": said}


def _units(units: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in u.items() if k != "person"} for u in units]
