"""What a raster's cells say of it, from a sample of bounded size: cut off, empty, one value, undeclared nodata, heights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from rivergis.intake.delivery import Defect, Severity, defect

_WHOLE_CELLS = 4_000_000
_TILE, _TILES = 128, 9

# what programs write where they know nothing, and no height on land, temperature or reflectance is
_SENTINELS = (-999, -9999, -99999, -32768, -32767, -32766, -2147483648, -1e38, -3.4028234663852886e38, 3.4028234663852886e38, 1e38, -1.7976931348623157e308, 1e30, 1e20, -1e30, 99999, 9999, 999999, 32767, 65535)  # fmt: skip
_CLASS_SENTINELS = (-1, 255, -128)
_LOWEST_M, _HIGHEST_M = -500, 9000
"""No land lies outside: the Dead Sea's shore at -430 m, Qomolangma at 8849 m."""


@dataclass
class Sample:
    """Cells of the first band, and what could not be read."""

    values: np.ndarray
    """Those that are not declared nodata, flat."""
    edge: np.ndarray
    """The same of the outermost rows and columns."""
    cells: int
    """How many were looked at, nodata included."""
    whole: bool
    failed: list[str] = field(default_factory=list)
    """Windows that could not be read, as words."""
    windows: int = 0

    @property
    def numbers(self) -> np.ndarray:
        """Values but for NaN and infinity, which are nodata that say so themselves."""
        return self.values[np.isfinite(self.values)] if self.values.dtype.kind == "f" else self.values


def sample(image: rasterio.DatasetReader) -> Sample:
    """A small raster whole; of a large one an even net of windows with the corners, and the last cells of the last band."""
    width, height = image.width, image.height
    whole = width * height <= _WHOLE_CELLS
    windows = [Window(0, 0, width, height)] if whole else _net(width, height)
    out = Sample(np.array([]), np.array([]), 0, whole, windows=len(windows) + 1)
    inner, outer = [], []
    for window in windows:
        data = _read(image, 1, window, out)
        if data is not None:
            out.cells += data.size
            inner.append(data.compressed())
            outer.append(_frame(data, window, width, height))
    _read(image, image.count, Window(max(width - 64, 0), max(height - 64, 0), min(64, width), min(64, height)), out)
    if inner:
        out.values, out.edge = np.concatenate(inner), np.concatenate(outer)
    return out


def _net(width: int, height: int) -> list[Window]:
    return [
        Window(int(x), int(y), min(_TILE, width), min(_TILE, height))
        for y in np.unique(np.linspace(0, max(height - _TILE, 0), _TILES).astype(int))
        for x in np.unique(np.linspace(0, max(width - _TILE, 0), _TILES).astype(int))
    ]


def _read(image: rasterio.DatasetReader, band: int, window: Window, out: Sample) -> np.ma.MaskedArray | None:
    try:
        return image.read(band, window=window, masked=True)
    except (RasterioError, OSError, MemoryError):
        out.failed.append(f"band {band}, row {window.row_off}, column {window.col_off}")
        return None


def _frame(data: np.ma.MaskedArray, window: Window, width: int, height: int) -> np.ndarray:
    sides = [
        (window.row_off == 0, data[0]),
        (window.row_off + window.height >= height, data[-1]),
        (window.col_off == 0, data[:, 0]),
        (window.col_off + window.width >= width, data[:, -1]),
    ]
    kept = [side.compressed() for outside, side in sides if outside]
    return np.concatenate(kept) if kept else np.array([], data.dtype)


def defects(image: rasterio.DatasetReader, got: Sample, name: str) -> tuple[list[Defect], dict[str, Any]]:
    """Defects of the cells, and facts: value range and whether it looks like heights."""
    if got.failed:
        return [_cut_off(got, name)], {}
    if image.dtypes[0].startswith("complex"):
        return [], {}
    numbers = got.numbers
    if not len(numbers):
        seen = "no cell" if got.whole else "none of the cells looked at"
        return [
            defect("raster_empty", "warning", f"{name} holds no data: {seen} has a value.", "Ask for it again.")
        ], {}
    kinds, counts = np.unique(numbers, return_counts=True)
    heights = image.count == 1 and _like_heights(image, kinds, counts)
    found = [d for d in (_constant(kinds, got, name), _undeclared(image, got, kinds, counts, heights, name)) if d]
    facts = {"minimum": float(kinds[0]), "maximum": float(kinds[-1]), "like_heights": heights}
    return found, facts


