"""River lines in, a network out, as files: what ``rivergis river build`` does without a database."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import yaml

from rivergis import crs
from rivergis.errors import EnvironmentFault, InputError, UsageError
from rivergis.intake import sources, vector
from rivergis.river import attributes, dem_files, terrain, terrain_flow
from rivergis.river.build import Built, Method, Terrain, build
from rivergis.river.drawn import NetworkDefect
from rivergis.river.frames import REACH_COLUMNS
from rivergis.rules import RuleView

DEM_ERROR = 0.05  # height error of a valley floor, per metre of cell: a coarse cell also holds the slopes
LINE_KINDS = ("river", "stream", "canal", "ditch")


@dataclass(frozen=True)
class Asked:
    """What a build is made of: files, and how to read them. ``fields``: role -> field (see ``attributes.ROLES``)."""

    lines: Path
    layer: str | None = None
    crs: str | None = None
    id_field: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    areas: Path | None = None
    areas_layer: str | None = None
    dem: Path | None = None
    outlets: Path | None = None
    outlets_layer: str | None = None
    snap_m: float | None = None
    gap_m: float | None = None


@dataclass(frozen=True)
class Network:
    """A network built from files: the frames, and everything needed to explain and repeat it."""

    built: Built
    sources: list[dict[str, Any]]
    method: dict[str, float]
    rules: list[dict[str, Any]]
    taken: list[dict[str, Any]]
    passed_over: list[dict[str, Any]]
    heights: list[str] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, Any]:
        """All but the frames, ready for JSON."""
        told = {k: v for k, v in vars(self).items() if k != "built"}
        return {**self.built.figures, **told}


def method_of(view: RuleView, snap_m: float | None = None, gap_m: float | None = None) -> Method:
    """Tolerances of the rules of the place, or those given."""

    def number(key: str) -> float:
        return view.number(f"river.network.{key}")

    chosen = Method(
        number("snap"), number("gap"), number("min_confidence"), number("max_half_width"), number("dem_drop")
    )
    if snap_m is not None:
        chosen = replace(chosen, snap_m=snap_m)
    if gap_m is not None:
        chosen = replace(chosen, gap_m=gap_m)
    for name, value in (("snap", chosen.snap_m), ("gap", chosen.gap_m)):
        most = view.book.registry[f"river.network.{name}"]["max"]
        if not 0 <= value <= most:
            raise UsageError(f"A tolerance is a distance in metres: give --{name} between 0 and {most:g}.")
    return chosen


def build_network(asked: Asked, view: RuleView, progress: Callable[[str], None] = lambda step: None) -> Network:
    """Build the network of a file of river lines (河网构建). Raises ``InputError``, ``CrsRefused``, ``UsageError``."""
    progress("read")
    method = method_of(view, asked.snap_m, asked.gap_m)
    lines, source_id, reading, aside = _lines(asked)
    terrain_, heights = _terrain(asked.dem, view)
    areas, areas_reading = _areas(asked)
    built = build(
        lines,
        method,
        source_id=source_id,
        areas=areas,
        outlets=_outlets(asked),
        terrain=terrain_,
        aside=aside,
        progress=progress,
    )
    files = [p for p in (asked.lines, asked.areas, asked.dem, asked.outlets) if p is not None]
    return Network(
        built,
        [{"file": p.name, "sha256": sources.sha256(p)} for p in files],
        asdict(method),
        [r.as_dict() for r in view.used],
        [asdict(t) for r in (reading, areas_reading) if r is not None for t in r.taken],
        [asdict(t) for r in (reading, areas_reading) if r is not None for t in r.passed_over],
        heights,
    )


@cache
def words() -> dict[str, Any]:
    """Field names and values of river lines that are known (``gis/text/river_words.yaml``)."""
    from rivergis.settings import gis_dir

    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "river_words.yaml").read_text(encoding="utf-8"))
    return loaded


def _lines(
    asked: Asked,
) -> tuple[gpd.GeoDataFrame, pd.Series | None, attributes.Reading, list[tuple[shapely.Geometry, NetworkDefect]]]:
    """The lines with what their attributes say, their own ids, and the features that are no river lines."""
    source = vector.open_layer(asked.lines, source_layer=asked.layer, crs=asked.crs)
    frame = source.frame
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["LineString", "MultiLineString"]).any():
        raise InputError(
            f"{asked.lines.name}, layer {source.name} holds no lines: name the layer of the centre lines with --layer.",
            file=str(asked.lines),
            layer=source.name,
        )
    source_id = _ids(frame, asked)
    read, reading = attributes.read(frame.drop(columns=frame.geometry.name), words(), asked.fields)
    own = _own_fields(frame.drop(columns=frame.geometry.name))
    lines = gpd.GeoDataFrame(pd.concat([read, own], axis=1), geometry=frame.geometry.to_numpy(), crs=frame.crs)
    lines["source_fid"] = np.asarray(frame.index, dtype=np.int64)
    lines["flow"] = _flow(lines, attributes.links(read))
    usable, aside = _usable(lines, source)
    chosen = lines[usable].reset_index(drop=True)
    ids = None if source_id is None else source_id[usable].reset_index(drop=True)
    return chosen, ids, reading, aside


def _ids(frame: gpd.GeoDataFrame, asked: Asked) -> pd.Series | None:
    if asked.id_field is None:
        return None
    if asked.id_field not in frame.columns:
        there = ", ".join(str(c) for c in frame.columns if c != frame.geometry.name)
        raise UsageError(f"{asked.lines.name} has no field {asked.id_field!r} for --id-field; it has {there}.")
    ids = frame[asked.id_field]
    return ids.where(ids.map(lambda v: not isinstance(v, str) or bool(v.strip())), None)


def _own_fields(frame: pd.DataFrame) -> pd.DataFrame:
    """The source's attributes as ``src_*``; a name that differs from an earlier one in case alone, which a GeoPackage cannot hold, with _2."""
    taken: list[str] = []
    for column in frame.columns:
        names = (f"src_{column}" + (f"_{n}" if n > 1 else "") for n in count(1))
        taken.append(next(n for n in names if n.lower() not in {t.lower() for t in taken}))
    return frame.set_axis(taken, axis=1)


