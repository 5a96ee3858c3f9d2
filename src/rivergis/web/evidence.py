"""Pictures and documents of leads (证据): shown without what the camera wrote into them; the original for who works on leads."""

from __future__ import annotations

import mimetypes
import uuid
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response

from rivergis import words
from rivergis.db import system
from rivergis.db.access import Actor
from rivergis.encroachment import case_store
from rivergis.errors import InputError, NotFound, NotPermitted
from rivergis.intake import shown
from rivergis.maps import lists
from rivergis.web.auth import database, require

router = APIRouter(tags=["findings"])
PRIVATE = {"Cache-Control": "private, max-age=3600"}
# who may learn where the maker of a photo stood and what with
ORIGINALS = frozenset({"inspect", "review_findings"})
# who works on cases sees who answers for them, and the papers
PEOPLE = ORIGINALS | {"view_tracks"}
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


@router.get(
    "/evidence/{evidence_id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "application/octet-stream": {}}}},
)
def evidence(
    request: Request,
    actor: Annotated[Actor, Depends(require("view"))],
    evidence_id: uuid.UUID,
    original: Annotated[
        bool, Query(description="The file as it came, with EXIF: capability inspect or review_findings; recorded")
    ] = False,
) -> Response:
    """A picture or document of a lead. A picture is shown without EXIF, place, time and maker."""
    with database(request).read() as conn:
        row = lists.evidence(conn, str(evidence_id))
    file = _file(request.app.state.settings.store_dir, row["file_path"])
    if original:
        return _original(request, actor, evidence_id, file)
    if file.suffix.lower() not in PICTURES:
        # anything but a picture is saved, never run in our name
        return _saved(file)
    try:
        content, kind = shown.shown(file)
    except InputError as error:
        raise NotFound(words.both("desk.picture_damaged")) from error
    return Response(content, media_type=kind, headers={**PRIVATE, "Content-Disposition": "inline"})


@router.get(
    "/findings/{finding_id}/attachments/{sha256}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def attachment(
    request: Request, actor: Annotated[Actor, Depends(require("view"))], finding_id: uuid.UUID, sha256: str
) -> Response:
    """The paper that came with a move, for who works on cases: it may name people."""
    if not PEOPLE & actor.capabilities:
        needed = words.both("capability.inspect")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    with database(request).read() as conn:
        known = any(e["attachment_sha256"] == sha256 for e in case_store.events(conn, finding_id))
    folder = request.app.state.settings.store_dir / "evidence"
    file = next((f for f in sorted(folder.glob(f"{sha256}*")) if f.stem == sha256), None) if known else None
    if file is None:
        raise NotFound("There is no such paper of this case.")
    return _saved(file)


def _file(store: Path, path: str) -> Path:
    """A file of the store; ``NotFound`` where it is gone or lies elsewhere."""
    store = store.resolve()
    file = (store / path).resolve()
    if not file.is_relative_to(store) or not file.is_file():
        raise NotFound("The file of this picture or document is not in the store any more.")
    return file


def _saved(file: Path) -> FileResponse:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return FileResponse(file, media_type=kind, headers=PRIVATE, filename=file.name)


def _original(request: Request, actor: Actor, evidence_id: uuid.UUID, file: Path) -> FileResponse:
    """The file as it came; seeing it is in the audit."""
    if not ORIGINALS & actor.capabilities:
        needed = words.both("capability.inspect")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    with database(request).write(actor.name) as conn:
        system.audit(conn, actor.name, "view", f"evidence:{evidence_id}:original")
    return _saved(file)
