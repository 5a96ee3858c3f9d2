"""Pages beside the ledger list: report a case, look back at closed ones, sign the baseline, feeds; all work without scripts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from rivergis.db.access import Actor
from rivergis.encroachment import (
    baseline_store,
    feed_store,
    look_back,
    look_back_store,
    look_back_workflow,
    superior_store,
)
from rivergis.errors import NotFound, RivergisError
from rivergis.maps import features
from rivergis.reports import book, case_desk
from rivergis.web import case_open, case_sent, desk, page
from rivergis.web.auth import database, require
from rivergis.web.case_sent import Sent
from rivergis.web.evidence import PEOPLE
from rivergis.web.patrol_upload import book_of

router = APIRouter(include_in_schema=False)
View = Annotated[Actor, Depends(require("view"))]
Inspector = Annotated[Actor, Depends(require("inspect"))]
Reviewer = Annotated[Actor, Depends(require("review_findings"))]
_LISTED = 200  # rows of a baseline that a person must look at, as they stand on its page
_FILES = 20


# ---- report a case ----------------------------------------------------------------------------------------------------


@router.get("/cases/new", response_class=HTMLResponse)
def new_case(request: Request, _: Inspector) -> HTMLResponse:
    """The empty form."""
    return _new(request, {}, None)


@router.post("/cases", max_body_size=case_sent.MAX_BODY)
async def report_case(request: Request, actor: Inspector) -> Response:
    """Open a case from the form; refused, the form comes back with the sentence and what was typed."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_report, request, actor, said)


def _report(request: Request, actor: Actor, said: Sent) -> Response:
    try:
        case_id, _ = case_open.opened(request, actor, said)
    except RivergisError as error:
        if error.http_status >= 500:
            raise
        return _new(request, {k: v for k, v in said.words.items() if isinstance(v, str)}, error)
    return RedirectResponse(f"/findings/{case_id}", 303)


def _new(request: Request, typed: dict[str, str], refused: RivergisError | None) -> HTMLResponse:
    with database(request).read() as conn:
        demo = book.is_demo(conn)
    classes = [c for c in book_of(request).taxonomy["classes"] if not c.startswith(("outfall.", "boundary."))]
    return page.render(
        request, "case_new.html", refused.http_status if refused else 200, typed=typed, classes=classes, sources=case_open.SOURCES,
        today=_today(), problem=refused.sentence if refused else None, demo=demo,
    )  # fmt: skip


def _today() -> date:
    return datetime.now(page.SHANGHAI).date()


# ---- looking back -----------------------------------------------------------------------------------------------------


@router.get("/look-backs", response_class=HTMLResponse)
def look_backs(request: Request, actor: View) -> HTMLResponse:
    """Samples there are, and the form to draw one."""
    return _samples(request, {}, None)


@router.post("/look-backs")
def draw(
    request: Request,
    actor: Reviewer,
    first: Annotated[date, Form(alias="from")],
    last: Annotated[date, Form(alias="to")],
    district: Annotated[str, Form(max_length=12)] = "",
) -> Response:
    """Draw a sample and go to it."""
    try:
        sample = desk.drawn(request, actor, first, last, district.strip() or None, None)
    except RivergisError as error:
        if error.http_status >= 500:
            raise
        return _samples(request, {"from": str(first), "to": str(last), "district": district}, error)
    return RedirectResponse(f"/look-backs/{sample.id}", 303)


def _samples(request: Request, typed: dict[str, str], refused: RivergisError | None) -> HTMLResponse:
    today = _today()
    with database(request).read() as conn:
        samples, demo = look_back_store.samples(conn), book.is_demo(conn)
        districts = case_desk.overview(conn, features.when(conn))[1]["districts"]
    usual = {"from": str(today.replace(day=1) - timedelta(days=62)), "to": str(today)}
    return page.render(
        request, "look_backs.html", refused.http_status if refused else 200, samples=samples[::-1], typed=usual | typed,
        districts=districts, problem=refused.sentence if refused else None, demo=demo,
    )  # fmt: skip


