"""The one door for layers: read as they are, judged where they lie, brought to EPSG:4490 piece by piece, mapped and checked.

Law: features read = rows + set aside + skipped, always. Encoding, axis order and system come from the verdict; what it
only suspects stops with its reasons. Repairs are reported; nothing is guessed in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs as crs_
from rivergis import layers
from rivergis.errors import CrsRefused, InputError, RivergisError, legible
from rivergis.intake import (
    contract,
    crs_evidence,
    crs_numbers,
    datasets,
    fields,
    guard,
    inspection,
    shapes,
    sources,
    tables,
)
from rivergis.intake.batch import Batch, Course
from rivergis.intake.crs_declared import understand
from rivergis.intake.crs_numbers import Hypothesis
from rivergis.intake.crs_reference import Reference
from rivergis.intake.crs_verdict import Verdict, place
from rivergis.intake.delivery import Asked, Defect, Delivered
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.profile import Mapped

PIECE = 20_000
_UNREADABLE = ("geometry_unreadable", "too_many_vertices")
# faults of single shapes: an import says itself what it did about them
_OF_SHAPES = {
    "geometry_missing",
    "geometry_empty",
    "coordinates_not_finite",
    "self_crossing",
    "rings_misplaced",
    "too_few_points",
    "zero_length",
    "zero_area",
    "repeated_vertices",
    *_UNREADABLE,
}
_NOT_FINITE = (
    "coordinates_not_finite",
    "It has coordinates that are not numbers (NaN or infinite): correct or digitise it again.",
)


@dataclass
class Source:
    """A piece of a layer. ``frame``: attributes (index = feature number) and, where it has positions, ``geom`` in EPSG:4490.

    ``faults``: row -> (code, sentence) for shapes that cannot be used; those stay in the coordinates they were given in.
    """

    frame: gpd.GeoDataFrame | pd.DataFrame
    name: str
    crs: str | None
    given: np.ndarray | None = None
    """Shapes as the file has them, row by row."""
    faults: dict[Any, tuple[str, str]] = field(default_factory=dict)
    positions: tuple[str, ...] = ()
    """Fields that positions were read from."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def raised(self) -> bool:
        """Whether any shape has heights."""
        return self.given is not None and bool(shapely.has_z(self.given).any())


