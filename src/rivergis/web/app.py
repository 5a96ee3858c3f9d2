"""The service put together: routes, errors as sentences, headers, health and the API documentation."""

from __future__ import annotations

import logging
import re
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rivergis import __version__, words
from rivergis import settings as settings_
from rivergis.db.access import Actor
from rivergis.db.connect import Database, open_database
from rivergis.db.quick import QuickPool
from rivergis.db.watch import Watch
from rivergis.errors import EnvironmentFault, NotFound, NotSignedIn, RivergisError, TooMany, UsageError
from rivergis.maps import assets, lists
from rivergis.settings import Settings
from rivergis.web import (
    account,
    audit,
    auth,
    basemap,
    boundary_desk,
    boundary_pages,
    case_api,
    case_pages,
    desk,
    desk_pages,
    evidence,
    imagery,
    lane,
    ledger_papers,
    map_live,
    morning,
    page,
    pages,
    patrol,
    patrol_entry,
    patrol_observations,
    patrol_upload,
    policy,
    qgis,
    river,
    scope,
    tiles,
)
from rivergis.web.legacy import key_in_path
from rivergis.web.legacy import maps as legacy_maps
from rivergis.web.legacy import pictures as legacy_tiles
from rivergis.web.legacy import services as legacy
from rivergis.web.limits import Limits
from rivergis.web.ogc import api as ogc
from rivergis.web.ogc import items as ogc_items
from rivergis.web.ogc import write as ogc_write
from rivergis.web.seen import Noting, Seen

log = logging.getLogger("rivergis.web")
router = APIRouter()
MAX_BODY = 64 * 1024  # nothing but forms is sent to these pages
HEADERS = {
    "content-security-policy": page.POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
    "cache-control": "no-store",
}

# other sites read with a key of their own, never with the cookie of somebody who is signed in here
CORS: dict[str, Any] = {
    "allow_credentials": False,
    "allow_methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "Content-Crs", "Accept-Crs", "If-Match", "If-None-Match"],
    "expose_headers": ["ETag", "Link", "Location", "Content-Crs", "Retry-After", "OGC-NumberReturned"],
    "max_age": 600,
}


def create_app(db: Database, settings: Settings) -> FastAPI:
    """The service over an open database; opens no connection before it is asked for something."""
    app = FastAPI(
        title="rivergis",
        version=__version__,
        description=words.both("product.about") + " · " + words.both("page.disclaimer"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=MAX_BODY,
        lifespan=_until_stopped,
    )
    app.state.db, app.state.settings = db, settings
    app.state.policy = policy.load(settings.rules_dir)
    app.state.limits, app.state.seen = Limits(app.state.policy.rates), Seen(db)
    app.state.basemaps = basemap.of(settings)
    app.state.pool, app.state.watch = QuickPool(db, lane.WORKERS), Watch(db)
    app.state.maps = legacy_maps.Maps(db, settings.data_dir)
    app.state.pictures = legacy_tiles.Pictures(settings.tile_cache_mb << 20, app.state.watch)
    for part in (
        router,
        auth.router,
        pages.router,
        morning.router,
        evidence.router,
        case_api.router,
        desk.router,
        ledger_papers.router,
        desk_pages.router,
        case_pages.router,
        river.router,
        account.router,
        audit.router,
        patrol.router,
        patrol_upload.router,
        patrol_observations.router,
        patrol_entry.router,
        boundary_desk.router,
        boundary_pages.router,
        ogc.router,
        ogc_write.router,
        tiles.router,
        map_live.router,
        basemap.router,
        imagery.router,
        legacy.router,
        legacy_tiles.router,
        qgis.router,
    ):
        app.include_router(part, dependencies=[Depends(auth.check_origin), Depends(scope.keep)])
    for url, folder in assets.mounts(page.ASSETS):
        app.mount(url, StaticFiles(directory=folder))
    app.add_exception_handler(RivergisError, _refused)
    app.add_exception_handler(HTTPException, _no_page)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Exception, _own_fault)
    app.add_middleware(Noting, seen=app.state.seen)
    app.add_middleware(Headers)
    app.state.ogc_items = ogc_items.Items(app.state.watch, db)
    remembered = tiles.Tiles(app.state.watch, settings.tile_cache_mb << 20)
    app.add_middleware(
        lane.Lane,
        pool=app.state.pool,
        watch=app.state.watch,
        ways=[*remembered.ways(), *app.state.ogc_items.ways()],
        headers=HEADERS,
        refuse=_said,
    )
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **CORS)
    app.add_middleware(key_in_path.KeyInPath)
    return app


