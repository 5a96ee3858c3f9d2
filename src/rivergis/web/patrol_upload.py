"""Patrols over HTTP: upload tracks and observations, ask what became of a track and who saw it, reply to questions about it."""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from rivergis import rules
from rivergis.db.access import Actor
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from rivergis.intake import track, track_index
from rivergis.jobs import track_import
from rivergis.patrol import receive_store, receive_workflow, review_workflow, store, upload_files
from rivergis.patrol.receive_workflow import Said
from rivergis.reports import patrol_page
from rivergis.rules import RuleBook, RuleView
from rivergis.web import scope
from rivergis.web.auth import database, require

router = APIRouter(prefix="/api/patrol", tags=["patrol"])
MAX_UPLOAD = track.MAX_BYTES + (1 << 20)  # the largest track file, and the form round it
SignedIn = Annotated[Actor, Depends(require())]
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
_FIELDS = ("chief", "namespace", "datum", "mode", "uploaded_at", "device", "session", "unit", "party", "filename")
_ABOUT = (
    "A track file (GPX, CSV, GeoJSON, JSON, KML, KMZ, FIT, TCX) as form field `file`, or as the body itself. Said of it as form "
    "fields or in the query: chief (code), namespace, datum (wgs84, cgcs2000, gcj02, bd09), mode, uploaded_at, device, session, "
    "unit (adcode), party (JSON list of {part, chief_code or person, unit_code}), filename. A ZIP is an offline batch with an "
    "index tracks.json. The same file again changes nothing. 201: new, 200: known, 207: some files of a batch were set aside."
)
_BODY = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **{f: {"type": "string"} for f in _FIELDS},
                    },
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@lru_cache(maxsize=4)
def _book(rules_dir: Path, on: date) -> RuleBook:
    """The rule book, read once a day."""
    return rules.load(rules_dir)


def book_of(request: Request) -> RuleBook:
    return _book(request.app.state.settings.rules_dir, date.today())


def view_of(request: Request) -> RuleView:
    """The rules of the place that the database is about, today."""
    return track_import.view_of(database(request), book_of(request), date.today())


@router.post("/tracks", description=_ABOUT, openapi_extra=_BODY, max_body_size=MAX_UPLOAD)
async def upload(request: Request, actor: SignedIn) -> JSONResponse:
    """Receive a track (上传轨迹), or an offline batch of them."""
    content, fields = await _sent(request)
    return await run_in_threadpool(_receive, request, actor, content, fields)


