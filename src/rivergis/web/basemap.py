"""Base maps over HTTP (底图): which there are, and their tiles, from own files or fetched for the browser by our server."""

from __future__ import annotations

import threading
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import InputError, NotFound, NotSignedIn
from rivergis.maps import basemaps, webstyle
from rivergis.maps.basemaps import Base
from rivergis.settings import Settings
from rivergis.web import auth
from rivergis.web.basemap_source import Kept, Source

router = APIRouter(tags=["maps"])
AGE_S = 86_400
_MVT = "application/vnd.mapbox-vector-tile"


class BaseMaps:
    """The base maps of a service: their list, their files, and the one that fetches from elsewhere."""

    def __init__(self, bases: tuple[Base, ...], source: Source) -> None:
        self.bases, self.source = {base.id: base for base in bases}, source
        self._archives: dict[str, Archive] = {}
        self._lock = threading.Lock()

    def one(self, name: str, actor: Actor) -> Base:
        """The base map of that id, if whoever asks may see it."""
        base = self.bases.get(name)
        if base is None or (actor.public and not base.public):
            raise NotFound(f"There is no base map {name[:40]!r}.")
        return base

    def archive(self, base: Base) -> Archive:
        assert base.file is not None
        with self._lock:
            if base.id not in self._archives:
                self._archives[base.id] = Archive(base.file)
            return self._archives[base.id]

    def told(self, actor: Actor) -> list[dict[str, Any]]:
        """What the page needs of each, nothing of where it comes from."""
        return [self._told(base) for base in self.bases.values() if base.public or not actor.public]

    def _told(self, base: Base) -> dict[str, Any]:
        told = {
            "id": base.id, "zh": base.zh, "en": base.en, "kind": "raster", "url": f"/basemap/{base.id}/{{z}}/{{x}}/{{y}}",
            "minzoom": base.zooms[0], "maxzoom": base.zooms[1], "review": base.review, "credit": base.credit,
            "shown": base.shown, "over": base.over,
        }  # fmt: skip
        if base.kind == "imagery":
            return told | {"url": f"/imagery/{base.scene}/{{z}}/{{x}}/{{y}}.png"}
        if base.kind == "pmtiles":
            archive = self.archive(base)
            told |= {"minzoom": archive.zooms[0], "maxzoom": archive.zooms[1]}
            if archive.media_type == _MVT:
                told |= {"kind": "vector", "layers": basemaps.ground(archive.layers, webstyle.FONTS)}
        return told


class Archive:
    """An own PMTiles file: tiles by address, what they are, and the names of their layers. ``InputError`` for another file."""

    def __init__(self, path: FilePath) -> None:
        from pmtiles.reader import MmapSource, Reader
        from pmtiles.tile import Compression, TileType

        kinds = {
            TileType.MVT: _MVT,
            TileType.PNG: "image/png",
            TileType.JPEG: "image/jpeg",
            TileType.WEBP: "image/webp",
        }
        try:
            self._reader = Reader(MmapSource(path.open("rb")))  # open as long as the service runs
            header, metadata = self._reader.header(), self._reader.metadata()
        except Exception as error:  # the library raises what the bytes happen to cause
            raise InputError(
                f"{path.name} is no PMTiles file that can be read; make it again.", file=path.name
            ) from error
        if header["tile_type"] not in kinds:
            raise InputError(f"{path.name} holds tiles of a kind that browsers do not draw.", file=path.name)
        self.media_type = kinds[header["tile_type"]]
        self.packed = header["tile_compression"] == Compression.GZIP
        self.zooms = (int(header["min_zoom"]), int(header["max_zoom"]))
        self.layers = [str(layer["id"]) for layer in metadata.get("vector_layers", []) if layer.get("id")]

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        body: bytes | None = self._reader.get(z, x, y)
        return body


def of(settings: Settings) -> BaseMaps:
    """The base maps that a deployment configured; ``RuleError`` with one sentence for a file that cannot be used."""
    kept = Kept(settings.data_dir / "basemap.sqlite")
    return BaseMaps(basemaps.load(settings.basemaps), Source(kept))


def _asking(request: Request) -> Actor:
    actor = auth.asking(request)
    if actor is None:
        raise NotSignedIn(words.both("sentence.sign_in_first"))
    request.app.state.limits.check(actor.name, "public" if actor.public else "tile")
    return actor


def _maps(request: Request) -> BaseMaps:
    found: BaseMaps = request.app.state.basemaps
    return found


@router.get("/basemap.json")
def listed(request: Request) -> dict[str, Any]:
    """The base maps that one may lay under a map, each with its 审图号; none unless somebody configured them."""
    return {"bases": _maps(request).told(_asking(request))}


@router.get("/basemap/{base}/{z}/{x}/{y}", response_class=Response)
def tile(
    request: Request,
    base: Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")],
    z: Annotated[int, Path(ge=0, le=22)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
) -> Response:
    """One tile of a base map: a picture, or a vector tile of an own file."""
    found = _maps(request).one(base, _asking(request))
    if not found.zooms[0] <= z <= found.zooms[1] or x >= 1 << z or y >= 1 << z or found.kind == "imagery":
        raise NotFound(f"The base map {base} has no tile {z}/{x}/{y}.")
    headers = {"cache-control": f"private, max-age={AGE_S}", "vary": "Cookie, Authorization"}
    if found.kind == "pmtiles":
        return _of_file(_maps(request).archive(found), (z, x, y), headers)
    body, kind = _maps(request).source.tile(found, z, x, y)
    return Response(body, media_type=kind, headers=headers)


def _of_file(archive: Archive, at: tuple[int, int, int], headers: dict[str, str]) -> Response:
    body = archive.tile(*at)
    if body is None:
        return Response(status_code=204, headers=headers)
    packed = {"content-encoding": "gzip"} if archive.packed else {}
    return Response(body, media_type=archive.media_type, headers={**headers, **packed})
