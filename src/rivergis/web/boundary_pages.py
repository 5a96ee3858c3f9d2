"""Pages of boundary lines (划界): drafts and announced versions, the drawing page, and the forms of moves; forms work without scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from rivergis import words
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import move_workflow as draft_move_workflow
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound, RivergisError
from rivergis.maps import assets
from rivergis.reports import book
from rivergis.river import store as river_store
from rivergis.river.chainage import label
from rivergis.web import boundary_desk, boundary_draft, boundary_told, case_sent, page
from rivergis.web.auth import database, require
from rivergis.web.case_sent import Sent

router = APIRouter(include_in_schema=False)
View = Annotated[Actor, Depends(require("view"))]
Planner = Annotated[Actor, Depends(require("draft_boundary"))]
WORDS = ("boundary_desk.", "redraw.layer_", "redraw.flag_", "boundary_defect.")
"""Groups of words that the script of the page says."""


@router.get("/boundary", response_class=HTMLResponse)
def boundary(
    request: Request,
    actor: View,
    on: Annotated[str, Query(max_length=10)] = "",
    known: Annotated[str, Query(max_length=10)] = "",
    every: Annotated[bool, Query(alias="all")] = False,
) -> HTMLResponse:
    """Drafts, versions as they stand on a day, and every reduction so far."""
    return _boundary(request, actor, _day(on), _day(known), every)


def _day(text: str) -> date | None:
    """A day of a form, which sends an empty field as an empty text."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(words.both("boundary_desk.no_day", what=text)) from error


def _boundary(
    request: Request,
    actor: Actor,
    on: date | None = None,
    known: date | None = None,
    every: bool = False,
    typed: Mapping[str, Any] | None = None,
    refused: RivergisError | None = None,
) -> HTMLResponse:
    with database(request).read() as conn:
        day, versions = boundary_desk.standing_on(conn, on, known)
        values: dict[str, Any] = {
            "drafts": boundary_draft.rows(draft_store.listed(conn)),
            "rivers": boundary_draft.rows(river_store.rivers(conn, day, now_of(conn))),
            "reductions": boundary_draft.rows(draft_store.reductions(conn).drop(columns="geom")),
            "demo": book.is_demo(conn),
        }
    shown = [v for v in versions if every or v["standing"] in ("in_force", "announced")]
    return page.render(
        request, "boundary.html", refused.http_status if refused else 200, versions=shown, on=day, known=known, every=every,
        may="draft_boundary" in actor.capabilities, typed=typed or {}, line_types=boundary_told.LINE_TYPES,
        problem=refused.sentence if refused else None, **values,
    )  # fmt: skip


