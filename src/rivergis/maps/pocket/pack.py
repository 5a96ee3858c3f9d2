"""Layers packed small enough to carry (口袋地图): generalised by a stated tolerance, rounded to 0.1 m, written as differences.

Pure: frames in, bytes out. What is lost is told: ``Packed.tolerances`` says of each layer how far a line may have moved.

The bytes, before gzip: length of the JSON (4 bytes, little endian), the JSON in UTF-8, the shapes. Of each feature the number of
its parts; of each part the number of its points, then their differences to the point before, x and y in steps of the grid, zigzag
coded; every number as a base-128 varint. The point before the first one of a layer is the origin.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import UsageError
from rivergis.maps import marks, palette
from rivergis.maps.marks import BACKDROP

STEP_DEG = 1e-6
"""Grid of the coordinates: about 0.11 m northwards."""
ROUNDED_M = 0.08
"""How far rounding to the grid moves a point at most."""
MOST_POINTS = 1_200_000
"""Points that a phone's browser still draws while a finger drags the map."""
LADDER_M = ((0.0, 0.0), (1.0, 0.5), (2.0, 1.0), (5.0, 2.0), (10.0, 5.0), (20.0, 10.0), (50.0, 20.0))
"""Tolerances tried one after the other until the file is small enough: of the ground, and of what is law."""
LAW = frozenset({"boundary_line", "boundary_area", "source_zone", "function_zone", "levee"})
"""Layers that people hold against the ground: generalised last and least."""

Layers = Mapping[str, gpd.GeoDataFrame]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Packed:
    """The compressed data of a pocket map, and what was done to make it fit."""

    data: bytes
    tolerances: dict[str, float]
    """Layer -> metres by which a line may have moved; 0: only rounded (``ROUNDED_M``)."""
    points_before: int
    points: int
    counts: dict[str, int]
    unplaced: dict[str, int]


def pack(layers: Layers, head: Mapping[str, Any], max_bytes: int) -> Packed:
    """Pack layers (EPSG:4490; columns as in ``marks``) with ``head`` beside them into at most ``max_bytes``.

    Takes the smallest tolerances of ``LADDER_M`` that do; ``UsageError`` where none does.
    """
    placed = {name: frame[~(frame.geometry.isna() | frame.geometry.is_empty)] for name, frame in layers.items()}
    before = sum(int(shapely.get_num_coordinates(f.geometry.values).sum()) for f in placed.values())
    size = points = 0
    for ground_m, law_m in LADDER_M:
        tolerances = {name: law_m if name in LAW else ground_m for name, frame in placed.items() if _bends(frame)}
        thin = {name: simplified(frame, tolerances.get(name, 0.0)) for name, frame in placed.items()}
        points = sum(int(shapely.get_num_coordinates(f.geometry.values).sum()) for f in thin.values())
        if points > MOST_POINTS:
            continue
        data = _written(thin, tolerances, {k: len(layers[k]) - len(placed[k]) for k in layers}, head)
        size = len(data)
        if size <= max_bytes:
            counts = {name: len(frame) for name, frame in thin.items()}
            unplaced = {k: n for k in layers if (n := len(layers[k]) - len(placed[k]))}
            return Packed(data, tolerances, before, points, counts, unplaced)
    said = f"{size / 1e6:.1f} MB" if size else f"{points:,} points"
    raise UsageError(
        f"The map does not fit into {max_bytes / 1e6:.1f} MB even with lines generalised by {LADDER_M[-1][0]:g} m "
        f"({said}): take a township (--district) or fewer layers (--layers)."
    )


def _bends(frame: gpd.GeoDataFrame) -> bool:
    """Whether there is a line or area that could be generalised."""
    return bool((shapely.get_dimensions(frame.geometry.values) > 0).any())


def simplified(frame: gpd.GeoDataFrame, tolerance_m: float) -> gpd.GeoDataFrame:
    """Lines and areas with fewer points, none farther than ``tolerance_m`` from where it was (Douglas-Peucker, in metres)."""
    if tolerance_m <= 0 or frame.empty:
        return frame
    metric = crs.to_metric(frame)
    shapes = shapely.simplify(metric.geometry.values, tolerance_m, preserve_topology=True)
    moved = gpd.GeoSeries(shapes, index=frame.index, crs=metric.crs)
    return frame.set_geometry(crs.to_storage(moved))


def _written(
    layers: Layers, tolerances: Mapping[str, float], unplaced: Mapping[str, int], head: Mapping[str, Any]
) -> bytes:
    """All layers in the order of the palette, as one compressed block."""
    styles = palette.load()
    order = sorted(layers, key=styles.layers.index)
    origin = _origin(layers)
    streams = [varints(_numbers(layers[name], origin)) for name in order]
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in streams])])
    told = {
        **head,
        "origin": origin.tolist(),
        "step": STEP_DEG,
        "layers": [
            {**_about(name, layers[name], styles), "at": int(at), "tolerance_m": tolerances.get(name, 0.0), "unplaced": unplaced[name]}
            for name, at in zip(order, offsets, strict=False)
        ],
    }  # fmt: skip
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return gzip.compress(len(text).to_bytes(4, "little") + text + b"".join(streams), 9, mtime=0)


