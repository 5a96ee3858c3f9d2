"""The documents of the OGC API: landing page, conformance, definition, collections, queryables, schemas, tilesets, styles.

Features themselves go by the fast lane (``ogc_items``), vector tiles too (``tiles``). As JSON and as pages to read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import NotFound
from rivergis.layers import Column
from rivergis.maps import assets, webstyle
from rivergis.maps.collections import COLLECTIONS, Collection
from rivergis.maps.ogc import ask as ogc_ask
from rivergis.maps.ogc import documents as ogc_documents
from rivergis.maps.ogc import openapi as ogc_openapi
from rivergis.maps.ogc.ask import HTML, JSON
from rivergis.maps.ogc.documents import GRID, OPENAPI, ROOT, SCHEMA
from rivergis.maps.ogc.places import Extent
from rivergis.web import page
from rivergis.web.auth import visitor
from rivergis.web.ogc import pages as ogc_pages
from rivergis.web.ogc.items import Items
from rivergis.web.tiles import seen

router = APIRouter(prefix=ROOT, tags=["OGC API"])
Who = Annotated[Actor, Depends(visitor)]
ALL = "all"
STYLE = "application/vnd.mapbox.style+json"


class _Json(JSONResponse):
    """JSON with a media type of its own."""

    def __init__(self, content: Any, media_type: str = "application/json") -> None:
        super().__init__(content, media_type=media_type, headers={"cache-control": "private, no-cache"})


def _form(request: Request) -> str:
    """JSON or a page; there is no other parameter than ``f``."""
    said = ogc_ask.single(request.query_params.multi_items(), ("f",))
    return ogc_ask.form_of(said.get("f"), request.headers.get("accept", ""))


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _columns(shown: Collection, actor: Actor) -> list[Column]:
    return [c for c in shown.columns if not actor.public or c.name in shown.public]


def _seen(actor: Actor) -> list[Collection]:
    """The collections somebody may see."""
    return [c for c in COLLECTIONS.values() if (c.public if actor.public else c.seen_by(actor.capabilities))]


def _extents(request: Request, actor: Actor, shown: Sequence[Collection]) -> list[Extent | None]:
    """Where collections lie."""
    items: Items = request.app.state.ogc_items
    with request.app.state.pool.use(actor.area) as quick:
        return [items.extent(quick, c, actor.area) for c in shown]


def _page(request: Request, actor: Actor, template: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(ogc_pages.document(actor, template, request.url.path, **values))


def _plain(request: Request, actor: Actor, key: str, told: Any, **values: Any) -> HTMLResponse:
    """A document that has no page of its own: as a list, a table of columns, or as it is."""
    shown = {"parts": [], "names": [], "rows": {}, **values}
    written = json.dumps(told, ensure_ascii=False, indent=1)
    return _page(request, actor, "ogc_plain.html", key=key, written=written, **shown)


def _above(shown: Collection) -> list[tuple[str, str]]:
    """The way to what belongs to a collection."""
    return [
        (words.say("ogc_page.collections"), f"{ROOT}/collections?f=html"),
        (shown.zh, f"{ROOT}/collections/{shown.id}?f=html"),
    ]


@router.get("")
@router.get("/", include_in_schema=False)
def landing(request: Request, actor: Who) -> Response:
    """The door of the OGC API: what is here and where."""
    form = _form(request)
    if form == HTML:
        return _page(request, actor, "ogc_landing.html", address=_base(request) + ROOT)
    return _Json(ogc_documents.landing(_base(request), form))


@router.get("/conformance")
def conformance(request: Request, actor: Who) -> Response:
    """Classes of requirements of the standards that are met here."""
    told = ogc_documents.conformance(bool(request.app.state.settings.writes))
    if _form(request) == HTML:
        return _plain(request, actor, "conformance", told, names=[(uri, None) for uri in told["conformsTo"]])
    return _Json(told)


@router.get("/api")
def api(request: Request, actor: Who) -> Response:
    """This API in OpenAPI 3.0, as far as whoever asks may use it."""
    if _form(request) == HTML:
        js, sheet = (assets.url(name, page.ASSETS) for name in (assets.SWAGGER_JS, assets.SWAGGER_CSS))
        html = ogc_pages.document(actor, "ogc_api.html", request.url.path, js=js, sheet=sheet)
        return page.scripted(html, "connect-src 'self'")
    shown = [(c, _columns(c, actor)) for c in _seen(actor)]
    return _Json(ogc_openapi.document(shown, _base(request), bool(request.app.state.settings.writes)), OPENAPI)


@router.get("/collections")
def collections(request: Request, actor: Who) -> Response:
    """All collections that whoever asks may see."""
    form, shown = _form(request), _seen(actor)
    if form == HTML:
        return _page(request, actor, "ogc_collections.html", shown=shown)
    told = list(zip(shown, _extents(request, actor, shown), strict=True))
    return _Json(ogc_documents.collections(told, _base(request), form))


@router.get("/collections/{collection}")
def collection(request: Request, collection: str, actor: Who) -> Response:
    """One collection: where it lies, in which systems it is given out, what belongs to it."""
    form, shown = _form(request), seen(collection, actor)
    extent = _extents(request, actor, [shown])[0]
    told = ogc_documents.collection(shown, _base(request), extent, form, top=True)
    if form == JSON:
        return _Json(told)
    files = ogc_ask.FILES if "export" in actor.capabilities else ()
    return _page(
        request,
        actor,
        "ogc_collection.html",
        shown=shown,
        told=told,
        extent=extent,
        files=files,
        columns=_columns(shown, actor),
    )


@router.get("/collections/{collection}/queryables")
def queryables(request: Request, collection: str, actor: Who) -> Response:
    """What a filter may name, as a JSON schema."""
    form, shown = _form(request), seen(collection, actor)
    told = ogc_documents.queryables(shown, _columns(shown, actor), _base(request))
    if form == HTML:
        return _plain(request, actor, "queryables", told, rows=told["properties"], parts=_above(shown))
    return _Json(told, SCHEMA)


@router.get("/collections/{collection}/schema")
def schema(request: Request, collection: str, actor: Who) -> Response:
    """What a feature holds, as a JSON schema; what cannot be sent is read only."""
    form, shown = _form(request), seen(collection, actor)
    writes = bool(request.app.state.settings.writes)
    told = ogc_documents.schema(shown, _columns(shown, actor), _base(request), writes)
    if form == HTML:
        return _plain(request, actor, "schema", told, rows=told["properties"], parts=_above(shown))
    return _Json(told, SCHEMA)


@router.get("/collections/{collection}/feature-schema")
def feature_schema(request: Request, collection: str, actor: Who) -> Response:
    """What a feature of a collection looks like as GeoJSON, as a JSON schema."""
    form, shown = _form(request), seen(collection, actor)
    told = ogc_documents.feature_schema(shown, _columns(shown, actor), _base(request))
    return _Json(told, SCHEMA) if form == JSON else _plain(request, actor, "schema", told, parts=_above(shown))


@router.get("/collections/{collection}/tiles")
def tilesets(request: Request, collection: str, actor: Who) -> Response:
    """The vector tilesets of a collection: one, in Web Mercator."""
    form, shown = _form(request), seen(collection, actor)
    told = ogc_documents.tilesets(shown, _columns(shown, actor), _base(request), form)
    if form == HTML:
        names = [(GRID, f"{ROOT}/collections/{shown.id}/tiles/{GRID}?f=html")]
        return _plain(request, actor, "tiles", told, names=names, parts=_above(shown))
    return _Json(told)


@router.get("/collections/{collection}/tiles/{grid}")
def tileset(request: Request, collection: str, grid: str, actor: Who) -> Response:
    """The vector tiles of a collection: what they hold, where they are, and their address."""
    form, shown = _form(request), seen(collection, actor)
    _known(grid)
    extent = _extents(request, actor, [shown])[0]
    told = ogc_documents.tileset(shown, _columns(shown, actor), _base(request), extent, whole=True)
    return _Json(told) if form == JSON else _plain(request, actor, "tiles", told, parts=_above(shown))


@router.get("/tileMatrixSets")
def grids(request: Request, actor: Who) -> Response:
    """The grids of tiles there are."""
    told = ogc_documents.grids(_base(request))
    if _form(request) == HTML:
        return _plain(request, actor, "grids", told, names=[(GRID, f"{ROOT}/tileMatrixSets/{GRID}?f=html")])
    return _Json(told)


@router.get("/tileMatrixSets/{grid}")
def grid(request: Request, grid: str, actor: Who) -> Response:
    """A grid of tiles, zoom by zoom."""
    _known(grid)
    told = ogc_documents.grid()
    return _Json(told) if _form(request) == JSON else _plain(request, actor, "grids", told)


def _known(grid: str) -> None:
    if grid != GRID:
        raise NotFound(f"There is no tile matrix set {grid[:60]!r}; there is {GRID}.")


@router.get("/styles")
def styles(request: Request, actor: Who) -> Response:
    """Styles for MapLibre, made from the one palette: one for all collections, one for each."""
    base = _base(request)
    named = [(ALL, words.both("ogc_page.collections")), *((c.id, c.label) for c in _seen(actor))]
    told = {
        "default": ALL,
        "styles": [
            {
                "id": name,
                "title": title,
                "links": [ogc_documents.link("stylesheet", f"{base}{ROOT}/styles/{name}", STYLE, title)],
            }
            for name, title in named
        ],
    }
    if _form(request) == HTML:
        return _plain(request, actor, "styles", told, names=[(t, f"{ROOT}/styles/{n}?f=json") for n, t in named])
    return _Json(told)


@router.get("/styles/{style}")
def style(request: Request, style: str, actor: Who) -> Response:
    """How collections are drawn, for MapLibre and whatever reads its styles."""
    _form(request)
    names = [c.id for c in _seen(actor)] if style == ALL else [seen(style, actor).id]
    return _Json(webstyle.style(names, _base(request) + "/tiles"), STYLE)