@router.get("/look-backs/{sample}", response_class=HTMLResponse)
def one_look_back(request: Request, actor: View, sample: str) -> HTMLResponse:
    """The members of a sample, each with a form for what was found."""
    return _sample(request, actor, sample, None, None)


@router.post("/look-backs/{sample}/{seq}", max_body_size=case_sent.MAX_BODY)
async def looked(request: Request, actor: Reviewer, sample: str, seq: int) -> Response:
    """Record what was found at a member."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_looked, request, actor, sample, seq, said)


def _looked(request: Request, actor: Actor, sample: str, seq: int, said: Sent) -> Response:
    try:
        desk.found(request, actor, sample, seq, said)
    except RivergisError as error:
        if error.http_status == 404 or error.http_status >= 500:
            raise
        return _sample(request, actor, sample, seq, error)
    return RedirectResponse(f"/look-backs/{quote(sample)}#m-{seq}", 303)


def _sample(
    request: Request, actor: Actor, sample: str, seq: int | None, refused: RivergisError | None
) -> HTMLResponse:
    with database(request).read() as conn:
        found, demo = look_back_workflow.show(conn, sample), book.is_demo(conn)
    return page.render(
        request, "look_back.html", refused.http_status if refused else 200, sample=found, outputs=look_back.OUTPUTS,
        refused_seq=seq, problem=refused.sentence if refused else None, demo=demo,
        may={m["seq"]: "review_findings" in actor.capabilities and actor.name not in m["done_by"] for m in found.members},
    )  # fmt: skip


# ---- baseline, feeds --------------------------------------------------------------------------------------------------


@router.get("/baseline", response_class=HTMLResponse)
def baseline(request: Request, actor: View) -> HTMLResponse:
    """The last baseline, what it counts, the rows a person must look at, and the form to sign it."""
    return _baseline(request, actor, None)


@router.post("/baseline/sign")
def sign(
    request: Request,
    actor: Reviewer,
    number: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Sign it, as another person than who made it."""
    try:
        desk.signed_baseline(request, actor, reason, number)
    except RivergisError as error:
        if error.http_status >= 500:
            raise
        return _baseline(request, actor, error)
    return RedirectResponse("/baseline", 303)


def _baseline(request: Request, actor: Actor, refused: RivergisError | None) -> HTMLResponse:
    with database(request).read() as conn:
        head = _last_baseline(conn)
        items = [i for i in baseline_store.items(conn, head["id"]) if i["start"] == "listed"] if head else []
        lists, demo = superior_store.lists(conn), book.is_demo(conn)
    may = head is not None and head["signed_by"] is None and "review_findings" in actor.capabilities
    return page.render(
        request, "baseline.html", refused.http_status if refused else 200, head=head, listed=items[:_LISTED], listed_n=len(items),
        lists=lists, may=may and head is not None and head["actor"] != actor.name, own=may and head is not None and head["actor"] == actor.name,
        problem=refused.sentence if refused else None, demo=demo, people=bool(PEOPLE & actor.capabilities),
    )  # fmt: skip


def _last_baseline(conn: Connection) -> dict[str, Any] | None:
    try:
        return baseline_store.baseline(conn)
    except NotFound:
        return None


@router.get("/feeds", response_class=HTMLResponse)
def feeds(request: Request, _: View, on: date | None = None) -> HTMLResponse:
    """Every feed as it stands, and what became of its last files."""
    with database(request).read() as conn:
        at = features.when(conn, on)
        states = feed_store.states(conn, at.on, at.known_at)
        files = {f["code"]: feed_store.files(conn, f["code"], _FILES) for f in states if f["state"] != "unregistered"}
        demo = book.is_demo(conn)
    return page.render(request, "feeds.html", feeds=states, files=files, on=at.on, demo=demo)