@router.post("/boundary/drafts")
def open_draft(
    request: Request,
    actor: Planner,
    code: Annotated[str, Form(max_length=64)],
    title: Annotated[str, Form(max_length=200)],
    line_type: Annotated[str, Form(max_length=20)] = "management",
    river: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Open a draft and go to it; refused, the form comes back with the sentence and what was typed."""
    try:
        made = boundary_told.opened(request, actor, code.strip(), title, river or [], line_type)
    except RivergisError as error:
        if error.http_status >= 500:
            raise
        typed = {"code": code, "title": title, "line_type": line_type, "river": river or []}
        return _boundary(request, actor, typed=typed, refused=error)
    first = f"?{urlencode({'river': river[0]})}" if river and not made["segments"] else ""
    return RedirectResponse(f"/boundary/drafts/{quote(made['code'], safe='')}{first}", 303)


@router.get("/boundary/drafts/{code}", response_class=HTMLResponse)
def draft(
    request: Request,
    actor: View,
    code: str,
    revision: Annotated[int | None, Query(ge=0)] = None,
    river: Annotated[str | None, Query(max_length=200)] = None,
) -> HTMLResponse:
    """The drawing page of a draft, or a look at an earlier revision of it."""
    return _draft(request, actor, code, revision, river=river)


@router.post("/boundary/drafts/{code}/moves", max_body_size=case_sent.MAX_BODY)
async def move(request: Request, actor: View, code: str) -> Response:
    """A move by the form of the page; refused, the page comes back with the sentence beside what was typed."""
    async with case_sent.sent(request) as said:
        return await run_in_threadpool(_move, request, actor, code, said)


def _move(request: Request, actor: Actor, code: str, said: Sent) -> Response:
    try:
        if said.whole("revision") is None:
            raise InputError(words.both("desk.not_seen"))
        boundary_draft.take(request, actor, code, said)
    except RivergisError as error:
        if error.http_status == 404 or error.http_status >= 500:
            raise
        return _draft(request, actor, code, None, said, error)
    return RedirectResponse(f"/boundary/drafts/{quote(code, safe='')}#bd-moves", 303)


def _draft(
    request: Request,
    actor: Actor,
    code: str,
    revision: int | None,
    said: Sent | None = None,
    refused: RivergisError | None = None,
    river: str | None = None,
) -> HTMLResponse:
    with database(request).read(timeout_s=30) as conn:
        found = draft_workflow.get(conn, code)
        if revision is not None and revision > found["revision"]:
            raise NotFound(
                f"The draft {found['code']} has no revision {revision}; its last one is {found['revision']}."
            )
        told = boundary_draft.history(conn, found)
        rivers = boundary_draft.rivers_of(conn, found)
        table, sha256 = draft_move_workflow.submitted_table(conn, found) if found["state"] != "draft" else ([], "")
        asked = _asked(request, conn, found, said)
        table = _by_name(table, rivers)
        asked = None if asked is None else _by_name(asked, rivers)
        demo = book.is_demo(conn)
    past = revision is not None and revision != found["revision"]
    may = boundary_draft.may_draw(found, actor) and not past
    typed = {k: v for k, v in said.words.items() if isinstance(v, str)} if said else {}
    html = page.text(
        request, "boundary_draft.html", draft=found, shown_revision=revision if past else found["revision"], past=past, may=may, history=told,
        offers=[] if past else boundary_draft.offers(found, actor, told["events"]), typed=typed, demo=demo,
        reductions={"told": table, "table_sha256": sha256, "asked": asked}, problem=refused.sentence if refused else None,
        bases=boundary_draft.BASES, drawn_by=draft_workflow.DRAWN_BY, chainage=label, scripts=_urls(assets.DRAW_JS),
        sheets=_urls(assets.DRAW_CSS), data=_data(found, actor, may, revision if past else None, rivers, river),
    )  # fmt: skip
    return page.drawing(html, refused.http_status if refused else 200)


def _by_name(table: list[dict[str, Any]], rivers: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Reductions with their river by name."""
    names = dict(rivers)
    return [{**r, "river": names.get(r["river"], r["river"])} for r in table]


def _asked(request: Request, conn: Any, found: Mapping[str, Any], said: Sent | None) -> list[dict[str, Any]] | None:
    """Reductions that the form asks a reason for: worked out once somebody wants to submit; None = not yet."""
    if said is None or said.words.get("move") != "submit" or found["state"] != "draft":
        return None
    try:
        return boundary_draft.reductions(request, conn, found)
    except RivergisError:
        return []  # the sentence of the refusal says why they are not known


def _urls(names: tuple[str, ...]) -> list[str]:
    return [assets.url(name, page.ASSETS) for name in names]


def _data(
    found: Mapping[str, Any],
    actor: Actor,
    may: bool,
    past: int | None,
    rivers: list[tuple[str, str]],
    river: str | None,
) -> str:
    """What the script of the page starts from, as JSON that cannot end its element."""
    said = {
        k.partition(".")[2]: {"zh": zh, "en": en} for k, (zh, en) in words.catalogue().items() if k.startswith(WORDS)
    }
    text = json.dumps(
        {
            "draft": found["code"],
            "user": actor.name,
            "may": may,
            "at": past,
            "rivers": rivers,
            "river": river,
            "words": said,
        },
        ensure_ascii=False,
    )
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
