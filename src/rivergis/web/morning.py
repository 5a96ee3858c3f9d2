"""The morning in the service (晨报): the page, the workbook and the figures of a night."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from rivergis.db.access import Actor
from rivergis.maps import lists
from rivergis.reports import book, morning, morning_map, morning_reading, morning_sheet
from rivergis.settings import Settings
from rivergis.web.auth import database, require, saw_patrols
from rivergis.web.patrol_upload import book_of

router = APIRouter()
View = Annotated[Actor, Depends(require("view"))]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/reports/night/{night}.xlsx", tags=["reports"])
def night_workbook(request: Request, _: View, night: date) -> Response:
    """晨报工作簿: the figures of a night, by township, and every row behind them."""
    settings: Settings = request.app.state.settings
    with database(request).read() as conn:
        made = morning.make(conn, book_of(request), night, settings.store_dir)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "morning.xlsx"
        morning_sheet.write(made.morning, file, made.png)
        content = file.read_bytes()
    named = {"Content-Disposition": f'attachment; filename="night-{night}.xlsx"'}
    return Response(content, media_type=XLSX, headers=named)


@router.get("/reports/night/{night}.json", tags=["reports"])
def night_figures(request: Request, _: View, night: date) -> dict[str, Any]:
    """The figures of a morning: tonight, the night before, the mean of the nights before, and the rows behind them."""
    with database(request).read() as conn:
        facts = morning_reading.read(conn, book_of(request), night).morning
    return facts.as_dict()


@router.get("/reports/night/{night}", response_class=HTMLResponse, tags=["reports"])
def night_report(request: Request, actor: View, night: date) -> HTMLResponse:
    """晨报: the morning page of a night; patrols of named people only for who may see tracks."""
    with database(request).read() as conn:
        told = book.night(conn, night, None)
        read = morning_reading.read(conn, book_of(request), night)
        picture = morning_map.picture(conn, read)
        last = lists.nights(conn, 1)[0]["run_date"]
    tracks = "view_tracks" in actor.capabilities
    if tracks:
        saw_patrols(request, actor, f"night {night}")
    page = morning.render(
        told,
        read,
        picture.svg(),
        standalone=False,
        tracks=tracks,
        review="review_patrols" in actor.capabilities,
        now=datetime.now(UTC),
        newer=last if last > night else None,
    )
    return HTMLResponse(page)
