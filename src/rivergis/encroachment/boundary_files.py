"""A boundary layer of a file made ready: lines closed, polygons repaired, all of it cut to pieces in each zone it lies in.

Prepared once per version of the file: kept beside it where asked, and used again while file, reading and rules are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.ground import stored
from rivergis.boundary.ground.closing import Closed, Said, bank_of, close
from rivergis.boundary.ground.prepared import Prepared, islands_of
from rivergis.boundary.ground.zoned import Zoned, zoned
from rivergis.encroachment import candidate_files, layer_files, parquet_files
from rivergis.encroachment.layer_files import Layer
from rivergis.errors import InputError
from rivergis.intake import sources
from rivergis.intake.delivery import Asked
from rivergis.rules.classes import same

# columns by what they mean, the first that is there
_REACH = ("reach", "reach_id", "reach_code", "河段", "version_code", "boundary_code", "river_code", "river", "河流")
_NAME = (*_REACH, "code", "name", "名称")
_BANK = ("bank", "岸别", "岸")
# columns of drawings in which a bank may be named, where no column is for it
_BANK_IN_WORDS = ("layer", "图层", "name", "名称")
# a basis in other words, or none, is a draft: only what is plainly called announced may speak of a suspected lead
_BASES = {
    **{b: b for b in ("announced", "draft", "surrogate", "computed")},
    "公告": "announced", "已公告": "announced", "草案": "draft", "代用": "surrogate", "计算": "computed",
}  # fmt: skip
_KEPT = ("reach", "river", "basis", "xy_error_m", "survey_scale", "county", "features")
_FORM = 2
"""Of what is kept of a boundary beside its pieces; of another form it is prepared again."""


@dataclass(frozen=True)
class Ground:
    """Management areas of a file. ``areas``: reach, basis, xy_error_m, survey_scale ...; ``doubts``, ``islands``: EPSG:4490."""

    areas: pd.DataFrame
    zoned: Zoned
    doubts: gpd.GeoDataFrame
    islands: gpd.GeoSeries
    said: list[Said]
    about: dict[str, Any]

    def in_zone(self, zone: int) -> Prepared:
        """The part measured in one zone, in its metres."""
        system = self.zoned.zones[zone]
        return Prepared(
            self.areas, self.zoned.pieces[zone], self.doubts.to_crs(system), self.said, self.islands.to_crs(system).to_numpy()
        )  # fmt: skip


def ground_of(path: Path, asked: Asked, *, snap_m: float, doubt_m: float, keep: Path | None = None,
              opened: layer_files.Opened | None = None) -> Ground:  # fmt: skip
    """The ground of a boundary file. ``keep``: a file to keep it in, and to take it from while it still holds.

    Raises ``InputError`` where nothing in it bounds anything, ``CrsRefused`` where it is not certain where it lies.
    """
    made_from = {
        "form": _FORM,
        "sha256": sources.sha256(path),
        "asked": asdict(asked),
        "snap_m": snap_m,
        "doubt_m": doubt_m,
    }
    if keep is not None and keep.exists():
        held = stored.load(keep)
        if held.meta.get("from") == made_from:
            return _again(held)
    made = _Made(layers_of(path, asked, opened), snap_m, doubt_m)
    pieces = zoned(made.batches(), also=lambda: made.doubts.geometry)
    areas = pd.concat(made.areas, ignore_index=True)
    if areas.empty and made.doubts.empty:
        raise InputError(f"{path.name}: nothing in it bounds an area: name another layer or file.", file=str(path))
    islands = gpd.GeoSeries(np.concatenate(made.islands), crs=crs.STORAGE)
    ground = Ground(areas, pieces, made.doubts, islands, made.said, made.about)
    if keep is not None:
        stored.save(keep, pieces, {"from": made_from, **_plain(ground)})
    return ground


def layers_of(path: Path, asked: Asked, opened: layer_files.Opened | None = None) -> Iterator[Layer]:
    """A boundary layer, in pieces where the file is a large GeoParquet one."""
    if not parquet_files.is_large(path):
        yield layer_files.read(path, asked, "boundary", opened)
        return
    large = candidate_files.open_candidates(path, asked).opened
    about = {"file": path.name, **large.provenance()}
    for source in parquet_files.whole(large):
        yield Layer(layer_files.with_geom(source.frame), about)


class _Made:
    """Management areas made piece after piece: sound polygons at once, the rest when all of it is known."""

    def __init__(self, layers: Iterable[Layer], snap_m: float, doubt_m: float) -> None:
        self.layers, self.snap_m, self.doubt_m = layers, snap_m, doubt_m
        self.areas: list[pd.DataFrame] = []
        self.islands: list[np.ndarray] = []
        self.doubts: gpd.GeoDataFrame
        self.said: list[Said] = []
        self.about: dict[str, Any] = {}

    def batches(self) -> Iterator[gpd.GeoSeries]:
        """The areas in EPSG:4490, and afterwards all that is said of them."""
        rest = []
        for layer in self.layers:
            self.about, self.said = layer.about, [*self.said, *layer.said]
            sound, others = _apart(_named(layer))
            rest.append(others)
            yield self._taken(sound)
        closed = _closed(pd.concat(rest), self.snap_m, self.doubt_m)
        self.doubts, self.said = closed.doubts, [*self.said, *closed.said]
        yield self._taken(closed.areas)

    def _taken(self, areas: gpd.GeoDataFrame) -> gpd.GeoSeries:
        self.areas.append(pd.DataFrame(areas[[c for c in _KEPT if c in areas]]))
        self.islands.append(islands_of(areas.geometry.to_numpy()))
        return areas.geometry


def _plain(ground: Ground) -> dict[str, Any]:
    areas = ground.areas.astype(object).where(ground.areas.notna(), None)
    return {
        "areas": areas.to_dict("list"), "said": [asdict(s) for s in ground.said], "about": ground.about,
        "doubts": [{"features": list(d.features), "because": d.because, "wkb": shapely.to_wkb(d.geometry, hex=True)} for d in ground.doubts.itertuples()],
        "islands": shapely.to_wkb(ground.islands.to_numpy(), hex=True).tolist(),
    }  # fmt: skip


def _again(held: Zoned) -> Ground:
    kept = held.meta
    doubts = gpd.GeoDataFrame(
        {"features": [tuple(d["features"]) for d in kept["doubts"]], "because": [d["because"] for d in kept["doubts"]]},
        geometry=gpd.GeoSeries([shapely.from_wkb(d["wkb"]) for d in kept["doubts"]], crs=crs.STORAGE),
    )
    areas = pd.DataFrame(kept["areas"])
    areas[["xy_error_m", "survey_scale"]] = areas[["xy_error_m", "survey_scale"]].astype(float)
    islands = gpd.GeoSeries([shapely.from_wkb(w) for w in kept["islands"]], crs=crs.STORAGE)
    said = [Said(**s | {"features": tuple(s["features"])}) for s in kept["said"]]
    return Ground(areas, held, doubts, islands, said, kept["about"])


def closed_boundary(layer: Layer, snap_m: float, doubt_m: float) -> Closed:
    """The management areas of a boundary layer in EPSG:4490, with reach, basis, xy_error_m and survey_scale.

    Sound polygons are taken as they are; the rest is closed and repaired in metres of the layer's own zone.
    """
    sound, rest = _apart(_named(layer))
    closed = _closed(rest, snap_m, doubt_m)
    areas = pd.concat([sound, closed.areas]) if len(closed.areas) else sound
    return Closed(areas.reset_index(drop=True), closed.doubts, closed.said)


def _apart(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Sound polygons (flat, with ``features``), and the rest, which has to be closed or repaired."""
    shapes = frame.geometry
    sound = (shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & shapes.is_valid & ~shapes.is_empty).to_numpy()
    taken = frame[sound].assign(features=[(str(f),) for f in frame.index[sound]])
    return taken.set_geometry(shapely.force_2d(taken.geometry.to_numpy())).set_crs(frame.crs), frame[~sound]