def _cut_off(got: Sample, name: str) -> Defect:
    part = "nothing of it" if len(got.failed) >= got.windows else f"{len(got.failed)} of {got.windows} places looked at"
    verb = "can be read" if part.startswith("nothing") else "cannot be read"
    return defect(
        "raster_cut_off",
        "error",
        f"{name} is cut off or damaged: {part} {verb}, first {got.failed[0]}.",
        "Ask for the file again.",
        count=len(got.failed),
        place=got.failed[0],
    )


def _constant(kinds: np.ndarray, got: Sample, name: str) -> Defect | None:
    if len(kinds) > 1 or (got.cells > len(got.values)):
        return None
    where = "every cell" if got.whole else "every cell looked at"
    # a mask tile of noughts or ones is a result; one height everywhere is none
    severity: Severity = "info" if got.values.dtype.kind in "iub" and kinds[0] in (0, 1, 255) else "warning"
    return defect(
        "raster_constant",
        severity,
        f"{name} has one value, {kinds[0]:g}, in {where}.",
        "Look whether it is the right file.",
    )


def _like_heights(image: rasterio.DatasetReader, kinds: np.ndarray, counts: np.ndarray) -> bool:
    """Many values of a land's heights, if known sentinels are left aside; whole numbers of a few kinds are classes."""
    if (
        image.dtypes[0] in ("uint8", "int8")
        or image.driver == "SRTMHGT"
        or "elev" in " ".join(map(str, image.descriptions)).lower()
    ):
        return image.dtypes[0] not in ("uint8", "int8")
    real = (kinds > _LOWEST_M) & (kinds < _HIGHEST_M) & ~np.isin(kinds, _SENTINELS)
    if real.sum() <= 40 or counts[real].sum() < 0.05 * counts.sum():
        return False
    rest = counts[~real & ~np.isin(kinds, _SENTINELS)].sum()
    low, high = kinds[real][[0, -1]]
    return bool(rest <= 0.001 * counts.sum() and high - low > 2)


def _undeclared(
    image: rasterio.DatasetReader, got: Sample, kinds: np.ndarray, counts: np.ndarray, heights: bool, name: str
) -> Defect | None:
    """A value that stands apart from the others as only nodata does, though the file does not say so."""
    for at in _apart(kinds, counts, heights):
        value, share = kinds[at], counts[at] / max(got.cells, 1)
        edge = float((got.edge == value).mean()) if len(got.edge) else 0.0
        if not _suspect(value, share, edge, heights, kinds, counts):
            continue
        declared = "declares no nodata value" if image.nodata is None else f"declares {image.nodata:g} as nodata"
        message = (
            f"{name} {declared}, but {share:.2%} of its cells ({edge:.0%} of its edge) are {value:g}, far from all other "
            f"values ({_rest(kinds, at)}): they look like nodata."
        )
        severity: Severity = "warning" if heights else "info"
        return defect(
            "nodata_suspect",
            severity,
            message,
            f"Declare {value:g} as nodata before computing with it.",
            count=int(counts[at]),
        )
    return None


def _apart(kinds: np.ndarray, counts: np.ndarray, heights: bool) -> list[int]:
    """Places of the extreme values in ``kinds``, the farther from its neighbour first."""
    if len(kinds) < 2:
        return []
    with np.errstate(over="ignore"):
        gaps = [(float(kinds[1]) - float(kinds[0]), 0), (float(kinds[-1]) - float(kinds[-2]), len(kinds) - 1)]
    return [at for _, at in sorted(gaps, reverse=True)]


def _suspect(value: Any, share: float, edge: float, heights: bool, kinds: np.ndarray, counts: np.ndarray) -> bool:
    rest = kinds[kinds != value]
    width = float(rest[-1]) - float(rest[0])
    gap = abs(float(value) - float(rest[0] if value < rest[0] else rest[-1]))
    known = bool(np.isclose(float(value), _SENTINELS, rtol=1e-6, atol=0).any()) or abs(float(value)) >= 1e30
    if heights and (value < _LOWEST_M or value > _HIGHEST_M):
        return True
    if len(kinds) <= 40:  # classes: 1, 2, 3 and 255
        return (known or value in _CLASS_SENTINELS) and share > 0.01 and kinds.dtype.kind in "iuf" and gap >= 1
    if known:
        return gap > width or share > 0.02 or edge > 0.05
    # black, or 0 m, round a picture whose own values begin well above
    return value == 0 and gap > max(0.1 * width, 8 * _step(rest)) and (edge > 0.05 or share > 0.02)


def _step(rest: np.ndarray) -> float:
    """Typical distance of neighbouring values."""
    return float(np.median(np.diff(rest[: max(len(rest) // 4, 2)]))) if len(rest) > 2 else 0.0


def _rest(kinds: np.ndarray, at: int) -> str:
    rest = np.delete(kinds, at)
    return f"{rest[0]:g} to {rest[-1]:g}"
