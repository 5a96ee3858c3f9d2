"""The QGIS project of the service (``/qgis/project.qgs``): every collection that whoever asks may see, over the OGC API and vector tiles.

For people who have no login of the database. The address of the service stands in it, a password or key never does: QGIS asks for the
login once and keeps it under the name that the project gives.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from rivergis.db.access import Actor
from rivergis.maps import desktop, features
from rivergis.maps.atlas import bounds
from rivergis.web.auth import database, require

router = APIRouter(tags=["qgis"])
MEDIA_TYPE = "application/x-qgis-project"


@router.get("/qgis/project.qgs", response_class=Response)
def project(request: Request, actor: Annotated[Actor, Depends(require("view"))]) -> Response:
    """A QGIS project (3.22 or newer) with all layers over this service, styled and labelled in Chinese and English."""
    with database(request).read() as conn:
        units = features.layer(conn, "admin_unit", features.when(conn))
    box = bounds([units]) if len(units) else None
    address = str(request.base_url)
    text = desktop.web_project(address, actor.capabilities, box)
    headers = {"Content-Disposition": 'attachment; filename="rivergis.qgs"', "Cache-Control": "private, no-store"}
    return Response(text, media_type=MEDIA_TYPE, headers=headers)
