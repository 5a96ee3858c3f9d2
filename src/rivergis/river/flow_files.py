"""Flow over a DEM that is a file, written as GeoTIFFs and a GeoPackage: one whole job, exact or in parts as the size asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.windows import Window

from rivergis.errors import EnvironmentFault, InputError, UsageError
from rivergis.intake import vector
from rivergis.river import dem_files, files, terrain_flow, terrain_large
from rivergis.river.dem_files import DemFile
from rivergis.river.terrain import Dem, cell_size_m, fill_small_voids
from rivergis.river.terrain_flow import Flow, Progress, Streams

STRIPE = 512
FEW_CELLS = 30
"""Streams of fewer cells of upstream area than this are as much noise as valley."""


@dataclass(frozen=True)
class Asked:
    """What a user wants to know of a DEM. ``burn``: file of river lines and its layer; None or 0 where nothing is asked."""

    threshold_km2: float
    max_cells: int
    burn: Path | None = None
    burn_layer: str | None = None
    burn_depth_m: float = 10.0
    max_depth_m: float | None = None
    fill_voids: int = 0
    coding: str = "esri"
    system: str | None = None
    vertical_datum: str | None = None


@dataclass(frozen=True)
class FlowResult:
    """What was found: method, figures, what was noticed and assumed, and the files by what they hold."""

    dem: str
    method: str
    rows: int
    columns: int
    cell_m: float
    crs: str
    vertical_datum: str
    threshold_km2: float
    ground: dict[str, Any]
    pits: dict[str, Any]
    streams: int
    stream_length_km: float
    strahler: int
    largest_area_km2: float
    edge_share: float
    """Share of the ground whose upstream area may lie partly beyond the DEM."""
    said: list[str]
    files: dict[str, str]


def flow_file(dem: Path, out: Path, asked: Asked, progress: Progress = lambda step, share: None) -> FlowResult:
    """Flow, streams and heights above them for the DEM of a file, into the folder ``out``. Written whole or not at all, file by file.

    ``filled.tif`` (m), ``flow_direction.tif``, ``upstream_area.tif`` (km2), ``edge.tif`` (1 where that area may lie partly beyond
    the DEM), ``upstream_cells.tif``, ``height_above_drainage.tif`` (m), ``catchments.tif`` (of the streams), ``basins.tif`` (of the
    outlets) and ``streams.gpkg`` (layer ``streams``, EPSG:4490); above ``asked.max_cells`` all but the heights and
    ``stream_area.tif`` are on coarse cells. ``result.json`` says all of it.
    """
    lines = _lines(asked)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with dem_files.opened(dem, system=asked.system, vertical_datum=asked.vertical_datum) as source:
            result = _found(source, lines, out, asked, progress)
        _write_json(out / "result.json", asdict(result))
    except OSError as error:
        raise EnvironmentFault(
            f"The folder {out} cannot be written ({' '.join(str(error).split())[:120]}): is the disk full, or is it a file?"
        ) from error
    return result


def _found(source: DemFile, lines: gpd.GeoSeries | None, out: Path, asked: Asked, progress: Progress) -> FlowResult:
    factor = terrain_large.factor_for(source.shape, asked.max_cells)
    try:
        return (_whole if factor == 1 else _in_parts)(source, factor, lines, out, asked, progress)
    except MemoryError as error:
        raise EnvironmentFault(
            f"{source.name} asks for more memory than there is: lower --max-cells, so that it is done in parts."
        ) from error


def _lines(asked: Asked) -> gpd.GeoSeries | None:
    if asked.burn is None:
        return None
    frame, layer, _ = vector.read_frame(asked.burn, source_layer=asked.burn_layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["LineString", "MultiLineString"]).any():
        raise InputError(
            f"{asked.burn.name}, layer {layer} holds no lines to burn in.", file=str(asked.burn), layer=layer
        )
    return frame.geometry[frame.geom_type.isin(["LineString", "MultiLineString"])]


def _whole(
    source: DemFile, factor: int, lines: gpd.GeoSeries | None, out: Path, asked: Asked, progress: Progress
) -> FlowResult:
    progress("read", 0.0)
    dem = source.read()
    if asked.fill_voids:
        dem = fill_small_voids(dem, asked.fill_voids)
    found = terrain_flow.flow(
        dem, max_depth_m=asked.max_depth_m, burn=lines, burn_depth_m=asked.burn_depth_m, progress=progress
    )
    streams = terrain_flow.streams_of(found, asked.threshold_km2)
    files = _write_flow(out, found, streams, asked, progress)
    path = out / "height_above_drainage.tif"
    _write(path, terrain_flow.hand(found, streams.cells), dem, found.method, unit="m")
    return _result(source, found, streams, asked, {**files, "height_above_drainage": str(path)})


def _in_parts(
    source: DemFile, factor: int, lines: gpd.GeoSeries | None, out: Path, asked: Asked, progress: Progress
) -> FlowResult:
    if asked.fill_voids:
        raise UsageError(
            f"{source.name} has more than {asked.max_cells:,} cells: its voids are not filled in parts; fill them first, or raise --max-cells."
        )
    depth = asked.burn_depth_m
    coarse = terrain_large.coarse_flow(
        source, factor, max_depth_m=asked.max_depth_m, burn=lines, burn_depth_m=depth, progress=progress
    )
    streams = terrain_flow.streams_of(
        coarse.flow, asked.threshold_km2, lambda cells: terrain_large.positions(coarse, source, cells)
    )
    files = _write_flow(out, coarse.flow, streams, asked, progress)
    paths = {"height_above_drainage": out / "height_above_drainage.tif", "stream_area": out / "stream_area.tif"}
    refined = parts = 0
    with (
        _new(paths["height_above_drainage"], source.shape, source.affine, coarse.flow, "float32", np.nan, "m") as hand,
        _new(paths["stream_area"], source.shape, source.affine, coarse.flow, "float32", np.nan, "km2") as area,
    ):
        for part in terrain_large.windows(
            source, coarse, asked.threshold_km2, burn=lines, burn_depth_m=depth, progress=progress
        ):
            hand.write(part.hand_m, 1, window=part.window)
            area.write(part.stream_km2, 1, window=part.window)
            refined, parts = refined + part.refined, parts + 1
    note = f"{source.name}: {refined} of {parts} windows hold streams and were computed in full resolution."
    result = _result(source, coarse.flow, streams, asked, {**files, **{k: str(p) for k, p in paths.items()}})
    return FlowResult(**{**vars(result), "said": [*result.said, note]})


def _result(source: DemFile, found: Flow, streams: Streams, asked: Asked, files: dict[str, str]) -> FlowResult:
    rows, columns = source.shape
    width, height = cell_size_m(source.affine, source.crs, source.shape)
    said = [*found.said, *_few(found.dem, asked.threshold_km2)]
    ground = int((~found.dem.void).sum())
    return FlowResult(
        dem=source.name,
        method=found.method,
        rows=rows,
        columns=columns,
        cell_m=round(float(np.sqrt(width[rows // 2] * height[rows // 2])), 3),
        crs=source.crs.to_string() if source.crs.to_authority() else source.crs.name,
        vertical_datum=source.vertical_datum,
        threshold_km2=asked.threshold_km2,
        ground={k: v for k, v in asdict(found.ground).items() if k != "sentences"},
        pits=asdict(found.pits),
        streams=len(streams.links),
        stream_length_km=round(float(streams.links["length_m"].sum()) / 1000, 3),
        strahler=int(streams.links["strahler"].max()) if len(streams.links) else 0,
        largest_area_km2=round(float(np.nanmax(found.upstream_km2)), 6),
        edge_share=round(float(found.edge.sum()) / max(ground, 1), 6),
        said=said,
        files={**files, "result": str(Path(files["filled"]).with_name("result.json"))},
    )


def _few(dem: Dem, threshold_km2: float) -> Iterator[str]:
    cells = threshold_km2 * 1e6 / dem.cell_m**2
    if cells < FEW_CELLS:
        yield (
            f"{dem.name}: streams begin at {threshold_km2:g} km2, which is {cells:.1f} cells of {dem.cell_m:.0f} m: "
            "too few to tell a valley from noise; ask for a larger --threshold."
        )


# ---- writing ---------------------------------------------------------------------------------------------------------


def _write_flow(out: Path, found: Flow, streams: Streams, asked: Asked, progress: Progress) -> dict[str, str]:
    """The rasters of the shape of the flow, and the streams."""
    progress("write", 0.0)
    rasters: dict[str, tuple[npt.NDArray[Any], float, str | None]] = {
        "filled": (found.filled_m, np.nan, "m"),
        "flow_direction": (terrain_flow.coded(found.d8, asked.coding), 247, None),
        "upstream_area": (found.upstream_km2, np.nan, "km2"),
        "edge": (np.where(found.dem.void, np.uint8(255), found.edge).astype(np.uint8), 255, None),
        "catchments": (streams.catchment, 0, None),
        "basins": (terrain_flow.basins(found), 0, None),
    }
    if found.method == "exact":
        rasters["upstream_cells"] = (found.upstream_cells(), 0, None)
    for n, (name, (array, nodata, unit)) in enumerate(rasters.items()):
        progress("write", n / len(rasters))
        more = {"D8_CODING": asked.coding} if name == "flow_direction" else {}
        _write(out / f"{name}.tif", array, found.dem, found.method, nodata=nodata, unit=unit, **more)
    links = streams.links.assign(method=found.method)
    files.write_package(out / "streams.gpkg", [("streams", links, "LineString")])
    return {name: str(out / f"{name}.tif") for name in rasters} | {"streams": str(out / "streams.gpkg")}


def _write(
    path: Path,
    array: npt.NDArray[Any],
    dem: Dem,
    method: str,
    *,
    nodata: float = np.nan,
    unit: str | None = None,
    **tags: str,
) -> None:
    with _new(path, dem.shape, dem.affine, (dem, method), array.dtype.name, nodata, unit, **tags) as image:
        for top in range(0, dem.shape[0], STRIPE):
            stripe = array[top : top + STRIPE]
            image.write(stripe, 1, window=Window(0, top, stripe.shape[1], stripe.shape[0]))


@contextmanager
def _new(
    path: Path,
    shape: tuple[int, int],
    affine: Affine,
    of: Flow | tuple[Dem, str],
    dtype: str,
    nodata: float,
    unit: str | None,
    **tags: str,
) -> Iterator[Any]:
    """A GeoTIFF open for writing in blocks, renamed to its name when it is whole."""
    dem, method = (of.dem, of.method) if isinstance(of, Flow) else of
    part = path.with_name(path.name + ".part")
    profile = {
        "driver": "GTiff",
        "height": shape[0],
        "width": shape[1],
        "count": 1,
        "dtype": dtype,
        "nodata": nodata,
        "crs": dem.crs.to_wkt(),
        "transform": affine,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "predictor": 3 if dtype == "float32" else 1,
        "BIGTIFF": "IF_SAFER",
    }
    try:
        with rasterio.Env(GDAL_CACHEMAX=128 << 20), rasterio.open(part, "w", **profile) as image:
            image.update_tags(RIVERGIS_METHOD=method, VERTICAL_DATUM=dem.vertical_datum, SOURCE=dem.name, **tags)
            image.set_band_description(1, path.stem)
            if unit:
                image.units = (unit,)
            yield image
        part.replace(path)
    except RasterioError as error:
        raise EnvironmentFault(
            f"{path} cannot be written ({' '.join(str(error).split())[:120]}): is the disk full?"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_json(path: Path, result: dict[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)