def _closed(rest: gpd.GeoDataFrame, snap_m: float, doubt_m: float) -> Closed:
    """Lines and crossed polygons closed in metres of their own zone, in EPSG:4490."""
    zone = crs.metric_crs(*_centre(rest))
    closed = close(rest.to_crs(zone), group="together", bank="bank", snap_m=snap_m, doubt_m=doubt_m)
    return Closed(closed.areas.to_crs(crs.STORAGE), closed.doubts.to_crs(crs.STORAGE), closed.said)


def _named(layer: Layer) -> gpd.GeoDataFrame:
    reach, together = layer.values(*_NAME), layer.values(*_REACH)
    basis = layer.values("basis", "依据").astype(object).map(lambda b: _BASES.get(same(str(b)), "draft"))
    return gpd.GeoDataFrame(
        {
            "reach": [str(r) if pd.notna(r) else str(i) for i, r in reach.items()], "basis": basis,
            "xy_error_m": layer.sizes("xy_error_m"), "survey_scale": layer.sizes("survey_scale", "测图比例尺"),
            "county": layer.values("county", "县", "adcode"), "together": together.astype(object).where(together.notna(), ""),
            "bank": _bank(layer), "river": layer.values("river", "河流", "river_code", "河流编码"),
        },
        geometry=layer.frame.geometry,
    )  # fmt: skip


def _bank(layer: Layer) -> pd.Series:
    """The column for the bank, else the layer of a drawing or the name where they say it (左岸管理线)."""
    said = (layer.values(c) for c in _BANK_IN_WORDS)
    named = next((s for s in said if s.map(bank_of).notna().any()), None)
    return layer.values(*_BANK) if named is None or layer.column(*_BANK) else named


def _centre(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    usable = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    return crs.centre(usable) if len(usable) else (105.0, 35.0)
