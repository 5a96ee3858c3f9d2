"""Scenes: what an image file says of itself, and small pictures cut from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from PIL import Image, ImageDraw
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window, from_bounds

from rivergis import crs, geometry
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import sources

_OUTLINE = (255, 214, 10)


@dataclass(frozen=True)
class Scene:
    """An image: its footprint (MultiPolygon, EPSG:4490), ground sampling distance, bands, nodata and hash."""

    sha256: str
    source_crs: str
    footprint: shapely.MultiPolygon
    gsd_m: float
    bands: str
    nodata: float | None = None


@contextmanager
def _opened(path: Path) -> Iterator[rasterio.DatasetReader]:
    try:
        with warnings.catch_warnings():
            # what is not georeferenced is refused below, in a sentence
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as image:
                yield image
    except (RasterioError, MemoryError) as error:
        raise InputError(
            f"{path.name} cannot be read as an image ({' '.join(str(error).split())[:120]}): it is damaged or of another kind.",
            file=str(path),
        ) from error


def read_scene(path: Path, crs_declared: str | None = None) -> Scene:
    """Describe an image file; ``InputError`` when it cannot be read, ``CrsRefused`` when its place is not known."""
    sources.check(path, sources.RASTER, "image file")
    sha256 = sources.sha256(path)
    with _opened(path) as image:
        if image.transform.is_identity:
            raise CrsRefused(f"{path.name} does not say where on earth it lies: ask for the georeferenced image.")
        used = crs.accepted(crs_declared or image.crs, path.name)
        # both ends: a file that was cut off fails here, not in the night
        for row, column in ((0, 0), (max(image.height - 64, 0), max(image.width - 64, 0))):
            image.read(1, window=Window(column, row, min(64, image.width), min(64, image.height)))
        corners = [
            image.transform @ c for c in ((0, 0), (image.width, 0), (image.width, image.height), (0, image.height))
        ]
        outline = gpd.GeoSeries([shapely.Polygon(corners)], crs=used)
        bands = ",".join(d or f"band{i + 1}" for i, d in enumerate(image.descriptions))
        pixels, nodata = image.width * image.height, image.nodata
    footprint = geometry.polygons_of(outline.segmentize(outline.length.iloc[0] / 40).to_crs(crs.STORAGE).iloc[0])
    if not geometry.finite(footprint) or not footprint.within(shapely.box(-180, -90, 180, 90)):
        raise CrsRefused(
            f"{path.name} does not lie on earth in {used.name}: its coordinate system is not the true one."
        )
    gsd_m = (crs.area_m2(footprint) / pixels) ** 0.5
    return Scene(sha256, used.to_string(), footprint, round(float(gsd_m), 2), bands, nodata)


def write_chip(path: Path, shape: shapely.Geometry, margin_m: float, out: Path, min_px: int = 360) -> None:
    """A true-colour PNG of the ground round a shape (EPSG:4490), the shape outlined, for before and after pictures.

    The first three bands are taken as blue, green, red unless they are named otherwise; stretched over the 2nd to 98th
    percentile of the whole image without its nodata, so that two pictures of one place compare. ``InputError`` when the
    image does not show the place.
    """
    with _opened(path) as image:
        local = gpd.GeoSeries([shape], crs=crs.STORAGE).to_crs(image.crs).iloc[0]
        window = _window_of(image, _round(shape, margin_m, image), path)
        order = _true_colour(image)
        low, high = _stretch(image, order)
        data = image.read(order, window=window, masked=True).astype(float)
        transform = image.transform @ rasterio.Affine.translation(window.col_off, window.row_off)
    scaled = np.clip((data.filled(0) - low[:, None, None]) / np.maximum(high - low, 1)[:, None, None], 0, 1) * 255
    scaled[np.ma.getmaskarray(data)] = 0
    factor = max(1, -(-min_px // max(data.shape[1:])))
    picture = Image.fromarray(scaled.astype("uint8").transpose(1, 2, 0)).resize(
        (data.shape[2] * factor, data.shape[1] * factor), Image.Resampling.BICUBIC
    )
    _outline(picture, local, ~transform, factor)
    picture.save(out, format="PNG", optimize=True)


def _round(shape: shapely.Geometry, margin_m: float, image: rasterio.DatasetReader) -> tuple[float, ...]:
    """Bounds of the ground round a shape in the image's system; the margin is measured in metres of the local zone."""
    near = crs.to_metric(gpd.GeoSeries([shape], crs=crs.STORAGE)).buffer(
        margin_m, cap_style="square", join_style="mitre"
    )
    return tuple(near.to_crs(image.crs).total_bounds)


def _window_of(image: rasterio.DatasetReader, bounds: tuple[float, ...], path: Path) -> Window:
    wanted = from_bounds(*bounds, image.transform)
    top, left = max(int(np.floor(wanted.row_off)), 0), max(int(np.floor(wanted.col_off)), 0)
    bottom = min(int(np.ceil(wanted.row_off + wanted.height)), image.height)
    right = min(int(np.ceil(wanted.col_off + wanted.width)), image.width)
    if top >= bottom or left >= right:
        raise InputError(f"{path.name} does not show this place.", file=str(path))
    return Window(left, top, right - left, bottom - top)


def _stretch(image: rasterio.DatasetReader, order: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """2nd and 98th percentile of each band of the whole image, read small; nodata does not count."""
    small = image.read(order, out_shape=(len(order), min(400, image.height), min(400, image.width)), masked=True)
    ends = [np.percentile(band.compressed(), (2, 98)) if band.count() else (0.0, 1.0) for band in small]
    return np.array([e[0] for e in ends]), np.array([e[1] for e in ends])


def _true_colour(image: rasterio.DatasetReader) -> list[int]:
    names = [(d or "").lower() for d in image.descriptions]
    if {"red", "green", "blue"} <= set(names):
        return [names.index(c) + 1 for c in ("red", "green", "blue")]
    return [3, 2, 1] if image.count >= 3 else [1, 1, 1]


def _outline(picture: Image.Image, shape: shapely.Geometry, to_pixel: rasterio.Affine, factor: int) -> None:
    draw = ImageDraw.Draw(picture)
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            points = [tuple(v * factor for v in to_pixel @ (x, y)) for x, y in shapely.get_coordinates(part.exterior)]
            draw.line(points, fill=_OUTLINE, width=2)
        else:
            x, y = (v * factor for v in to_pixel @ part.centroid.coords[0])
            draw.ellipse((x - 15, y - 15, x + 15, y + 15), outline=_OUTLINE, width=2)
