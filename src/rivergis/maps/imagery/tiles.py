"""Tiles of scenes and terrain (影像与地形瓦片): cut from a COG through rio-tiler, coloured, transparent where nothing is seen.

The stretch comes from the whole scene, never from one tile, so that tiles of a scene meet without seams; memory is that
of one tile, however large the scene is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import morecantile
import numpy as np
import rasterio
from pyproj import CRS
from rasterio import Affine
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.warp import transform, transform_bounds
from rio_tiler.colormap import cmap
from rio_tiler.reader import read
from rio_tiler.utils import render

from rivergis.errors import InputError, UsageError
from rivergis.maps.imagery.look import Look

SIZE_PX = 256
FORMATS = {"png": "image/png", "webp": "image/webp"}
# how much care is worth its time: a tile is looked at once
_CARE: dict[str, dict[str, Any]] = {
    "png": {"img_format": "PNG", "zlevel": 3},
    "webp": {"img_format": "WEBP", "quality": 80},
}
_HEIGHTS = (
    (0.0, (62, 122, 84)),
    (0.2, (132, 170, 98)),
    (0.42, (214, 205, 142)),
    (0.65, (184, 146, 96)),
    (0.85, (139, 104, 80)),
    (1.0, (244, 242, 238)),
)
"""Colours of heights, low to high: no blue, which is for water."""
_CACHE_MB = 64
_SAMPLE_PX = 512
Soft = Literal["bilinear", "cubic"]
_EARTH_M = 6_378_137.0
GRIDS = {
    "3857": morecantile.tms.get("WebMercatorQuad"),
    # the tiles of the national platform (天地图) in degrees: its level z is ours z - 1, two tiles at the top
    "4490": morecantile.TileMatrixSet.custom(
        [-180, -90, 180, 90], CRS.from_epsg(4490), matrix_scale=[2, 1], title="CGCS2000Quad"
    ),
}
MAX_ZOOM = 22


@dataclass(frozen=True)
class _Lie:
    """How a scene lies in a grid of tiles: its box there, the size of its pixels there, and how much coarser its overviews are."""

    box: tuple[float, float, float, float]
    pixel: float
    coarser: tuple[int, ...]


@dataclass(frozen=True)
class Facts:
    """What a scene says of its bands; an overview of it says nothing."""

    names: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    """What each band is said to be: gray, red, alpha …"""
    palette: dict[int, Any]
    """Colours that the file gives its classes, if it does."""
    nodata: float | None


@dataclass(frozen=True)
class _Tile:
    """One tile to be drawn: its scene as opened, its box in the system of its grid."""

    cog: Path
    facts: Facts
    image: rasterio.DatasetReader
    grid: morecantile.TileMatrixSet
    box: tuple[float, float, float, float]

    @property
    def pixel(self) -> tuple[float, float]:
        west, south, east, north = self.box
        return (east - west) / SIZE_PX, (north - south) / SIZE_PX


def tile(cog: Path, look: Look, z: int, x: int, y: int, *, kind: str = "png", grid: str = "3857") -> bytes | None:
    """One tile of a scene as picture; None where the scene does not lie in it.

    ``UsageError`` where the scene lacks a band that the look asks for, ``InputError`` where the file cannot be read.
    """
    tiles = GRIDS[grid]
    bounds = tiles.xy_bounds(morecantile.Tile(x, y, z))
    box = (bounds.left, bounds.bottom, bounds.right, bounds.top)
    lie = _lie(cog, grid, cog.stat().st_mtime_ns)
    if box[0] >= lie.box[2] or box[2] <= lie.box[0] or box[1] >= lie.box[3] or box[3] <= lie.box[1]:
        return None
    wanted = (box[2] - box[0]) / SIZE_PX / lie.pixel
    fit = [n for n, coarser in enumerate(lie.coarser) if coarser <= wanted]
    with _opened(cog, fit[-1] if fit else None) as image:
        return _draw(_Tile(cog, facts(cog), image, tiles, box), look, kind)


@contextmanager
def _opened(cog: Path, overview: int | None = None) -> Iterator[rasterio.DatasetReader]:
    """The scene, or one of its overviews: what is read for a tile is never much more than what it shows."""
    level = {} if overview is None else {"OVERVIEW_LEVEL": overview}
    try:
        with (
            rasterio.Env(GDAL_CACHEMAX=_CACHE_MB << 20, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            rasterio.open(cog, **level) as image,
        ):
            yield image
    except (RasterioError, CPLE_BaseError) as error:
        raise InputError("The tiles of this scene cannot be read: its file is damaged; import it again.") from error


def facts(cog: Path) -> Facts:
    """The facts of a scene, read once while its copy for tiles stays the same."""
    return _facts(cog, cog.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _facts(cog: Path, _changed: int) -> Facts:
    with _opened(cog) as image:
        try:
            palette = image.colormap(1)
        except ValueError:
            palette = {}
        return Facts(names(image), tuple(c.name for c in image.colorinterp), palette, image.nodata)


@lru_cache(maxsize=1024)
def _lie(cog: Path, grid: str, _changed: int) -> _Lie:
    with _opened(cog) as image:
        system = GRIDS[grid].rasterio_crs
        box = transform_bounds(image.crs, system, *image.bounds, densify_pts=21)
        middle = image.width // 2, image.height // 2
        at = [image.transform @ c for c in (middle, (middle[0] + 1, middle[1]), (middle[0], middle[1] + 1))]
        (x0, x1, x2), (y0, y1, y2) = transform(image.crs, system, *zip(*at, strict=True))
        pixel = min(math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x0, y2 - y0))
        return _Lie(box, pixel, tuple(image.overviews(1)))


def _draw(tile: _Tile, look: Look, kind: str) -> bytes:
    if look.relief:
        return _relief(tile, look, kind)
    numbers = bands(tile.facts, look)
    data = _read(tile, look, numbers)
    if look.sum is not None:
        values, seen = _summed(look, data, numbers), _seen(data)
        return _coloured(values, seen & np.isfinite(values), _ends(tile.cog, look), look, kind)
    palette = tile.facts.palette if len(numbers) == 1 and not look.colours and look.stretch == "percentile" else None
    seen = _seen(data)
    if palette:
        return render(data.data.astype("uint8"), _mask(seen), **_CARE[kind], colormap=palette)
    if look.colours:
        return _coloured(data.data[0].astype("float32"), seen, _ends(tile.cog, look), look, kind)
    return render(_stretched(data.data, _ends(tile.cog, look), look.gamma), _mask(seen), **_CARE[kind])


def _read(
    tile: _Tile, look: Look, numbers: tuple[int, ...], soft: Soft = "bilinear", rim: int = 0
) -> np.ma.MaskedArray:
    """The cells of a tile, with a rim of so many pixels."""
    side = SIZE_PX + 2 * rim
    place = Affine.translation(tile.box[0], tile.box[3]) @ Affine.scale(tile.pixel[0], -tile.pixel[1])
    array: np.ma.MaskedArray = read(
        tile.image,
        dst_crs=tile.grid.rasterio_crs,
        indexes=numbers,
        width=side,
        height=side,
        nodata=tile.facts.nodata if look.nodata is None else look.nodata,
        reproject_method="nearest" if tile.facts.palette else soft,
        vrt_options={
            "crs": tile.grid.rasterio_crs,
            "transform": place @ Affine.translation(-rim, -rim),
            "width": side,
            "height": side,
        },
    ).array
    return np.ma.masked_invalid(array) if array.dtype.kind == "f" else array


def _seen(data: np.ma.MaskedArray) -> np.ndarray:
    """Where every band shows something."""
    return ~np.asarray(np.ma.getmaskarray(data).any(axis=0))


def names(image: rasterio.DatasetReader) -> tuple[tuple[str, ...], ...]:
    """Names of each band, lower case: its number, b1, and the words of its description (``red B3``)."""
    out = []
    for n, said in enumerate(image.descriptions, 1):
        words = (said or "").lower().replace(",", " ").replace(";", " ").split()
        out.append((str(n), f"b{n}", *words))
    return tuple(out)


def bands(facts: Facts, look: Look) -> tuple[int, ...]:
    """Numbers of the bands that a look needs; ``UsageError`` where the scene has no such band."""
    wanted = look.sum.bands if look.sum is not None else look.bands
    if wanted:
        return tuple(_number(b, facts) for b in wanted)
    if look.colours or sum(k != "alpha" for k in facts.kinds) < 3:
        return (1,)
    for told in ([set(n) for n in facts.names], [{k} for k in facts.kinds]):
        if all(any(colour in t for t in told) for colour in ("red", "green", "blue")):
            return tuple(next(i for i, t in enumerate(told, 1) if c in t) for c in ("red", "green", "blue"))
    # bands without names come in the order of their wavelength, as in pictures cut for evidence
    return (3, 2, 1)


def _number(asked: str, facts: Facts) -> int:
    for n, said in enumerate(facts.names, 1):
        # a band that is named is asked for by its own name before it is by its place: of bands B2 B3 B4, b2 is the first
        if asked in said[2:]:
            return n
    for n, said in enumerate(facts.names, 1):
        if asked in said[:2] and facts.kinds[n - 1] != "alpha":
            return n
    have = "; ".join(" ".join((said[0], *said[2:])) for said in facts.names)
    raise UsageError(f"This scene has no band {asked!r}; it has {have}: ask by number, or name the bands in the file.")


def _summed(look: Look, data: np.ma.MaskedArray, numbers: tuple[int, ...]) -> np.ndarray:
    assert look.sum is not None
    return look.sum.of({name: data.data[i].astype("float32") for i, name in enumerate(look.sum.bands)})


def _ends(cog: Path, look: Look) -> tuple[tuple[float, float], ...]:
    return ends(cog, look, cog.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def ends(cog: Path, look: Look, _changed: int = 0) -> tuple[tuple[float, float], ...]:
    """What is darkest and lightest in each band, or lowest and highest of a sum, over the whole scene."""
    with _opened(cog) as image:
        numbers = (_height(facts(cog), look),) if look.relief else bands(facts(cog), look)
        whole = read(image, indexes=numbers, max_size=_SAMPLE_PX, nodata=look.nodata).array
    if look.sum is not None:
        total = np.ma.masked_invalid(_summed(look, whole, numbers))
        total.mask |= np.ma.getmaskarray(whole).any(axis=0)
        layers = [total]
    else:
        layers = [np.ma.masked_invalid(band.astype("float64")) for band in whole]
    if look.stretch == "range":
        return ((look.low, look.high),) * len(layers)
    if look.stretch == "none":
        return ((0.0, 255.0),) * len(layers)
    return tuple(_end(band.compressed(), look) for band in layers)


def _end(values: np.ndarray, look: Look) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    if look.stretch == "minmax":
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (float(v) for v in np.percentile(values, (look.low, look.high)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _scaled(band: np.ndarray, low: float, high: float, gamma: float) -> np.ndarray:
    share = np.clip((band.astype("float32") - np.float32(low)) / np.float32(high - low), 0, 1)
    if gamma != 1:
        share = share ** np.float32(1 / gamma)
    return (np.nan_to_num(share) * 255 + 0.5).astype("uint8")


def _stretched(data: np.ndarray, at: tuple[tuple[float, float], ...], gamma: float) -> np.ndarray:
    return np.stack([_scaled(band, *end, gamma) for band, end in zip(data, at, strict=True)])


def _mask(seen: np.ndarray) -> np.ndarray:
    return np.where(seen, np.uint8(255), np.uint8(0))


def _coloured(
    values: np.ndarray, seen: np.ndarray, at: tuple[tuple[float, float], ...], look: Look, kind: str
) -> bytes:
    grey = _scaled(values, *at[0], look.gamma)
    return bytes(render(_ramp(look.colours or "viridis")[grey].transpose(2, 0, 1), _mask(seen), **_CARE[kind]))


@lru_cache(maxsize=32)
def _ramp(name: str) -> np.ndarray:
    """A colour ramp as 256 rows of red, green, blue."""
    colours = cmap.get(name)
    return np.array([colours[i][:3] for i in range(256)], dtype="uint8")


@lru_cache(maxsize=1)
def _tints() -> np.ndarray:
    at, colours = [h for h, _ in _HEIGHTS], np.array([c for _, c in _HEIGHTS], dtype="float32")
    return np.stack([np.interp(np.linspace(0, 1, 256), at, colours[:, i]) for i in range(3)], axis=1)


def _height(facts: Facts, look: Look) -> int:
    """The band with the heights of a relief; ``UsageError`` where several might be."""
    if not look.bands and sum(k != "alpha" for k in facts.kinds) > 1:
        raise UsageError("A relief wants one band of heights: this scene has several; name it with bands.")
    return _number(look.bands[0], facts) if look.bands else 1


def _relief(tile: _Tile, look: Look, kind: str) -> bytes:
    data = _read(tile, look, (_height(tile.facts, look),), soft="cubic", rim=1)[0].astype("float32")
    seen = ~np.ma.getmaskarray(data)
    inner = seen[1:-1, 1:-1]
    shade = _shade(_level(data, seen), _pixel_m(tile), look)
    if look.relief == "hillshade":
        return bytes(render(shade[None], _mask(inner), **_CARE[kind]))
    tint = _tints()[_scaled(data.data[1:-1, 1:-1], *_ends(tile.cog, look)[0], look.gamma)]
    lit = np.clip(tint * (0.45 + 0.7 * shade[..., None] / 255), 0, 255).astype("uint8")
    return bytes(render(lit.transpose(2, 0, 1), _mask(inner), **_CARE[kind]))


def _level(data: np.ma.MaskedArray, seen: np.ndarray) -> np.ndarray:
    """Heights with holes at the height of what is seen: no cliff stands at the rim of a hole of the whole tile."""
    return np.where(seen, data.data, data.mean() if seen.any() else 0).astype("float32")


def _pixel_m(tile: _Tile) -> tuple[float, float]:
    """Width and height of a pixel on the ground, m, in the middle of a tile: Mercator's metres are none off the equator."""
    wide, high = tile.pixel
    middle = (tile.box[1] + tile.box[3]) / 2
    if tile.grid.rasterio_crs.is_geographic:
        metre = math.radians(1) * _EARTH_M
        return wide * metre * max(math.cos(math.radians(middle)), 0.01), high * metre
    narrower = 1 / math.cosh(middle / _EARTH_M)
    return wide * narrower, high * narrower


def _shade(height: np.ndarray, pixel_m: tuple[float, float], look: Look) -> np.ndarray:
    """Light on slopes by Horn's gradient (Horn 1981, Proc. IEEE 69:14-47), the sun at azimuth and altitude; 0 to 255."""
    h = height * np.float32(look.exaggeration)
    east = (h[:-2, 2:] + 2 * h[1:-1, 2:] + h[2:, 2:] - h[:-2, :-2] - 2 * h[1:-1, :-2] - h[2:, :-2]) / (8 * pixel_m[0])
    north = (h[:-2, :-2] + 2 * h[:-2, 1:-1] + h[:-2, 2:] - h[2:, :-2] - 2 * h[2:, 1:-1] - h[2:, 2:]) / (8 * pixel_m[1])
    sun, up = math.radians(look.azimuth), math.radians(look.altitude)
    light = math.sin(up) - math.cos(up) * (east * math.sin(sun) + north * math.cos(sun))
    return (np.clip(light / np.sqrt(1 + east**2 + north**2), 0, 1) * 255).astype("uint8")
