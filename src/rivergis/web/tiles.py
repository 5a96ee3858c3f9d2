"""Vector tiles (矢量瓦片): ``/tiles/{collections}/{z}/{x}/{y}.mvt``, what they hold (TileJSON), and the memory of tiles.

A tile is remembered for the accounts that see the same area, until the database says that one of its collections changed.
Browsers keep it for themselves only and ask each time whether it is still so (ETag, 304).
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from fastapi import APIRouter, Depends, Request

from rivergis import words
from rivergis.db.access import Actor
from rivergis.db.quick import Quick
from rivergis.db.watch import Watch
from rivergis.errors import NotFound, NotPermitted, UsageError
from rivergis.maps import collections, tiles
from rivergis.maps.collections import Collection
from rivergis.web.auth import require
from rivergis.web.lane import Answer, Ask, Way

router = APIRouter(tags=["tiles"])
SHANGHAI = ZoneInfo("Asia/Shanghai")
MVT = "application/vnd.mapbox-vector-tile"
MOST_LAYERS = 12
_ADDRESS = r"/tiles/(?P<layers>[a-z_,]{1,300})/(?P<z>\d{1,2})/(?P<x>\d{1,8})/(?P<y>\d{1,8})\.mvt"
_BY_STANDARD = (
    r"/ogc/collections/(?P<layers>[a-z_]{1,60})/tiles/WebMercatorQuad/(?P<z>\d{1,2})/(?P<y>\d{1,8})/(?P<x>\d{1,8})"
)
_WORTH_PACKING = 1_400  # bytes: less fits one packet of the network anyway


@dataclass(frozen=True)
class Tile:
    """A tile as it goes out."""

    body: bytes
    etag: str
    aggregated: bool
    state: tuple[int, ...]
    packed: bytes | None = None


class Memory:
    """Tiles by address, day and area; at most so many bytes, the ones not asked for longest go first."""

    def __init__(self, most_bytes: int, watch: Watch) -> None:
        self.watch, self.most_bytes = watch, most_bytes
        self._lock = threading.Lock()
        self._tiles: LRUCache[tuple[Any, ...], Tile] = LRUCache(
            max(most_bytes, 1), getsizeof=lambda t: 400 + len(t.body) + len(t.packed or b"")
        )

    def get(self, key: tuple[Any, ...], state: tuple[int, ...]) -> Tile | None:
        if not self.most_bytes or not self.watch.alive:
            return None
        with self._lock:
            tile = self._tiles.get(key)
        return tile if tile is not None and tile.state == state else None

    def keep(self, key: tuple[Any, ...], tile: Tile) -> None:
        if self.most_bytes and self.watch.alive:
            with self._lock:
                if 400 + len(tile.body) <= self.most_bytes:
                    self._tiles[key] = tile


class Tiles:
    """The two ends of the fast lane for tiles: what is remembered, and the query."""

    def __init__(self, watch: Watch, most_bytes: int) -> None:
        self.watch, self.memory = watch, Memory(most_bytes, watch)

    def ways(self) -> list[Way]:
        return [Way(re.compile(a), self.query, "tile", self.peek) for a in (_ADDRESS, _BY_STANDARD)]

    def peek(self, ask: Ask) -> Answer | None:
        """The tile from memory; None where it must be asked for. ``NotFound``, ``NotPermitted``, ``UsageError``."""
        names, z, x, y, day = _asked(ask)
        tile = self.memory.get((names, z, x, y, day, *_sight(ask.actor)), self.watch.state(*names))
        return None if tile is None else _answer(ask, names, tile)

    def query(self, ask: Ask, quick: Quick) -> Answer:
        names, z, x, y, day = _asked(ask)
        state = self.watch.state(*names)  # before the query: a change meanwhile makes the tile old at once
        body, aggregated = b"", False
        for name in names:
            part, coarse = tile_of(quick, name, z, x, y, day, ask.actor.area, ask.actor.public)
            body, aggregated = body + part, aggregated or coarse
        packed = gzip.compress(body, 1, mtime=0) if _packs(ask) and len(body) > _WORTH_PACKING else None
        tile = Tile(body, f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', aggregated, state, packed)
        self.memory.keep((names, z, x, y, day, *_sight(ask.actor)), tile)
        return _answer(ask, names, tile)


def tile_of(
    quick: Quick, name: str, z: int, x: int, y: int, day: date, area: str, public: bool = False
) -> tuple[bytes, bool]:
    """One layer of a tile, and whether it had to take coarser things than its zoom usually shows."""
    said = tiles.statement(name, z, bool(area), public)
    values = (z, x, y, day, area) if area else (z, x, y, day)
    body, coarse = quick.rows(said.name, said.sql, ", ".join(said.types), values)[0]
    return bytes(body or b""), bool(coarse)


def _sight(actor: Actor) -> tuple[str, bool]:
    """What of a tile depends on who asks, beyond which collections they may see."""
    return actor.area, actor.public


def _asked(ask: Ask) -> tuple[tuple[str, ...], int, int, int, date]:
    """Collections, tile and day of a request: known, seen by the actor, and on the map."""
    names = tuple(ask.args["layers"].split(","))
    if len(set(names)) != len(names) or len(names) > MOST_LAYERS:
        raise UsageError(f"A tile holds 1 to {MOST_LAYERS} collections, each once: {','.join(names)}.")
    for name in names:
        seen(name, ask.actor)
    z, x, y = (int(ask.args[k]) for k in ("z", "x", "y"))
    if z > tiles.MAXZOOM or x >= 1 << z or y >= 1 << z:
        raise NotFound(
            f"There is no tile {z}/{x}/{y}: zooms are 0 to {tiles.MAXZOOM}, x and y below 2 to the power of z."
        )
    return names, z, x, y, _day(ask.query)


def seen(name: str, actor: Actor) -> Collection:
    """The collection, if the actor may see it: ``NotFound`` for an unknown one, ``NotPermitted`` with one sentence."""
    found = collections.collection(name)
    if not (found.public if actor.public else found.seen_by(actor.capabilities)):
        needed = words.both(f"capability.{found.capability}")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    return found


def _day(query: Sequence[tuple[str, str]]) -> date:
    """The civil day asked for; today in Asia/Shanghai where none is."""
    said = dict(query)
    if unknown := sorted(set(said) - {"day"}):
        raise UsageError(f"{unknown[0][:40]!r} is no parameter of a tile: there is day=YYYY-MM-DD.")
    if not said:
        return datetime.now(SHANGHAI).date()
    try:
        return date.fromisoformat(said["day"])
    except ValueError as error:
        raise UsageError(f"day: {said['day'][:40]!r} is no civil day: write YYYY-MM-DD.") from error


def _packs(ask: Ask) -> bool:
    return "gzip" in ask.headers.get("accept-encoding", "")


def _answer(ask: Ask, names: tuple[str, ...], tile: Tile) -> Answer:
    headers = {
        "etag": tile.etag,
        # kept by the browser of this person only, who asks each time whether it is still so
        "cache-control": "private, no-cache",
        "vary": "Authorization, Cookie, Accept-Encoding",
    }
    if tile.aggregated:
        headers["x-aggregated"] = "true"
    saw = dict.fromkeys(names, 1)
    if tile.etag in [tag.strip() for tag in ask.headers.get("if-none-match", "").split(",")]:
        return Answer(status=304, headers=headers, saw=saw)
    if not tile.body:
        return Answer(status=204, headers=headers, saw=saw)
    if tile.packed is not None and _packs(ask):
        return Answer(tile.packed, MVT, headers={**headers, "content-encoding": "gzip"}, saw=saw)
    return Answer(tile.body, MVT, headers=headers, saw=saw)


@router.get("/tiles/{layers}.json", operation_id="tilejson")
def tilejson(
    request: Request, layers: str, actor: Annotated[Actor, Depends(require())], day: str = ""
) -> dict[str, Any]:
    """TileJSON 3.0 of one collection or several (commas between them): addresses, zooms, and what the tiles hold."""
    shown = [seen(name, actor) for name in layers.split(",")]
    at = _day([("day", day)] if day else [])
    base = str(request.base_url).rstrip("/")
    return {
        "tilejson": "3.0.0",
        "name": " · ".join(c.label for c in shown),
        "scheme": "xyz",
        "tiles": [f"{base}/tiles/{layers}/{{z}}/{{x}}/{{y}}.mvt" + (f"?day={at}" if day else "")],
        "minzoom": tiles.MINZOOM,
        "maxzoom": tiles.MAXZOOM,
        "vector_layers": [
            {
                "id": c.id,
                "description": c.label,
                "minzoom": tiles.MINZOOM,
                "maxzoom": tiles.MAXZOOM,
                "fields": dict(tiles.fields(c.id)),
            }
            for c in shown
        ],
    }
