"""Drafts of boundary lines opened, the redraw preview of unsaved edits, and bodies of JSON read."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from rivergis import rules, words
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.boundary.redraw import files as diff_files
from rivergis.boundary.redraw import workflow as diff_workflow
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound, NotNow, UsageError
from rivergis.layers import layer
from rivergis.maps import features
from rivergis.river import store as river_store
from rivergis.web import boundary_draft, scope
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
    if not title.strip():
        raise InputError(words.both("boundary_desk.fill_in", what=words.both("boundary_desk.draft_title")))
    db = database(request)
    with db.read() as conn:
        on, known = features.when(conn).on, now_of(conn)
        if draft_store.find(conn, code) is not None:
            raise NotNow(f"There is a draft {code!r} already: choose another code, or go on with that one.")
        named = draft_store.rivers(conn, rivers, on, known)
        home = scope.adcode_of(actor, river_store.home(conn, on, known) or rules.NATIONAL)
    missing = sorted(set(rivers) - set(named["code"]))
    if missing:
        raise NotFound(f"These rivers are not known: {', '.join(missing[:8])[:200]}; import them first.")
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
    """What ground enters and leaves with unsaved edits, as ``diff_told`` tells it, and how long that took."""
    began = time.perf_counter()
    edits = boundary_draft.edits_of(said.get("edits", []))
    try:
        with database(request).read(timeout_s=30) as conn:
            draft = draft_workflow.get(conn, code)
            named = _by_id(conn, draft, edits)
            view = boundary_draft.rules_of(request, draft)
            layers = diff_files.kept(request.app.state.settings.data_dir / "redraw_layers")
            told = diff_workflow.preview_draft(conn, draft["code"], view, edits=named, layers=layers).as_dict()
    except UsageError as error:
        raise InputError(error.sentence) from error
    for reduction in told["reductions"]:
        reduction["key"] = boundary_draft.reduction_key(reduction)
    return {**told, "seconds": round(time.perf_counter() - began, 2)}


def _by_id(conn: Connection, draft: Mapping[str, Any], edits: Sequence[Edit]) -> list[Edit]:
    """Edits with their river by id; ``InputError`` for a river nobody knows."""
    codes = sorted({e.said["river_code"] for e in edits if e.said.get("river_code")})
    known = draft_store.rivers(conn, codes, draft["based_on"], now_of(conn)).drop_duplicates("code")
    ids = dict(zip(known["code"], known["id"], strict=True))
    missing = sorted(set(codes) - set(ids))
    if missing:
        raise InputError(f"These rivers are not known: {', '.join(missing[:8])}; import them first.")
    return [
        replace(
            e, said={k: v for k, v in e.said.items() if k != "river_code"} | {"river_id": ids[e.said["river_code"]]}
        )
        if e.said.get("river_code")
        else e
        for e in edits
    ]
