"""Looking at files: every format read by its reader, every layer judged, every defect said; nothing is written.

One door: an import takes encoding, order of axes and coordinate system from the very verdict that is shown here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.errors import InputError, RivergisError
from rivergis.intake import (
    crs_evidence,
    datasets,
    foreign,
    guard,
    heights,
    photo,
    raster,
    secrecy,
    sources,
    tables,
    track_formats,
    track_table,
)
from rivergis.intake.crs_reference import Reference
from rivergis.intake.crs_verdict import Verdict, place
from rivergis.intake.delivery import Asked, Defect, Delivered, Reading
from rivergis.intake.limits import DEFAULT, Limits

_SAMPLES = 5
# a map of this many dots shows no more detail than a part of that, and no more lines than these
_MAP_DETAIL, _MAP_LINES = 400, 300
# defects that mean a part of the content could not be read
UNREAD = (
    "geometry_unreadable",
    "record_damaged",
    "layer_unreadable",
    "file_cut_off",
    "file_damaged",
    "raster_cut_off",
    "picture_cut_off",
)


@dataclass(frozen=True)
class LayerReport:
    """A layer as delivered, and where it lies."""

    delivered: Delivered
    verdict: Verdict

    @property
    def defects(self) -> list[Defect]:
        return [*self.delivered.defects, *self.verdict.defects]

    def as_dict(self) -> dict[str, Any]:
        d = self.delivered
        return {
            "name": d.name,
            "kind": d.kind,
            "count": d.count,
            "readable": d.readable,
            "encoding": d.encoding,
            "encoding_basis": d.encoding_basis,
            "geometry_types": list(d.geometry_types),
            "fields": _fields(d.frame),
            "crs": self.verdict.as_dict(),
            "extent": _extent(d),
            "extent_4490": self._extent_4490(),
            "defects": [f.as_dict() for f in self.defects],
            **d.facts,
        }

    def _placed(self) -> np.ndarray | None:
        """What lies with the others, in EPSG:4490; None where the place is not certain or there is nothing."""
        d = self.delivered
        if not self.verdict.certain or d.shapes is None or not len(d.shapes):
            return None
        shapes = shapely.box(*d.bounds.T) if d.bounds is not None else d.shapes
        ids = np.arange(d.count) if d.bounds is not None or d.frame is None else np.asarray(d.frame.index)
        kept = shapes[~np.isin(ids, list(self.verdict.outliers))] if self.verdict.outliers else shapes
        return place(self.verdict, kept) if len(kept) else None

    def _extent_4490(self) -> list[float] | None:
        """West, south, east, north of what lies with the others; None where the place is not certain."""
        placed = self._placed()
        bounds = shapely.total_bounds(placed) if placed is not None else np.array([np.nan])
        return [round(float(v), 7) for v in bounds] if np.isfinite(bounds).all() else None

    def drawing(self, reference: Reference | None) -> dict[str, Any]:
        """Thinned lines of the layer and of the known rivers round it, for the small map of a report (degrees)."""
        placed = self._placed()
        if placed is None or not np.isfinite(shapely.total_bounds(placed)).all():
            return {}
        window = shapely.box(*shapely.total_bounds(placed))
        near = window.buffer(0.2 * max(shapely.length(window) / 4, 0.01))
        rivers = [shapely.intersection(r, near) for r in reference.rivers if r.intersects(near)] if reference else []
        return {"outline": _thin_lines(placed, window), "rivers": _thin_lines(np.array(rivers, dtype=object), window)}


@dataclass(frozen=True)
class FileReport:
    """A file as it was found: its format and layers, or the sentence why it cannot be read."""

    file: str
    format: str
    error: str | None = None
    layers: list[LayerReport] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything in it could be read."""
        unread = any(f.code in UNREAD for layer in self.layers for f in layer.defects)
        return self.error is None and not unread and all(layer.delivered.readable for layer in self.layers)

    @property
    def anything(self) -> bool:
        """Whether something in it could be read."""
        return self.error is None and any(layer.delivered.readable for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "format": self.format,
            "error": self.error,
            "layers": [layer.as_dict() for layer in self.layers],
            "defects": [f.as_dict() for f in self.defects],
        }


