"""Vector tiles for where there is no service (离线切片): the tiles the service gives, as PMTiles or MBTiles.

The same SQL as ``/tiles/…mvt``, so that a map looks the same online and offline; rows of one day, of one district where one is
named, and never more than whoever asks may see.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from rivergis import words
from rivergis.db.quick import Quick
from rivergis.errors import NotPermitted, UsageError
from rivergis.maps import collections, tile_book, tile_grid, tiles
from rivergis.maps.tile_grid import Boxes

ENDINGS = (".pmtiles", ".mbtiles")
MOST_BYTES = 500_000
"""A tile larger than this is told."""
_BOXES = """SELECT ST_XMin(s.geom), ST_YMin(s.geom), ST_XMax(s.geom), ST_YMax(s.geom) FROM cache.shape_{0} s
WHERE s.valid @> %(day)s::date AND (%(area)s = '' OR s.areas @> ARRAY[%(area)s])"""
_STATE = "SELECT count(*), coalesce(max(fid), 0), coalesce(sum(version), 0) FROM cache.shape_{0}"


@dataclass(frozen=True)
class Wanted:
    """What goes into the file: collections, a day, a district (adcode, '' = everywhere), zooms."""

    layers: tuple[str, ...]
    day: date
    area: str
    minzoom: int
    maxzoom: int
    name: str


@dataclass(frozen=True)
class Exported:
    """What came of it, the same for people, ``--json`` and the audit."""

    file: str
    bytes: int
    tiles: int
    resumed: int
    """Tiles that an earlier, interrupted run had asked for."""
    largest: int
    over: int
    """Tiles larger than ``MOST_BYTES`` before packing."""
    aggregated: int
    """Tiles in which things stand for several, or coarser than their zoom usually shows."""
    features: dict[str, int]
    """Collection -> rows that the tiles show."""


def wanted(
    layers: Sequence[str], day: date, area: str, zooms: tuple[int, int], name: str, capabilities: frozenset[str]
) -> Wanted:
    """What was asked for, checked: ``NotFound`` and ``NotPermitted`` for collections, ``UsageError`` for zooms."""
    if not layers:
        raise UsageError("Name the layers that go into the file: --layers reach,boundary_line.")
    for layer in layers:
        found = collections.collection(layer)
        if not found.seen_by(capabilities):
            needed = words.both(f"capability.{found.capability}")
            raise NotPermitted(f"The layer {layer} needs a role with the capability {needed} ({found.capability}).")
    minzoom, maxzoom = zooms
    if not tiles.MINZOOM <= minzoom <= maxzoom <= tiles.MAXZOOM:
        raise UsageError(
            f"Zooms go from {tiles.MINZOOM} to {tiles.MAXZOOM}, the lower first: {minzoom} to {maxzoom} do not."
        )
    return Wanted(tuple(dict.fromkeys(layers)), day, area, minzoom, maxzoom, name)


def export(
    quick: Quick, what: Wanted, out: Path, told: Callable[[int, int], None], allowed: Callable[[int], None]
) -> Exported:
    """Write the tiles to ``out`` (by its ending); ``told(done, all)`` hears how far it is, ``allowed(tiles)`` is asked before the file
    takes its place. Interrupted, it goes on from ``OUT.part``; ``UsageError`` where there is nothing to write."""
    boxes = {layer: _boxes(quick, layer, what) for layer in what.layers}
    every = np.concatenate(list(boxes.values()))
    if not len(every):
        raise UsageError(
            f"None of {', '.join(what.layers)} has anything in force on {what.day} there: nothing is written."
        )
    state = {layer: list(map(int, quick.rows(f"state_{layer}", _STATE.format(layer))[0])) for layer in what.layers}
    grid = list(tile_grid.touched(every, what.minzoom, what.maxzoom))
    job = {
        "layers": what.layers,
        "day": what.day,
        "area": what.area,
        "zooms": [what.minzoom, what.maxzoom],
        "state": state,
    }
    sizes, coarse = [0], 0
    with tile_book.opened(out.with_name(out.name + ".part"), job) as book:
        for done, tile in enumerate(grid):
            if not book.knows(tile):
                body, aggregated = _tile(quick, what, *tile)
                sizes.append(len(body))
                coarse += aggregated
                book.put(tile, gzip.compress(body, 6, mtime=0) if body else None)
            told(done + 1, len(grid))
        book.save()
        count, resumed = book.count, book.resumed
        if not count:
            raise UsageError(
                f"No tile of zooms {what.minzoom} to {what.maxzoom} shows anything: ask for nearer ones (--maxzoom)."
            )
        allowed(count)
        _released(book, what, every, out)
    over = sum(size > MOST_BYTES for size in sizes)
    rows = {layer: len(own) for layer, own in boxes.items()}
    return Exported(str(out), out.stat().st_size, count, resumed, max(sizes), over, coarse, rows)


def _boxes(quick: Quick, layer: str, what: Wanted) -> Boxes:
    asked = quick.stream(_BOXES.format(layer), {"day": what.day, "area": what.area}, 20_000)
    return np.array([row for lot in asked for row in lot], dtype=np.float64).reshape(-1, 4)


def _tile(quick: Quick, what: Wanted, z: int, x: int, y: int) -> tuple[bytes, bool]:
    """One tile with all its layers: their messages one behind the other."""
    body, aggregated = b"", False
    for layer in what.layers:
        said = tiles.statement(layer, z, bool(what.area))
        values = (z, x, y, what.day, what.area) if what.area else (z, x, y, what.day)
        part, coarse = quick.rows(said.name, said.sql, ", ".join(said.types), values)[0]
        body, aggregated = body + bytes(part or b""), aggregated or bool(coarse)
    return body, aggregated


def _released(book: tile_book.Book, what: Wanted, boxes: Boxes, out: Path) -> None:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    box = tile_grid.degrees((float(west), float(south), float(east), float(north)))
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    if out.suffix.lower() == ".mbtiles":
        book.as_mbtiles(_flat(what, box, middle), out)
        return
    e7 = {f"{k}_e7": round(v * 1e7) for k, v in zip(("min_lon", "min_lat", "max_lon", "max_lat"), box, strict=True)}
    centre = {
        "center_zoom": what.minzoom,
        "center_lon_e7": round(middle[0] * 1e7),
        "center_lat_e7": round(middle[1] * 1e7),
    }
    book.as_pmtiles({**e7, **centre}, {**_said(what), "vector_layers": vector_layers(what)}, out)


def vector_layers(what: Wanted) -> list[dict[str, Any]]:
    """Layers and their attributes, with Chinese and English names."""
    out = []
    for layer in what.layers:
        found = collections.collection(layer)
        names = {f: words.both(f"tiles_file.{f}") for f in tiles.fields(layer)} | {
            c.name: f"{c.zh} {c.en}" for c in found.columns
        }
        fields = tiles.fields(layer)
        out.append({
            "id": layer, "description": found.label, "minzoom": what.minzoom, "maxzoom": what.maxzoom, "fields": fields,
            "field_names": {name: names[name] for name in fields},
        })  # fmt: skip
    return out


def _said(what: Wanted) -> dict[str, str]:
    return {
        "name": what.name, "description": words.both("tiles_file.about"), "attribution": "rivergis", "type": "overlay", "version": "1",
        "day": str(what.day), "district": what.area,
    }  # fmt: skip


def _flat(what: Wanted, box: Sequence[float], middle: Sequence[float]) -> dict[str, str]:
    """Metadata as MBTiles has it: texts, the layers as JSON."""
    return {
        **_said(what), "format": "pbf", "minzoom": str(what.minzoom), "maxzoom": str(what.maxzoom),
        "bounds": ",".join(f"{v:.6f}" for v in box), "center": f"{middle[0]:.6f},{middle[1]:.6f},{what.minzoom}",
        "json": json.dumps({"vector_layers": vector_layers(what)}, ensure_ascii=False),
    }  # fmt: skip
