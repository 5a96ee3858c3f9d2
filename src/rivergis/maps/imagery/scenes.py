"""Scenes as the database knows them (影像目录): which there are, where they lie, and how a map is told to load them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
from sqlalchemy import Connection

from rivergis.db.connect import read_table
from rivergis.db.quick import Quick
from rivergis.errors import NotFound
from rivergis.maps.imagery import tiles as imagery_tiles
from rivergis.maps.imagery.look import Look

_ROWS = """SELECT id, version, code, taken_on, gsd_m, bands, source_crs, file_sha256, file_path, ST_AsGeoJSON(geom, 7) AS footprint,
  ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north
FROM app.imagery WHERE geom IS NOT NULL"""
_COLUMNS = (
    "id", "version", "code", "taken_on", "gsd_m", "bands", "source_crs", "file_sha256", "file_path", "footprint", "west", "south", "east", "north"
)  # fmt: skip
MOST = 2000
"""Scenes in one list, newest first."""


@dataclass(frozen=True)
class Scene:
    """One scene (影像): when it was taken, its bands, its footprint and box in degrees (EPSG:4490), its file in the store."""

    id: uuid.UUID
    version: int
    code: str
    taken_on: date
    gsd_m: float
    bands: str
    source_crs: str
    sha256: str
    file_path: str
    footprint: dict[str, Any]
    box: tuple[float, float, float, float]

    @property
    def title(self) -> str:
        """What a list calls it: the day, and its code where that says more."""
        return f"{self.taken_on} {self.code}" if str(self.taken_on) != self.code else self.code

    @property
    def max_zoom(self) -> int:
        """Zoom at which a pixel of the map is at least as fine as one of the scene."""
        for zoom in range(imagery_tiles.MAX_ZOOM):
            if 156543.034 / 2**zoom * 0.87 <= max(self.gsd_m, 0.01):
                return zoom
        return imagery_tiles.MAX_ZOOM

    def as_dict(self, base: str) -> dict[str, Any]:
        """What a list tells of it, with the addresses of its tiles."""
        return {
            "id": str(self.id),
            "code": self.code,
            "taken_on": self.taken_on,
            "gsd_m": self.gsd_m,
            "bands": self.bands.split(","),
            "source_crs": self.source_crs,
            "box": self.box,
            "tilejson": f"{base}/imagery/{self.id}.json",
            "tiles": f"{base}/imagery/{self.id}/{{z}}/{{x}}/{{y}}.png",
        }


def scenes(conn: Connection) -> list[Scene]:
    """The scenes that whoever asks may see, newest first."""
    return [_scene(r) for r in _read(conn, "ORDER BY taken_on DESC, code, id LIMIT :most", {"most": MOST})]


def scene(conn: Connection, scene_id: uuid.UUID) -> Scene:
    """One scene; ``NotFound`` for an unknown one, and for one that whoever asks may not see."""
    rows = _read(conn, "AND id = :id", {"id": str(scene_id)})
    if not rows:
        raise NotFound("There is no such scene.")
    return _scene(rows[0])


def quickly(quick: Quick, scene_id: uuid.UUID) -> Scene:
    """One scene on a lean connection, for its tiles: as ``scene``."""
    rows = quick.rows("imagery_scene", f"{_ROWS} AND id = $1", "uuid", (str(scene_id),))
    if not rows:
        raise NotFound("There is no such scene.")
    return _scene(dict(zip(_COLUMNS, rows[0], strict=True)))


def _read(conn: Connection, rest: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(conn, f"{_ROWS} {rest}", params).to_dict("records")
    return rows


def _scene(row: dict[str, Any]) -> Scene:
    box = (row["west"], row["south"], row["east"], row["north"])
    return Scene(
        row["id"], int(row["version"]), row["code"], row["taken_on"], float(row["gsd_m"]), row["bands"], row["source_crs"],
        row["file_sha256"], row["file_path"], json.loads(row["footprint"]), box,
    )  # fmt: skip


def about(cog: Path) -> dict[str, Any]:
    """What the copy for tiles says of the scene: its bands with names and kind, size, nodata, and overviews."""
    with rasterio.open(cog) as image:
        bands = [
            {"number": n, "names": list(said[1:]), "kind": kind.name}
            for n, (said, kind) in enumerate(zip(imagery_tiles.names(image), image.colorinterp, strict=True), 1)
        ]
        nodata = None if image.nodata is None else str(image.nodata)
        return {
            "width": image.width,
            "height": image.height,
            "dtype": image.dtypes[0],
            "nodata": nodata,
            "overviews": image.overviews(1),
            "bands_of_file": bands,
        }


def tilejson(shown: Scene, base: str, query: str) -> dict[str, Any]:
    """How a map loads the tiles of a scene (TileJSON 3.0); ``query`` is the look, handed on as it was asked."""
    west, south, east, north = shown.box
    middle = [round((west + east) / 2, 6), round((south + north) / 2, 6), max(0, shown.max_zoom - 3)]
    return {
        "tilejson": "3.0.0",
        "name": shown.title,
        "version": f"{shown.version}.0.0",
        "attribution": "",
        "scheme": "xyz",
        "tiles": [f"{base}/imagery/{shown.id}/{{z}}/{{x}}/{{y}}.png{f'?{query}' if query else ''}"],
        "minzoom": 0,
        "maxzoom": min(shown.max_zoom + 2, imagery_tiles.MAX_ZOOM),
        "bounds": [round(v, 7) for v in shown.box],
        "center": middle,
        "footprint": shown.footprint,
    }


def mark(shown: Scene, look: Look, kind: str) -> str:
    """ETag of the tiles of a scene in a look: the same file looked at in the same way gives the same picture."""
    return f"{shown.sha256[:16]}-{look.mark}-{kind}-1"
