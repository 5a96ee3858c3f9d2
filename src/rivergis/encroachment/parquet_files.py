"""A large GeoParquet file of candidates, streamed: bounding boxes first, then only the rows near an area are decoded.

A file with bbox covering columns (GeoParquet 1.1) is asked without touching its shapes; of one without, every shape is decoded for
its box. Its place is judged as at the door (``intake``), by an even sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import shapely
from pyarrow import parquet
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.ground.squares import Flags, Floats, Ints
from rivergis.boundary.ground.zoned import Zoned, bent, moved, widened
from rivergis.errors import InputError
from rivergis.intake import crs_evidence, features, guard, vector
from rivergis.intake.delivery import Asked, Declared, Delivered, defect
from rivergis.intake.limits import Limits

ROWS, BYTES = 100_000, 100 << 20  # up to so much, the door reads the whole layer
_BATCH = 65_536
_CHUNK = 20_000  # rows near that are handed out together, or more
_GROUPS, _EACH = 16, 500  # of the sample: parts of the file, rows of each
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_STREAMED = "geoparquet_streamed"

Near = Callable[[Floats], Flags]


@dataclass(frozen=True)
class _Layout:
    """Names in the file: the geometry column, and the four columns of boxes as Parquet spells them (empty = none)."""

    geometry: str
    boxes: tuple[str, ...]
    declared: str | None

    @property
    def covering(self) -> str | None:
        """The column that holds the boxes, where it holds nothing else of interest."""
        return self.boxes[0].split(".")[0] if self.boxes else None


def is_large(path: Path) -> bool:
    """Whether a file is GeoParquet with shapes as WKB and too much of it for the door to read at once."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return False
        with parquet.ParquetFile(path) as file:
            much = file.metadata.num_rows > ROWS or path.stat().st_size > BYTES
            return much and _layout(file) is not None
    except (OSError, pa.ArrowException):
        return False


def streamed(opened: vector.Opened) -> bool:
    """Whether a layer was opened by ``look``."""
    return bool(opened.delivered.facts.get(_STREAMED))


def look(path: Path, asked: Asked, limits: Limits) -> vector.Opened:
    """The layer of a GeoParquet file with its verdict, by an even sample; read in a process of its own, as at the door."""
    return guard.guarded(_looked, path, asked, limits, limits=limits, name=path.name)


def _looked(path: Path, asked: Asked, limits: Limits) -> vector.Opened:
    with parquet.ParquetFile(path) as file:
        layout = _layout(file)
        assert layout is not None
        rows, shapes, boxes = _sample(file, layout)
        count = file.metadata.num_rows
    told = Declared(layout.declared, "file") if layout.declared else Declared()
    layer = Delivered(path.stem, "vector", count, pd.DataFrame(index=rows), shapes, declared=told)
    trusted = bool(layout.boxes) and _covered(shapes, boxes)
    layer.facts = {_STREAMED: True, "boxes": trusted}
    if layout.boxes and not trusted:
        said = "Its bbox columns do not hold the boxes of its shapes: every shape was read instead."
        layer.add(defect("bbox_columns_wrong", "warning", said, "Write the file again."))
    return vector.Opened(path, layer, crs_evidence.judge(layer, None, asked), asked, "", limits)


def _layout(file: parquet.ParquetFile) -> _Layout | None:
    meta = features.parquet_meta(file)
    name = meta.get("primary_column")
    column = meta.get("columns", {}).get(name)
    if (
        not isinstance(name, str)
        or not isinstance(column, dict)
        or column.get("encoding", "WKB") != "WKB"
        or name not in file.schema_arrow.names
    ):
        return None
    return _Layout(name, _boxes_of(column, file), features.parquet_crs(column))


def _boxes_of(column: dict[str, Any], file: parquet.ParquetFile) -> tuple[str, ...]:
    """Paths of the four columns of boxes that the file names, if they are there."""
    covering = column.get("covering")
    paths = covering.get("bbox") if isinstance(covering, dict) else None
    there = {file.schema.column(i).path for i in range(len(file.schema))}
    if not isinstance(paths, dict) or not all(isinstance(paths.get(s), list) for s in _SIDES):
        return ()
    names = tuple(".".join(map(str, paths[s])) for s in _SIDES)
    return names if set(names) <= there and all(len(paths[s]) == 2 for s in _SIDES) else ()


