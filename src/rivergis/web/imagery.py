"""Imagery and terrain (影像、地形): the list of scenes, their tiles in any look, and two of them side by side."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import NotFound, TooMany, UsageError
from rivergis.jobs import scenes
from rivergis.maps import assets
from rivergis.maps.imagery import look as imagery_look
from rivergis.maps.imagery import scenes as imagery
from rivergis.maps.imagery import tiles as imagery_tiles
from rivergis.maps.imagery.scenes import Scene
from rivergis.web import page
from rivergis.web.auth import address_of, database, require

router = APIRouter(tags=["imagery"])
AT_ONCE, WAIT_S = 4, 20.0
"""Tiles drawn at once in one process, and how long the next one waits for its turn."""
_turns = threading.BoundedSemaphore(AT_ONCE)
MAP_JS = ("leaflet/leaflet.js", "page/imagery.js")
MAP_CSS = ("leaflet/leaflet.css", "page/imagery.css")

View = Annotated[Actor, Depends(require("view"))]


@router.get("/imagery", response_model=None)
def listed(request: Request, actor: View) -> HTMLResponse | dict[str, Any]:
    """The scenes that one may see, newest first: a page for a browser, JSON for a program."""
    with database(request).read() as conn:
        found = imagery.scenes(conn)
    request.app.state.seen.note(actor, "imagery", len(found), address=address_of(request))
    if page.wants_page(request):
        return page.render(request, "imagery.html", scenes=found)
    return {"scenes": [s.as_dict(_base(request)) for s in found], "looks": _looks()}


@router.get("/imagery/compare", response_class=HTMLResponse, include_in_schema=False)
def compare(request: Request, _: View, before: uuid.UUID, after: uuid.UUID) -> HTMLResponse:
    """前后对比: two scenes with a slider between them."""
    with database(request).read() as conn:
        pair = [imagery.scene(conn, i) for i in (before, after)]
    return _map(request, pair)


@router.get("/imagery/compare.json")
def compare_json(request: Request, _: View, before: uuid.UUID, after: uuid.UUID) -> dict[str, Any]:
    """What a page with a slider needs of two scenes: both TileJSONs and the box that both show."""
    with database(request).read() as conn:
        pair = [imagery.scene(conn, i) for i in (before, after)]
    return _swipe(request, pair, imagery_query(request, {"before", "after"}))


@router.get("/imagery/{scene}.json")
def tilejson(request: Request, _: View, scene: uuid.UUID) -> dict[str, Any]:
    """How a map loads a scene (TileJSON 3.0); the look that is asked for here goes on to the tiles."""
    query = imagery_query(request)
    with database(request).read() as conn:
        return imagery.tilejson(imagery.scene(conn, scene), _base(request), query)


@router.get("/imagery/{scene}", response_model=None)
def one(request: Request, _: View, scene: uuid.UUID) -> HTMLResponse | dict[str, Any]:
    """One scene: on a map with its looks for a browser; its facts and footprint (EPSG:4490) for a program."""
    with database(request).read() as conn:
        shown = imagery.scene(conn, scene)
    if page.wants_page(request):
        return _map(request, [shown])
    facts = imagery.about(scenes.ready(request.app.state.settings.store_dir, shown))
    return {**shown.as_dict(_base(request)), **facts, "footprint": shown.footprint, "looks": _looks()}


@router.get(
    "/imagery/{scene}/{z}/{x}/{y}.{kind}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/webp": {}}}, 204: {"description": "The scene lies elsewhere"}},
    openapi_extra={
        "parameters": [{"name": n, "in": "query", "schema": {"type": "string"}} for n in imagery_look.ASKED]
    },
)
def tile(
    request: Request, actor: View, scene: uuid.UUID, z: int, x: int, y: int, kind: Literal["png", "webp"]
) -> Response:
    """One tile (WebMercatorQuad) in the look that is asked for; 204 where the scene does not lie in it."""
    answer = picture(request, actor, scene, z, x, y, kind=kind)
    return Response(status_code=204, headers=_private("")) if answer is None else answer


def picture(
    request: Request,
    actor: Actor,
    scene: uuid.UUID,
    z: int,
    x: int,
    y: int,
    *,
    kind: str,
    grid: str = "3857",
    look: Mapping[str, str] | None = None,
) -> Response | None:
    """A tile of a scene as an answer with its ETag (or 304); None where the scene does not lie in it."""
    request.app.state.limits.check(actor.name, "imagery")
    _on_the_map(z, x, y, grid)
    wanted = imagery_look.read(dict(_look_asked(request)) if look is None else look)
    with request.app.state.pool.use(actor.area) as quick:
        shown = imagery.quickly(quick, scene)
    request.app.state.seen.note(actor, f"imagery:{shown.id}", 1, address=address_of(request))
    tag = f'"{imagery.mark(shown, wanted, kind)}-{grid}-{z}-{x}-{y}"'
    if tag in [t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=_private(tag))
    with _turn():
        cog = scenes.ready(request.app.state.settings.store_dir, shown)
        drawn = imagery_tiles.tile(cog, wanted, z, x, y, kind=kind, grid=grid)
    return None if drawn is None else Response(drawn, media_type=imagery_tiles.FORMATS[kind], headers=_private(tag))


def _private(tag: str) -> dict[str, str]:
    """Kept by the browser of this person for a day: a scene never changes under its address and mark."""
    return {"Cache-Control": "private, max-age=86400", "Vary": "Authorization, Cookie"} | ({"ETag": tag} if tag else {})


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_S):
        raise TooMany(words.both("imagery.busy"), retry_after_s=5)
    try:
        yield
    finally:
        _turns.release()


def _on_the_map(z: int, x: int, y: int, grid: str) -> None:
    wide = 2 if grid == "4490" else 1
    if not (0 <= z <= imagery_tiles.MAX_ZOOM and 0 <= x < wide << z and 0 <= y < 1 << z):
        raise NotFound(
            f"There is no tile {z}/{x}/{y}: zooms are 0 to {imagery_tiles.MAX_ZOOM}, x and y below 2 to the power of z."
        )


def _look_asked(request: Request, besides: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    asked = [(k, v) for k, v in request.query_params.multi_items() if k.lower() not in besides]
    if unknown := [k for k, _ in asked if k not in imagery_look.ASKED]:
        raise UsageError(
            f"{unknown[0][:40]!r} is nothing a scene can be asked for; there are {', '.join(imagery_look.ASKED)}."
        )
    return asked


def imagery_query(request: Request, besides: set[str] | None = None) -> str:
    """The look that an address asks for, understood and written as a query again."""
    asked = _look_asked(request, frozenset(besides or ()))
    imagery_look.read(dict(asked))
    return urlencode(asked)


def _looks() -> dict[str, Any]:
    """What a program may ask for, to be shown in a form."""
    return {
        "parameters": imagery_look.ASKED,
        "colormap": imagery_look.COLOURS,
        "look": imagery_look.RELIEFS,
        "expression": imagery_look.imagery_sum.INDICES,
    }


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _swipe(request: Request, pair: list[Scene], query: str) -> dict[str, Any]:
    west, south = (max(s.box[i] for s in pair) for i in (0, 1))
    east, north = (min(s.box[i] for s in pair) for i in (2, 3))
    both = [west, south, east, north] if west < east and south < north else None
    told = [imagery.tilejson(s, _base(request), query) for s in pair]
    return {"before": told[0], "after": told[-1], "both": both}


def _map(request: Request, shown: list[Scene]) -> HTMLResponse:
    """The page of one scene or two: it asks our own tiles for what its form says."""
    facts = [imagery.about(scenes.ready(request.app.state.settings.store_dir, s)) for s in shown]
    data = {
        "scenes": [
            {"id": str(s.id), "title": s.title, "box": s.box, "max_zoom": s.max_zoom, "bands": f["bands_of_file"]}
            for s, f in zip(shown, facts, strict=True)
        ]
    }
    values = {
        "js": [assets.url(n, page.ASSETS) for n in MAP_JS],
        "sheets": [assets.url(n, page.ASSETS) for n in MAP_CSS],
        "data": data,
        "shown": shown,
        "indices": imagery_look.imagery_sum.INDICES,
    }
    # it asks its own tiles, once more where one is refused
    return page.scripted(page.text(request, "imagery_map.html", **values), "connect-src 'self'")