@asynccontextmanager
async def _until_stopped(app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the requests ends with the service; what was seen is written down first."""
    yield
    state = app.state
    await run_in_threadpool(state.seen.stop)
    state.watch.stop()
    state.pool.close()
    state.maps.close()


async def _said(request: Request, error: Exception) -> Response:
    """An error of the fast lane, as the service behind it says it."""
    return await (_refused if isinstance(error, RivergisError) else _own_fault)(request, error)


def served() -> FastAPI:
    """The service over the database of the environment: what ``uvicorn --factory rivergis.web.app:served`` runs."""
    settings = settings_.load()
    return create_app(open_database(settings.database_url, settings.data_dir, settings.database), settings)


class Headers:
    """Adds the security headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # a front-end file named with its hash never changes
        fixed = scope["path"].startswith(page.ASSETS) and b"v=" in scope["query_string"]
        wanted = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"} if fixed else HEADERS
        if scope["path"].endswith(assets.TILES_WORKER):
            wanted = {**wanted, "content-security-policy": page.WORKER_POLICY}
        if scope["scheme"] == "https":
            wanted = {**wanted, "strict-transport-security": "max-age=31536000"}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((k.encode(), v.encode()) for k, v in wanted.items() if k.encode() not in present),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)


@router.get("/health", tags=["service"])
def health(request: Request) -> dict[str, Any]:
    """Whether the service can work: version, database, last night. 503 with one sentence when the database is gone."""
    with auth.database(request).read(timeout_s=5) as conn:
        run = lists.last_run(conn)
    last = {k: run[k] for k in ("run_date", "state", "finished_at")} if run else None
    return {"status": "ok", "version": __version__, "database": "ok", "last_night": last}


@router.get("/assets/style.css", include_in_schema=False)
def style() -> Response:
    """The one style sheet of pages and reports."""
    return Response(page.stylesheet()[0], media_type="text/css")


@router.get("/favicon.ico", include_in_schema=False)
def icon() -> FileResponse:
    """Browsers ask for it by this name whatever the page says."""
    return FileResponse(assets.path(assets.ICON), media_type="image/svg+xml")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: Annotated[Actor, Depends(auth.require())]) -> dict[str, Any]:
    """The API in OpenAPI 3."""
    description: dict[str, Any] = request.app.openapi()
    return description


@router.get("/docs", include_in_schema=False)
def docs(request: Request, _: Annotated[Actor, Depends(auth.require())]) -> HTMLResponse:
    """The API to read and try, by the Swagger UI that lies here."""
    js, sheet = (assets.url(name, page.ASSETS) for name in (assets.SWAGGER_JS, assets.SWAGGER_CSS))
    # it asks our own API
    return page.scripted(page.text(request, "docs.html", js=js, sheet=sheet), "connect-src 'self'")


def _inside_untold(request: Request, error: RivergisError) -> None:
    """Where files lie on this machine is nobody's business outside: an error names them as its store does."""
    folders = re.compile(
        "|".join(re.escape(f"{f}/") for f in (request.app.state.settings.data_dir, tempfile.gettempdir()))
    )
    error.sentence = folders.sub("", error.sentence)
    error.details = {k: folders.sub("", v) if isinstance(v, str) else v for k, v in error.details.items()}


def _answer(request: Request, error: RivergisError, status: int | None = None) -> Response:
    """An error for whoever asks: a page for a browser, the same facts as JSON for a program."""
    status = status or error.http_status
    if page.wants_page(request):
        answer = page.render(request, "error.html", status, error=error)
        answer.headers.update(_also(request, error, status))
        return answer
    return JSONResponse(error.as_dict(), status, _also(request, error, status))


def _also(request: Request, error: RivergisError, status: int) -> dict[str, str]:
    """Headers that belong to a refusal."""
    headers = {"WWW-Authenticate": auth.challenge(request.headers)} if status == 401 else {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.details["retry_after_s"])
    return headers


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RivergisError)
    if isinstance(error, NotSignedIn) and request.method == "GET" and page.wants_page(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", 303)
    if isinstance(error, EnvironmentFault):
        # its own sentence is for who runs the service: it may name paths
        log.error("%s", error.sentence)
        return _answer(request, EnvironmentFault(words.both("sentence.db_gone")))
    _inside_untold(request, error)
    return _answer(request, error)


async def _no_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal: RivergisError = NotFound(words.both("sentence.no_page"))
    if error.status_code != 404:
        refusal = UsageError(str(error.detail))
    return _answer(request, refusal, error.status_code)


async def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(p) for p in first["loc"][1:]) or str(first["loc"][0])
    return _answer(request, UsageError(f"{where}: {first['msg']}."))


async def _own_fault(request: Request, error: Exception) -> Response:
    reference = uuid.uuid4().hex[:8]
    log.error("fault %s at %s", reference, request.url.path, exc_info=error)
    answer = _answer(request, RivergisError(f"{words.both('sentence.own_fault')} ({reference})"))
    answer.headers.update(HEADERS)  # this one is sent from outside of all middleware
    return answer