def _sample(file: parquet.ParquetFile, layout: _Layout) -> tuple[Ints, np.ndarray, Floats]:
    """Row numbers, shapes and (where the file has them) boxes of some rows from all over the file."""
    sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    firsts = np.cumsum([0, *sizes])
    rows, shapes, boxes = [], [], []
    for g in np.unique(np.linspace(0, len(sizes) - 1, _GROUPS).astype(int)):
        first, taken = firsts[g], 0
        columns = [layout.geometry, *layout.boxes]
        for batch in file.iter_batches(_BATCH, row_groups=[int(g)], columns=columns, use_threads=False):
            some = batch.slice(0, _EACH)
            rows.append(first + np.arange(len(some)))
            shapes.append(_decoded(some, layout))
            boxes.append(_read_boxes(some, layout))
            first, taken = first + len(batch), taken + 1
            if taken * len(sizes) >= _GROUPS:
                break
    return np.concatenate(rows), np.concatenate(shapes), np.vstack(boxes)


def _covered(shapes: np.ndarray, boxes: Floats) -> bool:
    """Whether boxes hold their shapes; a box that is missing is looked into anyhow."""
    own = shapely.bounds(shapes).reshape(-1, 4)
    there = np.isfinite(own).all(axis=1) & np.isfinite(boxes).all(axis=1)
    slack = 1e-9 * np.abs(own[there]).max(axis=1, initial=1.0)[:, None]
    low, high = own[there, :2] - boxes[there, :2] + slack, boxes[there, 2:] - own[there, 2:] + slack
    return bool((low >= 0).all() and (high >= 0).all())


def _decoded(batch: Any, layout: _Layout) -> np.ndarray:
    return features.from_wkb(batch[layout.geometry].to_numpy(zero_copy_only=False))


def _read_boxes(batch: Any, layout: _Layout) -> Floats:
    """Boxes (n, 4) of a batch, NaN where one is missing; wider by a rounding where they are single precision."""
    sides = []
    for name in layout.boxes:
        column, side = name.split(".")
        value = pc.struct_field(batch[column], side)
        sides.append(value.to_numpy(zero_copy_only=False).astype(np.float64))
        if value.type == pa.float32():
            sides[-1] += (-1 if side.endswith("min") else 1) * np.abs(sides[-1]) * 2.0**-23
    return np.column_stack(sides) if sides else np.full((len(batch), 4), np.nan)


# ---- the rows near an area ------------------------------------------------------------------------------------------


def near(opened: vector.Opened, ground: Zoned, around_m: float) -> Iterator[tuple[vector.Source, int]]:
    """Pieces of a streamed layer in EPSG:4490 with only the rows whose box is near, and how many before were not.

    A row whose box is not told comes too. ``InputError`` where the file breaks off.
    """
    yield from _asked_for(opened, _near_of(opened, ground, around_m))


def whole(opened: vector.Opened) -> Iterator[vector.Source]:
    """All of a streamed layer in EPSG:4490, piece by piece. ``InputError`` where the file breaks off."""
    for source, _ in _asked_for(opened, lambda boxes: np.ones(len(boxes), bool)):
        yield source


def _asked_for(opened: vector.Opened, asks: Near) -> Iterator[tuple[vector.Source, int]]:
    waiting: list[_Hits] = []
    try:
        with parquet.ParquetFile(opened.path) as file:
            layout = _layout(file)
            assert layout is not None
            if not opened.delivered.facts["boxes"]:
                layout = replace(layout, boxes=())
            for hits in _hits(file, layout, asks):
                waiting.append(hits)
                if sum(len(h.rows) for h in waiting) >= _CHUNK:
                    yield _source(opened, layout, waiting)
                    waiting = []
            if waiting:
                yield _source(opened, layout, waiting)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise InputError(
            f"{opened.path.name} cannot be read to its end ({features.short(error)}): ask for it again.",
            file=str(opened.path),
        ) from error


