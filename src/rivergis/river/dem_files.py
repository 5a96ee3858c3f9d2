"""DEMs in and out of files: read with every void found and every assumption said, written in blocks under a temporary name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.errors import RasterioError
from rasterio.windows import Window

from rivergis import crs
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import columns, raster, raster_header, sources
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.river.terrain import HIGHEST_M, LOCAL, LOWEST_M, NATIONAL_1985, UNKNOWN, Dem, undeclared_note

_FOOT, _US_FOOT = 0.3048, 1200 / 3937
UNITS = {
    **dict.fromkeys(("m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), _FOOT),
    **dict.fromkeys(("us-ft", "ftus", "us survey foot", "us survey feet", "foot_us", "us_survey_foot"), _US_FOOT),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), 0.01),
    **dict.fromkeys(("dm", "decimetre", "decimeter"), 0.1),
}
_DATUMS = {
    "1985": NATIONAL_1985,
    "1956": "1956黄海高程系",
    "吴淞": "吴淞高程",
    "珠江": "珠江高程",
    "大沽": "大沽高程",
    "废黄河": "废黄河口高程",
    "ellipsoidal": "ellipsoidal",
}
_FOREIGN = {"yellow sea 1985": "1985", "yellow sea 1956": "1956", "wgs 84 ellipsoid": "ellipsoidal"}


def datum_named(text: str | None) -> str:
    """The vertical datum that words name, as written here: ``1985`` is 1985国家高程基准; NAVD88 and others stay as they are."""
    word = " ".join((text or "").split())
    lower = word.lower()
    if lower in ("", "none", UNKNOWN, LOCAL, "未知", "地方", "独立高程"):
        return LOCAL if lower in (LOCAL, "地方", "独立高程") else UNKNOWN
    foreign = next((code for name, code in _FOREIGN.items() if lower.startswith(name)), None)
    short = re.sub(r" (?:height|depth)(?: \(\w+\))?$", "", word)  # NAVD88 height (ftUS): the unit is told apart
    return _DATUMS.get(foreign or columns.vertical_datum(word) or lower, short)


@dataclass(frozen=True)
class DemFile:
    """An open DEM, north up, of which windows can be read; see ``opened``."""

    image: rasterio.DatasetReader
    name: str
    shape: tuple[int, int]
    affine: Affine
    crs: CRS
    vertical_datum: str
    to_metres: tuple[float, float]
    """Factor and offset from the numbers in the file to metres."""
    flipped: tuple[bool, bool]
    said: tuple[str, ...]

    def read(self, window: Window | None = None) -> Dem:
        """Heights of a window (rows and columns of the north-up grid), or of all; impossible heights are voids, and that is said."""
        rows, columns = self.shape
        window = window or Window(0, 0, columns, rows)
        z, impossible = self._cells(window)
        said = (*self.said, undeclared_note(self.name, impossible)) if impossible else self.said
        affine = self.affine @ Affine.translation(window.col_off, window.row_off)
        return Dem(z, affine, self.crs, self.vertical_datum, self.name, said, impossible)

    def _cells(self, window: Window) -> tuple[Any, int]:
        rows, columns = self.shape
        up, left = self.flipped
        row = rows - window.row_off - window.height if up else window.row_off
        column = columns - window.col_off - window.width if left else window.col_off
        try:
            data = self.image.read(1, window=Window(column, row, window.width, window.height), masked=True)
        except (RasterioError, MemoryError) as error:
            raise InputError(
                f"{self.name} cannot be read to its end ({' '.join(str(error).split())[:120]}): it is damaged or cut off; ask for it again.",
                file=self.name,
            ) from error
        void = np.ma.getmaskarray(data)
        factor, offset = self.to_metres
        z = data.data.astype(np.float32)
        if (factor, offset) != (1.0, 0.0):
            z = (data.data * factor + offset).astype(np.float32)
        z[void] = np.nan
        with np.errstate(invalid="ignore"):
            impossible = (z < LOWEST_M) | (z > HIGHEST_M)
        z[impossible] = np.nan
        return z[:: -1 if up else 1, :: -1 if left else 1], int(impossible.sum())


@contextmanager
def opened(
    path: Path, *, system: str | None = None, vertical_datum: str | None = None, limits: Limits = DEFAULT
) -> Iterator[DemFile]:
    """A DEM file open for reading windows: GeoTIFF, ERDAS IMG, ASCII grid, SRTM HGT.

    ``system`` and ``vertical_datum`` are what the user declares over what the file says. Raises ``InputError`` for what is no
    grid of heights or is rotated, ``CrsRefused`` where it does not say where on earth it lies.
    """
    sources.check(path, sources.RASTER, "DEM")
    with raster.opened(path, limits) as image:
        whole = _system(path, image, system)
        affine, flipped = _grid(path, image)
        factor, unit = _unit(path, image, whole)
        datum, notes = _datum(path, image, whole, vertical_datum)
        scale, offset = (image.scales or (1.0,))[0], (image.offsets or (0.0,))[0]
        if unit:
            notes = [*notes, unit]
        yield DemFile(
            image,
            path.name,
            (image.height, image.width),
            affine,
            whole.sub_crs_list[0] if whole.is_compound else whole,
            datum,
            (scale * factor, offset * factor),
            flipped,
            tuple(notes),
        )


def read(path: Path, *, system: str | None = None, vertical_datum: str | None = None) -> Dem:
    """The whole DEM of a file in memory; see ``opened`` for what is refused."""
    with opened(path, system=system, vertical_datum=vertical_datum) as file:
        return file.read()


def _system(path: Path, image: rasterio.DatasetReader, declared: str | None) -> CRS:
    said = declared or raster_header.declared(path, image).wkt
    whole = crs.accepted(said, path.name)
    if declared is not None and not whole.is_compound:
        crs.accepted(whole, path.name)
    return whole


def _grid(path: Path, image: rasterio.DatasetReader) -> tuple[Affine, tuple[bool, bool]]:
    """The north-up affine of a grid and whether its rows and columns are to be turned round."""
    if image.count >= 3 and image.dtypes[0] == "uint8":
        raise InputError(f"{path.name} is a picture of {image.count} bands, not a grid of heights.", file=str(path))
    if np.dtype(image.dtypes[0]).kind == "c":
        raise InputError(f"{path.name} holds complex numbers, not heights.", file=str(path))
    grid = image.transform
    if grid.is_identity:
        kind = next((k for k in raster_header.KINDS if path.suffix.lower() in k.endings), raster_header.KINDS[0])
        world, _ = raster_header.world_file(path, kind)
        if world is None:
            raise CrsRefused(
                f"{path.name} does not say where on earth it lies: ask for the georeferenced DEM.", file=str(path)
            )
        grid = world
    if abs(grid.b) + abs(grid.d) > 1e-9 * (abs(grid.a) + abs(grid.e)):
        raise InputError(f"The grid of {path.name} is rotated: bring it north up first (gdalwarp).", file=str(path))
    up, left = grid.e > 0, grid.a < 0
    if up:
        grid = grid @ Affine.translation(0, image.height) @ Affine.scale(1, -1)
    if left:
        grid = grid @ Affine.translation(image.width, 0) @ Affine.scale(-1, 1)
    return grid, (up, left)


def _unit(path: Path, image: rasterio.DatasetReader, whole: CRS) -> tuple[float, str | None]:
    """Factor from the unit of the heights to metres, and what to say of it."""
    named = next((u for u in image.units[:1] if u), None)
    if named is None and whole.is_compound:
        axis = whole.sub_crs_list[1].axis_info[0]
        return float(axis.unit_conversion_factor), None if axis.unit_conversion_factor == 1 else (
            f"{path.name}: heights were brought from {axis.unit_name} to metres."
        )
    if named is None:
        return 1.0, None
    factor = UNITS.get(named.strip().lower())
    if factor is None:
        raise InputError(
            f"{path.name} gives its heights in {named!r}, a unit that is not known here: ask for metres.",
            file=str(path),
        )
    return factor, None if factor == 1 else f"{path.name}: heights were brought from {named} to metres."


def _datum(path: Path, image: rasterio.DatasetReader, whole: CRS, declared: str | None) -> tuple[str, list[str]]:
    """The vertical datum by the user, else by the file; where both speak and differ, that is said."""
    told = datum_named(_told(image, whole))
    if declared is None:
        return told, []
    chosen = datum_named(declared)
    if told == UNKNOWN:
        return chosen, [f"{path.name}: the vertical datum {chosen} is declared by the user; the file names none."]
    if told != chosen:
        return chosen, [
            f"{path.name}: the file names the vertical datum {told}; the user declares {chosen}, which is used."
        ]
    return chosen, []


def _told(image: rasterio.DatasetReader, whole: CRS) -> str | None:
    if whole.is_compound:
        return str(whole.sub_crs_list[1].name)
    if len(whole.axis_info) == 3:
        return "ellipsoidal"
    if image.driver == "SRTMHGT":
        return "EGM96"
    tags = {k.lower(): v for k, v in (image.tags() | image.tags(1)).items()}
    return next((v for k, v in tags.items() if "vert" in k and ("datum" in k or "cs" in k)), None)
