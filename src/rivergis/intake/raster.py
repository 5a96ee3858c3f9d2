"""Rasters: what an image or grid says of itself, with its defects; scenes for evidence, and small pictures cut from them."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from PIL import Image, ImageDraw
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import from_gcps
from rasterio.windows import Window, from_bounds

from rivergis import crs, geometry
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import raster_cells, raster_header, sources, times
from rivergis.intake.delivery import Asked, Declared, Defect, Delivered, Reading, defect
from rivergis.intake.limits import Limits

_OUTLINE = (255, 214, 10)
_CACHE_MB = 128


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
def _opened(path: Path, driver: str | None = None) -> Iterator[rasterio.DatasetReader]:
    try:
        # GDAL would keep a twentieth of the machine's memory as cache for one file
        with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB << 20):
            # what is not georeferenced is refused below, in a sentence
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with _in_good_company(path) as place, rasterio.open(place, driver=driver) as image:
                yield image
    except (RasterioError, MemoryError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path.name} cannot be read as an image ({' '.join(str(error).replace(str(path), path.name).split())[:120]}): it is damaged or of another kind.",
            file=str(path),
        ) from error


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[rasterio.DatasetReader]:
    """A raster open for reading its cells, with the refusals of ``read_raster``: of another kind, a hoax, cut off."""
    with path.open("rb") as handle:
        kind = raster_header.kind_of(path, handle.read(4096))
    with _opened(path, kind.driver) as image:
        raster_header.refuse_claims(path, image, limits)
        counted = raster_header.grid_text(path, image.width * image.height) if image.driver == "AAIGrid" else []
        for fault in (*counted, *raster_header.ending_missing(path, image.driver)):
            raise InputError(fault.message, file=str(path))
        yield image


@contextmanager
def _in_good_company(path: Path) -> Iterator[Path]:
    """Where a raster may be opened: relative, ``zip:a.tif`` would be an address; what lies beside it and must not be read stays out."""
    beside = [p for p in path.absolute().parent.iterdir() if p.name.startswith(path.stem) and p.name != path.name]
    if all(map(_fit, beside)):
        yield path.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        for near in [path.absolute(), *filter(_fit, beside)]:
            (Path(folder) / near.name).symlink_to(near)
        yield Path(folder) / path.name


def _fit(near: Path) -> bool:
    """Whether GDAL may read a file beside a raster: no pipe, no .prj that is not UTF-8, nothing that points at other files."""
    ending = near.suffix.lower()
    if ending not in (".prj", ".ovr", ".msk", ".xml", ".aux", ".hdr") or near.is_dir():
        return True
    if not near.is_file():
        return False
    with near.open("rb") as handle:
        raw = handle.read(1 << 16)
    if ending == ".prj":
        return _is_utf8(raw)
    return not re.search(rb"OVERVIEW_FILE|<VRTDataset|<GDAL_WMS|<OGRVRT", raw)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_raster(path: Path, asked: Asked, limits: Limits) -> Reading:
    """A raster as one layer: its footprint (Polygon in its own coordinates), facts and defects; cells are sampled only.

    GeoTIFF and COG, ERDAS IMG, JPEG, PNG and JPEG 2000 (with world file), ASCII grid, SRTM HGT, ENVI and BIL with .hdr.
    ``InputError`` when it cannot be opened, is of another kind, or claims more than it can hold.
    """
    with path.open("rb") as handle:
        head = handle.read(4096)
    kind = raster_header.kind_of(path, head)
    with _opened(path, kind.driver) as image:
        raster_header.refuse_claims(path, image, limits)
        layer = Delivered(path.stem, "raster", 1, declared=raster_header.declared(path, image))
        grid = _grid(path, kind, image, layer)
        layer.shapes = np.array([_footprint(image, grid)], dtype=object)
        layer.facts = _facts(image, kind, grid, asked.crs or layer.declared.wkt, layer.shapes[0])
        _look_at_cells(path, image, layer)
        layer.add(*_oddities(path, image, grid, layer))
    return Reading("COG" if layer.facts.get("cog") else kind.name, [layer])


def has_world_file(path: Path) -> bool:
    """Whether a picture is a map: a world file lies beside it, or an .aux.xml that tells its grid."""
    kind = next((k for k in raster_header.KINDS if path.suffix.lower() in k.endings), None)
    if kind is not None and raster_header.beside(path, kind.world) is not None:
        return True
    beside = path.with_name(path.name + ".aux.xml")
    return beside.is_file() and b"<GeoTransform" in beside.read_bytes()[: 1 << 20]


def _grid(
    path: Path, kind: raster_header.Kind, image: rasterio.DatasetReader, layer: Delivered
) -> rasterio.Affine | None:
    """Cells to coordinates: as the file has it, from its world file, or fitted to control points; None where nothing tells."""
    world, found = raster_header.world_file(path, kind)
    layer.add(*found)
    if not image.transform.is_identity:
        if (
            world is not None
            and kind.name == "GeoTIFF"
            and not image.transform.almost_equals(world, 1e-3 * abs(world.a))
        ):
            message = f"{path.name} and the world file beside it place the picture differently; its own place is used."
            layer.add(
                defect("world_file_conflict", "warning", message, "Ask which of the two holds, and remove the other.")
            )
        return image.transform
    if world is not None:
        return world
    points, system = image.gcps
    if len(points) >= 3:
        layer.declared = Declared(system.to_wkt(), "file") if system else layer.declared
        message = (
            f"{path.name} is tied to the ground by {len(points)} control points only; its footprint is approximate."
        )
        layer.add(defect("georeference_by_points", "info", message, "Ask for the rectified picture (正射影像)."))
        return from_gcps(points)
    tied = "holds only camera coefficients (RPC) for its place" if image.rpcs else "does not say where on earth it lies"
    action = "Ask for the georeferenced picture (GeoTIFF, or with its world file and coordinate system)."
    layer.add(defect("georeference_missing", "error", f"{path.name} {tied}.", action))
    return None


def _footprint(image: rasterio.DatasetReader, grid: rasterio.Affine | None) -> shapely.Polygon | None:
    if grid is None:
        return None
    corners = [grid @ c for c in ((0, 0), (image.width, 0), (image.width, image.height), (0, image.height))]
    return shapely.Polygon(corners) if np.isfinite(corners).all() else None


def _dense(outline: shapely.Polygon) -> shapely.Polygon:
    """With points along its sides, which are curves in another system."""
    return shapely.segmentize(outline, outline.length / 40)


def _look_at_cells(path: Path, image: rasterio.DatasetReader, layer: Delivered) -> None:
    """Whether all of it can be read, and what the values say; a raster that is cut off is there but not readable."""
    counted = raster_header.grid_text(path, image.width * image.height) if image.driver == "AAIGrid" else []
    ending = raster_header.ending_missing(path, image.driver)
    found, facts = ([], {}) if counted or ending else raster_cells.defects(image, raster_cells.sample(image), path.name)
    layer.add(*counted, *ending, *found)
    layer.facts |= facts
    layer.readable = not any(d.severity == "error" for d in (*counted, *ending, *found))
    if facts.get("like_heights") and layer.facts["vertical_datum"] is None:
        message = f"{path.name} looks like a grid of heights and does not say from which datum they are counted."
        layer.add(
            defect(
                "vertical_datum_unknown", "info", message, "Ask whether it is 1985国家高程基准, ellipsoidal or another."
            )
        )


def _facts(
    image: rasterio.DatasetReader, kind: raster_header.Kind, grid: rasterio.Affine | None, system: Any, outline: Any
) -> dict[str, Any]:
    tags = {k.lower(): v for k, v in image.tags().items()}
    whole, why = raster_header.cog(image) if kind.name == "GeoTIFF" else (None, "")
    return {
        "width": image.width,
        "height": image.height,
        "bands": [d or f"band{i + 1}" for i, d in enumerate(image.descriptions)],
        "dtype": image.dtypes[0],
        "nodata": image.nodata if image.nodata is None or np.isfinite(image.nodata) else str(image.nodata),
        "pixel_size": None if grid is None else [float(np.hypot(grid.a, grid.d)), float(np.hypot(grid.b, grid.e))],
        "gsd_m": _gsd_m(outline, system, image.width * image.height),
        "overviews": image.overviews(1),
        "cog": whole,
        "cog_reason": why,
        "acquired_on": _acquired(tags),
        "vertical_datum": _vertical_datum(image, tags),
        "unit": next((u for u in image.units if u), None),
    }


def _gsd_m(outline: shapely.Polygon | None, system: Any, pixels: int) -> float | None:
    """Size of a cell on the ground, if the coordinate system that the file declares is true."""
    if outline is None or system is None:
        return None
    try:
        ground = crs.to_storage(gpd.GeoSeries([_dense(outline)], crs=system)).iloc[0]
        size = float((crs.area_m2(ground) / pixels) ** 0.5) if geometry.finite(ground) else None
    except Exception:  # a system nobody can parse, a place that is not on earth: judged elsewhere
        return None
    return round(size, 3) if size and np.isfinite(size) else None


def _acquired(tags: dict[str, str]) -> str | None:
    """The day the picture was taken, where a tag tells it; when the file was written (TIFF's DateTime) says nothing."""
    told = (
        v for k, v in tags.items() if k.startswith(("acqui", "date_acquired", "sensing", "product_start", "imaging"))
    )
    return next((day.isoformat() for v in told if (day := times.day(v[:10]))), None)


def _vertical_datum(image: rasterio.DatasetReader, tags: dict[str, str]) -> str | None:
    if image.driver == "SRTMHGT":
        return "EGM96"
    told = next((v for k, v in tags.items() if "vert" in k and ("datum" in k or "cs" in k)), None)
    found = re.search(r'VERT(?:CRS|_CS|ICALCRS)\["([^"]+)"', image.crs.to_wkt()) if image.crs else None
    return found[1] if found else told


def _oddities(
    path: Path, image: rasterio.DatasetReader, grid: rasterio.Affine | None, layer: Delivered
) -> list[Defect]:
    """What is right but unusual, so that nobody stumbles over it later."""
    out = []
    if len(image.subdatasets) > 1:
        message = f"{path.name} holds {len(image.subdatasets)} pictures; the first is described."
        out.append(defect("more_pictures", "info", message))
    if grid is None:
        return out
    if image.tags().get("AREA_OR_POINT") == "Point" and image.driver != "SRTMHGT":  # there it is always so
        out.append(
            defect(
                "pixel_is_point",
                "info",
                f"{path.name} counts its coordinates from the middles of cells (pixel is point).",
            )
        )
    if abs(grid.b) + abs(grid.d) > 1e-9 * (abs(grid.a) + abs(grid.e)):
        out.append(defect("grid_rotated", "info", f"The grid of {path.name} is rotated: rows do not run east."))
    elif grid.e > 0 or grid.a < 0:
        out.append(
            defect(
                "grid_flipped", "info", f"The grid of {path.name} is flipped: its first row is not the northern one."
            )
        )
    wide, high = layer.facts["pixel_size"]
    if abs(wide - high) > 0.01 * max(wide, high):
        out.append(defect("pixels_not_square", "info", f"Cells of {path.name} are {wide:g} wide and {high:g} high."))
    return out + _wrong_unit(path, image, layer)


def _wrong_unit(path: Path, image: rasterio.DatasetReader, layer: Delivered) -> list[Defect]:
    """Cells of degrees in a system of metres, or of metres in a system of degrees."""
    size = max(layer.facts["pixel_size"])
    if not image.crs or layer.shapes is None:
        return []
    if image.crs.is_geographic and (size > 5 or max(map(abs, layer.shapes[0].bounds)) > 400):
        said = "degrees, but its cells are as large as metres would be"
    elif image.crs.is_projected and size < 0.005:
        said = "metres, but its cells are as small as degrees would be"
    else:
        return []
    message = f"{path.name} declares a coordinate system in {said} ({size:g})."
    return [defect("pixel_size_suspect", "warning", message, "Ask for the coordinate system of the picture.")]


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
        outline = gpd.GeoSeries([_dense(shapely.Polygon(corners))], crs=used)
        bands = ",".join(d or f"band{i + 1}" for i, d in enumerate(image.descriptions))
        pixels, nodata = image.width * image.height, image.nodata
    footprint = geometry.polygons_of(crs.to_storage(outline).iloc[0])
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
        local = shapely.transform(shape, crs.out_of_storage(CRS.from_user_input(image.crs)))
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
    return tuple(
        shapely.transform(crs.to_storage(near).iloc[0], crs.out_of_storage(CRS.from_user_input(image.crs))).bounds
    )


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