def _flow(lines: gpd.GeoDataFrame, pairs: Any) -> Any:
    """What is said of the direction: by a field, or because a line names the next one and one of its ends lies there."""
    flow = lines["flow"].to_numpy(copy=True)
    if len(pairs):
        shapes = crs.to_metric(lines.geometry).to_numpy()
        here, there = shapes[pairs[:, 0]], shapes[pairs[:, 1]]
        first, last = (shapely.distance(shapely.get_point(here, i), there) for i in (0, -1))
        clear = np.isfinite(first) & np.isfinite(last) & (np.abs(first - last) > 1e-6) & (flow[pairs[:, 0]] == 0)
        flow[pairs[clear, 0]] = np.where(last < first, 1, -1)[clear]
    return flow


def _usable(lines: gpd.GeoDataFrame, source: vector.Source) -> tuple[Any, list[tuple[shapely.Geometry, NetworkDefect]]]:
    """Which features are river lines that can be used, and a defect with the shape of each of the others."""
    aside = []
    usable = np.ones(len(lines), dtype=bool)
    for i, (fid, kind, shape) in enumerate(zip(lines["source_fid"], lines["kind"], lines.geometry, strict=True)):
        told = _not_taken(fid, kind, shape, source)
        if told is not None:
            usable[i] = False
            aside.append((shape, told))
    return usable, aside


def _not_taken(fid: int, kind: str, shape: Any, source: vector.Source) -> NetworkDefect | None:
    nowhere = shapely.Point()
    if fid in source.faults:
        code, said = source.faults[fid]
        return NetworkDefect(code, "error", nowhere, said, source_fid=int(fid), done=True)
    if kind not in LINE_KINDS:
        said = f"Its attributes call it no river line ({kind}): it was left out of the network."
        return NetworkDefect("not_a_river_line", "info", nowhere, said, source_fid=int(fid), done=True)
    if shape is not None and not shape.is_empty and shape.geom_type not in ("LineString", "MultiLineString"):
        said = f"It is a {shape.geom_type}, not a line: it was left out of the network."
        return NetworkDefect("not_a_river_line", "warning", nowhere, said, source_fid=int(fid), done=True)
    return None


def _outlets(asked: Asked) -> gpd.GeoDataFrame | None:
    if asked.outlets is None:
        return None
    frame, name, _ = vector.read_frame(asked.outlets, source_layer=asked.outlets_layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["Point", "MultiPoint"]).all():
        raise InputError(
            f"{asked.outlets.name}, layer {name} does not hold points only: give the places where water leaves as points.",
            file=str(asked.outlets),
            layer=name,
        )
    return frame.explode(index_parts=False)