def read(path: Path, asked: Asked, limits: Limits = DEFAULT) -> Reading:
    """A file by the reader of its format; ``InputError`` where it cannot be read."""
    converted = foreign.refuse_or_convert(path, limits)
    if converted is not None:
        reading = read(converted, asked, limits)
        return replace(reading, defects=[foreign.conversion(path, converted), *reading.defects])
    form = sources.recognise(path, limits)
    reading = _reader(path, form, limits)(path, asked, limits)
    return replace(reading, layers=[_as_track(layer) for layer in reading.layers])


Reader = Callable[[Path, Asked, Limits], Reading]


def _reader(path: Path, form: sources.Format, limits: Limits) -> Reader:
    if "photo" in form.kinds:
        return raster.read_raster if raster.has_world_file(path) else photo.read_photo
    if "raster" in form.kinds:
        return raster.read_raster
    if "track" in form.kinds and "table" not in form.kinds and track_formats.is_track(path, limits):
        return track_formats.read_tracks
    if "table" in form.kinds or "document" in form.kinds:
        return tables.read_table
    return datasets.read_vector


def _as_track(layer: Delivered) -> Delivered:
    """A table that is in truth the log of a phone or logger."""
    return (track_table.from_table(layer) or layer) if layer.names is not None else layer


def look(
    path: Path,
    asked: Asked,
    reference: Reference | None = None,
    limits: Limits = DEFAULT,
    large_scale_km2: float = math.inf,
) -> FileReport:
    """Read and judge one file; raises ``InputError`` where it cannot be read at all.

    ``large_scale_km2``: contiguous area beyond which large-scale topography asks for a confirmation (a rule of the place).
    """
    reading = read(path, asked, limits)
    chosen = [d for d in reading.layers if asked.layer is None or d.name == asked.layer]
    if not chosen and reading.layers:
        names = ", ".join(d.name for d in reading.layers)
        raise InputError(
            f"{path.name} has no layer {asked.layer!r}; it has {names}.", file=str(path), layer=asked.layer
        )
    layers = [_judged(d, path, asked, reference, large_scale_km2) for d in chosen]
    return FileReport(str(path), reading.format, None, layers, list(reading.defects))


def _judged(
    layer: Delivered, path: Path, asked: Asked, reference: Reference | None, large_scale_km2: float
) -> LayerReport:
    """A layer with its place, from what its heights count, and whether it may be secret."""
    verdict = crs_evidence.judge(layer, reference, asked)
    datum, found = heights.look(layer)
    found += secrecy.look(layer, verdict, path.name, large_scale_km2)
    facts = {**layer.facts, "vertical_datum": datum} if datum is not None else layer.facts
    return LayerReport(replace(layer, facts=facts, defects=[*layer.defects, *found]), verdict)


def _told(
    path: Path, asked: Asked, reference: Reference | None, limits: Limits, large_scale_km2: float, draw: bool
) -> dict[str, Any]:
    report = look(path, asked, reference, limits, large_scale_km2)
    drawings = [layer.drawing(reference) for layer in report.layers] if draw else []
    return {**report.as_dict(), "whole": report.whole, "anything": report.anything, "drawings": drawings}


def inspect(
    paths: Sequence[Path],
    *,
    asked: Asked,
    reference: Reference | None = None,
    limits: Limits = DEFAULT,
    large_scale_km2: float = math.inf,
    draw: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, of, name: None,
) -> Inspection:
    """Look at files and folders, each file in a process of its own: a file that cannot be read does not stop the others.

    ``draw``: with the lines of the small maps that a report shows.
    """
    files = sources.expand(paths)
    told = []
    for done, path in enumerate(files):
        progress(done, len(files), path.name)
        work = (path, asked, reference, limits, large_scale_km2, draw)
        try:
            told.append(guard.guarded(_told, *work, limits=limits, name=path.name))
        except RivergisError as error:
            form = sources.format_of(path.name)
            told.append(_unread(path, form.name if form else "", error))
    progress(len(files), len(files), "")
    _say_same_pictures(told)
    return Inspection(told)


