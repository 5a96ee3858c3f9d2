"""Pictures as tiles: ``/tiles/{layers}/{z}/{x}/{y}.png`` for browsers without WebGL, and WMTS 1.0 for old clients.

Drawn by MapServer from the palette of everything else, remembered like vector tiles until one of their collections changes.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import NotFound, UsageError
from rivergis.maps import collections
from rivergis.maps.imagery import scenes as imagery
from rivergis.maps.legacy import boxes as map_boxes
from rivergis.maps.legacy import mapfile, wmts
from rivergis.maps.legacy.wmts import DEGREES, MERCATOR, Place, TileLayer
from rivergis.web import imagery as imagery_web
from rivergis.web import tiles
from rivergis.web.auth import address_of, database, require, visitor
from rivergis.web.legacy.maps import Maps, seen_by
from rivergis.web.legacy.services import Passed, cgi

router = APIRouter(tags=["old services"])
View = Annotated[Actor, Depends(require("view"))]
Anybody = Annotated[Actor, Depends(visitor)]
SHANGHAI = ZoneInfo("Asia/Shanghai")
PNG = "image/png"
MOST_ZOOM = 20
MOST_SCENES = 200
# nothing to be seen, for protocols that want a picture in any case
EMPTY = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEAAQMAAABmvDolAAAAA1BMVEUAAACnej3aAAAAAXRSTlMAQObYZgAAAB9JREFUaN7twQENAAAAwqD3T20ON6AAAAAAAAAAAL4NIQAAAfFnIe4AAAAASUVORK5CYII="
)


class Pictures:
    """Tiles as pictures that are remembered; as many bytes as vector tiles may have."""

    def __init__(self, most_bytes: int, watch: Any) -> None:
        self.watch = watch
        self._kept: LRUCache[tuple[Any, ...], tuple[tuple[int, ...], bytes, str]] = LRUCache(
            max(most_bytes, 1), getsizeof=lambda t: 300 + len(t[1])
        )

    def get(self, key: tuple[Any, ...], state: tuple[int, ...]) -> tuple[bytes, str] | None:
        found = self._kept.get(key) if self.watch.alive else None
        return found[1:] if found is not None and found[0] == state else None

    def keep(self, key: tuple[Any, ...], state: tuple[int, ...], body: bytes) -> str:
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        if self.watch.alive and len(body) + 300 <= self._kept.maxsize:
            self._kept[key] = (state, body, tag)
        return tag


@router.get(
    "/tiles/{layers}/{z}/{x}/{y}.png",
    response_class=Response,
    responses={200: {"content": {PNG: {}}}, 304: {"description": "As it was"}},
)
def png(request: Request, actor: Anybody, layers: str, z: int, x: int, y: int, day: date | None = None) -> Response:
    """One tile (WebMercatorQuad) of one collection or several (commas between them) as picture, as they are in force on a day."""
    place = wmts.place(MERCATOR, z, x, y) if z <= MOST_ZOOM else None
    if place is None:
        raise NotFound(f"There is no tile {z}/{x}/{y}: zooms are 0 to {MOST_ZOOM}, x and y below 2 to the power of z.")
    return _picture(request, actor, layers, place, day)


def _picture(request: Request, actor: Actor, layers: str, place: Place, day: date | None) -> Response:
    names = tuple(dict.fromkeys(layers.split(",")))
    if len(names) > tiles.MOST_LAYERS:
        raise UsageError(f"A tile holds 1 to {tiles.MOST_LAYERS} collections.")
    for name in names:
        tiles.seen(name, actor)
    if not actor.public:
        request.app.state.limits.check(actor.name, "tile")
    for name in names:
        request.app.state.seen.note(actor, name, 1, address=address_of(request))
    on = (day or datetime.now(SHANGHAI).date()).isoformat()
    pictures: Pictures = request.app.state.pictures
    key, state = (names, place, on, actor.area, actor.public), pictures.watch.state(*names)
    known = pictures.get(key, state)
    if known is not None:
        return _answer(request, *known)
    maps: Maps = request.app.state.maps
    params = cgi(request, "/wms", _get_map(names, place, on), str(maps.drawn(names, actor.area, on, actor.public)))

    def finish(headers: dict[str, str], body: bytes) -> Response:
        return _answer(request, body, pictures.keep(key, state, body))

    return Passed(maps, params, actor.area, finish)


def _get_map(names: tuple[str, ...], place: Place, day: str) -> dict[str, str]:
    mercator = place.system == "EPSG:3857"
    zoom = place.z if mercator else place.z + 1
    size = (place.box[2] - place.box[0]) / 256 * (1 if mercator else 111_319.49)
    return {
        "service": "WMS",
        "version": "1.1.1",
        "request": "GetMap",
        "layers": ",".join(mapfile.drawn_layers(names, zoom)),
        "styles": "",
        "srs": place.system,
        "bbox": ",".join(map(repr, place.box)),
        "width": "256",
        "height": "256",
        "format": PNG,
        "transparent": "true",
        "day": day,
        **mapfile.how(zoom, size),
    }


def _answer(request: Request, body: bytes, tag: str) -> Response:
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if tag in [t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=PNG, headers=headers)


@router.get("/wmts", response_class=Response, responses={200: {"content": {PNG: {}, "text/xml": {}}}})
def kvp(request: Request, actor: View) -> Response:
    """WMTS 1.0.0 with parameters: GetCapabilities and GetTile, sets GoogleMapsCompatible (3857) and c (4490, as 天地图)."""
    asked = {k.lower(): v for k, v in reversed(request.query_params.multi_items())}
    verb = asked.get("request", "").lower()
    if verb == "getcapabilities":
        return _capabilities(request, actor)
    if verb != "gettile":
        raise UsageError(words.both("legacy.no_service"))
    try:
        level, row, column = (int(asked[k].rpartition(":")[2]) for k in ("tilematrix", "tilerow", "tilecol"))
        layer, tile_set = asked["layer"], asked["tilematrixset"]
    except (KeyError, ValueError) as error:
        raise UsageError(
            "GetTile wants LAYER, TILEMATRIXSET, TILEMATRIX, TILEROW and TILECOL, the last three as numbers."
        ) from error
    return _tile(request, actor, layer, tile_set, level, row, column, asked.get("time") or asked.get("day"))


@router.get("/wmts/1.0.0/WMTSCapabilities.xml", response_class=Response, include_in_schema=False)
def document(request: Request, actor: View) -> Response:
    """The capabilities by their address."""
    return _capabilities(request, actor)


@router.get("/wmts/1.0.0/{layer}/default/{tile_set}/{level}/{row}/{column}.png", response_class=Response)
def restful(request: Request, actor: View, layer: str, tile_set: str, level: int, row: int, column: int) -> Response:
    """A tile of WMTS by its address."""
    return _tile(request, actor, layer, tile_set, level, row, column, None)


def _tile(
    request: Request, actor: Actor, layer: str, tile_set: str, level: int, row: int, column: int, day: str | None
) -> Response:
    place = wmts.place(tile_set, level, column, row)
    if place is None:
        raise NotFound(
            f"There is no tile {level}/{row}/{column} in the set {tile_set[:40]!r}; the sets are {MERCATOR} and {DEGREES}."
        )
    if layer.startswith("imagery-"):
        return _scene(request, actor, layer.removeprefix("imagery-"), place)
    try:
        return _picture(request, actor, layer, place, date.fromisoformat(day[:10]) if day else None)
    except ValueError as error:
        raise UsageError(f"TIME: {str(day)[:40]!r} is no civil day: write YYYY-MM-DD.") from error


def _scene(request: Request, actor: Actor, scene: str, place: Place) -> Response:
    try:
        known = uuid.UUID(scene)
    except ValueError as error:
        raise NotFound("There is no such scene.") from error
    grid = place.system.removeprefix("EPSG:")
    tiles.seen("imagery", actor)
    drawn = imagery_web.picture(request, actor, known, place.z, place.x, place.y, kind="png", grid=grid, look={})
    return drawn or Response(EMPTY, media_type=PNG, headers={"Cache-Control": "private, max-age=86400"})


def _capabilities(request: Request, actor: Actor) -> Response:
    seen = seen_by(actor)
    with database(request).read() as conn:
        boxes = map_boxes.degrees(map_boxes.boxes(conn, seen, actor.area))
        scenes = imagery.scenes(conn)[:MOST_SCENES] if "imagery" in seen else []
    layers = [TileLayer(n, collections.collection(n).label, boxes.get(n, (73.0, 3.0, 136.0, 54.0))) for n in seen]
    layers += [TileLayer(f"imagery-{s.id}", f"{collections.collection('imagery').zh} {s.title}", s.box) for s in scenes]
    text = wmts.capabilities(f"{str(request.base_url).rstrip('/')}/wmts", words.both("product.name"), layers)
    return Response(text, media_type="text/xml", headers={"Cache-Control": "private, no-cache"})
