"""Scenes: what an image file says of itself, and small pictures cut from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from PIL import Image
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window, from_bounds

from rivergis import crs, geometry
from rivergis.errors import InputError
from rivergis.intake import sources


@dataclass(frozen=True)
class Scene:
    """An image: its footprint (MultiPolygon, EPSG:4490), ground sampling distance, bands and hash."""

    sha256: str
    source_crs: str
    footprint: shapely.MultiPolygon
    gsd_m: float
    bands: str


def read_scene(path: Path, crs_declared: str | None = None) -> Scene:
    """Describe an image file; ``InputError`` when it cannot be read, ``CrsRefused`` when its place is not known."""
    sources.check(path, sources.RASTER, "image file")
    try:
        with rasterio.open(path) as image:
            image.read(1, window=Window(0, 0, min(64, image.width), min(64, image.height)))
            used = crs.accepted(crs_declared or image.crs, path.name)
            outline = gpd.GeoSeries([shapely.box(*image.bounds)], crs=used)
            bands = ",".join(d or f"band{i + 1}" for i, d in enumerate(image.descriptions))
            width = image.width
    except (RasterioIOError, RasterioError) as error:
        raise InputError(
            f"{path.name} cannot be read as an image ({' '.join(str(error).split())[:120]}): it is damaged or of another kind.",
            file=str(path),
        ) from error
    metric = crs.to_metric(outline.to_crs(crs.STORAGE))
    west, _, east, _ = metric.total_bounds
    footprint = geometry.polygons_of(outline.segmentize(outline.length.iloc[0] / 40).to_crs(crs.STORAGE).iloc[0])
    return Scene(sources.sha256(path), used.to_string(), footprint, round((east - west) / width, 3), bands)


def write_chip(path: Path, shape: shapely.Geometry, margin_m: float, out: Path, min_px: int = 360) -> None:
    """A true-colour PNG of the ground round a shape (EPSG:4490), the shape outlined, for before and after pictures.

    The first three bands are taken as blue, green, red unless they are named otherwise; stretched over the 2nd to 98th percentile of
    the whole image, so that two pictures of one place compare.
    """
    with rasterio.open(path) as image:
        local = gpd.GeoSeries([shape], crs=crs.STORAGE).to_crs(image.crs).iloc[0]
        west, south, east, north = local.bounds
        window = (
            from_bounds(west - margin_m, south - margin_m, east + margin_m, north + margin_m, image.transform)
            .round_offsets()
            .round_lengths()
        )
        window = window.intersection(Window(0, 0, image.width, image.height))
        order = _true_colour(image)
        low, high = np.percentile(
            image.read(order, out_shape=(3, min(400, image.height), min(400, image.width))), (2, 98), axis=(1, 2)
        )
        data = image.read(order, window=window).astype(float)
        transform = image.window_transform(window)
    scaled = np.clip((data - low[:, None, None]) / np.maximum(high - low, 1)[:, None, None], 0, 1) * 255
    factor = max(1, -(-min_px // max(data.shape[1:])))
    picture = Image.fromarray(scaled.astype("uint8").transpose(1, 2, 0)).resize(
        (data.shape[2] * factor, data.shape[1] * factor), Image.Resampling.BICUBIC
    )
    _outline(picture, local, ~transform, factor)
    picture.save(out, format="PNG", optimize=True)


def _true_colour(image: rasterio.DatasetReader) -> list[int]:
    names = [(d or "").lower() for d in image.descriptions]
    if {"red", "green", "blue"} <= set(names):
        return [names.index(c) + 1 for c in ("red", "green", "blue")]
    return [3, 2, 1] if image.count >= 3 else [1, 1, 1]


def _outline(picture: Image.Image, shape: shapely.Geometry, to_pixel: rasterio.Affine, factor: int) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    for part in shapely.get_parts(shape):
        ring = part.exterior if part.geom_type == "Polygon" else part.buffer(15).exterior
        points = [tuple(v * factor for v in to_pixel @ (x, y)) for x, y in shapely.get_coordinates(ring)]
        draw.line(points, fill=(255, 214, 10), width=2)