def _unread(path: Path, form: str, error: RivergisError) -> dict[str, Any]:
    said = {"file": str(path), "format": form, "error": error.sentence, "error_code": error.code}
    return {**said, "layers": [], "defects": [], "whole": False, "anything": False}


def _say_same_pictures(told: list[dict[str, Any]]) -> None:
    """The same photo used twice, over all files looked at."""
    pictures = [(t["file"], layer) for t in told for layer in t["layers"] if layer.get("picture_hash")]
    for file, found in photo.same_pictures(pictures):
        next(t for t in told if t["file"] == file)["layers"][0]["defects"].append(found.as_dict())


@dataclass(frozen=True)
class Inspection:
    """What was found in all files: one dict each, as ``--json`` prints it."""

    files: list[dict[str, Any]]

    @property
    def exit_code(self) -> int:
        """0 when everything can be read, 3 when nothing can, 4 when a part can."""
        if all(f["whole"] for f in self.files) and self.files:
            return 0
        return 4 if any(f["anything"] for f in self.files) else 3

    def as_list(self) -> list[dict[str, Any]]:
        """Every file as ``--json`` prints it."""
        return [{k: v for k, v in f.items() if k not in ("whole", "anything", "drawings")} for f in self.files]

    def for_report(self) -> list[dict[str, Any]]:
        """The same with the lines of the small maps in each layer."""
        out = []
        for told, file in zip(self.as_list(), self.files, strict=True):
            drawings = file.get("drawings") or [{}] * len(told["layers"])
            layers = [{**layer, **d} for layer, d in zip(told["layers"], drawings, strict=True)]
            out.append({**told, "layers": layers})
        return out


def _thin_lines(shapes: np.ndarray, window: shapely.Geometry) -> list[list[tuple[float, float]]]:
    """Lines and outlines of areas with the detail a small map shows; an even choice where there are many."""
    tolerance = max(shapely.length(window) / 4 / _MAP_DETAIL, 1e-6)
    parts = [p for p in shapely.get_parts(shapes) if p is not None and p.geom_type in ("LineString", "Polygon")]
    lines = [p.exterior if p.geom_type == "Polygon" else p for p in parts[:: max(1, -(-len(parts) // _MAP_LINES))]]
    return [
        [(round(x, 6), round(y, 6)) for x, y in shapely.get_coordinates(shapely.simplify(line, tolerance))]
        for line in lines
    ]


def _extent(d: Delivered) -> list[float] | None:
    """Bounds in the file's own coordinates."""
    if d.bounds is not None:
        with np.errstate(all="ignore"):
            low, high = np.nanmin(d.bounds[:, :2], axis=0), np.nanmax(d.bounds[:, 2:], axis=0)
        return [float(v) for v in (*low, *high)]
    if d.shapes is None or not len(d.shapes):
        return None
    bounds = shapely.total_bounds(d.shapes)
    return [float(v) for v in bounds] if np.isfinite(bounds).all() else None


def _fields(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Name, type and some values of every field."""
    if frame is None:
        return []
    return [
        {"name": str(c), "type": _type(frame.iloc[:, i]), "samples": _samples(frame.iloc[:, i])}
        for i, c in enumerate(frame.columns)
    ]


def _type(values: pd.Series) -> str:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    return {"string": "text", "floating": "number", "mixed-integer-float": "number", "decimal": "number"}.get(
        kind, kind
    )


def _samples(values: pd.Series) -> list[str]:
    out: list[str] = []
    for value in values:
        if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) or value == "":
            continue
        text = str(value)[:80]
        if text not in out:
            out.append(text)
        if len(out) == _SAMPLES:
            break
    return out
