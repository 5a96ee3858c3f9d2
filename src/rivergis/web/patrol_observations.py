"""Observations (观察点) of a patrol over HTTP: rows of JSON or CSV, or one with a photo; kept on river, chainage and bank."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from rivergis import crs
from rivergis.db.access import Actor
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from rivergis.intake import sources, track_index
from rivergis.jobs import track_import
from rivergis.patrol import receive_store, receive_workflow
from rivergis.web.auth import database
from rivergis.web.patrol_upload import DATUMS, SignedIn, book_of, seen

router = APIRouter(prefix="/api/patrol", tags=["patrol"])
MAX_PHOTO = 16 << 20
PICTURES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png"}


@router.post("/tracks/{track_id}/observations", max_body_size=MAX_PHOTO)
async def observations(request: Request, actor: SignedIn, track_id: uuid.UUID) -> JSONResponse:
    """Add observations to a track: a JSON list, or CSV, of at, kind, text, lon, lat; or a form of one with a `photo` (JPEG, PNG).

    `datum` of the positions in the query (WGS 84). The same again changes nothing. 201: new, 200: all known.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        rows = _rows(await request.body(), "csv" in kind)
        return await run_in_threadpool(_observe, request, actor, track_id, rows, None)
    async with request.form(max_files=1, max_fields=20) as form:
        photo = form.get("photo")
        content = await photo.read() if isinstance(photo, UploadFile) else None
        row = {k: v for k, v in form.items() if isinstance(v, str)}
    return await run_in_threadpool(_observe, request, actor, track_id, [row], content)


def _observe(request: Request, actor: Actor, track_id: uuid.UUID, rows: list[Any], photo: bytes | None) -> JSONResponse:
    head = seen(request, actor, track_id, None)
    if not {"import", "upload_tracks"} & actor.capabilities:
        raise NotPermitted(f"{actor.name} may not add observations: that takes the capability import or upload_tracks.")
    datum = request.query_params.get("datum", "wgs84")
    if datum not in DATUMS:
        raise UsageError(f"{datum[:40]!r} is no datum: it is one of {', '.join(DATUMS)}.")
    places = _places(rows, datum)
    if photo:
        places = places.assign(photo_sha256=_kept(photo, request.app.state.settings.store_dir))
    db = database(request)
    view = track_import.view_of(db, book_of(request), date.today())
    with db.write(actor.name) as conn:
        new = receive_workflow.observe(conn, head, places, view, receive_store.day_of(conn, head))
    return JSONResponse({"track_id": str(head), "observations": len(places), "new": new}, 201 if new else 200)


def _kept(photo: bytes, store_dir: Path) -> str:
    """A photo kept under its hash; ``InputError`` for what is no JPEG or PNG."""
    ending = next((e for mark, e in PICTURES.items() if photo.startswith(mark)), None)
    if ending is None:
        raise InputError("The photo is no JPEG or PNG: send it in one of these formats.")
    sha256 = hashlib.sha256(photo).hexdigest()
    with tempfile.NamedTemporaryFile(suffix=ending) as part:
        part.write(photo)
        part.flush()
        sources.keep(Path(part.name), store_dir / "photos" / f"{sha256}{ending}", sha256=sha256)
    return sha256


@router.get("/tracks/{track_id}/photos/{sha256}", response_class=FileResponse)
def photo(request: Request, actor: SignedIn, track_id: uuid.UUID, sha256: str) -> FileResponse:
    """A photo of an observation of a track; seeing it is recorded like seeing the track."""
    head = seen(request, actor, track_id, "photo")
    with database(request).read() as conn:
        known = receive_store.has_photo(conn, head, sha256)
    folder: Path = request.app.state.settings.store_dir / "photos"
    file = next((f for e in PICTURES.values() if known and (f := folder / f"{sha256}{e}").is_file()), None)
    if file is None:
        raise NotFound("There is no such photo of this track.")
    return FileResponse(file)


def _rows(body: bytes, as_csv: bool) -> list[Any]:
    """Observations as sent; ``InputError`` where they are no rows."""
    try:
        text = body.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text))) if as_csv else json.loads(text)
        if not isinstance(rows, list) or not rows:
            raise ValueError("it holds no observations")
    except (ValueError, csv.Error) as error:
        raise InputError(f"The observations cannot be read ({' '.join(str(error).split())[:100]}).") from error
    return rows


def _places(rows: list[Any], datum: str) -> pd.DataFrame:
    """Observations in WGS 84; ``InputError`` names the row that cannot be used."""
    out = [_place(n, row) for n, row in enumerate(rows, 1)]
    frame = pd.DataFrame(out, columns=["at", "kind", "text", "lon", "lat"])
    lon, lat = crs.to_wgs84(frame["lon"].to_numpy(float), frame["lat"].to_numpy(float), datum)
    return frame.assign(lon=lon, lat=lat, at=pd.to_datetime(frame["at"], utc=True))


def _place(number: int, row: Any) -> tuple[Any, ...]:
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise ValueError("it is not on the earth")
        text, kind = (str(row[k])[:2000] if row.get(k) else None for k in ("text", "kind"))
        return track_index.instant(row.get("at") or None, "at"), kind, text, lon, lat
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"Observation {number} cannot be used ({type(error).__name__}: {error}).") from error