async def _sent(request: Request) -> tuple[bytes, dict[str, str]]:
    """The file and what is said of it, from a form or from body and query."""
    fields = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await request.body(), {"content_type": kind, **fields}
    async with request.form(max_files=1, max_fields=len(_FIELDS) + 10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise UsageError("The form has no file: send the track as the field 'file'.")
        said = {k: v for k, v in form.items() if isinstance(v, str) and v}
        name = {"filename": file.filename} if file.filename else {}
        return await file.read(), {**fields, **name, "content_type": file.content_type or "", **said}


def _receive(request: Request, actor: Actor, content: bytes, fields: dict[str, str]) -> JSONResponse:
    db, settings = database(request), request.app.state.settings
    if not content:
        raise InputError("The upload is empty: send the track file.")
    said = _own_only(request, actor, _said(fields))
    with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        name = upload_files.name_of(fields.get("filename"), fields.get("content_type", ""), content)
        path = Path(folder) / name
        path.write_bytes(content)
        book = book_of(request)
        try:
            if path.suffix == ".zip":
                return _batch(request, actor, path, said, book)
            scope.own_chief(request, said.namespace, said.chief_code)
            view = track_import.view_of(db, book, date.today())
            got = receive_workflow.receive_track(
                db, path, said, view=view, actor=actor.name, store_dir=settings.store_dir
            )
        except InputError as error:
            raise of_the_sender(error) from error
    return JSONResponse(asdict(got), 201 if got.new else 200)


def of_the_sender(error: InputError) -> InputError:
    """The refusal with files named as the sender names them, not as they lie in a folder of the service."""
    ours = re.compile(re.escape(tempfile.gettempdir()) + r"/rivergis-[^/\s]+/(?:\d+/)?")
    error.sentence = ours.sub("", error.sentence)
    error.details = json.loads(ours.sub("", json.dumps(error.details, default=str)))
    return error


def _batch(request: Request, actor: Actor, path: Path, said: Said, book: RuleBook) -> JSONResponse:
    if "import" not in actor.capabilities:
        raise NotPermitted("A batch may hold tracks of several people: it takes the capability to import.")
    if actor.area:
        raise NotPermitted(
            "A batch may hold tracks of several units: an account that is held to one area sends them one by one."
        )
    got = track_import.import_tracks(
        database(request),
        path,
        book=book,
        actor=actor.name,
        store_dir=request.app.state.settings.store_dir,
        chief=said.chief_code,
        datum=said.datum,
        namespace=said.namespace,
    )
    return JSONResponse(asdict(got), 207 if got.failed else 201 if got.new else 200)


def _said(fields: dict[str, str]) -> Said:
    """What the sender says; ``UsageError`` names the field that cannot be used."""
    try:
        party = track_index.party_of(json.loads(fields["party"])) if fields.get("party") else ()
        uploaded = track_index.instant(fields.get("uploaded_at"))
    except (ValueError, TypeError) as error:
        raise UsageError(f"What is said of the track cannot be used: {' '.join(str(error).split())[:200]}.") from error
    datum = fields.get("datum")
    if datum is not None and datum not in DATUMS:
        raise UsageError(f"{datum[:40]!r} is no datum: it is one of {', '.join(DATUMS)}.")
    return Said(
        fields.get("chief"),
        datum,
        fields.get("mode") or "app",
        uploaded or datetime.now(UTC),
        fields.get("device"),
        fields.get("session"),
        fields.get("unit"),
        party,
        fields.get("namespace") or "local",
    )


def _own_only(request: Request, actor: Actor, said: Said) -> Said:
    """Who may import sends anybody's track; a chief only the own one, received when it comes."""
    if "import" in actor.capabilities:
        return said
    if "upload_tracks" not in actor.capabilities:
        raise NotPermitted(f"{actor.name} may not upload tracks: that takes the capability import or upload_tracks.")
    with database(request).read() as conn:
        own = receive_store.chief_of_user(conn, actor.name)
    if own is None or said.chief_code not in (None, own[2]):
        raise NotPermitted(f"{actor.name} may upload the own tracks only, and must be the account of a chief.")
    return replace(said, chief_code=own[2], namespace=own[1], uploaded_at=datetime.now(UTC))


def seen(request: Request, actor: Actor, track_id: uuid.UUID, purpose: str | None) -> uuid.UUID:
    """The outing of a track the actor may see (with the capability, or the own one); ``purpose``: recorded as an access."""
    with database(request).read() as conn:
        head = store.head_starting(conn, str(track_id))
        if "view_tracks" not in actor.capabilities and not store.is_own(conn, head, actor.name):
            # whether there is such a track is nobody else's business
            raise NotFound(f"There is no patrol track {str(track_id)!r}.")
    if purpose is not None:
        with database(request).write(actor.name) as conn:
            store.saw(conn, head, actor.name, purpose)
    return head


@router.get("/tracks")
def own_tracks(request: Request, actor: SignedIn) -> list[dict[str, Any]]:
    """The own tracks of a chief (本人轨迹), newest first: how many files each came in, and whether it is scored."""
    with database(request).read() as conn:
        own = receive_store.chief_of_user(conn, actor.name)
        if own is None:
            raise NotPermitted(f"{actor.name} is the account of no chief: there are no own tracks to list.")
        rows = store.outings(conn, own[0])
    return list(rows.astype(object).where(rows.notna(), None).to_dict("records"))


@router.get("/tracks/{track_id}")
def result(request: Request, actor: SignedIn, track_id: uuid.UUID) -> dict[str, Any]:
    """What became of a track (of the outing it is part of): figures, tested rules, and for whom it concerns the questions."""
    head = seen(request, actor, track_id, "api")
    with database(request).read() as conn:
        found = store.result(conn, head)
        may_ask = patrol_page.may_review(conn, head, actor.name, actor.capabilities)
        asked = [_public(q) for q in review_workflow.of_track(conn, head)] if may_ask else None
        parts = [str(i) for i in store.parts(conn, head)["id"]]
    told = {k: found[k] for k in ("day", "figures", "standard", "recorded_at")} if found else None
    return {"track_id": str(head), "parts": parts, "result": told, "questions": asked}


@router.get("/tracks/{track_id}/accesses")
def accesses(request: Request, actor: SignedIn, track_id: uuid.UUID) -> list[dict[str, Any]]:
    """Who saw a track, when and what for."""
    head = seen(request, actor, track_id, None)
    with database(request).read() as conn:
        return list(store.accesses(conn, head).to_dict("records"))


def _public(q: review_workflow.Asked) -> dict[str, Any]:
    """A question without the names of files."""
    return {k: v for k, v in review_workflow.as_dict(q).items() if k != "file_name"}


@router.get("/questions")
def questions(
    request: Request,
    actor: SignedIn,
    state: Literal["raised", "replied", "confirmed", "dismissed"] | None = None,
) -> list[dict[str, Any]]:
    """轨迹待核实: all questions for who may review, else those about the own tracks."""
    with database(request).read() as conn:
        own = receive_store.chief_of_user(conn, actor.name)
        if review_workflow.REVIEW not in actor.capabilities and own is None:
            raise NotPermitted(
                f"{actor.name} may see no questions: they are for the duty person and the chief concerned."
            )
        chief = None if review_workflow.REVIEW in actor.capabilities else own
        return [_public(q) for q in review_workflow.questions(conn, chief_id=chief[0] if chief else None, state=state)]


@router.post("/questions/{number}/reply")
def reply(request: Request, actor: SignedIn, number: int, text: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
    """说明: reply to a question, as the chief concerned or the duty person."""
    review_workflow.reply(database(request), number, text, actor=actor.name)
    return {"number": number, "state": "replied"}


@router.post("/questions/{number}/decide")
def decide(
    request: Request,
    actor: Annotated[Actor, Depends(require(review_workflow.REVIEW))],
    number: int,
    move: Annotated[Literal["confirmed", "dismissed"], Body()],
    reason: Annotated[str, Body()],
) -> dict[str, Any]:
    """复核: confirm or dismiss a question, by somebody else than who replied."""
    db = database(request)
    view = track_import.view_of(db, book_of(request), date.today())
    review_workflow.decide(db, number, move, reason, actor=actor.name, view=view)
    return {"number": number, "state": move}