def _areas(asked: Asked) -> tuple[gpd.GeoDataFrame | None, attributes.Reading | None]:
    if asked.areas is None:
        return None, None
    frame, name, _ = vector.read_frame(asked.areas, source_layer=asked.areas_layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).any():
        raise InputError(
            f"{asked.areas.name}, layer {name} holds no areas: name the layer of the water areas with --areas-layer.",
            file=str(asked.areas),
            layer=name,
        )
    frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    read, reading = attributes.read_areas(frame.drop(columns=frame.geometry.name), words())
    areas = gpd.GeoDataFrame(read, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    areas["area_fid"] = np.asarray(frame.index, dtype=np.int64)
    return areas[areas["kind"] != "other"].reset_index(drop=True), reading


def _terrain(path: Path | None, view: RuleView) -> tuple[Terrain | None, list[str]]:
    """Heights of a DEM for the build, and a list that what is found out about that DEM is written to."""
    said: list[str] = []
    if path is None:
        return None, said
    most = int(view.number("terrain.exact_max_cells"))
    with dem_files.opened(path) as source:
        cells = math.prod(source.shape)
        if cells > most:
            raise InputError(
                f"{path.name} has {cells:,} cells, more than {most:,}: cut it to the basin, or resample it, and give that.",
                file=str(path),
            )
        dem = source.read()
    said += dem.said
    burn_m = view.number("terrain.burn_depth")

    def areas(lines: gpd.GeoSeries) -> Any:
        found = terrain_flow.flow(dem, burn=lines, burn_depth_m=burn_m)
        area, edge = terrain_flow.upstream_area_km2(found, lines)
        said.extend(s for s in found.said if s not in said)
        if edge.any():
            said.append(
                f"{dem.name}: {int(edge.sum())} reaches have land beyond the edge of the DEM; their upstream area is left out."
            )
        return area

    return Terrain(DEM_ERROR * dem.cell_m, lambda lines: terrain.sample_ends(dem, lines), areas), said


def check_out(out: Path, overwrite: bool) -> None:
    """Whether a network can be written there; ``UsageError`` before any work is done."""
    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: a network is written as GeoPackage; give --out a name that ends in .gpkg.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already: give another --out, or --overwrite.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A file to write to that becomes ``out`` when all went well; ``EnvironmentFault`` where the disk takes no more or refuses."""
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        part.unlink(missing_ok=True)
        yield part
        part.replace(out)
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError) as error:
        said = " ".join(str(error).split())[-200:]
        raise EnvironmentFault(f"{out} cannot be written ({said}): free some space or choose another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_package(
    out: Path,
    layers: Iterable[tuple[str, gpd.GeoDataFrame, str]],
    tables: Iterable[tuple[str, pd.DataFrame]] = (),
) -> None:
    """A GeoPackage of layers (name, frame, geometry type) and tables (name, frame), all of it or nothing."""
    with whole(out) as part:
        for layer, frame, kind in layers:
            pyogrio.write_dataframe(
                crs.outward(frame), part, layer=layer, driver="GPKG", geometry_type=kind, append=part.exists()
            )
        for name, table in tables:
            pyogrio.write_dataframe(table, part, layer=name, driver="GPKG", append=True)


def told_table(told: Mapping[str, Any]) -> pd.DataFrame:
    """What is told of a result as rows of key and value; what is no text as JSON."""
    rows = [(k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=str)) for k, v in told.items()]
    return pd.DataFrame(rows, columns=["key", "value"])


def write(network: Network, out: Path, *, overwrite: bool = False) -> None:
    """Write a network as GeoPackage with layers reaches, nodes, defects and a table build; all of it or nothing."""
    check_out(out, overwrite)
    built = network.built
    write_package(
        out,
        [
            ("reaches", built.reaches, "LineString"),
            ("nodes", built.nodes, "Point"),
            ("defects", built.defects, "Point"),
        ],
        [("build", told_table(network.summary))],
    )


def read_reaches(path: Path) -> gpd.GeoDataFrame:
    """Layer ``reaches`` of a network file; ``InputError`` when the file is none."""
    if not path.exists():
        raise InputError(f"{path} does not exist: build it with rivergis river build.", file=str(path))
    try:
        frame = pyogrio.read_dataframe(path, layer="reaches")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(
            f"{path.name} has no layer reaches: build a network with rivergis river build.", file=str(path)
        ) from error
    frame = crs.inward(frame)
    missing = [c for c in REACH_COLUMNS if c not in frame]
    if missing:
        raise InputError(
            f"{path.name}, layer reaches lacks {', '.join(missing)}: build it again with rivergis river build.",
            file=str(path),
            layer="reaches",
        )
    return frame
