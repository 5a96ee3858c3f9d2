"""Tiles on their way into a file (离线切片): an MBTiles that grows beside the target and can be taken up again, then the file itself.

``OUT.part`` is an MBTiles (SQLite) from the first tile on. What has been asked for already, also where nothing was there, is in it, so
that an export that was interrupted goes on where it ended. A PMTiles is written from it in one go.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from rivergis.errors import EnvironmentFault
from rivergis.maps.tile_grid import Tile

LOT = 200  # tiles kept at once: what a power cut may cost
_TABLES = """
CREATE TABLE IF NOT EXISTS metadata (name text PRIMARY KEY, value text);
CREATE TABLE IF NOT EXISTS tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);
CREATE UNIQUE INDEX IF NOT EXISTS tile_index ON tiles (zoom_level, tile_column, tile_row);
CREATE TABLE IF NOT EXISTS asked (z integer, x integer, y integer, PRIMARY KEY (z, x, y)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (said text);
"""


class Book:
    """The growing file of one export."""

    def __init__(self, path: Path, job: Mapping[str, Any]) -> None:
        """Open or begin ``path``; one that was begun for something else, or on other data, is begun anew."""
        self.path, self._since = path, 0
        self.resumed = 0
        said = json.dumps(job, sort_keys=True, ensure_ascii=False, default=str)
        if path.exists() and _job_of(path) != said:
            path.unlink()
        self._conn = sqlite3.connect(path)
        self._conn.executescript(_TABLES)
        if self._conn.execute("SELECT said FROM job").fetchone() is None:
            self._conn.execute("INSERT INTO job VALUES (?)", (said,))
        self._known = set(self._conn.execute("SELECT z, x, y FROM asked"))
        self.resumed = len(self._known)
        self._conn.commit()

    def knows(self, tile: Tile) -> bool:
        """Whether the tile was asked for before."""
        return tile in self._known

    def put(self, tile: Tile, packed: bytes | None) -> None:
        """Keep a tile (gzip), or that there is nothing in it."""
        z, x, y = tile
        if packed:
            # MBTiles counts rows from the south
            self._conn.execute("INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?)", (z, x, 2**z - 1 - y, packed))
        self._conn.execute("INSERT OR IGNORE INTO asked VALUES (?, ?, ?)", tile)
        self._since += 1
        if self._since >= LOT:
            self.save()

    def save(self) -> None:
        self._conn.commit()
        self._since = 0

    @property
    def count(self) -> int:
        """Tiles with something in them."""
        return int(self._conn.execute("SELECT count(*) FROM tiles").fetchone()[0])

    def tiles(self) -> Iterator[tuple[Tile, bytes]]:
        for z, x, row, data in self._conn.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles"):
            yield (z, x, 2**z - 1 - row), data

    def close(self) -> None:
        self._conn.commit()
        self._conn.close()

    def as_mbtiles(self, metadata: Mapping[str, str], out: Path) -> None:
        """Turn into the MBTiles ``out`` with its metadata."""
        self._conn.executemany("INSERT OR REPLACE INTO metadata VALUES (?, ?)", metadata.items())
        self._conn.executescript("DROP TABLE asked; DROP TABLE job;")
        self._conn.commit()
        self._conn.execute("VACUUM")
        self.close()
        self.path.replace(out)

    def as_pmtiles(self, header: Mapping[str, Any], metadata: Mapping[str, Any], out: Path) -> None:
        """Write the PMTiles ``out``, its tiles along the curve, and take the growing file away."""
        made = out.with_name(out.name + ".made")
        order = sorted(((int(zxy_to_tileid(*tile)), tile) for tile, _ in self.tiles()))
        with made.open("wb") as file:
            writer = Writer(file)
            for number, (z, x, y) in order:
                asked = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
                writer.write_tile(number, self._conn.execute(asked, (z, x, 2**z - 1 - y)).fetchone()[0])
            kinds = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
            writer.finalize({**header, **kinds}, dict(metadata))
        self.close()
        made.replace(out)
        self.path.unlink()


def _job_of(path: Path) -> str | None:
    """What a file was begun for; None where it is not one of ours."""
    try:
        conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            row = conn.execute("SELECT said FROM job").fetchone()
        finally:
            conn.close()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None


@contextmanager
def opened(path: Path, job: Mapping[str, Any]) -> Iterator[Book]:
    """A book; what was kept stays when the work is interrupted. ``EnvironmentFault`` where it cannot be written."""
    try:
        book = Book(path, job)
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFault(f"{path} cannot be written ({error}): choose another place.") from error
    try:
        yield book
    except sqlite3.Error as error:
        raise EnvironmentFault(
            f"{path} cannot be written any more ({error}): free some space and run it again."
        ) from error
    finally:
        with suppress(sqlite3.Error):  # already told, or closed
            book.close()