def _near_of(opened: vector.Opened, ground: Zoned, around_m: float) -> Near:
    """Whether boxes in the file's own coordinates are near."""
    h = opened.verdict.hypothesis
    assert h is not None
    plain = h.axis == "normal" and h.factor == 1.0 and not h.packed and h.datum == "wgs84" and h.epsg is not None
    if plain and h.epsg in (4490, 4326):
        return lambda boxes: ground.near(widened(boxes, around_m))
    system = CRS.from_epsg(h.epsg) if plain and h.epsg is not None else None
    if system is not None and system.is_projected and system.axis_info[0].unit_conversion_factor == 1.0:
        squares = ground.squares_in(crs.out_of_storage(system))
        return lambda boxes: squares.near(bent(boxes, around_m))
    return lambda boxes: ground.near(widened(moved(boxes, h.degrees), around_m + 1.0))


@dataclass(frozen=True)
class _Hits:
    """Rows near: their numbers, attributes and shapes as the file has them (None = unreadable or none); how many were not."""

    rows: Ints
    table: Any
    shapes: np.ndarray
    missing: Flags
    outside: int


def _hits(file: parquet.ParquetFile, layout: _Layout, asks: Near) -> Iterator[_Hits]:
    first = 0
    columns = [name for name in file.schema_arrow.names if name != layout.covering]
    for g in range(file.num_row_groups):
        size = file.metadata.row_group(g).num_rows
        wanted = _asked(file, g, layout, asks) if layout.boxes else None
        if wanted is None or wanted.any():
            for batch in file.iter_batches(_BATCH, row_groups=[g], columns=columns, use_threads=False):
                if wanted is None:
                    yield _taken(batch, layout, first, asks)
                else:
                    yield _picked(batch, layout, first, wanted[: len(batch)])
                    wanted = wanted[len(batch) :]
                first += len(batch)
        else:
            yield _Hits(np.empty(0, np.int64), None, np.empty(0, object), np.empty(0, bool), size)
            first += size


def _asked(file: parquet.ParquetFile, group: int, layout: _Layout, asks: Near) -> Flags:
    """Which rows of a row group are near by their boxes; those without a box are looked into."""
    boxes = _read_boxes(
        file.read_row_group(group, columns=list(layout.boxes), use_threads=False).combine_chunks(), layout
    )
    return asks(boxes) | ~np.isfinite(boxes).all(axis=1)


def _picked(batch: Any, layout: _Layout, first: int, wanted: Flags) -> _Hits:
    rows = np.flatnonzero(wanted)
    some = batch.take(pa.array(rows))
    return _Hits(first + rows, _rest(some, layout), _decoded(some, layout), _null(some, layout), len(batch) - len(rows))


def _taken(batch: Any, layout: _Layout, first: int, asks: Near) -> _Hits:
    """The same without boxes: every shape is decoded."""
    shapes, null = _decoded(batch, layout), _null(batch, layout)
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    rows = np.flatnonzero(asks(bounds) | ~np.isfinite(bounds).all(axis=1))
    some = _rest(batch.take(pa.array(rows)), layout)
    return _Hits(first + rows, some, shapes[rows], null[rows], len(batch) - len(rows))


def _rest(batch: Any, layout: _Layout) -> Any:
    return pa.Table.from_batches([batch]).drop_columns([layout.geometry]).replace_schema_metadata(None)


def _null(batch: Any, layout: _Layout) -> Flags:
    return np.asarray(batch[layout.geometry].is_null().to_numpy(zero_copy_only=False))


def _source(opened: vector.Opened, layout: _Layout, hits: list[_Hits]) -> tuple[vector.Source, int]:
    outside = sum(h.outside for h in hits)
    some = [h for h in hits if len(h.rows)]
    shapes = np.concatenate([np.empty(0, object), *(h.shapes for h in some)])
    rows = np.concatenate([np.empty(0, np.int64), *(h.rows for h in some)])
    frame = pa.concat_tables([h.table for h in some]).to_pandas() if some else pd.DataFrame()
    frame.index = pd.Index(rows)
    source = vector.Source(frame, opened.name, opened.source_crs, shapes)
    vector.bring_home(source, opened.verdict, np.zeros(len(rows), bool))
    lost = shapely.is_missing(shapes) & ~np.concatenate([np.empty(0, bool), *(h.missing for h in some)])
    unread = ("geometry_unreadable", "The bytes of its shape cannot be read: ask for it again.")
    source.faults |= dict.fromkeys(rows[lost].tolist(), unread)
    return source, outside
