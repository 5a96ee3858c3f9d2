"""Scenes made ready for tiles (切片准备): a cloud-optimised GeoTIFF (COG) beside the file that came, made once.

The file that came stays as it is: evidence rests on its hash. The copy has the same cells in the same system, tiled,
with overviews and compressed without loss; it carries the coordinate system that the import accepted, and where the
grid of the file was rotated it is laid north up. Only the copy is read for tiles.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.shutil import copy
from rasterio.vrt import WarpedVRT

from rivergis.errors import EnvironmentFault, InputError

SUFFIX = ".cog.tif"
_CACHE_MB = 128
_BLOCK = 256
_CLASSES = 32
"""An integer band with no more values than this is taken for classes: averaged, they would be other classes."""
_SAMPLE = 512
_HALF_SEEN = 0.2
"""Share of cells that are neither seen nor unseen above which a band is a measure and no transparency."""
_ROOM = 3
"""Times its uncompressed size that must be free on the disk: the copy, its overviews and what GDAL needs meanwhile."""


def beside(kept: Path) -> Path:
    """Where the copy of a file of the store lies."""
    return kept.with_name(kept.stem + SUFFIX)


def make(source: Path, target: Path, system: str) -> None:
    """Write the copy of an image (``source``, in the coordinate system ``system``) to ``target``, whole or not at all.

    Raises ``InputError`` when the image cannot be read to its end or holds complex numbers, ``EnvironmentFault`` when the
    disk is full.
    """
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with _plain(source, part) as plain, _upright(plain, system) as image:
            _refuse(source, image, target)
            _copy(image, part)
        part.replace(target)
    except (RasterioError, CPLE_BaseError, MemoryError) as error:
        told = " ".join(str(error).split()).replace(str(source), source.name)[:160]
        raise InputError(f"{source.name} cannot be made ready for tiles: {told}.", file=str(source)) from error
    except OSError as error:
        raise EnvironmentFault(
            f"{target.name} cannot be written in {target.parent} ({error.strerror}): free some space or check the folder's owner."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def _plain(source: Path, part: Path) -> Iterator[Path]:
    """The image; where its fourth band passes for transparency and is none, a passing copy that does not say so.

    Programs mark the last of four bands as alpha without being asked; near infrared taken for it would hide the ground.
    """
    with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB << 20):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(source) as image:
            if not _measures_as_alpha(image):
                yield source
                return
            stage = part.with_name(part.name + ".stage")
            try:
                copy(image, stage, driver="GTiff", TILED="YES", BIGTIFF="IF_SAFER")
                with rasterio.open(stage, "r+") as plain:
                    plain.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * (image.count - 1)]
                yield stage
            finally:
                stage.unlink(missing_ok=True)


def _measures_as_alpha(image: rasterio.DatasetReader) -> bool:
    """Whether a band is marked as alpha and is none: it has a name of its own, or more than a few cells that are half seen."""
    if ColorInterp.alpha not in image.colorinterp:
        return False
    band = image.colorinterp.index(ColorInterp.alpha) + 1
    name = (image.descriptions[band - 1] or "").lower()
    if name:
        return not any(word in name for word in ("alpha", "mask", "band"))
    cells = image.read(band, out_shape=(min(_SAMPLE, image.height), min(_SAMPLE, image.width)))
    half = (cells != 0) & (cells != 255) & (cells != np.iinfo(cells.dtype).max if cells.dtype.kind in "iu" else True)
    return float(half.mean()) > _HALF_SEEN


@contextlib.contextmanager
def _upright(source: Path, system: str) -> Iterator[rasterio.DatasetReader | WarpedVRT]:
    """The image in its accepted system, rows running east; as it is where it is so already."""
    with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB << 20):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(source) as image:
            wanted, grid = rasterio.crs.CRS.from_user_input(system), image.transform
            rotated = abs(grid.b) + abs(grid.d) > 1e-9 * (abs(grid.a) + abs(grid.e))
            flipped = not rotated and (grid.e > 0 or grid.a < 0)
            if image.crs == wanted and not rotated and not flipped:
                yield image
                return
            place = {} if rotated or flipped else {"transform": grid, "width": image.width, "height": image.height}
            with WarpedVRT(image, src_crs=wanted, crs=wanted, **place, **_holes(image, rotated)) as upright:
                yield upright


def _holes(image: rasterio.DatasetReader, rotated: bool) -> dict[str, object]:
    """How the corners that turning leaves empty stay empty: as the image's own nodata, or by an alpha band."""
    if image.nodata is not None:
        return {"nodata": image.nodata, "src_nodata": image.nodata}
    masked = any(MaskFlags.per_dataset in flags for flags in image.mask_flag_enums)
    return {"add_alpha": True} if (rotated or masked) and ColorInterp.alpha not in image.colorinterp else {}


def _refuse(source: Path, image: rasterio.DatasetReader | WarpedVRT, target: Path) -> None:
    kinds = {np.dtype(d) if not d.startswith("complex") else np.dtype("complex64") for d in image.dtypes}
    if any(k.kind == "c" for k in kinds):
        raise InputError(
            f"{source.name} holds complex numbers (raw radar): ask for the intensity image.", file=str(source)
        )
    need = image.width * image.height * sum(np.dtype(d).itemsize for d in image.dtypes) * _ROOM // 2
    free = shutil.disk_usage(target.parent).free
    if need > free:
        raise EnvironmentFault(
            f"{target.parent} has {free >> 20} MB free, and the tiles of {source.name} may need {need >> 20} MB: free some space."
        )


def _copy(image: rasterio.DatasetReader | WarpedVRT, part: Path) -> None:
    classes = _is_classes(image)
    float_or_whole = "YES" if np.dtype(image.dtypes[0]).kind in "iuf" and image.dtypes[0] != "float16" else "NO"
    copy(
        image,
        part,
        driver="COG",
        BLOCKSIZE=_BLOCK,
        COMPRESS="DEFLATE",
        PREDICTOR=float_or_whole,
        BIGTIFF="IF_SAFER",
        OVERVIEWS="IGNORE_EXISTING",
        RESAMPLING="NEAREST" if classes else "AVERAGE",
        NUM_THREADS=str(min(4, os.cpu_count() or 1)),
    )
    _name_bands(image, part)


def _name_bands(image: rasterio.DatasetReader | WarpedVRT, part: Path) -> None:
    """A turned image comes without the names of its bands; they are written behind, which a reader does not mind."""
    source = image.src_dataset if isinstance(image, WarpedVRT) else None
    if source is None or not any(source.descriptions):
        return
    with rasterio.open(part, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as out:
        for band, said in enumerate(source.descriptions, 1):
            if said:
                out.set_band_description(band, said)


def _is_classes(image: rasterio.DatasetReader | WarpedVRT) -> bool:
    """Whether cells are classes (land use, a mask) rather than measures."""
    if image.count != 1 or np.dtype(image.dtypes[0]).kind not in "iu":
        return False
    if ColorInterp.palette in image.colorinterp:
        return True
    shape = (1, min(_SAMPLE, image.height), min(_SAMPLE, image.width))
    return len(np.unique(image.read(out_shape=shape))) <= _CLASSES