@dataclass(frozen=True)
class Opened:
    """A source layer with its verdict, ready to be read."""

    path: Path
    delivered: Delivered
    verdict: Verdict
    asked: Asked
    sha256: str
    limits: Limits = DEFAULT

    @property
    def name(self) -> str:
        return legible(self.delivered.name)

    @property
    def count(self) -> int:
        return self.delivered.count

    @property
    def anywhere(self) -> bool:
        """Whether any feature has a position; a photo without one has room for a shape, but none in it."""
        return self.delivered.shapes is not None and bool((~shapely.is_missing(self.delivered.shapes)).any())

    @property
    def placed(self) -> bool:
        """Whether it has positions at all."""
        return self.delivered.shapes is not None

    @property
    def source_crs(self) -> str | None:
        """The system as used, in words; ``None`` without positions."""
        return self.verdict.source_crs if self.placed and self.verdict.certain else None

    @property
    def defects(self) -> list[Defect]:
        """Everything that reading and judging found out."""
        found = [d for d in self.delivered.defects if d.code not in _OF_SHAPES]
        return [*found, *self.verdict.defects]

    @property
    def reading(self) -> dict[str, Any]:
        """How it was read, for the record of the import; without parameters of any transformation."""
        d, v = self.delivered, self.verdict
        told: dict[str, Any] = {"encoding": d.encoding, "encoding_basis": d.encoding_basis}
        if self.placed:
            told |= {"verdict": v.verdict, "epsg": v.epsg, "datum": v.datum, "axis": v.axis}
        own = v.hypothesis.crs if v.hypothesis is not None and v.epsg is None else None
        if own is not None and not own.is_bound:
            told["wkt"] = own.to_wkt()
        return told | ({"positions": [d.names.x, d.names.y]} if d.names else {})

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What an import says of the layer as a whole."""
        told = [
            {
                "code": d.code,
                "count": d.count,
                "features": list(d.features),
                "sentence": d.message,
                "severity": d.severity,
            }
            for d in self.defects
        ]
        return [*told, *self._crs_notes()] if self.placed else told

    def _crs_notes(self) -> list[dict[str, Any]]:
        v, declared = self.verdict, self.delivered.declared.wkt
        notes = []
        if v.verdict == "recognised":
            said = f"Its system was recognised as {v.source_crs}: {'; '.join(v.reasons)}."
            notes.append({"code": "crs_recognised", "count": self.count, "sentence": said})
        meant = understand(declared) if self.asked.crs and declared else None
        if meant is not None and meant.usable and (meant.epsg != v.epsg or meant.epsg is None):
            said = f"The file names {_named(meant)}; {v.source_crs} was used, as given with --crs."
            notes.append({"code": "crs_overruled", "count": self.count, "sentence": said})
        if v.certain and v.epsg is None:
            said = f"The system {v.source_crs!r} has no EPSG code: it was used as the file describes it."
            notes.append({"code": "crs_without_code", "count": self.count, "sentence": said})
        return notes

    def provenance(self) -> dict[str, Any]:
        """What every row says of where it comes from, besides its feature number, attributes and delivered shape."""
        return {"file": legible(self.path.name), "sha256": self.sha256, "layer": self.name, "crs": self.source_crs}

    def check_readable(self) -> None:
        """``InputError`` if the layer is there but nothing of it can be read."""
        if not self.delivered.readable:
            found = self.delivered.defects
            said = next((d.message for d in found if d.severity == "error"), "its features cannot be read.")
            raise InputError(f"{self.path.name}, layer {self.name}: {said}", file=str(self.path), layer=self.name)

    def check_geometry(self, layer: layers.Layer) -> None:
        """``InputError`` if the target needs positions and there are none, ``CrsRefused`` if it is not certain where they lie."""
        self.check_readable()
        if layer.geometry is None:
            return
        if not self.placed and layer.geometry_required:
            raise InputError(
                f"{self.path.name}, layer {self.name} has no geometry and no columns of coordinates, but {layer.name} needs "
                f"{layer.geometry}: name another layer or file.",
                file=str(self.path),
                layer=self.name,
            )
        self.check_place()

    def check_place(self) -> None:
        """``CrsRefused`` with reasons, best reading and the option to type, if it is not certain where the layer lies."""
        if self.placed and not self.verdict.certain:
            raise _refusal(self)

    def unchanged(self) -> None:
        """``InputError`` if the file is not what it was when its reading began."""
        if sources.sha256(self.path) != self.sha256:
            raise InputError(
                f"{self.path.name} changed while it was read: wait until it is written and import it again.",
                file=str(self.path),
            )

    def pieces(self, rows: int = PIECE, placed: bool = True) -> Iterator[Source]:
        """The layer in pieces of so many rows; ``placed=False`` leaves the shapes where they are (``frame`` without ``geom``)."""
        start = 0
        for frame, given in self._raw(rows):
            names = self.delivered.names
            positions = (names.x, names.y) if names else ()
            source = Source(frame, self.name, self.source_crs, given, {}, positions, self.delivered.facts)
            if placed and given is not None and self.verdict.certain:
                bring_home(source, self.verdict, self._outliers(frame, start))
                source.faults |= self._unreadable(frame)
            yield source
            start += len(frame)

    def _raw(self, rows: int) -> Iterator[tuple[pd.DataFrame, np.ndarray | None]]:
        d = self.delivered
        if d.frame is None or len(d.frame) == d.count:
            frame = d.frame if d.frame is not None else pd.DataFrame(index=range(d.count))
            for start in range(0, max(d.count, 1), rows):
                part = slice(start, start + rows)
                yield frame.iloc[part], None if d.shapes is None else np.asarray(d.shapes[part], object)
            return
        table = {"table", "document"} & set(sources.recognise(self.path, self.limits).kinds)
        stream = tables.stream_table if table else datasets.stream
        for piece in stream(self.path, d.name, self.asked, d.encoding, rows, self.limits):
            yield piece.frame, piece.shapes

    def _outliers(self, frame: pd.DataFrame, start: int) -> np.ndarray:
        """Which rows of a piece the verdict found far off; those of a large layer are known by their position."""
        if not self.verdict.outliers:
            return np.zeros(len(frame), bool)
        ids = np.arange(start, start + len(frame)) if self.delivered.sampled else np.asarray(frame.index)
        return np.isin(ids, np.asarray(self.verdict.outliers))

    def _unreadable(self, frame: pd.DataFrame) -> dict[Any, tuple[str, str]]:
        """Rows whose shape the reader could not read, as far as it names them."""
        told = {
            f: (d.code, f"Its shape cannot be used. {d.message} {d.action}".strip())
            for d in self.delivered.defects
            if d.code in _UNREADABLE
            for f in d.features
        }
        return {i: told[str(i)] for i in frame.index if str(i) in told} if told else {}


def _named(meaning: Any) -> str:
    return f"EPSG:{meaning.epsg}" if meaning.epsg else str(meaning.name)


def _refusal(opened: Opened) -> CrsRefused:
    """Why an import stops, in one sentence, with the option that would let it go on."""
    v, what = opened.verdict, f"{opened.path.name}, layer {opened.name}"
    reasons = "; ".join(r.rstrip(".") for r in v.reasons) or "nothing is known of its system"
    best = next(iter(v.candidates), None)
    option = _option(opened)
    apart = next((d.features for d in v.defects if d.code == "mixed_zones"), ())
    if apart and opened.asked.crs is not None:
        # the system is said already: what is left are the rows themselves
        named = ", ".join(map(str, apart[:8])) + (" …" if len(apart) > 8 else "")
        said = f"It is not certain where {what} lies: {reasons}. Correct the positions of feature {named}, or take them out, and import it again"
    elif v.verdict == "refused" or option is None:
        advice = next((d.action for d in v.defects if d.action and d.severity != "info"), "")
        advice = (
            advice.removeprefix("Refused. ") or "say which it is in with --crs EPSG:CODE, as its producer documents it"
        )
        advice = advice if opened.anywhere else "Ask for its coordinates, or place it by hand"
        said = f"{what} is refused: {reasons}. {advice[:1].upper()}{advice[1:]}"
    else:
        said = f"It is not certain where {what} lies: {reasons}. If its producer confirms it, import it with {option}"
    return CrsRefused(
        said.rstrip(". ") + ".",
        file=str(opened.path),
        layer=opened.name,
        verdict=v.verdict,
        reasons=list(v.reasons),
        candidate=best.as_dict() if best else None,
        option=option,
        defect=next((d.code for d in v.defects if d.severity != "info" and d.code != "crs_missing"), None),
    )


def _option(opened: Opened) -> str | None:
    """The exact option that takes the best reading; ``None`` where there is none to take."""
    v = opened.verdict
    best = next(iter(v.candidates), None)
    epsg, datum = (best.epsg, best.datum) if best else (v.epsg, v.datum)
    if v.groups or (best is not None and best.unit_factor != 1.0):
        return None
    rivals = list(dict.fromkeys(c.epsg for c in v.candidates if c.epsg))
    if v.epsg is None and len(rivals) > 1:
        return " or ".join(f"--crs EPSG:{code}" for code in rivals[:5]) + (" …" if len(rivals) > 5 else "")
    options = [f"--crs EPSG:{epsg}"] if epsg and not _declares(opened, epsg) else []
    if any(d.code == "datum_shift_suspected" for d in v.defects):
        options.append(f"--datum {datum}")
    return " ".join(options) or (f"--crs EPSG:{epsg}" if epsg else None)


def _declares(opened: Opened, epsg: int) -> bool:
    return opened.asked.crs is None and understand(opened.delivered.declared.wkt).epsg == epsg


def bring_home(source: Source, verdict: Verdict, outliers: np.ndarray) -> None:
    """Put ``geom`` into the frame, in EPSG:4490, and name every shape that has no place there."""
    given = source.given
    assert given is not None
    missing = shapely.is_missing(given)
    home = place(verdict, given)
    bounds = shapely.bounds(home)
    off = (np.abs(bounds[:, [0, 2]]) > 180).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(axis=1)
    lost = ~missing & shapely.is_missing(home)
    kept = np.where(lost | off, shapely.force_2d(given), home) if (lost | off).any() else home
    for i in np.flatnonzero(lost | off | outliers).tolist():
        source.faults[source.frame.index[i]] = _fault(given, i, off[i] or outliers[i], source.crs)
    frame = source.frame.drop(columns="geom", errors="ignore")
    shapes_ = gpd.GeoSeries(kept, index=frame.index, crs=crs_.STORAGE)
    source.frame = gpd.GeoDataFrame(frame, geometry=shapes_).rename_geometry("geom")


def place_in(system: int | str, datum: crs_numbers.Datum, shapes_: np.ndarray) -> np.ndarray:
    """Shapes with x = east in a system (EPSG code or WKT) to EPSG:4490, 2D; ``None`` for what has no place there."""
    epsg = system if isinstance(system, int) else None
    own = None if epsg else CRS.from_user_input(system)
    return place(Verdict("declared", Hypothesis(epsg, "declared", own, datum=datum), epsg), shapes_)


def _fault(given: np.ndarray, i: int, far: bool, system: str | None) -> tuple[str, str]:
    xy = shapely.get_coordinates(given[i])
    if not np.isfinite(xy).all():
        return _NOT_FINITE
    middle = np.nanmedian(shapely.get_coordinates(given), axis=0)
    x, y = xy[np.argmax(np.abs(xy - middle).sum(axis=1))]
    if not far:
        return "coordinates_out_of_range", f"Its coordinates ({x:.10g}, {y:.10g}) have no place in {system}."
    return (
        "outlier_vertex",
        f"Its vertex ({x:.10g}, {y:.10g}) does not lie with the rest of the layer in {system}: a digit too many or too few, "
        "exchanged axes, or another system; correct it.",
    )


def open_layers(path: Path, asked: Asked, reference: Reference | None = None, limits: Limits = DEFAULT) -> list[Opened]:
    """Every layer of a file with its verdict. Raises ``InputError`` for a file that cannot be used at all.

    Read in a process of its own: what crashes a library, hangs or eats memory ends there, before anything is written.
    """
    sources.recognise(path, limits)
    return guard.guarded(_opened, path, asked, reference, limits, limits=limits, name=path.name)


def open_each(paths: Sequence[Path], asked: Asked, limits: Limits = DEFAULT) -> list[list[Opened] | RivergisError]:
    """``open_layers`` of many small files, which share a guarded process; what it would raise stands in the place of its file."""
    tasks = [(path, asked, None, limits) for path in paths]
    return guard.guarded_each(_opened, tasks, limits=limits, names=[path.name for path in paths])


def _opened(path: Path, asked: Asked, reference: Reference | None, limits: Limits) -> list[Opened]:
    sources.recognise(path, limits)
    sha256 = sources.sha256(path)
    reading = inspection.read(path, asked, limits)
    return [
        Opened(path, d, crs_evidence.judge(d, reference, asked), asked, sha256, limits)
        for d in reading.layers
        if d.kind != "raster"
    ]


def chosen(path: Path, opened: list[Opened], source_layer: str | None) -> Opened:
    """The layer of that name, or the only one; ``InputError`` says which there are."""
    names = ", ".join(o.name for o in opened)
    if not opened:
        raise InputError(f"{path.name} has no layer at all: ask for it again.", file=str(path))
    if source_layer is None and len(opened) > 1:
        raise InputError(
            f"{path.name} has several layers ({names}): name one with the option for the layer of this file (--layer, --source-layer ...).",
            file=str(path),
        )
    found = [o for o in opened if source_layer in (None, o.name)]
    if not found:
        raise InputError(
            f"{path.name} has no layer {source_layer!r}; it has {names}.", file=str(path), layer=source_layer
        )
    found[0].check_readable()
    return found[0]


def open_layer(
    path: Path,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> Source:
    """A whole layer in EPSG:4490; features whose shape cannot be used are named in ``faults``.

    For work on files, without a reference: what is not declared must be said with ``crs`` or ``datum``. Raises
    ``InputError``, ``CrsRefused``.
    """
    asked = Asked(None, crs, datum, encoding)
    opened = chosen(path, open_layers(path, asked), source_layer)
    opened.check_place()
    pieces = list(opened.pieces())
    if len(pieces) == 1:
        return pieces[0]
    whole = pieces[0]
    whole.frame = pd.concat([p.frame for p in pieces])
    whole.given = None if whole.given is None else np.concatenate([p.given for p in pieces])
    for p in pieces[1:]:
        whole.faults |= p.faults
    return whole


def read_frame(
    path: Path,
    *,
    source_layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
) -> tuple[gpd.GeoDataFrame | pd.DataFrame, str, str | None]:
    """A whole layer in EPSG:4490: (frame, layer name, source CRS). A table without geometry stays one (CRS None).

    For work on files: the first feature whose shape cannot be used is an ``InputError``. See ``open_layer``.
    """
    source = open_layer(path, source_layer=source_layer, crs=crs, datum=datum, encoding=encoding)
    for feature, (_, sentence) in source.faults.items():
        raise InputError(
            f"{path.name}, layer {source.name}, feature {feature}: {sentence}",
            file=str(path),
            layer=source.name,
            feature=str(feature),
        )
    return source.frame, source.name, source.crs


def map_piece(source: Source, layer: layers.Layer, mapped: Mapped, *, about: dict[str, Any], course: Course) -> Batch:
    """One piece of a source layer as rows of a target layer; what cannot be used is set aside.

    ``about``: what every row says of where it comes from (``Opened.provenance``).
    """
    frame = source.frame
    if isinstance(frame, gpd.GeoDataFrame):
        if layer.geometry is None:
            frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        else:
            frame = frame.assign(delivered=source.given)
    batch = Batch(layer.name, frame, source.name, source.crs, about["sha256"], len(frame), course=course)
    batch.positions = source.positions
    fields.select(batch, mapped)
    fields.map_fields(batch, layer, mapped, about)
    if isinstance(batch.frame, gpd.GeoDataFrame):
        _set_faults_aside(batch, source)
    contract.check(batch, layer, source.facts.get("vertical_datum"))
    if isinstance(batch.frame, gpd.GeoDataFrame):
        shapes.check(batch, layer)
    for column in sorted((course.present or frozenset()) - set(batch.frame.columns)):
        batch.frame[column] = None  # only other pieces of the layer fill it
    return batch


def _set_faults_aside(batch: Batch, source: Source) -> None:
    faults = {str(feature): fault for feature, fault in source.faults.items()}
    for code in sorted({c for c, _ in faults.values()}):
        given = batch.frame["source_feature"]
        bad = given.map(lambda f, c=code: f in faults and faults[f][0] == c).to_numpy(bool)
        batch.aside(bad, code, [faults[f][1] for f in given[bad]])
