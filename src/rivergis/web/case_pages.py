"""The ledger as pages (问题台账): the list with its filters, the page of a case, and the forms of its moves; all work without scripts."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from rivergis import lifecycle
from rivergis.db.access import Actor
from rivergis.encroachment import case_store, verdict_words
from rivergis.errors import RivergisError
from rivergis.maps import features
from rivergis.reports import book, case_desk, case_page
from rivergis.reports.case_desk import Filters
from rivergis.reports.case_page import CaseFacts
from rivergis.web import case_forms, case_moves, case_sent, page
from rivergis.web.auth import database, require
from rivergis.web.case_asked import Asked, asked, query_of
from rivergis.web.case_sent import Sent
from rivergis.web.evidence import ORIGINALS, PEOPLE
from rivergis.web.patrol_upload import book_of, view_of

router = APIRouter(include_in_schema=False)
View = Annotated[Actor, Depends(require("view"))]


@router.get("/cases", response_class=HTMLResponse)
def cases(request: Request, actor: View, wanted: Annotated[Asked, Depends(asked)]) -> HTMLResponse:
    """The ledger list."""
    f = wanted.filters
    with database(request).read() as conn:
        at = case_page.as_known(conn, wanted.known, wanted.on)
        found = case_desk.listing(conn, f, at)
        numbers, offered = case_desk.overview(conn, at, f.district)
        values: dict[str, Any] = {
            "choices": offered,
            "signed": case_desk.signed(conn, at),
            "tiles": _tiles(numbers, f.district),
            "demo": book.is_demo(conn),
        }
    back, ahead = f.offset - f.limit, f.offset + f.limit
    return page.render(
        request,
        "cases.html",
        page=found,
        asked=f,
        clock=wanted.clock,
        narrowed=f != Filters(sort=f.sort, offset=f.offset, limit=f.limit),
        on=wanted.known or wanted.on,
        states=lifecycle.load()["finding"].states,
        sorts=case_desk.SORTS,
        place=features.place,
        people=bool(PEOPLE & actor.capabilities),
        earlier=query_of(wanted, max(back, 0)) if f.offset else None,
        later=query_of(wanted, ahead) if ahead < found.total else None,
        **values,
    )


def _tiles(n: dict[str, int], district: str | None) -> list[tuple[str, int, str, bool]]:
    """Numbers above the list: word, number, query that lists exactly these, and whether the number alarms."""
    here = {"district": district} if district else {}
    queries: dict[str, tuple[dict[str, str], bool]] = {
        "found": ({"state": "to_verify"}, False),
        "problem": ({"state": "problem"}, False),
        "assigned": ({"state": "assigned"}, False),
        "due": ({"clock": "due"}, False),
        "overdue": ({"clock": "overdue"}, True),
        "escalate": ({"clock": "escalate"}, True),
        "rectified": ({"state": "rectified"}, False),
        "awaits_above": ({"clock": "awaits_above"}, False),
        "historic_listed": ({"state": "historic_listed"}, False),
        "rebound": ({"clock": "rebound"}, True),
    }
    return [(key, n[key], urlencode(q | here), alarm) for key, (q, alarm) in queries.items()]


@router.get("/cases/{name}", response_class=HTMLResponse)
def named_case(request: Request, _: View, name: str) -> RedirectResponse:
    """A case by its number, a number of a higher level, or the beginning of its id."""
    with database(request).read() as conn:
        return RedirectResponse(f"/findings/{case_store.find(conn, name)}", 303)


@router.get("/findings/{finding_id}", response_class=HTMLResponse)
def case(
    request: Request,
    actor: View,
    finding_id: uuid.UUID,
    on: date | None = None,
    known: Annotated[date | None, Query(description="As it was known at the end of this day")] = None,
) -> HTMLResponse:
    """The page of a lead or case."""
    return _page(request, actor, str(finding_id), known=known, on=on)


@router.post("/findings/{finding_id}/moves", max_body_size=case_sent.MAX_BODY)
async def move(request: Request, actor: View, finding_id: uuid.UUID) -> Response:
    """A move by the form of the page; refused, the page comes back with the sentence beside what was typed."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_move, request, actor, str(finding_id), said)


def _move(request: Request, actor: Actor, finding_id: str, said: Sent) -> Response:
    try:
        case_moves.take(request, actor, finding_id, said, must_say_seen=True)
    except RivergisError as error:
        if error.http_status == 404 or error.http_status >= 500:
            raise
        return _page(request, actor, finding_id, refused=error, said=said)
    return RedirectResponse(f"/findings/{finding_id}#events", 303)


def _page(
    request: Request,
    actor: Actor,
    finding_id: str,
    *,
    known: date | None = None,
    on: date | None = None,
    refused: RivergisError | None = None,
    said: Sent | None = None,
) -> HTMLResponse:
    past = known is not None or on is not None
    near_m = view_of(request).number("ledger.duplicates.distance")
    with database(request).read() as conn:
        at = case_page.as_known(conn, known, on)
        facts = case_page.facts(conn, finding_id, at, near_m=near_m)
        signed, demo = case_desk.signed(conn, at), book.is_demo(conn)
    moves = [] if past else case_forms.offers(facts, actor)
    values = {**_shown(facts, actor), **_refusal(facts, refused, said), "signed": signed, "demo": demo}
    return page.render(
        request,
        "finding.html",
        refused.http_status if refused else 200,
        moves=moves,
        offers=case_forms.choices(
            facts, moves, list(book_of(request).taxonomy["classes"]), datetime.now(page.SHANGHAI).date()
        ),
        typed=_typed(said),
        on=known or on,
        **values,
    )


def _shown(facts: CaseFacts, actor: Actor) -> dict[str, Any]:
    verdict = facts.record["verdicts"][-1] if facts.record["verdicts"] else None
    people = bool(PEOPLE & actor.capabilities)
    return {
        "case": facts.case,
        "now": facts.now,
        "record": facts.record,
        "why": facts.why,
        "rows": facts.rows,
        "events": facts.events,
        "evidence": facts.evidence,
        "reports": facts.reports if people else [],
        "map": facts.map,
        "hint": facts.hint,
        "verdict": verdict,
        "parts": verdict_words.in_both(verdict) if verdict else [],
        "people": people,
        "originals": bool(ORIGINALS & actor.capabilities),
    }


def _refusal(facts: CaseFacts, refused: RivergisError | None, said: Sent | None) -> dict[str, Any]:
    """What the page says of a move that was refused; a stale form is told what happened since."""
    if refused is None or said is None:
        return {"problem": None, "since": []}
    seen = refused.details.get("seen")
    since = [e for e in facts.events if seen is not None and e["seq"] > seen]
    return {"problem": None if since else refused.sentence, "problem_head": refused.sentence, "since": since}


def _typed(said: Sent | None) -> dict[str, Any]:
    """What was typed, to be shown again in the form that was refused; files must be chosen anew."""
    if said is None:
        return {}
    plain = {k: v for k, v in said.words.items() if isinstance(v, str)}
    return {**plain, "units": case_sent.unit_rows(replace(said, words=plain))}
