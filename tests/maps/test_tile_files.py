"""Files of tiles: every tile that holds something is asked for, none else twice, and an interrupted export goes on where it was."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import zxy_to_tileid

from rivergis.errors import EnvironmentFault
from rivergis.maps import tile_book, tile_grid

_M = st.floats(min_value=-tile_grid.HALF_M + 1, max_value=tile_grid.HALF_M - 1)
_SIZE = st.floats(min_value=0, max_value=2e6)
JOB = {"layers": ["reach"], "state": [1, 2]}


@settings(max_examples=60)
@given(st.lists(st.tuples(_M, _M, _SIZE, _SIZE), min_size=1, max_size=4), st.integers(0, 3))
def test_touched_tiles_are_those_that_a_box_meets(rows: list[tuple[float, float, float, float]], minzoom: int) -> None:
    boxes = np.array([(x, y, min(x + w, tile_grid.HALF_M), min(y + h, tile_grid.HALF_M)) for x, y, w, h in rows])
    found = list(tile_grid.touched(boxes, minzoom, 4))
    slow = set()
    for z in range(minzoom, 5):
        for x in range(2**z):
            for y in range(2**z):
                w, s, e, n = tile_grid.bounds(z, x, y)
                if any(b[0] <= e and b[2] >= w and b[1] <= n and b[3] >= s for b in boxes):
                    slow.add((z, x, y))
    assert set(found) == slow and len(found) == len(slow)
    assert [int(zxy_to_tileid(*t)) for t in found] == sorted(int(zxy_to_tileid(*t)) for t in found)


@given(st.floats(-179, 179), st.floats(-80, 80))
def test_degrees_undo_the_projection(lon: float, lat: float) -> None:
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    west, south, _, _ = tile_grid.degrees((x, y, x, y))
    assert (west, south) == pytest.approx((lon, lat), abs=1e-9)


def test_nothing_touches_nothing() -> None:
    assert list(tile_grid.touched(np.zeros((0, 4)), 0, 14)) == []


def fill(book: tile_book.Book, tiles: list[tile_grid.Tile]) -> list[tile_grid.Tile]:
    """Ask for what is not known; which were asked."""
    asked = [t for t in tiles if not book.knows(t)]
    for z, x, y in asked:
        book.put((z, x, y), gzip.compress(f"{z}/{x}/{y}".encode(), mtime=0) if (x + y) % 2 else None)
    return asked


TILES = [(z, x, y) for z in (3, 4) for x in range(2, 6) for y in range(1, 4)]


def test_an_interrupted_export_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), tile_book.opened(tmp_path / "t.part", JOB) as book:
        fill(book, TILES[:10])
        raise KeyboardInterrupt
    with tile_book.opened(tmp_path / "t.part", JOB) as book:
        assert book.resumed == 10 and fill(book, TILES) == TILES[10:]
        book.as_pmtiles({"min_zoom": 3, "max_zoom": 4}, {"name": "t"}, tmp_path / "t.pmtiles")
    assert not (tmp_path / "t.part").exists()
    with (tmp_path / "t.pmtiles").open("rb") as file:
        reader = Reader(MmapSource(file))
        for z, x, y in TILES:
            there = reader.get(z, x, y)
            assert (gzip.decompress(there).decode() if there else None) == (f"{z}/{x}/{y}" if (x + y) % 2 else None)


@pytest.mark.parametrize("job", [{**JOB, "state": [1, 3]}, {**JOB, "layers": ["stake"]}])
def test_on_other_data_it_begins_anew(tmp_path: Path, job: dict[str, object]) -> None:
    with tile_book.opened(tmp_path / "t.part", JOB) as book:
        fill(book, TILES)
    with tile_book.opened(tmp_path / "t.part", job) as book:
        assert book.resumed == 0 and fill(book, TILES) == TILES


def test_mbtiles_count_rows_from_the_south_and_hold_nothing_of_ours(tmp_path: Path) -> None:
    with tile_book.opened(tmp_path / "t.part", JOB) as book:
        fill(book, TILES)
        book.as_mbtiles({"name": "t", "format": "pbf"}, tmp_path / "t.mbtiles")
    conn = sqlite3.connect(tmp_path / "t.mbtiles")
    assert {r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} == {"metadata", "tiles"}
    row = conn.execute(
        "SELECT tile_data FROM tiles WHERE zoom_level = 3 AND tile_column = 2 AND tile_row = 6"
    ).fetchone()
    assert gzip.decompress(row[0]) == b"3/2/1"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be written"), tile_book.opened(tmp_path / "no" / "t.part", JOB):
        pass


def test_a_file_of_somebody_is_no_part_of_ours(tmp_path: Path) -> None:
    """The growing file has a name of its own; what lies there and is no job of ours is begun anew."""
    (tmp_path / "t.part").write_text("no database", encoding="utf-8")
    with tile_book.opened(tmp_path / "t.part", JOB) as book:
        assert book.resumed == 0