def _origin(layers: Layers) -> Ints:
    """South-west corner of everything, in steps of the grid."""
    boxes = [frame.total_bounds[:2] for frame in layers.values() if len(frame)]
    return np.floor(np.min(boxes, axis=0) / STEP_DEG).astype(np.int64) if boxes else np.zeros(2, dtype=np.int64)


def _about(name: str, frame: gpd.GeoDataFrame, styles: palette.Palette) -> dict[str, Any]:
    """Names, classes and what is said of each feature; headings of the popup once a layer."""
    own = styles.of(name)
    codes = frame["cls"].fillna("").astype(str) if "cls" in frame else pd.Series("", index=frame.index)
    classes = [styles.of(name, code) for code in codes]
    present = [s for s in styles.styles.values() if s in set(classes)]
    at = {style: i for i, style in enumerate(present)}
    heads: dict[tuple[str, str], int] = {}
    rows = [_rows(popup, heads) for popup in (frame["popup"] if "popup" in frame else [()] * len(frame))]
    return {
        "id": name, "zh": own.zh, "en": own.en, "n": len(frame), "backdrop": name in BACKDROP,
        "classes": [style.as_dict() for style in present], "cls": [at[style] for style in classes],
        "heads": [list(pair) for pair in heads], "rows": rows, **_columns(frame),
    }  # fmt: skip


def _rows(popup: Any, heads: dict[tuple[str, str], int]) -> list[Any]:
    """A popup as heading number, value, heading number, value …"""
    out: list[Any] = []
    rows = ((zh, "", value) for zh, value in popup.items()) if isinstance(popup, dict) else popup or ()
    for zh, en, value in rows:
        out += [heads.setdefault((str(zh), str(en)), len(heads)), marks.words(value)]
    return out


def _columns(frame: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    """Label, name on the map, river and chainage, as far as the layer has them."""
    texts = {c: [None if pd.isna(v) else str(v) for v in frame[c]] for c in ("label", "text", "river") if c in frame}
    numbers = {
        c: [None if pd.isna(v) else round(float(v), 1) for v in frame[c]] for c in ("from_m", "to_m") if c in frame
    }
    return {**texts, **numbers}


def _numbers(frame: gpd.GeoDataFrame, origin: Ints) -> npt.NDArray[np.uint64]:
    """The shapes of a layer as the numbers of its stream."""
    pieces: list[Ints] = []
    spot = origin
    for shape in frame.geometry:
        parts = [_grid(part) for part in _parts(shape)]
        pieces.append(np.array([len(parts)], dtype=np.int64))
        for part in parts:
            steps = np.diff(part, axis=0, prepend=spot[None, :])
            pieces += [np.array([len(part)], dtype=np.int64), ((steps << 1) ^ (steps >> 63)).ravel()]
            spot = part[-1]
    return np.concatenate(pieces).astype(np.uint64) if pieces else np.zeros(0, dtype=np.uint64)


def _parts(shape: shapely.Geometry) -> Iterator[npt.NDArray[np.float64]]:
    """Points, lines and rings of a shape; rings of an area are told apart by crossing counts, not by their direction."""
    for part in shapely.get_parts(shape):
        rings = shapely.get_rings(part) if shapely.get_dimensions(part) == 2 else [part]
        yield from (shapely.get_coordinates(ring) for ring in rings)


def _grid(points: npt.NDArray[np.float64]) -> Ints:
    """Points on the grid, none twice in a row unless little would be left of a line or ring."""
    steps = np.rint(points / STEP_DEG).astype(np.int64)
    kept = steps[np.concatenate([[True], (np.diff(steps, axis=0) != 0).any(axis=1)])]
    return kept if len(kept) >= min(len(steps), 4) else steps


def varints(numbers: npt.NDArray[np.uint64]) -> bytes:
    """Numbers in base 128, the lowest seven bits first; the high bit says that more follows."""
    if not len(numbers):
        return b""
    width = np.ones(len(numbers), dtype=np.int64)
    for bits in range(7, 64, 7):
        width += numbers >= np.uint64(1 << bits)
    ends = np.cumsum(width)
    out = np.zeros(int(ends[-1]), dtype=np.uint8)
    starts = ends - width
    for i in range(int(width.max())):
        more = width > i
        digit = ((numbers[more] >> np.uint64(7 * i)) & np.uint64(127)).astype(np.uint8)
        out[starts[more] + i] = digit | np.where(width[more] > i + 1, 128, 0).astype(np.uint8)
    return out.tobytes()
