"""Candidates out of a file, only those that may lie in a management area: nobody decodes five million shapes to find the two hundred
thousand near a river.

Law: candidates of the file = handed out + plainly outside + set aside. Any format that the door reads (``intake.vector``); a
large GeoParquet file is streamed (``parquet_files``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.ground.squares import Flags, Floats
from rivergis.boundary.ground.zoned import MARGIN_DEG, Zoned, widened
from rivergis.encroachment import parquet_files
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits

TOO_WIDE = "candidate_too_wide"


@dataclass(frozen=True)
class Chunk:
    """Candidates measured in one zone: ``frame`` in its metres, attributes as in the file, index = feature number.

    ``zone``: position in ``Zoned.zones`` and ``Zoned.pieces``. A candidate without geometry is handed out too.
    """

    frame: gpd.GeoDataFrame
    zone: int


@dataclass
class Candidates:
    """A file of candidates, judged where it lies, and what became of them as far as it has been read.

    ``outside``: how many lie plainly outside; ``aside``: feature -> (code, sentence) of those that cannot be used.
    """

    opened: vector.Opened
    handed: int = 0
    outside: int = 0
    aside: dict[Any, tuple[str, str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Candidates in the file."""
        return self.opened.count

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was found out about the layer as a whole (system recognised, axes exchanged, encoding ...)."""
        return self.opened.notes

    def near(self, ground: Zoned, around_m: float = 0.0) -> Iterator[Chunk]:
        """Candidates that may lie in, or within ``around_m`` of, an area, each in metres of the zone of its own centre."""
        for source in self.pieces(ground, around_m):
            for chunk in chunks(source, ground):
                self.handed += len(chunk.frame)
                yield chunk

    def pieces(self, ground: Zoned, around_m: float = 0.0) -> Iterator[vector.Source]:
        """The same in EPSG:4490, before they are measured."""
        self.handed, self.outside, self.aside = 0, 0, {}
        if parquet_files.streamed(self.opened):
            stream = parquet_files.near(self.opened, ground, around_m)
        else:
            stream = ((source, 0) for source in self.opened.pieces())
        for source, outside in stream:
            self.outside += outside
            yield self._sifted(source, ground, around_m)

    def _sifted(self, source: vector.Source, ground: Zoned, around_m: float) -> vector.Source:
        """A piece without what is set aside and what lies outside."""
        frame = source.frame
        bounds = frame.geometry.bounds.to_numpy(np.float64)
        known = np.isfinite(bounds).all(axis=1)
        faulty = np.isin(np.arange(len(frame)), frame.index.get_indexer(list(source.faults)))
        near = ~known | _near(bounds, ground, around_m)
        wide = too_wide(frame[known & near & ~faulty], ground)
        self.aside |= source.faults | wide
        self.outside += int((~near & ~faulty).sum())
        kept = near & ~faulty & ~frame.index.isin(list(wide))
        given = None if source.given is None else source.given[kept]
        return vector.Source(
            frame[kept], source.name, source.crs, given, positions=source.positions, facts=source.facts
        )


def _near(bounds: Floats, ground: Zoned, around_m: float) -> Flags:
    near = ground.near(widened(bounds, around_m))
    centres = np.where(np.isfinite(bounds), bounds, 0.0)
    return near & (ground.zone_of((centres[:, :2] + centres[:, 2:]) / 2) >= 0)


def too_wide(frame: gpd.GeoDataFrame, ground: Zoned) -> dict[Any, tuple[str, str]]:
    """Candidates (EPSG:4490) that reach further than areas are prepared beyond their zone: feature -> (code, sentence)."""
    bounds = frame.geometry.bounds.to_numpy(np.float64)
    wide = (bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0) > 2 * MARGIN_DEG
    if ground.keys is None or len(ground.keys) == 1 or not wide.any():
        return {}
    return {i: (TOO_WIDE, _said_wide(b)) for i, b in zip(frame.index[wide], bounds[wide], strict=True)}


def _said_wide(bounds: Floats) -> str:
    west, south, east, north = bounds
    return (
        f"It reaches from ({west:.4f}, {south:.4f}) to ({east:.4f}, {north:.4f}), further than any one object: check its "
        "coordinates, or split it."
    )


def open_candidates(path: Path, asked: Asked = Asked(), limits: Limits = DEFAULT) -> Candidates:  # noqa: B008
    """A file of candidates with its verdict: layer, system, datum and encoding as in the file, or as asked.

    Raises ``InputError`` for a file that cannot be used or holds no places, ``CrsRefused`` where it is not certain where it lies.
    """
    found = parquet_files.look(path, asked, limits) if parquet_files.is_large(path) else None
    opened = vector.chosen(path, [found] if found else vector.open_layers(path, asked, limits=limits), asked.layer)
    if not opened.placed:
        raise InputError(
            f"{path.name}, layer {opened.name} has no geometry and no columns of coordinates: name another layer or file.",
            file=str(path),
            layer=opened.name,
        )
    opened.check_place()
    return Candidates(opened)


def chunks(source: vector.Source, ground: Zoned) -> Iterator[Chunk]:
    """Candidates in EPSG:4490 in metres of the zone of their own centre; those without geometry come with the first."""
    frame = source.frame
    bounds = frame.geometry.bounds.to_numpy(np.float64)
    centres = np.nan_to_num((bounds[:, :2] + bounds[:, 2:]) / 2)
    zone = np.where(np.isfinite(bounds).all(axis=1), ground.zone_of(centres), 0)
    for z in np.unique(zone[zone >= 0]).tolist():
        mine = zone == z
        system = ground.zones[z]
        # as delivered where that is the zone: a way to degrees and back costs time and the last digits
        if source.given is not None and _same(source.crs, system):
            shapes = source.given[mine]
        else:
            shapes = shapely.transform(frame.geometry.to_numpy()[mine], crs.out_of_storage(system))
        if shapely.has_z(shapes).any():
            shapes = shapely.force_2d(shapes)
        yield Chunk(frame[mine].set_geometry(gpd.GeoSeries(shapes, index=frame.index[mine], crs=system)), z)


def _same(name: str | None, system: CRS) -> bool:
    """Whether a layer, by the words for its system, is in a zone as it is (no exchanged axes, no shift, no other unit)."""
    code = system.to_epsg()
    return code is not None and name == f"EPSG:{code}"
